/* Numbers: exact text in both directions. */
#include "base/num.h"
#include "base/cleanup.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char *print(double v)
{
    static char text[NUM_DOUBLE_SIZE + 1];
    text[num_print_double(v, text)] = 0;
    return text;
}

static void test_print_int(void **state)
{
    (void)state;
    static const int64_t rows[] = {0, 1, -1, 9, 10, -10, 99, 100, 1234567890, INT32_MIN, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[NUM_INT_SIZE], expected[NUM_INT_SIZE];
        size_t n = num_print_int(rows[i], out);
        assert_int_equal(n, snprintf(expected, sizeof expected, "%lld", (long long)rows[i]));
        assert_memory_equal(out, expected, n);
        int64_t back;
        assert_true(num_parse_int(str_of(out, n), &back));
        assert_int_equal(back, rows[i]);
    }
}

static void test_parse_int_refuses(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "-",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1.0",
                                       "1e3",
                                       "0x10",
                                       "--1",
                                       "-+1",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "99999999999999999999999",
                                       "1\t",
                                       "\xd9\xa1",
                                       "1_000"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t v = 5;
        assert_false(num_parse_int(str_c(rows[i]), &v));
        assert_int_equal(v, 5);
    }
    int64_t v;
    assert_false(num_parse_int(STR("1\0"), &v));
    assert_false(num_parse_int(STR_NONE, &v));
    assert_true(num_parse_int(STR("-0"), &v) && v == 0);
    assert_true(num_parse_int(STR("007"), &v) && v == 7);
}

static void test_print_double_spelling(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-3.5, "-3.5"},
        {12, "12"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {100, "100"},
        {1e5, "100000"},
        {123456.789, "123456.789"},
        {-122.4194155, "-122.4194155"},
        {-13627665.271218073, "-13627665.271218073"},
        {20037508.342789244, "20037508.342789244"},
        {1.0 / 3, "0.3333333333333333"},
        {1e-5, "0.00001"},
        {1.25e-5, "0.0000125"},
        {9.99e-6, "9.99e-6"},
        {1e-7, "1e-7"},
        {-2.5e-10, "-2.5e-10"},
        {9007199254740991, "9007199254740991"},
        {9007199254740992, "9007199254740992"},
        {9007199254740994, "9007199254740994"},
        {1e16, "10000000000000000"},
        {12345678901234568, "12345678901234568"},
        {9.9999999999999984e16, "99999999999999980"},
        {1e17, "1e+17"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {1e-310, "1e-310"},
        {1.7976931348623155e+308, "1.7976931348623155e+308"},
        {DBL_EPSILON, "2.220446049250313e-16"},
        {2251799813685248.5, "2251799813685248.5"},
        {0.5, "0.5"},
        {1043817272770583.75, "1043817272770583.8"}, /* between .7 and .8: the even one */
        {0x1p-16, "0.0000152587890625"},
        {0x1p-15, "0.000030517578125"},

        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(print(rows[i].v), rows[i].text);
}

/* A fixed sequence (splitmix64), so that a failure comes again. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static void check_round_trip(double v)
{
    char text[NUM_DOUBLE_SIZE + 1];
    size_t n = num_print_double(v, text);
    double back;
    assert_true(n < sizeof text);
    text[n] = 0;
    if (strtod(text, NULL) != v)
        fail_msg("%a was printed as %s", v, text);
    if (!num_parse_double(str_of(text, n), &back) || back != v)
        fail_msg("%s was read as %a", text, back);
}

static void test_round_trip_of_a_million(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 500000; i++) { /* any bits: every magnitude */
        uint64_t bits = next_random(&seed);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            check_round_trip(v);
    }
    for (int i = 0; i < 250000; i++) /* coordinates in metres with all their bits */
        check_round_trip(((double)(next_random(&seed) >> 11) * 0x1p-53 - 0.5) * 40075016.68557849);
    for (int i = 0; i < 250000; i++) { /* decimals as people write them: they come back with no digit more */
        int64_t whole = (int64_t)(next_random(&seed) % 360000000000) - 180000000000;
        int decimals = (int)(next_random(&seed) % 10);
        char text[40];
        snprintf(text, sizeof text, "%.*f", decimals, (double)whole / pow(10, decimals));
        double v = strtod(text, NULL);
        check_round_trip(v);
        assert_true(strlen(print(v)) <= strlen(text));
    }
}

