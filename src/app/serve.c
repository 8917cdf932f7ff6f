/* `mapferry serve`: opens the site, starts jobs and the HTTP server, waits for a signal, stops in order. */
#include "app/commands.h"
#include "app/https.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "codec/url.h"
#include "jobs/jobs.h"
#include "jobs/upkeep.h"
#include "net/address.h"
#include "service/user.h"
#include "web/web.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define RENEW_EVERY_S (12 * 3600)
enum {
    PASSWORD_FILE_MAX = 4096,
    STOP_GRACE_MS = 20000,
    HTTP_PORT_MAX = 65535,
    FILES_MAX = 65536,
    UNSIGNED_MEMORY_MAX = 64 << 20
};

static int listen_parse(struct ctx *ctx, str listen, const char **host_out, unsigned *port_out)
{
    size_t colon = SIZE_MAX;
    for (size_t i = 0; i < listen.n; i++)
        if (listen.p[i] == ':')
            colon = i;
    int64_t port;
    if (colon == SIZE_MAX || !num_parse_int(str_sub(listen, colon + 1, listen.n), &port) || port < 0 || port > HTTP_PORT_MAX)
        return err_set(ctx, &ERR_USAGE, "--listen is ADDRESS:PORT, such as 127.0.0.1:7080, not '%.*s'.", STR_FMT(listen));
    str host = str_sub(listen, 0, colon);
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_sub(host, 1, host.n - 1);
    *host_out = str_empty(host) ? NULL : arena_cstr(ctx->arena, host);
    *port_out = (unsigned)port;
    return RC_OK;
}

static const char *text_or_null(struct ctx *ctx, str s) { return str_empty(s) ? NULL : arena_cstr(ctx->arena, s); }

/* mapferry-convert stands beside the program, in the build tree's place, or in libexec. */
static const char *convert_program(struct ctx *ctx, const struct config *c)
{
    if (!str_empty(config_text(c, convert_program)))
        return arena_cstr(ctx->arena, config_text(c, convert_program));
    static const char *const places[] = {"mapferry-convert", "src/convert/mapferry-convert", "../libexec/mapferry-convert"};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    str dir = n > 0 ? str_of(self, (size_t)n) : STR("");
    while (dir.n && dir.p[dir.n - 1] != '/')
        dir.n--;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        str path = arena_printf(ctx->arena, "%.*s%s", STR_FMT(dir), places[i]);
        if (file_exists(path.p))
            return path.p;
    }
    return "/usr/libexec/mapferry-convert";
}

static struct site_settings settings_of(struct ctx *ctx, const struct config *c)
{
    struct site_settings s = site_settings_default();
    s.upload_max = config_int(c, upload_max);
    s.text_max = config_int(c, text_max);
    s.query_ms = config_int(c, query_seconds) * 1000;
    s.change_keep_ms = config_int(c, change_days) * 24 * 3600 * 1000;
    s.upload_keep_ms = config_int(c, upload_keep_hours) * 3600 * 1000;
    s.package_max = config_int(c, package_max);
    s.package_item_max = config_int(c, package_item_max);
    s.free_space_min = config_int(c, free_space_min);
    s.fetch_networks = arena_cstr(ctx->arena, config_text(c, fetch_networks));
    s.fetch_seconds = config_int(c, fetch_seconds);
    s.token_minutes_max = config_int(c, token_minutes_max);
    s.blob_grace_ms = config_int(c, blob_grace_hours) * 3600 * 1000;
    s.workers = (unsigned)config_int(c, workers);
    s.sync_calls = (unsigned)config_int(c, sync_calls);
    s.strict_types = config_bool(c, strict_types);
    s.export_done_word = arena_cstr(ctx->arena, config_text(c, export_done_word));
    s.api_level = arena_cstr(ctx->arena, config_text(c, api_level));
    s.convert_program = convert_program(ctx, c);
    return s;
}

/* ---- the administrator of the first start ---- */

static str trimmed_line(str text)
{
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    return text;
}

