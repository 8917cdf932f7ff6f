/* Users: who makes them, names, passwords, who sees whom. */
#include "fixture.h"

static int create(enum who who, str username, str password, str role)
{
    const struct user_input in = {.username = username, .password = password, .role = role};
    return user_create(CTX, SITE, &callers[who], &in);
}

static void administrators_create_users(void **state)
{
    (void)state;
    static const char expected[] = "TFFFF.";
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(outcome(create(who, STR("bob"), STR("password"), STR_NONE)), expected[who]);
    assert_refused(create(ADMIN, STR("BOB"), STR("password"), STR_NONE), ERR_USER_TAKEN);
    struct user u;
    bool full;
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], STR("Bob"), &u, &full));
    assert_true(full);
    assert_str(u.username, "bob");
    assert_str(u.full_name, "bob");
    assert_int_equal(u.role, ROLE_USER);
    assert_int_equal(u.last_login, -1);
    assert_true(password_matches(STR("password"), u.password_hash));
    struct user by_id;
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], id_str(&u.id), &by_id, &full));
    assert_str(by_id.username, "bob");
}

static void hostile_names_and_passwords(void **state)
{
    (void)state;
    char long_name[130];
    memset(long_name, 'x', sizeof long_name);
    const str bad[] = {STR(""),  STR("a b"), STR("a/b"),  STR("a\0b"), STR("a,b"),
                       STR("é"), STR("a'b"), STR("a\nb"), STR_NONE,    str_of(long_name, 129)};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(create(ADMIN, bad[i], STR("password"), STR_NONE), ERR_PARAMETER);
    assert_ok(create(ADMIN, str_of(long_name, 128), STR("password"), STR_NONE));
    assert_ok(create(ADMIN, STR("first.last_x-1@host.example"), STR("password"), STR("org_admin")));
    assert_refused(create(ADMIN, STR("carol"), STR("1234567"), STR_NONE), ERR_PARAMETER);
    assert_refused(create(ADMIN, STR("carol"), STR_NONE, STR_NONE), ERR_PARAMETER);
    assert_refused(create(ADMIN, STR("carol"), STR("password"), STR("emperor")), ERR_PARAMETER);
}

static void who_sees_a_user(void **state)
{
    (void)state;
    static const struct {
        char outcome;
        bool full;
    } expected[WHO_COUNT] = {{'X', false}, {'.', true}, {'.', false}, {'.', false}, {'.', false}, {'.', true}};
    for (enum who who = 0; who < WHO_COUNT; who++) {
        struct user u;
        bool full = false;
        assert_int_equal(outcome(user_get(CTX, SITE, &callers[who], STR("owner"), &u, &full)), expected[who].outcome);
        assert_int_equal(full, expected[who].full);
    }
    struct user u;
    bool full;
    assert_refused(user_get(CTX, SITE, &callers[ANONYMOUS], STR("owner"), &u, &full), ERR_USER_MISSING);
    assert_refused(user_get(CTX, SITE, &callers[ADMIN], STR("nobody"), &u, &full), ERR_USER_MISSING);
}

static void groups_of_a_user(void **state)
{
    (void)state;
    static const size_t expected[] = {[OWNER] = 2, [MEMBER] = 2, [MANAGER] = 2, [OTHER] = 0, [ADMIN] = 2};
    for (enum who who = OWNER; who < WHO_COUNT; who++) {
        struct membership *list;
        size_t count;
        assert_ok(user_groups(CTX, SITE, &callers[who], STR("member"), &list, &count));
        assert_int_equal(count, expected[who]);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(list[i].type, MEMBER_MEMBER);
    }
}

static const struct user_filter any_user = {0};

static size_t listed(enum who who, struct user_filter filter)
{
    struct meta_user_list list;
    assert_ok(user_list(CTX, SITE, &callers[who], &filter, &(struct meta_page){.num = 100}, &list));
    assert_int_equal(list.total, list.count);
    return list.count;
}

static void filters_of_the_list(void **state)
{
    (void)state;
    assert_int_equal(listed(OTHER, (struct user_filter){.role = STR("org_admin")}), 1);
    assert_int_equal(listed(OTHER, (struct user_filter){.role = STR("org_user")}), 3);
    assert_int_equal(listed(OTHER, (struct user_filter){.role = STR("0123456789abcdef")}), 0);
    assert_int_equal(listed(OTHER, (struct user_filter){.provider = STR("enterprise")}), 0);
    assert_int_equal(listed(OTHER, (struct user_filter){.text = STR("MANA")}), 1);
    assert_int_equal(listed(OTHER, (struct user_filter){.text = STR("%")}), 0); /* no wildcard */
    assert_int_equal(listed(OTHER, (struct user_filter){.text = STR("er"), .role = STR("org_publisher")}), 1);
    struct user u;
    assert_ok(user_update(CTX, SITE, &callers[OWNER], STR("owner"), &(struct user_update){.access = STR("private")}, &u));
    assert_int_equal(listed(OTHER, any_user), COUNT_OF(callers) - 2);
    assert_int_equal(listed(OWNER, any_user), COUNT_OF(callers) - 1);
    assert_int_equal(listed(ADMIN, any_user), COUNT_OF(callers) - 1);
}

