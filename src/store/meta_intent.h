/* Changes of attachments that belong to an edit of features. Features and attachments are in two stores, and there is no
 * transaction over both; so the changes are written down first (with a number), then the edit is committed together with that
 * number, then the changes come into force. Whoever finds changes that were written down asks the data set for the last number
 * committed (feature_number): up to that one they hold, the others never happened. */
#ifndef MAPFERRY_STORE_META_INTENT_H
#define MAPFERRY_STORE_META_INTENT_H

#include "store/meta.h"

enum file_intent { INTENT_PUT = 1, INTENT_DELETE };
/* The bytes of what is put must be attached (blob_attach) earlier in the same transaction. */
int meta_intent_insert(struct ctx *ctx, struct sql_tx *tx, const id *store, int64_t number, int64_t sequence,
                       enum file_intent kind, const struct attachment *a);
/* Those of the data set up to that number come into force, in their order; all are forgotten. */
int meta_intents_settle(struct ctx *ctx, struct sql_tx *tx, const id *store, int64_t last);
int meta_intent_stores(struct ctx *ctx, struct sql_tx *tx, id **out, size_t *count_out); /* that have any */

#endif
