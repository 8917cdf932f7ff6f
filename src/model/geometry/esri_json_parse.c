/* Esri JSON geometry to WKB: see esri_json.h. Rings come as a flat list there; which of them are holes of which is found here. */
#include "model/geometry/esri_json.h"

enum { DIMS_MAX = 4 };

/* A list of vertices with the dimensions of the target form. */
struct line {
    double *coords;
    size_t count;
    double area; /* twice, positive counter-clockwise; rings only */
    struct envelope box;
    size_t outer; /* of a hole: index of the ring around it; of an outer ring: its own */
};
struct source {
    struct ctx *ctx;
    struct wkb_form to;
    bool has_z, has_m; /* what the arrays hold */
};

static int bad(struct ctx *ctx, struct json at, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "geometry, %.*s: %s", STR_FMT(json_pointer(at, ctx->arena)), what);
}

/* A number, or NaN for null and for Esri's "NaN"; false for anything else. */
static bool parse_ordinate(struct json v, double *out)
{
    *out = NAN;
    return json_absent(v) || json_is(v, JSON_NULL) || json_string_eq(v, STR("NaN")) || json_double(v, out);
}

/* x, y and what the target has of z and m, in its order. */
static void arrange(const struct source *s, double x, double y, double z, double m, double *out)
{
    *out++ = x;
    *out++ = y;
    if (s->to.has_z)
        *out++ = isnan(z) ? 0 : z;
    if (s->to.has_m)
        *out = m;
}

static int parse_vertex(const struct source *s, struct json v, double *out)
{
    double raw[DIMS_MAX] = {NAN, NAN, NAN, NAN};
    size_t n = 0;
    struct json item;
    if (!json_is(v, JSON_ARRAY))
        return bad(s->ctx, v, "expected an array of coordinates");
    for (struct json_iter it = json_each(v); n < DIMS_MAX && json_next(&it, NULL, &item); n++)
        if (!parse_ordinate(item, &raw[n]))
            return bad(s->ctx, item, "expected a number");
    if (!isfinite(raw[0]) || !isfinite(raw[1]))
        return bad(s->ctx, v, "expected x and y");
    bool m_third = s->has_m && !s->has_z;
    arrange(s, raw[0], raw[1], m_third ? NAN : raw[2], m_third ? raw[2] : raw[3], out);
    return RC_OK;
}

static int parse_line(const struct source *s, struct json v, size_t least, struct line *out)
{
    unsigned dims = wkb_dims(&s->to);
    if (!json_is(v, JSON_ARRAY) || json_count(v) < least)
        return bad(s->ctx, v, "expected an array with more vertices");
    *out = (struct line){.coords = arena_array(s->ctx->arena, double, (json_count(v) + 1) * dims), .box = ENVELOPE_EMPTY};
    struct json item;
    for (struct json_iter it = json_each(v); json_next(&it, NULL, &item); out->count++) {
        double *at = out->coords + out->count * dims;
        TRY(parse_vertex(s, item, at));
        envelope_add(&out->box, at[0], at[1]);
    }
    return RC_OK;
}

static int parse_lines(const struct source *s, struct json list, size_t least, struct line **out, size_t *count_out)
{
    if (!json_is(list, JSON_ARRAY))
        return bad(s->ctx, list, "expected an array");
    *out = arena_array(s->ctx->arena, struct line, json_count(list));
    *count_out = 0;
    struct json item;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &item);)
        TRY(parse_line(s, item, least, &(*out)[(*count_out)++]));
    return RC_OK;
}

/* ---- writing ---- */
static struct wkb_form part_form(const struct wkb_form *f)
{
    struct wkb_form part = *f;
    part.multi = false;
    return part;
}

static void put_head(struct buf *out, const struct wkb_form *to, size_t parts)
{
    wkb_put_head(out, to);
    if (to->multi)
        wkb_put_count(out, (uint32_t)parts);
}

static void put_line(struct buf *out, const struct line *l, unsigned dims, bool reversed)
{
    wkb_put_count(out, (uint32_t)l->count);
    for (size_t i = 0; i < l->count; i++)
        wkb_put_coords(out, l->coords + (reversed ? l->count - 1 - i : i) * dims, dims);
}

