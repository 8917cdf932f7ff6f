/* Parser of where-clauses: recursive descent over the text, one function a level of precedence. See where.h. */
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "model/query/where_parts.h"

static int parse_or(struct where_parser *p, struct where_term *out);
static int parse_sum(struct where_parser *p, struct where_term *out);

int where_error(struct where_parser *p, const char *what)
{
    str near = str_sub(p->text, p->at, p->at + 24);
    if (near.n == 0)
        return err_set(p->ctx, &ERR_INVALID, "where, at its end: %s", what);
    return err_set(p->ctx, &ERR_INVALID, "where, at character %zu near \"%.*s\": %s", p->at + 1, STR_FMT(near), what);
}

/* A node of the arena with room for its arguments. */
static int node_new(struct where_parser *p, enum where_kind kind, size_t arg_count, struct where **out)
{
    if (++p->nodes > WHERE_NODES_MAX)
        return where_error(p, "too many conditions");
    *out = arena_new(p->ctx->arena, struct where);
    **out = (struct where){.kind = kind, .arg_count = arg_count};
    if (arg_count)
        (*out)->args = arena_array(p->ctx->arena, struct where *, arg_count);
    return RC_OK;
}

/* A node over terms. */
static int compose(struct where_parser *p, enum where_kind kind, const struct where_term *terms, size_t count,
                   struct where_term *out)
{
    struct where *w = NULL;
    TRY(node_new(p, kind, count, &w));
    unsigned depth = 0;
    for (size_t i = 0; i < count; i++) {
        w->args[i] = terms[i].node;
        depth = terms[i].depth > depth ? terms[i].depth : depth;
    }
    *out = (struct where_term){.node = w, .type = WHERE_TYPE_CONDITION, .depth = depth + 1};
    return out->depth > WHERE_DEPTH_MAX ? where_error(p, "nested too deep") : RC_OK;
}

/* ---- words ---- */
static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static char peek(struct where_parser *p)
{
    while (p->at < p->text.n && is_space(p->text.p[p->at]))
        p->at++;
    return p->at < p->text.n ? p->text.p[p->at] : 0;
}

/* The word that comes next, "" when something else does. */
static str next_word(struct where_parser *p)
{
    if (!is_word(peek(p)) || is_digit(peek(p)))
        return STR("");
    size_t end = p->at;
    while (end < p->text.n && is_word(p->text.p[end]))
        end++;
    return str_sub(p->text, p->at, end);
}

static bool take_word(struct where_parser *p, const char *word)
{
    str next = next_word(p);
    if (next.n == 0 || !str_ieq(next, str_c(word)))
        return false;
    p->at += next.n;
    return true;
}

static bool take_sign(struct where_parser *p, const char *sign)
{
    str s = str_c(sign);
    peek(p);
    if (!str_starts(str_sub(p->text, p->at, p->text.n), s))
        return false;
    p->at += s.n;
    return true;
}

static int expect_sign(struct where_parser *p, const char *sign, const char *what)
{
    return take_sign(p, sign) ? RC_OK : where_error(p, what);
}

/* Text between quotes that are doubled inside; the first quote is next. */
static int parse_quoted(struct where_parser *p, str *out)
{
    char quote = p->text.p[p->at];
    size_t start = p->at + 1, end = start, n = 0;
    while ((end = str_find_char(p->text, quote, end)) != SIZE_MAX && end + 1 < p->text.n && p->text.p[end + 1] == quote)
        end += 2;
    if (end == SIZE_MAX)
        return where_error(p, "a quote that does not end");
    char *copy = arena_alloc(p->ctx->arena, end - start + 1);
    for (size_t at = start; at < end; at += p->text.p[at] == quote ? 2 : 1)
        copy[n++] = p->text.p[at];
    p->at = end + 1;
    *out = str_of(copy, n);
    return RC_OK;
}

/* ---- values ---- */
static int literal(struct where_parser *p, struct value v, enum where_type type, struct where_term *out)
{
    struct where *w = NULL;
    TRY(node_new(p, WHERE_LITERAL, 0, &w));
    w->literal = v;
    w->is_date = type == WHERE_TYPE_DATE;
    *out = (struct where_term){.node = w, .type = type, .depth = 1};
    return RC_OK;
}

