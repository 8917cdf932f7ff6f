/* Byte streams, pull for reading and push for writing, and their small filters. */
#ifndef MAPFERRY_BASE_STREAM_H
#define MAPFERRY_BASE_STREAM_H

#include "base/ctx.h"
#include "base/hash.h"

struct buf; /* base/buf.h */

/* Embed as the first member of an implementation. */
struct reader {
    /* Up to n bytes into p; *got 0 with RC_OK is the end. */
    int (*read)(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got);
    void (*close)(struct reader *r); /* gives back the reader itself as well */
};
struct writer {
    int (*write)(struct ctx *ctx, struct writer *w, const void *p, size_t n);
    void (*close)(struct writer *w); /* without having been finished: what was written is thrown away */
};

static inline int reader_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    return r->read(ctx, r, p, n, got);
}
static inline void reader_close(struct reader *r)
{
    if (r)
        r->close(r);
}
static inline int writer_write(struct ctx *ctx, struct writer *w, str s) { return w->write(ctx, w, s.p, s.n); }
static inline void writer_close(struct writer *w)
{
    if (w)
        w->close(w);
}
void reader_cleanup(struct reader **r); /* for CLEANUP */
void writer_cleanup(struct writer **w);

/* Reads until n bytes are there or the end. */
int reader_read_full(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got);
/* All that is left, at most `max` bytes (ERR_LIMIT naming `what` beyond), into the arena. */
int reader_read_all(struct ctx *ctx, struct reader *r, size_t max, const char *what, str *out);
/* From r to w until the end; checks the context between pieces. total_out may be NULL. */
int stream_copy(struct ctx *ctx, struct reader *r, struct writer *w, uint64_t *total_out);

/* Over bytes that outlive the reader. */
struct reader *reader_mem(str bytes);
/* Over [offset, offset+length) of a file descriptor by pread; closes fd at the end when `own`. */
struct reader *reader_fd(int fd, uint64_t offset, uint64_t length, bool own);
/* Opens a file for reading, all of it. */
int reader_file(struct ctx *ctx, const char *path, struct reader **out);
/* Passes bytes through and adds them to count and hash, which the caller has started; closes the inner reader. */
struct reader *reader_hash(struct reader *inner, struct hash_state *state, uint64_t *count);
struct writer *writer_buf(struct buf *b);
struct writer *writer_fd(int fd, bool own);

#endif
