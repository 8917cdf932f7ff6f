/* The rows that an edit is about: which of them are there for the caller, and what the rules need to know of them. Private to the
 * hosted services. */
#ifndef MAPFERRY_SERVICE_HOSTED_TARGETS_H
#define MAPFERRY_SERVICE_HOSTED_TARGETS_H

#include "service/hosted_rows.h"

struct hosted_target {
    int64_t oid;
    str global_id, creator; /* STR_NONE: no such field, or no value */
    struct value type;
};
struct hosted_targets {
    const struct hosted_rows *rows;
    struct layer probe; /* the table's layer with what the caller may see of it */
    struct hosted_target *list;
    size_t count, capacity;
};
void hosted_targets_open(const struct hosted_rows *r, struct hosted_targets *out);
/* Adds those that a query over the layer as the caller sees it finds; order and fields of the query do not matter. */
int hosted_targets_query(struct ctx *ctx, struct feature_edit *e, struct hosted_targets *t, const struct feature_query *q);
int hosted_targets_oids(struct ctx *ctx, struct feature_edit *e, struct hosted_targets *t, const int64_t *oids, size_t count);
/* GUIDs in canonical form. all: also those that the caller does not see. ERR_FEATURE when the layer has no GlobalIDs. */
int hosted_targets_guids(struct ctx *ctx, struct feature_edit *e, struct hosted_targets *t, const str *guids, size_t count,
                         bool all);
/* After the last addition, for looking up; then NULL: not there. */
void hosted_targets_sort(struct hosted_targets *t, bool by_guid);
const struct hosted_target *hosted_targets_find(const struct hosted_targets *t, int64_t oid);
const struct hosted_target *hosted_targets_find_guid(const struct hosted_targets *t, str guid);

/* ---- hosted_edit.c ---- */
/* ERR_FORBIDDEN when ownership-based access keeps the caller from changing the row. */
int hosted_ownership_check(struct ctx *ctx, const struct caller *c, const struct hosted_service *h, const struct hosted_rows *r,
                           const struct hosted_target *t);

#endif
