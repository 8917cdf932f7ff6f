/* Who may do what: operations x callers x sharing, the forms of sharing, and that searches find exactly what may be read. */
#include "fixture.h"
#include "service/item_dependency.h"

/* ---- operations on an item of OWNER, as one caller ---- */

static id partner; /* a public item of ADMIN, for relationships */

static char op_get(const struct caller *c, const id *item)
{
    struct item_view v;
    return outcome(item_get(CTX, SITE, c, item, &v));
}

static char op_data(const struct caller *c, const id *item)
{
    struct item_part part;
    return outcome(item_part_get(CTX, SITE, c, item, PART_DATA, STR(""), &part));
}

static char op_update(const struct caller *c, const id *item)
{
    struct item_input in = {0};
    in.field[ITEM_SNIPPET] = STR("changed");
    return outcome(item_update(CTX, SITE, c, item, &in));
}

static char op_update_access(const struct caller *c, const id *item)
{
    struct item_input in = {.access = item_now(item).access == ITEM_PUBLIC ? STR("private") : STR("public")};
    return outcome(item_update(CTX, SITE, c, item, &in));
}

static char op_delete(const struct caller *c, const id *item) { return outcome(item_delete(CTX, SITE, c, item)); }
static char op_protect(const struct caller *c, const id *item)
{
    char result = outcome(item_protect(CTX, SITE, c, item, true));
    assert_ok(item_protect(CTX, SITE, &callers[ADMIN], item, false));
    return result;
}
static char op_move(const struct caller *c, const id *item) { return outcome(item_move(CTX, SITE, c, item, STR("/"))); }
static char op_reassign(const struct caller *c, const id *item)
{
    return outcome(item_reassign(CTX, SITE, c, item, STR("other"), STR("/")));
}

static char op_put_resource(const struct caller *c, const id *item)
{
    struct blob_new *blob = blob_of(STR("{}"));
    const struct part_input part = {.name = STR("a/b.json"), .content_type = STR("application/json"), .blob = blob};
    char result = outcome(item_parts_put(CTX, SITE, c, item, PART_RESOURCE, &part, 1, true));
    blob_new_close(blob);
    return result;
}

static char op_remove_resources(const struct caller *c, const id *item)
{
    return outcome(item_part_remove(CTX, SITE, c, item, PART_RESOURCE, STR_NONE, STR("a")));
}

static char op_list_resources(const struct caller *c, const id *item)
{
    struct item_part *list;
    size_t count;
    return outcome(item_parts_list(CTX, SITE, c, item, PART_RESOURCE, STR(""), &list, &count));
}

static char op_remove_thumbnail(const struct caller *c, const id *item)
{
    return outcome(item_thumbnail_remove(CTX, SITE, c, item));
}

static char op_share_everyone(const struct caller *c, const id *item)
{
    id * not ;
    size_t count;
    return outcome(item_share(CTX, SITE, c, item, &(struct share_input){.everyone = 1, .org = -1}, &not, &count));
}

static char op_share_group(const struct caller *c, const id *item)
{
    id * not ;
    size_t count;
    const struct share_input in = {.everyone = -1, .org = -1, .groups = &fx.group, .group_count = 1};
    char result = outcome(item_share(CTX, SITE, c, item, &in, &not, &count));
    return result == '.' && count ? 'L' : result;
}

static char op_unshare(const struct caller *c, const id *item)
{
    id * not ;
    size_t count;
    char result = outcome(item_unshare(CTX, SITE, c, item, &fx.group, 1, &not, &count));
    return result == '.' && count ? 'L' : result;
}

static char op_groups(const struct caller *c, const id *item)
{
    struct membership *list;
    size_t count;
    return outcome(item_groups(CTX, SITE, c, item, &list, &count));
}

static char op_relate(const struct caller *c, const id *item)
{
    const struct relationship r = {.origin = *item, .destination = partner, .type = STR("Map2Service")};
    char result = outcome(item_relate(CTX, SITE, c, &r));
    if (result == '.')
        assert_ok(item_unrelate(CTX, SITE, c, &r));
    return result;
}

