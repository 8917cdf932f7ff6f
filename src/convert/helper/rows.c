/* Rows of a layer: the library's features as values by field type and ISO WKB. Nothing is allocated for a row but by the library.
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "convert/helper/source.h"
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <math.h>

int source_rows_open(struct ctx *ctx, struct source_layer *l, const struct source_field **columns, size_t count,
                     struct source_rows *out)
{
    *out = (struct source_rows){.layer = l,
                                .columns = columns,
                                .column_count = count,
                                .wkb = BUF_INIT(SOURCE_GEOMETRY_MAX),
                                .moved = BUF_INIT(SOURCE_GEOMETRY_MAX)};
    if (!columns) {
        out->column_count = l->field_count;
        out->columns = arena_array(ctx->arena, const struct source_field *, l->field_count);
        for (size_t i = 0; i < l->field_count; i++)
            out->columns[i] = &l->fields[i];
    }
    out->values = arena_array(ctx->arena, struct value, out->column_count);
    out->texts = arena_alloc_array(ctx->arena, out->column_count, sizeof *out->texts);
    out->recoded = arena_array(ctx->arena, char *, out->column_count);
    if (l->reader)
        return l->reader->rows_open(ctx, out);
    OGR_L_ResetReading(l->ogr);
    CPLErrorReset();
    return RC_OK;
}

static void forget_row(struct source_rows *r)
{
    OGR_F_Destroy(r->feature);
    r->feature = NULL;
    for (size_t i = 0; i < r->column_count; i++) {
        CPLFree(r->recoded[i]);
        r->recoded[i] = NULL;
    }
}

void source_rows_close(struct source_rows *r)
{
    if (r->layer && r->layer->reader)
        r->layer->reader->rows_close(r);
    else if (r->layer)
        forget_row(r);
    buf_free(&r->wkb);
    buf_free(&r->moved);
    r->layer = NULL;
}

/* ---- values ---- */
struct moment {
    int year, month, day, hour, minute, zone;
    float second;
};

static bool moment_of(const struct source_rows *r, int index, struct moment *m)
{
    return OGR_F_GetFieldAsDateTimeEx(r->feature, index, &m->year, &m->month, &m->day, &m->hour, &m->minute, &m->second,
                                      &m->zone);
}

/* The library's zone: 100 is UTC, each step a quarter of an hour; 0 and 1 say that it is unknown or local, which is taken as UTC.
 */
static int64_t ms_of(const struct moment *m)
{
    struct clock_parts parts = {.year = m->year, .month = m->month, .day = m->day, .hour = m->hour, .minute = m->minute};
    int64_t zone_minutes = m->zone > 1 ? (m->zone - 100) * 15 : 0;
    return clock_ms_of(&parts) + llround((double)m->second * 1000) - zone_minutes * 60000;
}

static void put_text(struct source_rows *r, size_t column, size_t n)
{
    r->values[column] = (struct value){.kind = VALUE_TEXT, .s = str_of(r->texts[column], n)};
}

/* Three numbers with a sign between them, "2024-02-29" or "23:59:59"; printf would take a tenth of the time of a row. */
static void put_numbers(struct source_rows *r, size_t column, const int v[3], int first_width, char between)
{
    char *p = r->texts[column];
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        int width = i == 0 ? first_width : 2, rest = v[i];
        if (i)
            p[n++] = between;
        for (int k = width - 1; k >= 0; k--, rest /= 10)
            p[n + (size_t)k] = (char)('0' + rest % 10);
        n += (size_t)width;
    }
    put_text(r, column, n);
}

/* A text that is not UTF-8 is one of a Shapefile that does not say what it is: Latin 1, as its format has it. */
static void put_string(struct source_rows *r, size_t column, const char *text)
{
    str s = str_c(text);
    if (!r->layer->exact && !utf8_valid(s)) {
        r->recoded[column] = CPLRecode(text, CPL_ENC_ISO8859_1, CPL_ENC_UTF8);
        s = str_c(r->recoded[column]);
    }
    r->values[column] = (struct value){.kind = VALUE_TEXT, .s = s};
}

static void read_value(struct source_rows *r, size_t column)
{
    const struct source_field *f = r->columns[column];
    struct value *v = &r->values[column];
    struct moment m;
    v->kind = VALUE_NULL;
    if (f->index == SOURCE_OID) {
        *v = (struct value){.kind = VALUE_INT, .i = r->layer->numbered ? r->count : OGR_F_GetFID(r->feature)};
        return;
    }
    if (!OGR_F_IsFieldSetAndNotNull(r->feature, f->index))
        return;
    switch (f->native) {
    case FIELD_INTEGER:
    case FIELD_SMALL_INTEGER:
    case FIELD_BIG_INTEGER:
        *v = (struct value){.kind = VALUE_INT, .i = OGR_F_GetFieldAsInteger64(r->feature, f->index)};
        return;
    case FIELD_DOUBLE:
    case FIELD_SINGLE:
        *v = (struct value){.kind = VALUE_DOUBLE, .d = OGR_F_GetFieldAsDouble(r->feature, f->index)};
        return;
    case FIELD_DATE:
        if (moment_of(r, f->index, &m))
            *v = (struct value){.kind = VALUE_INT, .i = ms_of(&m)};
        return;
    case FIELD_DATE_ONLY:
        if (moment_of(r, f->index, &m) && m.year >= 0)
            put_numbers(r, column, (const int[]){m.year, m.month, m.day}, 4, '-');
        return;
    case FIELD_TIME_ONLY:
        if (r->layer->exact)
            put_string(r, column, OGR_F_GetFieldAsString(r->feature, f->index));
        else if (moment_of(r, f->index, &m))
            put_numbers(r, column, (const int[]){m.hour, m.minute, (int)m.second}, 2, ':');
        return;
    case FIELD_BLOB: {
        int n = 0;
        const GByte *p = OGR_F_GetFieldAsBinary(r->feature, f->index, &n);
        *v = (struct value){.kind = VALUE_BLOB, .s = str_of(p ? p : (const GByte *)"", (size_t)n)};
        return;
    }
    case FIELD_GUID:
    case FIELD_GLOBALID: {
        const char *text = OGR_F_GetFieldAsString(r->feature, f->index);
        if (r->layer->exact)
            put_string(r, column, text);
        else if (guid_parse(str_c(text), r->texts[column]))
            put_text(r, column, GUID_SIZE);
        return;
    }
    default:
        put_string(r, column, OGR_F_GetFieldAsString(r->feature, f->index));
        return;
    }
}

