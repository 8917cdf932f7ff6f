/* Names of the members of a package (docs/formats/package.md). */
#ifndef MAPFERRY_PORTAL_PACKAGE_NAMES_H
#define MAPFERRY_PORTAL_PACKAGE_NAMES_H

#include "model/item.h"

/* "items/<id>/<rest>", in the arena. */
str names_item(struct arena *a, const id *item, str rest);
/* The id when the name is "items/<id>/item.json". */
bool names_is_item(str name, id *out);
/* Where the parts of one item lie below "items/<id>/": files_out[i] for parts[i], in the arena. Names that a file system may not
 * like are percent-encoded, names that differ in case only are told apart, long ones are cut; the true name is in item.json. */
int names_of_parts(struct ctx *ctx, const struct item_part *parts, size_t count, str **files_out);
/* May a part have this name? Relative, no ".." and the like. Data may have none. */
bool names_part_valid(enum part_kind kind, str name);

#endif
