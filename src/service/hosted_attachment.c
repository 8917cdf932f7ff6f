/* Attachments of features. Their rows belong to the data set, their bytes are blobs. */
#include "service/hosted_private.h"

enum { LIST_MAX = 100000, KEYWORDS_MAX = 2000 };

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

/* ---- changing ---- */

/* The service of a feature, held for editing, with the feature looked up. */
struct opened {
    struct hosted_editing editing;
    const struct layer *layer;
    str parent; /* GlobalID */
};

static void close_feature(struct opened *o) { hosted_editing_close(&o->editing); }

static int open_feature(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                        enum feature_right right, struct opened *out)
{
    TRY(hosted_editing_open(ctx, s, c, at->service, &right, 1, &out->editing));
    TRY(hosted_layer(ctx, out->editing.service, at->layer, &out->layer));
    if (!out->layer->has_attachments)
        return err_set(ctx, &ERR_FEATURE, "The layer takes no attachments.");
    return feature_global_id(ctx, s, out->editing.service, out->layer, at->oid, &out->parent);
}

struct change_call {
    const struct opened *at;
    const struct hosted_file *file;
    int64_t oid, wanted; /* wanted: the id that gets other bytes, 0 a new one */
    struct attachment attachment;
};

/* The service as it was opened has to be the one that is there when the rows are written. */
static int check_same(struct ctx *ctx, struct sql_tx *tx, const struct hosted_service *h)
{
    struct hosted now;
    int rc = meta_hosted_get(ctx, tx, &h->item, &now);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && now.modified != h->modified)) /* deleted or overwritten meanwhile */
        return err_set(ctx, &ERR_SERVICE_MISSING, "The service was replaced by someone else meanwhile. Try again.");
    return rc;
}

static int find_attachment(struct ctx *ctx, struct sql_tx *tx, const struct opened *o, int64_t oid, int64_t wanted,
                           struct attachment *out)
{
    int rc = meta_attachment_get(ctx, tx, &o->editing.service->store, layer_stored(o->layer)->id, wanted, out);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && out->parent_oid != oid))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_FEATURE, "Feature %lld has no attachment %lld.", (long long)oid,
                          (long long)wanted);
    return rc;
}

static int change_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct change_call *call = arg;
    const struct hosted_service *h = call->at->editing.service;
    struct attachment a = call->attachment, old; /* may be run again */
    TRY(check_same(ctx, tx, h));
    if (call->wanted) {
        TRY(find_attachment(ctx, tx, call->at, call->oid, call->wanted, &old));
        a.id = old.id;
        a.global_id = old.global_id;
        a.keywords = str_none(call->file->keywords) ? old.keywords : a.keywords;
        TRY(meta_attachment_delete(ctx, tx, &h->store, a.layer, a.id));
    }
    TRY(blob_attach(ctx, tx, call->file->blob));
    TRY(meta_attachment_insert(ctx, tx, &h->store, &a));
    call->attachment.id = a.id;
    call->attachment.global_id = a.global_id;
    return RC_OK;
}

static int change(struct ctx *ctx, struct site *s, const struct opened *o, const struct hosted_feature *at, int64_t wanted,
                  const struct hosted_file *file, struct edit_result *out)
{
    char guid[GUID_SIZE + 1];
    struct blob_new *blob = file->blob;
    TRY(item_name_check(ctx, "attachment", file->name));
    TRY(item_text_check(ctx, "keywords", str_none(file->keywords) ? STR("") : file->keywords, KEYWORDS_MAX));
    guid_new(guid);
    struct change_call call = {.at = o, .file = file, .oid = at->oid, .wanted = wanted};
    call.attachment = (struct attachment){.parent_oid = at->oid,
                                          .layer = layer_stored(o->layer)->id,
                                          .global_id = arena_str(ctx->arena, str_of(guid, GUID_SIZE)),
                                          .parent_global_id = o->parent,
                                          .name = file->name,
                                          .content_type = file->content_type,
                                          .keywords = str_none(file->keywords) ? STR("") : file->keywords,
                                          .size = (int64_t)blob_new_size(blob),
                                          .hash = blob_new_hash(blob)};
    TRY(blob_sync(ctx, s->blobs, &blob, 1));
    TRY(sql_write(ctx, s->sql, change_rows, &call));
    *out = (struct edit_result){.oid = call.attachment.id, .global_id = call.attachment.global_id, .success = true};
    return RC_OK;
}

