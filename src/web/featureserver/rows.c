/* Rows as features in JSON and GeoJSON, and the parameters that say which fields, order and coordinates. The way of a row is
 * short: values and coordinates go straight into the answer; nothing is kept. */
#include "base/num.h"
#include "base/utf8.h"
#include "web/featureserver/featureserver.h"

enum { GEOMETRY_MAX = 512 << 20, OBJECT_IDS_MAX = 1000000, ORDER_MAX = 32, PRECISION_MAX = 15 };

static const double NEAR_POLE = 89.9; /* degrees: Mercator ends before 90 */

/* ---- parameters ---- */

static int is_geographic(struct ctx *ctx, const struct crs *crs, bool *out)
{
    struct crs_info info;
    *out = crs->wkid == CRS_WGS84;
    if (*out)
        return RC_OK;
    TRY(crs_describe(ctx, crs, &info));
    *out = info.geographic;
    return RC_OK;
}

static int read_out_sr(struct ctx *ctx, const struct call *call, struct crs *out)
{
    str text = str_trim(call_param(call, "outSR"));
    struct json v;
    if (str_empty(text)) {
        if (call->format == FORMAT_GEOJSON)
            *out = (struct crs){.wkid = CRS_WGS84}; /* RFC 7946 */
        return RC_OK;
    }
    if (!json_try_parse(ctx->arena, text, &v) || !esri_json_parse_crs(ctx->arena, v, out))
        return err_set(ctx, &ERR_FEATURE, "'outSR' parameter is invalid");
    return RC_OK;
}

int features_rows_open(struct ctx *ctx, const struct call *call, const struct layer *l, struct features_rows *out)
{
    static const struct crs mercator = {.wkid = CRS_WEB_MERCATOR};
    *out =
        (struct features_rows){.layer = l,
                               .geometry = l->geometry != GEOMETRY_NONE,
                               .geojson = call->format == FORMAT_GEOJSON,
                               .dims = {.z = l->has_z && call_bool(call, "returnZ"), .m = l->has_m && call_bool(call, "returnM")},
                               .from = {.wkid = l->latest_wkid, .wkt = l->wkt},
                               .first = BUF_INIT(GEOMETRY_MAX),
                               .second = BUF_INIT(GEOMETRY_MAX)};
    out->to = out->from;
    out->names = arena_array(ctx->arena, str, l->field_count);
    for (size_t i = 0; i < l->field_count; i++)
        out->names[i] = hosted_json_string(ctx, l->fields[i].name);
    if (!out->geometry)
        return RC_OK;
    TRY(read_out_sr(ctx, call, &out->to));
    out->transform = !crs_same(&out->from, &out->to);
    if (out->transform && crs_same(&out->to, &mercator))
        TRY(is_geographic(ctx, &out->from, &out->clamp));
    if (!call_has(call, "geometryPrecision"))
        return RC_OK;
    int64_t digits = call_int(call, "geometryPrecision");
    if (digits < 0 || digits > PRECISION_MAX)
        return err_set(ctx, &ERR_FEATURE, "'geometryPrecision' has to be 0 to %d.", PRECISION_MAX);
    out->grain = pow(10, (double)digits);
    return RC_OK;
}

void features_rows_close(struct features_rows *r)
{
    buf_free(&r->first);
    buf_free(&r->second);
}

static int add_out_field(struct ctx *ctx, const struct layer *l, str name, size_t *list, size_t *count)
{
    size_t index;
    if (!layer_field(l, name, &index))
        return err_set(ctx, &ERR_FEATURE, "'outFields' parameter is invalid: there is no field '%.*s'.",
                       STR_FMT(str_sub(name, 0, 100)));
    for (size_t i = 0; i < *count; i++)
        if (list[i] == index)
            return RC_OK;
    list[(*count)++] = index;
    return RC_OK;
}

