/* Edits: rows added, changed and deleted in one transaction through the write-ahead log, beside which readers go on reading what
 * was there before. */
#include "base/mem.h"
#include "store/feature_gpkg.h"

struct feature_edit {
    struct feature_store *fs;
    struct gpkg_set *set;
    struct gpkg_conn *conn;
    const struct layer *layer; /* of the writers, NULL: none is open */
    struct gpkg_row_writer rows;
    struct gpkg_index_writer index;
    struct gpkg_changes changes;
    int64_t pending; /* boxes added to the pending index */
};

/* The first edit of a process finds what an earlier one left pending. */
static int count_pending(struct ctx *ctx, struct feature_edit *e)
{
    int64_t count = 0;
    if (e->set->edited)
        return RC_OK;
    TRY(gpkg_pending_count(ctx, e->conn, &count));
    gpkg_merge_later(e->fs, e->set, count);
    return RC_OK;
}

int feature_edit_begin(struct ctx *ctx, struct feature_store *fs, const id *store, struct feature_edit **out)
{
    *out = NULL;
    struct gpkg_set *set = NULL;
    struct gpkg_conn *conn = NULL;
    TRY(gpkg_write_open(ctx, fs, store, &set, &conn));
    struct feature_edit *e = mem_new(struct feature_edit);
    *e = (struct feature_edit){.fs = fs, .set = set, .conn = conn};
    int rc = gpkg_exec(ctx, conn, "BEGIN IMMEDIATE");
    rc = rc != RC_OK ? rc : count_pending(ctx, e);
    rc = rc != RC_OK ? rc : gpkg_changes_open(ctx, conn, &e->changes);
    if (rc != RC_OK)
        feature_edit_close(e);
    else
        *out = e;
    return rc;
}

static void close_writers(struct feature_edit *e)
{
    gpkg_row_writer_close(&e->rows);
    gpkg_index_writer_close(&e->index);
    e->layer = NULL;
}

static int open_layer(struct ctx *ctx, struct feature_edit *e, const struct layer *l)
{
    if (e->layer == l)
        return RC_OK;
    close_writers(e);
    TRY(gpkg_row_writer_open(ctx, e->conn, l, gpkg_table(ctx, l, false), &e->rows));
    TRY(gpkg_index_writer_open(ctx, e->conn, l, &e->index));
    TRY(gpkg_generation_set(ctx, e->conn, l->id, e->changes.generation));
    e->layer = l;
    return RC_OK;
}

static int note(struct ctx *ctx, struct feature_edit *e, enum feature_change_kind kind, int64_t oid, str global_id)
{
    const struct gpkg_change change = {.layer = e->layer->id, .kind = kind, .oid = oid, .global_id = global_id};
    return gpkg_changes_add(ctx, &e->changes, &change);
}

int feature_edit_note_file(struct ctx *ctx, struct feature_edit *e, const struct feature_file_change *c)
{
    const struct gpkg_change change = {.layer = c->layer, .kind = c->kind, .oid = c->attachment, .global_id = c->global_id};
    TRY(gpkg_generation_set(ctx, e->conn, c->layer, e->changes.generation));
    return gpkg_changes_add(ctx, &e->changes, &change);
}

int feature_edit_number(struct ctx *ctx, struct feature_edit *e, int64_t *out) { return gpkg_number_get(ctx, e->conn, out); }

int feature_edit_set_number(struct ctx *ctx, struct feature_edit *e, int64_t number)
{
    return gpkg_number_set(ctx, e->conn, number);
}

static int index_add(struct ctx *ctx, struct feature_edit *e, int64_t oid, const struct envelope *box)
{
    e->pending += !envelope_empty(box);
    return gpkg_index_add(ctx, &e->index, oid, box);
}

int feature_edit_add(struct ctx *ctx, struct feature_edit *e, const struct layer *l, struct row *row)
{
    struct envelope box;
    int64_t oid;
    TRY(open_layer(ctx, e, l));
    TRY(gpkg_row_insert(ctx, &e->rows, row, &oid, &box));
    TRY(index_add(ctx, e, oid, &box));
    TRY(note(ctx, e, FEATURE_ADDED, oid, STR_NONE));
    row->oid = oid;
    return RC_OK;
}

