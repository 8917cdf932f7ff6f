/* Groups and their members: see group.h. */
#include "service/item_private.h"
#include "base/utf8.h"
#include "model/search.h"
#include "service/input.h"

enum { TITLE_CHARS = 250, SHORT_CHARS = 2048, LONG_CHARS = 1 << 20 };

/* ---- facts ---- */

int group_access(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct group *g, struct access_group *out)
{
    *out = (struct access_group){.member = MEMBER_NONE,
                                 .access = g->access,
                                 .shared_update = g->update_item_control,
                                 .view_only = g->is_view_only,
                                 .hidden_members = g->hidden_members,
                                 .read_only = g->is_read_only,
                                 .favourites = g->favourites};
    if (g->favourites && access_is_self(c, g->owner))
        out->member = MEMBER_OWNER; /* it has no members */
    return c->anonymous || g->favourites ? RC_OK : meta_member_type(ctx, tx, &g->id, c->username, &out->member);
}

int group_find(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, struct group *group_out,
               struct access_group *facts_out)
{
    TRY(meta_group_get(ctx, tx, group, group_out));
    TRY(group_access(ctx, tx, c, group_out, facts_out));
    return access_group_see(c, facts_out) ? RC_OK : RC_NOT_FOUND;
}

/* Group and the caller's place in it. RC_NOT_FOUND with ERR_GROUP_MISSING, also when the caller may not see it. */
static int group_facts(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, struct group *group_out,
                       struct access_group *facts_out)
{
    int rc = group_find(ctx, tx, c, group, group_out, facts_out);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_GROUP_MISSING, "There is no group '%s'.", group->text) : rc;
}

struct group_call {
    const struct caller *caller;
    const id *id;
    struct group *group; /* result, or the checked input of a new group */
    const struct group_input *in;
    enum member_type *member;
    bool protect;
    str users, admins;
    str * not ;
    size_t not_count;
    struct member *members;
    size_t count;
    const struct search_query *query;
    const struct meta_search_page *page;
    struct meta_groups *found;
};

/* The group of a call, for an operation that `may` decides. */
typedef bool group_question(const struct caller *c, const struct access_group *g);
static int allowed_group(struct ctx *ctx, struct sql_tx *tx, const struct group_call *call, group_question *may,
                         struct group *out)
{
    struct access_group facts;
    TRY(group_facts(ctx, tx, call->caller, call->id, out, &facts));
    return service_require(ctx, call->caller, may(call->caller, &facts));
}

/* ---- input ---- */

static int take_texts(struct ctx *ctx, const struct group_input *in, struct group *g)
{
    str title = str_trim(in->title), tags = STR_NONE;
    if (!str_empty(title))
        TRY(input_text(ctx, "title", title, TITLE_CHARS, false, &g->title));
    TRY(input_text(ctx, "tags", in->tags, LONG_CHARS, in->clear_empty, &tags));
    if (!str_none(tags))
        TRY(item_list_parse(ctx, tags, &g->tags));
    TRY(input_text(ctx, "description", in->description, LONG_CHARS, in->clear_empty, &g->description));
    TRY(input_text(ctx, "snippet", in->snippet, SHORT_CHARS, in->clear_empty, &g->snippet));
    TRY(input_text(ctx, "phone", in->phone, SHORT_CHARS, in->clear_empty, &g->phone));
    return input_object(ctx, "displaySettings", in->display_settings, LONG_CHARS, in->clear_empty, &g->display_settings);
}

