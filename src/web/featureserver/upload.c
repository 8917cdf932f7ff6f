/* Uploads to a service over HTTP: files that edits name by their id. Source: api.md 4.4. */
#include "web/featureserver/featureserver.h"
#include "service/hosted_upload.h"

static void put_upload(struct json_out *o, const struct service_upload *u)
{
    json_begin_object(o);
    json_member_str(o, "itemID", id_str(&u->id));
    json_member_str(o, "itemName", u->name);
    json_member_str(o, "description", u->description);
    json_member_int(o, "date", u->touched);
    json_member_bool(o, "committed", u->committed);
    if (u->committed)
        json_member_int(o, "size", u->size);
    json_end_object(o);
}

static int put_answer(struct call *call, const struct service_upload *u)
{
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_name(&call->out, "item");
    put_upload(&call->out, u);
    json_end_object(&call->out);
    return RC_OK;
}

int features_uploads_info(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    TRY(hosted_open(ctx, call->site, &call->caller, call_path(call, "name"), FEATURE_UPLOAD, &h));
    json_begin_object(&call->out);
    json_member_int(&call->out, "maxUploadFileSize", call->site->settings.upload_max >> 20); /* MiB */
    json_member_int(&call->out, "maxUploadFileCount", HOSTED_UPLOADS_MAX);
    json_end_object(&call->out);
    return RC_OK;
}

int features_upload(struct ctx *ctx, struct call *call)
{
    const struct upload *file = call_file(call, "file");
    struct service_upload u;
    if (!file)
        return err_set(ctx, &ERR_PARAMETER, "'file' has to be a file.");
    const struct hosted_upload what = {.name = file->filename,
                                       .description = call_has(call, "description") ? call_param(call, "description") : STR(""),
                                       .content_type = file->content_type,
                                       .blob = file->blob};
    TRY(hosted_upload_add(ctx, call->site, &call->caller, call_path(call, "name"), &what, &u));
    return put_answer(call, &u);
}

int features_upload_register(struct ctx *ctx, struct call *call)
{
    struct service_upload u;
    const struct hosted_upload what = {.name = call_param(call, "itemName"),
                                       .description = call_has(call, "description") ? call_param(call, "description") : STR(""),
                                       .content_type = STR("application/octet-stream")};
    TRY(hosted_upload_add(ctx, call->site, &call->caller, call_path(call, "name"), &what, &u));
    return put_answer(call, &u);
}

int features_upload_item(struct ctx *ctx, struct call *call)
{
    struct service_upload u;
    TRY(hosted_upload_get(ctx, call->site, &call->caller, call_path(call, "name"), call_path(call, "uploadId"), &u));
    put_upload(&call->out, &u);
    return RC_OK;
}

int features_upload_part(struct ctx *ctx, struct call *call)
{
    const struct upload *file = call_file(call, NULL);
    if (!file)
        return err_set(ctx, &ERR_PARAMETER, "'file' has to be a file.");
    TRY(hosted_upload_part(ctx, call->site, &call->caller, call_path(call, "name"), call_path(call, "uploadId"),
                           call_int(call, "partId"), file->blob));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_int(&call->out, "partId", call_int(call, "partId"));
    json_end_object(&call->out);
    return RC_OK;
}

int features_upload_commit(struct ctx *ctx, struct call *call)
{
    struct service_upload u;
    TRY(hosted_upload_commit(ctx, call->site, &call->caller, call_path(call, "name"), call_path(call, "uploadId"), &u));
    return put_answer(call, &u);
}

int features_upload_delete(struct ctx *ctx, struct call *call)
{
    TRY(hosted_upload_delete(ctx, call->site, &call->caller, call_path(call, "name"), call_path(call, "uploadId")));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_end_object(&call->out);
    return RC_OK;
}
