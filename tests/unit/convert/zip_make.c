/* Zip archives for tests, with any member names. */
#include "codec/deflate.h"
#include "codec/zip.h"
#include "convert_fixture.h"

static void add_member(struct buf *b, const struct zip_file *file, struct zip_member *m)
{
    uint8_t head[ZIP_LOCAL_MAX];
    *m = (struct zip_member){.name = str_c(file->name),
                             .offset = b->n,
                             .size = file->content.n,
                             .packed = file->content.n,
                             .crc = deflate_crc32(0, file->content.p, file->content.n),
                             .method = file->deflate ? ZIP_DEFLATED : ZIP_STORED};
    buf_add_bytes(b, head, zip_local_print(m, head));
    if (file->deflate) {
        struct deflate *d = deflate_open();
        char *room = buf_reserve(b, deflate_bound(file->content.n));
        m->packed = deflate_chunk(d, file->content.p, file->content.n, true, room);
        buf_commit(b, m->packed);
        deflate_close(d);
    } else {
        buf_add(b, file->content);
    }
    buf_add_bytes(b, head, zip_descriptor_print(m, head));
}

str fixture_zip(struct fixture *f, const struct zip_file *files, size_t count)
{
    struct buf b = BUF_INIT(1 << 30);
    struct zip_member *members = arena_array(f->ctx.arena, struct zip_member, count);
    uint8_t bytes[ZIP_CENTRAL_MAX + ZIP_END_MAX];
    for (size_t i = 0; i < count; i++)
        add_member(&b, &files[i], &members[i]);
    struct zip_directory d = {.count = count, .offset = b.n};
    for (size_t i = 0; i < count; i++)
        buf_add_bytes(&b, bytes, zip_central_print(&members[i], bytes));
    d.size = b.n - d.offset;
    buf_add_bytes(&b, bytes, zip_end_print(&d, bytes));
    str whole = arena_str(f->ctx.arena, buf_str(&b));
    buf_free(&b);
    return whole;
}
