/* The registry of item types: rows of itemtypes.def, their reference rules, and which of them may travel in an export package. */
#include "model/itemtype.h"

#include "base/num.h"

/* ---- reference rules ---- */

#define FIELD_URL(kind, required)                                                                                                \
    {                                                                                                                            \
        REF_ITEM_FIELD, "url", "", kind, required                                                                                \
    }
#define DATA(path, kind, required)                                                                                               \
    {                                                                                                                            \
        REF_DATA, NULL, path, kind, required                                                                                     \
    }
#define RESOURCE(name, path, kind, required)                                                                                     \
    {                                                                                                                            \
        REF_RESOURCE, name, path, kind, required                                                                                 \
    }

#define MAP_LAYERS                                                                                                               \
    DATA("operationalLayers/**/itemId", REF_ITEM_ID, true), DATA("operationalLayers/**/url", REF_SERVICE_URL, true),             \
        DATA("operationalLayers/**/styleUrl", REF_URL, true), DATA("tables/**/itemId", REF_ITEM_ID, true),                       \
        DATA("tables/**/url", REF_SERVICE_URL, true), DATA("**/baseMapLayers/*/itemId", REF_ITEM_ID, false),                     \
        DATA("**/baseMapLayers/*/url", REF_SERVICE_URL, false), DATA("**/baseMapLayers/*/styleUrl", REF_URL, false),             \
        DATA("utilityNetworks/*/itemId", REF_ITEM_ID, true), DATA("utilityNetworks/*/url", REF_SERVICE_URL, true),               \
        FIELD_URL(REF_URL, false)

