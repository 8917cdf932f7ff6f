/* The rows of a portal: what is stored about items, groups, users, tokens, services and jobs. Each function is a few statements
 * inside the caller's transaction; rules (who may, what follows) live in service/. Found rows are copied into the context's
 * arena.
 * *_get: RC_NOT_FOUND without recording a domain error (the caller knows which one the API wants); `err` then is empty. */
#ifndef MAPFERRY_STORE_META_H
#define MAPFERRY_STORE_META_H

#include "model/group.h"
#include "model/item.h"
#include "model/user.h"
#include "store/sql.h"

extern const struct sql_migration meta_migrations[];
extern const size_t meta_migration_count;

/* ---- settings of the portal that are data: org id, portal id, name ---- */
#define META_ORG_ID "orgId" /* the key of the organization's id: what orgid: in a search is compared with */
int meta_setting_get(struct ctx *ctx, struct sql_tx *tx, const char *key, str *value_out); /* RC_NOT_FOUND */
int meta_setting_put(struct ctx *ctx, struct sql_tx *tx, const char *key, str value);

/* ---- items (meta_item.c) ---- */
int meta_item_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct item *out);
int meta_item_insert(struct ctx *ctx, struct sql_tx *tx, const struct item *it); /* also its search terms */
int meta_item_update(struct ctx *ctx, struct sql_tx *tx, const struct item *it); /* whole row by id, and its search terms */
/* The item with parts, relationships, group shares, service row. Blobs stay for collection. */
int meta_item_delete(struct ctx *ctx, struct sql_tx *tx, const id *item);
/* Items of a user's folder (ID_NONE: root; folder NULL: all), `start` from 0, ordered by the field ("title", "created",
 * "modified", "type", "size", "owner"; default modified desc). */
struct meta_page {
    int64_t start, num; /* from 0 */
    str sort_field;
    bool descending;
};
struct meta_items {
    struct item *items;
    size_t count;
    int64_t total;
};
int meta_items_of_user(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, const struct meta_page *page,
                       struct meta_items *out);
int meta_items_of_group(struct ctx *ctx, struct sql_tx *tx, const id *group, const struct meta_page *page,
                        struct meta_items *out);
/* Same owner, folder and file name: RC_NOT_FOUND when free. */
int meta_item_by_name(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, str name, id *out);
/* The item whose url is this one (any case): RC_NOT_FOUND. */
int meta_item_by_url(struct ctx *ctx, struct sql_tx *tx, str url, id *out);

/* ---- parts (meta_part.c) ---- */
int meta_part_get(struct ctx *ctx, struct sql_tx *tx, const id *item, enum part_kind kind, str name,
                  struct item_part *out); /* data: name ignored */
int meta_part_put(struct ctx *ctx, struct sql_tx *tx, const id *item,
                  const struct item_part *part); /* insert or replace by (item, kind, name); data: the only one */
int meta_part_delete(struct ctx *ctx, struct sql_tx *tx, const id *item, enum part_kind kind, str name);
/* All parts of that kind with that name prefix ("" all), by name. */
int meta_parts(struct ctx *ctx, struct sql_tx *tx, const id *item, enum part_kind kind, str prefix, struct item_part **parts_out,
               size_t *count_out);

/* ---- uploads in parts (meta_upload.c) ---- */
struct meta_upload {
    id item; /* that it becomes, or changes when is_update */
    str owner;
    id folder;
    str file_name;
    str fields; /* item_given_print: what the item is to be, unless the commit says otherwise */
    bool is_update;
    int64_t created, touched;
};
struct upload_part {
    int64_t number, size;
    struct hash hash;
};
/* In place of one for the same item that is there. */
int meta_upload_put(struct ctx *ctx, struct sql_tx *tx, const struct meta_upload *u);
int meta_upload_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct meta_upload *out);
int meta_upload_delete(struct ctx *ctx, struct sql_tx *tx, const id *item); /* with its parts; RC_NOT_FOUND */
/* Uploads that nobody touched since `before` go. */
int meta_uploads_expire(struct ctx *ctx, struct sql_tx *tx, int64_t before);
/* A part in place of one of the same number. The bytes must be attached, as those of the parts of items. */
int meta_upload_part_put(struct ctx *ctx, struct sql_tx *tx, const id *item, const struct upload_part *part);
int meta_upload_parts(struct ctx *ctx, struct sql_tx *tx, const id *item, struct upload_part **out,
                      size_t *count_out); /* by number */

