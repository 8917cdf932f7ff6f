/* Where a request comes from and how its client sees us: whose headers decide that. */
#include "web_fixture.h"

static struct call call;
static struct http_request request;

static int open_call(void **state)
{
    (void)state;
    request = (struct http_request){.method = HTTP_GET, .path = STR("/"), .query = STR_NONE, .remote = STR("203.0.113.9")};
    call = (struct call){.web = &wf.web, .site = &wf.site, .http = &request};
    wf.web.url_fixed = false;
    wf.web.context = STR("");
    wf.web.trusted_proxies = origin_proxies(CTX, STR(""));
    return 0;
}

static void header(const char *name, const char *value)
{
    http_headers_add(wf.ctx.arena, &request.headers, str_c(name), str_c(value));
}

/* ---- addresses ---- */

static void the_host_header_gives_the_address(void **state)
{
    (void)state;
    wf.web.context = STR("/portal");
    header("Host", "me.example:7443");
    request.secure = true;
    origin_find(CTX, &call);
    assert_str(call.portal_url, "https://me.example:7443/portal");
    assert_str(call.server_url, "https://me.example:7443/server");
}

static void a_host_that_is_none_is_not_repeated(void **state)
{
    (void)state;
    static const char *const HOSTS[] = {"",      "a b", "a/b", "a\"onload=", "<script>", "a@b", "a%0d%0ab", "a\\b",
                                        "a?b=c", "a#b", "a'b", "\xc3\xa4",   "a,b",      "a;b", "${x}",     "a&b"};
    for (size_t i = 0; i < COUNT_OF(HOSTS); i++) {
        (void)open_call(NULL);
        header("Host", HOSTS[i]);
        origin_find(CTX, &call);
        assert_true(str_eq(call.portal_url, wf.site.portal_url));
        assert_true(str_eq(call.server_url, wf.site.server_url));
    }
    (void)open_call(NULL);
    char *longest = arena_alloc(wf.ctx.arena, 257);
    memset(longest, 'a', 256);
    header("Host", longest);
    origin_find(CTX, &call);
    assert_true(str_eq(call.portal_url, wf.site.portal_url));
    (void)open_call(NULL); /* HTTP/1.0 knows none */
    origin_find(CTX, &call);
    assert_true(str_eq(call.portal_url, wf.site.portal_url));
}

static void a_fixed_url_holds_whatever_headers_say(void **state)
{
    (void)state;
    wf.web.url_fixed = true;
    request.remote = STR("127.0.0.1");
    header("Host", "evil.example");
    header("X-Forwarded-Host", "evil.example");
    header("X-Forwarded-Proto", "https");
    origin_find(CTX, &call);
    assert_true(str_eq(call.portal_url, wf.site.portal_url));
}

static void forwarded_headers_count_from_trusted_proxies_only(void **state)
{
    (void)state;
    static const struct {
        const char *remote, *proxies;
        bool trusted;
    } FROM[] = {{"203.0.113.9", "", false},
                {"203.0.113.9", "203.0.113.9", true},
                {"203.0.113.9", "10.0.0.1, 203.0.113.9 ,10.0.0.2", true},
                {"203.0.113.9", "203.0.113.0/24", true},
                {"203.0.113.9", "203.0.112.0/24,2001:db8::/32", false},
                {"203.0.113.9", "203.0.113.90", false},
                {"203.0.113.9", "203.0.113", false},
                {"203.0.113.9", ",,", false},
                {"", ",,", false},
                {"127.0.0.1", "", true},
                {"::1", "", true},
                {"::ffff:127.0.0.1", "", true},
                {"127.0.0.10", "", false}};
    for (size_t i = 0; i < COUNT_OF(FROM); i++) {
        (void)open_call(NULL);
        request.remote = str_c(FROM[i].remote);
        wf.web.trusted_proxies = origin_proxies(CTX, str_c(FROM[i].proxies));
        header("Host", "inner:7080");
        header("X-Forwarded-Host", " outer.example , inner");
        header("X-Forwarded-Proto", "HTTPS, http");
        origin_find(CTX, &call);
        if (str_eq(call.portal_url, STR("https://outer.example")) != FROM[i].trusted)
            fail_msg("'%s' with '%s': %.*s", FROM[i].remote, FROM[i].proxies, STR_FMT(call.portal_url));
        if (!FROM[i].trusted)
            assert_str(call.portal_url, "http://inner:7080");
    }
}

