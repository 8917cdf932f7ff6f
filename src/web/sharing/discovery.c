/* Where a client starts: the version, and where tokens come from. */
#include "web/handlers.h"

int discovery_root(struct ctx *ctx, struct call *call)
{
    (void)ctx;
    json_begin_object(&call->out);
    json_member_c(&call->out, "currentVersion", call->site->settings.api_level);
    json_member_c(&call->out, "enterpriseVersion", call->site->settings.api_level);
    json_member_c(&call->out, "product", "mapferry");
    json_end_object(&call->out);
    return RC_OK;
}

int discovery_info(struct ctx *ctx, struct call *call)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_str(o, "owningSystemUrl", call->portal_url);
    json_name(o, "authInfo");
    json_begin_object(o);
    json_member_str(o, "tokenServicesUrl",
                    arena_printf(ctx->arena, "%.*s/sharing/rest/generateToken", STR_FMT(call->portal_url)));
    json_member_bool(o, "isTokenBasedSecurity", true);
    json_end_object(o);
    json_end_object(o);
    return RC_OK;
}
