/* Answers as protocol buffers (FeatureCollectionPBuffer, api.md 4.2): a feature collection holds a result, which is features, a
 * count, ids or an extent. Numbers of fields are those of the message definition. Coordinates are always on a grid, each vertex
 * but a part's first as what it is more than the one before. */
#include "codec/pbf.h"
#include "model/geometry/centroid.h"
#include "web/featureserver/query.h"

static const char VERSION[] = "1.0";
enum { COLLECTION_VERSION = 1, COLLECTION_RESULT = 2 };
enum { RESULT_FEATURES = 1, RESULT_COUNT = 2, RESULT_IDS = 3, RESULT_EXTENT = 4 };
enum {
    FEATURES_OID_NAME = 1,
    FEATURES_UNIQUE = 2,
    FEATURES_GLOBALID_NAME = 3,
    FEATURES_GEOMETRY_TYPE = 7,
    FEATURES_CRS = 8,
    FEATURES_EXCEEDED = 9,
    FEATURES_HAS_Z = 10,
    FEATURES_HAS_M = 11,
    FEATURES_TRANSFORM = 12,
    FEATURES_FIELD = 13,
    FEATURES_FEATURE = 15
};
enum { FEATURE_VALUE = 1, FEATURE_GEOMETRY = 2, FEATURE_CENTROID = 4, FEATURE_ENVELOPE = 6 };
enum { VALUE_STRING = 1, VALUE_FLOAT_ = 2, VALUE_DOUBLE_ = 3, VALUE_SINT = 4, VALUE_UINT = 5, VALUE_INT64 = 6, VALUE_SINT64 = 8 };
enum { GEOMETRY_TYPE_NONE = 127, SQL_TYPE_OTHER = 16 };

static const double STEP_ZM = 1e-4; /* of z and m */

/* How a type of field is named, and how its values are written. */
static const struct {
    unsigned type, value;
} TYPES[FIELD_TYPE_COUNT] = {
    [FIELD_SMALL_INTEGER] = {0, VALUE_SINT},
    [FIELD_INTEGER] = {1, VALUE_SINT},
    [FIELD_SINGLE] = {2, VALUE_FLOAT_},
    [FIELD_DOUBLE] = {3, VALUE_DOUBLE_},
    [FIELD_STRING] = {4, VALUE_STRING},
    [FIELD_DATE] = {5, VALUE_SINT64},
    [FIELD_OID] = {6, VALUE_UINT},
    [FIELD_BLOB] = {8, VALUE_STRING},
    [FIELD_GUID] = {10, VALUE_STRING},
    [FIELD_GLOBALID] = {11, VALUE_STRING},
    [FIELD_XML] = {12, VALUE_STRING},
    [FIELD_BIG_INTEGER] = {13, VALUE_SINT64},
    [FIELD_DATE_ONLY] = {14, VALUE_STRING},
    [FIELD_TIME_ONLY] = {15, VALUE_STRING},
    [FIELD_TIMESTAMP_OFFSET] = {16, VALUE_STRING},
};

static const unsigned GEOMETRY_TYPES[] = {[GEOMETRY_NONE] = GEOMETRY_TYPE_NONE,
                                          [GEOMETRY_POINT] = 0,
                                          [GEOMETRY_MULTIPOINT] = 1,
                                          [GEOMETRY_POLYLINE] = 2,
                                          [GEOMETRY_POLYGON] = 3};

/* ---- what is above the features ---- */

static void put_crs(struct buf *b, unsigned number, const struct crs *crs)
{
    size_t place = pbf_begin(b, number);
    if (crs->wkid > 0) {
        pbf_uint(b, 1, (uint64_t)crs_esri_wkid(crs_latest_wkid(crs->wkid)));
        pbf_uint(b, 2, (uint64_t)crs_latest_wkid(crs->wkid));
    } else {
        pbf_str(b, 5, crs->wkt);
    }
    pbf_end(b, place);
}

