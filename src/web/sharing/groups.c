/* Groups and their members over REST. Source: api.md 3.4. */
#include "base/num.h"
#include "model/errors.h"
#include "service/group.h"
#include "store/meta_people.h"
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
    const struct upload *thumbnail = call_file(call, "thumbnail");
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
                                .clear_empty = call_bool(call, "clearEmptyFields"),
                                .thumbnail = thumbnail ? thumbnail->blob : NULL,
                                .thumbnail_name = thumbnail ? thumbnail->filename : STR("")};
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

static bool is_in(str name, const str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_ieq(list[i], name))
            return true;
    return false;
}

/* Two forms: the list says what its users become, or newMemberType does. */
int groups_update_users(struct ctx *ctx, struct call *call)
{
    str lists[] = {sharing_text(call, "users"), sharing_text(call, "admins")}, name,
        type = str_trim(sharing_text(call, "newMemberType"));
    str *not_changed;
    size_t count;
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    if (!call_has(call, "users") && !call_has(call, "admins"))
        return err_set(ctx, &ERR_ADD_USERS, "'users' or 'admins' is required.");
    if (!str_empty(type) && !str_ieq(type, STR("admin")) && !str_ieq(type, STR("member")))
        return err_set(ctx, &ERR_PARAMETER, "'newMemberType' has to be admin or member.");
    if (str_ieq(type, STR("admin")) && str_empty(lists[1])) {
        lists[1] = lists[0];
        lists[0] = STR("");
    }
    TRY(group_update_users(ctx, call->site, &call->caller, &group, lists[0], lists[1], &not_changed, &count));
    json_begin_object(&call->out);
    json_name(&call->out, "results");
    json_begin_array(&call->out);
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        while (str_split(&lists[i], ',', &name)) {
            if (str_empty(str_trim(name)))
                continue;
            json_begin_object(&call->out);
            json_member_str(&call->out, "username", str_trim(name));
            json_member_bool(&call->out, "success", !is_in(str_trim(name), not_changed, count));
            json_end_object(&call->out);
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
    json_member_str(o, "thumbnail", str_empty(m->thumbnail) ? STR_NONE : m->thumbnail);
    json_member_int(o, "joined", m->joined);
    json_end_object(o);
}

/* "from", or "from,to". */
static int joined_parse(struct ctx *ctx, const struct call *call, struct member_filter *f)
{
    str rest = str_trim(sharing_text(call, "joined")), from, to;
    if (!str_split(&rest, ',', &from))
        return RC_OK;
    bool ok = num_parse_int(str_trim(from), &f->joined_from);
    if (ok && str_split(&rest, ',', &to))
        ok = num_parse_int(str_trim(to), &f->joined_to) && str_empty(rest);
    return ok ? RC_OK : err_set(ctx, &ERR_PARAMETER, "'joined' has to be one time or two, in milliseconds.");
}

/* The owner stands beside the list, which holds managers and members. */
int groups_user_list(struct ctx *ctx, struct call *call)
{
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct member_filter filter = {.name = str_trim(sharing_text(call, "name")),
                                   .type = str_trim(sharing_text(call, "memberType")),
                                   .sort_field = page.sort_field,
                                   .descending = page.descending};
    struct member *members, owner;
    size_t count, from, n;
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(joined_parse(ctx, call, &filter));
    TRY(group_member_list(ctx, call->site, &call->caller, &group, &filter, &members, &count, &owner));
    sharing_page_cut(&page, count, &from, &n);
    json_begin_object(&call->out);
    member_print(&call->out, "owner", &owner);
    sharing_paging(call, &page, (int64_t)count, n);
    json_name(&call->out, "users");
    json_begin_array(&call->out);
    for (size_t i = 0; i < n; i++)
        member_print(&call->out, NULL, &members[from + i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

int groups_reassign(struct ctx *ctx, struct call *call)
{
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_reassign(ctx, call->site, &call->caller, &group, str_trim(call_param(call, "targetUsername"))));
    return sharing_success(call, "groupId", id_str(&group));
}

int groups_info(struct ctx *ctx, struct call *call)
{
    id group;
    struct portal_file file;
    if (!call->format_given)
        call->format = FORMAT_JSON;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_file(ctx, call->site, &call->caller, &group, call_path(call, "path"), &file));
    return reply_blob(ctx, call, file.hash, file.content_type, STR(""));
}

/* ---- categories ---- */

int groups_category_schema(struct ctx *ctx, struct call *call)
{
    id group;
    str schema;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_categories(ctx, call->site, &call->caller, &group, &schema));
    json_begin_object(&call->out);
    json_member_raw(&call->out, "categorySchema", schema);
    json_end_object(&call->out);
    return RC_OK;
}

static int set_categories(struct ctx *ctx, struct call *call, str schema)
{
    id group;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_set_categories(ctx, call->site, &call->caller, &group, schema));
    return sharing_success(call, "groupId", id_str(&group));
}

int groups_assign_schema(struct ctx *ctx, struct call *call)
{
    return set_categories(ctx, call, call_param(call, "categorySchema"));
}
int groups_delete_schema(struct ctx *ctx, struct call *call) { return set_categories(ctx, call, STR("")); }
