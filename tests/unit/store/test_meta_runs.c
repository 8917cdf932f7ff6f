/* Searches over more than a block of items beside the same questions asked of each item in turn: what is found, in which order,
 * on which page, and how often values occur, while items change and go. */
#include "store_fixture.h"

#include "model/search.h"
#include "store/meta_runs.h"

enum { ITEMS = 4096 + 300, LETTERS = 3, QUERIES = 220, CHANGES = 250, VIEWS = 12 };

/* What the test knows about an item. */
struct known {
    bool gone, grouped;
    char title[64], snippet[64], tags[2][16], type[16];
    unsigned owner, access; /* of `accesses` */
    unsigned views;         /* below VIEWS */
};

struct world {
    uint64_t state;
    struct known *items;
    id group;
};

static unsigned next(struct world *w, unsigned below)
{
    w->state = w->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((w->state >> 33) % below);
}

static const enum item_access accesses[] = {ITEM_PUBLIC, ITEM_ORG, ITEM_PRIVATE};
static const char *const types[] = {"Web Map", "Web Scene", "CSV"};

/* Few words, so that they stand beside each other often. */
static void word(struct world *w, char out[8])
{
    static const char *const begins[] = {"ab", "ac", "b", "ba", "\xc3\xa4", "z9"};
    snprintf(out, 8, "%s%c", begins[next(w, COUNT_OF(begins))], (char)('a' + next(w, LETTERS)));
}

static void words(struct world *w, unsigned count, char *out, size_t size)
{
    size_t n = 0;
    out[0] = 0;
    for (unsigned i = 0; i < count; i++) {
        char one[8];
        word(w, one);
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? " " : "", one);
    }
}

static struct known known_new(struct world *w)
{
    struct known k = {.owner = next(w, 3), .access = next(w, COUNT_OF(accesses)), .views = next(w, VIEWS / 2)};
    words(w, next(w, 5), k.title, sizeof k.title);
    words(w, next(w, 7), k.snippet, sizeof k.snippet);
    words(w, 1, k.tags[0], sizeof k.tags[0]);
    words(w, 2, k.tags[1], sizeof k.tags[1]);
    snprintf(k.type, sizeof k.type, "%s", types[next(w, COUNT_OF(types))]);
    return k;
}

static struct item item_of(struct ctx *c, const struct known *k, unsigned n)
{
    struct item it = {.id = test_id(n + 1), .created = 1000 + n, .modified = 1000 + n, .access = accesses[k->access]};
    it.num_views = k->views;
    it.owner = arena_printf(c->arena, "own%u", k->owner);
    it.field[ITEM_TITLE] = str_c(k->title);
    it.field[ITEM_SNIPPET] = str_c(k->snippet);
    it.field[ITEM_TAGS] = arena_printf(c->arena, "[\"%s\",\"%s\"]", k->tags[0], k->tags[1]);
    it.field[ITEM_TYPE] = str_c(k->type);
    return it;
}

/* ---- asked of each item ---- */

enum question_kind { PHRASE, TITLE_PHRASE, WHOLE_TITLE, PREFIX, PATTERN, TAGS_PREFIX, TYPE_PREFIX, BOTH, QUESTIONS };
struct question {
    enum question_kind kind;
    char first[32], second[32];
};

static bool row_has(const char *line, const char *phrase)
{
    char spaced[80], wanted[40];
    snprintf(spaced, sizeof spaced, " %s ", line);
    snprintf(wanted, sizeof wanted, " %s ", phrase);
    return strstr(spaced, wanted) != NULL;
}

/* A word of the line begins with `begin` and ends with `end`. */
static bool has_pattern(const char *line, const char *begin, const char *end)
{
    str rest = str_c(line), one;
    while (str_split(&rest, ' ', &one))
        if (one.n >= strlen(begin) + strlen(end) && str_starts(one, str_c(begin)) && str_ends(one, str_c(end)))
            return true;
    return false;
}

static bool anywhere(const struct known *k, bool (*has)(const char *, const char *, const char *), const char *a, const char *b)
{
    return has(k->title, a, b) || has(k->snippet, a, b) || has(k->tags[0], a, b) || has(k->tags[1], a, b);
}

static bool row_has_it(const char *line, const char *phrase, const char *unused)
{
    (void)unused;
    return row_has(line, phrase);
}

static bool is_answer(const struct question *q, const struct known *k)
{
    switch (q->kind) {
    case PHRASE:
        return anywhere(k, row_has_it, q->first, NULL);
    case TITLE_PHRASE:
        return row_has(k->title, q->first);
    case WHOLE_TITLE:
        return strcmp(k->title, q->first) == 0;
    case PREFIX:
        return anywhere(k, has_pattern, q->first, "");
    case PATTERN:
        return anywhere(k, has_pattern, q->first, q->second);
    case TAGS_PREFIX:
        return str_starts(str_c(k->tags[0]), str_c(q->first)) || str_starts(str_c(k->tags[1]), str_c(q->first));
    case TYPE_PREFIX:
        return str_starts(str_c(k->type), str_c(q->first));
    default:
        return anywhere(k, row_has_it, q->first, NULL) && !anywhere(k, has_pattern, q->second, "");
    }
}

