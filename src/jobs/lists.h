/* How plans are told to clients: the item lists of export and import, previews, references. */
#ifndef MAPFERRY_JOBS_LISTS_H
#define MAPFERRY_JOBS_LISTS_H

#include "migrate/plan.h"

/* One list member: carried items as {"itemId":…}; the others of that action with title, type and reason. */
void lists_items(struct json_out *o, const char *name, const struct plan *p, bool (*wanted)(const struct plan_item *i));
bool lists_carried(const struct plan_item *i);
bool lists_skipped(const struct plan_item *i);
bool lists_failed(const struct plan_item *i);
/* "references": [{"itemId","place","name","pointer","value","note"}], as many as the plan kept, with "referencesTotal". */
void lists_references(struct json_out *o, const struct plan *p);

/* Ids in requests. */
void lists_ids_print(struct json_out *o, const char *name, const id *ids, size_t count);
int lists_ids_parse(struct ctx *ctx, struct json list, id **ids_out, size_t *count_out);

/* Ends a text that was written into b: a copy in the arena; b is released. */
str lists_text(struct ctx *ctx, struct json_out *o, struct buf *b);

#endif
