/* Printing plans: see lists.h. */
#include "jobs/lists.h"

bool lists_carried(const struct plan_item *i) { return plan_carries(i); }
bool lists_skipped(const struct plan_item *i) { return i->action == PLAN_SKIP; }
bool lists_failed(const struct plan_item *i) { return i->action == PLAN_FAIL; }

void lists_items(struct json_out *o, const char *name, const struct plan *p, bool (*wanted)(const struct plan_item *i))
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t k = 0; k < p->count; k++) {
        const struct plan_item *i = &p->items[k];
        if (!wanted(i))
            continue;
        json_begin_object(o);
        json_member_str(o, "itemId", id_str(&i->id));
        if (!plan_carries(i)) {
            json_member_str(o, "title", i->title);
            json_member_str(o, "type", i->type);
            json_member_str(o, "reason", i->reason);
        }
        json_end_object(o);
    }
    json_end_array(o);
}

static const char *place_name(enum ref_place place)
{
    return place == REF_ITEM_FIELD ? "field" : place == REF_DATA ? "data" : "resource";
}

void lists_references(struct json_out *o, const struct plan *p)
{
    json_member_int(o, "referencesTotal", (int64_t)p->reference_total);
    json_name(o, "references");
    json_begin_array(o);
    for (size_t k = 0; k < p->reference_count; k++) {
        const struct plan_reference *r = &p->references[k];
        json_begin_object(o);
        json_member_str(o, "itemId", id_str(&r->item));
        json_member_c(o, "place", place_name(r->found.place));
        if (!str_empty(r->found.name))
            json_member_str(o, "name", r->found.name);
        json_member_str(o, "pointer", r->found.pointer);
        json_member_str(o, "value", r->found.value);
        json_member_str(o, "note", r->note);
        json_end_object(o);
    }
    json_end_array(o);
}

void lists_ids_print(struct json_out *o, const char *name, const id *ids, size_t count)
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        json_put_str(o, id_str(&ids[i]));
    json_end_array(o);
}

int lists_ids_parse(struct ctx *ctx, struct json list, id **ids_out, size_t *count_out)
{
    *ids_out = arena_array(ctx->arena, id, json_count(list));
    *count_out = 0;
    struct json_iter it = json_each(list);
    struct json v;
    while (json_next(&it, NULL, &v))
        if (!id_parse(json_string(v, ctx->arena), &(*ids_out)[(*count_out)++]))
            return err_set(ctx, &ERR_CORRUPT, "a stored request holds an id that is none");
    return RC_OK;
}

str lists_text(struct ctx *ctx, struct json_out *o, struct buf *b)
{
    (void)json_out_end(o, "a request");
    str text = arena_str(ctx->arena, buf_str(b));
    buf_free(b);
    return text;
}
