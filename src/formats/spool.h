/* A file on the way to an archive: written through a buffer, its head written once more when its numbers are known. */
#ifndef MAPFERRY_FORMATS_SPOOL_H
#define MAPFERRY_FORMATS_SPOOL_H

#include "base/buf.h"
#include "codec/zip_stream.h"

struct spool {
    const char *path;
    int fd; /* -1: none */
    struct buf text;
    uint64_t written; /* before what the buffer holds */
};
int spool_open(struct ctx *ctx, const char *dir, const char *name, struct spool *out);
void spool_close(struct spool *s); /* the file goes; one that was not opened is allowed when it is zeroed with fd -1 */
static inline uint64_t spool_size(const struct spool *s) { return s->written + s->text.n; }
/* When there is enough in the buffer. */
int spool_flush(struct ctx *ctx, struct spool *s, size_t enough);
/* All bytes are in: the first n are replaced, and the file becomes a member of the archive. */
int spool_pack(struct ctx *ctx, struct spool *s, const void *head, size_t n, struct zip_stream *z, str name);

/* Numbers as both formats have them. */
static inline void spool_put(struct buf *b, uint64_t v, unsigned bytes) /* little endian */
{
    char text[8];
    for (unsigned i = 0; i < bytes; i++)
        text[i] = (char)(v >> 8 * i);
    buf_add_bytes(b, text, bytes);
}
static inline void spool_put_double(struct buf *b, double v) { buf_add_bytes(b, &v, sizeof v); }

#endif
