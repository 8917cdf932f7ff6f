/* JSON pointers, both ways. */
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

static struct json parse(const char *text)
{
    struct json root;
    assert_int_equal(json_parse(&ctx, str_c(text), &root), RC_OK);
    return root;
}

/* The document and the pointers of RFC 6901, section 5, and more of the kind. */
static const char document[] =
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,"
    "\" \":7,\"m~n\":8,\"~1\":9,\"\\u002f~\":10,\"\xE2\x82\xAC/\\u20ac\":11,\"deep\":[{\"x\":[[],[{\"y~/\":12}]]}]}";
static const struct {
    const char *pointer, *raw;
} rows[] = {
    {"/foo", "[\"bar\",\"baz\"]"},
    {"/foo/0", "\"bar\""},
    {"/foo/1", "\"baz\""},
    {"/", "0"},
    {"/a~1b", "1"},
    {"/c%d", "2"},
    {"/e^f", "3"},
    {"/g|h", "4"},
    {"/i\\j", "5"},
    {"/k\"l", "6"},
    {"/ ", "7"},
    {"/m~0n", "8"},
    {"/~01", "9"},
    {"/~1~0", "10"},
    {"/\xE2\x82\xAC~1\xE2\x82\xAC", "11"},
    {"/deep/0/x/0", "[]"},
    {"/deep/0/x/1/0/y~0~1", "12"},
};

static void test_both_ways(void **state)
{
    (void)state;
    struct json root = parse(document);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json v = json_at_pointer(root, str_c(rows[i].pointer));
        if (!str_eq(json_raw(v), str_c(rows[i].raw)))
            fail_msg("%s gives %.*s", rows[i].pointer, STR_FMT(json_raw(v)));
        str back = json_pointer(v, ctx.arena);
        if (!str_eq(back, str_c(rows[i].pointer)))
            fail_msg("%s comes back as %.*s", rows[i].pointer, STR_FMT(back));
    }
    assert_int_equal(json_at_pointer(root, STR("")).node, root.node);
    assert_false(str_none(json_pointer(root, ctx.arena)));
    assert_int_equal(json_pointer(root, ctx.arena).n, 0);
}

static void test_nothing_there(void **state)
{
    (void)state;
    static const char *pointers[] = {"foo",
                                     "/fo",
                                     "/fooo",
                                     "/foo/2",
                                     "/foo/-",
                                     "/foo/00",
                                     "/foo/01",
                                     "/foo/+1",
                                     "/foo/ 1",
                                     "/foo/",
                                     "/foo/a",
                                     "/foo/0/0",
                                     "//",
                                     "/m~n",
                                     "/m~2n",
                                     "/m~",
                                     "/~",
                                     "/a/b",
                                     "/k\\\"l",
                                     "/foo/18446744073709551616",
                                     "/foo/4294967296",
                                     "/foo/99999999999999999999999999",
                                     "/m~0",
                                     "/m~0nn"};
    struct json root = parse(document);
    for (size_t i = 0; i < COUNT_OF(pointers); i++)
        if (!json_absent(json_at_pointer(root, str_c(pointers[i]))))
            fail_msg("something at %s", pointers[i]);
    assert_true(json_absent(json_at_pointer(parse("1"), STR("/0"))));
    assert_true(json_absent(json_at_pointer(parse("{\"m2n\":1}"), STR("/m~2n"))));
    assert_true(json_absent(json_at_pointer(parse("[]"), STR("/0"))));
}

static void test_numbers_as_names(void **state)
{
    (void)state;
    struct json root = parse("{\"0\":\"zero\",\"01\":\"one\",\"-\":\"minus\"}");
    assert_true(json_string_eq(json_at_pointer(root, STR("/0")), STR("zero")));
    assert_true(json_string_eq(json_at_pointer(root, STR("/01")), STR("one")));
    assert_true(json_string_eq(json_at_pointer(root, STR("/-")), STR("minus")));
}

static void test_duplicates(void **state)
{
    (void)state;
    struct json root = parse("{\"a\":1,\"x~\":2,\"a\":{\"b\":3},\"x~\":4}");
    assert_true(str_eq(json_raw(json_at_pointer(root, STR("/a/b"))), STR("3")));
    assert_true(str_eq(json_raw(json_at_pointer(root, STR("/x~0"))), STR("4")));
    assert_true(str_eq(json_pointer(json_at(root, 0), ctx.arena), STR("/a")));
}

static void test_name_nodes(void **state)
{
    (void)state;
    struct json root = parse("{\"a\":{},\"b\":[{\"c/d\":1,\"e\":2}]}"), name, value;
    struct json_iter it = json_each(json_at_pointer(root, STR("/b/0")));
    assert_true(json_next(&it, &name, &value));
    assert_true(str_eq(json_pointer(name, ctx.arena), STR("/b/0/c~1d")));
    assert_true(json_next(&it, &name, &value));
    assert_true(str_eq(json_pointer(name, ctx.arena), STR("/b/0/e")));
}

/* A pointer of only tildes in the deepest text is longer than the text and is given whole. */
static void test_long_pointer(void **state)
{
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add(&text, i % 2 ? STR("[0,") : STR("{\"~~~~~~~~~~\":"));
    buf_add(&text, STR("7"));
    for (int i = JSON_DEPTH_MAX; i-- > 0;)
        buf_add_char(&text, i % 2 ? ']' : '}');
    struct json root = parse(text.p), v = root;
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        v = json_at(v, i % 2 ? 1 : 0);
    str pointer = json_pointer(v, ctx.arena);
    assert_int_equal(pointer.n, JSON_DEPTH_MAX / 2 * (21 + 2));
    assert_true(str_eq(json_raw(json_at_pointer(root, pointer)), STR("7")));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_as_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_duplicates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_pointer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
