/* Geometry against a box: see wkb_meets.h. A segment misses the box when their own boxes are apart or all corners lie on one side
 * of its line (separating axes); a polygon that no ring of touches the box contains all of it or nothing, so one corner tells. */
#include "model/geometry/wkb_meets.h"

struct point {
    double x, y;
};

/* Terms of the exact sum: six products of two doubles each. */
enum { TERMS = 12 };

/* Adds v to an expansion (Shewchuk 1997, grow-expansion): doubles that do not overlap, the greatest last, whose sum is exact. */
static void grow(double *expansion, size_t count, double v)
{
    for (size_t i = 0; i < count; i++) {
        double sum = v + expansion[i], part = sum - v;
        expansion[i] = (v - (sum - part)) + (expansion[i] - part);
        v = sum;
    }
    expansion[count] = v;
}

static double exact_side(struct point a, struct point b, struct point p)
{
    const double products[TERMS / 2][2] = {{a.x, b.y}, {-a.y, b.x}, {b.x, p.y}, {-b.y, p.x}, {p.x, a.y}, {-p.y, a.x}};
    double sum[TERMS] = {0};
    for (size_t i = 0; i < TERMS / 2; i++) {
        double product = products[i][0] * products[i][1];
        grow(sum, 2 * i, fma(products[i][0], products[i][1], -product));
        grow(sum, 2 * i + 1, product);
    }
    for (size_t i = TERMS; i > 0; i--)
        if (sum[i - 1] != 0)
            return sum[i - 1];
    return 0;
}

/* Positive when p lies left of the line from a to b, negative right of it, 0 on it. The rounded value is right unless it is small
 * beside its terms (Shewchuk's bound for orient2d). */
static double side(struct point a, struct point b, struct point p)
{
    static const double BOUND = 3.3306690738754716e-16;
    double left = (b.x - a.x) * (p.y - a.y), right = (b.y - a.y) * (p.x - a.x), rounded = left - right;
    return fabs(rounded) > BOUND * (fabs(left) + fabs(right)) ? rounded : exact_side(a, b, p);
}

static bool in_box(const struct envelope *box, struct point p)
{
    return p.x >= box->xmin && p.x <= box->xmax && p.y >= box->ymin && p.y <= box->ymax;
}

static bool segment_meets(const struct envelope *box, struct point a, struct point b)
{
    if (in_box(box, a) || in_box(box, b))
        return true;
    struct envelope own = ENVELOPE_EMPTY;
    envelope_add(&own, a.x, a.y);
    envelope_add(&own, b.x, b.y);
    if (!envelope_meets(&own, box))
        return false;
    /* the two corners that lie farthest to either side of the line */
    bool rises = (b.x > a.x) == (b.y > a.y);
    double upper = side(a, b, (struct point){rises ? box->xmin : box->xmax, box->ymax});
    double lower = side(a, b, (struct point){rises ? box->xmax : box->xmin, box->ymin});
    return !((upper > 0 && lower > 0) || (upper < 0 && lower < 0));
}

/* Whether a ray from p to the right crosses the segment, its upper end not counted. */
static bool is_crossed(struct point p, struct point a, struct point b)
{
    if ((a.y > p.y) == (b.y > p.y))
        return false;
    return b.y > a.y ? side(a, b, p) > 0 : side(a, b, p) < 0;
}

static struct point vertex(const struct wkb_sequence *s, size_t index, unsigned dims)
{
    return (struct point){wkb_coord(s, index * dims), wkb_coord(s, index * dims + 1)};
}

static bool path_meets(const struct wkb_sequence *s, unsigned dims, const struct envelope *box)
{
    for (size_t i = 0; i < s->count; i++)
        if (segment_meets(box, vertex(s, i ? i - 1 : 0, dims), vertex(s, i, dims)))
            return true;
    return false;
}

/* A ring, from its last vertex on, which closes those that are open. *inside_out turns over when the box lies within the ring. */
static bool ring_meets(const struct wkb_sequence *s, unsigned dims, const struct envelope *box, bool *inside_out)
{
    for (size_t i = 0; i < s->count; i++) {
        struct point a = vertex(s, (i ? i : s->count) - 1, dims), b = vertex(s, i, dims);
        if (segment_meets(box, a, b))
            return true;
        *inside_out ^= is_crossed((struct point){box->xmin, box->ymin}, a, b);
    }
    return false;
}

int wkb_meets(struct ctx *ctx, str wkb, const struct envelope *box, bool *out)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    bool inside = false; /* of the rings of the part so far */
    int rc;
    *out = false;
    TRY(wkb_reader_open(ctx, wkb, &r));
    unsigned dims = wkb_dims(&r.form);
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        *out = s.starts_part && inside;
        if (s.starts_part)
            inside = false;
        if (r.form.type == GEOMETRY_POLYGON)
            *out |= ring_meets(&s, dims, box, &inside);
        else
            *out |= path_meets(&s, dims, box);
        if (*out)
            return RC_OK;
    }
    *out = rc == RC_END && inside;
    return rc == RC_END ? RC_OK : rc;
}
