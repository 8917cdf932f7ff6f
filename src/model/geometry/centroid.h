/* The point that stands for a geometry. */
#ifndef MAPFERRY_MODEL_GEOMETRY_CENTROID_H
#define MAPFERRY_MODEL_GEOMETRY_CENTROID_H

#include "model/geometry/wkb.h"

/* Weighted by area, else (lines, and polygons without area) by length, else the mean of the vertices. *found_out is false when
 * there are no vertices. Errors are those of wkb_reader. */
int geometry_centroid(struct ctx *ctx, str wkb, double xy_out[2], bool *found_out);

#endif
