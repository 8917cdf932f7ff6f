/* What a subject is found by: the words of its texts, folded, and the whole values of its lists. What each field said last is
 * kept as text: phrases are looked for there, values are counted there, and an update finds in it the terms that go. */
#include "store/meta_runs.h"

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

str meta_terms_value(struct ctx *ctx, str value, int64_t field)
{
    str s = str_trim(value);
    return cut(field & TERM_EXACT ? s : utf8_fold(ctx->arena, s), VALUE_MAX);
}

static bool is_whole(int64_t field) { return field >= TERM_FIRST_WHOLE; }

/* One value as it was written, followed by a line feed. Control characters would end it early. */
static void value_add(struct buf *out, str value)
{
    size_t start = out->n;
    buf_add(out, cut(str_trim(value), TEXT_MAX));
    for (size_t i = start; i < out->n; i++)
        if ((uint8_t)out->p[i] < ' ')
            out->p[i] = ' ';
    buf_add_char(out, '\n');
}

/* The values of the field: the elements of a list, or the text itself. */
static int values_of(struct ctx *ctx, const struct meta_term_field *f, struct buf *out)
{
    struct json list, value;
    if (!f->list) {
        value_add(out, f->html ? without_tags(ctx->arena, f->text) : f->text);
    } else if (json_try_parse(ctx->arena, f->text, &list)) {
        for (struct json_iter it = json_each(list); json_next(&it, NULL, &value) && out->n < TEXT_MAX;)
            value_add(out, json_string_or(value, ctx->arena, STR("")));
    }
    return buf_check(out, ctx, "search text");
}

/* Words as " fire maps ", the values of a list apart, so that no phrase crosses them. */
static int words_add(struct ctx *ctx, str values, struct buf *out)
{
    str rest = utf8_fold(ctx->arena, values), value, word;
    size_t start = out->n;
    while (str_split(&rest, '\n', &value)) {
        size_t position = 0;
        bool any = false;
        while (out->n - start < TEXT_MAX && meta_terms_word(value, &position, &word)) {
            buf_add_char(out, ' ');
            buf_add(out, word);
            any = true;
        }
        if (any)
            buf_add(out, STR(" \n"));
    }
    return buf_check(out, ctx, "search text");
}

/* ---- the text of a subject: of each field that says anything its letter, its lines, and a record separator ---- */

enum { SECTION_END = '\x1e' };

static char letter_of(int64_t field) { return (char)('A' + __builtin_ctzll((unsigned long long)field)); }

static int section_add(struct ctx *ctx, const struct meta_term_field *f, struct buf *out)
{
    CLEANUP(buf_free) struct buf values = BUF_INIT(TEXT_MAX * 4);
    if (str_empty(f->text))
        return RC_OK;
    size_t start = out->n;
    TRY(values_of(ctx, f, &values));
    buf_add_char(out, letter_of(f->bit));
    size_t begin = out->n;
    if (is_whole(f->bit))
        buf_add(out, buf_str(&values));
    else
        TRY(words_add(ctx, buf_str(&values), out));
    if (out->n == begin)
        out->n = start;
    else
        buf_add_char(out, SECTION_END);
    return buf_check(out, ctx, "search text");
}

bool meta_terms_section(str *rest, int64_t *field_out, str *lines_out)
{
    str section;
    if (!str_split(rest, SECTION_END, &section) || section.n == 0)
        return false;
    *field_out = (int64_t)1 << (section.p[0] - 'A');
    *lines_out = str_sub(section, 1, section.n);
    return true;
}

str meta_terms_lines(str text, int64_t field)
{
    int64_t bit;
    str lines;
    while (meta_terms_section(&text, &bit, &lines))
        if (bit == field)
            return lines;
    return STR("");
}

/* ---- the terms of a subject ---- */

struct term {
    str word;
    int64_t before, now; /* fields */
    int64_t number;      /* of the word, when it changes */
};
struct terms {
    struct term *list;
    size_t count, capacity;
};

static void term_add(struct ctx *ctx, struct terms *terms, str word, int64_t before, int64_t now)
{
    terms->list = arena_grow(ctx->arena, terms->list, &terms->capacity, terms->count + 1, sizeof *terms->list);
    terms->list[terms->count++] = (struct term){.word = word, .before = before, .now = now};
}

