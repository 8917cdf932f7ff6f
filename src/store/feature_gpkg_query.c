/* Queries on data sets: cursors that step through SQLite's rows without copying them, counts and extents. */
#include "base/mem.h"
#include "store/feature_gpkg.h"

struct feature_cursor {
    struct feature_store *fs;
    struct gpkg_set *set;
    struct gpkg_conn *conn;
    bool borrowed; /* the connection is somebody's, who has the data set as well */
    sqlite3_stmt *stmt;
    const struct layer *layer;
    size_t field_count;
    const struct field **fields; /* of the columns, in their order */
    size_t *targets;             /* indices of those fields */
    int first, geometry;         /* column of the first field, and of the geometry (-1: none) */
    struct value *values;
    bool read_any;
    struct gpkg_mark mark; /* moves on with the rows; layer -1 when the query's rows say nothing about offsets */
    struct gpkg_sql sql;
    struct arena *arena; /* what the statement's bound values live in */
};

/* Whether the index would find less than all rows: a box around the whole tree needs none. */
static int box_needs_index(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, const struct feature_query *q, bool *out)
{
    *out = false;
    if (!q->has_box || l->geometry == GEOMETRY_NONE)
        return RC_OK;
    struct envelope all;
    TRY(gpkg_rtree_box(ctx, c, gpkg_index_table(ctx, l), &all));
    *out = envelope_empty(&all) || !envelope_contains(&q->box, &all);
    return RC_OK;
}

static void add_field(struct feature_cursor *c, size_t index)
{
    const struct field *f = &c->layer->fields[index];
    if (c->first + (int)c->field_count > 0)
        buf_add_char(&c->sql.text, ',');
    gpkg_quote(&c->sql.text, f->name);
    c->fields[c->field_count] = f;
    c->targets[c->field_count++] = index;
}

/* SELECT [oid,] fields [, geometry] FROM table … */
static void add_columns(struct ctx *ctx, struct feature_cursor *c, const struct feature_query *q)
{
    struct buf *b = &c->sql.text;
    const struct layer *l = c->layer;
    size_t most = q->fields ? q->field_count : l->field_count;
    c->fields = mem_alloc(most * sizeof(const struct field *));
    c->targets = mem_alloc(most * sizeof *c->targets);
    buf_add(b, q->distinct ? STR("SELECT DISTINCT ") : STR("SELECT "));
    if (!q->distinct) {
        gpkg_quote(b, l->fields[l->oid_field].name);
        c->first = 1;
    }
    for (size_t i = 0; i < most; i++) {
        size_t index = q->fields ? q->fields[i] : i;
        if (index != l->oid_field)
            add_field(c, index);
    }
    if (c->first + (int)c->field_count == 0)
        buf_add(b, STR("NULL")); /* distinct combinations of no field */
    c->geometry = -1;
    if (q->geometry && !q->distinct && l->geometry != GEOMETRY_NONE) {
        buf_add_char(b, ',');
        gpkg_quote(b, gpkg_geometry_column(ctx, l));
        c->geometry = c->first + (int)c->field_count;
    }
    buf_add(b, STR(" FROM "));
    gpkg_quote(b, gpkg_table(ctx, l, false));
}

/* Every row of the table is asked for. */
static bool is_plain(const struct layer *l, const struct feature_query *q)
{
    return !l->filter && !q->where && !q->oids && !q->has_box && !q->shape && !q->distinct;
}

/* The place of an offset far from any mark, where ids without gaps tell it. */
static int jump(struct ctx *ctx, struct feature_cursor *c, int64_t offset, struct gpkg_mark *mark)
{
    enum { NEAR = 2000 }; /* rows that are skipped faster than counted */
    struct gpkg_total total;
    if (offset - mark->offset <= NEAR)
        return RC_OK;
    TRY(gpkg_total_get(ctx, c->fs, c->set, c->conn, c->layer, &total));
    if (total.most - total.least + 1 == total.count && offset <= total.count) {
        mark->offset = offset;
        mark->oid = total.least + offset - 1;
    }
    return RC_OK;
}

/* Without conditions the rows before a known place need no counting. left_out: the offset that is left. */
static int add_mark(struct ctx *ctx, struct feature_cursor *c, const struct feature_query *q, int64_t *left_out)
{
    const struct layer *l = c->layer;
    bool plain = !c->borrowed && is_plain(l, q) && q->order_count == 0;
    c->mark = (struct gpkg_mark){.layer = -1};
    *left_out = q->offset;
    if (!plain)
        return RC_OK;
    c->mark = gpkg_mark_find(c->fs, c->set, layer_stored(l)->id, q->offset);
    TRY(jump(ctx, c, q->offset, &c->mark));
    *left_out = q->offset - c->mark.offset;
    if (c->mark.offset > 0) {
        buf_add(&c->sql.text, STR(" WHERE "));
        gpkg_quote(&c->sql.text, l->fields[l->oid_field].name);
        buf_add_char(&c->sql.text, '>');
        gpkg_sql_value(ctx, &c->sql, (struct value){.kind = VALUE_INT, .i = c->mark.oid});
    }
    c->mark.offset = q->offset;
    return RC_OK;
}

