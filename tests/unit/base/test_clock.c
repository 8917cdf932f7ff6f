/* The calendar and ISO 8601 text. */
#include "base/clock.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_known_moments(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {1706745599123, "2024-01-31T23:59:59.123Z"},
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"}, /* 2100 is no leap year */
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {-2208988800000, "1900-01-01T00:00:00.000Z"},
        {-11644473600000, "1601-01-01T00:00:00.000Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[CLOCK_ISO_SIZE];
        int64_t ms = 1;
        assert_true(clock_iso_print(rows[i].ms, text));
        assert_string_equal(text, rows[i].text);
        assert_true(clock_iso_parse(str_c(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
}

/* Counts the days of 1200 years one by one beside the formula. */
static void test_every_day(void **state)
{
    (void)state;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t ms = -62167219200000 - 400LL * 146097 * 86400000 / 400; /* 0000-01-01 less 146097 days: -0400-01-01 */
    for (int year = -400; year < 800; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int last = days[month - 1] + (leap && month == 2);
            for (int day = 1; day <= last; day++, ms += 86400000) {
                struct clock_parts p = clock_parts_of(ms + 86399999);
                if (p.year != year || p.month != month || p.day != day)
                    fail_msg("%d-%d-%d came back as %d-%d-%d", year, month, day, p.year, p.month, p.day);
                assert_int_equal(p.hour * 10000000 + p.minute * 100000 + p.second * 1000 + p.millisecond, 235959999);
                assert_int_equal(clock_ms_of(&p), ms + 86399999);
            }
        }
    }
}

static void test_parts_carry_over(void **state)
{
    (void)state;
    int64_t expected;
    assert_true(clock_iso_parse(STR("2024-03-01"), &expected));
    assert_int_equal(clock_ms_of(&(struct clock_parts){.year = 2023, .month = 15, .day = 1}), expected);
    assert_int_equal(clock_ms_of(&(struct clock_parts){.year = 2024, .month = 2, .day = 30}), expected);
    assert_int_equal(clock_ms_of(&(struct clock_parts){.year = 2024, .month = 3, .day = 2, .hour = -24}), expected);
    assert_int_equal(clock_ms_of(&(struct clock_parts){.year = 2025, .month = -9, .day = 1}), expected);
}

static void test_ends_of_time(void **state)
{
    (void)state;
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct clock_parts p = clock_parts_of(ends[i]);
        assert_true(p.month >= 1 && p.month <= 12 && p.day >= 1 && p.day <= 31);
        assert_int_equal(p.year < 0, ends[i] < 0);
    }
    struct clock_parts last = clock_parts_of(INT64_MAX);
    assert_int_equal(clock_ms_of(&last), INT64_MAX);
    assert_int_equal(clock_ms_of(&(struct clock_parts){.year = INT32_MAX, .month = 1, .day = 1}), INT64_MAX);
    assert_int_equal(clock_ms_of(&(struct clock_parts){.year = INT32_MIN, .month = 1, .day = 1}), INT64_MIN);
    char text[CLOCK_ISO_SIZE] = "x";
    assert_false(clock_iso_print(253402300800000, text)); /* year 10000 */
    assert_string_equal(text, "");
    assert_false(clock_iso_print(-62167219200001, text)); /* year -1 */
}

static void test_parse_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *same;
    } rows[] = {
        {"2024-01-31", "2024-01-31T00:00:00.000Z"},
        {"2024-01-31T10:20", "2024-01-31T10:20:00.000Z"},
        {"2024-01-31 10:20:30", "2024-01-31T10:20:30.000Z"},
        {"2024-01-31T10:20:30.5", "2024-01-31T10:20:30.500Z"},
        {"2024-01-31T10:20:30.12", "2024-01-31T10:20:30.120Z"},
        {"2024-01-31T10:20:30.1239999999999999999999Z", "2024-01-31T10:20:30.123Z"},
        {"2024-01-31T10:20:30+02:00", "2024-01-31T08:20:30.000Z"},
        {"2024-01-01T00:20:30.25+05:45", "2023-12-31T18:35:30.250Z"},
        {"2024-12-31T23:59:59-00:01", "2025-01-01T00:00:59.000Z"},
        {"2024-01-31 10:20-03:30", "2024-01-31T13:50:00.000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = 0;
        char text[CLOCK_ISO_SIZE];
        assert_true(clock_iso_parse(str_c(rows[i].text), &ms));
        assert_true(clock_iso_print(ms, text));
        assert_string_equal(text, rows[i].same);
    }
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "2024",
        "2024-01",
        "2024-1-31",
        "2024-00-01",
        "2024-13-01",
        "2024-01-00",
        "2024-01-32",
        "2023-02-29",
        "1900-02-29",
        "2024-02-30",
        "2024-04-31",
        "24-01-31",
        "02024-01-31",
        "-2024-01-31",
        "+2024-01-31",
        " 2024-01-31",
        "2024-01-31 ",
        "2024-01-31T",
        "2024-01-31T10",
        "2024-01-31T24:00",
        "2024-01-31T10:60",
        "2024-01-31T10:20:60",
        "2024-01-31T10:20:",
        "2024-01-31T10:20:30.",
        "2024-01-31T10:20:30.Z",
        "2024-01-31T10:20:30,5",
        "2024-01-31T10:20:30X",
        "2024-01-31T10:20:30ZZ",
        "2024-01-31T10:20:30+",
        "2024-01-31T10:20:30+02",
        "2024-01-31T10:20:30+0200",
        "2024-01-31T10:20:30+24:00",
        "2024-01-31T10:20:30+02:60",
        "2024-01-31T10:20:30Z+02:00",
        "2024-01-31Z",
        "2024-01-31x10:20",
        "2024/01/31",
        "2O24-01-31",
        "2024-01-31T1:20",
        "2024-01-31T-1:20",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = 77;
        if (clock_iso_parse(str_c(rows[i]), &ms))
            fail_msg("\"%s\" was taken for %lld", rows[i], (long long)ms);
        assert_int_equal(ms, 77);
    }
    int64_t ms;
    for (size_t n = 0; n < 24; n++) { /* no read behind the slice: nothing but a prefix that is a form is taken */
        bool form = n == 10 || n == 16 || n == 19 || n >= 21;
        assert_int_equal(clock_iso_parse(str_of("2024-01-31T23:59:59.123Z", n), &ms), form);
    }
}

static void test_clocks(void **state)
{
    (void)state;
    struct clock_fixed fixed = clock_fixed_at(1234);
    assert_int_equal(fixed.base.now_ms(&fixed.base), 1234);
    fixed.now += 5;
    assert_int_equal(fixed.base.monotonic_ms(&fixed.base), 1239);
    assert_true(clock_system.now_ms(&clock_system) > 1700000000000);
    int64_t before = clock_system.monotonic_ms(&clock_system);
    assert_true(clock_system.monotonic_ms(&clock_system) >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_moments), cmocka_unit_test(test_every_day),   cmocka_unit_test(test_parts_carry_over),
        cmocka_unit_test(test_ends_of_time),  cmocka_unit_test(test_parse_forms), cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
