/* Users over REST: community/self, community/users, portals/self/users and createUser of the portal's administration. */
#include "model/errors.h"
#include "service/user.h"
#include "web/sharing/counts.h"
#include "web/sharing/sharing.h"

static int resource(struct ctx *ctx, struct call *call, str name)
{
    struct user user;
    bool full;
    struct membership *groups;
    size_t count;
    TRY(user_get(ctx, call->site, &call->caller, name, &user, &full));
    TRY(user_groups(ctx, call->site, &call->caller, user.username, &groups, &count));
    struct json_out *o = &call->out;
    json_begin_object(o);
    user_print_members(o, &user, full, call->site->org_id);
    json_name(o, "groups");
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        group_print(o, &groups[i].group, member_type_name(groups[i].type), user.username);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int users_self(struct ctx *ctx, struct call *call) { return resource(ctx, call, call->caller.username); }
int users_get(struct ctx *ctx, struct call *call) { return resource(ctx, call, call_path(call, "user")); }

static void list_print(struct call *call, const char *name, const struct meta_user_list *list)
{
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < list->count; i++)
        user_print(&call->out, &list->users[i], access_user_details(&call->caller, list->users[i].username), call->site->org_id);
    json_end_array(&call->out);
}

int users_search(struct ctx *ctx, struct call *call)
{
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct meta_search_page search = sharing_search_page(&page);
    struct meta_user_list list;
    TRY(user_search(ctx, call->site, &call->caller, call_param(call, "q"), &search, &list));
    json_begin_object(&call->out);
    json_member_str(&call->out, "query", call_param(call, "q"));
    sharing_paging(call, &page, list.total, list.count);
    list_print(call, "results", &list);
    json_end_object(&call->out);
    return RC_OK;
}

int users_portal_search(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    return users_search(ctx, call);
}

int users_list(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct meta_page rows = sharing_meta_page(&page);
    struct meta_user_list list;
    TRY(user_list(ctx, call->site, &call->caller, &rows, &list));
    json_begin_object(&call->out);
    sharing_paging(call, &page, list.total, list.count);
    list_print(call, "users", &list);
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- what hangs below a user: for the user and for administrators ---- */

static int private_user(struct ctx *ctx, struct call *call, struct user *out)
{
    bool full;
    TRY(user_get(ctx, call->site, &call->caller, call_path(call, "user"), out, &full));
    return full ? RC_OK : err_kind(ctx, &ERR_FORBIDDEN);
}

/* The tags of the user's items, as far as the caller sees them, with how often they are used. */
int users_tags(struct ctx *ctx, struct call *call)
{
    struct user user;
    struct counts counts;
    TRY(private_user(ctx, call, &user));
    counts_open(&counts, ctx);
    struct search_input in = {.q = arena_printf(ctx->arena, "owner:\"%.*s\"", STR_FMT(user.username))};
    static const enum counts_field tags = COUNTS_TAGS;
    TRY(counts_search(ctx, call->site, &call->caller, &in, &tags, 1, &counts));
    counts_sort(&counts);
    json_begin_object(&call->out);
    json_name(&call->out, "tags");
    json_begin_array(&call->out);
    for (size_t i = 0; i < counts.count; i++) {
        json_begin_object(&call->out);
        json_member_str(&call->out, "tag", counts.list[i].value);
        json_member_int(&call->out, "count", counts.list[i].count);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

/* There are neither notifications nor invitations in this portal: groups take members without being asked. */
static int empty_list(struct ctx *ctx, struct call *call, const char *name)
{
    struct user user;
    TRY(private_user(ctx, call, &user));
    json_begin_object(&call->out);
    json_member_raw(&call->out, name, STR("[]"));
    json_end_object(&call->out);
    return RC_OK;
}

int users_notifications(struct ctx *ctx, struct call *call) { return empty_list(ctx, call, "notifications"); }
int users_invitations(struct ctx *ctx, struct call *call) { return empty_list(ctx, call, "userInvitations"); }

int users_properties(struct ctx *ctx, struct call *call)
{
    struct user user;
    TRY(private_user(ctx, call, &user));
    json_begin_object(&call->out);
    json_member_raw(&call->out, "properties", str_empty(user.properties) ? STR("{}") : user.properties);
    json_end_object(&call->out);
    return RC_OK;
}

int users_create(struct ctx *ctx, struct call *call)
{
    struct user_input in = {.username = str_trim(call_param(call, "username")),
                            .password = call_param(call, "password"),
                            .first_name = sharing_text(call, "firstname"),
                            .last_name = sharing_text(call, "lastname"),
                            .full_name = sharing_text(call, "fullname"),
                            .email = sharing_text(call, "email"),
                            .description = sharing_text(call, "description"),
                            .role = str_trim(sharing_text(call, "role"))};
    TRY(user_create(ctx, call->site, &call->caller, &in));
    json_begin_object(&call->out);
    json_member_c(&call->out, "status", "success");
    json_end_object(&call->out);
    return RC_OK;
}