static void add_paging(struct ctx *ctx, struct feature_cursor *c, int64_t limit, int64_t offset)
{
    buf_add(&c->sql.text, STR(" LIMIT "));
    gpkg_sql_value(ctx, &c->sql, (struct value){.kind = VALUE_INT, .i = limit});
    buf_add(&c->sql.text, STR(" OFFSET "));
    gpkg_sql_value(ctx, &c->sql, (struct value){.kind = VALUE_INT, .i = offset});
}

/* Columns by their numbers: GROUP BY and ORDER BY understand these. */
static void add_group_order(struct feature_cursor *c, const struct feature_groups *g)
{
    struct buf *b = &c->sql.text;
    const char *word = " ORDER BY ";
    for (size_t i = 0; i < g->order_count; i++, word = ",") {
        const struct feature_order *o = &g->order[i];
        buf_printf(b, "%s%zu%s", word, o->field + 1, o->descending ? " DESC NULLS FIRST" : " ASC NULLS LAST");
    }
    for (size_t i = 0; i < g->group_count; i++, word = ",")
        buf_printf(b, "%s%zu NULLS LAST", word, i + 1);
}

/* SELECT outputs FROM table … GROUP BY … */
static int add_groups(struct ctx *ctx, struct feature_cursor *c, const struct feature_query *q, const struct feature_groups *g,
                      bool index)
{
    struct buf *b = &c->sql.text;
    c->fields = mem_alloc(g->count * sizeof(const struct field *));
    c->targets = mem_alloc(g->count * sizeof *c->targets);
    c->geometry = -1;
    buf_add(b, STR("SELECT "));
    for (size_t i = 0; i < g->count; i++) {
        if (i)
            buf_add_char(b, ',');
        gpkg_sql_tree(ctx, &c->sql, c->layer, g->outputs[i].tree);
        c->fields[i] = &g->fields[i];
        c->targets[i] = i;
    }
    c->field_count = g->count;
    buf_add(b, STR(" FROM "));
    gpkg_quote(b, gpkg_table(ctx, c->layer, false));
    TRY(gpkg_sql_conditions(ctx, &c->sql, c->layer, q, index));
    for (size_t i = 0; i < g->group_count; i++)
        buf_printf(b, "%s%zu", i ? "," : " GROUP BY ", i + 1);
    if (g->having) {
        buf_add(b, STR(" HAVING "));
        gpkg_sql_tree(ctx, &c->sql, c->layer, g->having);
    }
    add_group_order(c, g);
    return RC_OK;
}

static int open_cursor(struct ctx *ctx, struct feature_cursor *c, const struct feature_query *q, const struct feature_groups *g)
{
    bool index;
    if (!c->borrowed)
        TRY(gpkg_read_begin(ctx, c->fs, c->set, &c->conn));
    TRY(box_needs_index(ctx, c->conn, c->layer, q, &index));
    if (g) {
        TRY(add_groups(ctx, c, q, g, index));
        add_paging(ctx, c, g->limit, g->offset);
        return gpkg_sql_prepare(ctx, &c->sql, c->conn, &c->stmt);
    }
    add_columns(ctx, c, q);
    int64_t offset;
    TRY(add_mark(ctx, c, q, &offset));
    TRY(gpkg_sql_conditions(ctx, &c->sql, c->layer, q, index));
    TRY(gpkg_sql_order(ctx, &c->sql, c->layer, q));
    add_paging(ctx, c, q->limit, offset);
    return gpkg_sql_prepare(ctx, &c->sql, c->conn, &c->stmt);
}

/* c: with the data set, or with a borrowed connection. g: NULL for rows. */
static int make_cursor(struct ctx *ctx, const struct feature_cursor *from, const struct feature_query *q,
                       const struct feature_groups *g, struct feature_cursor **out)
{
    struct feature_cursor *c = mem_new(struct feature_cursor);
    *c = *from;
    c->sql = (struct gpkg_sql){.text = BUF_INIT(GPKG_SQL_MAX)};
    c->values = mem_alloc((g ? g->count : c->layer->field_count) * sizeof *c->values);
    c->arena = arena_open();
    struct arena *callers = ctx->arena; /* which may be reset between rows, while bound values must stay */
    ctx->arena = c->arena;
    int rc = open_cursor(ctx, c, q, g);
    ctx->arena = callers;
    if (rc != RC_OK)
        feature_cursor_close(c);
    else
        *out = c;
    return rc;
}

