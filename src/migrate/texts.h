/* The texts of an item in which references stand: which parts are text, and going over all of them once. */
#ifndef MAPFERRY_MIGRATE_TEXTS_H
#define MAPFERRY_MIGRATE_TEXTS_H

#include "model/refs.h"
#include "portal/portal.h"

/* May the engine look into this part, and change it? Text data of items (not uploaded files), JSON, XML, HTML, SVG, JavaScript,
 * CSS and plain text among info files and resources, up to TEXT_MAX bytes. Everything else is carried as it is. */
enum { TEXT_MAX = 32 << 20 };
bool text_part(struct ctx *ctx, const struct item *item, const struct item_part *part);
/* The bytes of a part, in the arena. */
int text_read(struct ctx *ctx, struct portal *source, const id *item, const struct item_part *part, str *out);
/* Finds the references of all texts of an item. */
int texts_find(struct ctx *ctx, struct portal *source, const struct portal_item *item, const struct idmap *known,
               struct ref_list *found);

/* Makes the put of an item: fields, definition and text parts gone over by `change`, all in the context's arena. change may be
 * NULL. */
typedef int text_change(struct ctx *ctx, void *arg, const struct itemtype *type, enum ref_place place, str name, str text,
                        str *out);
int texts_put(struct ctx *ctx, struct portal *source, const struct portal_item *item, text_change *change, void *arg,
              struct item_put *out);

#endif