static char op_relate_to(const struct caller *c, const id *item)
{
    id own;
    const struct item_input in = input_of(STR("own"), STR("Web Map"));
    if (c->anonymous)
        own = partner;
    else
        assert_ok(item_add(CTX, SITE, c, c->username, NULL, &in, &own));
    return outcome(
        item_relate(CTX, SITE, c, &(struct relationship){.origin = own, .destination = *item, .type = STR("Map2Service")}));
}

static char op_related(const struct caller *c, const id *item)
{
    struct item_view *list;
    size_t count;
    return outcome(item_related(CTX, SITE, c, item, true, STR(""), &list, &count));
}

static char op_dependencies(const struct caller *c, const id *item)
{
    struct item_dependency *list;
    size_t count;
    return outcome(item_dependencies(CTX, SITE, c, STR("http://h/server"), item, &list, &count));
}

/* A column is a caller in the order of enum who: anonymous, owner, member, manager, other, administrator. */
static const struct {
    const char *name;
    char (*run)(const struct caller *c, const id *item);
    const char *expected[SHARING_COUNT]; /* private, group, shared-update group, org, public */
} operations[] = {
    {"get", op_get, {"T.FFF.", "T...F.", "T...F.", "T.....", "......"}},
    {"data", op_data, {"T.FFF.", "T...F.", "T...F.", "T.....", "......"}},
    {"list resources", op_list_resources, {"T.FFF.", "T...F.", "T...F.", "T.....", "......"}},
    {"groups", op_groups, {"T.FFF.", "T...F.", "T...F.", "T.....", "......"}},
    {"related", op_related, {"T.FFF.", "T...F.", "T...F.", "T.....", "......"}},
    {"dependencies", op_dependencies, {"T.FFF.", "T...F.", "T...F.", "T.....", "......"}},
    {"relate to it", op_relate_to, {"T.FFF.", "T...F.", "T...F.", "T.....", "T....."}},
    {"update", op_update, {"T.FFF.", "T.FFF.", "T...F.", "T.FFF.", "T.FFF."}},
    {"put resource", op_put_resource, {"T.FFF.", "T.FFF.", "T...F.", "T.FFF.", "T.FFF."}},
    {"remove resources", op_remove_resources, {"T.FFF.", "T.FFF.", "T...F.", "T.FFF.", "T.FFF."}},
    {"remove thumbnail", op_remove_thumbnail, {"T.FFF.", "T.FFF.", "T...F.", "T.FFF.", "T.FFF."}},
    {"relate", op_relate, {"T.FFF.", "T.FFF.", "T...F.", "T.FFF.", "T.FFF."}},
    {"update access", op_update_access, {"T.FFF.", "T.FFF.", "T.FFF.", "T.FFF.", "T.FFF."}},
    {"share everyone", op_share_everyone, {"T.FFF.", "T.FFF.", "T.FFF.", "T.FFF.", "T.FFF."}},
    {"share group", op_share_group, {"T.FFF.", "T.FFF.", "T.FFF.", "T.FFF.", "T.FFF."}},
    {"unshare", op_unshare, {"TLFFFL", "T.L.F.", "TLLLFL", "TLLLLL", "TLLLLL"}},
    {"protect", op_protect, {"T.FFF.", "T.FFF.", "T.FFF.", "T.FFF.", "T.FFF."}},
    {"move", op_move, {"T.FFF.", "T.FFF.", "T.FFF.", "T.FFF.", "T.FFF."}},
    {"reassign", op_reassign, {"TFFFF.", "TFFFFP", "TFFFFP", "TFFFF.", "TFFFF."}},
    {"delete", op_delete, {"T.FFF.", "T.FFF.", "T.FFF.", "T.FFF.", "T.FFF."}},
};

