/* Reading values: types, members, elements, strings, numbers. */
#include "codec/json/json.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static struct ctx ctx;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

static struct json parse(str text)
{
    struct json root;
    assert_int_equal(json_parse(&ctx, text, &root), RC_OK);
    return root;
}

#define assert_str(actual, expected)                                                                                             \
    do {                                                                                                                         \
        str actual_ = (actual), expected_ = (expected);                                                                          \
        if (!str_eq(actual_, expected_))                                                                                         \
            fail_msg("\"%.*s\" instead of \"%.*s\"", STR_FMT(actual_), STR_FMT(expected_));                                      \
    } while (0)

static void test_types(void **state)
{
    (void)state;
    struct json list = parse(STR("[null,false,true,0,-1,9.5,\"\",[],{}]"));
    static const enum json_type types[] = {JSON_NULL,   JSON_FALSE,  JSON_TRUE,  JSON_NUMBER, JSON_NUMBER,
                                           JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT};
    assert_int_equal(json_type(list), JSON_ARRAY);
    assert_int_equal(json_count(list), COUNT_OF(types));
    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_int_equal(json_type(json_at(list, i)), types[i]);
    assert_true(json_absent(json_at(list, COUNT_OF(types))));
    assert_true(json_absent(json_at(list, SIZE_MAX)));
}

static void test_absent(void **state)
{
    (void)state;
    struct json none = JSON_ABSENT, value;
    int64_t i = 7;
    double d = 7;
    assert_true(json_absent(none));
    assert_int_equal(json_type(none), JSON_NONE);
    assert_int_equal(json_count(none), 0);
    assert_true(json_absent(json_get_c(none, "a")));
    assert_true(json_absent(json_get_c(json_get_c(none, "a"), "b")));
    assert_true(json_absent(json_at(none, 0)));
    struct json_iter it = json_each(none);
    assert_false(json_next(&it, NULL, &value));
    assert_true(str_none(json_string(none, ctx.arena)));
    assert_str(json_string_or(none, ctx.arena, STR("x")), STR("x"));
    assert_false(json_string_eq(none, STR("")));
    assert_false(json_int(none, &i));
    assert_false(json_double(none, &d));
    assert_int_equal(i, 7);
    assert_true(d == 7);
    assert_true(json_bool(none, true));
    assert_false(json_bool(none, false));
    assert_true(str_none(json_raw(none)));
    assert_true(str_none(json_text(none)));
    assert_int_equal(json_offset(none), 0);
    assert_true(str_none(json_pointer(none, ctx.arena)));
    assert_true(json_absent(json_at_pointer(none, STR("/a"))));
}

static void test_members(void **state)
{
    (void)state;
    str text = STR(" {\"a\":1, \"b\":{\"a\":[2,{\"c\":3}],\"z\":0}, \"\\u0063\":\"x\", \"a\":\"last\", \"\":true, \"ab\":null}");
    struct json root = parse(text);
    assert_int_equal(json_count(root), 6);
    assert_str(json_string(json_get_c(root, "a"), ctx.arena), STR("last"));
    assert_str(json_raw(json_get_c(root, "b")), STR("{\"a\":[2,{\"c\":3}],\"z\":0}"));
    assert_int_equal(json_offset(json_get_c(root, "b")), str_find(text, STR("{\"a\":[2"), 0));
    assert_str(json_raw(json_get_c(json_at(json_get_c(json_get_c(root, "b"), "a"), 1), "c")), STR("3"));
    assert_str(json_string(json_get_c(root, "c"), ctx.arena), STR("x"));
    assert_true(json_is(json_get_c(root, ""), JSON_TRUE));
    assert_true(json_is(json_get(root, STR_NONE), JSON_TRUE));
    assert_true(json_absent(json_get_c(root, "A")));
    assert_true(json_absent(json_get_c(root, "z")));
    assert_true(json_absent(json_get_c(json_get_c(json_get_c(root, "b"), "a"), "c"))); /* an array has no members */
    assert_str(json_raw(json_at(root, 2)), STR("\"x\""));
    assert_ptr_equal(json_text(json_get_c(root, "b")).p, text.p);
    assert_int_equal(json_text(root).n, text.n);
    assert_str(json_raw(root), str_sub(text, 1, text.n));
}

