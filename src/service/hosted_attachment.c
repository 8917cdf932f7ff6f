/* Attachments of features. Their rows belong to the data set, their bytes are blobs. */
#include "service/hosted_private.h"

enum { LIST_MAX = 100000 };

/* The feature's global id, "" without that field. ERR_FEATURE when there is no such feature. */
static int feature_global_id(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct layer *l, int64_t oid,
                             str *out)
{
    size_t wanted = l->globalid_field == SIZE_MAX ? l->oid_field : l->globalid_field;
    struct feature_query q = {.oids = &oid, .oid_count = 1, .limit = 1, .fields = &wanted, .field_count = 1};
    struct feature_cursor *cursor;
    struct row row;
    *out = STR("");
    TRY(feature_query_open(ctx, s->features, &h->store, l, &q, &cursor));
    int rc = feature_next(ctx, cursor, &row);
    if (rc == RC_OK && l->globalid_field != SIZE_MAX && row.values[l->globalid_field].kind == VALUE_TEXT)
        *out = arena_str(ctx->arena, row.values[l->globalid_field].s);
    feature_cursor_close(cursor);
    if (rc == RC_END)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_FEATURE, "There is no feature %lld.", (long long)oid);
    return rc;
}

struct add_call {
    const struct hosted_service *service;
    const struct blob_new *blob;
    struct attachment attachment;
};

static int add_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct add_call *call = arg;
    struct hosted now;
    call->attachment.id = 0; /* may be run again */
    int rc = meta_hosted_ref(ctx, tx, call->service->name, &now);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !id_eq(now.store, call->service->store))) /* deleted or overwritten meanwhile */
        return err_set(ctx, &ERR_SERVICE_MISSING, "The service was replaced by someone else meanwhile. Try again.");
    TRY(rc);
    TRY(blob_attach(ctx, tx, call->blob));
    return meta_attachment_insert(ctx, tx, &call->service->store, &call->attachment);
}

int hosted_add_attachment(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, int64_t oid,
                          struct blob_new *blob, str file_name, str content_type, str keywords, struct edit_result *out)
{
    hosted_cache_lock(s->hosted, false);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = s->hosted;
    (void)locked;
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    str parent;
    char guid[GUID_SIZE + 1];
    TRY(hosted_open(ctx, s, c, name, FEATURE_CREATE, &h));
    TRY(hosted_layer(ctx, h, layer_id, &l));
    if (!l->has_attachments)
        return err_set(ctx, &ERR_FEATURE, "The layer takes no attachments.");
    TRY(item_name_check(ctx, "attachment", file_name));
    TRY(feature_global_id(ctx, s, h, l, oid, &parent));
    guid_new(guid);
    struct add_call call = {.service = h, .blob = blob};
    call.attachment = (struct attachment){.parent_oid = oid,
                                          .layer = layer_id,
                                          .global_id = arena_str(ctx->arena, str_of(guid, GUID_SIZE)),
                                          .parent_global_id = parent,
                                          .name = file_name,
                                          .content_type = content_type,
                                          .keywords = keywords,
                                          .size = (int64_t)blob_new_size(blob),
                                          .hash = blob_new_hash(blob)};
    TRY(blob_sync(ctx, s->blobs, &blob, 1));
    TRY(sql_write(ctx, s->sql, add_rows, &call));
    *out = (struct edit_result){.oid = call.attachment.id, .global_id = call.attachment.global_id, .success = true};
    return RC_OK;
}

/* ---- reading ---- */

struct list_call {
    const struct hosted_service *service;
    int32_t layer;
    int64_t oid, after_id, attachment;
    size_t limit, count;
    struct attachment *list;
};

static int list_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct list_call *call = arg;
    return meta_attachments(ctx, tx, &call->service->store, call->layer, call->oid, call->after_id, call->limit, &call->list,
                            &call->count);
}

int hosted_attachments_of(struct ctx *ctx, struct site *s, const struct hosted_service *h, int32_t layer_id, int64_t oid,
                          int64_t after_id, size_t limit, struct attachment **out, size_t *count_out)
{
    struct list_call call = {.service = h, .layer = layer_id, .oid = oid, .after_id = after_id, .limit = limit};
    TRY(sql_read(ctx, s->sql, list_rows, &call));
    *out = call.list;
    *count_out = call.count;
    return RC_OK;
}

int hosted_attachments(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, int64_t oid,
                       struct attachment **out, size_t *count_out)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    str parent;
    TRY(hosted_open(ctx, s, c, name, FEATURE_QUERY, &h));
    TRY(hosted_layer(ctx, h, layer_id, &l));
    TRY(feature_global_id(ctx, s, h, l, oid, &parent));
    return hosted_attachments_of(ctx, s, h, layer_id, oid, 0, LIST_MAX, out, count_out);
}

static int get_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct list_call *call = arg;
    call->list = arena_new(ctx->arena, struct attachment);
    int rc = meta_attachment_get(ctx, tx, &call->service->store, call->layer, call->attachment, call->list);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && call->list->parent_oid != call->oid))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_FEATURE, "Feature %lld has no attachment %lld.", (long long)call->oid,
                          (long long)call->attachment);
    return rc;
}

int hosted_attachment_get(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, int64_t oid,
                          int64_t attachment, struct attachment *out)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    TRY(hosted_open(ctx, s, c, name, FEATURE_QUERY, &h));
    TRY(hosted_layer(ctx, h, layer_id, &l));
    struct list_call call = {.service = h, .layer = layer_id, .oid = oid, .attachment = attachment};
    TRY(sql_read(ctx, s->sql, get_row, &call));
    *out = *call.list;
    return RC_OK;
}
