/* A real site in a temporary directory, with one user for each place that a caller can have, and a group. */
#ifndef MAPFERRY_TESTS_UNIT_SERVICE_FIXTURE_H
#define MAPFERRY_TESTS_UNIT_SERVICE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/errors.h"
#include "service/group.h"
#include "service/item.h"
#include "service/user.h"

enum who { ANONYMOUS, OWNER, MEMBER, MANAGER, OTHER, ADMIN, WHO_COUNT, VIEWER = WHO_COUNT };
static const struct caller callers[] = {
    [ANONYMOUS] = {.anonymous = true},
    [OWNER] = {.username = {"owner", 5}, .role = ROLE_USER},
    [MEMBER] = {.username = {"member", 6}, .role = ROLE_PUBLISHER},
    [MANAGER] = {.username = {"manager", 7}, .role = ROLE_USER},
    [OTHER] = {.username = {"other", 5}, .role = ROLE_USER},
    [ADMIN] = {.username = {"admin", 5}, .role = ROLE_ADMIN},
    [VIEWER] = {.username = {"viewer", 6}, .role = ROLE_VIEWER},
};
/* How an item is shared: nobody else, a group, a shared-update group, every signed-in user, everybody. */
enum sharing { PRIVATE, GROUP, UPDATE_GROUP, ORG, PUBLIC, SHARING_COUNT };

static struct fixture {
    struct ctx ctx;
    struct clock_fixed clock;
    struct site site;
    str dir;
    id group, update_group; /* of OWNER, with MEMBER and MANAGER in it */
} fx;
#define CTX (&fx.ctx)
#define SITE (&fx.site)
enum { NOW = 1700000000 }; /* seconds */

