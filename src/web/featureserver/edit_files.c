/* The attachments of applyEdits: {"adds":[{"parentGlobalId","globalId","name","contentType","data":
 * base64}],"updates":[…],"deletes":[GlobalIDs]} (api.md 4.4). Their bytes go to the content store as they are read. */
#include "web/featureserver/featureserver.h"

enum { FILES_MAX = 1000 };

static str member(struct ctx *ctx, struct json v, const char *name)
{
    return json_string_or(json_get_c(v, name), ctx->arena, STR_NONE);
}

static int read_data(struct ctx *ctx, struct call *call, struct json v, struct blob_new **out)
{
    str bytes, text = member(ctx, v, "data");
    if (!json_absent(json_get_c(v, "uploadId")) && str_none(text))
        return err_set(ctx, &ERR_UNSUPPORTED, "'attachments': 'uploadId' is not supported, the bytes have to be in 'data'.");
    if (str_none(text))
        return RC_OK;
    if (!base64_decode(ctx->arena, text, &bytes))
        return err_set(ctx, &ERR_PARAMETER, "'attachments': 'data' has to be base64.");
    return blob_put(ctx, call->site->blobs, bytes, out);
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
        TRY(read_data(ctx, call, v, &f->blob));
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
        blob_new_close(e->file_adds[i].blob);
    for (size_t i = 0; i < e->file_update_count; i++)
        blob_new_close(e->file_updates[i].blob);
}
