/* The file as GDAL sees it: its layers, their fields as a service will have them, and their rows. Only the files of this folder
 * know the library. */
#ifndef MAPFERRY_CONVERT_HELPER_SOURCE_H
#define MAPFERRY_CONVERT_HELPER_SOURCE_H

#include "base/buf.h"
#include "convert/protocol.h"
#include "model/geometry/crs.h"
#include "model/geometry/wkb.h"
#include <gdal.h>
#include <ogr_api.h>

enum { SOURCE_OID = -1, SOURCE_TEXT_SIZE = 40, SOURCE_GEOMETRY_MAX = 256 << 20 };

/* Where a column's values come from. */
struct source_field {
    struct field field; /* as the service will have it */
    int index;          /* in the library's feature; SOURCE_OID: the row's id */
};
struct source_layer {
    OGRLayerH ogr;
    str name;
    bool numbered; /* rows are numbered from 1: the file gives them no id, or none that could be kept */
    bool exact;    /* texts are not repaired */
    enum geometry_type geometry;
    bool has_z, has_m;
    struct crs crs, target; /* of the file, and of the rows */
    bool moves;             /* the two differ */
    struct envelope box;    /* of the rows, in the target */
    size_t field_count;
    struct source_field *fields;
};
struct source {
    struct protocol_open options;
    GDALDatasetH *sets;
    size_t set_count;
    size_t layer_count, layer_capacity;
    struct source_layer *layers; /* layers with geometry first once they are described; an index is a layer id */
    bool described;
    struct buf messages; /* JSON strings */
};

/* ---- source.c ---- */
/* The library's settings, and its drivers; before the sandbox is entered. */
void source_prepare(void);
int source_open(struct ctx *ctx, struct source *s);
/* What the library said last, as an error; `doing` when it said nothing. */
int source_fail(struct ctx *ctx, const char *doing);
/* The table of a package that is named for the layer's id; its columns are found by the names of the fields. */
int source_table(struct ctx *ctx, struct source *s, const struct protocol_rows *want, struct source_layer *out);
/* The library cuts what an integer column of a GeoPackage holds to 32 bits without a word: ERR_INVALID naming layer, row and
 * column when there is such a value. Other formats have none. */
int source_check_integers(struct ctx *ctx, struct source *s, const struct source_layer *l);

/* ---- schema.c ---- */
/* Describes all layers: a pass over all rows. Repeated calls do nothing. */
int source_describe(struct ctx *ctx, struct source *s);

/* ---- names.c ---- */
/* A name of letters, digits and underscores that `taken` does not know; in the arena. */
str source_field_name(struct ctx *ctx, str wanted, bool (*taken)(const void *arg, str name), const void *arg);
str source_layer_name(struct ctx *ctx, str wanted, bool (*taken)(const void *arg, str name), const void *arg);

/* ---- rows.c ---- */
struct source_rows {
    struct source_layer *layer;
    size_t column_count;
    const struct source_field **columns;
    OGRFeatureH feature; /* the row's memory */
    struct value *values;
    char (*texts)[SOURCE_TEXT_SIZE]; /* one a column: dates as text */
    char **recoded;                  /* one a column, NULL: nothing */
    struct buf wkb, moved;
    int64_t count;
};
/* columns: fields of the layer, in the order wanted; NULL: all. */
int source_rows_open(struct ctx *ctx, struct source_layer *l, const struct source_field **columns, size_t count,
                     struct source_rows *out);
void source_rows_close(struct source_rows *r);
/* RC_END at the end. The row's memory is valid until the next call. */
int source_rows_next(struct ctx *ctx, struct source_rows *r, struct row *out);

/* ---- definition.c ---- */
/* {"definition":…,"messages":[…]} appended to out. */
int source_print(struct ctx *ctx, struct source *s, struct buf *out);

#endif
