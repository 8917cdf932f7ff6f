/* The q= text of a search to a tree, by recursive descent. What a field means is decided where the tree is run
 * (store/meta_search.c). */
#include "model/search.h"

#include "base/num.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 32 * 1024,    /* bytes of a query */
    DEPTH_MAX = 10,          /* nested parentheses: what a database parses in one expression is limited, too */
    LEAVES_MAX = 400,        /* terms of a query */
    WORDS_BETWEEN_MAX = 100, /* of a phrase with ~ */
};

struct parser {
    struct ctx *ctx;
    str text;
    size_t at;
    unsigned depth, leaves;
    str field;  /* of the parentheses we are in: title:(a OR b) */
    bool whole; /* a filter */
};

static int parse_or(struct parser *p, struct search_query **out);

/* ---- characters ---- */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Ends a word that is not quoted. */
static bool is_end(char c) { return is_space(c) || memchr("()[]{}\"", c, 7) != NULL; }

static bool is_quote(char c) { return c == '"'; }

static char peek(const struct parser *p) { return p->at < p->text.n ? p->text.p[p->at] : '\0'; }
static bool at_end(const struct parser *p) { return p->at >= p->text.n; }

static void skip_space(struct parser *p)
{
    while (!at_end(p) && is_space(peek(p)))
        p->at++;
}

static int unexpected(struct parser *p, const char *expected)
{
    return err_set(p->ctx, &ERR_INVALID, "q is not understood at character %zu: expected %s", p->at + 1, expected);
}

/* Is the word `keyword` here, whole? */
static bool at_keyword(const struct parser *p, str keyword)
{
    str rest = str_sub(p->text, p->at, p->text.n);
    return str_starts(rest, keyword) && (rest.n == keyword.n || is_end(rest.p[keyword.n]));
}

/* ---- nodes ---- */

static struct search_query *node(struct parser *p, enum search_kind kind)
{
    struct search_query *q = arena_new(p->ctx->arena, struct search_query);
    q->kind = kind;
    q->field = p->field;
    q->from = q->to = STR_NONE;
    q->similarity = q->boost = 1;
    q->whole = p->whole && (kind == SEARCH_TERM || kind == SEARCH_PHRASE);
    return q;
}

struct list {
    struct search_query **items;
    size_t count, capacity;
};

static void list_add(struct parser *p, struct list *l, struct search_query *q)
{
    l->items = arena_grow(p->ctx->arena, l->items, &l->capacity, l->count + 1, sizeof(struct search_query *));
    l->items[l->count++] = q;
}

/* Nothing for an empty list, the element itself for one, else a node over them. */
static struct search_query *combine(struct parser *p, enum search_kind kind, const struct list *l)
{
    if (l->count == 0)
        return NULL;
    if (l->count == 1)
        return l->items[0];
    struct search_query *q = node(p, kind);
    q->field = STR("");
    q->children = l->items;
    q->child_count = l->count;
    return q;
}

/* ---- leaves ---- */

/* What "~", "~2", "~0.8" and "^3" behind a term say. */
struct suffix {
    bool fuzzy;
    double likeness, boost;
};
#define SUFFIX_NONE ((struct suffix){.likeness = 0.5, .boost = 1})

static bool is_suffix(char c) { return is_digit(c) || c == '.' || c == '~' || c == '^'; }

/* Reads a suffix from the beginning of the text: true when all of it is one. */
static bool suffix_parse(str text, struct suffix *out)
{
    *out = SUFFIX_NONE;
    while (!str_empty(text)) {
        size_t end = 1;
        double value;
        while (end < text.n && (is_digit(text.p[end]) || text.p[end] == '.'))
            end++;
        bool has_value = num_parse_double(str_sub(text, 1, end), &value);
        if (text.p[0] != '~' && text.p[0] != '^')
            return false;
        if (text.p[0] == '^' ? !has_value : end > 1 && !has_value)
            return false;
        out->fuzzy |= text.p[0] == '~';
        if (has_value)
            *(text.p[0] == '~' ? &out->likeness : &out->boost) = value;
        text = str_sub(text, end, text.n);
    }
    return true;
}

static int suffix_apply(struct parser *p, const struct suffix *s, struct search_query *q)
{
    q->boost = s->boost;
    if (!s->fuzzy)
        return RC_OK;
    if (q->kind == SEARCH_PHRASE) {
        q->edits = s->likeness < 1 ? 0 : s->likeness > WORDS_BETWEEN_MAX ? WORDS_BETWEEN_MAX : (unsigned)s->likeness;
        return RC_OK;
    }
    if (q->kind != SEARCH_TERM)
        return err_set(p->ctx, &ERR_INVALID,
                       "q: \"~\" stands behind a word or a phrase, not behind wildcards, ranges or parentheses");
    if (s->likeness > SEARCH_EDITS_MAX)
        return err_set(p->ctx, &ERR_INVALID, "q: \"~\" is followed by 0 to 1 for likeness, or by 1 or %d letters",
                       SEARCH_EDITS_MAX);
    q->edits = s->likeness < 1 ? SEARCH_EDITS_MAX : (unsigned)s->likeness;
    q->similarity = s->likeness < 1 ? s->likeness : 0;
    return RC_OK;
}

