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
    bool items_may_fail; /* an item that cannot be put becomes PLAN_FAIL instead of ending the run (one that is too large
                            or lost always does) */
    bool by_rank;        /* services before maps before apps; else in id order */
    bool content_there;  /* the target has all content but texts already: batches are bounded by their items only */
    unsigned threads;    /* workers that prepare items beside the run's own thread, 0: it does that itself */
    /* What is done to texts on the way, on any thread, an item's texts by one; NULL nothing. What change_open makes for an item
     * (in that context's arena, as long as the item is in memory) is the `arg` of change, and change_done gets it on the run's
     * own thread, in the order of the items. Without change_open, change_arg itself is the `arg`. */
    text_change *change;
    void *change_arg;
    void *(*change_open)(struct ctx *ctx, void *arg, const id *item);
    void (*change_done)(void *arg, void *noted);
    /* What an item becomes on the target before it is put (owner, name of its service), on any thread; NULL: as it is. */
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
