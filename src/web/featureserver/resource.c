/* Services and layers as resources: the stored definition with what this server is and can do. The tables below say what it can;
 * a client is told nothing else, whatever the definition brought along from another server. */
#include "base/num.h"
#include "web/featureserver/featureserver.h"

enum { FIELDS_TEXT_MAX = 16 << 20 };

str features_version(const struct call *call) { return str_c(call->site->settings.api_level); }

/* ---- opening by path ---- */

int features_layer_id(struct ctx *ctx, const struct call *call, int32_t *out)
{
    str text = call_path(call, "layerId");
    int64_t v = -1;
    *out = -1;
    if (str_empty(text))
        return RC_OK;
    if (!num_parse_int(text, &v) || v < 0 || v > INT32_MAX)
        return err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
    *out = (int32_t)v;
    return RC_OK;
}

int features_path_number(struct ctx *ctx, const struct call *call, const char *name, int64_t *out)
{
    str text = call_path(call, name);
    if (num_parse_int(text, out))
        return RC_OK;
    return err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL: '%.*s' is no number.", STR_FMT(str_sub(text, 0, 64)));
}

static int features_open(struct ctx *ctx, struct call *call, enum feature_right right, struct hosted_service **out)
{
    return hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), right, out);
}

static int find_layer(struct ctx *ctx, const struct call *call, const struct hosted_service *h, const struct layer **out)
{
    int32_t layer_id;
    TRY(features_layer_id(ctx, call, &layer_id));
    *out = service_layer(&h->def, layer_id);
    return *out ? RC_OK : err_set(ctx, &ERR_LAYER_MISSING, "Invalid URL");
}

int features_open_layer(struct ctx *ctx, struct call *call, enum feature_right right, struct hosted_service **out,
                        const struct layer **layer_out)
{
    TRY(features_open(ctx, call, right, out));
    int rc = find_layer(ctx, call, *out, layer_out);
    if (rc != RC_OK)
        hosted_release(out);
    return rc;
}

int32_t features_record_limit(const struct hosted_service *h, const struct layer *l)
{
    int64_t own;
    return json_int(json_get_c(l->json, "maxRecordCount"), &own) && own > 0 && own <= INT32_MAX ? (int32_t)own
                                                                                                : h->def.max_record_count;
}

/* ---- what this server can do ---- */

#define CAN(name, text)                                                                                                          \
    {                                                                                                                            \
        name, {"" text, sizeof(text) - 1}, true                                                                                  \
    }

