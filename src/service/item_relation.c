/* Relationships between items. */
#include "service/item_private.h"

int item_relation_put(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct relationship *r)
{
    struct item it;
    struct access_item facts;
    if (!relationship_type_known(r->type))
        return err_set(ctx, &ERR_RELATIONSHIP, "'%.*s' is not a relationship type.", STR_FMT(str_sub(r->type, 0, 100)));
    if (id_eq(r->origin, r->destination))
        return err_set(ctx, &ERR_RELATIONSHIP, "An item cannot be related to itself.");
    TRY(item_facts(ctx, tx, c, &r->origin, &it, &facts));
    TRY(service_require(ctx, c, access_item_update(c, &facts)));
    TRY(item_facts(ctx, tx, c, &r->destination, &it, &facts));
    TRY(service_require(ctx, c, access_item_read(c, &facts)));
    return meta_relationship_put(ctx, tx, r);
}

struct relation_call {
    const struct caller *caller;
    const struct relationship *relation;
    const id *item;
    bool forward;
    str types;
    struct item_view *views;
    size_t count;
};

static int relate(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct relation_call *call = arg;
    return item_relation_put(ctx, tx, call->caller, call->relation);
}

int item_relate(struct ctx *ctx, struct site *s, const struct caller *c, const struct relationship *r)
{
    return sql_write(ctx, s->sql, relate, &(struct relation_call){.caller = c, .relation = r});
}

static int unrelate(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct relation_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, &call->relation->origin, &it, &facts));
    TRY(service_require(ctx, call->caller, access_item_update(call->caller, &facts)));
    int rc = meta_relationship_delete(ctx, tx, call->relation);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_RELATIONSHIP, "There is no such relationship.") : rc;
}

int item_unrelate(struct ctx *ctx, struct site *s, const struct caller *c, const struct relationship *r)
{
    return sql_write(ctx, s->sql, unrelate, &(struct relation_call){.caller = c, .relation = r});
}

/* ---- reading ---- */

static bool in_list(str csv, str word)
{
    str piece;
    if (str_empty(str_trim(csv)))
        return true;
    while (str_split(&csv, ',', &piece))
        if (str_ieq(str_trim(piece), word))
            return true;
    return false;
}

/* Adds the item at the other end when it is new and the caller may read it. */
static int add_end(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *end, struct item *items, size_t *count)
{
    struct access_item facts;
    for (size_t i = 0; i < *count; i++)
        if (id_eq(items[i].id, *end))
            return RC_OK;
    TRY(item_facts(ctx, tx, c, end, &items[*count], &facts));
    *count += access_item_read(c, &facts);
    return RC_OK;
}

static int related(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct relation_call *call = arg;
    struct item it;
    struct access_item facts;
    struct relationship *list;
    size_t count;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, &facts));
    TRY(service_require(ctx, call->caller, access_item_read(call->caller, &facts)));
    TRY(meta_relationships(ctx, tx, call->item, call->forward, &list, &count));
    struct item *items = arena_array(ctx->arena, struct item, count);
    call->count = 0;
    for (size_t i = 0; i < count; i++)
        if (in_list(call->types, list[i].type))
            TRY(add_end(ctx, tx, call->caller, call->forward ? &list[i].destination : &list[i].origin, items, &call->count));
    return item_views_make(ctx, tx, call->caller, items, call->count, &call->views);
}

int item_related(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, bool forward, str types,
                 struct item_view **out, size_t *count_out)
{
    struct relation_call call = {.caller = c, .item = item, .forward = forward, .types = types};
    TRY(sql_read(ctx, s->sql, related, &call));
    *out = call.views;
    *count_out = call.count;
    return RC_OK;
}