static int parse_point(const struct source *s, struct json v, struct buf *out)
{
    double x, y, z, m, coords[DIMS_MAX];
    bool read = parse_ordinate(json_get_c(v, "x"), &x) && parse_ordinate(json_get_c(v, "y"), &y) &&
                parse_ordinate(json_get_c(v, "z"), &z) && parse_ordinate(json_get_c(v, "m"), &m);
    if (!read || isnan(x) != isnan(y) || isinf(x) || isinf(y))
        return bad(s->ctx, v, "expected x and y");
    arrange(s, x, y, z, m, coords);
    struct wkb_form single = part_form(&s->to);
    bool empty = isnan(x);
    if (s->to.multi)
        put_head(out, &s->to, empty ? 0U : 1U);
    if (s->to.multi && empty)
        return RC_OK;
    wkb_put_head(out, &single);
    wkb_put_coords(out, coords, wkb_dims(&s->to));
    return RC_OK;
}

static int parse_points(const struct source *s, struct json list, struct buf *out)
{
    struct line l;
    struct wkb_form part = part_form(&s->to);
    unsigned dims = wkb_dims(&s->to);
    TRY(parse_line(s, list, 0, &l));
    put_head(out, &s->to, l.count);
    for (size_t i = 0; i < l.count; i++) {
        wkb_put_head(out, &part);
        wkb_put_coords(out, l.coords + i * dims, dims);
    }
    return RC_OK;
}

static int parse_paths(const struct source *s, struct json list, struct buf *out)
{
    struct line *lines;
    size_t count;
    struct wkb_form part = part_form(&s->to);
    TRY(parse_lines(s, list, 2, &lines, &count));
    put_head(out, &s->to, count);
    for (size_t i = 0; i < count; i++) {
        wkb_put_head(out, &part);
        put_line(out, &lines[i], wkb_dims(&s->to), false);
    }
    return RC_OK;
}

/* ---- rings ---- */
static void close_ring(struct line *l, unsigned dims)
{
    double *last = l->coords + (l->count - 1) * dims;
    if (last[0] == l->coords[0] && last[1] == l->coords[1])
        return;
    memcpy(last + dims, l->coords, dims * sizeof(double));
    l->count++;
}

static double area_of(const struct line *l, unsigned dims)
{
    double area = 0, x0 = l->coords[0], y0 = l->coords[1];
    for (size_t i = 1; i + 1 < l->count; i++) {
        const double *a = l->coords + i * dims, *b = a + dims;
        area += (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0);
    }
    return area;
}

/* 1 inside, -1 outside, 0 on the ring: crossings of a ray to the right. */
static int place_in_ring(const struct line *ring, unsigned dims, double x, double y)
{
    bool inside = false;
    for (size_t i = 0; i + 1 < ring->count; i++) {
        const double *a = ring->coords + i * dims, *b = a + dims;
        double cross = (b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1]);
        bool within = x >= fmin(a[0], b[0]) && x <= fmax(a[0], b[0]) && y >= fmin(a[1], b[1]) && y <= fmax(a[1], b[1]);
        if (cross == 0 && within)
            return 0;
        if ((a[1] > y) != (b[1] > y) && (cross > 0) == (b[1] > a[1]))
            inside = !inside;
    }
    return inside ? 1 : -1;
}

/* A hole may touch its ring, so the first vertex that is not on it decides. */
static bool is_inside(const struct line *hole, const struct line *ring, unsigned dims)
{
    if (!envelope_contains(&ring->box, &hole->box))
        return false;
    for (size_t i = 0; i + 1 < hole->count; i++) {
        int place = place_in_ring(ring, dims, hole->coords[i * dims], hole->coords[i * dims + 1]);
        if (place != 0)
            return place > 0;
    }
    return true;
}

static int group_rings(struct ctx *ctx, struct line *rings, size_t count, unsigned dims)
{
    for (size_t i = 0; i < count; i++) {
        close_ring(&rings[i], dims);
        rings[i].area = area_of(&rings[i], dims);
        rings[i].outer = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (rings[i].area <= 0)
            continue;
        TRY(ctx_check(ctx));
        for (size_t k = 0; k < count; k++) {
            bool smaller = rings[i].outer == i || rings[k].area > rings[rings[i].outer].area; /* clockwise areas are negative */
            if (rings[k].area < 0 && smaller && is_inside(&rings[i], &rings[k], dims))
                rings[i].outer = k;
        }
    }
    return RC_OK;
}

