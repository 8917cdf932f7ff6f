/* model/access: every question for every kind of caller, as tables. Columns:
 * a anonymous, v viewer, u user, p publisher (strangers), o owner of the item or content, m member and g manager of the item's
 * group, G owner of the group, x member who is a viewer, A administrator. */
#include "model/access.h"
#include "model_test.h"

enum who { ANONYMOUS, VIEWER, USER, PUBLISHER, OWNER, MEMBER, MANAGER, GROUP_OWNER, VIEWER_MEMBER, ADMIN, WHO_COUNT };

static const struct {
    struct caller caller;
    enum member_type member;
} people[WHO_COUNT] = {
    [ANONYMOUS] = {{.anonymous = true, .role = ROLE_ADMIN, .username = {"ann", 3}},
                   MEMBER_NONE}, /* what is set besides means nothing */
    [VIEWER] = {{.username = {"vic", 3}, .role = ROLE_VIEWER}, MEMBER_NONE},
    [USER] = {{.username = {"uma", 3}, .role = ROLE_USER}, MEMBER_NONE},
    [PUBLISHER] = {{.username = {"pat", 3}, .role = ROLE_PUBLISHER}, MEMBER_NONE},
    [OWNER] = {{.username = {"ANN", 3}, .role = ROLE_USER}, MEMBER_MEMBER},
    [MEMBER] = {{.username = {"mia", 3}, .role = ROLE_USER}, MEMBER_MEMBER},
    [MANAGER] = {{.username = {"gus", 3}, .role = ROLE_USER}, MEMBER_ADMIN},
    [GROUP_OWNER] = {{.username = {"gwen", 4}, .role = ROLE_USER}, MEMBER_OWNER},
    [VIEWER_MEMBER] = {{.username = {"xia", 3}, .role = ROLE_VIEWER}, MEMBER_MEMBER},
    [ADMIN] = {{.username = {"adm", 3}, .role = ROLE_ADMIN}, MEMBER_NONE},
};

enum setting { PRIVATE, GROUPED, SHARED_UPDATE, ORG, PUBLIC };
struct facts {
    struct access_group group;
    struct access_item item;
};
static void facts_of(enum setting s, enum who who, struct facts *f)
{
    f->group = (struct access_group){.member = people[who].member, .shared_update = s == SHARED_UPDATE};
    bool grouped = s == GROUPED || s == SHARED_UPDATE;
    f->item = (struct access_item){.owner = STR("ann"),
                                   .access = s == ORG      ? ITEM_ORG
                                             : s == PUBLIC ? ITEM_PUBLIC
                                                           : ITEM_PRIVATE,
                                   .groups = grouped ? &f->group : NULL,
                                   .group_count = grouped};
}

/* expected: one letter a caller, in the order of enum who; '1' may, '0' may not. */
static void check(const char *question, enum who who, bool may, const char *expected)
{
    if (may != (expected[who] == '1'))
        fail_msg("%s, caller %d: %s", question, (int)who, may ? "may" : "may not");
}

static bool make_private(const struct caller *c, const struct access_item *it)
{
    return access_item_set_access(c, it, ITEM_PRIVATE);
}
static bool make_org(const struct caller *c, const struct access_item *it) { return access_item_set_access(c, it, ITEM_ORG); }
static bool make_public(const struct caller *c, const struct access_item *it)
{
    return access_item_set_access(c, it, ITEM_PUBLIC);
}

static void items(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool (*may)(const struct caller *c, const struct access_item *it);
        const char *expected[5]; /* by setting: private, grouped, shared update, org, public */
    } rows[] = {
        /*                                    avupomgGxA   */
        {"read", access_item_read, {"0000100001", "0000111111", "0000111111", "0111111111", "1111111111"}},
        {"update", access_item_update, {"0000100001", "0000100001", "0000111101", "0000100001", "0000100001"}},
        {"delete", access_item_delete, {"0000100001", "0000100001", "0000100001", "0000100001", "0000100001"}},
        {"sharing", access_item_see_sharing, {"0000100001", "0000100001", "0000100001", "0000100001", "0000100001"}},
        {"set access", access_item_change_sharing, {"0000100001", "0000100001", "0000100001", "0000100001", "0000100001"}},
        {"private", make_private, {"0000100001", "0000100001", "0000100001", "0000100001", "0000100001"}},
        {"org", make_org, {"0000100001", "0000100001", "0000100001", "0000100001", "0000100001"}},
        {"public", make_public, {"0000100001", "0000100001", "0000100001", "0000100001", "0000100001"}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int s = PRIVATE; s <= PUBLIC; s++)
            for (int w = 0; w < WHO_COUNT; w++) {
                struct facts f;
                facts_of((enum setting)s, (enum who)w, &f);
                check(rows[i].name, (enum who)w, rows[i].may(&people[w].caller, &f.item), rows[i].expected[s]);
            }
}

