/* Groups and their members over REST. Source: api.md 3.4. */
#include "model/errors.h"
#include "service/group.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

static str me(const struct call *call) { return call->caller.anonymous ? STR("") : call->caller.username; }

static void print(struct call *call, const struct group *g, enum member_type type)
{
    json_begin_object(&call->out);
    group_print_members(&call->out, g, member_type_name(type), me(call));
    json_member_str(&call->out, "orgId", call->site->org_id);
    json_end_object(&call->out);
}

static struct group_input input_of(const struct call *call)
{
    return (struct group_input){.title = call_param(call, "title"),
                                .tags = call_param(call, "tags"),
                                .description = call_param(call, "description"),
                                .snippet = call_param(call, "snippet"),
                                .phone = call_param(call, "phone"),
                                .access = call_param(call, "access"),
                                .sort_field = call_param(call, "sortField"),
                                .sort_order = call_param(call, "sortOrder"),
                                .membership_access = call_param(call, "membershipAccess"),
                                .display_settings = call_param(call, "displaySettings"),
                                .capabilities = call_param(call, "capabilities"),
                                .is_view_only = call_param(call, "isViewOnly"),
                                .is_invitation_only = call_param(call, "isInvitationOnly"),
                                .auto_join = call_param(call, "autoJoin"),
                                .is_read_only = call_param(call, "isReadOnly"),
                                .hidden_members = call_param(call, "hiddenMembers"),
                                .leaving_disallowed = call_param(call, "leavingDisallowed"),
                                .clear_empty = call_bool(call, "clearEmptyFields")};
}

int groups_create(struct ctx *ctx, struct call *call)
{
    struct group_input in = input_of(call);
    struct group group;
    TRY(group_create(ctx, call->site, &call->caller, &in, &group));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_name(&call->out, "group");
    print(call, &group, MEMBER_OWNER);
    json_end_object(&call->out);
    return RC_OK;
}

int groups_get(struct ctx *ctx, struct call *call)
{
    id group_id;
    struct group group;
    enum member_type type;
    TRY(sharing_group_id(ctx, call, &group_id));
    TRY(group_get(ctx, call->site, &call->caller, &group_id, &group, &type));
    print(call, &group, type);
    return RC_OK;
}

int groups_update(struct ctx *ctx, struct call *call)
{
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    struct group_input in = input_of(call);
    TRY(group_update(ctx, call->site, &call->caller, &group, &in));
    return sharing_success(call, "groupId", id_str(&group));
}

/* Operations that take nothing but the group. */
typedef int group_operation(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
static int operate(struct ctx *ctx, struct call *call, group_operation *operation)
{
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(operation(ctx, call->site, &call->caller, &group));
    return sharing_success(call, "groupId", id_str(&group));
}

static int protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return group_protect(ctx, s, c, group, true);
}
static int unprotect(struct ctx *ctx, struct site *s, const struct caller *c, const id *group)
{
    return group_protect(ctx, s, c, group, false);
}

int groups_delete(struct ctx *ctx, struct call *call) { return operate(ctx, call, group_delete); }
int groups_protect(struct ctx *ctx, struct call *call) { return operate(ctx, call, protect); }
int groups_unprotect(struct ctx *ctx, struct call *call) { return operate(ctx, call, unprotect); }
int groups_join(struct ctx *ctx, struct call *call) { return operate(ctx, call, group_join); }
int groups_leave(struct ctx *ctx, struct call *call) { return operate(ctx, call, group_leave); }

/* ---- members ---- */

