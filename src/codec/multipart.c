/* multipart/form-data by pushing. Our own because it stands at the door: it has to be testable without a server, fuzzable, and
 * strict, and it must never hold a file. Sources: RFC 7578, RFC 2046 5.1 (boundaries), RFC 8187 (filename*), WHATWG
 * HTML 4.10.22.8 (how browsers escape names). Depends on base, codec/form and codec/url. */
#include "codec/multipart.h"
#include "base/utf8.h"
#include "codec/url.h"

enum { BOUNDARY_MAX = 70, BOUNDARY_LINE_MAX = 64 };

enum state {
    AT_START,       /* before the first boundary */
    AFTER_BOUNDARY, /* on the rest of its line */
    IN_HEADERS,     /* of a part */
    IN_CONTENT,     /* of a part */
    AT_END,         /* behind the last boundary */
};

struct multipart {
    struct multipart_options options;
    enum state state;
    str delimiter;  /* CR LF "--" boundary; CR is nowhere but at its start, since a boundary cannot contain it */
    size_t matched; /* bytes at the end of what came so far that are the start of the delimiter */
    size_t parts;
    bool is_file;
    struct multipart_file part; /* the one that is being read */
    struct buf text;            /* the line behind a boundary, or the headers, as far as they are there */
    struct buf value;           /* of a field, as far as it is there */
};

/* --- header values: "main; name=value; name=\"quoted\"" --- */

/* Undoes the backslash before '"' and '\\' only: browsers send others (Windows paths) as they are. */
static str unquoted(struct arena *a, str quoted)
{
    char *out = arena_alloc(a, quoted.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < quoted.n; i++) {
        if (quoted.p[i] == '\\' && i + 1 < quoted.n && (quoted.p[i + 1] == '"' || quoted.p[i + 1] == '\\'))
            i++;
        out[n++] = quoted.p[i];
    }
    return str_of(out, n);
}

/* Offset of the quote that ends a quoted string whose content starts at `from`, or SIZE_MAX. */
static size_t closing_quote(str s, size_t from)
{
    for (size_t i = from; i < s.n; i++) {
        if (s.p[i] == '"')
            return i;
        if (s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
            i++;
    }
    return SIZE_MAX;
}

enum param { PARAM_FOUND, PARAM_END, PARAM_MALFORMED };

/* Cuts "; name=value" off *rest. */
static enum param next_param(struct arena *a, str *rest, str *name_out, str *value_out)
{
    str s = str_trim(*rest);
    if (s.n == 0)
        return PARAM_END;
    if (s.p[0] != ';')
        return PARAM_MALFORMED;
    s = str_trim(str_sub(s, 1, s.n));
    if (s.n == 0)
        return PARAM_END;
    size_t equals = str_find_char(s, '=', 0);
    if (equals == SIZE_MAX || equals == 0)
        return PARAM_MALFORMED;
    *name_out = str_trim(str_sub(s, 0, equals));
    s = str_trim(str_sub(s, equals + 1, s.n));
    if (str_starts(s, STR("\""))) {
        size_t end = closing_quote(s, 1);
        if (end == SIZE_MAX)
            return PARAM_MALFORMED;
        *value_out = unquoted(a, str_sub(s, 1, end));
        *rest = str_sub(s, end + 1, s.n);
    } else {
        size_t end = str_find_char(s, ';', 0);
        *value_out = str_trim(str_sub(s, 0, end));
        *rest = str_sub(s, end, s.n);
    }
    return PARAM_FOUND;
}

static str value_before_params(str header) { return str_trim(str_sub(header, 0, str_find_char(header, ';', 0))); }

static str params_of(str header) { return str_sub(header, str_find_char(header, ';', 0), header.n); }

/* Browsers write '"' as %22, the only one of their escapes that can stand for an allowed character. */
static str without_browser_escapes(struct arena *a, str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool quote = str_starts(str_sub(s, i, s.n), STR("%22"));
        out[n++] = quote ? '"' : s.p[i];
        i += quote ? 2 : 0;
    }
    return str_of(out, n);
}

