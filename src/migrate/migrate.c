/* Running a plan: see migrate.h. Items are prepared in strips, by workers when there are any, and put in their order by the
 * thread of the run; while a batch is made durable the next one is being prepared. */
#include "migrate/migrate.h"
#include "base/mem.h"
#include "base/pool.h"
#include "model/errors.h"
#include <stdlib.h>

enum {
    BATCH_ITEMS = 256,
    STRIP_ITEMS = 32,
    STRIPS = 2 * BATCH_ITEMS / STRIP_ITEMS, /* a batch that waits for its checkpoint, and the next */
};
static const int64_t BATCH_BYTES = 48 << 20, STRIP_BYTES = 16 << 20;
/* Texts in memory: of a strip, of a batch, and of all that is prepared and not yet durable. A larger text is alone. */
static const int64_t STRIP_TEXT = 512 << 10, BATCH_TEXT = 2 << 20, ALL_TEXT = 5 << 20;

/* An item on its way. */
struct step {
    struct plan_item *planned;
    bool before; /* put before a restart: only looked at again */
    struct portal_item item;
    struct item_put put;
    void *noted; /* by change */
    int rc;
    struct err *err;
};
/* Neighbours in the order of the run, prepared together. */
struct strip {
    struct pool_task task; /* first: the worker gets this */
    const struct migrate_run *run;
    struct ctx ctx; /* the puts live in its arena until the checkpoint */
    struct step steps[STRIP_ITEMS];
    size_t count;
    int64_t bytes, text; /* of the items, and of their texts */
};

/* Relationships of the carried items, put when both ends are there. */
struct relations {
    struct relationship *list;
    size_t count, capacity;
};
struct batch {
    struct ctx ctx; /* of the puts and the checkpoint */
    size_t count;
    int64_t bytes;
    struct relations relations;
};

/* The whole run: a ring of strips, of which the oldest `held` were put and wait for the checkpoint, and `queued` more are with
 * the workers. */
