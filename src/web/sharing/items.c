/* Items over REST: adding, reading, changing, deleting, one by one and in batches. Source: api.md 2.6 to 2.8. */
#include "jobs/item_work.h"
#include "service/upload.h"
#include "service/views.h"
#include "web/sharing/sharing.h"

/* ---- adding and changing ---- */

/* The name that an upload in parts is begun with: "filename" as the API has it, which is "fileName" in any case. */
static str upload_name(const struct call *call) { return str_trim(sharing_text(call, "fileName")); }

static int upload_start(struct ctx *ctx, struct call *call, const id *folder)
{
    struct item_input in;
    sharing_item_input(call, &in);
    struct upload_begin what = {.owner = call_path(call, "user"),
                                .fields = in.field,
                                .folder = folder,
                                .file_name = upload_name(call),
                                .overwrite = call_bool(call, "overwrite")};
    id item;
    call_id(call, "itemIdToCreate", &what.wanted_id);
    TRY(upload_begin(ctx, call->site, &call->caller, &what, &item));
    return sharing_item_made(call, &item, folder);
}

/* What has to be fetched is fetched before, under the cap of calls that wait for something. */
static int add_now(struct ctx *ctx, struct call *call, struct item_work *w)
{
    CLEANUP(item_fetched_close) struct item_fetched fetched = {0};
    TRY(sharing_item_fetch(ctx, call, &w->in, &fetched));
    return item_add(ctx, call->site, &call->caller, w->owner, &w->folder, &w->in, &w->item);
}

static int add_later(struct ctx *ctx, struct call *call, struct item_work *w)
{
    w->in.id_given = id_none(w->in.wanted_id);
    w->item = w->in.id_given ? id_new() : w->in.wanted_id;
    return item_work_submit(ctx, call->web->jobs, w);
}

int items_add(struct ctx *ctx, struct call *call)
{
    struct item_work w = {.kind = ITEM_WORK_ADD, .caller = call->caller, .owner = call_path(call, "user")};
    TRY(sharing_folder_id(ctx, call, &w.folder));
    if (id_none(w.folder))
        call_id(call, "folderId", &w.folder);
    if (call_bool(call, "multipart"))
        return upload_start(ctx, call, &w.folder);
    sharing_item_input(call, &w.in);
    if (item_fetch_needed(&w.in))
        TRY(item_add_check(ctx, call->site, &call->caller, w.owner, &w.folder));
    bool later = call_bool(call, "async") && item_work_can_wait(&w);
    TRY(later ? add_later(ctx, call, &w) : add_now(ctx, call, &w));
    return sharing_item_made(call, &w.item, &w.folder);
}

static int update_now(struct ctx *ctx, struct call *call, struct item_work *w)
{
    CLEANUP(item_fetched_close) struct item_fetched fetched = {0};
    TRY(sharing_item_fetch(ctx, call, &w->in, &fetched));
    return item_update(ctx, call->site, &call->caller, &w->item, &w->in);
}

int items_update(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    struct item_work w = {.kind = ITEM_WORK_UPDATE, .caller = call->caller};
    TRY(sharing_owned_item(ctx, call, &v));
    w.item = v.item.id;
    sharing_item_input(call, &w.in);
    if (call_bool(call, "multipart")) {
        TRY(upload_begin_update(ctx, call->site, &call->caller, &w.item, upload_name(call), w.in.field));
        return sharing_success(call, "id", id_str(&w.item));
    }
    if (item_fetch_needed(&w.in))
        TRY(item_update_check(ctx, call->site, &call->caller, &w.item));
    bool later = call_bool(call, "async") && item_work_can_wait(&w);
    TRY(later ? item_work_submit(ctx, call->web->jobs, &w) : update_now(ctx, call, &w));
    return sharing_success(call, "id", id_str(&w.item));
}

/* ---- reading ---- */

int items_get(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_view v;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_get(ctx, call->site, &call->caller, &item, &v));
    views_add(ctx, call->site->views, &item);
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

struct reassign_wish {
    str user, folder_title;
};

static int reassign_step(struct ctx *ctx, struct call *call, const id *item, void *arg)
{
    const struct reassign_wish *wish = arg;
    return item_reassign(ctx, call->site, &call->caller, item, wish->user, wish->folder_title);
}

int items_reassign_many(struct ctx *ctx, struct call *call)
{
    struct reassign_wish wish = {.user = str_trim(call_param(call, "targetUsername")),
                                 .folder_title = sharing_text(call, "targetFolderName")};
    return sharing_batch(ctx, call, reassign_step, &wish);
}
