/* Relations of geometry to one that is asked about, and geometry made from geometry, through GEOS. The only file that knows the
 * library is relate.c. */
#ifndef MAPFERRY_MODEL_GEOMETRY_RELATE_H
#define MAPFERRY_MODEL_GEOMETRY_RELATE_H

#include "model/geometry/wkb.h"

/* What the geometry asked about is to the other: it contains it, is within it, … (OGC 06-103r4, 6.1.15). */
enum relate_kind {
    RELATE_INTERSECTS,
    RELATE_CONTAINS,
    RELATE_WITHIN,
    RELATE_CROSSES,
    RELATE_OVERLAPS,
    RELATE_TOUCHES,
    RELATE_DISJOINT,
    RELATE_MATRIX /* the nine intersections as given */
};
/* Nine of T, F, *, 0, 1, 2: interior, boundary and exterior of the one asked about (rows) with those of the other. */
enum { RELATE_MATRIX_SIZE = 9 };

struct relate; /* prepared for many tests; of one thread at a time */
/* The geometry is checked, and made valid where rings cross themselves. matrix: of RELATE_MATRIX, else "". ERR_INVALID: no
 * geometry, or not such a matrix. */
int relate_open(struct ctx *ctx, str wkb, enum relate_kind kind, str matrix, struct relate **out);
void relate_close(struct relate *r); /* NULL is allowed */
/* Whether the relation holds for this one. One that is empty or damaged has none. */
bool relate_test(struct ctx *ctx, struct relate *r, str wkb);
struct envelope relate_box(const struct relate *r);
/* Whether geometry whose box does not meet relate_box may fit: for disjoint, and for matrices that ask for no common point. */
bool relate_fits_apart(const struct relate *r);

/* The polygons around everything within a distance, in units of the coordinates; a negative one shrinks. Appended as WKB. */
int relate_buffer(struct ctx *ctx, str wkb, double distance, struct buf *out);
/* Polygons that reach beyond 180 degrees of longitude, cut there and moved to where those places are called by their own names.
 */
int relate_wrap(struct ctx *ctx, str wkb, struct buf *out);

#endif
