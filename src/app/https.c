/* Certificates of `serve`: see https.h. */
#include "app/https.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "codec/url.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAMES_MAX = 6 };

bool https_wanted(const struct config *c) { return config_bool(c, tls_self_signed) || !str_empty(config_text(c, tls_cert)); }

static void add_name(struct tls_local *local, str *names, str name)
{
    for (size_t i = 0; i < local->name_count; i++)
        if (str_ieq(names[i], name))
            return;
    if (name.n && local->name_count < NAMES_MAX)
        names[local->name_count++] = name;
}

/* What clients may call this machine; the first is the certificate's title. */
static int names_of(struct ctx *ctx, const struct config *c, const char *host, struct tls_local *local)
{
    str *names = arena_array(ctx->arena, str, NAMES_MAX), url = config_text(c, url), public = STR("");
    struct url_parts parts;
    if (!str_empty(url) && !url_split(url, &parts))
        return err_set(ctx, &ERR_USAGE, "--url has to be an absolute http or https URL, not '%.*s'.", STR_FMT(url));
    if (!str_empty(url))
    public = str_starts(parts.host, STR("[")) ? str_sub(parts.host, 1, parts.host.n - 1) : parts.host;
    local->names = names;
    add_name(local, names, public);
    bool all = !host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    char machine[HOST_NAME_MAX + 1] = "";
    if (all && gethostname(machine, sizeof machine - 1) != 0)
        return err_set(ctx, &ERR_IO, "the name of this machine cannot be read");
    add_name(local, names, arena_str(ctx->arena, str_c(machine)));
    add_name(local, names, STR("localhost"));
    add_name(local, names, all ? STR("") : str_c(host));
    add_name(local, names, STR("127.0.0.1"));
    add_name(local, names, STR("::1"));
    return RC_OK;
}

static void tell_trust(const struct ctx *ctx, const char *authority)
{
    (void)ctx;
    fprintf(
        stderr,
        "A local authority was made, and a certificate by it for this portal. Clients have to trust the authority, which is in\n"
        "%s (its key stays beside it, readable by you only):\n"
        "  the whole machine (Debian): cp %s /usr/local/share/ca-certificates/mapferry.crt && update-ca-certificates\n"
        "  curl: curl --cacert %s    Node: NODE_EXTRA_CA_CERTS=%s\n"
        "  mapferry: mapferry portal add NAME URL --ca %s\n"
        "  browsers: import it as an authority for websites (Firefox: Settings, Certificates, Authorities; Chrome: Settings, "
        "Security,\n"
        "  Manage certificates). Trust it only where you would trust whoever can read this folder.\n",
        authority, authority, authority, authority, authority);
}

int https_open(struct ctx *ctx, const struct config *c, const char *host, struct https *out)
{
    str cert = config_text(c, tls_cert), key = config_text(c, tls_key);
    *out = (struct https){.own = config_bool(c, tls_self_signed)};
    if (str_empty(cert) != str_empty(key))
        return err_set(ctx, &ERR_USAGE, "--tls-cert and --tls-key go together.");
    if (out->own && !str_empty(cert))
        return err_set(ctx, &ERR_USAGE, "--tls-self-signed makes a certificate; --tls-cert and --tls-key name another one.");
    if (!out->own && str_empty(cert))
        return RC_OK;
    out->cert = arena_cstr(ctx->arena, cert);
    out->key = arena_cstr(ctx->arena, key);
    if (!out->own)
        return RC_OK;
    struct tls_local_files files;
    char data[PATH_MAX];
    TRY(names_of(ctx, c, host, &out->local));
    out->local.dir = arena_printf(ctx->arena, "%.*s/tls", STR_FMT(config_text(c, data))).p;
    TRY(tls_local_ensure(ctx, &out->local, &files));
    out->cert = out->key = files.server;
    const char *authority = realpath(files.authority, data) ? data : files.authority;
    if (files.authority_made)
        tell_trust(ctx, authority);
    else
        fprintf(stderr, "certificate by the local authority in %s\n", authority);
    return RC_OK;
}

void https_renew(const struct ctx *ctx, const struct https *h, struct http_server *server)
{
    struct ctx own;
    struct tls_local_files files = {0};
    ctx_child(&own, ctx);
    int rc = h->own ? tls_local_ensure(&own, &h->local, &files) : RC_OK;
    if (rc == RC_OK)
        rc = http_server_certificate(&own, server, h->cert, h->key);
    if (rc != RC_OK)
        log_error(&own, "the certificate stays as it was");
    else if (!h->own || files.server_made)
        log_line(&own, LOG_INFO, "new connections get the certificate that is in %s now", h->cert);
    if (files.authority_made)
        log_line(&own, LOG_WARN, "the local authority was at its end; clients have to trust the new one: %s", files.authority);
    ctx_close(&own);
}
