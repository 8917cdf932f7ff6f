/* Reading a hosted service's definition: see layer.h. */
#include "model/layer.h"

enum { NAME_MAX_BYTES = 512, RECORD_COUNT_DEFAULT = 2000 };

static const char *const FIELD_NAMES[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = "esriFieldTypeOID",
    [FIELD_GLOBALID] = "esriFieldTypeGlobalID",
    [FIELD_GUID] = "esriFieldTypeGUID",
    [FIELD_STRING] = "esriFieldTypeString",
    [FIELD_INTEGER] = "esriFieldTypeInteger",
    [FIELD_SMALL_INTEGER] = "esriFieldTypeSmallInteger",
    [FIELD_BIG_INTEGER] = "esriFieldTypeBigInteger",
    [FIELD_DOUBLE] = "esriFieldTypeDouble",
    [FIELD_SINGLE] = "esriFieldTypeSingle",
    [FIELD_DATE] = "esriFieldTypeDate",
    [FIELD_DATE_ONLY] = "esriFieldTypeDateOnly",
    [FIELD_TIME_ONLY] = "esriFieldTypeTimeOnly",
    [FIELD_TIMESTAMP_OFFSET] = "esriFieldTypeTimestampOffset",
    [FIELD_BLOB] = "esriFieldTypeBlob",
    [FIELD_XML] = "esriFieldTypeXML",
};
static const char *const GEOMETRY_NAMES[] = {
    [GEOMETRY_NONE] = "",
    [GEOMETRY_POINT] = "esriGeometryPoint",
    [GEOMETRY_MULTIPOINT] = "esriGeometryMultipoint",
    [GEOMETRY_POLYLINE] = "esriGeometryPolyline",
    [GEOMETRY_POLYGON] = "esriGeometryPolygon",
};
static const char *const CARDINALITY_NAMES[] = {
    [RELATION_ONE_TO_ONE] = "esriRelCardinalityOneToOne",
    [RELATION_ONE_TO_MANY] = "esriRelCardinalityOneToMany",
    [RELATION_MANY_TO_MANY] = "esriRelCardinalityManyToMany",
};

/* Index of the name in a table, or `count`. */
static size_t find_name(const char *const *names, size_t count, str s)
{
    size_t i = 0;
    while (i < count && !str_eq(str_c(names[i]), s))
        i++;
    return i;
}

const char *field_type_name(enum field_type t) { return FIELD_NAMES[t]; }

bool field_type_parse(str s, enum field_type *out)
{
    size_t i = find_name(FIELD_NAMES, COUNT_OF(FIELD_NAMES), s);
    if (i == COUNT_OF(FIELD_NAMES))
        return false;
    *out = (enum field_type)i;
    return true;
}

const char *geometry_type_name(enum geometry_type t) { return GEOMETRY_NAMES[t]; }

bool geometry_type_parse(str s, enum geometry_type *out)
{
    size_t i = find_name(GEOMETRY_NAMES, COUNT_OF(GEOMETRY_NAMES), s);
    if (i == COUNT_OF(GEOMETRY_NAMES))
        return false;
    *out = (enum geometry_type)i;
    return true;
}

const struct layer *service_layer(const struct service *s, int32_t layer_id)
{
    for (size_t i = 0; i < s->layer_count; i++)
        if (s->layers[i].id == layer_id)
            return &s->layers[i];
    return NULL;
}

const struct field *layer_field(const struct layer *l, str name, size_t *index_out)
{
    for (size_t i = 0; i < l->field_count; i++) {
        if (str_ieq(l->fields[i].name, name)) {
            if (index_out)
                *index_out = i;
            return &l->fields[i];
        }
    }
    return NULL;
}

/* ---- parsing ---- */
static int bad(struct ctx *ctx, struct json at, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "service definition, %.*s: %s", STR_FMT(json_pointer(at, ctx->arena)), what);
}

static str text_of(struct ctx *ctx, struct json object, const char *name)
{
    return json_string_or(json_get_c(object, name), ctx->arena, STR(""));
}

static bool int32_of(struct json object, const char *name, int32_t *out)
{
    int64_t v;
    if (!json_int(json_get_c(object, name), &v) || v < INT32_MIN || v > INT32_MAX)
        return false;
    *out = (int32_t)v;
    return true;
}

/* JSON text of a member, "" when it is missing or null. */
static str raw_of(struct json object, const char *name)
{
    struct json v = json_get_c(object, name);
    return json_absent(v) || json_is(v, JSON_NULL) ? STR("") : json_raw(v);
}