struct engine {
    const struct migrate_run *run;
    struct ctx *ctx;
    struct pool *pool; /* NULL: the run's own thread prepares */
    struct batch batch;
    struct migrate_progress progress;
    struct plan_item **list;
    size_t next, count;
    struct strip *strips;
    size_t first, held, queued;
    int64_t text, held_text; /* of all strips, of the held ones */
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

/* ---- preparing, on any thread ---- */

static int prepare(struct ctx *ctx, const struct migrate_run *run, struct step *s)
{
    TRY(run->source->ops->item_get(ctx, run->source, &s->planned->id, &s->item));
    if (run->prepare && !s->before)
        TRY(run->prepare(ctx, run->prepare_arg, s->planned, &s->item));
    void *arg = run->change_arg;
    if (run->change_open)
        arg = s->noted = run->change_open(ctx, run->change_arg, &s->planned->id);
    return texts_put(ctx, run->source, &s->item, run->change, arg, &s->put);
}

static void strip_run(struct pool_task *task)
{
    struct strip *strip = (struct strip *)task;
    struct ctx *ctx = &strip->ctx;
    for (size_t i = 0; i < strip->count; i++) {
        struct step *s = &strip->steps[i];
        s->rc = ctx_check(ctx);
        if (s->rc == RC_OK)
            s->rc = prepare(ctx, strip->run, s);
        if (s->rc == RC_OK)
            continue;
        s->err = arena_new(ctx->arena, struct err);
        *s->err = ctx->err;
        err_clear(ctx);
    }
}

/* ---- strips ---- */

static struct strip *strip_at(struct engine *e, size_t offset) { return &e->strips[(e->first + offset) % STRIPS]; }

static bool strip_has_room(const struct engine *e, const struct strip *s)
{
    if (e->next == e->count || s->count == STRIP_ITEMS)
        return false;
    bool fits = s->text + e->list[e->next]->text_size <= STRIP_TEXT && (s->bytes < STRIP_BYTES || e->run->content_there);
    return !s->count || fits;
}

/* The next strip: a hosted item is the last of its own, since it is made durable alone. */
static int strip_fill(struct engine *e, struct strip *s)
{
    s->run = e->run;
    s->count = 0;
    s->bytes = s->text = 0;
    s->task.run = strip_run;
    ctx_child(&s->ctx, e->ctx);
    while (strip_has_room(e, s)) {
        struct step *step = &s->steps[s->count++];
        *step = (struct step){.planned = e->list[e->next++]};
        s->text += step->planned->text_size;
        s->bytes += step->planned->size;
        TRY(e->run->target->ops->was_put(&e->batch.ctx, e->run->target, &step->planned->id, &step->before));
        if (step->planned->hosted)
            break;
    }
    return RC_OK;
}

static bool strip_fits(const struct engine *e)
{
    size_t used = e->held + e->queued;
    if (!e->pool && e->queued) /* one at a time */
        return false;
    return e->next < e->count && used < STRIPS && (!used || e->text + e->list[e->next]->text_size <= ALL_TEXT - STRIP_TEXT);
}

static int strips_submit(struct engine *e)
{
    while (strip_fits(e)) {
        struct strip *s = strip_at(e, e->held + e->queued);
        e->queued++;
        int rc = strip_fill(e, s);
        e->text += s->text;
        if (rc != RC_OK)
            s->count = 0; /* nothing of it is prepared */
        if (e->pool)
            pool_submit(e->pool, &s->task);
        TRY(rc);
    }
    return RC_OK;
}

/* Waits for the oldest strip that is being prepared. */
static struct strip *strip_join(struct engine *e)
{
    struct strip *s = strip_at(e, e->held);
    if (e->pool)
        pool_wait(e->pool, &s->task);
    else
        strip_run(&s->task);
    e->queued--;
    e->held++;
    e->held_text += s->text;
    return s;
}

static void strips_release(struct engine *e)
{
    for (; e->held; e->held--) {
        struct strip *s = strip_at(e, 0);
        e->text -= s->text;
        ctx_close(&s->ctx);
        e->first = (e->first + 1) % STRIPS;
    }
    e->held_text = 0;
}

/* ---- putting, in order ---- */

static int batch_flush(struct engine *e)
{
    struct batch *b = &e->batch;
    struct put_result *results;
    size_t count;
    TRY(e->run->target->ops->checkpoint(&b->ctx, e->run->target, &results, &count));
    for (size_t i = 0; i < count; i++) {
        struct plan_item *planned = plan_find(e->run->plan, &results[i].item);
        if (planned && !results[i].ok) {
            planned->action = PLAN_FAIL;
            planned->reason = arena_str(e->ctx->arena, results[i].reason);
        }
    }
    e->progress.items_done += (int64_t)b->count;
    e->progress.bytes_done += b->bytes;
    b->count = 0;
    b->bytes = 0;
    strips_release(e);
    arena_reset(b->ctx.arena);
    return e->run->progress ? e->run->progress(e->ctx, e->run->progress_arg, &e->progress) : RC_OK;
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

/* An item that cannot be put fails alone when it is too large or lost, or when the run allows it and the cause is the item and
 * not the machine. */
static bool item_failed(struct ctx *ctx, struct batch *b, const struct migrate_run *run, struct plan_item *item, int rc)
{
    const struct err_kind *kind = b->ctx.err.kind;
    bool machine = rc == RC_CANCELED || rc == RC_BUSY || kind == &ERR_IO || kind == &ERR_NO_SPACE || kind == &ERR_BUSY;
    bool alone = kind == &ERR_ITEM_SIZE || plan_item_lost(rc, kind) || run->items_may_fail;
    if (machine || !alone) {
        err_add(&b->ctx, "item '%s' ('%.*s', %.*s)", item->id.text, STR_FMT(item->title), STR_FMT(item->type));
        return false;
    }
    item->action = PLAN_FAIL;
    item->reason = arena_str(ctx->arena, str_c(err_text(&b->ctx)));
    err_clear(&b->ctx);
    return true;
}

static int step_put(struct engine *e, struct step *s)
{
    struct batch *b = &e->batch;
    if (s->rc != RC_OK) {
        b->ctx.err = *s->err;
        return s->rc;
    }
    if (e->run->change_done)
        e->run->change_done(e->run->change_arg, s->noted);
    s->put.overwrite = s->planned->action == PLAN_OVERWRITE;
    TRY(e->run->target->ops->item_put(&b->ctx, e->run->target, &s->put));
    relations_keep(e->ctx, b, &s->item);
    return RC_OK;
}

/* What `change` found in an item that was put before a restart is told again: it was kept in memory only. The item may have gone
 * since then. */
static void step_look_again(struct engine *e, struct step *s)
{
    if (s->rc == RC_OK) {
        relations_keep(e->ctx, &e->batch, &s->item);
        if (e->run->change_done)
            e->run->change_done(e->run->change_arg, s->noted);
    }
    e->progress.items_done++;
    e->progress.bytes_done += s->planned->size;
}

static int step_take(struct engine *e, struct step *s)
{
    struct batch *b = &e->batch;
    TRY(ctx_check(&b->ctx));
    if (s->before) {
        step_look_again(e, s);
        return RC_OK;
    }
    int rc = step_put(e, s);
    if (rc != RC_OK && !item_failed(e->ctx, b, e->run, s->planned, rc))
        return rc;
    b->count++;
    b->bytes += s->planned->size;
    return RC_OK;
}

static bool batch_full(const struct engine *e, const struct strip *last)
{
    const struct batch *b = &e->batch;
    return b->count >= BATCH_ITEMS || (b->bytes >= BATCH_BYTES && !e->run->content_there) || e->held_text >= BATCH_TEXT ||
           e->held == STRIPS || (b->count && last->steps[last->count - 1].planned->hosted);
}

static int put_items(struct engine *e)
{
    for (;;) {
        TRY(strips_submit(e));
        if (!e->queued) {
            bool over = e->next == e->count;
            TRY(batch_flush(e));
            if (over)
                return RC_OK;
            continue;
        }
        struct strip *s = strip_join(e);
        for (size_t i = 0; i < s->count; i++)
            TRY(step_take(e, &s->steps[i]));
        if (batch_full(e, s))
            TRY(batch_flush(e));
    }
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
    struct engine e = {.run = run,
                       .ctx = ctx,
                       .pool = run->threads ? pool_open(run->threads) : NULL,
                       .strips = mem_alloc(STRIPS * sizeof *e.strips)};
    ctx_child(&e.batch.ctx, ctx);
    e.list = carried(ctx, run, &e.count);
    e.progress = (struct migrate_progress){.items_total = (int64_t)e.count, .bytes_total = run->plan->bytes};
    int rc = put_items(&e);
    pool_close(e.pool);
    for (size_t i = 0; i < e.held + e.queued; i++)
        ctx_close(&strip_at(&e, i)->ctx);
    mem_free(e.strips);
    if (rc == RC_OK && PORTAL_HAS(run->target, relationship_put))
        rc = put_relationships(run, &e.batch);
    ctx_adopt_error(ctx, &e.batch.ctx, rc);
    ctx_close(&e.batch.ctx);
    return rc;
}