static void every_operation_asks_who(void **state)
{
    (void)state;
    const struct item_input in = input_of(STR("partner"), STR("Feature Service"));
    partner = add_item_of(ADMIN, &in);
    share_item_as(&partner, PUBLIC);
    for (size_t op = 0; op < COUNT_OF(operations); op++)
        for (enum sharing sharing = 0; sharing < SHARING_COUNT; sharing++) {
            char got[WHO_COUNT + 1] = "";
            for (enum who who = 0; who < WHO_COUNT; who++) {
                id item = add_text_item(OWNER, STR("thing"), STR("{}"));
                share_item_as(&item, sharing);
                got[who] = operations[op].run(&callers[who], &item);
            }
            if (strcmp(got, operations[op].expected[sharing]) != 0)
                fail_msg("%s, sharing %d: %s instead of %s", operations[op].name, (int)sharing, got,
                         operations[op].expected[sharing]);
        }
}

static void a_missing_item_is_missing_for_everybody(void **state)
{
    (void)state;
    id nowhere = id_new();
    for (size_t op = 0; op < COUNT_OF(operations); op++) {
        if (operations[op].run == op_protect || operations[op].run == op_update_access || operations[op].run == op_relate_to)
            continue; /* they look at the item first */
        assert_int_equal(operations[op].run(&callers[OWNER], &nowhere), 'M');
        assert_int_equal(operations[op].run(&callers[ADMIN], &nowhere), 'M');
    }
}

static void a_viewer_reads_only(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("thing"), STR("{}")), out;
    struct group g;
    str * not ;
    size_t count;
    share_item_as(&item, UPDATE_GROUP);
    assert_ok(group_add_users(CTX, SITE, &callers[OWNER], &fx.update_group, STR("viewer"), STR(""), &not, &count));
    assert_int_equal(op_get(&callers[VIEWER], &item), '.');
    assert_int_equal(op_update(&callers[VIEWER], &item), 'F');
    const struct item_input in = input_of(STR("x"), STR("CSV"));
    assert_refused(item_add(CTX, SITE, &callers[VIEWER], STR("viewer"), NULL, &in, &out), ERR_FORBIDDEN);
    assert_refused(group_create(CTX, SITE, &callers[VIEWER], &(struct group_input){.title = STR("x")}, &g), ERR_FORBIDDEN);
    assert_refused(item_reassign(CTX, SITE, &callers[ADMIN], &item, STR("viewer"), STR("")), ERR_PARAMETER);
}

/* ---- the forms of share ---- */

static void forms_of_share(void **state)
{
    (void)state;
    static const struct {
        int everyone, org;
        enum item_access after[3]; /* from private, org, public */
    } forms[] = {
        {1, 0, {ITEM_PUBLIC, ITEM_PUBLIC, ITEM_PUBLIC}}, /* everyone=true&account=true&org=false */
        {1, 1, {ITEM_PUBLIC, ITEM_PUBLIC, ITEM_PUBLIC}}, {1, -1, {ITEM_PUBLIC, ITEM_PUBLIC, ITEM_PUBLIC}},
        {0, 1, {ITEM_ORG, ITEM_ORG, ITEM_ORG}}, /* org=true&everyone=false */
        {-1, 1, {ITEM_ORG, ITEM_ORG, ITEM_ORG}},         {0, 0, {ITEM_PRIVATE, ITEM_PRIVATE, ITEM_PRIVATE}},
        {-1, -1, {ITEM_PRIVATE, ITEM_ORG, ITEM_PUBLIC}}, /* groups=ID alone */
        {0, -1, {ITEM_PRIVATE, ITEM_ORG, ITEM_PRIVATE}}, {-1, 0, {ITEM_PRIVATE, ITEM_PRIVATE, ITEM_PUBLIC}},
    };
    static const enum sharing before[] = {PRIVATE, ORG, PUBLIC};
    id item = add_text_item(OWNER, STR("thing"), STR("{}")), *not ;
    size_t count;
    for (size_t f = 0; f < COUNT_OF(forms); f++)
        for (size_t b = 0; b < COUNT_OF(before); b++) {
            share_item_as(&item, before[b]);
            const struct share_input in = {.everyone = forms[f].everyone, .org = forms[f].org};
            assert_ok(item_share(CTX, SITE, &callers[OWNER], &item, &in, &not, &count));
            if (item_now(&item).access != forms[f].after[b])
                fail_msg("everyone %d, org %d, before %zu", forms[f].everyone, forms[f].org, b);
        }
}