/* A name that can stand in an answer and in a table: some bytes, none of them a control character. */
static int parse_name(struct ctx *ctx, struct json object, str *out)
{
    *out = text_of(ctx, object, "name");
    if (out->n == 0 || out->n > NAME_MAX_BYTES)
        return bad(ctx, object, "no name, or one that is too long");
    for (size_t i = 0; i < out->n; i++)
        if ((unsigned char)out->p[i] < 0x20)
            return bad(ctx, object, "a control character in the name");
    return RC_OK;
}

static int parse_field(struct ctx *ctx, struct json v, struct field *f)
{
    TRY(parse_name(ctx, v, &f->name));
    if (!field_type_parse(text_of(ctx, v, "type"), &f->type))
        return bad(ctx, v, "unknown field type");
    f->alias = json_string_or(json_get_c(v, "alias"), ctx->arena, f->name);
    if (!int32_of(v, "length", &f->length) || f->length < 0)
        f->length = 0;
    f->nullable = json_bool(json_get_c(v, "nullable"), true);
    f->editable = json_bool(json_get_c(v, "editable"), true);
    f->domain = raw_of(v, "domain");
    f->default_value = raw_of(v, "defaultValue");
    return RC_OK;
}

void layer_put_fields(struct json_out *o, const struct layer *l)
{
    json_name(o, "fields");
    json_begin_array(o);
    for (size_t i = 0; i < l->field_count; i++) {
        const struct field *f = &l->fields[i];
        json_begin_object(o);
        json_member_str(o, "name", f->name);
        json_member_c(o, "type", field_type_name(f->type));
        json_member_str(o, "alias", f->alias);
        if (f->length > 0)
            json_member_int(o, "length", f->length);
        json_member_bool(o, "nullable", f->nullable);
        json_member_bool(o, "editable", f->editable);
        json_member_raw(o, "domain", str_empty(f->domain) ? STR("null") : f->domain);
        json_member_raw(o, "defaultValue", str_empty(f->default_value) ? STR("null") : f->default_value);
        json_end_object(o);
    }
    json_end_array(o);
}

/* The geometry stands among the fields in some definitions; it is none of the attributes. */
static bool is_geometry_field(struct json v) { return json_string_eq(json_get_c(v, "type"), STR("esriFieldTypeGeometry")); }

static int parse_fields(struct ctx *ctx, struct layer *l)
{
    struct json list = json_get_c(l->json, "fields"), v;
    if (json_count(list) > LAYER_FIELDS_MAX)
        return bad(ctx, list, "too many fields");
    l->fields = arena_array(ctx->arena, struct field, json_count(list));
    l->oid_field = l->globalid_field = SIZE_MAX;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        if (is_geometry_field(v))
            continue;
        struct field *f = &l->fields[l->field_count];
        TRY(parse_field(ctx, v, f));
        if (layer_field(l, f->name, NULL))
            return bad(ctx, v, "a second field of that name");
        if (f->type == FIELD_OID && l->oid_field != SIZE_MAX)
            return bad(ctx, v, "a second object id field");
        if (f->type == FIELD_OID)
            l->oid_field = l->field_count;
        if (f->type == FIELD_GLOBALID && l->globalid_field == SIZE_MAX)
            l->globalid_field = l->field_count;
        l->field_count++;
    }
    return l->oid_field == SIZE_MAX ? bad(ctx, l->json, "no object id field") : RC_OK;
}

/* The layer's own, else that of its extent, else the service's. */
static void parse_reference(struct ctx *ctx, struct json service, struct layer *l)
{
    struct json candidates[] = {
        json_get_c(l->json, "spatialReference"),
        json_get_c(l->json, "sourceSpatialReference"),
        json_get_c(json_get_c(l->json, "extent"), "spatialReference"),
        json_get_c(service, "spatialReference"),
    };
    for (size_t i = 0; i < COUNT_OF(candidates) && l->wkid == 0 && l->wkt.n == 0; i++) {
        int32_t latest = 0;
        if (!int32_of(candidates[i], "wkid", &l->wkid))
            l->wkid = 0;
        if (int32_of(candidates[i], "latestWkid", &latest))
            l->latest_wkid = latest;
        l->wkt = text_of(ctx, candidates[i], "wkt");
    }
    if (l->latest_wkid == 0)
        l->latest_wkid = l->wkid;
}

