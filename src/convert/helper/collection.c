/* Feature Collections as web maps hold them (layers with a layerDefinition and a featureSet), and a bare featureSet: JSON that
 * says what its fields are, read without the library. The text and its tape are in memory as a whole. */
#include "base/file.h"
#include "base/utf8.h"
#include "convert/helper/source.h"
#include "model/geometry/esri_json.h"
#include <math.h>

enum { TEXT_MAX = 512 << 20, SHOWN_BYTES = 60 };

struct collection_own {
    struct json definition, set;
    str *names; /* of the columns */
    size_t count;
    struct wkb_form form;
};
/* A pass over the features. */
struct collection_pass {
    struct json_iter features;
    struct arena_mark mark; /* of the row that was given last */
    bool marked;
};

static struct json member(struct json v, const char *name, enum json_type type)
{
    struct json m = json_get_c(v, name);
    return json_is(m, type) ? m : JSON_ABSENT;
}

static int add_layer(struct ctx *ctx, struct source *s, struct json layer)
{
    struct collection_own *own = arena_new(ctx->arena, struct collection_own);
    struct json set = member(layer, "featureSet", JSON_OBJECT);
    own->definition = member(layer, "layerDefinition", JSON_OBJECT);
    own->set = json_absent(set) ? layer : set;
    if (json_absent(member(own->set, "features", JSON_ARRAY)))
        return err_set(ctx, &ERR_INVALID, "layer %zu has no features", s->layer_count);
    str name = json_string_or(json_get_c(own->definition, "name"), ctx->arena, s->options.name);
    struct source_layer *l = source_add_layer(ctx, s, name.n ? name : s->options.name);
    if (!l)
        return RC_FAIL;
    l->own = own;
    return RC_OK;
}

static int collection_open(struct ctx *ctx, struct source *s)
{
    str text;
    struct json root, layers, v;
    TRY(file_read_all(ctx, s->options.path.p, TEXT_MAX, &text));
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_sub(text, 3, text.n);
    TRY(json_parse(ctx, text, &root));
    struct json inner = member(root, "featureCollection", JSON_OBJECT);
    root = json_absent(inner) ? root : inner;
    layers = member(root, "layers", JSON_ARRAY);
    if (json_absent(layers) && json_absent(member(root, "features", JSON_ARRAY)))
        return err_set(ctx, &ERR_INVALID, "it is no Feature Collection: it has no layers");
    if (json_absent(layers))
        return add_layer(ctx, s, root);
    for (struct json_iter it = json_each(layers); json_next(&it, NULL, &v);)
        TRY(add_layer(ctx, s, v));
    return RC_OK;
}

/* ---- what the layer is ---- */

static int add_fields(struct ctx *ctx, struct source *s, struct source_layer *l, struct collection_own *own)
{
    struct json fields = member(own->definition, "fields", JSON_ARRAY), v;
    fields = json_absent(fields) ? member(own->set, "fields", JSON_ARRAY) : fields;
    own->names = arena_array(ctx->arena, str, json_count(fields));
    source_add_oid(ctx, l, json_count(fields));
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);) {
        enum field_type type;
        int64_t length = 0;
        str name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        str word = json_string_or(json_get_c(v, "type"), ctx->arena, STR(""));
        if (name.n == 0 || !utf8_valid(name))
            return err_set(ctx, &ERR_INVALID, "layer %.*s has a field without a name", STR_FMT(l->name));
        if (!field_type_parse(word, &type) || type == FIELD_BLOB) {
            if (!str_eq(word, STR("esriFieldTypeGeometry")))
                source_tell(ctx, s, "Layer %.*s: field %.*s was left out: there is no place for a %.*s.", STR_FMT(l->name),
                            STR_FMT(name), STR_FMT(word));
            continue;
        }
        if (type == FIELD_OID)
            continue;
        struct source_field *f = source_add_field(ctx, s, l, name, json_string_or(json_get_c(v, "alias"), ctx->arena, STR("")));
        if (!f)
            continue;
        f->index = (int)own->count;
        own->names[own->count++] = name;
        f->field.type = type == FIELD_GLOBALID ? FIELD_STRING : type; /* it is one again when all differ */
        f->form = GUESS_TEXT;
        if (json_int(json_get_c(v, "length"), &length) && length > 0 && length < INT32_MAX && type == FIELD_STRING)
            f->field.length = (int32_t)length;
    }
    return RC_OK;
}

