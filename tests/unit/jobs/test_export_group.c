/* Group export: its request, its plan, and whole jobs on a real site. */
#include "jobs_fixture.h"
#include "base/file.h"
#include "jobs/export_group.h"
#include "portal/package/package.h"

static struct export_request request_of(enum who who)
{
    return (struct export_request){.group = fx.group,
                                   .group_title = STR("The group"),
                                   .caller = callers[who],
                                   .all = true,
                                   .folder = ID_NONE,
                                   .file_name = STR(""),
                                   .keep_item = true};
}

static id add_map(enum who who, const char *title, bool shared)
{
    id item = add_text_item(who, str_c(title), STR("{\"operationalLayers\":[]}"));
    if (shared)
        share_item_as(&item, GROUP);
    return item;
}

static struct job export(const struct export_request *r)
{
    id job = submit("export", "owner", export_request_print(CTX, r));
    return job_end(&job);
}

static struct json result_of(const struct job *job)
{
    struct json v;
    assert_ok(json_parse(CTX, job->result, &v));
    return v;
}

static size_t listed(const struct job *job, const char *list) { return json_count(json_get_c(result_of(job), list)); }

/* ---- the request ---- */

static void a_request_comes_back_as_it_was(void **state)
{
    (void)state;
    id items[] = {id_new(), id_new()};
    const struct export_request given = {.group = fx.group,
                                         .group_title = STR("A \"group\"\n\xc3\xa4"),
                                         .caller = callers[MEMBER],
                                         .items = items,
                                         .item_count = 2,
                                         .folder = id_new(),
                                         .file_name = STR("a\\b"),
                                         .keep_item = false};
    struct export_request back;
    struct json v;
    assert_ok(json_parse(CTX, export_request_print(CTX, &given), &v));
    assert_ok(export_request_parse(CTX, v, &back));
    assert_true(id_eq(back.group, given.group));
    assert_true(id_eq(back.folder, given.folder));
    assert_true(str_eq(back.group_title, given.group_title));
    assert_true(str_eq(back.file_name, given.file_name));
    assert_str(back.caller.username, "member");
    assert_int_equal(back.caller.role, ROLE_PUBLISHER);
    assert_false(back.all);
    assert_false(back.keep_item);
    assert_int_equal(back.item_count, 2);
    assert_true(id_eq(back.items[1], items[1]));
}

static void an_incomplete_request_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "{}",
        "[]",
        "null",
        "{\"groupId\":\"00000000000000000000000000000001\"}",
        "{\"role\":\"org_user\"}",
        "{\"role\":\"org_user\",\"groupId\":\"1\"}",
        "{\"role\":\"king\",\"groupId\":\"00000000000000000000000000000001\"}",
        "{\"role\":\"org_user\",\"groupId\":\"00000000000000000000000000000001\",\"items\":[\"x\"]}"};
    struct export_request back;
    struct json v;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_ok(json_parse(CTX, str_c(BAD[i]), &v));
        assert_refused(export_request_parse(CTX, v, &back), ERR_CORRUPT);
    }
}

static void the_definition_shows_what_was_asked(void **state)
{
    (void)state;
    struct json v;
    const struct export_request r = request_of(OWNER);
    assert_ok(json_parse(CTX, export_definition(CTX, &r), &v));
    assert_true(json_string_eq(json_get_c(v, "type"), STR("export")));
    assert_true(json_string_eq(json_get_c(v, "groupId"), id_str(&fx.group)));
    assert_true(json_string_eq(json_get_c(v, "groupTitle"), STR("The group")));
    assert_true(str_starts(json_string(json_get_c(v, "operationId"), fx.ctx.arena), STR("cm")));
}

/* ---- the plan ---- */

static void the_plan_of_a_selection(void **state)
{
    (void)state;
    struct plan p;
    id in_group = add_map(OWNER, "In", true), outside = add_map(OWNER, "Outside", false),
       others = add_map(OTHER, "Other's", false);
    id items[] = {in_group, outside, others, id_new()};
    struct export_request r = request_of(OWNER);
    r.all = false;
    r.items = items;
    r.item_count = COUNT_OF(items);
    assert_ok(export_plan(CTX, SITE, &r, &p));
    assert_int_equal(p.count, 4);
    assert_int_equal(plan_find(&p, &in_group)->action, PLAN_CREATE);
    assert_int_equal(plan_find(&p, &outside)->action, PLAN_SKIP);
    assert_str(plan_find(&p, &outside)->reason, "The item is not shared with the group.");
    /* Somebody else's private item looks like none. */
    assert_int_equal(plan_find(&p, &others)->action, PLAN_SKIP);
    assert_str(plan_find(&p, &others)->title, "");
    assert_true(str_eq(plan_find(&p, &others)->reason, plan_find(&p, &items[3])->reason));
}

