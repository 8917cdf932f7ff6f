/* Opening the stores of a portal, and what holds for the site as a whole. */
#include "service/site.h"
#include "base/file.h"
#include "base/utf8.h"
#include "net/http_client.h"
#include "service/hosted_cache.h"
#include "service/hosted_edit_commit.h"
#include "service/views.h"

struct site_settings site_settings_default(void)
{
    return (struct site_settings){
        .upload_max = 20LL << 30,
        .text_max = 64LL << 20,
        .query_ms = 60000,
        .change_keep_ms = 365LL * 24 * 3600 * 1000,
        .upload_keep_ms = 72LL * 3600 * 1000,
        .package_max = 5LL << 30,
        .package_item_max = 1LL << 30,
        .free_space_min = 10LL << 30,
        .token_minutes_default = 60,
        .token_minutes_max = 20160,
        .max_record_count = 2000,
        .blob_grace_ms = 24LL * 3600 * 1000,
        .workers = 2,
        .sync_calls = 4,
        .export_done_word = "succeeded",
        .api_level = "11.4",
        .fetch_networks = "",
        .fetch_seconds = 600,
        .login_failures_max = 10,
    };
}

/* ---- settings that are made once ---- */

static int setting_or_new(struct ctx *ctx, struct sql_tx *tx, const char *key, str fresh, str *out)
{
    int rc = meta_setting_get(ctx, tx, key, out);
    if (rc != RC_NOT_FOUND)
        return rc;
    *out = fresh;
    return meta_setting_put(ctx, tx, key, fresh);
}

static str uuid_new(struct ctx *ctx)
{
    char guid[GUID_SIZE + 1];
    guid_new(guid);
    str bare = arena_str(ctx->arena, str_of(guid + 1, GUID_SIZE - 2));
    return utf8_fold(ctx->arena, bare);
}

static int first_settings(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct site *s = arg;
    TRY(setting_or_new(ctx, tx, "orgId", STR("0123456789ABCDEF"), &s->org_id));
    return setting_or_new(ctx, tx, "portalId", uuid_new(ctx), &s->portal_id);
}

/* ---- data sets that nothing names: left by a crash, or replaced ---- */

struct store_names {
    struct hosted *hosted;
    id *drop;
    size_t hosted_count, drop_count;
    struct site *site;
};

static int store_names_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct store_names *n = arg;
    TRY(meta_hosted_all(ctx, tx, &n->hosted, &n->hosted_count));
    return meta_stores_to_drop(ctx, tx, &n->drop, &n->drop_count);
}

static int unnamed_rows(struct ctx *ctx, struct sql_tx *tx, void *arg) { return meta_store_dropped(ctx, tx, arg); }

static int drop_unnamed(struct ctx *ctx, const id *store, void *arg)
{
    const struct store_names *n = arg;
    for (size_t i = 0; i < n->hosted_count; i++)
        if (id_eq(n->hosted[i].store, *store))
            return RC_OK;
    id name = *store;
    TRY(sql_write(ctx, n->site->sql, unnamed_rows,
                  &name)); /* first: while the data set is there, the next start finds it again */
    return feature_drop(ctx, n->site->features, store);
}

static int dropped_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct store_names *n = arg;
    for (size_t i = 0; i < n->drop_count; i++) {
        TRY(meta_attachments_delete(ctx, tx, &n->drop[i], -1, -1));
        TRY(meta_store_dropped(ctx, tx, &n->drop[i]));
    }
    return RC_OK;
}

int site_drop_stores(struct ctx *ctx, struct site *s)
{
    struct store_names n = {.site = s};
    TRY(sql_read(ctx, s->sql, store_names_rows, &n));
    for (size_t i = 0; i < n.drop_count; i++)
        TRY(feature_drop(ctx, s->features, &n.drop[i]));
    return n.drop_count ? sql_write(ctx, s->sql, dropped_rows, &n) : RC_OK;
}

/* At the start, before any job runs: whatever no service names is what a crash left. */
static int drop_leftovers(struct ctx *ctx, struct site *s)
{
    struct store_names n = {.site = s};
    TRY(sql_read(ctx, s->sql, store_names_rows, &n));
    TRY(feature_stores_each(ctx, s->features, drop_unnamed, &n));
    return n.drop_count ? sql_write(ctx, s->sql, dropped_rows, &n) : RC_OK;
}

/* ---- opening ---- */

