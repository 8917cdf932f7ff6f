/* A portal in a temporary directory behind a real HTTP server in this process, with an administrator, a user and a viewer signed
 * in, and short forms for calls that answer JSON. */
#ifndef MAPFERRY_TESTS_UNIT_WEB_FIXTURE_H
#define MAPFERRY_TESTS_UNIT_WEB_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/errors.h"
#include "net/http_client.h"
#include "service/user.h"
#include "web/web.h"

static struct web_fixture {
    struct ctx ctx;
    struct site site;
    struct web web;
    struct http_server *server;
    struct http_client *client;
    str dir, base;             /* "http://127.0.0.1:PORT" */
    str admin, user, viewer;   /* tokens */
    str token;                 /* of the next calls, "" anonymous */
    struct http_answer answer; /* the last one */
} wf;
#define CTX (&wf.ctx)

#define assert_ok(call)                                                                                                          \
    do {                                                                                                                         \
        int assert_rc_ = (call);                                                                                                 \
        if (assert_rc_ != RC_OK)                                                                                                 \
            fail_msg("%s: rc %d: %s", #call, assert_rc_, err_text(CTX));                                                         \
    } while (0)
#define assert_str(a, literal)                                                                                                   \
    do {                                                                                                                         \
        str assert_a_ = (a), assert_b_ = STR(literal);                                                                           \
        if (!str_eq(assert_a_, assert_b_))                                                                                       \
            fail_msg("%s: \"%.*s\" is not \"%s\"", #a, STR_FMT(assert_a_), literal);                                             \
    } while (0)

static inline str sign_in(const char *name)
{
    struct token_input in = {.username = str_c(name),
                             .password = STR("password-1"),
                             .remote = STR("127.0.0.1"),
                             .client = STR(""),
                             .referer = STR("")};
    str token;
    int64_t expires;
    assert_ok(token_generate(CTX, &wf.site, &in, &token, &expires));
    return token;
}

static inline int web_fixture_open(void **state)
{
    (void)state;
    ctx_open(CTX);
    assert_ok(dir_temp(CTX, NULL, &wf.dir));
    struct site_open options = {.dir = wf.dir.p,
                                .portal_url = "http://127.0.0.1",
                                .server_url = "http://127.0.0.1/server",
                                .settings = site_settings_default()};
    options.settings.free_space_min = 0;
    assert_ok(site_open(CTX, &options, &wf.site));
    bool created;
    assert_ok(user_create_first(CTX, &wf.site, STR("admin"), STR("password-1"), &created));
    const struct caller admin = {.username = STR("admin"), .role = ROLE_ADMIN};
    const struct user_input user = {.username = STR("user"), .password = STR("password-1"), .role = STR("org_user")};
    const struct user_input viewer = {.username = STR("viewer"), .password = STR("password-1"), .role = STR("iAAAAAAAAAAAAAAA")};
    assert_ok(user_create(CTX, &wf.site, &admin, &user));
    assert_ok(user_create(CTX, &wf.site, &admin, &viewer));
    wf.web.site = &wf.site;
    assert_ok(jobs_open(CTX, &wf.site, 0, &wf.web.jobs)); /* they wait for ever: nothing runs beside a test */
    wf.web.context = STR("");
    wf.web.trusted_proxies = origin_proxies(CTX, STR(""));
    wf.web.allowed_origins = STR("*");
    wf.web.strangers.limits[STRANGER_MEMORY] = 8 << 20;
    wf.web.strangers.limits[STRANGER_DISK] = 64 << 20;
    assert_ok(web_open(CTX, &wf.web));
    const struct http_server_options server = {.host = "127.0.0.1"};
    assert_ok(http_server_start(CTX, &server, &web_handlers, &wf.web, &wf.server));
    wf.web.server = wf.server;
    assert_ok(http_client_open(CTX, &(struct http_client_options){.proxy = "", .tries = 1}, &wf.client));
    wf.base = arena_printf(wf.ctx.arena, "http://127.0.0.1:%u", http_server_port(wf.server));
    wf.admin = sign_in("admin");
    wf.user = sign_in("user");
    wf.viewer = sign_in("viewer");
    wf.token = wf.admin;
    return 0;
}

static inline int web_fixture_close(void **state)
{
    (void)state;
    http_client_close(wf.client);
    http_server_stop(wf.server, 1000);
    web_close(&wf.web);
    jobs_close(wf.web.jobs);
    site_close(&wf.site);
    assert_ok(dir_remove_tree(CTX, wf.dir.p));
    ctx_close(CTX);
    return 0;
}

static inline struct json call_http(struct http_call *call)
{
    struct json v = JSON_ABSENT;
    call->bearer = wf.token;
    call->answer_max = 256 << 20;
    assert_ok(http_client_call(CTX, wf.client, call, &wf.answer));
    json_try_parse(wf.ctx.arena, wf.answer.body, &v);
    return v;
}

/* GET of path and query, as written. */
static inline struct json ask(const char *path_and_query)
{
    struct http_call call = {.url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), path_and_query)};
    return call_http(&call);
}

/* POST with name, value, …, NULL; f=json comes on its own. */
static inline struct json post(const char *path, ...)
{
    struct form form = FORM_INIT(50, 64 << 20, 64 << 20);
    assert_ok(form_add(CTX, &form, STR("f"), STR("json")));
    va_list args;
    va_start(args, path);
    for (const char *name; (name = va_arg(args, const char *)) != NULL;)
        assert_ok(form_add(CTX, &form, str_c(name), str_c(va_arg(args, const char *))));
    va_end(args);
    struct http_call call = {
        .url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), path), .method = HTTP_POST, .form = &form};
    return call_http(&call);
}

static inline str at(struct json v, const char *pointer)
{
    struct json found = json_at_pointer(v, str_c(pointer));
    return json_is(found, JSON_STRING) ? json_string(found, wf.ctx.arena) : json_raw(found);
}

/* The value at a pointer, as its text without quotes. */
#define assert_at(v, pointer, literal)                                                                                           \
    do {                                                                                                                         \
        str assert_at_ = at((v), (pointer));                                                                                     \
        if (!str_eq(assert_at_, STR(literal)))                                                                                   \
            fail_msg("%s is \"%.*s\", not \"%s\", in %.*s", pointer, STR_FMT(assert_at_), literal,                               \
                     STR_FMT(str_sub(wf.answer.body, 0, 2000)));                                                                 \
    } while (0)

#endif
