/* Numbers to text and back. The locale is always "C": nothing in this program calls setlocale, so printf and strtod use '.'. */
#include "base/num.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POWERS_EXACT = 22 };                           /* 10^22 is the last power of ten that a double holds exactly */
static const double INTEGER_EXACT = 9007199254740992; /* 2^53: all integers below are doubles */
static const double num_powers[POWERS_EXACT + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static size_t num_print_unsigned(uint64_t v, char *out)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    char text[NUM_INT_SIZE];
    size_t at = sizeof text;
    for (; v >= 100; v /= 100)
        memcpy(text + (at -= 2), pairs + 2 * (v % 100), 2);
    if (v >= 10)
        memcpy(text + (at -= 2), pairs + 2 * v, 2);
    else
        text[--at] = (char)('0' + v);
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at;
}

size_t num_print_int(int64_t v, char out[NUM_INT_SIZE])
{
    if (v >= 0)
        return num_print_unsigned((uint64_t)v, out);
    out[0] = '-';
    return 1 + num_print_unsigned(0 - (uint64_t)v, out + 1);
}

static size_t num_fill(char *out, char c, size_t n)
{
    memset(out, c, n);
    return n;
}

static size_t num_copy(char *out, const char *from, size_t n)
{
    memcpy(out, from, n);
    return n;
}

/* The number 0.d1d2...dn * 10^point without exponent. */
static size_t num_layout_fixed(const char *digits, size_t n, int point, char *out)
{
    size_t at = 0;
    if (point <= 0) {
        at += num_copy(out, "0.", 2);
        at += num_fill(out + at, '0', (size_t)-point);
        return at + num_copy(out + at, digits, n);
    }
    size_t whole = (size_t)point;
    if (n <= whole) {
        at += num_copy(out, digits, n);
        return at + num_fill(out + at, '0', whole - n);
    }
    at += num_copy(out, digits, whole);
    out[at++] = '.';
    return at + num_copy(out + at, digits + whole, n - whole);
}

static size_t num_layout(const char *digits, size_t n, int point, char *out)
{
    int exponent = point - 1; /* of d1.d2...dn */
    if (exponent >= -5 && exponent < 17)
        return num_layout_fixed(digits, n, point, out);
    size_t at = num_copy(out, digits, 1);
    if (n > 1) {
        out[at++] = '.';
        at += num_copy(out + at, digits + 1, n - 1);
    }
    out[at++] = 'e';
    out[at++] = exponent < 0 ? '-' : '+';
    return at + num_print_unsigned((uint64_t)abs(exponent), out + at);
}

/* Digits behind the point, by exact integer arithmetic (the free-format method of Steele and White). Everything is counted in
 * quarters of the last binary place, 2^shift of which are one; a decimal reads back as the number when it is no further away than
 * half the gap to the next double, so digits are made until what is left is within it. The gap below a power of two is half as
 * wide. Of each width of integer one: the narrow one has room for numbers from 2^-6 on and is the faster. */
#define NUM_FRACTION(name, uint)                                                                                                 \
    static size_t name(uint rest, int shift, bool is_power, unsigned closed, char *out)                                          \
    {                                                                                                                            \
        uint one = (uint)1 << shift, above = 2, below = is_power ? 1 : 2;                                                        \
        for (size_t n = 0;;) {                                                                                                   \
            rest *= 10;                                                                                                          \
            above *= 10;                                                                                                         \
            below *= 10;                                                                                                         \
            unsigned digit = (unsigned)(rest >> shift);                                                                          \
            rest &= one - 1;                                                                                                     \
            bool down = rest < below + closed; /* this digit reads back, and so does the next one */                             \
            bool up = rest + above + closed > one;                                                                               \
            bool upper_half = rest * 2 + digit % 2 > one; /* in the middle the even digit */                                     \
            if (up && (!down || upper_half))                                                                                     \
                digit++; /* at most 9: else the digit before would have been the last */                                         \
            out[n++] = (char)('0' + digit);                                                                                      \
            if (down || up)                                                                                                      \
                return n;                                                                                                        \
        }                                                                                                                        \
    }
NUM_FRACTION(num_fraction_narrow, uint64_t)
NUM_FRACTION(num_fraction_wide, unsigned __int128)

/* 1e-5 <= v < 2^53, as the numbers of maps are. */
static size_t num_print_fixed(double v, char *out)
{
    enum { NARROW = 60 }; /* ten times 2^60, and a little, are below 2^64 */
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 1ULL << 52;
    int shift = 1075 + 2 - (int)(bits >> 52); /* v is mantissa * 4 / 2^shift; 2 <= shift <= 71 */
    bool is_power = mantissa == 1ULL << 52;
    unsigned closed = mantissa % 2 == 0; /* ties are read as the even neighbour */
    uint64_t quarters = mantissa << 2, whole = shift < 64 ? quarters >> shift : 0;
    uint64_t rest = shift < 64 ? quarters & ((1ULL << shift) - 1) : quarters;
    size_t n = num_print_unsigned(whole, out);
    if (rest == 0)
        return n;
    out[n++] = '.';
    return n + (shift <= NARROW ? num_fraction_narrow(rest, shift, is_power, closed, out + n)
                                : num_fraction_wide(rest, shift, is_power, closed, out + n));
}

