/* Exporting a hosted feature service as a file: checks what is asked for and starts the job. Its status is asked for as that of a
 * publish job. Source: the item export document and api.md 2.1. */
#include "jobs/export_item.h"
#include "model/errors.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

enum { TITLE_MAX = 250 };

/* The folder of the path or of folderId, which is the content owner's. */
static int folder_of(struct ctx *ctx, struct call *call, str owner, id *out)
{
    struct user_content unused;
    TRY(sharing_folder_id(ctx, call, out));
    if (id_none(*out) && !call_id(call, "folderId", out))
        return RC_OK;
    return content_list(ctx, call->site, &call->caller, owner, out, &(struct meta_page){.num = 1}, &unused);
}

/* Whose content the result goes to: the user's of the path. */
static int owner_of(struct ctx *ctx, struct call *call, str *out)
{
    struct user owner;
    bool full;
    TRY(user_get(ctx, call->site, &call->caller, call_path(call, "user"), &owner, &full));
    if (!access_content_add(&call->caller, owner.username))
        return err_kind(ctx, &ERR_FORBIDDEN);
    *out = owner.username;
    return RC_OK;
}

static int title_of(struct ctx *ctx, const struct call *call, const struct item_view *service, str *out)
{
    *out = str_trim(sharing_text(call, "title"));
    if (str_empty(*out))
        *out = service->item.field[ITEM_TITLE];
    return out->n > TITLE_MAX ? err_set(ctx, &ERR_PARAMETER, "'title' has more than %d bytes.", TITLE_MAX) : RC_OK;
}

static int answer(struct call *call, const struct export_item *r, const struct item_view *service,
                  const struct file_format *format, const struct hosted_export *e, const id *job)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_c(o, "type", e->count > 1 ? format->item_type_many : format->item_type);
    json_member_int(o, "size", service->item.size);
    json_member_str(o, "jobId", id_str(job));
    json_member_str(o, "exportItemId", id_str(&r->result));
    json_member_str(o, "serviceItemId", id_str(&r->item));
    json_member_c(o, "exportFormat", format->name);
    json_end_object(o);
    return RC_OK;
}

int export_item(struct ctx *ctx, struct call *call)
{
    CLEANUP(hosted_export_close) struct hosted_export e = {.count = 0};
    struct export_item r = {.caller = call->caller,
                            .result = id_new(),
                            .format = str_trim(call_param(call, "exportFormat")),
                            .tags = sharing_text(call, "tags"),
                            .snippet = sharing_text(call, "snippet"),
                            .parameters = str_trim(sharing_text(call, "exportParameters"))};
    const struct file_format *format;
    struct hosted_export_wish wish;
    struct item_view service;
    id job;
    call_id(call, "itemId", &r.item);
    TRY(owner_of(ctx, call, &r.owner));
    TRY(folder_of(ctx, call, r.owner, &r.folder));
    TRY(item_get(ctx, call->site, &call->caller, &r.item, &service));
    TRY(title_of(ctx, call, &service, &r.title));
    TRY(export_item_wish(ctx, &r, &format, &wish));
    r.format = str_c(format->name);
    TRY(hosted_export_open(ctx, call->site, &call->caller, &r.item, &wish, &e));
    TRY(site_check_space(ctx, call->site, 0));
    TRY(export_item_submit(ctx, call->web->jobs, &r, &job));
    return answer(call, &r, &service, format, &e, &job);
}
