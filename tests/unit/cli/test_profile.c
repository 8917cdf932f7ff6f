/* Profiles in a folder of the test's own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/profile.h"
#include <stdlib.h>
#include <sys/stat.h>

static struct ctx ctx;
static str dir;

static int open_home(void **state)
{
    (void)state;
    ctx_open(&ctx);
    assert_int_equal(dir_temp(&ctx, NULL, &dir), RC_OK);
    setenv("HOME", "/nonexistent", 1);
    return setenv("XDG_CONFIG_HOME", dir.p, 1);
}

static int close_home(void **state)
{
    (void)state;
    int rc = dir_remove_tree(&ctx, dir.p);
    ctx_close(&ctx);
    return rc;
}

static const char *path_of(const char *name) { return arena_printf(ctx.arena, "%s/mapferry/%s", dir.p, name).p; }

static struct profile sample(const char *name)
{
    return (struct profile){.name = str_c(name),
                            .url = STR("https://a.example/portal?x=\"1\""),
                            .user = STR("\xc3\xa4nne"),
                            .password_file = STR("/a b/password"),
                            .token_file = STR("/token"),
                            .cert = STR("/client.pem"),
                            .key = STR("/client-key.pem"),
                            .ca = STR("/ca.pem"),
                            .proxy = STR("http://proxy:3128"),
                            .insecure = true};
}

static void a_profile_comes_back_as_it_was(void **state)
{
    (void)state;
    struct profile p = sample("my-Portal_1"), back;
    struct stat st;
    assert_int_equal(profile_store(&ctx, &p), RC_OK);
    assert_int_equal(profile_load(&ctx, STR("my-Portal_1"), &back), RC_OK);
    assert_true(str_eq(back.name, p.name));
    assert_true(str_eq(back.url, p.url));
    assert_true(str_eq(back.user, p.user));
    assert_true(str_eq(back.password_file, p.password_file));
    assert_true(str_eq(back.token_file, p.token_file));
    assert_true(str_eq(back.cert, p.cert));
    assert_true(str_eq(back.key, p.key));
    assert_true(str_eq(back.ca, p.ca));
    assert_true(str_eq(back.proxy, p.proxy));
    assert_true(back.insecure);
    assert_int_equal(stat(path_of("my-Portal_1.json"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    p.insecure = false;
    p.url = STR("http://b");
    assert_int_equal(profile_store(&ctx, &p), RC_OK);
    assert_int_equal(profile_load(&ctx, p.name, &back), RC_OK);
    assert_true(str_eq(back.url, STR("http://b")));
    assert_false(back.insecure);
}

static void names_that_are_none(void **state)
{
    (void)state;
    static const char LONG[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 65 */
    static const char *const NAMES[] = {"", ".", "..", "../x", "a/b", "a b", "a.json", "\xc3\xa4", "http://a", "-\n", LONG};
    struct profile back;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const struct profile p = sample(NAMES[i]);
        assert_int_equal(profile_store(&ctx, &p), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_USAGE));
        err_clear(&ctx);
        assert_int_equal(profile_load(&ctx, p.name, &back), RC_NOT_FOUND);
        assert_int_equal(profile_remove(&ctx, p.name), RC_NOT_FOUND);
    }
    const struct profile longest = sample(LONG + 1);
    assert_int_equal(profile_store(&ctx, &longest), RC_OK);
}

static void a_profile_that_was_removed_is_gone(void **state)
{
    (void)state;
    struct profile back;
    const struct profile p = sample("a");
    assert_int_equal(profile_remove(&ctx, STR("a")), RC_NOT_FOUND);
    assert_int_equal(profile_store(&ctx, &p), RC_OK);
    assert_int_equal(profile_remove(&ctx, STR("a")), RC_OK);
    assert_int_equal(profile_load(&ctx, STR("a"), &back), RC_NOT_FOUND);
    assert_int_equal(profile_remove(&ctx, STR("a")), RC_NOT_FOUND);
}

static void the_list_is_in_the_order_of_names(void **state)
{
    (void)state;
    struct profile *list;
    size_t count;
    assert_int_equal(profile_list(&ctx, &list, &count), RC_OK); /* no folder yet */
    assert_int_equal(count, 0);
    static const char *const NAMES[] = {"b", "a", "c"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const struct profile p = sample(NAMES[i]);
        assert_int_equal(profile_store(&ctx, &p), RC_OK);
    }
    assert_int_equal(file_write_all(&ctx, path_of("notes.txt"), STR("x"), 0600), RC_OK);
    assert_int_equal(file_write_all(&ctx, path_of("no name.json"), STR("x"), 0600), RC_OK);
    assert_int_equal(profile_list(&ctx, &list, &count), RC_OK);
    assert_int_equal(count, 3);
    assert_true(str_eq(list[0].name, STR("a")) && str_eq(list[1].name, STR("b")) && str_eq(list[2].name, STR("c")));
}

static void a_damaged_file_is_named(void **state)
{
    (void)state;
    struct profile back, *list;
    size_t count;
    const struct profile p = sample("a");
    assert_int_equal(profile_store(&ctx, &p), RC_OK);
    assert_int_equal(file_write_all(&ctx, path_of("b.json"), STR("{\"url\":"), 0600), RC_OK);
    assert_int_equal(profile_load(&ctx, STR("b"), &back), RC_FAIL);
    assert_int_equal(ctx.err.detail_count, 2);
    assert_non_null(strstr(ctx.err.details[1], "/mapferry/b.json"));
    err_clear(&ctx);
    assert_int_equal(profile_list(&ctx, &list, &count), RC_FAIL);
    assert_non_null(strstr(ctx.err.details[1], "/mapferry/b.json"));
}

static void the_folder_follows_from_the_environment(void **state)
{
    (void)state;
    struct profile back;
    const struct profile p = sample("a");
    setenv("HOME", dir.p, 1);
    setenv("XDG_CONFIG_HOME", "relative", 1); /* counts as not set */
    assert_int_equal(profile_store(&ctx, &p), RC_OK);
    assert_true(file_exists(arena_printf(ctx.arena, "%s/.config/mapferry/a.json", dir.p).p));
    unsetenv("XDG_CONFIG_HOME");
    assert_int_equal(profile_load(&ctx, STR("a"), &back), RC_OK);
    unsetenv("HOME");
    assert_int_equal(profile_load(&ctx, STR("a"), &back), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_home, close_home)
    const struct CMUnitTest tests[] = {
        TEST(a_profile_comes_back_as_it_was),    TEST(names_that_are_none),     TEST(a_profile_that_was_removed_is_gone),
        TEST(the_list_is_in_the_order_of_names), TEST(a_damaged_file_is_named), TEST(the_folder_follows_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
