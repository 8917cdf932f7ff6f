/* Changing users: operations x callers, profiles, passwords, who can be deleted, the last administrator. */
#include "fixture.h"

#include "store/meta_people.h"

static struct user changed;

static char op_update(const struct caller *c, str user)
{
    return outcome(user_update(CTX, SITE, c, user, &(struct user_update){.description = STR("d")}, &changed));
}
static char op_properties(const struct caller *c, str user)
{
    return outcome(user_set_properties(CTX, SITE, c, user, STR("{\"a\":1}"), &changed));
}
static char op_invalidate(const struct caller *c, str user) { return outcome(user_invalidate(CTX, SITE, c, user, &changed)); }
static char op_disable(const struct caller *c, str user) { return outcome(user_disable(CTX, SITE, c, user, true, &changed)); }
static char op_enable(const struct caller *c, str user) { return outcome(user_disable(CTX, SITE, c, user, false, &changed)); }
static char op_expire(const struct caller *c, str user)
{
    return outcome(user_expire_password(CTX, SITE, c, user, ctx_now(CTX) + 1, &changed));
}
static char op_role(const struct caller *c, str user)
{
    return outcome(user_set_role(CTX, SITE, c, user, STR("org_user"), &changed));
}
static char op_license(const struct caller *c, str user)
{
    return outcome(user_set_license(CTX, SITE, c, user, STR("creatorUT"), &changed));
}
static char op_reset(const struct caller *c, str user)
{
    return outcome(user_reset(CTX, SITE, c, user, STR(""), STR("password2"), STR(""), &changed));
}
static char op_delete(const struct caller *c, str user) { return outcome(user_delete(CTX, SITE, c, user, &changed)); }
static char op_storage(const struct caller *c, str user)
{
    int64_t bytes;
    return outcome(user_storage(CTX, SITE, c, user, &bytes));
}

/* Done to OTHER. A column is a caller: anonymous, owner, member, manager, other itself, administrator. */
static const struct {
    const char *name;
    char (*run)(const struct caller *c, str user);
    const char *expected;
} operations[] = {
    {"update", op_update, "TFFF.."},   {"properties", op_properties, "XFFF.."}, {"invalidate", op_invalidate, "XFFF.."},
    {"disable", op_disable, "XFFFF."}, {"enable", op_enable, "XFFFF."},         {"expire", op_expire, "XFFFF."},
    {"role", op_role, "XFFFF."},       {"license", op_license, "XFFFF."},       {"reset", op_reset, "TFFFF."},
    {"storage", op_storage, "XFFF.."}, {"delete", op_delete, "XFFFF."},
};

static void who_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        for (enum who who = 0; who < WHO_COUNT; who++) {
            char letter = operations[i].run(&callers[who], STR("other"));
            if (letter != operations[i].expected[who])
                fail_msg("%s, caller %d: %c", operations[i].name, (int)who, letter);
        }
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        assert_int_equal(operations[i].run(&callers[ADMIN], STR("nobody")), 'X');
}

static int update(enum who who, str user, const struct user_update *in)
{
    return user_update(CTX, SITE, &callers[who], user, in, &changed);
}

static void profiles(void **state)
{
    (void)state;
    struct user_update in = {.first_name = STR("Owen"),
                             .last_name = STR("Ėö 東京"),
                             .tags = STR("a, b ,,c"),
                             .email = STR(" o@example.org "),
                             .preferred_view = STR("gis"),
                             .units = STR("English"),
                             .access = STR("public"),
                             .culture = STR("de"),
                             .region = STR("DE")};
    assert_ok(update(OWNER, STR("OWNER"), &in));
    struct user u;
    bool full;
    assert_ok(user_get(CTX, SITE, &callers[ANONYMOUS], STR("owner"), &u, &full));
    assert_false(full);
    assert_str(u.full_name, "Owen Ėö 東京");
    assert_str(u.tags, "[\"a\",\"b\",\"c\"]");
    assert_str(u.email, "o@example.org");
    assert_str(u.preferred_view, "GIS");
    assert_str(u.units, "english");
    assert_int_equal(u.modified, ctx_now(CTX));
    in = (struct user_update){.first_name = STR(""), .description = STR(""), .email = STR("")};
    assert_ok(update(OWNER, STR("owner"), &in)); /* empty ones stay … */
    assert_str(changed.first_name, "Owen");
    in.clear_empty = true;
    assert_ok(update(OWNER, STR("owner"), &in)); /* … unless they are to be cleared */
    assert_str(changed.first_name, "");
    assert_str(changed.email, "");
    assert_str(changed.last_name, "Ėö 東京");
    assert_str(changed.full_name, "Ėö 東京");
    const struct user_update bad[] = {
        {.email = STR("nonsense")}, {.email = STR("a b@x")},           {.units = STR("parsec")},
        {.access = STR("shared")},  {.access = STR("nobody")},         {.preferred_view = STR("3D")},
        {.favourites = STR("x")},   {.favourites = id_str(&fx.group)}, {.full_name = STR("\xff")}};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(update(OWNER, STR("owner"), &bad[i]), ERR_PARAMETER);
    assert_refused(update(OWNER, STR("owner"), &(struct user_update){.idp_username = STR("x")}), ERR_FORBIDDEN);
    assert_refused(user_set_properties(CTX, SITE, &callers[OWNER], STR("owner"), STR("[1]"), &changed), ERR_PARAMETER);
}

