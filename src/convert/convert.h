/* Our end of the pipe to mapferry-convert, the sandboxed child that alone links GDAL. A hostile file kills a child, never the
 * portal.
 *
 * The child gets one file (a path that it may read, nothing else), says what layers it holds, and streams typed rows of one
 * layer. It is started when it is needed and ended at the latest by convert_close. What it sends is checked here as any input
 * from outside. */
#ifndef MAPFERRY_CONVERT_CONVERT_H
#define MAPFERRY_CONVERT_CONVERT_H

#include "model/layer.h"
#include "model/row_source.h"

enum convert_format {
    CONVERT_GEOPACKAGE,
    CONVERT_GEOJSON,
    CONVERT_SHAPEFILE_ZIP,
    CONVERT_CSV,
    CONVERT_EXCEL,
    CONVERT_KML, /* and KMZ */
    CONVERT_GPX,
    CONVERT_FILE_GEODATABASE, /* in a zip archive */
    CONVERT_FEATURE_COLLECTION,
    CONVERT_PACKAGE_LAYERS /* a GeoPackage that we wrote */
};

/* By the name that the API gives a type of file (api.md 2.3, 4.4), in any case. False: none that is read. */
bool convert_format_parse(str file_type, enum convert_format *out);
/* The spatial reference that rows of such a file are published in when nobody asks for one; 0: as the file has it. */
int32_t convert_format_target(enum convert_format format);
/* Whether rows of such a file have ids of their own; others have their number in the file. */
bool convert_format_has_ids(enum convert_format format);

struct convert;
/* The strings are copied. */
struct convert_options {
    const char *program;    /* path of mapferry-convert */
    const char *path;       /* the file */
    const char *name;       /* of a layer that has none of its own (CSV, GeoJSON); NULL: "layer" */
    const char *parameters; /* publishParameters (api.md 2.3) as JSON text: how the file is read; NULL: all is found out */
    enum convert_format format;
    int32_t target_wkid;     /* geometries are transformed to it; 0: as they are */
    int64_t memory_max;      /* of the child, bytes; 0: 1 GiB */
    int64_t cpu_seconds_max; /* 0: 3600 */
};
/* Starts the child, which opens the file. ERR_INVALID with a sentence when the file is not what it should be, or when reading it
 * ended the child (a limit, a crash); ERR_IO when the program could not be started. */
int convert_open(struct ctx *ctx, const struct convert_options *options, struct convert **out);
void convert_close(struct convert *c); /* ends the child; NULL is allowed */
/* A definition text in the form of the admin resource: layers and tables (ids from 0, layers first) with fields (an OID field
 * first), geometry type, extent, spatial reference, a simple drawingInfo, templates. Names made unique and valid; no declared
 * width cuts a value. Costs a pass over the rows. Checked by service_parse. ERR_INVALID when the file holds nothing to publish,
 * or a layer mixes kinds of geometry. messages_out: a JSON array of sentences about what was left out. */
int convert_definition(struct ctx *ctx, struct convert *c, str *json_out, str *messages_out);
/* What convert_definition found out about how to read the file: a JSON object whose members are publishParameters. Empty before.
 */
str convert_found(const struct convert *c);
/* What convert_definition found out about how to read the file: a JSON object whose members are publishParameters. Empty before.
 */
str convert_found(const struct convert *c);
/* Rows of one layer, by its id in that definition, in its field order. For CONVERT_PACKAGE_LAYERS pass the package's own layer:
 * its table is the one that is named for its id ("l<id>_…", store/feature.h). Close before the next, and before convert_close; l
 * outlives it. A row that does not fit its field (text too long, number out of range) is ERR_INVALID naming row and field. */
int convert_rows(struct ctx *ctx, struct convert *c, const struct layer *l, struct row_source **out);

#endif
