/* net/http_client against net/http_server: what is sent arrives, what is answered comes back, retries happen where they are
 * harmless and nowhere else, and no secret shows in an error. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/multipart.h"
#include "net/http_client.h"
#include "net/http_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { BODY_MAX = 4 << 20 };

/* Self-signed for 127.0.0.1 and localhost, until 2126. Made for this test; the key protects nothing. */
static const char CERTIFICATE[] = "-----BEGIN CERTIFICATE-----\n"
                                  "MIIBnDCCAUGgAwIBAgIUGznRrYSg4IRMLgKTcrjZavVtT0YwCgYIKoZIzj0EAwIw\n"
                                  "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjEyMzMyMloYDzIxMjYxMDI5\n"
                                  "MTIzMzIyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
                                  "PQMBBwNCAAQNLQUZsel2Yc+LNJxru+iXuR6r+8rUFShGMn22kp+8BbsaqK2E9Pt1\n"
                                  "bPmvkrNq7i2Ekgdg2J1cava9woOBQDkgo28wbTAdBgNVHQ4EFgQU4uLab/3q1yQf\n"
                                  "uYrV5jr1oxosv+IwHwYDVR0jBBgwFoAU4uLab/3q1yQfuYrV5jr1oxosv+IwDwYD\n"
                                  "VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI\n"
                                  "zj0EAwIDSQAwRgIhAN0IcEYLQNl3X7ZHyIHRpNVIrPoSeGbooQmMn/msciuVAiEA\n"
                                  "6P/+zTleohQ3YsfPLdl5QX82WE88RFU/8nSKvEp3fLg=\n"
                                  "-----END CERTIFICATE-----\n";
static const char PRIVATE_KEY[] = "-----BEGIN PRIVATE KEY-----\n"
                                  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTPd+RaPvmleU9zgQ\n"
                                  "xnWvAKuKtLMCMOIgctoNv85cZlWhRANCAAQNLQUZsel2Yc+LNJxru+iXuR6r+8rU\n"
                                  "FShGMn22kp+8BbsaqK2E9Pt1bPmvkrNq7i2Ekgdg2J1cava9woOBQDkg\n"
                                  "-----END PRIVATE KEY-----\n";

/* --- the server --- */

struct app {
    struct http_server *server;
    atomic_int requests; /* of this test */
    atomic_int failures; /* how many of the next requests to /flaky fail */
    int status;          /* with which */
    const char *retry_after;
    const char *elsewhere; /* where /redirect leads */
};

/* What a request brought: the body, or the story of a multipart body. */
struct taken {
    struct buf body;
    struct form fields;
    struct multipart *multipart;
};

static int on_file(struct ctx *ctx, void *arg, const struct multipart_file *file)
{
    (void)ctx;
    struct taken *t = arg;
    buf_printf(&t->body, "<%.*s|%.*s|%.*s|", STR_FMT(file->name), STR_FMT(file->filename), STR_FMT(file->content_type));
    return RC_OK;
}

static int on_file_data(struct ctx *ctx, void *arg, str piece)
{
    (void)ctx;
    buf_add(&((struct taken *)arg)->body, piece);
    return RC_OK;
}

static int on_file_end(struct ctx *ctx, void *arg)
{
    (void)ctx;
    buf_add_char(&((struct taken *)arg)->body, '>');
    return RC_OK;
}

static int app_begin(struct ctx *ctx, void *arg, struct http_request *rq)
{
    static const struct multipart_events events = {on_file, on_file_data, on_file_end};
    struct app *app = arg;
    atomic_fetch_add(&app->requests, 1);
    struct taken *t = mem_new(struct taken);
    t->body = BUF_INIT(BODY_MAX);
    t->fields = FORM_INIT(100, 10000, 100000);
    rq->state = t;
    rq->body_limit = BODY_MAX;
    str type = http_headers_get(&rq->headers, STR("Content-Type"));
    if (!multipart_is(type))
        return RC_OK;
    struct multipart_options options = {.fields = &t->fields, .events = &events, .arg = t, .header_bytes = 8192, .parts = 100};
    return multipart_open(ctx, type, &options, &t->multipart);
}

static int app_body(struct ctx *ctx, void *arg, struct http_request *rq, str piece)
{
    (void)arg;
    struct taken *t = rq->state;
    if (t->multipart)
        return multipart_push(ctx, t->multipart, piece);
    buf_add(&t->body, piece);
    return RC_OK;
}

