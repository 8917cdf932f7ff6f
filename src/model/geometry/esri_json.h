/* Geometry as JSON: Esri's form (Geometry objects of the ArcGIS REST API) both ways, GeoJSON (RFC 7946) for answers. Between them
 * and the stores stands WKB. */
#ifndef MAPFERRY_MODEL_GEOMETRY_ESRI_JSON_H
#define MAPFERRY_MODEL_GEOMETRY_ESRI_JSON_H

#include "model/geometry/crs.h"
#include "model/geometry/wkb.h"

/* How a geometry is written. */
struct esri_json_form {
    bool z, m;   /* with these dimensions, where the geometry has them */
    bool deltas; /* x and y of each vertex but a part's first as what they are more than those before (quantized geometry) */
    bool turned; /* y counts downwards: what runs clockwise in the numbers runs the other way on the map */
};
/* The geometry object as one value: {"x":…}, {"points":…}, {"paths":…}, {"rings":…}; null for STR_NONE. Outer rings come out
 * clockwise, holes counter-clockwise. An M without value is null. Errors are those of wkb_reader. */
int esri_json_put(struct ctx *ctx, struct json_out *o, str wkb, struct esri_json_form form);
/* Whether a ring has to be written from its end to its start so that outer rings run as asked. */
bool esri_json_reversed(const struct wkb_form *f, const struct wkb_sequence *s, bool outer_clockwise);
/* The GeoJSON geometry object, null for STR_NONE and for an empty geometry; one part gives the single type. Outer rings come out
 * counter-clockwise. */
int esri_json_put_geojson(struct ctx *ctx, struct json_out *o, str wkb, bool z);

/* Appends an Esri geometry as WKB of that form, which is a layer's (multi but for points). Rings are closed where they are not
 * and grouped into polygons: clockwise ones are outer, others holes of the smallest outer ring around them (or outer themselves,
 * when there is none); outer rings are written counter-clockwise. ERR_INVALID naming the place; ERR_UNSUPPORTED for curves. Null
 * and absent values are an error: the caller knows what no geometry means. */
int esri_json_parse(struct ctx *ctx, struct json v, const struct wkb_form *to, struct buf *out);
/* {"xmin":…,"ymin":…,"xmax":…,"ymax":…}, corners in order. */
int esri_json_parse_envelope(struct ctx *ctx, struct json v, struct envelope *out);

/* {"wkid":…,"latestWkid":…} or {"wkt":…}, or a bare number; wkid is the latest one. False when it is none of these. */
bool esri_json_parse_crs(struct arena *a, struct json v, struct crs *out);
void esri_json_put_crs(struct json_out *o, const struct crs *crs);

#endif