/* x, y, m, z: as the messages of scale and translation have them. */
static void put_four(struct buf *b, unsigned number, const double v[4])
{
    size_t place = pbf_begin(b, number);
    for (unsigned i = 0; i < 4; i++)
        pbf_double(b, i + 1, v[i]);
    pbf_end(b, place);
}

static void put_transform(struct buf *b, const struct wkb_grid *g)
{
    size_t place = pbf_begin(b, FEATURES_TRANSFORM);
    pbf_uint(b, 1, !g->down); /* 0: the upper left corner */
    put_four(b, 2, (const double[]){g->step_x, g->step_y, STEP_ZM, STEP_ZM});
    put_four(b, 3, (const double[]){g->x0, g->y0, 0, 0});
    pbf_end(b, place);
}

static void put_field(struct buf *b, const struct field *f)
{
    size_t place = pbf_begin(b, FEATURES_FIELD);
    pbf_str(b, 1, f->name);
    pbf_uint(b, 2, TYPES[f->type].type);
    pbf_str(b, 3, f->alias);
    pbf_uint(b, 4, SQL_TYPE_OTHER);
    pbf_str(b, 5, f->domain);
    pbf_str(b, 6, f->default_value);
    pbf_end(b, place);
}

static void put_head(struct buf *b, const struct features_request *rq)
{
    const struct layer *l = rq->layer, *rows = rq->rows.layer;
    const struct features_shape *shape = &rq->rows.shape;
    str oid = l->fields[l->oid_field].name;
    pbf_str(b, FEATURES_OID_NAME, oid);
    size_t place = pbf_begin(b, FEATURES_UNIQUE);
    pbf_str(b, 1, oid);
    pbf_uint(b, 2, 1);
    pbf_end(b, place);
    pbf_str(b, FEATURES_GLOBALID_NAME, l->globalid_field == SIZE_MAX ? STR("") : l->fields[l->globalid_field].name);
    pbf_uint(b, FEATURES_GEOMETRY_TYPE, GEOMETRY_TYPES[rows->geometry]);
    if (rows->geometry != GEOMETRY_NONE) {
        put_crs(b, FEATURES_CRS, &shape->to);
        put_transform(b, &shape->grid);
        pbf_uint(b, FEATURES_HAS_Z, shape->form.z);
        pbf_uint(b, FEATURES_HAS_M, shape->form.m);
    }
    for (size_t i = 0; i < rq->rows.field_count; i++)
        put_field(b, &rows->fields[rq->rows.fields[i]]);
}

/* ---- features ---- */

/* No value is a value message without content; decoders take a flag for "null" for the value itself. */
static void put_value(struct buf *b, const struct field *f, const struct value *v)
{
    size_t place = pbf_begin(b, FEATURE_VALUE);
    unsigned number = TYPES[f->type].value;
    if (v->kind == VALUE_TEXT)
        pbf_str(b, VALUE_STRING, v->s);
    else if (v->kind == VALUE_DOUBLE && number == VALUE_FLOAT_)
        pbf_float(b, VALUE_FLOAT_, (float)v->d);
    else if (v->kind == VALUE_DOUBLE)
        pbf_double(b, VALUE_DOUBLE_, v->d);
    else if (v->kind == VALUE_INT && number == VALUE_UINT)
        pbf_uint(b, v->i >= 0 && v->i <= UINT32_MAX ? VALUE_UINT : VALUE_INT64, (uint64_t)v->i);
    else if (v->kind == VALUE_INT && (number == VALUE_SINT || number == VALUE_SINT64))
        pbf_sint(b, number, v->i);
    else if (v->kind == VALUE_INT)
        pbf_double(b, VALUE_DOUBLE_, (double)v->i);
    pbf_end(b, place);
}

/* An ordinate beside x and y; the grid of the messages has no place for none, which becomes 0. */
static int64_t further(double v) { return isfinite(v) && fabs(v) < 1e14 ? llround(v / STEP_ZM) : 0; }

/* The dimensions of a vertex that are written, and the vertex before. */
struct vertices {
    unsigned dims; /* in the bytes */
    bool z, m;
    int64_t before[4];
};