static void an_item_that_is_too_large_is_planned_to_fail(void **state)
{
    (void)state;
    struct plan p;
    id map = add_map(OWNER, "In", true);
    struct export_request r = request_of(OWNER);
    fx.site.settings.package_item_max = 10;
    assert_ok(export_plan(CTX, SITE, &r, &p));
    assert_int_equal(plan_find(&p, &map)->action, PLAN_FAIL);
    assert_true(str_find(plan_find(&p, &map)->reason, STR("export.maxItemBytes"), 0) != SIZE_MAX);
}

static void too_little_space_refuses_the_plan(void **state)
{
    (void)state;
    struct plan p;
    (void)add_map(OWNER, "In", true);
    struct export_request r = request_of(OWNER);
    fx.site.settings.free_space_min = INT64_MAX / 2;
    assert_refused(export_plan(CTX, SITE, &r, &p), ERR_NO_SPACE);
}

static void references_out_of_the_package_are_noted(void **state)
{
    (void)state;
    struct plan p;
    id outside = add_map(OWNER, "Outside", false), hidden = add_map(OTHER, "Hidden", false);
    id map = add_text_item(OWNER, STR("Map"),
                           arena_printf(fx.ctx.arena, "{\"operationalLayers\":[{\"itemId\":\"%s\"},{\"itemId\":\"%s\"}]}",
                                        outside.text, hidden.text));
    share_item_as(&map, GROUP);
    struct export_request r = request_of(OWNER);
    assert_ok(export_plan(CTX, SITE, &r, &p));
    assert_ok(export_references(CTX, SITE, &r, &p));
    assert_int_equal(p.reference_count, 2);
    assert_true(str_starts(p.references[0].note, STR("'Outside' (Web Map) is not in the package")));
    assert_str(p.references[1].note, "The item was not found in this portal.");
}

/* ---- jobs ---- */

static void a_finished_export_is_an_item_of_its_caller(void **state)
{
    (void)state;
    id first = add_map(OWNER, "One", true), package;
    (void)add_map(MEMBER, "Two", true);
    (void)add_map(OWNER, "Outside", false);
    engine_start(1);
    const struct export_request r = request_of(OWNER);
    struct job job = export(&r);
    assert_state(job, JOB_SUCCEEDED);
    assert_int_equal(listed(&job, "itemsExported"), 2);
    assert_int_equal(listed(&job, "itemsSkipped"), 0);
    assert_true(id_parse(json_string(json_get_c(result_of(&job), "itemId"), fx.ctx.arena), &package));
    struct item it = item_now(&package);
    assert_str(it.field[ITEM_TYPE], "Export Package");
    assert_str(it.owner, "owner");
    assert_int_equal(it.access, ITEM_PRIVATE);
    assert_says(job, "Starting export of items in group 'The group'");
    assert_says(job, "Added Export Package item");
    struct item_part part;
    struct portal *opened;
    struct portal_item carried;
    str path;
    bool remove;
    assert_ok(item_part_get(CTX, SITE, &callers[OWNER], &package, PART_DATA, STR(""), &part));
    assert_ok(blob_path(CTX, fx.site.blobs, part.hash, &path, &remove));
    const struct package_limits limits = package_limits_default();
    assert_ok(package_open_path(CTX, path, &limits, &opened));
    assert_ok(opened->ops->item_get(CTX, opened, &first, &carried));
    assert_str(carried.item.field[ITEM_TITLE], "One");
    portal_close(opened);
}

static void an_item_whose_content_is_lost_fails_alone(void **state)
{
    (void)state;
    char *large = arena_alloc(CTX->arena, 3 * BLOB_INLINE_MAX); /* a file of the store */
    memset(large, ' ', 3 * BLOB_INLINE_MAX);
    memcpy(large, "{}", 2);
    (void)add_map(OWNER, "Whole", true);
    id lost = add_text_item(OWNER, STR("Lost"), str_of(large, 3 * BLOB_INLINE_MAX));
    share_item_as(&lost, GROUP);
    struct item_part part;
    str path;
    bool temporary;
    assert_ok(item_part_get(CTX, SITE, &callers[OWNER], &lost, PART_DATA, STR(""), &part));
    assert_ok(blob_path(CTX, fx.site.blobs, part.hash, &path, &temporary));
    assert_false(temporary);
    assert_ok(file_remove(CTX, path.p));
    engine_start(1);
    const struct export_request r = request_of(OWNER);
    struct job job = export(&r);
    assert_state(job, JOB_SUCCEEDED);
    assert_int_equal(listed(&job, "itemsExported"), 1);
    assert_int_equal(listed(&job, "itemsFailedExport"), 1);
    struct json failed = json_at(json_get_c(result_of(&job), "itemsFailedExport"), 0);
    assert_true(json_string_eq(json_get_c(failed, "itemId"), id_str(&lost)));
    assert_true(str_find(json_string(json_get_c(failed, "reason"), CTX->arena), STR("is missing"), 0) != SIZE_MAX);
}