static void a_trusted_proxy_cannot_pass_on_what_is_no_host(void **state)
{
    (void)state;
    request.remote = STR("127.0.0.1");
    header("Host", "inner:7080");
    header("X-Forwarded-Host", "evil.example/path?");
    origin_find(CTX, &call);
    assert_true(str_eq(call.portal_url, wf.site.portal_url));
    (void)open_call(NULL);
    request.remote = STR("127.0.0.1");
    header("Host", "inner:7080");
    header("X-Forwarded-Proto", "javascript");
    origin_find(CTX, &call);
    assert_str(call.portal_url, "http://inner:7080");
}

/* ---- the client's address ---- */

static void the_client_is_the_last_whom_no_trusted_proxy_vouches_for(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *proxies, *forwarded_for, *client;
    } CASES[] = {{"203.0.113.9", "", "198.51.100.1", "203.0.113.9"}, /* anybody may write the header */
                 {"127.0.0.1", "", "198.51.100.1", "198.51.100.1"},
                 {"127.0.0.1", "", "192.0.2.66, 198.51.100.1", "198.51.100.1"},
                 {"127.0.0.1", "198.51.100.0/24", "192.0.2.66, 198.51.100.1", "192.0.2.66"},
                 {"127.0.0.1", "198.51.100.0/24", "10.0.0.1, 192.0.2.66, 198.51.100.1", "192.0.2.66"},
                 {"127.0.0.1", "0.0.0.0/0", "192.0.2.66, 198.51.100.1", "192.0.2.66"},
                 {"127.0.0.1", "", "198.51.100.1:4711", "198.51.100.1"},
                 {"127.0.0.1", "", "[2001:DB8::1]:80", "2001:db8::1"},
                 {"127.0.0.1", "", "::ffff:198.51.100.1", "198.51.100.1"},
                 {"127.0.0.1", "", "unknown", "127.0.0.1"},
                 {"127.0.0.1", "", "198.51.100.1, unknown", "127.0.0.1"},
                 {"127.0.0.1", "", "198.51.100.1,", "127.0.0.1"},
                 {"127.0.0.1", "", "", "127.0.0.1"},
                 {"::1", "", "198.51.100.1", "198.51.100.1"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        (void)open_call(NULL);
        request.remote = str_c(CASES[i].peer);
        wf.web.trusted_proxies = origin_proxies(CTX, str_c(CASES[i].proxies));
        header("X-Forwarded-For", CASES[i].forwarded_for);
        origin_find(CTX, &call);
        if (!str_eq(call.remote, str_c(CASES[i].client)))
            fail_msg("case %zu: %.*s instead of %s", i, STR_FMT(call.remote), CASES[i].client);
    }
}

static void several_headers_are_one_list(void **state)
{
    (void)state;
    request.remote = STR("127.0.0.1");
    header("X-Forwarded-For", "192.0.2.1");
    header("x-forwarded-for", "192.0.2.2");
    origin_find(CTX, &call);
    assert_str(call.remote, "192.0.2.2");
}

static void the_standard_header_counts_when_it_stands_alone(void **state)
{
    (void)state;
    request.remote = STR("127.0.0.1");
    header("Host", "inner:7080");
    header("Forwarded", "for=192.0.2.66;by=_x, For=\"[2001:db8::7]:4711\";proto=http;host=inner");
    header("Forwarded", "for=127.0.0.1");
    origin_find(CTX, &call);
    assert_str(call.remote, "2001:db8::7");
    (void)open_call(NULL);
    request.remote = STR("127.0.0.1");
    header("Host", "inner:7080");
    header("Forwarded", "for=192.0.2.66;proto=https;host=\"outer.example:8443\"");
    origin_find(CTX, &call);
    assert_str(call.remote, "192.0.2.66");
    assert_str(call.portal_url, "https://outer.example:8443");
    header("X-Forwarded-Proto", "http"); /* this proxy speaks the other dialect: who wrote Forwarded is not known */
    origin_find(CTX, &call);
    assert_str(call.remote, "127.0.0.1");
    assert_str(call.portal_url, "http://inner:7080");
}

