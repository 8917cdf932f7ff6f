/* How plans are told to clients. */
#include "jobs_fixture.h"
#include "jobs/lists.h"

static struct buf text;
static struct json_out out;

static int open_list(void **state)
{
    (void)state;
    ctx_open(CTX);
    text = BUF_INIT(1 << 20);
    json_out_buf(&out, CTX, &text);
    json_begin_object(&out);
    return 0;
}

static int close_list(void **state)
{
    (void)state;
    buf_free(&text);
    ctx_close(CTX);
    return 0;
}

static str printed(void)
{
    json_end_object(&out);
    assert_ok(json_out_end(&out, "lists"));
    return buf_str(&text);
}

static id id_of(char digit)
{
    id out_id = ID_NONE;
    memset(out_id.text, digit, ID_SIZE);
    return out_id;
}

static void items_are_listed_by_what_became_of_them(void **state)
{
    (void)state;
    struct plan_item items[] = {
        {.id = id_of('1'), .action = PLAN_CREATE, .title = STR("One"), .type = STR("Web Map")},
        {.id = id_of('2'), .action = PLAN_SKIP, .title = STR("Two \"2\""), .type = STR("PDF"), .reason = STR("Not here.")},
        {.id = id_of('3'), .action = PLAN_OVERWRITE, .title = STR("Three"), .type = STR("PDF")},
        {.id = id_of('4'), .action = PLAN_FAIL, .title = STR("Four"), .type = STR("PDF"), .reason = STR("Too large.")}};
    const struct plan p = {.items = items, .count = COUNT_OF(items)};
    lists_items(&out, "carried", &p, lists_carried);
    lists_items(&out, "skipped", &p, lists_skipped);
    lists_items(&out, "failed", &p, lists_failed);
    assert_str(printed(), "{\"carried\":[{\"itemId\":\"11111111111111111111111111111111\"},"
                          "{\"itemId\":\"33333333333333333333333333333333\"}],"
                          "\"skipped\":[{\"itemId\":\"22222222222222222222222222222222\",\"title\":\"Two \\\"2\\\"\","
                          "\"type\":\"PDF\",\"reason\":\"Not here.\"}],"
                          "\"failed\":[{\"itemId\":\"44444444444444444444444444444444\",\"title\":\"Four\",\"type\":\"PDF\","
                          "\"reason\":\"Too large.\"}]}");
}

static void an_empty_plan_gives_empty_lists(void **state)
{
    (void)state;
    const struct plan p = {0};
    lists_items(&out, "carried", &p, lists_carried);
    lists_references(&out, &p);
    assert_str(printed(), "{\"carried\":[],\"referencesTotal\":0,\"references\":[]}");
}

static void references_are_told_with_their_place(void **state)
{
    (void)state;
    struct plan_reference references[] = {
        {.item = id_of('1'),
         .found = {.place = REF_ITEM_FIELD, .name = STR("url"), .pointer = STR(""), .value = STR("http://a")},
         .note = STR("Note.")},
        {.item = id_of('1'),
         .found = {.place = REF_DATA, .name = STR(""), .pointer = STR("/a/0"), .value = STR("x")},
         .note = STR("")},
        {.item = id_of('2'),
         .found = {.place = REF_RESOURCE, .name = STR("a.json"), .pointer = STR("/b"), .value = STR("y")},
         .note = STR("")}};
    const struct plan p = {.references = references, .reference_count = COUNT_OF(references), .reference_total = 2000};
    lists_references(&out, &p);
    assert_str(
        printed(),
        "{\"referencesTotal\":2000,\"references\":["
        "{\"itemId\":\"11111111111111111111111111111111\",\"place\":\"field\",\"name\":\"url\",\"pointer\":\"\","
        "\"value\":\"http://a\",\"note\":\"Note.\"},"
        "{\"itemId\":\"11111111111111111111111111111111\",\"place\":\"data\",\"pointer\":\"/a/0\",\"value\":\"x\",\"note\":\"\"},"
        "{\"itemId\":\"22222222222222222222222222222222\",\"place\":\"resource\",\"name\":\"a.json\",\"pointer\":\"/b\","
        "\"value\":\"y\",\"note\":\"\"}]}");
}

static int parse(const char *json, id **ids, size_t *count)
{
    struct json v;
    assert_ok(json_parse(CTX, str_c(json), &v));
    return lists_ids_parse(CTX, json_get_c(v, "ids"), ids, count);
}

static void ids_come_back_as_they_were(void **state)
{
    (void)state;
    const id given[] = {id_of('1'), id_of('a'), id_of('1')};
    id *ids;
    size_t count;
    lists_ids_print(&out, "ids", given, COUNT_OF(given));
    assert_ok(parse(arena_cstr(fx.ctx.arena, printed()), &ids, &count));
    assert_int_equal(count, COUNT_OF(given));
    for (size_t i = 0; i < count; i++)
        assert_true(id_eq(ids[i], given[i]));
    assert_ok(parse("{\"ids\":[]}", &ids, &count));
    assert_int_equal(count, 0);
    assert_ok(parse("{}", &ids, &count));
    assert_int_equal(count, 0);
}

static void what_is_no_id_is_an_error(void **state)
{
    (void)state;
    static const char *const BAD[] = {"{\"ids\":[\"\"]}", "{\"ids\":[1]}", "{\"ids\":[null]}", "{\"ids\":[[]]}",
                                      "{\"ids\":[\"11111111111111111111111111111111\",\"1111111111111111111111111111111g\"]}"};
    id *ids;
    size_t count;
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_refused(parse(BAD[i], &ids, &count), ERR_CORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_list, close_list)
    const struct CMUnitTest tests[] = {
        TEST(items_are_listed_by_what_became_of_them),
        TEST(an_empty_plan_gives_empty_lists),
        TEST(references_are_told_with_their_place),
        TEST(ids_come_back_as_they_were),
        TEST(what_is_no_id_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
