/* Uploads in parts over REST, below a user's content. Source: api.md 2.6, clients.md 9. */
#include "service/upload.h"
#include "jobs/item_work.h"
#include "model/errors.h"
#include "web/sharing/sharing.h"

static int ref_of(struct ctx *ctx, const struct call *call, struct upload_ref *out)
{
    out->owner = call_path(call, "user");
    return sharing_item_id(ctx, call, &out->item);
}

int uploads_add_part(struct ctx *ctx, struct call *call)
{
    struct upload_ref ref;
    const struct upload *file = call_file(call, NULL);
    TRY(ref_of(ctx, call, &ref));
    if (!file)
        return err_set(ctx, &ERR_PARAMETER, "'file' is missing.");
    TRY(upload_part_add(ctx, call->site, &call->caller, &ref, call_int(call, "partNum"), file->blob));
    return sharing_success(call, "id", id_str(&ref.item));
}

int uploads_parts(struct ctx *ctx, struct call *call)
{
    struct upload_ref ref;
    struct upload_part *parts;
    size_t count;
    TRY(ref_of(ctx, call, &ref));
    TRY(upload_parts(ctx, call->site, &call->caller, &ref, &parts, &count));
    json_begin_object(&call->out);
    json_name(&call->out, "parts");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        json_put_int(&call->out, parts[i].number);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

static int commit_now(struct ctx *ctx, struct call *call, const struct upload_ref *ref, struct item_input *in, id *folder)
{
    CLEANUP(item_fetched_close) struct item_fetched fetched = {0};
    TRY(sharing_item_fetch(ctx, call, in, &fetched));
    return upload_commit(ctx, call->site, &call->caller, ref, in, folder);
}

/* With async=true the parts are joined by a job; their number is looked at before, so that a gap is told at once. */
int uploads_commit(struct ctx *ctx, struct call *call)
{
    struct upload_ref ref;
    struct item_work w = {.kind = ITEM_WORK_COMMIT, .caller = call->caller, .owner = call_path(call, "user")};
    TRY(ref_of(ctx, call, &ref));
    w.item = ref.item;
    sharing_item_input(call, &w.in);
    TRY(upload_ready(ctx, call->site, &call->caller, &ref, &w.folder));
    bool later = call_bool(call, "async") && item_work_can_wait(&w);
    TRY(later ? item_work_submit(ctx, call->web->jobs, &w) : commit_now(ctx, call, &ref, &w.in, &w.folder));
    return sharing_item_made(call, &ref.item, &w.folder);
}

int uploads_cancel(struct ctx *ctx, struct call *call)
{
    struct upload_ref ref;
    TRY(ref_of(ctx, call, &ref));
    TRY(upload_cancel(ctx, call->site, &call->caller, &ref));
    return sharing_success(call, "id", id_str(&ref.item));
}
