/* Which texts are JSON, and what is said about those that are not. */
#include "codec/json/json.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static int setup(void **state)
{
    static struct ctx ctx;
    ctx_open(&ctx);
    *state = &ctx;
    return 0;
}

static int teardown(void **state)
{
    ctx_close(*state);
    return 0;
}

/* A copy that ends where its memory ends: the sanitizer sees every byte read beyond. */
static str exact(struct ctx *ctx, str s)
{
    char *p = arena_alloc(ctx->arena, s.n);
    if (s.n)
        memcpy(p, s.p, s.n);
    return str_of(p, s.n);
}

static bool accepted(struct ctx *ctx, str text)
{
    struct json root;
    bool valid = json_try_parse(ctx->arena, exact(ctx, text), &root);
    assert_int_equal(valid, !json_absent(root));
    int rc = json_parse(ctx, exact(ctx, text), &root);
    assert_int_equal(valid, rc == RC_OK);
    assert_int_equal(valid, !json_absent(root));
    assert_int_equal(!valid, err_is(ctx, &ERR_INVALID));
    err_clear(ctx);
    return valid;
}

static const str good[] = {
    STR("null"),
    STR("true"),
    STR("false"),
    STR("0"),
    STR("-0"),
    STR("-0.0"),
    STR("1"),
    STR("-1"),
    STR("12345678"),
    STR("123456789"),
    STR("1234567890123456789012345678901234567890"),
    STR("0.5"),
    STR("12.50"),
    STR("0.000000000000000000000000000000000000001"),
    STR("1e0"),
    STR("1E5"),
    STR("1e+5"),
    STR("1e-5"),
    STR("1.25E-05"),
    STR("0e1"),
    STR("0.0e+00"),
    STR("1e99999"),
    STR("-1e-99999"),
    STR("123.456e789"),
    STR("\"\""),
    STR("\"a\""),
    STR("\"0123456\""),
    STR("\"01234567\""),
    STR("\"012345678901234567890\""),
    STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    STR("\"\\u0000\""),
    STR("\"\\u00e9\\u00E9\""),
    STR("\"\\ud83d\\ude00\""),
    STR("\"\\ud83d\""),
    STR("\"\\ude00\""),
    STR("\"\\ude00\\ud83d\""),
    STR("\"\x7F\""),
    STR("\"\xC3\xA9\""),
    STR("\"\xC2\x80\xDF\xBF\""),
    STR("\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\""),
    STR("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""),
    STR("\"a\xE2\x82\xAC longer than eight bytes \xE2\x82\xAC\""),
    STR("\"\xEF\xBB\xBF\""), /* a byte order mark inside a string is a character */
    STR("\"\xE2\x80\xA8\""), /* U+2028 */
    STR("\"// no /* comment */\""),
    STR("[]"),
    STR("[ ]"),
    STR("[1]"),
    STR("[1,2,3]"),
    STR("[[],[[]],{}]"),
    STR("[null,true,false,\"\",0,{},[]]"),
    STR("{}"),
    STR("{ }"),
    STR("{\"a\":1}"),
    STR("{\"\":0}"),
    STR("{\"a\":1,\"a\":2}"),
    STR("{\"a\":{\"b\":{\"c\":[]}}}"),
    STR("{\"\\u0061\":1}"),
    STR(" \t\r\n1 \t\r\n"),
    STR("\n{\r\n\t\"a\" : [ 1 , 2 ]\r\n}\n"),
};

static const str bad[] = {
    STR(""),
    STR(" "),
    STR("\n\n"),
    STR("\0"),
    STR("1\0"),
    STR("\0001"),
    STR("nul"),
    STR("nulL"),
    STR("NULL"),
    STR("nullx"),
    STR("tru"),
    STR("True"),
    STR("fals"),
    STR("undefined"),
    STR("NaN"),
    STR("Infinity"),
    STR("-Infinity"),
    STR("-"),
    STR("+1"),
    STR("--1"),
    STR("- 1"),
    STR("00"),
    STR("01"),
    STR("-01"),
    STR("0123456789"),
    STR("1."),
    STR(".5"),
    STR("-.5"),
    STR("1.e5"),
    STR("1e"),
    STR("1e+"),
    STR("1E-"),
    STR("1e5.0"),
    STR("1.2.3"),
    STR("0x10"),
    STR("1_000"),
    STR("1a"),
    STR("12345678a"),
    STR("1 2"),
    STR("\xEF\xBC\x91"), /* a full-width digit one */
    STR("\""),
    STR("\"a"),
    STR("\"0123456789"),
    STR("'a'"),
    STR("a"),
    STR("\"a\"b"),
    STR("\"\\"),
    STR("\"\\\""),
    STR("\"\\a\""),
    STR("\"\\x41\""),
    STR("\"\\U0041\""),
    STR("\"\\0\""),
    STR("\"\\\0\""),
    STR("\"\\'\""),
    STR("\"\\u"),
    STR("\"\\u004\""),
    STR("\"\\u00g0\""),
    STR("\"\\u 041\""),
    STR("\"\\u+041\""),
    STR("\"\t\""),
    STR("\"\n\""),
    STR("\"\r\""),
    STR("\"\x1F\""),
    STR("\"\0\""),
    STR("\"0123456\n89\""),
    STR("\"\x80\""),
    STR("\"\xBF\""),
    STR("\"\xC0\x80\""), /* overlong NUL */
    STR("\"\xC1\xBF\""),
    STR("\"\xC3\""),
    STR("\"\xC3"),
    STR("\"\xC3\x28\""),
    STR("\"\xE0\x80\x80\""),
    STR("\"\xE0\x9F\xBF\""),
    STR("\"\xE2\x82\""),
    STR("\"\xE2\x82"),
    STR("\"\xED\xA0\x80\""), /* a surrogate */
    STR("\"\xED\xBF\xBF\""),
    STR("\"\xF0\x80\x80\x80\""),
    STR("\"\xF0\x8F\xBF\xBF\""),
    STR("\"\xF0\x9F\x98\""),
    STR("\"\xF4\x90\x80\x80\""),
    STR("\"\xF5\x80\x80\x80\""),
    STR("\"\xF8\x88\x80\x80\x80\""),
    STR("\"\xFF\""),
    STR("\"\xE9\""),       /* Latin-1 */
    STR("\xEF\xBB\xBF{}"), /* byte order mark */
    STR("\xFF\xFE{\0}\0"), /* UTF-16 */
    STR("\xC2\xA0"
        "1"), /* no-break space is no white space */
    STR("\f1"),
    STR("\v1"),
    STR("["),
    STR("]"),
    STR("[[]"),
    STR("[]]"),
    STR("[1"),
    STR("[1,"),
    STR("[1,]"),
    STR("[,1]"),
    STR("[,]"),
    STR("[1,,2]"),
    STR("[1 2]"),
    STR("[1;2]"),
    STR("[1}"),
    STR("[\"a\":1]"),
    STR("[1:2]"),
    STR("{"),
    STR("}"),
    STR("{]"),
    STR("[}"),
    STR("{1}"),
    STR("{1:2}"),
    STR("{a:1}"),
    STR("{'a':1}"),
    STR("{null:1}"),
    STR("{\"a\""),
    STR("{\"a\":"),
    STR("{\"a\":1"),
    STR("{\"a\":1,"),
    STR("{\"a\"}"),
    STR("{\"a\":}"),
    STR("{\"a\",1}"),
    STR("{\"a\" 1}"),
    STR("{\"a\"::1}"),
    STR("{\"a\":1,}"),
    STR("{,\"a\":1}"),
    STR("{,}"),
    STR("{\"a\":1,,\"b\":2}"),
    STR("{\"a\":1 \"b\":2}"),
    STR("{\"a\":1]"),
    STR("{\"a\":[1}]"),
    STR("{[]:1}"),
    STR("{}{}"),
    STR("[1],[2]"),
    STR("{} // comment"),
    STR("/* comment */ 1"),
    STR("# 1"),
    STR("{\"a\":1}\0"),
};

static void test_accepts(void **state)
{
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!accepted(*state, good[i]))
            fail_msg("refused: %.*s", STR_FMT(good[i]));
}

