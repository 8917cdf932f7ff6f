/* Edits by splices: commas, order, and on random documents that every byte nobody named stays. */
#include "codec/json/json.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

static struct json parse(str text)
{
    struct json root;
    if (json_parse(&ctx, text, &root) != RC_OK)
        fail_msg("%s: %.*s", err_text(&ctx), STR_FMT(text));
    return root;
}

static str apply(struct json_edit *e)
{
    str text;
    assert_int_equal(json_edit_apply(e, &text), RC_OK);
    return text;
}

#define assert_str(actual, expected)                                                                                             \
    do {                                                                                                                         \
        str actual_ = (actual), expected_ = (expected);                                                                          \
        if (!str_eq(actual_, expected_))                                                                                         \
            fail_msg("%.*s\ninstead of\n%.*s", STR_FMT(actual_), STR_FMT(expected_));                                            \
    } while (0)

static struct json name_of(struct json object, str name)
{
    struct json found, value;
    struct json_iter it = json_each(object);
    while (json_next(&it, &found, &value))
        if (json_string_eq(found, name))
            return found;
    fail_msg("no member %.*s", STR_FMT(name));
    return JSON_ABSENT;
}

static void remove_named(struct json_edit *e, struct json object, str names)
{
    str name;
    while (str_split(&names, ' ', &name))
        json_edit_remove_member(e, object, name_of(object, name));
}

static void test_nothing(void **state)
{
    (void)state;
    struct json_edit e;
    str text = STR("{\"a\":1}");
    json_edit_begin(&e, &ctx, text);
    assert_true(json_edit_empty(&e));
    assert_ptr_equal(apply(&e).p, text.p);
    json_edit_replace(&e, parse(text), STR("2"));
    assert_false(json_edit_empty(&e));
}

static void test_replace(void **state)
{
    (void)state;
    str text = STR(" { \"a\" : 1 , \"b\":[ 1.50, \"x\" ,{}], \"a\":null }\n");
    struct json root = parse(text);
    struct json_edit e;
    json_edit_begin(&e, &ctx, text);
    json_edit_replace(&e, json_at_pointer(root, STR("/b/2")), STR("[true]"));
    json_edit_string(&e, json_at(root, 0), STR("q\"\n/\xE2\x82\xAC"));
    json_edit_string(&e, json_at_pointer(root, STR("/b/1")), STR(""));
    json_edit_string(&e, name_of(root, STR("b")), STR("renamed"));
    assert_str(apply(&e), STR(" { \"a\" : \"q\\\"\\n/\xE2\x82\xAC\" , \"renamed\":[ 1.50, \"\" ,[true]], \"a\":null }\n"));
    assert_str(apply(&e), apply(&e)); /* applying changes no edit */
    json_edit_begin(&e, &ctx, text);
    json_edit_replace(&e, root, STR("0"));
    assert_str(apply(&e), STR(" 0\n"));
}

static void test_later_wins(void **state)
{
    (void)state;
    str text = STR("[1,2,3]");
    struct json root = parse(text), again = parse(text);
    struct json_edit e;
    json_edit_begin(&e, &ctx, text);
    for (int i = 0; i < 50; i++)
        json_edit_replace(&e, json_at(i % 2 ? root : again, (size_t)i % 3), arena_printf(ctx.arena, "%d", i));
    assert_str(apply(&e), STR("[48,49,47]"));
}

/* The replacement is copied: the caller's memory may change. */
static void test_copies(void **state)
{
    (void)state;
    str text = STR("[1]");
    char raw[] = "true";
    struct json_edit e;
    json_edit_begin(&e, &ctx, text);
    json_edit_replace(&e, json_at(parse(text), 0), str_c(raw));
    memset(raw, 'x', 4);
    assert_str(apply(&e), STR("[true]"));
}

