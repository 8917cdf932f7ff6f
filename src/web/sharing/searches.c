/* Search over REST: items everywhere and in a group, and groups. Source: api.md 3.5. */
#include "model/errors.h"
#include "service/group.h"
#include "service/user.h"
#include "web/sharing/counts.h"
#include "web/sharing/sharing.h"

/* searchUserAccess=groupMember: the groups of searchUserName (of the caller, when it is not given) that the caller may know
 * of. NULL when it was not asked for. */
static int member_groups(struct ctx *ctx, struct call *call, const str **out, size_t *count_out)
{
    str how = str_trim(sharing_text(call, "searchUserAccess")), name = str_trim(sharing_text(call, "searchUserName"));
    struct membership *list;
    *out = NULL;
    *count_out = 0;
    if (str_empty(how)) {
        if (!str_empty(name))
            return err_set(ctx, &ERR_PARAMETER, "'searchUserName' says whose groups 'searchUserAccess=groupMember' means.");
        return RC_OK;
    }
    if (!str_ieq(how, STR("groupMember")))
        return err_set(ctx, &ERR_PARAMETER, "'searchUserAccess' is groupMember or nothing.");
    if (call->caller.anonymous)
        return err_kind(ctx, &ERR_TOKEN_REQUIRED);
    TRY(user_groups(ctx, call->site, &call->caller, str_empty(name) ? call->caller.username : name, &list, count_out));
    str *ids = arena_array(ctx->arena, str, *count_out + 1);
    for (size_t i = 0; i < *count_out; i++)
        ids[i] = id_str(&list[i].group.id);
    *out = ids;
    return RC_OK;
}

static int run(struct ctx *ctx, struct call *call, const id *group)
{
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct meta_value_counts counts[COUNTS_FIELDS_MAX] = {0};
    struct search_input in = {.q = sharing_text(call, "q"),
                              .filter = sharing_text(call, "filter"),
                              .bbox = sharing_text(call, "bbox"),
                              .categories = sharing_text(call, "categories"),
                              .category_filters = sharing_text(call, "categoryFilters"),
                              .group = group,
                              .page = sharing_search_page(&page)};
    in.page.counts = counts;
    TRY(counts_asked(ctx, call, counts, &in.page.count_count));
    TRY(member_groups(ctx, call, &in.groups, &in.group_count));
    struct item_views found;
    TRY(item_search(ctx, call->site, &call->caller, &in, &found));
    json_begin_object(&call->out);
    json_member_str(&call->out, "query", in.q);
    sharing_paging(call, &page, found.total, found.count);
    sharing_items_print(ctx, call, "results", found.items, found.count);
    if (in.page.count_count > 0)
        counts_print(call, counts, in.page.count_count);
    json_end_object(&call->out);
    return RC_OK;
}

int searches_items(struct ctx *ctx, struct call *call)
{
    static const char *const enough[] = {"q", "filter", "bbox", "categories", "categoryFilters", "searchUserAccess"};
    for (size_t i = 0; i < COUNT_OF(enough); i++)
        if (call_has(call, enough[i]))
            return run(ctx, call, NULL);
    return err_set(ctx, &ERR_PARAMETER, "'q', 'filter', 'bbox' or 'categories' is required.");
}

/* The id of a group whose content is asked for has an error code of its own. */
static int content_group_id(struct ctx *ctx, struct call *call, id *out)
{
    if (call_path_id(call, "groupId", out))
        return RC_OK;
    return err_set(ctx, &ERR_CONTENT_GROUP_MISSING, "'%.*s' is not the id of a group.",
                   STR_FMT(str_sub(call_path(call, "groupId"), 0, 64)));
}

int searches_in_group(struct ctx *ctx, struct call *call)
{
    id group;
    TRY(content_group_id(ctx, call, &group));
    return run(ctx, call, &group);
}

int searches_group_content(struct ctx *ctx, struct call *call)
{
    id group;
    TRY(content_group_id(ctx, call, &group));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct meta_page rows = sharing_meta_page(&page);
    struct item_views found;
    TRY(group_content(ctx, call->site, &call->caller, &group, &rows, &found));
    json_begin_object(&call->out);
    sharing_paging(call, &page, found.total, found.count);
    sharing_items_print(ctx, call, "items", found.items, found.count);
    json_end_object(&call->out);
    return RC_OK;
}

static enum member_type type_in(const struct membership *list, size_t count, const id *group)
{
    for (size_t i = 0; i < count; i++)
        if (id_eq(list[i].group.id, *group))
            return list[i].type;
    return MEMBER_NONE;
}

int searches_groups(struct ctx *ctx, struct call *call)
{
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct group_search_input in = {.q = sharing_text(call, "q"), .page = sharing_search_page(&page)};
    struct meta_groups found;
    struct membership *mine = NULL;
    size_t mine_count = 0;
    str me = call->caller.anonymous ? STR("") : call->caller.username;
    TRY(member_groups(ctx, call, &in.groups, &in.group_count));
    TRY(group_search(ctx, call->site, &call->caller, &in, &found));
    if (!call->caller.anonymous)
        TRY(user_groups(ctx, call->site, &call->caller, me, &mine, &mine_count));
    json_begin_object(&call->out);
    json_member_str(&call->out, "query", in.q);
    sharing_paging(call, &page, found.total, found.count);
    json_name(&call->out, "results");
    json_begin_array(&call->out);
    for (size_t i = 0; i < found.count; i++)
        group_print(&call->out, &found.groups[i], member_type_name(type_in(mine, mine_count, &found.groups[i].id)), me);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}
