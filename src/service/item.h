/* Items: the use cases. Each function is one transaction, decides access itself (model/access), and leaves the API's error in the
 * context. */
#ifndef MAPFERRY_SERVICE_ITEM_H
#define MAPFERRY_SERVICE_ITEM_H

#include "model/access.h"
#include "service/site.h"

/* An item as one caller sees it. */
struct item_view {
    struct item item;
    bool has_groups;          /* shared to a group */
    const char *item_control; /* "admin", "update", "view" */
    bool hosted;              /* a hosted service of ours */
};
/* The facts for access decisions about an item, inside a transaction (also for other service files). RC_NOT_FOUND with
 * ERR_ITEM_MISSING. */
int item_facts(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *item, struct item *item_out,
               struct access_item *facts_out);
/* As API: missing ERR_ITEM_MISSING (400 CONT_0001); there but not for this caller: ERR_FORBIDDEN (403 GWM_0003), anonymous
 * ERR_TOKEN_REQUIRED (499). */
int item_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, struct item_view *out);
/* Item JSON with stored relative URLs expanded by server_url. single: the single-item members as well. */
void item_view_print(struct ctx *ctx, struct json_out *o, const struct site *s, str server_url, const struct item_view *v,
                     bool single);

/* A file name: 1 to 255 characters of UTF-8, no '/', no control characters, not "." or "..". `what` names the parameter. */
int item_name_check(struct ctx *ctx, const char *what, str name);

/* What the portal signs in with to the service of an item's URL: see service/item_credential.h. */
enum { ITEM_CREDENTIAL_COUNT = 5 };
extern const char *const item_credential_names[ITEM_CREDENTIAL_COUNT]; /* as request parameters */

/* Pictures of an item: a field names the stored file, which is the only one of its folder. */
enum item_picture { ITEM_PICTURE_SMALL, ITEM_PICTURE_LARGE, ITEM_PICTURE_COUNT };
struct item_picture_row {
    const char *name, *folder; /* as request parameter and as JSON member; with its slash */
    enum item_field field;
};
extern const struct item_picture_row item_pictures[ITEM_PICTURE_COUNT];

/* What add and update take. A field is not given when STR_NONE. File contents are finished blobs; the function syncs them and
 * makes them visible in its transaction, they stay the caller's to close. */
struct upload_joined; /* service/upload.c */
struct item_input {
    str field[ITEM_FIELD_COUNT]; /* as sent: lists as csv or JSON, see item_list_parse */
    str data_url, thumbnail_url; /* to be fetched before (service/item_fetch.h): item_add and item_update do not look at them */
    bool clear_empty;            /* clearEmptyFields: given but empty values erase */
    bool has_text;
    str text;              /* data as text (text=, data=) */
    struct blob_new *file; /* data as a file; NULL none */
    str file_name, file_content_type;
    struct item_picture_input {
        struct blob_new *blob; /* NULL none */
        str name;
    } picture[ITEM_PICTURE_COUNT];      /* by item_pictures */
    struct blob_new *metadata;          /* metadata.xml */
    id wanted_id;                       /* itemIdToCreate, ID_NONE; administrators only */
    bool id_given;                      /* wanted_id was given out by the portal before, so anybody may have it */
    const struct upload_joined *joined; /* the upload in parts that `file` was joined from; NULL none */
    bool overwrite;                     /* replaces the caller's item of the same file name in the folder */
    id origin, destination;             /* originItemId / destinationItemId with relationship_type */
    str relationship_type;
    enum item_switch { SWITCH_AS_IT_IS, SWITCH_OFF, SWITCH_ON } comments; /* commentsEnabled */
    str credential[ITEM_CREDENTIAL_COUNT];                                /* by item_credential_names; STR_NONE not given */
    str access;                                                           /* "" or private|org|public for update */
};
/* owner: whose content (path), by name or user id; folder ID_NONE: root. Errors: ERR_ITEM_TITLE_TYPE, ERR_ITEM_NAME_TAKEN with
 * "[itemId=…]", ERR_ITEM_ID_TAKEN, ERR_FOLDER_MISSING, ERR_FORBIDDEN. */
