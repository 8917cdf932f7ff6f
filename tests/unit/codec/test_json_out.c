/* The writer: golden texts, escapes, streams, limits, misuse. */
#include "codec/json/json.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct ctx ctx;
    struct buf buf;
    struct json_out out;
};

static int setup(void **state)
{
    static struct fixture f;
    ctx_open(&f.ctx);
    f.buf = BUF_INIT(1 << 20);
    json_out_buf(&f.out, &f.ctx, &f.buf);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_free(&f->buf);
    ctx_close(&f->ctx);
    return 0;
}

#define assert_text(buf, expected)                                                                                               \
    do {                                                                                                                         \
        if (!str_eq(buf_str(buf), expected))                                                                                     \
            fail_msg("%.*s\ninstead of\n%.*s", STR_FMT(buf_str(buf)), STR_FMT(expected));                                        \
    } while (0)

static void write_everything(struct json_out *o)
{
    json_begin_object(o);
    json_member_str(o, "str", STR("a\"b"));
    json_member_str(o, "none", STR_NONE);
    json_member_str(o, "empty", STR(""));
    json_member_c(o, "c", "text");
    json_member_c(o, "c_none", NULL);
    json_member_int(o, "min", INT64_MIN);
    json_member_int(o, "max", INT64_MAX);
    json_member_double(o, "double", -122.5);
    json_member_double(o, "nan", (double)NAN);
    json_member_double(o, "infinity", (double)INFINITY);
    json_member_bool(o, "yes", true);
    json_member_bool(o, "no", false);
    json_member_null(o, "null");
    json_member_raw(o, "raw", STR("{ \"kept\" : [1,2] }"));
    json_name_str(o, STR("na\tme"));
    json_begin_array(o);
    json_end_array(o);
    json_name(o, "object");
    json_begin_object(o);
    json_end_object(o);
    json_name(o, "list");
    json_begin_array(o);
    json_put_int(o, 1);
    json_put_str(o, STR("two"));
    json_begin_array(o);
    json_put_bool(o, true);
    json_end_array(o);
    json_begin_object(o);
    json_member_int(o, "x", 1);
    json_member_int(o, "y", 2);
    json_end_object(o);
    json_put_null(o);
    json_put_raw(o, STR("1e5"));
    json_put_double(o, 0.1);
    json_end_array(o);
    json_end_object(o);
}

static void test_compact(void **state)
{
    struct fixture *f = *state;
    write_everything(&f->out);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    assert_text(&f->buf, STR("{\"str\":\"a\\\"b\",\"none\":null,\"empty\":\"\",\"c\":\"text\",\"c_none\":null,"
                             "\"min\":-9223372036854775808,\"max\":9223372036854775807,\"double\":-122.5,\"nan\":null,"
                             "\"infinity\":null,\"yes\":true,\"no\":false,\"null\":null,\"raw\":{ \"kept\" : [1,2] },"
                             "\"na\\tme\":[],\"object\":{},\"list\":[1,\"two\",[true],{\"x\":1,\"y\":2},null,1e5,0.1]}"));
}

static void test_pretty(void **state)
{
    struct fixture *f = *state;
    f->out.pretty = true;
    write_everything(&f->out);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    assert_text(&f->buf, STR("{\n"
                             "  \"str\": \"a\\\"b\",\n"
                             "  \"none\": null,\n"
                             "  \"empty\": \"\",\n"
                             "  \"c\": \"text\",\n"
                             "  \"c_none\": null,\n"
                             "  \"min\": -9223372036854775808,\n"
                             "  \"max\": 9223372036854775807,\n"
                             "  \"double\": -122.5,\n"
                             "  \"nan\": null,\n"
                             "  \"infinity\": null,\n"
                             "  \"yes\": true,\n"
                             "  \"no\": false,\n"
                             "  \"null\": null,\n"
                             "  \"raw\": { \"kept\" : [1,2] },\n"
                             "  \"na\\tme\": [],\n"
                             "  \"object\": {},\n"
                             "  \"list\": [\n"
                             "    1,\n"
                             "    \"two\",\n"
                             "    [\n"
                             "      true\n"
                             "    ],\n"
                             "    {\n"
                             "      \"x\": 1,\n"
                             "      \"y\": 2\n"
                             "    },\n"
                             "    null,\n"
                             "    1e5,\n"
                             "    0.1\n"
                             "  ]\n"
                             "}"));
}