static void show_request(struct ctx *ctx, struct http_request *rq, struct taken *t, struct http_response *answer)
{
    struct buf b = BUF_INIT(BODY_MAX);
    if (t->multipart && multipart_finish(ctx, t->multipart) != RC_OK)
        buf_printf(&b, "%s", err_text(ctx));
    buf_printf(&b, "%s %.*s?%.*s ", http_method_name(rq->method), STR_FMT(rq->path), STR_FMT(rq->query));
    for (size_t i = 0; i < t->fields.count; i++)
        buf_printf(&b, "[%.*s=%.*s]", STR_FMT(t->fields.fields[i].name), STR_FMT(t->fields.fields[i].value));
    buf_add(&b, buf_str(&t->body));
    http_response_header(ctx, answer, STR("X-Type"), http_headers_get(&rq->headers, STR("Content-Type")));
    http_response_header(ctx, answer, STR("X-Auth"), http_headers_get(&rq->headers, STR("Authorization")));
    http_response_header(ctx, answer, STR("X-Mine"), http_headers_get(&rq->headers, STR("X-Own")));
    http_response_buf(answer, &b);
}

static void app_finish(struct ctx *ctx, void *arg, struct http_request *rq, int rc, struct http_response *answer)
{
    struct app *app = arg;
    str path = rq->path;
    if (rc != RC_OK) {
        answer->status = ctx->err.kind->http;
        http_response_bytes(answer, arena_str(ctx->arena, str_c(err_text(ctx))));
    } else if (str_eq(path, STR("/flaky")) && atomic_fetch_sub(&app->failures, 1) > 0) {
        answer->status = app->status;
        if (app->retry_after)
            http_response_header(ctx, answer, STR("Retry-After"), str_c(app->retry_after));
        http_response_bytes(answer, STR("not now"));
    } else if (str_eq(path, STR("/redirect"))) {
        answer->status = 302;
        http_response_header(ctx, answer, STR("Location"), str_c(app->elsewhere));
    } else if (str_eq(path, STR("/circle"))) {
        answer->status = 302;
        http_response_header(ctx, answer, STR("Location"), STR("/circle"));
    } else if (str_eq(path, STR("/ftp"))) {
        answer->status = 302;
        http_response_header(ctx, answer, STR("Location"), STR("file:///etc/hostname"));
    } else if (str_eq(path, STR("/missing"))) {
        answer->status = 404;
        http_response_bytes(answer, STR("no such thing"));
    } else if (str_eq(path, STR("/mb"))) {
        http_response_bytes(answer, str_of(arena_alloc(ctx->arena, 1 << 20), 1 << 20));
    } else if (str_eq(path, STR("/gzip"))) {
        http_response_header(ctx, answer, STR("Content-Encoding"), STR("gzip"));
        http_response_bytes(
            answer, STR("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"));
    } else if (str_eq(path, STR("/silence"))) {
        while (ctx_check(ctx) == RC_OK) { /* until the server stops */
            struct timespec t = {.tv_nsec = 1000000};
            nanosleep(&t, NULL);
        }
    } else {
        show_request(ctx, rq, rq->state, answer);
    }
}

static void app_end(struct ctx *ctx, void *arg, struct http_request *rq, const struct http_response *answer, bool sent)
{
    (void)ctx, (void)arg, (void)answer, (void)sent;
    struct taken *t = rq->state;
    multipart_close(t->multipart);
    buf_free(&t->body);
    mem_free(t);
}

static const struct http_handlers handlers = {.begin = app_begin, .body = app_body, .finish = app_finish, .end = app_end};

/* --- fixtures --- */

static struct ctx ctx;
static struct app app;
static struct http_client *client;

static void start(struct app *a, const char *cert_file, const char *key_file)
{
    struct http_server_options options = {.host = "127.0.0.1", .cert_file = cert_file, .key_file = key_file};
    if (http_server_start(&ctx, &options, &handlers, a, &a->server) != RC_OK)
        fail_msg("%s", err_text(&ctx));
}

