/* Excel workbooks (ECMA-376): a sheet for each layer, and further ones where it has more rows than a sheet can have. Sheets are
 * written as their rows come; texts stand in the cells themselves, so that nothing has to be kept. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "codec/zip_stream.h"
#include "formats/format.h"
#include "model/geometry/wkt.h"

enum {
    SHEET_ROWS = 1048576, /* the head included */
    SHEET_NAME = 31,
    TEXT_MAX = 32767, /* UTF-16 units of a cell */
    EXACT_DIGITS = 15,
    DAY_MS = 86400000,
    COLUMN_SIZE = 4, /* letters of a column, NUL */
};
/* Days from 1899-12-30 to 1970, and the days that are counted alike by everybody: from March 1900 (Excel believes in a 29
 * February of that year) to the end of 9999. */
static const int64_t EPOCH = 25569, FIRST_DAY = 61, LAST_DAY = 2958465;

static const char CONTENT_TYPES[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
    "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
    "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
    "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
    "<Override PartName=\"/xl/workbook.xml\" "
    "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>"
    "<Override PartName=\"/xl/styles.xml\" "
    "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/>";
static const char SHEET_TYPE[] = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";
static const char RELATIONS[] = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
#define RELATION_TYPE "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
static const char STYLES[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
    "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><numFmts count=\"3\">"
    "<numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/><numFmt numFmtId=\"165\" formatCode=\"yyyy\\-mm\\-dd\"/>"
    "<numFmt numFmtId=\"166\" formatCode=\"hh:mm:ss\"/></numFmts><fonts count=\"1\"><font/></fonts>"
    "<fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill "
    "patternType=\"gray125\"/></fill></fills>"
    "<borders count=\"1\"><border/></borders><cellStyleXfs count=\"1\"><xf/></cellStyleXfs><cellXfs count=\"4\"><xf/>"
    "<xf numFmtId=\"164\" applyNumberFormat=\"1\"/><xf numFmtId=\"165\" applyNumberFormat=\"1\"/><xf numFmtId=\"166\" "
    "applyNumberFormat=\"1\"/></cellXfs></styleSheet>";

struct excel {
    struct format_writer base;
    struct zip_stream *zip;
    struct arena *arena; /* of the names */
    struct format_names sheets;
    const struct format_layer *layer;
    char (*columns)[COLUMN_SIZE]; /* letters */
    bool xy, z;
    int64_t row; /* of the sheet, from 1 */
    struct buf text, wkt;
};

/* ---- XML ---- */

/* What XML cannot have in it is written as Excel does (_x0001_), and so is what looks like that. */
static void put_control(struct buf *b, unsigned c) { buf_printf(b, "_x%04X_", c); }

static bool looks_escaped(str s, size_t at)
{
    bool found = at + 7 <= s.n && s.p[at + 1] == 'x' && s.p[at + 6] == '_';
    for (size_t i = at + 2; found && i < at + 6; i++)
        found = strchr("0123456789abcdefABCDEF", s.p[i]) != NULL;
    return found;
}

static void put_escaped(struct buf *b, str s)
{
    static const bool special[256] = {
        ['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true, ['_'] = true, [0xef] = true, [0x7f] = true};
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!special[c] && (c >= ' ' || c == '\t' || c == '\n'))
            continue;
        if (c == '_' && !looks_escaped(s, i))
            continue;
        bool noncharacter = c == 0xef && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xbf && (unsigned char)s.p[i + 2] >= 0xbe;
        if (c == 0xef && !noncharacter)
            continue;
        buf_add(b, str_sub(s, from, i));
        from = i + 1;
        if (c == '&')
            buf_add(b, STR("&amp;"));
        else if (c == '<')
            buf_add(b, STR("&lt;"));
        else if (c == '>')
            buf_add(b, STR("&gt;"));
        else if (c == '"')
            buf_add(b, STR("&quot;"));
        else if (noncharacter)
            buf_add(b, STR("\xef\xbf\xbd"));
        else
            put_control(b, c);
        if (noncharacter) {
            i += 2;
            from = i + 1;
        }
    }
    buf_add(b, str_sub(s, from, s.n));
}

/* The text up to that many UTF-16 units. */
static str cut(str s, size_t units)
{
    size_t at = 0, n = 0, end = 0;
    while (s.n > units && at < s.n) {
        end = at;
        n += utf8_next(s, &at) > 0xffff ? 2 : 1;
        if (n > units)
            return str_sub(s, 0, end);
    }
    return s;
}

/* ---- cells ---- */

static void put_int(struct buf *b, int64_t v)
{
    char *to = buf_reserve(b, NUM_INT_SIZE);
    if (to)
        buf_commit(b, num_print_int(v, to));
}

static void begin_cell(struct excel *e, size_t column, const char *more)
{
    buf_add(&e->text, STR("<c r=\""));
    buf_add(&e->text, str_c(e->columns[column]));
    put_int(&e->text, e->row);
    buf_add(&e->text, str_c(more));
}

static void put_text(struct excel *e, size_t column, str s)
{
    str kept = cut(s, TEXT_MAX);
    e->layer->counts[CARRY_TEXT] += kept.n < s.n;
    begin_cell(e, column, "\" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
    put_escaped(&e->text, kept);
    buf_add(&e->text, STR("</t></is></c>"));
}

static void put_number(struct excel *e, size_t column, double v, const char *style)
{
    if (!isfinite(v))
        return;
    begin_cell(e, column, style);
    char *to = buf_reserve(&e->text, NUM_DOUBLE_SIZE);
    if (to)
        buf_commit(&e->text, num_print_double(v, to));
    buf_add(&e->text, STR("</v></c>"));
}

#define PLAIN "\"><v>"
#define STYLED(style) "\" s=\"" style "\"><v>"

/* Excel computes with 15 digits. */
static void put_integer(struct excel *e, size_t column, int64_t v)
{
    char text[NUM_INT_SIZE];
    size_t n = num_print_int(v, text);
    if (n - (v < 0) > EXACT_DIGITS) {
        e->layer->counts[CARRY_BIG_INTEGERS]++;
        put_text(e, column, str_of(text, n));
        return;
    }
    begin_cell(e, column, PLAIN);
    buf_add_bytes(&e->text, text, n);
    buf_add(&e->text, STR("</v></c>"));
}

static void put_moment(struct excel *e, size_t column, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    if (ms >= (FIRST_DAY - EPOCH) * DAY_MS && ms < (LAST_DAY + 1 - EPOCH) * DAY_MS) {
        put_number(e, column, (double)(ms + EPOCH * DAY_MS) / DAY_MS, STYLED("1"));
        return;
    }
    e->layer->counts[CARRY_DATES]++;
    if (clock_iso_print(ms, text))
        put_text(e, column, str_of(text, CLOCK_ISO_SIZE - 1));
}

/* "2024-01-31" */
static void put_day(struct excel *e, size_t column, str s)
{
    int64_t ms;
    if (clock_iso_parse(s, &ms) && ms >= (FIRST_DAY - EPOCH) * DAY_MS && ms < (LAST_DAY + 1 - EPOCH) * DAY_MS)
        put_number(e, column, (double)(ms / DAY_MS + EPOCH), STYLED("2"));
    else
        put_text(e, column, s);
}

/* "23:59:59": a part of a day. */
static void put_time(struct excel *e, size_t column, str s)
{
    char moment[40];
    int64_t ms;
    CLEANUP(buf_free) struct buf b = BUF_INIT(sizeof moment);
    buf_printf(&b, "1970-01-01T%.*s", STR_FMT(str_sub(s, 0, 20)));
    if (clock_iso_parse(buf_str(&b), &ms) && ms >= 0 && ms < DAY_MS)
        put_number(e, column, (double)ms / DAY_MS, STYLED("3"));
    else
        put_text(e, column, s);
}

static void put_value(struct excel *e, size_t column, const struct field *f, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        if (f->type == FIELD_DATE)
            put_moment(e, column, v->i);
        else
            put_integer(e, column, v->i);
        return;
    case VALUE_DOUBLE:
        put_number(e, column, v->d, PLAIN);
        return;
    case VALUE_TEXT:
        if (f->type == FIELD_DATE_ONLY)
            put_day(e, column, v->s);
        else if (f->type == FIELD_TIME_ONLY)
            put_time(e, column, v->s);
        else
            put_text(e, column, v->s);
        return;
    case VALUE_BLOB:
        e->layer->counts[CARRY_BLOBS]++;
        return;
    case VALUE_NULL:
        return;
    }
}

static int put_geometry(struct ctx *ctx, struct excel *e, size_t column, str wkb)
{
    if (str_none(wkb))
        return RC_OK;
    if (e->xy) {
        struct format_point p;
        TRY(format_point_of(ctx, wkb, &p));
        for (size_t k = 0; k < 2U + e->z; k++)
            put_number(e, column + k, p.xyz[k], PLAIN);
        e->layer->counts[CARRY_M] += p.has_m;
        return RC_OK;
    }
    buf_clear(&e->wkt);
    TRY(wkt_put(ctx, &e->wkt, wkb));
    TRY(buf_check(&e->wkt, ctx, "a geometry"));
    if (e->wkt.n > TEXT_MAX)
        e->layer->counts[CARRY_GEOMETRY]++;
    else
        put_text(e, column, buf_str(&e->wkt));
    return RC_OK;
}

/* ---- sheets ---- */

static void begin_row(struct excel *e)
{
    e->row++;
    buf_add(&e->text, STR("<row r=\""));
    put_int(&e->text, e->row);
    buf_add(&e->text, STR("\">"));
}

static void put_head(struct excel *e)
{
    const struct layer *l = e->layer->layer;
    const str point[] = {e->layer->x_name, e->layer->y_name, STR("z")};
    begin_row(e);
    for (size_t i = 0; i < l->field_count; i++)
        put_text(e, i, l->fields[i].name);
    for (size_t i = 0; e->xy && i < 2U + e->z; i++)
        put_text(e, l->field_count + i, point[i]);
    if (!e->xy && l->geometry != GEOMETRY_NONE)
        put_text(e, l->field_count, STR("WKT"));
    buf_add(&e->text, STR("</row>"));
}

static int begin_sheet(struct ctx *ctx, struct excel *e)
{
    struct ctx names = *ctx; /* the names outlive the row that needs a new sheet */
    names.arena = e->arena;
    char *wanted = arena_cstr(e->arena, e->layer->layer->name);
    for (char *p = wanted; *p; p++)
        if (strchr("[]'", *p))
            *p = '_';
    format_name_unique(&names, &e->sheets, str_c(wanted), SHEET_NAME);
    TRY(zip_stream_begin(ctx, e->zip, arena_printf(e->arena, "xl/worksheets/sheet%zu.xml", e->sheets.count)));
    buf_add(&e->text, STR("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                          "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>"));
    e->row = 0;
    put_head(e);
    return RC_OK;
}

static int end_sheet(struct ctx *ctx, struct excel *e)
{
    buf_add(&e->text, STR("</sheetData></worksheet>"));
    TRY(format_flush(ctx, &e->text, 0, zip_stream_writer(e->zip)));
    return zip_stream_end(ctx, e->zip);
}

static int excel_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    struct excel *e = (struct excel *)w;
    const struct layer *l = e->layer->layer;
    if (e->row == SHEET_ROWS) {
        TRY(end_sheet(ctx, e));
        TRY(begin_sheet(ctx, e));
    }
    begin_row(e);
    for (size_t i = 0; i < l->field_count; i++)
        put_value(e, i, &l->fields[i], &row->values[i]);
    if (l->geometry != GEOMETRY_NONE)
        TRY(put_geometry(ctx, e, l->field_count, row->wkb));
    buf_add(&e->text, STR("</row>"));
    return format_flush(ctx, &e->text, FORMAT_PIECE, zip_stream_writer(e->zip));
}

static void name_column(size_t index, char out[COLUMN_SIZE])
{
    char letters[COLUMN_SIZE];
    size_t n = 0;
    for (size_t rest = index + 1; rest > 0 && n < COLUMN_SIZE - 1; rest = (rest - 1) / 26)
        letters[n++] = (char)('A' + (rest - 1) % 26);
    for (size_t i = 0; i < n; i++)
        out[i] = letters[n - 1 - i];
    out[n] = 0;
}

static int excel_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    struct excel *e = (struct excel *)w;
    size_t columns = l->layer->field_count + 3;
    e->layer = l;
    e->xy = l->layer->geometry == GEOMETRY_POINT;
    e->z = l->layer->has_z;
    e->columns = arena_alloc_array(ctx->arena, columns, sizeof *e->columns);
    for (size_t i = 0; i < columns; i++)
        name_column(i, e->columns[i]);
    TRY(begin_sheet(ctx, e));
    l->names[l->layer->field_count] = e->sheets.list[e->sheets.count - 1];
    return RC_OK;
}

static int excel_layer_end(struct ctx *ctx, struct format_writer *w) { return end_sheet(ctx, (struct excel *)w); }

/* ---- the rest of the workbook ---- */

static int add_part(struct ctx *ctx, struct excel *e, const char *name)
{
    TRY(zip_stream_begin(ctx, e->zip, str_c(name)));
    TRY(format_flush(ctx, &e->text, 0, zip_stream_writer(e->zip)));
    return zip_stream_end(ctx, e->zip);
}

static int add_workbook(struct ctx *ctx, struct excel *e)
{
    buf_add(&e->text, STR("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                          "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
                          "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>"));
    for (size_t i = 0; i < e->sheets.count; i++) {
        buf_add(&e->text, STR("<sheet name=\""));
        put_escaped(&e->text, e->sheets.list[i]);
        buf_printf(&e->text, "\" sheetId=\"%zu\" r:id=\"rId%zu\"/>", i + 1, i + 1);
    }
    buf_add(&e->text, STR("</sheets></workbook>"));
    return add_part(ctx, e, "xl/workbook.xml");
}

static int add_relations(struct ctx *ctx, struct excel *e)
{
    buf_add(&e->text, str_c(RELATIONS));
    buf_add(&e->text, STR("<Relationship Id=\"rId1\" Type=\"" RELATION_TYPE
                          "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"));
    TRY(add_part(ctx, e, "_rels/.rels"));
    buf_add(&e->text, str_c(RELATIONS));
    for (size_t i = 1; i <= e->sheets.count; i++)
        buf_printf(&e->text,
                   "<Relationship Id=\"rId%zu\" Type=\"" RELATION_TYPE "worksheet\" Target=\"worksheets/sheet%zu.xml\"/>", i, i);
    buf_printf(&e->text, "<Relationship Id=\"rId%zu\" Type=\"" RELATION_TYPE "styles\" Target=\"styles.xml\"/></Relationships>",
               e->sheets.count + 1);
    return add_part(ctx, e, "xl/_rels/workbook.xml.rels");
}

static int excel_finish(struct ctx *ctx, struct format_writer *w)
{
    struct excel *e = (struct excel *)w;
    TRY(add_workbook(ctx, e));
    TRY(add_relations(ctx, e));
    buf_add(&e->text, str_c(STYLES));
    TRY(add_part(ctx, e, "xl/styles.xml"));
    buf_add(&e->text, str_c(CONTENT_TYPES));
    for (size_t i = 1; i <= e->sheets.count; i++)
        buf_printf(&e->text, "<Override PartName=\"/xl/worksheets/sheet%zu.xml\" ContentType=\"%s\"/>", i, SHEET_TYPE);
    buf_add(&e->text, STR("</Types>"));
    TRY(add_part(ctx, e, "[Content_Types].xml"));
    return zip_stream_finish(ctx, e->zip);
}

static void excel_close(struct format_writer *w)
{
    struct excel *e = (struct excel *)w;
    zip_stream_close(e->zip);
    arena_close(e->arena);
    buf_free(&e->text);
    buf_free(&e->wkt);
    mem_free(e);
}

int excel_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    (void)ctx;
    struct excel *e = mem_new(struct excel);
    *e = (struct excel){.base = {.layer = excel_layer,
                                 .row = excel_row,
                                 .layer_end = excel_layer_end,
                                 .finish = excel_finish,
                                 .close = excel_close},
                        .zip = zip_stream_open(t->to, false),
                        .arena = arena_open(),
                        .text = BUF_INIT(FORMAT_BUFFER_MAX),
                        .wkt = BUF_INIT(FORMAT_BUFFER_MAX)};
    *out = &e->base;
    return RC_OK;
}
