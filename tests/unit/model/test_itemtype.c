/* model/itemtype: the registry is sound, and what may travel in an export package. */
#include "model/itemtype.h"
#include "model_test.h"

static void rows_are_sound(void **state)
{
    (void)state;
    assert_true(itemtype_count() >= 150);
    for (size_t i = 0; i < itemtype_count(); i++) {
        const struct itemtype *t = itemtype_at(i);
        assert_ptr_equal(itemtype_find(str_c(t->name)), t); /* no name twice */
        assert_in_range(t->creation_rank, 0, 4);
        assert_int_equal(t->exportable == EXPORT_NO, t->exportable_since == NULL);
        assert_int_equal(t->rules == NULL, t->rule_count == 0);
        assert_true(t->content == CONTENT_FILE || t->content == CONTENT_TEXT || t->extensions == NULL);
        for (size_t k = 0; k < t->rule_count; k++) {
            const struct ref_rule *rule = &t->rules[k];
            assert_non_null(rule->path);
            assert_int_equal(rule->place == REF_DATA, rule->name == NULL);
            if (rule->place == REF_ITEM_FIELD)
                assert_int_not_equal(item_field_find(str_c(rule->name)), ITEM_FIELD_COUNT);
        }
    }
    assert_null(itemtype_find(STR("Web Ma")));
    assert_null(itemtype_find(STR("")));
    assert_ptr_equal(itemtype_find(STR("web map")), itemtype_find(STR("Web Map")));
}

static void keywords_of_types(void **state)
{
    (void)state;
    static const struct {
        const char *type, *given, *expected;
    } cases[] = {
        {"PDF", "", "[\"Data\",\"Document\",\"PDF\"]"},
        {"pdf", "[\"mine\",\"data\"]", "[\"mine\",\"data\",\"Document\",\"PDF\"]"},
        {"PDF", "[\"PDF\",\"Document\",\"Data\"]", "[\"PDF\",\"Document\",\"Data\"]"},
        {"Solution", "[\"a\"]", "[\"a\"]"},
        {"No such type", "", ""},
    };
    static const char *const with_keywords[] = {
#define KEYWORDS(type, keywords) type,
#include "model/itemtype_keywords.def"
#undef KEYWORDS
    };
    struct ctx ctx;
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        str list = str_c(cases[i].given);
        assert_int_equal(itemtype_keywords_add(&ctx, str_c(cases[i].type), &list), RC_OK);
        assert_true(str_eq(list, str_c(cases[i].expected)));
    }
    for (size_t i = 0; i < COUNT_OF(with_keywords); i++)
        if (!itemtype_find(str_c(with_keywords[i])))
            fail_msg("%s is no type", with_keywords[i]);
    ctx_close(&ctx);
}

/* The rows of the group export document. */
static void documented(void **state)
{
    (void)state;
    static const char *const names[] = {"ArcPad Package",
                                        "CAD Drawing",
                                        "CityEngine Web Scene",
                                        "Code Attachment",
                                        "CSV Collection",
                                        "Deep Learning Package",
                                        "Desktop Application Template",
                                        "Feature Service",
                                        "File Geodatabase",
                                        "Geoprocessing Sample",
                                        "Image Collection",
                                        "iWork Keynote",
                                        "iWork Numbers",
                                        "iWork Pages",
                                        "KML Collection",
                                        "Map Template",
                                        "Microsoft Excel",
                                        "Microsoft PowerPoint",
                                        "Microsoft Word",
                                        "SQLite Geodatabase",
                                        "Visio Document",
                                        "Web Map",
                                        "Web Mapping Application",
                                        "Web Scene",
                                        "StoryMap Theme",
                                        "Web Experience",
                                        "Web Experience Template",
                                        "Shapefile"};
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct itemtype *t = itemtype_find(str_c(names[i]));
        assert_non_null(t);
        assert_int_equal(t->exportable, EXPORT_DOCUMENTED);
    }
    for (size_t i = 0; i < itemtype_count(); i++)
        count += itemtype_at(i)->exportable == EXPORT_DOCUMENTED;
    assert_int_equal(count, COUNT_OF(names));
}

static void exportable(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *type, *keywords, *data, *version;
        bool hosted, strict, expected;
        const char *reason; /* a word of it */
    } rows[] = {
        {"Web Map", "[]", "{}", "11.4", false, true, true, ""},
        {"Nothing We Know", "[]", NULL, "11.4", false, false, false, "'Nothing We Know'"},
        {"Notebook", "[]", NULL, "11.4", false, false, false, "not supported"},
        {"PDF", "[]", NULL, "11.4", false, false, true, ""},
        {"PDF", "[]", NULL, "11.4", false, true, false, "documented"},
        {"Feature Service", "[\"Hosted Service\"]", NULL, "10.8.1", true, true, true, ""},
        {"Feature Service", "[]", NULL, "11.4", false, false, false, "not a hosted"},
        {"Feature Service", "[\"View Service\"]", NULL, "11.4", true, false, false, "view"},
        {"Feature Service", "[\"Spatiotemporal\"]", NULL, "11.4", true, false, false, "spatiotemporal"},
        {"Feature Service", "[\"Service Proxy\"]", NULL, "11.4", true, false, false, "proxied"},
        {"Web Experience", "[]", NULL, "11.1", false, true, true, ""},
        {"Web Experience", "[]", NULL, "11.0", false, true, false, "since version 11.1"},
        {"Web Experience", "[]", NULL, "10.9.1", false, true, false, "10.9.1"},
        {"StoryMap", "[]", NULL, "11.0.0", false, false, true, ""},
        {"StoryMap", "[]", NULL, "11", false, false, true, ""},
        {"StoryMap", "[]", NULL, "10.9", false, false, false, "since"},
        {"Web Mapping Application", "[]", "{\"values\":{\"webmap\":\"x\",\"group\":\"\"}}", "10.8.1", false, true, true, ""},
        {"Web Mapping Application", "[]", "{\"values\":{\"group\":\"abc\"}}", "11.4", false, false, false, "group-based"},
        {"Web Mapping Application", "[]", "{\"values\":{\"group\":[\"abc\"]}}", "11.4", false, false, false, "group-based"},
        {"Web Mapping Application", "[]", "not json", "11.4", false, false, true, ""},
        {"Web Mapping Application", "[\"configurableApp\"]", NULL, "10.8.1", false, false, false, "since version 10.9.1"},
        {"Web Mapping Application", "[\"configurableApp\"]", NULL, "10.9.1", false, false, true, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct item it = {.size = -1};
        str reason;
        it.field[ITEM_TYPE] = str_c(rows[i].type);
        it.field[ITEM_TYPE_KEYWORDS] = str_c(rows[i].keywords);
        bool may =
            itemtype_exportable(ctx, &it, rows[i].hosted, str_c(rows[i].data), rows[i].strict, str_c(rows[i].version), &reason);
        if (may != rows[i].expected || str_find(reason, str_c(rows[i].reason), 0) == SIZE_MAX || may != str_empty(reason))
            fail_msg("row %zu (%s): %d '%.*s'", i, rows[i].type, may, STR_FMT(reason));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(rows_are_sound), TEST(keywords_of_types), TEST(documented), TEST(exportable)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
