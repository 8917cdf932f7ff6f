/* Waiting for a job of a portal: asks portals/self/jobs/{id} with the key until it has ended, shows progress and new messages. */
#ifndef MAPFERRY_CLI_JOB_H
#define MAPFERRY_CLI_JOB_H

#include "cli/output.h"
#include "cli/remote.h"

/* started: the answer with jobId and key. out: the finished job. A job that failed or was cancelled is ERR_REMOTE with its last
 * message. */
int remote_job_wait(struct ctx *ctx, struct remote *r, struct output *o, struct json started, struct json *out);

/* The same for a job that an item's status is asked for: path and form are of that question. */
int remote_status_wait(struct ctx *ctx, struct remote *r, struct output *o, str path, const struct form *form, struct json *out);

#endif
