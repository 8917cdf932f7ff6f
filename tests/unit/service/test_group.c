/* Groups: operations x callers x access of the group, members, titles, searches. */
#include "fixture.h"

#include "store/meta_people.h"

/* A group of OWNER for one cell of the table, with MEMBER and MANAGER in it. */
static char op_get(const struct caller *c, const id *group)
{
    struct group g;
    enum member_type type;
    return outcome(group_get(CTX, SITE, c, group, &g, &type));
}

static char op_update(const struct caller *c, const id *group)
{
    return outcome(group_update(CTX, SITE, c, group, &(struct group_input){.snippet = STR("s")}));
}

static char op_delete(const struct caller *c, const id *group) { return outcome(group_delete(CTX, SITE, c, group)); }
static char op_protect(const struct caller *c, const id *group) { return outcome(group_protect(CTX, SITE, c, group, true)); }
static char op_join(const struct caller *c, const id *group) { return outcome(group_join(CTX, SITE, c, group)); }
static char op_leave(const struct caller *c, const id *group) { return outcome(group_leave(CTX, SITE, c, group)); }

static char op_add(const struct caller *c, const id *group)
{
    str * not ;
    size_t count;
    return outcome(group_add_users(CTX, SITE, c, group, STR("viewer"), STR(""), &not, &count));
}

static char op_remove(const struct caller *c, const id *group)
{
    str * not ;
    size_t count;
    return outcome(group_remove_users(CTX, SITE, c, group, STR("member"), &not, &count));
}

static char op_members(const struct caller *c, const id *group)
{
    struct member *list;
    size_t count;
    return outcome(group_members(CTX, SITE, c, group, &list, &count));
}

static char op_move_check(const struct caller *c, const id *group)
{
    struct group g;
    return outcome(group_move_check(CTX, SITE, c, group, &g));
}

/* A column is a caller: anonymous, owner, member, manager, other, administrator (who is in none of the groups). */
static const struct {
    const char *name;
    char (*run)(const struct caller *c, const id *group);
    const char *expected[3]; /* private, org, public */
} operations[] = {
    {"get", op_get, {"M...M.", "M.....", "......"}},         {"update", op_update, {"M.F.M.", "M.F.F.", "T.F.F."}},
    {"add users", op_add, {"M.F.M.", "M.F.F.", "T.F.F."}},   {"remove users", op_remove, {"M.F.M.", "M.F.F.", "T.F.F."}},
    {"delete", op_delete, {"M.FFM.", "M.FFF.", "T.FFF."}},   {"protect", op_protect, {"M.FFM.", "M.FFF.", "T.FFF."}},
    {"move", op_move_check, {"M.FFM.", "M.FFF.", "T.FFF."}}, {"members", op_members, {"M...M.", "M.....", "T....."}},
    {"join", op_join, {"T...M.", "T.....", "T....."}},       {"leave", op_leave, {"TX..MX", "TX..XX", "TX..XX"}},
};

static void every_operation_asks_who(void **state)
{
    (void)state;
    static const char *const access[] = {"private", "org", "public"};
    int number = 0;
    for (size_t op = 0; op < COUNT_OF(operations); op++)
        for (size_t a = 0; a < COUNT_OF(access); a++) {
            char got[WHO_COUNT + 1] = "";
            for (enum who who = 0; who < WHO_COUNT; who++) {
                str title = arena_printf(fx.ctx.arena, "group %d", number++);
                id group = new_group(OWNER, &(struct group_input){.title = title, .access = str_c(access[a])});
                got[who] = operations[op].run(&callers[who], &group);
            }
            if (strcmp(got, operations[op].expected[a]) != 0)
                fail_msg("%s, access %s: %s instead of %s", operations[op].name, access[a], got, operations[op].expected[a]);
        }
    id nowhere = id_new();
    for (size_t op = 0; op < COUNT_OF(operations); op++)
        assert_int_equal(operations[op].run(&callers[ADMIN], &nowhere), 'M');
}

static int create(enum who who, const struct group_input *in, struct group *out)
{
    return group_create(CTX, SITE, &callers[who], in, out);
}

