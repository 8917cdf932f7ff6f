/* Buffers: see buffer.h. On the earth the geometry goes to a plane of its own, azimuthal and equidistant around its middle, and
 * the polygon that is made there comes back; where it crosses the antimeridian or holds a pole, its rings are put together anew.
 */
#include "model/geometry/buffer.h"
#include "model/geometry/relate.h"
#include "model/geometry/wkb_shape.h"

enum { WKB_MAX = 256 << 20 };

static const struct crs WGS84 = {.wkid = CRS_WGS84};

/* ---- rings that came back as degrees ---- */

static void put_vertex(struct buf *b, double x, double y) { wkb_put_coords(b, (const double[]){x, y}, 2); }

/* A ring without leaps: each longitude is the one nearest to that before. One that runs around the earth is closed over the pole.
 */
static void put_ring(struct buf *out, const struct wkb_sequence *s, double lon, double lat)
{
    size_t count_at = out->n;
    uint32_t count = s->count;
    double x = lon, first = 0;
    wkb_put_count(out, count);
    for (size_t i = 0; i < s->count; i++) {
        x += remainder(wkb_coord(s, i * 2) - x, 360);
        first = i == 0 ? x : first;
        bool closes = i + 1 == s->count && fabs(x - first) < 180;
        put_vertex(out, closes ? first : x, wkb_coord(s, closes ? 1 : i * 2 + 1)); /* to the last bit */
    }
    if (s->count < 4 || fabs(x - first) < 180)
        return;
    double pole = lat < 0 ? -90 : 90;
    put_vertex(out, x, pole);
    put_vertex(out, first, pole);
    put_vertex(out, first, wkb_coord(s, 1));
    count += 3;
    if (!out->overflow)
        memcpy(out->p + count_at, &count, sizeof count);
}

static int count_rings(struct ctx *ctx, str wkb, uint32_t *parts_out)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    *parts_out = 0;
    TRY(wkb_reader_open(ctx, wkb, &r));
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK)
        *parts_out += s.starts_part;
    return rc == RC_END ? RC_OK : rc;
}

/* Polygons as multipolygon with those rings. Holes stay holes: the library keeps the ring that begins a part first. */
static int put_rings(struct ctx *ctx, str wkb, double lon, double lat, struct buf *out)
{
    const struct wkb_form one = {.type = GEOMETRY_POLYGON}, many = {.type = GEOMETRY_POLYGON, .multi = true};
    struct wkb_reader r;
    struct wkb_sequence s;
    uint32_t parts, rings = 0;
    size_t rings_at = 0;
    int rc;
    TRY(count_rings(ctx, wkb, &parts));
    wkb_put_head(out, &many);
    wkb_put_count(out, parts);
    TRY(wkb_reader_open(ctx, wkb, &r));
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        if (s.starts_part) {
            wkb_put_head(out, &one);
            rings_at = out->n;
            rings = 0;
            wkb_put_count(out, 0);
        }
        put_ring(out, &s, lon, lat);
        rings++;
        if (!out->overflow)
            memcpy(out->p + rings_at, &rings, sizeof rings);
    }
    TRY(rc == RC_END ? RC_OK : rc);
    return buf_check(out, ctx, "a buffer");
}

/* ---- the two ways ---- */

static int around_on_earth(struct ctx *ctx, const struct crs *from, const struct crs *to, str wkb, double meters, struct buf *out)
{
    CLEANUP(buf_free) struct buf degrees = BUF_INIT(WKB_MAX);
    CLEANUP(buf_free) struct buf plane = BUF_INIT(WKB_MAX);
    CLEANUP(buf_free) struct buf around = BUF_INIT(WKB_MAX);
    CLEANUP(buf_free) struct buf back = BUF_INIT(WKB_MAX);
    CLEANUP(buf_free) struct buf rings = BUF_INIT(WKB_MAX);
    CLEANUP(buf_free) struct buf wrapped = BUF_INIT(WKB_MAX);
    struct envelope box;
    struct crs local;
    TRY(crs_transform_wkb(ctx, from, &WGS84, wkb, &degrees));
    TRY(wkb_measure(ctx, buf_str(&degrees), NULL, &box, NULL));
    if (envelope_empty(&box))
        return err_set(ctx, &ERR_INVALID, "a distance around nothing");
    double lon = (box.xmin + box.xmax) / 2, lat = (box.ymin + box.ymax) / 2;
    crs_local(ctx, lon, lat, &local);
    TRY(crs_transform_wkb(ctx, &WGS84, &local, buf_str(&degrees), &plane));
    TRY(relate_buffer(ctx, buf_str(&plane), meters, &around));
    TRY(crs_transform_wkb(ctx, &local, &WGS84, buf_str(&around), &back));
    TRY(put_rings(ctx, buf_str(&back), lon, lat, &rings));
    TRY(relate_wrap(ctx, buf_str(&rings), &wrapped));
    const struct crs mercator = {.wkid = CRS_WEB_MERCATOR};
    if (crs_same(to, &mercator))
        TRY(wkb_clamp_y(ctx, &wrapped, 89.9)); /* Mercator has no poles */
    return crs_transform_wkb(ctx, &WGS84, to, buf_str(&wrapped), out);
}

static int around_in_plane(struct ctx *ctx, const struct crs *from, const struct crs *to, str wkb, double distance,
                           struct buf *out)
{
    CLEANUP(buf_free) struct buf around = BUF_INIT(WKB_MAX);
    TRY(relate_buffer(ctx, wkb, distance, &around));
    return crs_transform_wkb(ctx, from, to, buf_str(&around), out);
}

int geometry_buffer(struct ctx *ctx, const struct crs *from, const struct crs *to, str wkb, double meters, struct buf *out)
{
    const struct crs mercator = {.wkid = CRS_WEB_MERCATOR};
    struct crs_info info = {.unit_meters = 1};
    if (!(meters > 0 && meters <= BUFFER_METERS_MAX))
        return err_set(ctx, &ERR_INVALID, "a distance has to be more than 0 and at most %d metres", BUFFER_METERS_MAX);
    if (from->wkid > 0 || from->wkt.n)
        TRY(crs_describe(ctx, from, &info));
    if (info.geographic || crs_same(from, &mercator))
        return around_on_earth(ctx, from, to, wkb, meters, out);
    return around_in_plane(ctx, from, to, wkb, meters / info.unit_meters, out);
}
