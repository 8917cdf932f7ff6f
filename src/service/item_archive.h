/* Resources that come as one zip archive (addResources with archive=true): unpacked into the inputs of item_parts_put. */
#ifndef MAPFERRY_SERVICE_ITEM_ARCHIVE_H
#define MAPFERRY_SERVICE_ITEM_ARCHIVE_H

#include "service/item.h"

struct item_archive {
    struct part_input *list; /* in the arena; names as in the archive; content types are the caller's matter */
    size_t count;
};
void item_archive_close(struct item_archive *a); /* for CLEANUP */
/* archive: a finished upload, which stays the caller's. Limits: 1,000 files, 1 GiB unpacked. Errors of unzip_open, as
 * ERR_PARAMETER when the archive is no use; ERR_LIMIT. */
int item_archive_unpack(struct ctx *ctx, struct site *s, struct blob_new *archive, struct item_archive *out);

#endif