static void test_rejects(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (accepted(*state, bad[i]))
            fail_msg("accepted (row %zu): %.*s", i, STR_FMT(bad[i]));
}

/* A bad byte at every place of the eight-byte steps is found where it is, and a good text of every length is read. */
static void test_every_alignment(void **state)
{
    struct ctx *ctx = *state;
    for (size_t n = 0; n < 40; n++) {
        char text[48];
        memset(text, 'x', sizeof text);
        text[0] = text[n + 1] = '"';
        assert_true(accepted(ctx, str_of(text, n + 2)));
        memset(text, '7', sizeof text);
        assert_true(accepted(ctx, str_of(text, n + 1)));
        for (size_t at = 0; at < n; at++) {
            memset(text, 'x', sizeof text);
            text[0] = text[n + 1] = '"';
            text[at + 1] = '\x1F';
            assert_false(accepted(ctx, str_of(text, n + 2)));
            memset(text, '7', sizeof text);
            text[at + 1] = ':';
            assert_false(accepted(ctx, str_of(text, n + 2)));
            text[at + 1] = '/';
            assert_false(accepted(ctx, str_of(text, n + 2)));
            text[at + 1] = '7' ^ '\x80';
            assert_false(accepted(ctx, str_of(text, n + 2)));
        }
    }
}

/* No beginning of a valid text is valid. */
static void test_truncated(void **state)
{
    str text = STR("{\"name\":\"\xE2\x82\xAC\\u20ac\",\"list\":[1,-2.5e+10,true,false,null,{\"x\":[]}],\"end\":\"0123456789\"}");
    assert_true(accepted(*state, text));
    for (size_t n = 0; n < text.n; n++)
        assert_false(accepted(*state, str_sub(text, 0, n)));
}

