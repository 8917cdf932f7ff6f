/* net/http: header lists, names, and who owns the body of an answer. */
#include "base/mem.h"
#include "net/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>
#include <cmocka.h>

static struct ctx ctx;
static int closed;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    closed = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

static void headers_are_found_in_any_case(void **state)
{
    (void)state;
    struct http_headers h = {0};
    assert_true(str_none(http_headers_get(&h, STR("a"))));
    http_headers_add(ctx.arena, &h, STR("X-One"), STR("1"));
    http_headers_add(ctx.arena, &h, STR("x-one"), STR("2"));
    for (int i = 0; i < 100; i++)
        http_headers_add(ctx.arena, &h, STR("More"), STR(""));
    assert_true(str_eq(http_headers_get(&h, STR("X-ONE")), STR("1")));
    assert_true(!str_none(http_headers_get(&h, STR("more"))) && http_headers_get(&h, STR("more")).n == 0);
    assert_true(str_none(http_headers_get(&h, STR("X-On"))));
    assert_int_equal(h.count, 102);
}

static void control_characters_become_spaces(void **state)
{
    (void)state;
    struct http_headers h = {0};
    char value[] = "a\r\nb\0c\x7f\xC3\xA9";
    http_headers_add(ctx.arena, &h, STR("X"), str_of(value, sizeof value - 1));
    assert_true(str_eq(h.items[0].value, STR("a  b c \xC3\xA9")));
    assert_int_equal(value[1], '\r');
}

static void names_and_words(void **state)
{
    (void)state;
    assert_string_equal(http_method_name(HTTP_GET), "GET");
    assert_string_equal(http_method_name(HTTP_OPTIONS), "OPTIONS");
    assert_string_equal(http_method_name(HTTP_OTHER), "?");
    assert_string_equal(http_status_text(404), "Not Found");
    assert_string_equal(http_status_text(299), "");
}

static int read_nothing(struct ctx *c, struct reader *r, void *p, size_t n, size_t *got)
{
    (void)c, (void)r, (void)p, (void)n;
    *got = 0;
    return RC_OK;
}

static void count_close(struct reader *r)
{
    closed++;
    mem_free(r);
}

static struct reader *counted_reader(void)
{
    struct reader *r = mem_new(struct reader);
    *r = (struct reader){.read = read_nothing, .close = count_close};
    return r;
}

static void a_new_body_releases_the_one_before(void **state)
{
    (void)state;
    struct http_response r = {0};
    http_response_clear(&r);
    http_response_reader(&r, counted_reader(), -1);
    http_response_reader(&r, counted_reader(), 5);
    assert_int_equal(closed, 1);
    struct buf b = BUF_INIT(100);
    buf_add(&b, STR("text"));
    http_response_buf(&r, &b);
    assert_int_equal(closed, 2);
    assert_null(b.p);
    assert_int_equal(b.max, 100);
    assert_true(str_eq(buf_str(&r.buf), STR("text")));
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    http_response_fd(&r, fd, 1, 2);
    assert_int_equal(r.length, 2);
    http_response_bytes(&r, STR("x"));
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    http_response_clear(&r);
    http_response_clear(&r);
    assert_int_equal(r.body, HTTP_BODY_NONE);
    assert_int_equal(closed, 2);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(headers_are_found_in_any_case),
        T(control_characters_become_spaces),
        T(names_and_words),
        T(a_new_body_releases_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
