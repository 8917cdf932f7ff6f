/* Whose request it is: what headers may decide and what not. */
#include "web_fixture.h"

static struct call call;
static struct http_request request;
static struct http_response response;
static struct form form;
static const struct route anyone = {.who = WHO_ANYONE, .params = ""};
static const struct route signed_in = {.who = WHO_USER, .params = ""};
static const struct route administrators = {.who = WHO_ADMIN, .params = ""};

static int open_call(void **state)
{
    (void)state;
    form = FORM_INIT(10, 1000, 10000);
    request = (struct http_request){.method = HTTP_GET, .path = STR("/"), .query = STR_NONE, .remote = STR("203.0.113.9")};
    response = (struct http_response){0};
    call = (struct call){.web = &wf.web,
                         .site = &wf.site,
                         .http = &request,
                         .answer = &response,
                         .route = &anyone,
                         .caller = CALLER_ANONYMOUS,
                         .form = &form,
                         .remote = STR("203.0.113.9"),
                         .portal_url = STR("http://me.example"),
                         .server_url = STR("http://me.example/server")};
    return 0;
}

static void header(const char *name, const char *value)
{
    http_headers_add(wf.ctx.arena, &request.headers, str_c(name), str_c(value));
}

/* ---- callers ---- */

static void cookie(const char *format, str token)
{
    header("Cookie", arena_cstr(wf.ctx.arena, arena_printf(wf.ctx.arena, format, STR_FMT(token))));
}

#define assert_caller(name)                                                                                                      \
    do {                                                                                                                         \
        assert_ok(auth_caller(CTX, &call));                                                                                      \
        assert_false(call.caller.anonymous);                                                                                     \
        assert_str(call.caller.username, name);                                                                                  \
    } while (0)
#define assert_nobody()                                                                                                          \
    do {                                                                                                                         \
        assert_ok(auth_caller(CTX, &call));                                                                                      \
        assert_true(call.caller.anonymous);                                                                                      \
    } while (0)

static void a_token_comes_as_parameter_or_header(void **state)
{
    (void)state;
    const char *bearer = arena_cstr(wf.ctx.arena, arena_printf(wf.ctx.arena, "bEARER  %.*s ", STR_FMT(wf.user)));
    assert_nobody();
    header("Authorization", bearer);
    assert_caller("user");
    (void)open_call(NULL);
    header("X-Esri-Authorization", bearer);
    header("Authorization", "Basic something of the proxy's");
    assert_caller("user");
    (void)open_call(NULL);
    header("Authorization", bearer);
    assert_ok(form_add(CTX, &form, STR("TOKEN"), wf.admin)); /* the parameter counts first */
    assert_caller("admin");
    (void)open_call(NULL);
    header("Authorization", "Basic YTpi");
    assert_nobody();
}

static void a_token_that_is_none_is_an_error(void **state)
{
    (void)state;
    header("Authorization", "Bearer nonsense");
    assert_int_equal(auth_caller(CTX, &call), RC_FAIL);
    assert_true(err_is(CTX, &ERR_TOKEN_INVALID));
    err_clear(CTX);
}

static void the_cookie_is_for_our_own_pages(void **state)
{
    (void)state;
    static const struct {
        enum format format;
        const char *origin; /* NULL: none */
        bool counts;
    } CALL[] = {{FORMAT_HTML, NULL, true},
                {FORMAT_HTML, "http://me.example", true},
                {FORMAT_HTML, "HTTP://ME.example", true},
                {FORMAT_HTML, "http://evil.example", false},
                {FORMAT_HTML, "http://me.example.evil", false},
                {FORMAT_HTML, "https://me.example", false},
                {FORMAT_HTML, "http://me.example:8080", false},
                {FORMAT_HTML, "null", false},
                {FORMAT_HTML, "", false},
                {FORMAT_JSON, NULL, false},
                {FORMAT_PJSON, NULL, false},
                {FORMAT_GEOJSON, NULL, false},
                {FORMAT_JSON, "http://me.example", false}};
    for (size_t i = 0; i < COUNT_OF(CALL); i++) {
        (void)open_call(NULL);
        cookie("a=b; mapferry_token=%.*s; c=d", wf.user);
        if (CALL[i].origin)
            header("Origin", CALL[i].origin);
        call.format = CALL[i].format;
        assert_ok(auth_caller(CTX, &call));
        if (call.caller.anonymous == CALL[i].counts)
            fail_msg("format %d, origin '%s'", (int)CALL[i].format, CALL[i].origin ? CALL[i].origin : "-");
    }
}

