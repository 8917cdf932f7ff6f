/* The table of a Shapefile: dBASE III with names in UTF-8. */
#ifndef MAPFERRY_FORMATS_DBF_H
#define MAPFERRY_FORMATS_DBF_H

#include "formats/format.h"
#include "formats/spool.h"

struct dbf {
    struct spool file;
    const struct format_layer *layer;
    struct dbf_column *columns; /* of each field; width 0: left out */
    size_t record;              /* bytes */
    uint32_t rows;
    struct buf head;
};
/* ERR_LIMIT: more fields, or longer records, than the format can have. */
int dbf_open(struct ctx *ctx, const char *dir, const struct format_layer *l, struct dbf *out);
void dbf_close(struct dbf *d); /* one that was not opened is allowed when it is zeroed with file.fd -1 */
int dbf_row(struct ctx *ctx, struct dbf *d, const struct row *row);
int dbf_pack(struct ctx *ctx, struct dbf *d, struct zip_stream *z, str name);

#endif