static int parse_number(struct where_parser *p, struct where_term *out)
{
    size_t end = p->at;
    while (end < p->text.n && (is_digit(p->text.p[end]) || p->text.p[end] == '.'))
        end++;
    if (end < p->text.n && (p->text.p[end] == 'e' || p->text.p[end] == 'E')) {
        end++;
        if (end < p->text.n && (p->text.p[end] == '+' || p->text.p[end] == '-'))
            end++;
        while (end < p->text.n && is_digit(p->text.p[end]))
            end++;
    }
    str s = str_sub(p->text, p->at, end);
    if (s.p[0] == '.') /* SQL writes .5 as well */
        s = arena_printf(p->ctx->arena, "0%.*s", STR_FMT(s));
    struct value v = {.kind = VALUE_INT};
    if (!num_parse_int(s, &v.i)) {
        v.kind = VALUE_DOUBLE;
        if (!num_parse_double(s, &v.d))
            return where_error(p, "not a number");
    }
    p->at = end;
    return literal(p, v, WHERE_TYPE_NUMBER, out);
}

static int parse_text(struct where_parser *p, struct where_term *out)
{
    struct value v = {.kind = VALUE_TEXT};
    TRY(parse_quoted(p, &v.s));
    return literal(p, v, WHERE_TYPE_TEXT, out);
}

static int field(struct where_parser *p, str name, struct where_term *out)
{
    size_t index;
    const struct field *f = layer_field(p->layer, name, &index);
    if (!f)
        return where_error(p, "no field of that name");
    struct where *w = NULL;
    TRY(node_new(p, WHERE_FIELD, 0, &w));
    w->field = index;
    *out = (struct where_term){.node = w, .type = where_type_of_field(f->type), .depth = 1};
    return RC_OK;
}

static const struct {
    const char *name;
    enum where_function function;
    unsigned least, most;             /* arguments */
    enum where_type argument, result; /* of the first argument; the others are numbers */
} FUNCTIONS[] = {
    {"UPPER", FN_UPPER, 1, 1, WHERE_TYPE_TEXT, WHERE_TYPE_TEXT},
    {"LOWER", FN_LOWER, 1, 1, WHERE_TYPE_TEXT, WHERE_TYPE_TEXT},
    {"CHAR_LENGTH", FN_CHAR_LENGTH, 1, 1, WHERE_TYPE_TEXT, WHERE_TYPE_NUMBER},
    {"CHARACTER_LENGTH", FN_CHAR_LENGTH, 1, 1, WHERE_TYPE_TEXT, WHERE_TYPE_NUMBER},
    {"ABS", FN_ABS, 1, 1, WHERE_TYPE_NUMBER, WHERE_TYPE_NUMBER},
    {"TRIM", FN_TRIM, 1, 1, WHERE_TYPE_TEXT, WHERE_TYPE_TEXT},
    {"SUBSTRING", FN_SUBSTRING, 2, 3, WHERE_TYPE_TEXT, WHERE_TYPE_TEXT},
    {"ROUND", FN_ROUND, 1, 2, WHERE_TYPE_NUMBER, WHERE_TYPE_NUMBER},
    {"FLOOR", FN_FLOOR, 1, 1, WHERE_TYPE_NUMBER, WHERE_TYPE_NUMBER},
    {"CEILING", FN_CEILING, 1, 1, WHERE_TYPE_NUMBER, WHERE_TYPE_NUMBER},
};

/* Arguments between commas, or SUBSTRING's FROM and FOR. */
static bool take_separator(struct where_parser *p) { return take_sign(p, ",") || take_word(p, "FROM") || take_word(p, "FOR"); }

static int parse_function(struct where_parser *p, str name, struct where_term *out)
{
    size_t i = 0;
    while (i < COUNT_OF(FUNCTIONS) && !str_ieq(str_c(FUNCTIONS[i].name), name))
        i++;
    if (i == COUNT_OF(FUNCTIONS))
        return where_error(p, "no function of that name");
    p->at += name.n;
    TRY(expect_sign(p, "(", "expected ("));
    struct where_term args[3];
    unsigned count = 0;
    do {
        if (count == FUNCTIONS[i].most)
            return where_error(p, "too many arguments");
        TRY(parse_sum(p, &args[count]));
        if (args[count].type != (count ? WHERE_TYPE_NUMBER : FUNCTIONS[i].argument))
            return where_error(p, "an argument of the wrong type");
        count++;
    } while (take_separator(p));
    if (count < FUNCTIONS[i].least)
        return where_error(p, "too few arguments");
    TRY(expect_sign(p, ")", "expected )"));
    TRY(compose(p, WHERE_FUNCTION, args, count, out));
    out->node->function = FUNCTIONS[i].function;
    out->type = FUNCTIONS[i].result;
    return RC_OK;
}

