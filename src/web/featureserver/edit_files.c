/* The attachments of applyEdits: {"adds":[{"parentGlobalId","globalId","name","contentType","data":
 * base64 | "uploadId"}],"updates":[…],"deletes":[GlobalIDs]} (api.md 4.4). Their bytes go to the content store as they are read.
 */
#include "service/hosted_upload.h"
#include "web/featureserver/featureserver.h"

enum { FILES_MAX = 1000 };

static str member(struct ctx *ctx, struct json v, const char *name)
{
    return json_string_or(json_get_c(v, name), ctx->arena, STR_NONE);
}

/* Name and type are the upload's when the edit says none. */
static int read_upload(struct ctx *ctx, struct call *call, str upload, struct hosted_file_edit *f)
{
    struct service_upload u;
    TRY(hosted_upload_file(ctx, call->site, &call->caller, call_path(call, "name"), upload, &u));
    f->bytes = (struct hosted_bytes){true, NULL, u.size, u.hash};
    f->name = str_none(f->name) ? u.name : f->name;
    f->content_type = str_none(f->content_type) ? u.content_type : f->content_type;
    return RC_OK;
}

static int read_data(struct ctx *ctx, struct call *call, struct json v, struct hosted_file_edit *f)
{
    str bytes, text = member(ctx, v, "data"), upload = member(ctx, v, "uploadId");
    struct blob_new *blob;
    if (str_none(text))
        return str_none(upload) || str_empty(upload) ? RC_OK : read_upload(ctx, call, upload, f);
    if (!base64_decode(ctx->arena, text, &bytes))
        return err_set(ctx, &ERR_PARAMETER, "'attachments': 'data' has to be base64.");
    TRY(blob_put(ctx, call->site->blobs, bytes, &blob));
    f->bytes = hosted_bytes_new(blob);
    return RC_OK;
}

static int read_files(struct ctx *ctx, struct call *call, struct json list, struct hosted_file_edit **out, size_t *count_out)
{
    struct json v;
    if (!json_absent(list) && (!json_is(list, JSON_ARRAY) || json_count(list) > FILES_MAX))
        return err_set(ctx, &ERR_PARAMETER, "'attachments': arrays of at most %d objects are expected.", FILES_MAX);
    *out = arena_array(ctx->arena, struct hosted_file_edit, json_count(list));
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);) {
        struct hosted_file_edit *f = &(*out)[(*count_out)++];
        *f = (struct hosted_file_edit){.global_id = member(ctx, v, "globalId"),
                                       .parent = member(ctx, v, "parentGlobalId"),
                                       .name = member(ctx, v, "name"),
                                       .content_type = member(ctx, v, "contentType"),
                                       .keywords = member(ctx, v, "keywords")};
        TRY(read_data(ctx, call, v, f));
    }
    return RC_OK;
}

int features_read_files(struct ctx *ctx, struct call *call, struct json v, struct hosted_layer_edits *e)
{
    struct json deletes = json_get_c(v, "deletes"), guid;
    if (json_absent(v) || json_is(v, JSON_NULL))
        return RC_OK;
    if (!json_is(v, JSON_OBJECT) || !call_bool(call, "useGlobalIds"))
        return err_set(ctx, &ERR_PARAMETER, "'attachments' has to be an object, and needs 'useGlobalIds'.");
    TRY(read_files(ctx, call, json_get_c(v, "adds"), &e->file_adds, &e->file_add_count));
    TRY(read_files(ctx, call, json_get_c(v, "updates"), &e->file_updates, &e->file_update_count));
    if (json_count(deletes) > FILES_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'attachments': more than %d deletions.", FILES_MAX);
    e->file_deletes = arena_array(ctx->arena, str, json_count(deletes));
    for (struct json_iter it = json_each(deletes); json_next(&it, NULL, &guid);)
        e->file_deletes[e->file_delete_count++] = json_string_or(guid, ctx->arena, STR(""));
    return RC_OK;
}

void features_close_files(struct hosted_layer_edits *e)
{
    for (size_t i = 0; i < e->file_add_count; i++)
        blob_new_close(e->file_adds[i].bytes.blob);
    for (size_t i = 0; i < e->file_update_count; i++)
        blob_new_close(e->file_updates[i].bytes.blob);
}
