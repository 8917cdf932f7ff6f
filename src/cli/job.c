/* See job.h. Status words differ between operations and versions (api.md 1.2), so they are read by class. */
#include "cli/job.h"
#include <time.h>

enum { WAIT_FIRST_MS = 100, WAIT_MOST_MS = 2000 };

enum status_class { STATUS_RUNNING, STATUS_DONE, STATUS_FAILED };

static enum status_class status_of(str word)
{
    static const char *const done[] = {"succeeded", "success", "completed", "complete"};
    static const char *const failed[] = {"failed", "failure", "error", "cancelled", "canceled", "timedout"};
    for (size_t i = 0; i < COUNT_OF(done); i++)
        if (str_ieq(word, str_c(done[i])))
            return STATUS_DONE;
    for (size_t i = 0; i < COUNT_OF(failed); i++)
        if (str_ieq(word, str_c(failed[i])))
            return STATUS_FAILED;
    return STATUS_RUNNING;
}

static void wait_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

static void show(struct ctx *ctx, struct output *o, struct json job, size_t *told)
{
    struct json messages = json_get_c(job, "messages"), progress = json_get_c(job, "progress"), m;
    struct json_iter it = json_each(messages);
    for (size_t i = 0; json_next(&it, NULL, &m); i++)
        if (i >= *told) {
            output_event(ctx, o, "message", "%.*s", STR_FMT(json_string(m, ctx->arena)));
            *told = i + 1;
        }
    int64_t done = 0, total = 0;
    if (json_int(json_get_c(progress, "bytesDone"), &done) && json_int(json_get_c(progress, "bytesTotal"), &total) && total)
        output_progress(ctx, o, "job", done, total, "bytes");
    else if (json_int(json_get_c(progress, "itemsDone"), &done) && json_int(json_get_c(progress, "itemsTotal"), &total) && total)
        output_progress(ctx, o, "job", done, total, "items");
}

/* The job of a command that was interrupted is of no use to anybody. */
static void job_cancel(const struct ctx *ctx, struct remote *r, str path, const struct form *form)
{
    struct ctx own = remote_aftermath(ctx);
    struct json answer;
    (void)remote_call(&own, r, true, arena_printf(own.arena, "%.*s/cancel", STR_FMT(path)), form,
                      &answer); /* it may have ended */
    ctx_close(&own);
}

static int job_wait(struct ctx *ctx, struct remote *r, struct output *o, str path, const struct form *form, struct json *out)
{
    size_t told = 0;
    for (unsigned pause = WAIT_FIRST_MS;; pause = pause < WAIT_MOST_MS ? pause * 3 / 2 : WAIT_MOST_MS) {
        struct arena_mark mark = arena_mark(ctx->arena);
        TRY(ctx_check(ctx));
        TRY(remote_call(ctx, r, true, path, form, out)); /* POST: the key is not to stand in logs */
        show(ctx, o, *out, &told);
        enum status_class status = status_of(json_string_or(json_get_c(*out, "status"), ctx->arena, STR("")));
        if (status == STATUS_DONE)
            return RC_OK;
        if (status == STATUS_FAILED) {
            struct json messages = json_get_c(*out, "messages");
            size_t n = json_count(messages);
            return err_set(ctx, &ERR_REMOTE, "The job failed: %.*s",
                           STR_FMT(n ? json_string(json_at(messages, n - 1), ctx->arena) : STR("no reason given")));
        }
        arena_release(ctx->arena, mark);
        wait_ms(pause);
    }
}

int remote_job_wait(struct ctx *ctx, struct remote *r, struct output *o, struct json started, struct json *out)
{
    str job = json_string(json_get_c(started, "jobId"), ctx->arena), key = json_string(json_get_c(started, "key"), ctx->arena);
    if (str_empty(job))
        return err_set(ctx, &ERR_REMOTE, "%.*s started no job.", STR_FMT(r->base));
    struct form form = remote_form();
    if (!str_empty(key))
        TRY(form_add(ctx, &form, STR("key"), key));
    str path = arena_printf(ctx->arena, "/portals/self/jobs/%.*s", STR_FMT(job));
    int rc = job_wait(ctx, r, o, path, &form, out);
    output_end(o);
    if (rc == RC_CANCELED)
        job_cancel(ctx, r, path, &form);
    return rc;
}

int remote_status_wait(struct ctx *ctx, struct remote *r, struct output *o, str path, const struct form *form, struct json *out)
{
    int rc = job_wait(ctx, r, o, path, form, out);
    output_end(o);
    return rc;
}
