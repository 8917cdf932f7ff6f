/* Files of an item that are made when they are asked for: iteminfo.xml, and the package of an application's code. */
#include "codec/html.h"
#include "model/errors.h"
#include "web/sharing/sharing.h"

enum { ITEM_INFO_MAX = 4 << 20 };

/* ---- iteminfo.xml ---- */

static void element(struct buf *b, const char *name, str text)
{
    buf_printf(b, "<%s>", name);
    html_escape(b, text);
    buf_printf(b, "</%s>\n", name);
}

static void elements(struct ctx *ctx, struct buf *b, const char *list, const char *name, str json_list)
{
    struct json v = JSON_ABSENT, entry;
    if (!str_empty(json_list) && !json_try_parse(ctx->arena, json_list, &v))
        return;
    buf_printf(b, "<%s>\n", list);
    for (struct json_iter it = json_each(v); json_next(&it, NULL, &entry);)
        element(b, name, json_string_or(entry, ctx->arena, STR("")));
    buf_printf(b, "</%s>\n", list);
}

static void extent(struct ctx *ctx, struct buf *b, str text)
{
    static const char *const names[] = {"xmin", "ymin", "xmax", "ymax"};
    struct json v;
    if (str_empty(text) || !json_try_parse(ctx->arena, text, &v) || json_count(v) != 2)
        return;
    buf_add(b, STR("<extent>\n"));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        element(b, names[i], json_raw(json_at(json_at(v, i / 2), i % 2)));
    buf_add(b, STR("</extent>\n"));
}

int item_info_print(struct ctx *ctx, struct call *call, const id *item)
{
    static const struct {
        const char *name;
        enum item_field field;
    } texts[] = {{"name", ITEM_NAME},
                 {"type", ITEM_TYPE},
                 {"title", ITEM_TITLE},
                 {"description", ITEM_DESCRIPTION},
                 {"snippet", ITEM_SNIPPET},
                 {"thumbnail", ITEM_THUMBNAIL},
                 {"accessinformation", ITEM_ACCESS_INFORMATION},
                 {"licenseinfo", ITEM_LICENSE_INFO},
                 {"spatialreference", ITEM_SPATIAL_REFERENCE}};
    struct item_view v;
    CLEANUP(buf_free) struct buf b = BUF_INIT(ITEM_INFO_MAX);
    TRY(item_get(ctx, call->site, &call->caller, item, &v));
    const str *field = v.item.field;
    buf_add(&b, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ESRI_ItemInformation Culture=\""));
    html_escape(&b, str_empty(field[ITEM_CULTURE]) ? STR("en-us") : field[ITEM_CULTURE]);
    buf_add(&b, STR("\">\n"));
    element(&b, "guid", id_str(item));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        element(&b, texts[i].name, field[texts[i].field]);
    element(&b, "url", site_url_expand(ctx, call->server_url, field[ITEM_URL]));
    elements(ctx, &b, "typekeywords", "typekeyword", field[ITEM_TYPE_KEYWORDS]);
    elements(ctx, &b, "tags", "tag", field[ITEM_TAGS]);
    extent(ctx, &b, field[ITEM_EXTENT]);
    buf_add(&b, STR("</ESRI_ItemInformation>\n"));
    TRY(buf_check(&b, ctx, ITEM_INFO_NAME));
    return reply_text(ctx, call, 200, STR("application/xml;charset=utf-8"), arena_str(ctx->arena, buf_str(&b)));
}

/* ---- package ---- */

/* The bytes of an application's code: those of the item itself, or of the Code Attachment that it is related to. */
static int code_of(struct ctx *ctx, struct call *call, const id *item, struct item_part *out)
{
    struct item_view *related;
    size_t count;
    int rc = item_part_get(ctx, call->site, &call->caller, item, PART_DATA, STR(""), out);
    if (rc == RC_OK && !str_empty(out->name))
        return RC_OK;
    if (rc != RC_OK && (rc != RC_NOT_FOUND || ctx->err.kind))
        return rc;
    TRY(item_related(ctx, call->site, &call->caller, item, true, STR("WMA2Code,MobileApp2Code"), &related, &count));
    for (size_t i = 0; i < count; i++) {
        rc = item_part_get(ctx, call->site, &call->caller, &related[i].item.id, PART_DATA, STR(""), out);
        if (rc == RC_OK && !str_empty(out->name))
            return RC_OK;
        if (rc != RC_OK && (rc != RC_NOT_FOUND || ctx->err.kind))
            return rc;
    }
    return err_set_rc(ctx, RC_NOT_FOUND, &ERR_ITEM_INFO_MISSING, "Item '%s' has no code.", item->text);
}

int item_info_package(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_part part;
    if (!call->format_given)
        call->format = FORMAT_JSON;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(code_of(ctx, call, &item, &part));
    str type = sharing_content_type(part.name);
    return reply_blob(ctx, call, part.hash, str_empty(type) ? part.content_type : type, part.name);
}
