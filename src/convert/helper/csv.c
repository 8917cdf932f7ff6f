/* Separated values, read without the library: one pass that finds out encoding, separator, types and places, and one that gives
 * the rows. */
#include "codec/csv.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "codec/decode.h"
#include "convert/helper/source.h"
#include "model/geometry/wkb.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

enum { HEAD_BYTES = 64 << 10, SHOWN_BYTES = 60 };
static const double POLE = 90, TURN = 360;

struct csv_form {
    enum encoding encoding;
    bool encoding_known; /* by a parameter or by a mark in the file */
    char delimiter, quote;
};
/* A pass over the file. */
struct csv_pass {
    struct reader *in;
    struct csv csv;
};

static void pass_close(struct csv_pass *p)
{
    csv_close(&p->csv);
    reader_close(p->in);
    p->in = NULL;
}

static int pass_open(struct ctx *ctx, const struct source *s, const struct csv_form *form, struct csv_pass *out)
{
    struct reader *raw;
    *out = (struct csv_pass){.in = NULL};
    TRY(reader_file(ctx, s->options.path.p, &raw));
    out->in = decode_open(raw, form->encoding);
    csv_open(&out->csv, out->in, form->delimiter, form->quote);
    return RC_OK;
}

/* ---- the form of the file ---- */

static int one_char(struct ctx *ctx, const struct source *s, const char *parameter, char *out)
{
    static const struct {
        const char *word;
        char c;
    } WORDS[] = {{"\\t", '\t'}, {"tab", '\t'}, {"comma", ','}, {"semicolon", ';'}, {"pipe", '|'}, {"space", ' '}};
    str v = json_string_or(json_get_c(s->parameters, parameter), ctx->arena, STR(""));
    if (v.n == 0)
        return RC_OK;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_ieq(v, str_c(WORDS[i].word)))
            v = str_of(&WORDS[i].c, 1);
    if (v.n != 1 || (unsigned char)v.p[0] >= 0x80 || v.p[0] == '\n' || v.p[0] == '\r' || v.p[0] == 0)
        return err_set(ctx, &ERR_INVALID, "%s has to be one character", parameter);
    *out = v.p[0];
    return RC_OK;
}

static int read_head(struct ctx *ctx, const struct source *s, enum encoding *encoding, bool guess, str *out)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    char *raw = arena_alloc(ctx->arena, HEAD_BYTES), *text = arena_alloc(ctx->arena, HEAD_BYTES);
    size_t n;
    TRY(reader_file(ctx, s->options.path.p, &r));
    TRY(reader_read_full(ctx, r, raw, HEAD_BYTES, &n));
    if (guess)
        *encoding = decode_guess(str_of(raw, n));
    struct reader *decoded = decode_open(reader_mem(str_of(raw, n)), *encoding);
    int rc = reader_read_full(ctx, decoded, text, HEAD_BYTES, &n);
    reader_close(decoded);
    *out = str_of(text, n);
    return rc;
}

static int find_form(struct ctx *ctx, const struct source *s, struct csv_form *out)
{
    str head, encoding = str_trim(json_string_or(json_get_c(s->parameters, "encoding"), ctx->arena, STR("")));
    *out = (struct csv_form){.quote = '"'};
    if (encoding.n && !decode_parse(encoding, &out->encoding))
        return err_set(ctx, &ERR_INVALID, "encoding '%.*s' is not known", STR_FMT(encoding));
    out->encoding_known = encoding.n > 0;
    TRY(read_head(ctx, s, &out->encoding, !out->encoding_known, &head));
    out->encoding_known |= out->encoding != ENCODING_UTF8;
    TRY(one_char(ctx, s, "qualifier", &out->quote));
    TRY(one_char(ctx, s, "columnDelimiter", &out->delimiter));
    if (!out->delimiter)
        out->delimiter = csv_guess_delimiter(ctx, head, out->quote);
    if (out->delimiter == out->quote)
        return err_set(ctx, &ERR_INVALID, "columnDelimiter and qualifier are the same character");
    return RC_OK;
}

/* ---- what the columns are ---- */

