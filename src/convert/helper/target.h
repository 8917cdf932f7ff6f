/* The other direction: rows of the portal into a file of a format that GDAL writes. */
#ifndef MAPFERRY_CONVERT_HELPER_TARGET_H
#define MAPFERRY_CONVERT_HELPER_TARGET_H

#include "convert/protocol.h"
#include <gdal.h>
#include <ogr_api.h>

/* Answers all questions from PROTOCOL_CREATE on, whose payload it is given, until there are none; an error is told and ends it.
 */
void target_serve(struct ctx *ctx, str create, struct buf *b);

/* ---- target_layer.c ---- */
struct target_layer {
    OGRLayerH ogr;
    OGRFeatureDefnH definition;
    const struct layer *layer;
    int *columns; /* of each field, in the library's features; -1: it is the row's id */
    struct value *values;
    int64_t rows;
};
/* Makes the layer in the file: fields with their aliases and domains. names_out: of the fields and the layer as the file has
 * them, as a JSON list. */
int target_layer_open(struct ctx *ctx, GDALDatasetH set, const char *driver, const struct layer *l, struct target_layer *out,
                      struct buf *names_out);
void target_layer_close(struct target_layer *l);
/* The rows of a batch. */
int target_layer_rows(struct ctx *ctx, struct target_layer *l, str batch);
/* What the library said last, as an error; `doing` when it said nothing. */
int target_fail(struct ctx *ctx, const char *doing);

#endif
