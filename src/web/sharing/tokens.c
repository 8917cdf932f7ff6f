/* Tokens over REST: sign-in, exchange for the server (clients.md 2), revoking. */
#include "codec/url.h"
#include "model/errors.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

/* Addresses are kept by browsers, proxies and logs: a password does not belong into one, even where the rest is a body. */
static int query_check(struct ctx *ctx, const struct call *call)
{
    str rest = call->http->query, pair;
    while (str_split(&rest, '&', &pair)) {
        size_t equal = str_find_char(pair, '=', 0);
        str name = url_decode(ctx->arena, str_sub(pair, 0, equal == SIZE_MAX ? pair.n : equal), true);
        if (str_ieq(str_trim(name), STR("password")))
            return err_set(ctx, &ERR_TOKEN_GENERATE, "'password' has to be sent in the body of the request, not in its address.");
    }
    return RC_OK;
}

static bool same_host(str a, str b)
{
    struct url_parts left, right;
    return url_split(a, &left) && url_split(b, &right) && str_ieq(left.host, right.host);
}

/* A token is made for our own server only: the client sends it to whatever serverUrl names. Schemes and ports may differ, since
 * clients change them on their own. */
static int server_check(struct ctx *ctx, const struct call *call, str server_url)
{
    if (str_empty(server_url) || same_host(server_url, call->server_url) || same_host(server_url, call->site->server_url))
        return RC_OK;
    return err_set(ctx, &ERR_TOKEN_GENERATE, "'serverUrl' is no server of this portal: %.*s",
                   STR_FMT(str_sub(server_url, 0, 200)));
}

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
    TRY(query_check(ctx, call));
    TRY(server_check(ctx, call, in.server_url));
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
