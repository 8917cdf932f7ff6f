/* What the files of the use cases of users share. Not for other rooms. */
#ifndef MAPFERRY_SERVICE_USER_PRIVATE_H
#define MAPFERRY_SERVICE_USER_PRIVATE_H

#include "service/item_private.h"
#include "service/user.h"
#include "store/meta_people.h"

/* ---- user.c ---- */
/* A user that the caller may see, by name or id. ERR_USER_MISSING. */
int user_find(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, str username, struct user *out);
/* 8 to 1024 bytes. ERR_PARAMETER naming the parameter. */
int user_password_check(struct ctx *ctx, const char *parameter, str password);
/* A role by the name of a default one or the id of a custom one into the user's fields; "" leaves them. ERR_PARAMETER. */
int user_role_take(struct ctx *ctx, struct sql_tx *tx, str role, struct user *u);
/* The user type and the role go together. ERR_USER_CHANGE. */
int user_license_check(struct ctx *ctx, const struct user *u);

/* ---- portal_file.c ---- */
/* An image that a request brought, checked: at most 1 MB, PNG, JPEG or GIF by its bytes. The name gets the extension of what it
 * is. ERR_PARAMETER. Durable then; attach it in the transaction by portal_file_put. */
struct picture {
    struct blob_new *blob; /* NULL: none */
    str name, content_type;
};
int portal_file_picture(struct ctx *ctx, struct site *s, struct blob_new *blob, str name, struct picture *out);
/* In a write transaction: the bytes become the only picture of that owner. */
int portal_file_put_picture(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, const struct picture *p);
/* ERR_USER_FILE_MISSING. */
int portal_file_get(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, str name, struct portal_file *out);

#endif