static struct http_client *open_client(struct http_client_options options)
{
    struct http_client *c = NULL;
    options.backoff_ms = options.backoff_ms ? options.backoff_ms : 1;
    options.proxy = options.proxy ? options.proxy : "";
    assert_int_equal(http_client_open(&ctx, &options, &c), RC_OK);
    return c;
}

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    memset(&app, 0, sizeof app);
    start(&app, NULL, NULL);
    client = open_client((struct http_client_options){0});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    http_client_close(client);
    http_server_stop(app.server, 0);
    ctx_close(&ctx);
    return 0;
}

static str url_to(const struct app *a, const char *scheme, const char *target)
{
    return arena_printf(ctx.arena, "%s://127.0.0.1:%u%s", scheme, http_server_port(a->server), target);
}

static str url(const char *target) { return url_to(&app, "http", target); }

static struct http_answer call(struct http_call c)
{
    struct http_answer answer;
    if (http_client_call(&ctx, client, &c, &answer) != RC_OK)
        fail_msg("%s", err_text(&ctx));
    return answer;
}

#define assert_text(s, text) assert_string_equal((s).p, (text))

/* --- tests --- */

static void methods_arrive(void **state)
{
    (void)state;
    assert_text(call((struct http_call){.url = url("/a%20b?x=1&y=%2F")}).body, "GET /a%20b?x=1&y=%2F ");
    assert_text(call((struct http_call){.url = url("/p"), .method = HTTP_POST}).body, "POST /p? ");
    assert_text(call((struct http_call){.url = url("/p"), .method = HTTP_DELETE}).body, "DELETE /p? ");
    struct http_answer head = call((struct http_call){.url = url("/mb"), .method = HTTP_HEAD});
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body.n, 0);
    assert_true(str_eq(http_headers_get(&head.headers, STR("content-length")), STR("1048576")));
}

static void forms_arrive(void **state)
{
    (void)state;
    struct form f = FORM_INIT(10, 1000, 1000);
    assert_int_equal(form_add(&ctx, &f, STR("f"), STR("json")), RC_OK);
    assert_int_equal(form_add(&ctx, &f, STR("text"), STR("{\"a\": \"\xE6\x9D\xB1 & +\"}")), RC_OK);
    struct http_answer answer = call((struct http_call){.url = url("/form"), .form = &f});
    assert_text(answer.body, "POST /form? f=json&text=%7B%22a%22%3A%20%22%E6%9D%B1%20%26%20%2B%22%7D");
    assert_true(str_eq(http_headers_get(&answer.headers, STR("X-Type")), STR("application/x-www-form-urlencoded")));
    struct form none = FORM_INIT(1, 1, 1);
    assert_text(call((struct http_call){.url = url("/form"), .form = &none}).body, "POST /form? ");
}

static void own_headers_and_the_bearer_arrive(void **state)
{
    (void)state;
    struct http_call c = {.url = url("/"), .bearer = STR("tok-1")};
    http_headers_add(ctx.arena, &c.headers, STR("X-Own"), STR("mine"));
    struct http_answer answer = call(c);
    assert_true(str_eq(http_headers_get(&answer.headers, STR("X-Auth")), STR("Bearer tok-1")));
    assert_true(str_eq(http_headers_get(&answer.headers, STR("X-Mine")), STR("mine")));
    answer = call((struct http_call){.url = url("/")});
    assert_true(str_eq(http_headers_get(&answer.headers, STR("X-Auth")), STR("")));
}

static void multipart_is_streamed(void **state)
{
    (void)state;
    size_t size = 3 << 20;
    char *data = arena_alloc(ctx.arena, size);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)("\r\n--0123456789"[i % 14]);
    CLEANUP(reader_cleanup) struct reader *reader = reader_mem(str_of(data, size));
    const struct http_part parts[] = {
        {.name = STR("f"), .value = STR("json"), .filename = STR_NONE},
        {.name = STR("file"),
         .filename = STR("\xE6\x9D\xB1 \"q\" \xC3\xBC.csv"),
         .content_type = STR("text/csv"),
         .reader = reader,
         .length = size},
        {.name = STR("empty"), .filename = STR("e"), .value = STR("")},
    };
    struct http_answer answer =
        call((struct http_call){.url = url("/up?token=x"), .parts = parts, .part_count = COUNT_OF(parts)});
    str expected = arena_printf(
        ctx.arena,
        "POST /up?token=x [f=json]<file|\xE6\x9D\xB1 \"q\" \xC3\xBC.csv|text/csv|%.*s><empty|e|application/octet-stream|>",
        (int)size, data);
    assert_int_equal(answer.body.n, expected.n);
    assert_memory_equal(answer.body.p, expected.p, expected.n);
}

