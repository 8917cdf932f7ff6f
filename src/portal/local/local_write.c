/* The portal we are, as a target. A put is prepared where nobody sees it: features in a data set of its own, bytes in temp files.
 * The checkpoint reads and hashes the bytes of all puts in parallel, syncs them once, and makes everything visible in one
 * transaction together with the steps that say so. */
#include "base/log.h"
#include "base/mem.h"
#include "portal/local/local_private.h"
#include "portal/local/local_stage.h"

struct local_put {
    const struct item_put *put;
    id store; /* the data set that was filled for a hosted item */
    bool ok;
    char reason[ERR_DETAIL_SIZE];
};

/* ---- steps ---- */

struct step_call {
    const id *run, *item;
    bool found;
};

static int step_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct step_call *call = arg;
    int rc = meta_step_get(ctx, tx, call->run, id_str(call->item));
    call->found = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* A run that never came to a checkpoint has no steps to look for. */
static int any_step(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct step_call *call = arg;
    return meta_steps_any(ctx, tx, call->run, &call->found);
}

int local_was_put(struct ctx *ctx, struct portal *p, const id *item, bool *out)
{
    struct local_portal *lp = (struct local_portal *)p;
    struct step_call call = {.run = &lp->target.run, .item = item};
    if (!lp->asked) {
        TRY(sql_read(ctx, lp->site->sql, any_step, &call));
        lp->asked = true;
        lp->resumed = call.found;
    }
    call.found = false;
    if (lp->resumed)
        TRY(sql_read(ctx, lp->site->sql, step_row, &call));
    *out = call.found;
    return RC_OK;
}

/* ---- features and attachments of a hosted item, before the checkpoint ---- */

static int load_layer(struct ctx *ctx, struct local_portal *lp, const struct local_put *lput, const struct service *source_def,
                      const struct layer *l)
{
    const struct item_put *put = lput->put;
    CLEANUP(row_source_cleanup) struct row_source *rows = NULL;
    const struct layer *from = service_layer(source_def, l->id);
    TRY(put->source->ops->rows_open(ctx, put->source, &put->source_id, source_def, from ? from : l, &rows));
    CLEANUP(feature_load_cleanup) struct feature_load *load = NULL;
    TRY(feature_load_begin(ctx, lp->site->features, &lput->store, l, &load));
    struct row row;
    int rc;
    for (unsigned n = 0; (rc = rows->next(ctx, rows, &row)) == RC_OK; n++) {
        if (n % 1024 == 0)
            TRY(ctx_check(ctx));
        TRY(feature_load_row(ctx, load, &row));
    }
    if (rc != RC_END)
        return rc;
    int64_t count;
    return feature_load_end(ctx, load, &count);
}

static int load_features(struct ctx *ctx, struct local_portal *lp, const struct local_put *lput)
{
    struct service def, source_def;
    TRY(service_parse(ctx, lput->put->item->definition, &def));
    source_def = def;
    TRY(feature_create(ctx, lp->site->features, &lput->store, &def));
    for (size_t i = 0; i < def.layer_count; i++) {
        int rc = load_layer(ctx, lp, lput, &source_def, &def.layers[i]);
        if (rc != RC_OK) {
            err_add(ctx, "while loading layer %d of service '%.*s'", (int)def.layers[i].id,
                    STR_FMT(lput->put->item->service_name));
            return rc;
        }
    }
    return RC_OK;
}

struct forget_call {
    const struct local_put *puts;
    size_t count;
};

static int forget_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct forget_call *call = arg;
    for (size_t i = 0; i < call->count; i++)
        if (!id_none(call->puts[i].store))
            TRY(meta_store_drop_later(ctx, tx, &call->puts[i].store));
    return RC_OK;
}

/* Data sets that were filled and will not be seen go, in a context of their own: the run's may be cancelled or hold an error. The
 * row comes first, so that a transaction that named them and failed at its end cannot come back after a crash. What cannot go now
 * goes at the next start. */
