/* net/http_server against raw sockets, so that the tests decide every byte and every cut: lengths, refusals, broken and slow
 * clients, streamed answers, stopping. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { LIMIT = 1000, BIG = 8 << 20, WAIT_MS = 20000, SLOW_MS = 2200 };

/* --- the application: the path says what it does --- */

struct app {
    struct http_server *server;
    sem_t ended;   /* posted by each end */
    sem_t reached; /* posted by /wait and /until-cancelled when they run */
    sem_t go_on;   /* awaited by /wait */
    atomic_int begins, ends, whole, unanswered;
    int fd; /* of a file "0123456789" */
};

struct request_state {
    struct buf body;
};

/* Gives "abc" again and again until `left` bytes are out; fails there when told so. */
struct abc_reader {
    struct reader base;
    size_t left;
    bool fails;
    bool slow; /* longer than the idle time of the tests about idleness, at each read */
};

static atomic_int open_readers;

static void sleep_ms(int ms) { poll(NULL, 0, ms); }

static int abc_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    struct abc_reader *abc = (struct abc_reader *)r;
    if (abc->left == 0 && abc->fails)
        return err_set(ctx, &ERR_IO, "the source broke");
    *got = n < abc->left ? n : abc->left;
    if (abc->slow)
        sleep_ms(SLOW_MS);
    for (size_t i = 0; i < *got; i++)
        ((char *)p)[i] = 'a';
    abc->left -= *got;
    return RC_OK;
}

static void abc_close(struct reader *r)
{
    atomic_fetch_sub(&open_readers, 1);
    mem_free(r);
}

static struct reader *abc_open(size_t size, bool fails)
{
    struct abc_reader *r = mem_new(struct abc_reader);
    *r = (struct abc_reader){.base = {.read = abc_read, .close = abc_close}, .left = size, .fails = fails};
    atomic_fetch_add(&open_readers, 1);
    return &r->base;
}

static int app_begin(struct ctx *ctx, void *arg, struct http_request *rq)
{
    struct app *app = arg;
    atomic_fetch_add(&app->begins, 1);
    struct request_state *state = mem_new(struct request_state);
    state->body = BUF_INIT(BIG);
    rq->state = state;
    rq->body_limit = LIMIT;
    if (str_eq(rq->path, STR("/refuse")))
        return err_set(ctx, &ERR_UNSUPPORTED, "refused at begin");
    return RC_OK;
}

static int app_body(struct ctx *ctx, void *arg, struct http_request *rq, str piece)
{
    struct request_state *state = rq->state;
    if (str_eq(rq->path, STR("/refuse-body")))
        return err_set(ctx, &ERR_NO_SPACE, "refused in the body");
    if (str_eq(rq->path, STR("/slow-body"))) {
        sem_post(&((struct app *)arg)->reached);
        sleep_ms(SLOW_MS);
    }
    buf_add(&state->body, piece);
    return buf_check(&state->body, ctx, "body");
}

static void echo(struct ctx *ctx, struct http_request *rq, struct http_response *answer)
{
    struct request_state *state = rq->state;
    struct buf b = BUF_INIT(BIG);
    buf_printf(&b, "%s|%.*s|%s%.*s|%.*s|%lld|%.*s", http_method_name(rq->method), STR_FMT(rq->path),
               str_none(rq->query) ? "-" : "", STR_FMT(rq->query), STR_FMT(rq->remote), (long long)rq->body_length,
               STR_FMT(buf_str(&state->body)));
    str header = http_headers_get(&rq->headers, STR("x-test"));
    if (!str_none(header))
        buf_printf(&b, "|%.*s", STR_FMT(header));
    http_response_header(ctx, answer, STR("X-Injected"), STR("a\r\nSet-Cookie: b"));
    http_response_header(ctx, answer, STR("X-Id"), str_c(ctx->tag));
    http_response_buf(answer, &b);
}

