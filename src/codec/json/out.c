/* Writing JSON as a stream. Commas, line breaks and escapes are made here, so callers cannot get them wrong; calls in an
 * order that makes no JSON text are mistakes of the program and stop it. */
#include "codec/json/tape.h"
#include "base/num.h"
#include "base/utf8.h"
#include <assert.h>

enum { INDENT = 2, PIECE = 4096 /* of a long string between two looks at the buffer */ };

void json_out_buf(struct json_out *o, struct ctx *ctx, struct buf *buf) { json_out_stream(o, ctx, buf, NULL); }

void json_out_stream(struct json_out *o, struct ctx *ctx, struct buf *buf, struct writer *sink)
{
    *o = (struct json_out){.buf = buf, .sink = sink, .ctx = ctx};
}

/* A buffer that overflowed is kept as it is: clearing it would forget that. */
static void flush(struct json_out *o)
{
    if (!o->sink || o->buf->overflow || o->buf->n == 0 || o->rc != RC_OK)
        return;
    o->rc = writer_write(o->ctx, o->sink, buf_str(o->buf));
    buf_clear(o->buf);
}

static inline void flush_full(struct json_out *o)
{
    if (o->buf->n >= JSON_FLUSH)
        flush(o);
}

/* Before anything is written. False: an earlier failure, nothing is to be written. */
static inline bool ready(struct json_out *o)
{
    flush_full(o);
    return o->rc == RC_OK;
}

static inline bool level_bit(const uint64_t *bits, uint32_t depth) { return bits[depth / 64] >> depth % 64 & 1; }

static inline void level_set(uint64_t *bits, uint32_t depth, bool value)
{
    uint64_t bit = UINT64_C(1) << depth % 64;
    bits[depth / 64] = value ? bits[depth / 64] | bit : bits[depth / 64] & ~bit;
}

static void new_line(struct json_out *o)
{
    size_t n = 1 + (size_t)o->depth * INDENT;
    char *p = buf_reserve(o->buf, n);
    if (!p)
        return;
    memset(p, ' ', n);
    p[0] = '\n';
    buf_commit(o->buf, n);
}

/* Before an element or a member name. */
static inline void separate(struct json_out *o)
{
    if (level_bit(o->has_entry, o->depth))
        buf_add_char(o->buf, ',');
    level_set(o->has_entry, o->depth, true);
    if (o->pretty)
        new_line(o);
}

/* Before any value; false as ready(). */
static inline bool before_value(struct json_out *o)
{
    if (!ready(o))
        return false;
    if (o->depth == 0) {
        assert(!o->started);
        o->started = true;
        return true;
    }
    assert(o->after_name == level_bit(o->in_object, o->depth));
    if (!o->after_name)
        separate(o);
    o->after_name = false;
    return true;
}

static void begin(struct json_out *o, char bracket)
{
    if (!before_value(o))
        return;
    assert(o->depth < JSON_DEPTH_MAX);
    o->depth++;
    level_set(o->has_entry, o->depth, false);
    level_set(o->in_object, o->depth, bracket == '{');
    buf_add_char(o->buf, bracket);
}

static void end(struct json_out *o, char bracket)
{
    if (!ready(o))
        return;
    assert(o->depth > 0 && !o->after_name && level_bit(o->in_object, o->depth) == (bracket == '}'));
    bool had_entry = level_bit(o->has_entry, o->depth);
    o->depth--;
    if (o->pretty && had_entry)
        new_line(o);
    buf_add_char(o->buf, bracket);
}

void json_begin_object(struct json_out *o) { begin(o, '{'); }
void json_end_object(struct json_out *o) { end(o, '}'); }
void json_begin_array(struct json_out *o) { begin(o, '['); }
void json_end_array(struct json_out *o) { end(o, ']'); }

/* Appends the character at *pos as a JSON string holds it and advances; it is one that json_plain_end stopped at. */
static void escape_one(struct buf *b, str s, size_t *pos)
{
    static const char letters[256] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    size_t from = *pos;
    unsigned char c = (unsigned char)s.p[from];
    if (c >= 0x80) {
        bool valid = utf8_next(s, pos) >= 0;
        buf_add(b, valid ? str_sub(s, from, *pos) : STR("\xEF\xBF\xBD"));
        return;
    }
    *pos += 1;
    if (letters[c]) {
        buf_add_char(b, '\\');
        buf_add_char(b, letters[c]);
    } else {
        buf_add(b, STR("\\u00"));
        buf_add_char(b, (char)('0' + (c >> 4)));
        buf_add_char(b, "0123456789abcdef"[c & 15]);
    }
}

/* From `pos` at least to `stop`, to the end of the character there. Returns where it ended. */
static size_t escape_part(struct buf *b, str s, size_t pos, size_t stop)
{
    size_t from = pos; /* of a run that needs no escapes: ASCII and whole characters beyond it */
    while (pos < stop) {
        pos = (size_t)(json_plain_end(s.p + pos, s.p + stop) - s.p);
        size_t next = pos;
        if (pos < stop && (unsigned char)s.p[pos] >= 0x80 && utf8_next(s, &next) >= 0) {
            pos = next;
            continue;
        }
        buf_add(b, str_of(s.p + from, pos - from));
        if (pos < stop)
            escape_one(b, s, &pos);
        from = pos;
    }
    buf_add(b, str_of(s.p + from, pos - from));
    return pos;
}

