/* What the portal signs in with to a service that an item leads to (serviceUsername and its like). They come in with addItem and
 * update, are sealed with the key of the data folder, and go nowhere: no answer, no package and no log has them. An item whose
 * URL changes loses them, so that nobody who may update it can lead them elsewhere. */
#ifndef MAPFERRY_SERVICE_ITEM_CREDENTIAL_H
#define MAPFERRY_SERVICE_ITEM_CREDENTIAL_H

#include "service/item.h"

/* Does every stored credential open with the key of the data folder? Findings one line each, counted in *bad_out. */
int item_credentials_check(struct ctx *ctx, struct sql *db, const char *data_dir, void (*report)(void *arg, const char *line),
                           void *arg, uint64_t *bad_out);

#endif