static void test_top_level_scalars(void **state)
{
    struct fixture *f = *state;
    json_put_str(&f->out, STR("alone"));
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    assert_text(&f->buf, STR("\"alone\""));
    json_out_buf(&f->out, &f->ctx, &f->buf); /* appends to what is there */
    json_begin_array(&f->out);
    json_end_array(&f->out);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    assert_text(&f->buf, STR("\"alone\"[]"));
}

static void test_escapes(void **state)
{
    struct fixture *f = *state;
    static const struct {
        str s, json;
    } rows[] = {
        {STR(""), STR("\"\"")},
        {STR("a/b"), STR("\"a/b\"")},
        {STR("\"\\"), STR("\"\\\"\\\\\"")},
        {STR("\b\f\n\r\t"), STR("\"\\b\\f\\n\\r\\t\"")},
        {STR("\0\x01\x0B\x1F"), STR("\"\\u0000\\u0001\\u000b\\u001f\"")},
        {STR("\x7F"), STR("\"\x7F\"")},
        {STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), STR("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"")},
        {STR("a\xFFz"), STR("\"a\xEF\xBF\xBDz\"")},
        {STR("\xC3"), STR("\"\xEF\xBF\xBD\"")},
        {STR("\xC3\""), STR("\"\xEF\xBF\xBD\\\"\"")},
        {STR("\xED\xA0\x80"), STR("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"")}, /* a surrogate: three bad bytes */
        {STR("0123456789\n0123456789"), STR("\"0123456789\\n0123456789\"")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&f->buf);
        json_escape(&f->buf, rows[i].s);
        assert_text(&f->buf, rows[i].json);
        buf_clear(&f->buf);
        json_out_buf(&f->out, &f->ctx, &f->buf);
        json_put_str(&f->out, rows[i].s);
        assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
        assert_text(&f->buf, rows[i].json);
    }
}

/* Every byte string becomes a JSON string; valid ones read back equal. */
static void test_escapes_read_back(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        char bytes[40];
        size_t n = (size_t)round % sizeof bytes;
        bool ascii = round % 2;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (char)((seed >> 16) & (ascii ? 0x7F : 0xFF));
        }
        buf_clear(&f->buf);
        json_escape(&f->buf, str_of(bytes, n));
        struct json v;
        assert_int_equal(json_parse(&f->ctx, buf_str(&f->buf), &v), RC_OK);
        if (ascii)
            assert_true(json_string_eq(v, str_of(bytes, n)));
    }
}

/* A sink that remembers what came and the largest piece, and fails after `left` writes. */
struct test_sink {
    struct writer base;
    struct buf all;
    size_t largest;
    int left;
};

static int sink_write(struct ctx *ctx, struct writer *w, const void *p, size_t n)
{
    struct test_sink *s = (struct test_sink *)w;
    if (s->left-- <= 0)
        return err_set(ctx, &ERR_IO, "the sink is full");
    s->largest = n > s->largest ? n : s->largest;
    buf_add_bytes(&s->all, p, n);
    return RC_OK;
}

static str long_text(struct ctx *ctx, size_t n)
{
    char *p = arena_alloc(ctx->arena, n);
    for (size_t i = 0; i < n; i++)
        p[i] = i % 3 ? '\x01' : '"';
    return str_of(p, n);
}

static void write_much(struct json_out *o, struct ctx *ctx)
{
    json_begin_object(o);
    json_name(o, "list");
    json_begin_array(o);
    for (int i = 0; i < 20000; i++)
        json_put_int(o, i);
    json_end_array(o);
    json_member_str(o, "string", long_text(ctx, 300000));
    json_name_str(o, long_text(ctx, 100000));
    json_put_null(o);
    json_name(o, "raw");
    struct buf raw = BUF_INIT(1 << 20);
    json_escape(&raw, long_text(ctx, 100000));
    json_put_raw(o, buf_str(&raw));
    buf_free(&raw);
    json_end_object(o);
}

static void test_stream(void **state)
{
    struct fixture *f = *state;
    f->buf.max = 8 << 20;
    write_much(&f->out, &f->ctx);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    struct buf small = BUF_INIT(64 * 1024);
    struct test_sink sink = {.base = {.write = sink_write}, .all = BUF_INIT(8 << 20), .left = INT32_MAX};
    struct json_out out;
    json_out_stream(&out, &f->ctx, &small, &sink.base);
    write_much(&out, &f->ctx);
    assert_int_equal(json_out_end(&out, "answer"), RC_OK);
    assert_true(str_eq(buf_str(&sink.all), buf_str(&f->buf)));
    assert_int_equal(small.n, 0);
    assert_true(sink.largest > 400000); /* the raw text went past the buffer */
    struct json root;
    assert_int_equal(json_parse(&f->ctx, buf_str(&sink.all), &root), RC_OK);
    assert_int_equal(json_count(root), 4);
    assert_true(json_string_eq(json_get_c(root, "string"), long_text(&f->ctx, 300000)));
    buf_free(&small);
    buf_free(&sink.all);
}

/* Writes deep, with raw texts that meet the buffer at every level. */
static void write_deep(struct json_out *o, str filler)
{
    o->pretty = true;
    for (int i = 0; i < JSON_DEPTH_MAX / 2; i++) {
        json_begin_object(o);
        json_name(o, "deeper");
        json_begin_array(o);
    }
    for (size_t n = 1; n < JSON_FLUSH; n += 509) {
        json_put_raw(o, str_of(filler.p, n)); /* fills the buffer more or less, */
        json_put_raw(o, str_of(filler.p, (JSON_FLUSH - n) / 2 + 1));
        json_put_raw(o, str_of(filler.p, JSON_FLUSH - 1)); /* then comes what just fits or does not */
        json_put_raw(o, str_of(filler.p, n));
    }
    for (int i = 0; i < JSON_DEPTH_MAX / 2; i++) {
        json_end_array(o);
        json_end_object(o);
    }
}

/* Promise of the header: a buffer of 64 KiB is enough for any text when there is a sink. */
static void test_stream_memory(void **state)
{
    struct fixture *f = *state;
    char *digits = arena_alloc(f->ctx.arena, JSON_FLUSH);
    memset(digits, '1', JSON_FLUSH);
    str filler = str_of(digits, JSON_FLUSH);
    f->buf.max = 8 << 20;
    write_deep(&f->out, filler);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    struct buf small = BUF_INIT(64 * 1024);
    struct test_sink sink = {.base = {.write = sink_write}, .all = BUF_INIT(8 << 20), .left = INT32_MAX};
    json_out_stream(&f->out, &f->ctx, &small, &sink.base);
    write_deep(&f->out, filler);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    assert_true(str_eq(buf_str(&sink.all), buf_str(&f->buf)));
    buf_free(&small);
    buf_free(&sink.all);
}

/* The sink fails at its first, second, ... write, until there are no more. */
static void test_sink_fails(void **state)
{
    struct fixture *f = *state;
    int rc = RC_FAIL, writes = 0;
    for (; rc != RC_OK; writes++) {
        struct buf small = BUF_INIT(64 * 1024);
        struct test_sink sink = {.base = {.write = sink_write}, .all = BUF_INIT(8 << 20), .left = writes};
        struct json_out out;
        json_out_stream(&out, &f->ctx, &small, &sink.base);
        write_much(&out, &f->ctx);
        rc = json_out_end(&out, "answer");
        assert_int_equal(rc == RC_OK, !err_is(&f->ctx, &ERR_IO));
        assert_int_equal(sink.left, rc == RC_OK ? 0 : -1); /* not called again after it failed */
        assert_false(small.overflow);
        err_clear(&f->ctx);
        buf_free(&small);
        buf_free(&sink.all);
        arena_reset(f->ctx.arena);
    }
    assert_true(writes > 10);
}

static void test_overflow(void **state)
{
    struct fixture *f = *state;
    f->buf.max = 100;
    write_everything(&f->out);
    assert_int_equal(json_out_end(&f->out, "the answer"), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_LIMIT));
    assert_non_null(strstr(err_text(&f->ctx), "the answer"));
    err_clear(&f->ctx);
    /* with a sink the overflow is not forgotten by the next flush */
    struct buf tiny = BUF_INIT(100);
    struct test_sink sink = {.base = {.write = sink_write}, .all = BUF_INIT(8 << 20), .left = INT32_MAX};
    json_out_stream(&f->out, &f->ctx, &tiny, &sink.base);
    write_much(&f->out, &f->ctx);
    assert_int_equal(json_out_end(&f->out, "the answer"), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_LIMIT));
    buf_free(&tiny);
    buf_free(&sink.all);
}

