/* Contexts: children, cancellation, deadlines. */
#include "base/ctx.h"
#include "base/clock.h"
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

static void test_open(void **state)
{
    (void)state;
    assert_non_null(ctx.arena);
    assert_ptr_equal(ctx.clock, &clock_system);
    assert_int_equal(ctx_check(&ctx), RC_OK);
    assert_string_equal(ctx.tag, "");
}

static void test_cancel(void **state)
{
    (void)state;
    atomic_bool cancel = false;
    ctx.cancel = &cancel;
    assert_int_equal(ctx_check(&ctx), RC_OK);
    atomic_store(&cancel, true);
    assert_int_equal(ctx_check(&ctx), RC_CANCELED);
    assert_true(err_is(&ctx, &ERR_CANCELED));
}

static void test_deadline(void **state)
{
    (void)state;
    struct clock_fixed clock = clock_fixed_at(1000);
    ctx.clock = &clock.base;
    ctx.deadline_ms = 1500;
    assert_int_equal(ctx_now(&ctx), 1000);
    clock.now = 1499;
    assert_int_equal(ctx_check(&ctx), RC_OK);
    clock.now = 1500;
    assert_int_equal(ctx_check(&ctx), RC_CANCELED);
    assert_true(err_is(&ctx, &ERR_CANCELED));
}

static void test_child(void **state)
{
    (void)state;
    struct clock_fixed clock = clock_fixed_at(7);
    atomic_bool cancel = false;
    ctx.clock = &clock.base;
    ctx.cancel = &cancel;
    ctx.deadline_ms = 100;
    strcpy(ctx.tag, "0123456789abcdef0123456789abcdef");
    err_set(&ctx, &ERR_IO, "of the parent");
    struct ctx child;
    ctx_child(&child, &ctx);
    assert_ptr_not_equal(child.arena, ctx.arena);
    assert_ptr_equal(child.clock, ctx.clock);
    assert_ptr_equal(child.cancel, &cancel);
    assert_int_equal(child.deadline_ms, 100);
    assert_string_equal(child.tag, ctx.tag);
    assert_null(child.err.kind);
    ctx_close(&child);
}

static void test_adopt(void **state)
{
    (void)state;
    struct ctx child;
    ctx_child(&child, &ctx);
    err_set(&child, &ERR_LIMIT, "too much");
    assert_int_equal(ctx_adopt_error(&ctx, &child, RC_OK), RC_OK); /* dealt with: not the parent's business */
    assert_null(ctx.err.kind);
    assert_int_equal(ctx_adopt_error(&ctx, &child, RC_END), RC_END);
    assert_null(ctx.err.kind);
    assert_int_equal(ctx_adopt_error(&ctx, &child, RC_FAIL), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    err_clear(&child);
    err_set(&child, &ERR_IO, "later");
    assert_int_equal(ctx_adopt_error(&ctx, &child, RC_BUSY), RC_BUSY); /* the parent has one */
    ctx_close(&child);
    assert_string_equal(err_text(&ctx), "too much"); /* a copy that outlives the child */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_open), T(test_cancel), T(test_deadline), T(test_child), T(test_adopt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