static void stores_forget(struct local_portal *lp, const struct local_put *puts, size_t count)
{
    struct ctx ctx;
    ctx_open(&ctx);
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any = any || !id_none(puts[i].store);
    struct forget_call call = {.puts = puts, .count = count};
    if (any && (sql_write(&ctx, lp->site->sql, forget_rows, &call) != RC_OK || site_drop_stores(&ctx, lp->site) != RC_OK))
        log_error(&ctx, "dropping what an import had filled");
    ctx_close(&ctx);
}

int local_item_put(struct ctx *ctx, struct portal *p, const struct item_put *put)
{
    struct local_portal *lp = (struct local_portal *)p;
    if (lp->put_count == lp->put_capacity) {
        lp->put_capacity = lp->put_capacity ? lp->put_capacity * 2 : 64;
        lp->puts = mem_resize(lp->puts, lp->put_capacity * sizeof *lp->puts);
    }
    struct local_put *lput = &lp->puts[lp->put_count++];
    *lput = (struct local_put){.put = put, .ok = true};
    if (!put->item->hosted)
        return RC_OK;
    lput->store = portal_local_store_id(&lp->target.run, &put->item->item.id);
    int rc = load_features(ctx, lp, lput);
    if (rc == RC_OK)
        rc = local_stage_attachments(ctx, lp, put, &lput->store);
    if (rc != RC_OK) {
        stores_forget(lp, lput, 1);
        lp->put_count--;
    }
    return rc;
}

int local_relationship_put(struct ctx *ctx, struct portal *p, const struct relationship *r)
{
    (void)ctx;
    struct local_portal *lp = (struct local_portal *)p;
    if (lp->relationship_count == lp->relationship_capacity) {
        lp->relationship_capacity = lp->relationship_capacity ? lp->relationship_capacity * 2 : 64;
        lp->relationships = mem_resize(lp->relationships, lp->relationship_capacity * sizeof *lp->relationships);
    }
    struct relationship *copy = &lp->relationships[lp->relationship_count++];
    *copy = *r;
    copy->type = arena_str(lp->arena, r->type);
    return RC_OK;
}

/* ---- the checkpoint's transaction ---- */

struct checkpoint_call {
    struct local_portal *lp;
    struct local_stage *stage;
};

/* A put that cannot be done in the state that the transaction sees: recorded for the result, not an error of the checkpoint. */
static int refuse(struct local_put *lput, const char *reason)
{
    lput->ok = false;
    strncpy(lput->reason, reason, sizeof lput->reason - 1);
    return RC_OK;
}

static int write_hosted(struct ctx *ctx, struct sql_tx *tx, const struct local_put *lput)
{
    const struct portal_item *item = lput->put->item;
    struct hosted h;
    int rc = meta_hosted_get(ctx, tx, &item->item.id, &h);
    if (rc == RC_NOT_FOUND) {
        h = (struct hosted){.item = item->item.id,
                            .name = item->service_name,
                            .store = lput->store,
                            .definition = item->definition,
                            .modified = ctx_now(ctx)};
        return meta_hosted_insert(ctx, tx, &h);
    }
    TRY(rc);
    id old = h.store;
    h.store = lput->store;
    h.definition = item->definition;
    h.modified = ctx_now(ctx) > h.modified ? ctx_now(ctx) : h.modified + 1;
    TRY(meta_hosted_update(ctx, tx, &h));
    return id_eq(old, h.store) ? RC_OK : meta_store_drop_later(ctx, tx, &old);
}

static int write_parts(struct ctx *ctx, struct sql_tx *tx, const struct local_put *lput)
{
    const id *item = &lput->put->item->item.id;
    if (lput->put->overwrite)
        for (int kind = PART_DATA; kind <= PART_RESOURCE; kind++) {
            struct item_part *old;
            size_t count;
            TRY(meta_parts(ctx, tx, item, (enum part_kind)kind, STR(""), &old, &count));
            for (size_t i = 0; i < count; i++)
                TRY(meta_part_delete(ctx, tx, item, (enum part_kind)kind, old[i].name));
        }
    for (size_t i = 0; i < lput->put->part_count; i++)
        TRY(meta_part_put(ctx, tx, item, &lput->put->parts[i].part));
    return RC_OK;
}