static void test_iterator(void **state)
{
    (void)state;
    struct json root = parse(STR("{\"a\":[1,[2,[3]],{}],\"b\":{},\"c\":[]}")), name, value;
    struct json_iter it = json_each(root);
    static const str expected[][2] = {
        {STR("\"a\""), STR("[1,[2,[3]],{}]")}, {STR("\"b\""), STR("{}")}, {STR("\"c\""), STR("[]")}};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_true(json_next(&it, &name, &value));
        assert_str(json_raw(name), expected[i][0]);
        assert_str(json_raw(value), expected[i][1]);
    }
    assert_false(json_next(&it, &name, &value));
    it = json_each(json_get_c(root, "a"));
    assert_true(json_next(&it, &name, &value));
    assert_true(json_absent(name));
    assert_true(json_next(&it, NULL, &value));
    assert_str(json_raw(value), STR("[2,[3]]"));
    assert_true(json_next(&it, NULL, &value));
    assert_str(json_raw(value), STR("{}"));
    assert_false(json_next(&it, NULL, &value));
    static const char *empty[] = {"b", "c"};
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        it = json_each(json_get_c(root, empty[i]));
        assert_false(json_next(&it, NULL, &value));
        assert_int_equal(json_count(json_get_c(root, empty[i])), 0);
    }
    it = json_each(parse(STR("\"scalar\"")));
    assert_false(json_next(&it, NULL, &value));
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        str json, decoded;
    } rows[] = {
        {STR("\"\""), STR("")},
        {STR("\"plain\""), STR("plain")},
        {STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR("\"\\/\b\f\n\r\t")},
        {STR("\"a\\u0041b\""), STR("aAb")},
        {STR("\"\\u0000\""), STR("\0")},
        {STR("\"\\u007f\\u0080\""), STR("\x7F\xC2\x80")},
        {STR("\"\\u07FF\\u0800\\uffff\""), STR("\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF")},
        {STR("\"\\uD83D\\uDE00\""), STR("\xF0\x9F\x98\x80")},
        {STR("\"\\ud800\\udc00\\udbff\\udfff\""), STR("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")},
        {STR("\"\\ud83d\""), STR("\xEF\xBF\xBD")},
        {STR("\"\\ude00\""), STR("\xEF\xBF\xBD")},
        {STR("\"\\ud83dx\""), STR("\xEF\xBF\xBDx")},
        {STR("\"\\ud83d\\n\""), STR("\xEF\xBF\xBD\n")},
        {STR("\"\\ud83d\\u0041\""), STR("\xEF\xBF\xBD"
                                        "A")},
        {STR("\"\\ud83d\\ud83d\\ude00\""), STR("\xEF\xBF\xBD\xF0\x9F\x98\x80")},
        {STR("\"\\ude00\\ude01\""), STR("\xEF\xBF\xBD\xEF\xBF\xBD")},
        {STR("\"\\ude00\\ud83d\""), STR("\xEF\xBF\xBD\xEF\xBF\xBD")},
        {STR("\"\xE2\x82\xAC\\t\xE2\x82\xAC\""), STR("\xE2\x82\xAC\t\xE2\x82\xAC")},
        {STR("\"C:\\\\temp\\\\\""), STR("C:\\temp\\")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json v = parse(rows[i].json);
        str s = json_string(v, ctx.arena);
        assert_false(str_none(s));
        assert_str(s, rows[i].decoded);
        assert_str(json_string_or(v, ctx.arena, STR("otherwise")), rows[i].decoded);
        assert_true(json_string_eq(v, rows[i].decoded));
        assert_false(json_string_eq(v, arena_printf(ctx.arena, "%.*s?", STR_FMT(rows[i].decoded))));
        assert_false(rows[i].decoded.n > 0 && json_string_eq(v, str_sub(rows[i].decoded, 0, rows[i].decoded.n - 1)));
    }
    struct json number = parse(STR("12"));
    assert_true(str_none(json_string(number, ctx.arena)));
    assert_str(json_string_or(number, ctx.arena, STR("otherwise")), STR("otherwise"));
    assert_false(json_string_eq(number, STR("12")));
    str text = STR("[\"in place\"]");
    assert_ptr_equal(json_string(json_at(parse(text), 0), ctx.arena).p, text.p + 2);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t value;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"-0.0e5", 0},
        {"12", 12},
        {"12.0", 12},
        {"12.000000000000000000000000000", 12},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"-1.5e1", -15},
        {"1.50e2", 150},
        {"1200e-2", 12},
        {"0.00012e5", 12},
        {"0e99999999999999999999", 0},
        {"0.000e-99999999999999999999", 0},
        {"9007199254740993", 9007199254740993}, /* 2^53 + 1: no double */
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"-9223372036854775808.0", INT64_MIN},
        {"922337203685477580700e-2", INT64_MAX},
        {"9.223372036854775807e18", INT64_MAX},
        {"1e18", 1000000000000000000},
        {"1706745599123", 1706745599123},
    };
    static const char *no_integers[] = {"0.5",
                                        "12.01",
                                        "1e-1",
                                        "15e-2",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "9223372036854775807.5",
                                        "1e19",
                                        "-1e19",
                                        "1e9999",
                                        "1e-9999",
                                        "1e99999999999999999999",
                                        "1e-99999999999999999999",
                                        "123456789012345678901234567890",
                                        "\"12\"",
                                        "true",
                                        "null",
                                        "[1]",
                                        "18446744073709551616",
                                        "18446744073709551617"};
    int64_t value;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!json_int(parse(str_c(rows[i].json)), &value))
            fail_msg("no integer: %s", rows[i].json);
        assert_true(value == rows[i].value);
    }
    for (size_t i = 0; i < COUNT_OF(no_integers); i++)
        if (json_int(parse(str_c(no_integers[i])), &value))
            fail_msg("an integer: %s", no_integers[i]);
}

static void test_doubles_and_bools(void **state)
{
    (void)state;
    double d = 0;
    assert_true(json_double(parse(STR("-12.25e1")), &d));
    assert_true(d == -122.5);
    assert_true(json_double(parse(STR("0.1")), &d));
    assert_true(d == 0.1);
    assert_true(json_double(parse(STR("9007199254740993")), &d));
    assert_true(d == 9007199254740992.0);
    assert_false(json_double(parse(STR("1e400")), &d));
    assert_false(json_double(parse(STR("\"1\"")), &d));
    assert_true(json_bool(parse(STR("true")), false));
    assert_false(json_bool(parse(STR("false")), true));
    assert_true(json_bool(parse(STR("1")), true));
    assert_false(json_bool(parse(STR("\"true\"")), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_iterator, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_integers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_doubles_and_bools, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
