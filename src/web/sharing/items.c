/* Items over REST: adding, reading, changing, deleting, one by one and in batches. Source: api.md 2.6 to 2.8. */
#include "model/errors.h"
#include "web/sharing/sharing.h"

/* ---- what add and update take ---- */

static struct blob_new *file_of(const struct call *call, const char *name, str *name_out, str *type_out)
{
    struct upload *u = call_file(call, name);
    if (!u)
        return NULL;
    *name_out = u->filename;
    if (type_out)
        *type_out = u->content_type;
    return u->blob;
}

/* Ways to give content that are not served: better refused than an item without its content. */
static int input_refuse(struct ctx *ctx, const struct call *call)
{
    if (call_has(call, "dataUrl"))
        return err_set(ctx, &ERR_UNSUPPORTED, "'dataUrl' is not supported; send the content as 'file' or 'text'.");
    if (call_bool(call, "multipart"))
        return err_set(ctx, &ERR_UNSUPPORTED, "Uploads in parts are not supported; send 'file' in one request.");
    return RC_OK;
}

static int input_of(struct ctx *ctx, const struct call *call, struct item_input *in)
{
    TRY(input_refuse(ctx, call));
    *in = (struct item_input){.clear_empty = call_bool(call, "clearEmptyFields"),
                              .overwrite = call_bool(call, "overwrite"),
                              .relationship_type = str_trim(sharing_text(call, "relationshipType")),
                              .access = str_trim(sharing_text(call, "access"))};
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++)
        in->field[f] = call_param(call, item_fields[f].name);
    str text = call_param(call, "text");
    if (str_none(text))
        text = call_param(call, "data");
    in->has_text = !str_none(text);
    in->text = in->has_text ? text : STR("");
    in->file = file_of(call, call_file(call, "file") ? "file" : "data", &in->file_name, &in->file_content_type);
    if (in->file && call_has(call, "fileName"))
        in->file_name = str_trim(call_param(call, "fileName"));
    in->thumbnail = file_of(call, "thumbnail", &in->thumbnail_name, NULL);
    str unused;
    in->metadata = file_of(call, "metadata", &unused, NULL);
    call_id(call, "itemIdToCreate", &in->wanted_id);
    call_id(call, "originItemId", &in->origin);
    call_id(call, "destinationItemId", &in->destination);
    return RC_OK;
}

static str folder_or_null(const id *folder) { return id_none(*folder) ? STR_NONE : id_str(folder); }

int items_add(struct ctx *ctx, struct call *call)
{
    struct item_input in;
    id folder, item;
    TRY(sharing_folder_id(ctx, call, &folder));
    if (id_none(folder))
        call_id(call, "folderId", &folder);
    TRY(input_of(ctx, call, &in));
    TRY(item_add(ctx, call->site, &call->caller, call_path(call, "user"), &folder, &in, &item));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_str(&call->out, "id", id_str(&item));
    json_member_str(&call->out, "folder", folder_or_null(&folder));
    json_end_object(&call->out);
    return RC_OK;
}

int items_update(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    struct item_input in;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(input_of(ctx, call, &in));
    TRY(item_update(ctx, call->site, &call->caller, &v.item.id, &in));
    return sharing_success(call, "id", id_str(&v.item.id));
}

/* ---- reading ---- */

int items_get(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_view v;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_get(ctx, call->site, &call->caller, &item, &v));
    item_view_print(ctx, &call->out, call->site, call->server_url, &v, true);
    return RC_OK;
}

/* The item as its owner has it: with the groups it is shared with. */
int items_get_owned(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    struct membership *groups;
    size_t count;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_groups(ctx, call->site, &call->caller, &v.item.id, &groups, &count));
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_name(o, "item");
    item_view_print(ctx, o, call->site, call->server_url, &v, true);
    json_name(o, "sharing");
    json_begin_object(o);
    json_member_c(o, "access", item_access_name(v.has_groups && v.item.access == ITEM_PRIVATE ? ITEM_SHARED : v.item.access));
    json_name(o, "groups");
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        json_put_str(o, id_str(&groups[i].group.id));
    json_end_array(o);
    json_end_object(o);
    json_end_object(o);
    return RC_OK;
}

/* ---- operations on one item ---- */

int items_delete(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_delete(ctx, call->site, &call->caller, &v.item.id));
    return sharing_success(call, "itemId", id_str(&v.item.id));
}

static int protect(struct ctx *ctx, struct call *call, bool on)
{
    struct item_view v;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_protect(ctx, call->site, &call->caller, &v.item.id, on));
    return sharing_success(call, NULL, STR_NONE);
}

int items_protect(struct ctx *ctx, struct call *call) { return protect(ctx, call, true); }
int items_unprotect(struct ctx *ctx, struct call *call) { return protect(ctx, call, false); }

int items_move(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    str folder = str_trim(call_param(call, "folder"));
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_move(ctx, call->site, &call->caller, &v.item.id, folder));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_str(&call->out, "itemId", id_str(&v.item.id));
    json_member_str(&call->out, "owner", v.item.owner);
    json_member_str(&call->out, "folder", folder);
    json_end_object(&call->out);
    return RC_OK;
}

int items_reassign(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_reassign(ctx, call->site, &call->caller, &v.item.id, str_trim(call_param(call, "targetUsername")),
                      sharing_text(call, "targetFolderName")));
    return sharing_success(call, "itemId", id_str(&v.item.id));
}

/* ---- batches ---- */

static int delete_step(struct ctx *ctx, struct call *call, const id *item, void *arg)
{
    (void)arg;
    return item_delete(ctx, call->site, &call->caller, item);
}

int items_delete_many(struct ctx *ctx, struct call *call) { return sharing_batch(ctx, call, delete_step, NULL); }

static int move_step(struct ctx *ctx, struct call *call, const id *item, void *arg)
{
    return item_move(ctx, call->site, &call->caller, item, *(const str *)arg);
}

int items_move_many(struct ctx *ctx, struct call *call)
{
    str folder = str_trim(call_param(call, "folder"));
    return sharing_batch(ctx, call, move_step, &folder);
}
