/* Attachments among the edits of a layer: see hosted_edit_files.h. */
#include "service/hosted_edit_files.h"
#include "service/hosted_private.h"

enum { FILES_MAX = 1000 };

static void refuse(struct ctx *ctx, struct edit_result *r, int code, const char *text)
{
    r->success = false;
    r->code = code;
    r->description = arena_str(ctx->arena, str_c(text));
}

static bool files_any(const struct hosted_layer_edits *e)
{
    return e->file_add_count + e->file_update_count + e->file_delete_count > 0;
}

bool hosted_files_failed(const struct hosted_layer_edits *e)
{
    const struct edit_results all[] = {e->files_added, e->files_updated, e->files_deleted};
    for (size_t k = 0; k < COUNT_OF(all); k++)
        for (size_t i = 0; i < all[k].count; i++)
            if (!all[k].list[i].success)
                return true;
    return false;
}

static struct edit_results results_of(struct ctx *ctx, size_t count)
{
    struct edit_results out = {.list = arena_array(ctx->arena, struct edit_result, count), .count = count};
    for (size_t i = 0; i < count; i++)
        out.list[i] = (struct edit_result){.oid = -1, .global_id = STR_NONE, .success = true};
    return out;
}

/* In canonical form, or the result is a refusal. */
static bool canonical(struct ctx *ctx, str *guid, struct edit_result *r)
{
    char text[GUID_SIZE + 1];
    if (!guid_parse(str_none(*guid) ? STR("") : *guid, text)) {
        refuse(ctx, r, CODE_INVALID, "A GlobalID is missing, or none.");
        return false;
    }
    *guid = arena_str(ctx->arena, str_of(text, GUID_SIZE));
    return true;
}

static int check_file(struct ctx *ctx, const struct hosted_file_edit *f, bool is_new, struct edit_result *r)
{
    int rc = str_none(f->name) && !is_new ? RC_OK : item_name_check(ctx, "attachment", str_none(f->name) ? STR("") : f->name);
    if (rc == RC_FAIL) {
        refuse(ctx, r, CODE_INVALID, err_text(ctx));
        err_clear(ctx);
        return RC_OK;
    }
    if (rc == RC_OK && is_new && !f->bytes.given)
        refuse(ctx, r, CODE_INVALID, "The attachment has neither 'data' nor an 'uploadId'.");
    return rc;
}

/* Two new attachments cannot have one GlobalID. */
static void check_twice(struct ctx *ctx, struct hosted_layer_edits *e)
{
    for (size_t i = 0; i < e->file_add_count; i++)
        for (size_t k = 0; k < i && e->files_added.list[i].success; k++)
            if (e->files_added.list[k].success && str_eq(e->file_adds[k].global_id, e->file_adds[i].global_id))
                refuse(ctx, &e->files_added.list[i], CODE_INVALID, "Another attachment of this call has this GlobalID.");
}

