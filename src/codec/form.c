/* application/x-www-form-urlencoded, whole and in pieces (WHATWG URL standard, 5.1). Every limit is checked here, so that no
 * handler sees more than it can hold. */
#include "codec/form.h"
#include "base/utf8.h"
#include "codec/url.h"

/* name and value stay where they are: in ctx->arena, NUL-terminated. */
static int add_kept(struct ctx *ctx, struct form *f, str name, str value)
{
    size_t size = name.n + value.n;
    if (f->count >= f->limits.count)
        return err_set(ctx, &ERR_LIMIT, "more than %zu fields", f->limits.count);
    if (size > f->limits.field_bytes)
        return err_set(ctx, &ERR_LIMIT, "a field is larger than %zu bytes", f->limits.field_bytes);
    if (size > f->limits.total_bytes - f->bytes)
        return err_set(ctx, &ERR_LIMIT, "the fields are larger than %zu bytes together", f->limits.total_bytes);
    if (!utf8_valid(name) || !utf8_valid(value))
        return err_set(ctx, &ERR_INVALID, "a field is not UTF-8 text");
    f->fields = arena_grow(ctx->arena, f->fields, &f->capacity, f->count + 1, sizeof *f->fields);
    f->fields[f->count++] = (struct form_field){.name = name, .value = value};
    f->bytes += size;
    return RC_OK;
}

int form_add(struct ctx *ctx, struct form *f, str name, str value)
{
    if (name.n > f->limits.field_bytes || value.n > f->limits.field_bytes) /* not worth a copy */
        return err_set(ctx, &ERR_LIMIT, "a field is larger than %zu bytes", f->limits.field_bytes);
    return add_kept(ctx, f, arena_str(ctx->arena, name), arena_str(ctx->arena, value));
}

/* Decoded and in the arena, with one copy at most. */
static str decoded(struct ctx *ctx, str raw)
{
    str s = url_decode(ctx->arena, raw, true);
    return s.p == raw.p ? arena_str(ctx->arena, raw) : s;
}

str form_get(const struct form *f, str name)
{
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(f->fields[i].name, name))
            return f->fields[i].value;
    return STR_NONE;
}

/* Percent coding at most triples a field, plus the '='. */
static size_t raw_max(const struct form *f)
{
    return f->limits.field_bytes > (SIZE_MAX - 1) / 3 ? SIZE_MAX : f->limits.field_bytes * 3 + 1;
}

static int add_pair(struct ctx *ctx, struct form *f, str pair)
{
    if (pair.n == 0)
        return RC_OK;
    if (pair.n > raw_max(f))
        return err_set(ctx, &ERR_LIMIT, "a field is larger than %zu bytes", f->limits.field_bytes);
    size_t equals = str_find_char(pair, '=', 0);
    str name = str_sub(pair, 0, equals);
    str value = equals == SIZE_MAX ? STR("") : str_sub(pair, equals + 1, pair.n);
    return add_kept(ctx, f, decoded(ctx, name), decoded(ctx, value));
}

/* Adds all complete pairs of the text and returns what is left behind the last '&'. */
static int add_pairs(struct ctx *ctx, struct form *f, str text, str *rest_out)
{
    for (size_t end; (end = str_find_char(text, '&', 0)) != SIZE_MAX; text = str_sub(text, end + 1, text.n))
        TRY(add_pair(ctx, f, str_sub(text, 0, end)));
    *rest_out = text;
    return RC_OK;
}

int form_parse(struct ctx *ctx, struct form *f, str text)
{
    str last;
    TRY(add_pairs(ctx, f, text, &last));
    return add_pair(ctx, f, last);
}

void form_print(struct buf *b, const struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (i > 0)
            buf_add_char(b, '&');
        url_encode(b, f->fields[i].name);
        buf_add_char(b, '=');
        url_encode(b, f->fields[i].value);
    }
}

void form_reader_open(struct form_reader *r, struct form *f)
{
    *r = (struct form_reader){.form = f, .pending = BUF_INIT(raw_max(f))};
}

void form_reader_close(struct form_reader *r) { buf_free(&r->pending); }

static int hold(struct ctx *ctx, struct form_reader *r, str piece)
{
    buf_add(&r->pending, piece);
    return buf_check(&r->pending, ctx, "a field");
}

int form_push(struct ctx *ctx, struct form_reader *r, str piece)
{
    if (r->pending.n > 0) {
        size_t end = str_find_char(piece, '&', 0);
        TRY(hold(ctx, r, str_sub(piece, 0, end)));
        if (end == SIZE_MAX)
            return RC_OK;
        TRY(add_pair(ctx, r->form, buf_str(&r->pending)));
        buf_clear(&r->pending);
        piece = str_sub(piece, end + 1, piece.n);
    }
    str rest;
    TRY(add_pairs(ctx, r->form, piece, &rest));
    return rest.n > 0 ? hold(ctx, r, rest) : RC_OK;
}

int form_finish(struct ctx *ctx, struct form_reader *r)
{
    TRY(add_pair(ctx, r->form, buf_str(&r->pending)));
    buf_clear(&r->pending);
    return RC_OK;
}
