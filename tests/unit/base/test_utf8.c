/* UTF-8, hostile sequences, folding. */
#include "base/utf8.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* The table of well-formed byte sequences of the Unicode standard (3-7), as an independent description. */
static int well_formed(const uint8_t *p, int n)
{
    static const struct {
        uint8_t low[4], high[4];
        int n;
    } rows[] = {
        {{0x00}, {0x7F}, 1},
        {{0xC2, 0x80}, {0xDF, 0xBF}, 2},
        {{0xE0, 0xA0, 0x80}, {0xE0, 0xBF, 0xBF}, 3},
        {{0xE1, 0x80, 0x80}, {0xEC, 0xBF, 0xBF}, 3},
        {{0xED, 0x80, 0x80}, {0xED, 0x9F, 0xBF}, 3},
        {{0xEE, 0x80, 0x80}, {0xEF, 0xBF, 0xBF}, 3},
        {{0xF0, 0x90, 0x80, 0x80}, {0xF0, 0xBF, 0xBF, 0xBF}, 4},
        {{0xF1, 0x80, 0x80, 0x80}, {0xF3, 0xBF, 0xBF, 0xBF}, 4},
        {{0xF4, 0x80, 0x80, 0x80}, {0xF4, 0x8F, 0xBF, 0xBF}, 4},
    };
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        bool fits = rows[r].n <= n;
        for (int i = 0; fits && i < rows[r].n; i++)
            fits = p[i] >= rows[r].low[i] && p[i] <= rows[r].high[i];
        if (fits)
            return rows[r].n;
    }
    return 0;
}

