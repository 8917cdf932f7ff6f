/* Reading zip archives from strangers. The central directory is read once, every member's surroundings are compared with what
 * zip_print.c would have written, and members must lie without a gap from the first byte of the file to the directory. */
#include "codec/zip.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/deflate.h"
#include <stdlib.h>

enum { END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56, WINDOW_SIZE = 64 * 1024 };
enum { RATIO_MAX = 1000, RATIO_FREE_BYTES = 1024 * 1024 };

struct zip {
    int fd;
    struct zip_limits limits;
    struct arena *names;
    size_t count;
    struct zip_member *members;
    uint32_t *ranks; /* member indices in byte order of the names */
};

static uint64_t zip_get(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

/* ---- end records ---- */

/* Why is there no end record at the end? */
static int zip_refuse_end(struct ctx *ctx, int fd, uint64_t size)
{
    uint8_t window[WINDOW_SIZE];
    size_t n = size < sizeof window ? (size_t)size : sizeof window;
    TRY(file_pread(ctx, fd, window, n, 0));
    if (n < 4 || zip_get(window, 4) != 0x04034b50)
        return err_set(ctx, &ERR_INVALID, "The file is no zip archive.");
    TRY(file_pread(ctx, fd, window, n, size - n));
    for (size_t i = n; i-- > 4;)
        if (zip_get(window + i - 4, 4) == 0x06054b50)
            return err_set(ctx, &ERR_CORRUPT, "The archive has bytes behind its end, or its end is damaged.");
    return err_set(ctx, &ERR_CORRUPT, "The archive is cut off: its end is missing.");
}

static int zip_read_end(struct ctx *ctx, int fd, const struct zip_limits *limits, struct zip_directory *d)
{
    uint64_t size;
    uint8_t end[END64_SIZE + LOCATOR_SIZE + END_SIZE], again[ZIP_END_MAX];
    TRY(file_size(ctx, fd, &size));
    size_t n = size < sizeof end ? (size_t)size : sizeof end;
    TRY(file_pread(ctx, fd, end, n, size - n));
    if (n < END_SIZE || zip_get(end + n - END_SIZE, 4) != 0x06054b50)
        return zip_refuse_end(ctx, fd, size);
    const uint8_t *last = end + n - END_SIZE;
    *d = (struct zip_directory){.count = zip_get(last + 10, 2), .size = zip_get(last + 12, 4), .offset = zip_get(last + 16, 4)};
    if ((d->count == UINT16_MAX || d->size == UINT32_MAX || d->offset == UINT32_MAX) && n == sizeof end &&
        zip_get(end, 4) == 0x06064b50)
        *d = (struct zip_directory){.count = zip_get(end + 32, 8), .size = zip_get(end + 40, 8), .offset = zip_get(end + 48, 8)};
    if (d->count > limits->max_members)
        return err_set(ctx, &ERR_LIMIT, "The archive says that it has %llu members; the limit is %llu.",
                       (unsigned long long)d->count, (unsigned long long)limits->max_members);
    size_t end_size = zip_end_print(d, again);
    if (end_size > n || memcmp(end + n - end_size, again, end_size) != 0)
        return err_set(ctx, &ERR_CORRUPT, "The end record of the archive is damaged.");
    if (d->offset > size || d->size > size - d->offset || d->offset + d->size + end_size != size)
        return err_set(ctx, &ERR_CORRUPT,
                       "The directory of the archive does not lie where the end record says: bytes were added or are missing.");
    if (d->count > d->size / 46)
        return err_set(ctx, &ERR_CORRUPT, "The directory of the archive is too small for %llu members.",
                       (unsigned long long)d->count);
    return RC_OK;
}

/* ---- central directory ---- */

/* A window that moves forward over the directory. */
struct zip_window {
    int fd;
    uint64_t offset, end; /* next byte to load, end of the directory */
    size_t at, n;
    uint8_t bytes[WINDOW_SIZE];
};

/* Makes up to n bytes available at w->bytes + w->at; fewer only at the end of the directory. */
static int zip_window_fill(struct ctx *ctx, struct zip_window *w, size_t n, size_t *got)
{
    if (w->n - w->at < n) {
        memmove(w->bytes, w->bytes + w->at, w->n - w->at);
        w->n -= w->at;
        w->at = 0;
        uint64_t left = w->end - w->offset;
        size_t load = left < sizeof w->bytes - w->n ? (size_t)left : sizeof w->bytes - w->n;
        TRY(file_pread(ctx, w->fd, w->bytes + w->n, load, w->offset));
        w->n += load;
        w->offset += load;
    }
    *got = w->n - w->at;
    return RC_OK;
}

/* What is refused by name, before anything that is merely not as it should be. */
static int zip_check_member(struct ctx *ctx, const struct zip *z, const struct zip_member *m, const uint8_t *p)
{
    uint64_t flags = zip_get(p + 8, 2), mode = zip_get(p + 38, 4) >> 16;
    if (!zip_name_valid(m->name))
        return err_set(ctx, &ERR_INVALID,
                       "Member \"%.*s\" has a name that leads out of the archive or that is no valid file name.",
                       (int)(m->name.n < 200 ? m->name.n : 200), m->name.p);
    if (flags & 0x41)
        return err_set(ctx, &ERR_UNSUPPORTED, "Member \"%.*s\" is encrypted.", STR_FMT(m->name));
    if ((mode & 0170000) != 0 && (mode & 0170000) != 0100000)
        return err_set(ctx, &ERR_INVALID, "Member \"%.*s\" is a link or another special file.", STR_FMT(m->name));
    if (m->method != ZIP_STORED && m->method != ZIP_DEFLATED)
        return err_set(ctx, &ERR_UNSUPPORTED, "Member \"%.*s\" is compressed by method %u.", STR_FMT(m->name), m->method);
    if (m->size > z->limits.max_member_bytes)
        return err_set(ctx, &ERR_LIMIT, "Member \"%.*s\" has %llu bytes; the limit is %llu.", STR_FMT(m->name),
                       (unsigned long long)m->size, (unsigned long long)z->limits.max_member_bytes);
    if (m->size > RATIO_FREE_BYTES && m->size / RATIO_MAX >= m->packed)
        return err_set(ctx, &ERR_LIMIT, "Member \"%.*s\" expands more than %d-fold.", STR_FMT(m->name), RATIO_MAX);
    if (m->method == ZIP_STORED && m->size != m->packed)
        return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" is stored, yet its two sizes differ.", STR_FMT(m->name));
    return RC_OK;
}