void json_escape(struct buf *b, str s)
{
    buf_add_char(b, '"');
    escape_part(b, s, 0, s.n);
    buf_add_char(b, '"');
}

static void put_string(struct json_out *o, str s)
{
    buf_add_char(o->buf, '"');
    for (size_t pos = 0; pos < s.n && o->rc == RC_OK; flush_full(o))
        pos = escape_part(o->buf, s, pos, s.n - pos > PIECE ? pos + PIECE : s.n);
    buf_add_char(o->buf, '"');
}

static inline bool before_name(struct json_out *o)
{
    if (!ready(o))
        return false;
    assert(o->depth > 0 && level_bit(o->in_object, o->depth) && !o->after_name);
    separate(o);
    o->after_name = true;
    return true;
}

/* A name between two texts, of which `after` ends with a space for pretty ones. Answers consist of names, so comma and all become
 * one append. */
static inline void put_name(struct json_out *o, const char *before, str name, const char *after)
{
    if (!ready(o))
        return;
    assert(o->depth > 0 && level_bit(o->in_object, o->depth) && !o->after_name);
    bool comma = level_bit(o->has_entry, o->depth) && !o->pretty;
    if (o->pretty)
        separate(o);
    size_t head = strlen(before), tail = strlen(after) - !o->pretty;
    char *p = buf_reserve(o->buf, comma + head + name.n + tail);
    if (p) {
        p[0] = ',';
        memcpy(p + comma, before, head);
        memcpy(p + comma + head, name.p, name.n);
        memcpy(p + comma + head + name.n, after, tail);
        buf_commit(o->buf, comma + head + name.n + tail);
    }
    level_set(o->has_entry, o->depth, true);
    o->after_name = true;
}

void json_name(struct json_out *o, const char *name)
{
    size_t n = strlen(name);
    assert(json_plain_end(name, name + n) == name + n);
    put_name(o, "\"", str_of(name, n), "\": ");
}

void json_name_str(struct json_out *o, str name)
{
    if (!before_name(o))
        return;
    put_string(o, name);
    buf_add(o->buf, o->pretty ? STR(": ") : STR(":"));
}

void json_name_raw(struct json_out *o, str quoted) { put_name(o, "", quoted, ": "); }

static void put_text(struct json_out *o, str text)
{
    if (before_value(o))
        buf_add(o->buf, text);
}

void json_put_str(struct json_out *o, str s)
{
    if (str_none(s)) {
        json_put_null(o);
        return;
    }
    if (before_value(o))
        put_string(o, s);
}

void json_put_int(struct json_out *o, int64_t v)
{
    char digits[NUM_INT_SIZE];
    put_text(o, str_of(digits, num_print_int(v, digits)));
}

void json_put_double(struct json_out *o, double v)
{
    char digits[NUM_DOUBLE_SIZE];
    put_text(o, str_of(digits, num_print_double(v, digits)));
}

void json_put_bool(struct json_out *o, bool v) { put_text(o, v ? STR("true") : STR("false")); }
void json_put_null(struct json_out *o) { put_text(o, STR("null")); }

void json_put_raw(struct json_out *o, str json_text)
{
    assert(json_text.n > 0);
    if (!o->sink || json_text.n < JSON_FLUSH / 2) {
        put_text(o, json_text);
        return;
    }
    if (!before_value(o))
        return;
    flush(o); /* a long text goes past the buffer */
    if (o->rc == RC_OK && !o->buf->overflow)
        o->rc = writer_write(o->ctx, o->sink, json_text);
}

void json_member_str(struct json_out *o, const char *name, str s)
{
    json_name(o, name);
    json_put_str(o, s);
}

void json_member_c(struct json_out *o, const char *name, const char *s) { json_member_str(o, name, str_c(s)); }

void json_member_int(struct json_out *o, const char *name, int64_t v)
{
    json_name(o, name);
    json_put_int(o, v);
}

void json_member_double(struct json_out *o, const char *name, double v)
{
    json_name(o, name);
    json_put_double(o, v);
}

void json_member_bool(struct json_out *o, const char *name, bool v)
{
    json_name(o, name);
    json_put_bool(o, v);
}

void json_member_null(struct json_out *o, const char *name)
{
    json_name(o, name);
    json_put_null(o);
}

void json_member_raw(struct json_out *o, const char *name, str json_text)
{
    json_name(o, name);
    json_put_raw(o, json_text);
}

int json_out_end(struct json_out *o, const char *what)
{
    assert(o->rc != RC_OK || (o->depth == 0 && o->started));
    flush(o);
    return o->rc != RC_OK ? o->rc : buf_check(o->buf, o->ctx, what);
}