int feature_query_open(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                       const struct feature_query *q, struct feature_cursor **out)
{
    *out = NULL;
    struct feature_cursor from = {.fs = fs, .layer = l};
    TRY(gpkg_set_take(ctx, fs, store, &from.set));
    return make_cursor(ctx, &from, q, NULL, out);
}

int feature_groups_open(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                        const struct feature_query *q, const struct feature_groups *g, struct feature_cursor **out)
{
    *out = NULL;
    struct feature_cursor from = {.fs = fs, .layer = l};
    TRY(gpkg_set_take(ctx, fs, store, &from.set));
    return make_cursor(ctx, &from, q, g, out);
}

int gpkg_cursor_borrow(struct ctx *ctx, struct gpkg_conn *conn, const struct layer *l, const struct feature_query *q,
                       struct feature_cursor **out)
{
    *out = NULL;
    return make_cursor(ctx, &(struct feature_cursor){.conn = conn, .borrowed = true, .layer = l}, q, NULL, out);
}

int feature_next(struct ctx *ctx, struct feature_cursor *c, struct row *row_out)
{
    TRY(gpkg_step(ctx, c->conn, c->stmt));
    *row_out = (struct row){.values = c->values, .wkb = STR_NONE};
    for (size_t i = 0; i < c->field_count; i++)
        gpkg_row_read(c->stmt, c->first + (int)i, c->fields[i], &c->values[c->targets[i]]);
    if (c->first) {
        row_out->oid = sqlite3_column_int64(c->stmt, 0);
        c->values[c->layer->oid_field] = (struct value){.kind = VALUE_INT, .i = row_out->oid};
        c->mark.oid = row_out->oid;
        c->mark.offset++;
        c->read_any = true;
    }
    if (c->geometry >= 0) {
        const void *p = sqlite3_column_blob(c->stmt, c->geometry);
        row_out->wkb = gpkg_blob_wkb(str_of(p, (size_t)sqlite3_column_bytes(c->stmt, c->geometry)));
    }
    return RC_OK;
}

void feature_cursor_close(struct feature_cursor *c)
{
    if (!c)
        return;
    if (c->conn)
        gpkg_release(c->conn, c->stmt);
    if (!c->borrowed) {
        if (c->read_any && c->mark.layer >= 0)
            gpkg_mark_add(c->fs, c->set, &c->mark);
        gpkg_read_end(c->fs, c->set, c->conn);
        gpkg_set_give(c->fs, c->set);
    }
    buf_free(&c->sql.text);
    arena_close(c->arena);
    mem_free(c->fields);
    mem_free(c->targets);
    mem_free(c->values);
    mem_free(c);
}

static int count_rows(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, const struct feature_query *q, int64_t *out)
{
    struct gpkg_sql sql = {.text = BUF_INIT(GPKG_SQL_MAX)};
    bool index;
    TRY(box_needs_index(ctx, c, l, q, &index));
    buf_add(&sql.text, STR("SELECT count(*) FROM "));
    gpkg_quote(&sql.text, gpkg_table(ctx, l, false));
    int rc = gpkg_sql_conditions(ctx, &sql, l, q, index);
    sqlite3_stmt *stmt = NULL;
    rc = rc != RC_OK ? rc : gpkg_sql_prepare(ctx, &sql, c, &stmt);
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    if (rc == RC_OK)
        *out = sqlite3_column_int64(stmt, 0);
    gpkg_release(c, stmt);
    buf_free(&sql.text);
    return rc;
}

/* Of distinct combinations only stepping tells the number. */
static int count_distinct(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                          const struct feature_query *q, int64_t *out)
{
    struct feature_query all = *q;
    all.offset = 0;
    all.limit = -1;
    all.order_count = 0;
    struct feature_cursor *c = NULL;
    TRY(feature_query_open(ctx, fs, store, l, &all, &c));
    int rc;
    for (*out = 0; (rc = gpkg_step(ctx, c->conn, c->stmt)) == RC_OK;)
        ++*out;
    feature_cursor_close(c);
    return rc == RC_END ? RC_OK : rc;
}

int feature_count(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                  const struct feature_query *q, int64_t *out)
{
    *out = 0;
    if (q->distinct)
        return count_distinct(ctx, fs, store, l, q, out);
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_read_begin(ctx, fs, set, &c);
    struct gpkg_total total = {.count = 0};
    if (rc == RC_OK && is_plain(l, q)) {
        rc = gpkg_total_get(ctx, fs, set, c, l, &total);
        *out = total.count;
    } else if (rc == RC_OK) {
        rc = count_rows(ctx, c, l, q, out);
    }
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    return rc;
}