/* The bytes around a member's data are exactly what the directory implies. */
static int zip_check_local(struct ctx *ctx, const struct zip *z, struct zip_member *m, uint64_t limit)
{
    uint8_t local[ZIP_LOCAL_MAX], again[ZIP_LOCAL_MAX], descriptor[ZIP_DESCRIPTOR_MAX];
    uint64_t room = limit - m->offset;
    if (room < 30 + m->name.n || room - 30 - m->name.n < m->packed)
        return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" does not fit before the directory.", STR_FMT(m->name));
    TRY(file_pread(ctx, z->fd, local, 30 + m->name.n, m->offset));
    m->wide = zip_get(local + 28, 2) > 20;
    size_t local_size = zip_local_size(m), descriptor_size = zip_descriptor_size(m);
    if (room < local_size || room - local_size < m->packed || room - local_size - m->packed < descriptor_size)
        return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" does not fit before the directory.", STR_FMT(m->name));
    TRY(file_pread(ctx, z->fd, local + 30 + m->name.n, local_size - 30 - m->name.n, m->offset + 30 + m->name.n));
    zip_local_print(m, again);
    if (memcmp(local, again, local_size) != 0)
        return err_set(ctx, &ERR_CORRUPT, "The local header of member \"%.*s\" does not agree with the directory.",
                       STR_FMT(m->name));
    TRY(file_pread(ctx, z->fd, descriptor, descriptor_size, m->offset + local_size + m->packed));
    zip_descriptor_print(m, again);
    if (memcmp(descriptor, again, descriptor_size) != 0)
        return err_set(ctx, &ERR_CORRUPT, "Sizes or checksum behind member \"%.*s\" do not agree with the directory.",
                       STR_FMT(m->name));
    return RC_OK;
}

