/* Slices. */
#include "base/str.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define ASSERT_STR(s, literal) assert_true(str_eq((s), STR(literal)))

static void test_compare(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR(""), STR_NONE) == 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0); /* bytes are unsigned */
    assert_true(str_cmp(STR("a\0b"), STR("a\0c")) < 0);
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_none(STR_NONE));
    assert_false(str_none(STR("")));
    assert_false(str_eq(STR("a"), STR("A")));
    assert_true(str_ieq(STR("aZ[1"), STR("Az[1")));
    assert_false(str_ieq(STR("@"), STR("`"))); /* the neighbours of the letters have no case */
    assert_false(str_ieq(STR("["), STR("{")));
    assert_false(str_ieq(STR("\xc4"), STR("\xe4"))); /* ASCII only */
    assert_false(str_ieq(STR("a"), STR("ab")));
}

static void test_prefix_and_suffix(void **state)
{
    (void)state;
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_true(str_starts(STR_NONE, STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_false(str_starts(STR("ABC"), STR("ab")));
    assert_true(str_istarts(STR("ABC"), STR("ab")));
    assert_false(str_istarts(STR("A"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends(STR("abc"), STR("")));
    assert_false(str_ends(STR("c"), STR("bc")));
    assert_false(str_ends(STR("abc"), STR("ab")));
}

static void test_find(void **state)
{
    (void)state;
    str s = STR("abcabc");
    assert_int_equal(str_find(s, STR("bc"), 0), 1);
    assert_int_equal(str_find(s, STR("bc"), 2), 4);
    assert_int_equal(str_find(s, STR("bc"), 5), SIZE_MAX);
    assert_int_equal(str_find(s, STR("bc"), 100), SIZE_MAX);
    assert_int_equal(str_find(s, STR(""), 6), 6);
    assert_int_equal(str_find(s, STR(""), 7), SIZE_MAX);
    assert_int_equal(str_find(s, STR("abcabcd"), 0), SIZE_MAX);
    assert_int_equal(str_find(STR_NONE, STR("a"), 0), SIZE_MAX);
    assert_int_equal(str_ifind(s, STR("BC"), 2), 4);
    assert_int_equal(str_ifind(s, STR("BCX"), 0), SIZE_MAX);
    assert_int_equal(str_ifind(s, STR("c"), 9), SIZE_MAX);
    assert_int_equal(str_find_char(s, 'c', 3), 5);
    assert_int_equal(str_find_char(s, 'x', 0), SIZE_MAX);
    assert_int_equal(str_find_char(s, 'a', 6), SIZE_MAX);
    assert_int_equal(str_find_char(STR("a\0b"), 0, 0), 1);
}

static void test_cut(void **state)
{
    (void)state;
    ASSERT_STR(str_sub(STR("abcdef"), 1, 3), "bc");
    ASSERT_STR(str_sub(STR("abc"), 1, SIZE_MAX), "bc");
    ASSERT_STR(str_sub(STR("abc"), 5, 9), "");
    ASSERT_STR(str_sub(STR("abc"), 2, 1), "");
    assert_true(str_none(str_sub(STR_NONE, 1, 2)));
    ASSERT_STR(str_trim(STR(" \t\r\n\v\fa b\n ")), "a b");
    ASSERT_STR(str_trim(STR("  ")), "");
    ASSERT_STR(str_trim(STR("\xc2\xa0")), "\xc2\xa0"); /* ASCII white space only */
    ASSERT_STR(str_trim(STR_NONE), "");
}

static void test_split(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *pieces; /* joined by '|', each followed by one */
    } rows[] = {{"a,,b", "a||b|"}, {"", ""}, {"a", "a|"}, {",", "|"}, {",a", "|a|"}, {"a,", "a|"}, {"a,,", "a||"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str rest = str_c(rows[i].text), piece;
        char joined[32] = "";
        while (str_split(&rest, ',', &piece)) {
            strncat(joined, piece.p, piece.n);
            strcat(joined, "|");
        }
        assert_string_equal(joined, rows[i].pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare), cmocka_unit_test(test_prefix_and_suffix),
        cmocka_unit_test(test_find),    cmocka_unit_test(test_cut),
        cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
