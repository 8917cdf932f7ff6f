/* Geometry as well-known text (OGC 06-103r4): "POINT Z (1 2 3)". */
#ifndef MAPFERRY_MODEL_GEOMETRY_WKT_H
#define MAPFERRY_MODEL_GEOMETRY_WKT_H

#include "model/geometry/wkb.h"

/* Appends it; numbers in their shortest exact spelling, an M without value as "nan". Errors are those of wkb_reader. */
int wkt_put(struct ctx *ctx, struct buf *b, str wkb);

#endif
