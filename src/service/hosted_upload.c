/* Files uploaded to a service: see hosted_upload.h. */
#include "service/hosted_upload.h"
#include "service/hosted_private.h"
#include "service/upload.h"

enum { DESCRIPTION_MAX = 2000 };

struct upload_call {
    const struct caller *caller;
    id service;
    struct service_upload upload;
    const struct upload_part *part;
    const struct blob_new *bytes;
    struct upload_part *parts;
    size_t count;
    int64_t bytes_max;
};

/* The service, whose uploads the caller may use. */
static int open_service(struct ctx *ctx, struct site *s, const struct caller *c, str service, struct upload_call *out)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(service_require(ctx, c, !c->anonymous));
    TRY(hosted_open(ctx, s, c, service, FEATURE_UPLOAD, &h));
    *out = (struct upload_call){.caller = c, .service = h->item, .bytes_max = s->settings.upload_max};
    return RC_OK;
}

static int open_upload(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload, struct upload_call *out)
{
    TRY(open_service(ctx, s, c, service, out));
    if (!id_parse(upload, &out->upload.id))
        return err_set(ctx, &ERR_UPLOAD, "'%.*s' is no id of an upload.", STR_FMT(str_sub(upload, 0, 64)));
    return RC_OK;
}

static int find(struct ctx *ctx, struct sql_tx *tx, struct upload_call *call)
{
    const id wanted = call->upload.id;
    int rc = meta_service_upload_get(ctx, tx, &wanted, &call->upload);
    bool own = rc == RC_OK && id_eq(call->upload.service, call->service) && str_eq(call->upload.owner, call->caller->username);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !own))
        return err_set(ctx, &ERR_UPLOAD, "You have no upload '%s' to this service.", wanted.text);
    return rc;
}

static int find_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(find(ctx, tx, call));
    return meta_service_parts(ctx, tx, &call->upload.id, &call->parts, &call->count);
}

int hosted_upload_get(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload,
                      struct service_upload *out)
{
    struct upload_call call;
    TRY(open_upload(ctx, s, c, service, upload, &call));
    TRY(sql_read(ctx, s->sql, find_rows, &call));
    *out = call.upload;
    return RC_OK;
}

int hosted_upload_file(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload,
                       struct service_upload *out)
{
    TRY(hosted_upload_get(ctx, s, c, service, upload, out));
    return out->committed ? RC_OK : err_set(ctx, &ERR_UPLOAD, "Upload '%s' was not committed.", out->id.text);
}

/* ---- beginning ---- */

static int add_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    int64_t there;
    TRY(meta_service_upload_count(ctx, tx, &call->service, call->upload.owner, &there));
    if (there >= HOSTED_UPLOADS_MAX)
        return err_set(ctx, &ERR_UPLOAD, "You have %d uploads to this service: delete some.", HOSTED_UPLOADS_MAX);
    if (call->bytes)
        TRY(blob_attach(ctx, tx, call->bytes));
    return meta_service_upload_insert(ctx, tx, &call->upload);
}

int hosted_upload_add(struct ctx *ctx, struct site *s, const struct caller *c, str service, const struct hosted_upload *what,
                      struct service_upload *out)
{
    struct upload_call call;
    struct blob_new *blob = what->blob;
    TRY(open_service(ctx, s, c, service, &call));
    TRY(item_name_check(ctx, "itemName", what->name));
    TRY(item_text_check(ctx, "description", what->description, DESCRIPTION_MAX));
    call.bytes = blob;
    call.upload = (struct service_upload){.id = id_new(),
                                          .service = call.service,
                                          .owner = c->username,
                                          .name = what->name,
                                          .description = what->description,
                                          .content_type = what->content_type,
                                          .touched = ctx_now(ctx),
                                          .committed = blob != NULL};
    if (blob) {
        call.upload.size = (int64_t)blob_new_size(blob);
        call.upload.hash = blob_new_hash(blob);
        TRY(blob_sync(ctx, s->blobs, &blob, 1));
    }
    TRY(sql_write(ctx, s->sql, add_row, &call));
    *out = call.upload;
    return RC_OK;
}

/* ---- parts ---- */

static int add_part(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(find_rows(ctx, tx, call));
    if (call->upload.committed)
        return err_set(ctx, &ERR_UPLOAD, "Upload '%s' was committed already.", call->upload.id.text);
    TRY(upload_check_room(ctx, call->parts, call->count, call->part, call->bytes_max));
    TRY(blob_attach(ctx, tx, call->bytes));
    return meta_service_part_put(ctx, tx, &call->upload.id, call->part);
}

int hosted_upload_part(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload, int64_t number,
                       struct blob_new *bytes)
{
    struct upload_call call;
    TRY(open_upload(ctx, s, c, service, upload, &call));
    if (number < 1 || number > UPLOAD_PARTS_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'partId' has to be a number from 1 to %d.", UPLOAD_PARTS_MAX);
    const struct upload_part part = {.number = number, .size = (int64_t)blob_new_size(bytes), .hash = blob_new_hash(bytes)};
    call.part = &part;
    call.bytes = bytes;
    TRY(blob_sync(ctx, s->blobs, &bytes, 1));
    return sql_write(ctx, s->sql, add_part, &call);
}

/* The parts have to be those that were joined. */
static int commit_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    struct upload_part *parts;
    size_t count;
    struct service_upload joined = call->upload;
    TRY(find(ctx, tx, call));
    TRY(meta_service_parts(ctx, tx, &joined.id, &parts, &count));
    bool same = count == call->count && !call->upload.committed;
    for (size_t i = 0; i < count && same; i++)
        same = parts[i].number == call->parts[i].number && hash_eq(parts[i].hash, call->parts[i].hash);
    call->upload = joined;
    if (!same)
        return err_set(ctx, &ERR_UPLOAD, "The parts changed while they were joined.");
    TRY(blob_attach(ctx, tx, call->bytes));
    return meta_service_upload_commit(ctx, tx, &call->upload);
}

static void blob_cleanup(struct blob_new **b) { blob_new_close(*b); }

int hosted_upload_commit(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload,
                         struct service_upload *out)
{
    CLEANUP(blob_cleanup) struct blob_new *whole = NULL;
    struct upload_call call;
    TRY(open_upload(ctx, s, c, service, upload, &call));
    TRY(sql_read(ctx, s->sql, find_rows, &call));
    if (!call.upload.committed) {
        TRY(upload_join(ctx, s, call.parts, call.count, &whole));
        call.bytes = whole;
        call.upload.hash = blob_new_hash(whole);
        call.upload.size = (int64_t)blob_new_size(whole);
        call.upload.touched = ctx_now(ctx);
        TRY(blob_sync(ctx, s->blobs, &whole, 1));
        TRY(sql_write(ctx, s->sql, commit_row, &call));
        call.upload.committed = true;
    }
    *out = call.upload;
    return RC_OK;
}

static int delete_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct upload_call *call = arg;
    TRY(find(ctx, tx, call));
    return meta_service_upload_delete(ctx, tx, &call->upload.id);
}

int hosted_upload_delete(struct ctx *ctx, struct site *s, const struct caller *c, str service, str upload)
{
    struct upload_call call;
    TRY(open_upload(ctx, s, c, service, upload, &call));
    return sql_write(ctx, s->sql, delete_row, &call);
}