int hosted_files_begin(struct ctx *ctx, struct site *s, struct hosted_layer_edits *e, const struct hosted_rows *r,
                       struct hosted_files *out)
{
    char guid[GUID_SIZE + 1];
    *out = (struct hosted_files){.edits = e, .rows = r};
    e->files_added = results_of(ctx, e->file_add_count);
    e->files_updated = results_of(ctx, e->file_update_count);
    e->files_deleted = results_of(ctx, e->file_delete_count);
    if (!files_any(e))
        return RC_OK;
    if (!e->layer->has_attachments)
        return err_set(ctx, &ERR_FEATURE, "Layer %d takes no attachments.", e->layer->id);
    if (e->file_add_count > FILES_MAX || e->file_update_count > FILES_MAX || e->file_delete_count > FILES_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d attachments at once.", FILES_MAX);
    out->added = arena_array(ctx->arena, struct attachment, e->file_add_count);
    out->updated = arena_array(ctx->arena, struct attachment, e->file_update_count);
    out->deleted = arena_array(ctx->arena, struct attachment, e->file_delete_count);
    for (size_t i = 0; i < e->file_add_count; i++) {
        struct hosted_file_edit *f = &e->file_adds[i];
        if (str_none(f->global_id)) {
            guid_new_at(r->now, guid);
            f->global_id = arena_str(ctx->arena, str_of(guid, GUID_SIZE));
        }
        if (canonical(ctx, &f->parent, &e->files_added.list[i]) && canonical(ctx, &f->global_id, &e->files_added.list[i]))
            TRY(check_file(ctx, f, true, &e->files_added.list[i]));
        if (f->bytes.blob)
            TRY(blob_sync(ctx, s->blobs, &f->bytes.blob, 1));
    }
    for (size_t i = 0; i < e->file_update_count; i++) {
        struct hosted_file_edit *f = &e->file_updates[i];
        if (canonical(ctx, &f->global_id, &e->files_updated.list[i]))
            TRY(check_file(ctx, f, false, &e->files_updated.list[i]));
        if (f->bytes.blob)
            TRY(blob_sync(ctx, s->blobs, &f->bytes.blob, 1));
    }
    for (size_t i = 0; i < e->file_delete_count; i++)
        canonical(ctx, &e->file_deletes[i], &e->files_deleted.list[i]);
    check_twice(ctx, e);
    return RC_OK;
}

/* ---- finding ---- */

/* Added ones belong to features by GlobalID. */
static int find_parents(struct ctx *ctx, struct feature_edit *edit, struct hosted_files *f)
{
    struct hosted_layer_edits *e = f->edits;
    struct hosted_targets parents;
    str *guids = arena_array(ctx->arena, str, e->file_add_count);
    size_t count = 0;
    hosted_targets_open(f->rows, &parents);
    for (size_t i = 0; i < e->file_add_count; i++)
        if (e->files_added.list[i].success)
            guids[count++] = e->file_adds[i].parent;
    TRY(hosted_targets_guids(ctx, edit, &parents, guids, count, false));
    hosted_targets_sort(&parents, true);
    for (size_t i = 0; i < e->file_add_count; i++) {
        const struct hosted_file_edit *file = &e->file_adds[i];
        struct edit_result *r = &e->files_added.list[i];
        const struct hosted_target *t = r->success ? hosted_targets_find_guid(&parents, file->parent) : NULL;
        if (r->success && !t)
            refuse(ctx, r, CODE_MISSING, "The feature of the attachment does not exist.");
        if (!r->success)
            continue;
        f->added[i] = (struct attachment){.parent_oid = t->oid,
                                          .layer = f->rows->layer->id,
                                          .global_id = file->global_id,
                                          .parent_global_id = file->parent,
                                          .name = file->name,
                                          .content_type =
                                              str_none(file->content_type) ? STR("application/octet-stream") : file->content_type,
                                          .keywords = str_none(file->keywords) ? STR("") : file->keywords,
                                          .size = file->bytes.size,
                                          .hash = file->bytes.hash};
    }
    return RC_OK;
}

struct find_call {
    const id *store;
    struct hosted_files *files;
};

static int find_row(struct ctx *ctx, struct sql_tx *tx, const struct find_call *call, str guid, struct edit_result *r,
                    struct attachment *out)
{
    if (!r->success)
        return RC_OK;
    int rc = meta_attachment_by_guid(ctx, tx, call->store, call->files->rows->layer->id, guid, out);
    if (rc != RC_NOT_FOUND)
        return rc;
    refuse(ctx, r, CODE_MISSING, "The attachment does not exist.");
    return RC_OK;
}

static int find_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct find_call *call = arg;
    struct hosted_files *f = call->files;
    struct hosted_layer_edits *e = f->edits;
    for (size_t i = 0; i < e->file_add_count; i++) {
        struct attachment there;
        if (!e->files_added.list[i].success)
            continue;
        int rc = meta_attachment_by_guid(ctx, tx, call->store, f->rows->layer->id, e->file_adds[i].global_id, &there);
        if (rc == RC_OK)
            refuse(ctx, &e->files_added.list[i], CODE_INVALID, "There is an attachment with this GlobalID.");
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
    }
    for (size_t i = 0; i < e->file_update_count; i++)
        TRY(find_row(ctx, tx, call, e->file_updates[i].global_id, &e->files_updated.list[i], &f->updated[i]));
    for (size_t i = 0; i < e->file_delete_count; i++)
        TRY(find_row(ctx, tx, call, e->file_deletes[i], &e->files_deleted.list[i], &f->deleted[i]));
    return RC_OK;
}