static void create_keeps_what_is_given(void **state)
{
    (void)state;
    const struct group_input in = {.title = STR(" Gruppe é 東京 "),
                                   .tags = STR("a, b"),
                                   .access = STR("org"),
                                   .sort_field = STR("Title"),
                                   .sort_order = STR("asc"),
                                   .description = STR("d"),
                                   .is_invitation_only = STR("true"),
                                   .membership_access = STR("none"),
                                   .display_settings = STR("{\"itemTypes\":\"\"}"),
                                   .capabilities = STR("updateitemcontrol")};
    struct group made, g;
    enum member_type type;
    assert_ok(create(OTHER, &in, &made));
    assert_ok(group_get(CTX, SITE, &callers[OTHER], &made.id, &g, &type));
    assert_int_equal(type, MEMBER_OWNER);
    assert_str(g.title, "Gruppe é 東京");
    assert_str(g.tags, "[\"a\",\"b\"]");
    assert_str(g.sort_field, "title");
    assert_str(g.membership_access, "none");
    assert_int_equal(g.access, ITEM_ORG);
    assert_true(g.is_invitation_only && g.update_item_control && !g.is_view_only && !g.protected);
    assert_int_equal(g.created, NOW * 1000LL);
    fx.clock.now += 3;
    const struct group_input change = {
        .snippet = STR("s"), .description = STR(""), .capabilities = STR(""), .is_view_only = STR("true")};
    assert_ok(group_update(CTX, SITE, &callers[OTHER], &made.id, &change));
    assert_ok(group_get(CTX, SITE, &callers[ANONYMOUS + 1], &made.id, &g, &type));
    assert_int_equal(type, MEMBER_NONE);
    assert_str(g.description, "d"); /* blank is ignored */
    assert_str(g.snippet, "s");
    assert_true(g.update_item_control && g.is_view_only); /* the first is set at creation only */
    assert_int_equal(g.modified, g.created + 3);
    assert_ok(
        group_update(CTX, SITE, &callers[OTHER], &made.id,
                     &(struct group_input){.description = STR(""), .title = STR(""), .tags = STR(""), .clear_empty = true}));
    assert_ok(group_get(CTX, SITE, &callers[OTHER], &made.id, &g, &type));
    assert_str(g.description, "");
    assert_str(g.tags, "[]");
    assert_str(g.title, "Gruppe é 東京");
}

static str repeated(char c, size_t n)
{
    char *p = arena_alloc(fx.ctx.arena, n + 1);
    memset(p, c, n);
    return str_of(p, n);
}

static void hostile_input(void **state)
{
    (void)state;
    const struct group_input rows[] = {
        {.title = STR("x\xff")},
        {.title = STR("x\0y")},
        {.title = repeated('x', 251)},
        {.title = STR("x"), .access = STR("shared")},
        {.title = STR("x"), .access = STR("world")},
        {.title = STR("x"), .sort_field = STR("title; DROP TABLE item")},
        {.title = STR("x"), .sort_order = STR("sideways")},
        {.title = STR("x"), .is_view_only = STR("maybe")},
        {.title = STR("x"), .display_settings = STR("{")},
        {.title = STR("x"), .snippet = repeated('x', 2049)},
        {.title = STR("x"), .membership_access = STR("all")},
    };
    struct group g;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(create(OTHER, &rows[i], &g), ERR_PARAMETER);
    assert_refused(create(OTHER, &(struct group_input){.title = STR("  ")}, &g), ERR_GROUP_TITLE);
    assert_refused(create(OTHER, &(struct group_input){0}, &g), ERR_GROUP_TITLE);
    assert_refused(create(ANONYMOUS, &(struct group_input){.title = STR("x")}, &g), ERR_TOKEN_REQUIRED);
    assert_ok(create(OTHER, &(struct group_input){.title = repeated('x', 250)}, &g));
}

static void titles_are_unique_for_an_owner(void **state)
{
    (void)state;
    struct group g, second;
    assert_ok(create(OTHER, &(struct group_input){.title = STR("Ä group")}, &g));
    assert_int_not_equal(create(OTHER, &(struct group_input){.title = STR("ä GROUP")}, &second), RC_OK);
    assert_true(err_is(CTX, &ERR_GROUP_TITLE));
    assert_string_equal(err_text(CTX), "You already have a group named 'ä GROUP'. Try a different name.");
    err_clear(CTX);
    assert_ok(create(MANAGER, &(struct group_input){.title = STR("Ä group")}, &second));
    assert_ok(create(OTHER, &(struct group_input){.title = STR("B")}, &second));
    assert_refused(group_update(CTX, SITE, &callers[OTHER], &second.id, &(struct group_input){.title = STR("Ä group")}),
                   ERR_GROUP_TITLE);
    assert_ok(group_update(CTX, SITE, &callers[OTHER], &second.id, &(struct group_input){.title = STR("b")})); /* its own */
}

static void protected_groups_stay(void **state)
{
    (void)state;
    assert_ok(group_protect(CTX, SITE, &callers[OWNER], &fx.group, true));
    assert_refused(group_delete(CTX, SITE, &callers[ADMIN], &fx.group), ERR_GROUP_PROTECTED);
    assert_ok(group_protect(CTX, SITE, &callers[OWNER], &fx.group, false));
    assert_ok(group_delete(CTX, SITE, &callers[OWNER], &fx.group));
    assert_int_equal(op_get(&callers[OWNER], &fx.group), 'M');
}

