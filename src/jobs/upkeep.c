/* The upkeep thread: see upkeep.h. Nothing here is urgent, so that a failure is logged and tried again at the next round. */
#include "jobs/upkeep.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/upload.h"
#include "service/views.h"
#include <pthread.h>
#include <time.h>

enum { ROUND_SECONDS = 60, COLLECT_ROUNDS = 30 };
static const int64_t JOBS_KEPT_MS = 30LL * 24 * 3600 * 1000;

struct upkeep {
    struct site *site;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;
    atomic_bool cancel;
};

static int expire_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    (void)arg;
    TRY(meta_tokens_expire(ctx, tx, ctx_now(ctx)));
    return meta_jobs_expire(ctx, tx, ctx_now(ctx) - JOBS_KEPT_MS);
}

static void upkeep_round(struct upkeep *u, unsigned round)
{
    struct ctx ctx;
    ctx_open(&ctx);
    ctx.cancel = &u->cancel;
    struct site *s = u->site;
    if (site_drop_stores(&ctx, s) != RC_OK || upload_expire(&ctx, s) != RC_OK || views_flush(&ctx, s) != RC_OK ||
        sql_write(&ctx, s->sql, expire_rows, NULL) != RC_OK ||
        (round % COLLECT_ROUNDS == 0 && blob_collect(&ctx, s->blobs, s->settings.blob_grace_ms, NULL) != RC_OK))
        log_error(&ctx, "upkeep");
    ctx_close(&ctx);
}

static void *upkeep_run(void *arg)
{
    struct upkeep *u = arg;
    pthread_mutex_lock(&u->mutex);
    for (unsigned round = 1; !u->stop; round++) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += ROUND_SECONDS;
        while (!u->stop && pthread_cond_timedwait(&u->wake, &u->mutex, &until) == 0)
            ;
        if (u->stop)
            break;
        pthread_mutex_unlock(&u->mutex);
        upkeep_round(u, round);
        pthread_mutex_lock(&u->mutex);
    }
    pthread_mutex_unlock(&u->mutex);
    return NULL;
}

/* What was looked at since the last round. */
static void views_keep(struct site *site)
{
    struct ctx ctx;
    ctx_open(&ctx);
    if (views_flush(&ctx, site) != RC_OK)
        log_error(&ctx, "keeping the views of items");
    ctx_close(&ctx);
}

int upkeep_open(struct ctx *ctx, struct site *site, struct upkeep **out)
{
    struct upkeep *u = mem_new(struct upkeep);
    u->site = site;
    pthread_mutex_init(&u->mutex, NULL);
    pthread_cond_init(&u->wake, NULL);
    int e = pthread_create(&u->thread, NULL, upkeep_run, u);
    if (e) {
        mem_free(u);
        return err_errno(ctx, e, "starting the upkeep thread");
    }
    *out = u;
    return RC_OK;
}

void upkeep_close(struct upkeep *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->mutex);
    u->stop = true;
    atomic_store(&u->cancel, true);
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->mutex);
    pthread_join(u->thread, NULL);
    views_keep(u->site);
    pthread_cond_destroy(&u->wake);
    pthread_mutex_destroy(&u->mutex);
    mem_free(u);
}
