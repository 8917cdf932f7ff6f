/* Members are compressed in pieces as deflate.h has them; sizes and checksums follow each member in its descriptor. */
#include "codec/zip_stream.h"
#include "base/mem.h"
#include "codec/deflate.h"
#include "codec/zip.h"

enum { PIECE = 256 << 10, MEMBERS_MAX = 60000 };

struct zip_stream {
    struct writer base; /* takes the bytes of the open member */
    struct writer *to;
    bool wide;
    struct deflate *deflate;
    struct arena *names;
    struct zip_member *members;
    size_t count, capacity;
    uint64_t at; /* bytes written */
    uint8_t *piece, *packed;
    size_t piece_n;
};

static int put(struct ctx *ctx, struct zip_stream *z, const void *p, size_t n)
{
    z->at += n;
    return z->to->write(ctx, z->to, p, n);
}

/* Compresses what is in the piece. */
static int pack(struct ctx *ctx, struct zip_stream *z, bool last)
{
    struct zip_member *m = &z->members[z->count - 1];
    size_t n = deflate_chunk(z->deflate, z->piece, z->piece_n, last, z->packed);
    m->crc = deflate_crc32(m->crc, z->piece, z->piece_n);
    m->packed_crc = deflate_crc32(m->packed_crc, z->packed, n);
    m->size += z->piece_n;
    m->packed += n;
    z->piece_n = 0;
    if (!m->wide && (m->size > ZIP_NARROW_MAX || m->packed > ZIP_NARROW_MAX))
        return err_set(ctx, &ERR_LIMIT, "%.*s has more than 4 GB, which this format cannot have", STR_FMT(m->name));
    return put(ctx, z, z->packed, n);
}

static int stream_write(struct ctx *ctx, struct writer *w, const void *p, size_t n)
{
    struct zip_stream *z = (struct zip_stream *)w;
    const uint8_t *from = p;
    while (n) {
        size_t room = PIECE - z->piece_n, take = n < room ? n : room;
        memcpy(z->piece + z->piece_n, from, take);
        z->piece_n += take;
        from += take;
        n -= take;
        if (z->piece_n < PIECE)
            continue;
        TRY(ctx_check(ctx));
        TRY(pack(ctx, z, false));
    }
    return RC_OK;
}

static void stream_close(struct writer *w) { (void)w; }

struct zip_stream *zip_stream_open(struct writer *to, bool wide)
{
    struct zip_stream *z = mem_new(struct zip_stream);
    *z = (struct zip_stream){.base = {.write = stream_write, .close = stream_close},
                             .to = to,
                             .wide = wide,
                             .deflate = deflate_open(),
                             .names = arena_open(),
                             .piece = mem_alloc(PIECE),
                             .packed = mem_alloc(deflate_bound(PIECE))};
    return z;
}

void zip_stream_close(struct zip_stream *z)
{
    if (!z)
        return;
    deflate_close(z->deflate);
    arena_close(z->names);
    mem_free(z->piece);
    mem_free(z->packed);
    mem_free(z);
}

struct writer *zip_stream_writer(struct zip_stream *z) { return &z->base; }

int zip_stream_begin(struct ctx *ctx, struct zip_stream *z, str name)
{
    uint8_t head[ZIP_LOCAL_MAX];
    if (z->count == MEMBERS_MAX)
        return err_set(ctx, &ERR_LIMIT, "an archive has at most %d files", MEMBERS_MAX);
    if (!zip_name_valid(name))
        return err_set(ctx, &ERR_INVALID, "'%.*s' cannot be the name of a file in an archive", STR_FMT(name));
    z->members = arena_grow(z->names, z->members, &z->capacity, z->count + 1, sizeof *z->members);
    struct zip_member *m = &z->members[z->count++];
    *m = (struct zip_member){.name = arena_str(z->names, name), .offset = z->at, .method = ZIP_DEFLATED, .wide = z->wide};
    return put(ctx, z, head, zip_local_print(m, head));
}

int zip_stream_end(struct ctx *ctx, struct zip_stream *z)
{
    uint8_t tail[ZIP_DESCRIPTOR_MAX];
    TRY(pack(ctx, z, true));
    return put(ctx, z, tail, zip_descriptor_print(&z->members[z->count - 1], tail));
}

int zip_stream_finish(struct ctx *ctx, struct zip_stream *z)
{
    struct zip_directory d = {.count = z->count, .offset = z->at};
    uint8_t text[ZIP_CENTRAL_MAX], end[ZIP_END_MAX];
    for (size_t i = 0; i < z->count; i++)
        TRY(put(ctx, z, text, zip_central_print(&z->members[i], text)));
    d.size = z->at - d.offset;
    return put(ctx, z, end, zip_end_print(&d, end));
}

int zip_stream_add_file(struct ctx *ctx, struct zip_stream *z, str name, const char *path)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    TRY(reader_file(ctx, path, &r));
    TRY(zip_stream_begin(ctx, z, name));
    TRY(stream_copy(ctx, r, &z->base, NULL));
    return zip_stream_end(ctx, z);
}
