/* The engine: queueing, fairness, cancelling, going on after a restart, and how jobs are told. Jobs that run for as long as a
 * test wants are publish jobs whose converter never answers. */
#include "jobs_fixture.h"
#include "base/mem.h"
#include <pthread.h>

/* A request that fails at once: its members are missing. */
static const str BAD = {"{}", 2};

static id endless_item;

/* The converter's place is taken by a program that does not answer. */
static void use_endless_converter(void)
{
    str path = arena_printf(fx.ctx.arena, "%s/endless", fx.dir.p);
    assert_ok(file_write_all(CTX, path.p, STR("#!/bin/sh\nexec sleep 1000\n"), 0700));
    fx.site.settings.convert_program = path.p;
    struct item_input in = input_of(STR("Data"), STR("GeoJson"));
    in.file = blob_of(STR("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"a\":1},"
                          "\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]}}]}"));
    in.file_name = STR("a.geojson");
    endless_item = add_item_of(MEMBER, &in);
    blob_new_close(in.file);
}

static id submit_publish(const char *owner, const char *name)
{
    id service = id_new();
    return submit("publish", owner,
                  arena_printf(fx.ctx.arena,
                               "{\"itemId\":\"%s\",\"serviceItemId\":\"%s\",\"owner\":\"member\",\"folder\":\"\",\"name\":\"%s\","
                               "\"title\":\"%s\",\"fileType\":\"geojson\"}",
                               endless_item.text, service.text, name, name));
}

