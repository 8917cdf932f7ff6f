/* Attachment lists as lines, in constant memory both ways. */
#include "portal/package/attachments.h"
#include "base/mem.h"
#include "portal/package/lines.h"

/* ---- printing ---- */

struct attachments_reader {
    struct reader base;
    struct attachment_source *source;
    uint64_t *bytes;
    struct buf line;
    size_t at;
};

static int attachments_next_line(struct ctx *ctx, struct attachments_reader *r)
{
    struct portal_attachment a;
    struct json_out o;
    char hex[HASH_HEX + 1];
    TRY(r->source->next(ctx, r->source, &a));
    *r->bytes += (uint64_t)a.size;
    hash_hex(a.hash, hex);
    buf_clear(&r->line);
    r->at = 0;
    json_out_buf(&o, ctx, &r->line);
    json_begin_object(&o);
    json_member_int(&o, "layer", a.layer);
    json_member_int(&o, "id", a.id);
    json_member_int(&o, "parentObjectId", a.parent_oid);
    json_member_str(&o, "globalId", a.global_id);
    json_member_str(&o, "parentGlobalId", a.parent_global_id);
    json_member_str(&o, "name", a.name);
    json_member_str(&o, "contentType", a.content_type);
    json_member_str(&o, "keywords", a.keywords);
    json_member_int(&o, "size", a.size);
    json_member_c(&o, "sha256", hex);
    json_end_object(&o);
    TRY(json_out_end(&o, "attachment list"));
    buf_add_char(&r->line, '\n');
    return buf_check(&r->line, ctx, "attachment list");
}

static int attachments_reader_read(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    struct attachments_reader *r = (struct attachments_reader *)base;
    *got = 0;
    if (r->at == r->line.n) {
        int rc = attachments_next_line(ctx, r);
        if (rc != RC_OK)
            return rc == RC_END ? RC_OK : rc;
    }
    *got = r->line.n - r->at < n ? r->line.n - r->at : n;
    memcpy(p, r->line.p + r->at, *got);
    r->at += *got;
    return RC_OK;
}

static void attachments_reader_close(struct reader *base)
{
    struct attachments_reader *r = (struct attachments_reader *)base;
    buf_free(&r->line);
    mem_free(r);
}

struct reader *attachments_print(struct attachment_source *source, uint64_t *bytes)
{
    struct attachments_reader *r = mem_new(struct attachments_reader);
    *r = (struct attachments_reader){.base = {.read = attachments_reader_read, .close = attachments_reader_close},
                                     .source = source,
                                     .bytes = bytes,
                                     .line = BUF_INIT(LINES_MAX)};
    *bytes = 0;
    return &r->base;
}

/* ---- parsing ---- */

struct attachments_lines {
    struct attachment_source base;
    struct lines *lines;
    struct arena *arena; /* of the current line */
    id item;
    int32_t last_layer;
    int64_t last_id;
};

static int attachments_damaged(struct ctx *ctx, const struct attachments_lines *l)
{
    return err_set(ctx, &ERR_CORRUPT, "items/%s/attachments.ndjson has a line that is no attachment or out of order.",
                   l->item.text);
}

static int attachments_next(struct ctx *ctx, struct attachment_source *base, struct portal_attachment *out)
{
    struct attachments_lines *l = (struct attachments_lines *)base;
    struct json v;
    str line;
    int64_t layer = 0;
    TRY(ctx_check(ctx));
    TRY(lines_next(ctx, l->lines, &line, NULL));
    arena_reset(l->arena);
    *out = (struct portal_attachment){.id = -1};
    if (!json_try_parse(l->arena, line, &v) || !json_int(json_get_c(v, "layer"), &layer) || layer < 0 || layer > INT32_MAX ||
        !json_int(json_get_c(v, "id"), &out->id) || out->id < 0 || !json_int(json_get_c(v, "parentObjectId"), &out->parent_oid) ||
        !json_int(json_get_c(v, "size"), &out->size) || out->size < 0 ||
        !hash_parse(json_string_or(json_get_c(v, "sha256"), l->arena, STR("")), &out->hash))
        return attachments_damaged(ctx, l);
    if (layer < l->last_layer || (layer == l->last_layer && out->id <= l->last_id))
        return attachments_damaged(ctx, l);
    out->layer = l->last_layer = (int32_t)layer;
    l->last_id = out->id;
    out->global_id = json_string_or(json_get_c(v, "globalId"), l->arena, STR(""));
    out->parent_global_id = json_string_or(json_get_c(v, "parentGlobalId"), l->arena, STR(""));
    out->name = json_string_or(json_get_c(v, "name"), l->arena, STR(""));
    out->content_type = json_string_or(json_get_c(v, "contentType"), l->arena, STR(""));
    out->keywords = json_string_or(json_get_c(v, "keywords"), l->arena, STR(""));
    return RC_OK;
}

static void attachments_close(struct attachment_source *base)
{
    struct attachments_lines *l = (struct attachments_lines *)base;
    lines_close(l->lines);
    arena_close(l->arena);
    mem_free(l);
}

struct attachment_source *attachments_parse(struct reader *reader, const id *item)
{
    struct attachments_lines *l = mem_new(struct attachments_lines);
    *l = (struct attachments_lines){.base = {.next = attachments_next, .close = attachments_close},
                                    .lines = lines_open(reader),
                                    .arena = arena_open(),
                                    .item = *item,
                                    .last_layer = -1,
                                    .last_id = -1};
    return &l->base;
}