static void item_control(void **state)
{
    (void)state;
    static const struct {
        enum who who;
        enum setting setting;
        const char *expected;
    } rows[] = {
        {OWNER, PRIVATE, "admin"},
        {ADMIN, PRIVATE, "admin"},
        {MEMBER, SHARED_UPDATE, "update"},
        {MEMBER, GROUPED, "view"},
        {VIEWER_MEMBER, SHARED_UPDATE, "view"},
        {USER, ORG, "view"},
        {ANONYMOUS, PUBLIC, "view"},
        {ANONYMOUS, ORG, NULL},
        {USER, PRIVATE, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct facts f;
        facts_of(rows[i].setting, rows[i].who, &f);
        const char *control = access_item_control(&people[rows[i].who].caller, &f.item);
        assert_str(str_c(control), str_c(rows[i].expected));
        assert_int_equal(control == NULL, rows[i].expected == NULL);
    }
}

static void sharing_to_a_group(void **state)
{
    (void)state;
    for (int w = 0; w < WHO_COUNT; w++) {
        struct facts f;
        facts_of(PRIVATE, (enum who)w, &f);
        struct access_group open = {.member = people[w].member}, view_only = {.member = people[w].member, .view_only = true};
        check("share", (enum who)w, access_item_share(&people[w].caller, &f.item, &open), "0000100001");
        check("share to view-only", (enum who)w, access_item_share(&people[w].caller, &f.item, &view_only), "0000000001");
        check("unshare", (enum who)w, access_item_unshare(&people[w].caller, &f.item, &open), "0000101101");
    }
    struct caller ann = people[OWNER].caller;
    struct access_item item = {.owner = STR("ann")};
    assert_false(access_item_share(&ann, &item, &(struct access_group){.member = MEMBER_NONE, .access = ITEM_PUBLIC}));
    assert_true(access_item_share(&ann, &item, &(struct access_group){.member = MEMBER_ADMIN, .view_only = true}));
    ann.role = ROLE_VIEWER; /* an owner who was made a viewer keeps reading, but does not share */
    assert_true(access_item_read(&ann, &item));
    assert_false(access_item_share(&ann, &item, &(struct access_group){.member = MEMBER_MEMBER}));
}

static void one_group_of_many(void **state)
{
    (void)state;
    struct access_group groups[] = {{.member = MEMBER_NONE, .shared_update = true}, {.member = MEMBER_MEMBER}};
    struct access_item item = {.owner = STR("ann"), .groups = groups, .group_count = COUNT_OF(groups)};
    assert_true(access_item_read(&people[USER].caller, &item));
    assert_false(access_item_update(&people[USER].caller, &item)); /* a member of the other one */
    groups[0].member = MEMBER_MEMBER;
    assert_true(access_item_update(&people[USER].caller, &item));
}

static void groups(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool (*may)(const struct caller *c, const struct access_group *g);
        const char *expected[3]; /* private, org, public */
    } rows[] = {
        /*                                       avupomgGxA */
        {"see", access_group_see, {"0000111111", "0111111111", "1111111111"}},
        {"update", access_group_update, {"0000001101", "0000001101", "0000001101"}},
        {"delete", access_group_delete, {"0000000101", "0000000101", "0000000101"}},
        {"manage", access_group_manage_members, {"0000001101", "0000001101", "0000001101"}},
        {"members", access_group_see_members, {"0000111111", "0111111111", "0111111111"}},
        {"move", access_group_move, {"0000000101", "0000000101", "0000000101"}},
        {"reassign", access_group_reassign, {"0000000101", "0000000101", "0000000101"}},
        {"assign", access_group_assign, {"0000001101", "0000001101", "0000001101"}},
        {"join", access_group_join, {"0000111111", "0111111111", "0111111111"}},
    };
    static const enum item_access access[] = {ITEM_PRIVATE, ITEM_ORG, ITEM_PUBLIC};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t a = 0; a < COUNT_OF(access); a++)
            for (int w = 0; w < WHO_COUNT; w++) {
                struct access_group g = {.member = people[w].member, .access = access[a]};
                check(rows[i].name, (enum who)w, rows[i].may(&people[w].caller, &g), rows[i].expected[a]);
            }
    for (int w = 0; w < WHO_COUNT; w++) {
        struct access_group g = {.member = people[w].member, .access = ITEM_PUBLIC, .hidden_members = true};
        check("hidden members", (enum who)w, access_group_see_members(&people[w].caller, &g), "0000001101");
        check("create group", (enum who)w, access_group_create(&people[w].caller), "0011111101");
        check("publish", (enum who)w, access_publish(&people[w].caller), "0001000001");
        check("administer", (enum who)w, access_administer(&people[w].caller), "0000000001");
        check("add content", (enum who)w, access_content_add(&people[w].caller, STR("ann")), "0000100001");
        check("list content", (enum who)w, access_content_list(&people[w].caller, STR("Ann")), "0000100001");
        check("user details", (enum who)w, access_user_details(&people[w].caller, STR("ann")), "0000100001");
        check("private user", (enum who)w, access_user_see(&people[w].caller, STR("ann"), ITEM_PRIVATE), "0000100001");
        check("org user", (enum who)w, access_user_see(&people[w].caller, STR("ann"), ITEM_ORG), "0111111111");
        check("public user", (enum who)w, access_user_see(&people[w].caller, STR("ann"), ITEM_PUBLIC), "1111111111");
        check("job with key", (enum who)w, access_job_see(&people[w].caller, STR("ann"), true), "0000100001");
        check("job without key", (enum who)w, access_job_see(&people[w].caller, STR("ann"), false), "0000000001");
    }
    assert_false(access_content_add(&people[VIEWER].caller, STR("vic"))); /* not even to their own */
    assert_true(access_is_self(&people[OWNER].caller, STR("ann")));
    assert_false(access_is_self(&people[ANONYMOUS].caller, STR("ann")));
    assert_false(access_is_self(&(struct caller){.username = STR("")}, STR("")));
}

