/* The job engine: one queue row a job, run by worker threads, fair by owner, resumable. A job is a kind (row of kinds.def), a
 * request and a checkpoint; its function is called again from the last checkpoint after a restart, so every step is idempotent. A
 * job never waits for a job. */
#ifndef MAPFERRY_JOBS_JOBS_H
#define MAPFERRY_JOBS_JOBS_H

#include "service/site.h"

enum { JOB_KEY_SIZE = 45 }; /* 44 characters of base64 and a NUL */
struct jobs;
/* What a running job's function gets. */
struct job_run {
    struct site *site;
    struct jobs *jobs;
    struct job *job;        /* definition, request, checkpoint as stored */
    struct json request;    /* job->request parsed */
    str dir;                /* a folder of its own below DIR/work, kept until the job ends */
    struct buf *messages;   /* JSON array elements, see job_message */
    size_t messages_before; /* bytes of those that earlier attempts told; they are not told again */
    bool messages_cut;      /* there were too many */
    char progress[256];     /* as JSON, of the last checkpoint */
};
/* Returns RC_OK with job->result set (JSON), or an error that becomes the job's failure. RC_CANCELED with job->cancel_asked:
 * cancelled; RC_CANCELED at shutdown: the job stays running and resumes. */
typedef int job_fn(struct ctx *ctx, struct job_run *run);

int jobs_open(struct ctx *ctx, struct site *site, unsigned threads, struct jobs **out); /* requeues what was unfinished */
/* Running jobs stop at their next check, to go on after the next start; waiting calls are told. */
void jobs_stop(struct jobs *j);
void jobs_close(struct jobs *j); /* stops, waits for the threads, frees; NULL is allowed */

struct job_submit {
    const char *kind;
    str owner, definition, request, item;
};
/* Makes the row and queues it. The key is shown here and never again. */
int jobs_submit(struct ctx *ctx, struct jobs *j, const struct job_submit *what, id *job_out, char key_out[JOB_KEY_SIZE]);
/* The row as it is now. RC_NOT_FOUND with ERR_MISSING. */
int jobs_get(struct ctx *ctx, struct jobs *j, const id *job, struct job *out);
/* A synchronous call takes a place before it submits, so that nothing was started when there is none: ERR_BUSY (503 with
 * Retry-After). Give it back with jobs_wait_end. */
int jobs_wait_begin(struct ctx *ctx, struct jobs *j);
void jobs_wait_end(struct jobs *j);
/* Waits until the job ended; its row into *out. */
int jobs_wait(struct ctx *ctx, struct jobs *j, const id *job, struct job *out);
int jobs_cancel(struct ctx *ctx, struct jobs *j, const id *job); /* RC_NOT_FOUND */
bool jobs_key_matches(const struct job *job, str key);           /* constant time */

/* For job functions. */
void job_message(struct job_run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct job_progress {
    int64_t items_done, items_total, bytes_done, bytes_total, features_done;
};
/* Stores progress, messages and (when not STR_NONE) checkpoint durably. */
int job_checkpoint(struct ctx *ctx, struct job_run *run, const struct job_progress *progress, str checkpoint);
/* The API's word for a state: "submitted", "processing", "succeeded" (export: setting) or "completed" (import, publish),
 * "failed", "cancelled". */
const char *job_status_word(const struct site *site, const struct job *job);
/* The job resource of the API. */
void job_print(struct json_out *o, const struct site *site, const struct job *job);

#endif
