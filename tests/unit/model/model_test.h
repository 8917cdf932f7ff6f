/* What the tests of this room share: a context per test, comparison of slices, printing to text. */
#ifndef MAPFERRY_TEST_MODEL_H
#define MAPFERRY_TEST_MODEL_H

#include "base/ctx.h"
#include "base/file.h"
#include "codec/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define assert_str(actual, expected)                                                                                             \
    do {                                                                                                                         \
        str actual_ = (actual), expected_ = (expected);                                                                          \
        if (!str_eq(actual_, expected_))                                                                                         \
            fail_msg("\n  is:     %.*s\n  wanted: %.*s", STR_FMT(actual_), STR_FMT(expected_));                                  \
    } while (0)

static inline int open_ctx(void **state)
{
    static struct ctx ctx;
    ctx_open(&ctx);
    *state = &ctx;
    return 0;
}

static inline int close_ctx(void **state)
{
    ctx_close(*state);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_ctx, close_ctx)

static inline struct json parsed(struct ctx *ctx, str text)
{
    struct json v;
    if (json_parse(ctx, text, &v) != RC_OK)
        fail_msg("%s", err_text(ctx));
    return v;
}

#endif