/* The value of filename*= when its charset is UTF-8, else none. */
static str extended_value(struct arena *a, str s)
{
    size_t charset = str_find_char(s, '\'', 0);
    size_t language = charset == SIZE_MAX ? SIZE_MAX : str_find_char(s, '\'', charset + 1);
    if (language == SIZE_MAX || !str_ieq(str_sub(s, 0, charset), STR("UTF-8")))
        return STR_NONE;
    return arena_str(a, url_decode(a, str_sub(s, language + 1, s.n), false));
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

/* The rows of a Content-Disposition that say names; false when the header is malformed. */
static bool disposition_names(struct arena *a, str header, str *name_out, str *filename_out)
{
    str rest = params_of(header), key, value, extended = STR_NONE;
    *name_out = *filename_out = STR_NONE;
    enum param got;
    while ((got = next_param(a, &rest, &key, &value)) == PARAM_FOUND) {
        if (str_ieq(key, STR("name")))
            *name_out = without_browser_escapes(a, value);
        else if (str_ieq(key, STR("filename")))
            *filename_out = without_browser_escapes(a, value);
        else if (str_ieq(key, STR("filename*")))
            extended = extended_value(a, value);
    }
    if (!str_none(extended))
        *filename_out = extended;
    return got == PARAM_END;
}

str multipart_attachment_name(struct arena *a, str disposition)
{
    str name, filename;
    bool readable = disposition_names(a, disposition, &name, &filename) && utf8_valid(filename) && !has_control(filename);
    return readable ? filename : STR_NONE;
}

/* --- the headers of a part --- */

static int parse_disposition(struct ctx *ctx, str header, str *name_out, str *filename_out)
{
    if (!str_ieq(value_before_params(header), STR("form-data")))
        return err_set(ctx, &ERR_INVALID, "a part of the multipart body is not form-data");
    if (!disposition_names(ctx->arena, header, name_out, filename_out))
        return err_set(ctx, &ERR_INVALID, "the Content-Disposition of a part is malformed");
    if (str_none(*name_out))
        return err_set(ctx, &ERR_INVALID, "a part of the multipart body has no name");
    if (!utf8_valid(*name_out) || !utf8_valid(*filename_out))
        return err_set(ctx, &ERR_INVALID, "the name or file name of a part is not UTF-8");
    if (has_control(*name_out) || has_control(*filename_out))
        return err_set(ctx, &ERR_INVALID, "the name or file name of a part has control characters");
    return RC_OK;
}

static bool plain_transfer(str encoding)
{
    return str_ieq(encoding, STR("binary")) || str_ieq(encoding, STR("8bit")) || str_ieq(encoding, STR("7bit"));
}

struct part_headers {
    str disposition, type, transfer; /* none when absent */
};

/* One "name: value" line into its place; others are ignored (RFC 7578, 4.8). */
static int take_header(struct ctx *ctx, str line, struct part_headers *h)
{
    size_t colon = str_find_char(line, ':', 0);
    if (colon == SIZE_MAX || colon == 0 || line.p[0] == ' ' || line.p[0] == '\t')
        return err_set(ctx, &ERR_INVALID, "a header line of a part is malformed");
    str name = str_sub(line, 0, colon);
    const struct {
        str name;
        str *value;
    } known[] = {{STR("Content-Disposition"), &h->disposition},
                 {STR("Content-Type"), &h->type},
                 {STR("Content-Transfer-Encoding"), &h->transfer}};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!str_ieq(name, known[i].name))
            continue;
        if (!str_none(*known[i].value))
            return err_set(ctx, &ERR_INVALID, "a part has two %.*s headers", STR_FMT(known[i].name));
        *known[i].value = str_trim(str_sub(line, colon + 1, line.n));
    }
    return RC_OK;
}

/* text: all header lines, each with its CR LF. */
static int parse_headers(struct ctx *ctx, struct multipart *m, str text)
{
    struct part_headers h = {STR_NONE, STR_NONE, STR_NONE};
    for (size_t end; text.n > 0; text = str_sub(text, end + 2, text.n)) {
        end = str_find(text, STR("\r\n"), 0);
        TRY(take_header(ctx, str_sub(text, 0, end), &h));
    }
    if (str_none(h.disposition))
        return err_set(ctx, &ERR_INVALID, "a part of the multipart body has no Content-Disposition");
    if (!str_none(h.transfer) && !plain_transfer(h.transfer))
        return err_set(ctx, &ERR_UNSUPPORTED, "a part of the multipart body is sent in the transfer encoding '%.*s'",
                       STR_FMT(str_sub(h.transfer, 0, 40)));
    m->part = (struct multipart_file){.content_type = arena_str(ctx->arena, h.type)};
    TRY(parse_disposition(ctx, h.disposition, &m->part.name, &m->part.filename));
    if (!utf8_valid(m->part.content_type) || has_control(m->part.content_type))
        return err_set(ctx, &ERR_INVALID, "the Content-Type of a part is malformed");
    m->is_file = !str_none(m->part.filename);
    return RC_OK;
}

