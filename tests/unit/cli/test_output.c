/* What commands tell, as it arrives in a pipe. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/output.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct ctx ctx;
static struct clock_fixed now;
static struct output o;
static str dir;
static int saved[2]; /* the real stdout and stderr */

static int open_output(void **state)
{
    (void)state;
    ctx_open(&ctx);
    now = clock_fixed_at(1000000);
    ctx.clock = &now.base;
    return dir_temp(&ctx, NULL, &dir);
}

static int close_output(void **state)
{
    (void)state;
    int rc = dir_remove_tree(&ctx, dir.p);
    ctx_close(&ctx);
    return rc;
}

static const char *file_of(int fd) { return arena_printf(ctx.arena, "%s/%d", dir.p, fd).p; }

static void begin(bool json)
{
    for (int fd = 1; fd <= 2; fd++) {
        fflush(fd == 1 ? stdout : stderr);
        saved[fd - 1] = dup(fd);
        int to = open(file_of(fd), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(to, fd);
        close(to);
    }
    output_open(&o, json);
}

/* Gives the streams back; what was written to them. */
static void end(str *out, str *err)
{
    for (int fd = 1; fd <= 2; fd++) {
        fflush(fd == 1 ? stdout : stderr);
        dup2(saved[fd - 1], fd);
        close(saved[fd - 1]);
    }
    assert_int_equal(file_read_all(&ctx, file_of(1), 1 << 20, out), RC_OK);
    assert_int_equal(file_read_all(&ctx, file_of(2), 1 << 20, err), RC_OK);
}

#define assert_written(out_literal, err_literal)                                                                                 \
    do {                                                                                                                         \
        str written_out, written_err;                                                                                            \
        end(&written_out, &written_err);                                                                                         \
        assert_string_equal(arena_cstr(ctx.arena, written_out), out_literal);                                                    \
        assert_string_equal(arena_cstr(ctx.arena, written_err), err_literal);                                                    \
    } while (0)

static void events_are_lines_on_stderr(void **state)
{
    (void)state;
    begin(false);
    output_event(&ctx, &o, "step", "%d items of '%s'", 3, "a\xc3\xa4");
    output_result(&ctx, &o, STR("{\"a\":1}"));
    assert_written("", "3 items of 'a\xc3\xa4'\n");
}

static void with_json_everything_is_a_line_on_stdout(void **state)
{
    (void)state;
    begin(true);
    output_event(&ctx, &o, "step", "%s", "a \"word\"\n");
    output_result(&ctx, &o, STR("{\"a\":1}"));
    assert_written("{\"event\":\"step\",\"text\":\"a \\\"word\\\"\\n\"}\n{\"event\":\"result\",\"result\":{\"a\":1}}\n", "");
}

static void progress_is_told_ten_times_a_second_and_at_the_end(void **state)
{
    (void)state;
    begin(true);
    output_progress(&ctx, &o, "Copying", 1, 9, "items");
    now.now += 99;
    output_progress(&ctx, &o, "Copying", 2, 9, "items");
    now.now += 1;
    output_progress(&ctx, &o, "Copying", 3, 9, "items");
    output_progress(&ctx, &o, "Copying", 9, 9, "items");
    output_progress(&ctx, &o, "Copying", 9, 9, "items"); /* nothing new */
    output_end(&o);
    assert_written("{\"event\":\"progress\",\"what\":\"Copying\",\"done\":1,\"total\":9,\"unit\":\"items\"}\n"
                   "{\"event\":\"progress\",\"what\":\"Copying\",\"done\":3,\"total\":9,\"unit\":\"items\"}\n"
                   "{\"event\":\"progress\",\"what\":\"Copying\",\"done\":9,\"total\":9,\"unit\":\"items\"}\n",
                   "");
}

static void a_pipe_gets_no_bar_and_a_line_every_ten_seconds(void **state)
{
    (void)state;
    begin(false);
    output_progress(&ctx, &o, "Copying", 1, 9, "items");
    now.now += 9999;
    output_progress(&ctx, &o, "Copying", 9, 9, "items");
    output_progress(&ctx, &o, "Loading", 0, 1000, "bytes");
    now.now += 10000;
    output_progress(&ctx, &o, "Loading", 500, 1000, "bytes");
    now.now += 10000;
    output_progress(&ctx, &o, "Loading", 500, 1000, "bytes");
    output_progress(&ctx, &o, "Loading", 1000, 1000, "bytes");
    now.now += 20000;
    output_progress(&ctx, &o, "Reading", 10, 0, "items");
    now.now += 10000;
    output_progress(&ctx, &o, "Reading", 20, 0, "items");
    output_end(&o);
    assert_written(
        "", "Loading: 50 %, 500 B, 50 B/s, 10 s left\nLoading: 100 %, 1.0 kB, 50 B/s, 0 s left\nReading: 20 items, 2 items/s\n");
}

static void a_terminal_gets_a_bar_and_its_line_is_ended(void **state)
{
    (void)state;
    begin(false);
    o.terminal = true;
    now.now += 10000; /* before anything moved: it does not count */
    output_progress(&ctx, &o, "Copying", 0, 10000000, "bytes");
    now.now += 10000;
    output_progress(&ctx, &o, "Copying", 5000000, 10000000, "bytes");
    output_event(&ctx, &o, "step", "Done.");
    output_end(&o);
    assert_written("", "\rCopying [..............................] 0 B, 0 B/s\033[K"
                       "\rCopying [###############...............] 5.0 MB, 500 kB/s, 10 s left\033[K\nDone.\n");
}

static void time_left_in_words(void **state)
{
    (void)state;
    static const struct {
        int64_t total;
        const char *left;
    } CASES[] = {
        {100, "99 s left"}, {101, "2 min left"}, {3601, "60 min left"}, {7201, "2 h 00 min left"}, {36061, "10 h 01 min left"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        str out, err;
        begin(false);
        o.terminal = true;
        output_progress(&ctx, &o, "x", 0, CASES[i].total, "items");
        now.now += 1000;
        output_progress(&ctx, &o, "x", 1, CASES[i].total, "items");
        end(&out, &err);
        if (str_find(err, str_c(CASES[i].left), 0) == SIZE_MAX)
            fail_msg("%.*s", STR_FMT(err));
    }
}

static void a_bar_without_a_total(void **state)
{
    (void)state;
    begin(false);
    o.terminal = true;
    output_progress(&ctx, &o, "Copying", 1, 0, "items");
    now.now += 1000;
    output_progress(&ctx, &o, "Copying", 10, 0, "items");
    output_end(&o);
    assert_written("", "\rCopying [..............................] 1 items, 1000 items/s\033[K"
                       "\rCopying [..............................] 10 items, 10 items/s\033[K\n");
}

static void texts_of_others_cannot_move_the_cursor(void **state)
{
    (void)state;
    str plain = output_plain(&ctx, STR("a\033[2J\r\n\tb\x7f\xc2\x9b\xc3\xa4\xe6\x9d\xb1"));
    assert_string_equal(plain.p, "a [2J   b   \xc3\xa4\xe6\x9d\xb1");
    static const char *const HEAD[] = {"title"};
    const str CELLS[] = {STR("x\033]0;y\a")};
    begin(false);
    output_table(&ctx, HEAD, 1, CELLS, 1);
    output_event(&ctx, &o, "step", "bell \a");
    assert_written("title\n-------\nx ]0;y \n", "bell  \n");
}

static void bytes_in_three_digits(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } BYTES[] = {{0, "0 B"},
                 {1, "1 B"},
                 {999, "999 B"},
                 {1000, "1.0 kB"},
                 {12345, "12.3 kB"},
                 {99949, "99.9 kB"},
                 {99960, "100 kB"},
                 {999499, "999 kB"},
                 {999500, "1.0 MB"},
                 {5000000000, "5.0 GB"},
                 {999999999999, "1.0 TB"},
                 {INT64_MAX, "9223372 TB"}};
    for (size_t i = 0; i < COUNT_OF(BYTES); i++)
        assert_string_equal(arena_cstr(ctx.arena, output_bytes(&ctx, BYTES[i].bytes)), BYTES[i].text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    static const char *const HEAD[] = {"id", "title", "n"};
    const str CELLS[] = {STR("1"), STR("\xc3\xa4\xc3\xb6\xc3\xbc"), STR("12"), STR("long id"), STR("x"), STR("3")};
    begin(false);
    output_table(&ctx, HEAD, 3, CELLS, 2);
    output_table(&ctx, HEAD, 3, NULL, 0);
    assert_written("id       title  n\n"
                   "-------  -----  --\n"
                   "1        \xc3\xa4\xc3\xb6\xc3\xbc    12\n"
                   "long id  x      3\n"
                   "id  title  n\n"
                   "--  -----  -\n",
                   "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_output, close_output)
    const struct CMUnitTest tests[] = {
        TEST(events_are_lines_on_stderr),
        TEST(with_json_everything_is_a_line_on_stdout),
        TEST(progress_is_told_ten_times_a_second_and_at_the_end),
        TEST(a_pipe_gets_no_bar_and_a_line_every_ten_seconds),
        TEST(time_left_in_words),
        TEST(texts_of_others_cannot_move_the_cursor),
        TEST(a_terminal_gets_a_bar_and_its_line_is_ended),
        TEST(a_bar_without_a_total),
        TEST(bytes_in_three_digits),
        TEST(columns_are_as_wide_as_their_widest_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
