/* How often values occur in the items that a search finds: see counts.h. */
#include "web/sharing/counts.h"

#include <stdlib.h>

static const struct {
    const char *name;
    enum item_field field; /* ITEM_FIELD_COUNT: the access */
    bool list;
} rows[COUNTS_FIELDS] = {
    [COUNTS_TAGS] = {"tags", ITEM_TAGS, true},
    [COUNTS_TYPE] = {"type", ITEM_TYPE, false},
    [COUNTS_ACCESS] = {"access", ITEM_FIELD_COUNT, false},
    [COUNTS_CONTENT_STATUS] = {"contentstatus", ITEM_CONTENT_STATUS, false},
    [COUNTS_CATEGORIES] = {"categories", ITEM_CATEGORIES, true},
};

const char *counts_field_name(enum counts_field f) { return rows[f].name; }

bool counts_field_parse(str name, enum counts_field *out)
{
    for (unsigned i = 0; i < COUNTS_FIELDS; i++)
        if (str_ieq(name, str_c(rows[i].name))) {
            *out = (enum counts_field)i;
            return true;
        }
    return false;
}

void counts_open(struct counts *c, struct ctx *ctx) { *c = (struct counts){.ctx = ctx}; }

static void add(struct counts *c, str value)
{
    if (str_empty(value))
        return;
    c->list = arena_grow(c->ctx->arena, c->list, &c->capacity, c->count + 1, sizeof *c->list);
    c->list[c->count++] = (struct counts_entry){.value = arena_str(c->ctx->arena, value), .count = 1};
}

static void add_item(struct ctx *ctx, const struct item_view *v, enum counts_field f, struct counts *c)
{
    if (rows[f].field == ITEM_FIELD_COUNT) {
        add(c, str_c(item_access_name(v->item.access == ITEM_PRIVATE && v->has_groups ? ITEM_SHARED : v->item.access)));
        return;
    }
    str value = v->item.field[rows[f].field];
    struct json list, entry;
    if (!rows[f].list) {
        add(c, value);
    } else if (json_try_parse(ctx->arena, value, &list)) {
        struct json_iter it = json_each(list);
        while (json_next(&it, NULL, &entry))
            add(c, json_string(entry, ctx->arena));
    }
}

int counts_search(struct ctx *ctx, struct site *s, const struct caller *c, const struct search_input *in,
                  const enum counts_field *fields, size_t field_count, struct counts *counts)
{
    enum { PAGE = 500 };
    for (int64_t start = 0, total = 1; start < total; start += PAGE) {
        struct ctx page; /* its items go with it */
        ctx_child(&page, ctx);
        struct search_input search = *in;
        search.page = (struct meta_search_page){.start = start, .num = PAGE};
        struct item_views found;
        int rc = item_search(&page, s, c, &search, &found);
        if (rc == RC_OK) {
            total = found.total;
            for (size_t i = 0; i < found.count; i++)
                for (size_t f = 0; f < field_count; f++)
                    add_item(&page, &found.items[i], fields[f], &counts[f]);
        }
        rc = ctx_adopt_error(ctx, &page, rc);
        ctx_close(&page);
        TRY(rc);
    }
    return RC_OK;
}

static int by_value(const void *a, const void *b)
{
    const struct counts_entry *x = a, *y = b;
    return str_cmp(x->value, y->value);
}

static int by_count(const void *a, const void *b)
{
    const struct counts_entry *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_value(a, b);
}

void counts_sort(struct counts *c)
{
    if (c->count == 0)
        return;
    qsort(c->list, c->count, sizeof *c->list, by_value);
    size_t kept = 0;
    for (size_t i = 1; i < c->count; i++)
        if (str_eq(c->list[kept].value, c->list[i].value))
            c->list[kept].count++;
        else
            c->list[++kept] = c->list[i];
    c->count = kept + 1;
    qsort(c->list, c->count, sizeof *c->list, by_count);
}
