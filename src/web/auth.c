/* Who calls, from the token. */
#include "model/errors.h"
#include "service/user.h"
#include "web/web.h"

static str bearer(str header) { return str_istarts(header, STR("Bearer ")) ? str_trim(str_sub(header, 7, header.n)) : STR_NONE; }

/* ---- pages: a browser that follows links sends no token, so signing in on the page of generateToken sets a cookie ---- */

#define COOKIE "mapferry_token="

void auth_sign_in(struct ctx *ctx, struct call *call, str token)
{
    bool secure = str_istarts(call->portal_url, STR("https:"));
    http_response_header(
        ctx, call->answer, STR("Set-Cookie"),
        arena_printf(ctx->arena, COOKIE "%.*s; Path=/; HttpOnly; SameSite=Strict%s", STR_FMT(token), secure ? "; Secure" : ""));
}

/* Did a page of ours make this request? Browsers say so in Origin or Sec-Fetch-Site, which no page can forge. A request that
 * changes something has to have said it; one that reads may come from an address that was typed in, or a program without either.
 */
static bool own_page(const struct call *call)
{
    const struct http_headers *h = &call->http->headers;
    str origin = http_headers_get(h, STR("Origin")), site = http_headers_get(h, STR("Sec-Fetch-Site"));
    str own = str_sub(call->server_url, 0, call->server_url.n - strlen("/server"));
    if (!str_none(origin))
        return str_ieq(origin, own);
    if (!str_none(site))
        return str_ieq(site, STR("same-origin")) || (str_ieq(site, STR("none")) && call->http->method != HTTP_POST);
    return call->http->method != HTTP_POST;
}

/* Pages only, and only for requests that our own pages make. */
static str cookie_token(struct ctx *ctx, const struct call *call)
{
    str cookies = http_headers_get(&call->http->headers, STR("Cookie")), piece;
    if (call->format != FORMAT_HTML || !own_page(call))
        return STR("");
    while (str_split(&cookies, ';', &piece)) {
        piece = str_trim(piece);
        if (str_starts(piece, STR(COOKIE)))
            return arena_str(ctx->arena, str_sub(piece, strlen(COOKIE), piece.n));
    }
    return STR("");
}

/* A cookie that is no longer good is no error: the page is shown as to anybody. */
static int cookie_caller(struct ctx *ctx, struct call *call)
{
    str token = cookie_token(ctx, call);
    if (str_empty(token))
        return RC_OK;
    struct ctx child;
    ctx_child(&child, ctx);
    struct caller found;
    int rc = token_caller(&child, call->site, token, STR_NONE, call->remote, &found);
    if (rc == RC_OK) {
        call->caller = found;
        call->caller.username = arena_str(ctx->arena, found.username);
    }
    rc = rc == RC_OK || err_is(&child, &ERR_TOKEN_INVALID) ? RC_OK : ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    return rc;
}

int auth_shown(struct ctx *ctx, const struct call *call, str otherwise, struct caller *out)
{
    const struct http_headers *h = &call->http->headers;
    str token = str_trim(call_param(call, "token"));
    if (str_empty(token))
        token = bearer(http_headers_get(h, STR("X-Esri-Authorization")));
    if (str_empty(token))
        token = bearer(http_headers_get(h, STR("Authorization")));
    if (str_empty(token))
        token = str_trim(otherwise);
    return token_caller(ctx, call->site, token, http_headers_get(h, STR("Referer")), call->remote, out);
}

int auth_caller(struct ctx *ctx, struct call *call)
{
    TRY(auth_shown(ctx, call, STR(""), &call->caller));
    if (call->caller.anonymous)
        TRY(cookie_caller(ctx, call));
    if (call->route->who != WHO_ANYONE && call->caller.anonymous)
        return err_set(ctx, &ERR_TOKEN_REQUIRED, "Token Required");
    if (call->route->who == WHO_ADMIN && !access_administer(&call->caller))
        return err_kind(ctx, &ERR_FORBIDDEN);
    return RC_OK;
}
