/* Leaves over words: one word, several in a row, patterns, ranges, and words that are nearly the same. The index finds who has
 * the words; whether they stand in a row is looked up in the text of each candidate, newest first. */
#include "store/meta_search_private.h"

#include "base/utf8.h"

static str as_is(struct ctx *ctx, str s)
{
    (void)ctx;
    return s;
}
static str folded(struct ctx *ctx, str s) { return utf8_fold(ctx->arena, s); }

struct meta_word_list meta_search_split(struct ctx *ctx, str text)
{
    struct meta_word_list words = {0};
    size_t position = 0, capacity = 0;
    str all = utf8_fold(ctx->arena, text), word;
    while (meta_terms_word(all, &position, &word)) {
        words.list = arena_grow(ctx->arena, words.list, &capacity, words.count + 1, sizeof *words.list);
        words.list[words.count++] = word;
    }
    return words;
}

static int word_places(const struct meta_search *s, int64_t fields, str word, struct bits *into)
{
    int64_t number;
    const struct meta_want want = {.fields = fields, .into = into};
    TRY(meta_words_find(s->ctx, s->tx, word, &number));
    return number == 0 ? RC_OK : meta_postings_read(s->ctx, s->tx, s->entity->kind, number, &want, 1);
}

/* ---- words in a row ---- */

struct phrase {
    struct meta_word_list words;
    str joined; /* " fire maps " */
    unsigned between;
    bool whole;
    int64_t fields;
};

