/* The attachments among extracted changes: where their bytes are, or the bytes themselves in base64. */
#include "web/featureserver/featureserver.h"

enum { BYTES_MAX = 64 << 20 }; /* in one answer, before they become base64 */

static int put_data(struct ctx *ctx, struct call *call, const struct attachment *a, int64_t *room)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    struct arena_mark mark = arena_mark(ctx->arena);
    str bytes;
    *room -= a->size;
    if (*room < 0)
        return err_set(ctx, &ERR_FEATURE, "The attachments have more than %d bytes: ask for 'returnAttachmentsDataByUrl'.",
                       BYTES_MAX);
    TRY(blob_open(ctx, call->site->blobs, a->hash, &r));
    TRY(reader_read_all(ctx, r, (size_t)BYTES_MAX, "the attachment", &bytes));
    json_member_str(&call->out, "data", base64_encode(ctx->arena, bytes));
    arena_release(ctx->arena, mark);
    return RC_OK;
}

static int put_file(struct ctx *ctx, struct call *call, const struct hosted_service *h, const struct layer *l,
                    const struct attachment *a, int64_t *room)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_int(o, "attachmentId", a->id);
    json_member_str(o, "globalId", a->global_id);
    if (!str_empty(a->parent_global_id))
        json_member_str(o, "parentGlobalId", a->parent_global_id);
    json_member_int(o, "parentObjectId", a->parent_oid);
    json_member_str(o, "name", a->name);
    json_member_str(o, "contentType", a->content_type);
    json_member_str(o, "keywords", a->keywords);
    json_member_int(o, "size", a->size);
    if (call_bool(call, "returnAttachmentsDataByUrl"))
        json_member_str(o, "url", features_attachment_url(ctx, call, h, l->id, a));
    else
        TRY(put_data(ctx, call, a, room));
    json_end_object(o);
    return RC_OK;
}

static int put_list(struct ctx *ctx, struct call *call, const struct hosted_service *h, const struct layer *l, const int64_t *ids,
                    size_t id_count, int64_t *room)
{
    struct attachment *list;
    size_t count;
    TRY(hosted_attachments_named(ctx, call->site, h, l, ids, id_count, &list, &count));
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        TRY(put_file(ctx, call, h, l, &list[i], room));
    json_end_array(&call->out);
    return RC_OK;
}

int features_put_changed_files(struct ctx *ctx, struct call *call, const struct hosted_service *h, const struct layer *l,
                               const struct feature_changes *c)
{
    struct json_out *o = &call->out;
    int64_t room = BYTES_MAX;
    json_name(o, "attachments");
    json_begin_object(o);
    json_name(o, "adds");
    TRY(put_list(ctx, call, h, l, c->added, call_bool(call, "returnInserts") ? c->added_count : 0, &room));
    json_name(o, "updates");
    TRY(put_list(ctx, call, h, l, c->updated, call_bool(call, "returnUpdates") ? c->updated_count : 0, &room));
    json_name(o, "deleteIds");
    json_begin_array(o);
    for (size_t i = 0; i < c->deleted_count && call_bool(call, "returnDeletes"); i++)
        json_put_str(o, c->deleted[i].global_id);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}
