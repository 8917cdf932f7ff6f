/* Values in columns of fixed width, as text. What a column cannot hold is counted. */
#include "formats/dbf.h"
#include "base/clock.h"
#include "base/num.h"

enum { NAME_BYTES = 10, FIELDS_MAX = 255, TEXT_MAX = 254, RECORD_MAX = 65535, HEAD_SIZE = 32, DESCRIPTOR_SIZE = 32 };
enum { VERSION = 3, HEAD_END = 0x0d, FILE_END = 0x1a, YEAR_0 = 1900 };

struct dbf_column {
    str name;
    char type;
    uint8_t width, decimals;
};

static const struct {
    char type;
    uint8_t least, most, decimals; /* width by the longest value, between these */
} TYPES[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = {'N', 9, 20, 0},
    [FIELD_GLOBALID] = {'C', 38, 38, 0},
    [FIELD_GUID] = {'C', 38, 38, 0},
    [FIELD_STRING] = {'C', 1, TEXT_MAX, 0},
    [FIELD_INTEGER] = {'N', 9, 11, 0},
    [FIELD_SMALL_INTEGER] = {'N', 6, 6, 0},
    [FIELD_BIG_INTEGER] = {'N', 18, 20, 0},
    [FIELD_DOUBLE] = {'N', 24, 24, 15},
    [FIELD_SINGLE] = {'N', 24, 24, 15},
    [FIELD_DATE] = {'D', 8, 8, 0},
    [FIELD_DATE_ONLY] = {'D', 8, 8, 0},
    [FIELD_TIME_ONLY] = {'C', 8, 16, 0},
    [FIELD_TIMESTAMP_OFFSET] = {'C', 25, 40, 0},
    [FIELD_XML] = {'C', 1, TEXT_MAX, 0},
};

static struct dbf_column column_of(const struct format_layer *l, size_t i)
{
    const struct field *f = &l->layer->fields[i];
    size_t width = l->widths[i], declared = f->type == FIELD_STRING && f->length > 0 ? (size_t)f->length : 0;
    width = width > declared ? width : declared;
    width = width > TYPES[f->type].least ? width : TYPES[f->type].least;
    width = width < TYPES[f->type].most ? width : TYPES[f->type].most;
    return (struct dbf_column){.type = TYPES[f->type].type, .width = (uint8_t)width, .decimals = TYPES[f->type].decimals};
}

static int make_columns(struct ctx *ctx, struct dbf *d)
{
    const struct format_layer *l = d->layer;
    struct format_names taken = {0};
    size_t count = 0;
    d->columns = arena_array(ctx->arena, struct dbf_column, l->layer->field_count + 1);
    d->record = 1; /* whether it is deleted */
    for (size_t i = 0; i < l->layer->field_count; i++) {
        struct dbf_column *c = &d->columns[i];
        if (l->layer->fields[i].type == FIELD_BLOB)
            continue;
        *c = column_of(l, i);
        c->name = l->names[i] = format_name_unique(ctx, &taken, l->layer->fields[i].name, NAME_BYTES);
        d->record += c->width;
        count++;
    }
    if (count == 0) { /* a table needs one */
        d->columns[l->layer->field_count] = (struct dbf_column){.name = STR("FID"), .type = 'N', .width = TYPES[FIELD_OID].least};
        d->record += TYPES[FIELD_OID].least;
    }
    if (count > FIELDS_MAX)
        return err_set(ctx, &ERR_LIMIT,
                       "layer %.*s has %zu fields; a Shapefile has %d at most: choose with outFields, or export a GeoPackage",
                       STR_FMT(l->layer->name), count, FIELDS_MAX);
    if (d->record > RECORD_MAX)
        return err_set(
            ctx, &ERR_LIMIT,
            "the fields of layer %.*s are too long together for a Shapefile: choose with outFields, or export a GeoPackage",
            STR_FMT(l->layer->name));
    return RC_OK;
}

