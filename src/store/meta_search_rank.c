/* The order of what was found. Relevance: each word that was asked for counts by the field it stands in (the title over tags over
 * summary over description), by how rare it is, and by its boost; what a pattern or a near word found counts half. Equal ones
 * come newest first. It is computed over the newest 10,000 matches, so a page costs the same wherever it is.
 *
 * A number's order is made of its packed column. A text's order of few matches is made by reading their keys; of many, by going
 * through the index of the field. An order of several fields is made of the newest 10,000 matches. */
#include "store/meta_search_private.h"

#include <stdlib.h>

enum {
    LEAVES_MAX = 16, /* words that count */
    NEAR_MAX = 64,   /* near words of a term that count */
};

struct match {
    size_t place;
    double score;
};
struct matches {
    struct match *list;
    size_t count;
};

/* The newest ones first. */
static struct matches newest(const struct meta_search *s, const struct bits *found, size_t most)
{
    struct matches m = {.list = arena_array(s->ctx->arena, struct match, most)};
    for (size_t place = bits_below(found, SIZE_MAX); place != SIZE_MAX && m.count < most; place = bits_below(found, place))
        m.list[m.count++].place = place;
    return m;
}

/* ---- relevance ---- */

/* How much a thing says that `having` of `all` subjects have. */
static double rareness(size_t having, size_t all)
{
    double score = 1;
    for (size_t n = having < 1 ? 1 : having; n < all; n *= 2)
        score += 1;
    return score;
}

static int score_word(const struct meta_search *s, int64_t number, int64_t only, double boost, struct matches *m)
{
    static const unsigned weights[] = {8, 4, 2, 1};
    struct bits sets[COUNT_OF(weights)];
    struct meta_want wants[COUNT_OF(weights)];
    size_t having = 0;
    for (size_t i = 0; i < COUNT_OF(weights); i++) {
        sets[i] = meta_search_set(s);
        wants[i] = (struct meta_want){.fields = meta_fields_standard(s->entity, s->who, weights[i]), .into = &sets[i]};
        if (only != 0)
            wants[i].fields = i == 0 ? only : 0; /* a field that was named */
    }
    TRY(meta_postings_read(s->ctx, s->tx, s->entity->kind, number, wants, COUNT_OF(weights)));
    for (size_t i = 0; i < COUNT_OF(weights); i++)
        having += bits_count(&sets[i]);
    double factor = boost * rareness(having, s->size);
    for (size_t k = 0; k < m->count; k++)
        for (size_t i = 0; i < COUNT_OF(weights); i++)
            if (bits_has(&sets[i], m->list[k].place))
                m->list[k].score += factor * weights[i];
    return RC_OK;
}

static int score_text(const struct meta_search *s, const struct search_query *q, int64_t only, struct matches *m)
{
    int64_t number;
    struct meta_word_list words = meta_search_split(s->ctx, q->text);
    if (q->kind == SEARCH_TERM && q->edits > 0) {
        int64_t *near;
        size_t count;
        TRY(meta_search_near(s, q, &near, &count));
        for (size_t i = 0; i < count && i < NEAR_MAX; i++)
            TRY(score_word(s, near[i], only, q->boost / 2, m));
    }
    double boost = q->kind == SEARCH_WILDCARD ? q->boost / 2 : q->boost; /* the word itself, over those that begin with it */
    for (size_t i = 0; i < words.count && i < LEAVES_MAX; i++) {
        TRY(meta_words_find(s->ctx, s->tx, words.list[i], &number));
        if (number != 0)
            TRY(score_word(s, number, only, boost, m));
    }
    return RC_OK;
}

static int score_leaf(const struct meta_search *s, const struct search_query *q, struct matches *m)
{
    int64_t only = 0;
    if (!str_empty(q->field)) {
        const struct meta_field *f = meta_field_find(s->entity, s->who, q->field);
        if (!f || f->kind != FIELD_WORDS)
            return RC_OK;
        only = f->bit;
    }
    struct arena_mark mark = arena_mark(s->ctx->arena);
    int rc = score_text(s, q, only, m);
    arena_release(s->ctx->arena, mark);
    return rc;
}

