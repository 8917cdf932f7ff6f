/* Words that stand in a row, that are all a field says, or that are near each other. Of packed items the pairs of neighbouring
 * words and their positions say it (meta_runs.h), block by block, the newest first; of the others, and of few candidates, their
 * texts are read, and so it is for words that are only near each other. */
#include "store/meta_search_private.h"

enum {
    FEW_TEXTS = 64,     /* candidates whose texts are sooner read than the lists */
    NEAR_TEXTS = 10000, /* the newest candidates in which words near each other are looked for */
};

struct phrase {
    const struct meta_word_list *words;
    str joined; /* " fire maps " */
    unsigned between;
    bool whole;
    int64_t fields;
};

static str joined(struct ctx *ctx, const struct meta_word_list *words)
{
    size_t n = 1, at = 0;
    for (size_t i = 0; i < words->count; i++)
        n += words->list[i].n + 1;
    char *text = arena_alloc(ctx->arena, n);
    text[at++] = ' ';
    for (size_t i = 0; i < words->count; i++) {
        memcpy(text + at, words->list[i].p, words->list[i].n);
        at += words->list[i].n;
        text[at++] = ' ';
    }
    return str_of(text, at);
}

/* ---- in the text ---- */

/* All words within a stretch of the line that has room for `between` others. */
static bool line_has_near(const struct phrase *p, str line)
{
    size_t stretch = p->words->count + p->between;
    str rest = str_trim(line), word;
    while (!str_empty(rest)) {
        str from = rest;
        size_t found = 0;
        uint64_t seen = 0; /* words of the phrase beyond 64 are not told apart */
        for (size_t i = 0; i < stretch && str_split(&from, ' ', &word); i++)
            for (size_t k = 0; k < p->words->count && k < 64; k++)
                if ((seen >> k & 1) == 0 && str_eq(p->words->list[k], word)) {
                    seen |= (uint64_t)1 << k;
                    found++;
                    break;
                }
        if (found == (p->words->count < 64 ? p->words->count : 64))
            return true;
        str_split(&rest, ' ', &word);
    }
    return false;
}

static bool line_has(const struct phrase *p, str line)
{
    if (p->whole)
        return str_eq(line, p->joined);
    return p->between > 0 ? line_has_near(p, line) : str_find(line, p->joined, 0) != SIZE_MAX;
}

static bool text_has(const struct phrase *p, str text)
{
    for (int64_t field = 1; field < TERM_FIRST_WHOLE; field <<= 1) {
        str lines = p->fields & field ? meta_terms_lines(text, field) : STR(""), line;
        while (str_split(&lines, '\n', &line))
            if (line_has(p, line))
                return true;
    }
    return false;
}

struct verification {
    const struct phrase *phrase;
    struct bits *out;
    size_t read, read_most; /* 0: all */
    size_t found, limit;
};

static int verify_row(void *arg, size_t place, const struct sql_rows *rows)
{
    struct verification *v = arg;
    if (v->read_most > 0 && v->read++ == v->read_most)
        return RC_END;
    if (!text_has(v->phrase, sql_text(rows, 0)))
        return RC_OK;
    bits_set(v->out, place);
    return ++v->found > v->limit && v->limit > 0 ? RC_END : RC_OK;
}

/* Adds those of the candidates whose text has the phrase, with a limit the newest ones. */
static int verify(const struct meta_search *s, const struct bits *candidates, struct verification *v)
{
    const struct meta_search_reading r = {"content, subject", "search_text", "subject", 1, verify_row, v};
    return meta_search_rows(s, candidates, &r);
}

/* ---- in the lists ---- */

/* Where the words of a pair stand side by side in a block: postings with positions, ascending. */
struct places {
    uint32_t *list;
    size_t count;
};

static int pair_read(const struct meta_search *s, struct meta_scan *scan, str first, str second, int64_t block,
                     struct places *out)
{
    struct meta_run_list l;
    struct meta_pair pair = meta_pair_of(first, second);
    str key = str_of(pair.key, sizeof pair.key);
    struct meta_run_group group;
    TRY(meta_run_get(s->ctx, s->tx, scan, RUN_PAIRS, pair.bucket, block, &l));
    *out = (struct places){0};
    while (meta_run_next(&l, &group)) {
        int order = str_cmp(group.key, key);
        if (order > 0)
            break;
        if (order < 0)
            continue;
        out->list = arena_array(s->ctx->arena, uint32_t, group.count + 1);
        for (size_t i = 0; i < group.count; i++)
            out->list[out->count++] = meta_run_posting(&l, &group, i);
    }
    return RC_OK;
}

