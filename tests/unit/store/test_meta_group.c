/* Groups, members, folders. */
#include "store_fixture.h"

TX_TEST(every_member)
{
    struct group in = {.id = test_id(1),
                       .title = STR("Title"),
                       .owner = STR("Ann"),
                       .description = STR("d"),
                       .snippet = STR("s"),
                       .phone = STR("p"),
                       .thumbnail = STR("t"),
                       .tags = STR("[\"a\"]"),
                       .sort_field = STR("modified"),
                       .sort_order = STR("desc"),
                       .access = ITEM_ORG,
                       .is_invitation_only = true,
                       .is_read_only = true,
                       .leaving_disallowed = true,
                       .update_item_control = true,
                       .membership_access = STR("org"),
                       .display_settings = STR("{}"),
                       .created = 3,
                       .modified = 4};
    struct group out;
    (void)arg;
    TRY(meta_group_insert(c, tx, &in));
    for (int round = 0; round < 2; round++) {
        TRY(meta_group_get(c, tx, &in.id, &out));
        assert_true(id_eq(out.id, in.id));
        assert_true(str_eq(out.title, in.title) && str_eq(out.owner, in.owner) && str_eq(out.description, in.description));
        assert_true(str_eq(out.snippet, in.snippet) && str_eq(out.phone, in.phone) && str_eq(out.thumbnail, in.thumbnail));
        assert_true(str_eq(out.tags, in.tags) && str_eq(out.sort_field, in.sort_field) && str_eq(out.sort_order, in.sort_order));
        assert_true(out.access == in.access && out.is_view_only == in.is_view_only);
        assert_true(out.is_invitation_only == in.is_invitation_only && out.auto_join == in.auto_join);
        assert_true(out.is_read_only == in.is_read_only && out.hidden_members == in.hidden_members);
        assert_true(out.leaving_disallowed == in.leaving_disallowed && out.protected == in.protected);
        assert_true(out.update_item_control == in.update_item_control);
        assert_true(str_eq(out.membership_access, in.membership_access) && str_eq(out.display_settings, in.display_settings));
        assert_true(out.created == in.created && out.modified == in.modified);
        in = (struct group){.id = in.id,
                            .title = STR("T2"),
                            .owner = STR("Bob"),
                            .access = ITEM_PUBLIC,
                            .is_view_only = true,
                            .auto_join = true,
                            .hidden_members = true,
                            .protected = true,
                            .created = 5,
                            .modified = 6};
        TRY(meta_group_update(c, tx, &in));
    }
    return RC_OK;
}

TX_TEST(titles)
{
    struct group g = {.id = test_id(1),
                      .title = STR("Stra\xc3\x9f"
                                   "e \xc3\x84"),
                      .owner = STR("Ann")};
    id found;
    (void)arg;
    TRY(meta_group_insert(c, tx, &g));
    TRY(meta_group_by_title(c, tx, STR("Ann"),
                            STR("STRA\xc3\x9f"
                                "E \xc3\xa4"),
                            &found));
    assert_true(id_eq(found, g.id));
    assert_int_equal(meta_group_by_title(c, tx, STR("Bob"), g.title, &found), RC_NOT_FOUND);
    assert_int_equal(meta_group_by_title(c, tx, STR("Ann"), STR("Stra"), &found), RC_NOT_FOUND);
    return RC_OK;
}

static int add_user(struct ctx *c, struct sql_tx *tx, unsigned n, str name, str full)
{
    struct user u = {.username = name, .id = test_id(n), .full_name = full};
    return meta_user_insert(c, tx, &u);
}

TX_TEST(members)
{
    struct group g = {.id = test_id(1), .title = STR("g"), .owner = STR("Zoe")};
    struct member *list;
    struct membership *groups;
    enum member_type type;
    size_t count;
    (void)arg;
    TRY(add_user(c, tx, 11, STR("Zoe"), STR("Zoe Z")));
    TRY(add_user(c, tx, 12, STR("bob"), STR("Bob B")));
    TRY(meta_group_insert(c, tx, &g));
    TRY(meta_member_put(c, tx, &g.id, STR("bob"), MEMBER_MEMBER));
    TRY(meta_member_put(c, tx, &g.id, STR("abe"), MEMBER_MEMBER));
    TRY(meta_member_put(c, tx, &g.id, STR("max"), MEMBER_ADMIN));
    TRY(meta_members(c, tx, &g.id, &list, &count));
    assert_int_equal(count, 4);
    assert_text(list[0].username, "Zoe");
    assert_text(list[0].full_name, "Zoe Z");
    assert_int_equal(list[0].type, MEMBER_OWNER);
    assert_text(list[1].username, "max");
    assert_text(list[2].username, "abe");
    assert_text(list[2].full_name, "");
    assert_text(list[3].username, "bob");
    assert_int_equal(list[3].joined, ((struct fixture *)arg)->clock.now);
    TRY(meta_member_put(c, tx, &g.id, STR("bob"), MEMBER_ADMIN));
    TRY(meta_member_type(c, tx, &g.id, STR("bob"), &type));
    assert_int_equal(type, MEMBER_ADMIN);
    TRY(meta_groups_of_user(c, tx, STR("bob"), &groups, &count));
    assert_int_equal(count, 1);
    assert_int_equal(groups[0].type, MEMBER_ADMIN);
    assert_text(groups[0].group.title, "g");
    TRY(meta_member_delete(c, tx, &g.id, STR("bob")));
    assert_int_equal(meta_member_delete(c, tx, &g.id, STR("bob")), RC_NOT_FOUND);
    TRY(meta_member_type(c, tx, &g.id, STR("bob"), &type));
    assert_int_equal(type, MEMBER_NONE);
    TRY(meta_group_delete(c, tx, &g.id));
    assert_int_equal(meta_group_delete(c, tx, &g.id), RC_NOT_FOUND);
    TRY(meta_groups_of_user(c, tx, STR("Zoe"), &groups, &count));
    assert_int_equal(count, 0);
    return RC_OK;
}

TX_TEST(folders)
{
    struct folder f = {.id = test_id(1), .owner = STR("Ann"), .title = STR("Maps"), .created = 5}, out, *list;
    struct folder twin = {.id = test_id(2), .owner = STR("Ann"), .title = STR("MAPS")};
    size_t count;
    (void)arg;
    TRY(meta_folder_insert(c, tx, &f));
    assert_int_equal(meta_folder_insert(c, tx, &twin), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    twin.owner = STR("Bob");
    TRY(meta_folder_insert(c, tx, &twin));
    TRY(meta_folder_by_title(c, tx, STR("Ann"), STR("mApS"), &out));
    assert_true(id_eq(out.id, f.id) && out.created == 5);
    assert_int_equal(meta_folder_get(c, tx, STR("Bob"), &f.id, &out), RC_NOT_FOUND);
    f.title = STR("Atlas");
    TRY(meta_folder_update(c, tx, &f));
    TRY(meta_folder_get(c, tx, STR("Ann"), &f.id, &out));
    assert_text(out.title, "Atlas");
    TRY(meta_folders(c, tx, STR("Ann"), &list, &count));
    assert_int_equal(count, 1);
    assert_int_equal(meta_folder_delete(c, tx, STR("Bob"), &f.id), RC_NOT_FOUND);
    TRY(meta_folder_delete(c, tx, STR("Ann"), &f.id));
    assert_int_equal(meta_folder_update(c, tx, &f), RC_NOT_FOUND);
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_member, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(titles, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(members, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(folders, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
