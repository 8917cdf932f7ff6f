/* Distances around geometry, as queries ask for them: along the earth where coordinates are degrees or Web Mercator's, in the
 * plane elsewhere. */
#ifndef MAPFERRY_MODEL_GEOMETRY_BUFFER_H
#define MAPFERRY_MODEL_GEOMETRY_BUFFER_H

#include "model/geometry/crs.h"

enum { BUFFER_METERS_MAX = 9000000 }; /* less than to the other side of the earth */
/* Polygons around everything within so many metres, in the system `to`, appended as WKB. On the earth distances are true from the
 * middle of the geometry: exact around a point, near enough around what is small beside the earth. ERR_INVALID: no geometry, or a
 * distance beyond the limit. */
int geometry_buffer(struct ctx *ctx, const struct crs *from, const struct crs *to, str wkb, double meters, struct buf *out);

#endif
