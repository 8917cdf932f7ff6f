/* The definition of a service over the layers of a file, as the admin resource of a feature service has it. */
#include "convert/helper/source.h"
#include "codec/json/json.h"

enum { RECORDS_MAX = 2000, RECORDS_MOST = 1000000 };
static const char *const CAPABILITIES = "\"Query\"";
static const struct envelope WORLD = {-180, -90, 180, 90};

/* What is drawn: a circle, a line, an area. */
static const char *const SYMBOLS[] = {
    [GEOMETRY_POINT] =
        "{\"type\":\"esriSMS\",\"style\":\"esriSMSCircle\",\"color\":[31,120,180,255],\"size\":6,\"angle\":0,\"xoffset\":0,"
        "\"yoffset\":0,\"outline\":{\"color\":[255,255,255,255],\"width\":0.75}}",
    [GEOMETRY_MULTIPOINT] =
        "{\"type\":\"esriSMS\",\"style\":\"esriSMSCircle\",\"color\":[31,120,180,255],\"size\":6,\"angle\":0,\"xoffset\":0,"
        "\"yoffset\":0,\"outline\":{\"color\":[255,255,255,255],\"width\":0.75}}",
    [GEOMETRY_POLYLINE] = "{\"type\":\"esriSLS\",\"style\":\"esriSLSSolid\",\"color\":[31,120,180,255],\"width\":1.5}",
    [GEOMETRY_POLYGON] =
        "{\"type\":\"esriSFS\",\"style\":\"esriSFSSolid\",\"color\":[166,206,227,191],\"outline\":{\"type\":\"esriSLS\","
        "\"style\":\"esriSLSSolid\",\"color\":[110,110,110,255],\"width\":0.75}}",
};
static const char *const DRAWING_TOOLS[] = {
    [GEOMETRY_NONE] = "esriFeatureEditToolNone",        [GEOMETRY_POINT] = "esriFeatureEditToolPoint",
    [GEOMETRY_MULTIPOINT] = "esriFeatureEditToolPoint", [GEOMETRY_POLYLINE] = "esriFeatureEditToolLine",
    [GEOMETRY_POLYGON] = "esriFeatureEditToolPolygon",
};
static const char *const SQL_TYPES[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = "sqlTypeInteger",
    [FIELD_GLOBALID] = "sqlTypeGUID",
    [FIELD_GUID] = "sqlTypeGUID",
    [FIELD_STRING] = "sqlTypeNVarchar",
    [FIELD_INTEGER] = "sqlTypeInteger",
    [FIELD_SMALL_INTEGER] = "sqlTypeSmallInt",
    [FIELD_BIG_INTEGER] = "sqlTypeBigInt",
    [FIELD_DOUBLE] = "sqlTypeFloat",
    [FIELD_SINGLE] = "sqlTypeReal",
    [FIELD_DATE] = "sqlTypeTimestamp2",
    [FIELD_DATE_ONLY] = "sqlTypeOther",
    [FIELD_TIME_ONLY] = "sqlTypeOther",
    [FIELD_TIMESTAMP_OFFSET] = "sqlTypeOther",
    [FIELD_BLOB] = "sqlTypeOther",
    [FIELD_XML] = "sqlTypeOther",
};

/* A member of publishParameters as it is, else what stands in for it. */
static void print_parameter(struct json_out *o, const struct source *s, const char *name, enum json_type type,
                            const char *otherwise)
{
    struct json v = json_get_c(s->parameters, name);
    json_member_raw(o, name, json_is(v, type) ? json_raw(v) : str_c(otherwise));
}

/* maxRecordCount: -1 is no limit of its own. */
static int64_t record_limit(const struct source *s)
{
    int64_t n;
    return json_int(json_get_c(s->parameters, "maxRecordCount"), &n) && n > 0 && n <= RECORDS_MOST ? n : RECORDS_MAX;
}

static void print_reference(struct json_out *o, const struct crs *crs)
{
    json_begin_object(o);
    if (crs->wkid) {
        json_member_int(o, "wkid", crs_esri_wkid(crs->wkid));
        json_member_int(o, "latestWkid", crs_latest_wkid(crs->wkid));
    } else if (crs->wkt.n) {
        json_member_str(o, "wkt", crs->wkt);
    }
    json_end_object(o);
}

