/* Rows between the program's form and a table's: values by field type, dates as ISO text, geometry as GeoPackage blobs. */
#include "base/mem.h"
#include "store/feature_gpkg.h"

/* Geometry header of GeoPackage: "GP", version 0, flags, srs id, then the box minx, maxx, miny, maxy unless it is a point. */
enum { HEADER = 8, FLAG_LITTLE = 1, FLAG_BOX = 2, FLAG_BOX_MASK = 14, FLAG_EMPTY = 16 };
static const size_t BOX_SIZES[8] = {0, 32, 48, 48, 64};

/* ---- writing ---- */
void gpkg_add_columns(struct ctx *ctx, struct buf *b, const struct layer *l)
{
    for (size_t i = 0; i < l->field_count; i++) {
        if (i)
            buf_add_char(b, ',');
        gpkg_quote(b, l->fields[i].name);
    }
    if (l->geometry == GEOMETRY_NONE)
        return;
    buf_add_char(b, ',');
    gpkg_quote(b, gpkg_geometry_column(ctx, l));
}

int gpkg_row_writer_open(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, str table, struct gpkg_row_writer *out)
{
    CLEANUP(buf_free) struct buf sql = BUF_INIT(GPKG_SQL_MAX);
    buf_add(&sql, STR("INSERT INTO "));
    gpkg_quote(&sql, table);
    buf_add_char(&sql, '(');
    gpkg_add_columns(ctx, &sql, l); /* by name: columns that came later stand behind the geometry */
    buf_add(&sql, STR(") VALUES(?"));
    for (size_t i = 1; i < l->field_count + (l->geometry != GEOMETRY_NONE); i++)
        buf_add(&sql, STR(",?"));
    buf_add_char(&sql, ')');
    *out = (struct gpkg_row_writer){
        .conn = c, .layer = l, .srs_id = gpkg_srs_id(l), .blob = BUF_INIT(GPKG_ROW_MAX), .wkb = BUF_INIT(GPKG_ROW_MAX)};
    TRY(buf_check(&sql, ctx, "the statement of a table"));
    TRY(gpkg_prepare(ctx, c, buf_str(&sql), &out->insert));
    out->form = wkb_form_of_layer(l);
    out->dates = mem_alloc(l->field_count * sizeof *out->dates);
    return RC_OK;
}

void gpkg_row_writer_close(struct gpkg_row_writer *w)
{
    if (w->conn)
        gpkg_release(w->conn, w->insert);
    mem_free(w->dates);
    buf_free(&w->blob);
    buf_free(&w->wkb);
    *w = (struct gpkg_row_writer){.conn = NULL};
}

static int refuse(struct ctx *ctx, const struct layer *l, const struct field *f, const char *why)
{
    return err_set(ctx, &ERR_INVALID, "layer %.*s, field %.*s: %s", STR_FMT(l->name), STR_FMT(f->name), why);
}

static const struct {
    enum value_kind kind; /* what the field holds */
    int64_t least, most;  /* of integers */
} HOLDS[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_GLOBALID] = {VALUE_TEXT},
    [FIELD_GUID] = {VALUE_TEXT},
    [FIELD_STRING] = {VALUE_TEXT},
    [FIELD_INTEGER] = {VALUE_INT, INT32_MIN, INT32_MAX},
    [FIELD_SMALL_INTEGER] = {VALUE_INT, INT16_MIN, INT16_MAX},
    [FIELD_BIG_INTEGER] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_DOUBLE] = {VALUE_DOUBLE},
    [FIELD_SINGLE] = {VALUE_DOUBLE},
    [FIELD_DATE] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_DATE_ONLY] = {VALUE_TEXT},
    [FIELD_TIME_ONLY] = {VALUE_TEXT},
    [FIELD_TIMESTAMP_OFFSET] = {VALUE_TEXT},
    [FIELD_BLOB] = {VALUE_BLOB},
    [FIELD_XML] = {VALUE_TEXT},
};

