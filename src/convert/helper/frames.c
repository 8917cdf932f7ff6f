/* Reading and writing whole frames; the pipe's other end is convert/child.c. */
#include "convert/helper/frames.h"
#include <errno.h>
#include <unistd.h>

bool frame_read(char *p, size_t n)
{
    while (n) {
        ssize_t got = read(STDIN_FILENO, p, n);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool frame_send(struct buf *b)
{
    protocol_end(b);
    const char *p = b->p;
    size_t n = b->n;
    while (n) {
        ssize_t put = write(STDOUT_FILENO, p, n);
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool frame_receive(struct buf *payload, uint8_t *kind_out)
{
    char head[PROTOCOL_HEAD];
    uint32_t n;
    if (!frame_read(head, sizeof head))
        return false;
    protocol_head(head, &n, kind_out);
    buf_clear(payload);
    char *p = buf_reserve(payload, n);
    if (!p || !frame_read(p, n))
        return false;
    buf_commit(payload, n);
    return true;
}

bool frame_send_error(struct ctx *ctx, struct buf *b, str path)
{
    size_t cut = path.n;
    while (cut > 0 && path.p[cut - 1] != '/')
        cut--;
    str dir = str_sub(path, 0, cut);
    protocol_begin(b, PROTOCOL_ERROR);
    for (unsigned i = 0; i < ctx->err.detail_count || i == 0; i++) {
        str text = i < ctx->err.detail_count ? str_c(ctx->err.details[i]) : str_c(err_text(ctx));
        if (i)
            buf_add(b, STR("; "));
        for (size_t at = 0; at < text.n;) {
            size_t found = dir.n ? str_find(text, dir, at) : SIZE_MAX;
            size_t end = found == SIZE_MAX ? text.n : found;
            buf_add(b, str_sub(text, at, end));
            at = found == SIZE_MAX ? text.n : found + dir.n;
        }
    }
    return frame_send(b);
}
