/* The search index: the words of a text, folded, and the whole values of a list. A term of a subject is one row of numbers (the
 * word, the subject, bits of the fields that have it). What each field said last is kept beside them as text: phrases are looked
 * for there, and an update finds in it the terms that go. */
#include "store/meta_rows.h"

#include "base/utf8.h"
#include "store/meta_search_fields.h"
#include <stdlib.h>

enum {
    TEXT_MAX = 64 * 1024, /* of one field, folded; a longer text is searched in its beginning */
    TERM_MAX = 128,       /* bytes of a word, cut at a character */
    VALUE_MAX = 256,      /* bytes of a whole value */
    TERMS_MAX = 4096,     /* of one field */
};

/* ASCII letters and digits, and everything beyond ASCII that is no punctuation or space. */
bool meta_terms_word_char(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    bool latin_sign = c <= 0xbf && c != 0xaa && c != 0xb5 && c != 0xba;
    bool punctuation = (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) || c == 0xd7 || c == 0xf7;
    return !latin_sign && !punctuation;
}

bool meta_terms_word(str folded, size_t *position, str *word_out)
{
    size_t start = *position, end = start, next = start;
    bool inside = false;
    while (next < folded.n) {
        bool word = meta_terms_word_char(utf8_next(folded, &next));
        if (inside && !word)
            break;
        if (!inside && !word)
            start = next;
        if (word) {
            inside = true;
            end = next;
        }
        if (inside && end - start >= TERM_MAX)
            break;
    }
    *position = next;
    *word_out = str_sub(folded, start, end);
    return inside;
}

/* Tags of HTML are no text: "<" before a letter or "/" up to ">". */
static str without_tags(struct arena *a, str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0, last = s.n;
    while (last > 0 && s.p[last - 1] != '>')
        last--;
    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? (char)(s.p[i + 1] | 0x20) : 0;
        bool tag = i < last && s.p[i] == '<' && ((next >= 'a' && next <= 'z') || next == '/');
        size_t end = tag ? str_find_char(s, '>', i) : SIZE_MAX;
        if (end != SIZE_MAX)
            i = end;
        out[n++] = end != SIZE_MAX ? ' ' : s.p[i];
    }
    return str_of(out, n);
}

/* At most max bytes, cut at a character. */
static str cut(str s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max > 0 && ((uint8_t)s.p[max] & 0xc0) == 0x80)
        max--;
    return str_sub(s, 0, max);
}

str meta_terms_value(struct ctx *ctx, str value) { return cut(utf8_fold(ctx->arena, str_trim(value)), VALUE_MAX); }

/* The values of the field: the elements of a list, or the text itself; folded, each followed by a line feed. */
static int folded_values(struct ctx *ctx, const struct meta_term_field *f, struct buf *out)
{
    struct json list, value;
    if (str_empty(f->text))
        return RC_OK;
    if (!f->list) {
        str text = f->html ? without_tags(ctx->arena, f->text) : f->text;
        buf_add(out, utf8_fold(ctx->arena, cut(text, TEXT_MAX)));
        buf_add_char(out, '\n');
    } else if (json_try_parse(ctx->arena, f->text, &list)) {
        for (struct json_iter it = json_each(list); json_next(&it, NULL, &value) && out->n < TEXT_MAX;) {
            buf_add(out, utf8_fold(ctx->arena, cut(json_string_or(value, ctx->arena, STR("")), TEXT_MAX)));
            buf_add_char(out, '\n');
        }
    }
    return buf_check(out, ctx, "search text");
}

static bool is_whole(int64_t field) { return field >= TERM_FIRST_WHOLE; }

/* What is stored for the field: words as " fire maps " (a list's values kept apart by line feeds, so that no phrase crosses
 * them), whole values each followed by a line feed. */