/* ---- comments, ratings, views (meta_comment.c): each keeps the counters of the item ---- */
struct comment {
    id id, item;
    id parent; /* that it replies to, ID_NONE */
    str author, text;
    int64_t created;
    int64_t reply_count, latest_reply; /* -1 none; when read */
};
int meta_comment_insert(struct ctx *ctx, struct sql_tx *tx, const struct comment *c);
int meta_comment_get(struct ctx *ctx, struct sql_tx *tx, const id *comment, struct comment *out);
int meta_comment_update(struct ctx *ctx, struct sql_tx *tx, const struct comment *c); /* its text */
int meta_comment_delete(struct ctx *ctx, struct sql_tx *tx, const struct comment *c); /* with the replies to it */
/* A page of those of an item, oldest first; its sort members are not used. How many there are is item.num_comments. */
int meta_comments(struct ctx *ctx, struct sql_tx *tx, const id *item, const struct meta_page *page, struct comment **out,
                  size_t *count_out);
struct rating {
    str username;
    double value;
    int64_t created;
};
int meta_rating_put(struct ctx *ctx, struct sql_tx *tx, const id *item,
                    const struct rating *r); /* in place of the user's last one */
int meta_rating_get(struct ctx *ctx, struct sql_tx *tx, const id *item, str username, struct rating *out);
int meta_rating_delete(struct ctx *ctx, struct sql_tx *tx, const id *item, str username); /* RC_NOT_FOUND */
/* So many views more, the last one then. An item that is gone is no error. */
int meta_item_viewed(struct ctx *ctx, struct sql_tx *tx, const id *item, int64_t count, int64_t when);

/* ---- sealed credentials of services (meta_credential.c) ---- */
struct credential {
    id item;
    str sealed;
};
int meta_credential_put(struct ctx *ctx, struct sql_tx *tx, const id *item, str sealed); /* in place of what was there */
int meta_credential_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct credential *out);
int meta_credential_delete(struct ctx *ctx, struct sql_tx *tx, const id *item); /* none there: no error */
int meta_credentials(struct ctx *ctx, struct sql_tx *tx, struct credential **out, size_t *count_out);

/* ---- relationships ---- */
int meta_relationship_put(struct ctx *ctx, struct sql_tx *tx, const struct relationship *r);    /* already there: no error */
int meta_relationship_delete(struct ctx *ctx, struct sql_tx *tx, const struct relationship *r); /* RC_NOT_FOUND */
/* forward: those of which item is the origin, else those of which it is the destination. By type and other end. */
int meta_relationships(struct ctx *ctx, struct sql_tx *tx, const id *item, bool forward, struct relationship **out,
                       size_t *count_out);

/* ---- sharing ---- */
int meta_share(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group);
int meta_unshare(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group); /* RC_NOT_FOUND */
int meta_groups_of_item(struct ctx *ctx, struct sql_tx *tx, const id *item, struct group **out,
                        size_t *count_out); /* not those of favourites, which are nobody else's matter */
int meta_item_in_group(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group, bool *out);

/* ---- groups (meta_group.c) ---- */
int meta_group_get(struct ctx *ctx, struct sql_tx *tx, const id *group, struct group *out);
int meta_group_insert(struct ctx *ctx, struct sql_tx *tx, const struct group *g); /* the owner becomes MEMBER_OWNER */
int meta_group_update(struct ctx *ctx, struct sql_tx *tx, const struct group *g);
int meta_group_delete(struct ctx *ctx, struct sql_tx *tx, const id *group);
int meta_group_by_title(struct ctx *ctx, struct sql_tx *tx, str owner, str title, id *out); /* any case; RC_NOT_FOUND */
struct member {
    str username, full_name, thumbnail;
    enum member_type type;
    int64_t joined;
};
int meta_member_put(struct ctx *ctx, struct sql_tx *tx, const id *group, str username,
                    enum member_type type);                                                /* insert or change */
int meta_member_delete(struct ctx *ctx, struct sql_tx *tx, const id *group, str username); /* RC_NOT_FOUND */
int meta_members(struct ctx *ctx, struct sql_tx *tx, const id *group, struct member **out,
                 size_t *count_out); /* owner first, then admins, members, by name */
int meta_member_type(struct ctx *ctx, struct sql_tx *tx, const id *group, str username,
                     enum member_type *out); /* MEMBER_NONE when not in it */
struct membership {
    struct group group;
    enum member_type type;
};
int meta_groups_of_user(struct ctx *ctx, struct sql_tx *tx, str username, struct membership **out, size_t *count_out);

/* ---- folders ---- */
int meta_folder_get(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, struct folder *out);
int meta_folder_by_title(struct ctx *ctx, struct sql_tx *tx, str owner, str title, struct folder *out); /* RC_NOT_FOUND */
int meta_folder_insert(struct ctx *ctx, struct sql_tx *tx, const struct folder *f);
int meta_folder_update(struct ctx *ctx, struct sql_tx *tx, const struct folder *f);
int meta_folder_delete(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder); /* the row only */
int meta_folders(struct ctx *ctx, struct sql_tx *tx, str owner, struct folder **out, size_t *count_out);