static int find_geometry(struct ctx *ctx, struct source *s, struct source_layer *l, struct collection_own *own)
{
    struct json type = member(own->definition, "geometryType", JSON_STRING), reference;
    type = json_absent(type) ? member(own->set, "geometryType", JSON_STRING) : type;
    str word = json_string_or(type, ctx->arena, STR(""));
    struct crs crs = {.wkid = CRS_WGS84, .wkt = STR("")};
    l->geometry = GEOMETRY_NONE;
    if (word.n && !geometry_type_parse(word, &l->geometry))
        return err_set(ctx, &ERR_INVALID, "layer %.*s has the geometryType %.*s, which is not taken", STR_FMT(l->name),
                       STR_FMT(str_sub(word, 0, SHOWN_BYTES)));
    if (l->geometry == GEOMETRY_NONE)
        return RC_OK;
    reference = json_get_c(own->set, "spatialReference");
    if (json_absent(reference))
        reference = json_get_c(json_get_c(own->definition, "extent"), "spatialReference");
    if (json_absent(reference)) {
        struct json first = json_at(json_get_c(own->set, "features"), 0);
        reference = json_get_c(json_get_c(first, "geometry"), "spatialReference");
    }
    if (!json_absent(reference) && !esri_json_parse_crs(ctx->arena, reference, &crs))
        return err_set(ctx, &ERR_INVALID, "layer %.*s has a spatial reference that is none", STR_FMT(l->name));
    source_aim(ctx, s, l, crs);
    l->has_z = json_bool(json_get_c(own->definition, "hasZ"), json_bool(json_get_c(own->set, "hasZ"), false));
    l->has_m = json_bool(json_get_c(own->definition, "hasM"), json_bool(json_get_c(own->set, "hasM"), false));
    own->form =
        (struct wkb_form){.type = l->geometry, .multi = l->geometry != GEOMETRY_POINT, .has_z = l->has_z, .has_m = l->has_m};
    return RC_OK;
}

static int see_rows(struct ctx *ctx, struct source_layer *l)
{
    CLEANUP(source_rows_close) struct source_rows rows = {.layer = NULL};
    struct source_facts *facts = arena_array(ctx->arena, struct source_facts, l->field_count);
    struct row row;
    struct envelope box;
    int rc;
    TRY(source_rows_open(ctx, l, NULL, 0, &rows));
    while ((rc = source_rows_next(ctx, &rows, &row)) == RC_OK) {
        for (size_t i = 0; i < l->field_count; i++)
            if (l->fields[i].field.type == FIELD_STRING && row.values[i].kind == VALUE_TEXT)
                source_facts_note(&facts[i], &l->fields[i], row.values[i].s);
        if (str_none(row.wkb))
            continue;
        TRY(wkb_measure(ctx, row.wkb, NULL, &box, NULL));
        if (!envelope_empty(&box)) {
            envelope_add(&l->box, box.xmin, box.ymin);
            envelope_add(&l->box, box.xmax, box.ymax);
        }
    }
    for (size_t i = 1; i < l->field_count && rc == RC_END; i++)
        source_facts_decide(&facts[i], &l->fields[i], rows.count, false);
    return rc == RC_END ? RC_OK : rc;
}

static int collection_describe(struct ctx *ctx, struct source *s, struct source_layer *l)
{
    struct collection_own *own = l->own;
    TRY(add_fields(ctx, s, l, own));
    TRY(find_geometry(ctx, s, l, own));
    return see_rows(ctx, l);
}

/* ---- rows ---- */

static int collection_rows_open(struct ctx *ctx, struct source_rows *r)
{
    struct collection_pass *pass = arena_new(ctx->arena, struct collection_pass);
    const struct collection_own *own = r->layer->own;
    pass->features = json_each(json_get_c(own->set, "features"));
    r->own = pass;
    return RC_OK;
}

