/* The engine: carries the items of a plan from one portal to another, in batches that are durable one after the other. */
#ifndef MAPFERRY_MIGRATE_MIGRATE_H
#define MAPFERRY_MIGRATE_MIGRATE_H

#include "migrate/plan.h"
#include "migrate/texts.h"

struct migrate_progress {
    int64_t items_done, items_total, bytes_done, bytes_total;
};
struct migrate_run {
    struct portal *source, *target;
    struct plan *plan;
    bool items_may_fail; /* an item that cannot be put becomes PLAN_FAIL instead of ending the run (one that is too large always
                            does) */
    bool by_rank;        /* services before maps before apps; else in id order */
    text_change *change; /* what is done to texts on the way; NULL nothing */
    void *change_arg;    /* struct migrate_change of the caller; told the item by change_item */
    void (*change_item)(void *arg, const id *item);
    /* What an item becomes on the target before it is put (owner, name of its service); NULL: as it is. */
    int (*prepare)(struct ctx *ctx, void *arg, struct plan_item *planned, struct portal_item *item);
    void *prepare_arg;
    /* After each checkpoint: what is done is durable. */
    int (*progress)(struct ctx *ctx, void *arg, const struct migrate_progress *p);
    void *progress_arg;
};
/* Carries every item that the plan creates or overwrites. Those that the target refuses become PLAN_FAIL with the reason. Items
 * that a run before a restart put are not put again. Relationships with both ends carried, or on the target already, are put
 * last. The target's finish is the caller's to call. */
int migrate_run(struct ctx *ctx, const struct migrate_run *run);

#endif