static const struct hosted_member service_can[] = {
    CAN("hasVersionedData", "false"),
    CAN("hasSharedDomains", "false"),
    CAN("supportsDisconnectedEditing", "false"),
    CAN("supportedQueryFormats", "\"JSON, geoJSON, PBF\""),
    CAN("supportedExportFormats", "\"\""),
    CAN("syncEnabled", "false"),
    CAN("supportsReturnDeleteResults", "true"),
    CAN("supportsApplyEditsWithGlobalIds", "true"),
    CAN("supportsAppend", "true"),
    CAN("supportedAppendFormats", "\"csv,excel,featureCollection,shapefile,filegdb,geojson,geoPackage,kml,gpx\""),
    CAN("syncCapabilities",
        "{\"supportsASync\":false,\"supportsRegisteringExistingData\":false,\"supportsSyncDirectionControl\":false,"
        "\"supportsPerLayerSync\":false,\"supportsPerReplicaSync\":false,\"supportsRollbackOnFailure\":false,"
        "\"supportedSyncDataOptions\":0,"
        "\"supportsBiDirectionalSyncForServer\":false}"),
    CAN("extractChangesCapabilities",
        "{\"supportsReturnIdsOnly\":true,\"supportsReturnExtentOnly\":false,\"supportsReturnAttachments\":true,"
        "\"supportsLayerQueries\":true,\"supportsGeometry\":true,\"supportsSpatialFilter\":true,"
        "\"supportsReturnFeature\":true}"),
};
static const struct hosted_member layer_can[] = {
    CAN("syncCanReturnChanges", "false"),
    CAN("isDataVersioned", "false"),
    CAN("archivingInfo", "{\"supportsQueryWithHistoricMoment\":false,\"startArchivingMoment\":-1}"),
    CAN("supportsStatistics", "true"),
    CAN("supportsAdvancedQueries", "true"),
    CAN("supportsValidateSql", "true"),
    CAN("supportsCalculate", "true"),
    CAN("supportsASyncCalculate", "false"),
    CAN("supportsTruncate", "true"),
    CAN("supportsAppend", "true"),
    CAN("supportsCoordinatesQuantization", "true"),
    CAN("supportsRollbackOnFailureParameter", "true"),
    CAN("supportsAttachmentsByUploadId", "true"),
    CAN("supportsAttachmentsResizing", "false"),
    CAN("supportsMultiScaleGeometry", "false"),
    CAN("supportsReturningQueryGeometry", "false"),
    CAN("supportsExceedsLimitStatistics", "false"),
    CAN("supportsFieldDescriptionProperty", "true"),
    CAN("useStandardizedQueries", "true"),
    CAN("supportedQueryFormats", "\"JSON, geoJSON, PBF\""),
    CAN("supportedExportFormats", "\"\""),
    CAN("supportedSpatialRelationships",
        "[\"esriSpatialRelIntersects\",\"esriSpatialRelContains\",\"esriSpatialRelCrosses\",\"esriSpatialRelEnvelopeIntersects\","
        "\"esriSpatialRelIndexIntersects\",\"esriSpatialRelOverlaps\",\"esriSpatialRelTouches\",\"esriSpatialRelWithin\","
        "\"esriSpatialRelRelation\",\"esriSpatialRelDisjoint\"]"),
    CAN("dateFieldsTimeReference", "{\"timeZone\":\"UTC\",\"respectsDaylightSaving\":false}"),
    CAN("maxRecordCountFactor", "1"),
    CAN("advancedQueryCapabilities",
        "{\"supportsPagination\":true,\"supportsPaginationOnAggregatedQueries\":true,\"supportsQueryRelatedPagination\":true,"
        "\"supportsQueryWithDistance\":true,\"supportsReturningQueryExtent\":true,\"supportsStatistics\":true,"
        "\"supportsOrderBy\":true,"
        "\"supportsDistinct\":true,\"supportsQueryWithResultType\":true,\"supportsSqlExpression\":true,"
        "\"supportsHavingClause\":true,"
        "\"supportsCountDistinct\":true,\"supportsPercentileStatistics\":true,\"supportsSpatialAggregationStatistics\":true,"
        "\"supportsMaxRecordCountFactor\":true,\"supportsReturningGeometryCentroid\":true,"
        "\"supportsReturningGeometryProperties\":false,"
        "\"supportsQueryWithDatumTransformation\":true,\"supportsTopFeaturesQuery\":false,\"supportsQueryAttachments\":true,"
        "\"supportsQueryAttachmentsWithReturnUrl\":true,\"supportsQueryAttachmentsCountOnly\":true,"
        "\"supportsDisjointSpatialRel\":true,\"supportsQueryWithCacheHint\":true,\"supportsAdvancedQueryRelated\":true,"
        "\"supportsTimeRelation\":false,\"supportsFullTextSearch\":false,\"supportsOutFieldSQLExpression\":false,"
        "\"supportsReturningUniqueIdsOnly\":true,\"supportsReturningEnvelope\":true}"),
};
static const struct hosted_member attachments_can[] = {
    CAN("attachmentProperties", "[{\"name\":\"name\",\"isEnabled\":true},{\"name\":\"size\",\"isEnabled\":true},{\"name\":"
                                "\"contentType\",\"isEnabled\":true},"
                                "{\"name\":\"keywords\",\"isEnabled\":true}]"),
};

/* ---- layers ---- */

static str number(struct ctx *ctx, int64_t v) { return arena_printf(ctx->arena, "%lld", (long long)v); }

static size_t append(struct hosted_member *list, size_t at, const struct hosted_member *more, size_t count)
{
    memcpy(list + at, more, count * sizeof *more);
    return at + count;
}