static void put_vertex(struct buf *b, const struct wkb_sequence *s, size_t index, struct vertices *v)
{
    size_t at = index * v->dims, n = 2;
    int64_t now[4] = {(int64_t)wkb_coord(s, at), (int64_t)wkb_coord(s, at + 1)};
    if (v->z)
        now[n++] = further(wkb_coord(s, at + 2));
    if (v->m)
        now[n++] = further(wkb_coord(s, at + v->dims - 1));
    for (size_t k = 0; k < n; k++) {
        pbf_put_varint(b, pbf_zigzag(now[k] - v->before[k]));
        v->before[k] = now[k];
    }
}

/* Vertices of each part; the points of a multipoint are one part, and a point needs none. */
static int put_lengths(struct ctx *ctx, struct buf *b, str wkb)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    uint64_t points = 0;
    int rc;
    TRY(wkb_reader_open(ctx, wkb, &r));
    if (r.form.type == GEOMETRY_POINT)
        return RC_OK;
    size_t place = pbf_begin(b, 2);
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        if (r.form.type == GEOMETRY_MULTIPOINT)
            points++;
        else
            pbf_put_varint(b, s.count);
    }
    if (r.form.type == GEOMETRY_MULTIPOINT)
        pbf_put_varint(b, points);
    pbf_end(b, place);
    return rc == RC_END ? RC_OK : rc;
}

static int put_geometry(struct ctx *ctx, struct buf *b, const struct esri_json_form *form, str wkb)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    size_t place = pbf_begin(b, FEATURE_GEOMETRY);
    TRY(put_lengths(ctx, b, wkb));
    TRY(wkb_reader_open(ctx, wkb, &r));
    struct vertices v = {.dims = wkb_dims(&r.form), .z = r.form.has_z && form->z, .m = r.form.has_m && form->m};
    size_t coords = pbf_begin(b, 3);
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        bool reversed = esri_json_reversed(&r.form, &s, !form->turned);
        if (r.form.type != GEOMETRY_MULTIPOINT)
            memset(v.before, 0, sizeof v.before);
        for (size_t i = 0; i < s.count; i++)
            put_vertex(b, &s, reversed ? s.count - 1 - i : i, &v);
    }
    pbf_end(b, coords);
    pbf_end(b, place);
    return rc == RC_END ? RC_OK : rc;
}

static int put_centroid(struct ctx *ctx, struct buf *b, const struct features_shape *shape, str wkb)
{
    double xy[2];
    bool found;
    TRY(geometry_centroid(ctx, wkb, xy, &found));
    if (!found)
        return RC_OK;
    TRY(features_shape_point(ctx, shape, xy));
    size_t place = pbf_begin(b, FEATURE_CENTROID), coords = pbf_begin(b, 3);
    pbf_put_varint(b, pbf_zigzag((int64_t)xy[0]));
    pbf_put_varint(b, pbf_zigzag((int64_t)xy[1]));
    pbf_end(b, coords);
    pbf_end(b, place);
    return RC_OK;
}

static void put_envelope(struct buf *b, unsigned number, const struct envelope *box, const struct crs *crs)
{
    const double corners[] = {box->xmin, box->ymin, box->xmax, box->ymax};
    size_t place = pbf_begin(b, number);
    for (unsigned i = 0; i < COUNT_OF(corners); i++)
        pbf_double(b, i + 1, corners[i]);
    put_crs(b, 5, crs);
    pbf_end(b, place);
}

static int put_box(struct ctx *ctx, struct buf *b, const struct features_shape *shape, str wkb)
{
    struct envelope box;
    TRY(wkb_measure(ctx, wkb, NULL, &box, NULL));
    if (envelope_empty(&box))
        return RC_OK;
    TRY(crs_transform_envelope(ctx, &shape->from, &shape->to, &box, &box));
    put_envelope(b, FEATURE_ENVELOPE, &box, &shape->to);
    return RC_OK;
}

