/* Worker pool: results in order, real parallelism, closing. */
#include "base/pool.h"
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { TASKS = 5000 };

struct square {
    struct pool_task task;
    uint64_t in, out;
};

static void square_run(struct pool_task *t)
{
    struct square *s = (struct square *)t;
    for (uint64_t i = 0; i < s->in % 100; i++) /* not all take the same time */
        s->out += i % 2;
    s->out = s->in * s->in;
}

static void test_results_in_order(void **state)
{
    (void)state;
    static struct square tasks[TASKS];
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        struct pool *p = pool_open(threads);
        for (size_t i = 0; i < TASKS; i++) {
            tasks[i] = (struct square){.task.run = square_run, .in = i};
            pool_submit(p, &tasks[i].task);
        }
        for (size_t i = 0; i < TASKS; i++) {
            pool_wait(p, &tasks[i].task);
            assert_true(tasks[i].task.done);
            assert_int_equal(tasks[i].out, i * i);
        }
        pool_wait(p, &tasks[0].task); /* again: returns at once */
        pool_close(p);
    }
}

/* A window of tasks, waited for and reused, as a compressor does it. */
static void test_tasks_are_reused(void **state)
{
    (void)state;
    struct square window[4] = {
        {.task.run = square_run}, {.task.run = square_run}, {.task.run = square_run}, {.task.run = square_run}};
    struct pool *p = pool_open(3);
    for (size_t i = 0; i < TASKS; i++) {
        struct square *s = &window[i % 4];
        if (i >= 4) {
            pool_wait(p, &s->task);
            assert_int_equal(s->out, (i - 4) * (i - 4));
        }
        s->in = i;
        pool_submit(p, &s->task);
    }
    for (size_t i = 0; i < 4; i++)
        pool_wait(p, &window[i].task);
    pool_close(p);
}

struct meeting {
    struct pool_task task;
    pthread_barrier_t *barrier;
    bool signals_blocked;
};

static void meeting_run(struct pool_task *t)
{
    struct meeting *m = (struct meeting *)t;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    m->signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT);
    pthread_barrier_wait(m->barrier); /* passes only when all run at the same time */
}

static void test_threads_run_at_the_same_time(void **state)
{
    (void)state;
    pthread_barrier_t barrier;
    struct meeting meetings[4];
    pthread_barrier_init(&barrier, NULL, 4);
    struct pool *p = pool_open(4);
    for (int i = 0; i < 4; i++) {
        meetings[i] = (struct meeting){.task.run = meeting_run, .barrier = &barrier};
        pool_submit(p, &meetings[i].task);
    }
    for (int i = 0; i < 4; i++) {
        pool_wait(p, &meetings[i].task);
        assert_true(meetings[i].signals_blocked);
    }
    pool_close(p);
    pthread_barrier_destroy(&barrier);
}

/* One thread, held until the pool is being closed: what runs is finished, what is queued is dropped. */
struct gate {
    struct pool_task task;
    pthread_barrier_t *barrier;
    atomic_bool *closing;
};

static void gate_run(struct pool_task *t)
{
    struct gate *g = (struct gate *)t;
    pthread_barrier_wait(g->barrier);
    while (!atomic_load(g->closing))
        ;
}

static void test_close_drops_what_is_queued(void **state)
{
    (void)state;
    pthread_barrier_t barrier;
    atomic_bool closing = false;
    pthread_barrier_init(&barrier, NULL, 2);
    struct pool *p = pool_open(1);
    struct gate gate = {.task.run = gate_run, .barrier = &barrier, .closing = &closing};
    pool_submit(p, &gate.task);
    pthread_barrier_wait(&barrier); /* it runs now */
    atomic_store(&closing, true);
    pool_close(p);
    assert_true(gate.task.done);
    pthread_barrier_destroy(&barrier);
    p = pool_open(2);
    pool_close(p); /* never used */
    pool_close(NULL);
}

static void test_cpus(void **state)
{
    (void)state;
    assert_in_range(pool_cpus(), 1, 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_in_order),
        cmocka_unit_test(test_tasks_are_reused),
        cmocka_unit_test(test_threads_run_at_the_same_time),
        cmocka_unit_test(test_close_drops_what_is_queued),
        cmocka_unit_test(test_cpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
