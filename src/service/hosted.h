/* Hosted services: definitions and features, the use cases. */
#ifndef MAPFERRY_SERVICE_HOSTED_H
#define MAPFERRY_SERVICE_HOSTED_H

#include "model/access.h"
#include "service/site.h"

/* A service as opened for one call: an immutable parsed definition, shared by all callers until it changes. Release with
 * hosted_release. */
struct hosted_service {
    id item, store;       /* store: of a view, its source's */
    id source;            /* item of a view's source; ID_NONE: no view, or one that shows nothing yet */
    int64_t modified;     /* of the definition, ms */
    str name, definition; /* JSON text of the admin form */
    struct service def;
    str owner;
    struct access_item facts; /* for the caller it was opened for; in that call's arena */
};
/* By name (any case), for a right. ERR_SERVICE_MISSING; not allowed: ERR_FORBIDDEN or ERR_TOKEN_REQUIRED. */
int hosted_open(struct ctx *ctx, struct site *s, const struct caller *c, str name, enum feature_right right,
                struct hosted_service **out);
/* Update rights on the item (admin resource and definition changes). */
int hosted_open_admin(struct ctx *ctx, struct site *s, const struct caller *c, str name, struct hosted_service **out);
void hosted_release(struct hosted_service **h); /* for CLEANUP */

/* Names: letters, digits, underscore, 1 to 120 characters, first a letter; unique without regard to case. */
int hosted_name_available(struct ctx *ctx, struct site *s, str name, bool *out);
/* The wanted name made valid, with _1, _2 … behind it when taken (inside a write transaction). */
int hosted_name_free(struct ctx *ctx, struct sql_tx *tx, str wanted, str *out);

struct hosted_created {
    id item;
    str name;
    str url; /* relative form, see site_url_expand */
};
/* createService: an empty service and its item. ERR_SERVICE_NAME when the name is taken. fields: title etc. as given. */
int hosted_create(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder,
                  struct json create_parameters, const str fields[ITEM_FIELD_COUNT], struct hosted_created *out);
/* addToDefinition at service level {"layers":[…],"tables":[…],"relationships":…} or layer level (layer_id >= 0: fields, indexes,
 * relationships …). Answers the ids added as JSON {"success":true,"layers":[{"name","id"}],"tables":[…]}. */
int hosted_add_to_definition(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id,
                             struct json addition, str *answer_out);
int hosted_update_definition(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id,
                             struct json change);

/* deleteFromDefinition: {"layers":[{"id"}],"tables":…} of the service, or
 * {"fields":[{"name"}],"indexes":…,"relationships":[{"id"}], "types":…,"templates":…} of a layer. */
int hosted_delete_from_definition(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id,
                                  struct json change);
/* truncate: all features of a layer with their attachments, or the attachments alone. Who may update the item may. */
int hosted_truncate(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, bool attachments_only);

/* Is the service a view? Its layers are those of its source, seen through the view's fields and where-clause; it is shared and
 * has capabilities on its own. */
bool hosted_is_view(const struct service *def);
/* The source of a view: name and item. RC_NOT_FOUND, with nothing recorded, when it has none. */
int hosted_view_source(struct ctx *ctx, struct site *s, const struct hosted_service *h, struct hosted_created *out);

/* The other half of a relationship: in the related layer the one that leads back to `l`. NULL when there is none. */
const struct layer_relation *hosted_relation_other(const struct service *def, const struct layer *l,
                                                   const struct layer_relation *r);

/* ---- edits ---- */
/* A service held for editing: its definition does not change until hosted_editing_close. */
struct hosted_editing {
    struct hosted_service *service;
    struct hosted_cache *locked;
};
/* All of these rights are needed. */
int hosted_editing_open(struct ctx *ctx, struct site *s, const struct caller *c, str name, const enum feature_right *rights,
                        size_t right_count, struct hosted_editing *out);
void hosted_editing_close(struct hosted_editing *e); /* for CLEANUP */