static int take_words(struct ctx *ctx, const struct group_input *in, struct group *g)
{
    static const char *const sort_fields[] = {"title", "owner", "avgrating", "numviews", "created", "modified", NULL};
    static const char *const sort_orders[] = {"asc", "desc", NULL};
    static const char *const memberships[] = {"org", "collaboration", "none", NULL};
    TRY(input_word(ctx, "sortField", in->sort_field, sort_fields, &g->sort_field));
    TRY(input_word(ctx, "sortOrder", in->sort_order, sort_orders, &g->sort_order));
    TRY(input_word(ctx, "membershipAccess", in->membership_access, memberships, &g->membership_access));
    if (!str_empty(in->access) && (!item_access_parse(in->access, &g->access) || g->access == ITEM_SHARED))
        return err_set(ctx, &ERR_PARAMETER, "'access' has to be private, org or public.");
    TRY(input_bool(ctx, "isViewOnly", in->is_view_only, &g->is_view_only));
    TRY(input_bool(ctx, "isInvitationOnly", in->is_invitation_only, &g->is_invitation_only));
    TRY(input_bool(ctx, "autoJoin", in->auto_join, &g->auto_join));
    TRY(input_bool(ctx, "isReadOnly", in->is_read_only, &g->is_read_only));
    TRY(input_bool(ctx, "hiddenMembers", in->hidden_members, &g->hidden_members));
    return input_bool(ctx, "leavingDisallowed", in->leaving_disallowed, &g->leaving_disallowed);
}

static int title_free(struct ctx *ctx, struct sql_tx *tx, const struct group *g)
{
    id there;
    int rc = meta_group_by_title(ctx, tx, g->owner, g->title, &there);
    if (rc == RC_OK && !id_eq(there, g->id))
        return err_set(ctx, &ERR_GROUP_TITLE, "You already have a group named '%.*s'. Try a different name.", STR_FMT(g->title));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- create, read, update, delete ---- */

static int create_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    TRY(title_free(ctx, tx, call->group));
    return meta_group_insert(ctx, tx, call->group);
}

int group_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct group_input *in, struct group *out)
{
    TRY(service_require(ctx, c, access_group_create(c)));
    int64_t now = ctx_now(ctx);
    *out = (struct group){.id = id_new(),
                          .owner = c->username,
                          .tags = STR("[]"),
                          .sort_field = STR("modified"),
                          .sort_order = STR("desc"),
                          .membership_access = STR("org"),
                          .access = ITEM_PRIVATE,
                          .created = now,
                          .modified = now};
    TRY(take_texts(ctx, in, out));
    if (str_empty(out->title))
        return err_set(ctx, &ERR_GROUP_TITLE, "'title' is required.");
    TRY(take_words(ctx, in, out));
    out->update_item_control = str_ifind(in->capabilities, STR("updateitemcontrol"), 0) != SIZE_MAX; /* at creation only */
    return sql_write(ctx, s->sql, create_group, &(struct group_call){.group = out});
}

static int get_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct access_group facts;
    TRY(group_facts(ctx, tx, call->caller, call->id, call->group, &facts));
    *call->member = facts.member;
    return RC_OK;
}

int group_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out,
              enum member_type *member_out)
{
    return sql_read(ctx, s->sql, get_group, &(struct group_call){.caller = c, .id = group, .group = out, .member = member_out});
}

static int update_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_update, &g));
    TRY(take_texts(ctx, call->in, &g));
    TRY(take_words(ctx, call->in, &g));
    TRY(title_free(ctx, tx, &g));
    g.modified = ctx_now(ctx);
    return meta_group_update(ctx, tx, &g);
}

int group_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct group_input *in)
{
    return sql_write(ctx, s->sql, update_group, &(struct group_call){.caller = c, .id = group, .in = in});
}

static int delete_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_delete, &g));
    if (g.protected)
        return err_set(ctx, &ERR_GROUP_PROTECTED, "Group '%s' is protected from deletion.", g.id.text);
    return meta_group_delete(ctx, tx, &g.id);
}

int group_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return sql_write(ctx, s->sql, delete_group, &(struct group_call){.caller = c, .id = group});
}

static int protect_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_delete, &g));
    g.protected = call->protect;
    return meta_group_update(ctx, tx, &g);
}