/* All words within a stretch of the line that has room for `between` others. */
static bool line_has_near(const struct phrase *p, str line)
{
    size_t stretch = p->words.count + p->between;
    str rest = str_trim(line), word;
    while (!str_empty(rest)) {
        str from = rest;
        size_t found = 0;
        uint64_t seen = 0; /* words of the phrase beyond 64 are not told apart */
        for (size_t i = 0; i < stretch && str_split(&from, ' ', &word); i++)
            for (size_t k = 0; k < p->words.count && k < 64; k++)
                if ((seen >> k & 1) == 0 && str_eq(p->words.list[k], word)) {
                    seen |= (uint64_t)1 << k;
                    found++;
                    break;
                }
        if (found == (p->words.count < 64 ? p->words.count : 64))
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
    size_t found, limit;
};

static int verify_row(void *arg, size_t place, const struct sql_rows *rows)
{
    struct verification *v = arg;
    if (!text_has(v->phrase, sql_text(rows, 0)))
        return RC_OK;
    bits_set(v->out, place);
    return ++v->found > v->limit && v->limit > 0 ? RC_END : RC_OK;
}

/* Keeps of the candidates those whose text has the phrase; with a limit, the newest ones. */
static int verify(const struct meta_search *s, const struct phrase *p, const struct bits *candidates, size_t limit,
                  struct bits *out)
{
    struct verification v = {.phrase = p, .out = out, .limit = limit};
    const struct meta_search_reading r = {"content, subject", "search_text", "subject", 1, verify_row, &v};
    return meta_search_rows(s, candidates, &r);
}

static int phrase_places(const struct meta_search *s, const struct phrase *p, const struct bits *within, size_t limit,
                         struct bits *out)
{
    struct bits candidates = meta_search_set(s), having = meta_search_set(s);
    bits_copy(&candidates, within);
    for (size_t i = 0; i < p->words.count; i++) {
        bits_clear(&having);
        TRY(word_places(s, p->fields, p->words.list[i], &having));
        bits_and(&candidates, &having);
    }
    return verify(s, p, &candidates, limit, out);
}

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

/* ---- patterns and ranges ---- */

static int where_places(const struct meta_search *s, int64_t fields, const struct search_query *q,
                        str (*prepare)(struct ctx *, str), struct bits *into)
{
    struct meta_condition c = {.sql = BUF_INIT(4096)};
    const struct meta_want want = {.fields = fields, .into = into};
    meta_condition_text(s->ctx, &c, "search_word.word", q, prepare);
    int rc = buf_check(&c.sql, s->ctx, "search");
    if (rc == RC_OK)
        rc = meta_postings_read_where(s->ctx, s->tx, s->entity->kind, c.sql.p, c.values, c.count, &want);
    buf_free(&c.sql);
    return rc;
}

/* Pieces between characters that are no word's: each one's words have to be there. */
static int pattern_places(const struct meta_search *s, int64_t fields, str text, struct bits *out)
{
    str all = utf8_fold(s->ctx->arena, text);
    struct bits found = meta_search_set(s);
    size_t count = 0;
    for (size_t next = 0, start = 0; start < all.n; start = next) {
        size_t end = start;
        while (next < all.n) {
            int32_t c = utf8_next(all, &next);
            if (c != '*' && c != '?' && !meta_terms_word_char(c))
                break;
            end = next;
        }
        if (end == start)
            continue;
        struct search_query piece = {.kind = SEARCH_WILDCARD, .text = str_sub(all, start, end)};
        bits_clear(&found);
        if (str_eq(piece.text, STR("*")))
            TRY(word_places(s, fields, STR(""), &found));
        else
            TRY(where_places(s, fields, &piece, as_is, &found));
        if (count++ == 0)
            bits_copy(out, &found);
        else
            bits_and(out, &found);
    }
    return RC_OK;
}

int meta_search_values(const struct meta_search *s, int64_t field, const struct search_query *q, struct bits *out)
{
    if (q->kind != SEARCH_TERM)
        return where_places(s, field, q, field & TERM_EXACT ? as_is : folded, out);
    int64_t *numbers;
    size_t count;
    const struct meta_want want = {.fields = field, .into = out};
    TRY(meta_search_near(s, q, &numbers, &count));
    for (size_t i = 0; i < count; i++)
        TRY(meta_postings_read(s->ctx, s->tx, s->entity->kind, numbers[i], &want, 1));
    return RC_OK;
}

/* ---- words that are nearly the same: they begin with the same letter ---- */

int meta_search_near(const struct meta_search *s, const struct search_query *q, int64_t **out, size_t *count_out)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct ctx *ctx = s->ctx;
    str word = utf8_fold(ctx->arena, q->text);
    size_t first = 0, capacity = 0, length = utf8_length(word);
    unsigned likely = (unsigned)((1 - q->similarity) * (double)length), edits = q->edits < likely ? q->edits : likely;
    int rc;
    *out = NULL;
    *count_out = 0;
    utf8_next(word, &first);
    str begin = str_sub(word, 0, first);
    str end = arena_printf(ctx->arena, "%.*s\xf4\x8f\xbf\xbf", STR_FMT(begin));
    TRY(sql_query(ctx, s->tx, &rows, "SELECT number, word FROM search_word WHERE word >= ? AND word < ?", SQL_S(begin),
                  SQL_S(end)));
    while ((rc = sql_next(ctx, &rows)) == RC_OK)
        if (search_near(word, sql_text(&rows, 1), edits)) {
            *out = arena_grow(ctx->arena, *out, &capacity, *count_out + 1, sizeof **out);
            (*out)[(*count_out)++] = sql_int(&rows, 0);
        }
    return rc == RC_END ? RC_OK : rc;
}

static int near_places(const struct meta_search *s, int64_t fields, const struct search_query *q,
                       const struct meta_word_list *words, struct bits *out)
{
    struct bits found = meta_search_set(s);
    for (size_t i = 0; i < words->count; i++) {
        struct search_query one = *q;
        one.text = words->list[i];
        bits_clear(&found);
        TRY(meta_search_values(s, fields, &one, &found));
        if (i == 0)
            bits_copy(out, &found);
        else
            bits_and(out, &found);
    }
    return RC_OK;
}

int meta_search_words(const struct meta_search *s, int64_t fields, const struct search_query *q, const struct bits *within,
                      size_t limit, struct bits *out)
{
    if (q->kind == SEARCH_RANGE)
        return where_places(s, fields, q, folded, out);
    if (q->kind == SEARCH_WILDCARD)
        return pattern_places(s, fields, q->text, out);
    struct meta_word_list words = meta_search_split(s->ctx, q->text);
    if (words.count == 0)
        return RC_OK;
    if (q->kind == SEARCH_TERM && q->edits > 0)
        return near_places(s, fields, q, &words, out);
    if (words.count == 1 && !q->whole)
        return word_places(s, fields, words.list[0], out);
    const struct phrase p = {
        .words = words, .joined = joined(s->ctx, &words), .between = q->edits, .whole = q->whole, .fields = fields};
    return phrase_places(s, &p, within, limit, out);
}