struct column {
    struct guess guess;
    struct source_facts facts;
    struct envelope range; /* of numbers, in x alone */
};
struct csv_own {
    struct csv_form form;
    str *names;
    size_t count;
    struct column *columns;
    int64_t rows;
};

static double number_of(const struct csv_cell *cell, enum guess_form form)
{
    char space[GUESS_TEXT_SIZE];
    struct value v;
    return cell->text.n && guess_value(cell->text, FIELD_DOUBLE, form, space, &v) ? v.d : NAN;
}

static int check_width(struct ctx *ctx, const struct csv *c, size_t columns)
{
    for (size_t i = columns; i < c->count; i++)
        if (str_trim(c->cells[i].text).n)
            return err_set(ctx, &ERR_INVALID, "line %llu has %zu values, but the first line names %zu columns",
                           (unsigned long long)c->line, c->count, columns);
    return RC_OK;
}

static str record_text(const struct csv *c)
{
    const struct csv_cell *last = &c->cells[c->count - 1];
    return str_of(c->cells[0].text.p, (size_t)(last->text.p + last->text.n - c->cells[0].text.p));
}

static int read_names(struct ctx *ctx, struct csv *c, struct csv_own *own)
{
    int rc = csv_next(ctx, c);
    if (rc == RC_END)
        return err_set(ctx, &ERR_INVALID, "the file is empty");
    TRY(rc);
    own->count = c->count;
    own->names = arena_array(ctx->arena, str, c->count);
    own->columns = arena_array(ctx->arena, struct column, c->count);
    for (size_t i = 0; i < c->count; i++) {
        own->names[i] = arena_str(ctx->arena, str_trim(c->cells[i].text));
        guess_start(&own->columns[i].guess, own->form.delimiter != ',');
        own->columns[i].range = ENVELOPE_EMPTY;
    }
    return RC_OK;
}

static void note_cell(struct column *column, const struct csv_cell *cell)
{
    if (cell->text.n == 0)
        return;
    guess_note(&column->guess, cell->text);
    enum guess_form form = guess_form(&column->guess);
    if (form > GUESS_NUMBER_COMMA)
        return;
    double v = number_of(cell, form);
    if (!isnan(v))
        envelope_add(&column->range, v, 0);
}

/* RC_NOT_FOUND without an error: not in that encoding. */
static int read_columns(struct ctx *ctx, const struct source *s, struct csv_own *own)
{
    CLEANUP(pass_close) struct csv_pass pass = {.in = NULL};
    int rc;
    TRY(pass_open(ctx, s, &own->form, &pass));
    TRY(read_names(ctx, &pass.csv, own));
    bool valid = utf8_valid(record_text(&pass.csv));
    for (own->rows = 0; valid && (rc = csv_next(ctx, &pass.csv)) == RC_OK; own->rows++) {
        TRY(check_width(ctx, &pass.csv, own->count));
        valid = utf8_valid(record_text(&pass.csv));
        for (size_t i = 0; valid && i < own->count && i < pass.csv.count; i++)
            note_cell(&own->columns[i], &pass.csv.cells[i]);
    }
    if (valid)
        return rc == RC_END ? RC_OK : rc;
    if (memchr(record_text(&pass.csv).p, 0, record_text(&pass.csv).n))
        return err_set(ctx, &ERR_INVALID, "line %llu holds a NUL byte", (unsigned long long)pass.csv.line);
    if (own->form.encoding_known)
        return err_set(ctx, &ERR_INVALID, "line %llu is no text in the encoding %s", (unsigned long long)pass.csv.line,
                       decode_name(own->form.encoding));
    return RC_NOT_FOUND;
}

/* Identifiers are looked for in a pass of their own, where there may be any. */
static int read_guids(struct ctx *ctx, const struct source *s, struct source_layer *l, struct csv_own *own)
{
    CLEANUP(pass_close) struct csv_pass pass = {.in = NULL};
    int rc = RC_END;
    struct source_field *f = NULL;
    for (size_t i = 1; i < l->field_count && !f; i++)
        if (str_ieq(l->fields[i].field.name, STR("globalid")) && l->fields[i].field.type == FIELD_STRING)
            f = &l->fields[i];
    if (!f)
        return RC_OK;
    TRY(pass_open(ctx, s, &own->form, &pass));
    TRY(csv_next(ctx, &pass.csv));
    while ((rc = csv_next(ctx, &pass.csv)) == RC_OK)
        if ((size_t)f->index < pass.csv.count && pass.csv.cells[f->index].text.n)
            source_facts_note(&own->columns[f->index].facts, f, str_trim(pass.csv.cells[f->index].text));
    return rc == RC_END ? RC_OK : rc;
}

