/* Custom roles: who makes them, what they hold, what their holders may. */
#include "fixture.h"

#include "service/role.h"

static struct custom_role make(const char *name, const char *privileges)
{
    struct custom_role r;
    assert_ok(
        role_create(CTX, SITE, &callers[ADMIN], &(struct role_input){.name = str_c(name), .privileges = str_c(privileges)}, &r));
    return r;
}

static void administrators_make_roles(void **state)
{
    (void)state;
    static const char expected[] = "TFFFF.";
    struct custom_role r, *list;
    size_t count;
    for (enum who who = 0; who < WHO_COUNT; who++) {
        const struct role_input in = {
            .name = STR("Editors"), .description = STR("d"), .privileges = STR("[\"portal:user:createItem\"]")};
        assert_int_equal(outcome(role_create(CTX, SITE, &callers[who], &in, &r)), expected[who]);
        assert_int_equal(outcome(role_list(CTX, SITE, &callers[who], &list, &count)), who == ANONYMOUS ? 'T' : '.');
    }
    assert_int_equal(r.id.n, ROLE_ID_SIZE);
    assert_int_equal(count, 1);
    assert_str(list[0].name, "Editors");
    assert_ok(role_get(CTX, SITE, &callers[OTHER], r.id, &r));
    assert_int_equal(r.privileges, UINT64_C(1) << PRIVILEGE_CREATE_ITEM);
    for (enum who who = 0; who < WHO_COUNT; who++) {
        const struct role_input in = {.name = STR("Renamed")};
        assert_int_equal(outcome(role_update(CTX, SITE, &callers[who], r.id, &in, &r)), expected[who]);
    }
    assert_int_equal(r.privileges, UINT64_C(1) << PRIVILEGE_CREATE_ITEM); /* what is not given stays */
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(outcome(role_delete(CTX, SITE, &callers[who], r.id)), expected[who]);
    assert_refused(role_get(CTX, SITE, &callers[OTHER], r.id, &r), ERR_ROLE_MISSING);
}

static void hostile_roles(void **state)
{
    (void)state;
    struct custom_role r, first = make("First", "[]");
    static const struct {
        const char *name, *privileges;
        const struct err_kind *kind;
    } rows[] = {{"", "[]", &ERR_PARAMETER},        {"x", "{", &ERR_PARAMETER}, {"x", "[\"portal:god\"]", &ERR_PARAMETER},
                {"x", "\"text\"", &ERR_PARAMETER}, {"FIRST", "[]", &ERR_ROLE}, {"org_admin", "[]", &ERR_ROLE},
                {"Publisher", "[]", &ERR_ROLE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct role_input in = {.name = str_c(rows[i].name), .privileges = str_c(rows[i].privileges)};
        assert_refused(role_create(CTX, SITE, &callers[ADMIN], &in, &r), *rows[i].kind);
    }
    assert_refused(role_update(CTX, SITE, &callers[ADMIN], STR("org_user"), &(struct role_input){.name = STR("x")}, &r),
                   ERR_ROLE);
    assert_refused(role_delete(CTX, SITE, &callers[ADMIN], STR("iAAAAAAAAAAAAAAA")), ERR_ROLE);
    assert_refused(role_delete(CTX, SITE, &callers[ADMIN], STR("nothing")), ERR_ROLE_MISSING);
    assert_ok(
        role_update(CTX, SITE, &callers[ADMIN], first.id, &(struct role_input){.name = STR("first")}, &r)); /* its own name */
    assert_ok(role_update(CTX, SITE, &callers[ADMIN], first.id,
                          &(struct role_input){.privileges = STR("portal:user:createItem, portal:user:createGroup")}, &r));
    assert_int_equal(r.privileges, UINT64_C(1) << PRIVILEGE_CREATE_ITEM | UINT64_C(1) << PRIVILEGE_CREATE_GROUP);
    assert_ok(role_get(CTX, SITE, &callers[OTHER], STR("org_publisher"), &r));
    assert_int_equal(r.privileges, role_privileges_of(ROLE_PUBLISHER));
}

static struct caller signed_in(str name)
{
    struct user u;
    bool full;
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], name, &u, &full));
    return access_caller(&u);
}