/* ---- extents ---- */
static void add_blob_box(struct envelope *all, sqlite3_stmt *stmt, int column)
{
    const void *p = sqlite3_column_blob(stmt, column);
    struct envelope box = gpkg_blob_box(str_of(p, (size_t)sqlite3_column_bytes(stmt, column)));
    if (envelope_empty(&box))
        return;
    envelope_add(all, box.xmin, box.ymin);
    envelope_add(all, box.xmax, box.ymax);
}

/* One side of a whole layer. The index has rounded boxes, by a few units in the last place of a float and not always the next
 * number: the features within that distance of its outermost side tell the true one. */
static int extend_side(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, const char *condition, double side,
                       struct envelope *all)
{
    static const double ROUNDING = 1.0 / (1 << 20); /* eight of a float's units, and more */
    double slack = fabs(side) * ROUNDING + 1e-37, bound = strchr(condition, '<') ? side + slack : side - slack;
    struct gpkg_sql sql = {.text = BUF_INIT(GPKG_SQL_MAX)};
    buf_add(&sql.text, STR("SELECT "));
    gpkg_quote(&sql.text, gpkg_geometry_column(ctx, l));
    buf_add(&sql.text, STR(" FROM "));
    gpkg_quote(&sql.text, gpkg_table(ctx, l, false));
    buf_add(&sql.text, STR(" WHERE "));
    gpkg_quote(&sql.text, l->fields[l->oid_field].name);
    buf_add(&sql.text, STR(" IN (SELECT id FROM "));
    gpkg_quote(&sql.text, gpkg_index_table(ctx, l));
    buf_printf(&sql.text, " WHERE %s", condition);
    gpkg_sql_value(ctx, &sql, (struct value){.kind = VALUE_DOUBLE, .d = bound});
    buf_add_char(&sql.text, ')');
    sqlite3_stmt *stmt = NULL;
    int rc = gpkg_sql_prepare(ctx, &sql, c, &stmt);
    while (rc == RC_OK && (rc = gpkg_step(ctx, c, stmt)) == RC_OK)
        add_blob_box(all, stmt, 0);
    gpkg_release(c, stmt);
    buf_free(&sql.text);
    return rc == RC_END ? RC_OK : rc;
}

/* Of all features: the index leads to those at the sides. */
static int extent_by_index(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct envelope *all)
{
    struct envelope box;
    TRY(gpkg_pending_box(ctx, c, l, all));
    TRY(gpkg_rtree_box(ctx, c, gpkg_index_table(ctx, l), &box));
    if (envelope_empty(&box))
        return RC_OK;
    TRY(extend_side(ctx, c, l, "minx<=", box.xmin, all));
    TRY(extend_side(ctx, c, l, "miny<=", box.ymin, all));
    TRY(extend_side(ctx, c, l, "maxx>=", box.xmax, all));
    return extend_side(ctx, c, l, "maxy>=", box.ymax, all);
}

static int extent_of_all(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, struct envelope *all)
{
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_read_begin(ctx, fs, set, &c);
    rc = rc != RC_OK ? rc : gpkg_exec(ctx, c, "BEGIN"); /* one snapshot for the sides */
    if (rc == RC_OK) {
        rc = extent_by_index(ctx, c, l, all);
        sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
    }
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    return rc;
}

static int extent_by_rows(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                          const struct feature_query *q, struct envelope *all)
{
    struct feature_query boxes = *q;
    boxes.fields = &l->oid_field;
    boxes.field_count = 1;
    boxes.order_count = 0;
    boxes.geometry = true;
    boxes.distinct = false;
    boxes.offset = 0;
    boxes.limit = -1;
    struct feature_cursor *c = NULL;
    TRY(feature_query_open(ctx, fs, store, l, &boxes, &c));
    int rc;
    while ((rc = gpkg_step(ctx, c->conn, c->stmt)) == RC_OK)
        add_blob_box(all, c->stmt, c->geometry);
    feature_cursor_close(c);
    return rc == RC_END ? RC_OK : rc;
}

int feature_extent(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                   const struct feature_query *q, struct envelope *out, bool *empty_out)
{
    bool all = is_plain(l, q);
    *out = ENVELOPE_EMPTY;
    *empty_out = true;
    if (l->geometry == GEOMETRY_NONE)
        return RC_OK;
    TRY(all ? extent_of_all(ctx, fs, store, l, out) : extent_by_rows(ctx, fs, store, l, q, out));
    *empty_out = envelope_empty(out);
    return RC_OK;
}
