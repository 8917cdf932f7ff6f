/* Rows into data sets: the bulk load of an empty layer, and additions to one that is in use.
 *
 * A load is one transaction with a rollback journal: pages that the file did not have before need no journaling, so nothing is
 * written twice, and what a crash leaves behind is cut off when the file is opened next. Additions use the write-ahead log,
 * beside which readers go on reading. When readers keep the file from changing over, the load goes through the log as well, only
 * slower. */
#include "base/mem.h"
#include "model/geometry/crs.h"
#include "store/feature_gpkg.h"

struct feature_load {
    struct feature_store *fs;
    struct gpkg_set *set;
    struct gpkg_conn *conn;
    const struct layer *layer;
    struct gpkg_row_writer writer;
    struct gpkg_rtree *tree; /* NULL: no geometry */
    int64_t count;
    bool finished;
};

static bool is_geographic(struct ctx *ctx, const struct layer *l)
{
    struct crs crs = {.wkid = l->latest_wkid ? l->latest_wkid : l->wkid, .wkt = l->wkt};
    struct crs_info info = {.geographic = false};
    if (crs_describe(ctx, &crs, &info) != RC_OK)
        err_clear(ctx);
    return info.geographic;
}

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
    return gpkg_row_writer_open(ctx, load->conn, load->layer, &load->writer);
}

int feature_load_begin(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                       struct feature_load **out)
{
    *out = NULL;
    struct gpkg_set *set = NULL;
    struct gpkg_conn *conn = NULL;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_write_begin(ctx, fs, set, &conn);
    if (rc != RC_OK) {
        gpkg_set_give(fs, set);
        return rc;
    }
    struct feature_load *load = mem_new(struct feature_load);
    *load = (struct feature_load){.fs = fs, .set = set, .conn = conn, .layer = l};
    rc = begin(ctx, load);
    if (rc != RC_OK) {
        feature_load_close(load);
        return rc;
    }
    if (l->geometry != GEOMETRY_NONE)
        load->tree = gpkg_rtree_open(fs->dir, is_geographic(ctx, l));
    *out = load;
    return RC_OK;
}

int feature_load_row(struct ctx *ctx, struct feature_load *load, const struct row *row)
{
    int64_t oid;
    struct envelope box;
    TRY(gpkg_row_insert(ctx, &load->writer, row, &oid, &box));
    load->count++;
    return envelope_empty(&box) ? RC_OK : gpkg_rtree_add(ctx, load->tree, oid, &box);
}

int feature_load_end(struct ctx *ctx, struct feature_load *load, int64_t *count_out)
{
    if (load->tree)
        TRY(gpkg_rtree_build(ctx, load->tree, load->conn, gpkg_index_table(ctx, load->layer)));
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
    load->conn->ctx = NULL; /* what follows is not cancelled */
    if (!load->finished)
        sqlite3_exec(load->conn->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(load->conn->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    gpkg_write_end(load->fs, load->set, load->conn);
    gpkg_set_give(load->fs, load->set);
    mem_free(load);
}

/* ---- additions ---- */
struct index_writer {
    struct gpkg_conn *conn;
    sqlite3_stmt *stmt; /* NULL: no geometry */
};

static int index_insert(struct ctx *ctx, struct index_writer *w, int64_t oid, const struct envelope *box)
{
    sqlite3_bind_int64(w->stmt, 1, oid);
    sqlite3_bind_double(w->stmt, 2, box->xmin);
    sqlite3_bind_double(w->stmt, 3, box->xmax);
    sqlite3_bind_double(w->stmt, 4, box->ymin);
    sqlite3_bind_double(w->stmt, 5, box->ymax);
    int rc = gpkg_step(ctx, w->conn, w->stmt);
    sqlite3_reset(w->stmt);
    return rc == RC_END ? RC_OK : rc;
}

static int add_rows(struct ctx *ctx, struct gpkg_row_writer *w, struct index_writer *index, struct row *rows, int64_t *oids,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct envelope box;
        TRY(gpkg_row_insert(ctx, w, &rows[i], &oids[i], &box));
        if (!envelope_empty(&box))
            TRY(index_insert(ctx, index, oids[i], &box));
    }
    return RC_OK;
}

static int add_in_transaction(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct row *rows, int64_t *oids,
                              size_t count)
{
    CLEANUP(gpkg_row_writer_close) struct gpkg_row_writer writer = {.conn = NULL};
    struct index_writer index = {.conn = c};
    TRY(gpkg_exec(ctx, c, "BEGIN IMMEDIATE"));
    TRY(gpkg_row_writer_open(ctx, c, l, &writer));
    if (l->geometry != GEOMETRY_NONE) {
        str quoted = gpkg_quoted(ctx, gpkg_index_table(ctx, l));
        TRY(gpkg_prepare(ctx, c, arena_printf(ctx->arena, "INSERT INTO %.*s VALUES(?,?,?,?,?)", STR_FMT(quoted)), &index.stmt));
    }
    int rc = add_rows(ctx, &writer, &index, rows, oids, count);
    gpkg_release(c, index.stmt);
    return rc != RC_OK ? rc : gpkg_exec(ctx, c, "COMMIT");
}

int feature_add(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, struct row *rows, size_t count)
{
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_write_begin(ctx, fs, set, &c);
    if (rc == RC_OK) {
        int64_t *oids = arena_array(ctx->arena, int64_t, count);
        rc = add_in_transaction(ctx, c, l, rows, oids, count);
        if (!sqlite3_get_autocommit(c->db)) {
            c->ctx = NULL;
            sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
        }
        for (size_t i = 0; i < count && rc == RC_OK; i++)
            rows[i].oid = oids[i];
        gpkg_write_end(fs, set, c);
    }
    gpkg_set_give(fs, set);
    return rc;
}
