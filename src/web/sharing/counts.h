/* How often values occur in the items that a search finds: countFields of the search, tags of a user. */
#ifndef MAPFERRY_WEB_SHARING_COUNTS_H
#define MAPFERRY_WEB_SHARING_COUNTS_H

#include "service/item.h"

enum counts_field { COUNTS_TAGS, COUNTS_TYPE, COUNTS_ACCESS, COUNTS_CONTENT_STATUS, COUNTS_CATEGORIES, COUNTS_FIELDS };
/* As the API calls it. */
const char *counts_field_name(enum counts_field f);
bool counts_field_parse(str name, enum counts_field *out); /* any case */

struct counts_entry {
    str value;
    int64_t count;
};
/* Everything lives in the arena of the context. */
struct counts {
    struct ctx *ctx;
    struct counts_entry *list;
    size_t count, capacity;
};
void counts_open(struct counts *c, struct ctx *ctx);
/* Counts the values of `fields` over everything that the search finds for this caller; counts[i] belongs to fields[i]. in->page
 * is not used. */
int counts_search(struct ctx *ctx, struct site *s, const struct caller *c, const struct search_input *in,
                  const enum counts_field *fields, size_t field_count, struct counts *counts);
/* The most frequent first, then by value; equal values become one entry. */
void counts_sort(struct counts *c);

#endif
