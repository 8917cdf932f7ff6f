/* Leaves over words: one word, patterns, ranges, and words that are nearly the same. */
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

/* Items have lists by the first letters; of the others there are few, and so they are where a pattern begins with anything. */
static int piece_places(const struct meta_search *s, int64_t fields, const struct search_query *q, str text,
                        const struct bits *within, size_t limit, struct bits *out)
{
    bool anything = text.n == 0 || text.p[0] == '*' || text.p[0] == '?';
    if (s->entity->kind == META_ITEM && !anything)
        return meta_search_pattern(s, fields, text, within, limit, out);
    struct search_query piece = *q;
    piece.text = text;
    return where_places(s, fields, &piece, as_is, out);
}

/* Pieces between characters that are no word's: each one's words have to be there. */
static int pattern_places(const struct meta_search *s, int64_t fields, const struct search_query *q, const struct bits *within,
                          size_t limit, struct bits *out)
{
    str all = utf8_fold(s->ctx->arena, q->text);
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
        str piece = str_sub(all, start, end);
        bool only = end - start == all.n; /* of several, each one has to give all it finds */
        bits_clear(&found);
        if (str_eq(piece, STR("*")))
            TRY(meta_search_word(s, fields, STR(""), &found));
        else
            TRY(piece_places(s, fields, q, piece, within, only ? limit : 0, &found));
        if (count++ == 0)
            bits_copy(out, &found);
        else
            bits_and(out, &found);
    }
    return RC_OK;
}

int meta_search_values(const struct meta_search *s, int64_t field, const struct search_query *q, const struct bits *within,
                       size_t limit, struct bits *out)
{
    str (*prepare)(struct ctx *, str) = field & TERM_EXACT ? as_is : folded;
    if (q->kind == SEARCH_WILDCARD)
        return piece_places(s, field, q, prepare(s->ctx, q->text), within, limit, out);
    if (q->kind != SEARCH_TERM)
        return where_places(s, field, q, prepare, out);
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
        TRY(meta_search_values(s, fields, &one, NULL, 0, &found));
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
        return pattern_places(s, fields, q, within, limit, out);
    struct meta_word_list words = meta_search_split(s->ctx, q->text);
    if (words.count == 0)
        return RC_OK;
    if (q->kind == SEARCH_TERM && q->edits > 0)
        return near_places(s, fields, q, &words, out);
    if (words.count == 1 && !q->whole)
        return meta_search_word(s, fields, words.list[0], out);
    return meta_search_phrase(s, fields, q, &words, within, limit, out);
}
