/* The organization: portals/self and what hangs below it. One organization, one portal: {portalId} is "self" or its id. */
#include "codec/url.h"
#include "model/errors.h"
#include "service/hosted.h"
#include "service/organization.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

/* A URL without its scheme: "host:port/context". */
static str without_scheme(str url)
{
    size_t at = str_find(url, STR("://"), 0);
    return at == SIZE_MAX ? url : str_sub(url, at + 3, url.n);
}

static void subscription_print(struct json_out *o, const struct site *site)
{
    json_begin_object(o);
    json_member_str(o, "id", site->org_id);
    json_member_c(o, "type", "In House");
    json_member_c(o, "state", "active");
    json_member_int(o, "expDate", -1);
    json_member_int(o, "maxUsers", -1);
    json_member_raw(o, "orgCapabilities", STR("[\"hostedFeatures\"]"));
    json_end_object(o);
}

static void address_print(struct json_out *o, const struct call *call)
{
    struct url_parts url;
    bool ok = url_split(call->portal_url, &url);
    bool secure = ok && url.secure;
    json_member_bool(o, "allSSL", secure);
    json_member_int(o, "httpPort", ok && !secure ? url.port : 80);
    json_member_int(o, "httpsPort", secure ? url.port : 443);
    json_member_str(o, "portalHostname", without_scheme(call->portal_url));
    json_member_null(o, "urlKey");
}

int portals_self(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    struct json_out *o = &call->out;
    const struct site *site = call->site;
    struct organization org;
    TRY(organization_get(ctx, call->site, &call->caller, &org));
    json_begin_object(o);
    json_member_str(o, "id", site->org_id);
    json_member_c(o, "currentVersion", site->settings.api_level);
    for (enum organization_property p = 0; p < ORGANIZATION_PROPERTY_COUNT; p++)
        json_member_raw(o, organization_name(p), org.json[p]);
    json_member_int(o, "created", org.created);
    json_member_int(o, "modified", org.modified);
    address_print(o, call);
    json_member_int(o, "maxTokenExpirationMinutes", site->settings.token_minutes_max);
    json_name(o, "subscriptionInfo");
    subscription_print(o, site);
    if (!call->caller.anonymous) {
        struct user user;
        bool full;
        TRY(user_get(ctx, call->site, &call->caller, call->caller.username, &user, &full));
        json_name(o, "user");
        user_print(o, &user, true, site->org_id);
    }
    json_end_object(o);
    return RC_OK;
}

/* The server that hosts is the only one. */
static int servers(struct call *call)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_name(o, "servers");
    json_begin_array(o);
    json_begin_object(o);
    json_member_str(o, "id", call->site->portal_id);
    json_member_str(o, "name", without_scheme(call->server_url));
    json_member_str(o, "adminUrl", call->server_url);
    json_member_str(o, "url", call->server_url);
    json_member_bool(o, "isHosted", true);
    json_member_c(o, "serverType", "ArcGIS");
    json_member_c(o, "serverKey", "");
    json_member_c(o, "serverFunction", "");
    json_member_c(o, "serverRole", "HOSTING_SERVER");
    json_end_object(o);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int portals_servers(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    return servers(call);
}

int portals_federation(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    return servers(call);
}

int portals_urls(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_name(o, "urls");
    json_begin_object(o);
    json_name(o, "features");
    json_begin_object(o);
    json_name(o, str_istarts(call->server_url, STR("https:")) ? "https" : "http");
    json_begin_array(o);
    json_put_str(o, without_scheme(call->server_url));
    json_end_array(o);
    json_end_object(o);
    json_end_object(o);
    json_end_object(o);
    return RC_OK;
}

int portals_subscription(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    subscription_print(&call->out, call->site);
    return RC_OK;
}

int portals_settings(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    json_begin_object(&call->out);
    json_member_str(&call->out, "id", call->site->org_id);
    json_member_raw(&call->out, "informationalBanner",
                    STR("{\"text\":\"\",\"bgColor\":\"\",\"fontColor\":\"\",\"enabled\":false}"));
    json_end_object(&call->out);
    return RC_OK;
}

int portals_name_available(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    bool available;
    TRY(hosted_name_available(ctx, call->site, str_trim(call_param(call, "name")), &available));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "available", available);
    json_end_object(&call->out);
    return RC_OK;
}
