/* Bounding boxes in the plane, as geometry, feature stores and answers use them. */
#ifndef MAPFERRY_MODEL_GEOMETRY_ENVELOPE_H
#define MAPFERRY_MODEL_GEOMETRY_ENVELOPE_H

#include <math.h>
#include <stdbool.h>

struct envelope {
    double xmin, ymin, xmax, ymax;
};
/* Contains nothing; adding a point makes it that point. */
#define ENVELOPE_EMPTY ((struct envelope){.xmin = INFINITY, .ymin = INFINITY, .xmax = -INFINITY, .ymax = -INFINITY})

static inline bool envelope_empty(const struct envelope *e) { return !(e->xmin <= e->xmax && e->ymin <= e->ymax); }
static inline void envelope_add(struct envelope *e, double x, double y)
{
    e->xmin = x < e->xmin ? x : e->xmin;
    e->xmax = x > e->xmax ? x : e->xmax;
    e->ymin = y < e->ymin ? y : e->ymin;
    e->ymax = y > e->ymax ? y : e->ymax;
}
/* Touching counts as meeting. */
static inline bool envelope_meets(const struct envelope *a, const struct envelope *b)
{
    return a->xmin <= b->xmax && a->xmax >= b->xmin && a->ymin <= b->ymax && a->ymax >= b->ymin;
}
static inline bool envelope_contains(const struct envelope *outer, const struct envelope *inner)
{
    return outer->xmin <= inner->xmin && outer->xmax >= inner->xmax && outer->ymin <= inner->ymin && outer->ymax >= inner->ymax;
}

#endif