/* ---- users and tokens (meta_user.c) ---- */
int meta_user_get(struct ctx *ctx, struct sql_tx *tx, str username_or_id, struct user *out); /* any case, or the hidden id */
int meta_user_insert(struct ctx *ctx, struct sql_tx *tx, const struct user *u);
int meta_user_update(struct ctx *ctx, struct sql_tx *tx, const struct user *u);
int meta_user_delete(struct ctx *ctx, struct sql_tx *tx, str username);
int meta_users(struct ctx *ctx, struct sql_tx *tx, const struct meta_page *page, struct user **out, size_t *count_out,
               int64_t *total_out);
struct token {
    struct hash hash; /* SHA-256 of the token text: the text itself is nowhere */
    str username;
    int64_t created, expires;
    str referer;    /* origin it is bound to, "" none */
    str ip;         /* address it is bound to, "" none */
    str server_url; /* exchanged for that server, "" a portal token */
};
int meta_token_insert(struct ctx *ctx, struct sql_tx *tx, const struct token *t);
int meta_token_get(struct ctx *ctx, struct sql_tx *tx, struct hash h, struct token *out);
/* The token with whose it is, in one look, for each request asks this: of the user username, role, role_id, custom_privileges and
 * disabled are filled, all that access needs. RC_NOT_FOUND also when the user is gone. */
int meta_token_signed_in(struct ctx *ctx, struct sql_tx *tx, struct hash h, struct token *out, struct user *user_out);
int meta_token_delete(struct ctx *ctx, struct sql_tx *tx, struct hash h);
int meta_tokens_expire(struct ctx *ctx, struct sql_tx *tx, int64_t now); /* removes those past their time */
int meta_tokens_of_user_delete(struct ctx *ctx, struct sql_tx *tx, str username);

/* ---- hosted services (meta_service.c) ---- */
struct hosted {
    id item;
    str name;         /* unique without regard to case */
    id store;         /* the feature store's data set: replaced as a whole by an overwrite */
    str definition;   /* JSON: service members, "layers":[…], "tables":[…] */
    int64_t modified; /* of the definition, ms; grows with each change */
    id source;        /* of a view: the item whose features it shows; ID_NONE: it has its own */
};
int meta_hosted_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct hosted *out);
int meta_hosted_by_name(struct ctx *ctx, struct sql_tx *tx, str name, struct hosted *out);
int meta_hosted_ref(struct ctx *ctx, struct sql_tx *tx, str name,
                    struct hosted *out); /* the same without the definition, which may be megabytes */
int meta_hosted_insert(struct ctx *ctx, struct sql_tx *tx, const struct hosted *h);
int meta_hosted_update(struct ctx *ctx, struct sql_tx *tx, const struct hosted *h);
int meta_hosted_all(struct ctx *ctx, struct sql_tx *tx, struct hosted **out,
                    size_t *count_out); /* without definitions, by name */
/* The views of a service, by name, without definitions. */
int meta_hosted_views(struct ctx *ctx, struct sql_tx *tx, const id *source, struct hosted **out, size_t *count_out);
/* Attachments of features belong to a data set, so that a new one is filled beside the old one. */
struct attachment {
    int64_t id, parent_oid; /* id unique within (store, layer) */
    int32_t layer;
    str global_id, parent_global_id, name, content_type, keywords;
    int64_t size;
    struct hash hash;
};
int meta_attachment_insert(struct ctx *ctx, struct sql_tx *tx, const id *store,
                           struct attachment *a); /* a->id 0: the next one, filled in */
/* a->id 0: the next one of the layer, which no other gets, filled in; else the highest id is kept in mind. */
int meta_attachment_id(struct ctx *ctx, struct sql_tx *tx, const id *store, struct attachment *a);
int meta_attachment_get(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, int64_t attachment,
                        struct attachment *out);
int meta_attachments(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, int64_t parent_oid /* -1 all */,
                     int64_t after_id, size_t limit, struct attachment **out, size_t *count_out); /* by id */
/* By GlobalID: RC_NOT_FOUND. */
int meta_attachment_by_guid(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, str global_id,
                            struct attachment *out);
int meta_attachments_delete(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer /* -1 all */,
                            int64_t parent_oid /* -1 all */);
int meta_attachment_delete(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer,
                           int64_t attachment); /* RC_NOT_FOUND */
/* Data sets that no hosted service names and that are to be dropped from the feature store. */
int meta_store_drop_later(struct ctx *ctx, struct sql_tx *tx, const id *store);
int meta_stores_to_drop(struct ctx *ctx, struct sql_tx *tx, id **out, size_t *count_out);
int meta_store_dropped(struct ctx *ctx, struct sql_tx *tx, const id *store);