static const struct ref_rule rules_web_map[] = {MAP_LAYERS};
static const struct ref_rule rules_web_scene[] = {
    MAP_LAYERS,
    DATA("ground/layers/*/itemId", REF_ITEM_ID, false),
    DATA("ground/layers/*/url", REF_SERVICE_URL, false),
    DATA("**/elevationLayers/*/itemId", REF_ITEM_ID, false),
    DATA("**/elevationLayers/*/url", REF_SERVICE_URL, false),
};
static const struct ref_rule rules_service[] = {FIELD_URL(REF_SERVICE_URL, true)};
static const struct ref_rule rules_feature_service[] = {FIELD_URL(REF_SERVICE_URL, true)};
static const struct ref_rule rules_geoprocessing_service[] = {
    FIELD_URL(REF_SERVICE_URL, true),
    RESOURCE("*webtool*", "**/url", REF_SERVICE_URL, false),
};
static const struct ref_rule rules_vector_tile_service[] = {
    FIELD_URL(REF_SERVICE_URL, true),
    DATA("sources/*/url", REF_SERVICE_URL, true),
    RESOURCE("styles/root.json", "sources/*/url", REF_SERVICE_URL, true),
};
static const struct ref_rule rules_feature_collection[] = {DATA("layers/*/url", REF_SERVICE_URL, false)};
/* Selectors, panels, the views since version 24 and the widgets all hold their data sources under the same member names. */
static const struct ref_rule rules_dashboard[] = {
    DATA("**/widgets/*/itemId", REF_ITEM_ID, true),
    DATA("**/dataSource/itemId", REF_ITEM_ID, true),
    DATA("**/widgets/*/url", REF_URL, false),
    FIELD_URL(REF_URL, false),
};
static const struct ref_rule rules_operation_view[] = {
    DATA("widgets/*/mapId", REF_ITEM_ID, true),
    DATA("**/itemId", REF_ITEM_ID, true),
};
static const struct ref_rule rules_web_mapping_application[] = {
    /* configurable templates, Instant Apps, classic story maps */
    DATA("values/**/webmap", REF_ITEM_ID, true),
    DATA("values/**/webmap/*", REF_ITEM_ID, true),
    DATA("values/**/webmap/id", REF_ITEM_ID, true),
    DATA("values/webmaps/*", REF_ITEM_ID, true),
    DATA("values/**/webscene", REF_ITEM_ID, true),
    DATA("values/**/webscene/*", REF_ITEM_ID, true),
    DATA("values/mapId", REF_ITEM_ID, true),
    DATA("values/mapItemCollection/*/id", REF_ITEM_ID, true),
    DATA("values/group", REF_GROUP_ID, true),
    DATA("values/group/*", REF_GROUP_ID, true),
    DATA("source", REF_ITEM_ID, false),
    /* Web AppBuilder */
    DATA("map/itemId", REF_ITEM_ID, true),
    DATA("map/appProxy/mapItemId", REF_ITEM_ID, true),
    DATA("appItemId", REF_ITEM_ID, true),
    DATA("templateId", REF_ITEM_ID, false),
    DATA("dataSource/dataSources/*/itemId", REF_ITEM_ID, true),
    DATA("dataSource/dataSources/*/url", REF_SERVICE_URL, true),
    DATA("dataSource/dataSources/*/portalUrl", REF_PORTAL_URL, true),
    DATA("portalUrl", REF_PORTAL_URL, true),
    DATA("map/portalUrl", REF_PORTAL_URL, true),
    DATA("httpProxy/url", REF_PORTAL_URL, false),
    DATA("geometryService", REF_SERVICE_URL, false),
    DATA("logo", REF_URL, false),
    FIELD_URL(REF_URL, false),
};
/* The published state is the data, the draft a resource; both have the same form. */
static const struct ref_rule rules_web_experience[] = {
#define EXPERIENCE(row)                                                                                                          \
    row("dataSources/**/itemId", REF_ITEM_ID, true), row("dataSources/**/url", REF_SERVICE_URL, true),                           \
        row("dataSources/**/portalUrl", REF_PORTAL_URL, true), row("attributes/portalUrl", REF_PORTAL_URL, true),                \
        row("originAppId", REF_ITEM_ID, false), row("widgets/*/config/**/itemId", REF_ITEM_ID, false),                           \
        row("widgets/*/config/**/url", REF_URL, false)
#define DRAFT(path, kind, required) RESOURCE("config/config.json", path, kind, required)
    EXPERIENCE(DATA),
    EXPERIENCE(DRAFT),
    FIELD_URL(REF_URL, false),
};
/* The data is the published copy; drafts, the copy that the viewer reads and the oembed answers are resources. */
static const struct ref_rule rules_storymap[] = {
#define STORY(row)                                                                                                               \
    row("resources/*/data/itemId", REF_ITEM_ID, true), row("resources/*/data/themeItemId", REF_ITEM_ID, false),                  \
        row("nodes/*/data/itemId", REF_ITEM_ID, false), row("nodes/*/data/url", REF_URL, false)
#define STORY_DRAFT(path, kind, required) RESOURCE("draft_*.json", path, kind, required)
#define STORY_PUBLISHED(path, kind, required) RESOURCE("published_data.json", path, kind, required)
    STORY(DATA),
    STORY(STORY_DRAFT),
    STORY(STORY_PUBLISHED),
    RESOURCE("oembed.json", "**/url", REF_URL, false),
    RESOURCE("oembed.json", "**/provider_url", REF_PORTAL_URL, false),
    RESOURCE("oembed.xml", "", REF_URL, false),
    FIELD_URL(REF_URL, false),
};
static const struct ref_rule rules_workforce[] = {
    DATA("workerWebMapId", REF_ITEM_ID, true),  DATA("dispatcherWebMapId", REF_ITEM_ID, true),
    DATA("*/serviceItemId", REF_ITEM_ID, true), DATA("*/url", REF_SERVICE_URL, true),
    DATA("groupId", REF_GROUP_ID, true),
};
static const struct ref_rule rules_quickcapture[] = {
#define CAPTURE(row)                                                                                                             \
    row("application/itemId", REF_ITEM_ID, true), row("application/dataSources/*/featureServiceItemId", REF_ITEM_ID, true),      \
        row("application/dataSources/*/url", REF_SERVICE_URL, true)
#define CAPTURE_PROJECT(path, kind, required) RESOURCE("qc.project.json", path, kind, required)
    CAPTURE(DATA),
    CAPTURE(CAPTURE_PROJECT),
    RESOURCE("qc.project.json", "itemId", REF_ITEM_ID, true),
    RESOURCE("qc.project.json", "dataSources/*/featureServiceItemId", REF_ITEM_ID, true),
    RESOURCE("qc.project.json", "dataSources/*/url", REF_SERVICE_URL, true),
};
static const struct ref_rule rules_oriented_imagery[] = {
    DATA("properties/ServiceURL", REF_SERVICE_URL, true),
    DATA("properties/OverviewURL", REF_SERVICE_URL, false),
};
static const struct ref_rule rules_velocity[] = {
    DATA("**/properties/*portal.featureServicePortalItemID", REF_ITEM_ID, true),
    DATA("**/properties/*portal.mapServicePortalItemID", REF_ITEM_ID, true),
    DATA("**/properties/*portal.streamServicePortalItemID", REF_ITEM_ID, true),
    DATA("**/properties/*portalItemId", REF_ITEM_ID, true),
};
static const struct ref_rule rules_site[] = {
    DATA("values/**/settings/webmap", REF_ITEM_ID, true),
    DATA("values/**/settings/itemId", REF_ITEM_ID, true),
    DATA("values/pages/*/id", REF_ITEM_ID, false),
};

