/* The plan of a migration: what is to happen to each selected item, decided before anything is changed. */
#ifndef MAPFERRY_MIGRATE_PLAN_H
#define MAPFERRY_MIGRATE_PLAN_H

#include "model/refs.h"
#include "portal/portal.h"

enum plan_action { PLAN_CREATE, PLAN_OVERWRITE, PLAN_SKIP, PLAN_FAIL };
struct plan_item {
    id id;
    str type, title;
    int64_t size;      /* bytes of all parts; layers are not known before they are written */
    int64_t text_size; /* of those that the engine looks into */
    int64_t created, modified;
    enum plan_action action;
    bool exists; /* on the target */
    str reason;  /* of a skip or failure, a sentence */
    bool hosted;
    str service_name; /* on the target, for hosted items that are created or overwritten */
    int rank;         /* creation order: services first */
};
/* A reference from a planned item to something that is not in the plan. */
struct plan_reference {
    id item; /* who refers */
    struct ref_found found;
    str note; /* what became of it, or why it matters: a sentence */
};
enum { PLAN_REFERENCES_MAX = 1000 };
struct plan {
    struct plan_item *items; /* by id */
    size_t count;
    struct plan_reference *references;
    size_t reference_count, reference_capacity; /* at most PLAN_REFERENCES_MAX are kept */
    size_t reference_total;
    int64_t bytes; /* of the items that are to be carried */
};

/* Decides about one item: fills action, exists, reason, service_name (the rest is filled already). RC_NOT_FOUND: it is to look as
 * if the item did not exist. */
typedef int plan_decide(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out);
/* Plans the given items of the source; those that do not exist there become PLAN_SKIP. The plan lives in the context's arena. */
int plan_make(struct ctx *ctx, struct portal *source, const id *ids, size_t count, plan_decide *decide, void *arg,
              struct plan *out);
struct plan_item *plan_find(const struct plan *p, const id *item); /* NULL when not in it */
bool plan_carries(const struct plan_item *i);                      /* created or overwritten */

/* The references of the carried items to items outside of the plan, each different (item, value, kind) once, in p->references
 * without notes. known (may be NULL): the source's own bases and the services that are carried; then URLs of its other services
 * count as well. An item that is lost (plan_item_lost) becomes PLAN_FAIL. */
int plan_references(struct ctx *ctx, struct portal *source, const struct idmap *known, struct plan *p);

/* Is a failure with an item the item's own, so that it fails alone: it went since the plan was made, or its content is lost or
 * damaged? */
bool plan_item_lost(int rc, const struct err_kind *kind);

/* Does this reference of a carried item lead out of the plan? */
bool plan_leaves(const struct plan *p, const id *item, const struct ref_found *f);
/* Keeps a reference (once an item and value), or counts it only when there are many. note: static or in the arena. */
void plan_reference_add(struct ctx *ctx, struct plan *p, const id *item, const struct ref_found *f, const char *note);

#endif
