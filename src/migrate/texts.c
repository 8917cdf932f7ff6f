/* Going over the texts of an item: see texts.h. */
#include "migrate/texts.h"

static bool listed(str name, const char *const *endings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        str e = str_c(endings[i]);
        if (name.n >= e.n && str_ieq(str_sub(name, name.n - e.n, name.n), e))
            return true;
    }
    return false;
}

bool text_part(struct ctx *ctx, const struct item *item, const struct item_part *part)
{
    (void)ctx;
    static const char *const endings[] = {".json", ".xml", ".html", ".htm", ".svg", ".js", ".css", ".txt", ".webform"};
    if (part->size > TEXT_MAX)
        return false;
    if (part->kind != PART_DATA)
        return listed(part->name, endings, COUNT_OF(endings));
    const struct itemtype *type = itemtype_find(item->field[ITEM_TYPE]);
    if (type)
        return type->content == CONTENT_TEXT || (str_empty(part->name) && type->content != CONTENT_FILE);
    return str_empty(part->name);
}

int text_read(struct ctx *ctx, struct portal *source, const id *item, const struct item_part *part, str *out)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    TRY(source->ops->part_open(ctx, source, item, part, &r));
    return reader_read_all(ctx, r, TEXT_MAX, "a text of an item", out);
}

/* Fields whose text may name other items or hosts. The others are words, or follow from the item itself. */
static bool field_refers(enum item_field f)
{
    switch (f) {
    case ITEM_DESCRIPTION:
    case ITEM_SNIPPET:
    case ITEM_ACCESS_INFORMATION:
    case ITEM_LICENSE_INFO:
    case ITEM_DOCUMENTATION:
    case ITEM_PROPERTIES:
    case ITEM_URL:
    case ITEM_TYPE_KEYWORDS:
    case ITEM_BANNER:
        return true;
    default:
        return false;
    }
}

static enum ref_place place_of(const struct item_part *part) { return part->kind == PART_DATA ? REF_DATA : REF_RESOURCE; }

int texts_find(struct ctx *ctx, struct portal *source, const struct portal_item *item, const struct idmap *known,
               struct ref_list *found)
{
    const struct itemtype *type = itemtype_find(item->item.field[ITEM_TYPE]);
    for (int f = 0; f < ITEM_FIELD_COUNT; f++)
        if (field_refers((enum item_field)f) && !str_empty(item->item.field[f]))
            TRY(refs_find(ctx, type, REF_ITEM_FIELD, str_c(item_fields[f].name), item->item.field[f], known, found));
    for (size_t i = 0; i < item->part_count; i++) {
        const struct item_part *part = &item->parts[i];
        if (!text_part(ctx, &item->item, part))
            continue;
        str text;
        TRY(text_read(ctx, source, &item->item.id, part, &text));
        TRY(refs_find(ctx, type, place_of(part), part->kind == PART_DATA ? STR("") : part->name, text, known, found));
    }
    return RC_OK;
}

static bool same_bytes(str a, str b) { return a.p == b.p && a.n == b.n; }

/* Only what came out is kept: the text, its tape and the edits are several times as large. */
static int part_change(struct ctx *ctx, struct portal *source, struct portal_item *copy, const struct itemtype *type,
                       struct part_put *p, text_change *change, void *arg)
{
    struct ctx child;
    str text = STR_NONE, changed = STR_NONE;
    ctx_child(&child, ctx);
    int rc = text_read(&child, source, &copy->item.id, &p->part, &text);
    if (rc == RC_OK)
        rc = change(&child, arg, type, place_of(&p->part), p->part.kind == PART_DATA ? STR("") : p->part.name, text, &changed);
    if (rc == RC_OK && !same_bytes(text, changed)) {
        p->changed = true;
        p->text = arena_str(ctx->arena, changed);
        p->part.hash = hash_of(changed);
        p->part.size = (int64_t)changed.n;
        if (p->part.kind == PART_DATA)
            copy->item.size = (int64_t)changed.n;
    }
    ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    return rc;
}

int texts_put(struct ctx *ctx, struct portal *source, const struct portal_item *item, text_change *change, void *arg,
              struct item_put *out)
{
    const struct itemtype *type = itemtype_find(item->item.field[ITEM_TYPE]);
    struct portal_item *copy = arena_new(ctx->arena, struct portal_item);
    *copy = *item;
    *out = (struct item_put){.item = copy, .source = source, .source_id = item->item.id, .part_count = item->part_count};
    out->parts = arena_array(ctx->arena, struct part_put, item->part_count);
    for (size_t i = 0; i < item->part_count; i++)
        out->parts[i].part = item->parts[i];
    if (!change)
        return RC_OK;
    for (int f = 0; f < ITEM_FIELD_COUNT; f++)
        if (field_refers((enum item_field)f) && !str_empty(item->item.field[f]))
            TRY(change(ctx, arg, type, REF_ITEM_FIELD, str_c(item_fields[f].name), item->item.field[f], &copy->item.field[f]));
    if (item->hosted)
        TRY(change(ctx, arg, NULL, REF_DATA, STR("definition"), item->definition, &copy->definition));
    for (size_t i = 0; i < item->part_count; i++)
        if (text_part(ctx, &item->item, &out->parts[i].part))
            TRY(part_change(ctx, source, copy, type, &out->parts[i], change, arg));
    return RC_OK;
}