static void print_extent(struct json_out *o, const char *name, const struct envelope *box, const struct crs *crs)
{
    const struct envelope *e = envelope_empty(box) ? &WORLD : box;
    json_name(o, name);
    json_begin_object(o);
    json_member_double(o, "xmin", e->xmin);
    json_member_double(o, "ymin", e->ymin);
    json_member_double(o, "xmax", e->xmax);
    json_member_double(o, "ymax", e->ymax);
    json_name(o, "spatialReference");
    print_reference(o, crs);
    json_end_object(o);
}

static void print_field(struct json_out *o, const struct field *f)
{
    json_begin_object(o);
    json_member_str(o, "name", f->name);
    json_member_c(o, "type", field_type_name(f->type));
    json_member_c(o, "actualType", NULL);
    json_member_str(o, "alias", f->alias);
    json_member_c(o, "sqlType", SQL_TYPES[f->type]);
    if (f->length)
        json_member_int(o, "length", f->length);
    json_member_bool(o, "nullable", f->nullable);
    json_member_bool(o, "editable", f->editable);
    json_member_raw(o, "domain", f->domain.n ? f->domain : STR("null"));
    json_member_null(o, "defaultValue");
    json_end_object(o);
}

/* The first text that is called a name, else the first text, else the row's id. */
static str display_field(const struct source_layer *l)
{
    static const char *const WORDS[] = {"name", "title", "label"};
    for (size_t w = 0; w < COUNT_OF(WORDS); w++)
        for (size_t i = 0; i < l->field_count; i++)
            if (l->fields[i].field.type == FIELD_STRING && str_ifind(l->fields[i].field.name, str_c(WORDS[w]), 0) != SIZE_MAX)
                return l->fields[i].field.name;
    for (size_t i = 0; i < l->field_count; i++)
        if (l->fields[i].field.type == FIELD_STRING)
            return l->fields[i].field.name;
    return l->fields[0].field.name;
}

static void print_template(struct json_out *o, const struct source_layer *l)
{
    json_name(o, "templates");
    json_begin_array(o);
    json_begin_object(o);
    json_member_c(o, "name", "New Feature");
    json_member_c(o, "description", "");
    json_member_c(o, "drawingTool", DRAWING_TOOLS[l->geometry]);
    json_name(o, "prototype");
    json_begin_object(o);
    json_name(o, "attributes");
    json_begin_object(o);
    for (size_t i = 0; i < l->field_count; i++) {
        if (!l->fields[i].field.editable)
            continue;
        json_name_str(o, l->fields[i].field.name);
        json_put_null(o);
    }
    json_end_object(o);
    json_end_object(o);
    json_end_object(o);
    json_end_array(o);
}

static void print_geometry_members(struct json_out *o, const struct source_layer *l)
{
    json_member_c(o, "geometryType", geometry_type_name(l->geometry));
    json_member_bool(o, "hasZ", l->has_z);
    json_member_bool(o, "hasM", l->has_m);
    json_member_bool(o, "enableZDefaults", l->has_z);
    if (l->has_z)
        json_member_int(o, "zDefault", 0);
    json_member_bool(o, "allowGeometryUpdates", true);
    print_extent(o, "extent", &l->box, &l->target);
    json_name(o, "drawingInfo");
    json_begin_object(o);
    json_name(o, "renderer");
    json_begin_object(o);
    json_member_c(o, "type", "simple");
    json_member_raw(o, "symbol", str_c(SYMBOLS[l->geometry]));
    json_end_object(o);
    json_member_int(o, "transparency", 0);
    json_member_null(o, "labelingInfo");
    json_end_object(o);
}

static void print_layer(struct json_out *o, const struct source *s, const struct source_layer *l, size_t layer_id)
{
    json_begin_object(o);
    json_member_int(o, "id", (int64_t)layer_id);
    json_member_str(o, "name", l->name);
    json_member_c(o, "type", l->geometry == GEOMETRY_NONE ? "Table" : "Feature Layer");
    json_member_str(o, "displayField", display_field(l));
    json_member_c(o, "description", "");
    print_parameter(o, s, "copyrightText", JSON_STRING, "\"\"");
    json_member_bool(o, "defaultVisibility", true);
    if (l->geometry != GEOMETRY_NONE)
        print_geometry_members(o, l);
    json_member_bool(o, "hasAttachments", false);
    json_member_c(o, "htmlPopupType", "esriServerHTMLPopupTypeAsHTMLText");
    json_member_c(o, "objectIdField", "OBJECTID");
    json_name(o, "uniqueIdField");
    json_put_raw(o, STR("{\"name\":\"OBJECTID\",\"isSystemMaintained\":true}"));
    str global_id = STR("");
    for (size_t i = 0; i < l->field_count; i++)
        if (l->fields[i].field.type == FIELD_GLOBALID)
            global_id = l->fields[i].field.name;
    json_member_str(o, "globalIdField", global_id);
    json_member_c(o, "typeIdField", "");
    json_name(o, "fields");
    json_begin_array(o);
    for (size_t i = 0; i < l->field_count; i++)
        print_field(o, &l->fields[i].field);
    json_end_array(o);
    json_member_raw(o, "indexes", STR("[]"));
    json_member_raw(o, "types", STR("[]"));
    print_template(o, l);
    json_member_raw(o, "relationships", STR("[]"));
    print_parameter(o, s, "capabilities", JSON_STRING, CAPABILITIES);
    json_member_bool(o, "hasStaticData", json_bool(json_get_c(s->parameters, "hasStaticData"), false));
    json_member_int(o, "maxRecordCount", record_limit(s));
    json_end_object(o);
}

