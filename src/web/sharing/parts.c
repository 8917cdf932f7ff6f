/* The files of items over REST: data, thumbnail, metadata and other info files, resources. Reading streams bytes, with Range and
 * ETag. */
#include "model/errors.h"
#include "service/item_archive.h"
#include "web/sharing/sharing.h"

#include <stdlib.h>

/* ---- reading ---- */

/* Without f the answer is bytes, and an error is no page but JSON, which programs can read. */
static int part_item(struct ctx *ctx, struct call *call, id *out)
{
    if (!call->format_given)
        call->format = FORMAT_JSON;
    return sharing_item_id(ctx, call, out);
}

static int stream(struct ctx *ctx, struct call *call, const struct item_part *part, str file_name)
{
    str type = str_empty(part->content_type) ? sharing_content_type(part->name) : part->content_type;
    return reply_blob(ctx, call, part->hash, type, file_name);
}

/* An item without data answers nothing at all: clients take that for "none" (api.md 2.8). */
int parts_data(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_part part;
    TRY(part_item(ctx, call, &item));
    int rc = item_part_get(ctx, call->site, &call->caller, &item, PART_DATA, STR(""), &part);
    if (rc == RC_NOT_FOUND && !ctx->err.kind)
        return reply_text(ctx, call, 200, STR("application/json;charset=utf-8"), STR(""));
    TRY(rc);
    return stream(ctx, call, &part, part.name);
}

/* A file of the item whose name is the rest of the path. */
static int named(struct ctx *ctx, struct call *call, enum part_kind kind)
{
    id item;
    struct item_part part;
    TRY(part_item(ctx, call, &item));
    TRY(item_part_get(ctx, call->site, &call->caller, &item, kind, call_path(call, "path"), &part));
    return stream(ctx, call, &part, STR(""));
}

/* iteminfo.xml is made from the item, unless somebody put one there. */
int parts_info(struct ctx *ctx, struct call *call)
{
    id item;
    int rc = named(ctx, call, PART_INFO);
    if (rc != RC_NOT_FOUND || !err_is(ctx, &ERR_ITEM_INFO_MISSING) || !str_ieq(call_path(call, "path"), STR(ITEM_INFO_NAME)))
        return rc;
    err_clear(ctx);
    TRY(sharing_item_id(ctx, call, &item));
    return item_info_print(ctx, call, &item);
}

int parts_resource(struct ctx *ctx, struct call *call) { return named(ctx, call, PART_RESOURCE); }

/* ---- the list of resources ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct item_part *)a)->name, ((const struct item_part *)b)->name);
}

static int by_number(int64_t a, int64_t b, const void *left, const void *right)
{
    return a != b ? (a > b) - (a < b) : by_name(left, right);
}

static int by_size(const void *a, const void *b)
{
    return by_number(((const struct item_part *)a)->size, ((const struct item_part *)b)->size, a, b);
}

static int by_created(const void *a, const void *b)
{
    return by_number(((const struct item_part *)a)->created, ((const struct item_part *)b)->created, a, b);
}

/* By sortField and sortOrder; they come by name. */
static void resources_sort(const struct sharing_page *page, struct item_part *list, size_t count)
{
    static const struct {
        const char *field;
        int (*compare)(const void *a, const void *b);
    } orders[] = {{"created", by_created}, {"size", by_size}};
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        if (str_ieq(str_c(orders[i].field), page->sort_field) && count)
            qsort(list, count, sizeof *list, orders[i].compare);
    for (size_t i = 0; page->descending && i < count / 2; i++) {
        struct item_part swap = list[i];
        list[i] = list[count - 1 - i];
        list[count - 1 - i] = swap;
    }
}

