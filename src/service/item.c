/* Items: facts for access decisions, reading, printing. The other use cases of items are in item_write.c, item_parts.c,
 * item_share.c, item_relation.c and content.c. */
#include "service/item_private.h"
#include "service/views.h"

int item_shares(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *item, struct group **groups_out,
                struct access_group **facts_out, size_t *count_out)
{
    struct group *groups;
    size_t count;
    TRY(meta_groups_of_item(ctx, tx, item, &groups, &count));
    struct access_group *facts = arena_array(ctx->arena, struct access_group, count);
    for (size_t i = 0; i < count; i++)
        TRY(group_access(ctx, tx, c, &groups[i], &facts[i]));
    *groups_out = groups;
    *facts_out = facts;
    *count_out = count;
    return RC_OK;
}

/* The facts about an item whose row is known. */
static int facts_of(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct item *it, struct access_item *out)
{
    struct group *groups;
    struct access_group *facts;
    size_t count;
    TRY(item_shares(ctx, tx, c, &it->id, &groups, &facts, &count));
    *out = (struct access_item){.owner = it->owner, .access = it->access, .groups = facts, .group_count = count};
    return RC_OK;
}

int item_facts(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *item, struct item *item_out,
               struct access_item *facts_out)
{
    int rc = meta_item_get(ctx, tx, item, item_out);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_ITEM_MISSING, "There is no item '%s'.", item->text);
    TRY(rc);
    return facts_of(ctx, tx, c, item_out, facts_out);
}

static int view_make(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct item *it,
                     const struct access_item *facts, struct item_view *out)
{
    struct hosted hosted;
    int rc = meta_hosted_get(ctx, tx, &it->id, &hosted);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    *out = (struct item_view){
        .item = *it, .has_groups = facts->group_count > 0, .item_control = access_item_control(c, facts), .hosted = rc == RC_OK};
    return RC_OK;
}

int item_views_make(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct item *items, size_t count,
                    struct item_view **out)
{
    *out = arena_array(ctx->arena, struct item_view, count);
    for (size_t i = 0; i < count; i++) {
        struct access_item facts;
        TRY(facts_of(ctx, tx, c, &items[i], &facts));
        TRY(view_make(ctx, tx, c, &items[i], &facts, &(*out)[i]));
    }
    return RC_OK;
}

struct get_call {
    const struct caller *caller;
    const id *item;
    struct item_view *view;
};

static int get_item(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct get_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, &facts));
    TRY(service_require(ctx, call->caller, access_item_read(call->caller, &facts)));
    return view_make(ctx, tx, call->caller, &it, &facts, call->view);
}

int item_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, struct item_view *out)
{
    TRY(sql_read(ctx, s->sql, get_item, &(struct get_call){.caller = c, .item = item, .view = out}));
    out->item.num_views += views_pending(s->views, item, &out->item.last_viewed);
    return RC_OK;
}

void item_view_print(struct ctx *ctx, struct json_out *o, const struct site *s, str server_url, const struct item_view *v,
                     bool single)
{
    struct item it = v->item;
    bool owns = v->item_control && strcmp(v->item_control, "admin") == 0;
    if (!owns) /* how somebody keeps his things is nobody else's matter */
        it.folder = ID_NONE;
    it.field[ITEM_URL] = site_url_expand(ctx, server_url, it.field[ITEM_URL]);
    const struct item_print_opts opts = {
        .has_groups = v->has_groups, .single = single, .item_control = v->item_control, .org_id = s->org_id};
    item_print(o, &it, &opts);
}
