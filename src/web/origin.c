/* Where a request comes from and under which address its client sees us. A proxy says both in headers, which anybody can send:
 * they count from this machine and from the proxies of http.trustedProxies only.
 *
 * X-Forwarded-* are what proxies set by default, so Forwarded (RFC 7239) counts where none of them is there: a proxy that sets
 * the former passes on whatever a client wrote into the latter. */
#include "codec/forwarded.h"
#include "net/address.h"
#include "net/tally.h"
#include "web/web.h"

struct hops {
    str clients; /* "client, proxy, proxy": each adds the address that it was called from */
    str host, port, proto;
};

str origin_proxies(struct ctx *ctx, str configured)
{
    return arena_printf(ctx->arena, "127.0.0.1, ::1, %.*s", STR_FMT(configured));
}

static bool trusted(const struct web *w, const struct address *address) { return address_listed(w->trusted_proxies, address); }

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

/* All headers of that name as one list, as if they had been one. */
static str joined(struct ctx *ctx, const struct http_headers *h, str name)
{
    str all = STR_NONE;
    for (size_t i = 0; i < h->count; i++)
        if (str_ieq(h->items[i].name, name))
            all = str_none(all) ? h->items[i].value
                                : arena_printf(ctx->arena, "%.*s, %.*s", STR_FMT(all), STR_FMT(h->items[i].value));
    return all;
}

static struct hops x_forwarded(struct ctx *ctx, const struct http_headers *h)
{
    return (struct hops){.clients = joined(ctx, h, STR("X-Forwarded-For")),
                         .host = first_of(http_headers_get(h, STR("X-Forwarded-Host"))),
                         .port = first_of(http_headers_get(h, STR("X-Forwarded-Port"))),
                         .proto = first_of(http_headers_get(h, STR("X-Forwarded-Proto")))};
}

static struct hops forwarded(struct ctx *ctx, const struct http_headers *h)
{
    struct hops out = {.clients = STR_NONE};
    struct forwarded hop;
    str rest = joined(ctx, h, STR("Forwarded"));
    for (bool first = true; forwarded_next(ctx->arena, &rest, &hop); first = false) {
        str client = str_none(hop.client) ? STR("unknown") : hop.client;
        out.clients = first ? client : arena_printf(ctx->arena, "%.*s,%.*s", STR_FMT(out.clients), STR_FMT(client));
        if (first)
            out.host = hop.host, out.proto = hop.proto;
    }
    return out;
}

/* Backwards along the list for as long as those who say it are trusted: what stands further left, anybody may have written. */
static str client_of(struct ctx *ctx, const struct web *w, struct address peer, str clients)
{
    for (size_t end = clients.n; trusted(w, &peer);) {
        size_t start = end;
        struct address before;
        while (start > 0 && clients.p[start - 1] != ',')
            start--;
        if (!address_parse(str_sub(clients, start, end), &before))
            break;
        peer = before;
        if (start == 0)
            break;
        end = start - 1;
    }
    return address_print(ctx->arena, &peer);
}

static str with_port(struct ctx *ctx, str host, str port, bool secure)
{
    bool digits = port.n > 0 && port.n <= 5 && !str_eq(port, secure ? STR("443") : STR("80"));
    for (size_t i = 0; i < port.n; i++)
        digits = digits && port.p[i] >= '0' && port.p[i] <= '9';
    size_t colon = str_find_char(host, ':', str_find_char(host, ']', 0) == SIZE_MAX ? 0 : str_find_char(host, ']', 0));
    return digits && colon == SIZE_MAX ? arena_printf(ctx->arena, "%.*s:%.*s", STR_FMT(host), STR_FMT(port)) : host;
}

static void urls_of_request(struct ctx *ctx, struct call *call, const struct hops *hops)
{
    str host = http_headers_get(&call->http->headers, STR("Host"));
    bool secure = call->http->secure;
    if (!str_empty(hops->proto))
        secure = str_ieq(hops->proto, STR("https"));
    if (!str_empty(hops->host))
        host = hops->host;
    if (!host_valid(host))
        return;
    const char *scheme = secure ? "https" : "http";
    host = with_port(ctx, host, hops->port, secure);
    call->portal_url = arena_printf(ctx->arena, "%s://%.*s%.*s", scheme, STR_FMT(host), STR_FMT(call->web->context));
    call->server_url = arena_printf(ctx->arena, "%s://%.*s/server", scheme, STR_FMT(host));
}

void origin_find(struct ctx *ctx, struct call *call)
{
    const struct web *w = call->web;
    struct hops hops = {.clients = STR_NONE};
    struct address peer;
    call->remote = call->http->remote;
    call->portal_url = w->site->portal_url;
    call->server_url = w->site->server_url;
    if (address_parse(call->http->remote, &peer) && trusted(w, &peer)) {
        hops = x_forwarded(ctx, &call->http->headers);
        if (str_empty(hops.clients) && str_empty(hops.host) && str_empty(hops.proto) && str_empty(hops.port))
            hops = forwarded(ctx, &call->http->headers);
        call->remote = client_of(ctx, w, peer, hops.clients);
    }
    if (!w->url_fixed)
        urls_of_request(ctx, call, &hops);
}

/* Connections are counted by the server; behind a proxy all of them are the proxy's, so the client's requests are. */
int origin_enter(struct ctx *ctx, struct call *call)
{
    struct address client;
    if (str_eq(call->remote, call->http->remote) || !address_parse(call->remote, &client))
        return RC_OK;
    call->counted = tally_add(call->web->running, &client, 1, call->web->per_address);
    return call->counted ? RC_OK : err_set(ctx, &ERR_BUSY, "Too many requests of %.*s at once.", STR_FMT(call->remote));
}

void origin_leave(struct call *call)
{
    struct address client;
    if (call->counted && address_parse(call->remote, &client))
        tally_remove(call->web->running, &client, 1);
}
