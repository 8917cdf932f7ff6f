/* Bytes on their way into the portal: read and hashed by several threads, synced once, attached in the checkpoint's transaction.
 */
#ifndef MAPFERRY_PORTAL_LOCAL_LOCAL_STAGE_H
#define MAPFERRY_PORTAL_LOCAL_LOCAL_STAGE_H

#include "portal/local/local_private.h"

/* One distinct content of a batch. */
struct stage_entry {
    struct hash hash;
    struct portal *source;
    id item;
    const struct item_part *part; /* of the source; NULL: `text` are the bytes */
    str text;
    bool there;            /* the store has it already */
    struct blob_new *blob; /* else what will be it */
};
struct local_stage {
    struct stage_entry *entries; /* by hash */
    size_t count;
};

/* Brings the bytes of all parts of the puts that the store lacks into temp files, verified against their hashes, and syncs them.
 */
int local_stage_parts(struct ctx *ctx, struct local_portal *lp, const struct item_put *const *puts, size_t count,
                      struct local_stage *out);
/* In the transaction, first: rows for all of them. */
int local_stage_rows(struct ctx *ctx, struct sql_tx *tx, const struct local_stage *stage);
void local_stage_close(struct local_stage *stage);

/* The attachments of a hosted item into the store and under the data set that nobody sees yet, in durable batches. */
int local_stage_attachments(struct ctx *ctx, struct local_portal *lp, const struct item_put *put, const id *store);

#endif
