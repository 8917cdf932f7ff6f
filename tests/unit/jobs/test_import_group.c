/* Group import: its request, its plan, and whole jobs on a real site. */
#include "jobs_fixture.h"
#include "jobs/export_group.h"
#include "jobs/import_group.h"
#include "jobs/import_stage.h"

enum { LARGE = 100000 }; /* bytes of the item that is not kept in the database */
static id small, large, package;

/* A package of two items of the group. */
static void make_package(void)
{
    static char bytes[LARGE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    small = add_text_item(OWNER, STR("Small"), STR("{\"operationalLayers\":[]}"));
    struct item_input in = input_of(STR("Large"), STR("PDF"));
    in.file = blob_of(str_of(bytes, sizeof bytes));
    in.file_name = STR("large.pdf");
    large = add_item_of(OWNER, &in);
    blob_new_close(in.file);
    share_item_as(&small, GROUP);
    share_item_as(&large, GROUP);
    engine_start(1);
    const struct export_request r = {.group = fx.group,
                                     .group_title = STR("The group"),
                                     .caller = callers[OWNER],
                                     .all = true,
                                     .folder = ID_NONE,
                                     .file_name = STR("package"),
                                     .keep_item = true};
    id job = submit("export", "owner", export_request_print(CTX, &r));
    struct job end = job_end(&job);
    struct json result;
    assert_state(end, JOB_SUCCEEDED);
    assert_ok(json_parse(CTX, end.result, &result));
    assert_true(id_parse(json_string(json_get_c(result, "itemId"), fx.ctx.arena), &package));
}

static str package_bytes(const id *item)
{
    struct item_part part;
    assert_ok(item_part_get(CTX, SITE, &callers[ADMIN], item, PART_DATA, STR(""), &part));
    return part_bytes(&part);
}

/* Another package item, of these bytes. */
static void add_package(str bytes)
{
    struct item_input in = input_of(STR("Other package"), STR("Export Package"));
    in.file = blob_of(bytes);
    in.file_name = STR("other.epk");
    package = add_item_of(OWNER, &in);
    blob_new_close(in.file);
}

static void delete_items(void)
{
    assert_ok(item_delete(CTX, SITE, &callers[OWNER], &small));
    assert_ok(item_delete(CTX, SITE, &callers[OWNER], &large));
}

static bool is_there(const id *item)
{
    struct item_view v;
    int rc = item_get(CTX, SITE, &callers[ADMIN], item, &v);
    err_clear(CTX);
    return rc == RC_OK;
}

static struct import_request request_of(enum who who)
{
    return (struct import_request){.group = fx.group,
                                   .group_title = STR("The group"),
                                   .package = package,
                                   .all = true,
                                   .caller = callers[who],
                                   .owner = callers[who].username,
                                   .folder = ID_NONE,
                                   .folder_title = STR("Imported")};
}

static struct job import(const struct import_request *r)
{
    id job = submit("import", "owner", import_request_print(CTX, r));
    return job_end(&job);
}

static size_t listed(const struct job *job, const char *list)
{
    struct json v;
    assert_ok(json_parse(CTX, job->result, &v));
    return json_count(json_get_c(v, list));
}

static int find_folder(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct folder f;
    int rc = meta_folder_by_title(ctx, tx, STR("owner"), STR("Imported"), &f);
    *(bool *)arg = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static bool folder_there(void)
{
    bool there;
    assert_ok(sql_read(CTX, fx.site.sql, find_folder, &there));
    err_clear(CTX);
    return there;
}

/* ---- the request ---- */

static void a_request_comes_back_as_it_was(void **state)
{
    (void)state;
    id items[] = {id_new()};
    const struct import_request given = {.group = fx.group,
                                         .group_title = STR("A \"group\""),
                                         .package = id_new(),
                                         .items = items,
                                         .item_count = 1,
                                         .overwrite = true,
                                         .keep_package = true,
                                         .caller = callers[ADMIN],
                                         .owner = STR("member"),
                                         .folder = id_new(),
                                         .folder_title = STR("F\\\xc3\xa4")};
    struct import_request back;
    struct json v;
    assert_ok(json_parse(CTX, import_request_print(CTX, &given), &v));
    assert_ok(import_request_parse(CTX, v, &back));
    assert_true(id_eq(back.group, given.group));
    assert_true(id_eq(back.package, given.package));
    assert_true(id_eq(back.folder, given.folder));
    assert_true(str_eq(back.group_title, given.group_title));
    assert_true(str_eq(back.folder_title, given.folder_title));
    assert_str(back.owner, "member");
    assert_str(back.caller.username, "admin");
    assert_int_equal(back.caller.role, ROLE_ADMIN);
    assert_false(back.all);
    assert_true(back.overwrite);
    assert_true(back.keep_package);
    assert_int_equal(back.item_count, 1);
    assert_true(id_eq(back.items[0], items[0]));
}

static void an_incomplete_request_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "{}", "[]", "{\"role\":\"org_user\",\"groupId\":\"00000000000000000000000000000001\"}",
        "{\"role\":\"org_user\",\"package\":\"00000000000000000000000000000001\"}",
        "{\"groupId\":\"00000000000000000000000000000001\",\"package\":\"00000000000000000000000000000001\"}"};
    struct import_request back;
    struct json v;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_ok(json_parse(CTX, str_c(BAD[i]), &v));
        assert_refused(import_request_parse(CTX, v, &back), ERR_CORRUPT);
    }
}

