/* Comma-separated values (RFC 4180): one file, or a zip archive with a file for each layer. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "codec/zip_stream.h"
#include "formats/format.h"
#include "model/geometry/wkt.h"

struct csv {
    struct format_writer base;
    struct writer *to;      /* of the open layer */
    struct zip_stream *zip; /* NULL: one layer, which is the file */
    struct format_names names;
    const struct format_layer *layer;
    bool xy, z; /* points as columns */
    struct buf text;
};

/* Texts with one of these stand in quotes, and so do those that begin or end with a space, which some readers cut. */
static bool needs_quotes(str s)
{
    static const bool special[256] = {[','] = true, ['"'] = true, ['\n'] = true, ['\r'] = true};
    bool found = s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ';
    for (size_t i = 0; i < s.n; i++)
        found |= special[(unsigned char)s.p[i]];
    return found;
}

static void put_text(struct buf *b, str s)
{
    if (!needs_quotes(s)) {
        buf_add(b, s);
        return;
    }
    buf_add_char(b, '"');
    for (size_t at = 0; at < s.n;) {
        size_t quote = str_find_char(s, '"', at), end = quote == SIZE_MAX ? s.n : quote + 1;
        buf_add(b, str_sub(s, at, end));
        if (quote != SIZE_MAX)
            buf_add_char(b, '"');
        at = end;
    }
    buf_add_char(b, '"');
}

static void put_double(struct buf *b, double v)
{
    char *to = buf_reserve(b, NUM_DOUBLE_SIZE);
    if (to && isfinite(v))
        buf_commit(b, num_print_double(v, to));
}

static void put_int(struct buf *b, int64_t v)
{
    char *to = buf_reserve(b, NUM_INT_SIZE);
    if (to)
        buf_commit(b, num_print_int(v, to));
}

static void put_date(struct csv *c, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    if (clock_iso_print(ms, text))
        buf_add_bytes(&c->text, text, CLOCK_ISO_SIZE - 1);
    else
        c->layer->counts[CARRY_DATES]++;
}

static void put_value(struct csv *c, const struct field *f, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        if (f->type == FIELD_DATE)
            put_date(c, v->i);
        else
            put_int(&c->text, v->i);
        return;
    case VALUE_DOUBLE:
        put_double(&c->text, v->d);
        return;
    case VALUE_TEXT:
        put_text(&c->text, v->s);
        return;
    case VALUE_BLOB:
        c->layer->counts[CARRY_BLOBS]++;
        return;
    case VALUE_NULL:
        return;
    }
}

/* ---- geometry ---- */

static int put_point(struct ctx *ctx, struct csv *c, str wkb)
{
    struct format_point p;
    TRY(format_point_of(ctx, wkb, &p));
    for (size_t k = 0; k < 2U + c->z; k++) {
        buf_add_char(&c->text, ',');
        put_double(&c->text, p.xyz[k]);
    }
    c->layer->counts[CARRY_M] += p.has_m;
    return RC_OK;
}

static int put_wkt(struct ctx *ctx, struct csv *c, str wkb)
{
    buf_add_char(&c->text, ',');
    if (str_none(wkb))
        return RC_OK;
    buf_add_char(&c->text, '"'); /* it has commas */
    TRY(wkt_put(ctx, &c->text, wkb));
    buf_add_char(&c->text, '"');
    return RC_OK;
}

/* ---- the writer ---- */

static int csv_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    struct csv *c = (struct csv *)w;
    const struct layer *l = c->layer->layer;
    size_t begin = c->text.n;
    for (size_t i = 0; i < l->field_count; i++) {
        if (i)
            buf_add_char(&c->text, ',');
        put_value(c, &l->fields[i], &row->values[i]);
    }
    if (c->xy)
        TRY(put_point(ctx, c, row->wkb));
    else if (l->geometry != GEOMETRY_NONE)
        TRY(put_wkt(ctx, c, row->wkb));
    if (c->text.n == begin) /* a line of nothing is no line to most readers */
        buf_add(&c->text, STR("\"\""));
    buf_add(&c->text, STR("\r\n"));
    return format_flush(ctx, &c->text, FORMAT_PIECE, c->to);
}

static void put_head(struct csv *c)
{
    const struct layer *l = c->layer->layer;
    const str point[] = {c->layer->x_name, c->layer->y_name, STR("z")};
    buf_add(&c->text, STR("\xef\xbb\xbf"));
    for (size_t i = 0; i < l->field_count; i++) {
        if (i)
            buf_add_char(&c->text, ',');
        put_text(&c->text, l->fields[i].name);
    }
    for (size_t i = 0; c->xy && i < 2U + c->z; i++) {
        buf_add_char(&c->text, ',');
        put_text(&c->text, point[i]);
    }
    if (!c->xy && l->geometry != GEOMETRY_NONE)
        buf_add(&c->text, STR(",WKT"));
    buf_add(&c->text, STR("\r\n"));
}

static int csv_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    struct csv *c = (struct csv *)w;
    c->layer = l;
    c->xy = l->layer->geometry == GEOMETRY_POINT;
    c->z = l->layer->has_z;
    if (c->zip) {
        str name = l->names[l->layer->field_count] = format_name_unique(ctx, &c->names, l->layer->name, 200);
        TRY(zip_stream_begin(ctx, c->zip, arena_printf(ctx->arena, "%.*s.csv", STR_FMT(name))));
    }
    put_head(c);
    return RC_OK;
}

static int csv_layer_end(struct ctx *ctx, struct format_writer *w)
{
    struct csv *c = (struct csv *)w;
    TRY(format_flush(ctx, &c->text, 0, c->to));
    return c->zip ? zip_stream_end(ctx, c->zip) : RC_OK;
}

static int csv_finish(struct ctx *ctx, struct format_writer *w)
{
    struct csv *c = (struct csv *)w;
    return c->zip ? zip_stream_finish(ctx, c->zip) : RC_OK;
}

static void csv_close(struct format_writer *w)
{
    struct csv *c = (struct csv *)w;
    zip_stream_close(c->zip);
    buf_free(&c->text);
    mem_free(c);
}

int csv_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    (void)ctx;
    struct csv *c = mem_new(struct csv);
    *c = (struct csv){
        .base = {.layer = csv_layer, .row = csv_row, .layer_end = csv_layer_end, .finish = csv_finish, .close = csv_close},
        .to = t->to,
        .text = BUF_INIT(FORMAT_BUFFER_MAX)};
    if (t->layer_count > 1) {
        c->zip = zip_stream_open(t->to, true);
        c->to = zip_stream_writer(c->zip);
    }
    *out = &c->base;
    return RC_OK;
}
