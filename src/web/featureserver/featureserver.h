/* What the files of the feature server share. Not for others. */
#ifndef MAPFERRY_WEB_FEATURESERVER_H
#define MAPFERRY_WEB_FEATURESERVER_H

#include "model/errors.h"
#include "model/geometry/esri_json.h"
#include "model/geometry/wkb_shape.h"
#include "service/hosted.h"
#include "service/hosted_json.h"
#include "web/handlers.h"

/* ---- resource.c ---- */
/* The same with the layer of the path. */
int features_open_layer(struct ctx *ctx, struct call *call, enum feature_right right, struct hosted_service **out,
                        const struct layer **layer_out);
/* {layerId} of the path, -1 when the pattern has none. ERR_LAYER_MISSING when it is no number. */
int features_layer_id(struct ctx *ctx, const struct call *call, int32_t *out);
/* A number from the path. ERR_FEATURE naming it when it is none. */
int features_path_number(struct ctx *ctx, const struct call *call, const char *name, int64_t *out);
/* Features in one answer: the layer's own maxRecordCount, else the service's. */
int32_t features_record_limit(const struct hosted_service *h, const struct layer *l);
/* "11.4" as a JSON number. */
str features_version(const struct call *call);

/* ---- shape.c: coordinates of an answer ---- */
/* What a geometry goes through, in this order. */
struct features_shape {
    struct crs from, to;
    bool transform, clamp; /* clamp: latitudes near the poles, which the target has no place for */
    double tolerance;      /* of the generalization; 0: none */
    bool quantize;
    struct wkb_grid grid;
    double grain; /* coordinates become multiples of 1/grain; 0: as they are */
    struct esri_json_form form;
    struct buf first, second;
};
/* Reads outSR, geometryPrecision, maxAllowableOffset, quantizationParameters, returnZ, returnM of the call. Release with
 * features_shape_close. */
int features_shape_open(struct ctx *ctx, const struct call *call, const struct layer *l, struct features_shape *out);
void features_shape_close(struct features_shape *s); /* for CLEANUP */
/* The geometry as asked for: in the row itself when nothing is to be done, else valid until the next call. */
int features_shape_apply(struct ctx *ctx, struct features_shape *s, str wkb, str *out);
/* The same with one place. */
int features_shape_point(struct ctx *ctx, const struct features_shape *s, double xy[2]);
/* "transform", of quantized answers. */
void features_shape_put_transform(struct json_out *o, const struct features_shape *s);

/* ---- rows.c: rows as JSON ---- */
struct features_rows {
    const struct layer *layer;
    const size_t *fields; /* in the order asked for */
    size_t field_count;
    str *names; /* of all the layer's fields, as JSON text */
    bool geometry, geojson, centroid, envelope;
    const struct where_output *outputs; /* of statistics, else NULL */
    struct features_shape shape;
};
/* Reads returnCentroid, returnEnvelope and the parameters of the shape. Release with features_rows_close. */
int features_rows_open(struct ctx *ctx, const struct call *call, const struct layer *l, struct features_rows *out);
void features_rows_close(struct features_rows *r); /* for CLEANUP */
/* xmin … ymax as members. */
void features_put_corners(struct json_out *o, const struct envelope *box);
/* One feature object. Nothing stays in the arena. */
int features_rows_put(struct ctx *ctx, struct json_out *o, struct features_rows *r, const struct row *row);
/* geometryType, spatialReference, hasZ, hasM: of layers with geometry. */
void features_rows_put_geometry_members(struct json_out *o, const struct features_rows *r);
/* "fields": those asked for. */
void features_rows_put_fields(struct json_out *o, const struct features_rows *r);
/* The outFields parameter: "*", names in any case, "" (the object id field). */
int features_out_fields(struct ctx *ctx, const struct layer *l, str text, size_t **out, size_t *count_out);
int features_order(struct ctx *ctx, const struct layer *l, str text, struct feature_order **out, size_t *count_out);
int features_object_ids(struct ctx *ctx, str csv, int64_t **out, size_t *count_out);
/* A where-clause; what is wrong with it is ERR_FEATURE. */
int features_where(struct ctx *ctx, const struct layer *l, str text, struct where **out);

/* ---- extent.c ---- */
/* "extent" of a layer as JSON text in the arena, from its features; STR_NONE when it has none with a geometry. */
int features_layer_extent(struct ctx *ctx, const struct call *call, const struct hosted_service *h, const struct layer *l,
                          str *out);
/* "fullExtent" of a service: around all of its layers, in the service's spatial reference. STR_NONE also when one has no place in
 * it. */
int features_full_extent(struct ctx *ctx, const struct call *call, const struct hosted_service *h, str *out);

/* ---- attachment.c ---- */
/* Where the bytes are. */
str features_attachment_url(struct ctx *ctx, const struct call *call, const struct hosted_service *h, int32_t layer,
                            const struct attachment *a);

/* ---- changes_files.c ---- */
/* "attachments" of an answer of extractChanges: the ids of what changed, as the data set's log has them. */
int features_put_changed_files(struct ctx *ctx, struct call *call, const struct hosted_service *h, const struct layer *l,
                               const struct feature_changes *c);

/* ---- edit.c ---- */
void features_put_edit_result(struct json_out *o, const struct edit_result *r);

/* ---- edit_files.c ---- */
/* The attachments among edits. Release with features_close_files, also after an error. */
int features_read_files(struct ctx *ctx, struct call *call, struct json v, struct hosted_layer_edits *e);
void features_close_files(struct hosted_layer_edits *e); /* for CLEANUP */

/* ---- filter.c ---- */
/* geometry, geometryType, spatialRel, relationParam, inSR, distance, units of the call as the query's box and shape in the
 * layer's spatial reference. The shape is the caller's to close (relate_close), also after an error. ERR_FEATURE for what is
 * wrong. */
int features_filter(struct ctx *ctx, const struct call *call, const struct layer *l, struct feature_query *q);
void features_filter_close(struct feature_query *q); /* for CLEANUP */

#endif
