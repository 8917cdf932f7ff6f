/* Lists of members, changing their places, another owner. */
#include "fixture.h"

static size_t listed(enum who who, struct member_filter filter, struct member **list)
{
    struct member owner;
    size_t count;
    assert_ok(group_member_list(CTX, SITE, &callers[who], &fx.group, &filter, list, &count, &owner));
    assert_str(owner.username, "owner");
    return count;
}

static void lists_of_members(void **state)
{
    (void)state;
    str * not ;
    size_t count;
    struct member *list;
    fx.clock.now += 1000;
    assert_ok(group_add_users(CTX, SITE, &callers[OWNER], &fx.group, STR("other"), STR_NONE, &not, &count));
    assert_int_equal(listed(MEMBER, (struct member_filter){0}, &list), 3);
    assert_str(list[0].username, "manager"); /* managers first */
    assert_str(list[1].username, "member");
    assert_int_equal(listed(MEMBER, (struct member_filter){.sort_field = STR("username"), .descending = true}, &list), 3);
    assert_str(list[0].username, "other");
    assert_int_equal(listed(MEMBER, (struct member_filter){.sort_field = STR("JOINED"), .descending = true}, &list), 3);
    assert_str(list[0].username, "other");
    assert_int_equal(listed(MEMBER, (struct member_filter){.type = STR("admin")}, &list), 1);
    assert_int_equal(listed(MEMBER, (struct member_filter){.name = STR("MEM")}, &list), 1);
    assert_int_equal(listed(MEMBER, (struct member_filter){.joined_from = NOW * 1000LL + 1}, &list), 1);
    assert_int_equal(listed(MEMBER, (struct member_filter){.joined_from = 1, .joined_to = NOW * 1000LL}, &list), 2);
    struct member owner;
    assert_refused(
        group_member_list(CTX, SITE, &callers[ANONYMOUS], &fx.group, &(struct member_filter){0}, &list, &count, &owner),
        ERR_GROUP_MISSING);
}

static void places_of_members(void **state)
{
    (void)state;
    str * not ;
    size_t count;
    struct member *list;
    assert_ok(group_update_users(CTX, SITE, &callers[MANAGER], &fx.group, STR("manager"), STR("member,other,owner,nobody"), &not,
                                 &count));
    assert_int_equal(count, 3); /* no member, the owner, nobody */
    assert_int_equal(listed(OWNER, (struct member_filter){.type = STR("admin")}, &list), 1);
    assert_str(list[0].username, "member");
    assert_refused(group_update_users(CTX, SITE, &callers[MANAGER], &fx.group, STR("member"), STR_NONE, &not, &count),
                   ERR_FORBIDDEN);
}

static void another_owner(void **state)
{
    (void)state;
    static const char expected[] = "M.FFM.";
    static const str targets[] = {[ANONYMOUS] = STR("other"), [OWNER] = STR("manager"), [MEMBER] = STR("other"),
                                  [MANAGER] = STR("other"),   [OTHER] = STR("other"),   [ADMIN] = STR("Other")};
    for (enum who who = 0; who < WHO_COUNT; who++) {
        struct group g;
        id group = new_group(OWNER, &(struct group_input){.title = arena_printf(fx.ctx.arena, "group %d", (int)who)});
        enum member_type type;
        assert_int_equal(outcome(group_reassign(CTX, SITE, &callers[who], &group, targets[who])), expected[who]);
        assert_ok(group_get(CTX, SITE, &callers[ADMIN], &group, &g, &type));
        bool done = expected[who] == '.';
        assert_true(str_ieq(g.owner, done ? targets[who] : STR("owner")));
        assert_ok(group_get(CTX, SITE, &callers[OWNER], &group, &g, &type));
        assert_int_equal(type, done ? MEMBER_ADMIN : MEMBER_OWNER);
    }
    struct group g;
    assert_refused(group_reassign(CTX, SITE, &callers[OWNER], &fx.group, STR("viewer")),
                   ERR_GROUP_CHANGE); /* creates no groups */
    assert_refused(group_reassign(CTX, SITE, &callers[OWNER], &fx.group, STR("nobody")), ERR_USER_MISSING);
    assert_ok(group_create(CTX, SITE, &callers[OTHER], &(struct group_input){.title = STR("THE group")}, &g));
    assert_refused(group_reassign(CTX, SITE, &callers[OWNER], &fx.group, STR("other")),
                   ERR_GROUP_CHANGE); /* has one of that title */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(lists_of_members), TEST(places_of_members), TEST(another_owner)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