static int bind_value(struct ctx *ctx, struct gpkg_row_writer *w, sqlite3_stmt *stmt, int parameter, size_t index,
                      const struct value *v)
{
    const struct field *f = &w->layer->fields[index];
    enum value_kind kind = v->kind == VALUE_INT && HOLDS[f->type].kind == VALUE_DOUBLE ? VALUE_DOUBLE : v->kind;
    if (kind != VALUE_NULL && kind != HOLDS[f->type].kind)
        return refuse(ctx, w->layer, f, "a value of another type");
    switch (kind) {
    case VALUE_NULL:
        sqlite3_bind_null(stmt, parameter);
        return RC_OK;
    case VALUE_DOUBLE:
        sqlite3_bind_double(stmt, parameter, v->kind == VALUE_INT ? (double)v->i : v->d);
        return RC_OK;
    case VALUE_TEXT:
        return gpkg_bind_text(ctx, w->conn, stmt, parameter, v->s);
    case VALUE_BLOB:
        sqlite3_bind_blob64(stmt, parameter, v->s.p ? v->s.p : "", v->s.n, SQLITE_STATIC);
        return RC_OK;
    case VALUE_INT:
        break;
    }
    if (f->type == FIELD_DATE) {
        if (!clock_iso_print(v->i, w->dates[index]))
            return refuse(ctx, w->layer, f, "a date outside of the years 0 to 9999");
        return gpkg_bind_text(ctx, w->conn, stmt, parameter, str_of(w->dates[index], CLOCK_ISO_SIZE - 1));
    }
    if (v->i < HOLDS[f->type].least || v->i > HOLDS[f->type].most)
        return refuse(ctx, w->layer, f, "a number outside of the field's range");
    sqlite3_bind_int64(stmt, parameter, v->i);
    return RC_OK;
}

/* Checks the geometry, brings it to the layer's form, and puts the header before it. */
static int make_blob(struct ctx *ctx, struct gpkg_row_writer *w, str wkb, struct envelope *box_out)
{
    struct wkb_form form;
    TRY(wkb_measure(ctx, wkb, &form, box_out, NULL));
    if (!wkb_form_eq(&form, &w->form)) {
        buf_clear(&w->wkb);
        TRY(wkb_convert(ctx, wkb, &w->form, &w->wkb));
        wkb = buf_str(&w->wkb);
    }
    bool empty = envelope_empty(box_out), boxed = !empty && form.type != GEOMETRY_POINT;
    char head[HEADER] = {'G', 'P', 0, (char)(FLAG_LITTLE | (boxed ? FLAG_BOX : 0) | (empty ? FLAG_EMPTY : 0))};
    memcpy(head + 4, &w->srs_id, sizeof w->srs_id);
    buf_clear(&w->blob);
    buf_add_bytes(&w->blob, head, sizeof head);
    if (boxed)
        buf_add_bytes(&w->blob, (const double[]){box_out->xmin, box_out->xmax, box_out->ymin, box_out->ymax}, BOX_SIZES[1]);
    buf_add(&w->blob, wkb);
    return buf_check(&w->blob, ctx, "geometry");
}

static int bind_geometry(struct ctx *ctx, struct gpkg_row_writer *w, sqlite3_stmt *stmt, int parameter, str wkb,
                         struct envelope *box_out)
{
    const struct layer *l = w->layer;
    *box_out = ENVELOPE_EMPTY;
    if (l->geometry == GEOMETRY_NONE)
        return str_none(wkb) ? RC_OK : err_set(ctx, &ERR_INVALID, "layer %.*s: a geometry in a table", STR_FMT(l->name));
    if (str_none(wkb)) {
        sqlite3_bind_null(stmt, parameter);
        return RC_OK;
    }
    TRY(make_blob(ctx, w, wkb, box_out));
    sqlite3_bind_blob64(stmt, parameter, w->blob.p, w->blob.n, SQLITE_STATIC);
    return RC_OK;
}

int gpkg_row_insert(struct ctx *ctx, struct gpkg_row_writer *w, const struct row *row, int64_t *oid_out, struct envelope *box_out)
{
    const struct layer *l = w->layer;
    for (size_t i = 0; i < l->field_count; i++)
        if (i != l->oid_field)
            TRY(bind_value(ctx, w, w->insert, (int)i + 1, i, &row->values[i]));
    if (row->oid)
        sqlite3_bind_int64(w->insert, (int)l->oid_field + 1, row->oid);
    else
        sqlite3_bind_null(w->insert, (int)l->oid_field + 1);
    TRY(bind_geometry(ctx, w, w->insert, (int)l->field_count + 1, row->wkb, box_out));
    int rc = gpkg_step(ctx, w->conn, w->insert);
    sqlite3_reset(w->insert);
    *oid_out = row->oid ? row->oid : sqlite3_last_insert_rowid(w->conn->db);
    return rc == RC_END ? RC_OK : rc;
}

/* UPDATE table SET fields [, geometry] WHERE oid=?: the text depends on the fields alone, so it is prepared once for rows alike.
 */
