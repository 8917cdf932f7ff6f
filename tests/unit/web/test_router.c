/* Finding rows by path, over a table of the test's own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/web.h"
#include <stdio.h>

static char odd_pattern[200] = "/odd", odd_params[100] = "";

#define ROW(methods, pattern)                                                                                                    \
    {                                                                                                                            \
        methods, pattern, NULL, "", WHO_ANYONE, BODY_PARAMS, "", ""                                                              \
    }
const struct route routes[] = {
    ROW(METHOD_GET, "/"),
    ROW(METHOD_READ, "/items/{itemId}"),
    ROW(METHOD_GET, "/items/search"),
    ROW(METHOD_POST, "/items/{itemId}/update"),
    ROW(METHOD_GET, "/items/{other}/{part}"),
    ROW(METHOD_GET, "/items/special/{part}"),
    ROW(METHOD_GET, "/both/{a}"),
    ROW(METHOD_POST, "/both/{a}"),
    ROW(METHOD_GET, "/files/{itemId}/{path...}"),
    ROW(METHOD_GET, "/files/{itemId}/list"),
    ROW(METHOD_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n"),
    ROW(METHOD_GET, "/rest/{path...}"),
    {METHOD_GET, odd_pattern, NULL, "", WHO_ANYONE, BODY_PARAMS, odd_params, ""},
};
const size_t route_count = COUNT_OF(routes);

static struct ctx ctx;
static struct path_piece pieces[PATH_PIECES_MAX];
static bool other;

static int open_router(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return router_compile(&ctx);
}

static int close_router(void **state)
{
    (void)state;
    router_release();
    ctx_close(&ctx);
    return 0;
}

static const char *find(unsigned method, const char *path)
{
    memset(pieces, 0, sizeof pieces);
    const struct route *r = router_find(&ctx, method, str_c(path), pieces, &other);
    return r ? r->pattern : "-";
}

#define assert_row(method, path, pattern_) assert_string_equal(find((method), (path)), pattern_)
#define assert_piece(n, name_, value_)                                                                                           \
    do {                                                                                                                         \
        assert_string_equal(pieces[n].name, name_);                                                                              \
        assert_true(str_eq(pieces[n].value, STR(value_)));                                                                       \
    } while (0)

static void a_literal_beats_a_capture(void **state)
{
    (void)state;
    assert_row(METHOD_GET, "/items/search", "/items/search");
    assert_null(pieces[0].name);
    assert_row(METHOD_GET, "/items/searches", "/items/{itemId}");
    assert_piece(0, "itemId", "searches");
    /* The earlier literal is the stronger one. */
    assert_row(METHOD_GET, "/items/special/update", "/items/special/{part}");
    assert_row(METHOD_POST, "/items/x/update", "/items/{itemId}/update");
    assert_row(METHOD_GET, "/items/x/parts", "/items/{other}/{part}");
    assert_piece(0, "other", "x");
    assert_piece(1, "part", "parts");
}

static void case_and_extra_slashes_do_not_count(void **state)
{
    (void)state;
    assert_row(METHOD_GET, "/ITEMS/Search", "/items/search");
    assert_row(METHOD_GET, "/items/search/", "/items/search");
    assert_row(METHOD_GET, "//items///search//", "/items/search");
    assert_row(METHOD_GET, "/items/AbC/", "/items/{itemId}");
    assert_piece(0, "itemId", "AbC"); /* what is caught keeps its case */
    assert_row(METHOD_GET, "/", "/");
    assert_row(METHOD_GET, "", "/");
    assert_row(METHOD_GET, "///", "/");
}

static void pieces_are_decoded_after_cutting(void **state)
{
    (void)state;
    assert_row(METHOD_GET, "/items/a%2Fb%20%C3%A4+c", "/items/{itemId}");
    assert_piece(0, "itemId", "a/b \xc3\xa4+c");
    assert_row(METHOD_GET, "/items/%", "/items/{itemId}");
    assert_piece(0, "itemId", "%");
    assert_row(METHOD_GET, "/items/%zz%4", "/items/{itemId}");
    assert_piece(0, "itemId", "%zz%4");
    assert_row(METHOD_GET, "/items/%2e%2e", "/items/{itemId}");
    assert_piece(0, "itemId", "..");
}

