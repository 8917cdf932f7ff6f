/* The way of a request: methods, formats, and the form of a POST operation that is asked for by GET. */
#include "web_fixture.h"

static struct json call_as(enum http_method method, const char *path)
{
    struct http_call c = {.url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), path), .method = method};
    return call_http(&c);
}

static bool page_says(const char *words) { return str_find(wf.answer.body, str_c(words), 0) != SIZE_MAX; }

static void a_post_operation_asked_by_get_shows_its_form_and_does_nothing(void **state)
{
    (void)state;
    const char *path = "/sharing/rest/content/users/admin/createFolder?title=Made";
    (void)ask(path);
    assert_int_equal(wf.answer.status, 200);
    assert_true(page_says("<form"));
    struct json v = ask("/sharing/rest/content/users/admin?f=json");
    assert_int_equal(json_count(json_get_c(v, "folders")), 0);
    v = ask("/sharing/rest/content/users/admin/createFolder?title=Made&f=json");
    assert_int_equal(wf.answer.status, 405);
    assert_at(v, "/error/code", "405");
    v = ask("/sharing/rest/content/users/admin?f=json");
    assert_int_equal(json_count(json_get_c(v, "folders")), 0);
}

static void a_form_is_shown_to_anybody_and_without_what_it_requires(void **state)
{
    (void)state;
    wf.token = STR("");
    (void)ask("/sharing/rest/content/users/admin/createFolder");
    assert_int_equal(wf.answer.status, 200);
    assert_true(page_says("<form"));
    wf.token = wf.admin;
}

static void methods_that_do_not_fit(void **state)
{
    (void)state;
    (void)call_as(HTTP_PUT, "/sharing/rest/info?f=json");
    assert_int_equal(wf.answer.status, 405);
    (void)call_as(HTTP_DELETE, "/sharing/rest/info?f=json");
    assert_int_equal(wf.answer.status, 405);
    (void)post("/healthz", NULL);
    assert_int_equal(wf.answer.status, 405);
    (void)call_as(HTTP_HEAD, "/healthz");
    assert_int_equal(wf.answer.status, 200);
    assert_int_equal(wf.answer.body.n, 0);
}

static void formats_are_words_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *f, *type;
    } FORMAT[] = {{"json", "application/json"},
                  {"JSON", "application/json"},
                  {"%20pjson%20", "application/json"},
                  {"html", "text/html"},
                  {"", "text/html"}};
    for (size_t i = 0; i < COUNT_OF(FORMAT); i++) {
        (void)ask(arena_printf(wf.ctx.arena, "/sharing/rest/info?f=%s", FORMAT[i].f).p);
        assert_int_equal(wf.answer.status, 200);
        assert_true(str_starts(http_headers_get(&wf.answer.headers, STR("Content-Type")), str_c(FORMAT[i].type)));
    }
    struct json v = ask("/sharing/rest/info?f=xml");
    assert_at(v, "/error/code", "400");
    assert_at(v, "/error/details/0", "f=xml is not supported: html, json and pjson are.");
}

static void a_path_that_is_no_text_is_not_found(void **state)
{
    (void)state;
    struct json v = ask("/sharing/rest/community/users/a%00b?f=json");
    assert_int_equal(wf.answer.status, 404);
    assert_at(v, "/error/code", "404");
    (void)ask("/sharing/rest/community/users/%FF?f=json");
    assert_int_equal(wf.answer.status, 404);
}

static void a_body_that_is_too_large_is_refused_before_it_is_read(void **state)
{
    (void)state;
    char *title = arena_alloc(wf.ctx.arena, (2 << 20) + 1);
    memset(title, 'a', 2 << 20);
    struct json v = post("/sharing/rest/content/users/admin/createFolder", "title", title, NULL);
    assert_int_equal(wf.answer.status, 413);
    assert_at(v, "/error/code", "413");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_operation_asked_by_get_shows_its_form_and_does_nothing),
        cmocka_unit_test(a_form_is_shown_to_anybody_and_without_what_it_requires),
        cmocka_unit_test(methods_that_do_not_fit),
        cmocka_unit_test(formats_are_words_in_any_case),
        cmocka_unit_test(a_path_that_is_no_text_is_not_found),
        cmocka_unit_test(a_body_that_is_too_large_is_refused_before_it_is_read),
    };
    return cmocka_run_group_tests(tests, web_fixture_open, web_fixture_close);
}
