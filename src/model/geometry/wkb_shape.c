/* Simpler geometry for answers: see wkb_shape.h. What changes the number of vertices writes the geometry anew, part by part, and
 * puts the counts in when they are known. */
#include "model/geometry/wkb_shape.h"
#include "base/mem.h"

static const double EXACT = 9007199254740992.0; /* 2^53 */

/* ---- in place ---- */

struct adjustment {
    double clamp, grain; /* 0: not asked for */
};

static int adjust(struct ctx *ctx, struct buf *b, struct adjustment a)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    TRY(wkb_reader_open(ctx, buf_str(b), &r));
    size_t dims = wkb_dims(&r.form);
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        char *coords = b->p + (s.coords - (const unsigned char *)b->p);
        for (size_t i = 0; i < s.count; i++) {
            double xy[2];
            memcpy(xy, coords + i * dims * sizeof(double), sizeof xy);
            if (a.clamp > 0 && fabs(xy[1]) > a.clamp)
                xy[1] = copysign(a.clamp, xy[1]);
            for (size_t k = 0; a.grain > 0 && k < 2; k++)
                xy[k] = round(xy[k] * a.grain) / a.grain;
            memcpy(coords + i * dims * sizeof(double), xy, sizeof xy);
        }
    }
    return rc == RC_END ? RC_OK : rc;
}

int wkb_clamp_y(struct ctx *ctx, struct buf *b, double limit) { return adjust(ctx, b, (struct adjustment){.clamp = limit}); }

int wkb_round(struct ctx *ctx, struct buf *b, double grain) { return adjust(ctx, b, (struct adjustment){.grain = grain}); }

/* ---- writing parts anew ---- */

/* Counts are written as 0 first; here is where they stand and what they are to be. */
struct rewriter {
    struct buf *out;
    struct wkb_form form;
    unsigned dims;
    size_t parts_at, rings_at; /* 0: no such count */
    uint32_t parts, rings;
    bool part_open;
};

static void patch(struct rewriter *w, size_t at, uint32_t count)
{
    if (at && !w->out->overflow)
        memcpy(w->out->p + at, &count, sizeof count);
}

static size_t put_count_later(struct rewriter *w)
{
    size_t at = w->out->n;
    wkb_put_count(w->out, 0);
    return at;
}

static void rewrite_begin(struct rewriter *w, struct buf *out, const struct wkb_form *form)
{
    *w = (struct rewriter){.out = out, .form = *form, .dims = wkb_dims(form)};
    wkb_put_head(out, form);
    if (form->multi)
        w->parts_at = put_count_later(w);
}

static void part_begin(struct rewriter *w)
{
    struct wkb_form one = w->form;
    one.multi = false;
    if (one.type == GEOMETRY_MULTIPOINT)
        one.type = GEOMETRY_POINT;
    patch(w, w->rings_at, w->rings);
    if (w->form.multi)
        wkb_put_head(w->out, &one);
    w->rings_at = w->form.type == GEOMETRY_POLYGON ? put_count_later(w) : 0;
    w->rings = 0;
    w->parts++;
    w->part_open = true;
}

static void rewrite_end(struct rewriter *w)
{
    patch(w, w->rings_at, w->rings);
    patch(w, w->parts_at, w->parts);
    if (!w->form.multi && !w->part_open && w->form.type == GEOMETRY_POINT) { /* empty */
        const double none[4] = {NAN, NAN, NAN, NAN};
        wkb_put_coords(w->out, none, w->dims);
    } else if (!w->form.multi && !w->part_open) {
        wkb_put_count(w->out, 0);
    }
}

/* A sequence of doubles as path, ring or point. The rings of a polygon whose outer ring is gone are not asked for. */
static void put_sequence(struct rewriter *w, const double *coords, size_t count, bool starts_part)
{
    if (starts_part)
        part_begin(w);
    w->rings++;
    if (w->form.type != GEOMETRY_POINT && w->form.type != GEOMETRY_MULTIPOINT)
        wkb_put_count(w->out, (uint32_t)count);
    wkb_put_coords(w->out, coords, count * w->dims);
}

/* Makes the vertices of a sequence new ones, in place, and returns how many there are. */
typedef size_t change_fn(const void *how, const struct wkb_form *f, bool outer, double *coords, size_t count, unsigned dims);

/* Each sequence through `change`; `least` vertices have to stay of lines (rings have one more). */
static int rewrite(struct ctx *ctx, str wkb, change_fn *change, const void *how, struct buf *out)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    struct rewriter w;
    double few[128], *coords = few, *many = NULL;
    size_t capacity = COUNT_OF(few);
    bool outer_gone = false;
    int rc;
    TRY(wkb_reader_open(ctx, wkb, &r));
    rewrite_begin(&w, out, &r.form);
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        size_t n = (size_t)s.count * w.dims;
        if (n > capacity) {
            many = mem_resize(many, n * sizeof *many);
            coords = many;
            capacity = n;
        }
        memcpy(coords, s.coords, n * sizeof *coords);
        size_t count = change(how, &r.form, s.starts_part, coords, s.count, w.dims);
        if (s.starts_part)
            outer_gone = count == 0;
        if (count > 0 && !outer_gone)
            put_sequence(&w, coords, count, s.starts_part);
    }
    rewrite_end(&w);
    mem_free(many);
    TRY(rc == RC_END ? RC_OK : rc);
    return buf_check(out, ctx, "geometry");
}