static size_t groups_of(const id *item, enum who who)
{
    struct membership *list;
    size_t count;
    assert_ok(item_groups(CTX, SITE, &callers[who], item, &list, &count));
    return count;
}

static void groups_alone_do_not_touch_access(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("thing"), STR("{}")), *not ;
    size_t count;
    share_item_as(&item, ORG);
    assert_int_equal(op_share_group(&callers[OWNER], &item), '.');
    assert_int_equal(op_share_group(&callers[OWNER], &item), '.'); /* twice is no error */
    assert_int_equal(item_now(&item).access, ITEM_ORG);
    assert_int_equal(groups_of(&item, OWNER), 1);
    /* groups=%20&org=false&everyone=false */
    const struct share_input blank = {.everyone = 0, .org = 0, .clear_groups = true};
    assert_ok(item_share(CTX, SITE, &callers[OWNER], &item, &blank, &not, &count));
    assert_int_equal(groups_of(&item, OWNER), 0);
    assert_int_equal(item_now(&item).access, ITEM_PRIVATE);
}

static void groups_that_fail_are_listed(void **state)
{
    (void)state;
    id item = add_text_item(OTHER, STR("of other"), STR("{}")), *not ;
    size_t count;
    id open = new_group(ADMIN, &(struct group_input){.title = STR("Open"), .access = STR("public")});
    id view_only = new_group(ADMIN, &(struct group_input){.title = STR("View only"), .is_view_only = STR("true")});
    id update = new_group(ADMIN, &(struct group_input){.title = STR("Update"), .capabilities = STR("updateitemcontrol")});
    str *names;
    const id all[] = {open, view_only, update, fx.group, id_new()};
    for (size_t i = 1; i < 3; i++) /* OTHER becomes a member of these two */
        assert_ok(group_add_users(CTX, SITE, &callers[ADMIN], &all[i], STR("other"), STR(""), &names, &count));
    struct share_input in = {.everyone = -1, .org = -1, .groups = all, .group_count = COUNT_OF(all)};
    assert_ok(item_share(CTX, SITE, &callers[OTHER], &item, &in, &not, &count));
    assert_int_equal(count, COUNT_OF(all)); /* no member; no manager; not confirmed; unseen; missing */
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_true(id_eq(not [i], all[i]));
    assert_int_equal(groups_of(&item, OTHER), 0);
    in.confirm_item_control = true;
    assert_ok(item_share(CTX, SITE, &callers[OTHER], &item, &in, &not, &count));
    assert_int_equal(count, COUNT_OF(all) - 1); /* the shared-update group works now */
    assert_ok(group_add_users(CTX, SITE, &callers[ADMIN], &view_only, STR(""), STR("other"), &names, &count));
    assert_ok(item_share(CTX, SITE, &callers[OTHER], &item, &in, &not, &count));
    assert_int_equal(count, COUNT_OF(all) - 2); /* and as a manager the view-only one */
    /* a member who updates by the shared-update group does not share it on */
    assert_int_equal(op_update(&callers[MEMBER], &item), '.');
    assert_int_equal(op_share_everyone(&callers[MEMBER], &item), 'F');
    /* leaving the group ends it */
    assert_ok(group_leave(CTX, SITE, &callers[MEMBER], &update));
    assert_ok(group_leave(CTX, SITE, &callers[MEMBER], &view_only));
    assert_int_equal(op_get(&callers[MEMBER], &item), 'F');
}

