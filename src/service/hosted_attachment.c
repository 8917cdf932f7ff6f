/* Attachments of features. Their rows belong to the data set, their bytes are blobs. */
#include "service/hosted_edit_commit.h"
#include "service/hosted_private.h"

enum { LIST_MAX = 100000, KEYWORDS_MAX = 2000 };

/* What a query for one feature says: its GlobalID, "" without that field. ERR_FEATURE when there is no such feature. */
static int read_global_id(struct ctx *ctx, const struct layer *l, int64_t oid, struct feature_cursor *cursor, str *out)
{
    struct row row;
    int rc = feature_next(ctx, cursor, &row);
    if (rc == RC_OK && l->globalid_field != SIZE_MAX && row.values[l->globalid_field].kind == VALUE_TEXT)
        *out = arena_str(ctx->arena, row.values[l->globalid_field].s);
    feature_cursor_close(cursor);
    if (rc == RC_END)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_FEATURE, "There is no feature %lld.", (long long)oid);
    return rc;
}

/* As it is there for the caller; with an edit, as that one sees it. */
static int feature_global_id(struct ctx *ctx, struct site *s, struct feature_edit *edit, const struct hosted_service *h,
                             const struct layer *l, int64_t oid, str *out)
{
    size_t wanted = l->globalid_field == SIZE_MAX ? l->oid_field : l->globalid_field;
    struct feature_query q = {.oids = &oid, .oid_count = 1, .limit = 1, .fields = &wanted, .field_count = 1};
    struct feature_cursor *cursor;
    *out = STR("");
    if (edit)
        TRY(feature_edit_query(ctx, edit, l, &q, &cursor));
    else
        TRY(feature_query_open(ctx, s->features, &h->store, l, &q, &cursor));
    return read_global_id(ctx, l, oid, cursor, out);
}

/* ---- changing ---- */

/* The service of a feature, held for editing, with the feature looked up. */
struct opened {
    struct site *site;
    struct hosted_editing editing;
    struct feature_edit *edit;
    const struct layer *layer;
    int64_t oid;
    str parent; /* GlobalID */
};

static void close_feature(struct opened *o)
{
    feature_edit_close(o->edit);
    hosted_editing_close(&o->editing);
}

static int open_feature(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                        enum feature_right right, struct opened *out)
{
    const struct hosted_service *h;
    out->site = s;
    out->oid = at->oid;
    TRY(hosted_editing_open(ctx, s, c, at->service, &right, 1, &out->editing));
    h = out->editing.service;
    TRY(hosted_layer(ctx, h, at->layer, &out->layer));
    if (!out->layer->has_attachments)
        return err_set(ctx, &ERR_FEATURE, "The layer takes no attachments.");
    TRY(feature_edit_begin(ctx, s->features, &h->store, &out->edit));
    return feature_global_id(ctx, s, out->edit, h, out->layer, at->oid, &out->parent);
}

struct find_call {
    const struct opened *at;
    int64_t wanted;
    struct attachment found;
};

static int find_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct find_call *call = arg;
    const struct opened *o = call->at;
    int rc = meta_attachment_get(ctx, tx, &o->editing.service->store, layer_stored(o->layer)->id, call->wanted, &call->found);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && call->found.parent_oid != o->oid))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_FEATURE, "Feature %lld has no attachment %lld.", (long long)o->oid,
                          (long long)call->wanted);
    return rc;
}

static int find_attachment(struct ctx *ctx, const struct opened *o, int64_t wanted, struct attachment *out)
{
    struct find_call call = {.at = o, .wanted = wanted};
    TRY(sql_read(ctx, o->site->sql, find_row, &call));
    *out = call.found;
    return RC_OK;
}

static int check_file(struct ctx *ctx, struct site *s, const struct hosted_file *file)
{
    struct blob_new *blob = file->bytes.blob;
    TRY(item_name_check(ctx, "attachment", file->name));
    TRY(item_text_check(ctx, "keywords", str_none(file->keywords) ? STR("") : file->keywords, KEYWORDS_MAX));
    return blob ? blob_sync(ctx, s->blobs, &blob, 1) : RC_OK;
}

static int change(struct ctx *ctx, const struct opened *o, const struct attachment *old, const struct hosted_file *file,
                  struct edit_result *out)
{
    struct hosted_commit commit = {.site = o->site, .service = o->editing.service, .edit = o->edit};
    struct hosted_file_change it = {.kind = old->id ? FILE_UPDATED : FILE_ADDED, .attachment = *old, .bytes = file->bytes};
    struct attachment *a = &it.attachment;
    int64_t moment;
    a->parent_oid = o->oid;
    a->layer = layer_stored(o->layer)->id;
    a->parent_global_id = o->parent;
    a->name = file->name;
    a->content_type = file->content_type;
    a->keywords = str_none(file->keywords) ? old->keywords : file->keywords;
    a->size = file->bytes.size;
    a->hash = file->bytes.hash;
    hosted_commit_note(ctx, &commit, &it);
    TRY(hosted_commit_edit(ctx, &commit, &moment));
    *out = (struct edit_result){.oid = commit.changes[0].attachment.id, .global_id = a->global_id, .success = true};
    return RC_OK;
}

