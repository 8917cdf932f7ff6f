/* The decoded view of a text. See refs_view.h. */
#include "model/refs_view.h"

#include "base/mem.h"
#include "base/num.h"

#define W REFS_WORD
#define U REFS_UNRESERVED
#define H REFS_HEX
#define R REFS_RESERVED
const unsigned char refs_view_class[256] = {
    ['0' ... '9'] = W | U | H,
    ['a' ... 'f'] = W | U | H,
    ['g' ... 'z'] = W | U,
    ['A' ... 'F'] = W | U | H,
    ['G' ... 'Z'] = W | U,
    ['_'] = W | U,
    ['-'] = U,
    ['.'] = U,
    ['~'] = U,
    [':'] = R,
    ['/'] = R,
    ['?'] = R,
    ['#'] = R,
    ['['] = R,
    [']'] = R,
    ['@'] = R,
    ['!'] = R,
    ['$'] = R,
    ['&'] = R,
    ['\''] = R,
    ['('] = R,
    [')'] = R,
    ['*'] = R,
    ['+'] = R,
    [','] = R,
    [';'] = R,
    ['='] = R,
};
#undef W
#undef U
#undef H
#undef R

enum { PASSES_MAX = 5, NOT_ASCII = 0x80, ENTITY_MAX = 10 };

static unsigned hex_value(unsigned char c) { return c <= '9' ? c - (unsigned)'0' : (c & 0xdfU) - 'A' + 10U; }

/* The value of `digits` hexadecimal digits at c, as one view character; false when they are not all there. */
static bool hex_char(const unsigned char *c, size_t n, size_t digits, unsigned char *out)
{
    unsigned value = 0;
    if (n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!refs_view_is(c[i], REFS_HEX))
            return false;
        value = value * 16 + hex_value(c[i]);
    }
    *out = (unsigned char)(value < 0x100 && (digits == 2 || value < NOT_ASCII) ? value : NOT_ASCII);
    return true;
}

/* Each decoder: how many characters at c, n of them, are the spelling of one character; 0: none. */
static size_t decode_percent(const unsigned char *c, size_t n, unsigned char *out)
{
    return hex_char(c + 1, n - 1, 2, out) ? 3 : 0;
}

/* A run of backslashes (JSON inside JSON doubles them) and what it escapes. */
static size_t decode_backslash(const unsigned char *c, size_t n, unsigned char *out)
{
    size_t run = 1;
    while (run < n && c[run] == '\\')
        run++;
    *out = '\\';
    if (run == n)
        return run;
    if (c[run] == 'u' && hex_char(c + run + 1, n - run - 1, 4, out))
        return run + 5;
    if (c[run] == '/' || c[run] == '"') {
        *out = c[run];
        return run + 1;
    }
    if (memchr("nrtbf", c[run], 5)) {
        *out = '\n';
        return run + 1;
    }
    return run;
}

static bool entity_number(str digits, unsigned char *out)
{
    bool hex = digits.n > 1 && (digits.p[0] == 'x' || digits.p[0] == 'X');
    unsigned value = 0;
    for (size_t i = hex ? 1 : 0; i < digits.n; i++) {
        unsigned char c = (unsigned char)digits.p[i];
        if (!refs_view_is(c, REFS_HEX) || (!hex && c > '9'))
            return false;
        value = value * (hex ? 16 : 10) + hex_value(c);
    }
    *out = (unsigned char)(value < NOT_ASCII ? value : NOT_ASCII);
    return digits.n > 0;
}

static size_t decode_entity(const unsigned char *c, size_t n, unsigned char *out)
{
    static const struct {
        const char *name;
        unsigned char c;
    } named[] = {{"amp", '&'}, {"lt", '<'},    {"gt", '>'},     {"quot", '"'},   {"apos", '\''},
                 {"sol", '/'}, {"colon", ':'}, {"period", '.'}, {"equals", '='}, {"quest", '?'},
                 {"num", '#'}, {"nbsp", ' '},  {"lowbar", '_'}, {"percnt", '%'}};
    const unsigned char *semicolon = memchr(c, ';', n < ENTITY_MAX ? n : ENTITY_MAX);
    if (semicolon == NULL || semicolon - c < 3)
        return 0;
    str name = str_of(c + 1, (size_t)(semicolon - c) - 1);
    if (name.p[0] == '#')
        return entity_number(str_sub(name, 1, name.n), out) ? name.n + 2 : 0;
    for (size_t i = 0; i < COUNT_OF(named); i++)
        if (str_eq(name, str_c(named[i].name))) {
            *out = named[i].c;
            return name.n + 2;
        }
    return 0;
}

static bool is_encoded(str text)
{
    return str_find_char(text, '\\', 0) != SIZE_MAX || str_find_char(text, '%', 0) != SIZE_MAX ||
           str_find_char(text, '&', 0) != SIZE_MAX;
}

