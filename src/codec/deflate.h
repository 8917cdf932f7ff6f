/* Raw deflate (RFC 1951) and its checksum. The only room that knows ISA-L.
 *
 * Compressing works on chunks that know nothing of each other, so that several threads compress parts of one stream: each chunk
 * ends on a byte boundary, and the chunks put behind each other are one stream, which the chunk given with `last` ends. */
#ifndef MAPFERRY_CODEC_DEFLATE_H
#define MAPFERRY_CODEC_DEFLATE_H

#include "base/ctx.h"

/* A chunk never shrinks below a 512th (padding by empty blocks), so that readers can refuse what expands 1000-fold. */
enum { DEFLATE_RATIO_MAX = 512 };

struct deflate; /* working memory, about 400 KiB; one thread at a time */
struct deflate *deflate_open(void);
void deflate_close(struct deflate *d); /* NULL is allowed */
/* Most bytes that a chunk of n bytes can become. */
size_t deflate_bound(size_t n);
/* Compresses n bytes (below 1 GiB) at level 1 into out, which has room for deflate_bound(n); returns the length. The
 * bytes are a valid stream, but no function of the input: processors differ, and now and then two runs do. */
size_t deflate_chunk(struct deflate *d, const void *in, size_t n, bool last, void *out);

/* CRC-32 as zip and gzip use it; start with 0. */
uint32_t deflate_crc32(uint32_t crc, const void *p, size_t n);

struct inflate; /* about 90 KiB */
struct inflate *inflate_open(void);
void inflate_close(struct inflate *z); /* NULL is allowed */
struct inflate_step {
    const uint8_t *in; /* moved forward by what was taken */
    size_t in_size;
    uint8_t *out; /* moved forward by what was produced; never more than out_size bytes */
    size_t out_size;
    bool end; /* the final block is through; in_size is how many bytes were given that do not belong to the stream */
};
/* Decompresses until the input is used up, the output is full or the stream ends. Malformed: ERR_CORRUPT. */
int inflate_step(struct ctx *ctx, struct inflate *z, struct inflate_step *s);

#endif