/* Holes of each outer ring as lists: first[outer], then next[hole]; SIZE_MAX ends. Order of the input is kept. */
static size_t list_holes(const struct line *rings, size_t count, size_t *first, size_t *next, size_t *holes)
{
    size_t parts = 0;
    for (size_t i = count; i-- > 0;)
        first[i] = SIZE_MAX;
    for (size_t i = count; i-- > 0;) {
        size_t outer = rings[i].outer;
        if (outer == i) {
            parts++;
            continue;
        }
        next[i] = first[outer];
        first[outer] = i;
        holes[outer]++;
    }
    return parts;
}

static int parse_rings(const struct source *s, struct json list, struct buf *out)
{
    struct arena *a = s->ctx->arena;
    struct line *rings;
    size_t count;
    unsigned dims = wkb_dims(&s->to);
    struct wkb_form part = part_form(&s->to);
    TRY(parse_lines(s, list, 3, &rings, &count));
    TRY(group_rings(s->ctx, rings, count, dims));
    size_t *first = arena_array(a, size_t, count), *next = arena_array(a, size_t, count), *holes = arena_array(a, size_t, count);
    put_head(out, &s->to, list_holes(rings, count, first, next, holes));
    for (size_t i = 0; i < count; i++) {
        if (rings[i].outer != i)
            continue;
        wkb_put_head(out, &part);
        wkb_put_count(out, (uint32_t)(holes[i] + 1));
        put_line(out, &rings[i], dims, rings[i].area < 0);
        for (size_t h = first[i]; h != SIZE_MAX; h = next[h])
            put_line(out, &rings[h], dims, true);
    }
    return RC_OK;
}

/* ---- entry ---- */
static const struct {
    const char *member;
    enum geometry_type type;
    int (*parse)(const struct source *s, struct json list, struct buf *out);
} LISTS[] = {
    {"points", GEOMETRY_MULTIPOINT, parse_points},
    {"paths", GEOMETRY_POLYLINE, parse_paths},
    {"rings", GEOMETRY_POLYGON, parse_rings},
};

int esri_json_parse(struct ctx *ctx, struct json v, const struct wkb_form *to, struct buf *out)
{
    struct source s = {.ctx = ctx, .to = *to};
    if (!json_is(v, JSON_OBJECT))
        return err_set(ctx, &ERR_INVALID, "geometry: expected an object");
    if (!json_absent(json_get_c(v, "curvePaths")) || !json_absent(json_get_c(v, "curveRings")))
        return err_set(ctx, &ERR_UNSUPPORTED, "geometry: true curves");
    s.has_m = json_bool(json_get_c(v, "hasM"), to->has_m && !to->has_z);
    s.has_z = json_bool(json_get_c(v, "hasZ"), to->has_z);
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        struct json list = json_get_c(v, LISTS[i].member);
        if (json_absent(list))
            continue;
        if (LISTS[i].type != to->type)
            return bad(ctx, v, "another geometry type than the layer's");
        TRY(LISTS[i].parse(&s, list, out));
        return buf_check(out, ctx, "geometry");
    }
    bool point = !json_absent(json_get_c(v, "x")) && (to->type == GEOMETRY_POINT || to->type == GEOMETRY_MULTIPOINT);
    if (!point)
        return bad(ctx, v, "another geometry type than the layer's, or none");
    TRY(parse_point(&s, v, out));
    return buf_check(out, ctx, "geometry");
}

int esri_json_parse_envelope(struct ctx *ctx, struct json v, struct envelope *out)
{
    bool read = json_double(json_get_c(v, "xmin"), &out->xmin) && json_double(json_get_c(v, "ymin"), &out->ymin) &&
                json_double(json_get_c(v, "xmax"), &out->xmax) && json_double(json_get_c(v, "ymax"), &out->ymax);
    if (!read)
        return err_set(ctx, &ERR_INVALID, "envelope: expected xmin, ymin, xmax and ymax");
    if (envelope_empty(out))
        return err_set(ctx, &ERR_INVALID, "envelope: the corners are in the wrong order");
    return RC_OK;
}

bool esri_json_parse_crs(struct arena *a, struct json v, struct crs *out)
{
    int64_t wkid = 0;
    *out = (struct crs){.wkt = STR("")};
    bool numbered = json_int(v, &wkid) || json_int(json_get_c(v, "latestWkid"), &wkid) || json_int(json_get_c(v, "wkid"), &wkid);
    if (numbered && wkid > 0 && wkid <= INT32_MAX) {
        out->wkid = crs_latest_wkid((int32_t)wkid);
        return true;
    }
    out->wkt = json_string_or(json_get_c(v, "wkt"), a, STR(""));
    return out->wkt.n > 0;
}