/* later: a job that has to wait meanwhile, or NULL. */
static void wait_until_running(const id *job, const id *later)
{
    const int64_t until = clock_system.monotonic_ms(&clock_system) + 60000;
    for (struct job now = job_now(job); now.state != JOB_RUNNING; now = job_now(job)) {
        assert_int_equal(now.state, JOB_SUBMITTED);
        if (later)
            assert_state(job_now(later), JOB_SUBMITTED);
        assert_true(clock_system.monotonic_ms(&clock_system) < until);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* ---- waiting ---- */

static void a_submitted_job_waits_with_all_that_was_asked(void **state)
{
    (void)state;
    id job;
    char key[JOB_KEY_SIZE];
    const struct job_submit what = {.kind = "export",
                                    .owner = STR("owner"),
                                    .definition = STR("{\"type\":\"export\"}"),
                                    .request = STR("{\"a\":1}"),
                                    .item = STR("0123")};
    engine_start(0);
    assert_ok(jobs_submit(CTX, engine, &what, &job, key));
    struct job now = job_now(&job);
    assert_int_equal(now.state, JOB_SUBMITTED);
    assert_str(now.kind, "export");
    assert_str(now.owner, "owner");
    assert_str(now.definition, "{\"type\":\"export\"}");
    assert_str(now.request, "{\"a\":1}");
    assert_str(now.item, "0123");
    assert_int_equal(now.created, NOW * 1000LL);
    assert_int_equal(strlen(key), JOB_KEY_SIZE - 1);
    assert_true(jobs_key_matches(&now, str_c(key)));
    assert_false(jobs_key_matches(&now, str_of(key, JOB_KEY_SIZE - 2)));
    assert_false(jobs_key_matches(&now, STR("")));
    assert_false(jobs_key_matches(&now, STR_NONE));
    key[5] ^= 1;
    assert_false(jobs_key_matches(&now, str_c(key)));
}

static void a_job_that_is_not_there(void **state)
{
    (void)state;
    struct job job;
    const id none = id_new();
    engine_start(0);
    assert_int_equal(jobs_get(CTX, engine, &none, &job), RC_NOT_FOUND);
    assert_true(err_is(CTX, &ERR_MISSING));
    err_clear(CTX);
    assert_int_equal(jobs_cancel(CTX, engine, &none), RC_NOT_FOUND);
    assert_true(err_is(CTX, &ERR_MISSING));
    err_clear(CTX);
    assert_int_equal(jobs_wait(CTX, engine, &none, &job), RC_NOT_FOUND);
    err_clear(CTX);
}

static void waiting_ends_with_the_callers_deadline_and_the_job_stays(void **state)
{
    (void)state;
    struct job job;
    struct ctx child;
    engine_start(0);
    id waiting = submit("export", "owner", BAD);
    ctx_child(&child, CTX);
    child.deadline_ms = fx.clock.now;
    assert_int_equal(jobs_wait(&child, engine, &waiting, &job), RC_CANCELED);
    ctx_close(&child);
    assert_int_equal(job_now(&waiting).state, JOB_SUBMITTED);
}

static void a_waiting_job_that_is_cancelled_never_runs(void **state)
{
    (void)state;
    engine_start(0);
    id job = submit("export", "owner", BAD), other = submit("export", "owner", BAD);
    assert_ok(jobs_cancel(CTX, engine, &job));
    assert_true(job_now(&job).cancel_asked);
    engine_stop();
    engine_start(1);
    struct job end = job_end(&job);
    assert_state(end, JOB_CANCELED);
    assert_str(end.messages, "[\"The job was cancelled.\"]");
    assert_string_equal(job_status_word(SITE, &end), "cancelled");
    assert_state(job_end(&other), JOB_FAILED);
}

static void a_job_that_ended_cannot_be_cancelled_any_more(void **state)
{
    (void)state;
    engine_start(1);
    id job = submit("export", "owner", BAD);
    assert_state(job_end(&job), JOB_FAILED);
    assert_ok(jobs_cancel(CTX, engine, &job));
    assert_state(job_now(&job), JOB_FAILED);
}

static void requests_that_cannot_be_run_fail(void **state)
{
    (void)state;
    engine_start(2);
    const id jobs[] = {submit("nonsense", "owner", BAD), submit("export", "owner", STR("{")), submit("import", "owner", BAD),
                       submit("publish", "owner", BAD), submit("export", "owner", STR("[]"))};
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        assert_state(job_end(&jobs[i]), JOB_FAILED);
    assert_says(job_now(&jobs[0]), "unknown job kind");
    assert_says(job_now(&jobs[2]), "a stored request is incomplete");
    for (size_t i = 0; i < COUNT_OF(jobs); i++) /* their folders are gone */
        assert_false(file_exists(arena_printf(fx.ctx.arena, "%s/work/%s", fx.dir.p, jobs[i].text).p));
}

/* ---- running ---- */

static void a_running_job_can_be_cancelled(void **state)
{
    (void)state;
    use_endless_converter();
    engine_start(1);
    id job = submit_publish("member", "A");
    wait_until_running(&job, NULL);
    assert_ok(jobs_cancel(CTX, engine, &job));
    struct job end = job_end(&job);
    assert_state(end, JOB_CANCELED);
    assert_says(end, "The job was cancelled.");
    assert_false(file_exists(arena_printf(fx.ctx.arena, "%s/work/%s", fx.dir.p, job.text).p));
}

static void a_job_that_ran_when_the_engine_closed_goes_on(void **state)
{
    (void)state;
    use_endless_converter();
    engine_start(1);
    id job = submit_publish("member", "A"), left = id_new();
    wait_until_running(&job, NULL);
    engine_stop();
    str own = arena_printf(fx.ctx.arena, "%s/work/%s", fx.dir.p, job.text);
    str lost = arena_printf(fx.ctx.arena, "%s/work/%s", fx.dir.p, left.text);
    assert_true(file_exists(own.p));
    assert_ok(dir_create(CTX, lost.p));
    engine_start(0);
    assert_state(job_now(&job), JOB_RUNNING);
    assert_true(file_exists(own.p)); /* the folder of a job that goes on is kept, others are not */
    assert_false(file_exists(lost.p));
    engine_stop();
    fx.site.settings.convert_program = CONVERT_PROGRAM;
    engine_start(1);
    assert_state(job_end(&job), JOB_SUCCEEDED);
    assert_false(file_exists(own.p));
}

static void one_that_was_cancelled_while_the_engine_closed_does_not(void **state)
{
    (void)state;
    use_endless_converter();
    engine_start(1);
    id job = submit_publish("member", "A");
    wait_until_running(&job, NULL);
    jobs_stop(engine);
    assert_ok(jobs_cancel(CTX, engine, &job));
    engine_stop();
    fx.site.settings.convert_program = CONVERT_PROGRAM;
    engine_start(1);
    assert_state(job_end(&job), JOB_CANCELED);
}

static void the_owner_with_the_fewest_running_comes_next(void **state)
{
    (void)state;
    use_endless_converter();
    engine_start(2);
    id a1 = submit_publish("a", "A1"), x1 = submit_publish("x", "X1");
    wait_until_running(&a1, NULL);
    wait_until_running(&x1, NULL);
    id a2 = submit_publish("a", "A2"), a3 = submit_publish("a", "A3"), b1 = submit_publish("b", "B1");
    assert_ok(jobs_cancel(CTX, engine, &x1));
    wait_until_running(&b1, &a2);
    assert_state(job_now(&a2), JOB_SUBMITTED);
    /* Alone, an owner's jobs run one after the other, oldest first. */
    assert_ok(jobs_cancel(CTX, engine, &b1));
    wait_until_running(&a2, &a3);
    assert_state(job_now(&a3), JOB_SUBMITTED);
    assert_state(job_now(&a1), JOB_RUNNING);
}

struct waiter {
    id job;
    int rc;
    bool busy;
};

static void *wait_for_job(void *arg)
{
    struct waiter *w = arg;
    struct ctx ctx;
    struct job job;
    ctx_open(&ctx);
    w->rc = jobs_wait(&ctx, engine, &w->job, &job);
    w->busy = err_is(&ctx, &ERR_BUSY);
    ctx_close(&ctx);
    return NULL;
}

static void waiting_calls_are_told_that_the_portal_stops(void **state)
{
    (void)state;
    pthread_t thread;
    engine_start(0);
    struct waiter w = {.job = submit("export", "owner", BAD)};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_job, &w), 0);
    jobs_stop(engine);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.rc, RC_FAIL);
    assert_true(w.busy);
}