int feature_edit_update(struct ctx *ctx, struct feature_edit *e, const struct layer *l, const struct feature_update *u)
{
    struct envelope box;
    const struct gpkg_row_change change = {u->row, u->fields, u->field_count, u->geometry};
    TRY(open_layer(ctx, e, l));
    TRY(gpkg_row_update(ctx, &e->rows, &change, &box));
    if (u->geometry) {
        TRY(gpkg_index_drop(ctx, &e->index, u->row->oid));
        TRY(index_add(ctx, e, u->row->oid, &box));
    }
    return note(ctx, e, FEATURE_UPDATED, u->row->oid, STR_NONE);
}

int feature_edit_delete(struct ctx *ctx, struct feature_edit *e, const struct layer *l, int64_t oid, str global_id)
{
    sqlite3_stmt *stmt = NULL;
    struct arena_mark mark = arena_mark(ctx->arena);
    TRY(open_layer(ctx, e, l));
    str table = gpkg_quoted(ctx, gpkg_table(ctx, l, false)), key = gpkg_quoted(ctx, l->fields[l->oid_field].name);
    TRY(gpkg_prepare(ctx, e->conn, arena_printf(ctx->arena, "DELETE FROM %.*s WHERE %.*s=?", STR_FMT(table), STR_FMT(key)),
                     &stmt));
    arena_release(ctx->arena, mark);
    sqlite3_bind_int64(stmt, 1, oid);
    int rc = gpkg_step(ctx, e->conn, stmt);
    bool there = rc == RC_END && sqlite3_changes(e->conn->db) > 0;
    gpkg_release(e->conn, stmt);
    if (rc != RC_END)
        return rc;
    if (!there)
        return RC_NOT_FOUND;
    TRY(gpkg_index_drop(ctx, &e->index, oid));
    return note(ctx, e, FEATURE_DELETED, oid, global_id);
}

