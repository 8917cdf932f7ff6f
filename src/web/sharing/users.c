/* Users over REST, reading: community/self, community/users, portals/self/users. Changes are in people.c. */
#include "model/errors.h"
#include "service/user.h"
#include "store/meta_people.h"
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
    if (full) {
        int64_t storage;
        TRY(user_storage(ctx, call->site, &call->caller, user.username, &storage));
        json_member_int(o, "storageUsage", storage);
    }
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
    const struct user_filter filter = {.text = str_trim(sharing_text(call, "fullText")),
                                       .role = str_trim(sharing_text(call, "role")),
                                       .provider = str_trim(sharing_text(call, "provider"))};
    TRY(user_list(ctx, call->site, &call->caller, &filter, &rows, &list));
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
    struct meta_value_counts counts = {.field = META_COUNT_TAGS};
    struct item_views found;
    TRY(private_user(ctx, call, &user));
    struct search_input in = {.q = arena_printf(ctx->arena, "owner:\"%.*s\"", STR_FMT(user.username)),
                              .page = {.everything = true, .counts = &counts, .count_count = 1}};
    TRY(item_search(ctx, call->site, &call->caller, &in, &found));
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

int users_properties(struct ctx *ctx, struct call *call)
{
    struct user user;
    TRY(private_user(ctx, call, &user));
    json_begin_object(&call->out);
    json_member_raw(&call->out, "properties", str_empty(user.properties) ? STR("{}") : user.properties);
    json_end_object(&call->out);
    return RC_OK;
}

/* The path names a file as the thumbnail of the user does. */
int users_info(struct ctx *ctx, struct call *call)
{
    struct portal_file file;
    if (!call->format_given)
        call->format = FORMAT_JSON;
    TRY(user_file(ctx, call->site, &call->caller, call_path(call, "user"), call_path(call, "path"), &file));
    return reply_blob(ctx, call, file.hash, file.content_type, STR(""));
}

int users_check_names(struct ctx *ctx, struct call *call)
{
    enum { MOST = 100 };
    str rest = call_param(call, "usernames"), name;
    int count = 0;
    json_begin_object(&call->out);
    json_name(&call->out, "usernames");
    json_begin_array(&call->out);
    while (str_split(&rest, ',', &name)) {
        str suggested;
        if (count++ == MOST)
            return err_set(ctx, &ERR_PARAMETER, "'usernames' names more than %d users.", MOST);
        TRY(user_suggest(ctx, call->site, &call->caller, str_trim(name), &suggested));
        json_begin_object(&call->out);
        json_member_str(&call->out, "requested", str_trim(name));
        json_member_str(&call->out, "suggested", suggested);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}