static void a_reader_that_is_too_short_is_an_error(void **state)
{
    (void)state;
    CLEANUP(reader_cleanup) struct reader *reader = reader_mem(STR("four"));
    const struct http_part part = {.name = STR("file"), .filename = STR("x"), .reader = reader, .length = 5};
    struct http_call c = {.url = url("/up"), .parts = &part, .part_count = 1, .idempotent = true};
    struct http_answer answer;
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
    assert_non_null(strstr(err_text(&ctx), "shorter than announced"));
    assert_int_equal(answer.tries, 1);
}

static void downloads_go_to_the_writer(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf got = BUF_INIT(2 << 20);
    CLEANUP(writer_cleanup) struct writer *writer = writer_buf(&got);
    struct http_answer answer = call((struct http_call){.url = url("/mb"), .to = writer});
    assert_int_equal(got.n, 1 << 20);
    assert_int_equal(answer.body.n, 0);
    assert_int_equal(answer.body_bytes, 1 << 20);
    /* A refusal is not content. */
    answer = call((struct http_call){.url = url("/missing"), .to = writer});
    assert_int_equal(got.n, 1 << 20);
    assert_text(answer.body, "no such thing");
    /* Stored bytes stay as the server has them; texts are unpacked. */
    buf_clear(&got);
    call((struct http_call){.url = url("/gzip"), .to = writer});
    assert_int_equal(got.n, 25);
    assert_text(call((struct http_call){.url = url("/gzip")}).body, "hello");
}

static void answers_have_a_limit(void **state)
{
    (void)state;
    struct http_answer answer;
    struct http_call c = {.url = url("/mb"), .answer_max = 1000};
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    err_clear(&ctx);
    CLEANUP(buf_free) struct buf small = BUF_INIT(1000);
    CLEANUP(writer_cleanup) struct writer *writer = writer_buf(&small);
    c = (struct http_call){.url = url("/mb"), .to = writer};
    assert_int_not_equal(http_client_call(&ctx, client, &c, &answer), RC_OK);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    assert_int_equal(answer.tries, 1);
}

static void one_connection_is_reused(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        call((struct http_call){.url = url("/")});
    struct http_counters counters;
    http_server_counters(app.server, &counters);
    assert_int_equal(counters.requests, 5);
    assert_int_equal(counters.connections, 1);
}

static void harmless_calls_are_tried_again(void **state)
{
    (void)state;
    static const int statuses[] = {429, 502, 503, 504};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        app.status = statuses[i];
        atomic_store(&app.failures, 2);
        struct http_answer answer = call((struct http_call){.url = url("/flaky")});
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.tries, 3);
        assert_text(answer.body, "GET /flaky? ");
    }
    /* A POST that is said to be harmless. */
    struct form f = FORM_INIT(1, 10, 10);
    assert_int_equal(form_add(&ctx, &f, STR("f"), STR("json")), RC_OK);
    atomic_store(&app.failures, 1);
    struct http_answer answer = call((struct http_call){.url = url("/flaky"), .form = &f, .idempotent = true});
    assert_int_equal(answer.tries, 2);
    assert_text(answer.body, "POST /flaky? f=json");
    /* Not for ever: the last answer is the answer. */
    atomic_store(&app.failures, 100);
    answer = call((struct http_call){.url = url("/flaky")});
    assert_int_equal(answer.tries, 4);
    assert_int_equal(answer.status, 504);
    assert_text(answer.body, "not now");
}

static void other_calls_are_not(void **state)
{
    (void)state;
    app.status = 503;
    atomic_store(&app.failures, 100);
    assert_int_equal(call((struct http_call){.url = url("/flaky"), .method = HTTP_POST}).tries, 1);
    app.status = 500;
    assert_int_equal(call((struct http_call){.url = url("/flaky")}).tries, 1);
    assert_int_equal(call((struct http_call){.url = url("/missing")}).tries, 1);
    /* What was read for a first try is gone. */
    app.status = 503;
    CLEANUP(reader_cleanup) struct reader *reader = reader_mem(STR("once"));
    const struct http_part part = {.name = STR("file"), .filename = STR("x"), .reader = reader, .length = 4};
    struct http_answer answer =
        call((struct http_call){.url = url("/flaky"), .parts = &part, .part_count = 1, .idempotent = true});
    assert_int_equal(answer.tries, 1);
    assert_int_equal(answer.status, 503);
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    app.status = 429;
    app.retry_after = "1";
    atomic_store(&app.failures, 1);
    int64_t before = clock_system.monotonic_ms(&clock_system);
    assert_int_equal(call((struct http_call){.url = url("/flaky")}).tries, 2);
    assert_true(clock_system.monotonic_ms(&clock_system) - before >= 990);
}

