/* What is found in the texts of an item while workers go over them, kept until the thread of the job takes it over: in the order
 * of the items, whichever was ready first. */
#ifndef MAPFERRY_JOBS_NOTES_H
#define MAPFERRY_JOBS_NOTES_H

#include "jobs/kinds.h"
#include "migrate/plan.h"

struct note {
    struct ref_found found;
    const char *why; /* static */
    str message;     /* a line for the job instead of a reference */
};
struct notes {
    void *run; /* the export or import */
    id item;
    struct ctx *ctx; /* what the notes live in */
    struct note *list;
    size_t count, capacity;
};
/* For migrate_run's change_open. */
struct notes *notes_open(struct ctx *ctx, void *run, const id *item);
void notes_reference(struct notes *n, const struct ref_found *f, const char *why);
void notes_message(struct notes *n, str message);
/* On the job's own thread: references to the plan (in keep), all or those that lead out of it; lines to the job. */
void notes_tell(const struct notes *n, struct ctx *keep, struct plan *plan, struct job_run *job, bool only_leaving);

#endif