/* The fields that are seen, as the definition has them. */
static str fields_text(struct ctx *ctx, const struct layer *l)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(FIELDS_TEXT_MAX);
    struct json_out o;
    struct json v;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(json_get_c(l->json, "fields")); json_next(&it, NULL, &v);)
        if (layer_field(l, json_string_or(json_get_c(v, "name"), ctx->arena, STR("")), NULL))
            json_put_raw(&o, json_raw(v));
    json_end_array(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

/* What a layer of a view tells only to those who may change it, and what it does not have. */
static size_t view_members(struct ctx *ctx, const struct layer *l, bool admin, struct hosted_member *list)
{
    const struct hosted_member all[] = {
        {"fields", fields_text(ctx, l), true},
        {"globalIdField",
         l->globalid_field == SIZE_MAX ? STR("\"\"") : hosted_json_string(ctx, l->fields[l->globalid_field].name), true},
        {"displayField", layer_field(l, l->display_field, NULL) ? hosted_json_string(ctx, l->display_field) : STR("\"\""), true},
        {"isView", STR("true"), true},
        {"hasAttachments", l->has_attachments ? STR("true") : STR("false"), true},
        {"adminLayerInfo", STR_NONE, true},
        {"viewDefinitionQuery", STR_NONE, true},
        {"viewLayerDefinition", STR_NONE, true},
    };
    enum { SECRET = 3 }; /* the last ones */
    return append(list, 0, all, COUNT_OF(all) - (admin ? SECRET : 0));
}

static int put_layer(struct ctx *ctx, struct call *call, const struct hosted_service *h, const struct layer *l, bool admin)
{
    struct hosted_member list[COUNT_OF(layer_can) + COUNT_OF(attachments_can) + 20];
    int64_t least, edited;
    size_t n = append(list, 0, layer_can, COUNT_OF(layer_can));
    if (l->has_attachments)
        n = append(list, n, attachments_can, COUNT_OF(attachments_can));
    str records = number(ctx, features_record_limit(h, l)), modified = number(ctx, h->modified);
    TRY(feature_generations(ctx, call->site->features, &h->store, l, &least, &edited));
    str editing = arena_printf(ctx->arena, "{\"lastEditDate\":%lld,\"schemaLastEditDate\":%.*s,\"dataLastEditDate\":%lld}",
                               (long long)(edited > h->modified ? edited : h->modified), STR_FMT(modified), (long long)edited);
    const struct hosted_member own[] = {
        {"currentVersion", features_version(call), true},
        {"serviceItemId", hosted_json_string(ctx, id_str(&h->item)), true},
        {"maxRecordCount", records, true},
        {"standardMaxRecordCount", records, true},
        {"tileMaxRecordCount", records, true},
        {"capabilities", hosted_json_string(ctx, h->def.capabilities), true},
        {"editingInfo", editing, true},
        {"supportsApplyEditsWithGlobalIds", l->globalid_field == SIZE_MAX ? STR("false") : STR("true"), true},
    };
    n = append(list, n, own, COUNT_OF(own));
    if (hosted_is_view(&h->def))
        n += view_members(ctx, l, admin, list + n);
    struct hosted_member extent = {"extent", STR_NONE, true};
    TRY(features_layer_extent(ctx, call, h, l, &extent.raw));
    if (!str_none(extent.raw))
        n = append(list, n, &extent, 1);
    json_begin_object(&call->out);
    hosted_json_members(&call->out, l->json, list, n);
    json_end_object(&call->out);
    return RC_OK;
}

static int put_layers(struct ctx *ctx, struct call *call, const struct hosted_service *h, bool tables, bool admin)
{
    json_name(&call->out, tables ? "tables" : "layers");
    json_begin_array(&call->out);
    for (size_t i = 0; i < h->def.layer_count; i++)
        if (h->def.layers[i].is_table == tables)
            TRY(put_layer(ctx, call, h, &h->def.layers[i], admin));
    json_end_array(&call->out);
    return RC_OK;
}

int features_layer(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &h, &l));
    return put_layer(ctx, call, h, l, false);
}