/* A suffix behind a quotation mark or bracket. */
static int take_suffix(struct parser *p, struct search_query *q)
{
    size_t start = p->at;
    struct suffix s;
    if (peek(p) != '~' && peek(p) != '^')
        return RC_OK;
    while (is_suffix(peek(p)))
        p->at++;
    if (!suffix_parse(str_sub(p->text, start, p->at), &s))
        return unexpected(p, "a number behind ~ or ^");
    return q ? suffix_apply(p, &s, q) : RC_OK;
}

/* Room for what comes up to the first character that `stop` says, backslashes not removed. */
static char *room(const struct parser *p, bool (*stop)(char))
{
    size_t end = p->at;
    while (end < p->text.n && !stop(p->text.p[end]))
        end += p->text.p[end] == '\\' ? 2 : 1;
    return arena_alloc(p->ctx->arena, end - p->at + 1);
}

/* A word up to a space, a bracket or a quote; a backslash takes the next character as it is. */
struct taken {
    str text;
    bool wildcard;
    struct suffix suffix;
};

static struct taken take_word(struct parser *p)
{
    char *out = room(p, is_end);
    struct taken t = {.suffix = SUFFIX_NONE};
    size_t n = 0, suffix_at = SIZE_MAX;
    while (!at_end(p) && !is_end(peek(p))) {
        bool escaped = peek(p) == '\\' && p->at + 1 < p->text.n;
        if (escaped)
            p->at++;
        char c = p->text.p[p->at++];
        t.wildcard |= !escaped && (c == '*' || c == '?');
        if (escaped || !is_suffix(c))
            suffix_at = SIZE_MAX;
        else if (suffix_at == SIZE_MAX && n > 0 && (c == '~' || c == '^'))
            suffix_at = n;
        out[n++] = c;
    }
    if (suffix_at != SIZE_MAX && suffix_parse(str_of(out + suffix_at, n - suffix_at), &t.suffix))
        n = suffix_at;
    else
        t.suffix = SUFFIX_NONE;
    t.text = str_of(out, n);
    return t;
}

static int take_quoted(struct parser *p, str *out)
{
    size_t start = p->at++, n = 0;
    char *text = room(p, is_quote);
    while (!at_end(p) && peek(p) != '"') {
        if (peek(p) == '\\' && p->at + 1 < p->text.n)
            p->at++;
        text[n++] = p->text.p[p->at++];
    }
    if (at_end(p)) {
        p->at = start;
        return unexpected(p, "a closing quotation mark");
    }
    p->at++;
    *out = str_of(text, n);
    return RC_OK;
}

/* A bound of a range; "*" is open. */
static int take_bound(struct parser *p, str *out)
{
    skip_space(p);
    if (peek(p) == '"')
        return take_quoted(p, out);
    *out = take_word(p).text;
    if (out->n == 0)
        return unexpected(p, "a bound of the range");
    if (str_eq(*out, STR("*")))
        *out = STR_NONE;
    return RC_OK;
}

static int parse_range(struct parser *p, struct search_query **out)
{
    struct search_query *q = node(p, SEARCH_RANGE);
    q->from_inclusive = p->text.p[p->at++] == '[';
    TRY(take_bound(p, &q->from));
    skip_space(p);
    if (!at_keyword(p, STR("TO")))
        return unexpected(p, "TO");
    p->at += 2;
    TRY(take_bound(p, &q->to));
    skip_space(p);
    if (peek(p) != ']' && peek(p) != '}')
        return unexpected(p, "] or }");
    q->to_inclusive = p->text.p[p->at++] == ']';
    *out = q;
    return take_suffix(p, q);
}

/* Anything in it that can be in an index? "&" and "-" are dropped like spaces. */
static bool has_word(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_letter(s.p[i]) || is_digit(s.p[i]) || (uint8_t)s.p[i] >= 0x80)
            return true;
    return false;
}

static int parse_word(struct parser *p, struct search_query **out)
{
    struct search_query *q = node(p, SEARCH_TERM);
    struct taken t = take_word(p);
    q->text = t.text;
    if (t.wildcard)
        q->kind = str_eq(q->text, STR("*")) && str_empty(q->field) ? SEARCH_ALL : SEARCH_WILDCARD;
    else if (str_empty(q->field) && !has_word(q->text))
        q = NULL;
    *out = q;
    return q ? suffix_apply(p, &t.suffix, q) : RC_OK;
}

static int parse_quoted(struct parser *p, struct search_query **out)
{
    struct search_query *q = node(p, SEARCH_PHRASE);
    TRY(take_quoted(p, &q->text));
    *out = str_empty(q->field) && !has_word(q->text) ? NULL : q;
    return take_suffix(p, q);
}