static struct question question_new(struct world *w, char *text, size_t size)
{
    static const char *const forms[QUESTIONS] = {"\"%s\"", "title:\"%s\"", "title:\"%s\"", "%s*",
                                                 "%s*%s",  "tags:%s*",     "type:%s*",     "\"%s\" -%s*"};
    struct question q = {.kind = (enum question_kind)next(w, QUESTIONS)};
    bool phrase = q.kind == PHRASE || q.kind == TITLE_PHRASE || q.kind == WHOLE_TITLE || q.kind == BOTH;
    words(w, phrase ? 1 + next(w, 3) : 1, q.first, sizeof q.first);
    word(w, q.second);
    if (q.kind == PATTERN)
        memmove(q.second, q.second + strlen(q.second) - 1, 2);
    if (!phrase) /* the last letter goes */
        q.first[strlen(q.first) - 1] = 0;
    if (q.kind == TYPE_PREFIX)
        snprintf(q.first, sizeof q.first, "%s", next(w, 2) ? "Web S" : "C");
    snprintf(text, size, forms[q.kind], q.first, q.second);
    if (q.kind == TYPE_PREFIX && q.first[0] == 'W')
        snprintf(text, size, "type:Web\\ S*");
    return q;
}

static bool sees(const struct viewer *who, const struct known *k)
{
    bool own = who->username.n == 4 && who->username.p[3] == (char)('0' + k->owner);
    return who->admin || own || accesses[k->access] == ITEM_PUBLIC || (accesses[k->access] == ITEM_ORG && who->username.n > 0) ||
           (k->grouped && str_eq(who->username, STR("own1")));
}

/* ---- beside the search ---- */

static int64_t counted(const struct meta_value_counts *counts, const char *value)
{
    for (size_t i = 0; i < counts->count; i++)
        if (str_eq(counts->list[i].value, str_c(value)))
            return counts->list[i].count;
    return 0;
}

static void counts_agree(const struct world *w, const struct question *q, const struct viewer *who,
                         const struct meta_value_counts counts[3], const char *text)
{
    int64_t csv = 0, shared = 0, hidden = 0, tag = 0;
    for (unsigned n = 0; n < ITEMS; n++) {
        const struct known *k = &w->items[n];
        if (k->gone || !sees(who, k) || !is_answer(q, k))
            continue;
        csv += strcmp(k->type, "CSV") == 0;
        shared += accesses[k->access] == ITEM_PRIVATE && k->grouped;
        hidden += accesses[k->access] == ITEM_PRIVATE && !k->grouped;
        tag += strcmp(k->tags[0], "aba") == 0;
    }
    if (counted(&counts[0], "CSV") != csv || counted(&counts[1], "shared") != shared ||
        counted(&counts[1], "private") != hidden || counted(&counts[2], "aba") != tag)
        fail_msg("%s: other counts", text);
    for (size_t i = 0; i + 1 < counts[2].count; i++)
        assert_true(counts[2].list[i].count >= counts[2].list[i + 1].count);
}

static int ask(struct ctx *c, struct sql_tx *tx, struct world *w, const struct viewer *who)
{
    char text[128];
    struct question q = question_new(w, text, sizeof text);
    struct search_query *parsed;
    struct meta_items out;
    struct meta_value_counts counts[] = {{.field = META_COUNT_TYPE}, {.field = META_COUNT_ACCESS}, {.field = META_COUNT_TAGS}};
    struct meta_search_page page = {.start = next(w, 3) * 40,
                                    .num = 40,
                                    .sort_field = next(w, 2) ? STR("created") : STR("numViews"),
                                    .descending = next(w, 2) == 1,
                                    .counts = counts,
                                    .count_count = COUNT_OF(counts)};
    int rc = q.kind == WHOLE_TITLE ? search_parse_filter(c, str_c(text), &parsed) : search_parse(c, str_c(text), &parsed);
    if (rc != RC_OK)
        fail_msg("%s: %s", text, err_text(c));
    TRY(meta_search_items(c, tx, parsed, who, NULL, &page, &out));
    int64_t total = 0;
    bool by_views = str_eq(page.sort_field, STR("numViews"));
    for (unsigned i = 0; i < ITEMS * (by_views ? VIEWS : 1u); i++) {
        unsigned n = page.descending ? ITEMS - 1 - i % ITEMS : i % ITEMS;
        unsigned views = page.descending ? VIEWS - 1 - i / ITEMS : i / ITEMS;
        const struct known *k = &w->items[n];
        if (k->gone || (by_views && k->views != views) || !sees(who, k) || !is_answer(&q, k))
            continue;
        if (total >= page.start && total < page.start + page.num &&
            ((size_t)(total - page.start) >= out.count || out.items[total - page.start].created != 1000 + n))
            fail_msg("%s: item %u is not at its place", text, n);
        total++;
    }
    if (total != out.total)
        fail_msg("%s: %d instead of %d", text, (int)out.total, (int)total);
    counts_agree(w, &q, who, counts, text);
    return RC_OK;
}

