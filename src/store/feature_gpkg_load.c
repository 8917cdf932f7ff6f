/* The bulk load of an empty layer: one transaction with a rollback journal. Pages that the file did not have before need no
 * journaling, so nothing is written twice, and what a crash leaves behind is cut off when the file is opened next. When readers
 * keep the file from changing over, the load goes through the write-ahead log, only slower. */
#include "base/mem.h"
#include "store/feature_gpkg.h"

struct feature_load {
    struct feature_store *fs;
    struct gpkg_set *set;
    struct gpkg_conn *conn;
    const struct layer *layer;
    struct gpkg_row_writer writer;
    struct gpkg_rtree *tree;  /* NULL: no geometry */
    struct gpkg_spool *spool; /* rows whose ids we choose; NULL: no geometry, or ids came */
    int64_t count;
    bool finished;
};

static int check_empty(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l)
{
    int64_t one;
    str table = gpkg_quoted(ctx, gpkg_table(ctx, l, false));
    int rc = gpkg_query_int(ctx, c, arena_printf(ctx->arena, "SELECT 1 FROM %.*s LIMIT 1", STR_FMT(table)), &one);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_INVALID, "layer %.*s has rows already", STR_FMT(l->name));
    return rc == RC_END ? RC_OK : rc;
}

static void close_readers(struct feature_store *fs, struct gpkg_set *set)
{
    pthread_mutex_lock(&fs->lock);
    struct gpkg_conn *list = set->idle;
    set->idle = NULL;
    set->idle_count = 0;
    pthread_mutex_unlock(&fs->lock);
    while (list) {
        struct gpkg_conn *c = list;
        list = c->next;
        gpkg_conn_close(c);
    }
}

static int begin(struct ctx *ctx, struct feature_load *load)
{
    close_readers(load->fs, load->set);
    sqlite3_busy_timeout(load->conn->db, 0);
    int rc = gpkg_exec(ctx, load->conn, "PRAGMA journal_mode=DELETE");
    sqlite3_busy_timeout(load->conn->db, 5000);
    if (rc == RC_BUSY) /* somebody reads: the log it is */
        err_clear(ctx);
    else if (rc != RC_OK)
        return rc;
    TRY(gpkg_exec(ctx, load->conn, "BEGIN IMMEDIATE"));
    TRY(check_empty(ctx, load->conn, load->layer));
    return gpkg_row_writer_open(ctx, load->conn, load->layer, gpkg_table(ctx, load->layer, false), &load->writer);
}

int feature_load_begin(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                       struct feature_load **out)
{
    *out = NULL;
    struct gpkg_set *set = NULL;
    struct gpkg_conn *conn = NULL;
    TRY(gpkg_write_open(ctx, fs, store, &set, &conn));
    struct feature_load *load = mem_new(struct feature_load);
    *load = (struct feature_load){.fs = fs, .set = set, .conn = conn, .layer = l};
    int rc = begin(ctx, load);
    if (rc != RC_OK) {
        feature_load_close(load);
        return rc;
    }
    if (l->geometry != GEOMETRY_NONE) {
        load->tree = gpkg_rtree_open(fs->dir, gpkg_is_geographic(ctx, l));
        load->spool = gpkg_spool_open(fs->dir, l->field_count);
    }
    *out = load;
    return RC_OK;
}

static int insert(struct ctx *ctx, struct feature_load *load, const struct row *row)
{
    int64_t oid;
    struct envelope box;
    TRY(gpkg_row_insert(ctx, &load->writer, row, &oid, &box));
    load->count++;
    return envelope_empty(&box) ? RC_OK : gpkg_rtree_add(ctx, load->tree, oid, &box);
}

static int put_aside(struct ctx *ctx, struct feature_load *load, const struct row *row)
{
    struct envelope box = ENVELOPE_EMPTY;
    if (!str_none(row->wkb))
        TRY(wkb_measure(ctx, row->wkb, NULL, &box, NULL));
    uint64_t nowhere = UINT64_MAX; /* at the end */
    return gpkg_spool_add(ctx, load->spool, row, envelope_empty(&box) ? nowhere : gpkg_rtree_place(load->tree, &box));
}

/* All that was put aside becomes rows; nothing is put aside any more. */
static int insert_spool(struct ctx *ctx, struct feature_load *load)
{
    enum { ROWS_A_CHECK = 1024 };
    struct row row;
    int rc;
    for (unsigned n = 0; (rc = gpkg_spool_next(ctx, load->spool, &row)) == RC_OK; n++) {
        if (n % ROWS_A_CHECK == 0)
            TRY(ctx_check(ctx));
        TRY(insert(ctx, load, &row));
    }
    gpkg_spool_close(load->spool);
    load->spool = NULL;
    return rc == RC_END ? RC_OK : rc;
}

int feature_load_row(struct ctx *ctx, struct feature_load *load, const struct row *row)
{
    if (load->spool && !row->oid)
        return put_aside(ctx, load, row);
    if (load->spool)
        TRY(insert_spool(ctx, load));
    return insert(ctx, load, row);
}

int feature_load_end(struct ctx *ctx, struct feature_load *load, int64_t *count_out)
{
    if (load->spool)
        TRY(insert_spool(ctx, load));
    TRY(gpkg_generation_set(ctx, load->conn, load->layer->id, ctx_now(ctx)));
    if (load->tree)
        TRY(gpkg_rtree_build(ctx, load->tree, load->conn, gpkg_index_table(ctx, load->layer)));
    TRY(gpkg_schema_add_indexes(ctx, load->conn, load->layer, true));
    TRY(gpkg_exec(ctx, load->conn, "COMMIT"));
    load->finished = true;
    *count_out = load->count;
    return RC_OK;
}

void feature_load_close(struct feature_load *load)
{
    if (!load)
        return;
    gpkg_row_writer_close(&load->writer);
    gpkg_rtree_close(load->tree);
    gpkg_spool_close(load->spool);
    load->conn->ctx = NULL; /* what follows is not cancelled */
    if (!load->finished)
        sqlite3_exec(load->conn->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(load->conn->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    gpkg_write_end(load->fs, load->set, load->conn);
    gpkg_set_give(load->fs, load->set);
    mem_free(load);
}
