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
        if (str_eq(str_trim(piece), remote))
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

static str bearer(str header)
{
    return str_istarts(header, STR("Bearer ")) ? str_trim(str_sub(header, 7, header.n)) : STR_NONE;
}

int auth_caller(struct ctx *ctx, struct call *call)
{
    const struct http_headers *h = &call->http->headers;
    str token = str_trim(call_param(call, "token"));
    if (str_empty(token))
        token = bearer(http_headers_get(h, STR("X-Esri-Authorization")));
    if (str_empty(token))
        token = bearer(http_headers_get(h, STR("Authorization")));
    TRY(token_caller(ctx, call->site, token, http_headers_get(h, STR("Referer")), call->http->remote, &call->caller));
    if (call->route->who != WHO_ANYONE && call->caller.anonymous)
        return err_set(ctx, &ERR_TOKEN_REQUIRED, "Token Required");
    if (call->route->who == WHO_ADMIN && !access_administer(&call->caller))
        return err_kind(ctx, &ERR_FORBIDDEN);
    return RC_OK;
}
