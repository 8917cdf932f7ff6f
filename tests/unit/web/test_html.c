/* The pages: nothing that anybody wrote becomes markup, forms have the controls of their parameters, errors are words. */
#include "web_fixture.h"
#include "codec/url.h"

#define EVIL "</textarea></pre><script>alert(1)</script>\"><img src=x onerror='alert(2)'>"

static bool page_has(const char *what) { return str_find(wf.answer.body, str_c(what), 0) != SIZE_MAX; }

static void assert_harmless(const char *where)
{
    static const char *const NEVER[] = {"<script", "<img", "onerror='", "javascript:"};
    assert_true(str_starts(http_headers_get(&wf.answer.headers, STR("Content-Type")), STR("text/html")));
    str policy = http_headers_get(&wf.answer.headers, STR("Content-Security-Policy"));
    assert_true(str_starts(policy, STR("default-src 'none'; style-src 'sha256-")));
    assert_true(str_find(policy, STR("unsafe"), 0) == SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(NEVER); i++)
        if (page_has(NEVER[i]))
            fail_msg("%s in %s", NEVER[i], where);
}

static void what_users_wrote_is_text(void **state)
{
    (void)state;
    struct json made = post("/sharing/rest/content/users/admin/addItem", "title", EVIL, "type", "Web Map", "text", "{}",
                            "snippet", EVIL, "description", EVIL, "tags", "a" EVIL, NULL);
    const char *item = arena_cstr(wf.ctx.arena, at(made, "/id"));
    assert_int_equal(strlen(item), 32);
    (void)post("/sharing/rest/community/createGroup", "title", EVIL, "tags", "t", "access", "public", "snippet", EVIL, NULL);
    str evil = url_encoded(wf.ctx.arena, STR(EVIL));
    const str pages[] = {
        arena_printf(wf.ctx.arena, "/sharing/rest/content/items/%s", item),
        arena_printf(wf.ctx.arena, "/sharing/rest/content/users/admin/items/%s", item),
        arena_printf(wf.ctx.arena, "/sharing/rest/content/users/admin/items/%s/update", item),
        STR("/sharing/rest/content/users/admin"),
        STR("/sharing/rest/community/groups?q=access:public"),
        arena_printf(wf.ctx.arena, "/sharing/rest/search?q=%.*s&filter=%.*s&bbox=%.*s", STR_FMT(evil), STR_FMT(evil),
                     STR_FMT(evil)),
        arena_printf(wf.ctx.arena, "/sharing/rest/community/groups/%.*s", STR_FMT(evil)),
        arena_printf(wf.ctx.arena, "/sharing/rest/content/users/%.*s/addItem?title=%.*s", STR_FMT(evil), STR_FMT(evil)),
        arena_printf(wf.ctx.arena, "/%.*s/%.*s", STR_FMT(evil), STR_FMT(evil)),
    };
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        (void)ask(pages[i].p);
        assert_harmless(pages[i].p);
    }
}

static void controls_follow_the_types(void **state)
{
    (void)state;
    (void)ask("/sharing/rest/content/users/admin/addItem");
    assert_true(page_has("method=\"post\" enctype=\"multipart/form-data\""));
    assert_true(page_has("<input type=\"file\" id=\"p-file\" name=\"file\">"));
    assert_true(page_has(
        "<select id=\"p-overwrite\" name=\"overwrite\"><option></option><option>true</option><option selected>false</option>"));
    (void)ask("/sharing/rest/search?q=a%26b&num=7");
    assert_true(page_has("method=\"get\""));
    assert_true(page_has("name=\"q\" value=\"a&amp;b\""));
    assert_true(page_has("<input type=\"number\" step=\"1\" id=\"p-num\" name=\"num\" value=\"7\">"));
    (void)ask("/sharing/rest/generateToken?username=admin&password=secret-in-the-address&token=secret-token");
    assert_true(page_has("<input type=\"password\" id=\"p-password\""));
    assert_true(page_has("value=\"admin\"") && !page_has("secret-in-the-address") && !page_has("secret-token"));
    (void)ask("/sharing/rest/community/groups");
    assert_true(page_has("<small>required</small>"));
}

static void errors_are_words(void **state)
{
    (void)state;
    (void)ask("/sharing/rest/content/items/00000000000000000000000000000000");
    assert_int_equal(wf.answer.status, 400);
    assert_true(page_has("role=\"alert\"><b>Item does not exist or is inaccessible.</b>"));
    (void)ask("/sharing/rest/content/items/nothing");
    assert_true(page_has("<h1>nothing</h1>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_users_wrote_is_text),
        cmocka_unit_test(controls_follow_the_types),
        cmocka_unit_test(errors_are_words),
    };
    return cmocka_run_group_tests(tests, web_fixture_open, web_fixture_close);
}