static void app_finish(struct ctx *ctx, void *arg, struct http_request *rq, int rc, struct http_response *answer)
{
    struct app *app = arg;
    str path = rq->path;
    if (rc != RC_OK) {
        answer->status = ctx->err.kind->http;
        http_response_bytes(answer, arena_str(ctx->arena, str_c(err_text(ctx))));
    } else if (str_eq(path, STR("/chunks"))) {
        http_response_reader(answer, abc_open(200000, false), -1);
    } else if (str_eq(path, STR("/known"))) {
        http_response_reader(answer, abc_open(200000, false), 200000);
    } else if (str_eq(path, STR("/none"))) {
        http_response_reader(answer, abc_open(0, false), 0);
    } else if (str_eq(path, STR("/broken"))) {
        http_response_reader(answer, abc_open(1000, true), -1);
    } else if (str_eq(path, STR("/short"))) {
        http_response_reader(answer, abc_open(1000, false), 2000);
    } else if (str_eq(path, STR("/endless"))) {
        http_response_reader(answer, abc_open(SIZE_MAX, false), -1);
    } else if (str_eq(path, STR("/file"))) {
        http_response_fd(answer, dup(app->fd), 3, 4);
        answer->status = 206;
    } else if (str_eq(path, STR("/empty-file"))) {
        http_response_fd(answer, dup(app->fd), 3, 0);
    } else if (str_eq(path, STR("/wait"))) {
        sem_post(&app->reached);
        sem_wait(&app->go_on);
        http_response_bytes(answer, STR("waited"));
    } else if (str_eq(path, STR("/until-cancelled"))) {
        sem_post(&app->reached);
        while (ctx_check(ctx) == RC_OK)
            sleep_ms(1);
        http_response_bytes(answer, STR("cancelled"));
    } else if (str_eq(path, STR("/slow-stream"))) {
        struct reader *r = abc_open(1000, false);
        ((struct abc_reader *)r)->slow = true;
        http_response_reader(answer, r, 1000);
    } else if (str_eq(path, STR("/slow"))) {
        sleep_ms(SLOW_MS);
        http_response_bytes(answer, STR("slow"));
    } else {
        echo(ctx, rq, answer);
    }
}

static void app_end(struct ctx *ctx, void *arg, struct http_request *rq, const struct http_response *answer, bool sent)
{
    (void)ctx;
    struct app *app = arg;
    struct request_state *state = rq->state;
    buf_free(&state->body);
    mem_free(state);
    atomic_fetch_add(&app->ends, 1);
    atomic_fetch_add(&app->whole, sent);
    atomic_fetch_add(&app->unanswered, answer == NULL);
    sem_post(&app->ended);
}

static const struct http_handlers handlers = {.begin = app_begin, .body = app_body, .finish = app_finish, .end = app_end};

/* --- fixtures --- */

static struct ctx ctx;

static struct app *start(struct http_server_options options)
{
    struct app *app = mem_new(struct app);
    sem_init(&app->ended, 0, 0);
    sem_init(&app->reached, 0, 0);
    sem_init(&app->go_on, 0, 0);
    FILE *file = tmpfile();
    assert_non_null(file);
    app->fd = dup(fileno(file));
    fclose(file);
    assert_int_equal(write(app->fd, "0123456789", 10), 10);
    options.host = "127.0.0.1";
    if (http_server_start(&ctx, &options, &handlers, app, &app->server) != RC_OK)
        fail_msg("%s", err_text(&ctx));
    assert_in_range(http_server_port(app->server), 1, 65535);
    return app;
}

/* Stops the server when it still runs, checks that every request that began has ended. */
static void finish(struct app *app)
{
    http_server_stop(app->server, WAIT_MS);
    assert_int_equal(atomic_load(&app->begins), atomic_load(&app->ends));
    assert_int_equal(atomic_load(&open_readers), 0);
    close(app->fd);
    sem_destroy(&app->ended);
    sem_destroy(&app->reached);
    sem_destroy(&app->go_on);
    mem_free(app);
}

static int setup(void **state)
{
    ctx_open(&ctx);
    *state = start((struct http_server_options){0});
    return 0;
}

static int teardown(void **state)
{
    finish(*state);
    ctx_close(&ctx);
    return 0;
}

static int setup_ctx(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int teardown_ctx(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

/* --- the client: raw bytes --- */

static int dial(const struct app *app)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(app->server)),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

/* False when the peer does not take it any more. */
static bool say(int fd, str s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0)
            return false;
        s = str_of(s.p + n, s.n - (size_t)n);
    }
    return true;
}

