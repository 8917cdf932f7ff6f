/* What changed in a data set and when: runs of object ids, one row for features that were written one after the other, so that a
 * page of additions costs one row. A generation is the moment of an edit in milliseconds, and grows with each edit. Changes of
 * attachments are in the same log, by ids of their own. */
#include "model/errors.h"
#include "store/feature_gpkg.h"
#include <stdlib.h>

enum { EVENTS_MAX = 4000000, FORGET_EVERY = 3600 * 1000 }; /* ids in one answer; ms */
/* Rows of generations that are of no layer: in `least`, the number of feature_edit_set_number, and since when changes are known.
 */
enum { ROW_NUMBER = -1, ROW_FORGOTTEN = -2 };

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

/* ---- numbers ---- */

static int read_least(struct ctx *ctx, struct gpkg_conn *c, int row, int64_t *out)
{
    str text = arena_printf(ctx->arena, "SELECT ifnull(max(least),0) FROM generations WHERE layer=%d", row);
    return gpkg_query_int(ctx, c, text, out);
}

int gpkg_number_get(struct ctx *ctx, struct gpkg_conn *c, int64_t *out) { return read_least(ctx, c, ROW_NUMBER, out); }

static int write_least(struct ctx *ctx, struct gpkg_conn *c, int row, int64_t least)
{
    return gpkg_execf(ctx, c, "INSERT INTO generations VALUES(%d,%lld,0) ON CONFLICT(layer) DO UPDATE SET least=excluded.least",
                      row, (long long)least);
}

int gpkg_number_set(struct ctx *ctx, struct gpkg_conn *c, int64_t number) { return write_least(ctx, c, ROW_NUMBER, number); }

int feature_number(struct ctx *ctx, struct feature_store *fs, const id *store, int64_t *out)
{
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    *out = 0;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_read_begin(ctx, fs, set, &c);
    rc = rc != RC_OK ? rc : gpkg_number_get(ctx, c, out);
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    return rc;
}

/* ---- forgetting ---- */

void feature_changes_forget(struct feature_store *fs, int64_t age) { fs->keep_changes = age; }

int gpkg_changes_forget(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c)
{
    int64_t now = ctx_now(ctx), before = now - fs->keep_changes;
    bool lately = set->forgot && now >= set->forgot && now - set->forgot < FORGET_EVERY;
    if (fs->keep_changes == 0 || lately)
        return RC_OK;
    set->forgot = now;
    TRY(gpkg_execf(ctx, c, "DELETE FROM changes WHERE layer IN (SELECT layer FROM generations) AND generation<%lld",
                   (long long)before));
    return sqlite3_changes(c->db) ? write_least(ctx, c, ROW_FORGOTTEN, before) : RC_OK;
}

static int check_known(struct ctx *ctx, struct gpkg_conn *c, int64_t since)
{
    int64_t known;
    TRY(read_least(ctx, c, ROW_FORGOTTEN, &known));
    if (since >= known)
        return RC_OK;
    return err_set(ctx, &ERR_FEATURE,
                   "Changes before %lld are not known any more, and those since %lld were asked for: read the layer anew.",
                   (long long)known, (long long)since);
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
    int64_t known = 0;
    rc = rc == RC_OK ? read_least(ctx, c, ROW_FORGOTTEN, &known) : rc;
    *least_out = known > *least_out ? known : *least_out;
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    return rc == RC_END ? RC_OK : rc;
}

/* ---- reading ---- */

struct event {
    int64_t oid;
    size_t order;
    enum feature_change_kind kind;
    str global_id;
};
struct events {
    struct event *list;
    size_t count, capacity;
};

static int add_run(struct ctx *ctx, struct events *e, sqlite3_stmt *stmt)
{
    int64_t first = sqlite3_column_int64(stmt, 1), last = sqlite3_column_int64(stmt, 2);
    str global_id = STR_NONE;
    if (sqlite3_column_type(stmt, 3) != SQLITE_NULL)
        global_id = arena_str(ctx->arena, str_c((const char *)sqlite3_column_text(stmt, 3)));
    if (last - first >= (int64_t)(EVENTS_MAX - e->count))
        return err_set(ctx, &ERR_LIMIT, "more than %d changes: ask from a later moment on", EVENTS_MAX);
    for (int64_t oid = first; oid <= last; oid++) {
        e->list = arena_grow(ctx->arena, e->list, &e->capacity, e->count + 1, sizeof *e->list);
        int kind = (sqlite3_column_int(stmt, 0) - FEATURE_ADDED) % (FILE_ADDED - FEATURE_ADDED) + FEATURE_ADDED;
        e->list[e->count] = (struct event){oid, e->count, (enum feature_change_kind)kind, global_id};
        e->count++;
    }
    return RC_OK;
}

struct span { /* what is asked for */
    int32_t layer;
    int64_t since;
    bool files;
};

static int read_events(struct ctx *ctx, struct gpkg_conn *c, const struct span *span, struct events *e, int64_t *moment)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c,
                     STR("SELECT kind, first, last, global_id, generation FROM changes WHERE layer=? AND generation>? "
                         "AND kind BETWEEN ? AND ? ORDER BY generation, sequence"),
                     &stmt));
    sqlite3_bind_int64(stmt, 1, span->layer);
    sqlite3_bind_int64(stmt, 2, span->since);
    sqlite3_bind_int64(stmt, 3, span->files ? FILE_ADDED : FEATURE_ADDED);
    sqlite3_bind_int64(stmt, 4, span->files ? FILE_DELETED : FEATURE_DELETED);
    int rc;
    while ((rc = gpkg_step(ctx, c, stmt)) == RC_OK && (rc = add_run(ctx, e, stmt)) == RC_OK)
        *moment = sqlite3_column_int64(stmt, 4);
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->oid != y->oid)
        return x->oid < y->oid ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* The events of one feature, first to last, as one. */
static void settle(const struct event *first, const struct event *last, struct feature_changes *out)
{
    if (first->kind == FEATURE_ADDED && last->kind == FEATURE_DELETED)
        return;
    if (first->kind == FEATURE_ADDED)
        out->added[out->added_count++] = first->oid;
    else if (last->kind == FEATURE_DELETED)
        out->deleted[out->deleted_count++] = (struct feature_deleted){last->oid, last->global_id};
    else
        out->updated[out->updated_count++] = last->oid;
}

int feature_changes_since(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, int64_t since,
                          bool files, struct feature_changes *out)
{
    const struct span span = {.layer = layer_stored(l)->id, .since = since, .files = files};
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    struct events e = {.count = 0};
    *out = (struct feature_changes){.moment = since};
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_read_begin(ctx, fs, set, &c);
    rc = rc != RC_OK ? rc : check_known(ctx, c, since);
    rc = rc != RC_OK ? rc : read_events(ctx, c, &span, &e, &out->moment);
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    TRY(rc);
    out->added = arena_array(ctx->arena, int64_t, e.count);
    out->updated = arena_array(ctx->arena, int64_t, e.count);
    out->deleted = arena_array(ctx->arena, struct feature_deleted, e.count);
    if (e.count)
        qsort(e.list, e.count, sizeof *e.list, compare_events);
    for (size_t from = 0, to; from < e.count; from = to) {
        for (to = from + 1; to < e.count && e.list[to].oid == e.list[from].oid;)
            to++;
        settle(&e.list[from], &e.list[to - 1], out);
    }
    return RC_OK;
}