/* ---- opening ---- */

static void what_is_no_package_is_refused(void **state)
{
    (void)state;
    struct portal *p;
    static const char *const BYTES[] = {"x", "PK\003\004", "PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"};
    for (size_t i = 0; i < COUNT_OF(BYTES); i++) {
        add_package(str_c(BYTES[i]));
        assert_refused(import_open(CTX, SITE, &package, STR(""), &p), ERR_PACKAGE);
        assert_ok(item_delete(CTX, SITE, &callers[OWNER], &package));
    }
    id text = add_item_of(OWNER, &(struct item_input){.field = {[ITEM_TITLE] = STR("T"), [ITEM_TYPE] = STR("Web Map")}});
    assert_refused(import_open(CTX, SITE, &text, STR(""), &p), ERR_PACKAGE);
    const id none = id_new();
    assert_refused(import_open(CTX, SITE, &none, STR(""), &p), ERR_PACKAGE);
}

static void versions_are_compared_number_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *ours, *theirs;
        bool taken;
    } VERSION[] = {{"11.4", "11.4", true},   {"11.4", "11.3", true},  {"11.4", "10.9.1", true}, {"11.4", "11.5", false},
                   {"11.4", "11.10", false}, {"11.10", "11.4", true}, {"11.4", "12", false},    {"11.4", "11.4.1", false},
                   {"11.4", "11", true},     {"11.4", "", true},      {"11.4", "x", true},      {"11", "11.0", true}};
    for (size_t i = 0; i < COUNT_OF(VERSION); i++) {
        const struct package_summary s = {.source = {.version = str_c(VERSION[i].theirs)}};
        fx.site.settings.api_level = VERSION[i].ours;
        int rc = import_version_check(CTX, SITE, &s);
        if ((rc == RC_OK) != VERSION[i].taken)
            fail_msg("%s here, %s there", VERSION[i].ours, VERSION[i].theirs);
        if (rc != RC_OK)
            assert_true(err_is(CTX, &ERR_PACKAGE));
        err_clear(CTX);
    }
}

/* ---- the plan ---- */

