/* Requests between users and groups, notifications. */
#include "store_fixture.h"

#include "store/meta_people.h"

static int add_group(struct ctx *c, struct sql_tx *tx, id group)
{
    const struct group g = {.id = group, .title = STR("g"), .owner = STR("ann"), .tags = STR("[]")};
    return meta_group_insert(c, tx, &g);
}

static int add(struct ctx *c, struct sql_tx *tx, unsigned number, id group, str username, str asked_by, int64_t expires)
{
    const struct group_request r = {.id = test_id(number),
                                    .group = group,
                                    .username = username,
                                    .asked_by = asked_by,
                                    .member_type = MEMBER_ADMIN,
                                    .created = number,
                                    .expires = expires};
    return meta_request_insert(c, tx, &r);
}

static size_t found(struct ctx *c, struct sql_tx *tx, const id *group, str username, bool invitations, int64_t now)
{
    struct group_request *list;
    size_t count;
    const struct meta_request_query q = {.group = group, .username = username, .invitations = invitations, .now = now};
    assert_int_equal(meta_requests(c, tx, &q, &list, &count), RC_OK);
    return count;
}

TX_TEST(requests)
{
    id one = test_id(100), two = test_id(101), first = test_id(1);
    struct group_request out;
    (void)arg;
    TRY(add_group(c, tx, one));
    TRY(add_group(c, tx, two));
    TRY(add(c, tx, 1, one, STR("bob"), STR("ann"), 50));
    TRY(add(c, tx, 2, two, STR("bob"), STR("ann"), 0));
    TRY(add(c, tx, 3, one, STR("eve"), STR(""), 0));
    TRY(meta_request_get(c, tx, &first, &out));
    assert_true(out.member_type == MEMBER_ADMIN && out.expires == 50 && id_eq(out.group, one));
    assert_text(out.asked_by, "ann");
    assert_int_equal(found(c, tx, NULL, STR("bob"), true, 49), 2);
    assert_int_equal(found(c, tx, NULL, STR("bob"), true, 50), 1);
    assert_int_equal(found(c, tx, NULL, STR("bob"), false, 1), 0);
    assert_int_equal(found(c, tx, &one, STR_NONE, false, 1), 1);
    assert_int_equal(found(c, tx, &one, STR("eve"), false, 1), 1);
    assert_int_equal(found(c, tx, &two, STR("eve"), false, 1), 0);
    TRY(meta_requests_expire(c, tx, 50));
    assert_int_equal(meta_request_get(c, tx, &first, &out), RC_NOT_FOUND);
    TRY(meta_requests_drop(c, tx, &one, STR("eve")));
    assert_int_equal(found(c, tx, &one, STR_NONE, false, 1), 0);
    TRY(meta_group_delete(c, tx, &two)); /* takes its requests along */
    assert_int_equal(found(c, tx, NULL, STR("bob"), true, 1), 0);
    return RC_OK;
}

TX_TEST(notifications)
{
    struct notification *list;
    size_t count;
    id third = test_id(3);
    (void)arg;
    for (unsigned i = 1; i <= 5; i++) {
        const struct notification n = {.id = test_id(i),
                                       .username = i == 5 ? STR("eve") : STR("bob"),
                                       .type = STR("t"),
                                       .target_type = STR("group"),
                                       .target = STR("x"),
                                       .data = STR("{}"),
                                       .received = i};
        TRY(meta_notification_insert(c, tx, &n));
    }
    assert_int_equal(meta_notification_delete(c, tx, STR("eve"), &third), RC_NOT_FOUND); /* somebody else's */
    TRY(meta_notifications(c, tx, STR("bob"), &list, &count));
    assert_true(count == 4 && list[0].received == 4 && list[3].received == 1);
    TRY(meta_notifications_trim(c, tx, STR("bob"), 2));
    TRY(meta_notifications(c, tx, STR("bob"), &list, &count));
    assert_true(count == 2 && list[1].received == 3);
    TRY(meta_notification_delete(c, tx, STR("bob"), &third));
    TRY(meta_notifications(c, tx, STR("eve"), &list, &count));
    assert_int_equal(count, 1);
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(notifications, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