/* All others, by the C library: the fewest significant digits that read back. 15 are safe for normal numbers, fewer for
 * subnormal ones. Some powers of two get one digit more than they need. */
static size_t num_print_digits(double v, char *out)
{
    char text[NUM_DOUBLE_SIZE], digits[17];
    int n = v < DBL_MIN ? 1 : DBL_DIG;
    do
        snprintf(text, sizeof text, "%.*e", n - 1, v); /* d.ddde-xx */
    while (strtod(text, NULL) != v && n++ < 17);
    int exponent = atoi(strchr(text, 'e') + 1);
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, (size_t)n - 1);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return num_layout(digits, (size_t)n, exponent + 1, out);
}

size_t num_print_double(double v, char out[NUM_DOUBLE_SIZE])
{
    if (!isfinite(v))
        return num_copy(out, "null", 4);
    if (v == 0)
        return num_copy(out, "0", 1); /* also for -0 */
    size_t sign = v < 0;
    out[0] = '-';
    v = fabs(v);
    return sign + (v >= 1e-5 && v < INTEGER_EXACT ? num_print_fixed(v, out + sign) : num_print_digits(v, out + sign));
}

static bool num_is_digit(str s, size_t at) { return at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; }

bool num_parse_int(str s, int64_t *out)
{
    size_t at = s.n > 0 && s.p[0] == '-';
    bool negative = at == 1;
    int64_t v = 0; /* collected below zero, where there is one number more */
    if (at == s.n)
        return false;
    for (; at < s.n; at++) {
        if (!num_is_digit(s, at) || __builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[at] - '0', &v))
            return false;
    }
    if (!negative && v == INT64_MIN)
        return false;
    *out = negative ? v : -v;
    return true;
}

/* What the grammar finds: the digits as an integer (when there are at most 19) and the power of ten that they are scaled by. */
struct num_parts {
    bool negative;
    uint64_t mantissa;
    size_t digits;
    int64_t exponent;
};

static size_t num_scan_digits(str s, size_t at, struct num_parts *parts)
{
    for (; num_is_digit(s, at); at++) {
        if (parts->mantissa || s.p[at] != '0')
            parts->digits++;
        if (parts->digits <= 19)
            parts->mantissa = parts->mantissa * 10 + (uint64_t)(s.p[at] - '0');
    }
    return at;
}

/* The number of RFC 8259: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool num_scan(str s, struct num_parts *parts)
{
    size_t at = s.n > 0 && s.p[0] == '-';
    parts->negative = at == 1;
    size_t from = at;
    at = num_scan_digits(s, at, parts);
    if (at == from || (s.p[from] == '0' && at - from > 1))
        return false;
    if (at < s.n && s.p[at] == '.') {
        from = ++at;
        at = num_scan_digits(s, at, parts);
        if (at == from)
            return false;
        parts->exponent = -(int64_t)(at - from);
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        int64_t exponent = 0;
        bool minus = ++at < s.n && s.p[at] == '-';
        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        from = at;
        for (; num_is_digit(s, at); at++)
            exponent = exponent < 100000 ? exponent * 10 + (s.p[at] - '0') : exponent;
        if (at == from)
            return false;
        parts->exponent += minus ? -exponent : exponent;
    }
    return at == s.n;
}

/* strtod wants a NUL. */
static double num_strtod(str s)
{
    char small[64];
    char *text = s.n < sizeof small ? small : mem_resize(NULL, s.n + 1);
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    double v = strtod(text, NULL);
    if (text != small)
        mem_free(text);
    return v;
}

bool num_parse_double(str s, double *out)
{
    struct num_parts parts = {0};
    double v;
    if (!num_scan(s, &parts))
        return false;
    if (parts.digits <= 19 && parts.mantissa < (uint64_t)INTEGER_EXACT && parts.exponent >= -POWERS_EXACT &&
        parts.exponent <= POWERS_EXACT) { /* both factors are exact: one correct rounding */
        v = (double)parts.mantissa;
        v = parts.exponent < 0 ? v / num_powers[-parts.exponent] : v * num_powers[parts.exponent];
        v = parts.negative ? -v : v;
    } else {
        v = num_strtod(s);
    }
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}

bool num_parse_bool(str s, bool *out)
{
    static const struct {
        str text;
        bool value;
    } words[] = {{STR("true"), true}, {STR("1"), true}, {STR("false"), false}, {STR("0"), false}};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_ieq(s, words[i].text)) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

void num_hex_print(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
}

static int num_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool num_hex_parse(str hex, uint8_t *out, size_t n)
{
    if (hex.n / 2 != n || hex.n % 2 != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = num_hex_digit(hex.p[2 * i]), low = num_hex_digit(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