/* DATE '…' and TIMESTAMP '…' after the word. */
static int parse_date(struct where_parser *p, struct where_term *out)
{
    struct value v = {.kind = VALUE_INT};
    str text;
    TRY(parse_quoted(p, &text));
    if (!clock_iso_parse(str_trim(text), &v.i))
        return where_error(p, "not a date before this place");
    return literal(p, v, WHERE_TYPE_DATE, out);
}

static bool is_reserved(str word)
{
    static const char *const RESERVED[] = {"AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "ESCAPE"};
    for (size_t i = 0; i < COUNT_OF(RESERVED); i++)
        if (str_ieq(word, str_c(RESERVED[i])))
            return true;
    return false;
}

static int parse_name(struct where_parser *p, struct where_term *out)
{
    str word = next_word(p);
    size_t start = p->at;
    struct value now = {.kind = VALUE_INT, .i = ctx_now(p->ctx)};
    if (word.n == 0 || is_reserved(word))
        return where_error(p, "expected a field, a value or a function");
    p->at += word.n;
    char after = peek(p);
    if (after == '\'' && str_ieq(word, STR("N")))
        return parse_text(p, out);
    if (after == '\'' && (str_ieq(word, STR("DATE")) || str_ieq(word, STR("TIMESTAMP"))))
        return parse_date(p, out);
    p->at = after == '(' ? start : p->at;
    if (after == '(')
        return parse_function(p, word, out);
    if (str_ieq(word, STR("CURRENT_TIMESTAMP")))
        return literal(p, now, WHERE_TYPE_DATE, out);
    if (str_ieq(word, STR("CURRENT_DATE"))) {
        now.i -= ((now.i % 86400000) + 86400000) % 86400000;
        return literal(p, now, WHERE_TYPE_DATE, out);
    }
    if (str_ieq(word, STR("NULL")))
        return literal(p, (struct value){.kind = VALUE_NULL}, WHERE_TYPE_NULL, out);
    p->at = start;
    TRY(field(p, word, out));
    p->at += word.n;
    return RC_OK;
}

static int negate(struct where_parser *p, struct where_term *t)
{
    struct value *v = &t->node->literal;
    if (t->type != WHERE_TYPE_NUMBER)
        return where_error(p, "minus before something that is no number");
    if (t->node->kind == WHERE_LITERAL && v->kind == VALUE_DOUBLE) {
        v->d = -v->d;
        return RC_OK;
    }
    if (t->node->kind == WHERE_LITERAL) {
        v->i = -v->i; /* literals are never negative, so this cannot overflow */
        return RC_OK;
    }
    struct where_term operands[2] = {[1] = *t};
    TRY(literal(p, (struct value){.kind = VALUE_INT, .i = 0}, WHERE_TYPE_NUMBER, &operands[0]));
    TRY(compose(p, WHERE_ARITHMETIC, operands, 2, t));
    t->node->op = OP_SUB;
    t->type = WHERE_TYPE_NUMBER;
    return RC_OK;
}

static int parse_primary(struct where_parser *p, struct where_term *out)
{
    char c = peek(p);
    if (c == '\'')
        return parse_text(p, out);
    if (is_digit(c) || c == '.')
        return parse_number(p, out);
    if (c == '"') {
        str name;
        TRY(parse_quoted(p, &name));
        return field(p, name, out);
    }
    if (!take_sign(p, "("))
        return parse_name(p, out);
    TRY(parse_or(p, out));
    return expect_sign(p, ")", "expected )");
}

static int parse_factor(struct where_parser *p, struct where_term *out)
{
    bool minus = false;
    for (;;) {
        if (take_sign(p, "-"))
            minus = !minus;
        else if (!take_sign(p, "+"))
            break;
    }
    if (++p->depth > WHERE_DEPTH_MAX) /* parentheses and functions: everything that recurs comes through here */
        return where_error(p, "nested too deep");
    TRY(parse_primary(p, out));
    p->depth--;
    return minus ? negate(p, out) : RC_OK;
}

/* INTERVAL 'n' UNIT after a date constant, which it is added to at once. */
static int parse_interval(struct where_parser *p, struct where_term *date, int sign)
{
    str count;
    if (date->type != WHERE_TYPE_DATE || date->node->kind != WHERE_LITERAL)
        return where_error(p, "an interval is understood beside a date constant only");
    if (peek(p) != '\'')
        return where_error(p, "expected the number of the interval in quotes");
    TRY(parse_quoted(p, &count));
    str unit = next_word(p);
    if (!where_interval_add(&date->node->literal.i, count, unit, sign))
        return where_error(p, "expected an interval as '1' DAY");
    p->at += unit.n;
    return RC_OK;
}

static int combine(struct where_parser *p, enum where_operator op, enum where_type type, struct where_term *left,
                   const struct where_term *right)
{
    if (left->type != type || right->type != type)
        return where_error(p, "an operand of the wrong type before this place");
    struct where_term operands[2] = {*left, *right};
    TRY(compose(p, WHERE_ARITHMETIC, operands, 2, left));
    left->node->op = op;
    left->type = type;
    return RC_OK;
}

static int parse_product(struct where_parser *p, struct where_term *out)
{
    TRY(parse_factor(p, out));
    for (;;) {
        bool times = take_sign(p, "*");
        if (!times && !take_sign(p, "/"))
            return RC_OK;
        struct where_term right;
        TRY(parse_factor(p, &right));
        TRY(combine(p, times ? OP_MUL : OP_DIV, WHERE_TYPE_NUMBER, out, &right));
    }
}

static int parse_sum(struct where_parser *p, struct where_term *out)
{
    TRY(parse_product(p, out));
    for (;;) {
        enum where_operator op = take_sign(p, "||") ? OP_CONCAT : take_sign(p, "+") ? OP_ADD : take_sign(p, "-") ? OP_SUB : OP_EQ;
        if (op == OP_EQ)
            return RC_OK;
        if (op != OP_CONCAT && take_word(p, "INTERVAL")) {
            TRY(parse_interval(p, out, op == OP_ADD ? 1 : -1));
            continue;
        }
        struct where_term right;
        TRY(parse_product(p, &right));
        TRY(combine(p, op, op == OP_CONCAT ? WHERE_TYPE_TEXT : WHERE_TYPE_NUMBER, out, &right));
    }
}

/* ---- conditions ---- */
static int parse_comparison(struct where_parser *p, enum where_operator op, struct where_term *out)
{
    struct where_term operands[2] = {*out};
    TRY(parse_sum(p, &operands[1]));
    TRY(where_unify(p, &operands[0], &operands[1]));
    bool truth;
    if (where_fold(operands[0].node, operands[1].node, op, &truth))
        return compose(p, truth ? WHERE_TRUE : WHERE_FALSE, NULL, 0, out);
    TRY(compose(p, WHERE_COMPARE, operands, 2, out));
    out->node->op = op;
    return RC_OK;
}

static int parse_in(struct where_parser *p, struct where_term *out)
{
    size_t count = 1, capacity = 8;
    struct where_term *list = arena_array(p->ctx->arena, struct where_term, capacity);
    list[0] = *out;
    TRY(expect_sign(p, "(", "expected ( and a list"));
    do {
        list = arena_grow(p->ctx->arena, list, &capacity, count + 1, sizeof *list);
        TRY(parse_sum(p, &list[count]));
        TRY(where_unify(p, &list[0], &list[count]));
        count++;
    } while (take_sign(p, ","));
    TRY(expect_sign(p, ")", "expected , or )"));
    return compose(p, WHERE_IN, list, count, out);
}

static int parse_between(struct where_parser *p, struct where_term *out)
{
    struct where_term operands[3] = {*out};
    TRY(parse_sum(p, &operands[1]));
    if (!take_word(p, "AND"))
        return where_error(p, "expected AND and the upper bound");
    TRY(parse_sum(p, &operands[2]));
    TRY(where_unify(p, &operands[0], &operands[1]));
    TRY(where_unify(p, &operands[0], &operands[2]));
    return compose(p, WHERE_BETWEEN, operands, 3, out);
}

static int parse_like(struct where_parser *p, struct where_term *out)
{
    struct where_term operands[2] = {*out};
    TRY(parse_sum(p, &operands[1]));
    bool texts =
        (operands[0].type == WHERE_TYPE_TEXT || operands[0].type == WHERE_TYPE_GUID) && operands[1].type == WHERE_TYPE_TEXT;
    if (!texts)
        return where_error(p, "LIKE compares texts only");
    TRY(compose(p, WHERE_LIKE, operands, 2, out));
    if (!take_word(p, "ESCAPE"))
        return RC_OK;
    str escape;
    if (peek(p) != '\'')
        return where_error(p, "expected a character in quotes");
    TRY(parse_quoted(p, &escape));
    if (escape.n != 1 || (unsigned char)escape.p[0] >= 0x80 || escape.p[0] == 0)
        return where_error(p, "an escape is one ASCII character");
    out->node->escape = escape.p[0];
    return RC_OK;
}

static int parse_is(struct where_parser *p, struct where_term *out)
{
    bool negated = take_word(p, "NOT");
    if (!take_word(p, "NULL"))
        return where_error(p, "expected NULL");
    struct where_term operand = *out;
    if (operand.type == WHERE_TYPE_CONDITION)
        return where_error(p, "a condition is never null");
    TRY(compose(p, WHERE_IS_NULL, &operand, 1, out));
    out->node->negated = negated;
    return RC_OK;
}

static int parse_predicate(struct where_parser *p, struct where_term *out)
{
    static const struct {
        const char *sign;
        enum where_operator op;
    } SIGNS[] = {{"<>", OP_NE}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"=", OP_EQ}, {"<", OP_LT}, {">", OP_GT}};
    static const struct {
        const char *word;
        int (*parse)(struct where_parser *p, struct where_term *out);
    } WORDS[] = {{"IN", parse_in}, {"BETWEEN", parse_between}, {"LIKE", parse_like}};
    TRY(parse_sum(p, out));
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++)
        if (take_sign(p, SIGNS[i].sign))
            return parse_comparison(p, SIGNS[i].op, out);
    if (take_word(p, "IS"))
        return parse_is(p, out);
    bool negated = take_word(p, "NOT");
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (take_word(p, WORDS[i].word)) {
            TRY(WORDS[i].parse(p, out));
            out->node->negated = negated;
            return RC_OK;
        }
    }
    return negated ? where_error(p, "expected IN, BETWEEN or LIKE") : RC_OK;
}

