/* Opening and closing the portal we are; the table of its functions. */
#include "base/mem.h"
#include "portal/local/local_private.h"

static void local_close(struct portal *p)
{
    struct local_portal *lp = (struct local_portal *)p;
    if (lp->writes) {
        local_puts_drop(lp);
        pool_close(lp->pool);
    }
    mem_free(lp->puts);
    mem_free(lp->relationships);
    arena_close(lp->arena);
    mem_free(lp);
}

static const struct portal_ops local_ops = {
    .name = "portal",
    .close = local_close,
    .info = local_info,
    .list = local_list,
    .item_get = local_item_get,
    .part_open = local_part_open,
    .rows_open = local_rows_open,
    .attachments_open = local_attachments_open,
    .attachment_read = local_attachment_read,
    .layers_file = local_layers_file,
    .was_put = local_was_put,
    .item_put = local_item_put,
    .relationship_put = local_relationship_put,
    .checkpoint = local_checkpoint,
    .finish = local_finish,
};

int portal_local_open(struct ctx *ctx, struct site *site, const struct portal_local_target *target, struct portal **out)
{
    (void)ctx;
    struct local_portal *lp = mem_new(struct local_portal);
    lp->base.ops = &local_ops;
    lp->site = site;
    lp->arena = arena_open();
    if (target) {
        lp->writes = true;
        lp->target = *target;
        lp->target.owner = arena_str(lp->arena, target->owner);
        lp->pool = pool_open(target->threads ? target->threads : pool_cpus());
    }
    *out = &lp->base;
    return RC_OK;
}

id portal_local_store_id(const id *run, const id *item)
{
    struct hash_state state;
    hash_start(&state);
    hash_update(&state, run->text, ID_SIZE);
    hash_update(&state, item->text, ID_SIZE);
    struct hash h = hash_finish(&state);
    char hex[HASH_HEX + 1];
    hash_hex(h, hex);
    id out;
    id_parse(str_of(hex, ID_SIZE), &out);
    return out;
}
