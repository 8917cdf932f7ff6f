/* Users and tokens. */
#include "store/meta_people.h"
#include "store_fixture.h"

TX_TEST(every_member)
{
    struct user in = {.username = STR("Ann.B"),
                      .id = test_id(1),
                      .full_name = STR("Ann B"),
                      .first_name = STR("Ann"),
                      .last_name = STR("B"),
                      .email = STR("a@b"),
                      .description = STR("d"),
                      .culture = STR("en"),
                      .region = STR("r"),
                      .units = STR("metric"),
                      .thumbnail = STR("t.png"),
                      .tags = STR("[]"),
                      .access = ITEM_ORG,
                      .role = ROLE_PUBLISHER,
                      .disabled = true,
                      .properties = STR("{}"),
                      .password_hash = STR("$y$"),
                      .created = 1,
                      .modified = 2,
                      .last_login = 3};
    struct user out;
    (void)arg;
    TRY(meta_user_insert(c, tx, &in));
    const char *const keys[] = {"Ann.B", "ann.b", "ANN.B", "00000000000000000000000000000001"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        TRY(meta_user_get(c, tx, str_c(keys[i]), &out));
        assert_text(out.username, "Ann.B");
        assert_true(id_eq(out.id, in.id));
        assert_true(str_eq(out.full_name, in.full_name) && str_eq(out.first_name, in.first_name) &&
                    str_eq(out.last_name, in.last_name));
        assert_true(str_eq(out.email, in.email) && str_eq(out.description, in.description) && str_eq(out.culture, in.culture));
        assert_true(str_eq(out.region, in.region) && str_eq(out.units, in.units) && str_eq(out.thumbnail, in.thumbnail));
        assert_true(str_eq(out.tags, in.tags) && str_eq(out.properties, in.properties));
        assert_true(str_eq(out.password_hash, in.password_hash));
        assert_true(out.access == in.access && out.role == in.role && out.disabled);
        assert_true(out.created == 1 && out.modified == 2 && out.last_login == 3);
    }
    in.role = ROLE_ADMIN;
    in.disabled = false;
    in.last_login = 99;
    TRY(meta_user_update(c, tx, &in));
    TRY(meta_user_get(c, tx, STR("ann.b"), &out));
    assert_true(out.role == ROLE_ADMIN && !out.disabled && out.last_login == 99);
    return RC_OK;
}

TX_TEST(names_are_unique)
{
    struct user a = {.username = STR("Ann"), .id = test_id(1)}, b = {.username = STR("aNN"), .id = test_id(2)}, out;
    (void)arg;
    TRY(meta_user_insert(c, tx, &a));
    assert_int_equal(meta_user_insert(c, tx, &b), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    assert_int_equal(meta_user_get(c, tx, STR("bob"), &out), RC_NOT_FOUND);
    assert_int_equal(meta_user_get(c, tx, STR(""), &out), RC_NOT_FOUND);
    assert_int_equal(meta_user_get(c, tx, STR("' OR 1=1 --"), &out), RC_NOT_FOUND);
    b.username = STR("bob");
    assert_int_equal(meta_user_update(c, tx, &b), RC_NOT_FOUND);
    assert_int_equal(meta_user_delete(c, tx, STR("bob")), RC_NOT_FOUND);
    TRY(meta_user_delete(c, tx, STR("ANN")));
    assert_int_equal(meta_user_get(c, tx, STR("Ann"), &out), RC_NOT_FOUND);
    return RC_OK;
}

TX_TEST(pages)
{
    const str names[] = {STR("cid"), STR("Abe"), STR("bob")};
    struct user *list;
    size_t count;
    int64_t total;
    (void)arg;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        struct user u = {.username = names[i], .id = test_id(i + 1), .created = i};
        TRY(meta_user_insert(c, tx, &u));
    }
    TRY(meta_users(c, tx, &(struct meta_page){.num = 2}, &list, &count, &total));
    assert_int_equal(count, 2);
    assert_int_equal(total, 3);
    assert_text(list[0].username, "Abe");
    TRY(meta_users(c, tx, &(struct meta_page){.num = 9, .sort_field = STR("created"), .descending = true}, &list, &count,
                   &total));
    assert_text(list[0].username, "bob");
    return RC_OK;
}

TX_TEST(tokens)
{
    struct token t = {.username = STR("Ann"),
                      .created = 1,
                      .expires = 100,
                      .referer = STR("https://x"),
                      .ip = STR("::1"),
                      .server_url = STR("s")};
    struct token out;
    struct user u = {.username = STR("Ann"), .id = test_id(1)};
    (void)arg;
    TRY(meta_user_insert(c, tx, &u));
    for (int i = 0; i < 3; i++) {
        t.hash = hash_of(arena_printf(c->arena, "%d", i));
        t.expires = 100 + i;
        TRY(meta_token_insert(c, tx, &t));
    }
    TRY(meta_token_get(c, tx, t.hash, &out));
    assert_true(hash_eq(out.hash, t.hash));
    assert_text(out.username, "Ann");
    assert_true(out.created == 1 && out.expires == 102);
    assert_text(out.referer, "https://x");
    assert_text(out.ip, "::1");
    assert_text(out.server_url, "s");
    TRY(meta_tokens_expire(c, tx, 101));
    assert_int_equal(meta_token_get(c, tx, hash_of(STR("1")), &out), RC_NOT_FOUND);
    TRY(meta_token_get(c, tx, hash_of(STR("2")), &out));
    TRY(meta_token_delete(c, tx, t.hash));
    assert_int_equal(meta_token_delete(c, tx, t.hash), RC_NOT_FOUND);
    TRY(meta_token_insert(c, tx, &t));
    TRY(meta_user_delete(c, tx, STR("ann"))); /* takes the tokens along */
    assert_int_equal(meta_token_get(c, tx, t.hash, &out), RC_NOT_FOUND);
    return RC_OK;
}

TX_TEST(who_a_token_stands_for)
{
    struct token t = {.hash = hash_of(STR("x")),
                      .username = STR("Ann"),
                      .created = 1,
                      .expires = 100,
                      .ip = STR("::1"),
                      .server_url = STR("")},
                 out;
    struct user u = {.username = STR("Ann"), .id = test_id(1), .role = ROLE_USER, .role_id = STR("abcdefghijklmnop")}, found;
    const struct custom_role role = {
        .id = u.role_id, .name = STR("Editors"), .description = STR(""), .privileges = UINT64_C(1) << PRIVILEGE_CREATE_ITEM};
    (void)arg;
    TRY(meta_token_insert(c, tx, &t));
    assert_int_equal(meta_token_signed_in(c, tx, t.hash, &out, &found), RC_NOT_FOUND); /* of nobody */
    TRY(meta_role_insert(c, tx, &role));
    TRY(meta_user_insert(c, tx, &u));
    TRY(meta_token_signed_in(c, tx, t.hash, &out, &found));
    assert_text(out.username, "Ann");
    assert_text(out.ip, "::1");
    assert_true(out.expires == 100 && !found.disabled && found.custom_privileges == role.privileges);
    u.role_id = STR("");
    u.role = ROLE_PUBLISHER;
    u.disabled = true;
    TRY(meta_user_update(c, tx, &u));
    TRY(meta_token_signed_in(c, tx, t.hash, &out, &found));
    assert_true(found.disabled && found.role == ROLE_PUBLISHER && str_empty(found.role_id) && found.custom_privileges == 0);
    assert_int_equal(meta_token_signed_in(c, tx, hash_of(STR("y")), &out, &found), RC_NOT_FOUND);
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_member, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(names_are_unique, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(pages, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(tokens, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(who_a_token_stands_for, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