static void the_plan_knows_what_is_there(void **state)
{
    (void)state;
    struct plan p;
    struct portal *opened;
    make_package();
    assert_ok(item_delete(CTX, SITE, &callers[OWNER], &small));
    assert_ok(import_open(CTX, SITE, &package, STR(""), &opened));
    struct import_request r = request_of(OWNER);
    assert_ok(import_plan(CTX, SITE, opened, &r, &ID_NONE, &p));
    assert_int_equal(p.count, 2);
    assert_int_equal(plan_find(&p, &small)->action, PLAN_CREATE);
    assert_int_equal(plan_find(&p, &large)->action, PLAN_SKIP);
    r.overwrite = true;
    assert_ok(import_plan(CTX, SITE, opened, &r, &ID_NONE, &p));
    assert_int_equal(plan_find(&p, &large)->action, PLAN_OVERWRITE);
    r.caller = callers[MEMBER]; /* whose item it is not */
    assert_ok(import_plan(CTX, SITE, opened, &r, &ID_NONE, &p));
    assert_int_equal(plan_find(&p, &large)->action, PLAN_FAIL);
    r = request_of(OWNER);
    id wanted[] = {small, id_new()};
    r.all = false;
    r.items = wanted;
    r.item_count = 2;
    assert_ok(import_plan(CTX, SITE, opened, &r, &ID_NONE, &p));
    assert_int_equal(p.count, 2);
    assert_int_equal(plan_find(&p, &wanted[1])->action, PLAN_SKIP);
    assert_str(plan_find(&p, &wanted[1])->reason, "The item does not exist in the source.");
    fx.site.settings.package_item_max = 10;
    r.all = true;
    assert_ok(import_plan(CTX, SITE, opened, &r, &ID_NONE, &p));
    assert_int_equal(plan_find(&p, &small)->action, PLAN_FAIL);
    fx.site.settings.api_level = "10.0";
    assert_ok(import_plan(CTX, SITE, opened, &r, &ID_NONE, &p));
    assert_int_equal(plan_find(&p, &small)->action, PLAN_FAIL);
    assert_true(str_find(plan_find(&p, &small)->reason, STR("later than this portal's 10.0"), 0) != SIZE_MAX);
    portal_close(opened);
}

/* ---- jobs ---- */

static void items_come_back_with_ids_content_and_sharing(void **state)
{
    (void)state;
    make_package();
    delete_items();
    const struct import_request r = request_of(OWNER);
    struct job job = import(&r);
    assert_state(job, JOB_SUCCEEDED);
    assert_int_equal(listed(&job, "itemsImported"), 2);
    assert_str(item_now(&small).field[ITEM_TITLE], "Small");
    assert_str(item_now(&small).owner, "owner");
    assert_false(id_none(item_now(&small).folder));
    assert_true(folder_there());
    struct item_part part;
    struct membership *groups;
    size_t count;
    assert_ok(item_part_get(CTX, SITE, &callers[OWNER], &large, PART_DATA, STR(""), &part));
    assert_int_equal(part.size, LARGE);
    assert_ok(item_groups(CTX, SITE, &callers[OWNER], &small, &groups, &count));
    assert_int_equal(count, 1);
    assert_false(is_there(&package)); /* everything is imported, and it was not to be kept */
}

static void a_package_is_kept_when_that_is_asked(void **state)
{
    (void)state;
    make_package();
    struct import_request r = request_of(OWNER);
    r.keep_package = true;
    struct job job = import(&r);
    assert_state(job, JOB_SUCCEEDED);
    assert_int_equal(listed(&job, "itemsImported"), 0);
    assert_int_equal(listed(&job, "itemsSkipped"), 2);
    assert_true(is_there(&package));
    assert_says(job, "overwriteExistingItems is not true");
}