static int first_password(struct ctx *ctx, const struct config *c, str *out, bool *generated_out)
{
    *generated_out = false;
    if (!str_empty(config_text(c, admin_password_file))) {
        TRY(file_read_all(ctx, arena_cstr(ctx->arena, config_text(c, admin_password_file)), PASSWORD_FILE_MAX, out));
        *out = trimmed_line(*out);
        return RC_OK;
    }
    const char *given = getenv("MAPFERRY_ADMIN_PASSWORD");
    if (given) {
        *out = str_c(given);
        return RC_OK;
    }
    uint8_t bytes[15];
    random_bytes(bytes, sizeof bytes);
    *out = base64_encode(ctx->arena, str_of(bytes, sizeof bytes));
    *generated_out = true;
    return RC_OK;
}

static int first_administrator(struct ctx *ctx, const struct config *c, struct site *site)
{
    bool created, generated;
    TRY(user_create_first(ctx, site, config_text(c, admin_user), STR_NONE, &created));
    if (!created)
        return RC_OK;
    str password;
    TRY(first_password(ctx, c, &password, &generated));
    if (generated) { /* kept before the user exists: a crash between leaves a file that the next start replaces */
        str line = arena_printf(ctx->arena, "%.*s\n", STR_FMT(password));
        TRY(file_write_all(ctx, arena_printf(ctx->arena, "%s/admin-password", site->data_dir).p, line, 0600));
    }
    TRY(user_create_first(ctx, site, config_text(c, admin_user), password, &created));
    if (generated)
        fprintf(stderr, "administrator '%.*s' with password %.*s (kept in %s/admin-password)\n",
                STR_FMT(config_text(c, admin_user)), STR_FMT(password), site->data_dir);
    return RC_OK;
}

/* ---- running ---- */

struct running {
    struct site site;
    struct jobs *jobs;
    struct upkeep *upkeep;
    struct web web;
    struct http_server *server;
    struct https https;
};

static int context_check(struct ctx *ctx, str context)
{
    if (str_empty(context))
        return RC_OK;
    bool ok = context.p[0] == '/' && context.n > 1 && !str_ends(context, STR("/"));
    return ok ? RC_OK : err_set(ctx, &ERR_USAGE, "--context starts with '/' and does not end with it, such as /portal.");
}

/* The public bases: portal (with the context) and server, from --url or the address that is listened on. */
static int bases(struct ctx *ctx, const struct config *c, const char *host, unsigned port, struct site_open *out)
{
    str url = config_text(c, url), context = config_text(c, context);
    struct url_parts parts;
    TRY(context_check(ctx, context));
    if (str_empty(url)) {
        bool secure = https_wanted(c);
        const char *name = !host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ? "127.0.0.1" : host;
        bool six = strchr(name, ':') != NULL;
        url = arena_printf(ctx->arena, "%s://%s%s%s:%u", secure ? "https" : "http", six ? "[" : "", name, six ? "]" : "", port);
    }
    while (str_ends(url, STR("/")))
        url.n--;
    if (!url_split(url, &parts))
        return err_set(ctx, &ERR_USAGE, "--url has to be an absolute http or https URL, not '%.*s'.", STR_FMT(url));
    str root = parts.path.n ? str_sub(url, 0, url.n - parts.path.n) : url;
    bool has_context = context.n && str_ends(url, context);
    out->portal_url = arena_printf(ctx->arena, "%.*s%.*s", STR_FMT(url), STR_FMT(has_context ? STR("") : context)).p;
    out->server_url = arena_printf(ctx->arena, "%.*s/server", STR_FMT(root)).p;
    return RC_OK;
}

/* A connection that waits costs a descriptor and nothing else: as many as the system lets us have. */
static void all_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max)
        return;
    files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
    (void)setrlimit(RLIMIT_NOFILE, &files); /* else it is as many as before */
}

