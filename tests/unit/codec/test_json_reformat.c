/* Reformatting: the layout, and that nothing but white space changes. */
#include "codec/json/json.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static struct ctx ctx;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    out = BUF_INIT(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&out);
    ctx_close(&ctx);
    return 0;
}

static str reformat(str text, bool pretty)
{
    buf_clear(&out);
    assert_int_equal(json_reformat(&ctx, text, pretty, &out), RC_OK);
    return arena_str(ctx.arena, buf_str(&out));
}

static const struct {
    str text, compact, pretty;
} rows[] = {
    {STR(" 1 "), STR("1"), STR("1")},
    {STR("\n\"a b\""), STR("\"a b\""), STR("\"a b\"")},
    {STR("[ ]"), STR("[]"), STR("[]")},
    {STR("{\n}"), STR("{}"), STR("{}")},
    {STR("[ [ ] , { } ]"), STR("[[],{}]"), STR("[\n  [],\n  {}\n]")},
    {STR("[1,[2,[]],3]"), STR("[1,[2,[]],3]"), STR("[\n  1,\n  [\n    2,\n    []\n  ],\n  3\n]")},
    {STR("{\"a\" : 1.50 ,\"b\":[true , null],\"c\":{\"d\":{}}}"), STR("{\"a\":1.50,\"b\":[true,null],\"c\":{\"d\":{}}}"),
     STR("{\n  \"a\": 1.50,\n  \"b\": [\n    true,\n    null\n  ],\n  \"c\": {\n    \"d\": {}\n  }\n}")},
    {STR("{\"\\\"}, \\\\\": \"[ : , ] \\\\\\\"\" , \"x\":-1E+05}"), STR("{\"\\\"}, \\\\\":\"[ : , ] \\\\\\\"\",\"x\":-1E+05}"),
     STR("{\n  \"\\\"}, \\\\\": \"[ : , ] \\\\\\\"\",\n  \"x\": -1E+05\n}")},
};

static void test_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int pretty = 0; pretty <= 1; pretty++) {
            str expected = pretty ? rows[i].pretty : rows[i].compact, made = reformat(rows[i].text, pretty);
            if (!str_eq(made, expected))
                fail_msg("%.*s\ninstead of\n%.*s", STR_FMT(made), STR_FMT(expected));
        }
        assert_true(str_eq(reformat(rows[i].pretty, false), rows[i].compact));
        assert_true(str_eq(reformat(rows[i].compact, true), rows[i].pretty));
        assert_true(str_eq(reformat(rows[i].pretty, true), rows[i].pretty));
    }
}

/* The writer and the reformatter have one idea of "pretty". */
static void test_same_as_writer(void **state)
{
    (void)state;
    for (int pretty = 0; pretty <= 1; pretty++) {
        struct buf written = BUF_INIT(4096);
        struct json_out o;
        json_out_buf(&o, &ctx, &written);
        o.pretty = pretty;
        json_begin_object(&o);
        json_member_int(&o, "a", 1);
        json_name(&o, "b");
        json_begin_array(&o);
        json_begin_object(&o);
        json_end_object(&o);
        json_put_str(&o, STR("x, y"));
        json_begin_array(&o);
        json_end_array(&o);
        json_end_array(&o);
        json_end_object(&o);
        assert_int_equal(json_out_end(&o, "text"), RC_OK);
        assert_true(str_eq(reformat(buf_str(&written), pretty), buf_str(&written)));
        assert_true(str_eq(reformat(reformat(buf_str(&written), !pretty), pretty), buf_str(&written)));
        buf_free(&written);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    assert_int_equal(json_reformat(&ctx, STR("[1,]"), true, &out), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    assert_int_equal(out.n, 0);
    err_clear(&ctx);
    out.max = 10;
    assert_int_equal(json_reformat(&ctx, STR("[1,2,3,4,5]"), false, &out), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
}

static void test_keeps_arena(void **state)
{
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    buf_add_char(&text, '[');
    for (int i = 0; i < 100000; i++)
        buf_add(&text, STR("1,"));
    buf_add(&text, STR("1]"));
    size_t before = arena_size(ctx.arena);
    assert_int_equal(json_reformat(&ctx, buf_str(&text), false, &out), RC_OK);
    assert_int_equal(arena_size(ctx.arena), before);
    assert_true(str_eq(buf_str(&out), buf_str(&text)));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layout, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_as_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keeps_arena, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