static void a_package_is_kept_when_an_item_failed(void **state)
{
    (void)state;
    make_package();
    fx.site.settings.package_item_max = LARGE / 2;
    delete_items();
    fx.site.settings.package_item_max = 1 << 30;
    struct import_request r = request_of(OWNER);
    r.overwrite = true;
    id taken = small;
    struct item_input in = input_of(STR("Taken"), STR("CSV"));
    in.wanted_id = taken;
    in.file = blob_of(STR("a\n1\n"));
    in.file_name = STR("taken.csv");
    assert_true(id_eq(add_item_of(ADMIN, &in), taken)); /* somebody else's, of another type */
    blob_new_close(in.file);
    struct job job = import(&r);
    assert_state(job, JOB_SUCCEEDED);
    assert_int_equal(listed(&job, "itemsImported"), 1);
    assert_int_equal(listed(&job, "itemsFailedImport"), 1);
    assert_str(item_now(&taken).field[ITEM_TITLE], "Taken");
    assert_true(is_there(&package));
    assert_says(job, "was kept, since not every item was imported");
}

static void a_damaged_package_leaves_nothing(void **state)
{
    (void)state;
    make_package();
    str good = package_bytes(&package);
    delete_items();
    /* A byte in the first member, in the middle and near the end of the members' bytes. */
    const size_t PLACES[] = {200, good.n / 2, good.n * 3 / 4};
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        char *bytes = arena_cstr(fx.ctx.arena, good);
        bytes[PLACES[i]] = (char)(bytes[PLACES[i]] ^ 0x10);
        add_package(str_of(bytes, good.n));
        const struct import_request r = request_of(OWNER);
        struct job job = import(&r);
        assert_state(job, JOB_FAILED);
        assert_str(job.result, "");
        assert_false(is_there(&small));
        assert_false(is_there(&large));
        assert_false(folder_there());
        assert_true(is_there(&package));
        assert_ok(item_delete(CTX, SITE, &callers[OWNER], &package));
    }
}

static void a_sound_package_is_staged_and_still_nothing_is_visible(void **state)
{
    (void)state;
    struct portal *opened;
    make_package();
    delete_items();
    assert_ok(import_open(CTX, SITE, &package, STR(""), &opened));
    assert_ok(import_stage(CTX, SITE, opened));
    assert_ok(import_stage(CTX, SITE, opened)); /* again, as after a restart */
    portal_close(opened);
    assert_false(is_there(&small));
    assert_false(is_there(&large));
}

static void staging_ends_when_it_is_cancelled(void **state)
{
    (void)state;
    struct portal *opened;
    atomic_bool cancel = true;
    make_package();
    assert_ok(import_open(CTX, SITE, &package, STR(""), &opened));
    fx.ctx.cancel = &cancel;
    assert_int_equal(import_stage(CTX, SITE, opened), RC_CANCELED);
    fx.ctx.cancel = NULL;
    err_clear(CTX);
    portal_close(opened);
}

static void a_caller_who_may_not_move_the_group_is_refused(void **state)
{
    (void)state;
    make_package();
    delete_items();
    const struct import_request r = request_of(OTHER);
    assert_state(import(&r), JOB_FAILED);
    assert_false(is_there(&small));
}

static void a_package_of_a_later_version_is_refused(void **state)
{
    (void)state;
    make_package();
    delete_items();
    fx.site.settings.api_level = "10.9.1";
    const struct import_request r = request_of(OWNER);
    struct job job = import(&r);
    assert_state(job, JOB_FAILED);
    assert_says(job, "The package was exported from version 11.4; this portal is version 10.9.1");
    assert_false(is_there(&small));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_fixture_open, jobs_fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_request_comes_back_as_it_was),
        TEST(an_incomplete_request_is_refused),
        TEST(what_is_no_package_is_refused),
        TEST(versions_are_compared_number_by_number),
        TEST(the_plan_knows_what_is_there),
        TEST(items_come_back_with_ids_content_and_sharing),
        TEST(a_package_is_kept_when_that_is_asked),
        TEST(a_package_is_kept_when_an_item_failed),
        TEST(a_damaged_package_leaves_nothing),
        TEST(a_sound_package_is_staged_and_still_nothing_is_visible),
        TEST(staging_ends_when_it_is_cancelled),
        TEST(a_caller_who_may_not_move_the_group_is_refused),
        TEST(a_package_of_a_later_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
