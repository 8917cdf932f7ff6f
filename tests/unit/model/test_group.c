/* model/group: JSON of groups and users, roles. */
#include "model/group.h"
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

static bool has_privilege(enum role r, const char *privilege)
{
    for (const char *const *p = role_privileges(r); *p; p++)
        if (strcmp(*p, privilege) == 0)
            return true;
    return false;
}

static void privileges(void **state)
{
    (void)state;
    assert_false(has_privilege(ROLE_VIEWER, "portal:user:createItem"));
    assert_true(has_privilege(ROLE_USER, "portal:user:createItem"));
    assert_false(has_privilege(ROLE_USER, "portal:publisher:publishFeatures"));
    assert_true(has_privilege(ROLE_PUBLISHER, "portal:publisher:publishFeatures"));
    assert_false(has_privilege(ROLE_PUBLISHER, "portal:admin:viewItems"));
    assert_true(has_privilege(ROLE_ADMIN, "portal:admin:viewItems"));
    /* Every role has what the one below it has. */
    for (int r = ROLE_USER; r <= ROLE_ADMIN; r++)
        for (const char *const *p = role_privileges((enum role)(r - 1)); *p; p++)
            assert_true(has_privilege((enum role)r, *p));
}

static struct json group_json(struct ctx *ctx, const struct group *g, const char *member_type, str username)
{
    struct buf b = BUF_INIT(1 << 20);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    group_print(&o, g, member_type, username);
    assert_int_equal(json_out_end(&o, "group"), RC_OK);
    str text = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return parsed(ctx, text);
}

static void group_members(void **state)
{
    struct ctx *ctx = *state;
    struct group g = {.title = STR("Parks \"1\""),
                      .owner = STR("ann"),
                      .tags = STR("[\"a\"]"),
                      .access = ITEM_ORG,
                      .update_item_control = true,
                      .is_view_only = true,
                      .membership_access = STR("org"),
                      .created = 5};
    struct json v = group_json(ctx, &g, "owner", STR("ann"));
    assert_true(json_string_eq(json_get_c(v, "title"), STR("Parks \"1\"")));
    assert_str(json_raw(json_get_c(v, "tags")), STR("[\"a\"]"));
    assert_true(json_string_eq(json_get_c(v, "access"), STR("org")));
    assert_str(json_raw(json_get_c(v, "capabilities")), STR("[\"updateitemcontrol\"]"));
    assert_str(json_raw(json_get_c(v, "userMembership")),
               STR("{\"username\":\"ann\",\"memberType\":\"owner\",\"applications\":0}"));
    assert_true(json_bool(json_get_c(v, "isViewOnly"), false));
    assert_true(json_string_eq(json_get_c(v, "membershipAccess"), STR("org")));
    assert_true(json_is(json_get_c(v, "description"), JSON_NULL));

    g = (struct group){.access = ITEM_PUBLIC};
    v = group_json(ctx, &g, NULL, STR_NONE);
    assert_str(json_raw(json_get_c(v, "userMembership")), STR("{\"memberType\":\"none\",\"applications\":0}"));
    assert_str(json_raw(json_get_c(v, "capabilities")), STR("[]"));
    assert_str(json_raw(json_get_c(v, "tags")), STR("[]"));
    assert_true(json_is(json_get_c(json_get_c(v, "displaySettings"), "itemTypes"), JSON_STRING));
}

static struct json user_json(struct ctx *ctx, const struct user *u, bool full)
{
    struct buf b = BUF_INIT(1 << 20);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    user_print(&o, u, full, STR("org1"));
    assert_int_equal(json_out_end(&o, "user"), RC_OK);
    str text = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    assert_int_equal(str_find(text, STR("secrethash"), 0), SIZE_MAX);
    return parsed(ctx, text);
}

static void user_members(void **state)
{
    struct ctx *ctx = *state;
    struct user u = {.username = STR("ann"),
                     .full_name = STR("Ann Lee"),
                     .email = STR("ann@x.org"),
                     .role = ROLE_PUBLISHER,
                     .password_hash = STR("secrethash")};
    struct json v = user_json(ctx, &u, true);
    assert_true(json_string_eq(json_get_c(v, "email"), STR("ann@x.org")));
    assert_true(json_string_eq(json_get_c(v, "role"), STR("org_publisher")));
    assert_true(json_string_eq(json_get_c(v, "orgId"), STR("org1")));
    assert_true(json_count(json_get_c(v, "privileges")) > 5);
    int64_t last;
    assert_true(json_int(json_get_c(v, "lastLogin"), &last));
    assert_int_equal(last, -1);
    static const char *const hidden[] = {"id", "email", "role", "privileges", "access", "disabled", "lastLogin", "orgId"};
    v = user_json(ctx, &u, false);
    assert_true(json_string_eq(json_get_c(v, "fullName"), STR("Ann Lee")));
    for (size_t i = 0; i < COUNT_OF(hidden); i++)
        assert_true(json_absent(json_get_c(v, hidden[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(roles), TEST(privileges), TEST(group_members), TEST(user_members)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
