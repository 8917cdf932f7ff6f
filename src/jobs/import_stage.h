/* Reading a package once: every member is compared, and the large ones become content on the way, present and durable but named
 * by nothing yet. */
#ifndef MAPFERRY_JOBS_IMPORT_STAGE_H
#define MAPFERRY_JOBS_IMPORT_STAGE_H

#include "portal/package/package.h"
#include "service/site.h"

/* Verifies the whole package. Nothing that is visible changes; content of a package that turns out to be damaged is collected
 * like any other that nothing names. */
int import_stage(struct ctx *ctx, struct site *site, struct portal *package);

#endif
