/* model/item: fields, lists, extents, item JSON in both directions. */
#include "model/item.h"
#include "model_test.h"

static const char ITEM_TEXT[] =
    "{\"id\":\"4A0F0000000000000000000000000001\",\"owner\":\"ann\",\"created\":1000,\"modified\":2000,\"title\":\"A "
    "\\u00e9\\\"x\\\"\","
    "\"type\":\"Web Map\",\"typeKeywords\":[\"Map\",\" Online Map \",\"\"],\"tags\":\"a, "
    "b,,c\",\"snippet\":null,\"extent\":[[-1.5,2],[3,4.25]],"
    "\"properties\":{\"a\": 1},\"url\":\"http://a/x\",\"access\":\"shared\",\"size\":-1,\"numViews\":7,"
    "\"ownerFolder\":\"4a0f0000000000000000000000000002\",\"protected\":true,\"later\":[{}]}";

static void fields_by_name(void **state)
{
    (void)state;
    assert_int_equal(item_field_find(STR("licenseinfo")), ITEM_LICENSE_INFO);
    assert_int_equal(item_field_find(STR("typeKeywords")), ITEM_TYPE_KEYWORDS);
    assert_int_equal(item_field_find(STR("owner")), ITEM_FIELD_COUNT);
    assert_int_equal(item_field_find(STR("")), ITEM_FIELD_COUNT);
    for (unsigned i = 0; i < ITEM_FIELD_COUNT; i++)
        assert_int_equal(item_field_find(str_c(item_fields[i].name)), i);
}

static void access_words(void **state)
{
    (void)state;
    enum item_access a;
    for (int i = ITEM_PRIVATE; i <= ITEM_PUBLIC; i++) {
        assert_true(item_access_parse(str_c(item_access_name((enum item_access)i)), &a));
        assert_int_equal(a, i);
    }
    assert_true(item_access_parse(STR("PUBLIC"), &a));
    assert_false(item_access_parse(STR("everyone"), &a));
    assert_false(item_access_parse(STR(""), &a));
    assert_true(relationship_type_known(STR("Service2Data")));
    assert_true(relationship_type_known(STR("WorkforceMap2FeatureService")));
    assert_false(relationship_type_known(STR("service2data ")));
}

static void lists(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        str in, out;
    } rows[] = {
        {STR(""), STR("[]")},
        {STR("a"), STR("[\"a\"]")},
        {STR(" a , b c,, "), STR("[\"a\",\"b c\"]")},
        {STR("[]"), STR("[]")},
        {STR(" [\"a,b\", \" c \", \"\"] "), STR("[\"a,b\",\"c\"]")},
        {STR("[old] parks, \"x\""), STR("[\"[old] parks\",\"\\\"x\\\"\"]")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str out;
        assert_int_equal(item_list_parse(ctx, rows[i].in, &out), RC_OK);
        assert_str(out, rows[i].out);
    }
    str out;
    assert_int_equal(item_list_parse(ctx, STR("[\"a\",1]"), &out), RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
}

static void extents(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        str in, out;
    } good[] = {
        {STR(""), STR("[]")},
        {STR("[]"), STR("[]")},
        {STR("1,2,3.5,4"), STR("[[1,2],[3.5,4]]")},
        {STR(" -180 , -90 , 180 , 90 "), STR("[[-180,-90],[180,90]]")},
        {STR("[[1,2],[3,4]]"), STR("[[1,2],[3,4]]")},
        {STR("[[\"1\",\"2\"],[\"3\",\"4\"]]"), STR("[[1,2],[3,4]]")},
        {STR("[1,2,3,4]"), STR("[[1,2],[3,4]]")},
        {STR("[[\"NaN\",\"NaN\"],[\"NaN\",\"NaN\"]]"), STR("[]")},
        {STR("{\"xmin\":1,\"ymin\":2,\"xmax\":3,\"ymax\":4}"), STR("[[1,2],[3,4]]")},
        {STR("{\"xmin\":0,\"ymin\":0,\"xmax\":0,\"ymax\":0,\"spatialReference\":{\"wkid\":102100}}"), STR("[[0,0],[0,0]]")},
    };
    static const char *const bad[] = {
        "1,2,3",        "1,2,3,4,5",   "a,b,c,d",
        "[[1,2]]",      "[[1,2],[3]]", "{}",
        "[[1,2],[3,4]", "1,2,3,inf",   "{\"xmin\":1,\"ymin\":2,\"xmax\":3,\"ymax\":4,\"spatialReference\":{\"wkid\":2056}}",
    };
    str out;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(item_extent_parse(ctx, good[i].in, &out), RC_OK);
        assert_str(out, good[i].out);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(item_extent_parse(ctx, str_c(bad[i]), &out), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
    }
    assert_int_equal(item_extent_parse(ctx,
                                       STR("{\"xmin\":-20037508.342789244,\"ymin\":0,\"xmax\":20037508.342789244,\"ymax\":1,"
                                           "\"spatialReference\":{\"wkid\":3857}}"),
                                       &out),
                     RC_OK);
    double x;
    assert_true(json_double(json_at(json_at(parsed(ctx, out), 0), 0), &x));
    assert_true(x > -180.0000001 && x < -179.9999999);
}

