/* The members of groups: see group.h. */
#include "service/group_private.h"

#include <stdlib.h>

struct member_call {
    const struct caller *caller;
    const id *id;
    str users, admins;
    str * not ;
    size_t not_count;
    struct member *members;
    size_t count;
};

int group_member_put(struct ctx *ctx, struct sql_tx *tx, const struct group *g, str username, enum member_type type)
{
    TRY(meta_requests_drop(ctx, tx, &g->id, username));
    return meta_member_put(ctx, tx, &g->id, username, type);
}

/* What one name of a list stands for: a member's place in the group is changed, or it is not possible (*done false). */
typedef int member_step(struct ctx *ctx, struct sql_tx *tx, const struct group *g, const struct user *u, enum member_type wanted,
                        bool *done);

static int put_member(struct ctx *ctx, struct sql_tx *tx, const struct group *g, const struct user *u, enum member_type wanted,
                      bool *done)
{
    *done = !str_ieq(u->username, g->owner);
    return *done ? group_member_put(ctx, tx, g, u->username, wanted) : RC_OK;
}

/* Who is a member already changes his place. */
static int move_member(struct ctx *ctx, struct sql_tx *tx, const struct group *g, const struct user *u, enum member_type wanted,
                       bool *done)
{
    enum member_type now;
    *done = false;
    TRY(meta_member_type(ctx, tx, &g->id, u->username, &now));
    return now == MEMBER_NONE ? RC_OK : put_member(ctx, tx, g, u, wanted, done);
}

static int remove_member(struct ctx *ctx, struct sql_tx *tx, const struct group *g, const struct user *u, enum member_type wanted,
                         bool *done)
{
    (void)wanted;
    *done = false;
    if (str_ieq(u->username, g->owner))
        return RC_OK;
    int rc = meta_member_delete(ctx, tx, &g->id, u->username);
    *done = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Names that are empty are passed over; names that did not work are listed as they were written. */
static int each_name(struct ctx *ctx, struct sql_tx *tx, struct member_call *call, const struct group *g, str names,
                     member_step *step, enum member_type wanted)
{
    str name;
    while (str_split(&names, ',', &name)) {
        struct user user;
        bool done = false;
        name = str_trim(name);
        if (str_empty(name))
            continue;
        int rc = meta_user_get(ctx, tx, name, &user);
        if (rc == RC_OK)
            rc = step(ctx, tx, g, &user, wanted, &done);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        if (!done)
            call->not [call->not_count++] = name;
    }
    return RC_OK;
}

static size_t name_count(str names)
{
    size_t count = 0;
    str name;
    while (str_split(&names, ',', &name))
        count++;
    return count;
}

static int add_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    TRY(group_allowed(ctx, tx, call->caller, call->id, access_group_assign, &g));
    call->not_count = 0;
    TRY(each_name(ctx, tx, call, &g, call->users, put_member, MEMBER_MEMBER));
    return each_name(ctx, tx, call, &g, call->admins, put_member, MEMBER_ADMIN);
}

static int remove_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    TRY(group_allowed(ctx, tx, call->caller, call->id, access_group_manage_members, &g));
    call->not_count = 0;
    return each_name(ctx, tx, call, &g, call->users, remove_member, MEMBER_NONE);
}

static int move_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    TRY(group_allowed(ctx, tx, call->caller, call->id, access_group_manage_members, &g));
    call->not_count = 0;
    TRY(each_name(ctx, tx, call, &g, call->users, move_member, MEMBER_MEMBER));
    return each_name(ctx, tx, call, &g, call->admins, move_member, MEMBER_ADMIN);
}

static int change_members(struct ctx *ctx, struct site *s, sql_fn *fn, struct member_call *call, str **not_out,
                          size_t *not_count_out)
{
    call->not = arena_array(ctx->arena, str, name_count(call->users) + name_count(call->admins));
    TRY(sql_write(ctx, s->sql, fn, call));
    *not_out = call->not ;
    *not_count_out = call->not_count;
    return RC_OK;
}

int group_add_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str admins,
                    str **not_out, size_t *not_count_out)
{
    struct member_call call = {.caller = c, .id = group, .users = users, .admins = admins};
    return change_members(ctx, s, add_users, &call, not_out, not_count_out);
}

int group_remove_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str **not_out,
                       size_t *not_count_out)
{
    struct member_call call = {.caller = c, .id = group, .users = users};
    return change_members(ctx, s, remove_users, &call, not_out, not_count_out);
}

int group_update_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str admins,
                       str **not_out, size_t *not_count_out)
{
    struct member_call call = {.caller = c, .id = group, .users = users, .admins = admins};
    return change_members(ctx, s, move_users, &call, not_out, not_count_out);
}

/* A group that is open lets people in at once or, without autoJoin, is asked; one by invitation only does neither. */
static int join(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    struct access_group facts;
    TRY(service_require(ctx, call->caller, !call->caller->anonymous));
    TRY(group_facts(ctx, tx, call->caller, call->id, &g, &facts));
    if (facts.member != MEMBER_NONE)
        return RC_OK;
    TRY(service_require(ctx, call->caller, access_group_join(call->caller, &facts)));
    if (g.is_invitation_only)
        return err_set(ctx, &ERR_FORBIDDEN, "Members are invited to this group by its owner and managers.");
    return g.auto_join ? group_member_put(ctx, tx, &g, call->caller->username, MEMBER_MEMBER)
                       : group_request_apply(ctx, tx, call->caller, &g);
}

