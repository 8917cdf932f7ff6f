/* Roles: rows, privileges that went away, what a change means for the users that hold one. */
#include "store_fixture.h"

#include "store/meta_people.h"

#define BIT(name) (UINT64_C(1) << PRIVILEGE_##name)

TX_TEST(rows)
{
    struct custom_role r = {.id = STR("0123456789abcdef"),
                            .name = STR("Öffner"),
                            .description = STR("d"),
                            .privileges = BIT(VIEW_ITEMS),
                            .created = 1,
                            .modified = 2},
                       out, *list;
    size_t count;
    int64_t users;
    (void)arg;
    TRY(meta_role_insert(c, tx, &r));
    TRY(meta_role_get(c, tx, r.id, &out));
    assert_text(out.name, "Öffner");
    assert_true(out.privileges == r.privileges && out.created == 1 && out.modified == 2);
    TRY(meta_role_by_name(c, tx, STR("öFFNER"), &out));
    assert_int_equal(meta_role_get(c, tx, STR("x"), &out), RC_NOT_FOUND);
    TRY(meta_roles(c, tx, &list, &count));
    assert_int_equal(count, 1);
    TRY(meta_role_user_count(c, tx, r.id, &users));
    assert_int_equal(users, 0);
    TRY(meta_role_delete(c, tx, r.id));
    assert_int_equal(meta_role_delete(c, tx, r.id), RC_NOT_FOUND);
    assert_int_equal(meta_role_update(c, tx, &r), RC_NOT_FOUND);
    return RC_OK;
}

TX_TEST(holders)
{
    struct custom_role r = {.id = STR("r"), .name = STR("R"), .description = STR(""), .privileges = BIT(VIEW_ITEMS)};
    struct user u = {.username = STR("ann"),
                     .id = test_id(1),
                     .tags = STR("[]"),
                     .role_id = STR("r"),
                     .license = STR("creatorUT"),
                     .provider = STR("enterprise"),
                     .idp_username = STR("D\\a"),
                     .preferred_view = STR("Web"),
                     .favourites = test_id(7),
                     .password_expires = 9},
                out;
    int64_t users;
    (void)arg;
    TRY(meta_role_insert(c, tx, &r));
    TRY(meta_user_insert(c, tx, &u));
    TRY(meta_user_get(c, tx, STR("ann"), &out));
    assert_true(out.custom_privileges == BIT(VIEW_ITEMS) && out.password_expires == 9 && id_eq(out.favourites, u.favourites));
    assert_true(str_eq(out.license, u.license) && str_eq(out.provider, u.provider) && str_eq(out.idp_username, u.idp_username) &&
                str_eq(out.preferred_view, u.preferred_view));
    TRY(meta_role_user_count(c, tx, r.id, &users));
    assert_int_equal(users, 1);
    r.privileges = role_privileges_of(ROLE_USER);
    TRY(meta_role_update(c, tx, &r));
    TRY(meta_user_get(c, tx, STR("ann"), &out));
    assert_true(out.role == ROLE_USER && out.custom_privileges == r.privileges); /* at least that default role now */
    return RC_OK;
}

TX_TEST(privileges_that_went_away)
{
    (void)arg, (void)tx;
    assert_int_equal(meta_role_privileges(c, STR("[\"portal:gone\",\"portal:admin:viewItems\",5]")), BIT(VIEW_ITEMS));
    assert_int_equal(meta_role_privileges(c, STR("{")), 0);
    assert_int_equal(meta_role_privileges(c, STR("")), 0);
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(holders, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(privileges_that_went_away, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
