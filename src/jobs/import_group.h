/* Group import (group-import document): what is asked, planned and answered. */
#ifndef MAPFERRY_JOBS_IMPORT_GROUP_H
#define MAPFERRY_JOBS_IMPORT_GROUP_H

#include "jobs/jobs.h"
#include "migrate/plan.h"
#include "model/access.h"
#include "portal/package/package.h"

/* The request of an import job, stored as JSON. */
struct import_request {
    id group;
    str group_title;
    id package; /* the Export Package item */
    bool all;   /* no itemIdList */
    id *items;
    size_t item_count;
    bool overwrite, keep_package;
    struct caller caller; /* who asked: decides what may be overwritten and published */
    str owner;            /* of new items: the caller, or folderOwnerUsername */
    id folder;            /* folderId; ID_NONE: the folder named folder_title, made when missing */
    str folder_title;     /* importContentFolder, or the group's title */
};
str import_request_print(struct ctx *ctx, const struct import_request *r);
/* ERR_CORRUPT when a member that every request has is missing or is not what it should be. */
int import_request_parse(struct ctx *ctx, struct json v, struct import_request *out);
str import_definition(struct ctx *ctx, const struct import_request *r);

/* The package behind an item, opened for reading. The bytes are not verified yet. temp_dir: where layers are unpacked, "" when no
 * rows are needed. */
int import_open(struct ctx *ctx, struct site *site, const id *item, str temp_dir, struct portal **out);
/* ERR_PACKAGE when the package comes from a newer version than we report. */
int import_version_check(struct ctx *ctx, const struct site *site, const struct package_summary *summary);
/* What would be created, overwritten, skipped or fail, with reasons. run: the job (ID_NONE for a preview); what it did before a
 * restart counts as to be carried. */
int import_plan(struct ctx *ctx, struct site *site, struct portal *package, const struct import_request *r, const id *run,
                struct plan *out);

#endif
