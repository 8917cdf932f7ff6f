/* Configuration from three sources. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "app/config.h"
#include "base/file.h"
#include "cli/command.h"
#include <stdlib.h>

static struct ctx ctx;
static struct config c;
static str dir;

static int open_config(void **state)
{
    (void)state;
    clearenv();
    ctx_open(&ctx);
    return dir_temp(&ctx, NULL, &dir);
}

static int close_config(void **state)
{
    (void)state;
    int rc = dir_remove_tree(&ctx, dir.p);
    ctx_close(&ctx);
    return rc;
}

#define LOAD(...) load((char *[]){__VA_ARGS__, NULL})
static int load(char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return config_load(&ctx, argc, argv, &c);
}

static char *write_file(const char *content)
{
    str path = arena_printf(ctx.arena, "%s/mapferry.conf", dir.p);
    assert_int_equal(file_write_all(&ctx, path.p, str_c(content), 0600), RC_OK);
    return arena_cstr(ctx.arena, path);
}

#define assert_text(member, literal) assert_string_equal(arena_cstr(ctx.arena, config_text(&c, member)), literal)
#define assert_usage(says, call)                                                                                                 \
    do {                                                                                                                         \
        assert_int_equal(call, RC_FAIL);                                                                                         \
        assert_true(err_is(&ctx, &ERR_USAGE));                                                                                   \
        assert_string_equal(err_text(&ctx), says);                                                                               \
        err_clear(&ctx);                                                                                                         \
    } while (0)

static void every_default_is_of_its_kind(void **state)
{
    (void)state;
    assert_int_equal(load((char *[]){NULL}), RC_OK);
    for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (config_rows[key].kind == CONFIG_TEXT)
            continue;
        /* Given as an option, the default passes the check of its kind. */
        char *option =
            arena_cstr(ctx.arena, arena_printf(ctx.arena, "--%s=%s", config_rows[key].name, config_rows[key].otherwise));
        assert_int_equal(LOAD(option), RC_OK);
    }
    assert_int_equal(config_int(&c, package_max), 5LL << 30);
    assert_false(config_bool(&c, strict_types));
    assert_text(listen, "127.0.0.1:7080");
}

static void options_win_over_the_environment_and_that_over_the_file(void **state)
{
    (void)state;
    char *file = write_file("workers = 7\njobs.threads = 7\nlog-level = debug\n");
    setenv("MAPFERRY_CONFIG", file, 1);
    setenv("MAPFERRY_WORKERS", "8", 1);
    setenv("MAPFERRY_LOG_LEVEL", "warn", 1);
    assert_int_equal(LOAD("--workers", "9"), RC_OK);
    assert_int_equal(config_int(&c, workers), 9);
    assert_text(log_level, "warn");
    assert_int_equal(config_int(&c, job_threads), 7);
    assert_int_equal(config_int(&c, sync_calls), 4);
}

static void the_file_is_named_by_option_or_environment(void **state)
{
    (void)state;
    char *file = write_file("workers=7");
    setenv("MAPFERRY_CONFIG", "/nonexistent/file", 1);
    assert_int_equal(LOAD("--config", file), RC_OK);
    assert_int_equal(config_int(&c, workers), 7);
    assert_int_equal(load((char *[]){NULL}), RC_NOT_FOUND);
    assert_non_null(strstr(err_text(&ctx), "/nonexistent/file"));
}

static void lines_of_the_file(void **state)
{
    (void)state;
    char *file = write_file("# a comment\r\n\r\n  data =  /a b = c \t\r\n\tLISTEN=:1\r\nurl=\nworkers=3\nworkers=4");
    assert_int_equal(LOAD("--config", file), RC_OK);
    assert_text(data, "/a b = c");
    assert_text(listen, ":1");
    assert_text(url, "");
    assert_int_equal(config_int(&c, workers), 4);
}

static void names_are_spelled_in_many_ways(void **state)
{
    (void)state;
    static char *const OPTION[] = {"--jobs.maxSyncCalls=6", "--jobs-max-sync-calls=6", "--JOBS_MAX_SYNC_CALLS=6",
                                   "--jobsmaxsynccalls=6"};
    for (size_t i = 0; i < COUNT_OF(OPTION); i++) {
        assert_int_equal(LOAD(OPTION[i]), RC_OK);
        assert_int_equal(config_int(&c, sync_calls), 6);
    }
    static const char *const ENVIRONMENT[] = {"MAPFERRY_JOBS_MAX_SYNC_CALLS", "MAPFERRY_JOBS_MAXSYNCCALLS",
                                              "MAPFERRY_jobs.maxSyncCalls"};
    for (size_t i = 0; i < COUNT_OF(ENVIRONMENT); i++) {
        clearenv();
        setenv(ENVIRONMENT[i], "5", 1);
        assert_int_equal(load((char *[]){NULL}), RC_OK);
        assert_int_equal(config_int(&c, sync_calls), 5);
    }
    assert_usage("'--jobs.maxSyncCall=6' is no option of serve; see `mapferry help serve`.", LOAD("--jobs.maxSyncCall=6"));
    assert_usage("'--jobs.maxSyncCallss=6' is no option of serve; see `mapferry help serve`.", LOAD("--jobs.maxSyncCallss=6"));
}