static int parse_group(struct parser *p, struct search_query **out)
{
    p->at++;
    TRY(parse_or(p, out));
    if (peek(p) != ')')
        return unexpected(p, "a closing parenthesis");
    p->at++;
    return take_suffix(p, *out);
}

static int parse_value(struct parser *p, struct search_query **out)
{
    if (++p->leaves > LEAVES_MAX)
        return err_set(p->ctx, &ERR_INVALID, "q has more than %d terms", LEAVES_MAX);
    switch (peek(p)) {
    case '(':
        return parse_group(p, out);
    case '"':
        return parse_quoted(p, out);
    case '[':
    case '{':
        return parse_range(p, out);
    case ')':
    case ']':
    case '}':
    case '\0':
        return unexpected(p, "a term");
    default:
        return parse_word(p, out);
    }
}

/* ---- fields, signs, operators ---- */

/* "name:" here? The name in lower case; "https://" is no field. */
static bool take_field(struct parser *p, str *out)
{
    size_t end = p->at;
    while (end < p->text.n && (is_letter(p->text.p[end]) || is_digit(p->text.p[end]) || p->text.p[end] == '_'))
        end++;
    str rest = str_sub(p->text, end, p->text.n);
    if (end == p->at || !str_starts(rest, STR(":")) || str_starts(rest, STR("://")))
        return false;
    str name = utf8_fold(p->ctx->arena, str_sub(p->text, p->at, end));
    *out = str_eq(name, STR("uploaded")) ? STR("created") : name;
    p->at = end + 1;
    return true;
}

static int parse_fielded(struct parser *p, struct search_query **out)
{
    str outer = p->field, name;
    if (take_field(p, &name)) {
        p->field = name;
        skip_space(p);
    }
    TRY(parse_value(p, out));
    p->field = outer;
    return RC_OK;
}

/* A sign is one only before a term: "-x", not "a - b". */
static bool take_sign(struct parser *p, char sign)
{
    if (peek(p) != sign || p->at + 1 >= p->text.n || is_space(p->text.p[p->at + 1]))
        return false;
    p->at++;
    return true;
}

static int parse_unary(struct parser *p, struct search_query **out)
{
    bool not = false;
    skip_space(p);
    for (;;) {
        if (at_keyword(p, STR("NOT"))) {
            p->at += 3;
            skip_space(p);
            not = !not ;
        } else if (take_sign(p, '-')) {
            not = !not ;
        } else if (!take_sign(p, '+')) {
            break;
        }
    }
    TRY(parse_fielded(p, out));
    if (!not || !*out)
        return RC_OK;
    struct list one = {0};
    list_add(p, &one, *out);
    *out = node(p, SEARCH_NOT);
    (*out)->children = one.items;
    (*out)->child_count = 1;
    return RC_OK;
}

static int parse_and(struct parser *p, struct search_query **out)
{
    struct list all = {0};
    for (;;) {
        struct search_query *q = NULL;
        TRY(parse_unary(p, &q));
        if (q)
            list_add(p, &all, q);
        skip_space(p);
        if (at_keyword(p, STR("AND")))
            p->at += 3;
        else if (at_end(p) || peek(p) == ')' || at_keyword(p, STR("OR")))
            break;
    }
    *out = combine(p, SEARCH_AND, &all);
    return RC_OK;
}

static int parse_or(struct parser *p, struct search_query **out)
{
    struct list any = {0};
    if (++p->depth > DEPTH_MAX)
        return err_set(p->ctx, &ERR_INVALID, "q is nested deeper than %d", DEPTH_MAX);
    for (;;) {
        struct search_query *q = NULL;
        TRY(parse_and(p, &q));
        if (q)
            list_add(p, &any, q);
        if (!at_keyword(p, STR("OR")))
            break;
        p->at += 2;
    }
    p->depth--;
    *out = combine(p, SEARCH_OR, &any);
    return RC_OK;
}

static int parse(struct ctx *ctx, str q, bool whole, struct search_query **out)
{
    struct parser p = {.ctx = ctx, .text = q, .field = STR(""), .whole = whole};
    *out = NULL;
    if (q.n > TEXT_MAX)
        return err_set(ctx, &ERR_INVALID, "q is longer than %d bytes", TEXT_MAX);
    if (!utf8_valid(q))
        return err_set(ctx, &ERR_INVALID, "q is not valid UTF-8");
    skip_space(&p);
    if (!at_end(&p)) {
        TRY(parse_or(&p, out));
        if (!at_end(&p))
            return unexpected(&p, "the end");
    }
    if (!*out)
        *out = node(&p, SEARCH_NOTHING);
    return RC_OK;
}

int search_parse(struct ctx *ctx, str q, struct search_query **out) { return parse(ctx, q, false, out); }
int search_parse_filter(struct ctx *ctx, str filter, struct search_query **out) { return parse(ctx, filter, true, out); }
