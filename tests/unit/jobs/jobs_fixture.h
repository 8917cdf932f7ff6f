/* The site of the service tests with a job engine that each test starts itself, and short forms for its jobs. */
#ifndef MAPFERRY_TESTS_UNIT_JOBS_FIXTURE_H
#define MAPFERRY_TESTS_UNIT_JOBS_FIXTURE_H

#include "../service/fixture.h"
#include "jobs/jobs.h"
#include <time.h>

static struct jobs *engine;

/* threads 0: nothing runs, everything waits. */
static inline void engine_start(unsigned threads) { assert_ok(jobs_open(CTX, SITE, threads, &engine)); }

static inline void engine_stop(void)
{
    jobs_close(engine);
    engine = NULL;
}

static inline int jobs_fixture_open(void **state)
{
    (void)fixture_open(state);
    fx.site.settings.free_space_min = 0;
    return 0;
}

static inline int jobs_fixture_close(void **state)
{
    engine_stop();
    return fixture_close(state);
}

static inline id submit(const char *kind, const char *owner, str request)
{
    id job;
    char key[JOB_KEY_SIZE];
    const struct job_submit what = {
        .kind = kind, .owner = str_c(owner), .definition = STR("{}"), .request = request, .item = STR("")};
    assert_ok(jobs_submit(CTX, engine, &what, &job, key));
    return job;
}

static inline struct job job_now(const id *job)
{
    struct job out;
    assert_ok(jobs_get(CTX, engine, job, &out));
    return out;
}

static inline struct job job_end(const id *job)
{
    struct job out;
    assert_ok(jobs_wait(CTX, engine, job, &out));
    return out;
}

#define assert_state(job_, state_)                                                                                               \
    do {                                                                                                                         \
        struct job assert_job_ = (job_);                                                                                         \
        if (assert_job_.state != (state_))                                                                                       \
            fail_msg("%s: state %d, %.*s", #job_, (int)assert_job_.state, STR_FMT(assert_job_.messages));                        \
    } while (0)
#define assert_says(job_, words)                                                                                                 \
    do {                                                                                                                         \
        str assert_text_ = (job_).messages;                                                                                      \
        if (str_find(assert_text_, STR(words), 0) == SIZE_MAX)                                                                   \
            fail_msg("\"%s\" is not said: %.*s", words, STR_FMT(assert_text_));                                                  \
    } while (0)

#endif
