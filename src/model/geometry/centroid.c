/* Centroids: see centroid.h. */
#include "model/geometry/centroid.h"

/* Sums by dimension: points, lines, areas. The highest one that has a weight counts. */
struct moments {
    double weight[3], x[3], y[3];
};

static void add_moment(struct moments *m, int dimension, double weight, double x, double y)
{
    m->weight[dimension] += weight;
    m->x[dimension] += weight * x;
    m->y[dimension] += weight * y;
}

/* Relative to an origin near by, so that far coordinates lose nothing. A hole's area counts negative, whatever way it runs. */
static void add_sequence(struct moments *m, const struct wkb_form *f, const struct wkb_sequence *s, const double origin[2])
{
    unsigned dims = wkb_dims(f);
    double area = 0, cx = 0, cy = 0;
    for (size_t i = 0; i < s->count; i++) {
        double x = wkb_coord(s, i * dims) - origin[0], y = wkb_coord(s, i * dims + 1) - origin[1];
        bool closing = f->type == GEOMETRY_POLYGON && i + 1 == s->count && s->count > 1;
        if (!closing)
            add_moment(m, 0, 1, x, y);
        if (i == 0 || f->type == GEOMETRY_POINT || f->type == GEOMETRY_MULTIPOINT)
            continue;
        double px = wkb_coord(s, (i - 1) * dims) - origin[0], py = wkb_coord(s, (i - 1) * dims + 1) - origin[1];
        double cross = px * y - x * py;
        add_moment(m, 1, hypot(x - px, y - py), (x + px) / 2, (y + py) / 2);
        area += cross / 2;
        cx += (x + px) * cross / 6;
        cy += (y + py) * cross / 6;
    }
    if (f->type != GEOMETRY_POLYGON || area == 0)
        return;
    add_moment(m, 2, s->starts_part ? fabs(area) : -fabs(area), cx / area, cy / area);
}

int geometry_centroid(struct ctx *ctx, str wkb, double xy_out[2], bool *found_out)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    struct moments m = {.weight = {0}};
    double origin[2] = {0};
    int rc;
    *found_out = false;
    TRY(wkb_reader_open(ctx, wkb, &r));
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        if (s.count && !*found_out) {
            origin[0] = wkb_coord(&s, 0);
            origin[1] = wkb_coord(&s, 1);
            *found_out = true;
        }
        add_sequence(&m, &r.form, &s, origin);
    }
    int dimension = m.weight[2] > 0 ? 2 : m.weight[1] > 0 ? 1 : 0;
    if (*found_out) {
        xy_out[0] = origin[0] + m.x[dimension] / m.weight[dimension];
        xy_out[1] = origin[1] + m.y[dimension] / m.weight[dimension];
    }
    return rc == RC_END ? RC_OK : rc;
}