static int start(struct ctx *ctx, const struct config *c, struct running *r)
{
    struct http_server_options http = {.connection_limit = (unsigned)config_int(c, connections),
                                       .per_address_limit = (unsigned)config_int(c, per_address),
                                       .slow_seconds = (unsigned)config_int(c, slow_seconds),
                                       .free_addresses = origin_proxies(ctx, config_text(c, trusted_proxies))};
    TRY(listen_parse(ctx, config_text(c, listen), &http.host, &http.port));
    if (config_bool(c, tls_self_signed) && config_is_default(c, listen))
        http.port = HTTPS_PORT;
    TRY(https_open(ctx, c, http.host, &r->https));
    http.cert_file = r->https.cert;
    http.key_file = r->https.key;
    struct site_open open = {.dir = arena_cstr(ctx->arena, config_text(c, data)),
                             .database = text_or_null(ctx, config_text(c, database)),
                             .content = text_or_null(ctx, config_text(c, content)),
                             .features = text_or_null(ctx, config_text(c, features)),
                             .settings = settings_of(ctx, c)};
    TRY(bases(ctx, c, http.host, http.port, &open));
    TRY(site_open(ctx, &open, &r->site));
    TRY(first_administrator(ctx, c, &r->site));
    TRY(jobs_open(ctx, &r->site, (unsigned)config_int(c, job_threads), &r->jobs));
    TRY(upkeep_open(ctx, &r->site, &r->upkeep));
    r->web.site = &r->site;
    r->web.jobs = r->jobs;
    r->web.context = config_text(c, context);
    r->web.url_fixed = !str_empty(config_text(c, url));
    r->web.trusted_proxies = http.free_addresses;
    r->web.per_address = http.per_address_limit;
    r->web.strangers.limits[STRANGER_MEMORY] = UNSIGNED_MEMORY_MAX;
    r->web.strangers.limits[STRANGER_DISK] = (uint64_t)config_int(c, unsigned_disk_max);
    r->web.allowed_origins = config_text(c, allowed_origins);
    TRY(address_list_check(ctx, config_text(c, trusted_proxies)));
    TRY(address_list_check(ctx, config_text(c, fetch_networks)));
    TRY(web_open(ctx, &r->web));
    TRY(http_server_start(ctx, &http, &web_handlers, &r->web, &r->server));
    r->web.server = r->server;
    bool secure = http.cert_file != NULL;
    fprintf(stderr, "listening on %s://%s:%u%.*s\n", secure ? "https" : "http", http.host ? http.host : "0.0.0.0",
            http_server_port(r->server), STR_FMT(config_text(c, context)));
    return RC_OK;
}

/* Until a signal asks to end. SIGHUP, and every half day, looks after the certificate. */
static void wait_for_end(const struct ctx *ctx, struct running *r, const sigset_t *set)
{
    const struct timespec half_day = {.tv_sec = RENEW_EVERY_S};
    for (;;) {
        int got = sigtimedwait(set, NULL, &half_day);
        if (got == SIGTERM || got == SIGINT) {
            log_line(ctx, LOG_INFO, "stopping after signal %d", got);
            return;
        }
        bool asked = got == SIGHUP, due = got < 0 && errno == EAGAIN && r->https.own;
        if (r->https.cert && (asked || due))
            https_renew(ctx, &r->https, r->server);
    }
}

static void stop(struct running *r)
{
    atomic_store(&r->web.ready, false);
    if (r->jobs)
        jobs_stop(r->jobs); /* calls that wait for a job are told */
    http_server_stop(r->server, STOP_GRACE_MS);
    upkeep_close(r->upkeep);
    jobs_close(r->jobs);
    web_close(&r->web);
    if (r->site.arena)
        site_close(&r->site);
}

int app_serve(struct ctx *ctx, const struct options *o, int *exit_out)
{
    struct config config;
    enum log_level level;
    TRY(config_load(ctx, o->argc, o->argv, &config));
    if (!log_level_parse(config_text(&config, log_level), &level))
        return err_set(ctx, &ERR_USAGE, "--log-level is error, warn, info or debug.");
    log_set_level(level);
    (void)exit_out;
    mem_share();
    all_descriptors();
    sigset_t set; /* blocked before any thread starts, so that only this one takes them */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (https_wanted(&config))
        sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct running r = {0};
    int rc = start(ctx, &config, &r);
    if (rc == RC_OK)
        wait_for_end(ctx, &r, &set);
    stop(&r);
    return rc;
}
