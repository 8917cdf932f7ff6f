/* Running a plan: see migrate.h. */
#include "migrate/migrate.h"
#include "model/errors.h"
#include <stdlib.h>

enum { BATCH_ITEMS = 256 };
static const int64_t BATCH_BYTES = 48 << 20;

/* Relationships of the carried items, put when both ends are there. */
struct relations {
    struct relationship *list;
    size_t count, capacity;
};
struct batch {
    struct ctx ctx; /* the puts live in its arena until the checkpoint */
    size_t count;
    int64_t bytes;
    struct relations relations;
};

static int rank_compare(const void *a, const void *b)
{
    const struct plan_item *x = *(const struct plan_item *const *)a, *y = *(const struct plan_item *const *)b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return memcmp(x->id.text, y->id.text, ID_SIZE);
}

/* The items to carry, in the order of the run. */
static struct plan_item **carried(struct ctx *ctx, const struct migrate_run *run, size_t *count_out)
{
    struct plan_item **list = arena_array(ctx->arena, struct plan_item *, run->plan->count);
    size_t n = 0;
    for (size_t i = 0; i < run->plan->count; i++)
        if (plan_carries(&run->plan->items[i]))
            list[n++] = &run->plan->items[i];
    if (run->by_rank)
        qsort(list, n, sizeof *list, rank_compare);
    *count_out = n;
    return list;
}

static int batch_flush(struct ctx *ctx, const struct migrate_run *run, struct batch *b, struct migrate_progress *progress)
{
    struct put_result *results;
    size_t count;
    TRY(run->target->ops->checkpoint(&b->ctx, run->target, &results, &count));
    for (size_t i = 0; i < count; i++) {
        struct plan_item *planned = plan_find(run->plan, &results[i].item);
        if (planned && !results[i].ok) {
            planned->action = PLAN_FAIL;
            planned->reason = arena_str(ctx->arena, results[i].reason);
        }
    }
    progress->items_done += (int64_t)b->count;
    progress->bytes_done += b->bytes;
    b->count = 0;
    b->bytes = 0;
    arena_reset(b->ctx.arena);
    return run->progress ? run->progress(ctx, run->progress_arg, progress) : RC_OK;
}

static void relations_keep(struct ctx *ctx, struct batch *b, const struct portal_item *item)
{
    struct relations *r = &b->relations;
    for (size_t i = 0; i < item->relationship_count; i++) {
        r->list = arena_grow(ctx->arena, r->list, &r->capacity, r->count + 1, sizeof *r->list);
        r->list[r->count] = item->relationships[i];
        r->list[r->count++].type = arena_str(ctx->arena, item->relationships[i].type);
    }
}

static int put_one(struct ctx *run_ctx, struct batch *b, const struct migrate_run *run, struct plan_item *planned)
{
    struct ctx *ctx = &b->ctx;
    struct portal_item item;
    TRY(run->source->ops->item_get(ctx, run->source, &planned->id, &item));
    if (run->prepare)
        TRY(run->prepare(ctx, run->prepare_arg, planned, &item));
    if (run->change_item)
        run->change_item(run->change_arg, &planned->id);
    struct item_put *put = arena_new(ctx->arena, struct item_put);
    TRY(texts_put(ctx, run->source, &item, run->change, run->change_arg, put));
    put->overwrite = planned->action == PLAN_OVERWRITE;
    TRY(run->target->ops->item_put(ctx, run->target, put));
    relations_keep(run_ctx, b, &item);
    return RC_OK;
}

/* What `change` found in an item that was put before a restart is told again: it was kept in memory only. */
static void look_again(struct ctx *run_ctx, struct batch *b, const struct migrate_run *run, struct plan_item *planned)
{
    struct ctx child;
    struct portal_item item;
    struct item_put put;
    ctx_child(&child, &b->ctx);
    if (run->change_item)
        run->change_item(run->change_arg, &planned->id);
    if (run->source->ops->item_get(&child, run->source, &planned->id, &item) == RC_OK) { /* else it went since then */
        relations_keep(run_ctx, b, &item);
        (void)texts_put(&child, run->source, &item, run->change, run->change_arg, &put);
    }
    ctx_close(&child);
}

/* An item that cannot be put fails alone when it is too large, or when the run allows it and the cause is the item and not the
 * machine. */
static bool item_failed(struct ctx *ctx, struct batch *b, const struct migrate_run *run, struct plan_item *item, int rc)
{
    const struct err_kind *kind = b->ctx.err.kind;
    bool machine = rc == RC_CANCELED || rc == RC_BUSY || kind == &ERR_IO || kind == &ERR_NO_SPACE || kind == &ERR_BUSY;
    if (kind != &ERR_ITEM_SIZE && (machine || !run->items_may_fail)) {
        err_add(&b->ctx, "item '%s' ('%.*s', %.*s)", item->id.text, STR_FMT(item->title), STR_FMT(item->type));
        return false;
    }
    item->action = PLAN_FAIL;
    item->reason = arena_str(ctx->arena, str_c(err_text(&b->ctx)));
    err_clear(&b->ctx);
    return true;
}

static int put_items(struct ctx *ctx, const struct migrate_run *run, struct batch *b)
{
    struct migrate_progress progress = {.bytes_total = run->plan->bytes};
    size_t count;
    struct plan_item **list = carried(ctx, run, &count);
    progress.items_total = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        TRY(ctx_check(&b->ctx));
        bool done;
        TRY(run->target->ops->was_put(&b->ctx, run->target, &list[i]->id, &done));
        if (done) {
            look_again(ctx, b, run, list[i]);
            progress.items_done++;
            progress.bytes_done += list[i]->size;
            continue;
        }
        int rc = put_one(ctx, b, run, list[i]);
        if (rc != RC_OK && !item_failed(ctx, b, run, list[i], rc))
            return rc;
        b->count++;
        b->bytes += list[i]->size;
        if (b->count == BATCH_ITEMS || b->bytes >= BATCH_BYTES || list[i]->hosted)
            TRY(batch_flush(ctx, run, b, &progress));
    }
    return batch_flush(ctx, run, b, &progress);
}

/* Whether both ends exist is the target's to judge when it makes them visible. */
static int put_relationships(const struct migrate_run *run, struct batch *b)
{
    for (size_t i = 0; i < b->relations.count; i++)
        TRY(run->target->ops->relationship_put(&b->ctx, run->target, &b->relations.list[i]));
    struct put_result *results;
    size_t count;
    return run->target->ops->checkpoint(&b->ctx, run->target, &results, &count);
}

int migrate_run(struct ctx *ctx, const struct migrate_run *run)
{
    struct batch b = {0};
    ctx_child(&b.ctx, ctx);
    int rc = put_items(ctx, run, &b);
    if (rc == RC_OK && PORTAL_HAS(run->target, relationship_put))
        rc = put_relationships(run, &b);
    ctx_adopt_error(ctx, &b.ctx, rc);
    ctx_close(&b.ctx);
    return rc;
}