static void add_fields(struct ctx *ctx, struct source *s, struct source_layer *l, const struct csv_own *own)
{
    source_add_oid(ctx, l, own->count);
    for (size_t i = 0; i < own->count; i++) {
        struct column *column = &own->columns[i];
        str name = own->names[i].n ? own->names[i] : arena_printf(ctx->arena, "Field_%zu", i + 1);
        struct source_field *f = source_add_field(ctx, s, l, name, name);
        if (!f)
            continue;
        f->index = (int)i;
        f->form = guess_form(&column->guess);
        f->field.type = guess_type(&column->guess);
        f->native = FIELD_STRING;
        column->facts.longest = column->guess.longest;
    }
}

/* ---- where the rows lie ---- */

static int find_place(struct ctx *ctx, struct source *s, struct source_layer *l, const struct csv_own *own)
{
    bool *numbers = arena_array(ctx->arena, bool, own->count);
    for (size_t i = 0; i < own->count; i++)
        numbers[i] = own->columns[i].guess.seen && guess_form(&own->columns[i].guess) <= GUESS_NUMBER_COMMA;
    TRY(source_place_find(ctx, s, own->names, numbers, own->count, &l->place));
    if (l->place.x < 0)
        return RC_OK;
    const struct envelope *x = &own->columns[l->place.x].range, *y = &own->columns[l->place.y].range;
    source_aim(ctx, s, l, l->place.crs);
    bool outside = l->degrees && (y->xmin < -POLE || y->xmax > POLE || x->xmin < -TURN || x->xmax > TURN);
    if (outside && !l->place.given) {
        source_tell(ctx, s,
                    "The columns %.*s and %.*s are no degrees, so the rows became a table: give latitudeFieldName, "
                    "longitudeFieldName and sourceSR to make points of them.",
                    STR_FMT(own->names[l->place.x]), STR_FMT(own->names[l->place.y]));
        l->place.x = l->place.y = -1;
        return RC_OK;
    }
    l->geometry = GEOMETRY_POINT;
    for (size_t i = 1; i < l->field_count; i++) /* coordinates that happen to be whole */
        if ((l->fields[i].index == l->place.x || l->fields[i].index == l->place.y) && l->fields[i].field.type == FIELD_INTEGER)
            l->fields[i].field.type = FIELD_DOUBLE;
    if (isfinite(x->xmin) && isfinite(y->xmin)) {
        struct envelope box = {x->xmin, y->xmin, x->xmax, y->xmax};
        if (crs_transform_envelope(ctx, &l->crs, &l->target, &box, &l->box) != RC_OK)
            err_clear(ctx);
    }
    return RC_OK;
}

static void print_found(struct source *s, const struct source_layer *l, const struct csv_own *own)
{
    const char delimiter[] = {own->form.delimiter, 0}, quote[] = {own->form.quote, 0};
    struct buf *b = &s->found;
    buf_add(b, STR("\"type\":\"csv\",\"columnDelimiter\":"));
    json_escape(b, str_c(delimiter));
    buf_add(b, STR(",\"qualifier\":"));
    json_escape(b, str_c(quote));
    buf_printf(b, ",\"encoding\":\"%s\",\"locationType\":\"%s\"", decode_name(own->form.encoding),
               l->place.x >= 0 ? "coordinates" : "none");
    if (l->place.x < 0)
        return;
    buf_add(b, STR(",\"coordinateFieldType\":\"LatitudeAndLongitude\",\"latitudeFieldName\":"));
    json_escape(b, own->names[l->place.y]);
    buf_add(b, STR(",\"longitudeFieldName\":"));
    json_escape(b, own->names[l->place.x]);
}

