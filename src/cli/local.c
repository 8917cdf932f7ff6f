/* Commands on what lies on this machine: `inspect` a package, `check` a portal's stores. */
#include "base/file.h"
#include "cli/command.h"
#include "cli/output.h"
#include "portal/package/inspect.h"
#include "service/item_credential.h"
#include "service/site.h"
#include "store/meta_runs.h"
#include <stdio.h>
#include <unistd.h>

int cli_inspect(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    CLEANUP(portal_cleanup) struct portal *package = NULL;
    struct package_limits limits = package_limits_default();
    TRY(package_open_path(ctx, arena_str(ctx->arena, o->words[0]), &limits, &package));
    CLEANUP(writer_cleanup) struct writer *out = writer_fd(STDOUT_FILENO, false);
    struct inspect_options options = {.json = o->json, .verify = options_flag(o, "verify"), .threads = 2};
    return inspect_print(ctx, package, &options, out);
}

/* ---- check ---- */

struct findings {
    struct ctx *ctx;
    struct output *out;
};

static void tell(void *arg, const char *line)
{
    struct findings *f = arg;
    output_event(f->ctx, f->out, "finding", "%s", line);
}

struct searches {
    struct findings *findings;
    uint64_t bad;
};

struct services {
    struct hosted *list;
    size_t count;
};

static int services_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct services *s = arg;
    return meta_hosted_all(ctx, tx, &s->list, &s->count);
}

static int check_features(struct ctx *ctx, struct sql *db, const char *dir, struct findings *f, uint64_t *bad)
{
    struct services s;
    struct feature_store *features;
    TRY(sql_read(ctx, db, services_rows, &s));
    TRY(feature_store_open(ctx, arena_printf(ctx->arena, "dir:%s/features", dir).p, &features));
    int rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < s.count; i++) {
        bool there;
        uint64_t found = 0;
        rc = feature_exists(ctx, features, &s.list[i].store, &there);
        if (rc != RC_OK)
            break;
        if (!there) {
            tell(f, arena_printf(ctx->arena, "service '%.*s': its data set %s is missing", STR_FMT(s.list[i].name),
                                 s.list[i].store.text)
                        .p);
            *bad += 1;
            continue;
        }
        rc = feature_check(ctx, features, &s.list[i].store, tell, f, &found);
        *bad += found;
    }
    feature_store_close(features);
    return rc;
}

static void tell_block(void *arg, int64_t block)
{
    struct searches *s = arg;
    s->bad++;
    tell(s->findings,
         arena_printf(s->findings->ctx->arena, "search: what it keeps of the items at places %lld to %lld is not what they say",
                      (long long)(block * META_BLOCK), (long long)((block + 1) * META_BLOCK - 1))
             .p);
}

static int search_rows(struct ctx *ctx, struct sql_tx *tx, void *arg) { return meta_runs_check(ctx, tx, tell_block, arg); }

int cli_check(struct ctx *ctx, const struct options *o, int *exit_out)
{
    str dir = o->words[0];
    if (str_starts(dir, STR("self:")))
        dir = str_sub(dir, 5, dir.n);
    const char *path = arena_cstr(ctx->arena, dir);
    str database = arena_printf(ctx->arena, "%s/portal.db", path);
    if (!file_exists(database.p))
        return err_set(ctx, &ERR_USAGE, "'%s' is no portal's data folder: there is no portal.db in it.", path);
    struct output out;
    output_open(&out, o->json);
    struct findings f = {.ctx = ctx, .out = &out};
    struct searches searches = {.findings = &f};
    struct sql *db;
    struct blob_store *blobs;
    uint64_t bad = 0, bad_blobs = 0, bad_credentials = 0;
    TRY(sql_open_existing(ctx, arena_printf(ctx->arena, "sqlite:%s", database.p).p, &db));
    int rc = sql_check(ctx, db, tell, &f);
    if (rc == RC_OK)
        rc = blob_store_open(ctx, db, arena_printf(ctx->arena, "%s/content", path).p, &blobs);
    if (rc == RC_OK) {
        rc = blob_check(ctx, blobs, options_flag(o, "read-data"), tell, &f, &bad_blobs);
        blob_store_close(blobs);
    }
    if (rc == RC_OK)
        rc = item_credentials_check(ctx, db, path, tell, &f, &bad_credentials);
    if (rc == RC_OK)
        rc = sql_read(ctx, db, search_rows, &searches);
    if (rc == RC_OK)
        rc = check_features(ctx, db, path, &f, &bad);
    sql_close(db);
    TRY(rc);
    bad += bad_blobs + bad_credentials + searches.bad;
    if (bad)
        *exit_out = EXIT_DIFFERENT;
    output_result(ctx, &out, arena_printf(ctx->arena, "{\"damaged\":%llu}", (unsigned long long)bad));
    if (!o->json)
        printf(bad ? "%s: %llu findings are damage\n" : "%s: database and stores agree\n", path, (unsigned long long)bad);
    return RC_OK;
}