/* As far as it is known; the number of rows comes at the end. */
static void print_head(struct ctx *ctx, struct dbf *d)
{
    const struct clock_parts now = clock_parts_of(ctx_now(ctx));
    size_t columns = 0, fields = d->layer->layer->field_count;
    for (size_t i = 0; i <= fields; i++)
        columns += d->columns[i].width > 0;
    buf_clear(&d->head);
    spool_put(&d->head, VERSION, 1);
    spool_put(&d->head, (uint64_t)(now.year - YEAR_0), 1);
    spool_put(&d->head, (uint64_t)now.month, 1);
    spool_put(&d->head, (uint64_t)now.day, 1);
    spool_put(&d->head, d->rows, 4);
    spool_put(&d->head, HEAD_SIZE + columns * DESCRIPTOR_SIZE + 1, 2);
    spool_put(&d->head, d->record, 2);
    while (d->head.n < HEAD_SIZE)
        buf_add_char(&d->head, 0);
    for (size_t i = 0; i <= fields; i++) {
        const struct dbf_column *c = &d->columns[i];
        size_t begin = d->head.n;
        if (c->width == 0)
            continue;
        buf_add(&d->head, c->name);
        while (d->head.n < begin + NAME_BYTES + 1)
            buf_add_char(&d->head, 0);
        buf_add_char(&d->head, c->type);
        spool_put(&d->head, 0, 4);
        spool_put(&d->head, c->width, 1);
        spool_put(&d->head, c->decimals, 1);
        while (d->head.n < begin + DESCRIPTOR_SIZE)
            buf_add_char(&d->head, 0);
    }
    buf_add_char(&d->head, HEAD_END);
}

int dbf_open(struct ctx *ctx, const char *dir, const struct format_layer *l, struct dbf *out)
{
    *out = (struct dbf){.layer = l, .file.fd = -1, .head = BUF_INIT(1 << 20)};
    TRY(make_columns(ctx, out));
    TRY(spool_open(ctx, dir, "dbf", &out->file));
    print_head(ctx, out);
    buf_add(&out->file.text, buf_str(&out->head));
    return RC_OK;
}

void dbf_close(struct dbf *d)
{
    spool_close(&d->file);
    buf_free(&d->head);
}

/* ---- values ---- */

/* At the left, as much of it as there is room for, up to a character's end; the blanks behind it are what the row began with. */
static void put_text(struct dbf *d, str s, char *to, size_t width)
{
    size_t n = s.n < width ? s.n : width;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    memcpy(to, s.p, n);
    d->layer->counts[CARRY_EMPTY] += s.n == 0;
    d->layer->counts[CARRY_TEXT] += n < s.n || (n > 0 && (s.p[0] == ' ' || s.p[n - 1] == ' '));
}

static void put_right(const char *text, size_t n, char *to, size_t width)
{
    if (n <= width)
        memcpy(to + width - n, text, n);
}

static void put_day(struct dbf *d, int64_t ms, char *to)
{
    char text[CLOCK_ISO_SIZE];
    bool known = clock_iso_print(ms, text);
    if (known) {
        memcpy(to, text, 4);
        memcpy(to + 4, text + 5, 2);
        memcpy(to + 6, text + 8, 2);
    }
    d->layer->counts[CARRY_DATES] += !known || ms % 86400000 != 0;
}

static void put_value(struct dbf *d, const struct field *f, const struct value *v, char *to, const struct dbf_column *c)
{
    char number[NUM_DOUBLE_SIZE];
    switch (v->kind) {
    case VALUE_INT:
        if (f->type == FIELD_DATE)
            put_day(d, v->i, to);
        else
            put_right(number, num_print_int(v->i, number), to, c->width);
        return;
    case VALUE_DOUBLE:
        if (isfinite(v->d))
            put_right(number, num_print_double(v->d, number), to, c->width);
        return;
    case VALUE_TEXT: {
        int64_t ms;
        if (c->type != 'D')
            put_text(d, v->s, to, c->width);
        else if (clock_iso_parse(v->s, &ms))
            put_day(d, ms, to);
        return;
    }
    case VALUE_BLOB:
    case VALUE_NULL:
        return;
    }
}

int dbf_row(struct ctx *ctx, struct dbf *d, const struct row *row)
{
    const struct layer *l = d->layer->layer;
    char *to = buf_reserve(&d->file.text, d->record);
    if (!to)
        return buf_check(&d->file.text, ctx, "a row");
    memset(to, ' ', d->record);
    char *at = to + 1;
    for (size_t i = 0; i < l->field_count; i++) {
        const struct dbf_column *c = &d->columns[i];
        d->layer->counts[CARRY_BLOBS] += row->values[i].kind == VALUE_BLOB;
        if (c->width == 0)
            continue;
        put_value(d, &l->fields[i], &row->values[i], at, c);
        at += c->width;
    }
    if (d->columns[l->field_count].width > 0) {
        char number[NUM_INT_SIZE];
        size_t n = num_print_int(d->rows, number);
        put_right(number, n, at, d->columns[l->field_count].width);
    }
    buf_commit(&d->file.text, d->record);
    d->rows++;
    return spool_flush(ctx, &d->file, FORMAT_PIECE);
}

int dbf_pack(struct ctx *ctx, struct dbf *d, struct zip_stream *z, str name)
{
    buf_add_char(&d->file.text, FILE_END);
    print_head(ctx, d);
    TRY(buf_check(&d->head, ctx, "the head of a table"));
    return spool_pack(ctx, &d->file, d->head.p, d->head.n, z, name);
}
