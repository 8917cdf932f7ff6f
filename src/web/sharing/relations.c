/* Relationships between items, and what their data name, over REST. */
#include "model/errors.h"
#include "service/item_dependency.h"
#include "web/sharing/sharing.h"

typedef int relation_change(struct ctx *ctx, struct site *s, const struct caller *c, const struct relationship *r);

static int change(struct ctx *ctx, struct call *call, relation_change *how)
{
    struct relationship r = {.type = str_trim(call_param(call, "relationshipType"))};
    call_id(call, "originItemId", &r.origin);
    call_id(call, "destinationItemId", &r.destination);
    TRY(how(ctx, call->site, &call->caller, &r));
    return sharing_success(call, NULL, STR_NONE);
}

int relations_add(struct ctx *ctx, struct call *call) { return change(ctx, call, item_relate); }
int relations_delete(struct ctx *ctx, struct call *call) { return change(ctx, call, item_unrelate); }

int relations_list(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_view *list;
    size_t count;
    str types = str_trim(sharing_text(call, call_has(call, "relationshipType") ? "relationshipType" : "relationshipTypes"));
    str direction = str_trim(sharing_text(call, "direction"));
    TRY(sharing_item_id(ctx, call, &item));
    if (!str_empty(direction) && !str_ieq(direction, STR("forward")) && !str_ieq(direction, STR("reverse")))
        return err_set(ctx, &ERR_PARAMETER, "'direction' has to be forward or reverse.");
    TRY(item_related(ctx, call->site, &call->caller, &item, !str_ieq(direction, STR("reverse")), types, &list, &count));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    size_t from = (size_t)(page.start - 1) < count ? (size_t)(page.start - 1) : count;
    size_t n = count - from < (size_t)page.num ? count - from : (size_t)page.num;
    json_begin_object(&call->out);
    sharing_paging(call, &page, (int64_t)count, n);
    sharing_items_print(ctx, call, "relatedItems", list + from, n);
    json_end_object(&call->out);
    return RC_OK;
}

int relations_dependencies(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_dependency *list;
    size_t count;
    struct json_out *o = &call->out;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_dependencies(ctx, call->site, &call->caller, call->server_url, &item, &list, &count));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    size_t from = (size_t)(page.start - 1) < count ? (size_t)(page.start - 1) : count;
    size_t n = count - from < (size_t)page.num ? count - from : (size_t)page.num;
    json_begin_object(o);
    sharing_paging(call, &page, (int64_t)count, n);
    json_name(o, "list");
    json_begin_array(o);
    for (size_t i = from; i < from + n; i++) {
        const char *kind = list[i].is_item ? "id" : "url";
        json_begin_object(o);
        json_member_c(o, "dependencyType", kind);
        json_member_str(o, kind, list[i].value);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}