int features_layers(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(features_open(ctx, call, FEATURE_QUERY, &h));
    json_begin_object(&call->out);
    TRY(put_layers(ctx, call, h, false, false));
    TRY(put_layers(ctx, call, h, true, false));
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- services ---- */

static str member_raw(const struct layer *l, const char *name, str otherwise)
{
    struct json v = json_get_c(l->json, name);
    return json_absent(v) ? otherwise : json_raw(v);
}

static void put_brief(struct json_out *o, const struct hosted_service *h, bool tables)
{
    json_name(o, tables ? "tables" : "layers");
    json_begin_array(o);
    for (size_t i = 0; i < h->def.layer_count; i++) {
        const struct layer *l = &h->def.layers[i];
        if (l->is_table != tables)
            continue;
        json_begin_object(o);
        json_member_int(o, "id", l->id);
        json_member_str(o, "name", l->name);
        json_member_raw(o, "parentLayerId", member_raw(l, "parentLayerId", STR("-1")));
        json_member_raw(o, "defaultVisibility", member_raw(l, "defaultVisibility", STR("true")));
        json_member_null(o, "subLayerIds");
        json_member_raw(o, "minScale", member_raw(l, "minScale", STR("0")));
        json_member_raw(o, "maxScale", member_raw(l, "maxScale", STR("0")));
        json_member_c(o, "type", tables ? "Table" : "Feature Layer");
        if (!tables)
            json_member_c(o, "geometryType", geometry_type_name(l->geometry));
        json_end_object(o);
    }
    json_end_array(o);
}

/* Since when and until when the changes of each layer are known. */
static int tracking_text(struct ctx *ctx, const struct call *call, const struct hosted_service *h, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(FIELDS_TEXT_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_name(&o, "layerServerGens");
    json_begin_array(&o);
    for (size_t i = 0; i < h->def.layer_count; i++) {
        int64_t least, last;
        TRY(feature_generations(ctx, call->site->features, &h->store, &h->def.layers[i], &least, &last));
        json_begin_object(&o);
        json_member_int(&o, "id", h->def.layers[i].id);
        json_member_int(&o, "minServerGen", least);
        json_member_int(&o, "serverGen", last);
        json_end_object(&o);
    }
    json_end_array(&o);
    json_end_object(&o);
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

static int put_service_members(struct ctx *ctx, struct call *call, const struct hosted_service *h)
{
    struct hosted_member list[COUNT_OF(service_can) + 10];
    size_t n = append(list, 0, service_can, COUNT_OF(service_can));
    const struct hosted_member own[] = {
        {"currentVersion", features_version(call), true},
        {"serviceItemId", hosted_json_string(ctx, id_str(&h->item)), true},
        {"name", STR_NONE, true},
        {"layers", STR_NONE, true},
        {"tables", STR_NONE, true},
        {"capabilities", hosted_json_string(ctx, h->def.capabilities), true},
        {"maxRecordCount", number(ctx, h->def.max_record_count), true},
    };
    n = append(list, n, own, COUNT_OF(own));
    if (access_features(&CALLER_ANONYMOUS, &(struct access_item){.access = ITEM_PUBLIC}, h->def.capabilities, FEATURE_CHANGES)) {
        const struct hosted_member tracking = {"changeTrackingInfo", STR_NONE, true};
        n = append(list, n, &tracking, 1);
        TRY(tracking_text(ctx, call, h, &list[n - 1].raw));
    }
    struct hosted_member extent = {"fullExtent", STR_NONE, true};
    TRY(features_full_extent(ctx, call, h, &extent.raw));
    if (!str_none(extent.raw))
        n = append(list, n, &extent, 1);
    hosted_json_members(&call->out, h->def.json, list, n);
    return RC_OK;
}

int features_sources(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    struct json_out *o = &call->out;
    struct hosted_created source;
    TRY(features_open(ctx, call, FEATURE_QUERY, &h));
    int rc = hosted_view_source(ctx, call->site, h, &source);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    json_begin_object(o);
    json_name(o, "services");
    json_begin_array(o);
    if (rc == RC_OK) {
        json_begin_object(o);
        json_member_str(o, "name", source.name);
        json_member_c(o, "type", "FeatureServer");
        json_member_str(o, "url", site_url_expand(ctx, call->server_url, source.url));
        json_member_str(o, "serviceItemId", id_str(&source.item));
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int features_service(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(features_open(ctx, call, FEATURE_QUERY, &h));
    json_begin_object(&call->out);
    TRY(put_service_members(ctx, call, h));
    put_brief(&call->out, h, false);
    put_brief(&call->out, h, true);
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- the admin resources: full definitions, for those who may change them ---- */

int features_admin_service(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    struct json_out *o = &call->out;
    TRY(hosted_open_admin(ctx, call->site, &call->caller, call_path(call, "name"), &h));
    json_begin_object(o);
    TRY(put_service_members(ctx, call, h));
    json_name(o, "adminServiceInfo");
    json_begin_object(o);
    json_member_str(o, "name", h->name);
    json_member_c(o, "type", "FeatureServer");
    json_member_c(o, "status", "Started");
    json_member_int(o, "cacheMaxAge", 0);
    json_end_object(o);
    TRY(put_layers(ctx, call, h, false, true));
    TRY(put_layers(ctx, call, h, true, true));
    json_end_object(o);
    return RC_OK;
}

int features_admin_layer(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    TRY(hosted_open_admin(ctx, call->site, &call->caller, call_path(call, "name"), &h));
    TRY(find_layer(ctx, call, h, &l));
    return put_layer(ctx, call, h, l, true);
}