static const char *below(struct site *s, const char *name) { return arena_printf(s->arena, "%s/%s", s->data_dir, name).p; }

static const char *url_or(struct site *s, const char *given, const char *scheme, const char *name)
{
    return given ? given : arena_printf(s->arena, "%s:%s/%s", scheme, s->data_dir, name).p;
}

static int open_stores(struct ctx *ctx, const struct site_open *options, struct site *s)
{
    const struct http_client_options fetching = {
        .public_only = true, .networks = s->settings.fetch_networks, .stall_seconds = 30, .tries = 1};
    TRY(http_client_open(ctx, &fetching, &s->fetcher));
    TRY(dir_create(ctx, s->data_dir));
    TRY(dir_create(ctx, below(s, "work")));
    TRY(seal_key_open(ctx, below(s, SITE_KEY_FILE), &s->key));
    TRY(sql_open(ctx, url_or(s, options->database, "sqlite", "portal.db"), meta_migrations, meta_migration_count, &s->sql));
    TRY(meta_search_rebuild(ctx, s->sql));
    TRY(blob_store_open(ctx, s->sql, options->content ? options->content : below(s, "content"), &s->blobs));
    TRY(feature_store_open(ctx, url_or(s, options->features, "dir", "features"), &s->features));
    feature_changes_forget(s->features, s->settings.change_keep_ms);
    struct ctx child;
    ctx_child(&child, ctx);
    int rc = sql_write(&child, s->sql, first_settings, s);
    s->org_id = arena_str(s->arena, s->org_id);
    s->portal_id = arena_str(s->arena, s->portal_id);
    ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    TRY(rc);
    TRY(drop_leftovers(ctx, s));
    return hosted_commit_leftovers(ctx, s);
}

int site_open(struct ctx *ctx, const struct site_open *options, struct site *out)
{
    *out = (struct site){.settings = options->settings, .arena = arena_open()};
    out->data_dir = arena_cstr(out->arena, str_c(options->dir));
    out->portal_url = arena_str(out->arena, str_c(options->portal_url));
    out->server_url = arena_str(out->arena, str_c(options->server_url));
    out->hosted = hosted_cache_open();
    out->views = views_open();
    int rc = open_stores(ctx, options, out);
    if (rc != RC_OK)
        site_close(out);
    return rc;
}

void site_close(struct site *s)
{
    views_close(s->views);
    http_client_close(s->fetcher);
    hosted_cache_close(s->hosted);
    if (s->features)
        feature_store_close(s->features);
    if (s->blobs)
        blob_store_close(s->blobs);
    if (s->sql)
        sql_close(s->sql);
    arena_close(s->arena);
    *s = (struct site){0};
}

/* ---- URLs of our own services ---- */

#define SERVER_MARK "@server"

str site_url_expand(struct ctx *ctx, str server_url, str stored)
{
    if (!str_starts(stored, STR(SERVER_MARK "/")))
        return stored;
    return arena_printf(ctx->arena, "%.*s%.*s", STR_FMT(server_url), STR_FMT(str_sub(stored, sizeof SERVER_MARK - 1, stored.n)));
}

static str without_scheme(str url)
{
    size_t at = str_find(url, STR("://"), 0);
    return at == SIZE_MAX ? url : str_sub(url, at + 3, url.n);
}

str site_url_reduce(struct ctx *ctx, str server_url, str url)
{
    str bare = without_scheme(url), server = without_scheme(server_url);
    if (!str_istarts(bare, server) || bare.n == server.n || bare.p[server.n] != '/')
        return url;
    return arena_printf(ctx->arena, SERVER_MARK "%.*s", STR_FMT(str_sub(bare, server.n, bare.n)));
}

/* ---- space ---- */

int site_check_space(struct ctx *ctx, const struct site *s, int64_t needed_extra)
{
    uint64_t available;
    TRY(dir_free_space(ctx, blob_store_dir(s->blobs), &available));
    int64_t needed = s->settings.free_space_min + needed_extra;
    if ((int64_t)available >= needed)
        return RC_OK;
    return err_set(ctx, &ERR_NO_SPACE,
                   "The content store has %lld bytes free, and %lld are needed: the setting store.minFreeBytes is %lld, and %lld "
                   "are about to be written. Free "
                   "space, or lower that setting.",
                   (long long)available, (long long)needed, (long long)s->settings.free_space_min, (long long)needed_extra);
}