static int write_put(struct ctx *ctx, struct sql_tx *tx, const struct checkpoint_call *call, struct local_put *lput)
{
    const struct portal_local_target *t = &call->lp->target;
    struct item item = lput->put->item->item, old;
    int rc = meta_item_get(ctx, tx, &item.id, &old);
    if (rc == RC_OK && !lput->put->overwrite)
        return refuse(lput, "An item with this id was created while the import was running.");
    if (rc == RC_NOT_FOUND && lput->put->overwrite)
        return refuse(lput, "The item to overwrite was deleted while the import was running.");
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (rc == RC_OK) {
        item.owner = old.owner;
        item.folder = old.folder;
        item.access = old.access;
        item.created = old.created;
        item.protected = old.protected;
        item.num_views = old.num_views;
        item.comments_disabled = old.comments_disabled;
        TRY(meta_item_update(ctx, tx, &item));
    } else {
        item.owner = t->owner;
        item.folder = t->folder;
        item.access = ITEM_PRIVATE;
        item.protected = false;
        item.num_views = 0;
        TRY(meta_item_insert(ctx, tx, &item));
    }
    TRY(write_parts(ctx, tx, lput));
    if (lput->put->item->hosted)
        TRY(write_hosted(ctx, tx, lput));
    if (!lput->put->overwrite && !id_none(t->group))
        TRY(meta_share(ctx, tx, &item.id, &t->group));
    return meta_step_put(ctx, tx, &t->run, id_str(&item.id));
}

static int checkpoint_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct checkpoint_call *call = arg;
    struct local_portal *lp = call->lp;
    TRY(local_stage_rows(ctx, tx, call->stage));
    for (size_t i = 0; i < lp->put_count; i++) {
        struct local_put *lput = &lp->puts[i];
        lput->ok = true; /* the function may run more than once */
        struct arena_mark mark = arena_mark(ctx->arena);
        TRY(write_put(ctx, tx, call, lput));
        arena_release(ctx->arena, mark);
    }
    for (size_t i = 0; i < lp->relationship_count; i++) {
        const struct relationship *r = &lp->relationships[i];
        struct item item;
        int rc = meta_item_get(ctx, tx, &r->origin, &item);
        if (rc == RC_OK)
            rc = meta_item_get(ctx, tx, &r->destination, &item);
        if (rc == RC_OK)
            rc = meta_relationship_put(ctx, tx, r);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
    }
    return RC_OK;
}

int local_checkpoint(struct ctx *ctx, struct portal *p, struct put_result **results_out, size_t *count_out)
{
    struct local_portal *lp = (struct local_portal *)p;
    *results_out = arena_array(ctx->arena, struct put_result, lp->put_count);
    *count_out = lp->put_count;
    const struct item_put **puts = arena_array(ctx->arena, const struct item_put *, lp->put_count);
    for (size_t i = 0; i < lp->put_count; i++)
        puts[i] = lp->puts[i].put;
    CLEANUP(local_stage_close) struct local_stage stage = {0};
    TRY(local_stage_parts(ctx, lp, puts, lp->put_count, &stage));
    struct checkpoint_call call = {.lp = lp, .stage = &stage};
    TRY(sql_write(ctx, lp->site->sql, checkpoint_rows, &call));
    for (size_t i = 0; i < lp->put_count; i++) {
        const struct local_put *lput = &lp->puts[i];
        (*results_out)[i] = (struct put_result){
            .item = lput->put->item->item.id, .ok = lput->ok, .reason = arena_str(ctx->arena, str_c(lput->reason))};
        if (!lput->ok)
            stores_forget(lp, lput, 1);
    }
    lp->put_count = 0;
    lp->relationship_count = 0;
    return RC_OK;
}

int local_finish(struct ctx *ctx, struct portal *p)
{
    struct local_portal *lp = (struct local_portal *)p;
    if (!lp->put_count && !lp->relationship_count)
        return RC_OK;
    struct put_result *results;
    size_t count;
    return local_checkpoint(ctx, p, &results, &count);
}

void local_puts_drop(struct local_portal *lp)
{
    stores_forget(lp, lp->puts, lp->put_count);
    lp->put_count = 0;
    lp->relationship_count = 0;
}
