/* What changed in a data set and when: runs of object ids, one row for features that were written one after the other, so that a
 * page of additions costs one row. A generation is the moment of an edit in milliseconds, and grows with each edit. */
#include "store/feature_gpkg.h"

static const char *const TABLES =
    "CREATE TABLE IF NOT EXISTS generations(layer INTEGER PRIMARY KEY,least INTEGER NOT NULL,last INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS changes(layer INTEGER NOT NULL,generation INTEGER NOT NULL,sequence INTEGER NOT NULL,"
    "kind INTEGER NOT NULL,first INTEGER NOT NULL,last INTEGER NOT NULL,global_id TEXT,"
    "PRIMARY KEY(layer,generation,sequence)) WITHOUT ROWID;";

int gpkg_changes_create(struct ctx *ctx, struct gpkg_conn *c) { return gpkg_exec(ctx, c, TABLES); }

int gpkg_changes_open(struct ctx *ctx, struct gpkg_conn *c, struct gpkg_changes *out)
{
    int64_t last = 0;
    TRY(gpkg_query_int(ctx, c, STR("SELECT ifnull(max(last),0) FROM generations"), &last));
    int64_t now = ctx_now(ctx);
    *out = (struct gpkg_changes){.conn = c, .generation = now > last ? now : last + 1};
    return RC_OK;
}

int gpkg_changes_flush(struct ctx *ctx, struct gpkg_changes *w)
{
    if (w->count == 0)
        return RC_OK;
    sqlite3_stmt *stmt = NULL;
    struct gpkg_conn *c = w->conn;
    TRY(gpkg_prepare(ctx, c, STR("INSERT INTO changes VALUES(?,?,?,?,?,?,?)"), &stmt));
    const int64_t numbers[] = {w->layer, w->generation, w->sequence++, w->kind, w->first, w->first + w->count - 1};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        sqlite3_bind_int64(stmt, (int)i + 1, numbers[i]);
    int rc = str_none(w->global_id) ? RC_OK : gpkg_bind_text(ctx, c, stmt, COUNT_OF(numbers) + 1, w->global_id);
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    gpkg_release(c, stmt);
    w->count = 0;
    return rc == RC_END ? RC_OK : rc;
}

int gpkg_changes_add(struct ctx *ctx, struct gpkg_changes *w, const struct gpkg_change *change)
{
    bool goes_on = w->count && w->layer == change->layer && w->kind == change->kind && str_none(w->global_id) &&
                   str_none(change->global_id) && change->oid == w->first + w->count;
    if (goes_on) {
        w->count++;
        return RC_OK;
    }
    TRY(gpkg_changes_flush(ctx, w));
    w->layer = change->layer;
    w->kind = change->kind;
    w->first = change->oid;
    w->count = 1;
    w->global_id = change->global_id;
    return str_none(w->global_id) ? RC_OK : gpkg_changes_flush(ctx, w); /* the text is the caller's */
}

/* The layer has this generation from now on. A layer that is new starts with it. */
int gpkg_generation_set(struct ctx *ctx, struct gpkg_conn *c, int32_t layer, int64_t generation)
{
    return gpkg_execf(ctx, c, "INSERT INTO generations VALUES(%d,%lld,%lld) ON CONFLICT(layer) DO UPDATE SET last=excluded.last",
                      layer, (long long)generation, (long long)generation);
}

int feature_generations(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, int64_t *least_out,
                        int64_t *last_out)
{
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    sqlite3_stmt *stmt = NULL;
    *least_out = *last_out = 0;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_read_begin(ctx, fs, set, &c);
    rc = rc != RC_OK ? rc : gpkg_prepare(ctx, c, STR("SELECT least, last FROM generations WHERE layer=?"), &stmt);
    if (rc == RC_OK) {
        sqlite3_bind_int64(stmt, 1, layer_stored(l)->id);
        rc = gpkg_step(ctx, c, stmt);
    }
    if (rc == RC_OK) {
        *least_out = sqlite3_column_int64(stmt, 0);
        *last_out = sqlite3_column_int64(stmt, 1);
    }
    if (c)
        gpkg_release(c, stmt);
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    return rc == RC_END ? RC_OK : rc;
}