/* --- the steps: each takes what it can from the front of *piece --- */

static int step_start(struct ctx *ctx, struct multipart *m, str *piece)
{
    /* As if a line end stood before the first boundary; real ones are allowed, too. */
    char c = piece->p[0];
    *piece = str_sub(*piece, 1, piece->n);
    if (c == m->delimiter.p[m->matched])
        m->matched++;
    else if (c == '\r' && m->matched == 2)
        m->matched = 1;
    else
        return err_set(ctx, &ERR_INVALID, "the multipart body does not begin with its boundary");
    if (m->matched == m->delimiter.n)
        m->state = AFTER_BOUNDARY;
    return RC_OK;
}

/* Moves the bytes up to and including the next LF from *piece to m->text; true when a whole line, ending in LF, is there. */
static bool take_line(struct multipart *m, str *piece)
{
    size_t end = str_find_char(*piece, '\n', 0);
    bool whole = end != SIZE_MAX;
    size_t n = whole ? end + 1 : piece->n;
    buf_add(&m->text, str_sub(*piece, 0, n));
    *piece = str_sub(*piece, n, piece->n);
    return whole;
}

/* What stands between a boundary and the end of its line: nothing, or "--" for the last one; then white space. */
static bool boundary_line(str text, bool *last_out)
{
    *last_out = str_starts(text, STR("--"));
    return str_trim(str_sub(text, *last_out ? 2 : 0, text.n)).n == 0;
}

static int step_boundary(struct ctx *ctx, struct multipart *m, str *piece)
{
    bool whole = take_line(m, piece), last;
    str line = buf_str(&m->text);
    bool fits = line.n <= BOUNDARY_LINE_MAX;
    if (!whole && fits)
        return RC_OK;
    if (!fits || !str_ends(line, STR("\r\n")) || !boundary_line(line, &last))
        return err_set(ctx, &ERR_INVALID, "a boundary line of the multipart body is malformed");
    buf_clear(&m->text);
    m->state = last ? AT_END : IN_HEADERS;
    if (!last && ++m->parts > m->options.parts)
        return err_set(ctx, &ERR_LIMIT, "the multipart body has more than %zu parts", m->options.parts);
    return RC_OK;
}

static int step_headers(struct ctx *ctx, struct multipart *m, str *piece)
{
    bool whole = take_line(m, piece);
    TRY(buf_check(&m->text, ctx, "the headers of a part"));
    str text = buf_str(&m->text);
    if (!whole)
        return RC_OK;
    if (!str_ends(text, STR("\r\n")))
        return err_set(ctx, &ERR_INVALID, "a header line of a part does not end in CR LF");
    if (text.n != 2 && !str_ends(text, STR("\r\n\r\n")))
        return RC_OK; /* the empty line has not come */
    TRY(parse_headers(ctx, m, str_sub(text, 0, text.n - 2)));
    buf_clear(&m->text);
    /* The line end of the last header belongs to no delimiter, so an empty part needs its own. */
    m->matched = 0;
    m->state = IN_CONTENT;
    return m->is_file ? m->options.events->begin(ctx, m->options.arg, &m->part) : RC_OK;
}

static int content(struct ctx *ctx, struct multipart *m, str bytes)
{
    if (bytes.n == 0)
        return RC_OK;
    if (m->is_file)
        return m->options.events->data(ctx, m->options.arg, bytes);
    buf_add(&m->value, bytes);
    return buf_check(&m->value, ctx, "a field");
}

static int end_part(struct ctx *ctx, struct multipart *m)
{
    m->state = AFTER_BOUNDARY;
    if (m->is_file)
        return m->options.events->end(ctx, m->options.arg);
    TRY(form_add(ctx, m->options.fields, m->part.name, buf_str(&m->value)));
    buf_clear(&m->value);
    return RC_OK;
}

/* Length of the longest end of `s` that may be the start of the delimiter. */
static size_t delimiter_start_at_end(const struct multipart *m, str s)
{
    str tail = str_sub(s, s.n < m->delimiter.n ? 0 : s.n - m->delimiter.n + 1, s.n);
    const char *cr = tail.n > 0 ? memrchr(tail.p, '\r', tail.n) : NULL;
    if (!cr)
        return 0;
    size_t n = tail.n - (size_t)(cr - tail.p);
    return memcmp(cr, m->delimiter.p, n) == 0 ? n : 0;
}