static void features(void **state)
{
    (void)state;
    static const struct {
        enum setting setting;
        const char *capabilities;
        enum feature_right right;
        const char *expected;
    } rows[] = {
        /*                                                   avupomgGxA */
        {PRIVATE, "Query,Editing", FEATURE_QUERY, "0000100001"},
        {PUBLIC, "Query", FEATURE_QUERY, "1111111111"},
        {PUBLIC, "Create", FEATURE_QUERY, "0000100001"},
        {ORG, "Query", FEATURE_QUERY, "0111111111"},
        {GROUPED, "Query", FEATURE_QUERY, "0000111111"},
        {ORG, "Query", FEATURE_UPDATE, "0000100001"},
        {ORG, "Query,Editing", FEATURE_UPDATE, "0011111101"},
        {ORG, "query, editing , update", FEATURE_UPDATE, "0011111101"},
        {ORG, "Query,Editing,Update", FEATURE_DELETE, "0000100001"},
        {ORG, "Query,Editing,Create,Delete", FEATURE_DELETE, "0011111101"},
        {PUBLIC, "Query,Create", FEATURE_CREATE, "1111111111"},
        {SHARED_UPDATE, "Query", FEATURE_UPDATE, "0000111101"},
        {PUBLIC, "Query,Extract", FEATURE_EXTRACT, "1111111111"},
        {PUBLIC, "Query,Editing", FEATURE_EXTRACT, "0000100001"},
        {PUBLIC, "", FEATURE_QUERY, "0000100001"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int w = 0; w < WHO_COUNT; w++) {
            struct facts f;
            facts_of(rows[i].setting, (enum who)w, &f);
            check(rows[i].capabilities, (enum who)w,
                  access_features(&people[w].caller, &f.item, str_c(rows[i].capabilities), rows[i].right), rows[i].expected);
        }
}

/* A role that creates and changes nothing does so in no place of a group either. */
static void viewer_managers(void **state)
{
    (void)state;
    const struct caller viewer = {.username = STR("vic"), .role = ROLE_VIEWER};
    for (enum member_type m = MEMBER_ADMIN; m <= MEMBER_OWNER; m++) {
        const struct access_group g = {.member = m, .hidden_members = true};
        const struct access_item it = {.owner = STR("ann"), .groups = &g, .group_count = 1};
        assert_false(access_group_update(&viewer, &g));
        assert_false(access_group_manage_members(&viewer, &g));
        assert_false(access_group_see_members(&viewer, &g));
        assert_false(access_item_unshare(&viewer, &it, &g));
        assert_true(access_group_see(&viewer, &g));
        assert_true(access_item_read(&viewer, &it));
    }
}

/* ---- custom roles: each privilege opens its questions and no others ---- */

#define BIT(name) (UINT64_C(1) << PRIVILEGE_##name)

static struct caller holder(role_privileges set)
{
    return (struct caller){.username = STR("cus"), .custom = true, .role = role_floor(set), .privileges = set};
}

static void custom_roles(void **state)
{
    (void)state;
    const struct access_item others = {.owner = STR("ann"), .access = ITEM_PRIVATE}, own = {.owner = STR("cus")},
                             org = {.owner = STR("ann"), .access = ITEM_ORG};
    const struct access_group strange = {.member = MEMBER_NONE, .access = ITEM_PRIVATE}, mine = {.member = MEMBER_MEMBER};
    const struct user user = {.username = STR("uma"), .role = ROLE_USER};
    for (enum privilege p = 0; p < PRIVILEGE_COUNT; p++) {
        const struct caller c = holder(UINT64_C(1) << p);
        assert_false(access_administer(&c));
        assert_false(access_roles_manage(&c));
        assert_int_equal(access_item_read(&c, &others), p == PRIVILEGE_VIEW_ITEMS);
        assert_int_equal(access_item_read(&c, &org), p == PRIVILEGE_VIEW_ITEMS || p == PRIVILEGE_VIEW_ORG_ITEMS);
        assert_int_equal(access_item_update(&c, &others), p == PRIVILEGE_UPDATE_ITEMS);
        assert_int_equal(access_item_delete(&c, &others), p == PRIVILEGE_DELETE_ITEMS);
        assert_int_equal(access_item_reassign(&c), p == PRIVILEGE_REASSIGN_ITEMS);
        assert_int_equal(access_item_set_access(&c, &own, ITEM_ORG), p == PRIVILEGE_SHARE_TO_ORG);
        assert_int_equal(access_item_set_access(&c, &own, ITEM_PUBLIC), p == PRIVILEGE_SHARE_TO_PUBLIC);
        assert_int_equal(access_item_set_access(&c, &others, ITEM_PUBLIC), p == PRIVILEGE_SHARE_OTHERS_TO_PUBLIC);
        assert_int_equal(access_item_share(&c, &own, &mine), p == PRIVILEGE_SHARE_TO_GROUP);
        assert_int_equal(access_content_add(&c, STR("cus")), p == PRIVILEGE_CREATE_ITEM);
        assert_int_equal(access_publish(&c), p == PRIVILEGE_PUBLISH_FEATURES);
        assert_int_equal(access_group_create(&c), p == PRIVILEGE_CREATE_GROUP);
        assert_int_equal(access_group_set_access(&c, ITEM_ORG), p == PRIVILEGE_SHARE_GROUP_TO_ORG);
        assert_int_equal(access_group_set_access(&c, ITEM_PUBLIC), p == PRIVILEGE_SHARE_GROUP_TO_PUBLIC);
        assert_int_equal(access_group_see(&c, &strange), p == PRIVILEGE_VIEW_GROUPS);
        assert_int_equal(access_group_update(&c, &strange), p == PRIVILEGE_UPDATE_GROUPS);
        assert_int_equal(access_group_delete(&c, &strange), p == PRIVILEGE_DELETE_GROUPS);
        assert_int_equal(access_group_reassign(&c, &strange), p == PRIVILEGE_REASSIGN_GROUPS);
        assert_int_equal(access_group_assign(&c, &strange), p == PRIVILEGE_ASSIGN_TO_GROUPS);
        assert_int_equal(access_group_join(&c, &mine), p == PRIVILEGE_JOIN_GROUP);
        assert_int_equal(access_user_details(&c, STR("uma")), p == PRIVILEGE_VIEW_USERS);
        assert_int_equal(access_user_create(&c), p == PRIVILEGE_INVITE_USERS);
        assert_int_equal(access_org_update(&c), p == PRIVILEGE_MANAGE_WEBSITE);
        assert_false(access_user_manage(&c, &user, p)); /* whose role holds more */
    }
}

/* Nobody gets at somebody above himself, or lifts anybody above himself. */
static void ranks(void **state)
{
    (void)state;
    const role_privileges user_set = role_privileges_of(ROLE_USER);
    const struct caller manager = holder(user_set | BIT(UPDATE_USERS) | BIT(CHANGE_USER_ROLES)), admin = people[ADMIN].caller;
    const struct user uma = {.username = STR("uma"), .role = ROLE_USER}, pat = {.username = STR("pat"), .role = ROLE_PUBLISHER},
                      adm = {.username = STR("adm"), .role = ROLE_ADMIN},
                      like_admin = {
                          .username = STR("xx"), .role_id = STR("x"), .custom_privileges = role_privileges_of(ROLE_ADMIN)};
    assert_true(access_user_manage(&manager, &uma, PRIVILEGE_UPDATE_USERS));
    assert_false(access_user_manage(&manager, &uma, PRIVILEGE_DELETE_USERS));
    assert_false(access_user_manage(&manager, &pat, PRIVILEGE_UPDATE_USERS));
    assert_false(access_user_manage(&manager, &adm, PRIVILEGE_UPDATE_USERS));
    assert_true(access_role_give(&manager, &uma));
    assert_false(access_role_give(&manager, &pat));
    assert_false(access_role_give(&manager, &adm));
    assert_false(access_role_give(&manager, &like_admin));
    const struct caller all = holder(role_privileges_of(ROLE_ADMIN));
    assert_true(access_user_manage(&all, &like_admin, PRIVILEGE_UPDATE_USERS));
    assert_false(access_user_manage(&all, &adm, PRIVILEGE_UPDATE_USERS));
    assert_false(access_role_give(&all, &adm));
    for (size_t i = 0; i < 3; i++) {
        assert_true(access_user_manage(&admin, (const struct user *[]){&pat, &adm, &like_admin}[i], PRIVILEGE_DELETE_USERS));
        assert_true(access_role_give(&admin, (const struct user *[]){&pat, &adm, &like_admin}[i]));
    }
    assert_true(access_user_update(&(struct caller){.username = STR("pat"), .role = ROLE_VIEWER}, &pat));
    assert_false(access_role_give(&CALLER_ANONYMOUS, &uma));
}

/* Nothing changes in a group that is read-only, and being in a group of favourites opens nothing. */
static void groups_with_flags(void **state)
{
    (void)state;
    const struct caller ann = {.username = STR("ann"), .role = ROLE_USER}, bob = {.username = STR("bob"), .role = ROLE_USER};
    const struct access_group frozen = {.member = MEMBER_OWNER, .read_only = true};
    const struct access_group marks = {.member = MEMBER_OWNER, .favourites = true, .shared_update = true};
    const struct access_item bobs = {.owner = STR("bob"), .groups = &marks, .group_count = 1},
                             open = {.owner = STR("bob"), .access = ITEM_ORG};
    assert_false(access_item_share(&ann, &(struct access_item){.owner = STR("ann")}, &frozen));
    assert_false(access_item_unshare(&ann, &bobs, &frozen));
    assert_false(access_group_assign(&ann, &frozen));
    assert_false(access_group_manage_members(&people[ADMIN].caller, &frozen));
    assert_true(access_group_update(&ann, &frozen));
    assert_false(access_item_read(&ann, &bobs));
    assert_false(access_item_update(&ann, &bobs));
    assert_true(access_item_share(&ann, &open, &marks));
    assert_false(access_item_share(&ann, &bobs, &marks)); /* not to be read */
    assert_true(access_item_unshare(&ann, &bobs, &marks));
    assert_false(access_item_share(&bob, &open, &(struct access_group){.favourites = true}));
    assert_false(access_group_see(&people[ADMIN].caller, &(struct access_group){.favourites = true}));
    assert_false(access_group_reassign(&ann, &marks));
    assert_false(access_group_move(&ann, &marks));
    assert_false(access_group_assign(&ann, &marks));
}

static void stored_callers(void **state)
{
    struct ctx *ctx = *state;
    const struct caller rows[] = {
        {.username = STR("adm"), .role = ROLE_ADMIN}, holder(BIT(VIEW_ITEMS) | BIT(CREATE_ITEM)), holder(0)};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 16);
        struct json_out o;
        struct caller back;
        json_out_buf(&o, ctx, &b);
        json_begin_object(&o);
        access_caller_print(&o, &rows[i]);
        json_end_object(&o);
        assert_int_equal(json_out_end(&o, "caller"), RC_OK);
        assert_true(access_caller_parse(ctx->arena, parsed(ctx, arena_str(ctx->arena, buf_str(&b))), &back));
        assert_str(back.username, rows[i].username);
        assert_int_equal(back.role, rows[i].role);
        assert_int_equal(back.custom, rows[i].custom);
        assert_int_equal(back.privileges, rows[i].privileges);
    }
    struct caller unused;
    assert_false(access_caller_parse(ctx->arena, parsed(ctx, STR("{\"caller\":\"x\"}")), &unused));
    assert_false(access_caller_parse(
        ctx->arena, parsed(ctx, STR("{\"caller\":\"x\",\"role\":\"org_user\",\"privileges\":[\"?\"]}")), &unused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(items),  TEST(item_control),      TEST(sharing_to_a_group), TEST(one_group_of_many),
                                       TEST(groups), TEST(features),          TEST(viewer_managers),    TEST(custom_roles),
                                       TEST(ranks),  TEST(groups_with_flags), TEST(stored_callers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
