/* Every byte of a package, read and compared on all processors, then every item. Members and items are handed out in runs, so
 * that many small ones cost little. */
#include "base/mem.h"
#include "base/pool.h"
#include "portal/package/package.h"
#include "portal/package/read.h"

enum { RUN_BYTES = 4 * 1024 * 1024, RUN_COUNT = 256, THREADS_MAX = 64, PIECE_SIZE = 64 * 1024 };

struct verify_run {
    struct pool_task task;
    struct portal *portal;
    const struct package_sink *sink;
    const id *items; /* NULL: members are verified */
    struct ctx ctx;
    size_t from, to;
    uint64_t bytes;
    int rc;
    uint8_t piece[PIECE_SIZE];
};

static int verify_member(struct verify_run *run, size_t index)
{
    CLEANUP(reader_cleanup) struct reader *r = read_member_open(run->portal, index);
    const struct zip_member *member = zip_at(read_zip(run->portal), index);
    const struct package_sink *sink = run->sink;
    size_t got;
    if (sink && sink->wants(sink->arg, member->name, member->size))
        return sink->take(&run->ctx, sink->arg, read_member_hash(run->portal, index), member->size, r);
    do {
        TRY(ctx_check(&run->ctx));
        TRY(reader_read(&run->ctx, r, run->piece, sizeof run->piece, &got));
    } while (got > 0);
    return RC_OK;
}

/* ---- items: what they name is there ---- */

static int verify_attachments(struct ctx *ctx, struct portal *p, const id *item)
{
    struct attachment_source *list;
    struct portal_attachment a;
    int rc;
    TRY(p->ops->attachments_open(ctx, p, item, &list));
    while ((rc = list->next(ctx, list, &a)) == RC_OK) {
        struct arena_mark mark = arena_mark(ctx->arena);
        CLEANUP(reader_cleanup) struct reader *bytes = NULL;
        if ((rc = p->ops->attachment_read(ctx, p, item, &a, &bytes)) != RC_OK)
            break;
        arena_release(ctx->arena, mark);
    }
    list->close(list);
    return rc == RC_END ? RC_OK : rc;
}

static int verify_item(struct ctx *ctx, struct portal *p, const id *which)
{
    struct portal_item item;
    TRY(p->ops->item_get(ctx, p, which, &item));
    for (size_t i = 0; i < item.part_count; i++) {
        CLEANUP(reader_cleanup) struct reader *bytes = NULL;
        TRY(p->ops->part_open(ctx, p, which, &item.parts[i], &bytes));
    }
    return item.hosted ? verify_attachments(ctx, p, which) : RC_OK;
}

static void verify_work(struct pool_task *task)
{
    struct verify_run *run = (struct verify_run *)task;
    for (size_t i = run->from; i < run->to && run->rc == RC_OK; i++) {
        struct arena_mark mark = arena_mark(run->ctx.arena);
        run->rc = run->items ? verify_item(&run->ctx, run->portal, &run->items[i]) : verify_member(run, i);
        arena_release(run->ctx.arena, mark);
    }
}

/* ---- runs ---- */

struct verify {
    struct ctx *ctx;
    struct portal *portal;
    const struct package_sink *sink;
    struct pool *pool;
    struct verify_run *runs;
    size_t run_count, first, queued; /* ring */
    const id *items;                 /* NULL: members */
    size_t next, count;
    uint64_t done, all;
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_arg;
    int rc;
};

static void verify_submit(struct verify *v)
{
    const struct zip *zip = read_zip(v->portal);
    struct verify_run *run = &v->runs[(v->first + v->queued++) % v->run_count];
    run->from = v->next;
    run->bytes = 0;
    run->rc = RC_OK;
    while (v->next < v->count && run->bytes < RUN_BYTES && v->next - run->from < RUN_COUNT) {
        run->bytes += v->items ? 0 : zip_at(zip, v->next)->size;
        v->next++;
    }
    run->to = v->next;
    run->items = v->items;
    run->portal = v->portal;
    run->sink = v->sink;
    run->task.run = verify_work;
    ctx_child(&run->ctx, v->ctx);
    pool_submit(v->pool, &run->task);
}

static void verify_wait(struct verify *v)
{
    struct verify_run *run = &v->runs[v->first];
    pool_wait(v->pool, &run->task);
    v->first = (v->first + 1) % v->run_count;
    v->queued--;
    v->done += run->bytes;
    if (v->rc == RC_OK && run->rc != RC_OK)
        v->rc = ctx_adopt_error(v->ctx, &run->ctx, run->rc);
    ctx_close(&run->ctx);
}

/* All members (items NULL), or all items. */
static void verify_all(struct verify *v, const id *items, size_t count)
{
    v->items = items;
    v->next = 0;
    v->count = count;
    while (v->queued > 0 || (v->rc == RC_OK && v->next < v->count)) {
        while (v->rc == RC_OK && v->queued < v->run_count && v->next < v->count)
            verify_submit(v);
        verify_wait(v);
        if (v->progress && !items)
            v->progress(v->progress_arg, v->done, v->all);
    }
}

int package_verify(struct ctx *ctx, struct portal *p, unsigned threads, const struct package_sink *sink,
                   void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes), void *arg)
{
    struct package_summary summary;
    id *items;
    size_t count;
    package_summary(p, &summary);
    TRY(p->ops->list(ctx, p, NULL, &items, &count));
    threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    struct verify v = {.ctx = ctx,
                       .portal = p,
                       .sink = sink,
                       .run_count = 2 * threads,
                       .all = summary.unpacked_bytes,
                       .progress = progress,
                       .progress_arg = arg};
    v.runs = mem_alloc(v.run_count * sizeof *v.runs);
    v.pool = pool_open(threads);
    verify_all(&v, NULL, zip_count(read_zip(p)));
    if (v.rc == RC_OK) /* sound bytes can still be items that nobody can carry: found here, and not when half of the package has
                          arrived */
        verify_all(&v, items, count);
    pool_close(v.pool);
    mem_free(v.runs);
    return v.rc;
}
