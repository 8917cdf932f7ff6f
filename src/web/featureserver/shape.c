/* Coordinates of an answer: the parameters that say in which system, how exact and on which grid, and the way of a geometry
 * through what they ask for. */
#include "base/num.h"
#include "web/featureserver/featureserver.h"

enum { GEOMETRY_MAX = 512 << 20, PRECISION_MAX = 15 };

/* Without a grid of the request's own, protocol buffers have one finer than any measurement: a tenth of a millimetre and less. */
static const double STEP_DEGREES = 1e-9, STEP_METERS = 1e-4;

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

/* ---- grids ---- */

static int refuse_grid(struct ctx *ctx, const char *why)
{
    return err_set(ctx, &ERR_FEATURE, "'quantizationParameters' parameter is invalid: %s", why);
}

/* {"mode":"view"|"edit","originPosition":"upperLeft"|"lowerLeft","tolerance":…,"extent":{…}} */
static int read_grid(struct ctx *ctx, struct json v, struct features_shape *s)
{
    struct json mode = json_get_c(v, "mode"), origin = json_get_c(v, "originPosition"), tolerance = json_get_c(v, "tolerance"),
                extent = json_get_c(v, "extent");
    struct envelope box = {0};
    struct crs crs = s->to, own;
    double step = 1;
    s->grid.keep_all = json_string_eq(mode, STR("edit"));
    if (!json_absent(mode) && !s->grid.keep_all && !json_string_eq(mode, STR("view")))
        return refuse_grid(ctx, "mode is view or edit");
    s->grid.down = !json_string_eq(origin, STR("lowerLeft"));
    if (!json_absent(origin) && s->grid.down && !json_string_eq(origin, STR("upperLeft")))
        return refuse_grid(ctx, "originPosition is upperLeft or lowerLeft");
    if (!json_absent(tolerance) && (!json_double(tolerance, &step) || !(step > 0)))
        return refuse_grid(ctx, "tolerance is a number above 0");
    if (!json_absent(extent)) {
        TRY(esri_json_parse_envelope(ctx, extent, &box));
        if (esri_json_parse_crs(ctx->arena, json_get_c(extent, "spatialReference"), &own))
            crs = own;
        TRY(crs_transform_envelope(ctx, &crs, &s->to, &box, &box));
    }
    s->grid.x0 = box.xmin;
    s->grid.y0 = s->grid.down ? box.ymax : box.ymin;
    s->grid.step_x = s->grid.step_y = step;
    s->quantize = true;
    return RC_OK;
}

static int default_grid(struct ctx *ctx, struct features_shape *s)
{
    struct crs_info info = {.geographic = false};
    if (s->to.wkid > 0 || s->to.wkt.n)
        TRY(crs_describe(ctx, &s->to, &info));
    double step = info.geographic ? STEP_DEGREES : STEP_METERS;
    s->grid = (struct wkb_grid){.step_x = step, .step_y = step, .down = true, .keep_all = true};
    s->quantize = true;
    return RC_OK;
}

