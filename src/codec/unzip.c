/* Reading archives of others. Only the directory is believed, and only as far as the file bears it out: every length is compared
 * with the size of the file before anything is read there. Source: APPNOTE 6.3, sections 4.3 and 4.4. */
#include "codec/unzip.h"
#include "base/file.h"

enum {
    END_SIZE = 22,
    COMMENT_MAX = UINT16_MAX,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    END_SIGNATURE = 0x06054b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    LOCAL_SIGNATURE = 0x04034b50,
    FLAG_ENCRYPTED = 1,
    DIRECTORY_MAX = 64 << 20,
};

static uint16_t u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t u32(const uint8_t *p) { return u16(p) | (uint32_t)u16(p + 2) << 16; }

static int broken(struct ctx *ctx, const char *what) { return err_set(ctx, &ERR_INVALID, "This is no zip archive: %s.", what); }

struct directory {
    uint64_t file_size, offset, size, count;
};

/* The end record stands last in the file, behind it only its own comment. */
static int find_end(struct ctx *ctx, int fd, struct directory *d)
{
    TRY(file_size(ctx, fd, &d->file_size));
    if (d->file_size < END_SIZE)
        return broken(ctx, "it is too short");
    size_t n = d->file_size < END_SIZE + COMMENT_MAX ? (size_t)d->file_size : END_SIZE + COMMENT_MAX;
    uint8_t *tail = arena_alloc(ctx->arena, n);
    TRY(file_pread(ctx, fd, tail, n, d->file_size - n));
    size_t at = n - END_SIZE + 1;
    while (at-- > 0)
        if (u32(tail + at) == END_SIGNATURE && at + END_SIZE + u16(tail + at + 20) == n)
            break;
    if (at == SIZE_MAX)
        return broken(ctx, "it has no directory");
    const uint8_t *end = tail + at;
    d->count = u16(end + 10);
    d->size = u32(end + 12);
    d->offset = u32(end + 16);
    if (u16(end + 4) || u16(end + 6) || u16(end + 8) != d->count)
        return err_set(ctx, &ERR_UNSUPPORTED, "The archive is spread over several disks.");
    if (d->count == UINT16_MAX || d->size == UINT32_MAX || d->offset == UINT32_MAX)
        return err_set(ctx, &ERR_UNSUPPORTED, "The archive is of the large kind (zip64).");
    return d->offset + d->size <= d->file_size - n + at ? RC_OK : broken(ctx, "its directory lies outside of it");
}

/* Where the packed bytes begin: behind the local header, whose own lengths count. */
static int find_bytes(struct ctx *ctx, const struct unzip *z, const struct directory *d, struct zip_member *m)
{
    uint8_t local[LOCAL_SIZE];
    if (m->offset + LOCAL_SIZE > d->offset)
        return broken(ctx, "a member lies outside of it");
    TRY(file_pread(ctx, z->fd, local, sizeof local, m->offset));
    if (u32(local) != LOCAL_SIGNATURE)
        return broken(ctx, "a member does not begin where the directory says");
    m->offset += LOCAL_SIZE + (uint64_t)u16(local + 26) + u16(local + 28);
    return m->offset + m->packed <= d->offset ? RC_OK : broken(ctx, "a member lies outside of it");
}

static int member_check(struct ctx *ctx, const struct zip_member *m, uint16_t flags)
{
    if (!zip_name_valid(m->name))
        return err_set(ctx, &ERR_INVALID, "The archive has a member whose name cannot be used: \"%.*s\".",
                       STR_FMT(str_sub(m->name, 0, 200)));
    if (flags & FLAG_ENCRYPTED)
        return err_set(ctx, &ERR_UNSUPPORTED, "Member \"%.*s\" is encrypted.", STR_FMT(m->name));
    if (m->method != ZIP_STORED && m->method != ZIP_DEFLATED)
        return err_set(ctx, &ERR_UNSUPPORTED, "Member \"%.*s\" is packed by method %u.", STR_FMT(m->name), m->method);
    return m->method != ZIP_STORED || m->packed == m->size ? RC_OK : broken(ctx, "sizes contradict each other");
}

/* One entry of the directory; p is moved behind it. */
static int entry_read(struct ctx *ctx, struct unzip *z, const struct directory *d, str *rest)
{
    const uint8_t *p = (const uint8_t *)rest->p;
    if (rest->n < CENTRAL_SIZE || u32(p) != CENTRAL_SIGNATURE)
        return broken(ctx, "its directory is damaged");
    size_t name = u16(p + 28), length = CENTRAL_SIZE + name + u16(p + 30) + u16(p + 32);
    if (rest->n < length)
        return broken(ctx, "its directory is damaged");
    struct zip_member m = {.name = str_sub(*rest, CENTRAL_SIZE, CENTRAL_SIZE + name),
                           .method = u16(p + 10),
                           .crc = u32(p + 16),
                           .packed = u32(p + 20),
                           .size = u32(p + 24),
                           .offset = u32(p + 42)};
    *rest = str_sub(*rest, length, rest->n);
    if (str_ends(m.name, STR("/"))) /* a folder */
        return RC_OK;
    TRY(member_check(ctx, &m, u16(p + 8)));
    TRY(find_bytes(ctx, z, d, &m));
    z->members[z->count++] = m;
    return RC_OK;
}

int unzip_open(struct ctx *ctx, int fd, const struct unzip_limits *limits, struct unzip *out)
{
    struct directory d;
    uint64_t bytes = 0;
    *out = (struct unzip){.fd = fd};
    TRY(find_end(ctx, fd, &d));
    if (d.count > limits->max_members || d.size > DIRECTORY_MAX)
        return err_set(ctx, &ERR_LIMIT, "The archive has more than %llu members.", (unsigned long long)limits->max_members);
    char *text = arena_alloc(ctx->arena, (size_t)d.size + 1);
    TRY(file_pread(ctx, fd, text, (size_t)d.size, d.offset));
    str rest = str_of(text, (size_t)d.size);
    out->members = arena_array(ctx->arena, struct zip_member, (size_t)d.count);
    for (uint64_t i = 0; i < d.count; i++)
        TRY(entry_read(ctx, out, &d, &rest));
    for (size_t i = 0; i < out->count; i++)
        bytes += out->members[i].size; /* 32 bits each, 16 bits of them */
    if (bytes > limits->max_bytes)
        return err_set(ctx, &ERR_LIMIT, "The archive has more than %llu bytes when it is unpacked.",
                       (unsigned long long)limits->max_bytes);
    return RC_OK;
}

struct reader *unzip_member_open(const struct unzip *z, const struct zip_member *m)
{
    return zip_reader_open(z->fd, m->offset, m, false);
}
