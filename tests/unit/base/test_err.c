/* The rules of the error record. */
#include "base/ctx.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct ctx ctx;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

static void test_set_returns_and_records(void **state)
{
    (void)state;
    assert_string_equal(err_text(&ctx), "");
    assert_false(err_is(&ctx, &ERR_IO));
    assert_int_equal(err_set(&ctx, &ERR_INVALID, "%s is %d", "width", -1), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    assert_string_equal(err_text(&ctx), "width is -1");
    assert_int_equal(ctx.err.detail_count, 1);
}

static void test_the_first_record_stays(void **state)
{
    (void)state;
    assert_int_equal(err_set_rc(&ctx, RC_BUSY, &ERR_BUSY, "first"), RC_BUSY);
    assert_int_equal(err_set(&ctx, &ERR_IO, "second"), RC_FAIL);
    assert_int_equal(err_set_rc(&ctx, RC_NOT_FOUND, &ERR_MISSING, "third"), RC_NOT_FOUND);
    assert_int_equal(err_errno(&ctx, EIO, "fourth"), RC_FAIL);
    assert_int_equal(err_kind(&ctx, &ERR_LIMIT), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_BUSY));
    assert_string_equal(err_text(&ctx), "first");
    assert_int_equal(ctx.err.detail_count, 1);
    err_clear(&ctx);
    assert_string_equal(err_text(&ctx), "");
    err_set(&ctx, &ERR_IO, "second");
    assert_string_equal(err_text(&ctx), "second");
    assert_int_equal(ctx.err.detail_count, 1);
}

static void test_details(void **state)
{
    (void)state;
    err_add(&ctx, "nothing to add to");
    assert_int_equal(ctx.err.detail_count, 0);
    err_kind(&ctx, &ERR_CORRUPT);
    assert_string_equal(err_text(&ctx), ERR_CORRUPT.message);
    for (int i = 0; i < ERR_DETAILS_MAX + 3; i++)
        err_add(&ctx, "line %d", i);
    assert_int_equal(ctx.err.detail_count, ERR_DETAILS_MAX);
    assert_string_equal(err_text(&ctx), "line 0");
    assert_string_equal(ctx.err.details[ERR_DETAILS_MAX - 1], "line 3");
}

static void test_details_are_one_clean_line(void **state)
{
    (void)state;
    err_set(&ctx, &ERR_INVALID, "a\nb\r\x1b[2Jc \xc3\xa4 \xff \xed\xa0\x80 \x7f.");
    assert_string_equal(err_text(&ctx), "a b  [2Jc \xc3\xa4 ? ???  .");
}

/* A text that is too long is cut between characters, whatever byte the border falls on. */
static void test_long_details_are_cut(void **state)
{
    (void)state;
    char text[2 * ERR_DETAIL_SIZE];
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'x', lead);
        size_t n = lead;
        while (n + 4 < sizeof text) {
            memcpy(text + n, "\xf0\x9f\x8c\x8d", 4);
            n += 4;
        }
        text[n] = 0;
        err_clear(&ctx);
        err_set(&ctx, &ERR_INVALID, "%s", text);
        str detail = str_c(err_text(&ctx));
        assert_true(detail.n < ERR_DETAIL_SIZE && detail.n > ERR_DETAIL_SIZE - 10);
        assert_true(utf8_valid(detail));
        assert_true(str_ends(detail, STR("\xf0\x9f\x8c\x8d")));
    }
    memset(text, 'y', ERR_DETAIL_SIZE - 1);
    text[ERR_DETAIL_SIZE - 1] = 0;
    err_clear(&ctx);
    err_set(&ctx, &ERR_INVALID, "%s", text); /* what just fits is not cut */
    assert_string_equal(err_text(&ctx), text);
}

static void test_errno(void **state)
{
    (void)state;
    static const struct {
        int number;
        const struct err_kind *kind;
    } rows[] = {{ENOSPC, &ERR_NO_SPACE}, {EDQUOT, &ERR_NO_SPACE}, {EFBIG, &ERR_NO_SPACE}, {EIO, &ERR_IO}, {EACCES, &ERR_IO}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        err_clear(&ctx);
        assert_int_equal(err_errno(&ctx, rows[i].number, "cannot write %s", "x"), RC_FAIL);
        assert_true(err_is(&ctx, rows[i].kind));
        assert_true(str_starts(str_c(err_text(&ctx)), STR("cannot write x: ")));
    }
    assert_string_equal(err_text(&ctx), "cannot write x: Permission denied");
}

static int fails(struct ctx *c) { return err_set_rc(c, RC_NOT_FOUND, &ERR_MISSING, "gone"); }
static int cleaned;
static void count_cleanup(const int *p) { cleaned += *p; }

static int tries(struct ctx *c)
{
    CLEANUP(count_cleanup) int one = 1;
    TRY(RC_OK);
    TRY(fails(c));
    one = 100;
    return RC_OK;
}

static void test_try_and_cleanup(void **state)
{
    (void)state;
    cleaned = 0;
    assert_int_equal(tries(&ctx), RC_NOT_FOUND);
    assert_int_equal(cleaned, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_set_returns_and_records),
        T(test_the_first_record_stays),
        T(test_details),
        T(test_details_are_one_clean_line),
        T(test_long_details_are_cut),
        T(test_errno),
        T(test_try_and_cleanup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
