/* Growable bytes with a mandatory maximum; overflow is remembered and reported once by buf_check. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include <stdio.h>

enum { BUF_START = 64 };

void buf_free(struct buf *b)
{
    mem_free(b->p);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->overflow = false;
    if (b->p)
        b->p[0] = 0;
}

char *buf_grow(struct buf *b, size_t n)
{
    if (b->overflow || n > b->max - b->n || n >= SIZE_MAX / 2 - b->n) {
        b->overflow = true;
        return NULL;
    }
    size_t need = b->n + n + 1; /* the NUL has its place always */
    if (need > b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : BUF_START;
        if (capacity > b->max)
            capacity = b->max + 1;
        b->capacity = capacity > need ? capacity : need;
        b->p = mem_resize(b->p, b->capacity);
    }
    return b->p + b->n;
}

void buf_add_int(struct buf *b, int64_t v)
{
    char text[NUM_INT_SIZE];
    buf_add_bytes(b, text, num_print_int(v, text));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    if (b->overflow)
        return;
    va_list again;
    va_copy(again, args);
    size_t room = b->capacity - b->n;
    int n = vsnprintf(b->p ? b->p + b->n : NULL, room, fmt, args);
    if (n > 0 && buf_reserve(b, (size_t)n)) {
        if ((size_t)n >= room)
            vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        buf_commit(b, (size_t)n);
    } else if (b->p) {
        b->p[b->n] = 0;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}

int buf_check(const struct buf *b, struct ctx *ctx, const char *what)
{
    return b->overflow ? err_set(ctx, &ERR_LIMIT, "%s is larger than %zu bytes", what, b->max) : RC_OK;
}