static void a_reader_sees_only_groups_that_it_may_see(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("thing"), STR("{}"));
    share_item_as(&item, GROUP);
    share_item_as(&item, PUBLIC);
    assert_int_equal(groups_of(&item, OWNER), 1);
    assert_int_equal(groups_of(&item, MEMBER), 1);
    assert_int_equal(groups_of(&item, OTHER), 0);
    assert_int_equal(groups_of(&item, ANONYMOUS), 0);
    assert_int_equal(groups_of(&item, ADMIN), 1);
}

/* ---- search ---- */

static bool found(const struct item_views *v, const id *item)
{
    for (size_t i = 0; i < v->count; i++)
        if (id_eq(v->items[i].item.id, *item))
            return true;
    return false;
}

static void search_finds_exactly_what_may_be_read(void **state)
{
    (void)state;
    id items[SHARING_COUNT];
    for (enum sharing sharing = 0; sharing < SHARING_COUNT; sharing++) {
        struct item_input in = input_of(STR("needle thing"), STR("CSV"));
        in.field[ITEM_TAGS] = STR("haystack");
        items[sharing] = add_item_of(OWNER, &in);
        share_item_as(&items[sharing], sharing);
    }
    static const char *const queries[] = {"needle",
                                          "*",
                                          "tags:haystack",
                                          "owner:owner",
                                          "title:need*",
                                          "type:CSV OR type:\"Web Map\"",
                                          "NOT title:nothing",
                                          "access:private OR access:org OR access:public OR access:shared OR needle",
                                          "needle OR owner:nobody"};
    for (size_t q = 0; q < COUNT_OF(queries); q++)
        for (enum who who = 0; who < WHO_COUNT; who++) {
            struct item_views v;
            const struct search_input in = {.q = str_c(queries[q]), .page = {.num = 1000}};
            int64_t readable = 0;
            assert_ok(item_search(CTX, SITE, &callers[who], &in, &v));
            for (size_t i = 0; i < SHARING_COUNT; i++) {
                bool may = op_get(&callers[who], &items[i]) == '.';
                readable += may;
                if (found(&v, &items[i]) != may)
                    fail_msg("q=%s, caller %d, sharing %zu: %s", queries[q], (int)who, i, may ? "not found" : "leaked");
            }
            assert_true(v.total >= readable && v.total == (int64_t)v.count);
            for (size_t i = 0; i < v.count; i++)
                assert_int_equal(op_get(&callers[who], &v.items[i].item.id), '.');
        }
}

static void search_by_id_and_group_does_not_leak(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("secret"), STR("{}"));
    share_item_as(&item, GROUP);
    for (enum who who = 0; who < WHO_COUNT; who++) {
        struct item_views v;
        str q = arena_printf(fx.ctx.arena, "id: %s AND group: %s", item.text, fx.group.text);
        const struct search_input in = {.q = q, .page = {.num = 10}};
        assert_ok(item_search(CTX, SITE, &callers[who], &in, &v));
        assert_int_equal(v.total, op_get(&callers[who], &item) == '.');
    }
}