int features_out_fields(struct ctx *ctx, const struct layer *l, str text, size_t **out, size_t *count_out)
{
    str rest = str_trim(text), piece;
    size_t *list = arena_array(ctx->arena, size_t, l->field_count + 1), count = 0;
    bool all = false;
    if (str_empty(rest))
        list[count++] = l->oid_field;
    while (!all && str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        all = str_eq(piece, STR("*"));
        if (!all && !str_empty(piece))
            TRY(add_out_field(ctx, l, piece, list, &count));
    }
    for (size_t i = 0; all && i < l->field_count; i++)
        list[i] = i;
    *out = list;
    *count_out = all ? l->field_count : count;
    return RC_OK;
}

int features_order(struct ctx *ctx, const struct layer *l, str text, struct feature_order **out, size_t *count_out)
{
    str rest = text, piece;
    *out = arena_array(ctx->arena, struct feature_order, ORDER_MAX);
    *count_out = 0;
    while (str_split(&rest, ',', &piece)) {
        str name = str_trim(piece);
        struct feature_order order = {.descending = name.n > 5 && str_ieq(str_sub(name, name.n - 5, name.n), STR(" DESC"))};
        bool ascending = name.n > 4 && str_ieq(str_sub(name, name.n - 4, name.n), STR(" ASC"));
        name = str_trim(str_sub(name, 0, name.n - (order.descending ? 5 : ascending ? 4 : 0)));
        if (*count_out == ORDER_MAX || !layer_field(l, name, &order.field))
            return err_set(ctx, &ERR_FEATURE, "'orderByFields' parameter is invalid: '%.*s' is no field of the layer.",
                           STR_FMT(str_sub(name, 0, 100)));
        (*out)[(*count_out)++] = order;
    }
    return RC_OK;
}

int features_object_ids(struct ctx *ctx, str csv, int64_t **out, size_t *count_out)
{
    str rest = csv, piece;
    size_t capacity = 0;
    *out = arena_array(ctx->arena, int64_t, 1); /* not NULL: NULL is all of them */
    *count_out = 0;
    while (str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_empty(piece))
            continue;
        if (*count_out == OBJECT_IDS_MAX)
            return err_set(ctx, &ERR_FEATURE, "More than %d object ids.", OBJECT_IDS_MAX);
        *out = arena_grow(ctx->arena, *out, &capacity, *count_out + 1, sizeof **out);
        if (!num_parse_int(piece, &(*out)[(*count_out)++]))
            return err_set(ctx, &ERR_FEATURE, "'objectIds' parameter is invalid: '%.*s'", STR_FMT(str_sub(piece, 0, 64)));
    }
    return RC_OK;
}

int features_where(struct ctx *ctx, const struct layer *l, str text, struct where **out)
{
    struct ctx child = *ctx; /* with an error record of its own */
    child.err = (struct err){0};
    int rc = where_parse(&child, text, l, out);
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return err_set(ctx, &ERR_FEATURE, "'where' parameter is invalid: %s", err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

/* ---- coordinates ---- */

/* Every x and y of the WKB in the buffer: kept off the poles, or rounded. */
static int adjust(struct ctx *ctx, struct buf *b, double clamp, double grain)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    TRY(wkb_reader_open(ctx, buf_str(b), &r));
    size_t dims = wkb_dims(&r.form);
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        char *coords = b->p + (s.coords - (const unsigned char *)b->p);
        for (size_t i = 0; i < s.count; i++) {
            double xy[2];
            memcpy(xy, coords + i * dims * sizeof(double), sizeof xy);
            if (clamp > 0 && fabs(xy[1]) > clamp)
                xy[1] = copysign(clamp, xy[1]);
            for (size_t k = 0; grain > 0 && k < 2; k++)
                xy[k] = round(xy[k] * grain) / grain;
            memcpy(coords + i * dims * sizeof(double), xy, sizeof xy);
        }
    }
    return rc == RC_END ? RC_OK : rc;
}

