/* Rows of a bulk load whose ids we choose, put aside until all of them are there and then given back along a Hilbert curve: what
 * is near each other on the map is so in the file, and a page of features by a box reads a few pages of the file instead of one
 * for each feature. A small layer lies in few pages anyway; its rows come back as they came, which is how their owner knows them.
 *
 * Form of a record: 64 bits length of what follows, then for each field its kind and its value (a length before bytes), then the
 * geometry as bytes. It is read back by the same process only. */
#include "base/file.h"
#include "base/mem.h"
#include "store/feature_gpkg.h"
#include "store/sorter.h"

enum { SORT_MEMORY = 8 << 20, WRITE_SIZE = 1 << 20, LEAST_SORTED = 20000 };
static const uint64_t NO_BYTES = UINT64_MAX; /* the length of bytes that are not there */

struct place {
    uint64_t key, offset, size;
};
struct gpkg_spool {
    char *dir;
    size_t field_count;
    struct sorter *places;
    int fd;
    uint64_t written, read; /* offsets: what is in the file, and the next record in the order of arrival */
    struct buf last;        /* what is not in the file yet */
    struct buf record;      /* the row that was given back */
    struct value *values;
};

struct gpkg_spool *gpkg_spool_open(const char *dir, size_t field_count)
{
    struct gpkg_spool *s = mem_new(struct gpkg_spool);
    *s = (struct gpkg_spool){.dir = mem_cstr(dir),
                             .field_count = field_count,
                             .places = sorter_open(dir, sizeof(struct place), SORT_MEMORY),
                             .fd = -1,
                             .last = BUF_INIT(2ULL * GPKG_ROW_MAX),
                             .record = BUF_INIT(2ULL * GPKG_ROW_MAX),
                             .values = mem_alloc(field_count * sizeof(struct value))};
    return s;
}

void gpkg_spool_close(struct gpkg_spool *s)
{
    if (!s)
        return;
    sorter_close(s->places);
    file_close(&s->fd);
    buf_free(&s->last);
    buf_free(&s->record);
    mem_free(s->values);
    mem_free(s->dir);
    mem_free(s);
}

/* ---- in ---- */

static void put_bytes(struct buf *b, str s)
{
    uint64_t n = str_none(s) ? NO_BYTES : s.n;
    buf_add_bytes(b, &n, sizeof n);
    buf_add(b, s);
}

static void put_row(struct buf *b, const struct row *row, size_t field_count)
{
    for (size_t i = 0; i < field_count; i++) {
        const struct value *v = &row->values[i];
        buf_add_char(b, (char)v->kind);
        if (v->kind == VALUE_TEXT || v->kind == VALUE_BLOB)
            put_bytes(b, v->s);
        else if (v->kind == VALUE_DOUBLE)
            buf_add_bytes(b, &v->d, sizeof v->d);
        else if (v->kind == VALUE_INT)
            buf_add_bytes(b, &v->i, sizeof v->i);
    }
    put_bytes(b, row->wkb);
}

static int write_out(struct ctx *ctx, struct gpkg_spool *s)
{
    if (s->fd < 0)
        TRY(file_create_nameless(ctx, s->dir, &s->fd));
    TRY(file_pwrite(ctx, s->fd, s->last.p, s->last.n, s->written));
    s->written += s->last.n;
    buf_clear(&s->last);
    return RC_OK;
}

int gpkg_spool_add(struct ctx *ctx, struct gpkg_spool *s, const struct row *row, uint64_t key)
{
    size_t start = s->last.n;
    uint64_t size = 0;
    buf_add_bytes(&s->last, &size, sizeof size);
    put_row(&s->last, row, s->field_count);
    TRY(buf_check(&s->last, ctx, "a row"));
    size = s->last.n - start - sizeof size;
    memcpy(s->last.p + start, &size, sizeof size);
    TRY(sorter_add(ctx, s->places, &(struct place){.key = key, .offset = s->written + start, .size = size}));
    return s->last.n < WRITE_SIZE ? RC_OK : write_out(ctx, s);
}

/* ---- and out again ---- */

static const char *take(const char **p, void *out, size_t n)
{
    memcpy(out, *p, n);
    return *p += n;
}

static str take_bytes(const char **p)
{
    uint64_t n;
    take(p, &n, sizeof n);
    if (n == NO_BYTES)
        return STR_NONE;
    str s = str_of(*p, (size_t)n);
    *p += n;
    return s;
}

static void take_row(struct gpkg_spool *s, struct row *out)
{
    const char *p = s->record.p;
    for (size_t i = 0; i < s->field_count; i++) {
        struct value *v = &s->values[i];
        *v = (struct value){.kind = (enum value_kind) * p++};
        if (v->kind == VALUE_TEXT || v->kind == VALUE_BLOB)
            v->s = take_bytes(&p);
        else if (v->kind == VALUE_DOUBLE)
            take(&p, &v->d, sizeof v->d);
        else if (v->kind == VALUE_INT)
            take(&p, &v->i, sizeof v->i);
    }
    *out = (struct row){.values = s->values, .wkb = take_bytes(&p)};
}

/* Bytes of the spool, of its file or of what is not in it yet. */
static int read_at(struct ctx *ctx, struct gpkg_spool *s, uint64_t offset, void *out, size_t n)
{
    if (offset < s->written)
        return file_pread(ctx, s->fd, out, n, offset);
    memcpy(out, s->last.p + (offset - s->written), n);
    return RC_OK;
}

static int find_next(struct ctx *ctx, struct gpkg_spool *s, struct place *out)
{
    if (sorter_count(s->places) >= LEAST_SORTED)
        return sorter_next(ctx, s->places, out);
    if (s->read == s->written + s->last.n)
        return RC_END;
    out->offset = s->read;
    TRY(read_at(ctx, s, s->read, &out->size, sizeof out->size));
    s->read += sizeof out->size + out->size;
    return RC_OK;
}

int gpkg_spool_next(struct ctx *ctx, struct gpkg_spool *s, struct row *out)
{
    struct place at;
    TRY(find_next(ctx, s, &at));
    buf_clear(&s->record);
    char *room = buf_reserve(&s->record, at.size);
    TRY(buf_check(&s->record, ctx, "a row"));
    TRY(read_at(ctx, s, at.offset + sizeof at.size, room, at.size));
    take_row(s, out);
    return RC_OK;
}