static bool body_complete(str all, size_t head)
{
    str headers = str_sub(all, 0, head), body = str_sub(all, head, all.n);
    if (str_ifind(headers, STR("transfer-encoding: chunked"), 0) != SIZE_MAX)
        return str_ends(body, STR("0\r\n\r\n"));
    size_t at = str_ifind(headers, STR("content-length: "), 0);
    return at != SIZE_MAX && body.n >= strtoul(headers.p + at + 16, NULL, 10);
}

/* One answer, or what came until the connection ended; `has_body` false for answers to HEAD. In the arena. */
static str hear_one(int fd, bool has_body)
{
    struct buf b = BUF_INIT(BIG);
    for (;;) {
        size_t head = str_find(buf_str(&b), STR("\r\n\r\n"), 0);
        if (head != SIZE_MAX && (!has_body || body_complete(buf_str(&b), head + 4)))
            break;
        char *p = buf_reserve(&b, 4096);
        assert_non_null(p);
        ssize_t n = recv(fd, p, 4096, 0);
        if (n <= 0)
            break;
        buf_commit(&b, (size_t)n);
    }
    str all = arena_str(ctx.arena, buf_str(&b));
    buf_free(&b);
    return all;
}

static str hear(int fd) { return hear_one(fd, true); }

static str body_of(str answer)
{
    size_t head = str_find(answer, STR("\r\n\r\n"), 0);
    return head == SIZE_MAX ? STR_NONE : str_sub(answer, head + 4, answer.n);
}

static str ask(const struct app *app, const char *request)
{
    int fd = dial(app);
    assert_true(say(fd, str_c(request)));
    str answer = hear(fd);
    close(fd);
    return answer;
}

static bool has(str answer, const char *what) { return str_ifind(answer, str_c(what), 0) != SIZE_MAX; }

static bool ended_by_peer(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

#define assert_text(s, text) assert_string_equal((s).p, (text))
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* --- tests --- */

static void a_request_arrives_as_sent(void **state)
{
    struct app *app = *state;
    str answer = ask(app, "GET /a%20b/%C3%A9/../x?q=a+b%26&f=json&&x HTTP/1.1\r\nHost: h\r\nX-Test: v1\r\n\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 200 ")));
    assert_text(body_of(answer), "GET|/a%20b/%C3%A9/../x|q=a+b%26&f=json&&x|127.0.0.1|0||v1");
    assert_text(body_of(ask(app, GET("/"))), "GET|/|-|127.0.0.1|0|");
    assert_text(body_of(ask(app, GET("/?"))), "GET|/||127.0.0.1|0|");
    assert_text(body_of(ask(app, GET("http://h/abs?x=1"))), "GET|/abs|x=1|127.0.0.1|0|");
    assert_text(body_of(ask(app, "PATCH /p HTTP/1.1\r\nHost: h\r\n\r\n")), "PATCH|/p|-|127.0.0.1|0|");
    assert_text(body_of(ask(app, "BREW /p HTTP/1.1\r\nHost: h\r\n\r\n")), "?|/p|-|127.0.0.1|0|");
}

static void a_header_value_cannot_add_a_header(void **state)
{
    str answer = ask(*state, GET("/"));
    assert_true(has(answer, "\r\nX-Injected: a  Set-Cookie: b\r\n"));
    assert_false(has(answer, "\nSet-Cookie"));
    size_t at = str_find(answer, STR("X-Id: "), 0) + 6;
    for (size_t i = 0; i < 16; i++)
        assert_non_null(strchr("0123456789abcdef", answer.p[at + i]));
    assert_int_equal(answer.p[at + 16], '\r');
}

static void a_connection_serves_many_requests(void **state)
{
    int fd = dial(*state);
    for (int i = 0; i < 5; i++) {
        assert_true(say(fd, STR("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz")));
        assert_text(body_of(hear(fd)), "POST|/p|-|127.0.0.1|3|xyz");
    }
    close(fd);
}

