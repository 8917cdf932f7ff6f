/* item.json of a package: printed by the writer, parsed by the reader. */
#ifndef MAPFERRY_PORTAL_PACKAGE_ITEM_JSON_H
#define MAPFERRY_PORTAL_PACKAGE_ITEM_JSON_H

#include "portal/portal.h"

enum { ITEM_JSON_MAX = 16 * 1024 * 1024 };
/* files[i]: where parts[i] lies below the item's folder. Relationships are not in item.json. */
struct item_json {
    const struct portal_item *item; /* its own part list is not used */
    const struct item_part *parts;
    const str *files;
    size_t part_count;
};
void item_json_print(struct json_out *o, const struct item_json *in);
/* Everything in the arena; definition and relationships stay empty. ERR_CORRUPT when it is not an item.json of that id,
 * ERR_INVALID for part names that lead out of the item. */
int item_json_parse(struct ctx *ctx, const id *item, str text, struct portal_item *out);

#endif
