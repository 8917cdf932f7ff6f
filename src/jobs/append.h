/* Appending the rows of a file to a layer, as a job (api.md 4.4). */
#ifndef MAPFERRY_JOBS_APPEND_H
#define MAPFERRY_JOBS_APPEND_H

#include "jobs/jobs.h"
#include "model/access.h"

struct append {
    struct caller caller;
    id item; /* of the file */
    str service;
    int32_t layer;
    str format; /* of the file, as the API calls it */
    /* As they came, "" without: JSON of fieldMappings and appendSourceInfo, names of fields separated by commas. */
    str mappings, source_info, fields;
    str table, matching_field; /* of the file's layers: which; "" the first */
    bool upsert, skip_inserts, skip_updates, keep_geometry, global_ids, rollback;
};
/* What can be refused is refused here, before there is a job. */
int append_submit(struct ctx *ctx, struct site *s, struct jobs *jobs, const struct append *a, id *job_out);

#endif
