/* Composite relationships: with a feature go those related to it, and what hangs on them in turn. Private to the hosted services.
 */
#ifndef MAPFERRY_SERVICE_HOSTED_CASCADE_H
#define MAPFERRY_SERVICE_HOSTED_CASCADE_H

#include "service/hosted.h"

struct hosted_gone {
    const struct layer *layer;
    int64_t oid;
    str global_id; /* STR_NONE: none */
};
struct hosted_cascade {
    const struct service *def; /* that has the tables: of a view, its source's */
    struct feature_edit *edit;
    struct cascade_step *steps; /* to be done */
    struct hosted_gone *gone;   /* what was deleted by it */
    size_t count, capacity;
};
/* Before those rows of a layer are deleted: remembers what goes with them. */
int hosted_cascade_read(struct ctx *ctx, struct hosted_cascade *c, const struct layer *l, const int64_t *oids, size_t count);
/* After: deletes it. */
int hosted_cascade_run(struct ctx *ctx, struct hosted_cascade *c);
/* For looking up what went, by GlobalID (when it is not STR_NONE) or object id. NULL: it did not. */
void hosted_cascade_sort(struct hosted_cascade *c, bool by_guid);
const struct hosted_gone *hosted_cascade_find(const struct hosted_cascade *c, const struct hosted_gone *wanted);
/* Does anything go with the features of the layer? */
bool hosted_cascade_any(const struct service *def, const struct layer *l);

#endif
