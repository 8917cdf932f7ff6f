/* Worker pool: one queue, one lock. Tasks are coarse (a piece to compress, a geometry to convert), so that a single lock
 * is never what is waited for. */
#include "base/pool.h"
#include "base/mem.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t submitted, finished;
    struct pool_task *first, **last; /* queue; *last is where the next one goes */
    bool closing;
    unsigned count;
    pthread_t threads[];
};

/* The next task, or NULL when the pool is closing. Called with the lock held. */
static struct pool_task *pool_take(struct pool *p)
{
    while (!p->first && !p->closing)
        pthread_cond_wait(&p->submitted, &p->lock);
    if (p->closing)
        return NULL;
    struct pool_task *t = p->first;
    p->first = t->next;
    if (!p->first)
        p->last = &p->first;
    return t;
}

static void *pool_work(void *arg)
{
    struct pool *p = arg;
    struct pool_task *t;
    pthread_mutex_lock(&p->lock);
    while ((t = pool_take(p)) != NULL) {
        pthread_mutex_unlock(&p->lock);
        t->run(t);
        pthread_mutex_lock(&p->lock);
        t->done = true; /* from here on the task may be gone */
        pthread_cond_broadcast(&p->finished);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_open(unsigned threads)
{
    struct pool *p = mem_alloc(sizeof *p + threads * sizeof p->threads[0]);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->submitted, NULL);
    pthread_cond_init(&p->finished, NULL);
    p->last = &p->first;
    sigset_t all, before; /* signals are for the thread that waits for them, not for workers */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; p->count < threads; p->count++) {
        if (pthread_create(&p->threads[p->count], NULL, pool_work, p) != 0) {
            fputs("mapferry: cannot start a thread\n", stderr);
            abort();
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p;
}

void pool_close(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->submitted);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->submitted);
    pthread_cond_destroy(&p->finished);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

void pool_submit(struct pool *p, struct pool_task *t)
{
    t->next = NULL;
    t->done = false;
    pthread_mutex_lock(&p->lock);
    *p->last = t;
    p->last = &t->next;
    pthread_cond_signal(&p->submitted);
    pthread_mutex_unlock(&p->lock);
}

void pool_wait(struct pool *p, struct pool_task *t)
{
    pthread_mutex_lock(&p->lock);
    while (!t->done)
        pthread_cond_wait(&p->finished, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

unsigned pool_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t can name */
    return n > 0 ? (unsigned)n : 1;
}
