/* Growable bytes with a mandatory maximum. A failed append marks the buffer, later appends do nothing, and
 * buf_check reports it once at the end, so that code which builds text has no error paths of its own. */
#ifndef MAPFERRY_BASE_BUF_H
#define MAPFERRY_BASE_BUF_H

#include "base/ctx.h"
#include <stdarg.h>

struct buf {
    char *p; /* NUL-terminated as soon as anything was appended */
    size_t n, capacity, max;
    bool overflow;
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})
void buf_free(struct buf *b); /* also for CLEANUP(buf_free) */
void buf_clear(struct buf *b); /* keeps the memory, forgets content and overflow */
void buf_add(struct buf *b, str s);
void buf_add_char(struct buf *b, char c);
void buf_add_bytes(struct buf *b, const void *p, size_t n);
void buf_add_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list args);
/* Room for n more bytes at the end, or NULL (and overflow) beyond the maximum; buf_commit says how many were used. */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
static inline str buf_str(const struct buf *b) { return str_of(b->p ? b->p : "", b->n); }
/* RC_OK, or ERR_LIMIT naming `what` when an append did not fit. */
int buf_check(const struct buf *b, struct ctx *ctx, const char *what);

#endif