static int csv_layer(struct ctx *ctx, struct source *s) { return source_add_layer(ctx, s, s->options.name) ? RC_OK : RC_FAIL; }

static int csv_describe(struct ctx *ctx, struct source *s, struct source_layer *l)
{
    struct csv_own *own = arena_new(ctx->arena, struct csv_own);
    l->own = own;
    TRY(find_form(ctx, s, &own->form));
    int rc = read_columns(ctx, s, own);
    if (rc == RC_NOT_FOUND) { /* not UTF-8, so it is what most programs write that do not write it */
        own->form.encoding = ENCODING_WINDOWS1252;
        own->form.encoding_known = true;
        rc = read_columns(ctx, s, own);
    }
    TRY(rc);
    add_fields(ctx, s, l, own);
    TRY(read_guids(ctx, s, l, own));
    for (size_t i = 1; i < l->field_count; i++)
        source_facts_decide(&own->columns[l->fields[i].index].facts, &l->fields[i], own->rows, false);
    TRY(find_place(ctx, s, l, own));
    print_found(s, l, own);
    return RC_OK;
}

/* ---- rows ---- */

static int csv_rows_open(struct ctx *ctx, struct source_rows *r)
{
    const struct csv_own *own = r->layer->own;
    struct csv_pass *pass = arena_new(ctx->arena, struct csv_pass);
    TRY(pass_open(ctx, r->layer->source, &own->form, pass));
    r->own = pass;
    return csv_next(ctx, &pass->csv); /* the names */
}

static void csv_rows_close(struct source_rows *r)
{
    if (r->own)
        pass_close(r->own);
    r->own = NULL;
}

static int read_cell(struct ctx *ctx, struct source_rows *r, const struct csv *c, size_t column)
{
    const struct source_field *f = r->columns[column];
    struct value *v = &r->values[column];
    v->kind = VALUE_NULL;
    if ((size_t)f->index >= c->count)
        return RC_OK;
    const struct csv_cell *cell = &c->cells[f->index];
    bool text = f->field.type == FIELD_STRING || f->field.type == FIELD_XML;
    if (text ? cell->text.n == 0 && !cell->quoted : str_trim(cell->text).n == 0)
        return RC_OK;
    if (guess_value(cell->text, f->field.type, f->form, r->texts[column], v))
        return RC_OK;
    return err_set(ctx, &ERR_INVALID, "line %llu, field %.*s: '%.*s' is no %s", (unsigned long long)c->line,
                   STR_FMT(f->field.name), STR_FMT(str_sub(cell->text, 0, SHOWN_BYTES)), field_type_name(f->field.type));
}

/* No place: the row has no geometry. */
static int read_place(struct ctx *ctx, struct source_rows *r, const struct csv *c, str *out)
{
    const struct source_place *p = &r->layer->place;
    const struct csv_own *own = r->layer->own;
    if (p->x < 0 || (size_t)p->x >= c->count || (size_t)p->y >= c->count)
        return RC_OK;
    double x = number_of(&c->cells[p->x], guess_form(&own->columns[p->x].guess));
    double y = number_of(&c->cells[p->y], guess_form(&own->columns[p->y].guess));
    return source_rows_point(ctx, r, x, y, out);
}

static int csv_rows_next(struct ctx *ctx, struct source_rows *r, struct row *out)
{
    struct csv *c = &((struct csv_pass *)r->own)->csv;
    TRY(csv_next(ctx, c));
    r->count++;
    *out = (struct row){.oid = r->count, .values = r->values, .wkb = STR_NONE};
    for (size_t i = 0; i < r->column_count; i++) {
        if (r->columns[i]->index == SOURCE_OID)
            r->values[i] = (struct value){.kind = VALUE_INT, .i = r->count};
        else
            TRY(read_cell(ctx, r, c, i));
    }
    return read_place(ctx, r, c, &out->wkb);
}

const struct source_reader source_csv = {.open = csv_layer,
                                         .describe = csv_describe,
                                         .rows_open = csv_rows_open,
                                         .rows_close = csv_rows_close,
                                         .rows_next = csv_rows_next};