int parts_resources(struct ctx *ctx, struct call *call)
{
    enum { MOST = 1000 }; /* what rest-js asks for */
    id item;
    struct item_part *list;
    size_t count;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_parts_list(ctx, call->site, &call->caller, &item, PART_RESOURCE, str_trim(sharing_text(call, "resourcesPrefix")),
                        &list, &count));
    struct sharing_page page = sharing_page(call, MOST);
    resources_sort(&page, list, count);
    size_t from = (size_t)(page.start - 1) < count ? (size_t)(page.start - 1) : count;
    size_t n = count - from < (size_t)page.num ? count - from : (size_t)page.num;
    struct json_out *o = &call->out;
    json_begin_object(o);
    sharing_paging(call, &page, (int64_t)count, n);
    json_name(o, "resources");
    json_begin_array(o);
    for (size_t i = from; i < from + n; i++) {
        json_begin_object(o);
        json_member_str(o, "resource", list[i].name);
        json_member_int(o, "created", list[i].created);
        json_member_int(o, "size", list[i].size);
        json_member_c(o, "access", list[i].private_access ? "private" : "inherit");
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

/* ---- writing ---- */

/* Files of one request on their way in; a text becomes one of them. */
struct incoming {
    struct part_input *list;
    size_t count;
    struct blob_new *text; /* ours to close */
    struct item_archive archive;
};

static void incoming_close(struct incoming *in)
{
    blob_new_close(in->text);
    item_archive_close(&in->archive);
}

static str below(struct ctx *ctx, str prefix, str name)
{
    while (str_ends(prefix, STR("/")))
        prefix.n--;
    return str_empty(prefix) ? name : arena_printf(ctx->arena, "%.*s/%.*s", STR_FMT(prefix), STR_FMT(name));
}

/* One file: its name is fileName when given; several keep their own names. text needs fileName. Names go below the prefix. */
static int incoming_of(struct ctx *ctx, struct call *call, str prefix, struct incoming *out)
{
    str file_name = str_trim(sharing_text(call, "fileName")), text = call_param(call, "text");
    bool private_access = str_ieq(str_trim(sharing_text(call, "access")), STR("private"));
    out->list = arena_array(ctx->arena, struct part_input, call->upload_count + 1);
    for (size_t i = 0; i < call->upload_count; i++) {
        const struct upload *u = &call->uploads[i];
        str name = call->upload_count == 1 && !str_empty(file_name) ? file_name : u->filename;
        str known = sharing_content_type(name);
        out->list[out->count++] = (struct part_input){.name = below(ctx, prefix, name),
                                                      .content_type = str_empty(known) ? u->content_type : known,
                                                      .blob = u->blob,
                                                      .private_access = private_access};
    }
    if (out->count == 0 && !str_none(text)) {
        if (str_empty(file_name))
            return err_set(ctx, &ERR_PARAMETER, "'fileName' is missing: 'text' needs a name.");
        TRY(blob_put(ctx, call->site->blobs, text, &out->text));
        out->list[out->count++] = (struct part_input){.name = below(ctx, prefix, file_name),
                                                      .content_type = sharing_content_type(file_name),
                                                      .blob = out->text,
                                                      .private_access = private_access};
    }
    return out->count ? RC_OK : err_set(ctx, &ERR_PARAMETER, "'file', or 'text' with 'fileName', is required.");
}

/* archive=true: the file is a zip of resources, whose names are kept, below the prefix. */
static int incoming_archive(struct ctx *ctx, struct call *call, str prefix, struct incoming *out)
{
    bool private_access = str_ieq(str_trim(sharing_text(call, "access")), STR("private"));
    if (call->upload_count != 1)
        return err_set(ctx, &ERR_PARAMETER, "'archive' takes one 'file', a zip archive.");
    TRY(item_archive_unpack(ctx, call->site, call->uploads[0].blob, &out->archive));
    for (size_t i = 0; i < out->archive.count; i++) {
        struct part_input *in = &out->archive.list[i];
        in->content_type = sharing_content_type(in->name);
        in->name = below(ctx, prefix, in->name);
        in->private_access = private_access;
    }
    out->list = out->archive.list;
    out->count = out->archive.count;
    return RC_OK;
}

static int incoming_resources(struct ctx *ctx, struct call *call, struct incoming *out)
{
    str prefix = str_trim(sharing_text(call, "resourcesPrefix")), access = str_trim(sharing_text(call, "access"));
    if (!str_empty(access) && !str_ieq(access, STR("private")) && !str_ieq(access, STR("inherit")))
        return err_set(ctx, &ERR_PARAMETER, "'access' has to be inherit or private.");
    return call_bool(call, "archive") ? incoming_archive(ctx, call, prefix, out) : incoming_of(ctx, call, prefix, out);
}

static int answer(struct call *call, const struct item *it)
{
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_str(&call->out, "itemId", id_str(&it->id));
    json_member_str(&call->out, "owner", it->owner);
    json_member_str(&call->out, "folder", id_none(it->folder) ? STR_NONE : id_str(&it->folder));
    json_end_object(&call->out);
    return RC_OK;
}

static int put(struct ctx *ctx, struct call *call, const struct item_view *v, enum part_kind kind, const struct incoming *in,
               bool replace)
{
    TRY(item_parts_put(ctx, call->site, &call->caller, &v->item.id, kind, in->list, in->count, replace));
    return answer(call, &v->item);
}

int parts_add_resources(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    CLEANUP(incoming_close) struct incoming in = {0};
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_update_check(ctx, call->site, &call->caller, &v.item.id)); /* before anything is unpacked */
    TRY(incoming_resources(ctx, call, &in));
    return put(ctx, call, &v, PART_RESOURCE, &in, false);
}

/* Updating needs resources that are there. */
int parts_update_resources(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    CLEANUP(incoming_close) struct incoming in = {0};
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_update_check(ctx, call->site, &call->caller, &v.item.id));
    TRY(incoming_resources(ctx, call, &in));
    for (size_t i = 0; i < in.count; i++) {
        struct item_part old;
        TRY(item_part_get(ctx, call->site, &call->caller, &v.item.id, PART_RESOURCE, in.list[i].name, &old));
        if (!call_has(call, "access"))
            in.list[i].private_access = old.private_access;
    }
    return put(ctx, call, &v, PART_RESOURCE, &in, true);
}

int parts_remove_resources(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    str name = str_trim(sharing_text(call, "resource")), prefix = str_trim(sharing_text(call, "resourcesPrefix"));
    TRY(sharing_owned_item(ctx, call, &v));
    if (str_empty(name) && str_empty(prefix) && !call_bool(call, "deleteAll"))
        return err_set(ctx, &ERR_PARAMETER, "'resource', 'resourcesPrefix' or 'deleteAll' is required.");
    TRY(item_part_remove(ctx, call->site, &call->caller, &v.item.id, PART_RESOURCE,
                         str_empty(name) ? STR_NONE : below(ctx, prefix, name), prefix));
    return sharing_success(call, NULL, STR_NONE);
}

int parts_update_info(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    CLEANUP(incoming_close) struct incoming in = {0};
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(incoming_of(ctx, call, str_trim(sharing_text(call, "folderName")), &in));
    return put(ctx, call, &v, PART_INFO, &in, true);
}

int parts_delete_info(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_part_remove(ctx, call->site, &call->caller, &v.item.id, PART_INFO, str_trim(call_param(call, "infoFile")), STR("")));
    return sharing_success(call, NULL, STR_NONE);
}

int parts_delete_thumbnail(struct ctx *ctx, struct call *call)
{
    struct item_view v;
    TRY(sharing_owned_item(ctx, call, &v));
    TRY(item_thumbnail_remove(ctx, call->site, &call->caller, &v.item.id));
    return sharing_success(call, NULL, STR_NONE);
}
