/* The queue of write transactions: who comes while a batch is run goes with it. */
#include "store/sql_driver.h"
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

enum { BATCH = 64, CALLERS = BATCH + 6 };

struct seen {
    struct sql_queue queue;
    unsigned batches, sizes[CALLERS];
    bool gather; /* wait until a batch is full */
};

static void run_batch(void *arg, struct sql_job *batch)
{
    struct seen *s = arg;
    unsigned n = 0;
    for (struct sql_job *job = batch; job; job = job->next) {
        job->rc = (int)++n;
        while (!job->next && s->gather && n < BATCH && !sql_queue_more(&s->queue, job))
            sched_yield();
        if (!job->next && n == BATCH)
            assert_null(sql_queue_more(&s->queue, job));
    }
    s->gather = false;
    s->sizes[s->batches++] = n;
}

static void *call(void *arg)
{
    struct sql_job job = {.rc = 0};
    sql_queue_run(&((struct seen *)arg)->queue, &job);
    return job.rc > 0 && job.done ? arg : NULL;
}

static void newcomers_share_the_batch(void **state)
{
    struct seen s = {.gather = true};
    pthread_t threads[CALLERS];
    unsigned sum = 0;
    (void)state;
    sql_queue_open(&s.queue, run_batch, &s);
    for (unsigned i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call, &s), 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        void *done;
        pthread_join(threads[i], &done);
        assert_ptr_equal(done, &s);
    }
    assert_int_equal(s.sizes[0], BATCH);
    for (unsigned i = 0; i < s.batches; i++)
        sum += s.sizes[i];
    assert_int_equal(sum, CALLERS);
    sql_queue_close(&s.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(newcomers_share_the_batch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
