/* Files uploaded to a service, for edits to name them. Bytes must be attached (blob_attach) earlier in the same transaction. */
#ifndef MAPFERRY_STORE_META_SERVICE_UPLOAD_H
#define MAPFERRY_STORE_META_SERVICE_UPLOAD_H

#include "store/meta.h"

struct service_upload {
    id id, service; /* service: its item */
    str owner, name, description, content_type;
    int64_t touched, size;
    bool committed; /* whole: hash and size are those of the file */
    struct hash hash;
};
int meta_service_upload_insert(struct ctx *ctx, struct sql_tx *tx, const struct service_upload *u);
int meta_service_upload_get(struct ctx *ctx, struct sql_tx *tx, const id *upload, struct service_upload *out); /* RC_NOT_FOUND */
/* The bytes of one whose parts are joined; the parts go. */
int meta_service_upload_commit(struct ctx *ctx, struct sql_tx *tx, const struct service_upload *u);
int meta_service_upload_delete(struct ctx *ctx, struct sql_tx *tx, const id *upload); /* RC_NOT_FOUND */
int meta_service_upload_count(struct ctx *ctx, struct sql_tx *tx, const id *service, str owner, int64_t *out);
int meta_service_uploads_expire(struct ctx *ctx, struct sql_tx *tx, int64_t before); /* those that nobody touched since */
/* A part in place of one of the same number. */
int meta_service_part_put(struct ctx *ctx, struct sql_tx *tx, const id *upload, const struct upload_part *part);
int meta_service_parts(struct ctx *ctx, struct sql_tx *tx, const id *upload, struct upload_part **out,
                       size_t *count_out); /* by number */

#endif
