/* Item export (item-export document): the features of a hosted service as a file that becomes an item. */
#ifndef MAPFERRY_JOBS_EXPORT_ITEM_H
#define MAPFERRY_JOBS_EXPORT_ITEM_H

#include "formats/format.h"
#include "jobs/jobs.h"
#include "service/hosted_export.h"

struct export_item {
    struct caller caller; /* who asked */
    id item;              /* the service */
    id result;            /* the id that the result's item gets */
    str owner;            /* whose content the result is put into */
    id folder;            /* of it; ID_NONE the root */
    str format, title, tags, snippet;
    str parameters; /* exportParameters as JSON text, "" none */
};
/* What the format wants of the rows, with the parameters parsed. ERR_PARAMETER. */
int export_item_wish(struct ctx *ctx, const struct export_item *r, const struct file_format **format_out,
                     struct hosted_export_wish *out);
/* Starts the job, whose item is r->result. */
int export_item_submit(struct ctx *ctx, struct jobs *jobs, const struct export_item *r, id *job_out);

#endif