static void the_port_of_the_proxy_belongs_to_the_address(void **state)
{
    (void)state;
    static const struct {
        const char *host, *port, *url;
    } CASES[] = {{"outer.example", "8443", "https://outer.example:8443"}, {"outer.example", "443", "https://outer.example"},
                 {"outer.example:1", "8443", "https://outer.example:1"},  {"[2001:db8::1]", "8443", "https://[2001:db8::1]:8443"},
                 {"outer.example", "x", "https://outer.example"},         {"outer.example", "844300", "https://outer.example"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        (void)open_call(NULL);
        request.remote = STR("127.0.0.1");
        header("X-Forwarded-Proto", "https");
        header("X-Forwarded-Host", CASES[i].host);
        header("X-Forwarded-Port", CASES[i].port);
        origin_find(CTX, &call);
        assert_true(str_eq(call.portal_url, str_c(CASES[i].url)));
    }
}

static void a_client_behind_a_proxy_has_a_limit_of_its_own(void **state)
{
    (void)state;
    static struct call calls[4];
    static const char *const FROM[] = {"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"};
    wf.web.per_address = 2;
    for (size_t i = 0; i < COUNT_OF(FROM); i++) {
        calls[i] = call;
        calls[i].remote = str_c(FROM[i]);
        assert_int_equal(origin_enter(CTX, &calls[i]), i == 2 ? RC_FAIL : RC_OK);
        err_clear(CTX);
    }
    origin_leave(&calls[2]); /* was not counted */
    assert_int_equal(origin_enter(CTX, &calls[2]), RC_FAIL);
    assert_true(err_is(CTX, &ERR_BUSY));
    err_clear(CTX);
    origin_leave(&calls[0]);
    assert_ok(origin_enter(CTX, &calls[2]));
    for (size_t i = 1; i < COUNT_OF(FROM); i++)
        origin_leave(&calls[i]);
    for (size_t i = 0; i < 10; i++) { /* who is no proxy's client is counted by the server */
        call.remote = call.http->remote;
        assert_ok(origin_enter(CTX, &call));
    }
    wf.web.per_address = 0;
}

static void bindings_and_limits_see_the_client(void **state)
{
    (void)state;
    struct token_input in = {.username = STR("user"),
                             .password = STR("password-1"),
                             .client = STR("requestip"),
                             .referer = STR(""),
                             .remote = STR("192.0.2.66")};
    str token;
    int64_t expires;
    assert_ok(token_generate(CTX, &wf.site, &in, &token, &expires));
    static const struct route anyone = {.who = WHO_ANYONE, .params = ""};
    static const char *const FROM[] = {"192.0.2.66", "192.0.2.67"};
    for (size_t i = 0; i < COUNT_OF(FROM); i++) {
        struct form form = FORM_INIT(10, 1000, 10000);
        (void)open_call(NULL);
        request.remote = STR("127.0.0.1");
        header("X-Forwarded-For", FROM[i]);
        call.form = &form;
        call.route = &anyone;
        assert_ok(form_add(CTX, &form, STR("token"), token));
        origin_find(CTX, &call);
        assert_int_equal(auth_caller(CTX, &call), i == 0 ? RC_OK : RC_FAIL);
        err_clear(CTX);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, open_call)
    const struct CMUnitTest tests[] = {
        T(the_host_header_gives_the_address),
        T(a_host_that_is_none_is_not_repeated),
        T(a_fixed_url_holds_whatever_headers_say),
        T(forwarded_headers_count_from_trusted_proxies_only),
        T(a_trusted_proxy_cannot_pass_on_what_is_no_host),
        T(the_client_is_the_last_whom_no_trusted_proxy_vouches_for),
        T(several_headers_are_one_list),
        T(the_standard_header_counts_when_it_stands_alone),
        T(the_port_of_the_proxy_belongs_to_the_address),
        T(a_client_behind_a_proxy_has_a_limit_of_its_own),
        T(bindings_and_limits_see_the_client),
    };
    return cmocka_run_group_tests(tests, web_fixture_open, web_fixture_close);
}
