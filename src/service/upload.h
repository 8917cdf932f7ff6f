/* Uploads in parts: begun with a file name, filled with numbered parts in any order, joined by a commit that makes the item, or
 * its new data, visible at once. Until then nobody sees anything of it. A part that was answered is durable; an upload that
 * nobody touches for a time goes (site_settings.upload_keep_ms). Source: api.md 2.6. */
#ifndef MAPFERRY_SERVICE_UPLOAD_H
#define MAPFERRY_SERVICE_UPLOAD_H

#include "service/item.h"

enum { UPLOAD_PARTS_MAX = 10000 };

struct upload_begin {
    str owner; /* whose content, by name or user id */
    const id *folder;
    str file_name;
    const str *fields; /* by enum item_field, STR_NONE not given: those that the commit does not give. NULL: none */
    id wanted_id;      /* itemIdToCreate, ID_NONE; administrators only */
    bool overwrite;    /* of that name: its data are what is uploaded */
};
/* out: the id that the item will have. ERR_ITEM_NAME_TAKEN, ERR_FOLDER_MISSING, ERR_FORBIDDEN, ERR_PARAMETER. */
int upload_begin(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_begin *what, id *out);
/* New data for an item that is there; an upload that was begun for it before is forgotten. */
int upload_begin_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, str file_name,
                        const str *fields);

/* The following name the upload by its item and the user of the path; the caller may add to that user's content, or update the
 * item. Without an upload: ERR_ITEM_MISSING, or ERR_UPLOAD when the item is there. */
struct upload_ref {
    str owner;
    id item;
};
/* When it was begun or got its last part; -1 and RC_OK without an upload, whoever asks. */
int upload_find(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, int64_t *touched_out);
/* number: 1 to UPLOAD_PARTS_MAX (ERR_PARAMETER); one that is there is replaced. bytes: finished, stays the caller's to close. */
int upload_part_add(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, int64_t number,
                    struct blob_new *bytes);
int upload_parts(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, struct upload_part **out,
                 size_t *count_out);
/* Are the parts there, from 1 without a gap (ERR_UPLOAD)? folder_out: where the item will be. */
int upload_ready(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, id *folder_out);
/* Joins the parts, which have to be ready, and adds or updates the item by `in`, whose file members are not used and which gets
 * the fields of the beginning that it lacks. folder_out: where the item is. */
int upload_commit(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref, struct item_input *in,
                  id *folder_out);
int upload_cancel(struct ctx *ctx, struct site *s, const struct caller *c, const struct upload_ref *ref);

/* ERR_LIMIT when the parts with this one, which takes the place of that with its number, have more bytes than that. */
int upload_check_room(struct ctx *ctx, const struct upload_part *parts, size_t count, const struct upload_part *part,
                      int64_t bytes_max);
/* The bytes of parts, which have to be there from 1 without a gap (ERR_UPLOAD), as one file that is not visible yet. The caller
 * closes it, also after an error. */
int upload_join(struct ctx *ctx, struct site *s, const struct upload_part *parts, size_t count, struct blob_new **out);

/* Forgets uploads, also to services, that nobody touched for the time of the settings; their content is collected like all that
 * nothing names. */
int upload_expire(struct ctx *ctx, struct site *s);

#endif
