/* Shared by the two halves of portal/local: reading and writing. */
#ifndef MAPFERRY_PORTAL_LOCAL_LOCAL_PRIVATE_H
#define MAPFERRY_PORTAL_LOCAL_LOCAL_PRIVATE_H

#include "base/pool.h"
#include "portal/local/local.h"

struct local_portal {
    struct portal base;
    struct site *site;
    struct arena *arena; /* as long as the portal */
    bool writes;
    struct portal_local_target target;
    struct pool *pool;
    bool asked, resumed; /* was it looked whether the run has steps already; has it */
    /* since the last checkpoint: */
    struct local_put *puts;
    struct relationship *relationships;
    size_t put_count, put_capacity, relationship_count, relationship_capacity;
};

/* The slots of struct portal_ops, see portal.h: reading, then writing. */
int local_info(struct ctx *ctx, struct portal *p, struct portal_info *out);
int local_list(struct ctx *ctx, struct portal *p, const id *group, id **ids_out, size_t *count_out);
int local_item_get(struct ctx *ctx, struct portal *p, const id *item, struct portal_item *out);
int local_part_open(struct ctx *ctx, struct portal *p, const id *item, const struct item_part *part, struct reader **out);
int local_rows_open(struct ctx *ctx, struct portal *p, const id *item, const struct service *def, const struct layer *l,
                    struct row_source **out);
int local_attachments_open(struct ctx *ctx, struct portal *p, const id *item, struct attachment_source **out);
int local_attachment_read(struct ctx *ctx, struct portal *p, const id *item, const struct portal_attachment *a,
                          struct reader **out);
int local_layers_file(struct ctx *ctx, struct portal *p, const id *item, const char *path);
int local_was_put(struct ctx *ctx, struct portal *p, const id *item, bool *out);
int local_item_put(struct ctx *ctx, struct portal *p, const struct item_put *put);
int local_relationship_put(struct ctx *ctx, struct portal *p, const struct relationship *r);
int local_checkpoint(struct ctx *ctx, struct portal *p, struct put_result **results_out, size_t *count_out);
int local_finish(struct ctx *ctx, struct portal *p);
/* Forgets what was put since the last checkpoint, and the temp files of it. */
void local_puts_drop(struct local_portal *lp);

#endif
