/* Adding and updating items as a job, for what takes its time: content to be fetched, parts to be joined. */
#ifndef MAPFERRY_JOBS_ITEM_WORK_H
#define MAPFERRY_JOBS_ITEM_WORK_H

#include "jobs/jobs.h"
#include "service/item.h"

enum item_work_kind { ITEM_WORK_ADD, ITEM_WORK_UPDATE, ITEM_WORK_COMMIT };
struct item_work {
    enum item_work_kind kind;
    struct caller caller;
    str owner; /* whose content: add, commit */
    id folder; /* add */
    id item;   /* add: the id that was given out, see item_input.id_given */
    struct item_input in;
};
/* Can it be done later? What came with the request itself (files, texts) is done with it; so is what holds a password. */
bool item_work_can_wait(const struct item_work *w);
/* Starts the job, whose item is w->item. */
int item_work_submit(struct ctx *ctx, struct jobs *jobs, const struct item_work *w);

#endif