static const char png[] = "\x89PNG\r\n\x1a\n....";

static int thumbnail(str bytes, str name)
{
    struct blob_new *blob = blob_of(bytes);
    int rc = update(OWNER, STR("owner"), &(struct user_update){.thumbnail = blob, .thumbnail_name = name});
    blob_new_close(blob);
    return rc;
}

static void thumbnails(void **state)
{
    (void)state;
    struct portal_file file;
    assert_ok(thumbnail(str_of(png, sizeof png - 1), STR("../me ü.svg")));
    assert_str(changed.thumbnail, "me.png");
    assert_ok(user_file(CTX, SITE, &callers[OTHER], STR("owner"), STR("me.png"), &file));
    assert_str(file.content_type, "image/png");
    assert_int_equal(file.size, sizeof png - 1);
    assert_ok(thumbnail(STR("GIF89a"), STR("")));
    assert_str(changed.thumbnail, "thumbnail.gif");
    assert_refused(user_file(CTX, SITE, &callers[OTHER], STR("owner"), STR("me.png"), &file), ERR_USER_FILE_MISSING);
    assert_refused(user_file(CTX, SITE, &callers[ANONYMOUS], STR("owner"), STR("thumbnail.gif"), &file), ERR_USER_MISSING);
    assert_refused(thumbnail(STR("<svg onload='x'/>"), STR("me.png")), ERR_PARAMETER);
    assert_refused(thumbnail(STR(""), STR("me.png")), ERR_PARAMETER);
    char *large = arena_alloc(fx.ctx.arena, (1 << 20) + 1);
    memcpy(large, png, sizeof png);
    assert_refused(thumbnail(str_of(large, (1 << 20) + 1), STR("me.png")), ERR_PARAMETER);
    uint64_t removed, bad;
    fx.clock.now += 48 * 3600 * 1000LL;
    assert_ok(blob_collect(CTX, fx.site.blobs, 1000, &removed));
    assert_int_equal(removed, 1); /* the first picture; the second one is in use */
    assert_ok(blob_check(CTX, fx.site.blobs, true, NULL, NULL, &bad));
    assert_int_equal(bad, 0);
}

static str sign_in(str name, str password)
{
    str token;
    int64_t expires;
    const struct token_input in = {.username = name, .password = password};
    return token_generate(CTX, SITE, &in, &token, &expires) == RC_OK ? token : STR_NONE;
}

static bool works(str token)
{
    struct caller c;
    int rc = token_caller(CTX, SITE, token, STR(""), STR(""), &c);
    err_clear(CTX);
    return rc == RC_OK && !c.anonymous;
}

