/* What the files of the item and group use cases share. Not for other rooms. Everything that takes a transaction is to be called
 * inside one; everything of model/access that decides is called by its user, so that each use case shows its rule. */
#ifndef MAPFERRY_SERVICE_ITEM_PRIVATE_H
#define MAPFERRY_SERVICE_ITEM_PRIVATE_H

#include "model/errors.h"
#include "service/group.h"
#include "service/item.h"

/* RC_OK when the caller may, else the API's refusal: 499 for anonymous callers, 403 for others. */
static inline int service_require(struct ctx *ctx, const struct caller *c, bool may)
{
    if (may)
        return RC_OK;
    return err_kind(ctx, c->anonymous ? &ERR_TOKEN_REQUIRED : &ERR_FORBIDDEN);
}

/* Who asks, for the visibility that searches decide in SQL: by what he sees of such things at all. */
static inline struct viewer service_viewer(const struct caller *c, struct access_sight sight)
{
    return (struct viewer){
        .username = c->anonymous ? STR("") : c->username, .admin = sight.all, .outside = !c->anonymous && !sight.org};
}

/* ---- content.c ---- */
/* Refuses a page beyond the window of searches, and a sort field that is none. */
int service_search_page(struct ctx *ctx, const struct meta_search_page *page, bool sorts);

/* ---- item.c ---- */
/* The groups an item is shared with, and for each (same order) what the caller is in it. */
int item_shares(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *item, struct group **groups_out,
                struct access_group **facts_out, size_t *count_out);
/* Items as the caller sees them. Whether the caller may see them was decided before. */
int item_views_make(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct item *items, size_t count,
                    struct item_view **out);

/* ---- item_change.c ---- */
/* An item_input, checked and brought into the stored form, with its bytes durable: what a transaction that may be run more than
 * once needs. */
struct item_change {
    str field[ITEM_FIELD_COUNT];                                  /* as stored; STR_NONE: stays as it is */
    bool has_data, erase_text;                                    /* erase_text: data that are text go, a file stays */
    struct item_part data, picture[ITEM_PICTURE_COUNT], metadata; /* pictures and metadata count when their name is set */
    struct blob_new *text;                                        /* ours */
    struct blob_new *blobs[2 + ITEM_PICTURE_COUNT];               /* all that become visible */
    size_t blob_count;
    bool has_access;
    enum item_access access;
    enum item_switch comments;
    enum relation_end { RELATION_NONE, RELATION_ORIGIN, RELATION_DESTINATION } relation; /* what the item named in the input is */
};
/* Errors: ERR_PARAMETER naming the parameter, ERR_LIMIT. Release with item_change_close, also after an error. */
int item_change_make(struct ctx *ctx, struct site *s, const struct item_input *in, struct item_change *out);
void item_change_close(struct item_change *change); /* for CLEANUP */
/* Would these fields do for an item? The errors of item_change_make. */
int item_fields_check(struct ctx *ctx, const struct site *s, const str field[ITEM_FIELD_COUNT]);
/* One text of a request: UTF-8 without NUL, at most max_chars characters. */
int item_text_check(struct ctx *ctx, const char *what, str text, size_t max_chars);

/* ---- upload.c ---- */
/* An upload in parts whose parts are one file now. */
struct upload_joined {
    struct meta_upload upload;
    const struct upload_part *parts;
    size_t count;
};
/* Takes the upload away, in the transaction that makes the file visible. ERR_UPLOAD when its parts are no longer those. */
int upload_consume(struct ctx *ctx, struct sql_tx *tx, const struct upload_joined *joined);

/* ---- item_credential.c ---- */
int item_credential_check(struct ctx *ctx, const struct item_input *in); /* ERR_PARAMETER */
/* Stores what the input has, beside what is there; with url_changed what is there goes. */
int item_credential_apply(struct ctx *ctx, struct sql_tx *tx, const struct seal_key *key, const struct item_input *in,
                          const struct item *it, bool url_changed);

/* ---- item_write.c ---- */
/* May the caller choose that id, and is it free? ID_NONE: nothing was chosen. */
int item_wanted_id_check(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *wanted);
/* The row with everything below it; the data set of a hosted service is marked to be dropped. */
int item_remove(struct ctx *ctx, struct sql_tx *tx, const id *item);

/* ---- item_relation.c ---- */
/* Both items exist, the type is known, the caller may update the origin and read the destination. */
int item_relation_put(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct relationship *r);

/* ---- content.c ---- */
/* The user whose content a path names, by name or user id. ERR_USER_MISSING; anonymous callers get no answer about users. */
int content_owner_get(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, str owner, struct user *out);
/* A folder of that user. ERR_FOLDER_MISSING. */
int content_folder_get(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, struct folder *out);
/* The folder of that title, made when missing; "" and "/" are the root (ID_NONE). */
int content_folder_named(struct ctx *ctx, struct sql_tx *tx, str owner, str title, id *out);

/* ---- group.c ---- */
/* As group_facts, without an error in the context when the group is missing or not to be seen: the caller knows which one the API
 * wants. */
int group_find(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, struct group *group_out,
               struct access_group *facts_out);
/* A group as the access questions need it. */
int group_access(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct group *g, struct access_group *out);

#endif