static int prepare_update(struct ctx *ctx, struct gpkg_row_writer *w, const struct gpkg_row_change *change, sqlite3_stmt **out)
{
    CLEANUP(buf_free) struct buf sql = BUF_INIT(GPKG_SQL_MAX);
    const struct layer *l = w->layer;
    const char *word = "";
    buf_add(&sql, STR("UPDATE "));
    gpkg_quote(&sql, gpkg_table(ctx, l, false));
    buf_add(&sql, STR(" SET "));
    for (size_t i = 0; i < change->field_count; i++, word = ",") {
        buf_add(&sql, str_c(word));
        gpkg_quote(&sql, l->fields[change->fields[i]].name);
        buf_add(&sql, STR("=?"));
    }
    if (change->geometry) {
        buf_add(&sql, str_c(word));
        gpkg_quote(&sql, gpkg_geometry_column(ctx, l));
        buf_add(&sql, STR("=?"));
    }
    buf_add(&sql, STR(" WHERE "));
    gpkg_quote(&sql, l->fields[l->oid_field].name);
    buf_add(&sql, STR("=?"));
    TRY(buf_check(&sql, ctx, "the statement of an update"));
    return gpkg_prepare(ctx, w->conn, buf_str(&sql), out);
}

static int bind_update(struct ctx *ctx, struct gpkg_row_writer *w, const struct gpkg_row_change *change, sqlite3_stmt *stmt,
                       struct envelope *box_out)
{
    int parameter = 1;
    *box_out = ENVELOPE_EMPTY;
    for (size_t i = 0; i < change->field_count; i++)
        TRY(bind_value(ctx, w, stmt, parameter++, change->fields[i], &change->row->values[change->fields[i]]));
    if (change->geometry)
        TRY(bind_geometry(ctx, w, stmt, parameter++, change->row->wkb, box_out));
    sqlite3_bind_int64(stmt, parameter, change->row->oid);
    return RC_OK;
}

int gpkg_row_update(struct ctx *ctx, struct gpkg_row_writer *w, const struct gpkg_row_change *change, struct envelope *box_out)
{
    sqlite3_stmt *stmt = NULL;
    struct arena_mark mark = arena_mark(ctx->arena);
    int rc = prepare_update(ctx, w, change, &stmt);
    arena_release(ctx->arena, mark);
    TRY(rc);
    rc = bind_update(ctx, w, change, stmt, box_out);
    rc = rc != RC_OK ? rc : gpkg_step(ctx, w->conn, stmt);
    gpkg_release(w->conn, stmt);
    if (rc != RC_END)
        return rc;
    return sqlite3_changes(w->conn->db) ? RC_OK : RC_NOT_FOUND;
}

/* ---- reading ---- */
/* A column is asked for once and then read as a value, which our connections, of one thread at a time, may do. */
void gpkg_row_read(sqlite3_stmt *stmt, int column, const struct field *f, struct value *out)
{
    sqlite3_value *v = sqlite3_column_value(stmt, column);
    *out = (struct value){.kind = VALUE_NULL};
    if (sqlite3_value_type(v) == SQLITE_NULL)
        return;
    enum value_kind kind = HOLDS[f->type].kind;
    if (kind == VALUE_DOUBLE) {
        *out = (struct value){.kind = kind, .d = sqlite3_value_double(v)};
    } else if (kind == VALUE_INT && f->type != FIELD_DATE) {
        *out = (struct value){.kind = kind, .i = sqlite3_value_int64(v)};
    } else {
        const void *p = kind == VALUE_BLOB ? sqlite3_value_blob(v) : (const void *)sqlite3_value_text(v);
        str s = str_of(p ? p : "", (size_t)sqlite3_value_bytes(v));
        int64_t ms;
        if (f->type != FIELD_DATE)
            *out = (struct value){.kind = kind, .s = s};
        else if (clock_iso_parse(s, &ms))
            *out = (struct value){.kind = VALUE_INT, .i = ms};
    }
}

/* Offset of the WKB, 0 when it is no GeoPackage geometry. */
static size_t wkb_offset(str blob)
{
    if (blob.n < HEADER || blob.p[0] != 'G' || blob.p[1] != 'P')
        return 0;
    size_t offset = HEADER + BOX_SIZES[(blob.p[3] & FLAG_BOX_MASK) >> 1];
    return offset <= blob.n ? offset : 0;
}

str gpkg_blob_wkb(str blob)
{
    size_t offset = wkb_offset(blob);
    return offset ? str_sub(blob, offset, blob.n) : STR_NONE;
}

struct envelope gpkg_blob_box(str blob)
{
    size_t offset = wkb_offset(blob);
    double v[4];
    if (offset == 0 || (blob.p[3] & FLAG_EMPTY))
        return ENVELOPE_EMPTY;
    if (blob.p[3] & FLAG_BOX_MASK) {
        memcpy(v, blob.p + HEADER, sizeof v);
        return (struct envelope){.xmin = v[0], .xmax = v[1], .ymin = v[2], .ymax = v[3]};
    }
    if (blob.n < offset + 5 + 16)
        return ENVELOPE_EMPTY;
    memcpy(v, blob.p + offset + 5, 16);
    return (struct envelope){.xmin = v[0], .xmax = v[0], .ymin = v[1], .ymax = v[1]};
}
