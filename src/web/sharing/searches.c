/* Search over REST: items everywhere and in a group, and groups. Source: api.md 3.5. */
#include "model/errors.h"
#include "service/group.h"
#include "service/user.h"
#include "web/sharing/counts.h"
#include "web/sharing/sharing.h"

enum { COUNT_FIELDS_MAX = 3, COUNT_SIZE_MAX = 200 };

static void counts_print(struct json_out *o, enum counts_field field, const struct counts *c, int64_t most)
{
    json_begin_object(o);
    json_member_c(o, "fieldName", counts_field_name(field));
    json_name(o, "fieldValues");
    json_begin_array(o);
    for (size_t i = 0; i < c->count && (int64_t)i < most; i++) {
        json_begin_object(o);
        json_member_str(o, "value", c->list[i].value);
        json_member_int(o, "count", c->list[i].count);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
}

/* countFields: aggregations over the whole result, not only this page. */
static int aggregations(struct ctx *ctx, struct call *call, const struct search_input *in)
{
    enum counts_field fields[COUNT_FIELDS_MAX];
    struct counts counts[COUNT_FIELDS_MAX];
    size_t count = 0;
    str rest = call_param(call, "countFields"), name;
    while (str_split(&rest, ',', &name)) {
        if (count == COUNT_FIELDS_MAX || !counts_field_parse(str_trim(name), &fields[count]))
            return err_set(ctx, &ERR_PARAMETER, "'countFields' is up to %d of tags, type, access, contentstatus and categories.",
                           COUNT_FIELDS_MAX);
        counts_open(&counts[count++], ctx);
    }
    TRY(counts_search(ctx, call->site, &call->caller, in, fields, count, counts));
    int64_t most = call_int(call, "countSize");
    most = most < 1 ? 1 : most > COUNT_SIZE_MAX ? COUNT_SIZE_MAX : most;
    json_name(&call->out, "aggregations");
    json_begin_object(&call->out);
    json_name(&call->out, "counts");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        counts_sort(&counts[i]);
        counts_print(&call->out, fields[i], &counts[i], most);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

static int run(struct ctx *ctx, struct call *call, const id *group)
{
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct search_input in = {
        .q = sharing_text(call, "q"), .filter = sharing_text(call, "filter"), .group = group, .page = sharing_search_page(&page)};
    if (!str_empty(str_trim(sharing_text(call, "bbox"))))
        return err_set(ctx, &ERR_UNSUPPORTED, "Searching by 'bbox' is not supported.");
    struct item_views found;
    TRY(item_search(ctx, call->site, &call->caller, &in, &found));
    json_begin_object(&call->out);
    json_member_str(&call->out, "query", in.q);
    sharing_paging(call, &page, found.total, found.count);
    sharing_items_print(ctx, call, "results", found.items, found.count);
    if (call_has(call, "countFields"))
        TRY(aggregations(ctx, call, &in));
    json_end_object(&call->out);
    return RC_OK;
}

int searches_items(struct ctx *ctx, struct call *call)
{
    if (!call_has(call, "q") && !call_has(call, "filter"))
        return err_set(ctx, &ERR_PARAMETER, "'q' or 'filter' is required.");
    return run(ctx, call, NULL);
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
    struct meta_search_page search = sharing_search_page(&page);
    struct meta_groups found;
    struct membership *mine = NULL;
    size_t mine_count = 0;
    str me = call->caller.anonymous ? STR("") : call->caller.username;
    TRY(group_search(ctx, call->site, &call->caller, call_param(call, "q"), &search, &found));
    if (!call->caller.anonymous)
        TRY(user_groups(ctx, call->site, &call->caller, me, &mine, &mine_count));
    json_begin_object(&call->out);
    json_member_str(&call->out, "query", call_param(call, "q"));
    sharing_paging(call, &page, found.total, found.count);
    json_name(&call->out, "results");
    json_begin_array(&call->out);
    for (size_t i = 0; i < found.count; i++)
        group_print(&call->out, &found.groups[i], member_type_name(type_in(mine, mine_count, &found.groups[i].id)), me);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}