/* Codes in results of single features, as real servers have them (api.md 4.4). */
enum { CODE_INVALID = 1000, CODE_ROLLBACK = 1003, CODE_NO_ID = 1018, CODE_MISSING = 1019, CODE_NOT_YOURS = 1020 };
/* One result a feature. */
struct edit_result {
    int64_t oid;
    str global_id;
    bool success;
    int code;
    str description;
};
/* Bytes that come along, or (blob NULL) are there already. */
struct hosted_bytes {
    bool given; /* else none of all this */
    struct blob_new *blob;
    int64_t size;
    struct hash hash;
};
static inline struct hosted_bytes hosted_bytes_new(struct blob_new *blob)
{
    return (struct hosted_bytes){true, blob, (int64_t)blob_new_size(blob), blob_new_hash(blob)};
}
/* An attachment in edits: parents and attachments are named by GlobalIDs (any valid spelling). */
struct hosted_file_edit {
    str global_id, parent, name, content_type,
        keywords; /* global_id STR_NONE: a new one; parent: of added ones; others STR_NONE: as they are */
    struct hosted_bytes bytes;
};
struct edit_results {
    struct edit_result *list;
    size_t count;
};
/* Edits of one layer, in this order: features to add and to change as JSON, and what to delete: by object ids, by GlobalIDs (any
 * valid spelling), or by a query over the layer as it was opened. */
struct hosted_layer_edits {
    const struct layer *layer;
    struct json adds, updates; /* arrays; absent: none */
    int64_t *delete_oids;
    str *delete_guids; /* instead of object ids */
    size_t delete_count;
    const struct feature_query *delete_query;          /* instead of both */
    struct hosted_file_edit *file_adds, *file_updates; /* after all features, the added ones included */
    size_t file_add_count, file_update_count;
    str *file_deletes;
    size_t file_delete_count;
    /* Filled in, in the order of what was given. */
    struct edit_results added, updated, deleted, files_added, files_updated, files_deleted;
};
struct hosted_edit_options {
    bool global_ids; /* features and deletions are named by GlobalIDs, and added features keep theirs */
    bool rollback;   /* all or nothing; else what is right is done */
};
/* One durable transaction for the features; attachments, which are checked before it ends, follow in one of their own. What
 * single features have wrong is told in their results; an error is of the call as a whole, and nothing was done. moment_out: of
 * the edit. */
int hosted_apply_edits(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_service *h,
                       const struct hosted_edit_options *o, struct hosted_layer_edits *edits, size_t count, int64_t *moment_out);

/* calculate: fields set in all features that a where-clause finds, to values or to what is calculated from other fields:
 * [{"field":…,"value":…} | {"field":…,"sqlExpression":…}]. All or nothing; an error names the feature and what is wrong with it.
 */
int hosted_calculate(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_service *h,
                     const struct layer *l, const struct where *where, struct json expressions, int64_t *count_out);

/* ---- attachments of features ---- */
/* The feature that an attachment belongs to, and the bytes with what is said about them. */
struct hosted_file {
    struct hosted_bytes bytes;
    str name, content_type, keywords; /* keywords STR_NONE: none, or those that were there */
};
struct hosted_feature {
    str service;
    int32_t layer;
    int64_t oid;
};
int hosted_add_attachment(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                          const struct hosted_file *file, struct edit_result *out);
/* Other bytes under the id that is there. */
int hosted_update_attachment(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                             int64_t attachment, const struct hosted_file *file, struct edit_result *out);
/* rollback: all or nothing. One result an id. */
int hosted_delete_attachments(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                              const int64_t *attachments, size_t count, bool rollback, struct edit_result **out);
int hosted_attachments(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, int64_t oid,
                       struct attachment **out, size_t *count_out);
/* The same for a service that is open, of one feature or (oid -1) of all: at most `limit` after that id. */
int hosted_attachments_of(struct ctx *ctx, struct site *s, const struct hosted_service *h, int32_t layer_id, int64_t oid,
                          int64_t after_id, size_t limit, struct attachment **out, size_t *count_out);
/* Those of a layer with these ids that are there, in the order of the ids. */
int hosted_attachments_named(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct layer *l,
                             const int64_t *ids, size_t id_count, struct attachment **out, size_t *count_out);
int hosted_attachment_get(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, int64_t oid,
                          int64_t attachment, struct attachment *out);

/* Publishing: makes item and service from a loaded data set, all in one transaction; relationship Service2Data to the source
 * item. Repeated with the same item id: no error (a step of a job). Overwrites the service of that name published from the same
 * source when overwrite. */
struct hosted_publish {
    str owner;
    id folder, source_item, item; /* item: the id the service item gets */
    str name, title, definition;
    id store;
    bool overwrite;
    bool name_given; /* ERR_SERVICE_NAME when somebody else took the name meanwhile, instead of a name like it */
};
int hosted_publish(struct ctx *ctx, struct site *s, const struct hosted_publish *in, struct hosted_created *out);

/* Every service the caller may query, by name. */
int hosted_list(struct ctx *ctx, struct site *s, const struct caller *c, str **names_out, size_t *count_out);

#endif
