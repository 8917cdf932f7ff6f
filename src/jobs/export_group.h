/* Group export (group-export document): what is asked, planned and answered. */
#ifndef MAPFERRY_JOBS_EXPORT_GROUP_H
#define MAPFERRY_JOBS_EXPORT_GROUP_H

#include "jobs/jobs.h"
#include "migrate/plan.h"
#include "model/access.h"

/* The request of an export job, stored as JSON. */
struct export_request {
    id group;
    str group_title;
    struct caller caller; /* who asked: owns the Export Package item, and is told of no item that they may not see */
    bool all;             /* no itemIdList */
    id *items;            /* itemIdList */
    size_t item_count;
    id folder;      /* of the Export Package item, ID_NONE: root */
    str file_name;  /* "" : <groupTitle>_<YYYYMDD>_<HHMMSS> */
    bool keep_item; /* false: a synchronous call takes the stream, no item is left */
};
str export_request_print(struct ctx *ctx, const struct export_request *r);
/* ERR_CORRUPT when a member that every request has is missing or is not what it should be. */
int export_request_parse(struct ctx *ctx, struct json v, struct export_request *out);
/* The job's definition as the API shows it. */
str export_definition(struct ctx *ctx, const struct export_request *r);

/* What would be exported, skipped (with the reason) or fail. Also checks the limits and the free space. */
int export_plan(struct ctx *ctx, struct site *site, const struct export_request *r, struct plan *out);
/* The references that leave the package, with notes, for a preview; the job finds them while it carries the items. */
int export_references(struct ctx *ctx, struct site *site, const struct export_request *r, struct plan *p);

/* After an export without an item: the package's bytes. RC_END: nothing was exported. */
int export_package_of(struct ctx *ctx, const struct job *job, struct hash *hash_out, str *file_name_out);

#endif