/* What is behind a NOT is in none of them. boost: of the parentheses around. */
static int score(const struct meta_search *s, const struct search_query *q, double boost, unsigned *leaves, struct matches *m)
{
    if (q->kind == SEARCH_AND || q->kind == SEARCH_OR) {
        for (size_t i = 0; i < q->child_count; i++)
            TRY(score(s, q->children[i], boost * q->boost, leaves, m));
        return RC_OK;
    }
    bool counts = q->kind == SEARCH_TERM || q->kind == SEARCH_PHRASE || q->kind == SEARCH_WILDCARD;
    if (!counts || *leaves == LEAVES_MAX)
        return RC_OK;
    struct search_query leaf = *q;
    leaf.boost *= boost;
    ++*leaves;
    return score_leaf(s, &leaf, m);
}

static int by_score(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->place < y->place ? 1 : -1;
}

static int by_relevance(const struct meta_search *s, const struct search_query *q, struct matches *m)
{
    unsigned leaves = 0;
    if (m->count < 2)
        return RC_OK;
    TRY(score(s, q, 1, &leaves, m));
    qsort(m->list, m->count, sizeof *m->list, by_score);
    return RC_OK;
}

/* ---- the order of a field ---- */

struct key {
    int64_t number; /* 0 for texts */
    str text;       /* "" for numbers */
};
struct keyed {
    size_t place;
    struct key key[META_SORT_FIELDS_MAX];
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    for (size_t i = 0; i < META_SORT_FIELDS_MAX; i++) {
        if (x->key[i].number != y->key[i].number)
            return x->key[i].number < y->key[i].number ? -1 : 1;
        int order = str_cmp(x->key[i].text, y->key[i].text);
        if (order != 0)
            return order;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

struct keys {
    struct ctx *ctx;
    str columns;                       /* of the keys, for SELECT */
    bool number[META_SORT_FIELDS_MAX]; /* the others are texts */
    size_t key_count;
    struct keyed *list;
    size_t count;
};

static int key_row(void *arg, size_t place, const struct sql_rows *rows)
{
    struct keys *k = arg;
    struct keyed *out = &k->list[k->count++];
    out->place = place;
    for (size_t i = 0; i < META_SORT_FIELDS_MAX; i++) {
        bool number = i < k->key_count && k->number[i];
        out->key[i].number = number ? sql_int(rows, (int)i) : 0;
        out->key[i].text = i < k->key_count && !number ? sql_str(k->ctx, rows, (int)i) : STR("");
    }
    return RC_OK;
}

/* All of the matches, by their keys. */
static int by_keys(const struct meta_search *s, struct keys *k, bool descending, struct matches *m)
{
    struct bits set = meta_search_set(s);
    str columns = arena_printf(s->ctx->arena, "%.*s, number", STR_FMT(k->columns));
    const struct meta_search_reading r = {columns.p, s->entity->table, "number", (int)k->key_count, key_row, k};
    k->list = arena_array(s->ctx->arena, struct keyed, m->count + 1);
    for (size_t i = 0; i < m->count; i++)
        bits_set(&set, m->list[i].place);
    TRY(meta_search_rows(s, &set, &r));
    m->count = k->count;
    if (k->count > 0)
        qsort(k->list, k->count, sizeof *k->list, by_key);
    for (size_t i = 0; i < m->count; i++)
        m->list[i].place = k->list[descending ? m->count - 1 - i : i].place;
    return RC_OK;
}

/* The keys are the columns of the ascending order: a number first when the row says so, the others texts. */
static int by_field(const struct meta_search *s, const struct meta_order *order, bool descending, struct matches *m)
{
    struct keys k = {.ctx = s->ctx, .columns = str_c(order->ascending), .number = {order->number}, .key_count = order->columns};
    return by_keys(s, &k, descending, m);
}

/* The first column of each field's order. */
static struct keys keys_of(const struct meta_search *s, const struct meta_order *orders, str fields)
{
    struct keys k = {.ctx = s->ctx, .columns = STR("")};
    str field;
    while (k.key_count < META_SORT_FIELDS_MAX && str_split(&fields, ',', &field)) {
        const struct meta_order *order = meta_order_find(orders, str_trim(field));
        str first, all = str_c(order->ascending);
        str_split(&all, ',', &first);
        k.columns = arena_printf(s->ctx->arena, "%.*s%s%.*s", STR_FMT(k.columns), k.key_count > 0 ? ", " : "", STR_FMT(first));
        k.number[k.key_count++] = order->number;
    }
    return k;
}

/* The order that begins with these columns: type and then title is that of type. Without a name when there is none. */
static const struct meta_order *order_of(const struct meta_order *orders, const struct keys *k)
{
    while (orders->name && !str_starts(str_c(orders->ascending), k->columns))
        orders++;
    return orders;
}

/* By a packed column: the first `most` of the found ones, the first of equal ones the newest, or the oldest when ascending. They
 * are gathered until there are twice as many; then the worse half goes, and what is no better than its best is not gathered any
 * more. */
struct best {
    struct match *list;
    size_t count, most;
    bool descending, full; /* full: there is a worst one, behind which nothing counts */
    struct match worst;
};

/* Numbers as they are: times and sizes are far below what a double holds exactly. */
static bool before(bool descending, const struct match *x, const struct match *y)
{
    if (x->score != y->score)
        return descending ? x->score > y->score : x->score < y->score;
    return descending ? x->place > y->place : x->place < y->place;
}

static void exchange(struct match *a, struct match *b)
{
    struct match other = *a;
    *a = *b;
    *b = other;
}

/* Moves the first `most` to the beginning, the last one of them to its end: Hoare's selection, around the middle one of a
 * stretch. */
static void select_first(struct best *b)
{
    size_t low = 0, high = b->count - 1, target = b->most - 1;
    while (low < high) {
        struct match pivot = b->list[low + (high - low) / 2];
        size_t i = low, k = high;
        while (i <= k) {
            while (before(b->descending, &b->list[i], &pivot))
                i++;
            while (before(b->descending, &pivot, &b->list[k]))
                k--;
            if (i <= k) {
                exchange(&b->list[i], &b->list[k]);
                i++;
                if (k == 0)
                    break;
                k--;
            }
        }
        if (target <= k)
            high = k;
        else if (target >= i)
            low = i;
        else
            return;
    }
}

static void best_see(void *arg, size_t place, int64_t value)
{
    struct best *b = arg;
    struct match m = {.place = place, .score = (double)value};
    if (b->full && !before(b->descending, &m, &b->worst))
        return;
    b->list[b->count++] = m;
    if (b->count < 2 * b->most)
        return;
    select_first(b);
    b->count = b->most;
    b->worst = b->list[b->most - 1];
    b->full = true;
}

/* Of equal numbers those that were seen first come first, too. */
static enum meta_column_need best_need(void *arg, int64_t least, int64_t most)
{
    const struct best *b = arg;
    bool worse = b->full && (b->descending ? (double)most <= b->worst.score : (double)least >= b->worst.score);
    return worse ? META_COLUMN_SKIP : META_COLUMN_READ;
}

static int ascending(const void *a, const void *b) { return before(false, a, b) ? -1 : 1; }
static int descending_order(const void *a, const void *b) { return before(true, a, b) ? -1 : 1; }

static int by_column(const struct meta_search *s, const struct meta_order *order, bool descending, const struct bits *found,
                     size_t most, struct matches *m)
{
    struct best b = {.list = arena_array(s->ctx->arena, struct match, 2 * most), .most = most, .descending = descending};
    const struct meta_column_reading r = {.column = (enum meta_column)(order->packed - 1),
                                          .set = found,
                                          .oldest_first = !descending,
                                          .need = best_need,
                                          .see = best_see,
                                          .arg = &b};
    TRY(meta_columns_read(s->ctx, s->tx, &r));
    if (b.count > 1)
        qsort(b.list, b.count, sizeof *b.list, descending ? descending_order : ascending);
    m->list = b.list;
    m->count = b.count < most ? b.count : most;
    return RC_OK;
}

/* By how much of what describes an item is there, which is how many of these fields say anything. */
static int by_completeness(const struct meta_search *s, bool descending, const struct bits *found, size_t most, struct matches *m)
{
    static const int64_t fields[] = {TERM_ITEM_TITLE,   TERM_ITEM_SNIPPET, TERM_ITEM_DESCRIPTION, TERM_ITEM_TAGS,
                                     TERM_ITEM_CREDITS, TERM_ITEM_LICENSE, TERM_ITEM_THUMBNAIL};
    struct bits sets[COUNT_OF(fields)];
    struct meta_want wants[COUNT_OF(fields)];
    int64_t number;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        sets[i] = meta_search_set(s);
        wants[i] = (struct meta_want){.fields = fields[i], .into = &sets[i]};
    }
    TRY(meta_words_find(s->ctx, s->tx, STR(""), &number));
    TRY(meta_postings_read(s->ctx, s->tx, META_ITEM, number, wants, COUNT_OF(fields)));
    m->count = 0;
    for (size_t level = 0; level <= COUNT_OF(fields); level++)
        for (size_t place = bits_below(found, SIZE_MAX); place != SIZE_MAX && m->count < most; place = bits_below(found, place)) {
            size_t set = 0;
            for (size_t i = 0; i < COUNT_OF(fields); i++)
                set += bits_has(&sets[i], place);
            if (set == (descending ? COUNT_OF(fields) - level : level))
                m->list[m->count++].place = place;
        }
    return RC_OK;
}

/* The first `most` of the found ones in the order of the index; with a number of rows at most, it may get less far. */
static int walk(const struct meta_search *s, const struct meta_order *order, bool descending, const struct bits *found,
                size_t most, size_t rows_most, struct matches *m)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    str text = arena_printf(s->ctx->arena, "SELECT number FROM %s ORDER BY %s", s->entity->table,
                            descending ? order->descending : order->ascending);
    int rc = RC_OK;
    m->count = 0;
    TRY(sql_query_n(s->ctx, s->tx, &rows, text.p, NULL, 0));
    for (size_t row = 0; m->count < most && row < rows_most && (rc = sql_next(s->ctx, &rows)) == RC_OK; row++) {
        size_t place = (size_t)meta_place_of(sql_int(&rows, 0));
        if (bits_has(found, place))
            m->list[m->count++].place = place;
    }
    return rc == RC_END ? RC_OK : rc;
}

