/* How often values occur in the items that were found: countFields of a search, tags of a user. Of packed items the lists of the
 * blocks say it (meta_runs.h), of the others their texts. */
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

enum meta_term_field_bit meta_count_field_bit(enum meta_count_field f) { return fields[f].field; }

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
    size_t *seen;    /* for each value, 1 + the place of the last item whose text has it: what it has twice is counted once */
    size_t seen_capacity;
    uint32_t *slot;
    size_t slots; /* a power of two */
    struct meta_scan scan;
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

/* Returns the value's place in the list. */
static size_t count_value(struct table *t, str value, size_t times)
{
    struct meta_value_counts *c = t->counts;
    if (2 * c->count >= t->slots)
        grow(t);
    uint32_t *slot = slot_of(t, value);
    if (*slot) {
        c->list[*slot - 1].count += (int64_t)times;
        return *slot - 1;
    }
    c->list = arena_grow(t->arena, c->list, &t->capacity, c->count + 1, sizeof *c->list);
    c->list[c->count++] = (struct meta_value_count){.value = arena_str(t->arena, value), .count = (int64_t)times};
    *slot = (uint32_t)c->count;
    return c->count - 1;
}

static void count_once(struct table *t, str value, size_t place)
{
    size_t i = count_value(t, value, 0);
    t->seen = arena_grow(t->arena, t->seen, &t->seen_capacity, i + 1, sizeof *t->seen);
    t->counts->list[i].count += t->seen[i] != place + 1;
    t->seen[i] = place + 1;
}

/* private: "shared" when the item is in a group. */
static bool may_be_shared(const struct table *t, str value)
{
    return fields[t->counts->field].field == TERM_ITEM_ACCESS && str_eq(value, str_c(item_access_name(ITEM_PRIVATE)));
}

static void count_item(struct table *t, str text, size_t place, bool in_group)
{
    str lines = meta_terms_lines(text, fields[t->counts->field].field), value;
    while (str_split(&lines, '\n', &value)) {
        bool shared = in_group && may_be_shared(t, value);
        if (!str_empty(value))
            count_once(t, shared ? str_c(item_access_name(ITEM_SHARED)) : value, place);
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
    size_t table_count;
    struct bits grouped;
};

static int count_row(void *arg, size_t place, const struct sql_rows *rows)
{
    struct counting *c = arg;
    str text = sql_text(rows, 0);
    for (size_t i = 0; i < c->table_count; i++)
        count_item(&c->tables[i], text, place, bits_has(&c->grouped, place));
    return RC_OK;
}

static int count_list(const struct meta_search *s, const struct counting *c, struct table *t, const struct bits *found,
                      int64_t block)
{
    struct meta_run_list l;
    struct meta_run_group g;
    TRY(meta_run_get(s->ctx, s->tx, &t->scan, RUN_COUNTS, t->counts->field, block, &l));
    while (meta_run_next(&l, &g)) {
        size_t count = 0, shared = 0;
        bool may = may_be_shared(t, g.key);
        for (size_t i = 0; i < g.count; i++) {
            size_t place = (size_t)block * META_BLOCK + meta_run_place(meta_run_posting(&l, &g, i));
            bool is = bits_has(found, place);
            count += is;
            shared += is && may && bits_has(&c->grouped, place);
        }
        if (count > shared)
            count_value(t, g.key, count - shared);
        if (shared > 0)
            count_value(t, str_c(item_access_name(ITEM_SHARED)), shared);
    }
    return RC_OK;
}

/* Of the places below `end`, which have lists. */
static int count_listed(const struct meta_search *s, const struct counting *c, const struct bits *found, size_t end)
{
    size_t place = bits_below(found, end);
    while (place != SIZE_MAX) {
        TRY(ctx_check(s->ctx));
        for (size_t i = 0; i < c->table_count; i++)
            TRY(count_list(s, c, &c->tables[i], found, (int64_t)(place / META_BLOCK)));
        place = bits_below(found, place - place % META_BLOCK);
    }
    return RC_OK;
}

/* The newest `most` of the found ones. */
static struct bits counted(const struct meta_search *s, const struct bits *found, size_t most)
{
    struct bits set = meta_search_set(s);
    for (size_t i = found->words; i-- > 0 && most > 0;) {
        uint64_t word = found->word[i];
        size_t count = (size_t)__builtin_popcountll(word);
        for (; count > most; count--)
            word &= word - 1; /* the oldest one goes */
        set.word[i] = word;
        most -= count;
    }
    return set;
}

int meta_search_count(const struct meta_search *s, const struct bits *found, size_t most, struct meta_value_counts *counts,
                      size_t count)
{
    struct bits set = counted(s, found, most), newest = meta_search_set(s);
    struct counting c = {
        .tables = arena_array(s->ctx->arena, struct table, count + 1), .table_count = count, .grouped = meta_search_set(s)};
    const struct meta_search_reading r = {"content, subject", "search_text", "subject", 1, count_row, &c};
    int64_t end;
    TRY(in_groups(s, &c.grouped));
    for (size_t i = 0; i < count; i++) {
        counts[i].list = NULL;
        counts[i].count = 0;
        c.tables[i] = (struct table){.arena = s->ctx->arena, .counts = &counts[i], .scan.backwards = true};
    }
    TRY(meta_runs_end(s->ctx, s->tx, &end));
    bits_copy(&newest, &set);
    bits_clear_below(&newest, (size_t)end);
    TRY(meta_search_rows(s, &newest, &r));
    int rc = count_listed(s, &c, &set, (size_t)end);
    for (size_t i = 0; i < count; i++)
        meta_scan_close(&c.tables[i].scan);
    TRY(rc);
    for (size_t i = 0; i < count; i++)
        if (counts[i].count > 1)
            qsort(counts[i].list, counts[i].count, sizeof *counts[i].list, most_first);
    return RC_OK;
}