int item_add(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder, const struct item_input *in,
             id *out);
int item_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const struct item_input *in);
/* Also drops the service of a hosted item (later) and relationships. Protected: ERR_ITEM_PROTECTED. */
int item_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *item);
int item_protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, bool protect);
/* folder "" or "/" root, or a folder id of the owner. */
int item_move(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, str folder);
int item_reassign(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, str target_user,
                  str target_folder_title);

/* ---- parts ---- */
/* One part that the caller may read. data: name ignored, RC_NOT_FOUND with no error when the item has none (an empty answer).
 * info, resource: ERR_ITEM_INFO_MISSING, ERR_ITEM_RESOURCE_MISSING. */
int item_part_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind, str name,
                  struct item_part *out);
int item_parts_list(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind, str prefix,
                    struct item_part **out, size_t *count_out);
/* Puts files: names are checked (relative, no "..", no control characters, at most 1,000 bytes). replace false: an existing name
 * is an error. */
struct part_input {
    str name, content_type;
    struct blob_new *blob;
    bool private_access;
};
int item_parts_put(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind,
                   const struct part_input *list, size_t count, bool replace);
/* name STR_NONE: all with the prefix. A prefix is a folder, here and in item_parts_list: "a" and "a/" are the same, "" is
 * everything. */
int item_part_remove(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, enum part_kind kind, str name,
                     str prefix);
int item_thumbnail_remove(struct ctx *ctx, struct site *s, const struct caller *c, const id *item);

/* ---- relationships ---- */
int item_relate(struct ctx *ctx, struct site *s, const struct caller *c, const struct relationship *r);
int item_unrelate(struct ctx *ctx, struct site *s, const struct caller *c, const struct relationship *r);
/* Related items that the caller may read. types: csv, "" all. */
int item_related(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, bool forward, str types,
                 struct item_view **out, size_t *count_out);

/* ---- sharing ---- */
/* everyone/org: -1 not given. groups: ids to share to (or to unshare from). not_out: ids that did not work. */
struct share_input {
    int everyone, org;
    bool clear_groups; /* groups given but blank: unshare from all */
    const id *groups;
    size_t group_count;
    bool confirm_item_control;
};
int item_share(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const struct share_input *in,
               id **not_out, size_t *not_count_out);
int item_unshare(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *groups, size_t count,
                 id **not_out, size_t *not_count_out);
/* Groups the item is shared with that the caller may see, with the caller's member type in each. */
int item_groups(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, struct membership **out,
                size_t *count_out);

/* ---- content of a user ---- */
struct user_content {
    struct item_view *items;
    size_t count;
    int64_t total;
    bool has_folder;
    struct folder folder;
    struct folder *folders; /* at the root only */
    size_t folder_count;
};
int content_list(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder,
                 const struct meta_page *page, struct user_content *out);
int folder_create(struct ctx *ctx, struct site *s, const struct caller *c, str owner, str title,
                  struct folder *out);              /* ERR_FOLDER_TITLE "Folder title 'X' not available." */
int folder_title_check(struct ctx *ctx, str title); /* may a folder be called that? ERR_FOLDER_TITLE, ERR_PARAMETER */
int folder_delete(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder,
                  struct folder *out); /* with its items; protected ones refuse it */
int folder_rename(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder, str title,
                  struct folder *out);

/* ---- search ---- */
struct search_input {
    str q, filter, bbox, categories, category_filters; /* as in the request, "" for none */
    const id *group;                                   /* NULL or within this group */
    const str *groups;                                 /* NULL or in one of these */
    size_t group_count;
    struct meta_search_page page;
};
struct item_views {
    struct item_view *items;
    size_t count;
    int64_t total;
};
/* ERR_INVALID, ERR_PARAMETER (sort field, window). */
int item_search(struct ctx *ctx, struct site *s, const struct caller *c, const struct search_input *in, struct item_views *out);
int group_content(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct meta_page *page,
                  struct item_views *out); /* ERR_CONTENT_GROUP_MISSING */

#endif
