/* What the files of the hosted services share. Not for other rooms. */
#ifndef MAPFERRY_SERVICE_HOSTED_PRIVATE_H
#define MAPFERRY_SERVICE_HOSTED_PRIVATE_H

#include "service/hosted_cache.h"
#include "service/hosted_json.h"
#include "service/item_private.h"

/* ---- hosted.c ---- */
/* The layer of that id, ERR_LAYER_MISSING. */
int hosted_layer(struct ctx *ctx, const struct hosted_service *h, int32_t layer_id, const struct layer **out);
/* The wanted name when it is valid, else one made of it. */
str hosted_name_make(struct ctx *ctx, str wanted);
/* The item row of a service: type, keywords, relative URL; fields given (STR_NONE: not) come on top. */
void hosted_item_make(struct ctx *ctx, const struct service *def, str name, const str fields[ITEM_FIELD_COUNT], struct item *it);

/* ---- hosted_commit.c ---- */
/* Brings a changed definition into force: the data set first, then the row that names it, then what is not needed any more. The
 * definitions are locked. ERR_DEFINITION when it does not fit the features that are there, or somebody else was faster. */
int hosted_commit(struct ctx *ctx, struct site *s, const struct hosted_service *h, str definition);

/* The same of a view, whose features are its source's (NULL: it shows nothing yet). */
int hosted_commit_view(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct hosted_service *source,
                       str definition);

/* ---- hosted_complete.c ---- */
/* The definition of a new service: the parameters of createService with what they leave out, no layers. */
int hosted_complete_service(struct ctx *ctx, str name, struct json parameters, int32_t record_count, str *out);
/* A layer or table as given, with all that a real server has in it: an object id field when there is none, drawing info by
 * geometry type, templates, extent. service: whose spatial reference and extent are taken when the layer has none. */
int hosted_complete_layer(struct ctx *ctx, struct json service, struct json layer, int32_t layer_id, bool is_table, str *out);
/* A field with all its members. */
str hosted_complete_field(struct ctx *ctx, struct json field);

/* ---- hosted_draft.c: a definition being changed ---- */
struct hosted_draft_layer {
    int32_t id;
    bool is_table, touched; /* touched: named in the change */
    str text;
};
struct hosted_draft {
    struct json service;
    struct hosted_draft_layer *layers;
    size_t count, capacity;
};
void hosted_draft_open(struct ctx *ctx, const struct service *def, struct hosted_draft *d);
struct hosted_draft_layer *hosted_draft_find(struct hosted_draft *d, int32_t layer_id); /* NULL when missing */
int32_t hosted_draft_next_id(const struct hosted_draft *d);
void hosted_draft_remove(struct hosted_draft *d, int32_t layer_id);
void hosted_draft_add(struct ctx *ctx, struct hosted_draft *d, int32_t layer_id, bool is_table, str text);
/* Adds relationships to a layer; one with the id of an old one takes its place, one without gets the next id. */
int hosted_draft_relate(struct ctx *ctx, struct hosted_draft *d, struct hosted_draft_layer *l, struct json relationships);
/* The draft of a definition that comes from elsewhere (a publish job), all of it completed. */
int hosted_draft_complete(struct ctx *ctx, str name, str definition, int32_t record_count, struct hosted_draft *d);
/* The text with `list` merged into the service's members; checked, with the missing halves of relationships added. */
int hosted_draft_finish(struct ctx *ctx, struct hosted_draft *d, const struct hosted_member *list, size_t count, str *text_out);

#endif