/* Keeps the places that go on, `distance` words later, in the other list. */
static void go_on(struct places *p, const struct places *other, uint32_t distance)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < p->count; i++) {
        uint32_t next = p->list[i] + distance;
        while (k < other->count && other->list[k] < next)
            k++;
        if (k < other->count && other->list[k] == next && next >> 16 == p->list[i] >> 16)
            p->list[n++] = p->list[i];
    }
    p->count = n;
}

/* The pairs of a phrase are in different buckets, each with its scan; the last one goes to and fro between all others. */
enum { SCANS = 8 };
struct scans {
    struct meta_scan list[SCANS];
};

static void scans_close(struct scans *s)
{
    for (size_t i = 0; i < SCANS; i++)
        meta_scan_close(&s->list[i]);
}

static int block_places(const struct meta_search *s, const struct phrase *p, struct scans *scans, int64_t block,
                        struct places *out)
{
    size_t ends = p->whole ? 1 : 0, count = p->words->count + 2 * ends; /* the beginning and the end of the line */
    str before = STR("");
    for (size_t i = 0; i < count; i++) {
        bool inside = i >= ends && i - ends < p->words->count;
        str word = inside ? p->words->list[i - ends] : STR("");
        struct meta_scan *scan = &scans->list[i < SCANS ? i : SCANS - 1];
        struct places next;
        if (i == 1)
            TRY(pair_read(s, scan, before, word, block, out));
        if (i > 1 && out->count > 0) {
            TRY(pair_read(s, scan, before, word, block, &next));
            go_on(out, &next, (uint32_t)i - 1);
        }
        before = word;
    }
    return RC_OK;
}

/* Adds the candidates of a block that have the phrase. */
static int block_add(const struct meta_search *s, const struct phrase *p, struct scans *scans, const struct bits *candidates,
                     int64_t block, struct verification *v)
{
    struct arena_mark mark = arena_mark(s->ctx->arena);
    struct places found = {0};
    TRY(block_places(s, p, scans, block, &found));
    for (size_t i = 0; i < found.count; i++) {
        size_t place = (size_t)block * META_BLOCK + meta_run_place(found.list[i] >> 16);
        bool fits = (p->fields >> (found.list[i] >> 16 & 15) & 1) != 0 && bits_has(candidates, place) && !bits_has(v->out, place);
        if (fits)
            bits_set(v->out, place);
        v->found += fits;
    }
    arena_release(s->ctx->arena, mark);
    return RC_OK;
}

/* Of the places below `end`, which have lists. */
static int listed_places(const struct meta_search *s, const struct phrase *p, const struct bits *candidates, size_t end,
                         struct verification *v)
{
    CLEANUP(scans_close) struct scans scans = {0};
    size_t place = bits_below(candidates, end);
    for (size_t i = 0; i < SCANS; i++)
        scans.list[i].backwards = true;
    while (place != SIZE_MAX && (v->limit == 0 || v->found <= v->limit)) {
        TRY(block_add(s, p, &scans, candidates, (int64_t)(place / META_BLOCK), v));
        TRY(ctx_check(s->ctx));
        place = bits_below(candidates, place - place % META_BLOCK);
    }
    return RC_OK;
}

/* ---- the leaf ---- */

static int phrase_places(const struct meta_search *s, const struct phrase *p, const struct bits *candidates, size_t limit,
                         struct bits *out)
{
    struct verification v = {.phrase = p, .out = out, .limit = limit};
    bool lists = s->entity->kind == META_ITEM && p->between == 0 && bits_count(candidates) > FEW_TEXTS;
    int64_t end = 0;
    if (p->between > 0)
        v.read_most = NEAR_TEXTS;
    if (lists)
        TRY(meta_runs_end(s->ctx, s->tx, &end));
    struct bits newest = meta_search_set(s);
    bits_copy(&newest, candidates);
    bits_clear_below(&newest, (size_t)end);
    TRY(verify(s, &newest, &v));
    return lists ? listed_places(s, p, candidates, (size_t)end, &v) : RC_OK;
}

int meta_search_phrase(const struct meta_search *s, int64_t fields, const struct search_query *q,
                       const struct meta_word_list *words, const struct bits *within, size_t limit, struct bits *out)
{
    struct bits candidates = meta_search_set(s), having = meta_search_set(s);
    const struct phrase p = {
        .words = words, .joined = joined(s->ctx, words), .between = q->edits, .whole = q->whole, .fields = fields};
    bits_copy(&candidates, within);
    for (size_t i = 0; i < words->count; i++) {
        bits_clear(&having);
        TRY(meta_search_word(s, fields, words->list[i], &having));
        bits_and(&candidates, &having);
    }
    return phrase_places(s, &p, &candidates, limit, out);
}
