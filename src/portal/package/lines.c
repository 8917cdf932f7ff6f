/* Lines from a stream through one buffer. */
#include "portal/package/lines.h"
#include "base/mem.h"

struct lines *lines_open(struct reader *reader)
{
    struct lines *l = mem_new(struct lines);
    l->reader = reader;
    return l;
}

void lines_close(struct lines *l)
{
    if (!l)
        return;
    reader_close(l->reader);
    mem_free(l);
}

static int lines_fill(struct ctx *ctx, struct lines *l)
{
    memmove(l->bytes, l->bytes + l->at, l->n - l->at);
    l->n -= l->at;
    l->at = 0;
    size_t got;
    TRY(reader_read(ctx, l->reader, l->bytes + l->n, sizeof l->bytes - l->n, &got));
    l->n += got;
    l->end = got == 0;
    return RC_OK;
}

int lines_next(struct ctx *ctx, struct lines *l, str *line_out, bool *whole_out)
{
    char *newline;
    while ((newline = memchr(l->bytes + l->at, '\n', l->n - l->at)) == NULL && !l->end) {
        if (l->n - l->at == sizeof l->bytes)
            return err_set(ctx, &ERR_LIMIT, "A line is longer than %d bytes.", LINES_MAX);
        TRY(lines_fill(ctx, l));
    }
    if (!newline && l->at == l->n)
        return RC_END;
    size_t n = newline ? (size_t)(newline - (l->bytes + l->at)) : l->n - l->at;
    *line_out = str_of(l->bytes + l->at, n);
    if (whole_out)
        *whole_out = newline != NULL;
    l->at += n + (newline != NULL);
    return RC_OK;
}