static int put_feature(struct ctx *ctx, struct buf *b, struct features_rows *r, const struct row *row)
{
    struct arena_mark mark = arena_mark(ctx->arena);
    size_t place = pbf_begin(b, FEATURES_FEATURE);
    str wkb;
    for (size_t i = 0; i < r->field_count; i++)
        put_value(b, &r->layer->fields[r->fields[i]], &row->values[r->fields[i]]);
    if (r->geometry && !str_none(row->wkb)) {
        TRY(features_shape_apply(ctx, &r->shape, row->wkb, &wkb));
        TRY(put_geometry(ctx, b, &r->shape.form, wkb));
    }
    if (r->centroid && !str_none(row->wkb))
        TRY(put_centroid(ctx, b, &r->shape, row->wkb));
    if (r->envelope && !str_none(row->wkb))
        TRY(put_box(ctx, b, &r->shape, row->wkb));
    pbf_end(b, place);
    arena_release(ctx->arena, mark);
    return RC_OK;
}

/* ---- the results ---- */

static int put_rows(struct ctx *ctx, struct buf *b, struct features_request *rq, struct feature_cursor *cursor)
{
    struct row row;
    int64_t left = rq->limit;
    int rc;
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK && left != 0) {
        if (rq->ids)
            pbf_put_varint(b, (uint64_t)row.oid);
        else
            TRY(put_feature(ctx, b, &rq->rows, &row));
        left -= left > 0;
        TRY(buf_check(b, ctx, "the answer"));
    }
    if (rc == RC_OK && !rq->ids)
        pbf_uint(b, FEATURES_EXCEEDED, 1);
    return rc == RC_END ? RC_OK : rc;
}

static void cursor_cleanup(struct feature_cursor **c) { feature_cursor_close(*c); }

static int put_features(struct ctx *ctx, struct call *call, struct features_request *rq)
{
    CLEANUP(cursor_cleanup) struct feature_cursor *cursor = NULL;
    struct buf *b = &call->text;
    TRY(features_hide_part(ctx, call, rq));
    TRY(features_request_open(ctx, call, rq, &cursor));
    size_t place = pbf_begin(b, rq->ids ? RESULT_IDS : RESULT_FEATURES), ids = 0;
    if (rq->ids) {
        pbf_str(b, 1, rq->layer->fields[rq->layer->oid_field].name);
        ids = pbf_begin(b, 3);
    } else {
        put_head(b, rq);
    }
    TRY(put_rows(ctx, b, rq, cursor));
    if (rq->ids)
        pbf_end(b, ids);
    pbf_end(b, place);
    return RC_OK;
}

static int put_numbers(struct ctx *ctx, struct call *call, struct features_request *rq)
{
    struct buf *b = &call->text;
    bool extent = call_bool(call, "returnExtentOnly"), empty = true;
    int64_t count = 0;
    struct envelope box;
    if (call_bool(call, "returnCountOnly"))
        TRY(features_count(ctx, call, rq, &count));
    size_t place = pbf_begin(b, extent ? RESULT_EXTENT : RESULT_COUNT);
    if (extent) {
        TRY(features_extent(ctx, call, rq, &box, &empty));
        if (empty)
            box = (struct envelope){NAN, NAN, NAN, NAN};
        put_envelope(b, 1, &box, &rq->rows.shape.to);
    }
    pbf_uint(b, extent ? 2 : 1, (uint64_t)count);
    pbf_end(b, place);
    return RC_OK;
}

int features_put_pbf(struct ctx *ctx, struct call *call, struct features_request *rq)
{
    struct buf *b = &call->text;
    bool numbers = call_bool(call, "returnCountOnly") || call_bool(call, "returnExtentOnly");
    pbf_str(b, COLLECTION_VERSION, str_c(VERSION));
    size_t place = pbf_begin(b, COLLECTION_RESULT);
    TRY(numbers ? put_numbers(ctx, call, rq) : put_features(ctx, call, rq));
    pbf_end(b, place);
    TRY(buf_check(b, ctx, "the answer"));
    return reply_text(ctx, call, 200, STR("application/x-protobuf"), buf_str(b));
}
