/* Definitions as clients send them, completed to what a real server answers: createService and addToDefinition take the least,
 * and every client expects the most (api.md 4.1, 4.6). What is given stays as it is. */
#include "service/hosted_private.h"
#include "model/geometry/esri_json.h"

enum { DEFINITION_MAX = 256 << 20, STRING_LENGTH = 256 };

static str text_of(struct ctx *ctx, struct json object, const char *name)
{
    return json_string_or(json_get_c(object, name), ctx->arena, STR(""));
}

static bool given(struct json v) { return !json_absent(v) && !json_is(v, JSON_NULL); }

/* ---- spatial references and extents ---- */

static str reference_text(struct ctx *ctx, const struct crs *crs)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    esri_json_put_crs(&o, crs);
    return arena_str(ctx->arena, buf_str(&b));
}

/* The first of the candidates that is one. */
static struct crs first_reference(struct ctx *ctx, const struct json *candidates, size_t count)
{
    struct crs crs = {.wkid = CRS_WEB_MERCATOR}; /* what hosted services have when nothing is said */
    for (size_t i = 0; i < count; i++)
        if (given(candidates[i]) && esri_json_parse_crs(ctx->arena, candidates[i], &crs))
            return crs;
    return (struct crs){.wkid = CRS_WEB_MERCATOR};
}

/* The world as far as the system reaches; JSON null when it cannot be said. */
static str world_extent(struct ctx *ctx, const struct crs *crs)
{
    static const struct crs degrees = {.wkid = CRS_WGS84}, mercator = {.wkid = CRS_WEB_MERCATOR};
    struct envelope globe = {.xmin = -180, .ymin = -90, .xmax = 180, .ymax = 90}, world;
    bool web = crs_same(crs, &mercator);
    if (web)
        globe.ymin = -(globe.ymax = 85.0511287798066);
    struct ctx child;
    ctx_child(&child, ctx);
    int rc = crs_transform_envelope(&child, &degrees, crs, &globe, &world);
    ctx_close(&child);
    if (rc != RC_OK)
        return STR("null");
    return arena_printf(ctx->arena, "{\"xmin\":%.15g,\"ymin\":%.15g,\"xmax\":%.15g,\"ymax\":%.15g,\"spatialReference\":%.*s}",
                        world.xmin, world.ymin, world.xmax, world.ymax, STR_FMT(reference_text(ctx, crs)));
}

static bool is_degrees(struct ctx *ctx, const struct crs *crs)
{
    struct crs_info info;
    struct ctx child;
    ctx_child(&child, ctx);
    bool degrees = crs_describe(&child, crs, &info) == RC_OK && info.geographic;
    ctx_close(&child);
    return degrees;
}

/* ---- the service ---- */

int hosted_complete_service(struct ctx *ctx, str name, struct json parameters, int32_t record_count, str *out)
{
    struct json candidates[] = {json_get_c(parameters, "spatialReference"),
                                json_get_c(json_get_c(parameters, "initialExtent"), "spatialReference")};
    struct crs crs = first_reference(ctx, candidates, COUNT_OF(candidates));
    str world = world_extent(ctx, &crs);
    struct json initial = json_get_c(parameters, "initialExtent");
    bool latest = given(json_get_c(candidates[0], "latestWkid")); /* clients read that one, and send the other */
    const struct hosted_member list[] = {
        {"name", hosted_json_string(ctx, name), true},
        {"serviceDescription", STR("\"\""), false},
        {"hasStaticData", STR("false"), false},
        {"maxRecordCount", arena_printf(ctx->arena, "%d", record_count), false},
        {"capabilities", STR("\"Query\""), false},
        {"description", STR("\"\""), false},
        {"copyrightText", STR("\"\""), false},
        {"spatialReference", reference_text(ctx, &crs), !latest},
        {"initialExtent", world, false},
        {"fullExtent", given(initial) ? json_raw(initial) : world, false},
        {"allowGeometryUpdates", STR("true"), false},
        {"units", is_degrees(ctx, &crs) ? STR("\"esriDecimalDegrees\"") : STR("\"esriMeters\""), false},
        {"xssPreventionInfo",
         STR("{\"xssPreventionEnabled\":true,\"xssPreventionRule\":\"InputOnly\",\"xssInputRule\":\"rejectInvalid\"}"), false},
        {"editorTrackingInfo",
         STR("{\"enableEditorTracking\":false,\"enableOwnershipAccessControl\":false,\"allowOthersToQuery\":true,"
             "\"allowOthersToUpdate\":true,\"allowOthersToDelete\":true,\"allowAnonymousToQuery\":true,"
             "\"allowAnonymousToUpdate\":true,"
             "\"allowAnonymousToDelete\":true}"),
         false},
        {"layers", STR("[]"), false},
        {"tables", STR("[]"), false},
    };
    *out = hosted_json_object(ctx, parameters, list, COUNT_OF(list));
    return RC_OK;
}

