/* Rows about people beside users and groups themselves: roles, their files, requests, notifications. As meta.h. */
#ifndef MAPFERRY_STORE_META_PEOPLE_H
#define MAPFERRY_STORE_META_PEOPLE_H

#include "store/meta.h"

/* ---- custom roles (meta_role.c) ---- */
int meta_role_get(struct ctx *ctx, struct sql_tx *tx, str role, struct custom_role *out);     /* by id; RC_NOT_FOUND */
int meta_role_by_name(struct ctx *ctx, struct sql_tx *tx, str name, struct custom_role *out); /* any case; RC_NOT_FOUND */
int meta_role_insert(struct ctx *ctx, struct sql_tx *tx, const struct custom_role *r);
int meta_role_update(struct ctx *ctx, struct sql_tx *tx, const struct custom_role *r);
int meta_role_delete(struct ctx *ctx, struct sql_tx *tx, str role);
int meta_roles(struct ctx *ctx, struct sql_tx *tx, struct custom_role **out, size_t *count_out); /* by name */
/* The stored privileges; what this program does not know any more is nothing. */
role_privileges meta_role_privileges(struct ctx *ctx, str list);

/* ---- files of users, groups and the organization (meta_file.c) ---- */
enum file_kind { FILE_USER, FILE_GROUP, FILE_ORG };
struct portal_file {
    enum file_kind kind;
    str owner; /* the hidden id of a user, the id of a group, the id of the organization */
    str name;
    struct hash hash;
    int64_t size, modified;
    str content_type;
};
/* The bytes must be attached (blob_attach) earlier in the same transaction. */
int meta_file_put(struct ctx *ctx, struct sql_tx *tx, const struct portal_file *f);
int meta_file_get(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, str name,
                  struct portal_file *out);                                                         /* RC_NOT_FOUND */
int meta_file_delete(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, str name); /* RC_NOT_FOUND */
int meta_files_delete(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner);
int meta_files(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, struct portal_file **out,
               size_t *count_out); /* by name */

/* ---- requests between users and groups (meta_request.c) ---- */
struct group_request {
    id id;
    id group;
    str username;
    str asked_by;                 /* who invited; "": the user asks to be let in */
    enum member_type member_type; /* what the user becomes */
    int64_t created, expires;     /* 0: never */
};
int meta_request_insert(struct ctx *ctx, struct sql_tx *tx, const struct group_request *r);
int meta_request_get(struct ctx *ctx, struct sql_tx *tx, const id *request, struct group_request *out); /* RC_NOT_FOUND */
int meta_request_delete(struct ctx *ctx, struct sql_tx *tx, const id *request);
/* Those between that group and user, in both directions: gone, when the user is in or out. */
int meta_requests_drop(struct ctx *ctx, struct sql_tx *tx, const id *group, str username);
/* Of a user (group NULL), of a group (username STR_NONE) or of both; invitations or applications; that have not expired at that
 * time. Oldest first. */
struct meta_request_query {
    const id *group;
    str username;
    bool invitations;
    int64_t now;
};
int meta_requests(struct ctx *ctx, struct sql_tx *tx, const struct meta_request_query *q, struct group_request **out,
                  size_t *count_out);
int meta_requests_expire(struct ctx *ctx, struct sql_tx *tx, int64_t now); /* removes those past their time */

/* ---- notifications (meta_request.c) ---- */
struct notification {
    id id;
    str username, type, target_type, target;
    str data; /* JSON object */
    int64_t received;
};
int meta_notification_insert(struct ctx *ctx, struct sql_tx *tx, const struct notification *n);
int meta_notification_delete(struct ctx *ctx, struct sql_tx *tx, str username, const id *notification); /* RC_NOT_FOUND */
int meta_notifications(struct ctx *ctx, struct sql_tx *tx, str username, struct notification **out,
                       size_t *count_out);                                                   /* newest first */
int meta_notifications_trim(struct ctx *ctx, struct sql_tx *tx, str username, int64_t keep); /* the oldest go */

/* ---- categories of a group (meta_schema.c) ---- */
int meta_schema_get(struct ctx *ctx, struct sql_tx *tx, str owner, str *content_out); /* RC_NOT_FOUND */
int meta_schema_put(struct ctx *ctx, struct sql_tx *tx, str owner, str content);      /* "" removes it */

/* ---- what users have (meta_person.c) ---- */
/* Bytes of a user's items. */
int meta_user_storage(struct ctx *ctx, struct sql_tx *tx, str username, int64_t *bytes_out);
/* Items and groups (without the one of favourites) that the user owns. */
int meta_user_owns(struct ctx *ctx, struct sql_tx *tx, str username, int64_t *items_out, int64_t *groups_out);
/* Everything of a user but items and groups: folders, memberships, requests, notifications, files, favourites, tokens. */
int meta_user_clear(struct ctx *ctx, struct sql_tx *tx, const struct user *u);
/* Administrators who can sign in. */
int meta_admin_count(struct ctx *ctx, struct sql_tx *tx, int64_t *out);
int meta_role_user_count(struct ctx *ctx, struct sql_tx *tx, str role, int64_t *out); /* users with that custom role */
/* Users whose texts hold `text`, of that role (id of a default or custom one) and provider; "" any. all: also those whose profile
 * is private, for who may see them; else `self` sees their own. */
struct meta_user_filter {
    str text, role, provider, self;
    bool all, org;
};
int meta_users_filtered(struct ctx *ctx, struct sql_tx *tx, const struct meta_user_filter *f, const struct meta_page *page,
                        struct meta_user_list *out);

/* When the first of the users was created: the beginning of the organization. */
int meta_first_user_created(struct ctx *ctx, struct sql_tx *tx, int64_t *out);
/* Settings whose names begin with the prefix. */
struct setting {
    str name, value;
};
int meta_settings(struct ctx *ctx, struct sql_tx *tx, const char *prefix, struct setting **out, size_t *count_out);
int meta_setting_delete(struct ctx *ctx, struct sql_tx *tx, const char *key); /* no error when it is not there */

#endif