/* Adds the terms of a text, which is what is stored or what will be; words point into it. */
static void terms_add(struct ctx *ctx, struct terms *terms, str text, bool now)
{
    int64_t field;
    str lines, line, word;
    while (meta_terms_section(&text, &field, &lines)) {
        size_t count = 0;
        int64_t before_bits = now ? 0 : field, now_bits = now ? field : 0;
        term_add(ctx, terms, STR(""), before_bits, now_bits);
        while (str_split(&lines, '\n', &line)) {
            str words = is_whole(field) ? meta_terms_value(ctx, line, field) : str_trim(line);
            char between = is_whole(field) ? '\n' : ' ';
            while (count++ < TERMS_MAX && str_split(&words, between, &word))
                if (!str_empty(word))
                    term_add(ctx, terms, word, before_bits, now_bits);
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

/* By word, each word once, and of those what changes. */
static void terms_merge(struct terms *terms)
{
    size_t n = 0, changed = 0;
    if (terms->count > 0)
        qsort(terms->list, terms->count, sizeof *terms->list, word_order);
    for (size_t i = 0; i < terms->count; i++) {
        if (n > 0 && str_eq(terms->list[n - 1].word, terms->list[i].word)) {
            terms->list[n - 1].before |= terms->list[i].before;
            terms->list[n - 1].now |= terms->list[i].now;
        } else {
            terms->list[n++] = terms->list[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        if (terms->list[i].before != terms->list[i].now)
            terms->list[changed++] = terms->list[i];
    terms->count = changed;
}

/* In the order of the table. */
static int terms_write(struct ctx *ctx, struct sql_tx *tx, const struct meta_posted *posted, struct terms *terms)
{
    terms_merge(terms);
    for (size_t i = 0; i < terms->count; i++)
        TRY(meta_words_number(ctx, tx, terms->list[i].word, &terms->list[i].number));
    if (terms->count > 0)
        qsort(terms->list, terms->count, sizeof *terms->list, number_order);
    for (size_t i = 0; i < terms->count; i++) {
        const struct term *t = &terms->list[i];
        TRY(meta_postings_change(ctx, tx, posted, t->number, t->before & ~t->now, t->now & ~t->before));
    }
    return RC_OK;
}

static int text_get(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str *out)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    TRY(sql_query(ctx, tx, &rows, "SELECT content FROM search_text WHERE subject = ?", SQL_I(subject)));
    int rc = sql_next(ctx, &rows);
    *out = rc == RC_OK ? sql_str(ctx, &rows, 0) : STR("");
    return rc == RC_END ? RC_OK : rc;
}

static int text_put(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str content)
{
    if (str_empty(content))
        return sql_exec(ctx, tx, "DELETE FROM search_text WHERE subject = ?", SQL_I(subject));
    return sql_exec(ctx, tx,
                    "INSERT INTO search_text (subject, content) VALUES (?, ?) "
                    "ON CONFLICT (subject) DO UPDATE SET content = excluded.content",
                    SQL_I(subject), SQL_S(content));
}

/* ---- the interface ---- */

static int replace(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str content)
{
    struct meta_posted posted;
    struct terms terms = {0};
    str before;
    TRY(text_get(ctx, tx, subject, &before));
    if (str_eq(before, content))
        return RC_OK;
    TRY(meta_postings_open(ctx, tx, subject, &posted));
    terms_add(ctx, &terms, before, false);
    terms_add(ctx, &terms, content, true);
    TRY(terms_write(ctx, tx, &posted, &terms));
    TRY(meta_runs_change(ctx, tx, subject, before, content));
    return text_put(ctx, tx, subject, content);
}

int meta_terms_put(struct ctx *ctx, struct sql_tx *tx, int64_t subject, const struct meta_term_field *fields, size_t count)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(TEXT_MAX * 8 * count);
    for (size_t i = 0; i < count; i++)
        TRY(section_add(ctx, &fields[i], &content));
    return replace(ctx, tx, subject, buf_str(&content));
}

int meta_terms_delete(struct ctx *ctx, struct sql_tx *tx, int64_t subject) { return replace(ctx, tx, subject, STR("")); }

int meta_terms_mark(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str word, int64_t field, bool on)
{
    struct meta_posted posted;
    int64_t number;
    TRY(meta_postings_open(ctx, tx, subject, &posted));
    TRY(meta_words_number(ctx, tx, word, &number));
    return meta_postings_change(ctx, tx, &posted, number, on ? 0 : field, on ? field : 0);
}
