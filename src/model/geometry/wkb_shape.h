/* Geometry made simpler for an answer: coordinates kept off the poles, rounded, fewer vertices, whole numbers on a grid. */
#ifndef MAPFERRY_MODEL_GEOMETRY_WKB_SHAPE_H
#define MAPFERRY_MODEL_GEOMETRY_WKB_SHAPE_H

#include "model/geometry/wkb.h"

/* Every y brought within -limit and limit. The WKB in the buffer is changed in place, as by the next. */
int wkb_clamp_y(struct ctx *ctx, struct buf *b, double limit);
/* x and y become multiples of 1/grain. */
int wkb_round(struct ctx *ctx, struct buf *b, double grain);

/* Without vertices that lie nearer than `tolerance` to the line between those that stay (Douglas, Peucker). Outer rings keep a
 * triangle at least; holes and parts that shrink to nothing go. Points stay as they are. Appended to `out`. */
int wkb_generalize(struct ctx *ctx, str wkb, double tolerance, struct buf *out);

/* A grid: column = (x - x0) / step, row = (y - y0) / step, or (y0 - y) / step when rows count downwards. */
struct wkb_grid {
    double x0, y0, step_x, step_y;
    bool down;
    bool keep_all; /* also vertices that fall on the one before */
};
/* The same geometry with columns and rows, whole numbers, instead of x and y. Parts of lines and rings that fall together to one
 * place go, unless keep_all. Appended to `out`. ERR_INVALID: a coordinate beyond 2^53 steps. */
int wkb_quantize(struct ctx *ctx, str wkb, const struct wkb_grid *g, struct buf *out);

#endif