static void passwords(void **state)
{
    (void)state;
    str token;
    assert_ok(user_set_password(CTX, SITE, STR("other"), STR("password1")));
    assert_false(str_none(token = sign_in(STR("other"), STR("password1"))));
    assert_refused(user_reset(CTX, SITE, &CALLER_ANONYMOUS, STR("other"), STR("wrong"), STR("password2"), STR("a"), &changed),
                   ERR_TOKEN_GENERATE);
    assert_refused(user_reset(CTX, SITE, &callers[OTHER], STR("other"), STR("password1"), STR("short"), STR("a"), &changed),
                   ERR_PARAMETER);
    assert_refused(user_reset(CTX, SITE, &callers[OTHER], STR("other"), STR("password1"), STR("password1"), STR("a"), &changed),
                   ERR_PARAMETER);
    assert_refused(update(OTHER, STR("other"), &(struct user_update){.password = STR("password2")}), ERR_USER_CHANGE);
    assert_true(works(token));
    assert_ok(
        user_reset(CTX, SITE, &callers[OTHER], id_str(&changed.id), STR("password1"), STR("password2"), STR("a"), &changed));
    assert_false(works(token)); /* whoever had a session with the old one has it no more */
    assert_true(str_none(sign_in(STR("other"), STR("password1"))));
    err_clear(CTX);
    assert_false(str_none(token = sign_in(STR("other"), STR("password2"))));

    /* by an administrator: to be changed at the next sign-in */
    assert_ok(user_reset(CTX, SITE, &callers[ADMIN], STR("other"), STR(""), STR("password3"), STR("a"), &changed));
    assert_false(works(token));
    assert_true(str_none(sign_in(STR("other"), STR("password3"))));
    assert_non_null(strstr(err_text(CTX), "expired"));
    err_clear(CTX);
    assert_ok(user_reset(CTX, SITE, &CALLER_ANONYMOUS, STR("other"), STR("password3"), STR("password4"), STR("a"), &changed));
    assert_false(str_none(sign_in(STR("other"), STR("password4"))));
    assert_ok(update(ADMIN, STR("other"), &(struct user_update){.password = STR("password5")}));
    assert_false(str_none(sign_in(STR("other"), STR("password5"))));
    for (int i = 0; i < 10; i++)
        assert_refused(user_reset(CTX, SITE, &CALLER_ANONYMOUS, STR("other"), STR("guess"), STR("password6"), STR("b"), &changed),
                       ERR_TOKEN_GENERATE);
    assert_refused(user_reset(CTX, SITE, &CALLER_ANONYMOUS, STR("other"), STR("password5"), STR("password6"), STR("b"), &changed),
                   ERR_TOKEN_GENERATE); /* guesses count as sign-ins */
}

static void being_let_in(void **state)
{
    (void)state;
    str token;
    assert_ok(user_set_password(CTX, SITE, STR("other"), STR("password1")));
    token = sign_in(STR("other"), STR("password1"));
    assert_true(works(token));
    assert_ok(user_disable(CTX, SITE, &callers[ADMIN], STR("other"), true, &changed));
    assert_false(works(token));
    assert_true(str_none(sign_in(STR("other"), STR("password1"))));
    err_clear(CTX);
    assert_refused(user_reset(CTX, SITE, &CALLER_ANONYMOUS, STR("other"), STR("password1"), STR("password2"), STR("c"), &changed),
                   ERR_USER_CHANGE);
    assert_ok(user_disable(CTX, SITE, &callers[ADMIN], STR("other"), false, &changed));
    token = sign_in(STR("other"), STR("password1"));
    assert_true(works(token));
    assert_ok(user_invalidate(CTX, SITE, &callers[OTHER], STR("other"), &changed));
    assert_false(works(token));
    assert_ok(user_expire_password(CTX, SITE, &callers[ADMIN], STR("other"), ctx_now(CTX) + 3600 * 1000, &changed));
    assert_false(str_none(sign_in(STR("other"), STR("password1"))));
    fx.clock.now += 3600 * 1000;
    assert_true(str_none(sign_in(STR("other"), STR("password1"))));
    err_clear(CTX);
    assert_ok(user_expire_password(CTX, SITE, &callers[ADMIN], STR("other"), 0, &changed));
    assert_false(str_none(sign_in(STR("other"), STR("password1"))));
}

static void who_can_be_deleted(void **state)
{
    (void)state;
    assert_refused(user_delete(CTX, SITE, &callers[ADMIN], STR("owner"), &changed), ERR_USER_DELETE); /* owns groups */
    id item = add_text_item(OTHER, STR("map"), STR("{}"));
    assert_refused(user_delete(CTX, SITE, &callers[ADMIN], STR("other"), &changed), ERR_USER_DELETE);
    assert_ok(item_delete(CTX, SITE, &callers[OTHER], &item));
    assert_ok(user_set_password(CTX, SITE, STR("other"), STR("password1")));
    str token = sign_in(STR("other"), STR("password1")); /* now there is a group of favourites as well */
    str * not ;
    size_t count;
    assert_ok(group_add_users(CTX, SITE, &callers[OWNER], &fx.group, STR("other"), STR(""), &not, &count));
    assert_ok(user_delete(CTX, SITE, &callers[ADMIN], STR("other"), &changed));
    assert_false(works(token));
    struct member *members;
    assert_ok(group_members(CTX, SITE, &callers[OWNER], &fx.group, &members, &count));
    for (size_t i = 0; i < count; i++)
        assert_false(str_eq(members[i].username, STR("other")));
    struct group g;
    enum member_type type;
    assert_refused(group_get(CTX, SITE, &callers[ADMIN], &changed.favourites, &g, &type), ERR_GROUP_MISSING);
}