static int parse_not(struct where_parser *p, struct where_term *out)
{
    bool negated = false, any = false;
    for (; take_word(p, "NOT"); any = true)
        negated = !negated;
    TRY(parse_predicate(p, out));
    if (any && out->type != WHERE_TYPE_CONDITION)
        return where_error(p, "NOT before something that is no condition");
    struct where_term operand = *out;
    return negated ? compose(p, WHERE_NOT, &operand, 1, out) : RC_OK;
}

/* One or more conditions with the same word between them become one node. */
static int parse_chain(struct where_parser *p, const char *word, enum where_kind kind,
                       int (*parse)(struct where_parser *p, struct where_term *out), struct where_term *out)
{
    TRY(parse(p, out));
    size_t count = 1, capacity = 8;
    struct where_term *list = NULL;
    while (take_word(p, word)) {
        if (!list) {
            list = arena_array(p->ctx->arena, struct where_term, capacity);
            list[0] = *out;
        }
        list = arena_grow(p->ctx->arena, list, &capacity, count + 1, sizeof *list);
        TRY(parse(p, &list[count]));
        if (list[0].type != WHERE_TYPE_CONDITION || list[count].type != WHERE_TYPE_CONDITION)
            return where_error(p, "a value where a condition is expected");
        count++;
    }
    return list ? compose(p, kind, list, count, out) : RC_OK;
}

static int parse_and(struct where_parser *p, struct where_term *out) { return parse_chain(p, "AND", WHERE_AND, parse_not, out); }

static int parse_or(struct where_parser *p, struct where_term *out) { return parse_chain(p, "OR", WHERE_OR, parse_and, out); }

int where_parse(struct ctx *ctx, str text, const struct layer *l, struct where **out)
{
    struct where_parser p = {.ctx = ctx, .layer = l, .text = text};
    struct where_term term;
    *out = NULL;
    if (text.n > WHERE_TEXT_MAX)
        return err_set(ctx, &ERR_INVALID, "where: %zu bytes, at most %d are accepted", text.n, WHERE_TEXT_MAX);
    if (!utf8_valid(text))
        return err_set(ctx, &ERR_INVALID, "where: not valid UTF-8");
    if (peek(&p) == 0)
        return RC_OK;
    TRY(parse_or(&p, &term));
    if (peek(&p) != 0)
        return where_error(&p, "expected AND, OR or the end");
    if (term.type != WHERE_TYPE_CONDITION)
        return where_error(&p, "a value where a condition is expected");
    if (term.node->kind != WHERE_TRUE) /* 1=1 means all */
        *out = term.node;
    return RC_OK;
}