static enum member_type type_of(enum who who, const id *group)
{
    struct member *list;
    size_t count;
    assert_ok(group_members(CTX, SITE, &callers[ADMIN], group, &list, &count));
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i].username, callers[who].username))
            return list[i].type;
    return MEMBER_NONE;
}

static void members_come_and_go(void **state)
{
    (void)state;
    str * not ;
    size_t count;
    const struct caller *manager = &callers[MANAGER];
    assert_ok(group_add_users(CTX, SITE, manager, &fx.group, STR("OTHER, nobody,,owner, other' OR '1'='1"), STR("Member"), &not,
                              &count));
    assert_int_equal(count, 3);
    assert_str(not [0], "nobody");
    assert_str(not [1], "owner"); /* stays the owner */
    assert_str(not [2], "other' OR '1'='1");
    assert_int_equal(type_of(OTHER, &fx.group), MEMBER_MEMBER); /* names without regard to case */
    assert_int_equal(type_of(MEMBER, &fx.group), MEMBER_ADMIN);
    assert_int_equal(type_of(OWNER, &fx.group), MEMBER_OWNER);
    assert_ok(group_add_users(CTX, SITE, manager, &fx.group, STR("member"), STR_NONE, &not, &count));
    assert_int_equal(count, 0);
    assert_int_equal(type_of(MEMBER, &fx.group), MEMBER_MEMBER);
    assert_ok(group_remove_users(CTX, SITE, manager, &fx.group, STR("member,owner,viewer"), &not, &count));
    assert_int_equal(count, 2);
    assert_str(not [0], "owner");
    assert_str(not [1], "viewer");
    assert_int_equal(type_of(MEMBER, &fx.group), MEMBER_NONE);
    assert_int_equal(op_get(&callers[MEMBER], &fx.group), 'M');
}

static void joining_and_leaving(void **state)
{
    (void)state;
    struct group g;
    assert_ok(create(OWNER, &(struct group_input){.title = STR("open"), .access = STR("org"), .auto_join = STR("true")}, &g));
    assert_ok(group_join(CTX, SITE, &callers[OTHER], &g.id));
    assert_ok(group_join(CTX, SITE, &callers[OTHER], &g.id));
    assert_int_equal(type_of(OTHER, &g.id), MEMBER_MEMBER);
    assert_ok(group_join(CTX, SITE, &callers[OWNER], &g.id));
    assert_int_equal(type_of(OWNER, &g.id), MEMBER_OWNER);
    assert_ok(group_leave(CTX, SITE, &callers[OTHER], &g.id));
    assert_refused(group_leave(CTX, SITE, &callers[OTHER], &g.id), ERR_REMOVE_USERS);
    assert_refused(group_leave(CTX, SITE, &callers[OWNER], &g.id), ERR_REMOVE_USERS);
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &g.id, &(struct group_input){.is_invitation_only = STR("true")}));
    assert_refused(group_join(CTX, SITE, &callers[OTHER], &g.id), ERR_FORBIDDEN);
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &fx.group, &(struct group_input){.leaving_disallowed = STR("true")}));
    assert_refused(group_leave(CTX, SITE, &callers[MEMBER], &fx.group), ERR_FORBIDDEN);
    assert_ok(group_leave(CTX, SITE, &callers[MANAGER], &fx.group));
}

static char png[] = "\x89PNG\r\n\x1a\n....";

static void thumbnails_and_categories(void **state)
{
    (void)state;
    struct blob_new *blob = blob_of(str_of(png, sizeof png - 1));
    struct group g;
    struct portal_file file;
    assert_ok(
        create(OWNER, &(struct group_input){.title = STR("pictured"), .thumbnail = blob, .thumbnail_name = STR("a b.png")}, &g));
    blob_new_close(blob);
    assert_str(g.thumbnail, "ab.png");
    assert_ok(group_file(CTX, SITE, &callers[OWNER], &g.id, STR("ab.png"), &file));
    assert_refused(group_file(CTX, SITE, &callers[OTHER], &g.id, STR("ab.png"), &file), ERR_GROUP_MISSING);
    assert_refused(group_file(CTX, SITE, &callers[OWNER], &g.id, STR("x.png"), &file), ERR_USER_FILE_MISSING);

    str schema;
    static const char list[] = "[{\"title\":\"Categories\",\"categories\":[{\"title\":\"Öl\"}]}]";
    assert_ok(group_set_categories(CTX, SITE, &callers[MANAGER], &fx.group, STR("{\"categorySchema\":[{\"title\":\"x\"}]}")));
    assert_ok(group_set_categories(CTX, SITE, &callers[OWNER], &fx.group, str_c(list)));
    assert_ok(group_categories(CTX, SITE, &callers[MEMBER], &fx.group, &schema));
    assert_true(str_eq(schema, str_c(list)));
    enum member_type type;
    assert_ok(group_get(CTX, SITE, &callers[OWNER], &fx.group, &g, &type));
    assert_true(g.has_category_schema);
    static const char too_deep[] =
        "[{\"title\":\"a\",\"categories\":[{\"title\":\"b\",\"categories\":[{\"title\":\"c\",\"categories\":[{\"title\":"
        "\"d\",\"categories\":[{\"title\":\"e\",\"categories\":[{\"title\":\"f\",\"categories\":[]}]}]}]}]}]}]";
    static const char *const bad[] = {"{",     "5", "{}", "[5]", "[{\"title\":\"\"}]", "[{\"title\":\"a\",\"categories\":{}}]",
                                      too_deep};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(group_set_categories(CTX, SITE, &callers[OWNER], &fx.group, str_c(bad[i])), ERR_PARAMETER);
    assert_refused(group_set_categories(CTX, SITE, &callers[MEMBER], &fx.group, str_c(list)), ERR_FORBIDDEN);
    assert_ok(group_set_categories(CTX, SITE, &callers[OWNER], &fx.group, STR("")));
    assert_ok(group_categories(CTX, SITE, &callers[MEMBER], &fx.group, &schema));
    assert_str(schema, "[]");
}