static void content_of_a_group(void **state)
{
    (void)state;
    id open = new_group(OWNER, &(struct group_input){.title = STR("Open group"), .access = STR("public")}), *not ;
    id item = add_text_item(OWNER, STR("in open group"), STR("{}")), public_item = add_text_item(OWNER, STR("public"), STR("{}"));
    size_t count;
    const struct share_input in = {.everyone = -1, .org = -1, .groups = &open, .group_count = 1};
    assert_ok(item_share(CTX, SITE, &callers[OWNER], &item, &in, &not, &count));
    assert_ok(item_share(CTX, SITE, &callers[OWNER], &public_item, &in, &not, &count));
    share_item_as(&public_item, PUBLIC);
    static const int64_t visible[WHO_COUNT] = {1, 2, 2, 2, 1, 2};
    for (enum who who = 0; who < WHO_COUNT; who++) {
        struct item_views v;
        assert_ok(group_content(CTX, SITE, &callers[who], &open, &(struct meta_page){.num = 10}, &v));
        assert_int_equal(v.total, visible[who]);
        const struct search_input all = {.q = STR("*"), .group = &open, .page = {.num = 10}};
        assert_ok(item_search(CTX, SITE, &callers[who], &all, &v));
        assert_int_equal(v.total, visible[who]);
        /* a private group is missing for those who are not in it */
        bool sees = who != ANONYMOUS && who != OTHER;
        char got = outcome(group_content(CTX, SITE, &callers[who], &fx.group, &(struct meta_page){.num = 10}, &v));
        assert_int_equal(got, sees ? '.' : 'M');
    }
    struct item_views v;
    id nowhere = id_new();
    assert_refused(group_content(CTX, SITE, &callers[ADMIN], &nowhere, &(struct meta_page){.num = 10}, &v),
                   ERR_CONTENT_GROUP_MISSING);
}

static void related_items_do_not_leak(void **state)
{
    (void)state;
    id map = add_text_item(OWNER, STR("map"), STR("{}")), open = add_text_item(OWNER, STR("open"), STR("{}")),
       secret = add_text_item(OWNER, STR("secret"), STR("{}"));
    share_item_as(&map, PUBLIC);
    share_item_as(&open, PUBLIC);
    const struct relationship rows[] = {
        {map, open, STR("Map2Service")}, {map, secret, STR("Map2Service")}, {map, open, STR("Map2Area")}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_ok(item_relate(CTX, SITE, &callers[OWNER], &rows[i]));
    struct item_view *v;
    size_t count;
    assert_ok(item_related(CTX, SITE, &callers[OTHER], &map, true, STR(""), &v, &count));
    assert_int_equal(count, 1); /* open once, secret not */
    assert_true(id_eq(v[0].item.id, open));
    assert_ok(item_related(CTX, SITE, &callers[OWNER], &map, true, STR("Map2Service"), &v, &count));
    assert_int_equal(count, 2);
    assert_ok(item_related(CTX, SITE, &callers[OWNER], &map, true, STR(" Map2Area , WMA2Code"), &v, &count));
    assert_int_equal(count, 1);
    assert_ok(item_related(CTX, SITE, &callers[ANONYMOUS], &open, false, STR(""), &v, &count));
    assert_int_equal(count, 1);
    assert_refused(item_relate(CTX, SITE, &callers[OWNER], &(struct relationship){map, open, STR("Map2Nothing")}),
                   ERR_RELATIONSHIP);
    assert_refused(item_relate(CTX, SITE, &callers[OWNER], &(struct relationship){map, map, STR("Map2Area")}), ERR_RELATIONSHIP);
    assert_refused(item_unrelate(CTX, SITE, &callers[OWNER], &(struct relationship){map, secret, STR("Map2Area")}),
                   ERR_RELATIONSHIP);
    assert_refused(item_unrelate(CTX, SITE, &callers[OTHER], &rows[0]), ERR_FORBIDDEN);
    assert_refused(item_unrelate(CTX, SITE, &callers[ANONYMOUS], &rows[0]), ERR_TOKEN_REQUIRED);
    assert_ok(item_delete(CTX, SITE, &callers[OWNER], &open));
    assert_ok(item_related(CTX, SITE, &callers[OWNER], &map, true, STR(""), &v, &count));
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_operation_asks_who, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(a_missing_item_is_missing_for_everybody, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(a_viewer_reads_only, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(forms_of_share, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(groups_alone_do_not_touch_access, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(groups_that_fail_are_listed, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(a_reader_sees_only_groups_that_it_may_see, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(search_finds_exactly_what_may_be_read, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(search_by_id_and_group_does_not_leak, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(content_of_a_group, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(related_items_do_not_leak, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
