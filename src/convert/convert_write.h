/* Files in formats that GDAL writes, by the same child, which may then write to one folder and read nothing of others. */
#ifndef MAPFERRY_CONVERT_CONVERT_WRITE_H
#define MAPFERRY_CONVERT_CONVERT_WRITE_H

#include "model/layer.h"

enum convert_target { CONVERT_TO_GEODATABASE, CONVERT_TO_KML };
struct convert_write;
struct convert_write_options {
    const char *program; /* path of mapferry-convert */
    const char *dir;     /* a folder, the whole path of it */
    const char *name;    /* of the file in it that is made */
    enum convert_target format;
};
/* ERR_INVALID with a sentence for what the library refuses, ERR_IO when the program could not be started. */
int convert_write_open(struct ctx *ctx, const struct convert_write_options *options, struct convert_write **out);
void convert_write_close(struct convert_write *w); /* ends the child; NULL is allowed */
/* Begins a layer, which is a service's as service_parse wants it, alone in a definition text. names_out: of its fields and itself
 * as the file has them, a JSON list in the arena. */
int convert_write_layer(struct ctx *ctx, struct convert_write *w, str definition, size_t field_count, str *names_out);
/* The row is sent when there are many; an error may be about one before it. */
int convert_write_row(struct ctx *ctx, struct convert_write *w, const struct row *row);
int convert_write_layer_end(struct ctx *ctx, struct convert_write *w);
int convert_write_finish(struct ctx *ctx, struct convert_write *w); /* the file is whole */

#endif