static void read_only_groups(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    const struct share_input in = {.everyone = -1, .org = -1, .groups = &fx.group, .group_count = 1};
    id *not_shared;
    str * not ;
    size_t count;
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &fx.group, &(struct group_input){.is_read_only = STR("true")}));
    assert_refused(group_update(CTX, SITE, &callers[OWNER], &fx.group, &(struct group_input){.snippet = STR("s")}),
                   ERR_GROUP_CHANGE);
    assert_int_equal(op_add(&callers[OWNER], &fx.group), 'F');
    assert_int_equal(op_remove(&callers[ADMIN], &fx.group), 'F');
    assert_ok(item_share(CTX, SITE, &callers[OWNER], &item, &in, &not_shared, &count));
    assert_int_equal(count, 1);
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &fx.group,
                           &(struct group_input){.is_read_only = STR("false"), .snippet = STR("s")}));
    assert_ok(group_add_users(CTX, SITE, &callers[OWNER], &fx.group, STR("other"), STR_NONE, &not, &count));
    assert_int_equal(count, 0);
}

static void hidden_members(void **state)
{
    (void)state;
    static const char expected[] = "M.F.M.";
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &fx.group, &(struct group_input){.hidden_members = STR("true")}));
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(op_members(&callers[who], &fx.group), expected[who]);
}

static void search_finds_exactly_what_may_be_seen(void **state)
{
    (void)state;
    id groups[] = {fx.group, new_group(OWNER, &(struct group_input){.title = STR("Org group"), .access = STR("org")}),
                   new_group(OWNER, &(struct group_input){.title = STR("Public group"), .access = STR("public")})};
    static const char *const queries[] = {"group", "*", "owner:owner", "title:gr* OR title:\"public group\"",
                                          "NOT title:nothing"};
    for (size_t q = 0; q < COUNT_OF(queries); q++)
        for (enum who who = 0; who < WHO_COUNT; who++) {
            struct meta_groups found;
            assert_ok(group_search(CTX, SITE, &callers[who],
                                   &(struct group_search_input){.q = str_c(queries[q]), .page = {.num = 100}}, &found));
            assert_int_equal(found.total, found.count);
            for (size_t i = 0; i < COUNT_OF(groups); i++) {
                bool in = false;
                for (size_t k = 0; k < found.count; k++)
                    in = in || id_eq(found.groups[k].id, groups[i]);
                if (in != (op_get(&callers[who], &groups[i]) == '.'))
                    fail_msg("q=%s, caller %d, group %zu: %s", queries[q], (int)who, i, in ? "leaked" : "not found");
            }
        }
}

static void deleting_a_group_keeps_its_items(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct item_view v;
    share_item_as(&item, GROUP);
    assert_ok(item_get(CTX, SITE, &callers[MEMBER], &item, &v));
    assert_true(v.has_groups);
    assert_string_equal(v.item_control, "view");
    assert_ok(group_delete(CTX, SITE, &callers[OWNER], &fx.group));
    assert_refused(item_get(CTX, SITE, &callers[MEMBER], &item, &v), ERR_FORBIDDEN);
    assert_ok(item_get(CTX, SITE, &callers[OWNER], &item, &v));
    assert_false(v.has_groups);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_operation_asks_who),
        TEST(create_keeps_what_is_given),
        TEST(hostile_input),
        TEST(titles_are_unique_for_an_owner),
        TEST(protected_groups_stay),
        TEST(members_come_and_go),
        TEST(joining_and_leaving),
        TEST(thumbnails_and_categories),
        TEST(read_only_groups),
        TEST(hidden_members),
        TEST(search_finds_exactly_what_may_be_seen),
        TEST(deleting_a_group_keeps_its_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