static void reads(void **state)
{
    struct ctx *ctx = *state;
    struct item it;
    assert_int_equal(item_parse(ctx, parsed(ctx, str_c(ITEM_TEXT)), &it), RC_OK);
    assert_string_equal(it.id.text, "4a0f0000000000000000000000000001");
    assert_string_equal(it.folder.text, "4a0f0000000000000000000000000002");
    assert_str(it.owner, STR("ann"));
    assert_int_equal(it.created, 1000);
    assert_int_equal(it.modified, 2000);
    assert_int_equal(it.size, -1);
    assert_int_equal(it.num_views, 7);
    assert_int_equal(it.access, ITEM_PRIVATE); /* "shared" is what its groups make of it */
    assert_true(it.protected);
    assert_str(it.field[ITEM_TITLE], STR("A \xc3\xa9\"x\""));
    assert_str(it.field[ITEM_TYPE_KEYWORDS], STR("[\"Map\",\"Online Map\"]"));
    assert_str(it.field[ITEM_TAGS], STR("[\"a\",\"b\",\"c\"]"));
    assert_str(it.field[ITEM_SNIPPET], STR(""));
    assert_str(it.field[ITEM_EXTENT], STR("[[-1.5,2],[3,4.25]]"));
    assert_str(it.field[ITEM_PROPERTIES], STR("{\"a\": 1}"));
    assert_str(it.field[ITEM_BANNER], STR(""));
    assert_true(item_has_keyword(ctx, &it, STR("online map")));
    assert_false(item_has_keyword(ctx, &it, STR("online")));
}

static void refuses_wrong_types(void **state)
{
    struct ctx *ctx = *state;
    static const char *const texts[] = {
        "[]",
        "{\"id\":\"xyz\"}",
        "{\"id\":5}",
        "{\"title\":5}",
        "{\"tags\":{}}",
        "{\"tags\":[[]]}",
        "{\"size\":\"big\"}",
        "{\"created\":1.5}",
        "{\"access\":\"all\"}",
        "{\"extent\":\"here\"}",
        "{\"extent\":true}",
        "{\"owner\":[]}",
        "{\"ownerFolder\":\"root\"}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct item it;
        if (item_parse(ctx, parsed(ctx, str_c(texts[i])), &it) == RC_OK)
            fail_msg("taken: %s", texts[i]);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
    }
}

static str printed(struct ctx *ctx, const struct item *it, const struct item_print_opts *opts)
{
    struct buf b = BUF_INIT(1 << 20);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    item_print(&o, it, opts);
    assert_int_equal(json_out_end(&o, "item"), RC_OK);
    str text = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return text;
}

static void prints_all_keys_in_order(void **state)
{
    static const char *const keys[] = {"id",
                                       "owner",
                                       "orgId",
                                       "created",
                                       "modified",
                                       "guid",
                                       "name",
                                       "title",
                                       "type",
                                       "typeKeywords",
                                       "description",
                                       "tags",
                                       "snippet",
                                       "thumbnail",
                                       "documentation",
                                       "extent",
                                       "categories",
                                       "spatialReference",
                                       "accessInformation",
                                       "licenseInfo",
                                       "culture",
                                       "properties",
                                       "url",
                                       "proxyFilter",
                                       "access",
                                       "size",
                                       "appCategories",
                                       "industries",
                                       "languages",
                                       "largeThumbnail",
                                       "banner",
                                       "screenshots",
                                       "listed",
                                       "numComments",
                                       "numRatings",
                                       "avgRating",
                                       "numViews",
                                       "scoreCompleteness",
                                       "groupDesignations",
                                       "lastViewed",
                                       "contentStatus",
                                       "classification",
                                       "ownerFolder",
                                       "protected",
                                       "itemControl"};
    struct ctx *ctx = *state;
    struct item it;
    assert_int_equal(item_parse(ctx, parsed(ctx, str_c(ITEM_TEXT)), &it), RC_OK);
    struct json v =
        parsed(ctx, printed(ctx, &it, &(struct item_print_opts){.single = true, .item_control = "admin", .org_id = STR("org")}));
    struct json_iter iter = json_each(v);
    struct json name, value;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_true(json_next(&iter, &name, &value));
        assert_str(json_string(name, ctx->arena), str_c(keys[i]));
    }
    assert_true(json_string_eq(json_get_c(v, "itemControl"), STR("admin")));
    assert_true(json_is(json_get_c(v, "snippet"), JSON_NULL));
    assert_true(json_is(json_get_c(v, "categories"), JSON_ARRAY));
    assert_true(json_is(json_get_c(v, "properties"), JSON_OBJECT));
    assert_true(json_bool(json_get_c(v, "protected"), false));
}

static void prints_search_form(void **state)
{
    struct ctx *ctx = *state;
    struct item it = {.size = -1};
    struct json v = parsed(ctx, printed(ctx, &it, &(struct item_print_opts){.has_groups = true}));
    assert_true(json_absent(json_get_c(v, "ownerFolder")));
    assert_true(json_absent(json_get_c(v, "protected")));
    assert_true(json_string_eq(json_get_c(v, "access"), STR("shared")));
    it.access = ITEM_ORG;
    v = parsed(ctx, printed(ctx, &it, &(struct item_print_opts){.has_groups = true}));
    assert_true(json_string_eq(json_get_c(v, "access"), STR("org")));
}

static void survives_a_round(void **state)
{
    struct ctx *ctx = *state;
    struct item first, second;
    struct item_print_opts opts = {.single = true, .item_control = "view"};
    assert_int_equal(item_parse(ctx, parsed(ctx, str_c(ITEM_TEXT)), &first), RC_OK);
    str text = printed(ctx, &first, &opts);
    assert_int_equal(item_parse(ctx, parsed(ctx, text), &second), RC_OK);
    assert_str(printed(ctx, &second, &opts), text);
    for (unsigned i = 0; i < ITEM_FIELD_COUNT; i++)
        if (!str_empty(first.field[i]))
            assert_str(second.field[i], first.field[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fields_by_name),
        TEST(access_words),
        TEST(lists),
        TEST(extents),
        TEST(reads),
        TEST(refuses_wrong_types),
        TEST(prints_all_keys_in_order),
        TEST(prints_search_form),
        TEST(survives_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