static void collection_rows_close(struct source_rows *r) { r->own = NULL; }

static bool read_number(struct json v, enum field_type type, struct value *out)
{
    out->kind = VALUE_INT;
    if (type == FIELD_DOUBLE || type == FIELD_SINGLE) {
        out->kind = VALUE_DOUBLE;
        return json_double(v, &out->d);
    }
    if (type == FIELD_INTEGER || type == FIELD_SMALL_INTEGER || type == FIELD_BIG_INTEGER || type == FIELD_DATE)
        return json_int(v, &out->i);
    *out = (struct value){.kind = VALUE_TEXT, .s = json_raw(v)};
    return type == FIELD_STRING || type == FIELD_XML;
}

static bool read_value(struct ctx *ctx, const struct source_field *f, struct json v, char *space, struct value *out)
{
    switch (json_type(v)) {
    case JSON_NONE:
    case JSON_NULL:
        out->kind = VALUE_NULL;
        return true;
    case JSON_NUMBER:
        return read_number(v, f->field.type, out);
    case JSON_STRING:
        return guess_value(json_string(v, ctx->arena), f->field.type, f->form, space, out);
    case JSON_TRUE:
    case JSON_FALSE:
        *out = (struct value){.kind = VALUE_INT, .i = json_bool(v, false)};
        return f->field.type == FIELD_INTEGER || f->field.type == FIELD_SMALL_INTEGER;
    default:
        return false;
    }
}

static int read_geometry(struct ctx *ctx, struct source_rows *r, struct json v, str *out)
{
    const struct collection_own *own = r->layer->own;
    if (r->layer->geometry == GEOMETRY_NONE || json_absent(v) || json_is(v, JSON_NULL))
        return RC_OK;
    buf_clear(&r->wkb);
    buf_clear(&r->moved);
    TRY(esri_json_parse(ctx, v, &own->form, &r->wkb));
    TRY(buf_check(&r->wkb, ctx, "a geometry"));
    *out = buf_str(&r->wkb);
    if (!r->layer->moves)
        return RC_OK;
    TRY(crs_transform_wkb(ctx, &r->layer->crs, &r->layer->target, *out, &r->moved));
    *out = buf_str(&r->moved);
    return buf_check(&r->moved, ctx, "a geometry");
}

static int read_row(struct ctx *ctx, struct source_rows *r, struct json feature, struct row *out)
{
    const struct collection_own *own = r->layer->own;
    struct json attributes = json_get_c(feature, "attributes");
    *out = (struct row){.oid = r->count, .values = r->values, .wkb = STR_NONE};
    for (size_t i = 0; i < r->column_count; i++) {
        const struct source_field *f = r->columns[i];
        if (f->index == SOURCE_OID) {
            r->values[i] = (struct value){.kind = VALUE_INT, .i = r->count};
            continue;
        }
        struct json v = json_get(attributes, own->names[f->index]);
        if (!read_value(ctx, f, v, r->texts[i], &r->values[i]))
            return err_set(ctx, &ERR_INVALID, "field %.*s: '%.*s' is no %s", STR_FMT(f->field.name),
                           STR_FMT(str_sub(json_raw(v), 0, SHOWN_BYTES)), field_type_name(f->field.type));
    }
    return read_geometry(ctx, r, json_get_c(feature, "geometry"), &out->wkb);
}

static int collection_rows_next(struct ctx *ctx, struct source_rows *r, struct row *out)
{
    struct collection_pass *pass = r->own;
    struct json feature;
    if (pass->marked)
        arena_release(ctx->arena, pass->mark);
    pass->mark = arena_mark(ctx->arena);
    pass->marked = true;
    if (!json_next(&pass->features, NULL, &feature))
        return RC_END;
    r->count++;
    int rc = read_row(ctx, r, feature, out);
    if (rc != RC_OK)
        err_add(ctx, "layer %.*s, feature %lld", STR_FMT(r->layer->name), (long long)r->count);
    return rc;
}

const struct source_reader source_collection = {.open = collection_open,
                                                .describe = collection_describe,
                                                .rows_open = collection_rows_open,
                                                .rows_close = collection_rows_close,
                                                .rows_next = collection_rows_next};