/* ---- fields ---- */

str hosted_complete_field(struct ctx *ctx, struct json field)
{
    enum field_type type = FIELD_STRING;
    (void)field_type_parse(text_of(ctx, field, "type"), &type);
    bool system = type == FIELD_OID || type == FIELD_GLOBALID;
    struct json name = json_get_c(field, "name");
    const struct hosted_member list[] = {
        {"alias", json_is(name, JSON_STRING) ? json_raw(name) : STR("\"\""), false},
        {"sqlType", STR("\"sqlTypeOther\""), false},
        {"length", type == FIELD_STRING ? arena_printf(ctx->arena, "%d", STRING_LENGTH) : STR_NONE, false},
        {"nullable", system ? STR("false") : STR("true"), false},
        {"editable", system ? STR("false") : STR("true"), false},
        {"domain", STR("null"), false},
        {"defaultValue", STR("null"), false},
    };
    return hosted_json_object(ctx, field, list, COUNT_OF(list));
}

/* What the fields say about the layer, found while they are completed. */
struct field_names {
    str oid, global_id, display;
};

static bool has_field(struct json fields, str name, struct arena *a)
{
    struct json v;
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);)
        if (str_ieq(json_string_or(json_get_c(v, "name"), a, STR("")), name))
            return true;
    return false;
}

static str new_oid_name(struct ctx *ctx, struct json fields)
{
    str name = STR("OBJECTID");
    for (unsigned i = 1; has_field(fields, name, ctx->arena); i++)
        name = arena_printf(ctx->arena, "OBJECTID_%u", i);
    return name;
}

static void note_field(struct ctx *ctx, struct json field, struct field_names *names)
{
    enum field_type type;
    if (!field_type_parse(text_of(ctx, field, "type"), &type))
        return;
    str name = text_of(ctx, field, "name");
    if (type == FIELD_OID && str_none(names->oid))
        names->oid = name;
    if (type == FIELD_GLOBALID && str_none(names->global_id))
        names->global_id = name;
    if (type == FIELD_STRING && str_none(names->display))
        names->display = name;
}

static bool is_geometry(struct json field) { return json_string_eq(json_get_c(field, "type"), STR("esriFieldTypeGeometry")); }

