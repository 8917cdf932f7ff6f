/* Staging of bytes: see local_stage.h. */
#include "base/mem.h"
#include <stdlib.h>
#include "portal/local/local_stage.h"

/* ---- parts of items ---- */

static int entry_compare(const void *a, const void *b)
{
    return memcmp(((const struct stage_entry *)a)->hash.bytes, ((const struct stage_entry *)b)->hash.bytes, HASH_SIZE);
}

static void entries_collect(struct local_stage *stage, const struct item_put *const *puts, size_t count)
{
    size_t capacity = 0;
    for (size_t i = 0; i < count; i++)
        capacity += puts[i]->part_count;
    stage->entries = mem_alloc((capacity + 1) * sizeof *stage->entries);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < puts[i]->part_count; k++) {
            const struct part_put *p = &puts[i]->parts[k];
            stage->entries[n++] =
                p->changed ? (struct stage_entry){.hash = p->part.hash, .text = p->text}
                           : (struct stage_entry){
                                 .hash = p->part.hash, .source = puts[i]->source, .item = puts[i]->source_id, .part = &p->part};
        }
    qsort(stage->entries, n, sizeof *stage->entries, entry_compare);
    for (size_t i = 0; i < n; i++)
        if (!i || !hash_eq(stage->entries[i].hash, stage->entries[stage->count - 1].hash))
            stage->entries[stage->count++] = stage->entries[i];
}

static int entries_find(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct local_stage *stage = arg;
    for (size_t i = 0; i < stage->count; i++)
        TRY(blob_known(ctx, tx, stage->entries[i].hash, &stage->entries[i].there));
    return RC_OK;
}

static int text_fill(struct ctx *ctx, struct blob_store *blobs, struct stage_entry *e)
{
    TRY(blob_begin_known(ctx, blobs, e->hash, e->text.n, &e->blob));
    TRY(blob_write(ctx, e->blob, e->text.p, e->text.n));
    return blob_finish(ctx, e->blob);
}

/* Reads the bytes of one entry into a blob of its own. */
static int entry_fill(struct ctx *ctx, struct blob_store *blobs, struct stage_entry *e)
{
    if (e->there)
        return RC_OK;
    if (!e->part)
        return text_fill(ctx, blobs, e);
    TRY(e->source->ops->verifies ? blob_begin_known(ctx, blobs, e->hash, (uint64_t)e->part->size, &e->blob)
                                 : blob_begin(ctx, blobs, (uint64_t)e->part->size, &e->hash, &e->blob));
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    TRY(e->source->ops->part_open(ctx, e->source, &e->item, e->part, &r));
    char piece[256 * 1024];
    for (;;) {
        size_t got;
        TRY(ctx_check(ctx));
        TRY(reader_read(ctx, r, piece, sizeof piece, &got));
        if (!got)
            break;
        TRY(blob_write(ctx, e->blob, piece, got));
    }
    return blob_finish(ctx, e->blob);
}

/* A run of entries, taken one by one from a shared counter by each worker. */
struct fill_task {
    struct pool_task base;
    struct ctx ctx;
    struct blob_store *blobs;
    struct local_stage *stage;
    atomic_size_t *next;
    atomic_bool *failed;
    int rc;
};

static void fill_run(struct pool_task *base)
{
    struct fill_task *t = (struct fill_task *)base;
    for (;;) {
        size_t i = atomic_fetch_add(t->next, 1);
        if (i >= t->stage->count || atomic_load(t->failed))
            return;
        struct arena_mark mark = arena_mark(t->ctx.arena);
        t->rc = entry_fill(&t->ctx, t->blobs, &t->stage->entries[i]);
        if (t->rc != RC_OK) {
            atomic_store(t->failed, true);
            return;
        }
        arena_release(t->ctx.arena, mark);
    }
}

enum { FILL_TASKS_MAX = 16 };

static int entries_fill(struct ctx *ctx, struct local_portal *lp, struct local_stage *stage)
{
    unsigned threads = lp->target.threads ? lp->target.threads : pool_cpus();
    if (threads > FILL_TASKS_MAX)
        threads = FILL_TASKS_MAX;
    struct fill_task tasks[FILL_TASKS_MAX];
    atomic_size_t next = 0;
    atomic_bool failed = false;
    for (unsigned i = 0; i < threads; i++) {
        tasks[i] = (struct fill_task){
            .base = {.run = fill_run}, .blobs = lp->site->blobs, .stage = stage, .next = &next, .failed = &failed};
        ctx_child(&tasks[i].ctx, ctx);
        pool_submit(lp->pool, &tasks[i].base);
    }
    int rc = RC_OK;
    for (unsigned i = 0; i < threads; i++) {
        pool_wait(lp->pool, &tasks[i].base);
        if (rc == RC_OK && tasks[i].rc != RC_OK)
            rc = ctx_adopt_error(ctx, &tasks[i].ctx, tasks[i].rc);
        ctx_close(&tasks[i].ctx);
    }
    return rc;
}

int local_stage_parts(struct ctx *ctx, struct local_portal *lp, const struct item_put *const *puts, size_t count,
                      struct local_stage *out)
{
    entries_collect(out, puts, count);
    TRY(sql_read(ctx, lp->site->sql, entries_find, out));
    TRY(entries_fill(ctx, lp, out));
    struct blob_new **list = arena_array(ctx->arena, struct blob_new *, out->count);
    size_t n = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->entries[i].blob)
            list[n++] = out->entries[i].blob;
    return n ? blob_sync(ctx, lp->site->blobs, list, n) : RC_OK;
}