static int stored_text(struct ctx *ctx, const struct meta_term_field *f, str *out)
{
    CLEANUP(buf_free) struct buf values = BUF_INIT(TEXT_MAX * 8), words = BUF_INIT(TEXT_MAX * 16);
    TRY(folded_values(ctx, f, &values));
    if (is_whole(f->bit)) {
        *out = arena_str(ctx->arena, buf_str(&values));
        return RC_OK;
    }
    str rest = buf_str(&values), value, word;
    while (str_split(&rest, '\n', &value)) {
        size_t position = 0;
        bool any = false;
        while (words.n < TEXT_MAX && meta_terms_word(value, &position, &word)) {
            buf_add_char(&words, ' ');
            buf_add(&words, word);
            any = true;
        }
        if (any)
            buf_add(&words, STR(" \n"));
    }
    TRY(buf_check(&words, ctx, "search text"));
    *out = arena_str(ctx->arena, buf_str(&words));
    return RC_OK;
}

/* ---- the terms of a subject ---- */

struct term {
    str word;
    int64_t fields; /* bits */
    int64_t number; /* of the word, when it is to be stored */
};
struct terms {
    struct term *list;
    size_t count, capacity;
};

/* Adds what a field has stored; the words point into it. */
static void terms_add(struct ctx *ctx, struct terms *terms, int64_t field, str stored)
{
    str rest = stored, line, word;
    char between = is_whole(field) ? '\n' : ' ';
    size_t count = 0;
    while (str_split(&rest, '\n', &line)) {
        str words = is_whole(field) ? line : str_trim(line);
        while (count++ < TERMS_MAX && str_split(&words, between, &word)) {
            if (str_empty(word))
                continue;
            terms->list = arena_grow(ctx->arena, terms->list, &terms->capacity, terms->count + 1, sizeof *terms->list);
            terms->list[terms->count++] =
                (struct term){.word = is_whole(field) ? meta_terms_value(ctx, word) : word, .fields = field};
        }
    }
}

static int word_order(const void *a, const void *b)
{
    return str_cmp(((const struct term *)a)->word, ((const struct term *)b)->word);
}

static int number_order(const void *a, const void *b)
{
    int64_t x = ((const struct term *)a)->number, y = ((const struct term *)b)->number;
    return (x > y) - (x < y);
}

/* By word, each word once. */
static void terms_merge(struct terms *terms)
{
    size_t n = 0;
    if (terms->count > 0)
        qsort(terms->list, terms->count, sizeof *terms->list, word_order);
    for (size_t i = 0; i < terms->count; i++) {
        if (n > 0 && str_eq(terms->list[n - 1].word, terms->list[i].word))
            terms->list[n - 1].fields |= terms->list[i].fields;
        else
            terms->list[n++] = terms->list[i];
    }
    terms->count = n;
}

/* Keeps of both lists what the other one has not: what goes, what comes or changes its fields. */
static void terms_compare(struct terms *before, struct terms *now)
{
    size_t gone = 0, fresh = 0, i = 0, k = 0;
    while (i < before->count || k < now->count) {
        struct term *old = i < before->count ? &before->list[i] : NULL, *new = k < now->count ? &now->list[k] : NULL;
        int order = !old ? 1 : !new ? -1 : word_order(old, new);
        if (order < 0)
            before->list[gone++] = *old;
        else if (order > 0 || old->fields != new->fields)
            now->list[fresh++] = *new;
        i += order <= 0;
        k += order >= 0;
    }
    before->count = gone;
    now->count = fresh;
}

/* In the order of the table. */
static int terms_number(struct ctx *ctx, struct sql_tx *tx, struct terms *terms)
{
    for (size_t i = 0; i < terms->count; i++)
        TRY(meta_words_number(ctx, tx, terms->list[i].word, &terms->list[i].number));
    if (terms->count > 0)
        qsort(terms->list, terms->count, sizeof *terms->list, number_order);
    return RC_OK;
}