static void only_so_many_calls_wait_at_once(void **state)
{
    (void)state;
    engine_start(0);
    fx.site.settings.sync_calls = 2;
    assert_ok(jobs_wait_begin(CTX, engine));
    assert_ok(jobs_wait_begin(CTX, engine));
    assert_refused(jobs_wait_begin(CTX, engine), ERR_BUSY);
    assert_refused(jobs_wait_begin(CTX, engine), ERR_BUSY); /* what was refused took no place */
    jobs_wait_end(engine);
    assert_ok(jobs_wait_begin(CTX, engine));
    assert_refused(jobs_wait_begin(CTX, engine), ERR_BUSY);
    fx.site.settings.sync_calls = 0;
    jobs_wait_end(engine);
    jobs_wait_end(engine);
    assert_refused(jobs_wait_begin(CTX, engine), ERR_BUSY);
}

static void closing_what_was_never_opened(void **state)
{
    (void)state;
    jobs_close(NULL);
}

/* ---- messages ---- */

static void messages_are_json_and_not_told_twice(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 << 20);
    buf_add(&text, STR("\"Told \\\"before\\\"\""));
    struct job_run run = {.messages = &text, .messages_before = text.n};
    job_message(&run, "Told \"%s\"", "before");
    job_message(&run, "New\n%d", 1);
    job_message(&run, "New\n%d", 1); /* of this attempt: it may well happen twice */
    job_message(&run, "before");
    assert_str(buf_str(&text), "\"Told \\\"before\\\"\",\"New\\n1\",\"New\\n1\",\"before\"");
}

static void a_very_long_message_is_cut_and_stays_valid(void **state)
{
    (void)state;
    struct json v;
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 << 20);
    struct job_run run = {.messages = &text};
    char *word = arena_alloc(fx.ctx.arena, 2001);
    for (int i = 0; i < 2000; i += 2)
        memcpy(word + i, "\xc3\xa4", 2);
    job_message(&run, "x%s", word); /* the cut falls into a character */
    assert_ok(json_parse(CTX, arena_printf(fx.ctx.arena, "[%.*s]", STR_FMT(buf_str(&text))), &v));
    assert_int_equal(json_count(v), 1);
}

