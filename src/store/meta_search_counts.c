/* How often values occur in the items that were found: countFields of a search, tags of a user. */
#include "store/meta_search_private.h"

#include <stdlib.h>

static const struct {
    const char *name;
    enum meta_term_field_bit field;
} fields[META_COUNT_FIELDS] = {
    [META_COUNT_TAGS] = {"tags", TERM_ITEM_WHOLE_TAGS},
    [META_COUNT_TYPE] = {"type", TERM_ITEM_WHOLE_TYPE},
    [META_COUNT_ACCESS] = {"access", TERM_ITEM_ACCESS},
    [META_COUNT_STATUS] = {"contentstatus", TERM_ITEM_STATUS},
    [META_COUNT_CATEGORIES] = {"categories", TERM_ITEM_WHOLE_CATEGORIES},
};

const char *meta_count_field_name(enum meta_count_field f) { return fields[f].name; }

bool meta_count_field_parse(str name, enum meta_count_field *out)
{
    for (unsigned i = 0; i < META_COUNT_FIELDS; i++)
        if (str_ieq(name, str_c(fields[i].name))) {
            *out = (enum meta_count_field)i;
            return true;
        }
    return false;
}

/* Values by their hash: a slot holds the place in the list, from 1. */
struct table {
    struct arena *arena;
    struct meta_value_counts *counts;
    size_t capacity; /* of the list */
    uint32_t *slot;
    size_t slots; /* a power of two */
};

static size_t hash(str s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static uint32_t *slot_of(const struct table *t, str value)
{
    size_t i = hash(value) & (t->slots - 1);
    while (t->slot[i] && !str_eq(t->counts->list[t->slot[i] - 1].value, value))
        i = (i + 1) & (t->slots - 1);
    return &t->slot[i];
}

static void grow(struct table *t)
{
    t->slots = t->slots ? 2 * t->slots : 256;
    t->slot = arena_array(t->arena, uint32_t, t->slots);
    for (size_t i = 0; i < t->counts->count; i++)
        *slot_of(t, t->counts->list[i].value) = (uint32_t)i + 1;
}

static void count_value(struct table *t, str value)
{
    struct meta_value_counts *c = t->counts;
    if (2 * c->count >= t->slots)
        grow(t);
    uint32_t *slot = slot_of(t, value);
    if (*slot) {
        c->list[*slot - 1].count++;
        return;
    }
    c->list = arena_grow(t->arena, c->list, &t->capacity, c->count + 1, sizeof *c->list);
    c->list[c->count++] = (struct meta_value_count){.value = arena_str(t->arena, value), .count = 1};
    *slot = (uint32_t)c->count;
}

/* private: "shared" when the item is in a group. */
static void count_item(struct table *t, str text, bool in_group)
{
    int64_t field = fields[t->counts->field].field;
    str lines = meta_terms_lines(text, field), value;
    while (str_split(&lines, '\n', &value)) {
        bool shared = field == TERM_ITEM_ACCESS && in_group && str_eq(value, str_c(item_access_name(ITEM_PRIVATE)));
        if (!str_empty(value))
            count_value(t, shared ? str_c(item_access_name(ITEM_SHARED)) : value);
    }
}

static int most_first(const void *a, const void *b)
{
    const struct meta_value_count *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : str_cmp(x->value, y->value);
}

static int in_groups(const struct meta_search *s, struct bits *out)
{
    int64_t number;
    const struct meta_want want = {.fields = TERM_ITEM_GROUP, .into = out};
    TRY(meta_words_find(s->ctx, s->tx, STR(""), &number));
    return number == 0 ? RC_OK : meta_postings_read(s->ctx, s->tx, META_ITEM, number, &want, 1);
}

struct counting {
    struct table *tables;
    size_t table_count, left;
    struct bits grouped;
};

static int count_row(void *arg, size_t place, const struct sql_rows *rows)
{
    struct counting *c = arg;
    str text = sql_text(rows, 0);
    for (size_t i = 0; i < c->table_count; i++)
        count_item(&c->tables[i], text, bits_has(&c->grouped, place));
    return --c->left > 0 ? RC_OK : RC_END;
}

int meta_search_count(const struct meta_search *s, const struct bits *found, size_t most, struct meta_value_counts *counts,
                      size_t count)
{
    struct counting c = {.tables = arena_array(s->ctx->arena, struct table, count + 1),
                         .table_count = count,
                         .left = most,
                         .grouped = meta_search_set(s)};
    const struct meta_search_reading r = {"content, subject", "search_text", "subject", 1, count_row, &c};
    TRY(in_groups(s, &c.grouped));
    for (size_t i = 0; i < count; i++) {
        counts[i].list = NULL;
        counts[i].count = 0;
        c.tables[i] = (struct table){.arena = s->ctx->arena, .counts = &counts[i]};
    }
    TRY(meta_search_rows(s, found, &r));
    for (size_t i = 0; i < count; i++)
        if (counts[i].count > 1)
            qsort(counts[i].list, counts[i].count, sizeof *counts[i].list, most_first);
    return RC_OK;
}
