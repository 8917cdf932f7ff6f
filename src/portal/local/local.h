/* The portal we are, as a source and as a target. Works on the stores directly: who may was decided before it was opened, and the
 * rules of the Sharing API (names of files and services unique, sharing) are kept in its transactions. */
#ifndef MAPFERRY_PORTAL_LOCAL_LOCAL_H
#define MAPFERRY_PORTAL_LOCAL_LOCAL_H

#include "portal/portal.h"
#include "service/site.h"

/* As a target: where the items go. All NULL or 0 for a source. */
struct portal_local_target {
    id run;           /* the job: keys the steps that are done, so that a repeated put is recognised */
    str owner;        /* of new items */
    id folder;        /* of new items, ID_NONE: root */
    id group;         /* new items are shared to it, ID_NONE: to none */
    unsigned threads; /* that read and write bytes */
};
/* site outlives the portal. target NULL: reading only. */
int portal_local_open(struct ctx *ctx, struct site *site, const struct portal_local_target *target, struct portal **out);

/* The data set that a run fills for an item: always the same, so that a repeated step finds what an interrupted one left. */
id portal_local_store_id(const id *run, const id *item);

#endif
