/* codec/form: the fields of a body, whole and cut at every place, and every limit at its edge. */
#include "codec/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct ctx ctx;

static int open_ctx(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int close_ctx(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

/* The fields as "name=value;" so that two forms compare as text. */
static const char *shown(const struct form *f)
{
    str all = STR("");
    for (size_t i = 0; i < f->count; i++)
        all = arena_printf(ctx.arena, "%.*s%.*s=%.*s;", STR_FMT(all), STR_FMT(f->fields[i].name), STR_FMT(f->fields[i].value));
    return all.p;
}

static const struct {
    str text;
    const char *fields;
} rows[] = {
    {STR(""), ""},
    {STR("&&&"), ""},
    {STR("a"), "a=;"},
    {STR("a="), "a=;"},
    {STR("=b"), "=b;"},
    {STR("a=b=c"), "a=b=c;"},
    {STR("a=1&a=2&b=3"), "a=1;a=2;b=3;"},
    {STR("&a=1&&b=2&"), "a=1;b=2;"},
    {STR("f=json&q=tags:x+AND+owner%3Ame&t=%F0%9F%98%80+100%"), "f=json;q=tags:x AND owner:me;t=\xF0\x9F\x98\x80 100%;"},
    {STR("where=NAME%20LIKE%20'a%25'&x=%2"), "where=NAME LIKE 'a%';x=%2;"},
    {STR("a=1;b=2"), "a=1;b=2;"}, /* one field: ';' does not separate */
};

static void whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct form f = FORM_INIT(100, 1000, 1000);
        assert_int_equal(form_parse(&ctx, &f, rows[i].text), RC_OK);
        assert_string_equal(shown(&f), rows[i].fields);
    }
}

static void cut_at_every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct form expected = FORM_INIT(100, 1000, 1000);
        assert_int_equal(form_parse(&ctx, &expected, rows[i].text), RC_OK);
        for (size_t cut = 0; cut <= rows[i].text.n + 1; cut++) {
            struct form f = FORM_INIT(100, 1000, 1000);
            struct form_reader r;
            form_reader_open(&r, &f);
            if (cut <= rows[i].text.n) {
                assert_int_equal(form_push(&ctx, &r, str_sub(rows[i].text, 0, cut)), RC_OK);
                assert_int_equal(form_push(&ctx, &r, str_sub(rows[i].text, cut, rows[i].text.n)), RC_OK);
            } else {
                for (size_t k = 0; k < rows[i].text.n; k++)
                    assert_int_equal(form_push(&ctx, &r, str_sub(rows[i].text, k, k + 1)), RC_OK);
            }
            assert_int_equal(form_finish(&ctx, &r), RC_OK);
            form_reader_close(&r);
            assert_string_equal(shown(&f), shown(&expected));
            assert_int_equal(f.bytes, expected.bytes);
        }
    }
}

static void names_are_decoded_after_the_cut_at_equals(void **state)
{
    (void)state;
    struct form f = FORM_INIT(10, 100, 100);
    assert_int_equal(form_parse(&ctx, &f, STR("na+me%3D=v%26w")), RC_OK);
    assert_int_equal(f.count, 1);
    assert_true(str_eq(f.fields[0].name, STR("na me=")));
    assert_true(str_eq(f.fields[0].value, STR("v&w")));
}

static void values_are_found(void **state)
{
    (void)state;
    struct form f = FORM_INIT(10, 100, 100);
    assert_int_equal(form_parse(&ctx, &f, STR("a=1&b=&a=2")), RC_OK);
    assert_true(str_eq(form_get(&f, STR("a")), STR("1")));
    assert_true(!str_none(form_get(&f, STR("b"))) && form_get(&f, STR("b")).n == 0);
    assert_true(str_none(form_get(&f, STR("A"))));
    assert_int_equal(form_get(&f, STR("a")).p[1], 0);
}

/* Runs the text through both doors; both must say the same. */
static int rc_of(struct form_limits limits, str text)
{
    struct form f = {.limits = limits}, g = f;
    int rc = form_parse(&ctx, &f, text);
    bool limit = err_is(&ctx, &ERR_LIMIT);
    err_clear(&ctx);
    struct form_reader r;
    form_reader_open(&r, &g);
    int pushed = RC_OK;
    for (size_t i = 0; i < text.n && pushed == RC_OK; i++)
        pushed = form_push(&ctx, &r, str_sub(text, i, i + 1));
    if (pushed == RC_OK)
        pushed = form_finish(&ctx, &r);
    form_reader_close(&r);
    assert_int_equal(rc, pushed);
    assert_int_equal(err_is(&ctx, &ERR_LIMIT), limit);
    return rc;
}

static void limits_hold(void **state)
{
    (void)state;
    static const struct {
        struct form_limits limits;
        str fits, too_much;
    } edges[] = {
        {{2, 100, 100}, STR("a=1&b=2"), STR("a=1&b=2&c=3")},          {{9, 4, 100}, STR("ab=12"), STR("ab=123")},
        {{9, 4, 100}, STR("%41%42=%43%44"), STR("%41%42=%43%44%45")}, {{9, 4, 100}, STR("abcd"), STR("abcde")},
        {{9, 100, 6}, STR("a=12&b=34"), STR("a=12&b=345")},           {{0, 100, 100}, STR("&&"), STR("a")},
    };
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        assert_int_equal(rc_of(edges[i].limits, edges[i].fits), RC_OK);
        assert_int_equal(rc_of(edges[i].limits, edges[i].too_much), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_LIMIT));
        err_clear(&ctx);
    }
}

static void an_endless_field_is_stopped_early(void **state)
{
    (void)state;
    struct form f = FORM_INIT(10, 1000, 5000);
    struct form_reader r;
    form_reader_open(&r, &f);
    static char piece[1 << 16];
    memset(piece, 'x', sizeof piece);
    assert_int_equal(form_push(&ctx, &r, str_of(piece, sizeof piece)), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    assert_true(r.pending.capacity <= 4096);
    form_reader_close(&r);
}

static void only_utf8_text_comes_in(void **state)
{
    (void)state;
    static const str bad[] = {STR("a=%FF"), STR("%C3=x"), STR("a=%00"), STR("a=\xED\xA0\x80"), STR("a=%C0%AF")};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct form f = FORM_INIT(10, 100, 100);
        assert_int_equal(form_parse(&ctx, &f, bad[i]), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_INVALID));
        assert_int_equal(f.count, 0);
        err_clear(&ctx);
    }
}

static void printed_and_read_again(void **state)
{
    (void)state;
    struct form f = FORM_INIT(10, 100, 1000), again = FORM_INIT(10, 100, 1000);
    assert_int_equal(form_add(&ctx, &f, STR("q"), STR("a&b=c d+e%41;\n\xE6\x9D\xB1")), RC_OK);
    assert_int_equal(form_add(&ctx, &f, STR("empty"), STR("")), RC_OK);
    assert_int_equal(form_add(&ctx, &f, STR("na=me"), STR("\"\\")), RC_OK);
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    form_print(&b, &f);
    assert_string_equal(b.p, "q=a%26b%3Dc%20d%2Be%2541%3B%0A%E6%9D%B1&empty=&na%3Dme=%22%5C");
    assert_int_equal(form_parse(&ctx, &again, buf_str(&b)), RC_OK);
    assert_string_equal(shown(&again), shown(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(cut_at_every_place, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(names_are_decoded_after_the_cut_at_equals, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(values_are_found, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(limits_hold, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(an_endless_field_is_stopped_early, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(only_utf8_text_comes_in, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(printed_and_read_again, open_ctx, close_ctx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