static str nested(struct ctx *ctx, size_t depth, const char *open, const char *inside, const char *close)
{
    struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < depth; i++)
        buf_add(&b, str_c(open));
    buf_add(&b, str_c(inside));
    for (size_t i = 0; i < depth; i++)
        buf_add(&b, str_c(close));
    str text = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return text;
}

static void test_depth(void **state)
{
    struct ctx *ctx = *state;
    assert_true(accepted(ctx, nested(ctx, JSON_DEPTH_MAX, "[", "", "]")));
    assert_true(accepted(ctx, nested(ctx, JSON_DEPTH_MAX, "{\"a\":", "1", "}")));
    assert_true(accepted(ctx, nested(ctx, JSON_DEPTH_MAX / 2, "[{\"a\":", "[]", "}]")) == false);
    assert_false(accepted(ctx, nested(ctx, JSON_DEPTH_MAX + 1, "[", "", "]")));
    assert_false(accepted(ctx, nested(ctx, JSON_DEPTH_MAX + 1, "{\"a\":", "1", "}")));
    assert_false(json_too_deep(nested(ctx, JSON_DEPTH_MAX, "[", "", "]")));
    assert_true(json_too_deep(nested(ctx, JSON_DEPTH_MAX + 1, "[", "", "]")));
    assert_true(
        json_too_deep(nested(ctx, 10000, " {\"\\\"}\":", "", ""))); /* brackets in strings do not count, an end need not come */
    assert_false(json_too_deep(nested(ctx, 10000, "[]", "", "")));
    assert_false(json_too_deep(nested(ctx, 10000, "x[", "", "]")));
    assert_false(json_too_deep(STR("")));
    assert_false(accepted(ctx, nested(ctx, 10000, "[", "", "]")));
    assert_false(accepted(ctx, nested(ctx, 10000, "[", "", "")));
    assert_false(accepted(ctx, nested(ctx, 10000, "{\"a\":", "1", "}")));
    /* siblings do not add up */
    assert_true(accepted(ctx, STR("[[[]],[[]],{\"a\":[]},{\"a\":{}}]")));
    struct json root;
    assert_int_equal(json_parse(ctx, nested(ctx, 10000, "[", "", "]"), &root), RC_FAIL);
    assert_non_null(strstr(err_text(ctx), "column 513"));
    assert_non_null(strstr(err_text(ctx), "512"));
}

static void test_error_place(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"", "line 1, column 1: expected a value, found the end of the text"},
        {"[1,\n 2,\n x]", "line 3, column 2: expected a value"},
        {"[1 2]", "line 1, column 4: expected ',' or ']'"},
        {"{\"a\":1;}", "line 1, column 7: expected ',' or '}'"},
        {"{\"a\":1,}", "line 1, column 8: expected a member name"},
        {"{a:1}", "line 1, column 2: expected a member name or '}'"},
        {"{\"a\" 1}", "line 1, column 6: expected ':'"},
        {"[1.x]", "line 1, column 4: expected a digit"},
        {"[\"\\q\"]", "line 1, column 4: expected an escape"},
        {"[\"\\u12\"]", "line 1, column 7: expected four hexadecimal digits"},
        {"[\"\xE2\x82\xAC\xE2\x82\xAC\", ?]", "line 1, column 8: expected a value"},
        {"\r\n\r\n[\"\xC0\"]", "line 3, column 3: expected valid UTF-8"},
        {"[\"a\nb\"]", "line 1, column 4: expected an escape instead of a control character"},
        {"\"abc", "line 1, column 5: expected the end of a string, found the end of the text"},
        {"1 1", "line 1, column 3: expected the end of the text"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json root;
        assert_int_equal(json_parse(ctx, str_c(rows[i].text), &root), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        if (!strstr(err_text(ctx), rows[i].place))
            fail_msg("%s: %s instead of %s", rows[i].text, err_text(ctx), rows[i].place);
        err_clear(ctx);
    }
}

static void test_too_long(void **state)
{
    struct ctx *ctx = *state;
    struct json root;
    str text = str_of("1", (size_t)INT32_MAX + 1); /* never read */
    assert_int_equal(json_parse(ctx, text, &root), RC_FAIL);
    assert_true(err_is(ctx, &ERR_LIMIT));
    assert_false(json_try_parse(ctx->arena, text, &root));
    assert_true(json_absent(root));
}

/* Failed attempts leave nothing in the arena, and a dense text grows the tape beyond its first estimate. */
static void test_memory(void **state)
{
    struct ctx *ctx = *state;
    struct json root;
    str bad_text = nested(ctx, 100000, "[],", "", "");
    size_t before = arena_size(ctx->arena);
    for (int i = 0; i < 100; i++)
        assert_false(json_try_parse(ctx->arena, bad_text, &root));
    assert_true(arena_size(ctx->arena) <= before + 512 * 1024);
    str dense = nested(ctx, 1, "[", nested(ctx, 50000, "[],", "[]", "").p, "]");
    assert_int_equal(json_parse(ctx, dense, &root), RC_OK);
    assert_int_equal(json_count(root), 50001);
    assert_int_equal(json_offset(json_at(root, 50000)), dense.n - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accepts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rejects, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_alignment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