/* Answers in GeoJSON have no grid, whatever is asked for. */
static int read_quantization(struct ctx *ctx, const struct call *call, struct features_shape *s)
{
    struct json v;
    str text = str_trim(call_param(call, "quantizationParameters"));
    if (call->format == FORMAT_GEOJSON)
        return RC_OK;
    if (str_empty(text))
        return call->format == FORMAT_PBF ? default_grid(ctx, s) : RC_OK;
    if (!json_try_parse(ctx->arena, text, &v) || !json_is(v, JSON_OBJECT))
        return refuse_grid(ctx, "it is no object");
    struct ctx child = *ctx; /* with an error record of its own */
    child.err = (struct err){0};
    int rc = read_grid(&child, v, s);
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return refuse_grid(ctx, err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

int features_shape_open(struct ctx *ctx, const struct call *call, const struct layer *l, struct features_shape *out)
{
    *out = (struct features_shape){
        .form = {.z = l->has_z && call_bool(call, "returnZ"), .m = l->has_m && call_bool(call, "returnM")},
        .from = {.wkid = l->latest_wkid, .wkt = l->wkt},
        .first = BUF_INIT(GEOMETRY_MAX),
        .second = BUF_INIT(GEOMETRY_MAX)};
    out->to = out->from;
    if (l->geometry == GEOMETRY_NONE)
        return RC_OK;
    TRY(read_out_sr(ctx, call, &out->to));
    out->transform = !crs_same(&out->from, &out->to);
    if (out->transform)
        TRY(crs_clamps(ctx, &out->from, &out->to, &out->clamp));
    out->tolerance = call_double(call, "maxAllowableOffset");
    if (out->tolerance < 0)
        return err_set(ctx, &ERR_FEATURE, "'maxAllowableOffset' parameter is invalid");
    TRY(read_quantization(ctx, call, out));
    out->form.deltas = out->quantize;
    out->form.turned = out->quantize && out->grid.down;
    if (!call_has(call, "geometryPrecision") || out->quantize)
        return RC_OK;
    int64_t digits = call_int(call, "geometryPrecision");
    if (digits < 0 || digits > PRECISION_MAX)
        return err_set(ctx, &ERR_FEATURE, "'geometryPrecision' has to be 0 to %d.", PRECISION_MAX);
    out->grain = pow(10, (double)digits);
    return RC_OK;
}

void features_shape_close(struct features_shape *s)
{
    buf_free(&s->first);
    buf_free(&s->second);
}

/* ---- geometry ---- */

/* The buffer that the geometry is not in, emptied. */
static struct buf *other_buffer(struct features_shape *s, str wkb)
{
    struct buf *b = wkb.p == s->first.p ? &s->second : &s->first;
    buf_clear(b);
    return b;
}

static int copy_over(struct ctx *ctx, struct features_shape *s, str *wkb)
{
    struct buf *b = other_buffer(s, *wkb);
    buf_add(b, *wkb);
    *wkb = buf_str(b);
    return buf_check(b, ctx, "geometry");
}

/* Changes the bytes in place, in a buffer of ours. */
static struct buf *own_buffer(struct features_shape *s, str wkb)
{
    return wkb.p == s->first.p ? &s->first : wkb.p == s->second.p ? &s->second : NULL;
}

static int bring_over(struct ctx *ctx, struct features_shape *s, str *wkb)
{
    if (s->clamp) {
        TRY(copy_over(ctx, s, wkb));
        TRY(wkb_clamp_y(ctx, own_buffer(s, *wkb), CRS_NEAR_POLE));
    }
    struct buf *b = other_buffer(s, *wkb);
    TRY(crs_transform_wkb(ctx, &s->from, &s->to, *wkb, b));
    *wkb = buf_str(b);
    return RC_OK;
}

int features_shape_apply(struct ctx *ctx, struct features_shape *s, str wkb, str *out)
{
    *out = wkb;
    if (str_none(wkb))
        return RC_OK;
    if (s->transform)
        TRY(bring_over(ctx, s, out));
    if (s->tolerance > 0) {
        struct buf *b = other_buffer(s, *out);
        TRY(wkb_generalize(ctx, *out, s->tolerance, b));
        *out = buf_str(b);
    }
    if (s->quantize) {
        struct buf *b = other_buffer(s, *out);
        TRY(wkb_quantize(ctx, *out, &s->grid, b));
        *out = buf_str(b);
    }
    if (s->grain == 0)
        return RC_OK;
    if (!own_buffer(s, *out))
        TRY(copy_over(ctx, s, out));
    return wkb_round(ctx, own_buffer(s, *out), s->grain);
}

int features_shape_point(struct ctx *ctx, const struct features_shape *s, double xy[2])
{
    if (s->clamp && fabs(xy[1]) > CRS_NEAR_POLE)
        xy[1] = copysign(CRS_NEAR_POLE, xy[1]);
    if (s->transform)
        TRY(crs_transform_points(ctx, &s->from, &s->to, xy, 1, 2));
    const struct wkb_grid *g = &s->grid;
    if (s->quantize) {
        xy[0] = round((xy[0] - g->x0) / g->step_x);
        xy[1] = round((g->down ? g->y0 - xy[1] : xy[1] - g->y0) / g->step_y);
    }
    for (size_t k = 0; s->grain > 0 && k < 2; k++)
        xy[k] = round(xy[k] * s->grain) / s->grain;
    return RC_OK;
}

void features_shape_put_transform(struct json_out *o, const struct features_shape *s)
{
    const double pairs[][2] = {{s->grid.step_x, s->grid.step_y}, {s->grid.x0, s->grid.y0}};
    static const char *const names[] = {"scale", "translate"};
    if (!s->quantize)
        return;
    json_name(o, "transform");
    json_begin_object(o);
    json_member_c(o, "originPosition", s->grid.down ? "upperLeft" : "lowerLeft");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        json_name(o, names[i]);
        json_begin_array(o);
        json_put_double(o, pairs[i][0]);
        json_put_double(o, pairs[i][1]);
        json_end_array(o);
    }
    json_end_object(o);
}