static void names_that_are_free(void **state)
{
    (void)state;
    str name;
    assert_ok(user_suggest(CTX, SITE, &callers[ADMIN], STR("new.one"), &name));
    assert_str(name, "new.one");
    assert_ok(user_suggest(CTX, SITE, &callers[ADMIN], STR("OWNER"), &name));
    assert_str(name, "OWNER1");
    assert_refused(user_suggest(CTX, SITE, &callers[ADMIN], STR("a b"), &name), ERR_PARAMETER);
    assert_refused(user_suggest(CTX, SITE, &callers[OTHER], STR("x"), &name), ERR_FORBIDDEN);
}

static void users_of_other_providers_and_types(void **state)
{
    (void)state;
    struct user u;
    bool full;
    struct user_input in = {.username = STR("idp"), .provider = STR("ENTERPRISE"), .idp_username = STR("DOM\\idp")};
    assert_ok(user_create(CTX, SITE, &callers[ADMIN], &in));
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], STR("idp"), &u, &full));
    assert_str(u.provider, "enterprise");
    assert_str(u.idp_username, "DOM\\idp");
    assert_false(password_matches(STR(""), u.password_hash));
    in = (struct user_input){.username = STR("x"), .password = STR("password"), .provider = STR("ldap")};
    assert_refused(user_create(CTX, SITE, &callers[ADMIN], &in), ERR_PARAMETER);
    in = (struct user_input){.username = STR("x"), .password = STR("password"), .level = STR("3")};
    assert_refused(user_create(CTX, SITE, &callers[ADMIN], &in), ERR_PARAMETER);
    in = (struct user_input){.username = STR("x"), .password = STR("password"), .license = STR("viewerUT")};
    assert_refused(user_create(CTX, SITE, &callers[ADMIN], &in), ERR_USER_CHANGE); /* org_user does more than view */
    in.role = STR("viewer");
    assert_ok(user_create(CTX, SITE, &callers[ADMIN], &in));
}

/* With its groups, or not at all. */
static void users_in_groups(void **state)
{
    (void)state;
    struct member *list;
    struct user u;
    size_t count;
    bool full;
    const id nowhere = id_new(), both[] = {fx.group, fx.update_group}, one_wrong[] = {fx.group, nowhere};
    struct user_input in = {.username = STR("new1"), .password = STR("password"), .groups = one_wrong, .group_count = 2};
    assert_refused(user_create(CTX, SITE, &callers[ADMIN], &in), ERR_GROUP_MISSING);
    assert_refused(user_get(CTX, SITE, &callers[ADMIN], STR("new1"), &u, &full), ERR_USER_MISSING);
    in.groups = both;
    assert_ok(user_create(CTX, SITE, &callers[ADMIN], &in));
    assert_ok(group_members(CTX, SITE, &callers[ADMIN], &fx.update_group, &list, &count));
    assert_int_equal(count, 4);
}

static void first_user(void **state)
{
    (void)state;
    bool created;
    assert_ok(user_create_first(CTX, SITE, STR("root"), STR("password"), &created));
    assert_false(created); /* there are users */
    struct meta_user_list list;
    assert_ok(user_list(CTX, SITE, &callers[OTHER], &any_user, &(struct meta_page){.num = 100}, &list));
    assert_int_equal(list.total, COUNT_OF(callers) - 1);
    assert_refused(user_list(CTX, SITE, &callers[ANONYMOUS], &any_user, &(struct meta_page){.num = 100}, &list),
                   ERR_TOKEN_REQUIRED);
}

static void search_finds_users_that_may_be_seen(void **state)
{
    (void)state;
    struct meta_user_list found;
    const struct meta_search_page page = {.num = 100};
    assert_ok(user_search(CTX, SITE, &callers[OTHER], STR("username:owner"), &page, &found));
    assert_int_equal(found.total, 1);
    assert_str(found.users[0].username, "owner");
    assert_ok(user_search(CTX, SITE, &callers[ANONYMOUS], STR("*"), &page, &found));
    assert_int_equal(found.total, 0); /* all of them are for the organization */
}

static void setting_a_password(void **state)
{
    (void)state;
    assert_refused(user_set_password(CTX, SITE, STR("nobody"), STR("password")), ERR_USER_MISSING);
    assert_refused(user_set_password(CTX, SITE, STR("owner"), STR("short")), ERR_PARAMETER);
    assert_ok(user_set_password(CTX, SITE, STR("owner"), STR("long enough")));
    struct user u;
    bool full;
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], STR("owner"), &u, &full));
    assert_true(password_matches(STR("long enough"), u.password_hash));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(administrators_create_users),
        TEST(hostile_names_and_passwords),
        TEST(who_sees_a_user),
        TEST(groups_of_a_user),
        TEST(filters_of_the_list),
        TEST(names_that_are_free),
        TEST(users_of_other_providers_and_types),
        TEST(users_in_groups),
        TEST(first_user),
        TEST(search_finds_users_that_may_be_seen),
        TEST(setting_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
