/* Files uploaded to a service, whole or in parts, which edits name by their id instead of bringing bytes along (api.md 4.4). Only
 * who uploaded a file finds it. What nobody touches for a time goes (site_settings.upload_keep_ms). */
#ifndef MAPFERRY_SERVICE_HOSTED_UPLOAD_H
#define MAPFERRY_SERVICE_HOSTED_UPLOAD_H

#include "service/hosted.h"
#include "store/meta_service_upload.h"

enum { HOSTED_UPLOADS_MAX = 500 }; /* of a user to a service at a time */

struct hosted_upload {
    str name, description, content_type;
    struct blob_new *blob; /* finished, stays the caller's to close; NULL: parts follow, then a commit */
};
int hosted_upload_add(struct ctx *ctx, struct site *s, const struct caller *c, str service, const struct hosted_upload *what,
                      struct service_upload *out);
/* ERR_UPLOAD when the caller has no such upload. */
int hosted_upload_get(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload,
                      struct service_upload *out);
/* number: 1 to UPLOAD_PARTS_MAX; one that is there is replaced. */
int hosted_upload_part(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload, int64_t number,
                       struct blob_new *bytes);
/* Joins the parts, which have to be there from 1 without a gap. */
int hosted_upload_commit(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload,
                         struct service_upload *out);
int hosted_upload_delete(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload);
/* A committed upload to the service, for an edit of it. */
int hosted_upload_file(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload,
                       struct service_upload *out);

#endif