/* The geometry in the system and precision asked for; in the row itself when nothing is to be done. */
static int reshape(struct ctx *ctx, struct features_rows *r, str wkb, str *out)
{
    *out = wkb;
    if (str_none(wkb))
        return RC_OK;
    if (r->clamp) {
        buf_clear(&r->first);
        buf_add(&r->first, wkb);
        TRY(buf_check(&r->first, ctx, "geometry"));
        TRY(adjust(ctx, &r->first, NEAR_POLE, 0));
        *out = buf_str(&r->first);
    }
    if (!r->transform && r->grain == 0)
        return RC_OK;
    buf_clear(&r->second);
    if (r->transform)
        TRY(crs_transform_wkb(ctx, &r->from, &r->to, *out, &r->second));
    else
        buf_add(&r->second, *out);
    TRY(buf_check(&r->second, ctx, "geometry"));
    if (r->grain > 0)
        TRY(adjust(ctx, &r->second, 0, r->grain));
    *out = buf_str(&r->second);
    return RC_OK;
}

/* ---- features ---- */

static void put_value(struct json_out *o, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        json_put_int(o, v->i);
        break;
    case VALUE_DOUBLE:
        json_put_double(o, v->d);
        break;
    case VALUE_TEXT:
        json_put_str(o, v->s);
        break;
    case VALUE_NULL:
    case VALUE_BLOB: /* not shown: clients ask for them one by one, which is not there yet */
        json_put_null(o);
        break;
    }
}

static int put_geometry(struct ctx *ctx, struct json_out *o, struct features_rows *r, str wkb)
{
    TRY(reshape(ctx, r, wkb, &wkb));
    if (r->geojson) {
        json_name(o, "geometry");
        return esri_json_put_geojson(ctx, o, wkb, r->dims.z);
    }
    if (str_none(wkb))
        return RC_OK; /* a feature without geometry has no such member */
    json_name(o, "geometry");
    return esri_json_put(ctx, o, wkb, r->dims);
}

int features_rows_put(struct ctx *ctx, struct json_out *o, struct features_rows *r, const struct row *row)
{
    struct arena_mark mark = arena_mark(ctx->arena);
    json_begin_object(o);
    if (r->geojson) {
        json_member_c(o, "type", "Feature");
        if (row->oid)
            json_member_int(o, "id", row->oid);
        if (!r->geometry)
            json_member_null(o, "geometry");
    }
    if (r->geometry && r->geojson)
        TRY(put_geometry(ctx, o, r, row->wkb));
    json_name(o, r->geojson ? "properties" : "attributes");
    json_begin_object(o);
    for (size_t i = 0; i < r->field_count; i++) {
        json_name_raw(o, r->names[r->fields[i]]);
        put_value(o, &row->values[r->fields[i]]);
    }
    json_end_object(o);
    if (r->geometry && !r->geojson)
        TRY(put_geometry(ctx, o, r, row->wkb));
    json_end_object(o);
    arena_release(ctx->arena, mark);
    return o->rc;
}

void features_rows_put_geometry_members(struct json_out *o, const struct features_rows *r)
{
    if (r->layer->geometry == GEOMETRY_NONE)
        return;
    json_member_c(o, "geometryType", geometry_type_name(r->layer->geometry));
    json_name(o, "spatialReference");
    esri_json_put_crs(o, &r->to);
    if (r->dims.z)
        json_member_bool(o, "hasZ", true);
    if (r->dims.m)
        json_member_bool(o, "hasM", true);
}

void features_rows_put_fields(struct json_out *o, const struct features_rows *r)
{
    json_name(o, "fields");
    json_begin_array(o);
    for (size_t i = 0; i < r->field_count; i++) {
        const struct field *f = &r->layer->fields[r->fields[i]];
        json_begin_object(o);
        json_member_str(o, "name", f->name);
        json_member_c(o, "type", field_type_name(f->type));
        json_member_str(o, "alias", f->alias);
        json_member_c(o, "sqlType", "sqlTypeOther");
        if (f->length > 0)
            json_member_int(o, "length", f->length);
        json_member_raw(o, "domain", str_empty(f->domain) ? STR("null") : f->domain);
        json_member_raw(o, "defaultValue", str_empty(f->default_value) ? STR("null") : f->default_value);
        json_end_object(o);
    }
    json_end_array(o);
}