/* Going through the index is the cheaper, the more are found and the fewer of them are wanted; reading the keys of all found ones
 * depends on how many they are alone, which are few enough then. */
static int by_text(const struct meta_search *s, const struct meta_order *order, bool descending, const struct bits *found,
                   size_t total, size_t end, struct matches *m)
{
    enum { ROWS_OF_A_KEY = 10 }; /* rows of the index that go by while one key is read */
    size_t expected = end * (s->size / (total + 1) + 1), worth = total * ROWS_OF_A_KEY;
    struct matches some = {.list = arena_array(s->ctx->arena, struct match, end)};
    if (total > META_SEARCH_MOST)
        return walk(s, order, descending, found, end, SIZE_MAX, m);
    if (expected < worth && s->entity->kind == META_ITEM) {
        TRY(walk(s, order, descending, found, end, worth, &some));
        if (some.count == end) {
            *m = some;
            return RC_OK;
        }
    }
    return by_field(s, order, descending, m);
}

/* Several fields: an order that there is, or one of the newest matches. */
static int by_fields(const struct meta_search *s, const struct meta_order *orders, const struct meta_search_page *page,
                     const struct bits *found, size_t end, struct matches *m)
{
    struct keys k = keys_of(s, orders, page->sort_field);
    const struct meta_order *order = order_of(orders, &k);
    if (order->name && !order->packed)
        return by_text(s, order, page->descending, found, bits_count(found), end, m);
    return by_keys(s, &k, page->descending, m);
}

