/* Invitations and applications: who makes and answers them, when they end. */
#include "fixture.h"

#include "service/group_request.h"

static struct request_view *views;
static size_t view_count;
static struct group_request done;

static char invite(enum who who, str users)
{
    str *failed;
    size_t count = 0;
    const struct invite_input in = {.users = users, .minutes = 10};
    char letter = outcome(group_invite(CTX, SITE, &callers[who], &fx.group, &in, &failed, &count));
    return letter == '.' && count ? 'n' : letter;
}

static id invitation_of(enum who who)
{
    assert_ok(group_invitations(CTX, SITE, &callers[who], callers[who].username, &views, &view_count));
    assert_int_equal(view_count, 1);
    return views[0].request.id;
}

static enum member_type place(enum who who)
{
    struct group g;
    enum member_type type = MEMBER_NONE;
    int rc = group_get(CTX, SITE, &callers[who], &fx.group, &g, &type);
    err_clear(CTX);
    return rc == RC_OK ? type : MEMBER_NONE;
}

static void invitations(void **state)
{
    (void)state;
    static const char expected[] = "M.F.M.";
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(invite(who, STR("OTHER")), expected[who]);
    assert_int_equal(invite(OWNER, STR("nobody")), 'n');
    assert_int_equal(invite(OWNER, STR("member")), 'n'); /* is in it */
    id request = invitation_of(OTHER);                   /* one, however often */
    assert_str(views[0].from.username, "admin");
    assert_str(views[0].group.title, "The group");
    struct request_view one;
    for (enum who who = 0; who < WHO_COUNT; who++) {
        char wanted = who == ANONYMOUS ? 'X' : who == OTHER || who == ADMIN ? '.' : 'F';
        assert_int_equal(outcome(group_invitation(CTX, SITE, &callers[who], STR("other"), &request, &one)), wanted);
        if (who != OTHER) /* nobody else answers for him */
            assert_int_equal(outcome(group_invitation_answer(CTX, SITE, &callers[who], STR("other"), &request, true, &done)),
                             who == ANONYMOUS ? 'X' : 'F');
    }
    assert_refused(group_invitation_answer(CTX, SITE, &callers[MEMBER], STR("member"), &request, true, &done),
                   ERR_INVITATION_MISSING);
    assert_int_equal(place(OTHER), MEMBER_NONE);
    assert_ok(group_invitation_answer(CTX, SITE, &callers[OTHER], STR("other"), &request, true, &done));
    assert_int_equal(place(OTHER), MEMBER_MEMBER);
    assert_refused(group_invitation_answer(CTX, SITE, &callers[OTHER], STR("other"), &request, true, &done),
                   ERR_INVITATION_MISSING);
}

static void declined_expired_and_as_manager(void **state)
{
    (void)state;
    invite(OWNER, STR("other"));
    id request = invitation_of(OTHER);
    assert_ok(group_invitation_answer(CTX, SITE, &callers[OTHER], STR("other"), &request, false, &done));
    assert_int_equal(place(OTHER), MEMBER_NONE);
    invite(OWNER, STR("other"));
    request = invitation_of(OTHER);
    fx.clock.now += 10 * 60 * 1000;
    assert_refused(group_invitation_answer(CTX, SITE, &callers[OTHER], STR("other"), &request, true, &done),
                   ERR_INVITATION_MISSING);
    assert_ok(group_invitations(CTX, SITE, &callers[OTHER], STR("other"), &views, &view_count));
    assert_int_equal(view_count, 0);
    str *failed;
    size_t count;
    assert_ok(group_invite(CTX, SITE, &callers[OWNER], &fx.group,
                           &(struct invite_input){.users = STR("other"), .member_type = STR("group_admin")}, &failed, &count));
    request = invitation_of(OTHER);
    assert_ok(group_invitation_answer(CTX, SITE, &callers[OTHER], STR("other"), &request, true, &done));
    assert_int_equal(place(OTHER), MEMBER_ADMIN);
    const struct invite_input bad[] = {{.users = STR("viewer"), .member_type = STR("owner")},
                                       {.users = STR("viewer"), .minutes = -1},
                                       {.users = STR("viewer"), .minutes = INT64_MAX}};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(group_invite(CTX, SITE, &callers[OWNER], &fx.group, &bad[i], &failed, &count), ERR_PARAMETER);
    assert_int_equal(invite(OWNER, STR("viewer")), '.');
    assert_ok(group_delete(CTX, SITE, &callers[OWNER], &fx.group)); /* takes its invitations along */
    assert_ok(group_invitations(CTX, SITE, &callers[VIEWER], STR("viewer"), &views, &view_count));
    assert_int_equal(view_count, 0);
}

static void applications(void **state)
{
    (void)state;
    struct group g;
    enum member_type type;
    assert_ok(group_update(CTX, SITE, &callers[OWNER], &fx.group, &(struct group_input){.access = STR("org")}));
    assert_ok(group_join(CTX, SITE, &callers[OTHER], &fx.group));
    assert_ok(group_join(CTX, SITE, &callers[OTHER], &fx.group)); /* asks once */
    assert_int_equal(place(OTHER), MEMBER_NONE);
    assert_int_equal(outcome(group_applications(CTX, SITE, &callers[ANONYMOUS], &fx.group, &views, &view_count)), 'M');
    assert_int_equal(outcome(group_applications(CTX, SITE, &callers[OTHER], &fx.group, &views, &view_count)), 'F');
    assert_ok(group_applications(CTX, SITE, &callers[MANAGER], &fx.group, &views, &view_count));
    assert_int_equal(view_count, 1);
    assert_str(views[0].request.username, "other");
    assert_ok(group_get(CTX, SITE, &callers[OWNER], &fx.group, &g, &type));
    assert_int_equal(g.applications, 1);
    assert_ok(group_get(CTX, SITE, &callers[MEMBER], &fx.group, &g, &type));
    assert_int_equal(g.applications, 0); /* no matter of members */
    id request = views[0].request.id;
    assert_refused(group_invitation_answer(CTX, SITE, &callers[OTHER], STR("other"), &request, true, &done),
                   ERR_INVITATION_MISSING); /* one does not let oneself in */
    assert_int_equal(outcome(group_application_answer(CTX, SITE, &callers[OTHER], &fx.group, STR("other"), true, &done)), 'F');
    assert_ok(group_application_answer(CTX, SITE, &callers[MANAGER], &fx.group, STR("other"), false, &done));
    assert_int_equal(place(OTHER), MEMBER_NONE);
    assert_refused(group_application_answer(CTX, SITE, &callers[MANAGER], &fx.group, STR("other"), true, &done),
                   ERR_INVITATION_MISSING);
    assert_ok(group_join(CTX, SITE, &callers[OTHER], &fx.group));
    assert_ok(group_application_answer(CTX, SITE, &callers[ADMIN], &fx.group, STR("OTHER"), true, &done));
    assert_int_equal(place(OTHER), MEMBER_MEMBER);
    assert_ok(group_applications(CTX, SITE, &callers[MANAGER], &fx.group, &views, &view_count));
    assert_int_equal(view_count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(invitations), TEST(declined_expired_and_as_manager), TEST(applications)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
