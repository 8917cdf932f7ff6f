/* Reading the values of a parsed JSON text. */
#include "codec/json/tape.h"
#include "base/num.h"
#include "base/utf8.h"

static const uint8_t type_by_first_byte[256] = {
    ['n'] = JSON_NULL,   ['f'] = JSON_FALSE,          ['t'] = JSON_TRUE,  ['-'] = JSON_NUMBER,
    ['"'] = JSON_STRING, ['0' ... '9'] = JSON_NUMBER, ['['] = JSON_ARRAY, ['{'] = JSON_OBJECT,
};

enum json_type json_type(struct json v)
{
    return v.tape ? type_by_first_byte[(unsigned char)v.tape->text.p[json_node_offset(v.tape, v.node)]] : JSON_NONE;
}

str json_raw(struct json v)
{
    return v.tape ? str_of(v.tape->text.p + json_node_offset(v.tape, v.node), json_node_length(v.tape, v.node)) : STR_NONE;
}

size_t json_offset(struct json v) { return v.tape ? json_node_offset(v.tape, v.node) : 0; }

str json_text(struct json v) { return v.tape ? v.tape->text : STR_NONE; }

struct json_iter json_each(struct json v)
{
    if (!v.tape || !json_node_holds(v.tape, v.node))
        return (struct json_iter){.tape = NULL};
    return (struct json_iter){
        .tape = v.tape, .node = v.node + 2, .end = v.tape->nodes[v.node + 1].inside.next, .object = json_type(v) == JSON_OBJECT};
}

bool json_next(struct json_iter *it, struct json *name_out, struct json *value_out)
{
    if (it->node == it->end)
        return false;
    struct json name = JSON_ABSENT;
    if (it->object)
        name = (struct json){.tape = it->tape, .node = it->node++};
    *value_out = (struct json){.tape = it->tape, .node = it->node};
    it->node = json_node_next(it->tape, it->node);
    if (name_out)
        *name_out = name;
    return true;
}

struct json json_get(struct json v, str name)
{
    struct json found = JSON_ABSENT, member_name, value;
    struct json_iter it = json_each(v);
    while (json_next(&it, &member_name, &value))
        if (json_string_eq(member_name, name))
            found = value;
    return found;
}

struct json json_get_c(struct json v, const char *name) { return json_get(v, str_c(name)); }

size_t json_count(struct json v)
{
    return v.tape && json_node_holds(v.tape, v.node) ? v.tape->nodes[v.node + 1].inside.count : 0;
}

struct json json_at(struct json v, size_t index)
{
    struct json value = JSON_ABSENT;
    struct json_iter it = json_each(v);
    if (index >= json_count(v))
        return value;
    for (size_t i = 0; i <= index; i++)
        json_next(&it, NULL, &value);
    return value;
}

static uint32_t hex4(const char *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return value;
}

size_t json_unescape(str inside, size_t *pos, char out[4])
{
    static const char plain[256] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    const char *p = inside.p + *pos;
    if (*p != '\\') {
        out[0] = *p;
        *pos += 1;
        return 1;
    }
    if (p[1] != 'u') {
        out[0] = plain[(unsigned char)p[1]];
        *pos += 2;
        return 1;
    }
    uint32_t cp = hex4(p + 2);
    *pos += 6;
    if (cp >= 0xD800 && cp <= 0xDFFF) {
        bool pair = cp <= 0xDBFF && inside.n - *pos >= 6 && p[6] == '\\' && p[7] == 'u';
        uint32_t low = pair ? hex4(p + 8) : 0;
        pair = low >= 0xDC00 && low <= 0xDFFF;
        cp = pair ? 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
        *pos += pair ? 6 : 0;
    }
    return utf8_encode(cp, out);
}

str json_string(struct json v, struct arena *a)
{
    if (!json_is(v, JSON_STRING))
        return STR_NONE;
    str inside = json_inside(v);
    if (!json_node_escaped(v.tape, v.node))
        return inside;
    char *text = arena_alloc(a, inside.n + 1); /* an escape is never shorter than what it stands for */
    size_t n = 0, pos = 0;
    while (pos < inside.n) {
        const char *p = inside.p + pos;
        const char *escape = memchr(p, '\\', inside.n - pos);
        size_t run = escape ? (size_t)(escape - p) : inside.n - pos;
        memcpy(text + n, p, run);
        n += run;
        pos += run;
        char decoded[4];
        size_t made = escape ? json_unescape(inside, &pos, decoded) : 0;
        memcpy(text + n, decoded, made);
        n += made;
    }
    return str_of(text, n);
}

str json_string_or(struct json v, struct arena *a, str otherwise)
{
    return json_is(v, JSON_STRING) ? json_string(v, a) : otherwise;
}

bool json_string_eq(struct json v, str s)
{
    if (!json_is(v, JSON_STRING))
        return false;
    str inside = json_inside(v);
    if (!json_node_escaped(v.tape, v.node))
        return str_eq(inside, s);
    size_t compared = 0;
    for (size_t pos = 0; pos < inside.n;) {
        char decoded[4];
        size_t made = json_unescape(inside, &pos, decoded);
        if (s.n - compared < made || memcmp(s.p + compared, decoded, made) != 0)
            return false;
        compared += made;
    }
    return compared == s.n;
}

/* *value = *value * 10^zeros * 10 + digit; false far beyond 2^63, so that nothing wraps. */
static bool append_digit(uint64_t *value, size_t zeros, unsigned digit)
{
    const uint64_t limit = UINT64_C(1) << 63;
    for (size_t i = 0; i <= zeros && *value > 0; i++) {
        if (*value > limit / 10)
            return false;
        *value *= 10;
    }
    *value += digit;
    return true;
}

/* Exponent of a JSON number, p behind the 'e'. Cut far beyond what the number of digits of any text can balance. */
static int64_t exponent_of(const char *p, const char *end)
{
    const int64_t limit = INT64_C(1) << 40;
    bool negative = *p == '-';
    int64_t exponent = 0;
    for (p += *p == '-' || *p == '+'; p < end; p++)
        exponent = exponent < limit ? exponent * 10 + (*p - '0') : limit;
    return negative ? -exponent : exponent;
}

/* Decimal arithmetic instead of doubles, which would round 2^53 + 1. */
bool json_int(struct json v, int64_t *out)
{
    if (!json_is(v, JSON_NUMBER))
        return false;
    str raw = json_raw(v);
    const char *p = raw.p, *end = raw.p + raw.n;
    bool negative = *p == '-', fraction = false;
    uint64_t value = 0;
    size_t zeros = 0;  /* seen since the last digit that was not 0 */
    int64_t scale = 0; /* the number is value * 10^scale */
    for (p += negative; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        scale -= fraction;
        if (*p == '0') {
            zeros++;
            continue;
        }
        if (!append_digit(&value, zeros, (unsigned)(*p - '0')))
            return false;
        zeros = 0;
    }
    scale += (int64_t)zeros + (p < end ? exponent_of(p + 1, end) : 0);
    if (value > 0 && scale < 0)
        return false;
    if (scale > 0 && !append_digit(&value, (size_t)scale - 1, 0))
        return false;
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = (int64_t)(negative ? 0 - value : value);
    return true;
}

bool json_double(struct json v, double *out) { return json_is(v, JSON_NUMBER) && num_parse_double(json_raw(v), out); }

bool json_bool(struct json v, bool otherwise)
{
    enum json_type type = json_type(v);
    return type == JSON_TRUE || (type != JSON_FALSE && otherwise);
}