static void test_remove(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names, *expected;
    } rows[] = {
        {"{\"a\":1,\"b\":2,\"c\":3}", "a", "{\"b\":2,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b", "{\"a\":1,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "c", "{\"a\":1,\"b\":2}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "a b", "{\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b a", "{\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b c", "{\"a\":1}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "c a", "{\"b\":2}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "c a b", "{}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "b b b", "{\"a\":1,\"c\":3}"},
        {"{\"a\":1}", "a", "{}"},
        {" { \"a\" : 1 } ", "a", " {} "},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "a", "{ \"b\" : 2 , \"c\" : 3 }"},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "b", "{ \"a\" : 1 , \"c\" : 3 }"},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "c", "{ \"a\" : 1 , \"b\" : 2 }"},
        {"{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "b c", "{\n  \"a\": 1\n}"},
        {"{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "a c", "{\n  \"b\": 2\n}"},
        {"{\"a\":{\"x\":[1,{}]},\"b\":\"}\",\"c\":[],\"d\":{}}", "a c", "{\"b\":\"}\",\"d\":{}}"},
        {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6}", "a c e", "{\"b\":2,\"d\":4,\"f\":6}"},
        {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6}", "f d b", "{\"a\":1,\"c\":3,\"e\":5}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str text = str_c(rows[i].text);
        struct json_edit e;
        json_edit_begin(&e, &ctx, text);
        remove_named(&e, parse(text), str_c(rows[i].names));
        assert_str(apply(&e), str_c(rows[i].expected));
    }
}

static void test_remove_and_replace(void **state)
{
    (void)state;
    str text = STR("{\"a\":{\"x\":1,\"y\":{\"z\":2}},\"b\":{\"u\":3,\"v\":4},\"c\":5}");
    struct json root = parse(text);
    struct json_edit e;
    json_edit_begin(&e, &ctx, text);
    json_edit_string(&e, name_of(root, STR("a")), STR("begins where the removal begins"));
    json_edit_string(&e, json_at_pointer(root, STR("/a/x")), STR("inside what is removed later"));
    remove_named(&e, json_get_c(json_get_c(root, "a"), "y"), STR("z"));
    remove_named(&e, root, STR("a"));
    json_edit_replace(&e, json_at_pointer(root, STR("/a/y/z")), STR("0"));
    remove_named(&e, json_get_c(root, "b"), STR("v"));
    json_edit_replace(&e, json_at_pointer(root, STR("/b/u")), STR("33"));
    json_edit_replace(&e, json_get_c(root, "c"), STR("55"));
    assert_str(apply(&e), STR("{\"b\":{\"u\":33},\"c\":55}"));
    json_edit_string(&e, name_of(root, STR("c")), STR("renamed"));
    assert_str(apply(&e), STR("{\"b\":{\"u\":33},\"renamed\":55}"));
    remove_named(&e, root, STR("c"));
    assert_str(apply(&e), STR("{\"b\":{\"u\":33}}"));
    json_edit_string(&e, name_of(root, STR("b")), STR("renamed"));
    remove_named(&e, root, STR("b"));
    assert_str(apply(&e), STR("{}"));
}

/* ---- random documents ---- */

static uint32_t seed;
static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static void random_space(struct buf *b)
{
    static const char *const spaces[] = {"", "", "", " ", "\n  ", "\t\r\n"};
    buf_add(b, str_c(spaces[random_below(COUNT_OF(spaces))]));
}

static const char *const scalars[] = {
    "null", "true", "-1.50e+3", "0", "\"\"", "\"a,}]\\\"\"", "\"\\u00e9\xC3\xA9\"", "12345678901234567890"};

static void random_value(struct buf *b, int depth)
{
    uint32_t kind = depth == 0 ? 0 : random_below(3), n = random_below(5);
    if (kind == 0) {
        buf_add(b, str_c(scalars[random_below(COUNT_OF(scalars))]));
        return;
    }
    buf_add_char(b, kind == 1 ? '[' : '{');
    random_space(b);
    for (uint32_t i = 0; i < n; i++) {
        if (kind == 2) {
            buf_printf(b, "\"m%u%s\"", i, random_below(4) ? "" : "\\n");
            random_space(b);
            buf_add_char(b, ':');
            random_space(b);
        }
        random_value(b, depth - 1);
        random_space(b);
        if (i + 1 < n)
            buf_add_char(b, ',');
        random_space(b);
    }
    buf_add_char(b, kind == 1 ? ']' : '}');
}

/* Decides by place what happens to a value: the same answers while editing and while checking. */
enum fate { KEEP, REPLACE, REMOVE };
static enum fate fate_of(struct json v, uint32_t salt, bool member)
{
    uint32_t h = ((uint32_t)json_offset(v) + salt) * 2654435761U >> 16;
    return h % 5 == 0 ? REPLACE : member && h % 5 == 1 ? REMOVE : KEEP;
}

/* Walks v: edits what its fate says and writes to `expected` the compact text that must come out. */
static void edit_randomly(struct json_edit *e, struct json v, uint32_t salt, struct buf *expected)
{
    str raw = json_raw(v);
    if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT)) {
        buf_add(expected, raw);
        return;
    }
    bool object = json_is(v, JSON_OBJECT), first = true;
    struct json name, value;
    struct json_iter it = json_each(v);
    buf_add_char(expected, object ? '{' : '[');
    while (json_next(&it, &name, &value)) {
        enum fate fate = fate_of(value, salt, object);
        if (fate == REMOVE) {
            struct buf nothing = BUF_INIT(1 << 16);
            edit_randomly(e, value, salt, &nothing); /* edits inside of what is removed */
            buf_free(&nothing);
            json_edit_remove_member(e, v, name);
            continue;
        }
        if (!first)
            buf_add_char(expected, ',');
        first = false;
        if (object) {
            buf_add(expected, json_raw(name));
            buf_add_char(expected, ':');
        }
        if (fate == REPLACE) {
            json_edit_replace(e, value, STR("\"overruled\""));
            json_edit_replace(e, value, STR("[\"new\"]"));
            buf_add(expected, STR("[\"new\"]"));
        } else {
            edit_randomly(e, value, salt, expected);
        }
    }
    buf_add_char(expected, object ? '}' : ']');
}

static void test_random_structure(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 3000; round++) {
        seed = round;
        CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20), expected = BUF_INIT(1 << 20), compact = BUF_INIT(1 << 20);
        random_space(&text);
        random_value(&text, 5);
        random_space(&text);
        struct json root = parse(buf_str(&text));
        struct json_edit e;
        json_edit_begin(&e, &ctx, buf_str(&text));
        edit_randomly(&e, root, round, &expected);
        if (json_reformat(&ctx, apply(&e), false, &compact) != RC_OK)
            fail_msg("%s\n%s\nbecame\n%.*s", err_text(&ctx), text.p, STR_FMT(apply(&e)));
        if (!str_eq(buf_str(&compact), buf_str(&expected)))
            fail_msg("%s\nbecame\n%s\ninstead of\n%s", text.p, compact.p, expected.p);
        arena_reset(ctx.arena);
    }
}