static void a_synchronous_export_leaves_bytes_and_no_item(void **state)
{
    (void)state;
    (void)add_map(OWNER, "One", true);
    engine_start(1);
    struct export_request r = request_of(OWNER);
    r.keep_item = false;
    r.file_name = STR("mine");
    struct job job = export(&r);
    struct hash hash;
    str name;
    bool there;
    assert_state(job, JOB_SUCCEEDED);
    assert_true(json_is(json_get_c(result_of(&job), "itemId"), JSON_NONE));
    assert_ok(export_package_of(CTX, &job, &hash, &name));
    assert_str(name, "mine");
    assert_ok(blob_exists(CTX, fx.site.blobs, hash, &there));
    assert_true(there);
}

static void an_empty_group_gives_no_package(void **state)
{
    (void)state;
    struct hash hash;
    str name;
    engine_start(1);
    const struct export_request r = request_of(OWNER);
    struct job job = export(&r);
    assert_state(job, JOB_SUCCEEDED);
    assert_says(job, "There are no items to export.");
    assert_int_equal(export_package_of(CTX, &job, &hash, &name), RC_END);
    assert_int_equal(listed(&job, "itemsExported"), 0);
}

static void a_name_that_is_taken_gets_a_number(void **state)
{
    (void)state;
    (void)add_map(OWNER, "One", true);
    engine_start(1);
    struct export_request r = request_of(OWNER);
    r.file_name = STR("mine");
    struct job first = export(&r), second = export(&r);
    assert_state(first, JOB_SUCCEEDED);
    assert_state(second, JOB_SUCCEEDED);
    id item;
    assert_true(id_parse(json_string(json_get_c(result_of(&first), "itemId"), fx.ctx.arena), &item));
    assert_str(item_now(&item).field[ITEM_NAME], "mine.epk");
    assert_true(id_parse(json_string(json_get_c(result_of(&second), "itemId"), fx.ctx.arena), &item));
    assert_str(item_now(&item).field[ITEM_NAME], "mine_2.epk");
}

static void a_title_becomes_a_file_name(void **state)
{
    (void)state;
    (void)add_map(OWNER, "One", true);
    engine_start(1);
    struct export_request r = request_of(OWNER);
    r.group_title = STR("../a/b\n\xc3\xa4");
    struct job job = export(&r);
    assert_state(job, JOB_SUCCEEDED);
    str name = json_string(json_get_c(result_of(&job), "fileName"), fx.ctx.arena);
    assert_true(str_starts(name, STR(".._a_b_\xc3\xa4_")));
}

static void a_caller_who_may_not_move_the_group_is_refused(void **state)
{
    (void)state;
    (void)add_map(OWNER, "One", true);
    engine_start(1);
    const enum who WHO[] = {OTHER, MEMBER};
    for (size_t i = 0; i < COUNT_OF(WHO); i++) {
        const struct export_request r = request_of(WHO[i]);
        struct job job = export(&r);
        assert_state(job, JOB_FAILED);
        assert_str(job.result, "");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_fixture_open, jobs_fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_request_comes_back_as_it_was),
        TEST(an_incomplete_request_is_refused),
        TEST(the_definition_shows_what_was_asked),
        TEST(the_plan_of_a_selection),
        TEST(an_item_that_is_too_large_is_planned_to_fail),
        TEST(too_little_space_refuses_the_plan),
        TEST(references_out_of_the_package_are_noted),
        TEST(a_finished_export_is_an_item_of_its_caller),
        TEST(an_item_whose_content_is_lost_fails_alone),
        TEST(a_synchronous_export_leaves_bytes_and_no_item),
        TEST(an_empty_group_gives_no_package),
        TEST(a_name_that_is_taken_gets_a_number),
        TEST(a_title_becomes_a_file_name),
        TEST(a_caller_who_may_not_move_the_group_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
