/* What the handlers of the Sharing API have in common: see sharing.h. */
#include "web/sharing/sharing.h"
#include "model/errors.h"
#include "service/user.h"

/* ---- the path ---- */

int sharing_item_id(struct ctx *ctx, const struct call *call, id *out)
{
    if (call_path_id(call, "itemId", out))
        return RC_OK;
    return err_set(ctx, &ERR_ITEM_MISSING, "'%.*s' is not the id of an item.",
                   STR_FMT(str_sub(call_path(call, "itemId"), 0, 64)));
}

int sharing_group_id(struct ctx *ctx, const struct call *call, id *out)
{
    if (call_path_id(call, "groupId", out))
        return RC_OK;
    return err_set(ctx, &ERR_GROUP_MISSING, "'%.*s' is not the id of a group.",
                   STR_FMT(str_sub(call_path(call, "groupId"), 0, 64)));
}

int sharing_folder_id(struct ctx *ctx, const struct call *call, id *out)
{
    str text = call_path(call, "folderId");
    *out = ID_NONE;
    if (str_empty(text) || id_parse(text, out))
        return RC_OK;
    return err_set(ctx, &ERR_FOLDER_MISSING, "'%.*s' is not the id of a folder.", STR_FMT(str_sub(text, 0, 64)));
}

int sharing_owned_item(struct ctx *ctx, struct call *call, struct item_view *out)
{
    id item;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_get(ctx, call->site, &call->caller, &item, out));
    str name = call_path(call, "user");
    if (str_ieq(out->item.owner, name))
        return RC_OK;
    struct user user;
    bool full;
    TRY(user_get(ctx, call->site, &call->caller, name, &user, &full)); /* the hidden id, perhaps */
    return str_ieq(out->item.owner, user.username) ? RC_OK : err_kind(ctx, &ERR_ITEM_NOT_IN_FOLDER);
}

int sharing_portal_check(struct ctx *ctx, const struct call *call)
{
    str portal = call_path(call, "portalId");
    if (str_ieq(portal, STR("self")) || str_ieq(portal, call->site->org_id))
        return RC_OK;
    return err_set(ctx, &ERR_NOT_FOUND, "There is no portal '%.*s' here; use 'self'.", STR_FMT(str_sub(portal, 0, 64)));
}

str sharing_text(const struct call *call, const char *name)
{
    str value = call_param(call, name);
    return str_none(value) ? STR("") : value;
}

/* ---- pages ---- */

struct sharing_page sharing_page(const struct call *call, int64_t most)
{
    struct sharing_page p = {.start = call_int(call, "start"),
                             .num = call_int(call, "num"),
                             .sort_field = str_trim(sharing_text(call, "sortField")),
                             .descending = str_ieq(str_trim(sharing_text(call, "sortOrder")), STR("desc"))};
    p.start = p.start < 1 ? 1 : p.start > INT32_MAX ? INT32_MAX : p.start;
    p.num = p.num < 0 ? 0 : p.num > most ? most : p.num;
    return p;
}

struct meta_page sharing_meta_page(const struct sharing_page *p)
{
    return (struct meta_page){.start = p->start - 1, .num = p->num, .sort_field = p->sort_field, .descending = p->descending};
}

struct meta_search_page sharing_search_page(const struct sharing_page *p)
{
    return (struct meta_search_page){
        .start = p->start - 1, .num = p->num, .sort_field = p->sort_field, .descending = p->descending};
}

void sharing_page_cut(const struct sharing_page *p, size_t count, size_t *from_out, size_t *n_out)
{
    size_t from = (size_t)(p->start - 1) < count ? (size_t)(p->start - 1) : count;
    *from_out = from;
    *n_out = count - from < (size_t)p->num ? count - from : (size_t)p->num;
}

void sharing_paging(struct call *call, const struct sharing_page *p, int64_t total, size_t count)
{
    reply_paging(&call->out, total, p->start, p->num, (int64_t)count);
}

/* ---- answers ---- */

int sharing_success(struct call *call, const char *name, str value)
{
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    if (name)
        json_member_str(&call->out, name, value);
    json_end_object(&call->out);
    return RC_OK;
}

void sharing_items_print(struct ctx *ctx, struct call *call, const char *name, const struct item_view *items, size_t count)
{
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        item_view_print(ctx, &call->out, call->site, call->server_url, &items[i], false);
    json_end_array(&call->out);
}

void sharing_ids_print(struct call *call, const char *name, const id *list, size_t count)
{
    json_name(&call->out, name);
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        json_put_str(&call->out, id_str(&list[i]));
    json_end_array(&call->out);
}

str sharing_content_type(str file_name)
{
    static const struct {
        const char *extension, *type;
    } rows[] = {{".json", "application/json"}, {".geojson", "application/geo+json"},
                {".xml", "application/xml"},   {".png", "image/png"},
                {".jpg", "image/jpeg"},        {".jpeg", "image/jpeg"},
                {".gif", "image/gif"},         {".svg", "image/svg+xml"},
                {".webp", "image/webp"},       {".txt", "text/plain"},
                {".csv", "text/csv"},          {".html", "text/html"},
                {".css", "text/css"},          {".js", "text/javascript"},
                {".pdf", "application/pdf"},   {".zip", "application/zip"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str extension = str_c(rows[i].extension);
        if (file_name.n > extension.n && str_ieq(str_sub(file_name, file_name.n - extension.n, file_name.n), extension))
            return str_c(rows[i].type);
    }
    return STR("");
}

/* ---- batches ---- */

enum { BATCH_MAX = 1000 };

void sharing_error_print(struct json_out *o, const struct err *e)
{
    json_name(o, "error");
    json_begin_object(o);
    json_member_int(o, "code", e->kind->code);
    if (e->kind->message_code)
        json_member_c(o, "messageCode", e->kind->message_code);
    json_member_c(o, "message", e->kind->message);
    json_name(o, "details");
    json_begin_array(o);
    for (unsigned i = 0; i < e->detail_count; i++)
        json_put_str(o, str_c(e->details[i]));
    json_end_array(o);
    json_end_object(o);
}

int sharing_batch(struct ctx *ctx, struct call *call, sharing_step *step, void *arg)
{
    id *items;
    size_t count;
    TRY(call_ids(ctx, call, "items", &items, &count));
    if (count > BATCH_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'items' names more than %d items.", BATCH_MAX);
    json_begin_object(&call->out);
    json_name(&call->out, "results");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        struct ctx child;
        ctx_child(&child, ctx);
        json_begin_object(&call->out);
        json_member_str(&call->out, "itemId", id_str(&items[i]));
        int rc = step(&child, call, &items[i], arg);
        json_member_bool(&call->out, "success", rc == RC_OK);
        if (rc != RC_OK && child.err.kind)
            sharing_error_print(&call->out, &child.err);
        json_end_object(&call->out);
        ctx_close(&child);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}
