/* What a portal does by itself: drops data sets that were replaced, collects content that nothing names, forgets old tokens,
 * jobs and uploads, keeps the views of items. */
#ifndef MAPFERRY_JOBS_UPKEEP_H
#define MAPFERRY_JOBS_UPKEEP_H

#include "service/site.h"

struct upkeep;
/* Starts the thread that does it. The site outlives it. */
int upkeep_open(struct ctx *ctx, struct site *site, struct upkeep **out);
void upkeep_close(struct upkeep *u); /* NULL is allowed */

#endif