static void waiting_can_be_cancelled(void **state)
{
    (void)state;
    app.status = 503;
    app.retry_after = "100000";
    atomic_store(&app.failures, 1);
    ctx.deadline_ms = clock_system.monotonic_ms(&clock_system) + 300;
    struct http_answer answer;
    struct http_call c = {.url = url("/flaky")};
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_CANCELED);
    err_clear(&ctx);
    c.url = url("/silence");
    ctx.deadline_ms = clock_system.monotonic_ms(&clock_system) + 300;
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_CANCELED);
    ctx.deadline_ms = 0;
}

static void a_stall_ends_the_call(void **state)
{
    (void)state;
    struct http_answer answer;
    struct http_call c = {.url = url("/silence?token=sesame"), .stall_seconds = 1};
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_IO));
    assert_null(strstr(err_text(&ctx), "sesame"));
    assert_int_equal(atomic_load(&app.requests), 1);
}

/* A port where nobody listens: that of a server that has just stopped. */
static void errors_name_the_host_and_no_secret(void **state)
{
    (void)state;
    struct app gone = {0};
    start(&gone, NULL, NULL);
    str target = url_to(&gone, "http", "/sharing/rest?token=sesame");
    unsigned port = http_server_port(gone.server);
    http_server_stop(gone.server, 0);
    struct http_answer answer;
    struct http_call c = {.url = target, .bearer = STR("sesame")};
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_IO));
    assert_non_null(strstr(err_text(&ctx), arena_printf(ctx.arena, "GET http://127.0.0.1:%u/sharing/rest: ", port).p));
    assert_non_null(strstr(ctx.err.details[1], "after 4 tries"));
    assert_null(strstr(err_text(&ctx), "sesame"));
    err_clear(&ctx);
    c = (struct http_call){.url = target, .method = HTTP_POST};
    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
    assert_int_equal(answer.tries, 1);
    err_clear(&ctx);
    static const char *const bad[] = {"", "token=sesame", "ftp://127.0.0.1/", "file:///etc/hostname", "http://h/a b?sesame"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        c = (struct http_call){.url = str_c(bad[i])};
        assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_INVALID));
        assert_null(strstr(err_text(&ctx), "sesame"));
        err_clear(&ctx);
    }
}

static void statuses_become_errors_when_asked(void **state)
{
    (void)state;
    struct http_call c = {.url = url("/missing?token=sesame")};
    struct http_answer answer = call(c);
    assert_int_equal(http_client_expect(&ctx, &c, &answer), RC_NOT_FOUND);
    assert_true(err_is(&ctx, &ERR_MISSING));
    assert_string_equal(err_text(&ctx), arena_printf(ctx.arena, "GET %.*s: answered 404 Not Found", STR_FMT(url("/missing"))).p);
    err_clear(&ctx);
    static const struct {
        int status;
        const struct err_kind *kind;
    } rows[] = {{429, &ERR_BUSY}, {503, &ERR_BUSY}, {500, &ERR_IO}, {302, &ERR_IO}, {400, &ERR_IO}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        answer.status = rows[i].status;
        assert_int_equal(http_client_expect(&ctx, &c, &answer), RC_FAIL);
        assert_true(err_is(&ctx, rows[i].kind));
        err_clear(&ctx);
    }
    answer.status = 206;
    assert_int_equal(http_client_expect(&ctx, &c, &answer), RC_OK);
}