/* ---- the table ---- */

static const struct ref_rule rules_none[] = {};
static const struct itemtype types[] = {
#define TYPE(type_name, content_kind, extension_list, export, since, rank, array)                                                \
    {.name = type_name,                                                                                                          \
     .content = CONTENT_##content_kind,                                                                                          \
     .extensions = extension_list,                                                                                               \
     .exportable = EXPORT_##export,                                                                                              \
     .exportable_since = since,                                                                                                  \
     .rules = sizeof(rules_##array) > 0 ? rules_##array : NULL,                                                                  \
     .rule_count = COUNT_OF(rules_##array),                                                                                      \
     .creation_rank = rank},
#include "model/itemtypes.def"
#undef TYPE
};

size_t itemtype_count(void) { return COUNT_OF(types); }

const struct itemtype *itemtype_at(size_t index) { return &types[index]; }

const struct itemtype *itemtype_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_ieq(str_c(types[i].name), name))
            return &types[i];
    return NULL;
}

/* ---- may it be exported ---- */

/* The next number of a dotted version; what is no number counts as 0. */
static int64_t version_part(str *rest)
{
    str piece;
    int64_t v = 0;
    if (str_split(rest, '.', &piece) && !num_parse_int(piece, &v))
        v = 0;
    return v;
}

static bool version_at_least(str version, str wanted)
{
    while (!str_empty(version) || !str_empty(wanted)) {
        int64_t have = version_part(&version), need = version_part(&wanted);
        if (have != need)
            return have > need;
    }
    return true;
}

/* Apps that show the items of a group: values.group is set. */
static bool group_based(struct ctx *ctx, str data)
{
    struct json v;
    if (str_empty(data) || !json_try_parse(ctx->arena, data, &v))
        return false;
    struct json group = json_get_c(json_get_c(v, "values"), "group");
    return json_is(group, JSON_STRING) ? !str_empty(str_trim(json_string(group, ctx->arena))) : json_count(group) > 0;
}

/* What a feature service must not be, by its keywords; first match. */
static const char *feature_service_reason(struct ctx *ctx, const struct item *it, bool hosted)
{
    static const struct {
        const char *keyword, *reason;
    } rows[] = {
        {"View Service", "It is a hosted feature service view; views are not supported in export packages."},
        {"Spatiotemporal", "It is a spatiotemporal feature service; only plain hosted feature services are supported."},
        {"Proxied", "It is a proxied feature service; only plain hosted feature services are supported."},
        {"Service Proxy", "It is a proxied feature service; only plain hosted feature services are supported."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (item_has_keyword(ctx, it, str_c(rows[i].keyword)))
            return rows[i].reason;
    return hosted ? NULL : "It is not a hosted feature service; services of other servers are not supported in export packages.";
}

static bool is_instant_app(struct ctx *ctx, const struct item *it)
{
    return item_has_keyword(ctx, it, STR("configurableApp")) || item_has_keyword(ctx, it, STR("instantApp"));
}

bool itemtype_exportable(struct ctx *ctx, const struct item *it, bool hosted, str data, bool strict, str version, str *reason_out)
{
    str name = it->field[ITEM_TYPE];
    const struct itemtype *type = itemtype_find(name);
    *reason_out = STR("");
    if (type == NULL || type->exportable == EXPORT_NO) {
        *reason_out = arena_printf(ctx->arena, "Items of type '%.*s' are not supported in export packages.", STR_FMT(name));
        return false;
    }
    if (strict && type->exportable != EXPORT_DOCUMENTED) {
        *reason_out =
            arena_printf(ctx->arena, "Items of type '%s' are not among the documented types (--strict-types).", type->name);
        return false;
    }
    if (str_eq(str_c(type->name), STR("Feature Service"))) {
        const char *reason = feature_service_reason(ctx, it, hosted);
        *reason_out = str_c(reason ? reason : "");
        return reason == NULL;
    }
    str since = str_c(type->exportable_since);
    if (str_eq(str_c(type->name), STR("Web Mapping Application"))) {
        if (group_based(ctx, data)) {
            *reason_out = STR("It is a group-based configurable app; these are not supported in export packages.");
            return false;
        }
        if (is_instant_app(ctx, it))
            since = STR("10.9.1");
    }
    if (!version_at_least(version, since)) {
        *reason_out =
            arena_printf(ctx->arena, "Items of type '%s' can be exported since version %.*s; this portal has version %.*s.",
                         type->name, STR_FMT(since), STR_FMT(version));
        return false;
    }
    return true;
}