static void there_is_an_end_to_messages(void **state)
{
    (void)state;
    struct json v, last = JSON_ABSENT;
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    struct job_run run = {.messages = &text};
    for (int i = 0; i < 20000; i++)
        job_message(&run, "%d %0100d", i, 0);
    assert_true(text.n < (1 << 20));
    assert_ok(json_parse(CTX, arena_printf(fx.ctx.arena, "[%.*s]", STR_FMT(buf_str(&text))), &v));
    assert_in_range(json_count(v), 1000, 19999);
    struct json_iter it = json_each(v);
    for (struct json line; json_next(&it, NULL, &line);)
        last = line;
    assert_str(json_string(last, fx.ctx.arena), "There are too many messages: further ones are left out.");
}

/* ---- as the API tells them ---- */

static void words_of_states(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        enum job_state state;
        const char *word;
    } WORD[] = {{"export", JOB_SUBMITTED, "submitted"},  {"export", JOB_RUNNING, "processing"},
                {"export", JOB_SUCCEEDED, "succeeded"},  {"import", JOB_SUCCEEDED, "completed"},
                {"publish", JOB_SUCCEEDED, "completed"}, {"export", JOB_FAILED, "failed"},
                {"import", JOB_CANCELED, "cancelled"},   {"unknown", JOB_SUCCEEDED, "completed"}};
    for (size_t i = 0; i < COUNT_OF(WORD); i++) {
        const struct job job = {.kind = str_c(WORD[i].kind), .state = WORD[i].state};
        assert_string_equal(job_status_word(SITE, &job), WORD[i].word);
    }
    fx.site.settings.export_done_word = "completed";
    const struct job job = {.kind = STR("export"), .state = JOB_SUCCEEDED};
    assert_string_equal(job_status_word(SITE, &job), "completed");
}

static str printed(const struct job *job)
{
    struct buf b = BUF_INIT(1 << 20);
    struct json_out o;
    json_out_buf(&o, CTX, &b);
    job_print(&o, SITE, job);
    assert_ok(json_out_end(&o, "job"));
    str text = arena_str(fx.ctx.arena, buf_str(&b));
    buf_free(&b);
    return text;
}

static void the_resource_of_a_job(void **state)
{
    (void)state;
    struct job job = {.kind = STR("import"),
                      .state = JOB_RUNNING,
                      .definition = STR("{\"type\":\"import\"}"),
                      .request = STR("{\"secret\":1}"),
                      .created = 5,
                      .modified = 6};
    assert_true(id_parse(STR("00112233445566778899aabbccddeeff"), &job.id));
    assert_str(printed(&job), "{\"id\":\"00112233445566778899aabbccddeeff\",\"definition\":{\"type\":\"import\"},"
                              "\"status\":\"processing\",\"created\":5,\"modified\":6,\"messages\":[]}");
    job.state = JOB_SUCCEEDED;
    job.messages = STR("[\"m\"]");
    job.progress = STR("{\"itemsDone\":1}");
    job.result = STR("{\"r\":1}");
    assert_str(printed(&job), "{\"id\":\"00112233445566778899aabbccddeeff\",\"definition\":{\"type\":\"import\"},"
                              "\"status\":\"completed\",\"created\":5,\"modified\":6,\"messages\":[\"m\"],"
                              "\"progress\":{\"itemsDone\":1},\"result\":{\"r\":1}}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_fixture_open, jobs_fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_submitted_job_waits_with_all_that_was_asked),
        TEST(a_job_that_is_not_there),
        TEST(waiting_ends_with_the_callers_deadline_and_the_job_stays),
        TEST(a_waiting_job_that_is_cancelled_never_runs),
        TEST(a_job_that_ended_cannot_be_cancelled_any_more),
        TEST(requests_that_cannot_be_run_fail),
        TEST(a_running_job_can_be_cancelled),
        TEST(a_job_that_ran_when_the_engine_closed_goes_on),
        TEST(one_that_was_cancelled_while_the_engine_closed_does_not),
        TEST(the_owner_with_the_fewest_running_comes_next),
        TEST(waiting_calls_are_told_that_the_portal_stops),
        TEST(only_so_many_calls_wait_at_once),
        TEST(closing_what_was_never_opened),
        TEST(messages_are_json_and_not_told_twice),
        TEST(a_very_long_message_is_cut_and_stays_valid),
        TEST(there_is_an_end_to_messages),
        TEST(words_of_states),
        TEST(the_resource_of_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
