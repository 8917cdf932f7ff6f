/* Files past the page cache: see direct.h. Whole blocks go out as they come; what is left of a block waits in a buffer for what
 * follows, and at the end it goes out padded, and the padding is cut off. */
#include "base/direct.h"
#include "base/file.h"
#include "base/mem.h"

enum { BUFFER_SIZE = 256 * 1024 };

struct direct_file {
    int fd;
    bool direct;              /* else through the page cache */
    uint64_t written, length; /* what has gone out, and how long the file is by now */
    size_t waiting;           /* bytes in the buffer */
    char *buffer;
};

int direct_create(struct ctx *ctx, const char *path, uint64_t size, struct direct_file **out)
{
    int fd;
    *out = NULL;
    TRY(file_create(ctx, path, &fd));
    struct direct_file *f = mem_new(struct direct_file);
    *f = (struct direct_file){.fd = fd, .direct = file_past_cache(fd), .buffer = mem_aligned(DIRECT_ALIGN, BUFFER_SIZE)};
    *out = f;
    TRY(file_reserve(ctx, fd, size, &f->length));
    return RC_OK;
}

static int send(struct ctx *ctx, struct direct_file *f, const char *p, size_t n)
{
    TRY(file_pwrite(ctx, f->fd, p, n, f->written));
    f->written += n;
    if (f->length < f->written)
        f->length = f->written;
    return RC_OK;
}

int direct_write(struct ctx *ctx, struct direct_file *f, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        size_t blocks = n - n % DIRECT_ALIGN;
        if (f->waiting == 0 && blocks > 0 && (uintptr_t)p % DIRECT_ALIGN == 0) {
            TRY(send(ctx, f, p, blocks));
            p += blocks;
            n -= blocks;
            continue;
        }
        size_t room = BUFFER_SIZE - f->waiting, take = n < room ? n : room;
        memcpy(f->buffer + f->waiting, p, take);
        f->waiting += take;
        p += take;
        n -= take;
        if (f->waiting == BUFFER_SIZE) {
            TRY(send(ctx, f, f->buffer, BUFFER_SIZE));
            f->waiting = 0;
        }
    }
    return RC_OK;
}

int direct_finish(struct ctx *ctx, struct direct_file *f)
{
    uint64_t size = f->written + f->waiting;
    size_t padding = f->direct ? (DIRECT_ALIGN - f->waiting % DIRECT_ALIGN) % DIRECT_ALIGN : 0;
    if (f->waiting > 0) {
        memset(f->buffer + f->waiting, 0, padding);
        TRY(send(ctx, f, f->buffer, f->waiting + padding));
        f->waiting = 0;
    }
    return f->length == size ? RC_OK : file_truncate(ctx, f->fd, size);
}

void direct_close(struct direct_file *f)
{
    if (!f)
        return;
    file_close(&f->fd);
    mem_free(f->buffer);
    mem_free(f);
}
