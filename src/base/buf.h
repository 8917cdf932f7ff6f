/* Growable bytes with a mandatory maximum. A failed append marks the buffer, later appends do nothing, and
 * buf_check reports it once at the end, so that code which builds text has no error paths of its own. */
#ifndef MAPFERRY_BASE_BUF_H
#define MAPFERRY_BASE_BUF_H

#include "base/ctx.h"
#include <assert.h>
#include <stdarg.h>
#include <string.h>

struct buf {
    char *p; /* NUL-terminated as soon as anything was appended */
    size_t n, capacity, max;
    bool overflow;
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})
void buf_free(struct buf *b);  /* also for CLEANUP(buf_free) */
void buf_clear(struct buf *b); /* keeps the memory, forgets content and overflow */
void buf_add_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list args);
/* Room for n more bytes at the end, or NULL (and overflow) beyond the maximum; buf_commit says how many were used. Answers are
 * made of appends of a few bytes, so these are inline. */
char *buf_grow(struct buf *b, size_t n); /* what buf_reserve does when there is no room yet */
static inline char *buf_reserve(struct buf *b, size_t n)
{
    return !b->overflow && n < b->capacity - b->n ? b->p + b->n : buf_grow(b, n); /* the NUL has its place always */
}
static inline void buf_commit(struct buf *b, size_t n)
{
    assert(n < b->capacity - b->n);
    b->n += n;
    b->p[b->n] = 0;
}
static inline void buf_add_bytes(struct buf *b, const void *p, size_t n)
{
    char *to = n ? buf_reserve(b, n) : NULL;
    if (to) {
        memcpy(to, p, n);
        buf_commit(b, n);
    }
}
static inline void buf_add(struct buf *b, str s) { buf_add_bytes(b, s.p, s.n); }
static inline void buf_add_char(struct buf *b, char c) { buf_add_bytes(b, &c, 1); }
static inline str buf_str(const struct buf *b) { return str_of(b->p ? b->p : "", b->n); }
/* RC_OK, or ERR_LIMIT naming `what` when an append did not fit. */
int buf_check(const struct buf *b, struct ctx *ctx, const char *what);

#endif
