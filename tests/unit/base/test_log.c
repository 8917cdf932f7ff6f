/* Log lines, read back from a pipe that stands in for stderr. */
#include "base/log.h"
#include "base/clock.h"
#include <unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct ctx ctx;
static struct clock_fixed fixed;
static int pipe_fds[2], stderr_before;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    fixed = clock_fixed_at(1706745599123);
    ctx.clock = &fixed.base;
    log_set_level(LOG_INFO);
    stderr_before = dup(STDERR_FILENO);
    return pipe(pipe_fds) < 0 || dup2(pipe_fds[1], STDERR_FILENO) < 0;
}

static int teardown(void **state)
{
    (void)state;
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    ctx_close(&ctx);
    return 0;
}

/* What was written since the last call. One write a line: one read gets it. */
static const char *said(void)
{
    static char text[8192];
    static const char end[] = "\x04";
    assert_int_equal(write(pipe_fds[1], end, 1), 1); /* so that there is something to read in any case */
    ssize_t n = read(pipe_fds[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n - 1] = 0;
    return text;
}

static void test_line(void **state)
{
    (void)state;
    log_line(&ctx, LOG_INFO, "%d items", 3);
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z info - 3 items\n");
    strcpy(ctx.tag, "job7");
    log_line(&ctx, LOG_WARN, "slow");
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z warn job7 slow\n");
}

static void test_level(void **state)
{
    (void)state;
    log_line(&ctx, LOG_DEBUG, "hidden");
    assert_string_equal(said(), "");
    log_set_level(LOG_DEBUG);
    log_line(&ctx, LOG_DEBUG, "seen");
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z debug - seen\n");
    log_set_level(LOG_ERROR);
    log_line(&ctx, LOG_WARN, "hidden");
    assert_string_equal(said(), "");
    enum log_level level = LOG_INFO;
    assert_true(log_level_parse(STR("DEBUG"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse(STR("error"), &level));
    assert_int_equal(level, LOG_ERROR);
    assert_false(log_level_parse(STR("loud"), &level));
    assert_false(log_level_parse(STR(""), &level));
    assert_int_equal(level, LOG_ERROR);
}

static void test_values_cannot_forge_lines(void **state)
{
    (void)state;
    log_line(&ctx, LOG_INFO, "user %s", "a\n2024 error - forged\r\x1b[31m\x7f\t\xc3\xa4");
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z info - user a?2024 error - forged??[31m??\xc3\xa4\n");
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    char text[6000];
    memset(text, 'x', sizeof text);
    log_line(&ctx, LOG_INFO, "%.*s", (int)sizeof text, text);
    const char *line = said();
    assert_int_equal(strlen(line), 4096);
    assert_string_equal(line + 4090, "xxxxx\n");
}

static void test_error(void **state)
{
    (void)state;
    err_set(&ctx, &ERR_IO, "cannot write x");
    err_add(&ctx, "in item %d", 5);
    log_error(&ctx, "exporting a group");
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z error - exporting a group: io: cannot write x; in item 5\n");
    err_clear(&ctx);
    err_kind(&ctx, &ERR_BUSY);
    log_error(&ctx, "importing");
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z error - importing: busy: Busy, try again later.\n");
    err_clear(&ctx);
    log_error(&ctx, "nothing"); /* called by mistake: still a line, no crash */
    assert_string_equal(said(), "2024-01-31T23:59:59.123Z error - nothing: no error: \n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_line), T(test_level), T(test_values_cannot_forge_lines), T(test_long_lines_are_cut),
                                       T(test_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
