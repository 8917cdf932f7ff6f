/* Sharing items over REST: with everyone, the organization, groups. Forms of clients.md 10. */
#include "model/errors.h"
#include "web/sharing/sharing.h"

/* -1: not given. */
static int flag(const struct call *call, const char *name) { return call_has(call, name) ? call_bool(call, name) : -1; }

/* "groups" that is there and blank takes the item out of all of them; one that is absent leaves them alone. */
static int input_of(struct ctx *ctx, struct call *call, struct share_input *in)
{
    id *groups;
    *in = (struct share_input){.everyone = flag(call, "everyone"),
                               .org = flag(call, "org"),
                               .clear_groups =
                                   !str_none(call_param(call, "groups")) && str_empty(str_trim(call_param(call, "groups"))),
                               .confirm_item_control = call_bool(call, "confirmItemControl")};
    if (in->org < 0)
        in->org = flag(call, "account"); /* the older word */
    TRY(call_ids(ctx, call, "groups", &groups, &in->group_count));
    in->groups = groups;
    return RC_OK;
}

/* The item of the path: below a user it has to be that user's. */
static int item_of(struct ctx *ctx, struct call *call, id *out)
{
    struct item_view v;
    if (str_empty(call_path(call, "user")))
        return sharing_item_id(ctx, call, out);
    TRY(sharing_owned_item(ctx, call, &v));
    *out = v.item.id;
    return RC_OK;
}

static int answer(struct call *call, const char *name, const id * not, size_t count, const id *item)
{
    json_begin_object(&call->out);
    sharing_ids_print(call, name, not, count);
    json_member_str(&call->out, "itemId", id_str(item));
    json_end_object(&call->out);
    return RC_OK;
}

int share_item(struct ctx *ctx, struct call *call)
{
    id item, *not ;
    size_t count;
    struct share_input in;
    TRY(item_of(ctx, call, &item));
    TRY(input_of(ctx, call, &in));
    TRY(item_share(ctx, call->site, &call->caller, &item, &in, &not, &count));
    return answer(call, "notSharedWith", not, count, &item);
}

int share_undo(struct ctx *ctx, struct call *call)
{
    id item, *groups, *not ;
    size_t count, not_count;
    TRY(item_of(ctx, call, &item));
    TRY(call_ids(ctx, call, "groups", &groups, &count));
    TRY(item_unshare(ctx, call->site, &call->caller, &item, groups, count, &not, &not_count));
    return answer(call, "notUnsharedFrom", not, not_count, &item);
}

/* ---- batches ---- */

static int share_step(struct ctx *ctx, struct call *call, const id *item, void *arg)
{
    id * not ;
    size_t count;
    TRY(item_share(ctx, call->site, &call->caller, item, arg, &not, &count));
    sharing_ids_print(call, "notSharedWith", not, count);
    return RC_OK;
}

int share_items(struct ctx *ctx, struct call *call)
{
    struct share_input in;
    TRY(input_of(ctx, call, &in));
    return sharing_batch(ctx, call, share_step, &in);
}

static int undo_step(struct ctx *ctx, struct call *call, const id *item, void *arg)
{
    const struct share_input *in = arg;
    id * not ;
    size_t count;
    TRY(item_unshare(ctx, call->site, &call->caller, item, in->groups, in->group_count, &not, &count));
    sharing_ids_print(call, "notUnsharedFrom", not, count);
    return RC_OK;
}

int share_undo_items(struct ctx *ctx, struct call *call)
{
    struct share_input in;
    TRY(input_of(ctx, call, &in));
    return sharing_batch(ctx, call, undo_step, &in);
}

/* ---- the groups of an item, by what the caller is in them ---- */

static void groups_print(struct call *call, const char *name, const struct membership *list, size_t count, enum member_type low,
                         enum member_type high)
{
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        if (list[i].type >= low && list[i].type <= high)
            group_print(&call->out, &list[i].group, member_type_name(list[i].type),
                        call->caller.anonymous ? STR("") : call->caller.username);
    json_end_array(&call->out);
}

int share_groups(struct ctx *ctx, struct call *call)
{
    id item;
    struct membership *list;
    size_t count;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_groups(ctx, call->site, &call->caller, &item, &list, &count));
    json_begin_object(&call->out);
    groups_print(call, "admin", list, count, MEMBER_ADMIN, MEMBER_OWNER);
    groups_print(call, "member", list, count, MEMBER_MEMBER, MEMBER_MEMBER);
    groups_print(call, "other", list, count, MEMBER_NONE, MEMBER_NONE);
    json_end_object(&call->out);
    return RC_OK;
}
