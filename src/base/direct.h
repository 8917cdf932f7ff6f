/* Writes a new file past the page cache, where the file system can do that: for much content that arrives at once and that nobody
 * reads soon. It spares the processor a copy and the memory its pages, and what was written needs no more than its metadata
 * synced. Where the file system cannot, the bytes go the usual way. */
#ifndef MAPFERRY_BASE_DIRECT_H
#define MAPFERRY_BASE_DIRECT_H

#include "base/ctx.h"

/* Pieces that begin at a multiple of this in memory are written from where they are, others are copied first. */
enum { DIRECT_ALIGN = 4096 };

struct direct_file;
/* Creates the file (O_EXCL, mode 0600) with room for `size` bytes. After a failure there is only direct_close left to do. */
int direct_create(struct ctx *ctx, const char *path, uint64_t size, struct direct_file **out);
int direct_write(struct ctx *ctx, struct direct_file *f, const void *p, size_t n);
/* The rest goes out and the file gets its true length. Not yet synced. */
int direct_finish(struct ctx *ctx, struct direct_file *f);
void direct_close(struct direct_file *f); /* NULL is allowed */

#endif
