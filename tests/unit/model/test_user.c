/* model/user: JSON of users, user types. */
#include "model/user.h"
#include "model_test.h"

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

static void custom_roles_and_types(void **state)
{
    struct ctx *ctx = *state;
    struct user u = {.username = STR("ann"),
                     .role = ROLE_USER,
                     .role_id = STR("0123456789abcdef"),
                     .custom_privileges = role_privileges_of(ROLE_USER) | UINT64_C(1) << PRIVILEGE_VIEW_ITEMS};
    assert_false(user_is_admin(&u));
    struct json v = user_json(ctx, &u, true);
    assert_true(json_string_eq(json_get_c(v, "roleId"), STR("0123456789abcdef")));
    assert_true(json_string_eq(json_get_c(v, "role"), STR("org_user")));
    assert_true(json_string_eq(json_get_c(v, "userLicenseTypeId"), STR("creatorUT")));
    assert_int_not_equal(str_find(json_raw(json_get_c(v, "privileges")), STR("portal:admin:viewItems"), 0), SIZE_MAX);
    u = (struct user){.role = ROLE_VIEWER};
    v = user_json(ctx, &u, true);
    assert_true(json_string_eq(json_get_c(v, "level"), STR("1")));
    u.license = STR("GISProfessionalAdvUT");
    v = user_json(ctx, &u, true);
    assert_true(json_string_eq(json_get_c(v, "userLicenseTypeId"), STR("GISProfessionalAdvUT")));
    assert_true(json_string_eq(json_get_c(v, "level"), STR("2")));
    u = (struct user){.role = ROLE_ADMIN};
    assert_true(user_is_admin(&u));
    assert_true(json_absent(json_get_c(user_json(ctx, &u, true), "roleId")));

    str license, provider;
    bool viewer;
    assert_true(user_license_parse(STR("VIEWERut"), &license, &viewer));
    assert_str(license, STR("viewerUT"));
    assert_true(viewer);
    assert_true(user_license_parse(STR("creatorUT"), &license, &viewer));
    assert_false(viewer);
    assert_false(user_license_parse(STR("emperorUT"), &license, &viewer));
    assert_true(user_provider_parse(STR("Enterprise"), &provider));
    assert_str(provider, STR("enterprise"));
    assert_false(user_provider_parse(STR("ldap"), &provider));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(user_members), TEST(custom_roles_and_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
