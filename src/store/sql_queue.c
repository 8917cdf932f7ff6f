/* Flat combining: a thread that wants something done puts it into the queue; the one that stands first takes all that wait, and
 * that come while it works, does it for them, then hands the lead to the first of the others. */
#include "store/sql_driver.h"

enum { BATCH_MAX = 64 };

void sql_queue_open(struct sql_queue *q, void (*run)(void *arg, struct sql_job *batch), void *arg)
{
    *q = (struct sql_queue){.run = run, .arg = arg};
    pthread_mutex_init(&q->lock, NULL);
}

void sql_queue_close(struct sql_queue *q) { pthread_mutex_destroy(&q->lock); }

static void queue_add(struct sql_queue *q, struct sql_job *job)
{
    if (q->last)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
}

/* Those that wait, as many as the batch has room for; NULL: none. */
static struct sql_job *batch_take(struct sql_queue *q)
{
    struct sql_job *first = q->first, *end = NULL;
    for (struct sql_job *job = first; job && q->taken < BATCH_MAX; job = job->next) {
        end = job;
        q->taken++;
    }
    if (!end)
        return NULL;
    q->first = end->next;
    if (!q->first)
        q->last = NULL;
    end->next = NULL;
    return first;
}

struct sql_job *sql_queue_more(struct sql_queue *q, struct sql_job *last)
{
    pthread_mutex_lock(&q->lock);
    struct sql_job *more = last->next = batch_take(q);
    pthread_mutex_unlock(&q->lock);
    return more;
}

static void batch_done(struct sql_job *batch)
{
    for (struct sql_job *next, *job = batch; job; job = next) {
        next = job->next;
        job->done = true;
        pthread_cond_signal(&job->wake);
    }
}

static void lead_pass(struct sql_queue *q)
{
    q->led = q->first != NULL;
    if (!q->first)
        return;
    q->first->leads = true;
    pthread_cond_signal(&q->first->wake);
}

void sql_queue_run(struct sql_queue *q, struct sql_job *job)
{
    pthread_cond_init(&job->wake, NULL);
    pthread_mutex_lock(&q->lock);
    queue_add(q, job);
    while (q->led && !job->done && !job->leads)
        pthread_cond_wait(&job->wake, &q->lock);
    if (!job->done) {
        q->led = true;
        q->taken = 0;
        struct sql_job *batch = batch_take(q); /* this job is its first */
        pthread_mutex_unlock(&q->lock);
        q->run(q->arg, batch);
        pthread_mutex_lock(&q->lock);
        batch_done(batch);
        lead_pass(q);
    }
    pthread_mutex_unlock(&q->lock);
    pthread_cond_destroy(&job->wake);
}