static int terms_replace(struct ctx *ctx, struct sql_tx *tx, int64_t subject, struct terms *before, struct terms *now)
{
    terms_merge(before);
    terms_merge(now);
    terms_compare(before, now);
    TRY(terms_number(ctx, tx, before));
    TRY(terms_number(ctx, tx, now));
    for (size_t i = 0; i < before->count; i++)
        TRY(sql_exec(ctx, tx, "DELETE FROM search_posting WHERE word = ? AND subject = ?", SQL_I(before->list[i].number),
                     SQL_I(subject)));
    for (size_t i = 0; i < now->count; i++)
        TRY(sql_exec(ctx, tx,
                     "INSERT INTO search_posting (word, subject, fields) VALUES (?, ?, ?) "
                     "ON CONFLICT (word, subject) DO UPDATE SET fields = excluded.fields",
                     SQL_I(now->list[i].number), SQL_I(subject), SQL_I(now->list[i].fields)));
    return RC_OK;
}

/* ---- what the fields said ---- */

struct stored_field {
    int64_t bit;
    str content;
};
struct stored_fields {
    const struct stored_field *list;
    size_t count;
};

static void stored_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct stored_field *)element = (struct stored_field){.bit = sql_int(rows, 0), .content = sql_str(ctx, rows, 1)};
}

static int stored_get(struct ctx *ctx, struct sql_tx *tx, int64_t subject, struct stored_fields *out)
{
    const struct meta_query q = {"SELECT field, content FROM search_text WHERE subject = ?", (struct sql_value[]){SQL_I(subject)},
                                 1, sizeof(struct stored_field), stored_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, &out->count));
    out->list = list;
    return RC_OK;
}

static str stored_content(const struct stored_fields *stored, int64_t bit)
{
    for (size_t i = 0; i < stored->count; i++)
        if (stored->list[i].bit == bit)
            return stored->list[i].content;
    return STR("");
}

static int stored_put(struct ctx *ctx, struct sql_tx *tx, int64_t subject, int64_t bit, str content)
{
    if (str_empty(content))
        return sql_exec(ctx, tx, "DELETE FROM search_text WHERE subject = ? AND field = ?", SQL_I(subject), SQL_I(bit));
    return sql_exec(ctx, tx,
                    "INSERT INTO search_text (subject, field, content) VALUES (?, ?, ?) "
                    "ON CONFLICT (subject, field) DO UPDATE SET content = excluded.content",
                    SQL_I(subject), SQL_I(bit), SQL_S(content));
}

/* ---- the interface ---- */

int meta_terms_put(struct ctx *ctx, struct sql_tx *tx, int64_t subject, const struct meta_term_field *fields, size_t count)
{
    struct stored_fields stored;
    struct terms before = {0}, now = {0};
    bool changed = false;
    TRY(stored_get(ctx, tx, subject, &stored));
    for (size_t i = 0; i < count; i++) {
        str old = stored_content(&stored, fields[i].bit), new;
        TRY(stored_text(ctx, &fields[i], &new));
        terms_add(ctx, &before, fields[i].bit, old);
        terms_add(ctx, &now, fields[i].bit, new);
        if (str_eq(old, new))
            continue;
        changed = true;
        TRY(stored_put(ctx, tx, subject, fields[i].bit, new));
    }
    return changed ? terms_replace(ctx, tx, subject, &before, &now) : RC_OK;
}

int meta_terms_delete(struct ctx *ctx, struct sql_tx *tx, int64_t subject)
{
    struct stored_fields stored;
    struct terms before = {0}, now = {0};
    TRY(stored_get(ctx, tx, subject, &stored));
    for (size_t i = 0; i < stored.count; i++)
        terms_add(ctx, &before, stored.list[i].bit, stored.list[i].content);
    TRY(terms_replace(ctx, tx, subject, &before, &now));
    return sql_exec(ctx, tx, "DELETE FROM search_text WHERE subject = ?", SQL_I(subject));
}