/* Undoes one layer in place; false when nothing was there to undo. */
static bool decode_layer(unsigned char *c, uint32_t *at, size_t *count)
{
    size_t n = *count, to = 0;
    for (size_t i = 0, used; i < n; i += used, to++) {
        unsigned char decoded = c[i];
        switch (c[i]) {
        case '%':
            used = decode_percent(c + i, n - i, &decoded);
            break;
        case '\\':
            used = decode_backslash(c + i, n - i, &decoded);
            break;
        case '&':
            used = decode_entity(c + i, n - i, &decoded);
            break;
        default:
            used = 1;
        }
        used = used ? used : 1;
        c[to] = decoded;
        at[to] = at[i];
    }
    at[to] = at[n];
    *count = to;
    return to < n;
}

void refs_view_set(struct refs_view *v, str text)
{
    v->text = text;
    v->c = (const unsigned char *)text.p;
    v->n = text.n;
    if (!is_encoded(text)) {
        v->at = NULL;
        return;
    }
    size_t need = (text.n + 1) * (sizeof(uint32_t) + 1);
    if (v->capacity < need) {
        v->capacity = need + need / 2;
        v->memory = mem_resize(v->memory, v->capacity);
    }
    v->at = (uint32_t *)(void *)v->memory;
    unsigned char *c = v->memory + (text.n + 1) * sizeof(uint32_t);
    memcpy(c, text.p, text.n);
    for (size_t i = 0; i <= text.n; i++)
        v->at[i] = (uint32_t)i;
    v->c = c;
    for (int pass = 0; pass < PASSES_MAX && decode_layer(c, v->at, &v->n); pass++)
        ;
}

void refs_view_free(struct refs_view *v)
{
    mem_free(v->memory);
    *v = (struct refs_view){0};
}

str refs_view_source(const struct refs_view *v, size_t from, size_t to)
{
    return str_sub(v->text, refs_view_offset(v, from), refs_view_offset(v, to));
}

str refs_view_decoded(const struct refs_view *v, struct arena *a, size_t from, size_t to)
{
    return arena_str(a, v->at ? str_of(v->c + from, to - from) : str_sub(v->text, from, to));
}

/* ---- spelling ---- */

/* The spelling of the k-th c among from..to (of the last one when there are fewer); none when there is none. */
static str spelling_of(const struct refs_view *v, size_t from, size_t to, unsigned char c, size_t k)
{
    str spelling = STR_NONE;
    for (size_t i = from; i < to; i++)
        if (v->c[i] == c) {
            spelling = refs_view_source(v, i, i + 1);
            if (k-- == 0)
                break;
        }
    return spelling;
}

/* A percent-coded reserved character in from..to or just beside it, as the pattern for others; none in plain text. */
static str percent_pattern(const struct refs_view *v, size_t from, size_t to)
{
    size_t first = from > 0 ? from - 1 : 0, last = to < v->n ? to + 1 : to;
    for (size_t i = first; i < last; i++) {
        str source = refs_view_source(v, i, i + 1);
        if (refs_view_is(v->c[i], REFS_RESERVED) && source.n >= 3 && source.p[0] == '%')
            return source;
    }
    return STR_NONE;
}

static void spell_hex(struct buf *out, unsigned char c, str pattern)
{
    static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
    bool small = false;
    for (size_t i = 0; i < pattern.n; i++)
        small = small || (pattern.p[i] >= 'a' && pattern.p[i] <= 'f');
    const char *digits = small ? lower : upper;
    buf_add_char(out, digits[c >> 4]);
    buf_add_char(out, digits[c & 15]);
}

static void spell_new(struct buf *out, unsigned char c, str pattern)
{
    bool plain = refs_view_is(c, REFS_UNRESERVED) || (refs_view_is(c, REFS_RESERVED) && str_none(pattern));
    if (plain) {
        buf_add_char(out, (char)c);
        return;
    }
    /* What may not stand in a URL is coded once by itself, under the coding that the whole URL has. */
    buf_add(out, str_none(pattern) ? STR("%") : str_sub(pattern, 0, pattern.n - 2));
    if (!refs_view_is(c, REFS_RESERVED) && !str_none(pattern))
        buf_add(out, STR("25"));
    spell_hex(out, c, pattern);
}

void refs_view_spell(const struct refs_view *v, size_t from, size_t to, str decoded, struct buf *out)
{
    str pattern = v->at ? percent_pattern(v, from, to) : STR_NONE;
    for (size_t i = 0; i < decoded.n; i++) {
        unsigned char c = (unsigned char)decoded.p[i];
        if (refs_view_is(c, REFS_WORD)) {
            buf_add_char(out, (char)c);
            continue;
        }
        size_t seen = 0;
        for (size_t j = 0; j < i; j++)
            seen += decoded.p[j] == decoded.p[i];
        str spelling = c < NOT_ASCII ? spelling_of(v, from, to, c, seen) : STR_NONE;
        if (str_none(spelling))
            spell_new(out, c, pattern);
        else
            buf_add(out, spelling);
    }
}

size_t refs_view_piece_end(str text, size_t from, size_t least)
{
    size_t end = from + least;
    if (least >= text.n - from)
        return text.n;
    while (end < text.n && (unsigned char)text.p[end] > ' ' && !memchr("\"<>'", text.p[end], 4))
        end++;
    return end;
}