static int parse_relations(struct ctx *ctx, struct layer *l)
{
    struct json list = json_get_c(l->json, "relationships"), v;
    l->relations = arena_array(ctx->arena, struct layer_relation, json_count(list));
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        struct layer_relation *r = &l->relations[l->relation_count++];
        size_t cardinality = find_name(CARDINALITY_NAMES, COUNT_OF(CARDINALITY_NAMES), text_of(ctx, v, "cardinality"));
        if (!int32_of(v, "id", &r->id) || !int32_of(v, "relatedTableId", &r->related_layer))
            return bad(ctx, v, "a relationship without id or relatedTableId");
        if (cardinality == COUNT_OF(CARDINALITY_NAMES))
            return bad(ctx, v, "unknown cardinality");
        r->cardinality = (int)cardinality;
        r->name = text_of(ctx, v, "name");
        r->key_field = text_of(ctx, v, "keyField");
        r->origin = !json_string_eq(json_get_c(v, "role"), STR("esriRelRoleDestination"));
        r->composite = json_bool(json_get_c(v, "composite"), false);
        if (!layer_field(l, r->key_field, NULL))
            return bad(ctx, v, "the key field is no field of the layer");
    }
    return RC_OK;
}

static int parse_layer(struct ctx *ctx, struct json service, struct json v, bool is_table, struct layer *l)
{
    *l = (struct layer){.json = v, .is_table = is_table || json_string_eq(json_get_c(v, "type"), STR("Table"))};
    if (!int32_of(v, "id", &l->id) || l->id < 0)
        return bad(ctx, v, "no layer id");
    TRY(parse_name(ctx, v, &l->name));
    if (!l->is_table && (!geometry_type_parse(text_of(ctx, v, "geometryType"), &l->geometry) || l->geometry == GEOMETRY_NONE))
        return bad(ctx, v, "unknown geometry type");
    l->has_z = !l->is_table && json_bool(json_get_c(v, "hasZ"), false);
    l->has_m = !l->is_table && json_bool(json_get_c(v, "hasM"), false);
    l->display_field = text_of(ctx, v, "displayField");
    l->has_attachments = json_bool(json_get_c(v, "hasAttachments"), false);
    if (!l->is_table)
        parse_reference(ctx, service, l);
    TRY(parse_fields(ctx, l));
    return parse_relations(ctx, l);
}

static int add_layers(struct ctx *ctx, struct json list, bool are_tables, struct service *s)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        struct layer l;
        TRY(parse_layer(ctx, s->json, v, are_tables, &l));
        for (size_t i = 0; i < s->layer_count; i++)
            if (s->layers[i].id == l.id || str_eq(s->layers[i].name, l.name))
                return bad(ctx, v, "a second layer of that id or name");
        size_t at = s->layer_count++;
        for (; at > 0 && s->layers[at - 1].id > l.id; at--)
            s->layers[at] = s->layers[at - 1];
        s->layers[at] = l;
    }
    return RC_OK;
}

static int check_relations(struct ctx *ctx, const struct service *s)
{
    for (size_t i = 0; i < s->layer_count; i++)
        for (size_t r = 0; r < s->layers[i].relation_count; r++)
            if (!service_layer(s, s->layers[i].relations[r].related_layer))
                return bad(ctx, json_get_c(s->layers[i].json, "relationships"), "a relationship to a layer that is not there");
    return RC_OK;
}

int service_parse(struct ctx *ctx, str definition, struct service *out)
{
    *out = (struct service){.max_record_count = RECORD_COUNT_DEFAULT};
    TRY(json_parse(ctx, definition, &out->json));
    if (!json_is(out->json, JSON_OBJECT))
        return err_set(ctx, &ERR_INVALID, "service definition: not an object");
    struct json layers = json_get_c(out->json, "layers"), tables = json_get_c(out->json, "tables");
    size_t count = json_count(layers) + json_count(tables);
    if (count > SERVICE_LAYERS_MAX)
        return err_set(ctx, &ERR_INVALID, "service definition: %zu layers, at most %d are accepted", count, SERVICE_LAYERS_MAX);
    out->layers = arena_array(ctx->arena, struct layer, count);
    out->name = text_of(ctx, out->json, "name");
    int32_t records;
    if (int32_of(out->json, "maxRecordCount", &records) && records > 0)
        out->max_record_count = records;
    out->capabilities = json_string_or(json_get_c(out->json, "capabilities"), ctx->arena, STR("Query"));
    TRY(add_layers(ctx, layers, false, out));
    TRY(add_layers(ctx, tables, true, out));
    return check_relations(ctx, out);
}
