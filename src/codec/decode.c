/* Text as UTF-8: see decode.h. Code pages are a table of what differs from Latin 1. */
#include "codec/decode.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { PIECE = 64 << 10, GREW = 3, REPLACEMENT = 0xFFFD };

static const struct {
    const char *name;
    enum encoding encoding;
} NAMES[] = {
    /* the first of each is the one that is printed */
    {"UTF-8", ENCODING_UTF8},        {"UTF-16LE", ENCODING_UTF16LE},
    {"UTF-16BE", ENCODING_UTF16BE},  {"windows-1252", ENCODING_WINDOWS1252},
    {"ISO-8859-1", ENCODING_LATIN1}, {"UTF8", ENCODING_UTF8},
    {"UTF-16", ENCODING_UTF16LE},    {"UTF16", ENCODING_UTF16LE},
    {"unicode", ENCODING_UTF16LE},   {"cp1252", ENCODING_WINDOWS1252},
    {"1252", ENCODING_WINDOWS1252},  {"ANSI", ENCODING_WINDOWS1252},
    {"latin1", ENCODING_LATIN1},     {"latin-1", ENCODING_LATIN1},
    {"ISO8859-1", ENCODING_LATIN1},  {"ASCII", ENCODING_UTF8},
    {"US-ASCII", ENCODING_UTF8},
};

/* 0x80 to 0x9F of Windows-1252; what it leaves open is what Latin 1 has there. */
static const uint16_t WINDOWS[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

const char *decode_name(enum encoding e)
{
    size_t i = 0;
    while (NAMES[i].encoding != e)
        i++;
    return NAMES[i].name;
}

bool decode_parse(str name, enum encoding *out)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_ieq(name, str_c(NAMES[i].name))) {
            *out = NAMES[i].encoding;
            return true;
        }
    }
    return false;
}

enum encoding decode_guess(str head)
{
    size_t zeros[2] = {0, 0}, pairs = head.n / 2;
    if (str_starts(head, STR("\xFF\xFE")))
        return ENCODING_UTF16LE;
    if (str_starts(head, STR("\xFE\xFF")))
        return ENCODING_UTF16BE;
    for (size_t i = 0; i < pairs * 2; i++)
        zeros[i % 2] += head.p[i] == 0;
    if (pairs && zeros[1] > pairs / 2 && zeros[0] < pairs / 8 + 1)
        return ENCODING_UTF16LE;
    if (pairs && zeros[0] > pairs / 2 && zeros[1] < pairs / 8 + 1)
        return ENCODING_UTF16BE;
    return ENCODING_UTF8;
}

struct decode_reader {
    struct reader base;
    struct reader *inner;
    enum encoding from;
    uint32_t high; /* a surrogate that waits for its other half */
    bool started, ended;
    unsigned char left; /* a byte of UTF-16 that waits for its other half */
    bool has_left;
    size_t at, n; /* in `text` */
    char text[PIECE * GREW + 8];
    unsigned char raw[PIECE];
};

static void put(struct decode_reader *r, uint32_t c) { r->n += utf8_encode(c, r->text + r->n); }

static void put_unit(struct decode_reader *r, uint32_t unit)
{
    bool low = unit >= 0xDC00 && unit < 0xE000, high = unit >= 0xD800 && unit < 0xDC00;
    if (low && r->high) {
        put(r, 0x10000 + ((r->high - 0xD800) << 10) + (unit - 0xDC00));
        r->high = 0;
        return;
    }
    if (r->high)
        put(r, REPLACEMENT);
    r->high = high ? unit : 0;
    if (!high)
        put(r, low ? REPLACEMENT : unit);
}

static void decode_wide(struct decode_reader *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!r->has_left) {
            r->left = r->raw[i];
            r->has_left = true;
            continue;
        }
        uint32_t first = r->left, second = r->raw[i];
        r->has_left = false;
        put_unit(r, r->from == ENCODING_UTF16LE ? first | second << 8 : first << 8 | second);
    }
}

static void decode_page(struct decode_reader *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = r->raw[i];
        if (c < 0x80)
            r->text[r->n++] = (char)c;
        else
            put(r, r->from == ENCODING_WINDOWS1252 && c < 0xA0 ? WINDOWS[c - 0x80] : c);
    }
}

static void decode_piece(struct decode_reader *r, size_t n)
{
    r->at = r->n = 0;
    if (r->from == ENCODING_UTF8) {
        memcpy(r->text, r->raw, n);
        r->n = n;
    } else if (r->from == ENCODING_UTF16LE || r->from == ENCODING_UTF16BE) {
        decode_wide(r, n);
    } else {
        decode_page(r, n);
    }
    if (n == 0 && (r->high || r->has_left)) {
        put(r, REPLACEMENT);
        r->high = 0;
        r->has_left = false;
    }
}

static int next_piece(struct ctx *ctx, struct decode_reader *r)
{
    size_t got;
    TRY(r->started ? reader_read(ctx, r->inner, r->raw, sizeof r->raw, &got)
                   : reader_read_full(ctx, r->inner, r->raw, sizeof r->raw, &got));
    r->ended = got == 0;
    decode_piece(r, got);
    if (!r->started && str_starts(str_of(r->text, r->n), STR("\xEF\xBB\xBF")))
        r->at = 3;
    r->started = true;
    return RC_OK;
}

static int read_decoded(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    struct decode_reader *r = (struct decode_reader *)base;
    while (r->at == r->n && !r->ended)
        TRY(next_piece(ctx, r));
    *got = r->n - r->at < n ? r->n - r->at : n;
    memcpy(p, r->text + r->at, *got);
    r->at += *got;
    return RC_OK;
}

static void close_decoded(struct reader *base)
{
    reader_close(((struct decode_reader *)base)->inner);
    mem_free(base);
}

struct reader *decode_open(struct reader *inner, enum encoding from)
{
    struct decode_reader *r = mem_new(struct decode_reader);
    r->base = (struct reader){.read = read_decoded, .close = close_decoded};
    r->inner = inner;
    r->from = from;
    return &r->base;
}
