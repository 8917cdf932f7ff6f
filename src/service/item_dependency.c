/* Dependencies of an item, from its data. See item_dependency.h. */
#include "service/item_dependency.h"
#include "model/refs.h"
#include "service/item_private.h"

struct dependencies {
    struct item_dependency *list;
    size_t count, capacity;
};

static void add(struct ctx *ctx, struct dependencies *d, bool is_item, str value)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->list[i].is_item == is_item && str_ieq(d->list[i].value, value))
            return;
    d->list = arena_grow(ctx->arena, d->list, &d->capacity, d->count + 1, sizeof *d->list);
    d->list[d->count++] = (struct item_dependency){.is_item = is_item, .value = arena_str(ctx->arena, value)};
}

static int data_text(struct ctx *ctx, struct site *s, const struct item_part *data, str *out)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    int rc = blob_open(ctx, s->blobs, data->hash, &r);
    if (rc == RC_NOT_FOUND)
        return err_set(ctx, &ERR_CORRUPT, "The stored content is missing.");
    TRY(rc);
    return reader_read_all(ctx, r, (size_t)s->settings.text_max, "the data of an item", out);
}

/* What stands in a place for an id may be anything: ids only, but for the item's own. */
static void take(struct ctx *ctx, const struct ref_list *found, const id *item, struct dependencies *d)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct ref_found *f = &found->list[i];
        id named;
        if (f->kind == REF_SERVICE_URL && !str_empty(f->value))
            add(ctx, d, false, f->value);
        else if (f->kind == REF_ITEM_ID && id_parse(f->value, &named) && !id_eq(named, *item))
            add(ctx, d, true, id_str(&named));
    }
}

int item_dependencies(struct ctx *ctx, struct site *s, const struct caller *c, str server_url, const id *item,
                      struct item_dependency **out, size_t *count_out)
{
    struct item_view v;
    struct item_part data;
    struct dependencies d = {0};
    struct ref_list found = {0};
    str text;
    *out = NULL;
    *count_out = 0;
    TRY(item_get(ctx, s, c, item, &v));
    const struct itemtype *type = itemtype_find(v.item.field[ITEM_TYPE]);
    int rc = item_part_get(ctx, s, c, item, PART_DATA, STR(""), &data);
    if (rc == RC_NOT_FOUND && !ctx->err.kind)
        return RC_OK;
    TRY(rc);
    if (!type || type->rule_count == 0 || data.size > s->settings.text_max)
        return RC_OK;
    TRY(data_text(ctx, s, &data, &text));
    struct idmap *ours = idmap_open();
    idmap_base(ours, server_url, server_url);
    rc = refs_find(ctx, type, REF_DATA, STR(""), text, ours, &found);
    idmap_close(ours);
    TRY(rc);
    take(ctx, &found, item, &d);
    *out = d.list;
    *count_out = d.count;
    return RC_OK;
}
