/* model/role: the default roles, privileges as sets. */
#include "model/role.h"
#include "model_test.h"

static void roles(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum role role;
    } rows[] = {
        {"iAAAAAAAAAAAAAAA", ROLE_VIEWER}, {"viewer", ROLE_VIEWER},
        {"org_user", ROLE_USER},           {"User", ROLE_USER},
        {"account_user", ROLE_USER},       {"publisher", ROLE_PUBLISHER},
        {"org_publisher", ROLE_PUBLISHER}, {"admin", ROLE_ADMIN},
        {"administrator", ROLE_ADMIN},     {"org_admin", ROLE_ADMIN},
        {"account_admin", ROLE_ADMIN},
    };
    enum role r;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(role_parse(str_c(rows[i].text), &r));
        assert_int_equal(r, rows[i].role);
    }
    for (int i = ROLE_VIEWER; i <= ROLE_ADMIN; i++) {
        assert_true(role_parse(str_c(role_id((enum role)i)), &r));
        assert_int_equal(r, i);
    }
    assert_false(role_parse(STR(""), &r));
    assert_false(role_parse(STR("org_"), &r));
}

static void privileges(void **state)
{
    (void)state;
    static const struct {
        enum role lowest;
        enum privilege privilege;
    } rows[] = {
        {ROLE_VIEWER, PRIVILEGE_JOIN_GROUP},          {ROLE_USER, PRIVILEGE_CREATE_ITEM}, {ROLE_USER, PRIVILEGE_SHARE_TO_PUBLIC},
        {ROLE_PUBLISHER, PRIVILEGE_PUBLISH_FEATURES}, {ROLE_ADMIN, PRIVILEGE_VIEW_ITEMS}, {ROLE_ADMIN, PRIVILEGE_UPDATE_USERS},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (enum role r = ROLE_VIEWER; r < ROLE_COUNT; r++)
            assert_int_equal(role_holds(role_privileges_of(r), rows[i].privilege), r >= rows[i].lowest);
    for (enum role r = ROLE_USER; r < ROLE_COUNT; r++) /* every role has what the one below it has */
        assert_int_equal(role_privileges_of(r - 1) & ~role_privileges_of(r), 0);
}

static void the_floor_of_a_set(void **state)
{
    (void)state;
    assert_int_equal(role_floor(0), ROLE_VIEWER);
    assert_int_equal(role_floor(role_privileges_of(ROLE_USER)), ROLE_USER);
    assert_int_equal(role_floor(role_privileges_of(ROLE_USER) & ~(UINT64_C(1) << PRIVILEGE_CREATE_GROUP)), ROLE_VIEWER);
    assert_int_equal(role_floor(role_privileges_of(ROLE_ADMIN)), ROLE_PUBLISHER); /* nobody is an administrator by privileges */
}

static void sets_as_json(void **state)
{
    struct ctx *ctx = *state;
    role_privileges set;
    str unknown;
    for (enum role r = ROLE_VIEWER; r < ROLE_COUNT; r++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 16);
        struct json_out o;
        json_out_buf(&o, ctx, &b);
        role_privileges_print(&o, role_privileges_of(r));
        assert_int_equal(json_out_end(&o, "privileges"), RC_OK);
        assert_true(role_privileges_parse(ctx->arena, parsed(ctx, arena_str(ctx->arena, buf_str(&b))), &set, &unknown));
        assert_int_equal(set, role_privileges_of(r));
    }
    assert_true(role_privileges_parse(ctx->arena, parsed(ctx, STR("[]")), &set, &unknown));
    assert_int_equal(set, 0);
    assert_false(
        role_privileges_parse(ctx->arena, parsed(ctx, STR("[\"portal:user:createItem\",\"portal:god\"]")), &set, &unknown));
    assert_str(unknown, STR("portal:god"));
    assert_false(role_privileges_parse(ctx->arena, parsed(ctx, STR("[1]")), &set, &unknown));
    assert_false(role_privileges_parse(ctx->arena, parsed(ctx, STR("{}")), &set, &unknown));
    assert_false(role_privileges_parse(ctx->arena, JSON_ABSENT, &set, &unknown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(roles), TEST(privileges), TEST(the_floor_of_a_set), TEST(sets_as_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