int group_join(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return sql_write(ctx, s->sql, join, &(struct member_call){.caller = c, .id = group});
}

static int leave(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    struct access_group facts;
    TRY(service_require(ctx, call->caller, !call->caller->anonymous));
    TRY(group_facts(ctx, tx, call->caller, call->id, &g, &facts));
    if (facts.member == MEMBER_NONE)
        return err_set(ctx, &ERR_REMOVE_USERS, "'%.*s' is no member of the group.", STR_FMT(call->caller->username));
    if (facts.member == MEMBER_OWNER)
        return err_set(ctx, &ERR_REMOVE_USERS, "The owner of a group cannot leave it.");
    if (g.leaving_disallowed && !access_group_manage_members(call->caller, &facts))
        return err_set(ctx, &ERR_FORBIDDEN, "Members of this group cannot leave it on their own.");
    return meta_member_delete(ctx, tx, &g.id, call->caller->username);
}

int group_leave(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return sql_write(ctx, s->sql, leave, &(struct member_call){.caller = c, .id = group});
}

static int list_members(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    TRY(group_allowed(ctx, tx, call->caller, call->id, access_group_see_members, &g));
    return meta_members(ctx, tx, &g.id, &call->members, &call->count);
}

int group_members(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct member **out,
                  size_t *count_out)
{
    struct member_call call = {.caller = c, .id = group};
    TRY(sql_read(ctx, s->sql, list_members, &call));
    *out = call.members;
    *count_out = call.count;
    return RC_OK;
}

/* ---- lists of members ---- */

static int by_username(const struct member *a, const struct member *b) { return str_cmp(a->username, b->username); }
static int by_name(const struct member *a, const struct member *b) { return str_cmp(a->full_name, b->full_name); }
static int by_type(const struct member *a, const struct member *b) { return (int)b->type - (int)a->type; }
static int by_joined(const struct member *a, const struct member *b) { return (a->joined > b->joined) - (a->joined < b->joined); }

/* The first row is the order of those that ask for none. */
static const struct member_order {
    const char *name;
    int (*compare)(const struct member *a, const struct member *b);
} orders[] = {{"memberType", by_type}, {"username", by_username}, {"fullName", by_name}, {"joined", by_joined}};

struct sorting {
    const struct member_order *order;
    bool descending;
};

static int compare(const void *left, const void *right, void *arg)
{
    const struct sorting *s = arg;
    const struct member *a = left, *b = right;
    int c = s->order->compare(a, b);
    if (c == 0)
        c = by_username(a, b);
    return s->descending ? -c : c;
}

static bool wanted_member(const struct member_filter *f, const struct member *m)
{
    bool named =
        str_empty(f->name) || str_ifind(m->username, f->name, 0) != SIZE_MAX || str_ifind(m->full_name, f->name, 0) != SIZE_MAX;
    bool typed = str_empty(f->type) || str_ieq(f->type, str_c(member_type_name(m->type)));
    return m->type != MEMBER_OWNER && named && typed && m->joined >= f->joined_from &&
           (f->joined_to == 0 || m->joined <= f->joined_to);
}

int group_member_list(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct member_filter *f,
                      struct member **out, size_t *count_out, struct member *owner_out)
{
    struct sorting sorting = {.order = &orders[0], .descending = f->descending};
    struct member *list;
    size_t count, kept = 0;
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        if (str_ieq(f->sort_field, str_c(orders[i].name)))
            sorting.order = &orders[i];
    TRY(group_members(ctx, s, c, group, &list, &count));
    *owner_out = (struct member){0};
    for (size_t i = 0; i < count; i++) {
        if (list[i].type == MEMBER_OWNER)
            *owner_out = list[i];
        else if (wanted_member(f, &list[i]))
            list[kept++] = list[i];
    }
    if (kept)
        qsort_r(list, kept, sizeof *list, compare, &sorting);
    *out = list;
    *count_out = kept;
    return RC_OK;
}

/* ---- another owner ---- */

/* The one before stays as a manager. */
static int reassign(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct member_call *call = arg;
    struct group g;
    struct user target;
    id there;
    TRY(group_allowed(ctx, tx, call->caller, call->id, access_group_reassign, &g));
    TRY(user_find(ctx, tx, call->caller, call->users, &target));
    const struct caller as_target = access_caller(&target);
    if (target.disabled || !access_group_create(&as_target))
        return err_set(ctx, &ERR_GROUP_CHANGE, "User '%.*s' cannot own groups.", STR_FMT(target.username));
    if (str_eq(target.username, g.owner))
        return RC_OK;
    int rc = meta_group_by_title(ctx, tx, target.username, g.title, &there);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_GROUP_CHANGE, "User '%.*s' has a group named '%.*s' already.", STR_FMT(target.username),
                       STR_FMT(g.title));
    TRY(rc == RC_NOT_FOUND ? RC_OK : rc);
    TRY(group_member_put(ctx, tx, &g, g.owner, MEMBER_ADMIN));
    TRY(group_member_put(ctx, tx, &g, target.username, MEMBER_OWNER));
    g.owner = target.username;
    g.modified = ctx_now(ctx);
    return meta_group_update(ctx, tx, &g);
}

int group_reassign(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str target_username)
{
    return sql_write(ctx, s->sql, reassign, &(struct member_call){.caller = c, .id = group, .users = target_username});
}
