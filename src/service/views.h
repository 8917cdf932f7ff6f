/* How often items are looked at. Views are counted in memory and brought into the rows from time to time (jobs/upkeep), so that
 * reading an item is not a write; what was counted since is lost when the process is killed. */
#ifndef MAPFERRY_SERVICE_VIEWS_H
#define MAPFERRY_SERVICE_VIEWS_H

#include "service/site.h"

struct views;
struct views *views_open(void);    /* empty; release with views_close */
void views_close(struct views *v); /* NULL is allowed; what was not flushed is forgotten */
void views_add(struct ctx *ctx, struct views *v, const id *item);
/* What was counted and is not in the row yet. when_out: the last time, unchanged without one. */
int64_t views_pending(struct views *v, const id *item, int64_t *when_out);
int views_flush(struct ctx *ctx, struct site *s);

#endif
