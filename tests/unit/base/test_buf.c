/* Bounded buffers. */
#include "base/buf.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_appends(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    assert_int_equal(buf_str(&b).n, 0);
    assert_non_null(buf_str(&b).p);
    buf_add(&b, STR("ab"));
    buf_add(&b, STR_NONE);
    buf_add_char(&b, 'c');
    buf_add_int(&b, INT64_MIN);
    buf_add_bytes(&b, "\0x", 2);
    buf_printf(&b, "<%05d|%s>", 42, "x");
    assert_true(str_eq(buf_str(&b), STR("abc-9223372036854775808\0x<00042|x>")));
    assert_int_equal(b.p[b.n], 0);
    buf_clear(&b);
    assert_int_equal(b.n, 0);
    assert_string_equal(b.p, "");
}

static void test_maximum_is_exact(void **state)
{
    (void)state;
    for (size_t max = 1; max < 200; max++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(max);
        for (size_t i = 0; i < max; i++)
            buf_add_char(&b, 'x');
        assert_false(b.overflow);
        assert_int_equal(b.n, max);
        assert_true(b.capacity <= max + 65); /* no more memory than the maximum calls for */
        buf_add_char(&b, 'y');
        assert_true(b.overflow);
        assert_int_equal(b.n, max);
        assert_int_equal(b.p[max], 0);
    }
}

static void test_overflow_stays(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_open(&ctx);
    CLEANUP(buf_free) struct buf b = BUF_INIT(4);
    buf_add(&b, STR("abc"));
    assert_int_equal(buf_check(&b, &ctx, "a name"), RC_OK);
    buf_add(&b, STR("de"));
    buf_add_char(&b, 'f'); /* would fit, but is behind what did not */
    buf_printf(&b, "%d", 1);
    assert_null(buf_reserve(&b, 1));
    assert_true(str_eq(buf_str(&b), STR("abc")));
    assert_int_equal(buf_check(&b, &ctx, "a name"), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    assert_string_equal(err_text(&ctx), "a name is larger than 4 bytes");
    buf_clear(&b);
    buf_add(&b, STR("abcd"));
    assert_false(b.overflow);
    ctx_close(&ctx);
}

static void test_without_maximum_nothing_fits(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add(&b, STR(""));
    assert_false(b.overflow);
    buf_add_char(&b, 'x');
    assert_true(b.overflow);
    assert_null(b.p);
    buf_free(&b);
}

static void test_reserve(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(SIZE_MAX);
    char *p = buf_reserve(&b, 100);
    memset(p, 'z', 100);
    buf_commit(&b, 50);
    assert_int_equal(b.n, 50);
    assert_int_equal(b.p[50], 0);
    p = buf_reserve(&b, 0);
    assert_ptr_equal(p, b.p + 50);
    buf_commit(&b, 0);
    assert_null(buf_reserve(&b, SIZE_MAX - 10)); /* no wrap-around */
    assert_true(b.overflow);
}

static void test_printf_grows(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(100000);
    for (int i = 0; i < 300; i++) /* at every position relative to the capacity */
        buf_printf(&b, "%*d", i % 70, 5);
    assert_false(b.overflow);
    size_t expected = 0;
    for (int i = 0; i < 300; i++)
        expected += i % 70 ? (size_t)(i % 70) : 1;
    assert_int_equal(b.n, expected);
    assert_int_equal(strlen(b.p), expected);
    CLEANUP(buf_free) struct buf small = BUF_INIT(5);
    buf_add(&small, STR("ab"));
    buf_printf(&small, "%s", "cdef"); /* does not fit: nothing of it stays */
    assert_true(small.overflow);
    assert_string_equal(small.p, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),        cmocka_unit_test(test_maximum_is_exact),
        cmocka_unit_test(test_overflow_stays), cmocka_unit_test(test_without_maximum_nothing_fits),
        cmocka_unit_test(test_reserve),        cmocka_unit_test(test_printf_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