static void other_variables_are_not_ours(void **state)
{
    (void)state;
    setenv("MAPFERRY_TOKEN", "x", 1);
    setenv("MAPFERRY_", "x", 1);
    setenv("mapferry_workers", "x", 1);
    setenv("WORKERS", "x", 1);
    assert_int_equal(load((char *[]){NULL}), RC_OK);
    assert_int_equal(config_int(&c, workers), 2);
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } SIZE[] = {{"0", 0},
                {"1", 1},
                {"64K", 64 << 10},
                {"64k", 64 << 10},
                {"16M", 16 << 20},
                {"5g", 5LL << 30},
                {"2T", 2LL << 40},
                {"9223372036854775807", INT64_MAX},
                {"8388607T", 8388607LL << 40},
                {"8388608T", -1},
                {"9223372036854775808", -1},
                {"", -1},
                {"K", -1},
                {"-1", -1},
                {"-1K", -1},
                {"1.5G", -1},
                {"1KB", -1},
                {"1 K", -1},
                {"1X", -1},
                {"0x10", -1},
                {"1e3", -1}};
    for (size_t i = 0; i < COUNT_OF(SIZE); i++) {
        char *option = arena_cstr(ctx.arena, arena_printf(ctx.arena, "--store.minFreeBytes=%s", SIZE[i].text));
        int rc = LOAD(option);
        if ((rc == RC_OK) != (SIZE[i].bytes >= 0))
            fail_msg("%s: %d", option, rc);
        if (rc == RC_OK)
            assert_int_equal(config_int(&c, free_space_min), SIZE[i].bytes);
        err_clear(&ctx);
    }
}

static void flags(void **state)
{
    (void)state;
    static const struct {
        char *option;
        int value; /* -1: refused */
    } FLAG[] = {{"--strict-types", 1},   {"--strict-types=true", 1}, {"--strict-types=FALSE", 0}, {"--strict-types=1", 1},
                {"--strict-types=0", 0}, {"--strict-types=yes", -1}, {"--strict-types=", -1}};
    for (size_t i = 0; i < COUNT_OF(FLAG); i++) {
        int rc = LOAD(FLAG[i].option);
        assert_int_equal(rc == RC_OK, FLAG[i].value >= 0);
        if (rc == RC_OK)
            assert_int_equal(config_bool(&c, strict_types), FLAG[i].value);
        err_clear(&ctx);
    }
    assert_int_equal(LOAD("--strict-types", "--workers", "3"), RC_OK); /* takes no word of its own */
    assert_int_equal(config_int(&c, workers), 3);
}

static void errors_name_where_the_value_came_from(void **state)
{
    (void)state;
    assert_usage("--workers: workers has to be a whole number, not 'x'.", LOAD("--workers", "x"));
    assert_usage("--workers=-1: workers has to be a whole number, not '-1'.", LOAD("--workers=-1"));
    assert_usage("'--workers' needs a value.", LOAD("--data", "x", "--workers"));
    assert_usage("'word' is no option of serve; see `mapferry help serve`.", LOAD("word"));
    assert_usage("'-v' is no option of serve; see `mapferry help serve`.", LOAD("-v"));
    assert_usage("'--' is no option of serve; see `mapferry help serve`.", LOAD("--"));
    char *file = write_file("data = x\n\nstrict-types = maybe\n");
    char *says =
        arena_cstr(ctx.arena, arena_printf(ctx.arena, "%s, line 3: strict-types has to be true or false, not 'maybe'.", file));
    assert_usage(says, LOAD("--config", file));
    file = write_file("data\n");
    says =
        arena_cstr(ctx.arena, arena_printf(ctx.arena, "%s, line 1: 'data' is no `key = value` with a key that there is.", file));
    assert_usage(says, LOAD("--config", file));
    file = write_file("\nnothing = 1\n");
    says = arena_cstr(ctx.arena,
                      arena_printf(ctx.arena, "%s, line 2: 'nothing' is no `key = value` with a key that there is.", file));
    assert_usage(says, LOAD("--config", file));
    setenv("MAPFERRY_HTTP_MAX_TEXT_BYTES", "many", 1);
    assert_usage("MAPFERRY_HTTP_MAX_TEXT_BYTES: http.maxTextBytes has to be a number of bytes such as 512M, not 'many'.",
                 load((char *[]){NULL}));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_config, close_config)
    const struct CMUnitTest tests[] = {
        TEST(every_default_is_of_its_kind),
        TEST(options_win_over_the_environment_and_that_over_the_file),
        TEST(the_file_is_named_by_option_or_environment),
        TEST(lines_of_the_file),
        TEST(names_are_spelled_in_many_ways),
        TEST(other_variables_are_not_ours),
        TEST(sizes),
        TEST(flags),
        TEST(errors_name_where_the_value_came_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
