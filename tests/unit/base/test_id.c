/* Identifiers. */
#include "base/id.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_new_ids(void **state)
{
    (void)state;
    id ids[200];
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = id_new();
        assert_int_equal(strlen(ids[i].text), ID_SIZE);
        assert_int_equal(strspn(ids[i].text, "0123456789abcdef"), ID_SIZE);
        for (size_t k = 0; k < i; k++)
            assert_false(id_eq(ids[i], ids[k]));
    }
}

static void test_parse_ids(void **state)
{
    (void)state;
    id a;
    assert_true(id_parse(STR("0123456789ABCDEFabcdef0123456789"), &a));
    assert_string_equal(a.text, "0123456789abcdefabcdef0123456789");
    assert_false(id_none(a));
    assert_true(str_eq(id_str(&a), STR("0123456789abcdefabcdef0123456789")));
    static const char *const bad[] = {"",
                                      "0123456789abcdef0123456789abcde",
                                      "0123456789abcdef0123456789abcdef0",
                                      "0123456789abcdef0123456789abcdeg",
                                      "0123456789abcdef-123456789abcdef",
                                      "{0123456789abcdef0123456789abcd}",
                                      " 123456789abcdef0123456789abcdef"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(id_parse(str_c(bad[i]), &a));
        assert_true(id_none(a));
        assert_true(id_eq(a, ID_NONE));
    }
}

static void test_guids(void **state)
{
    (void)state;
    char a[GUID_SIZE + 1], b[GUID_SIZE + 1];
    guid_new(a);
    guid_new(b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), GUID_SIZE);
    assert_int_equal(a[15], '4'); /* version */
    assert_non_null(strchr("89AB", a[20]));
    assert_true(guid_parse(str_c(a), b));
    assert_string_equal(a, b);
    assert_true(guid_parse(STR("{01234567-89ab-CDEF-0123-456789abcdef}"), b));
    assert_string_equal(b, "{01234567-89AB-CDEF-0123-456789ABCDEF}");
    assert_true(guid_parse(STR("01234567-89ab-cdef-0123-456789abcdef"), b));
    assert_string_equal(b, "{01234567-89AB-CDEF-0123-456789ABCDEF}");
}

static void test_guids_in_time(void **state)
{
    (void)state;
    char a[GUID_SIZE + 1], b[GUID_SIZE + 1], c[GUID_SIZE + 1], read[GUID_SIZE + 1];
    guid_new_at(0x0123456789AB, a);
    guid_new_at(0x0123456789AB, b);
    guid_new_at(0x0123456789AC, c);
    assert_memory_equal(a, "{01234567-89AB-7", 16);
    assert_string_not_equal(a, b);
    assert_true(strcmp(a, c) < 0 && strcmp(b, c) < 0);
    assert_non_null(strchr("89AB", a[20]));
    assert_true(guid_parse(str_c(a), read));
    assert_string_equal(read, a);
}

static void test_guids_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "{01234567-89AB-CDEF-0123-456789ABCDEF",
        "01234567-89AB-CDEF-0123-456789ABCDEF}",
        "(01234567-89AB-CDEF-0123-456789ABCDEF)",
        "{01234567-89AB-CDEF-0123-456789ABCDEG}",
        "{01234567-89AB-CDEF-01234-56789ABCDEF}",
        "0123456789ABCDEF0123456789ABCDEF",
        "{01234567x89AB-CDEF-0123-456789ABCDEF}",
        "{{1234567-89AB-CDEF-0123-456789ABCDEF}",
        "01234567-89AB-CDEF-0123-456789ABCDE",
        "01234567-89AB-CDEF-0123-456789ABCDEF0",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char out[GUID_SIZE + 1] = "x";
        assert_false(guid_parse(str_c(bad[i]), out));
        assert_string_equal(out, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_ids),       cmocka_unit_test(test_parse_ids),     cmocka_unit_test(test_guids),
        cmocka_unit_test(test_guids_in_time), cmocka_unit_test(test_guids_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