static int zip_damaged_entry(struct ctx *ctx, size_t index)
{
    return err_set(ctx, &ERR_CORRUPT, "Entry %zu of the directory of the archive is damaged.", index + 1);
}

/* One entry at p; *used_out bytes of it. */
static int zip_parse_entry(struct ctx *ctx, struct zip *z, const uint8_t *p, size_t got, size_t *used_out)
{
    size_t index = z->count;
    if (got < 46 || zip_get(p, 4) != 0x02014b50)
        return zip_damaged_entry(ctx, index);
    size_t name_size = zip_get(p + 28, 2), extra_size = zip_get(p + 30, 2);
    if (name_size > ZIP_NAME_MAX || got < 46 + name_size + extra_size)
        return zip_damaged_entry(ctx, index);
    struct zip_member *m = &z->members[index];
    *m = (struct zip_member){.name = str_of(p + 46, name_size),
                             .method = (uint16_t)zip_get(p + 10, 2),
                             .crc = (uint32_t)zip_get(p + 16, 4),
                             .packed = zip_get(p + 20, 4),
                             .size = zip_get(p + 24, 4),
                             .offset = zip_get(p + 42, 4)};
    uint64_t *fields[] = {&m->size, &m->packed, &m->offset};
    const uint8_t *extra = p + 46 + name_size + 4, *extra_end = p + 46 + name_size + extra_size;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (*fields[i] != UINT32_MAX)
            continue;
        if (extra + 8 > extra_end)
            return zip_damaged_entry(ctx, index);
        *fields[i] = zip_get(extra, 8);
        extra += 8;
    }
    if (extra_size < 8)
        return zip_damaged_entry(ctx, index);
    m->packed_crc = (uint32_t)zip_get(extra_end - 4, 4);
    *used_out = 46 + name_size + extra_size;
    return zip_check_member(ctx, z, m, p);
}

static int zip_read_directory(struct ctx *ctx, struct zip *z, const struct zip_directory *d, struct zip_window *w)
{
    uint64_t expected = 0;
    for (; z->count < d->count; z->count++) {
        size_t got, used = 0;
        uint8_t again[ZIP_CENTRAL_MAX];
        if (z->count % 1024 == 0)
            TRY(ctx_check(ctx));
        TRY(zip_window_fill(ctx, w, ZIP_CENTRAL_MAX, &got));
        const uint8_t *p = w->bytes + w->at;
        TRY(zip_parse_entry(ctx, z, p, got, &used));
        struct zip_member *m = &z->members[z->count];
        if (m->offset != expected)
            return err_set(ctx, &ERR_CORRUPT,
                           "Member \"%.*s\" does not lie directly behind the one before it: members overlap or there is a gap.",
                           STR_FMT(m->name));
        TRY(zip_check_local(ctx, z, m, d->offset));
        if (zip_central_print(m, again) != used || memcmp(p, again, used) != 0)
            return err_set(ctx, &ERR_CORRUPT, "The directory entry of member \"%.*s\" is not as it should be.", STR_FMT(m->name));
        expected = m->offset + zip_local_size(m) + m->packed + zip_descriptor_size(m);
        m->name = arena_str(z->names, m->name);
        w->at += used;
    }
    if (expected != d->offset || w->n != w->at || w->offset != w->end)
        return err_set(ctx, &ERR_CORRUPT, "The directory of the archive does not end where it should.");
    return RC_OK;
}

/* ---- names ---- */

static int zip_rank_compare(const void *a, const void *b, void *arg)
{
    const struct zip *z = arg;
    return str_cmp(z->members[*(const uint32_t *)a].name, z->members[*(const uint32_t *)b].name);
}