/* Those of features that the caller does not see are not there. */
static int check_seen(struct ctx *ctx, struct feature_edit *edit, struct hosted_files *f, const struct attachment *rows,
                      struct edit_results *results)
{
    struct hosted_targets parents;
    int64_t *oids = arena_array(ctx->arena, int64_t, results->count);
    size_t count = 0;
    hosted_targets_open(f->rows, &parents);
    for (size_t i = 0; i < results->count; i++)
        if (results->list[i].success)
            oids[count++] = rows[i].parent_oid;
    TRY(hosted_targets_oids(ctx, edit, &parents, oids, count));
    hosted_targets_sort(&parents, false);
    for (size_t i = 0; i < results->count; i++)
        if (results->list[i].success && !hosted_targets_find(&parents, rows[i].parent_oid))
            refuse(ctx, &results->list[i], CODE_MISSING, "The attachment does not exist.");
    return RC_OK;
}

int hosted_files_find(struct ctx *ctx, struct site *s, struct feature_edit *edit, const id *store, struct hosted_files *f)
{
    struct find_call call = {.store = store, .files = f};
    if (!files_any(f->edits))
        return RC_OK;
    TRY(sql_read(ctx, s->sql, find_rows, &call));
    TRY(find_parents(ctx, edit, f));
    TRY(check_seen(ctx, edit, f, f->updated, &f->edits->files_updated));
    return check_seen(ctx, edit, f, f->deleted, &f->edits->files_deleted);
}

/* ---- writing ---- */

static void note_update(struct ctx *ctx, struct hosted_commit *c, const struct hosted_file_edit *file,
                        const struct attachment *old)
{
    struct hosted_file_change change = {.kind = FILE_UPDATED, .attachment = *old, .bytes = file->bytes};
    struct attachment *a = &change.attachment;
    if (!str_none(file->name))
        a->name = file->name;
    if (!str_none(file->content_type))
        a->content_type = file->content_type;
    if (!str_none(file->keywords))
        a->keywords = file->keywords;
    if (file->bytes.given) {
        a->size = file->bytes.size;
        a->hash = file->bytes.hash;
    }
    hosted_commit_note(ctx, c, &change);
}

void hosted_files_note(struct ctx *ctx, struct hosted_commit *c, struct hosted_files *f)
{
    const struct hosted_layer_edits *e = f->edits;
    f->first = c->count;
    for (size_t i = 0; i < e->file_add_count; i++)
        if (e->files_added.list[i].success)
            hosted_commit_note(
                ctx, c,
                &(struct hosted_file_change){.kind = FILE_ADDED, .attachment = f->added[i], .bytes = e->file_adds[i].bytes});
    for (size_t i = 0; i < e->file_update_count; i++)
        if (e->files_updated.list[i].success)
            note_update(ctx, c, &e->file_updates[i], &f->updated[i]);
    for (size_t i = 0; i < e->file_delete_count; i++)
        if (e->files_deleted.list[i].success)
            hosted_commit_note(ctx, c, &(struct hosted_file_change){.kind = FILE_DELETED, .attachment = f->deleted[i]});
}

void hosted_files_settle(const struct hosted_commit *c, struct hosted_files *f)
{
    struct hosted_layer_edits *e = f->edits;
    struct edit_results *const all[] = {&e->files_added, &e->files_updated, &e->files_deleted};
    size_t at = f->first;
    for (size_t k = 0; k < COUNT_OF(all); k++)
        for (size_t i = 0; i < all[k]->count; i++) {
            struct edit_result *r = &all[k]->list[i];
            if (!r->success)
                continue;
            const struct attachment *a = &c->changes[at++].attachment;
            r->oid = a->id;
            r->global_id = a->global_id;
        }
}