/* Collects scalars in the order of the text. */
static size_t collect_scalars(struct json v, struct json *list, size_t n, size_t max)
{
    if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT)) {
        if (n < max)
            list[n++] = v;
        return n;
    }
    struct json value;
    struct json_iter it = json_each(v);
    while (json_next(&it, NULL, &value))
        n = collect_scalars(value, list, n, max);
    return n;
}

/* Replacements only, in any order: white space and everything else between them is equal byte for byte. */
static void test_random_bytes(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 2000; round++) {
        seed = round + 100000;
        CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20), expected = BUF_INIT(1 << 20);
        random_value(&text, 5);
        struct json list[256];
        bool edited[256] = {false};
        size_t n = collect_scalars(parse(buf_str(&text)), list, 0, COUNT_OF(list)), from = 0;
        struct json_edit e;
        json_edit_begin(&e, &ctx, buf_str(&text));
        for (size_t i = 0; i < n / 2; i++) {
            size_t at = random_below((uint32_t)n);
            edited[at] = true;
            json_edit_replace(&e, list[at], arena_printf(ctx.arena, "%zu", at * 1000));
        }
        for (size_t i = 0; i < n; i++) {
            if (!edited[i])
                continue;
            buf_add(&expected, str_sub(buf_str(&text), from, json_offset(list[i])));
            buf_printf(&expected, "%zu", i * 1000);
            from = json_offset(list[i]) + json_raw(list[i]).n;
        }
        buf_add(&expected, str_sub(buf_str(&text), from, text.n));
        assert_str(apply(&e), buf_str(&expected));
        arena_reset(ctx.arena);
    }
}

/* ---- misuse ---- */

static void misuse_overlap(struct json_edit *e, struct json root)
{
    str text;
    json_edit_replace(e, json_at(root, 0), STR("1"));
    json_edit_replace(e, json_at(json_at(root, 0), 0), STR("2"));
    (void)json_edit_apply(e, &text);
}
static void misuse_other_text(struct json_edit *e, struct json root)
{
    (void)root;
    json_edit_replace(e, parse(STR("[1]")), STR("2"));
}
static void misuse_no_member(struct json_edit *e, struct json root)
{
    str text;
    json_edit_remove_member(e, json_get_c(root, "a"), name_of(root, STR("a")));
    (void)json_edit_apply(e, &text);
}
static void misuse_no_object(struct json_edit *e, struct json root)
{
    json_edit_remove_member(e, json_get_c(root, "b"), name_of(root, STR("b")));
}
static void misuse_empty(struct json_edit *e, struct json root) { json_edit_replace(e, root, STR("")); }

static void test_misuse(void **state)
{
    (void)state;
    static void (*const calls[])(struct json_edit *, struct json) = {misuse_overlap, misuse_other_text, misuse_no_member,
                                                                     misuse_no_object, misuse_empty};
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        str text = STR("{\"a\":{\"x\":1},\"b\":2}");
        struct json root = parse(text);
        struct json_edit e;
        json_edit_begin(&e, &ctx, text);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            setrlimit(RLIMIT_CORE, &(struct rlimit){0});
            signal(SIGABRT, SIG_DFL);
            close(STDERR_FILENO);
            calls[i](&e, root);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("misuse %zu was not noticed", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove_and_replace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_structure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_misuse, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