static void the_last_administrator(void **state)
{
    (void)state;
    assert_refused(user_delete(CTX, SITE, &callers[ADMIN], STR("admin"), &changed), ERR_USER_DELETE);
    assert_refused(user_disable(CTX, SITE, &callers[ADMIN], STR("admin"), true, &changed), ERR_USER_CHANGE);
    assert_refused(user_set_role(CTX, SITE, &callers[ADMIN], STR("admin"), STR("org_user"), &changed), ERR_USER_CHANGE);
    assert_ok(user_set_role(CTX, SITE, &callers[ADMIN], STR("other"), STR("org_admin"), &changed));
    assert_ok(user_disable(CTX, SITE, &callers[ADMIN], STR("other"), true, &changed)); /* there is another one */
    assert_refused(user_set_role(CTX, SITE, &callers[ADMIN], STR("admin"), STR("viewer"), &changed), ERR_USER_CHANGE);
    assert_ok(user_disable(CTX, SITE, &callers[ADMIN], STR("other"), false, &changed));
    assert_ok(user_set_role(CTX, SITE, &callers[ADMIN], STR("admin"), STR("viewer"), &changed));
}

static void user_types(void **state)
{
    (void)state;
    assert_refused(user_set_license(CTX, SITE, &callers[ADMIN], STR("other"), STR("viewerUT"), &changed), ERR_USER_CHANGE);
    assert_refused(user_set_license(CTX, SITE, &callers[ADMIN], STR("other"), STR("kingUT"), &changed), ERR_PARAMETER);
    assert_ok(user_set_role(CTX, SITE, &callers[ADMIN], STR("other"), STR("viewer"), &changed));
    assert_ok(user_set_license(CTX, SITE, &callers[ADMIN], STR("other"), STR("viewerut"), &changed));
    assert_refused(user_set_role(CTX, SITE, &callers[ADMIN], STR("other"), STR("org_user"), &changed), ERR_USER_CHANGE);
    assert_refused(user_set_role(CTX, SITE, &callers[ADMIN], STR("other"), STR("emperor"), &changed), ERR_PARAMETER);
}

/* The group of favourites: its owner marks what he can read; nobody else sees it, and it opens nothing. */
static void favourites(void **state)
{
    (void)state;
    assert_ok(user_set_password(CTX, SITE, STR("other"), STR("password1")));
    sign_in(STR("other"), STR("password1"));
    bool full;
    assert_ok(user_get(CTX, SITE, &callers[OTHER], STR("other"), &changed, &full));
    id marks = changed.favourites, item = add_text_item(OWNER, STR("map"), STR("{}"));
    assert_false(id_none(marks));
    const struct share_input in = {.everyone = -1, .org = -1, .groups = &marks, .group_count = 1};
    id * not ;
    size_t count;
    assert_int_equal(outcome(item_share(CTX, SITE, &callers[OTHER], &item, &in, &not, &count)), 'F');
    share_item_as(&item, ORG);
    assert_ok(item_share(CTX, SITE, &callers[OTHER], &item, &in, &not, &count));
    assert_int_equal(count, 0);
    const struct meta_page page = {.num = 10};
    struct item_views found;
    assert_ok(group_content(CTX, SITE, &callers[OTHER], &marks, &page, &found));
    assert_int_equal(found.total, 1);
    assert_refused(group_content(CTX, SITE, &callers[ADMIN], &marks, &page, &found), ERR_CONTENT_GROUP_MISSING);
    share_item_as(&item, PRIVATE);
    struct item_view v;
    assert_int_equal(outcome(item_get(CTX, SITE, &callers[OTHER], &item, &v)), 'F');
    assert_ok(group_content(CTX, SITE, &callers[OTHER], &marks, &page, &found));
    assert_int_equal(found.total, 0);
    assert_ok(item_get(CTX, SITE, &callers[OWNER], &item, &v));
    assert_false(v.has_groups); /* its owner learns nothing of it */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_may),      TEST(profiles),   TEST(thumbnails),         TEST(passwords),
        TEST(being_let_in), TEST(favourites), TEST(who_can_be_deleted), TEST(the_last_administrator),
        TEST(user_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
