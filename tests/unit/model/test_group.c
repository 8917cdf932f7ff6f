/* model/group: JSON of groups. */
#include "model/group.h"
#include "model_test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(group_members)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
