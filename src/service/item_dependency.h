/* What an item is made of, read from its content by the reference rules of its type: the items that its data name by id, and the
 * hosted services of this portal that they name by URL. */
#ifndef MAPFERRY_SERVICE_ITEM_DEPENDENCY_H
#define MAPFERRY_SERVICE_ITEM_DEPENDENCY_H

#include "service/item.h"

struct item_dependency {
    bool is_item; /* value is the id of an item, whether it is here or not; else the URL of a service */
    str value;
};
/* server_url: where the caller sees our services. Each once, in the order of the content. Whoever may read the item may read its
 * data, so nothing of what is named is looked up. Content without rules, without text, or larger than a text of an item may be
 * names nothing. Errors as item_part_get. */
int item_dependencies(struct ctx *ctx, struct site *s, const struct caller *c, str server_url, const id *item,
                      struct item_dependency **out, size_t *count_out);

#endif