static void head_has_length_and_no_body(void **state)
{
    static const char *const paths[] = {"/", "/known", "/file"};
    static const char *const lengths[] = {"Content-Length: 21\r\n", "Content-Length: 200000\r\n", "Content-Length: 4\r\n"};
    int fd = dial(*state);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_true(say(fd, arena_printf(ctx.arena, "HEAD %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i])));
        str answer = hear_one(fd, false);
        if (!has(answer, lengths[i]))
            fail_msg("%s", answer.p);
        assert_true(body_of(answer).n == 0);
    }
    close(fd);
}

static void bodies_in_chunks_arrive(void **state)
{
    str answer =
        ask(*state, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    assert_text(body_of(answer), "POST|/|-|127.0.0.1|-1|abcdefg");
}

static void bodies_in_single_bytes_arrive(void **state)
{
    int fd = dial(*state);
    str request = STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    for (size_t i = 0; i < request.n; i++)
        assert_true(say(fd, str_sub(request, i, i + 1)));
    assert_text(body_of(hear(fd)), "POST|/|-|127.0.0.1|5|hello");
    close(fd);
}

static str zeros(size_t n) { return str_of(arena_alloc(ctx.arena, n), n); }

static void a_body_at_the_limit_is_taken_and_one_beyond_is_not(void **state)
{
    int fd = dial(*state);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")));
    assert_true(say(fd, zeros(1000)));
    assert_true(str_starts(hear(fd), STR("HTTP/1.1 200")));
    /* Small excess: read and thrown away, the connection stays. */
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")));
    assert_true(say(fd, zeros(1001)));
    str answer = hear(fd);
    assert_true(str_starts(answer, STR("HTTP/1.1 413")));
    assert_text(body_of(answer), "the request's body is larger than 1000 bytes");
    assert_true(say(fd, STR(GET("/again"))));
    assert_text(body_of(hear(fd)), "GET|/again|-|127.0.0.1|0|");
    close(fd);
}

static void a_huge_body_is_refused_unread(void **state)
{
    /* Announced only. */
    int fd = dial(*state);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000000000\r\n\r\n")));
    str answer = hear(fd);
    assert_true(str_starts(answer, STR("HTTP/1.1 413")));
    assert_true(has(answer, "\r\nConnection: close\r\n"));
    assert_true(ended_by_peer(fd));
    close(fd);
    /* A client that sends it all before it listens sees the answer, too, not a reset. */
    fd = dial(*state);
    assert_true(say(fd, arena_printf(ctx.arena, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BIG)));
    assert_true(say(fd, zeros(BIG)));
    assert_true(str_starts(hear(fd), STR("HTTP/1.1 413")));
    close(fd);
}

static void a_body_in_chunks_beyond_the_limit_is_refused(void **state)
{
    str answer =
        ask(*state,
            arena_printf(ctx.arena, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n%.*s\r\n0\r\n\r\n",
                         1001, (const char *)memset(arena_alloc(ctx.arena, 1002), 'x', 1001))
                .p);
    assert_true(str_starts(answer, STR("HTTP/1.1 413")));
}

static void an_endless_body_is_cut_with_an_answer(void **state)
{
    int fd = dial(*state);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")));
    str chunk = zeros(0x100000);
    size_t sent = 0;
    while (sent < 64 && say(fd, STR("100000\r\n")) && say(fd, chunk) && say(fd, STR("\r\n")))
        sent++;
    assert_in_range(sent, 16, 63);
    close(fd);
    struct app *app = *state;
    sem_wait(&app->ended);
    struct http_counters counters;
    http_server_counters(app->server, &counters);
    assert_int_equal(counters.statuses[4], 1);
    assert_int_equal(counters.bytes_in, 0);

    /* One that stops to listen gets to read it. */
    fd = dial(app);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")));
    for (int i = 0; i < 17; i++)
        if (!say(fd, STR("100000\r\n")) || !say(fd, chunk) || !say(fd, STR("\r\n")))
            break;
    str answer = hear(fd);
    assert_true(str_starts(answer, STR("HTTP/1.1 413 Content Too Large\r\n")));
    assert_text(body_of(answer), "the request's body is larger than 1000 bytes");
    assert_true(ended_by_peer(fd));
    close(fd);
}

static void refusals_of_the_application_are_answered(void **state)
{
    struct app *app = *state;
    str answer = ask(app, GET("/refuse"));
    assert_true(str_starts(answer, STR("HTTP/1.1 400")));
    assert_text(body_of(answer), "refused at begin");
    answer = ask(app, "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    assert_text(body_of(answer), "refused at begin");
    answer = ask(app, "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n");
    assert_text(body_of(answer), "refused at begin");
    assert_true(has(answer, "\r\nConnection: close\r\n"));
    answer = ask(app, "POST /refuse-body HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    assert_true(str_starts(answer, STR("HTTP/1.1 507")));
    assert_text(body_of(answer), "refused in the body");
}

static void two_lengths_are_refused(void **state)
{
    str answer = ask(*state, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 400")));
    answer = ask(*state, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 400")) || answer.n == 0);
}

static void odd_targets_are_refused(void **state)
{
    static const char *const odd[] = {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", GET("x"), GET("?a=/"), GET("ftp://h/x")};
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        assert_true(str_starts(ask(*state, odd[i]), STR("HTTP/1.1 400")));
    assert_text(body_of(ask(*state, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")), "OPTIONS|*|-|127.0.0.1|0|");
}

static void headers_have_a_limit(void **state)
{
    struct app *app = *state;
    int fd = dial(app);
    assert_true(say(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n")));
    str line = arena_printf(ctx.arena, "X-Long: %.*s\r\n", 1000, (const char *)memset(arena_alloc(ctx.arena, 1001), 'x', 1000));
    for (int i = 0; i < 100 && say(fd, line); i++) {
    }
    say(fd, STR("\r\n"));
    assert_true(str_starts(hear(fd), STR("HTTP/1.1 431")));
    close(fd);
    assert_int_equal(atomic_load(&app->begins), 0);
}

static void broken_requests_do_not_reach_the_application(void **state)
{
    struct app *app = *state;
    static const char *const broken[] = {"\r\n\r\n\r\n", "nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                         "GET / HTTP/1.1\r\nno colon\r\n\r\n"};
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        int fd = dial(app);
        assert_true(say(fd, str_c(broken[i])));
        shutdown(fd, SHUT_WR);
        str answer = hear(fd);
        assert_false(str_starts(answer, STR("HTTP/1.1 200")));
        close(fd);
    }
    assert_int_equal(atomic_load(&app->begins), 0);
}

static void a_client_that_goes_away_leaves_nothing(void **state)
{
    struct app *app = *state;
    int fd = dial(app);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\nonly this")));
    close(fd);
    sem_wait(&app->ended);
    assert_int_equal(atomic_load(&app->unanswered), 1);
    assert_int_equal(atomic_load(&app->whole), 0);
    /* In the middle of the answer. */
    fd = dial(app);
    assert_true(say(fd, STR(GET("/endless"))));
    char some[1000];
    assert_true(recv(fd, some, sizeof some, 0) > 0);
    close(fd);
    sem_wait(&app->ended);
    assert_int_equal(atomic_load(&app->unanswered), 1);
    assert_int_equal(atomic_load(&app->whole), 0);
    struct http_counters counters;
    http_server_counters(app->server, &counters);
    assert_int_equal(counters.broken, 2);
}

/* The data of a chunked body. */
static str unchunked(str body)
{
    struct buf b = BUF_INIT(BIG);
    for (;;) {
        char *end;
        size_t n = strtoul(body.p, &end, 16);
        if (n == 0)
            break;
        size_t head = (size_t)(end - body.p) + 2;
        buf_add(&b, str_sub(body, head, head + n));
        body = str_sub(body, head + n + 2, body.n);
    }
    str all = arena_str(ctx.arena, buf_str(&b));
    buf_free(&b);
    return all;
}

static void answers_are_streamed(void **state)
{
    struct app *app = *state;
    str answer = ask(app, GET("/chunks"));
    assert_true(has(answer, "Transfer-Encoding: chunked"));
    str data = unchunked(body_of(answer));
    assert_int_equal(data.n, 200000);
    assert_int_equal(strspn(data.p, "a"), 200000);
    answer = ask(app, GET("/known"));
    assert_true(has(answer, "Content-Length: 200000\r\n"));
    assert_int_equal(body_of(answer).n, 200000);
    answer = ask(app, GET("/none"));
    assert_true(has(answer, "Content-Length: 0\r\n"));
}

static void files_are_sent_in_part(void **state)
{
    struct app *app = *state;
    str answer = ask(app, GET("/file"));
    assert_true(str_starts(answer, STR("HTTP/1.1 206")));
    assert_text(body_of(answer), "3456");
    assert_true(has(ask(app, GET("/empty-file")), "Content-Length: 0\r\n"));
}

static void an_answer_that_breaks_is_not_ended_as_if_whole(void **state)
{
    struct app *app = *state;
    static const char *const requests[] = {GET("/broken"), GET("/short")};
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int fd = dial(app);
        assert_true(say(fd, str_c(requests[i])));
        str answer = hear(fd);
        assert_true(str_starts(answer, STR("HTTP/1.1 200")));
        assert_false(str_ends(answer, STR("0\r\n\r\n")));
        assert_true(body_of(answer).n < 2000);
        assert_true(ended_by_peer(fd));
        close(fd);
        sem_wait(&app->ended);
    }
    assert_int_equal(atomic_load(&app->whole), 0);
}

static void counters_count(void **state)
{
    struct app *app = *state;
    ask(app, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz");
    sem_wait(&app->ended);
    ask(app, GET("/file"));
    sem_wait(&app->ended);
    ask(app, GET("/known"));
    sem_wait(&app->ended);
    ask(app, "HEAD /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    sem_wait(&app->ended);
    ask(app, GET("/refuse"));
    sem_wait(&app->ended);
    struct http_counters c;
    http_server_counters(app->server, &c);
    assert_int_equal(c.connections, 5);
    assert_int_equal(c.requests, 5);
    assert_int_equal(c.bytes_in, 3);
    assert_int_equal(c.statuses[2], 4);
    assert_int_equal(c.statuses[4], 1);
    assert_int_equal(c.broken, 0);
    assert_int_equal(c.bytes_out, strlen("POST|/|-|127.0.0.1|3|xyz") + 4 + 200000 + strlen("refused at begin"));
}

static void time_in_a_handler_is_not_idleness(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.idle_seconds = 1});
    assert_text(body_of(ask(app, GET("/slow"))), "slow");
    assert_int_equal(body_of(ask(app, GET("/slow-stream"))).n, 1000);
    int fd = dial(app);
    assert_true(say(fd, STR("POST /slow-body HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc")));
    sem_wait(&app->reached);
    sleep_ms(SLOW_MS - 200);
    assert_true(say(fd, STR("def")));
    assert_text(body_of(hear(fd)), "POST|/slow-body|-|127.0.0.1|6|abcdef");
    close(fd);
    finish(app);
}

static void a_slow_client_is_cut(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.idle_seconds = 1, .head_seconds = 1});
    int fd = dial(app), silent = dial(app);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")));
    assert_true(say(silent, STR("GET / HT")));
    assert_true(ended_by_peer(fd));
    hear(silent); /* may be told 408 */
    sem_wait(&app->ended);
    assert_int_equal(atomic_load(&app->unanswered), 1);
    close(fd);
    close(silent);
    finish(app);
}

/* --- the gate --- */

static int served(const struct app *app)
{
    int fd = dial(app);
    assert_true(say(fd, STR(GET("/"))));
    assert_true(str_starts(hear(fd), STR("HTTP/1.1 200")));
    return fd;
}

static void who_says_nothing_takes_nobodys_place(void **state)
{
    (void)state;
    static const char *const begun[] = {"", "G", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\n\tX: y\r\n"};
    struct app *app = start((struct http_server_options){.connection_limit = 1});
    int fds[COUNT_OF(begun)];
    for (size_t i = 0; i < COUNT_OF(begun); i++) {
        fds[i] = dial(app);
        assert_true(say(fds[i], str_c(begun[i])));
    }
    close(served(app));
    for (size_t i = 0; i < COUNT_OF(begun); i++)
        close(fds[i]);
    finish(app);
}

static void a_head_has_its_time(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.head_seconds = 1});
    int fd = dial(app), long_head = dial(app);
    assert_true(say(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n")));
    char *half = arena_alloc(ctx.arena, 10001);
    memset(half, 'x', 10000);
    half[10000] = 0;
    assert_true(
        say(long_head, arena_printf(ctx.arena, "GET / HTTP/1.1\r\nHost: h\r\nX: %s", half))); /* so long that it is inside */
    str answer = hear(fd);
    assert_true(str_starts(answer, STR("HTTP/1.1 408 ")) && has(answer, "\"code\":408"));
    assert_true(ended_by_peer(fd));
    hear(long_head);
    struct http_counters c;
    http_server_counters(app->server, &c);
    assert_int_equal(c.turned_away, 1);
    assert_int_equal(c.cut, 1);
    close(fd);
    close(long_head);
    finish(app);
}

static void who_waits_for_nothing_makes_room(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.connection_limit = 2});
    int oldest = served(app), newer = served(app), newest = served(app);
    assert_true(ended_by_peer(oldest));
    assert_true(say(newer, STR(GET("/"))) && str_starts(hear(newer), STR("HTTP/1.1 200")));
    close(oldest);
    close(newer);
    close(newest);
    finish(app);
}

static void who_is_busy_is_waited_for(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.connection_limit = 1});
    int busy = dial(app), next = dial(app);
    assert_true(say(busy, STR("GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")));
    sem_wait(&app->reached);
    assert_true(say(next, STR(GET("/"))));
    sem_post(&app->go_on);
    assert_text(body_of(hear(busy)), "waited");
    assert_true(str_starts(hear(next), STR("HTTP/1.1 200")));
    close(busy);
    close(next);
    finish(app);
}

static void one_address_has_a_limit(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.per_address_limit = 2});
    int one = served(app), two = served(app), three = served(app);
    assert_true(ended_by_peer(one));
    close(one);
    close(two);
    close(three);
    finish(app);
    app = start((struct http_server_options){.per_address_limit = 1, .free_addresses = STR("10.0.0.1, 127.0.0.0/8")});
    one = served(app);
    two = served(app);
    assert_true(say(one, STR(GET("/"))) && str_starts(hear(one), STR("HTTP/1.1 200")));
    close(one);
    close(two);
    finish(app);
}

static void outside_there_is_room_for_so_many(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.waiting_limit = 4});
    int fds[6];
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = dial(app);
    close(served(app));
    assert_true(ended_by_peer(fds[0]));
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    finish(app);
}

static void a_body_that_dribbles_is_cut(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.slow_seconds = 1});
    int fd = dial(app);
    assert_true(say(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")));
    int said = 0;
    while (said < 1000 && say(fd, STR("x"))) {
        sleep_ms(10);
        said++;
    }
    assert_true(said < 1000);
    sem_wait(&app->ended);
    assert_int_equal(atomic_load(&app->unanswered), 1);
    close(fd);
    finish(app);
}

static void an_answer_that_nobody_takes_is_cut(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){.slow_seconds = 1});
    int fd = dial(app);
    assert_true(say(fd, STR(GET("/endless"))));
    sem_wait(&app->ended);
    assert_int_equal(atomic_load(&app->whole), 0);
    assert_int_equal(atomic_load(&open_readers), 0);
    close(fd);
    finish(app);
}

/* A body has one end, whoever reads it: what a proxy might read otherwise is refused and nothing after it is answered. */
static void requests_cannot_be_smuggled(void **state)
{
    struct app *app = *state;
    static const char *const shapes[] = {
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Host: other\r\nContent-Length: 3\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        int fd = dial(app);
        str request = arena_printf(ctx.arena, "POST / HTTP/1.1\r\nHost: h\r\n%s\r\nabcGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
                                   shapes[i]);
        assert_true(say(fd, request));
        shutdown(fd, SHUT_WR);
        str answer = hear(fd), more = hear(fd);
        if (str_starts(answer, STR("HTTP/1.1 200")) || more.n > 0 || !ended_by_peer(fd))
            fail_msg("%s%.*s%.*s", shapes[i], STR_FMT(answer), STR_FMT(more));
        close(fd);
    }
}

struct stopper {
    struct app *app;
    unsigned grace_ms;
    pthread_t thread;
};

static void *stop_it(void *arg)
{
    struct stopper *s = arg;
    http_server_stop(s->app->server, s->grace_ms);
    s->app->server = NULL;
    return NULL;
}

static void stopping_lets_a_running_request_finish(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){0});
    unsigned port = http_server_port(app->server);
    int fd = dial(app), idle = dial(app);
    assert_true(say(fd, STR(GET("/wait"))));
    sem_wait(&app->reached);
    struct stopper s = {.app = app, .grace_ms = WAIT_MS};
    assert_int_equal(pthread_create(&s.thread, NULL, stop_it, &s), 0);
    sem_post(&app->go_on);
    str answer = hear(fd);
    assert_text(body_of(answer), "waited");
    assert_int_equal(pthread_join(s.thread, NULL), 0);
    assert_true(ended_by_peer(idle));
    close(fd);
    close(idle);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), -1);
    close(fd);
    finish(app);
}