static void holders(void **state)
{
    (void)state;
    struct custom_role r = make("Curators", "{\"privileges\":[\"portal:user:viewOrgItems\",\"portal:admin:viewItems\"]}");
    struct user u;
    struct item_view v;
    id item = add_text_item(OWNER, STR("map"), STR("{}"));
    assert_ok(user_set_role(CTX, SITE, &callers[ADMIN], STR("other"), r.id, &u));
    assert_int_equal(u.role, ROLE_VIEWER);
    struct caller c = signed_in(STR("other"));
    assert_true(c.custom);
    assert_ok(item_get(CTX, SITE, &c, &item, &v));
    struct search_input all = {.q = STR("map"), .page = {.num = 10}};
    struct item_views found;
    assert_ok(item_search(CTX, SITE, &c, &all, &found));
    assert_int_equal(found.total, 1);
    assert_int_equal(outcome(item_delete(CTX, SITE, &c, &item)), 'F');
    struct group g;
    assert_int_equal(outcome(group_create(CTX, SITE, &c, &(struct group_input){.title = STR("g")}, &g)), 'F');
    assert_refused(role_delete(CTX, SITE, &callers[ADMIN], r.id), ERR_ROLE); /* in use */

    /* what the role holds changes at the next request */
    assert_ok(role_update(CTX, SITE, &callers[ADMIN], r.id, &(struct role_input){.privileges = STR("[]")}, &r));
    c = signed_in(STR("other"));
    assert_int_equal(outcome(item_get(CTX, SITE, &c, &item, &v)), 'F');
    assert_ok(item_search(CTX, SITE, &c, &all, &found));
    assert_int_equal(found.total, 0);
    share_item_as(&item, ORG); /* not even what the organization sees */
    assert_int_equal(outcome(item_get(CTX, SITE, &c, &item, &v)), 'F');
    assert_ok(item_search(CTX, SITE, &c, &all, &found));
    assert_int_equal(found.total, 0);
    share_item_as(&item, PUBLIC);
    assert_ok(item_get(CTX, SITE, &c, &item, &v));
    assert_ok(item_search(CTX, SITE, &c, &all, &found));
    assert_int_equal(found.total, 1);
}

/* Who manages people by privileges does not lift himself. */
static void no_way_up(void **state)
{
    (void)state;
    struct custom_role r = make("Staff",
                                "[\"portal:user:viewOrgUsers\",\"portal:admin:viewUsers\",\"portal:admin:updateUsers\","
                                "\"portal:admin:changeUserRoles\",\"portal:admin:inviteUsers\",\"portal:admin:deleteUsers\","
                                "\"portal:admin:disableUsers\"]"),
                       small = make("Small", "[\"portal:user:viewOrgUsers\"]");
    struct user u;
    assert_ok(user_set_role(CTX, SITE, &callers[ADMIN], STR("other"), r.id, &u));
    struct caller c = signed_in(STR("other"));
    const str too_much[] = {STR("org_admin"), STR("org_user"), STR("iAAAAAAAAAAAAAAA")};
    for (size_t i = 0; i < COUNT_OF(too_much); i++) {
        assert_refused(user_set_role(CTX, SITE, &c, STR("other"), too_much[i], &u), ERR_FORBIDDEN);
        const struct user_input in = {.username = STR("puppet"), .password = STR("password"), .role = too_much[i]};
        assert_refused(user_create(CTX, SITE, &c, &in), ERR_FORBIDDEN);
    }
    const struct user_input in = {.username = STR("puppet"), .password = STR("password"), .role = small.id};
    assert_ok(user_create(CTX, SITE, &c, &in));
    assert_ok(user_set_role(CTX, SITE, &c, STR("puppet"), r.id, &u));
    assert_refused(user_update(CTX, SITE, &c, STR("admin"), &(struct user_update){.password = STR("password")}, &u),
                   ERR_FORBIDDEN);
    assert_refused(user_reset(CTX, SITE, &c, STR("admin"), STR(""), STR("password"), STR(""), &u), ERR_FORBIDDEN);
    assert_refused(user_disable(CTX, SITE, &c, STR("admin"), true, &u), ERR_FORBIDDEN);
    assert_refused(user_delete(CTX, SITE, &c, STR("manager"), &u), ERR_FORBIDDEN); /* org_user holds more */
    assert_ok(user_delete(CTX, SITE, &c, STR("puppet"), &u));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(administrators_make_roles), TEST(hostile_roles), TEST(holders), TEST(no_way_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
