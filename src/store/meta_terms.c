/* The search index: the words of a text, folded, or the whole values of a list, one row each. What a field said last is kept
 * beside the terms (for phrases), so an update of an item touches only the fields that changed. */
#include "store/meta_rows.h"

#include "base/utf8.h"

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

/* What is stored for the field: words as " fire maps " (a list's values kept apart by line feeds, so that no phrase crosses
 * them), whole values each followed by a line feed. */
static int stored_text(struct ctx *ctx, const struct meta_term_field *f, str *out)
{
    CLEANUP(buf_free) struct buf values = BUF_INIT(TEXT_MAX * 8), words = BUF_INIT(TEXT_MAX * 16);
    TRY(folded_values(ctx, f, &values));
    if (f->whole) {
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

static int terms_insert(struct ctx *ctx, struct sql_tx *tx, const id *subject, const struct meta_term_field *f, str stored)
{
    str rest = stored, line, term;
    size_t count = 0;
    while (str_split(&rest, '\n', &line)) {
        str words = f->whole ? line : str_trim(line);
        while (count++ < TERMS_MAX && str_split(&words, f->whole ? '\n' : ' ', &term)) {
            if (str_empty(term))
                continue;
            TRY(sql_exec(
                ctx, tx,
                "INSERT INTO search_term (field, term, subject) VALUES (?, ?, ?) ON CONFLICT (field, term, subject) DO NOTHING",
                SQL_I(f->number), SQL_S(f->whole ? meta_terms_value(ctx, term) : term), SQL_ID(*subject)));
        }
    }
    return RC_OK;
}

static int field_put(struct ctx *ctx, struct sql_tx *tx, const id *subject, const struct meta_term_field *f, str before)
{
    str stored;
    TRY(stored_text(ctx, f, &stored));
    if (str_eq(stored, before))
        return RC_OK;
    if (!str_empty(before)) {
        TRY(sql_exec(ctx, tx, "DELETE FROM search_term WHERE subject = ? AND field = ?", SQL_ID(*subject), SQL_I(f->number)));
        TRY(sql_exec(ctx, tx, "DELETE FROM search_text WHERE subject = ? AND field = ?", SQL_ID(*subject), SQL_I(f->number)));
    }
    if (str_empty(stored))
        return RC_OK;
    TRY(sql_exec(ctx, tx, "INSERT INTO search_text (subject, field, content) VALUES (?, ?, ?)", SQL_ID(*subject),
                 SQL_I(f->number), SQL_S(stored)));
    return terms_insert(ctx, tx, subject, f, stored);
}

struct stored_field {
    int64_t number;
    str content;
};

static void stored_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct stored_field *)element = (struct stored_field){.number = sql_int(rows, 0), .content = sql_str(ctx, rows, 1)};
}

int meta_terms_put(struct ctx *ctx, struct sql_tx *tx, const id *subject, const struct meta_term_field *fields, size_t count)
{
    const struct meta_query q = {"SELECT field, content FROM search_text WHERE subject = ?",
                                 (struct sql_value[]){SQL_ID(*subject)}, 1, sizeof(struct stored_field), stored_row};
    void *list;
    size_t stored_count;
    TRY(meta_list(ctx, tx, &q, &list, &stored_count));
    const struct stored_field *stored = list;
    for (size_t i = 0; i < count; i++) {
        str before = STR("");
        for (size_t k = 0; k < stored_count; k++)
            if (stored[k].number == fields[i].number)
                before = stored[k].content;
        TRY(field_put(ctx, tx, subject, &fields[i], before));
    }
    return RC_OK;
}

int meta_terms_delete(struct ctx *ctx, struct sql_tx *tx, const id *subject)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM search_term WHERE subject = ?", SQL_ID(*subject)));
    return sql_exec(ctx, tx, "DELETE FROM search_text WHERE subject = ?", SQL_ID(*subject));
}