static str complete_fields(struct ctx *ctx, struct json fields, struct field_names *names)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    struct json v;
    *names = (struct field_names){STR_NONE, STR_NONE, STR_NONE};
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);)
        note_field(ctx, v, names);
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    if (str_none(names->oid)) {
        names->oid = new_oid_name(ctx, fields);
        json_put_raw(
            &o, arena_printf(ctx->arena,
                             "{\"name\":\"%.*s\",\"type\":\"esriFieldTypeOID\",\"alias\":\"%.*s\",\"sqlType\":\"sqlTypeOther\","
                             "\"nullable\":false,\"editable\":false,\"domain\":null,\"defaultValue\":null}",
                             STR_FMT(names->oid), STR_FMT(names->oid)));
    }
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);)
        if (!is_geometry(v))
            json_put_raw(&o, hosted_complete_field(ctx, v));
    json_end_array(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

/* ---- layers ---- */

static const struct {
    const char *drawing_info, *tool;
} geometry_defaults[] = {
    [GEOMETRY_NONE] = {"null", "esriFeatureEditToolNone"},
    [GEOMETRY_POINT] = {"{\"renderer\":{\"type\":\"simple\",\"symbol\":{\"type\":\"esriSMS\",\"style\":\"esriSMSCircle\","
                        "\"color\":[0,112,255,255],"
                        "\"size\":6,\"angle\":0,\"xoffset\":0,\"yoffset\":0,\"outline\":{\"color\":[255,255,255,255],\"width\":0."
                        "75}},\"label\":\"\","
                        "\"description\":\"\"},\"transparency\":0,\"labelingInfo\":null}",
                        "esriFeatureEditToolPoint"},
    [GEOMETRY_MULTIPOINT] = {"{\"renderer\":{\"type\":\"simple\",\"symbol\":{\"type\":\"esriSMS\",\"style\":\"esriSMSCircle\","
                             "\"color\":[0,112,255,255],"
                             "\"size\":6,\"angle\":0,\"xoffset\":0,\"yoffset\":0,\"outline\":{\"color\":[255,255,255,255],"
                             "\"width\":0.75}},\"label\":\"\","
                             "\"description\":\"\"},\"transparency\":0,\"labelingInfo\":null}",
                             "esriFeatureEditToolPoint"},
    [GEOMETRY_POLYLINE] = {"{\"renderer\":{\"type\":\"simple\",\"symbol\":{\"type\":\"esriSLS\",\"style\":\"esriSLSSolid\","
                           "\"color\":[0,112,255,255],"
                           "\"width\":1.5},\"label\":\"\",\"description\":\"\"},\"transparency\":0,\"labelingInfo\":null}",
                           "esriFeatureEditToolLine"},
    [GEOMETRY_POLYGON] =
        {"{\"renderer\":{\"type\":\"simple\",\"symbol\":{\"type\":\"esriSFS\",\"style\":\"esriSFSSolid\",\"color\":[0,112,255,80]"
         ","
         "\"outline\":{\"type\":\"esriSLS\",\"style\":\"esriSLSSolid\",\"color\":[0,60,140,255],\"width\":0.75}},\"label\":\"\","
         "\"description\":\"\"},\"transparency\":0,\"labelingInfo\":null}",
         "esriFeatureEditToolPolygon"},
};

static str new_indexes(struct ctx *ctx, str oid, bool is_table)
{
    return arena_printf(
        ctx->arena,
        "[{\"name\":\"%.*s_idx\",\"fields\":\"%.*s\",\"isAscending\":true,\"isUnique\":true,\"description\":\"primary key\"}%s]",
        STR_FMT(oid), STR_FMT(oid),
        is_table ? ""
                 : ",{\"name\":\"Shape_idx\",\"fields\":\"Shape\",\"isAscending\":true,\"isUnique\":false,"
                   "\"description\":\"spatial index\"}");
}

/* What only layers with geometry have: written into `list`, how many in the result. */
static size_t geometry_members(struct ctx *ctx, struct json service, struct json layer, struct hosted_member *list)
{
    struct json candidates[] = {json_get_c(layer, "spatialReference"), json_get_c(layer, "sourceSpatialReference"),
                                json_get_c(json_get_c(layer, "extent"), "spatialReference"),
                                json_get_c(service, "spatialReference")};
    struct crs crs = first_reference(ctx, candidates, COUNT_OF(candidates)), service_crs = {0};
    esri_json_parse_crs(ctx->arena, json_get_c(service, "spatialReference"), &service_crs);
    struct json full = json_get_c(service, "fullExtent");
    bool same = given(full) && crs_same(&crs, &service_crs);
    const struct hosted_member own[] = {
        {"spatialReference", reference_text(ctx, &crs), true},
        {"sourceSpatialReference", reference_text(ctx, &crs), false},
        {"extent", same ? json_raw(full) : world_extent(ctx, &crs), false},
        {"geometryField", STR("{\"name\":\"Shape\",\"type\":\"esriFieldTypeGeometry\",\"alias\":\"Shape\"}"), false},
        {"hasZ", STR("false"), false},
        {"hasM", STR("false"), false},
        {"allowGeometryUpdates", STR("true"), false},
    };
    memcpy(list, own, sizeof own);
    return COUNT_OF(own);
}

int hosted_complete_layer(struct ctx *ctx, struct json service, struct json layer, int32_t layer_id, bool is_table, str *out)
{
    enum { MEMBERS_MAX = 40 };
    struct hosted_member list[MEMBERS_MAX];
    struct field_names names;
    enum geometry_type geometry = GEOMETRY_NONE;
    if (!json_is(layer, JSON_OBJECT))
        return err_set(ctx, &ERR_DEFINITION, "A layer has to be a JSON object.");
    if (json_count(json_get_c(layer, "fields")) > LAYER_FIELDS_MAX)
        return err_set(ctx, &ERR_DEFINITION, "Layer %d: more than %d fields.", layer_id, LAYER_FIELDS_MAX);
    if (!is_table && !geometry_type_parse(text_of(ctx, layer, "geometryType"), &geometry))
        return err_set(ctx, &ERR_DEFINITION, "Layer %d: 'geometryType' is missing or not supported.", layer_id);
    str fields = complete_fields(ctx, json_get_c(layer, "fields"), &names);
    str oid = hosted_json_string(ctx, names.oid);
    const struct hosted_member common[] = {
        {"id", arena_printf(ctx->arena, "%d", layer_id), true},
        {"type", is_table ? STR("\"Table\"") : STR("\"Feature Layer\""), true},
        {"displayField", hosted_json_string(ctx, str_none(names.display) ? names.oid : names.display), false},
        {"description", STR("\"\""), false},
        {"copyrightText", STR("\"\""), false},
        {"defaultVisibility", STR("true"), false},
        {"editFieldsInfo", STR("null"), false},
        {"ownershipBasedAccessControlForFeatures", STR("null"), false},
        {"relationships", STR("[]"), true},
        {"minScale", STR("0"), false},
        {"maxScale", STR("0"), false},
        {"drawingInfo", str_c(geometry_defaults[geometry].drawing_info), false},
        {"hasAttachments", STR("false"), false},
        {"htmlPopupType", is_table ? STR("\"esriServerHTMLPopupTypeNone\"") : STR("\"esriServerHTMLPopupTypeAsHTMLText\""),
         false},
        {"objectIdField", oid, true},
        {"uniqueIdField", arena_printf(ctx->arena, "{\"name\":%.*s,\"isSystemMaintained\":true}", STR_FMT(oid)), true},
        {"globalIdField", hosted_json_string(ctx, str_none(names.global_id) ? STR("") : names.global_id), true},
        {"typeIdField", STR("\"\""), false},
        {"subtypeField", STR("\"\""), false},
        {"fields", fields, true},
        {"indexes", new_indexes(ctx, names.oid, is_table), false},
        {"types", STR("[]"), false},
        {"templates",
         arena_printf(
             ctx->arena,
             "[{\"name\":\"New Feature\",\"description\":\"\",\"drawingTool\":\"%s\",\"prototype\":{\"attributes\":{}}}]",
             geometry_defaults[geometry].tool),
         false},
        {"hasStaticData", STR("false"), false},
    };
    const struct hosted_member no_geometry = {"geometryField", STR_NONE, true};
    memcpy(list, common, sizeof common);
    size_t count = COUNT_OF(common);
    if (!is_table)
        count += geometry_members(ctx, service, layer, list + count);
    else
        list[count++] = no_geometry;
    *out = hosted_json_object(ctx, layer, list, count);
    return RC_OK;
}