/* Goes on with a delimiter that began in an earlier piece. */
static int step_matching(struct ctx *ctx, struct multipart *m, str *piece)
{
    str wanted = str_sub(m->delimiter, m->matched, m->delimiter.n);
    size_t n = wanted.n < piece->n ? wanted.n : piece->n;
    if (memcmp(wanted.p, piece->p, n) != 0) { /* it was content after all; nothing but its first byte can begin another one */
        size_t held = m->matched;
        m->matched = 0;
        return content(ctx, m, str_sub(m->delimiter, 0, held));
    }
    m->matched += n;
    *piece = str_sub(*piece, n, piece->n);
    return m->matched == m->delimiter.n ? end_part(ctx, m) : RC_OK;
}

static int step_content(struct ctx *ctx, struct multipart *m, str *piece)
{
    if (m->matched > 0)
        return step_matching(ctx, m, piece);
    const char *found = memmem(piece->p, piece->n, m->delimiter.p, m->delimiter.n);
    size_t n;
    if (found) {
        n = (size_t)(found - piece->p);
        TRY(content(ctx, m, str_sub(*piece, 0, n)));
        *piece = str_sub(*piece, n + m->delimiter.n, piece->n);
        return end_part(ctx, m);
    }
    m->matched = delimiter_start_at_end(m, *piece);
    n = piece->n - m->matched;
    str whole = *piece;
    *piece = STR_NONE;
    return content(ctx, m, str_sub(whole, 0, n));
}

static int step_end(struct ctx *ctx, struct multipart *m, str *piece)
{
    (void)m;
    if (str_trim(*piece).n > 0)
        return err_set(ctx, &ERR_INVALID, "bytes follow the last boundary of the multipart body");
    *piece = STR_NONE;
    return RC_OK;
}

/* --- the door --- */

bool multipart_is(str content_type) { return str_ieq(value_before_params(content_type), STR("multipart/form-data")); }

/* RFC 2046: letters, digits, '()+_,-./:=? and space but not at the end. We take every printable character. */
static bool boundary_valid(str b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] < ' ' || b.p[i] > '~')
            return false;
    return b.n > 0 && b.n <= BOUNDARY_MAX && b.p[b.n - 1] != ' ';
}

int multipart_open(struct ctx *ctx, str content_type, const struct multipart_options *options, struct multipart **out)
{
    str rest = params_of(content_type), key, value, boundary = STR_NONE;
    enum param got;
    while ((got = next_param(ctx->arena, &rest, &key, &value)) == PARAM_FOUND)
        if (str_ieq(key, STR("boundary")))
            boundary = value;
    if (got != PARAM_END || !multipart_is(content_type))
        return err_set(ctx, &ERR_INVALID, "the Content-Type is not a well-formed multipart/form-data");
    if (!boundary_valid(boundary))
        return err_set(ctx, &ERR_INVALID, "the multipart Content-Type has no usable boundary");
    struct multipart *m = arena_new(ctx->arena, struct multipart);
    m->options = *options;
    m->delimiter = arena_printf(ctx->arena, "\r\n--%.*s", STR_FMT(boundary));
    m->state = AT_START;
    m->matched = 2;
    m->text = BUF_INIT(options->header_bytes);
    m->value = BUF_INIT(options->fields->limits.field_bytes);
    *out = m;
    return RC_OK;
}

void multipart_close(struct multipart *m)
{
    if (!m)
        return;
    buf_free(&m->text);
    buf_free(&m->value);
}

int multipart_push(struct ctx *ctx, struct multipart *m, str piece)
{
    static int (*const steps[])(struct ctx *, struct multipart *, str *) = {
        [AT_START] = step_start, [AFTER_BOUNDARY] = step_boundary, [IN_HEADERS] = step_headers, [IN_CONTENT] = step_content,
        [AT_END] = step_end,
    };
    while (piece.n > 0)
        TRY(steps[m->state](ctx, m, &piece));
    return RC_OK;
}

int multipart_finish(struct ctx *ctx, struct multipart *m)
{
    bool last = m->state == AT_END;
    if (m->state == AFTER_BOUNDARY && !boundary_line(buf_str(&m->text), &last)) /* the last line may lack its end */
        last = false;
    return last ? RC_OK : err_set(ctx, &ERR_INVALID, "the multipart body is cut off");
}
