/* Planning: see plan.h. */
#include "migrate/plan.h"
#include "migrate/texts.h"
#include "model/errors.h"
#include <stdlib.h>

static int item_compare(const void *a, const void *b)
{
    return memcmp(((const struct plan_item *)a)->id.text, ((const struct plan_item *)b)->id.text, ID_SIZE);
}

bool plan_carries(const struct plan_item *i) { return i->action == PLAN_CREATE || i->action == PLAN_OVERWRITE; }

static int64_t parts_size(const struct portal_item *item)
{
    int64_t size = 0;
    for (size_t i = 0; i < item->part_count; i++)
        size += item->parts[i].size;
    return size;
}

static int64_t texts_size(struct ctx *ctx, const struct portal_item *item)
{
    int64_t size = item->hosted ? (int64_t)item->definition.n : 0;
    for (size_t i = 0; i < item->part_count; i++)
        if (text_part(ctx, &item->item, &item->parts[i]))
            size += item->parts[i].size;
    return size;
}

/* Fills what the item itself says, keeping the plan's strings and nothing else of it. */
static int plan_one(struct ctx *ctx, struct portal *source, plan_decide *decide, void *arg, struct plan_item *p)
{
    struct ctx child;
    ctx_child(&child, ctx);
    struct portal_item item;
    int rc = source->ops->item_get(&child, source, &p->id, &item);
    if (rc == RC_OK) {
        const struct itemtype *type = itemtype_find(item.item.field[ITEM_TYPE]);
        p->type = arena_str(ctx->arena, item.item.field[ITEM_TYPE]);
        p->title = arena_str(ctx->arena, item.item.field[ITEM_TITLE]);
        p->size = parts_size(&item);
        p->text_size = texts_size(&child, &item);
        p->created = item.item.created;
        p->modified = item.item.modified;
        p->hosted = item.hosted;
        p->rank = type ? type->creation_rank : 1;
        rc = decide(&child, arg, &item, p);
        p->reason = arena_str(ctx->arena, p->reason);
        p->service_name = arena_str(ctx->arena, p->service_name);
    }
    if (rc == RC_NOT_FOUND) {
        *p = (struct plan_item){.id = p->id,
                                .action = PLAN_SKIP,
                                .type = STR(""),
                                .title = STR(""),
                                .service_name = STR(""),
                                .reason = STR("The item does not exist in the source.")};
        rc = RC_OK;
    }
    ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    return rc;
}

int plan_make(struct ctx *ctx, struct portal *source, const id *ids, size_t count, plan_decide *decide, void *arg,
              struct plan *out)
{
    *out = (struct plan){.items = arena_array(ctx->arena, struct plan_item, count)};
    for (size_t i = 0; i < count; i++)
        out->items[i].id = ids[i];
    qsort(out->items, count, sizeof *out->items, item_compare);
    for (size_t i = 0; i < count; i++)
        if (!i || !id_eq(out->items[i].id, out->items[out->count - 1].id))
            out->items[out->count++] = out->items[i];
    for (size_t i = 0; i < out->count; i++) {
        TRY(ctx_check(ctx));
        TRY(plan_one(ctx, source, decide, arg, &out->items[i]));
        if (plan_carries(&out->items[i]))
            out->bytes += out->items[i].size;
    }
    return RC_OK;
}

struct plan_item *plan_find(const struct plan *p, const id *item)
{
    struct plan_item key = {.id = *item};
    return p->count ? bsearch(&key, p->items, p->count, sizeof *p->items, item_compare) : NULL;
}

/* ---- references that leave the plan ---- */

void plan_reference_add(struct ctx *ctx, struct plan *p, const id *item, const struct ref_found *f, const char *note)
{
    for (size_t k = p->reference_count; k-- > 0 && id_eq(p->references[k].item, *item);)
        if (str_eq(p->references[k].found.value, f->value) && p->references[k].found.kind == f->kind)
            return;
    p->reference_total++;
    if (p->reference_count == PLAN_REFERENCES_MAX)
        return;
    p->references = arena_grow(ctx->arena, p->references, &p->reference_capacity, p->reference_count + 1, sizeof *p->references);
    struct plan_reference *r = &p->references[p->reference_count++];
    *r = (struct plan_reference){.item = *item, .found = *f, .note = str_c(note)};
    r->found.name = arena_str(ctx->arena, f->name);
    r->found.pointer = arena_str(ctx->arena, f->pointer);
    r->found.value = arena_str(ctx->arena, f->value);
}

bool plan_leaves(const struct plan *p, const id *self, const struct ref_found *f)
{
    id to;
    if (f->kind == REF_SERVICE_URL)
        return f->outcome == REF_UNRESOLVED;
    if (f->kind != REF_ITEM_ID || !id_parse(f->value, &to) || id_eq(to, *self))
        return false;
    const struct plan_item *there = plan_find(p, &to);
    return !there || !plan_carries(there);
}

bool plan_item_lost(int rc, const struct err_kind *kind)
{
    return rc == RC_NOT_FOUND || kind == &ERR_ITEM_MISSING || kind == &ERR_MISSING || kind == &ERR_CORRUPT;
}

static int references_of(struct ctx *ctx, struct portal *source, const struct idmap *known, struct plan *p,
                         struct plan_item *planned)
{
    const id *item = &planned->id;
    struct ctx child;
    ctx_child(&child, ctx);
    struct portal_item read;
    struct ref_list found = {0};
    int rc = source->ops->item_get(&child, source, item, &read);
    if (rc == RC_OK)
        rc = texts_find(&child, source, &read, known, &found);
    for (size_t i = 0; rc == RC_OK && i < found.count; i++)
        if (plan_leaves(p, item, &found.list[i]))
            plan_reference_add(ctx, p, item, &found.list[i], "");
    if (rc != RC_OK && plan_item_lost(rc, child.err.kind)) {
        planned->action = PLAN_FAIL;
        planned->reason = arena_str(ctx->arena, str_c(err_text(&child)));
        rc = RC_OK;
    }
    ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    return rc;
}

int plan_references(struct ctx *ctx, struct portal *source, const struct idmap *known, struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (!plan_carries(&p->items[i]))
            continue;
        TRY(ctx_check(ctx));
        TRY(references_of(ctx, source, known, p, &p->items[i]));
    }
    return RC_OK;
}