/* ---- fewer vertices ---- */

/* Squared distance of a point from the segment between two others. */
static double distance2(const double *p, const double *a, const double *b)
{
    double dx = b[0] - a[0], dy = b[1] - a[1], length2 = dx * dx + dy * dy;
    double t = length2 > 0 ? ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2 : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    double x = a[0] + t * dx - p[0], y = a[1] + t * dy - p[1];
    return x * x + y * y;
}

static size_t farthest(const double *coords, unsigned dims, size_t first, size_t last, double *most)
{
    size_t at = first;
    *most = -1;
    for (size_t i = first + 1; i < last; i++) {
        double d = distance2(coords + i * dims, coords + first * dims, coords + last * dims);
        if (d > *most) {
            *most = d;
            at = i;
        }
    }
    return at;
}

/* Marks what stays between two vertices that do. */
static void simplify(const double *coords, unsigned dims, size_t first, size_t last, double tolerance2, bool *keep)
{
    struct span {
        size_t first, last;
    } stack[64], span = {first, last};
    size_t depth = 0;
    for (;;) {
        double most;
        size_t at = farthest(coords, dims, span.first, span.last, &most);
        if (most > tolerance2) {
            keep[at] = true;
            struct span left = {span.first, at}, right = {at, span.last};
            bool left_longer = at - span.first > span.last - at;
            stack[depth++] = left_longer ? left : right; /* the longer waits: the stack stays as deep as a logarithm */
            span = left_longer ? right : left;
        } else if (depth > 0) {
            span = stack[--depth];
        } else {
            return;
        }
    }
}

static size_t drop_others(double *coords, unsigned dims, size_t count, const bool *keep)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (keep[i])
            memmove(coords + n++ * dims, coords + i * dims, dims * sizeof *coords);
    return n;
}

static size_t generalize(const void *how, const struct wkb_form *f, bool outer, double *coords, size_t count, unsigned dims)
{
    double tolerance = *(const double *)how, most;
    bool ring = f->type == GEOMETRY_POLYGON;
    if (f->type == GEOMETRY_POINT || f->type == GEOMETRY_MULTIPOINT || count <= (ring ? 4U : 2U))
        return count;
    bool *keep = mem_alloc(count * sizeof *keep);
    size_t middle = ring ? farthest(coords, dims, 0, count - 1, &most) : 0;
    keep[0] = keep[middle] = keep[count - 1] = true;
    if (middle > 0) {
        simplify(coords, dims, 0, middle, tolerance * tolerance, keep);
        simplify(coords, dims, middle, count - 1, tolerance * tolerance, keep);
    } else {
        simplify(coords, dims, 0, count - 1, tolerance * tolerance, keep);
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        kept += keep[i];
    if (ring && outer && kept < 4) { /* a triangle with the vertex that is farthest from the line there is */
        double left, right;
        size_t a = farthest(coords, dims, 0, middle, &left), b = farthest(coords, dims, middle, count - 1, &right);
        keep[left > right ? a : b] = true;
        kept++;
    }
    size_t n = ring && kept < 4 && !outer ? 0 : drop_others(coords, dims, count, keep);
    mem_free(keep);
    return n;
}

int wkb_generalize(struct ctx *ctx, str wkb, double tolerance, struct buf *out)
{
    return rewrite(ctx, wkb, generalize, &tolerance, out);
}

/* ---- on a grid ---- */

static size_t quantize(const void *how, const struct wkb_form *f, bool outer, double *coords, size_t count, unsigned dims)
{
    const struct wkb_grid *g = how;
    bool points = f->type == GEOMETRY_POINT || f->type == GEOMETRY_MULTIPOINT;
    size_t n = 0, least = points ? 1 : f->type == GEOMETRY_POLYGON ? 4 : 2;
    (void)outer;
    for (size_t i = 0; i < count; i++) {
        double *v = coords + i * dims;
        double x = round((v[0] - g->x0) / g->step_x), y = round((g->down ? g->y0 - v[1] : v[1] - g->y0) / g->step_y);
        const double *before = n ? coords + (n - 1) * dims : NULL;
        if (before && !g->keep_all && before[0] == x && before[1] == y)
            continue;
        memmove(coords + n * dims, v, dims * sizeof *v);
        coords[n * dims] = x;
        coords[n * dims + 1] = y;
        n++;
    }
    return n >= least || g->keep_all ? n : 0;
}

int wkb_quantize(struct ctx *ctx, str wkb, const struct wkb_grid *g, struct buf *out)
{
    struct envelope box;
    size_t start = out->n;
    TRY(rewrite(ctx, wkb, quantize, g, out));
    TRY(wkb_measure(ctx, str_sub(buf_str(out), start, out->n), NULL, &box, NULL));
    if (!envelope_empty(&box) && (box.xmin < -EXACT || box.ymin < -EXACT || box.xmax > EXACT || box.ymax > EXACT))
        return err_set(ctx, &ERR_INVALID, "a coordinate too far from the origin of so fine a grid");
    return RC_OK;
}