static void after_the_grace_requests_are_cancelled(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){0});
    int fd = dial(app), uploading = dial(app);
    assert_true(say(fd, STR(GET("/until-cancelled"))));
    assert_true(say(uploading, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")));
    sem_wait(&app->reached);
    struct stopper s = {.app = app, .grace_ms = 10};
    stop_it(&s);
    assert_int_equal(atomic_load(&app->begins), atomic_load(&app->ends));
    close(fd);
    close(uploading);
    finish(app);
}

static void what_cannot_start_says_why(void **state)
{
    (void)state;
    struct app *app = start((struct http_server_options){0});
    struct http_server *other = NULL;
    struct http_server_options taken = {.host = "127.0.0.1", .port = http_server_port(app->server)};
    assert_int_equal(http_server_start(&ctx, &taken, &handlers, app, &other), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_IO));
    assert_non_null(strstr(err_text(&ctx), "127.0.0.1"));
    err_clear(&ctx);
    struct http_server_options half = {.cert_file = "/nowhere.pem"};
    assert_int_equal(http_server_start(&ctx, &half, &handlers, app, &other), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    err_clear(&ctx);
    struct http_server_options missing = {.cert_file = "/nonexistent/c.pem", .key_file = "/nonexistent/k.pem"};
    assert_int_not_equal(http_server_start(&ctx, &missing, &handlers, app, &other), RC_OK);
    assert_non_null(strstr(err_text(&ctx), "/nonexistent/c.pem"));
    err_clear(&ctx);
    struct http_server_options nonsense = {.host = "127.0.0.1", .cert_file = "/dev/null", .key_file = "/dev/null"};
    assert_int_equal(http_server_start(&ctx, &nonsense, &handlers, app, &other), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    assert_null(other);
    finish(app);
    http_server_stop(NULL, 0);
}

static void listens_everywhere_by_default(void **state)
{
    (void)state;
    struct app app = {0};
    struct http_server_options options = {0};
    assert_int_equal(http_server_start(&ctx, &options, &handlers, &app, &app.server), RC_OK);
    sem_init(&app.ended, 0, 0);
    assert_text(body_of(ask(&app, GET("/"))), "GET|/|-|127.0.0.1|0|");
    http_server_stop(app.server, WAIT_MS);
    sem_destroy(&app.ended);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup_ctx, teardown_ctx)
    const struct CMUnitTest tests[] = {
        SERVED(a_request_arrives_as_sent),
        SERVED(a_header_value_cannot_add_a_header),
        SERVED(a_connection_serves_many_requests),
        SERVED(head_has_length_and_no_body),
        SERVED(bodies_in_chunks_arrive),
        SERVED(bodies_in_single_bytes_arrive),
        SERVED(a_body_at_the_limit_is_taken_and_one_beyond_is_not),
        SERVED(a_huge_body_is_refused_unread),
        SERVED(a_body_in_chunks_beyond_the_limit_is_refused),
        SERVED(an_endless_body_is_cut_with_an_answer),
        SERVED(refusals_of_the_application_are_answered),
        SERVED(two_lengths_are_refused),
        SERVED(odd_targets_are_refused),
        SERVED(headers_have_a_limit),
        SERVED(broken_requests_do_not_reach_the_application),
        SERVED(a_client_that_goes_away_leaves_nothing),
        SERVED(answers_are_streamed),
        SERVED(files_are_sent_in_part),
        SERVED(an_answer_that_breaks_is_not_ended_as_if_whole),
        SERVED(counters_count),
        OWN(time_in_a_handler_is_not_idleness),
        OWN(a_slow_client_is_cut),
        OWN(who_says_nothing_takes_nobodys_place),
        OWN(a_head_has_its_time),
        OWN(who_waits_for_nothing_makes_room),
        OWN(who_is_busy_is_waited_for),
        OWN(one_address_has_a_limit),
        OWN(outside_there_is_room_for_so_many),
        OWN(a_body_that_dribbles_is_cut),
        OWN(an_answer_that_nobody_takes_is_cut),
        SERVED(requests_cannot_be_smuggled),
        OWN(stopping_lets_a_running_request_finish),
        OWN(after_the_grace_requests_are_cancelled),
        OWN(what_cannot_start_says_why),
        OWN(listens_everywhere_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
