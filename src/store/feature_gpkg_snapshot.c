/* A moment of a data set: a read transaction that stays open over several queries. */
#include "base/mem.h"
#include "store/feature_gpkg.h"

struct feature_snapshot {
    struct feature_store *fs;
    struct gpkg_set *set;
    struct gpkg_conn *conn;
};

int feature_snapshot_open(struct ctx *ctx, struct feature_store *fs, const id *store, struct feature_snapshot **out)
{
    int64_t count;
    *out = NULL;
    struct feature_snapshot *s = mem_new(struct feature_snapshot);
    s->fs = fs;
    int rc = gpkg_set_take(ctx, fs, store, &s->set);
    rc = rc != RC_OK ? rc : gpkg_read_begin(ctx, fs, s->set, &s->conn);
    rc = rc != RC_OK ? rc : gpkg_exec(ctx, s->conn, "BEGIN");
    /* The moment is that of the first read, not of BEGIN. */
    rc = rc != RC_OK ? rc : gpkg_query_int(ctx, s->conn, STR("SELECT count(*) FROM sqlite_schema"), &count);
    if (rc != RC_OK) {
        feature_snapshot_close(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

int feature_snapshot_query(struct ctx *ctx, struct feature_snapshot *s, const struct layer *l, const struct feature_query *q,
                           struct feature_cursor **out)
{
    return gpkg_cursor_borrow(ctx, s->conn, l, q, out);
}

void feature_snapshot_close(struct feature_snapshot *s)
{
    if (!s)
        return;
    if (s->conn) {
        gpkg_roll_back(s->conn);
        gpkg_read_end(s->fs, s->set, s->conn);
    }
    if (s->set)
        gpkg_set_give(s->fs, s->set);
    mem_free(s);
}
