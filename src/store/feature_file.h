/* GeoPackages for others (OGC 12-128r17): files with tables under the names of their layers, spatial indexes and nothing that is
 * ours alone. */
#ifndef MAPFERRY_STORE_FEATURE_FILE_H
#define MAPFERRY_STORE_FEATURE_FILE_H

#include "store/feature.h"

struct feature_file;
/* path must not exist; its folder takes files on the way. Nothing is durable: what fails on the way is thrown away. */
int feature_file_create(struct ctx *ctx, const char *path, struct feature_file **out);
void feature_file_close(struct feature_file *f); /* NULL is allowed */
/* Begins a layer as a table of that name, which has to be free and no name of SQLite's or of GeoPackage's. The layer has an
 * object id field, rows have ids of their own. */
int feature_file_layer(struct ctx *ctx, struct feature_file *f, const struct layer *l, str table);
int feature_file_row(struct ctx *ctx, struct feature_file *f, const struct row *row);
/* The layer's index, and its extent in the table of contents. */
int feature_file_layer_end(struct ctx *ctx, struct feature_file *f);
int feature_file_finish(struct ctx *ctx, struct feature_file *f); /* the file is whole */

#endif
