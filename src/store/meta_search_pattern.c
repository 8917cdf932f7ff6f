/* Words and whole values of items that are as a pattern says which begins with a letter: any number of them, so they are not
 * looked up one by one. Of packed items the lists by first letters say it (meta_runs.h), block by block, the newest first; of the
 * others their texts are read. */
#include "store/meta_search_private.h"

struct pattern {
    str text, prefix; /* up to the first star or question mark */
    int64_t fields;
    const struct bits *within;
    struct bits *out;
    size_t found, limit;
};

static bool matches(const struct pattern *p, str word) { return str_starts(word, p->prefix) && search_matches(p->text, word); }

static void add(struct pattern *p, size_t place)
{
    if (!bits_has(p->within, place) || bits_has(p->out, place))
        return;
    bits_set(p->out, place);
    p->found++;
}

static bool enough(const struct pattern *p) { return p->limit > 0 && p->found > p->limit; }

/* ---- in the text ---- */

static bool lines_match(struct ctx *ctx, const struct pattern *p, int64_t field, str lines)
{
    str line, word;
    while (str_split(&lines, '\n', &line)) {
        if (field >= TERM_FIRST_WHOLE) {
            if (matches(p, meta_terms_value(ctx, line, field)))
                return true;
            continue;
        }
        while (str_split(&line, ' ', &word))
            if (matches(p, word))
                return true;
    }
    return false;
}

struct text_reading {
    struct ctx *ctx;
    struct pattern *pattern;
};

static int text_row(void *arg, size_t place, const struct sql_rows *rows)
{
    const struct text_reading *r = arg;
    struct arena_mark mark = arena_mark(r->ctx->arena);
    str text = sql_text(rows, 0), lines;
    int64_t field;
    bool found = false;
    while (!found && meta_terms_section(&text, &field, &lines))
        found = (field & r->pattern->fields) != 0 && lines_match(r->ctx, r->pattern, field, lines);
    if (found)
        add(r->pattern, place);
    arena_release(r->ctx->arena, mark);
    return enough(r->pattern) ? RC_END : RC_OK;
}

/* ---- in the lists ---- */

static int list_add(const struct meta_search *s, struct pattern *p, struct meta_scan *scan, enum meta_run run, unsigned bucket,
                    int64_t block)
{
    struct meta_run_list l;
    struct meta_run_group g;
    uint64_t fields = run == RUN_WORDS ? (uint64_t)p->fields : (uint64_t)p->fields / TERM_FIRST_WHOLE;
    TRY(meta_run_get(s->ctx, s->tx, scan, run, bucket, block, &l));
    while (meta_run_next(&l, &g)) {
        if (!matches(p, g.key)) {
            if (str_cmp(g.key, p->prefix) > 0 && !str_starts(g.key, p->prefix))
                break;
            continue;
        }
        for (size_t i = 0; i < g.count; i++) {
            uint32_t posting = meta_run_posting(&l, &g, i);
            if (fields >> (posting & 15) & 1)
                add(p, (size_t)block * META_BLOCK + meta_run_place(posting));
        }
    }
    return RC_OK;
}

/* One for each bucket of a first letter. */
struct scans {
    struct meta_scan list[META_RUN_LETTER_BUCKETS];
};

static void scans_close(struct scans *s)
{
    for (size_t i = 0; i < COUNT_OF(s->list); i++)
        meta_scan_close(&s->list[i]);
}

/* Of the places below `end`, which have lists. */
static int listed_places(const struct meta_search *s, struct pattern *p, size_t end)
{
    enum meta_run run = p->fields < TERM_FIRST_WHOLE ? RUN_WORDS : RUN_VALUES;
    size_t place = bits_below(p->within, end);
    CLEANUP(scans_close) struct scans scans = {0};
    unsigned first, last;
    for (size_t i = 0; i < COUNT_OF(scans.list); i++)
        scans.list[i].backwards = true;
    meta_run_buckets(p->prefix, &first, &last);
    while (place != SIZE_MAX && !enough(p)) {
        TRY(ctx_check(s->ctx));
        for (unsigned bucket = first; bucket <= last; bucket++)
            TRY(list_add(s, p, &scans.list[bucket - first], run, bucket, (int64_t)(place / META_BLOCK)));
        place = bits_below(p->within, place - place % META_BLOCK);
    }
    return RC_OK;
}

int meta_search_pattern(const struct meta_search *s, int64_t fields, str pattern, const struct bits *within, size_t limit,
                        struct bits *out)
{
    struct pattern p = {.text = pattern, .fields = fields, .within = within, .out = out, .limit = limit};
    struct text_reading reading = {s->ctx, &p};
    const struct meta_search_reading r = {"content, subject", "search_text", "subject", 1, text_row, &reading};
    struct bits newest = meta_search_set(s);
    int64_t end;
    size_t n = 0;
    while (n < pattern.n && pattern.p[n] != '*' && pattern.p[n] != '?')
        n++;
    p.prefix = str_sub(pattern, 0, n);
    TRY(meta_runs_end(s->ctx, s->tx, &end));
    bits_copy(&newest, within);
    bits_clear_below(&newest, (size_t)end);
    TRY(meta_search_rows(s, &newest, &r));
    return listed_places(s, &p, (size_t)end);
}