static void a_piece_that_is_no_text_fits_nothing(void **state)
{
    (void)state;
    static const char *const PATHS[] = {"/items/a%00b", "/items/%FF", "/items/%C3", "/items/\xc3(", "/files/x/a/%00"};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        assert_row(METHOD_GET, PATHS[i], "-");
        assert_false(other);
    }
}

static void the_rest_of_a_path_is_taken_whole(void **state)
{
    (void)state;
    assert_row(METHOD_GET, "/files/x/a", "/files/{itemId}/{path...}");
    assert_piece(0, "itemId", "x");
    assert_piece(1, "path", "a");
    assert_row(METHOD_GET, "/files/x/a/b/c.json", "/files/{itemId}/{path...}");
    assert_piece(1, "path", "a/b/c.json");
    assert_row(METHOD_GET, "/files/x/list", "/files/{itemId}/list");
    assert_row(METHOD_GET, "/files/x/list/more", "/files/{itemId}/{path...}");
    assert_piece(1, "path", "list/more");
    assert_row(METHOD_GET, "/files/x", "-"); /* there has to be something */
    assert_row(METHOD_GET, "/files/x/", "-");
    assert_row(METHOD_GET, "/rest/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "/rest/{path...}");
    assert_piece(0, "path", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17");
}

static void too_many_segments_fit_nothing(void **state)
{
    (void)state;
    assert_row(METHOD_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n");
    assert_row(METHOD_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", "-");
    assert_row(METHOD_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m", "-");
    assert_row(METHOD_GET, "/items/1/2/3", "-");
    assert_false(other);
    assert_row(METHOD_GET, "/item", "-");
    assert_row(METHOD_GET, "/itemss", "-");
}

static void another_method_is_told_from_no_path(void **state)
{
    (void)state;
    assert_row(METHOD_POST, "/items/x", "/items/{itemId}");
    assert_false(other);
    /* The best pattern decides, not one further down that would take the method. */
    assert_row(METHOD_POST, "/items/search", "-");
    assert_true(other);
    assert_row(METHOD_GET, "/items/x/update", "-");
    assert_true(other);
    assert_row(METHOD_POST, "/nothing", "-");
    assert_false(other);
    assert_row(METHOD_GET, "/both/1", "/both/{a}");
    assert_row(METHOD_POST, "/both/1", "/both/{a}");
    assert_false(other);
}

static void try_odd(const char *pattern, const char *params, bool good)
{
    router_release();
    snprintf(odd_pattern, sizeof odd_pattern, "%s", pattern);
    snprintf(odd_params, sizeof odd_params, "%s", params);
    int rc = router_compile(&ctx);
    if ((rc == RC_OK) != good)
        fail_msg("'%s' with '%s': %d", pattern, params, rc);
    assert_int_equal(err_is(&ctx, &ERR_INVALID), !good);
    err_clear(&ctx);
}

static void bad_rows_are_refused_at_the_start(void **state)
{
    (void)state;
    try_odd("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", "", false);
    try_odd("/{path...}/more", "", false);
    try_odd("/{}", "", true);
    try_odd("/odd", "a:integer", false);
    try_odd("/odd", "a b!:id c:nothing d", false);
    try_odd("/odd", "a:int=5  b!:id ", true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_router, close_router)
    const struct CMUnitTest tests[] = {
        TEST(a_literal_beats_a_capture),           TEST(case_and_extra_slashes_do_not_count),
        TEST(pieces_are_decoded_after_cutting),    TEST(a_piece_that_is_no_text_fits_nothing),
        TEST(the_rest_of_a_path_is_taken_whole),   TEST(too_many_segments_fit_nothing),
        TEST(another_method_is_told_from_no_path), TEST(bad_rows_are_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