int hosted_add_attachment(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                          const struct hosted_file *file, struct edit_result *out)
{
    CLEANUP(close_feature) struct opened o = {.parent = STR("")};
    TRY(open_feature(ctx, s, c, at, FEATURE_CREATE, &o));
    return change(ctx, s, &o, at, 0, file, out);
}

int hosted_update_attachment(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                             int64_t attachment, const struct hosted_file *file, struct edit_result *out)
{
    CLEANUP(close_feature) struct opened o = {.parent = STR("")};
    TRY(open_feature(ctx, s, c, at, FEATURE_UPDATE, &o));
    return change(ctx, s, &o, at, attachment, file, out);
}

/* ---- deleting ---- */

struct delete_call {
    const struct opened *at;
    int64_t oid;
    const int64_t *ids;
    size_t count;
    bool rollback, failed;
    struct edit_result *results;
};

static int delete_one(struct ctx *ctx, struct sql_tx *tx, struct delete_call *call, size_t i)
{
    struct attachment a;
    const struct opened *o = call->at;
    struct edit_result *r = &call->results[i];
    int rc = find_attachment(ctx, tx, o, call->oid, call->ids[i], &a);
    *r = (struct edit_result){.oid = call->ids[i], .global_id = STR_NONE, .success = rc == RC_OK};
    if (rc == RC_NOT_FOUND) {
        r->code = CODE_MISSING;
        r->description = arena_str(ctx->arena, str_c(err_text(ctx)));
        err_clear(ctx);
        call->failed = true;
        return RC_OK;
    }
    TRY(rc);
    r->global_id = a.global_id;
    return meta_attachment_delete(ctx, tx, &o->editing.service->store, a.layer, a.id);
}

static int delete_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct delete_call *call = arg;
    call->failed = false;
    TRY(check_same(ctx, tx, call->at->editing.service));
    for (size_t i = 0; i < call->count; i++)
        TRY(delete_one(ctx, tx, call, i));
    return call->failed && call->rollback ? RC_END : RC_OK; /* not RC_OK: nothing is kept */
}

int hosted_delete_attachments(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                              const int64_t *attachments, size_t count, bool rollback, struct edit_result **out)
{
    CLEANUP(close_feature) struct opened o = {.parent = STR("")};
    TRY(open_feature(ctx, s, c, at, FEATURE_DELETE, &o));
    *out = arena_array(ctx->arena, struct edit_result, count);
    struct delete_call call = {
        .at = &o, .oid = at->oid, .ids = attachments, .count = count, .rollback = rollback, .results = *out};
    int rc = sql_write(ctx, s->sql, delete_rows, &call);
    if (rc != RC_END)
        return rc;
    for (size_t i = 0; i < count; i++)
        if ((*out)[i].success)
            (*out)[i] = (struct edit_result){.oid = attachments[i],
                                             .global_id = STR_NONE,
                                             .code = CODE_ROLLBACK,
                                             .description = STR("Operation rolled back.")};
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
    const struct layer *l;
    TRY(hosted_layer(ctx, h, layer_id, &l));
    struct list_call call = {.service = h, .layer = layer_stored(l)->id, .oid = oid, .after_id = after_id, .limit = limit};
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
    str parent;
    TRY(hosted_layer(ctx, h, layer_id, &l));
    TRY(feature_global_id(ctx, s, h, l, oid, &parent)); /* a view may not show the feature */
    struct list_call call = {.service = h, .layer = layer_stored(l)->id, .oid = oid, .attachment = attachment};
    TRY(sql_read(ctx, s->sql, get_row, &call));
    *out = *call.list;
    return RC_OK;
}