/* The fewest digits of all decimals that read back, found by trying. Powers of two have a gap below that is half as wide. */
static void test_shortest(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = -1074; i < 20000; i++) {
        double v;
        uint64_t bits = next_random(&seed);
        memcpy(&v, &bits, sizeof v);
        v = i < 1024 ? ldexp(1, i) : fabs(v);
        if (!isfinite(v))
            continue;
        char shortest[40];
        int digits = 1;
        do
            snprintf(shortest, sizeof shortest, "%.*e", digits - 1, v);
        while (strtod(shortest, NULL) != v && ++digits < 17);
        int printed = 0, zeros = 0; /* digits between the first and the last that are not 0 */
        for (const char *p = print(v); *p && *p != 'e'; p++) {
            if (*p == '0')
                zeros += printed > 0;
            else if (*p != '.') {
                printed += zeros + 1;
                zeros = 0;
            }
        }
        assert_true(printed <= digits);
    }
}

static void test_parse_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double v;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"1.5", 1.5},
        {"-12.25e1", -122.5},
        {"1E+2", 100},
        {"1e-2", 0.01},
        {"0.000", 0},
        {"0e999999999999", 0},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"8.5e-23", 8.5e-23},
        {"9007199254740993", 9007199254740992},
        {"9007199254740993.0000000000000000000000000000000000000000000000000001", 9007199254740994},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"4.9e-324", 5e-324},
        {"1e-400", 0},
        {"1.7976931348623157e308", DBL_MAX},
        {"0.00000000000000000000000000000000000000000000000000000000000000000001e70", 100},
        {"1844674407370955161600", 1844674407370955161600.0},
        {"18446744073709551616.5", 18446744073709551616.0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double v = -1;
        if (!num_parse_double(str_c(rows[i].text), &v) || v != rows[i].v)
            fail_msg("%s was read as %.17g", rows[i].text, v);
    }
    double v;
    assert_true(num_parse_double(str_of("1.2599", 4), &v) && v == 1.25); /* nothing behind the slice is read */
    assert_true(num_parse_double(STR("-0"), &v) && signbit(v));
}

static void test_parse_double_refuses(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",    "-",     "+1",  ".5",    "5.",   "1.e1", "1e",  "1e+",      "1e-",   "01",
        "-01", "00",    "1 ",  " 1",    "0x10", "inf",  "nan", "Infinity", "1e309", "-1e999999999999999999",
        "1,5", "1.2.3", "--1", "1e1.5", "1f",   "1e5e5"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double v = 5;
        if (num_parse_double(str_c(rows[i]), &v))
            fail_msg("\"%s\" was read as %g", rows[i], v);
        assert_true(v == 5);
    }
    double v;
    assert_false(num_parse_double(STR_NONE, &v));
    assert_false(num_parse_double(STR("1\0"), &v));
}

static void test_parse_double_long(void **state)
{
    (void)state;
    enum { DIGITS = 5000 };
    static char text[DIGITS + 8];
    memset(text, '3', DIGITS);
    double v;
    assert_false(num_parse_double(str_of(text, DIGITS), &v)); /* 10^5000 */
    memcpy(text + DIGITS, "e-5000", 6);
    assert_true(num_parse_double(str_of(text, DIGITS + 6), &v));
    assert_true(v == 1.0 / 3);
}

static void test_bool_and_hex(void **state)
{
    (void)state;
    bool b = false;
    assert_true(num_parse_bool(STR("TRUE"), &b) && b);
    assert_true(num_parse_bool(STR("0"), &b) && !b);
    assert_true(num_parse_bool(STR("1"), &b) && b);
    assert_true(num_parse_bool(STR("False"), &b) && !b);
    assert_false(num_parse_bool(STR(""), &b));
    assert_false(num_parse_bool(STR("yes"), &b));
    assert_false(num_parse_bool(STR("true "), &b));
    uint8_t bytes[3];
    char text[6];
    assert_true(num_hex_parse(STR("00fFA9"), bytes, 3));
    num_hex_print(bytes, 3, text);
    assert_memory_equal(text, "00ffa9", 6);
    assert_false(num_hex_parse(STR("00fFA"), bytes, 3));
    assert_false(num_hex_parse(STR("00fFA9a"), bytes, 3));
    assert_false(num_hex_parse(STR("00fFAg"), bytes, 3));
    for (int c = 0; c < 256; c++) { /* what is a digit */
        char two[2] = {'0', (char)c};
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_int_equal(num_hex_parse(str_of(two, 2), bytes, 1), digit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_int),
        cmocka_unit_test(test_parse_int_refuses),
        cmocka_unit_test(test_print_double_spelling),
        cmocka_unit_test(test_round_trip_of_a_million),
        cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_parse_double),
        cmocka_unit_test(test_parse_double_refuses),
        cmocka_unit_test(test_parse_double_long),
        cmocka_unit_test(test_bool_and_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
