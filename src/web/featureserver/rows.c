/* Rows as features in JSON and GeoJSON, and the parameters that say which fields, order and coordinates. The way of a row is
 * short: values and coordinates go straight into the answer; nothing is kept. */
#include "base/num.h"
#include "base/utf8.h"
#include "model/geometry/centroid.h"
#include "web/featureserver/query.h"

enum { OBJECT_IDS_MAX = 1000000, ORDER_MAX = 32 };

/* ---- parameters ---- */

int features_rows_open(struct ctx *ctx, const struct call *call, const struct layer *l, struct features_rows *out)
{
    *out = (struct features_rows){.layer = l,
                                  .geometry = l->geometry != GEOMETRY_NONE,
                                  .geojson = call->format == FORMAT_GEOJSON,
                                  .centroid = l->geometry == GEOMETRY_POLYGON && call_bool(call, "returnCentroid"),
                                  .envelope = l->geometry != GEOMETRY_NONE && call_bool(call, "returnEnvelope")};
    out->names = arena_array(ctx->arena, str, l->field_count);
    for (size_t i = 0; i < l->field_count; i++)
        out->names[i] = hosted_json_string(ctx, l->fields[i].name);
    return features_shape_open(ctx, call, l, &out->shape);
}

void features_rows_close(struct features_rows *r) { features_shape_close(&r->shape); }

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
    TRY(features_shape_apply(ctx, &r->shape, wkb, &wkb));
    if (r->geojson) {
        json_name(o, "geometry");
        return esri_json_put_geojson(ctx, o, wkb, r->shape.form.z);
    }
    if (str_none(wkb))
        return RC_OK; /* a feature without geometry has no such member */
    json_name(o, "geometry");
    return esri_json_put(ctx, o, wkb, r->shape.form);
}

/* In the system and on the grid of the answer. */
static int put_centroid(struct ctx *ctx, struct json_out *o, struct features_rows *r, str wkb)
{
    double xy[2];
    bool found = false;
    if (!str_none(wkb))
        TRY(geometry_centroid(ctx, wkb, xy, &found));
    if (!found)
        return RC_OK;
    TRY(features_shape_point(ctx, &r->shape, xy));
    json_name(o, "centroid");
    json_begin_object(o);
    json_member_double(o, "x", xy[0]);
    json_member_double(o, "y", xy[1]);
    json_end_object(o);
    return RC_OK;
}

static int put_envelope(struct ctx *ctx, struct json_out *o, struct features_rows *r, str wkb)
{
    struct envelope box = ENVELOPE_EMPTY;
    if (!str_none(wkb))
        TRY(wkb_measure(ctx, wkb, NULL, &box, NULL));
    if (envelope_empty(&box))
        return RC_OK;
    TRY(crs_transform_envelope(ctx, &r->shape.from, &r->shape.to, &box, &box));
    json_name(o, "envelope");
    json_begin_object(o);
    features_put_corners(o, &box);
    json_end_object(o);
    return RC_OK;
}

void features_put_corners(struct json_out *o, const struct envelope *box)
{
    json_member_double(o, "xmin", box->xmin);
    json_member_double(o, "ymin", box->ymin);
    json_member_double(o, "xmax", box->xmax);
    json_member_double(o, "ymax", box->ymax);
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
    if (r->centroid && !r->geojson)
        TRY(put_centroid(ctx, o, r, row->wkb));
    if (r->envelope && !r->geojson)
        TRY(put_envelope(ctx, o, r, row->wkb));
    if (r->outputs)
        TRY(features_statistics_put_shapes(ctx, o, r, row));
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
    esri_json_put_crs(o, &r->shape.to);
    if (r->shape.form.z)
        json_member_bool(o, "hasZ", true);
    if (r->shape.form.m)
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
