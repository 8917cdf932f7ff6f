/* Streams over memory and files, and the filter that hashes what passes. */
#include "base/stream.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum { STREAM_PIECE = 64 * 1024 };

void reader_cleanup(struct reader **r) { reader_close(*r); }
void writer_cleanup(struct writer **w) { writer_close(*w); }

int reader_read_full(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    size_t piece = 1;
    for (*got = 0; *got < n && piece > 0; *got += piece)
        TRY(reader_read(ctx, r, (char *)p + *got, n - *got, &piece));
    return RC_OK;
}

int reader_read_all(struct ctx *ctx, struct reader *r, size_t max, const char *what, str *out)
{
    size_t n = 0, capacity = 0, got = 1;
    char *p = NULL;
    while (got > 0) {
        if (n > max)
            return err_set(ctx, &ERR_LIMIT, "%s is larger than %zu bytes", what, max);
        if (n == capacity) /* one byte more than was read: at the end it is the NUL */
            p = arena_grow(ctx->arena, p, &capacity, n ? n + 1 : 4096, 1);
        TRY(reader_read(ctx, r, p + n, capacity - n, &got));
        n += got;
    }
    *out = str_of(p, n);
    return RC_OK;
}

static void stream_free(char **p) { mem_free(*p); }

int stream_copy(struct ctx *ctx, struct reader *r, struct writer *w, uint64_t *total_out)
{
    CLEANUP(stream_free) char *piece = mem_resize(NULL, STREAM_PIECE);
    uint64_t total = 0;
    for (size_t got = 1; got > 0; total += got) {
        TRY(ctx_check(ctx));
        TRY(reader_read(ctx, r, piece, STREAM_PIECE, &got));
        if (got > 0)
            TRY(writer_write(ctx, w, str_of(piece, got)));
    }
    if (total_out)
        *total_out = total;
    return RC_OK;
}

struct mem_reader {
    struct reader base;
    str rest;
};

static int mem_reader_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    struct mem_reader *m = (struct mem_reader *)r;
    (void)ctx;
    *got = n < m->rest.n ? n : m->rest.n;
    if (*got)
        memcpy(p, m->rest.p, *got);
    m->rest = str_sub(m->rest, *got, m->rest.n);
    return RC_OK;
}

static void mem_reader_close(struct reader *r) { mem_free(r); }

struct reader *reader_mem(str bytes)
{
    struct mem_reader *m = mem_new(struct mem_reader);
    *m = (struct mem_reader){.base = {mem_reader_read, mem_reader_close}, .rest = bytes};
    return &m->base;
}

struct fd_reader {
    struct reader base;
    int fd;
    bool own;
    uint64_t offset, left;
};

static int fd_reader_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    struct fd_reader *f = (struct fd_reader *)r;
    *got = n < f->left ? n : (size_t)f->left;
    TRY(file_pread(ctx, f->fd, p, *got, f->offset));
    f->offset += *got;
    f->left -= *got;
    return RC_OK;
}

static void fd_reader_close(struct reader *r)
{
    struct fd_reader *f = (struct fd_reader *)r;
    if (f->own)
        file_close(&f->fd);
    mem_free(f);
}

struct reader *reader_fd(int fd, uint64_t offset, uint64_t length, bool own)
{
    struct fd_reader *f = mem_new(struct fd_reader);
    *f = (struct fd_reader){.base = {fd_reader_read, fd_reader_close}, .fd = fd, .own = own, .offset = offset, .left = length};
    return &f->base;
}

int reader_file(struct ctx *ctx, const char *path, struct reader **out)
{
    CLEANUP(file_close) int fd = -1;
    uint64_t size;
    TRY(file_open_read(ctx, path, &fd));
    TRY(file_size(ctx, fd, &size));
    *out = reader_fd(fd, 0, size, true);
    fd = -1;
    return RC_OK;
}

struct hash_reader {
    struct reader base, *inner;
    struct hash_state *state;
    uint64_t *count;
};

static int hash_reader_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    struct hash_reader *h = (struct hash_reader *)r;
    TRY(reader_read(ctx, h->inner, p, n, got));
    hash_update(h->state, p, *got);
    *h->count += *got;
    return RC_OK;
}

static void hash_reader_close(struct reader *r)
{
    reader_close(((struct hash_reader *)r)->inner);
    mem_free(r);
}

struct reader *reader_hash(struct reader *inner, struct hash_state *state, uint64_t *count)
{
    struct hash_reader *h = mem_new(struct hash_reader);
    *h = (struct hash_reader){.base = {hash_reader_read, hash_reader_close}, .inner = inner, .state = state, .count = count};
    return &h->base;
}

struct buf_writer {
    struct writer base;
    struct buf *buf;
};

static int buf_writer_write(struct ctx *ctx, struct writer *w, const void *p, size_t n)
{
    struct buf *b = ((struct buf_writer *)w)->buf;
    buf_add_bytes(b, p, n);
    return buf_check(b, ctx, "the content");
}

static void buf_writer_close(struct writer *w) { mem_free(w); }

struct writer *writer_buf(struct buf *b)
{
    struct buf_writer *w = mem_new(struct buf_writer);
    *w = (struct buf_writer){.base = {buf_writer_write, buf_writer_close}, .buf = b};
    return &w->base;
}

struct fd_writer {
    struct writer base;
    int fd;
    bool own;
};

static int fd_writer_write(struct ctx *ctx, struct writer *w, const void *p, size_t n)
{
    return file_write(ctx, ((struct fd_writer *)w)->fd, p, n);
}

static void fd_writer_close(struct writer *w)
{
    struct fd_writer *f = (struct fd_writer *)w;
    if (f->own)
        file_close(&f->fd);
    mem_free(f);
}

struct writer *writer_fd(int fd, bool own)
{
    struct fd_writer *f = mem_new(struct fd_writer);
    *f = (struct fd_writer){.base = {fd_writer_write, fd_writer_close}, .fd = fd, .own = own};
    return &f->base;
}
