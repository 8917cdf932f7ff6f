/* The content of a user over REST: its listing, and folders. */
#include "model/errors.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

static void folder_members(struct json_out *o, const struct folder *f)
{
    json_member_str(o, "username", f->owner);
    json_member_str(o, "id", id_str(&f->id));
    json_member_str(o, "title", f->title);
    json_member_int(o, "created", f->created);
}

int folders_content(struct ctx *ctx, struct call *call)
{
    id folder;
    struct user owner;
    bool full;
    struct user_content content;
    TRY(sharing_folder_id(ctx, call, &folder));
    TRY(user_get(ctx, call->site, &call->caller, call_path(call, "user"), &owner, &full));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct meta_page rows = sharing_meta_page(&page);
    if (call_bool(call, "foldersOnly"))
        rows.num = page.num = 0;
    TRY(content_list(ctx, call->site, &call->caller, owner.username, &folder, &rows, &content));
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_str(o, "username", owner.username);
    sharing_paging(call, &page, content.total, content.count);
    json_name(o, "currentFolder");
    if (content.has_folder) {
        json_begin_object(o);
        folder_members(o, &content.folder);
        json_end_object(o);
    } else {
        json_put_null(o);
    }
    sharing_items_print(ctx, call, "items", content.items, content.count);
    size_t folders = str_empty(call_path(call, "folderId")) && call_bool(call, "folders") ? content.folder_count : 0;
    json_name(o, "folders");
    json_begin_array(o);
    for (size_t i = 0; i < folders; i++) {
        json_begin_object(o);
        folder_members(o, &content.folders[i]);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

static int answer(struct call *call, const struct folder *f)
{
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_name(&call->out, "folder");
    json_begin_object(&call->out);
    folder_members(&call->out, f);
    json_end_object(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

int folders_create(struct ctx *ctx, struct call *call)
{
    struct folder made;
    str title = call_has(call, "title") ? call_param(call, "title") : sharing_text(call, "folderName");
    TRY(folder_create(ctx, call->site, &call->caller, call_path(call, "user"), title, &made));
    return answer(call, &made);
}

int folders_delete(struct ctx *ctx, struct call *call)
{
    id folder;
    struct folder gone;
    TRY(sharing_folder_id(ctx, call, &folder));
    TRY(folder_delete(ctx, call->site, &call->caller, call_path(call, "user"), &folder, &gone));
    return answer(call, &gone);
}

int folders_rename(struct ctx *ctx, struct call *call)
{
    id folder;
    struct folder renamed;
    TRY(sharing_folder_id(ctx, call, &folder));
    TRY(folder_rename(ctx, call->site, &call->caller, call_path(call, "user"), &folder, call_param(call, "newTitle"), &renamed));
    return answer(call, &renamed);
}