static unsigned char zip_fold(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static int zip_fold_compare(const void *a, const void *b, void *arg)
{
    const struct zip *z = arg;
    str x = z->members[*(const uint32_t *)a].name, y = z->members[*(const uint32_t *)b].name;
    for (size_t i = 0; i < x.n && i < y.n; i++)
        if (zip_fold(x.p[i]) != zip_fold(y.p[i]))
            return zip_fold(x.p[i]) < zip_fold(y.p[i]) ? -1 : 1;
    return (x.n > y.n) - (x.n < y.n);
}

static void zip_sort(struct zip *z, int (*compare)(const void *a, const void *b, void *arg))
{
    for (uint32_t i = 0; i < z->count; i++)
        z->ranks[i] = i;
    qsort_r(z->ranks, z->count, sizeof *z->ranks, compare, z);
}

/* No two names are equal, nor differ in the case of letters only: they would be one file on some systems. */
static int zip_check_names(struct ctx *ctx, struct zip *z)
{
    zip_sort(z, zip_fold_compare);
    for (size_t i = 1; i < z->count; i++)
        if (zip_fold_compare(&z->ranks[i - 1], &z->ranks[i], z) == 0)
            return err_set(ctx, &ERR_INVALID, "The archive has member \"%.*s\" twice.", STR_FMT(z->members[z->ranks[i]].name));
    return RC_OK;
}

static int zip_load(struct ctx *ctx, struct zip *z)
{
    struct zip_directory d;
    TRY(zip_read_end(ctx, z->fd, &z->limits, &d));
    z->members = mem_alloc((size_t)d.count * sizeof *z->members + 1);
    z->ranks = mem_alloc((size_t)d.count * sizeof *z->ranks + 1);
    struct zip_window *w = mem_new(struct zip_window);
    w->fd = z->fd;
    w->offset = d.offset;
    w->end = d.offset + d.size;
    int rc = zip_read_directory(ctx, z, &d, w);
    mem_free(w);
    TRY(rc);
    TRY(zip_check_names(ctx, z));
    zip_sort(z, zip_rank_compare);
    return RC_OK;
}

int zip_open(struct ctx *ctx, int fd, const struct zip_limits *limits, struct zip **out)
{
    struct zip *z = mem_new(struct zip);
    *z = (struct zip){.fd = fd, .limits = *limits, .names = arena_open()};
    if (z->limits.max_members > UINT32_MAX - 1)
        z->limits.max_members = UINT32_MAX - 1;
    int rc = zip_load(ctx, z);
    if (rc != RC_OK) {
        zip_close(z);
        return rc;
    }
    *out = z;
    return RC_OK;
}

void zip_close(struct zip *z)
{
    if (!z)
        return;
    arena_close(z->names);
    mem_free(z->members);
    mem_free(z->ranks);
    mem_free(z);
}

size_t zip_count(const struct zip *z) { return z->count; }
const struct zip_member *zip_at(const struct zip *z, size_t index) { return &z->members[index]; }
size_t zip_ranked(const struct zip *z, size_t rank) { return z->ranks[rank]; }

size_t zip_find(const struct zip *z, str name, size_t *rank_out)
{
    size_t low = 0, high = z->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(z->members[z->ranks[middle]].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (rank_out)
        *rank_out = low;
    return low < z->count && str_eq(z->members[z->ranks[low]].name, name) ? z->ranks[low] : SIZE_MAX;
}

/* ---- member readers ---- */

struct zip_reader {
    struct reader base;
    int fd;
    const struct zip_member *member;
    uint64_t at, left; /* packed bytes: where the next ones are, how many there are */
    uint64_t produced;
    uint32_t crc, packed_crc;
    bool packed_crc_known;
    struct inflate *inflate; /* NULL: stored */
    struct inflate_step step;
    size_t window;
    uint8_t packed[]; /* window bytes, only when deflated */
};

static int zip_member_damaged(struct ctx *ctx, const struct zip_reader *r)
{
    return err_set(ctx, &ERR_CORRUPT,
                   "Member \"%.*s\" is damaged: its bytes do not have the size and checksum that the directory names.",
                   STR_FMT(r->member->name));
}

static int zip_read_stored(struct ctx *ctx, struct zip_reader *r, uint8_t *p, size_t n, size_t *got)
{
    *got = r->left < n ? (size_t)r->left : n;
    TRY(file_pread(ctx, r->fd, p, *got, r->at));
    r->at += *got;
    r->left -= *got;
    return RC_OK;
}

/* Loads packed bytes when none are waiting. */
static int zip_load_packed(struct ctx *ctx, struct zip_reader *r)
{
    if (r->step.in_size > 0 || r->left == 0)
        return RC_OK;
    size_t load = r->left < r->window ? (size_t)r->left : r->window;
    TRY(file_pread(ctx, r->fd, r->packed, load, r->at));
    r->packed_crc = deflate_crc32(r->packed_crc, r->packed, load);
    r->at += load;
    r->left -= load;
    r->step.in = r->packed;
    r->step.in_size = load;
    return RC_OK;
}

/* One step into p; with n 0 it only looks for the end of the stream. */
static int zip_inflate(struct ctx *ctx, struct zip_reader *r, uint8_t *p, size_t n, size_t *got)
{
    TRY(zip_load_packed(ctx, r));
    if (r->step.in_size == 0 && r->step.end)
        return zip_member_damaged(ctx, r);
    size_t before = r->step.in_size;
    r->step.out = p;
    r->step.out_size = n;
    if (inflate_step(ctx, r->inflate, &r->step) != RC_OK) {
        err_clear(ctx);
        return zip_member_damaged(ctx, r);
    }
    *got = n - r->step.out_size;
    if (*got == 0 && !r->step.end && r->step.in_size == before && r->left == 0)
        return zip_member_damaged(ctx, r); /* the packed bytes end before the stream does */
    return RC_OK;
}

/* All bytes are out: does the packed stream end exactly here, too? */
static int zip_inflate_end(struct ctx *ctx, struct zip_reader *r)
{
    while (!r->step.end) {
        uint8_t beyond;
        size_t got = 0;
        TRY(zip_inflate(ctx, r, &beyond, sizeof beyond, &got));
        if (got > 0)
            return zip_member_damaged(ctx, r);
    }
    return r->left == 0 && r->step.in_size == 0 ? RC_OK : zip_member_damaged(ctx, r);
}

static int zip_reader_read(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    struct zip_reader *r = (struct zip_reader *)base;
    uint64_t missing = r->member->size - r->produced;
    n = missing < n ? (size_t)missing : n;
    *got = 0;
    if (!r->inflate)
        TRY(zip_read_stored(ctx, r, p, n, got));
    while (r->inflate && n > 0 && *got == 0) {
        TRY(zip_inflate(ctx, r, p, n, got));
        if (*got == 0 && r->step.end)
            return zip_member_damaged(ctx, r);
    }
    r->crc = deflate_crc32(r->crc, p, *got);
    r->produced += *got;
    if (r->produced < r->member->size)
        return RC_OK;
    if (r->inflate)
        TRY(zip_inflate_end(ctx, r));
    else
        r->packed_crc = r->crc;
    bool sound = r->crc == r->member->crc && (!r->packed_crc_known || r->packed_crc == r->member->packed_crc);
    return sound ? RC_OK : zip_member_damaged(ctx, r);
}

static void zip_reader_close(struct reader *base)
{
    struct zip_reader *r = (struct zip_reader *)base;
    inflate_close(r->inflate);
    mem_free(r);
}

struct reader *zip_reader_open(int fd, uint64_t at, const struct zip_member *m, bool packed_crc_known)
{
    bool deflated = m->method == ZIP_DEFLATED;
    size_t window = !deflated ? 0 : m->packed < WINDOW_SIZE ? (size_t)m->packed : WINDOW_SIZE;
    struct zip_reader *r = mem_alloc(sizeof *r + window);
    *r = (struct zip_reader){.base = {.read = zip_reader_read, .close = zip_reader_close},
                             .fd = fd,
                             .member = m,
                             .at = at,
                             .packed_crc_known = packed_crc_known,
                             .left = m->packed,
                             .inflate = deflated ? inflate_open() : NULL,
                             .window = window};
    return &r->base;
}

struct reader *zip_member_open(const struct zip *z, const struct zip_member *m)
{
    return zip_reader_open(z->fd, m->offset + zip_local_size(m), m, true);
}
