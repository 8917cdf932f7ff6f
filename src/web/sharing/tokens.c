/* Tokens over REST: sign-in, exchange for the server (clients.md 2), revoking. */
#include "service/user.h"
#include "web/sharing/sharing.h"

int tokens_generate(struct ctx *ctx, struct call *call)
{
    struct token_input in = {.username = str_trim(sharing_text(call, "username")),
                             .password = sharing_text(call, "password"),
                             .token = str_trim(sharing_text(call, "token")),
                             .server_url = str_trim(sharing_text(call, "serverUrl")),
                             .client = str_trim(sharing_text(call, "client")),
                             .referer = sharing_text(call, "referer"),
                             .ip = sharing_text(call, "ip"),
                             .remote = call->remote,
                             .minutes = call_int(call, "expiration")};
    str token;
    int64_t expires;
    TRY(token_generate(ctx, call->site, &in, &token, &expires));
    call->secret = true;
    if (call->format == FORMAT_HTML)
        auth_sign_in(ctx, call, token);
    json_begin_object(&call->out);
    json_member_str(&call->out, "token", token);
    json_member_int(&call->out, "expires", expires);
    json_member_bool(&call->out, "ssl", str_istarts(call->portal_url, STR("https:")));
    json_end_object(&call->out);
    return RC_OK;
}

int tokens_revoke(struct ctx *ctx, struct call *call)
{
    TRY(token_revoke(ctx, call->site, str_trim(sharing_text(call, "auth_token"))));
    return sharing_success(call, NULL, STR_NONE);
}