/* Every row of the layer, with its GlobalID when it has one. */
static int note_all(struct ctx *ctx, struct feature_edit *e, const struct layer *l)
{
    size_t field = l->globalid_field;
    const struct feature_query all = {.limit = -1, .fields = field == SIZE_MAX ? &l->oid_field : &field, .field_count = 1};
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    TRY(gpkg_cursor_borrow(ctx, e->conn, l, &all, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK) {
        bool named = field != SIZE_MAX && row.values[field].kind == VALUE_TEXT;
        if ((rc = note(ctx, e, FEATURE_DELETED, row.oid, named ? row.values[field].s : STR_NONE)) != RC_OK)
            break;
    }
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

int feature_edit_clear(struct ctx *ctx, struct feature_edit *e, const struct layer *l)
{
    str table = gpkg_quoted(ctx, gpkg_table(ctx, l, false));
    TRY(open_layer(ctx, e, l));
    TRY(note_all(ctx, e, l));
    close_writers(e); /* their statements would be in the way */
    TRY(gpkg_execf(ctx, e->conn, "DELETE FROM %.*s", STR_FMT(table)));
    if (l->geometry == GEOMETRY_NONE)
        return RC_OK;
    TRY(gpkg_execf(ctx, e->conn, "DELETE FROM %.*s", STR_FMT(gpkg_pending_table(ctx, l))));
    return gpkg_rtree_clear(ctx, e->conn, gpkg_index_table(ctx, l));
}

int feature_edit_index(struct ctx *ctx, struct feature_edit *e, const struct layer *l, size_t field)
{
    str table = gpkg_table(ctx, l, false), column = gpkg_quoted(ctx, l->fields[field].name);
    str name = gpkg_quoted(ctx, arena_printf(ctx->arena, "find_%.*s_%.*s", STR_FMT(table), STR_FMT(l->fields[field].name)));
    return gpkg_execf(ctx, e->conn, "CREATE INDEX IF NOT EXISTS %.*s ON %.*s(%.*s)", STR_FMT(name), STR_FMT(table),
                      STR_FMT(column));
}

int feature_edit_query(struct ctx *ctx, struct feature_edit *e, const struct layer *l, const struct feature_query *q,
                       struct feature_cursor **out)
{
    return gpkg_cursor_borrow(ctx, e->conn, l, q, out);
}

static struct value calculated(struct ctx *ctx, sqlite3_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        return (struct value){.kind = VALUE_INT, .i = sqlite3_column_int64(stmt, column)};
    case SQLITE_FLOAT:
        return (struct value){.kind = VALUE_DOUBLE, .d = sqlite3_column_double(stmt, column)};
    case SQLITE_TEXT: {
        const void *p = sqlite3_column_text(stmt, column);
        return (struct value){.kind = VALUE_TEXT,
                              .s = arena_str(ctx->arena, str_of(p, (size_t)sqlite3_column_bytes(stmt, column)))};
    }
    default:
        return (struct value){.kind = VALUE_NULL};
    }
}

static int read_values(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt, size_t columns, struct feature_values *out)
{
    size_t capacity = 0, value_capacity = 0;
    int rc;
    while ((rc = gpkg_step(ctx, c, stmt)) == RC_OK) {
        out->oids = arena_grow(ctx->arena, out->oids, &capacity, out->count + 1, sizeof *out->oids);
        out->values = arena_grow(ctx->arena, out->values, &value_capacity, (out->count + 1) * columns, sizeof *out->values);
        out->oids[out->count] = sqlite3_column_int64(stmt, 0);
        for (size_t i = 0; i < columns; i++)
            out->values[out->count * columns + i] = calculated(ctx, stmt, (int)i + 1);
        out->count++;
    }
    return rc == RC_END ? RC_OK : rc;
}

int feature_edit_values(struct ctx *ctx, struct feature_edit *e, const struct layer *l, const struct feature_query *q,
                        struct where *const *expressions, size_t expression_count, struct feature_values *out)
{
    struct gpkg_sql sql = {.text = BUF_INIT(GPKG_SQL_MAX)};
    sqlite3_stmt *stmt = NULL;
    *out = (struct feature_values){.count = 0};
    buf_add(&sql.text, STR("SELECT "));
    gpkg_quote(&sql.text, l->fields[l->oid_field].name);
    for (size_t i = 0; i < expression_count; i++) {
        buf_add_char(&sql.text, ',');
        gpkg_sql_tree(ctx, &sql, l, expressions[i]);
    }
    buf_add(&sql.text, STR(" FROM "));
    gpkg_quote(&sql.text, gpkg_table(ctx, l, false));
    int rc = gpkg_sql_conditions(ctx, &sql, l, q, true);
    rc = rc != RC_OK ? rc : gpkg_sql_order(ctx, &sql, l, q);
    rc = rc != RC_OK ? rc : gpkg_sql_prepare(ctx, &sql, e->conn, &stmt);
    rc = rc != RC_OK ? rc : read_values(ctx, e->conn, stmt, expression_count, out);
    gpkg_release(e->conn, stmt);
    buf_free(&sql.text);
    return rc;
}

int feature_edit_commit(struct ctx *ctx, struct feature_edit *e, int64_t *moment_out)
{
    TRY(gpkg_changes_flush(ctx, &e->changes));
    close_writers(e);
    TRY(gpkg_changes_forget(ctx, e->fs, e->set, e->conn));
    TRY(gpkg_exec(ctx, e->conn, "COMMIT"));
    *moment_out = e->changes.generation;
    gpkg_merge_later(e->fs, e->set, e->pending);
    return RC_OK;
}

void feature_edit_close(struct feature_edit *e)
{
    if (!e)
        return;
    close_writers(e);
    gpkg_roll_back(e->conn);
    gpkg_write_end(e->fs, e->set, e->conn);
    gpkg_set_give(e->fs, e->set);
    mem_free(e);
}

int feature_add(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, struct row *rows, size_t count)
{
    struct feature_edit *e = NULL;
    int64_t moment;
    int rc = feature_edit_begin(ctx, fs, store, &e);
    int64_t *oids = arena_array(ctx->arena, int64_t, count);
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        struct row row = rows[i];
        rc = feature_edit_add(ctx, e, l, &row);
        oids[i] = row.oid;
    }
    rc = rc != RC_OK ? rc : feature_edit_commit(ctx, e, &moment);
    feature_edit_close(e);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rows[i].oid = oids[i];
    return rc;
}
