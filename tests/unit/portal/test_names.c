#include "portal/package/names.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void names_become_files(void **state)
{
    (void)state;
    static const struct {
        enum part_kind kind;
        const char *name, *type, *file;
    } rows[] = {
        {PART_DATA, "", "application/json", "data/data.json"},
        {PART_DATA, "", "application/json; charset=utf-8", "data/data.json"},
        {PART_DATA, "", "text/plain", "data/data.txt"},
        {PART_DATA, "", "", "data/data"},
        {PART_DATA, "Report 2.pdf", "", "data/Report 2.pdf"},
        {PART_DATA, "a/b", "", "data/a%2Fb"},
        {PART_DATA, "../../x", "", "data/%2E.%2F..%2Fx"},
        {PART_DATA, "größe.csv", "", "data/größe.csv"},
        {PART_DATA, "bad\xff\xc3\xa4", "", "data/bad%FF%C3%A4"},
        {PART_RESOURCE, "images/a.png", "", "resources/images/a.png"},
        {PART_RESOURCE, "../a", "", "resources/%2E%2E/a"},
        {PART_RESOURCE, "/a//b/", "", "resources/%2Fa%2F%2Fb%2F"},
        {PART_RESOURCE, ".x/ y./z", "", "resources/%2Ex/%20y%2E/z"},
        {PART_INFO, "a\\b:c*d?e\"f<g>h|i%j\n", "", "info/a%5Cb%3Ac%2Ad%3Fe%22f%3Cg%3Eh%7Ci%25j%0A"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ctx ctx;
        str *files;
        ctx_open(&ctx);
        struct item_part part = {.kind = rows[i].kind, .name = str_c(rows[i].name), .content_type = str_c(rows[i].type)};
        assert_int_equal(names_of_parts(&ctx, &part, 1, &files), RC_OK);
        if (!str_eq(files[0], str_c(rows[i].file)))
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(files[0]));
        ctx_close(&ctx);
    }
}

static void names_that_differ_in_case_are_told_apart(void **state)
{
    (void)state;
    struct ctx ctx;
    str *files;
    ctx_open(&ctx);
    struct item_part parts[] = {{.kind = PART_RESOURCE, .name = STR("a/B.png")},
                                {.kind = PART_RESOURCE, .name = STR("C.png")},
                                {.kind = PART_RESOURCE, .name = STR("A/b.png")},
                                {.kind = PART_RESOURCE, .name = STR("a/b.png")},
                                {.kind = PART_INFO, .name = STR("a/b.png")}};
    assert_int_equal(names_of_parts(&ctx, parts, COUNT_OF(parts), &files), RC_OK);
    static const char *const expected[] = {"resources/a/%42.png", "resources/C.png", "resources/%41/b.png", "resources/a/b.png",
                                           "info/a/b.png"};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_true(str_eq(files[i], str_c(expected[i])));
    parts[1] = parts[3];
    assert_int_equal(names_of_parts(&ctx, parts, COUNT_OF(parts), &files), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    ctx_close(&ctx);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    struct ctx ctx;
    str *files;
    char name[600];
    ctx_open(&ctx);
    for (size_t shift = 0; shift < 3; shift++) { /* a character or an escape never loses its end */
        for (size_t i = 0; i < sizeof name; i++)
            name[i] = i < shift ? 'x' : (i - shift) % 2 ? '\xa4' : '\xc3';
        struct item_part parts[] = {{.kind = PART_DATA, .name = str_of(name, 500 + shift)},
                                    {.kind = PART_INFO, .name = str_of("\x01\x02%%", 4)}};
        assert_int_equal(names_of_parts(&ctx, parts, 2, &files), RC_OK);
        assert_true(files[0].n <= 245);
        assert_true(str_find(files[0], STR("%~"), 0) != SIZE_MAX);
        assert_true(names_part_valid(PART_DATA, files[0]));
    }
    ctx_close(&ctx);
}

static void hostile_part_names_are_seen(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "../a", "a/../b", "a//b", "/a", "a\\b", "a\nb", ".", "a/..", "\xff"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (names_part_valid(PART_RESOURCE, str_c(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_true(names_part_valid(PART_DATA, STR("")));
    assert_true(names_part_valid(PART_RESOURCE, STR("a: b*/c..d")));
    assert_false(names_part_valid(PART_RESOURCE, str_of("a\0b", 3)));
}

static void items_are_recognised(void **state)
{
    (void)state;
    id item;
    assert_true(names_is_item(STR("items/0123456789abcdef0123456789abcdef/item.json"), &item));
    assert_string_equal(item.text, "0123456789abcdef0123456789abcdef");
    assert_false(names_is_item(STR("items/0123456789ABCDEF0123456789abcdef/item.json"), &item));
    assert_false(names_is_item(STR("items/0123456789abcdef0123456789abcde/item.jsonx"), &item));
    assert_false(names_is_item(STR("items/0123456789abcdef0123456789abcdef/data.json"), &item));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_files),   cmocka_unit_test(names_that_differ_in_case_are_told_apart),
        cmocka_unit_test(long_names_are_cut),   cmocka_unit_test(hostile_part_names_are_seen),
        cmocka_unit_test(items_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