int meta_search_page(const struct meta_search *s, const struct search_query *q, const struct bits *found,
                     const struct meta_search_page *page, const struct meta_order *orders, int64_t **subjects_out,
                     size_t *count_out)
{
    const struct meta_order *order = meta_order_find(orders, page->sort_field);
    size_t total = bits_count(found);
    struct matches m = newest(s, found, page->everything || total < META_SEARCH_MOST ? total : META_SEARCH_MOST);
    size_t start = page->start < 0 ? 0 : (size_t)page->start, num = page->num < 0 ? 0 : (size_t)page->num;
    *count_out = 0;
    if (num == 0 || start >= m.count)
        return RC_OK;
    size_t end = num < m.count - start ? start + num : m.count;
    if (str_find_char(page->sort_field, ',', 0) != SIZE_MAX)
        TRY(by_fields(s, orders, page, found, end, &m));
    else if (!order->name)
        TRY(by_relevance(s, q, &m));
    else if (order->computed)
        TRY(by_completeness(s, page->descending, found, end, &m));
    else if (order->packed)
        TRY(by_column(s, order, page->descending, found, end, &m));
    else
        TRY(by_text(s, order, page->descending, found, total, end, &m));
    *subjects_out = arena_array(s->ctx->arena, int64_t, num);
    for (size_t i = start; i < end && i < m.count; i++)
        (*subjects_out)[(*count_out)++] = meta_subject_of(s->entity->kind, m.list[i].place);
    return RC_OK;
}
