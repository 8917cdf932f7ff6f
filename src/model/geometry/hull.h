/* The convex hull of many geometries. */
#ifndef MAPFERRY_MODEL_GEOMETRY_HULL_H
#define MAPFERRY_MODEL_GEOMETRY_HULL_H

#include "model/geometry/wkb.h"

/* Vertices as they come; memory stays a few times the hull's size. */
struct hull {
    double *points; /* x, y */
    size_t count, capacity;
};
int hull_add_wkb(struct ctx *ctx, struct hull *h, str wkb);
/* Leaves the hull's corners alone, counter-clockwise from the leftmost; three at least when the points lie on no line. */
void hull_finish(struct hull *h);
void hull_close(struct hull *h); /* for CLEANUP */

#endif