int group_protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, bool protect)
{
    return sql_write(ctx, s->sql, protect_group, &(struct group_call){.caller = c, .id = group, .protect = protect});
}

/* ---- members ---- */

/* What one name of a list stands for: a member's place in the group is changed, or it is not possible (*done false). */
typedef int member_step(struct ctx *ctx, struct sql_tx *tx, const struct group *g, const struct user *u, enum member_type wanted,
                        bool *done);

static int put_member(struct ctx *ctx, struct sql_tx *tx, const struct group *g, const struct user *u, enum member_type wanted,
                      bool *done)
{
    *done = !str_ieq(u->username, g->owner);
    return *done ? meta_member_put(ctx, tx, &g->id, u->username, wanted) : RC_OK;
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
static int each_name(struct ctx *ctx, struct sql_tx *tx, struct group_call *call, const struct group *g, str names,
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
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_manage_members, &g));
    call->not_count = 0;
    TRY(each_name(ctx, tx, call, &g, call->users, put_member, MEMBER_MEMBER));
    return each_name(ctx, tx, call, &g, call->admins, put_member, MEMBER_ADMIN);
}

static int remove_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_manage_members, &g));
    call->not_count = 0;
    return each_name(ctx, tx, call, &g, call->users, remove_member, MEMBER_NONE);
}

static int change_members(struct ctx *ctx, struct site *s, sql_fn *fn, struct group_call *call, str **not_out,
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
    struct group_call call = {.caller = c, .id = group, .users = users, .admins = admins};
    return change_members(ctx, s, add_users, &call, not_out, not_count_out);
}

int group_remove_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str **not_out,
                       size_t *not_count_out)
{
    struct group_call call = {.caller = c, .id = group, .users = users};
    return change_members(ctx, s, remove_users, &call, not_out, not_count_out);
}

/* Joining on one's own needs a group that lets people in without being asked. */
static int join(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    struct access_group facts;
    TRY(service_require(ctx, call->caller, !call->caller->anonymous));
    TRY(group_facts(ctx, tx, call->caller, call->id, &g, &facts));
    if (facts.member != MEMBER_NONE)
        return RC_OK;
    if (g.is_invitation_only || !g.auto_join)
        return err_set(ctx, &ERR_FORBIDDEN, "Members are added to this group by its owner and managers.");
    return meta_member_put(ctx, tx, &g.id, call->caller->username, MEMBER_MEMBER);
}

int group_join(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return sql_write(ctx, s->sql, join, &(struct group_call){.caller = c, .id = group});
}

static int leave(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
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
    return sql_write(ctx, s->sql, leave, &(struct group_call){.caller = c, .id = group});
}

static int list_members(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct group g;
    TRY(allowed_group(ctx, tx, call, access_group_see_members, &g));
    return meta_members(ctx, tx, &g.id, &call->members, &call->count);
}

int group_members(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct member **out,
                  size_t *count_out)
{
    struct group_call call = {.caller = c, .id = group};
    TRY(sql_read(ctx, s->sql, list_members, &call));
    *out = call.members;
    *count_out = call.count;
    return RC_OK;
}

/* ---- export and import, search ---- */

static int check_move(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    return allowed_group(ctx, tx, call, access_group_move, call->group);
}

int group_move_check(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out)
{
    return sql_read(ctx, s->sql, check_move, &(struct group_call){.caller = c, .id = group, .group = out});
}

static int search_groups(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct group_call *call = arg;
    struct viewer who = service_viewer(call->caller, access_groups_sight(call->caller));
    return meta_search_groups(ctx, tx, call->query, &who, call->page, call->found);
}

int group_search(struct ctx *ctx, struct site *s, const struct caller *c, str q, const struct meta_search_page *page,
                 struct meta_groups *out)
{
    struct search_query *query;
    TRY(search_parse(ctx, q, &query));
    return sql_read(ctx, s->sql, search_groups, &(struct group_call){.caller = c, .query = query, .page = page, .found = out});
}
