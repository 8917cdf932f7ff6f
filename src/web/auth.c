/* Who calls, from the token; and under which address this client sees us, from --url or the request. */
#include "model/errors.h"
#include "service/user.h"
#include "web/web.h"

static bool proxy_trusted(const struct web *w, str remote)
{
    if (str_eq(remote, STR("127.0.0.1")) || str_eq(remote, STR("::1")) || str_eq(remote, STR("::ffff:127.0.0.1")))
        return true;
    str rest = str_c(w->trusted_proxies), piece;
    while (str_split(&rest, ',', &piece))
        if (!str_empty(remote) && str_eq(str_trim(piece), remote))
            return true;
    return false;
}

/* A host header is a name or address with a port and nothing else: it goes into URLs that we hand out. */
static bool host_valid(str host)
{
    if (str_empty(host) || host.n > 255)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(".-_:[]", c));
        if (!ok)
            return false;
    }
    return true;
}

/* The first of a list ("https, http"), trimmed. */
static str first_of(str list)
{
    str rest = list, piece = STR("");
    str_split(&rest, ',', &piece);
    return str_trim(piece);
}

void auth_urls(struct ctx *ctx, struct call *call)
{
    const struct web *w = call->web;
    const struct http_headers *h = &call->http->headers;
    call->portal_url = w->site->portal_url;
    call->server_url = w->site->server_url;
    if (w->url_fixed)
        return;
    str host = http_headers_get(h, STR("Host"));
    bool secure = call->http->secure;
    if (proxy_trusted(w, call->http->remote)) {
        str proto = first_of(http_headers_get(h, STR("X-Forwarded-Proto")));
        str forwarded = first_of(http_headers_get(h, STR("X-Forwarded-Host")));
        if (!str_empty(proto))
            secure = str_ieq(proto, STR("https"));
        if (!str_empty(forwarded))
            host = forwarded;
    }
    if (!host_valid(host))
        return;
    const char *scheme = secure ? "https" : "http";
    call->portal_url = arena_printf(ctx->arena, "%s://%.*s%.*s", scheme, STR_FMT(host), STR_FMT(w->context));
    call->server_url = arena_printf(ctx->arena, "%s://%.*s/server", scheme, STR_FMT(host));
}

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

/* Pages only, and only for requests that our own pages make: a script of another origin sends its Origin. */
static str cookie_token(struct ctx *ctx, const struct call *call)
{
    const struct http_headers *h = &call->http->headers;
    str origin = http_headers_get(h, STR("Origin")), cookies = http_headers_get(h, STR("Cookie")), piece;
    str own = str_sub(call->server_url, 0, call->server_url.n - strlen("/server"));
    if (call->format != FORMAT_HTML || (!str_none(origin) && !str_ieq(origin, own)))
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
    int rc = token_caller(&child, call->site, token, STR_NONE, call->http->remote, &found);
    if (rc == RC_OK) {
        call->caller = found;
        call->caller.username = arena_str(ctx->arena, found.username);
    }
    rc = rc == RC_OK || err_is(&child, &ERR_TOKEN_INVALID) ? RC_OK : ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    return rc;
}

int auth_caller(struct ctx *ctx, struct call *call)
{
    const struct http_headers *h = &call->http->headers;
    str token = str_trim(call_param(call, "token"));
    if (str_empty(token))
        token = bearer(http_headers_get(h, STR("X-Esri-Authorization")));
    if (str_empty(token))
        token = bearer(http_headers_get(h, STR("Authorization")));
    if (str_empty(token))
        TRY(cookie_caller(ctx, call));
    else
        TRY(token_caller(ctx, call->site, token, http_headers_get(h, STR("Referer")), call->http->remote, &call->caller));
    if (call->route->who != WHO_ANYONE && call->caller.anonymous)
        return err_set(ctx, &ERR_TOKEN_REQUIRED, "Token Required");
    if (call->route->who == WHO_ADMIN && !access_administer(&call->caller))
        return err_kind(ctx, &ERR_FORBIDDEN);
    return RC_OK;
}
