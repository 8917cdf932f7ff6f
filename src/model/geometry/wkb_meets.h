/* Whether a geometry really meets a box, where the bounding boxes alone would find too much: lines pass corners by, boxes lie in
 * holes. */
#ifndef MAPFERRY_MODEL_GEOMETRY_WKB_MEETS_H
#define MAPFERRY_MODEL_GEOMETRY_WKB_MEETS_H

#include "model/geometry/wkb.h"

/* Touching counts. The parts of a polygon are filled by the even-odd rule, whatever way their rings run; a ring that is not
 * closed counts as closed. Exact for all doubles whose products neither overflow nor underflow (magnitudes of 1e-140 to 1e150,
 * and 0); beyond, a segment whose own box meets the box counts as meeting it. No geometry without vertices meets anything.
 * ERR_INVALID: not ISO WKB, as far as it was read: a meeting found early ends the reading. */
int wkb_meets(struct ctx *ctx, str wkb, const struct envelope *box, bool *out);

#endif
