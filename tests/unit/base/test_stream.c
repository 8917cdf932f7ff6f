/* Streams and their filters. */
#include "base/stream.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include <fcntl.h>
#include <unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct ctx ctx;
static str dir;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return dir_temp(&ctx, NULL, &dir);
}

static int teardown(void **state)
{
    (void)state;
    fault_arm(NULL);
    err_clear(&ctx);
    int rc = dir_remove_tree(&ctx, dir.p);
    ctx_close(&ctx);
    return rc;
}

static const char *in(const char *name) { return arena_printf(ctx.arena, "%s/%s", dir.p, name).p; }

/* Gives one byte a call, fails at a position, notes its end. */
struct drip {
    struct reader base;
    str rest;
    size_t fail_after;
    bool *closed;
};

static int drip_read(struct ctx *c, struct reader *r, void *p, size_t n, size_t *got)
{
    struct drip *d = (struct drip *)r;
    if (d->fail_after-- == 0)
        return err_set(c, &ERR_IO, "dry");
    *got = n > 0 && d->rest.n > 0;
    memcpy(p, d->rest.p, *got);
    d->rest = str_sub(d->rest, *got, d->rest.n);
    return RC_OK;
}

static void drip_close(struct reader *r)
{
    *((struct drip *)r)->closed = true;
    mem_free(r);
}

static struct reader *drip_open(str bytes, size_t fail_after, bool *closed)
{
    struct drip *d = mem_new(struct drip);
    *d = (struct drip){.base = {drip_read, drip_close}, .rest = bytes, .fail_after = fail_after, .closed = closed};
    *closed = false;
    return &d->base;
}

static void test_memory(void **state)
{
    (void)state;
    CLEANUP(reader_cleanup) struct reader *r = reader_mem(STR("abcdef"));
    char p[8] = "";
    size_t got;
    assert_int_equal(reader_read(&ctx, r, p, 4, &got), RC_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(p, "abcd", 4);
    assert_int_equal(reader_read(&ctx, r, p, 4, &got), RC_OK);
    assert_int_equal(got, 2);
    for (int i = 0; i < 2; i++) { /* the end stays the end */
        assert_int_equal(reader_read(&ctx, r, p, 4, &got), RC_OK);
        assert_int_equal(got, 0);
    }
    struct reader *empty = reader_mem(STR_NONE);
    assert_int_equal(reader_read(&ctx, empty, p, 4, &got), RC_OK);
    assert_int_equal(got, 0);
    reader_close(empty);
    reader_close(NULL);
    writer_close(NULL);
}

static void test_read_full(void **state)
{
    (void)state;
    bool closed;
    char p[8] = "";
    size_t got;
    struct reader *r = drip_open(STR("abcdef"), SIZE_MAX, &closed);
    assert_int_equal(reader_read_full(&ctx, r, p, 4, &got), RC_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(p, "abcd", 4);
    assert_int_equal(reader_read_full(&ctx, r, p, 4, &got), RC_OK);
    assert_int_equal(got, 2);
    assert_int_equal(reader_read_full(&ctx, r, p, 4, &got), RC_OK);
    assert_int_equal(got, 0);
    reader_close(r);
    assert_true(closed);
    r = drip_open(STR("abcdef"), 3, &closed);
    assert_int_equal(reader_read_full(&ctx, r, p, 4, &got), RC_FAIL);
    reader_close(r);
}

static void test_read_all(void **state)
{
    (void)state;
    static char large[100000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7);
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, sizeof large};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        bool closed;
        str s, bytes = str_of(large, sizes[i]);
        CLEANUP(reader_cleanup) struct reader *r = drip_open(bytes, SIZE_MAX, &closed);
        assert_int_equal(reader_read_all(&ctx, r, sizes[i], "the part", &s), RC_OK); /* the limit itself is allowed */
        assert_true(str_eq(s, bytes));
        assert_false(str_none(s));
        assert_int_equal(s.p[s.n], 0);
        if (sizes[i] == 0)
            continue;
        CLEANUP(reader_cleanup) struct reader *over = reader_mem(bytes);
        assert_int_equal(reader_read_all(&ctx, over, sizes[i] - 1, "the part", &s), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_LIMIT));
        assert_true(str_starts(str_c(err_text(&ctx)), STR("the part is larger than ")));
        err_clear(&ctx);
    }
}

