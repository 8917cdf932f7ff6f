/* Content that the portal gets by itself from an address that a client names (dataUrl, thumbnailUrl): http and https, from public
 * addresses or those that the settings allow, within limits of size and time. */
#ifndef MAPFERRY_SERVICE_ITEM_FETCH_H
#define MAPFERRY_SERVICE_ITEM_FETCH_H

#include "service/item.h"

/* What was fetched for an item; {0} is nothing. */
struct item_fetched {
    struct blob_new *data, *thumbnail;
};
void item_fetched_close(struct item_fetched *f); /* for CLEANUP */

/* Does the input name addresses? */
bool item_fetch_needed(const struct item_input *in);
/* Fetches them and puts them into the input as its files, which live as long as *out. Takes as long as the other side does, at
 * most the time of the settings. Whether the caller may is to be asked before: item_add_check, item_update_check. ERR_FETCH
 * naming the parameter and the cause, ERR_PARAMETER. */
int item_fetch(struct ctx *ctx, struct site *s, struct item_input *in, struct item_fetched *out);

/* May the caller add an item there, or update it? As item_add and item_update decide. */
int item_add_check(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder);
int item_update_check(struct ctx *ctx, struct site *s, const struct caller *c, const id *item);

#endif