#define assert_ok(call)                                                                                                          \
    do {                                                                                                                         \
        int assert_rc_ = (call);                                                                                                 \
        if (assert_rc_ != RC_OK)                                                                                                 \
            fail_msg("%s: rc %d, %s: %s", #call, assert_rc_, fx.ctx.err.kind ? fx.ctx.err.kind->name : "-", err_text(CTX));      \
    } while (0)
/* Fails with exactly that kind; the record is forgotten. */
#define assert_refused(call, kind_)                                                                                              \
    do {                                                                                                                         \
        int assert_rc_ = (call);                                                                                                 \
        assert_int_not_equal(assert_rc_, RC_OK);                                                                                 \
        if (!err_is(CTX, &(kind_)))                                                                                              \
            fail_msg("%s: %s: %s", #call, fx.ctx.err.kind ? fx.ctx.err.kind->name : "-", err_text(CTX));                         \
        err_clear(CTX);                                                                                                          \
    } while (0)
#define assert_str(a, literal)                                                                                                   \
    do {                                                                                                                         \
        str assert_a_ = (a), assert_b_ = STR(literal);                                                                           \
        if (!str_eq(assert_a_, assert_b_))                                                                                       \
            fail_msg("%s: \"%.*s\" is not \"%s\"", #a, STR_FMT(assert_a_), literal);                                             \
    } while (0)

static inline int insert_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    (void)arg;
    for (size_t i = OWNER; i < COUNT_OF(callers); i++) {
        const struct user u = {.username = callers[i].username,
                               .id = id_new(),
                               .full_name = callers[i].username,
                               .tags = STR("[]"),
                               .access = ITEM_ORG,
                               .role = callers[i].role,
                               .password_hash = STR("!"),
                               .last_login = -1};
        TRY(meta_user_insert(ctx, tx, &u));
    }
    return RC_OK;
}

static inline id new_group(enum who owner, const struct group_input *in)
{
    struct group g;
    str * not ;
    size_t count;
    assert_ok(group_create(CTX, SITE, &callers[owner], in, &g));
    assert_ok(group_add_users(CTX, SITE, &callers[owner], &g.id, STR("member"), STR("manager"), &not, &count));
    assert_int_equal(count, 0);
    return g.id;
}

static inline int fixture_open(void **state)
{
    (void)state;
    ctx_open(CTX);
    fx.clock = clock_fixed_at(NOW * 1000LL);
    fx.ctx.clock = &fx.clock.base;
    assert_ok(dir_temp(CTX, NULL, &fx.dir));
    const struct site_open options = {.dir = fx.dir.p,
                                      .portal_url = "http://127.0.0.1:7080",
                                      .server_url = "http://127.0.0.1:7080/server",
                                      .settings = site_settings_default()};
    assert_ok(site_open(CTX, &options, SITE));
    assert_ok(sql_write(CTX, fx.site.sql, insert_users, NULL));
    fx.group = new_group(OWNER, &(struct group_input){.title = STR("The group")});
    fx.update_group =
        new_group(OWNER, &(struct group_input){.title = STR("Update group"), .capabilities = STR("updateitemcontrol")});
    return 0;
}

static inline int fixture_close(void **state)
{
    (void)state;
    site_close(SITE);
    assert_ok(dir_remove_tree(CTX, fx.dir.p));
    ctx_close(CTX);
    return 0;
}

/* ---- short forms ---- */

static inline struct blob_new *blob_of(str bytes)
{
    struct blob_new *b;
    assert_ok(blob_put(CTX, fx.site.blobs, bytes, &b));
    return b;
}

static inline struct item_input input_of(str title, str type)
{
    struct item_input in = {0};
    in.field[ITEM_TITLE] = title;
    in.field[ITEM_TYPE] = type;
    return in;
}

static inline id add_item_of(enum who who, const struct item_input *in)
{
    id out;
    assert_ok(item_add(CTX, SITE, &callers[who], callers[who].username, NULL, in, &out));
    return out;
}

static inline id add_text_item(enum who who, str title, str text)
{
    struct item_input in = input_of(title, STR("Web Map"));
    in.has_text = true;
    in.text = text;
    return add_item_of(who, &in);
}

static inline void share_item_as(const id *item, enum sharing sharing)
{
    const struct share_input forms[SHARING_COUNT] = {
        [PRIVATE] = {.everyone = 0, .org = 0},
        [GROUP] = {.everyone = 0, .org = 0, .groups = &fx.group, .group_count = 1},
        [UPDATE_GROUP] = {.everyone = 0, .org = 0, .groups = &fx.update_group, .group_count = 1, .confirm_item_control = true},
        [ORG] = {.everyone = 0, .org = 1},
        [PUBLIC] = {.everyone = 1, .org = 0},
    };
    id * not ;
    size_t count;
    assert_ok(item_share(CTX, SITE, &callers[ADMIN], item, &forms[sharing], &not, &count));
    assert_int_equal(count, 0);
}

static inline struct item item_now(const id *item)
{
    struct item_view v;
    assert_ok(item_get(CTX, SITE, &callers[ADMIN], item, &v));
    return v.item;
}

static inline str part_bytes(const struct item_part *p)
{
    struct reader *r;
    str bytes;
    assert_ok(blob_open(CTX, fx.site.blobs, p->hash, &r));
    assert_ok(reader_read_all(CTX, r, 1 << 20, "part", &bytes));
    reader_close(r);
    return bytes;
}

/* The letter of an outcome: '.' worked, 'T' 499, 'F' 403, 'M' missing, 'P' parameter, 'X' anything else. */
static inline char outcome(int rc)
{
    static const struct {
        const struct err_kind *kind;
        char letter;
    } letters[] = {{&ERR_TOKEN_REQUIRED, 'T'}, {&ERR_FORBIDDEN, 'F'}, {&ERR_ITEM_MISSING, 'M'},
                   {&ERR_GROUP_MISSING, 'M'},  {&ERR_PARAMETER, 'P'}, {&ERR_CONTENT_GROUP_MISSING, 'M'}};
    if (rc == RC_OK)
        return '.';
    char letter = 'X';
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        if (err_is(CTX, letters[i].kind))
            letter = letters[i].letter;
    err_clear(CTX);
    return letter;
}

#endif