static void redirects_are_followed_without_the_bearer(void **state)
{
    (void)state;
    struct app other = {0};
    start(&other, NULL, NULL);
    app.elsewhere = url_to(&other, "http", "/there").p;
    struct http_answer answer = call((struct http_call){.url = url("/redirect"), .bearer = STR("sesame")});
    assert_text(answer.body, "GET /there? ");
    assert_true(str_eq(http_headers_get(&answer.headers, STR("X-Auth")), STR("")));
    assert_true(str_none(http_headers_get(&answer.headers, STR("Location"))));
    app.elsewhere = "/here";
    answer = call((struct http_call){.url = url("/redirect"), .bearer = STR("sesame")});
    assert_true(str_eq(http_headers_get(&answer.headers, STR("X-Auth")), STR("Bearer sesame")));
    assert_int_equal(call((struct http_call){.url = url("/redirect"), .method = HTTP_POST}).status, 302);
    http_server_stop(other.server, 0);
    static const char *const bad[] = {"/circle", "/ftp"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct http_call c = {.url = url(bad[i])};
        assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
        err_clear(&ctx);
    }
}

static void tls_is_checked(void **state)
{
    (void)state;
    str dir;
    assert_int_equal(dir_temp(&ctx, NULL, &dir), RC_OK);
    const char *cert = arena_printf(ctx.arena, "%s/cert.pem", dir.p).p, *key = arena_printf(ctx.arena, "%s/key.pem", dir.p).p;
    assert_int_equal(file_write_all(&ctx, cert, str_c(CERTIFICATE), 0600), RC_OK);
    assert_int_equal(file_write_all(&ctx, key, str_c(PRIVATE_KEY), 0600), RC_OK);
    struct app secure = {0};
    start(&secure, cert, key);
    struct http_call c = {.url = url_to(&secure, "https", "/x?token=sesame")};
    struct http_answer answer;

    assert_int_equal(http_client_call(&ctx, client, &c, &answer), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_IO));
    assert_non_null(strstr(err_text(&ctx), "ertificate"));
    assert_int_equal(answer.tries, 1);
    err_clear(&ctx);

    struct http_client *trusting[] = {open_client((struct http_client_options){.ca_file = cert}),
                                      open_client((struct http_client_options){.insecure = true})};
    for (size_t i = 0; i < COUNT_OF(trusting); i++) {
        assert_int_equal(http_client_call(&ctx, trusting[i], &c, &answer), RC_OK);
        assert_text(answer.body, "GET /x?token=sesame ");
        http_client_close(trusting[i]);
    }
    http_server_stop(secure.server, 0);
    assert_int_equal(dir_remove_tree(&ctx, dir.p), RC_OK);
}

static void a_proxy_is_asked(void **state)
{
    (void)state;
    struct http_client *c = open_client((struct http_client_options){.proxy = url("").p});
    struct http_call via = {.url = STR("http://portal.invalid/x?y=1")};
    struct http_answer answer;
    assert_int_equal(http_client_call(&ctx, c, &via, &answer), RC_OK);
    assert_text(answer.body, "GET /x?y=1 ");
    http_client_close(c);
    struct http_client_options bad = {.proxy = "sesame"};
    assert_int_equal(http_client_open(&ctx, &bad, &c), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
}

static void *many_calls(void *arg)
{
    struct ctx own;
    ctx_open(&own);
    struct http_call c = {.url = *(const str *)arg};
    for (int i = 0; i < 50; i++) {
        struct http_answer answer;
        if (http_client_call(&own, client, &c, &answer) != RC_OK || answer.status != 200 || answer.body.n == 0)
            abort();
    }
    ctx_close(&own);
    return NULL;
}

static void threads_share_a_client(void **state)
{
    (void)state;
    pthread_t threads[8];
    str target = url("/t");
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_calls, &target), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&app.requests), 400);
    struct http_counters counters;
    http_server_counters(app.server, &counters);
    assert_true(counters.connections <= 8);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(methods_arrive),
        T(forms_arrive),
        T(own_headers_and_the_bearer_arrive),
        T(multipart_is_streamed),
        T(a_reader_that_is_too_short_is_an_error),
        T(downloads_go_to_the_writer),
        T(answers_have_a_limit),
        T(one_connection_is_reused),
        T(harmless_calls_are_tried_again),
        T(other_calls_are_not),
        T(retry_after_is_honoured),
        T(waiting_can_be_cancelled),
        T(a_stall_ends_the_call),
        T(errors_name_the_host_and_no_secret),
        T(statuses_become_errors_when_asked),
        T(redirects_are_followed_without_the_bearer),
        T(tls_is_checked),
        T(a_proxy_is_asked),
        T(threads_share_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
