/* What the rows of kinds.def are made of, and the functions they name. */
#ifndef MAPFERRY_JOBS_KINDS_H
#define MAPFERRY_JOBS_KINDS_H

#include "jobs/jobs.h"

enum done_word { done_word_export, done_word_import };
struct job_kind {
    const char *name;
    job_fn *run;
    enum done_word word;
};

/* Requests are the JSON that jobs/requests.c prints; each function documents its members. */
int job_export_group(struct ctx *ctx, struct job_run *run);
int job_export_item(struct ctx *ctx, struct job_run *run);
int job_import_group(struct ctx *ctx, struct job_run *run);
int job_item_work(struct ctx *ctx, struct job_run *run);
int job_append(struct ctx *ctx, struct job_run *run);
int job_publish(struct ctx *ctx, struct job_run *run);

#endif
