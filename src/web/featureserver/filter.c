/* The spatial filter of a query. What can be answered exactly as clients mean it, or as far as bounding boxes go, is; anything
 * else is refused: a wrong set of features would be worse than an error. */
#include "base/num.h"
#include "web/featureserver/featureserver.h"

static int refuse(struct ctx *ctx, const char *what)
{
    return err_set(ctx, &ERR_FEATURE, "%s: only envelope filters (and points on point layers) are supported yet.", what);
}

/* "x,y" or "xmin,ymin,xmax,ymax". */
static bool short_form(str text, double v[4], size_t *count_out)
{
    str rest = text, piece;
    *count_out = 0;
    while (str_split(&rest, ',', &piece))
        if (*count_out == 4 || !num_parse_double(str_trim(piece), &v[(*count_out)++]))
            return false;
    return *count_out == 2 || *count_out == 4;
}

static int box_of_wkb(struct ctx *ctx, struct json geometry, enum geometry_type type, struct envelope *out)
{
    struct wkb_form form = {.type = type, .multi = type != GEOMETRY_POINT};
    CLEANUP(buf_free) struct buf wkb = BUF_INIT(64 << 20);
    TRY(esri_json_parse(ctx, geometry, &form, &wkb));
    TRY(buf_check(&wkb, ctx, "the geometry"));
    return wkb_measure(ctx, buf_str(&wkb), NULL, out, NULL);
}

/* The box of the geometry parameter, and the reference that it names itself. */
static int read_geometry(struct ctx *ctx, str text, str type_name, struct envelope *out, struct crs *crs)
{
    double v[4];
    size_t count;
    enum geometry_type type = GEOMETRY_NONE;
    bool envelope = str_empty(type_name) || str_eq(type_name, STR("esriGeometryEnvelope"));
    if (!envelope && !geometry_type_parse(type_name, &type))
        return err_set(ctx, &ERR_FEATURE, "'geometryType' parameter is invalid");
    if (short_form(text, v, &count)) {
        if ((count == 4) != envelope || (count == 2 && type != GEOMETRY_POINT))
            return err_set(ctx, &ERR_FEATURE, "'geometry' parameter is invalid");
        *out = ENVELOPE_EMPTY;
        for (size_t i = 0; i < count; i += 2)
            envelope_add(out, v[i], v[i + 1]);
        return RC_OK;
    }
    struct json geometry;
    if (!json_try_parse(ctx->arena, text, &geometry) || !json_is(geometry, JSON_OBJECT))
        return err_set(ctx, &ERR_FEATURE, "'geometry' parameter is invalid");
    esri_json_parse_crs(ctx->arena, json_get_c(geometry, "spatialReference"), crs);
    return envelope ? esri_json_parse_envelope(ctx, geometry, out) : box_of_wkb(ctx, geometry, type, out);
}

static int read_in_sr(struct ctx *ctx, const struct call *call, struct crs *crs)
{
    str text = str_trim(call_param(call, "inSR"));
    struct json v;
    if (str_empty(text))
        return RC_OK;
    struct crs given = {0};
    if (!json_try_parse(ctx->arena, text, &v) || !esri_json_parse_crs(ctx->arena, v, &given))
        return err_set(ctx, &ERR_FEATURE, "'inSR' parameter is invalid");
    *crs = given;
    return RC_OK;
}

static int read_relation(struct ctx *ctx, const struct call *call, const struct layer *l, bool *exact_out)
{
    str relation = str_trim(call_param(call, "spatialRel")), type = str_trim(call_param(call, "geometryType"));
    *exact_out = false;
    if (str_eq(relation, STR("esriSpatialRelEnvelopeIntersects")) || str_eq(relation, STR("esriSpatialRelIndexIntersects")))
        return RC_OK;
    if (!str_empty(relation) && !str_eq(relation, STR("esriSpatialRelIntersects")))
        return refuse(ctx, "spatialRel");
    *exact_out = true;
    bool envelope = str_empty(type) || str_eq(type, STR("esriGeometryEnvelope"));
    bool points = str_eq(type, STR("esriGeometryPoint")) && l->geometry == GEOMETRY_POINT;
    return envelope || points ? RC_OK : refuse(ctx, "geometryType");
}

int features_filter(struct ctx *ctx, const struct call *call, const struct layer *l, struct feature_query *q)
{
    str text = str_trim(call_param(call, "geometry"));
    q->has_box = !str_empty(text);
    if (!q->has_box)
        return RC_OK;
    const struct crs own = {.wkid = l->latest_wkid, .wkt = l->wkt};
    struct crs crs = own;
    TRY(read_relation(ctx, call, l, &q->box_exact));
    TRY(read_geometry(ctx, text, str_trim(call_param(call, "geometryType")), &q->box, &crs));
    TRY(read_in_sr(ctx, call, &crs));
    return crs_transform_envelope(ctx, &crs, &own, &q->box, &q->box);
}