static int ask_all(struct ctx *c, struct sql_tx *tx, struct world *w)
{
    const struct viewer viewers[] = {{.admin = true}, {.username = STR("")}, {.username = STR("own1")}, {.username = STR("Eve")}};
    for (unsigned i = 0; i < QUERIES; i++) {
        struct arena_mark mark = arena_mark(c->arena);
        TRY(ask(c, tx, w, &viewers[i % COUNT_OF(viewers)]));
        arena_release(c->arena, mark);
    }
    return RC_OK;
}

static void differs(void *arg, int64_t block) { *(int64_t *)arg = block; }

static int lists_agree(struct ctx *c, struct sql_tx *tx, int64_t expected)
{
    int64_t wrong = -1;
    TRY(meta_runs_check(c, tx, differs, &wrong));
    assert_int_equal(wrong, expected);
    return RC_OK;
}

static int fill(struct ctx *c, struct sql_tx *tx, struct world *w)
{
    int64_t end;
    TRY(meta_group_insert(c, tx, &(struct group){.id = w->group, .title = STR("g"), .owner = STR("root")}));
    TRY(meta_member_put(c, tx, &w->group, STR("own1"), MEMBER_MEMBER));
    for (unsigned n = 0; n < ITEMS; n++) {
        w->items[n] = known_new(w);
        const struct item it = item_of(c, &w->items[n], n);
        TRY(meta_item_insert(c, tx, &it));
        w->items[n].grouped = next(w, 20) == 0;
        if (w->items[n].grouped)
            TRY(meta_share(c, tx, &it.id, &w->group));
    }
    TRY(meta_runs_end(c, tx, &end));
    assert_int_equal(end, META_BLOCK);
    return lists_agree(c, tx, -1);
}

static int change(struct ctx *c, struct sql_tx *tx, struct world *w)
{
    unsigned n = next(w, ITEMS);
    struct known *k = &w->items[n];
    id item = test_id(n + 1);
    if (k->gone)
        return RC_OK;
    if (next(w, 4) == 0) {
        k->gone = true;
        return meta_item_delete(c, tx, &item);
    }
    if (next(w, 4) == 0 && k->views + 3 < VIEWS) {
        k->views += 3;
        return meta_item_viewed(c, tx, &item, 3, 0);
    }
    bool grouped = k->grouped;
    struct known now = known_new(w);
    if (next(w, 2)) /* little changes */
        memcpy(now.snippet, k->snippet, sizeof now.snippet);
    *k = now;
    k->grouped = grouped;
    const struct item it = item_of(c, k, n);
    return meta_item_update(c, tx, &it);
}

TX_TEST(as_if_asked_one_by_one)
{
    struct world w = {.state = 7, .items = arena_array(c->arena, struct known, ITEMS), .group = test_id(999999)};
    (void)arg;
    TRY(fill(c, tx, &w));
    TRY(ask_all(c, tx, &w));
    for (unsigned i = 0; i < CHANGES; i++)
        TRY(change(c, tx, &w));
    TRY(ask_all(c, tx, &w));
    TRY(lists_agree(c, tx, -1));
    TRY(sql_exec(c, tx, "UPDATE search_text SET content = 'B ab ' || substr(content, 2) WHERE subject = 7")); /* damage is seen */
    return lists_agree(c, tx, 0);
}

/* The place of the last item that went is the next one's, also behind the end of a block. */
TX_TEST(places_again)
{
    const struct viewer admin = {.admin = true};
    struct search_query *q;
    struct meta_items out;
    struct item it = {.owner = STR("Ann"), .field[ITEM_TITLE] = STR("some words")};
    (void)arg;
    for (unsigned n = 0; n <= META_BLOCK; n++) {
        it.id = test_id(n);
        it.created = n;
        TRY(meta_item_insert(c, tx, &it));
    }
    for (unsigned n = META_BLOCK - 1; n <= META_BLOCK; n++) {
        it.id = test_id(n);
        TRY(meta_item_delete(c, tx, &it.id));
    }
    it.created = 900000;
    it.field[ITEM_TITLE] = STR("other words here");
    TRY(meta_item_insert(c, tx, &it));
    TRY(search_parse(c, STR("\"other words\" OR created:[800000 TO *] OR created:4095"), &q));
    TRY(meta_search_items(c, tx, q, &admin, NULL, &(struct meta_search_page){.num = 10, .sort_field = STR("created")}, &out));
    assert_int_equal(out.total, 1);
    TRY(search_parse(c, STR("*"), &q));
    TRY(meta_search_items(c, tx, q, &admin, NULL,
                          &(struct meta_search_page){.num = 1, .sort_field = STR("created"), .descending = true}, &out));
    assert_int_equal(out.items[0].created, 900000);
    return lists_agree(c, tx, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_if_asked_one_by_one, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(places_again, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
