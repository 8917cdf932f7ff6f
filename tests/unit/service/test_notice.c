/* Notifications: who tells whom, what is kept. */
#include "fixture.h"

#include "service/group_request.h"
#include "service/notice.h"

static struct notification *list;
static size_t count;

static size_t told(enum who who)
{
    assert_ok(notice_list(CTX, SITE, &callers[who], callers[who].username, &list, &count));
    return count;
}

static char tell(enum who who, const struct notice_input *in)
{
    str *failed;
    size_t n = 0;
    char letter = outcome(notice_to_group(CTX, SITE, &callers[who], &fx.group, in, &failed, &n));
    return letter == '.' && n ? 'n' : letter;
}

static void groups_tell_their_members(void **state)
{
    (void)state;
    static const char expected[] = "M.F.M.";
    const struct notice_input all = {
        .subject = STR("s \"é\""), .message = STR("<b>m</b>"), .all = true, .channel = STR("builtin")};
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(tell(who, &all), expected[who]);
    assert_int_equal(told(MEMBER), 3);
    assert_int_equal(told(OTHER), 0);
    assert_int_equal(told(MEMBER), 3);
    assert_str(list[0].type, "message_received");
    assert_true(str_eq(list[0].target, id_str(&fx.group)));
    assert_int_not_equal(str_find(list[0].data, STR("s \\\"é\\\""), 0), SIZE_MAX);
    assert_int_equal(tell(OWNER, &(struct notice_input){.subject = STR("s"), .users = STR("member,other,nobody")}), 'n');
    assert_int_equal(told(MEMBER), 4);
    assert_int_equal(told(OTHER), 0);
    const struct notice_input bad[] = {{.users = STR("member")},
                                       {.subject = STR("s")},
                                       {.subject = STR("s"), .users = STR("member"), .channel = STR("email")},
                                       {.subject = STR(" "), .message = STR(" "), .all = true}};
    str *failed;
    size_t n;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(notice_to_group(CTX, SITE, &callers[OWNER], &fx.group, &bad[i], &failed, &n), ERR_NOTIFY);
    assert_refused(notice_to_group(CTX, SITE, &callers[OWNER], &fx.group,
                                   &(struct notice_input){.subject = STR("\xff"), .all = true}, &failed, &n),
                   ERR_PARAMETER);
}

static void who_reads_and_deletes(void **state)
{
    (void)state;
    static const char expected[] = "XFFF..";
    tell(OWNER, &(struct notice_input){.subject = STR("s"), .all = true});
    assert_int_equal(told(MEMBER), 1);
    id mine = list[0].id;
    assert_refused(notice_delete(CTX, SITE, &callers[OWNER], STR("owner"), &mine), ERR_NOTIFICATION_MISSING); /* another's */
    str *failed;
    size_t n;
    assert_ok(notice_to_users(CTX, SITE, &callers[ADMIN], &(struct notice_input){.subject = STR("s"), .users = STR("other")},
                              &failed, &n));
    assert_refused(notice_to_users(CTX, SITE, &callers[OWNER], &(struct notice_input){.subject = STR("s"), .users = STR("other")},
                                   &failed, &n),
                   ERR_FORBIDDEN);
    assert_int_equal(told(OTHER), 1);
    id others = list[0].id;
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(outcome(notice_list(CTX, SITE, &callers[who], STR("other"), &list, &count)), expected[who]);
    for (enum who who = 0; who < OTHER; who++)
        assert_int_equal(outcome(notice_delete(CTX, SITE, &callers[who], STR("other"), &others)), expected[who]);
    assert_ok(notice_delete(CTX, SITE, &callers[OTHER], STR("other"), &others));
    assert_int_equal(told(OTHER), 0);
}

static void requests_are_told(void **state)
{
    (void)state;
    str *failed;
    size_t n;
    assert_ok(group_invite(CTX, SITE, &callers[OWNER], &fx.group, &(struct invite_input){.users = STR("other")}, &failed, &n));
    assert_int_equal(told(OTHER), 1);
    assert_str(list[0].type, "group_invitation");
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &fx.group, &(struct group_input){.access = STR("org")}));
    assert_ok(group_join(CTX, SITE, &callers[VIEWER], &fx.group));
    assert_int_equal(told(OWNER), 1);
    assert_str(list[0].type, "group_application");
    assert_int_equal(told(MANAGER), 1);
    assert_int_equal(told(MEMBER), 0);
}

static void the_oldest_go(void **state)
{
    (void)state;
    for (int i = 0; i < 1003; i++) {
        fx.clock.now++;
        tell(OWNER, &(struct notice_input){.subject = STR("s"), .users = STR("member")});
    }
    assert_int_equal(told(MEMBER), 1000);
    assert_int_equal(list[0].received, fx.clock.now);
    assert_int_equal(list[999].received, fx.clock.now - 999);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(groups_tell_their_members), TEST(who_reads_and_deletes), TEST(requests_are_told),
                                       TEST(the_oldest_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
