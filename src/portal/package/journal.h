/* The journal beside a package that is being written: what the writer knew at each checkpoint, so that a new process goes on
 * there. One JSON object a line; a checkpoint line names the size and hash of the package and the hash of the journal before it,
 * so that a torn journal ends at its last sound checkpoint. */
#ifndef MAPFERRY_PORTAL_PACKAGE_JOURNAL_H
#define MAPFERRY_PORTAL_PACKAGE_JOURNAL_H

#include "portal/package/pack.h"
#include "model/item.h"

enum journal_kind { JOURNAL_ENTRY, JOURNAL_ITEM, JOURNAL_RELATIONSHIP, JOURNAL_CHECKPOINT };
struct journal_record {
    enum journal_kind kind;
    struct pack_entry entry;
    id item;
    struct relationship relationship;
    struct journal_checkpoint {
        uint64_t size; /* of the package file */
        struct hash file;
        bool finished;
        struct hash content; /* when finished */
    } checkpoint;
};

struct journal;
/* Opens path, creates it when missing. Every record up to the last sound checkpoint is given to `apply` in order (strings valid
 * during the call); what lies behind is cut off. *resumed_out: was there a checkpoint? */
int journal_open(struct ctx *ctx, const char *path, int (*apply)(struct ctx *ctx, void *arg, const struct journal_record *r),
                 void *arg, struct journal **out, bool *resumed_out);
void journal_close(struct journal *j); /* NULL is allowed */
/* Collects a record; a checkpoint record writes all that was collected, durable when it returns. */
int journal_add(struct ctx *ctx, struct journal *j, const struct journal_record *r);

#endif
