/* Command lines as data. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cli/command.h"

static const struct option ROWS[] = {{"out", OPTION_TEXT, "FILE", "a file"},
                                     {"o", OPTION_TEXT, "FILE", "the same"},
                                     {"all", OPTION_FLAG, "", "everything"},
                                     {"item", OPTION_LIST, "ID", "an item"},
                                     {NULL}};
static struct ctx ctx;
static struct options o;

static int open_ctx(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int close_ctx(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})
static int parse(char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return options_parse(&ctx, ROWS, argc, argv, &o);
}

#define assert_text(name, literal) assert_true(str_eq(options_get(&o, name), STR(literal)))
#define assert_usage(says, ...)                                                                                                  \
    do {                                                                                                                         \
        assert_int_equal(PARSE(__VA_ARGS__), RC_FAIL);                                                                           \
        assert_true(err_is(&ctx, &ERR_USAGE));                                                                                   \
        assert_string_equal(err_text(&ctx), says);                                                                               \
        err_clear(&ctx);                                                                                                         \
    } while (0)

static void words_and_options_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(PARSE("a", "--out", "file", "b", "--all", "-o=x", "c"), RC_OK);
    assert_int_equal(o.word_count, 3);
    assert_true(str_eq(o.words[0], STR("a")) && str_eq(o.words[1], STR("b")) && str_eq(o.words[2], STR("c")));
    assert_text("out", "file");
    assert_text("o", "x");
    assert_true(options_flag(&o, "all"));
    assert_false(o.json);
}

static void nothing_is_given(void **state)
{
    (void)state;
    assert_int_equal(options_parse(&ctx, ROWS, 0, NULL, &o), RC_OK);
    assert_int_equal(o.word_count, 0);
    assert_true(str_none(options_get(&o, "out")));
    assert_false(options_flag(&o, "all"));
    assert_int_equal(options_list(&o, "item")->count, 0);
    assert_true(str_none(options_get(&o, "no such option")));
    assert_int_equal(options_list(&o, "no such option")->count, 0);
}

static void values_may_look_like_anything(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--out=", "-o", "--all"), RC_OK);
    assert_text("out", "");
    assert_false(str_none(options_get(&o, "out")));
    assert_text("o", "--all");
    assert_false(options_flag(&o, "all"));
    assert_int_equal(PARSE("--out=a=b"), RC_OK);
    assert_text("out", "a=b");
}

static void lists_keep_their_order(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--item", "3", "--item=1", "--item", "3"), RC_OK);
    const struct options_value *v = options_list(&o, "item");
    assert_int_equal(v->count, 3);
    assert_true(str_eq(v->values[0], STR("3")) && str_eq(v->values[1], STR("1")) && str_eq(v->values[2], STR("3")));
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-", "--", "--all", "--", "-x"), RC_OK);
    assert_false(options_flag(&o, "all"));
    assert_int_equal(o.word_count, 4);
    assert_true(str_eq(o.words[0], STR("-")) && str_eq(o.words[1], STR("--all")) && str_eq(o.words[2], STR("--")));
}

static void json_is_known_everywhere(void **state)
{
    (void)state;
    char *argv[] = {"--json"};
    assert_int_equal(options_parse(&ctx, NULL, 1, argv, &o), RC_OK);
    assert_true(o.json);
    assert_int_equal(PARSE("--json", "--json"), RC_OK);
}

static void what_is_not_understood_is_named(void **state)
{
    (void)state;
    assert_usage("There is no option '--nothing' here.", "a", "--nothing");
    assert_usage("There is no option '--ou=1' here.", "--ou=1");
    assert_usage("There is no option '-x' here.", "-x");
    assert_usage("There is no option '--=' here.", "--=");
    assert_usage("Option --out is given twice.", "--out=1", "--out", "2");
    assert_usage("Option --all is given twice.", "--all", "--all");
    assert_usage("Option --out needs a value.", "a", "--out");
    assert_usage("Option --all takes no value.", "--all=false");
    assert_usage("Option --json takes no value.", "--json=false");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ctx, close_ctx)
    const struct CMUnitTest tests[] = {
        TEST(words_and_options_in_any_order),  TEST(nothing_is_given),           TEST(values_may_look_like_anything),
        TEST(lists_keep_their_order),          TEST(two_dashes_end_the_options), TEST(json_is_known_everywhere),
        TEST(what_is_not_understood_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