/* Content that was there when it was looked for is not any more. Rare: it had to be older than the grace period and named by
 * nothing. */
static int collected(struct ctx *ctx)
{
    return err_set_rc(ctx, RC_BUSY, &ERR_BUSY, "Stored content was collected while it was about to be reused; run it again.");
}

int local_stage_rows(struct ctx *ctx, struct sql_tx *tx, const struct local_stage *stage)
{
    for (size_t i = 0; i < stage->count; i++) {
        const struct stage_entry *e = &stage->entries[i];
        int rc = e->blob ? blob_attach(ctx, tx, e->blob) : blob_reuse(ctx, tx, e->hash);
        if (rc == RC_NOT_FOUND)
            return collected(ctx);
        TRY(rc);
    }
    return RC_OK;
}

void local_stage_close(struct local_stage *stage)
{
    for (size_t i = 0; i < stage->count; i++)
        blob_new_close(stage->entries[i].blob);
    mem_free(stage->entries);
    *stage = (struct local_stage){0};
}

/* ---- attachments ---- */

enum { ATTACHMENT_BATCH = 64 };
static const int64_t ATTACHMENT_BATCH_BYTES = 64 << 20;

struct attachment_batch {
    struct attachment rows[ATTACHMENT_BATCH];
    struct blob_new *blobs[ATTACHMENT_BATCH]; /* NULL: the store has the bytes */
    size_t count;
    int64_t bytes;
    const id *store;
};

static int batch_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct attachment_batch *b = arg;
    for (size_t i = 0; i < b->count; i++) {
        int rc = b->blobs[i] ? blob_attach(ctx, tx, b->blobs[i]) : blob_reuse(ctx, tx, b->rows[i].hash);
        if (rc == RC_NOT_FOUND)
            return collected(ctx);
        TRY(rc);
        TRY(meta_attachment_insert(ctx, tx, b->store, &b->rows[i]));
    }
    return RC_OK;
}

static void batch_clear(struct attachment_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        blob_new_close(b->blobs[i]);
    b->count = 0;
    b->bytes = 0;
}

static int batch_flush(struct ctx *ctx, struct site *site, struct attachment_batch *b)
{
    if (!b->count)
        return RC_OK;
    struct blob_new *fresh[ATTACHMENT_BATCH];
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        if (b->blobs[i])
            fresh[n++] = b->blobs[i];
    if (n)
        TRY(blob_sync(ctx, site->blobs, fresh, n));
    TRY(sql_write(ctx, site->sql, batch_rows, b));
    batch_clear(b);
    return RC_OK;
}

static int attachment_fill(struct ctx *ctx, struct local_portal *lp, const struct item_put *put,
                           const struct portal_attachment *a, struct blob_new **out)
{
    bool there;
    TRY(blob_exists(ctx, lp->site->blobs, a->hash, &there));
    if (there)
        return RC_OK;
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    TRY(put->source->ops->attachment_read(ctx, put->source, &put->source_id, a, &r));
    TRY(blob_begin(ctx, lp->site->blobs, (uint64_t)a->size, &a->hash, out));
    char piece[16 * 1024];
    for (size_t got = 1; got;) {
        TRY(reader_read(ctx, r, piece, sizeof piece, &got));
        TRY(blob_write(ctx, *out, piece, got));
    }
    return blob_finish(ctx, *out);
}

static int batch_add(struct ctx *ctx, struct local_portal *lp, const struct item_put *put, struct attachment_batch *b,
                     const struct portal_attachment *a)
{
    b->blobs[b->count++] = NULL;
    TRY(attachment_fill(ctx, lp, put, a, &b->blobs[b->count - 1]));
    b->bytes += a->size;
    b->rows[b->count - 1] = (struct attachment){.id = a->id,
                                                .parent_oid = a->parent_oid,
                                                .layer = a->layer,
                                                .global_id = arena_str(ctx->arena, a->global_id),
                                                .parent_global_id = arena_str(ctx->arena, a->parent_global_id),
                                                .name = arena_str(ctx->arena, a->name),
                                                .content_type = arena_str(ctx->arena, a->content_type),
                                                .keywords = arena_str(ctx->arena, a->keywords),
                                                .size = a->size,
                                                .hash = a->hash};
    return RC_OK;
}

static int attachments_forget(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    return meta_attachments_delete(ctx, tx, arg, -1, -1);
}

static int attachments_stage(struct ctx *ctx, struct local_portal *lp, const struct item_put *put,
                             struct attachment_source *source, struct attachment_batch *b)
{
    struct arena_mark mark = arena_mark(ctx->arena);
    struct portal_attachment a;
    int rc;
    while ((rc = source->next(ctx, source, &a)) == RC_OK) {
        TRY(ctx_check(ctx));
        TRY(batch_add(ctx, lp, put, b, &a));
        if (b->count < ATTACHMENT_BATCH && b->bytes < ATTACHMENT_BATCH_BYTES)
            continue;
        TRY(batch_flush(ctx, lp->site, b));
        arena_release(ctx->arena, mark);
    }
    return rc == RC_END ? batch_flush(ctx, lp->site, b) : rc;
}

int local_stage_attachments(struct ctx *ctx, struct local_portal *lp, const struct item_put *put, const id *store)
{
    TRY(sql_write(ctx, lp->site->sql, attachments_forget, (void *)store)); /* an interrupted run may have left some */
    struct attachment_source *source;
    TRY(put->source->ops->attachments_open(ctx, put->source, &put->source_id, &source));
    struct attachment_batch batch = {.store = store};
    int rc = attachments_stage(ctx, lp, put, source, &batch);
    batch_clear(&batch);
    source->close(source);
    return rc;
}
