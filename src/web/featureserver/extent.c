/* Where the features of a layer are, as layers and services tell it: of the features that are there now, whatever the definition
 * says. Without any the definition's own extent stays. */
#include "web/featureserver/featureserver.h"

enum { EXTENT_TEXT_MAX = 64 << 10 };

static str extent_text(struct ctx *ctx, const struct envelope *box, const struct crs *crs)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(EXTENT_TEXT_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_double(&o, "xmin", box->xmin);
    json_member_double(&o, "ymin", box->ymin);
    json_member_double(&o, "xmax", box->xmax);
    json_member_double(&o, "ymax", box->ymax);
    json_name(&o, "spatialReference");
    esri_json_put_crs(&o, crs);
    json_end_object(&o);
    return b.overflow ? STR_NONE : arena_str(ctx->arena, buf_str(&b));
}

static int layer_box(struct ctx *ctx, const struct call *call, const struct hosted_service *h, const struct layer *l,
                     struct envelope *out)
{
    const struct feature_query all = {.limit = -1};
    bool empty;
    return feature_extent(ctx, call->site->features, &h->store, l, &all, out, &empty);
}

static struct crs crs_of(const struct layer *l) { return (struct crs){.wkid = l->latest_wkid, .wkt = l->wkt}; }

int features_layer_extent(struct ctx *ctx, const struct call *call, const struct hosted_service *h, const struct layer *l,
                          str *out)
{
    struct envelope box;
    struct crs crs = crs_of(l);
    TRY(layer_box(ctx, call, h, l, &box));
    *out = envelope_empty(&box) ? STR_NONE : extent_text(ctx, &box, &crs);
    return RC_OK;
}

int features_full_extent(struct ctx *ctx, const struct call *call, const struct hosted_service *h, str *out)
{
    struct envelope all = ENVELOPE_EMPTY, box;
    struct crs to = {0};
    *out = STR_NONE;
    if (!esri_json_parse_crs(ctx->arena, json_get_c(h->def.json, "spatialReference"), &to))
        return RC_OK;
    for (size_t i = 0; i < h->def.layer_count; i++) {
        const struct layer *l = &h->def.layers[i];
        struct crs from = crs_of(l);
        TRY(layer_box(ctx, call, h, l, &box));
        if (!envelope_empty(&box) && crs_transform_envelope(ctx, &from, &to, &box, &box) != RC_OK) {
            err_clear(ctx); /* a system that does not reach there */
            return RC_OK;
        }
        if (envelope_empty(&box))
            continue;
        envelope_add(&all, box.xmin, box.ymin);
        envelope_add(&all, box.xmax, box.ymax);
    }
    if (!envelope_empty(&all))
        *out = extent_text(ctx, &all, &to);
    return RC_OK;
}