static void test_exact_maximum(void **state)
{
    struct fixture *f = *state;
    f->buf.max = sizeof "{\"a\":1}" - 1;
    json_begin_object(&f->out);
    json_member_int(&f->out, "a", 1);
    json_end_object(&f->out);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    assert_text(&f->buf, STR("{\"a\":1}"));
}

static void misuse_name_in_array(struct json_out *o)
{
    json_begin_array(o);
    json_name(o, "a");
}
static void misuse_name_at_top(struct json_out *o) { json_name(o, "a"); }
static void misuse_two_names(struct json_out *o)
{
    json_begin_object(o);
    json_name(o, "a");
    json_name_str(o, STR("b"));
}
static void misuse_value_without_name(struct json_out *o)
{
    json_begin_object(o);
    json_put_int(o, 1);
}
static void misuse_name_without_value(struct json_out *o)
{
    json_begin_object(o);
    json_name(o, "a");
    json_end_object(o);
}
static void misuse_wrong_end(struct json_out *o)
{
    json_begin_object(o);
    json_end_array(o);
}
static void misuse_end_at_top(struct json_out *o) { json_end_object(o); }
static void misuse_two_values(struct json_out *o)
{
    json_put_int(o, 1);
    json_put_int(o, 2);
}
static void misuse_unfinished(struct json_out *o)
{
    json_begin_array(o);
    (void)json_out_end(o, "answer");
}
static void misuse_nothing(struct json_out *o) { (void)json_out_end(o, "answer"); }
static void misuse_empty_raw(struct json_out *o) { json_put_raw(o, STR("")); }
static void misuse_name_needs_escape(struct json_out *o)
{
    json_begin_object(o);
    json_name(o, "a\"b");
}
static void misuse_too_deep(struct json_out *o)
{
    for (int i = 0; i <= JSON_DEPTH_MAX; i++)
        json_begin_array(o);
}

/* Whether the call ends the process by abort. */
static bool aborts(void (*call)(struct json_out *o), struct json_out *o)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        call(o);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_misuse(void **state)
{
    struct fixture *f = *state;
    static void (*const calls[])(struct json_out *) = {
        misuse_name_in_array, misuse_name_at_top,       misuse_two_names,  misuse_value_without_name, misuse_name_without_value,
        misuse_wrong_end,     misuse_end_at_top,        misuse_two_values, misuse_unfinished,         misuse_nothing,
        misuse_empty_raw,     misuse_name_needs_escape, misuse_too_deep,
    };
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        if (!aborts(calls[i], &f->out))
            fail_msg("misuse %zu was not noticed", i);
    assert_false(aborts(write_everything, &f->out));
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        json_begin_array(&f->out);
        if (i % 5 == 0)
            json_put_null(&f->out);
    }
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_end_array(&f->out);
    assert_int_equal(json_out_end(&f->out, "answer"), RC_OK);
    struct json root;
    assert_int_equal(json_parse(&f->ctx, buf_str(&f->buf), &root), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_compact, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pretty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_top_level_scalars, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sink_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_maximum, setup, teardown),
        cmocka_unit_test_setup_teardown(test_misuse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
