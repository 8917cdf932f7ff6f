/* Every byte of a package, read and compared on all processors. Members are handed out in runs, so that many small ones cost
 * little. */
#include "base/mem.h"
#include "base/pool.h"
#include "portal/package/package.h"
#include "portal/package/read.h"

enum { RUN_BYTES = 4 * 1024 * 1024, RUN_MEMBERS = 256, THREADS_MAX = 64, PIECE_SIZE = 64 * 1024 };

struct verify_run {
    struct pool_task task;
    const struct portal *portal;
    struct ctx ctx;
    size_t from, to;
    uint64_t bytes;
    int rc;
    uint8_t piece[PIECE_SIZE];
};

static int verify_member(struct verify_run *run, size_t index)
{
    CLEANUP(reader_cleanup) struct reader *r = read_member_open(run->portal, index);
    size_t got;
    do {
        TRY(ctx_check(&run->ctx));
        TRY(reader_read(&run->ctx, r, run->piece, sizeof run->piece, &got));
    } while (got > 0);
    return RC_OK;
}

static void verify_work(struct pool_task *task)
{
    struct verify_run *run = (struct verify_run *)task;
    for (size_t i = run->from; i < run->to && run->rc == RC_OK; i++)
        run->rc = verify_member(run, i);
}

struct verify {
    struct ctx *ctx;
    const struct portal *portal;
    struct pool *pool;
    struct verify_run *runs;
    size_t run_count, first, queued; /* ring */
    size_t next;                     /* member */
    uint64_t done, all;
    int rc;
};

static void verify_submit(struct verify *v)
{
    const struct zip *zip = read_zip(v->portal);
    struct verify_run *run = &v->runs[(v->first + v->queued++) % v->run_count];
    run->from = v->next;
    run->bytes = 0;
    run->rc = RC_OK;
    while (v->next < zip_count(zip) && run->bytes < RUN_BYTES && v->next - run->from < RUN_MEMBERS)
        run->bytes += zip_at(zip, v->next++)->size;
    run->to = v->next;
    run->portal = v->portal;
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

int package_verify(struct ctx *ctx, struct portal *p, unsigned threads,
                   void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes), void *arg)
{
    struct package_summary summary;
    package_summary(p, &summary);
    threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    struct verify v = {.ctx = ctx, .portal = p, .run_count = 2 * threads, .all = summary.unpacked_bytes};
    v.runs = mem_alloc(v.run_count * sizeof *v.runs);
    v.pool = pool_open(threads);
    while (v.queued > 0 || (v.rc == RC_OK && v.next < zip_count(read_zip(p)))) {
        while (v.rc == RC_OK && v.queued < v.run_count && v.next < zip_count(read_zip(p)))
            verify_submit(&v);
        verify_wait(&v);
        if (progress)
            progress(arg, v.done, v.all);
    }
    pool_close(v.pool);
    mem_free(v.runs);
    return v.rc;
}