/* ---- geometry ---- */
static const double POLE = 90, NEAR_POLE = 89.9; /* Mercator has no place for what lies nearer to a pole */

int source_rows_point(struct ctx *ctx, struct source_rows *r, double x, double y, str *out)
{
    const struct source_layer *l = r->layer;
    *out = STR_NONE;
    if (!isfinite(x) || !isfinite(y) || (l->degrees && fabs(y) > (l->moves ? NEAR_POLE : POLE)))
        return RC_OK;
    buf_clear(&r->wkb);
    wkb_put_head(&r->wkb, &(struct wkb_form){.type = GEOMETRY_POINT});
    wkb_put_coords(&r->wkb, (const double[]){x, y}, 2);
    *out = buf_str(&r->wkb);
    if (!l->moves)
        return RC_OK;
    buf_clear(&r->moved);
    TRY(crs_transform_wkb(ctx, &l->crs, &l->target, *out, &r->moved));
    *out = buf_str(&r->moved);
    return RC_OK;
}

static double number_at(const struct source_rows *r, int index)
{
    return OGR_F_IsFieldSetAndNotNull(r->feature, index) ? OGR_F_GetFieldAsDouble(r->feature, index) : NAN;
}

static int export_wkb(struct ctx *ctx, struct source_rows *r, OGRGeometryH g)
{
    buf_clear(&r->wkb);
    size_t n = OGR_G_WkbSizeEx(g);
    char *p = buf_reserve(&r->wkb, n);
    if (!p)
        return buf_check(&r->wkb, ctx, "a geometry");
    if (OGR_G_ExportToIsoWkb(g, wkbNDR, (unsigned char *)p) != OGRERR_NONE)
        return source_fail(ctx, "a geometry cannot be read");
    buf_commit(&r->wkb, n);
    return RC_OK;
}

static int read_geometry(struct ctx *ctx, struct source_rows *r, str *out)
{
    if (r->layer->place.x >= 0)
        return source_rows_point(ctx, r, number_at(r, r->layer->place.x), number_at(r, r->layer->place.y), out);
    OGRGeometryH g = OGR_F_GetGeometryRef(r->feature), linear = NULL;
    *out = STR_NONE;
    if (!g)
        return RC_OK;
    if (OGR_G_HasCurveGeometry(g, FALSE))
        g = linear = OGR_G_GetLinearGeometry(g, 0, NULL);
    int rc = export_wkb(ctx, r, g);
    if (linear)
        OGR_G_DestroyGeometry(linear);
    TRY(rc);
    *out = buf_str(&r->wkb);
    if (!r->layer->moves)
        return RC_OK;
    buf_clear(&r->moved);
    TRY(crs_transform_wkb(ctx, &r->layer->crs, &r->layer->target, *out, &r->moved));
    *out = buf_str(&r->moved);
    return buf_check(&r->moved, ctx, "a geometry");
}

static int read_values(struct ctx *ctx, struct source_rows *r)
{
    for (size_t i = 0; i < r->column_count; i++) {
        const struct source_field *f = r->columns[i];
        read_value(r, i);
        if (!source_cast(f, &r->values[i], r->texts[i]))
            return err_set(ctx, &ERR_INVALID, "layer %.*s, row %lld, field %.*s: a value that is no %s", STR_FMT(r->layer->name),
                           (long long)r->count, STR_FMT(f->field.name), field_type_name(f->field.type));
    }
    return RC_OK;
}

int source_rows_next(struct ctx *ctx, struct source_rows *r, struct row *out)
{
    if (r->layer->reader)
        return r->layer->reader->rows_next(ctx, r, out);
    forget_row(r);
    r->feature = OGR_L_GetNextFeature(r->layer->ogr);
    if (!r->feature)
        return CPLGetLastErrorType() >= CE_Failure ? source_fail(ctx, "a row cannot be read") : RC_END;
    r->count++;
    *out = (struct row){.values = r->values, .wkb = STR_NONE};
    TRY(read_values(ctx, r));
    out->oid = r->layer->numbered ? r->count : OGR_F_GetFID(r->feature);
    if (r->layer->geometry != GEOMETRY_NONE && read_geometry(ctx, r, &out->wkb) != RC_OK) {
        err_add(ctx, "layer %.*s, row %lld", STR_FMT(r->layer->name), (long long)r->count);
        return RC_FAIL;
    }
    return RC_OK;
}