static void print_layers(struct json_out *o, const char *name, const struct source *s, bool tables)
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < s->layer_count; i++)
        if ((s->layers[i].geometry == GEOMETRY_NONE) == tables)
            print_layer(o, s, &s->layers[i], i);
    json_end_array(o);
}

/* The service's reference is that of its first layer; boxes of layers in others are brought to it. */
static struct envelope whole_extent(struct ctx *ctx, const struct source *s, const struct crs *reference)
{
    struct envelope whole = ENVELOPE_EMPTY, box;
    for (size_t i = 0; i < s->layer_count; i++) {
        const struct source_layer *l = &s->layers[i];
        if (envelope_empty(&l->box))
            continue;
        if (crs_transform_envelope(ctx, &l->target, reference, &l->box, &box) != RC_OK) {
            err_clear(ctx);
            continue;
        }
        envelope_add(&whole, box.xmin, box.ymin);
        envelope_add(&whole, box.xmax, box.ymax);
    }
    return whole;
}

static void print_service(struct ctx *ctx, struct json_out *o, const struct source *s)
{
    struct crs reference = {.wkid = CRS_WGS84, .wkt = STR("")};
    if (s->layer_count && s->layers[0].geometry != GEOMETRY_NONE)
        reference = s->layers[0].target;
    struct envelope whole = whole_extent(ctx, s, &reference);
    struct crs_info info = {.geographic = true};
    if (crs_describe(ctx, &reference, &info) != RC_OK)
        err_clear(ctx);
    json_begin_object(o);
    struct json description = json_get_c(s->parameters, "description");
    json_member_raw(o, "serviceDescription", json_is(description, JSON_STRING) ? json_raw(description) : STR("\"\""));
    json_member_bool(o, "hasVersionedData", false);
    json_member_int(o, "maxRecordCount", record_limit(s));
    json_member_c(o, "supportedQueryFormats", "JSON, geoJSON");
    print_parameter(o, s, "capabilities", JSON_STRING, CAPABILITIES);
    print_parameter(o, s, "description", JSON_STRING, "\"\"");
    print_parameter(o, s, "copyrightText", JSON_STRING, "\"\"");
    json_member_bool(o, "hasStaticData", json_bool(json_get_c(s->parameters, "hasStaticData"), false));
    json_name(o, "spatialReference");
    print_reference(o, &reference);
    print_extent(o, "initialExtent", &whole, &reference);
    print_extent(o, "fullExtent", &whole, &reference);
    json_member_bool(o, "allowGeometryUpdates", true);
    json_member_c(o, "units", info.geographic ? "esriDecimalDegrees" : "esriMeters");
    json_member_bool(o, "syncEnabled", false);
    print_layers(o, "layers", s, false);
    print_layers(o, "tables", s, true);
    json_end_object(o);
}

int source_print(struct ctx *ctx, struct source *s, struct buf *out)
{
    struct json_out o;
    json_out_buf(&o, ctx, out);
    json_begin_object(&o);
    json_name(&o, "definition");
    print_service(ctx, &o, s);
    json_name(&o, "messages");
    json_begin_array(&o);
    if (s->messages.n)
        json_put_raw(&o, buf_str(&s->messages));
    json_end_array(&o);
    json_name(&o, "parameters");
    json_put_raw(&o, arena_printf(ctx->arena, "{%.*s}", STR_FMT(buf_str(&s->found))));
    json_end_object(&o);
    return json_out_end(&o, "the definition");
}