/* ---- jobs (meta_job.c) ---- */
enum job_state { JOB_SUBMITTED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELED };
struct job {
    id id;
    str kind; /* row of jobs/kinds.def: "export", "import", "publish" */
    str owner;
    struct hash key_hash; /* of the base64 key that owners who are not administrators need */
    enum job_state state;
    str definition; /* JSON: what was asked, as the API prints it */
    str request;    /* JSON: all parameters, for running and resuming */
    str checkpoint; /* JSON: where it stands, "" at the start */
    str messages;   /* JSON array of strings */
    str result;     /* JSON or "" */
    str progress;   /* JSON or "" */
    str item;       /* id of the item the job is about ("" none), for the user-item status operation */
    bool cancel_asked;
    int64_t created, modified;
};
int meta_job_insert(struct ctx *ctx, struct sql_tx *tx, const struct job *j);
int meta_job_update(struct ctx *ctx, struct sql_tx *tx, const struct job *j); /* whole row but request and key */
int meta_job_get(struct ctx *ctx, struct sql_tx *tx, const id *job, struct job *out);
int meta_jobs(struct ctx *ctx, struct sql_tx *tx, str owner /* STR_NONE all */, const struct meta_page *page, struct job **out,
              size_t *count_out, int64_t *total_out);
/* Those that are submitted or running, oldest first. */
int meta_jobs_unfinished(struct ctx *ctx, struct sql_tx *tx, struct job **out, size_t *count_out);
/* Sets cancel_asked; RC_NOT_FOUND. */
int meta_job_cancel(struct ctx *ctx, struct sql_tx *tx, const id *job);
/* The newest job of that kind ("" any) about an item. RC_NOT_FOUND. */
int meta_job_of_item(struct ctx *ctx, struct sql_tx *tx, const id *item, str kind, struct job *out);
/* Steps that a job has done, written in the transaction of their effect, so that a resumed job does not repeat it. */
int meta_step_put(struct ctx *ctx, struct sql_tx *tx, const id *job, str step);
int meta_step_get(struct ctx *ctx, struct sql_tx *tx, const id *job, str step); /* RC_NOT_FOUND */
int meta_steps_any(struct ctx *ctx, struct sql_tx *tx, const id *job, bool *out);
/* Finished jobs older than `before` go, with their steps. */
int meta_jobs_expire(struct ctx *ctx, struct sql_tx *tx, int64_t before);

/* ---- search (meta_search.c) ---- */
/* Who asks, for visibility in SQL: everything public and org; the user's own; what is shared to the user's groups; admin: all. */
struct viewer {
    str username; /* "" anonymous */
    bool admin;
    bool outside; /* signed in, but not one of those for whom things of the organization are */
};
struct search_query; /* model/search.h: the parsed q= */
/* How often a value occurs in what is found, as it is written there; the most frequent first, then by value. */
enum meta_count_field {
    META_COUNT_TAGS,
    META_COUNT_TYPE,
    META_COUNT_ACCESS,
    META_COUNT_STATUS,
    META_COUNT_CATEGORIES,
    META_COUNT_FIELDS
};
/* Is it a field that this viewer may sort what is found by? "" is (relevance). */
bool meta_search_sorts_items(str field);
bool meta_search_sorts_groups(str field);
bool meta_search_sorts_users(str field, const struct viewer *who);
const char *meta_count_field_name(enum meta_count_field f);        /* as the API calls it */
bool meta_count_field_parse(str name, enum meta_count_field *out); /* any case */
struct meta_value_count {
    str value;
    int64_t count;
};
struct meta_value_counts {
    enum meta_count_field field; /* in */
    struct meta_value_count *list;
    size_t count;
};
enum { META_SORT_FIELDS_MAX = 3 };
/* Totals and counts are exact up to the first 10,000 (the newest), which is also as far as pages reach. */
struct meta_search_page {
    int64_t start, num; /* from 0 */
    str sort_field;     /* "" relevance; of up to META_SORT_FIELDS_MAX fields between commas the newest 10,000 are in order */
    bool descending;
    struct meta_value_counts *counts; /* of items only; filled in */
    size_t count_count;
    bool everything; /* totals, counts and pages over all that is found, however much */
};
/* Finishes what a migration of the search index asked for; to be called after sql_open. */
int meta_search_rebuild(struct ctx *ctx, struct sql *db);
int meta_search_items(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                      const id *group /* NULL: any */, const struct meta_search_page *page, struct meta_items *out);
struct meta_groups {
    struct group *groups;
    size_t count;
    int64_t total;
};
int meta_search_groups(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                       const struct meta_search_page *page, struct meta_groups *out);
struct meta_user_list {
    struct user *users;
    size_t count;
    int64_t total;
};
int meta_search_users(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                      const struct meta_search_page *page, struct meta_user_list *out);

#endif