static void names_print(struct call *call, const char *name, const str *list, size_t count)
{
    json_begin_object(&call->out);
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        json_put_str(&call->out, list[i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
}

int groups_add_users(struct ctx *ctx, struct call *call)
{
    id group;
    str *not_added;
    size_t count;
    TRY(sharing_group_id(ctx, call, &group));
    if (!call_has(call, "users") && !call_has(call, "admins"))
        return err_set(ctx, &ERR_ADD_USERS, "'users' or 'admins' is required.");
    TRY(group_add_users(ctx, call->site, &call->caller, &group, sharing_text(call, "users"), sharing_text(call, "admins"),
                        &not_added, &count));
    names_print(call, "notAdded", not_added, count);
    return RC_OK;
}

int groups_remove_users(struct ctx *ctx, struct call *call)
{
    id group;
    str *not_removed;
    size_t count;
    TRY(sharing_group_id(ctx, call, &group));
    if (!call_has(call, "users"))
        return err_set(ctx, &ERR_REMOVE_USERS, "'users' is required.");
    TRY(group_remove_users(ctx, call->site, &call->caller, &group, sharing_text(call, "users"), &not_removed, &count));
    names_print(call, "notRemoved", not_removed, count);
    return RC_OK;
}

static bool is_in(str name, const struct member *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_ieq(list[i].username, name))
            return true;
    return false;
}

/* One name of `users` or `admins`: only who is a member already changes his place. */
static int update_one(struct ctx *ctx, struct call *call, const id *group, str name, bool admin)
{
    struct member *members;
    str *not_changed;
    size_t count;
    TRY(group_members(ctx, call->site, &call->caller, group, &members, &count));
    bool done = is_in(name, members, count);
    if (done) {
        TRY(group_add_users(ctx, call->site, &call->caller, group, admin ? STR("") : name, admin ? name : STR(""), &not_changed,
                            &count));
        done = count == 0;
    }
    json_begin_object(&call->out);
    json_member_str(&call->out, "username", name);
    json_member_bool(&call->out, "success", done);
    json_end_object(&call->out);
    return RC_OK;
}

int groups_update_users(struct ctx *ctx, struct call *call)
{
    static const char *const lists[] = {"users", "admins"};
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    if (!call_has(call, "users") && !call_has(call, "admins"))
        return err_set(ctx, &ERR_ADD_USERS, "'users' or 'admins' is required.");
    json_begin_object(&call->out);
    json_name(&call->out, "results");
    json_begin_array(&call->out);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        str rest = sharing_text(call, lists[i]), name;
        while (str_split(&rest, ',', &name))
            if (!str_empty(str_trim(name)))
                TRY(update_one(ctx, call, &group, str_trim(name), i == 1));
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

static int members_of(struct ctx *ctx, struct call *call, struct member **out, size_t *count_out)
{
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    return group_members(ctx, call->site, &call->caller, &group, out, count_out);
}

static void names_of_type(struct call *call, const char *name, const struct member *list, size_t count, enum member_type type)
{
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        if (list[i].type == type)
            json_put_str(&call->out, list[i].username);
    json_end_array(&call->out);
}

int groups_users(struct ctx *ctx, struct call *call)
{
    struct member *members;
    size_t count;
    TRY(members_of(ctx, call, &members, &count));
    json_begin_object(&call->out);
    for (size_t i = 0; i < count; i++)
        if (members[i].type == MEMBER_OWNER)
            json_member_str(&call->out, "owner", members[i].username);
    names_of_type(call, "admins", members, count, MEMBER_ADMIN);
    names_of_type(call, "users", members, count, MEMBER_MEMBER);
    json_end_object(&call->out);
    return RC_OK;
}

static void member_print(struct json_out *o, const char *name, const struct member *m)
{
    if (name)
        json_name(o, name);
    json_begin_object(o);
    json_member_str(o, "username", m->username);
    json_member_str(o, "fullName", m->full_name);
    json_member_c(o, "memberType", member_type_name(m->type));
    json_member_null(o, "thumbnail");
    json_member_int(o, "joined", m->joined);
    json_end_object(o);
}

/* name: part of the username or the full name; memberType: "member" or "admin". */
static bool wanted(const struct call *call, const struct member *m)
{
    str name = str_trim(sharing_text(call, "name")), type = str_trim(sharing_text(call, "memberType"));
    bool named = str_empty(name) || str_ifind(m->username, name, 0) != SIZE_MAX || str_ifind(m->full_name, name, 0) != SIZE_MAX;
    return m->type != MEMBER_OWNER && named && (str_empty(type) || str_ieq(type, str_c(member_type_name(m->type))));
}

/* The owner stands beside the list, which holds managers and members. */
int groups_user_list(struct ctx *ctx, struct call *call)
{
    struct member *members;
    size_t count, kept = 0;
    TRY(members_of(ctx, call, &members, &count));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    json_begin_object(&call->out);
    for (size_t i = 0; i < count; i++)
        if (members[i].type == MEMBER_OWNER)
            member_print(&call->out, "owner", &members[i]);
        else if (wanted(call, &members[i]))
            members[kept++] = members[i];
    size_t from, n;
    sharing_page_cut(&page, kept, &from, &n);
    sharing_paging(call, &page, (int64_t)kept, n);
    json_name(&call->out, "users");
    json_begin_array(&call->out);
    for (size_t i = 0; i < n; i++)
        member_print(&call->out, NULL, &members[from + i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

/* No group has a schema of its own. */
int groups_category_schema(struct ctx *ctx, struct call *call)
{
    id group_id;
    struct group group;
    enum member_type type;
    TRY(sharing_group_id(ctx, call, &group_id));
    TRY(group_get(ctx, call->site, &call->caller, &group_id, &group, &type));
    json_begin_object(&call->out);
    json_member_raw(&call->out, "categorySchema", STR("[]"));
    json_end_object(&call->out);
    return RC_OK;
}
