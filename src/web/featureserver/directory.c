/* The server's directory: what it is, and which services it has. */
#include "service/site.h"
#include "web/featureserver/featureserver.h"

static void put_info(struct call *call)
{
    struct json_out *o = &call->out;
    json_member_raw(o, "currentVersion", features_version(call));
    json_member_c(o, "fullVersion", call->site->settings.api_level);
    json_member_str(o, "owningSystemUrl", call->portal_url);
    json_name(o, "authInfo");
    json_begin_object(o);
    json_member_bool(o, "isTokenBasedSecurity", true);
    json_name(o, "tokenServicesUrl");
    json_put_str(o, arena_printf(o->ctx->arena, "%.*s/sharing/rest/generateToken", STR_FMT(call->portal_url)));
    json_member_int(o, "shortLivedTokenValidity", call->site->settings.token_minutes_default);
    json_end_object(o);
}

int features_root(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    json_begin_object(&call->out);
    put_info(call);
    json_member_str(&call->out, "servicesUrl", arena_printf(ctx->arena, "%.*s/rest/services", STR_FMT(call->server_url)));
    json_end_object(&call->out);
    return RC_OK;
}

int features_info(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    json_begin_object(&call->out);
    put_info(call);
    json_end_object(&call->out);
    return RC_OK;
}

int features_services(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_raw(o, "currentVersion", features_version(call));
    json_member_raw(o, "folders", STR("[\"Hosted\"]"));
    json_member_raw(o, "services", STR("[]"));
    json_end_object(o);
    return RC_OK;
}

int features_hosted(struct ctx *ctx, struct call *call)
{
    struct json_out *o = &call->out;
    str *names;
    size_t count;
    TRY(hosted_list(ctx, call->site, &call->caller, &names, &count));
    json_begin_object(o);
    json_member_raw(o, "currentVersion", features_version(call));
    json_member_raw(o, "folders", STR("[]"));
    json_name(o, "services");
    json_begin_array(o);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(o);
        json_member_str(o, "name", arena_printf(ctx->arena, "Hosted/%.*s", STR_FMT(names[i])));
        json_member_c(o, "type", "FeatureServer");
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}
