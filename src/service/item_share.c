/* Sharing: who beside its owner sees an item. The forms that clients send, and what they mean:
 *   everyone=true             public, whatever org says
 *   org=true                  every signed-in user
 *   everyone=false            no longer public;  org=false: no longer org;  so both of them: private
 *   neither                   the access stays as it is: groups only */
#include "service/item_private.h"

struct share_call {
    const struct caller *caller;
    const id *item;
    const struct share_input *in;
    const id *groups;
    size_t group_count;
    id * not ;
    size_t not_count;
    struct membership *memberships;
    size_t count;
};

static enum item_access access_after(const struct share_input *in, enum item_access before)
{
    if (in->everyone == 1)
        return ITEM_PUBLIC;
    if (in->org == 1)
        return ITEM_ORG;
    bool withdrawn = (in->everyone == 0 && before == ITEM_PUBLIC) || (in->org == 0 && before == ITEM_ORG);
    return withdrawn ? ITEM_PRIVATE : before;
}

/* One group: *done tells whether it worked. A group that the caller may not see is as good as missing. */
static int share_to(struct ctx *ctx, struct sql_tx *tx, const struct share_call *call, const struct access_item *item,
                    const id *group, bool *done)
{
    struct group g;
    struct access_group facts;
    *done = false;
    int rc = group_find(ctx, tx, call->caller, group, &g, &facts);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    TRY(rc);
    *done = access_item_share(call->caller, item, &facts) && (!facts.shared_update || call->in->confirm_item_control);
    return *done ? meta_share(ctx, tx, call->item, group) : RC_OK;
}

static int unshare_all(struct ctx *ctx, struct sql_tx *tx, const struct share_call *call)
{
    struct group *groups;
    size_t count;
    TRY(meta_groups_of_item(ctx, tx, call->item, &groups, &count));
    for (size_t i = 0; i < count; i++)
        TRY(meta_unshare(ctx, tx, call->item, &groups[i].id));
    return RC_OK;
}

/* Is nothing asked for but a mark in the caller's own group of favourites? That takes no more than reading the item. */
static int only_favourites(struct ctx *ctx, struct sql_tx *tx, const struct share_call *call, bool *out)
{
    struct group g;
    struct access_group facts;
    *out = false;
    if (call->group_count != 1 || call->in->clear_groups || call->in->everyone != -1 || call->in->org != -1)
        return RC_OK;
    int rc = group_find(ctx, tx, call->caller, &call->groups[0], &g, &facts);
    *out = rc == RC_OK && g.favourites;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int share_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct share_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, &facts));
    enum item_access after = access_after(call->in, it.access);
    bool favourite;
    TRY(only_favourites(ctx, tx, call, &favourite));
    TRY(service_require(ctx, call->caller,
                        favourite ? access_item_read(call->caller, &facts) : access_item_change_sharing(call->caller, &facts)));
    if (after != it.access)
        TRY(service_require(ctx, call->caller, access_item_set_access(call->caller, &facts, after)));
    call->not_count = 0;
    if (call->in->clear_groups)
        TRY(unshare_all(ctx, tx, call));
    for (size_t i = 0; i < call->group_count; i++) {
        bool done;
        TRY(share_to(ctx, tx, call, &facts, &call->groups[i], &done));
        if (!done)
            call->not [call->not_count++] = call->groups[i];
    }
    if (after == it.access)
        return RC_OK;
    it.access = after;
    return meta_item_update(ctx, tx, &it);
}

static int run(struct ctx *ctx, struct site *s, sql_fn *fn, struct share_call *call, id **not_out, size_t *not_count_out)
{
    call->not = arena_array(ctx->arena, id, call->group_count);
    TRY(sql_write(ctx, s->sql, fn, call));
    *not_out = call->not ;
    *not_count_out = call->not_count;
    return RC_OK;
}

int item_share(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const struct share_input *in,
               id **not_out, size_t *not_count_out)
{
    struct share_call call = {.caller = c, .item = item, .in = in, .groups = in->groups, .group_count = in->group_count};
    return run(ctx, s, share_item, &call, not_out, not_count_out);
}

/* ---- unshare ---- */

static int unshare_from(struct ctx *ctx, struct sql_tx *tx, const struct share_call *call, const struct access_item *item,
                        const id *group, bool *done)
{
    struct group g;
    struct access_group facts;
    *done = false;
    int rc = meta_group_get(ctx, tx, group, &g);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    TRY(rc);
    TRY(group_access(ctx, tx, call->caller, &g, &facts));
    if (!access_item_unshare(call->caller, item, &facts))
        return RC_OK;
    rc = meta_unshare(ctx, tx, call->item, group);
    *done = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int unshare_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct share_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, &facts));
    TRY(service_require(ctx, call->caller, !call->caller->anonymous && access_item_read(call->caller, &facts)));
    call->not_count = 0;
    for (size_t i = 0; i < call->group_count; i++) {
        bool done;
        TRY(unshare_from(ctx, tx, call, &facts, &call->groups[i], &done));
        if (!done)
            call->not [call->not_count++] = call->groups[i];
    }
    return RC_OK;
}

int item_unshare(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *groups, size_t count,
                 id **not_out, size_t *not_count_out)
{
    struct share_call call = {.caller = c, .item = item, .groups = groups, .group_count = count};
    return run(ctx, s, unshare_item, &call, not_out, not_count_out);
}

/* ---- reading ---- */

static int list_groups(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct share_call *call = arg;
    struct item it;
    struct access_item item;
    struct group *groups;
    struct access_group *facts;
    size_t count;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, &item));
    TRY(service_require(ctx, call->caller, access_item_read(call->caller, &item)));
    TRY(item_shares(ctx, tx, call->caller, call->item, &groups, &facts, &count));
    call->memberships = arena_array(ctx->arena, struct membership, count);
    call->count = 0;
    for (size_t i = 0; i < count; i++)
        if (access_item_see_sharing(call->caller, &item) || access_group_see(call->caller, &facts[i]))
            call->memberships[call->count++] = (struct membership){.group = groups[i], .type = facts[i].member};
    return RC_OK;
}

int item_groups(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, struct membership **out,
                size_t *count_out)
{
    struct share_call call = {.caller = c, .item = item};
    TRY(sql_read(ctx, s->sql, list_groups, &call));
    *out = call.memberships;
    *count_out = call.count;
    return RC_OK;
}
