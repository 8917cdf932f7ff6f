/* How often values occur in what a search finds: the parameters countFields and countSize, and the aggregations of the answer.
 * Source: api.md 3.5. */
#ifndef MAPFERRY_WEB_SHARING_COUNTS_H
#define MAPFERRY_WEB_SHARING_COUNTS_H

#include "store/meta.h"
#include "web/web.h"

enum { COUNTS_FIELDS_MAX = 3 };
/* The fields that are to be counted, into `counts`. ERR_PARAMETER. */
int counts_asked(struct ctx *ctx, struct call *call, struct meta_value_counts *counts, size_t *count_out);
/* "aggregations" of the object that is open. */
void counts_print(struct call *call, const struct meta_value_counts *counts, size_t count);

#endif