/* Every first three bytes, and a fourth from the borders. */
static void test_every_sequence(void **state)
{
    (void)state;
    static const uint8_t fourth[] = {0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    static const uint8_t third[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (unsigned first_two = 0; first_two < 0x10000; first_two++) {
        for (size_t k = 0; k < COUNT_OF(third) * COUNT_OF(fourth); k++) {
            uint8_t p[4] = {(uint8_t)(first_two >> 8), (uint8_t)first_two, third[k / COUNT_OF(fourth)],
                            fourth[k % COUNT_OF(fourth)]};
            for (int n = k == 0 ? 1 : 4; n <= 4; n++) {
                int length = well_formed(p, n);
                size_t pos = 0;
                int32_t cp = utf8_next(str_of(p, (size_t)n), &pos);
                if ((cp >= 0) != (length > 0) || pos != (size_t)(length ? length : 1))
                    fail_msg("%02x %02x %02x %02x (%d) gave %d, %zu", p[0], p[1], p[2], p[3], n, cp, pos);
            }
        }
    }
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char out[4];
        size_t pos = 0, n = utf8_encode(cp, out);
        bool surrogate = cp >= 0xD800 && cp <= 0xDFFF;
        int32_t back = utf8_next(str_of(out, n), &pos);
        if (surrogate ? back != -1 : back != (int32_t)cp || pos != n)
            fail_msg("U+%04X came back as %d", cp, back);
    }
}

static void test_valid(void **state)
{
    (void)state;
    static const struct {
        str s;
        bool valid;
    } rows[] = {
        {STR(""), true},
        {STR("plain"), true},
        {STR("M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x8c\x8d"), true},
        {STR("\xf4\x8f\xbf\xbf"), true},
        {STR("a\0b"), false},
        {STR("\xc0\x80"), false}, /* overlong NUL */
        {STR("\xc0\xaf"), false}, /* overlong '/' */
        {STR("\xe0\x80\xaf"), false},
        {STR("\xf0\x80\x80\xaf"), false},
        {STR("\xed\xa0\x80"), false}, /* surrogates, also as a pair */
        {STR("\xed\xa0\xbd\xed\xb8\x80"), false},
        {STR("\xf4\x90\x80\x80"), false}, /* beyond U+10FFFF */
        {STR("\xf8\x88\x80\x80\x80"), false},
        {STR("\x80"), false},
        {STR("a\xc3"), false},
        {STR("\xc3"
             "a"),
         false},
        {STR("\xe2\x82"), false},
        {STR("\xf0\x9f\x8c"), false},
        {STR("\xfe\xff"), false},
        {STR("x\xbf"), false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (utf8_valid(rows[i].s) != rows[i].valid)
            fail_msg("row %zu", i);
    assert_true(utf8_valid(STR_NONE));
    assert_false(utf8_valid(str_of("\xe2\x82\xac", 2))); /* the third byte is behind the slice */
    assert_int_equal(utf8_length(STR("M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x8c\x8d")), 11);
    assert_int_equal(utf8_length(STR_NONE), 0);
}

static void test_next_resynchronizes(void **state)
{
    (void)state;
    str s = STR("a\xff\xe2\x82x\xc3\xa4");
    static const int32_t expected[] = {'a', -1, -1, -1, 'x', 0xE4, -1};
    size_t pos = 0;
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_int_equal(utf8_next(s, &pos), expected[i]);
    assert_int_equal(pos, s.n);
}

static void test_fold(void **state)
{
    (void)state;
    struct arena *a = arena_open();
    static const struct {
        const char *text, *folded;
    } rows[] = {
        {"", ""},
        {"ABCxyz [@`{ 019", "abcxyz [@`{ 019"},
        {"ÄÖÜ ÀÉÎÕÝÞ ×÷", "äöü àéîõýþ ×÷"},
        {"Straße ẞ", "straße ß"},
        {"ŁÓDŹ Ÿ ſ Ĳ", "łódź ÿ s ĳ"},
        {"Ǆ ǅ Ȁ Ⱥ Ȿ Ạ Ỿ", "ǆ ǆ ȁ ⱥ ȿ ạ ỿ"},
        {"ΑΘΉΝΑΣ ας Ὀδυσσεύς", "αθήνασ ασ ὀδυσσεύσ"},
        {"МОСКВА Ёлка Ѝ Ӏ Ԯ Ꙁ", "москва ёлка ѝ ӏ ԯ ꙁ"},
        {"ԵՐԵՒԱՆ Ֆ", "երեւան ֆ"},
        {"ႠჅ Ა", "ⴀⴥ ა"},
        {"ＡＢＣ 東京 ١٢٣ 🌍 İ", "ＡＢＣ 東京 ١٢٣ 🌍 İ"}, /* fullwidth, scripts without case, what has no simple folding */
        {"K Ω Å", "k ω å"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(utf8_fold(a, str_c(rows[i].text)).p, rows[i].folded);
    assert_true(str_eq(utf8_fold(a, STR("A\xff"
                                        "B\xc3")),
                       STR("a\xff"
                           "b\xc3"))); /* malformed bytes stay */
    assert_int_equal(utf8_fold(a, STR_NONE).n, 0);
    arena_close(a);
}

/* Folding is stable, and never longer than the room that is made for it. */
static void test_fold_every_code_point(void **state)
{
    (void)state;
    struct arena *a = arena_open();
    struct arena_mark mark = arena_mark(a);
    size_t changed = 0;
    for (uint32_t cp = 1; cp <= 0x10FFFF; cp++) {
        char text[4 * 8];
        size_t n = 0;
        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        for (int i = 0; i < 8; i++)
            n += utf8_encode(cp, text + n);
        str once = utf8_fold(a, str_of(text, n)), twice = utf8_fold(a, once);
        if (!str_eq(once, twice) || !utf8_valid(once) || utf8_length(once) != 8 || once.n > n + n / 2)
            fail_msg("U+%04X", cp);
        changed += !str_eq(once, str_of(text, n));
        arena_release(a, mark);
    }
    assert_int_equal(changed, 26 + 902); /* ASCII and what CaseFolding.txt of Unicode 14 has for the five scripts */
    arena_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sequence), cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_valid),          cmocka_unit_test(test_next_resynchronizes),
        cmocka_unit_test(test_fold),           cmocka_unit_test(test_fold_every_code_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
