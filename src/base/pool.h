/* Worker pool: a fixed number of threads for CPU work whose results are collected in order by the submitter. */
#ifndef MAPFERRY_BASE_POOL_H
#define MAPFERRY_BASE_POOL_H

#include "base/ctx.h"

struct pool;
/* threads >= 1. Threads start at once. */
struct pool *pool_open(unsigned threads);
void pool_close(struct pool *p); /* waits for running tasks; queued ones are dropped */

/* A task lives in the caller's memory until it was waited for. */
struct pool_task {
    void (*run)(struct pool_task *t); /* called on a worker; puts its results into the structure that embeds the task */
    struct pool_task *next;
    bool done;
};
void pool_submit(struct pool *p, struct pool_task *t);
void pool_wait(struct pool *p, struct pool_task *t);
/* Processors this process may use. */
unsigned pool_cpus(void);

#endif