int hosted_add_attachment(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                          const struct hosted_file *file, struct edit_result *out)
{
    char guid[GUID_SIZE + 1];
    CLEANUP(close_feature) struct opened o = {.parent = STR("")};
    guid_new(guid);
    const struct attachment fresh = {.global_id = arena_str(ctx->arena, str_of(guid, GUID_SIZE)), .keywords = STR("")};
    TRY(check_file(ctx, s, file));
    TRY(open_feature(ctx, s, c, at, FEATURE_CREATE, &o));
    return change(ctx, &o, &fresh, file, out);
}

int hosted_update_attachment(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                             int64_t attachment, const struct hosted_file *file, struct edit_result *out)
{
    CLEANUP(close_feature) struct opened o = {.parent = STR("")};
    struct attachment old;
    TRY(check_file(ctx, s, file));
    TRY(open_feature(ctx, s, c, at, FEATURE_UPDATE, &o));
    TRY(find_attachment(ctx, &o, attachment, &old));
    return change(ctx, &o, &old, file, out);
}

/* ---- deleting ---- */

static int delete_one(struct ctx *ctx, const struct opened *o, struct hosted_commit *commit, struct edit_result *r)
{
    struct hosted_file_change it = {.kind = FILE_DELETED};
    int rc = find_attachment(ctx, o, r->oid, &it.attachment);
    r->success = rc == RC_OK;
    if (rc == RC_NOT_FOUND) {
        r->code = CODE_MISSING;
        r->description = arena_str(ctx->arena, str_c(err_text(ctx)));
        err_clear(ctx);
        return RC_OK;
    }
    TRY(rc);
    r->global_id = it.attachment.global_id;
    hosted_commit_note(ctx, commit, &it);
    return RC_OK;
}

int hosted_delete_attachments(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_feature *at,
                              const int64_t *attachments, size_t count, bool rollback, struct edit_result **out)
{
    CLEANUP(close_feature) struct opened o = {.parent = STR("")};
    int64_t moment;
    TRY(open_feature(ctx, s, c, at, FEATURE_DELETE, &o));
    struct hosted_commit commit = {.site = s, .service = o.editing.service, .edit = o.edit};
    struct edit_result *results = *out = arena_array(ctx->arena, struct edit_result, count);
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct edit_result){.oid = attachments[i], .global_id = STR_NONE};
        TRY(delete_one(ctx, &o, &commit, &results[i]));
    }
    if (commit.count == count || !rollback)
        return hosted_commit_edit(ctx, &commit, &moment);
    for (size_t i = 0; i < count; i++)
        if (results[i].success)
            results[i] = (struct edit_result){.oid = attachments[i],
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
    TRY(feature_global_id(ctx, s, NULL, h, l, oid, &parent));
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
    TRY(feature_global_id(ctx, s, NULL, h, l, oid, &parent)); /* a view may not show the feature */
    struct list_call call = {.service = h, .layer = layer_stored(l)->id, .oid = oid, .attachment = attachment};
    TRY(sql_read(ctx, s->sql, get_row, &call));
    *out = *call.list;
    return RC_OK;
}

struct named_call {
    const struct hosted_service *service;
    const struct layer *layer;
    const int64_t *ids;
    size_t id_count, count;
    struct attachment *list;
};

static int named_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct named_call *call = arg;
    call->count = 0;
    for (size_t i = 0; i < call->id_count; i++) {
        int rc = meta_attachment_get(ctx, tx, &call->service->store, layer_stored(call->layer)->id, call->ids[i],
                                     &call->list[call->count]);
        if (rc == RC_NOT_FOUND)
            continue;
        TRY(rc);
        call->count++;
    }
    return RC_OK;
}

int hosted_attachments_named(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct layer *l,
                             const int64_t *ids, size_t id_count, struct attachment **out, size_t *count_out)
{
    struct named_call call = {.service = h,
                              .layer = l,
                              .ids = ids,
                              .id_count = id_count,
                              .list = arena_array(ctx->arena, struct attachment, id_count + 1)};
    TRY(sql_read(ctx, s->sql, named_rows, &call));
    *out = call.list;
    *count_out = call.count;
    return RC_OK;
}
