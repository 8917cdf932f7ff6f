/* The interface behind which everything lies that content can be carried from or to: the portal we are, a package file, later a
 * remote portal and a vault. One const table of functions per implementation; slots that an implementation does not have are
 * NULL, and the wrappers below answer ERR_UNSUPPORTED for them.
 *
 * Threads: item_get and part_open may be called from several threads with contexts of their own; everything else from one at a
 * time. */
#ifndef MAPFERRY_PORTAL_PORTAL_H
#define MAPFERRY_PORTAL_PORTAL_H

#include "base/stream.h"
#include "model/item.h"
#include "model/layer.h"
#include "model/row_source.h"

/* Who this is. */
struct portal_info {
    str https_url, http_url; /* base of the portal ("http://127.0.0.1:7080/portal"), "" when it has none */
    str server_url;          /* base of the hosting server ("http://127.0.0.1:7080/server"), "" unknown */
    str version;             /* "11.4" */
    str portal_id;           /* uuid */
    bool is_portal;
};

/* An item with all that belongs to it, as it is carried. */
struct portal_item {
    struct item item;
    size_t part_count;
    struct item_part *parts; /* data, info, resources; hash and size known */
    size_t relationship_count;
    struct relationship *relationships; /* those of which the item is the origin */
    bool hosted;                        /* a hosted feature service of ours: the next three hold */
    str service_name;
    str definition; /* JSON text, form of the admin resource */
};

struct portal_attachment {
    int32_t layer;
    int64_t id, parent_oid;
    str global_id, parent_global_id, name, content_type, keywords;
    int64_t size;
    struct hash hash;
};

struct attachment_source {
    int (*next)(struct ctx *ctx, struct attachment_source *s,
                struct portal_attachment *out); /* RC_END; strings valid until the next call */
    void (*close)(struct attachment_source *s);
};

/* One part on its way to the target. */
struct part_put {
    struct item_part part; /* as it will be, with hash and size of the bytes */
    bool changed;          /* the bytes are `text` (rewritten), else those of the source's part */
    str text;
};
struct portal;
struct item_put {
    const struct portal_item *item; /* as it will be: fields, id, definition rewritten */
    struct portal *source;          /* where unchanged bytes, rows and attachments come from */
    id source_id;
    size_t part_count;
    struct part_put *parts;
    bool overwrite; /* an item of that id exists and is replaced; it keeps owner, folder, sharing, created */
};
/* What became of a put, told at the checkpoint that made it durable. */
struct put_result {
    id item;
    bool ok;
    str reason; /* why not, a sentence */
};

struct portal_ops {
    const char *name;
    bool verifies; /* readers of parts and attachments compare the bytes with the hash and fail when they differ */
    void (*close)(struct portal *p);
    /* ---- reading ---- */
    int (*info)(struct ctx *ctx, struct portal *p, struct portal_info *out);
    /* Ids of the items of a group, or of all there are (group NULL), in id order. */
    int (*list)(struct ctx *ctx, struct portal *p, const id *group, id **ids_out, size_t *count_out);
    int (*item_get)(struct ctx *ctx, struct portal *p, const id *item, struct portal_item *out); /* RC_NOT_FOUND */
    int (*part_open)(struct ctx *ctx, struct portal *p, const id *item, const struct item_part *part, struct reader **out);
    int (*rows_open)(struct ctx *ctx, struct portal *p, const id *item, const struct service *def, const struct layer *l,
                     struct row_source **out);
    int (*attachments_open)(struct ctx *ctx, struct portal *p, const id *item, struct attachment_source **out); /* by layer, id */
    int (*attachment_read)(struct ctx *ctx, struct portal *p, const id *item, const struct portal_attachment *a,
                           struct reader **out);
    /* All layers as one canonical GeoPackage at path (see store/feature.h). A short cut; NULL where there is none. */
    int (*layers_file)(struct ctx *ctx, struct portal *p, const id *item, const char *path);
    /* ---- writing ---- */
    /* Was this item put by this run before a restart? */
    int (*was_put)(struct ctx *ctx, struct portal *p, const id *item, bool *out);
    /* Takes an item; nothing of it is visible before the next checkpoint. The put, and what it points to, stays valid until then.
     */
    int (*item_put)(struct ctx *ctx, struct portal *p, const struct item_put *put);
    /* Relationships are put after both ends; types and ends as given. */
    int (*relationship_put)(struct ctx *ctx, struct portal *p, const struct relationship *r);
    /* Durable and visible: all puts since the last checkpoint. results in the context's arena, one for each put. */
    int (*checkpoint)(struct ctx *ctx, struct portal *p, struct put_result **results_out, size_t *count_out);
    /* No more puts. A package gets its manifest and becomes whole. */
    int (*finish)(struct ctx *ctx, struct portal *p);
};

/* Embed as the first member. */
struct portal {
    const struct portal_ops *ops;
};

void portal_close(struct portal *p); /* NULL is allowed */
void portal_cleanup(struct portal **p);
#define PORTAL_HAS(p, slot) ((p)->ops->slot != NULL)

#endif
