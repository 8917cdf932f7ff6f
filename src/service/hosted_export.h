/* The features of a hosted service on their way into a file: what is asked for, checked, and the rows as they are written, of one
 * moment. Source: the item export document and api.md 2.1. */
#ifndef MAPFERRY_SERVICE_HOSTED_EXPORT_H
#define MAPFERRY_SERVICE_HOSTED_EXPORT_H

#include "model/geometry/crs.h"
#include "service/hosted.h"

struct hosted_export_wish {
    struct json parameters; /* exportParameters; absent: all layers, whole */
    bool wgs84;             /* coordinates are WGS 84 when no targetSR is given */
    bool wgs84_only;        /* another targetSR is refused */
    bool row_ids;           /* the object id is among the fields whatever outFields says */
};
struct hosted_export_layer {
    const struct layer *from; /* whose rows are asked for */
    struct feature_query query;
    struct layer as;      /* the layer that is written: fields, geometry and spatial reference as asked for */
    const size_t *fields; /* of each field of `as`: its index in `from` */
    struct crs crs;       /* of the rows that are written */
    str x_name, y_name;   /* columns of points, where a format has such */
    int64_t attachments;  /* of the layer's features, all of them */
};
struct hosted_export {
    struct site *site;
    struct hosted_service *service;
    struct feature_snapshot *snapshot;
    struct hosted_export_layer *layers;
    size_t count;
};
/* The service of the item, for an export by that caller: its owner, an administrator (in general who may update the item), or who
 * may read it where it has the capability Extract. ERR_PARAMETER names what is wrong with the parameters; ERR_ITEM_MISSING,
 * ERR_FORBIDDEN. What it answers is of one moment, whatever is edited meanwhile. Close it with hosted_export_close. */
int hosted_export_open(struct ctx *ctx, struct site *s, const struct caller *c, const id *item,
                       const struct hosted_export_wish *w, struct hosted_export *out);
void hosted_export_close(struct hosted_export *e); /* for CLEANUP */

/* The rows of a layer, as they are written; geometry false: without, for a pass over the values alone. */
struct hosted_export_rows {
    const struct hosted_export_layer *layer;
    struct feature_cursor *cursor;
    struct value *values;
    struct crs from;
    bool moves, clamps;
    struct buf clamped, moved;
};
int hosted_export_rows_open(struct ctx *ctx, struct hosted_export *e, size_t layer, bool geometry,
                            struct hosted_export_rows *out);
/* RC_END at the end. The row's memory is valid until the next call. ERR_INVALID naming the feature that cannot be transformed. */
int hosted_export_rows_next(struct ctx *ctx, struct hosted_export_rows *r, struct row *out);
void hosted_export_rows_close(struct hosted_export_rows *r); /* for CLEANUP */

#endif