static void test_file_ranges(void **state)
{
    (void)state;
    str s;
    struct reader *r;
    assert_int_equal(file_write_all(&ctx, in("a"), STR("0123456789"), 0600), RC_OK);
    assert_int_equal(reader_file(&ctx, in("a"), &r), RC_OK);
    assert_int_equal(reader_read_all(&ctx, r, 100, "a", &s), RC_OK);
    assert_true(str_eq(s, STR("0123456789")));
    reader_close(r);
    CLEANUP(file_close) int fd = -1;
    assert_int_equal(file_open_read(&ctx, in("a"), &fd), RC_OK);
    struct reader *one = reader_fd(fd, 2, 5, false), *two = reader_fd(fd, 9, 1, false); /* side by side on one descriptor */
    char p[4];
    size_t got;
    assert_int_equal(reader_read(&ctx, one, p, 3, &got), RC_OK);
    assert_memory_equal(p, "234", 3);
    assert_int_equal(reader_read_all(&ctx, two, 100, "two", &s), RC_OK);
    assert_true(str_eq(s, STR("9")));
    assert_int_equal(reader_read_all(&ctx, one, 100, "one", &s), RC_OK);
    assert_true(str_eq(s, STR("56")));
    reader_close(one);
    reader_close(two);
    assert_true(fcntl(fd, F_GETFD) >= 0); /* not owned, still open */
    r = reader_fd(fd, 8, 5, false);       /* more is promised than there is */
    assert_int_equal(reader_read_all(&ctx, r, 100, "r", &s), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_CORRUPT));
    reader_close(r);
    err_clear(&ctx);
    assert_int_equal(reader_file(&ctx, in("none"), &r), RC_NOT_FOUND);
    int owned = dup(fd);
    reader_close(reader_fd(owned, 0, 1, true));
    assert_int_equal(fcntl(owned, F_GETFD), -1);
}

static void test_hash_filter(void **state)
{
    (void)state;
    static char large[200000];
    memset(large, 'q', sizeof large);
    bool closed;
    uint64_t count = 0, total;
    struct hash_state hash;
    hash_start(&hash);
    CLEANUP(buf_free) struct buf b = BUF_INIT(sizeof large);
    CLEANUP(writer_cleanup) struct writer *w = writer_buf(&b);
    struct reader *r = reader_hash(drip_open(str_of(large, sizeof large), SIZE_MAX, &closed), &hash, &count);
    assert_int_equal(stream_copy(&ctx, r, w, &total), RC_OK);
    reader_close(r);
    assert_true(closed);
    assert_int_equal(count, sizeof large);
    assert_int_equal(total, sizeof large);
    assert_true(str_eq(buf_str(&b), str_of(large, sizeof large)));
    assert_true(hash_eq(hash_finish(&hash), hash_of(str_of(large, sizeof large))));
}

static void test_writers(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(5);
    CLEANUP(writer_cleanup) struct writer *w = writer_buf(&b);
    assert_int_equal(writer_write(&ctx, w, STR("abc")), RC_OK);
    assert_int_equal(writer_write(&ctx, w, STR("")), RC_OK);
    assert_int_equal(writer_write(&ctx, w, STR("def")), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    err_clear(&ctx);
    int fd;
    str s;
    assert_int_equal(file_create(&ctx, in("w"), &fd), RC_OK);
    struct writer *f = writer_fd(fd, true);
    assert_int_equal(writer_write(&ctx, f, STR("one ")), RC_OK);
    assert_int_equal(writer_write(&ctx, f, STR("two")), RC_OK);
    fault_arm("enospc:1");
    assert_int_equal(writer_write(&ctx, f, STR("three")), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_NO_SPACE));
    writer_close(f);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    err_clear(&ctx);
    assert_int_equal(file_read_all(&ctx, in("w"), 100, &s), RC_OK);
    assert_true(str_eq(s, STR("one two")));
}

static void test_copy_stops(void **state)
{
    (void)state;
    bool closed;
    uint64_t total = 77;
    CLEANUP(buf_free) struct buf b = BUF_INIT(100);
    CLEANUP(writer_cleanup) struct writer *w = writer_buf(&b);
    struct reader *r = drip_open(STR("abcdef"), 3, &closed);
    assert_int_equal(stream_copy(&ctx, r, w, &total), RC_FAIL); /* the reader fails */
    assert_true(str_eq(buf_str(&b), STR("abc")));
    assert_int_equal(total, 77);
    reader_close(r);
    err_clear(&ctx);
    atomic_bool cancel = true;
    ctx.cancel = &cancel;
    r = reader_mem(STR("abcdef"));
    assert_int_equal(stream_copy(&ctx, r, w, NULL), RC_CANCELED);
    assert_int_equal(b.n, 3);
    ctx.cancel = NULL;
    err_clear(&ctx);
    assert_int_equal(stream_copy(&ctx, r, w, NULL), RC_OK);
    assert_int_equal(b.n, 9);
    reader_close(r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_memory),      T(test_read_full), T(test_read_all),   T(test_file_ranges),
        T(test_hash_filter), T(test_writers),   T(test_copy_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