static void a_change_by_cookie_has_to_come_from_a_page_of_ours(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        const char *origin, *site; /* NULL: none */
        bool counts;
    } CALL[] = {{HTTP_POST, "http://me.example", NULL, true},
                {HTTP_POST, "http://me.example", "same-origin", true},
                {HTTP_POST, NULL, "same-origin", true},
                {HTTP_POST, NULL, NULL, false},
                {HTTP_POST, "null", "same-origin", false},
                {HTTP_POST, "http://evil.example", NULL, false},
                {HTTP_POST, NULL, "none", false},
                {HTTP_POST, NULL, "same-site", false},
                {HTTP_POST, NULL, "cross-site", false},
                {HTTP_GET, NULL, "none", true}, /* typed in */
                {HTTP_GET, NULL, "same-origin", true},
                {HTTP_GET, NULL, "same-site", false},
                {HTTP_GET, NULL, "cross-site", false}};
    for (size_t i = 0; i < COUNT_OF(CALL); i++) {
        (void)open_call(NULL);
        request.method = CALL[i].method;
        cookie("mapferry_token=%.*s", wf.user);
        if (CALL[i].origin)
            header("Origin", CALL[i].origin);
        if (CALL[i].site)
            header("Sec-Fetch-Site", CALL[i].site);
        assert_ok(auth_caller(CTX, &call));
        if (call.caller.anonymous == CALL[i].counts)
            fail_msg("case %zu", i);
    }
}

static void a_cookie_that_is_no_longer_good_is_nobody(void **state)
{
    (void)state;
    header("Cookie", "mapferry_token=nonsense");
    assert_nobody();
    (void)open_call(NULL);
    cookie("xmapferry_token=%.*s", wf.user);
    assert_nobody();
    (void)open_call(NULL);
    header("Cookie", "mapferry_token=");
    assert_nobody();
    (void)open_call(NULL);
    cookie("mapferry_token=%.*s", wf.admin);
    assert_ok(form_add(CTX, &form, STR("token"), wf.user)); /* who says a token is that one */
    assert_caller("user");
}

static void rows_say_who_may(void **state)
{
    (void)state;
    static const struct {
        const struct route *route;
        int who; /* 0 nobody, 1 user, 2 administrator */
        const struct err_kind *refused;
    } CALL[] = {{&signed_in, 0, &ERR_TOKEN_REQUIRED}, {&signed_in, 1, NULL},      {&administrators, 0, &ERR_TOKEN_REQUIRED},
                {&administrators, 1, &ERR_FORBIDDEN}, {&administrators, 2, NULL}, {&anyone, 0, NULL}};
    const str tokens[] = {STR(""), wf.user, wf.admin};
    for (size_t i = 0; i < COUNT_OF(CALL); i++) {
        (void)open_call(NULL);
        call.route = CALL[i].route;
        assert_ok(form_add(CTX, &form, STR("token"), tokens[CALL[i].who]));
        assert_int_equal(auth_caller(CTX, &call) == RC_OK, CALL[i].refused == NULL);
        assert_ptr_equal(wf.ctx.err.kind, CALL[i].refused);
        err_clear(CTX);
    }
}

static void signing_in_sets_a_cookie_that_scripts_and_strangers_do_not_get(void **state)
{
    (void)state;
    auth_sign_in(CTX, &call, STR("abc"));
    assert_str(http_headers_get(&response.headers, STR("Set-Cookie")), "mapferry_token=abc; Path=/; HttpOnly; SameSite=Strict");
    (void)open_call(NULL);
    call.portal_url = STR("https://me.example");
    auth_sign_in(CTX, &call, STR("abc"));
    assert_str(http_headers_get(&response.headers, STR("Set-Cookie")),
               "mapferry_token=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, open_call)
    const struct CMUnitTest tests[] = {
        TEST(a_token_comes_as_parameter_or_header),
        TEST(a_token_that_is_none_is_an_error),
        TEST(the_cookie_is_for_our_own_pages),
        TEST(a_change_by_cookie_has_to_come_from_a_page_of_ours),
        TEST(a_cookie_that_is_no_longer_good_is_nobody),
        TEST(rows_say_who_may),
        TEST(signing_in_sets_a_cookie_that_scripts_and_strangers_do_not_get),
    };
    return cmocka_run_group_tests(tests, web_fixture_open, web_fixture_close);
}
