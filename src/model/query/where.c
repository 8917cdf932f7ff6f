/* Parser of where-clauses: recursive descent over the text, one function a level of precedence. See where.h. */
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "model/query/where_parts.h"

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
int where_compose(struct where_parser *p, enum where_kind kind, const struct where_term *terms, size_t count,
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

char where_peek(struct where_parser *p)
{
    while (p->at < p->text.n && is_space(p->text.p[p->at]))
        p->at++;
    return p->at < p->text.n ? p->text.p[p->at] : 0;
}

/* The word that comes next, "" when something else does. */
str where_next_word(struct where_parser *p)
{
    if (!is_word(where_peek(p)) || is_digit(where_peek(p)))
        return STR("");
    size_t end = p->at;
    while (end < p->text.n && is_word(p->text.p[end]))
        end++;
    return str_sub(p->text, p->at, end);
}

bool where_take_word(struct where_parser *p, const char *word)
{
    str next = where_next_word(p);
    if (next.n == 0 || !str_ieq(next, str_c(word)))
        return false;
    p->at += next.n;
    return true;
}

bool where_take_sign(struct where_parser *p, const char *sign)
{
    str s = str_c(sign);
    where_peek(p);
    if (!str_starts(str_sub(p->text, p->at, p->text.n), s))
        return false;
    p->at += s.n;
    return true;
}

int where_expect_sign(struct where_parser *p, const char *sign, const char *what)
{
    return where_take_sign(p, sign) ? RC_OK : where_error(p, what);
}

int where_expect_word(struct where_parser *p, const char *word, const char *what)
{
    return where_take_word(p, word) ? RC_OK : where_error(p, what);
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
int where_literal(struct where_parser *p, struct value v, enum where_type type, struct where_term *out)
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
    return where_literal(p, v, WHERE_TYPE_NUMBER, out);
}

static int parse_text(struct where_parser *p, struct where_term *out)
{
    struct value v = {.kind = VALUE_TEXT};
    TRY(parse_quoted(p, &v.s));
    return where_literal(p, v, WHERE_TYPE_TEXT, out);
}

static unsigned depth_of(const struct where *w)
{
    unsigned most = 0;
    for (size_t i = 0; i < w->arg_count; i++) {
        unsigned depth = depth_of(w->args[i]);
        most = depth > most ? depth : most;
    }
    return most + 1;
}

/* Of a having clause: the output of that name. Trees are shared by all who name them; nobody changes them any more. */
static bool take_output(struct where_parser *p, str name, struct where_term *out)
{
    for (size_t i = 0; !p->in_aggregate && i < p->output_count; i++) {
        const struct where_output *o = &p->outputs[i];
        if (!str_ieq(o->name, name))
            continue;
        *out = (struct where_term){.node = o->tree, .type = o->type, .depth = depth_of(o->tree)};
        return true;
    }
    return false;
}

/* A field by its name. In a having clause only what is the same for all rows of a group has a value. */
static int field(struct where_parser *p, str name, struct where_term *out)
{
    size_t index;
    if (take_output(p, name, out))
        return RC_OK;
    if (p->outputs && !p->in_aggregate)
        return where_error(p, "neither an aggregate nor a field that is grouped by");
    const struct field *f = layer_field(p->layer, name, &index);
    if (!f)
        return where_error(p, "no field of that name");
    struct where *w = NULL;
    TRY(node_new(p, WHERE_FIELD, 0, &w));
    w->field = index;
    *out = (struct where_term){.node = w, .type = where_type_of_field(f->type), .depth = 1};
    return RC_OK;
}

static int parse_time(struct where_parser *p, str text, struct where_term *out)
{
    int64_t ms;
    str whole = arena_printf(p->ctx->arena, "1970-01-01T%.*s", STR_FMT(text));
    if (text.n != sizeof "hh:mm:ss" - 1 || !clock_iso_parse(whole, &ms))
        return where_error(p, "not a time as '23:59:59' before this place");
    return where_literal(p, (struct value){.kind = VALUE_TEXT, .s = text}, WHERE_TYPE_TIME, out);
}

/* DATE '…', TIMESTAMP '…' and TIME '…' after the word. */
static int parse_date(struct where_parser *p, bool time, struct where_term *out)
{
    struct value v = {.kind = VALUE_INT};
    str text;
    TRY(parse_quoted(p, &text));
    if (time)
        return parse_time(p, str_trim(text), out);
    if (!clock_iso_parse(str_trim(text), &v.i))
        return where_error(p, "not a date before this place");
    return where_literal(p, v, WHERE_TYPE_DATE, out);
}

static bool is_reserved(str word)
{
    static const char *const RESERVED[] = {"AND",    "OR",   "NOT",  "IN",   "LIKE", "BETWEEN", "IS",
                                           "ESCAPE", "CASE", "WHEN", "THEN", "ELSE", "END"};
    for (size_t i = 0; i < COUNT_OF(RESERVED); i++)
        if (str_ieq(word, str_c(RESERVED[i])))
            return true;
    return false;
}

/* CURRENT_TIMESTAMP and its relatives; false for another word. */
static bool take_now(struct where_parser *p, str word, struct value *v, enum where_type *type)
{
    static const struct {
        const char *name;
        enum where_type type;
        int64_t unit; /* ms that the time is cut to */
    } NAMES[] = {{"CURRENT_TIMESTAMP", WHERE_TYPE_DATE, 1},
                 {"CURRENT_DATE", WHERE_TYPE_DATE, 86400000},
                 {"CURRENT_TIME", WHERE_TYPE_TIME, 1000}};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (!str_ieq(word, str_c(NAMES[i].name)))
            continue;
        char text[CLOCK_ISO_SIZE];
        int64_t now = ctx_now(p->ctx), unit = NAMES[i].unit;
        *v = (struct value){.kind = VALUE_INT, .i = now - ((now % unit) + unit) % unit};
        *type = NAMES[i].type;
        if (*type == WHERE_TYPE_TIME && clock_iso_print(now, text))
            *v = (struct value){.kind = VALUE_TEXT, .s = arena_str(p->ctx->arena, str_of(text + sizeof "YYYY-MM-DD", 8))};
        return true;
    }
    return false;
}

static int parse_name(struct where_parser *p, struct where_term *out)
{
    str word = where_next_word(p);
    size_t start = p->at;
    struct value now;
    enum where_type type;
    if (word.n && where_take_word(p, "CASE"))
        return where_parse_case(p, out);
    if (word.n == 0 || is_reserved(word))
        return where_error(p, "expected a field, a value or a function");
    p->at += word.n;
    char after = where_peek(p);
    bool time = str_ieq(word, STR("TIME"));
    if (after == '\'' && str_ieq(word, STR("N")))
        return parse_text(p, out);
    if (after == '\'' && (time || str_ieq(word, STR("DATE")) || str_ieq(word, STR("TIMESTAMP"))))
        return parse_date(p, time, out);
    if (after == '(') {
        p->at = start;
        return where_parse_function(p, word, out);
    }
    if (take_now(p, word, &now, &type))
        return where_literal(p, now, type, out);
    if (str_ieq(word, STR("NULL")))
        return where_literal(p, (struct value){.kind = VALUE_NULL}, WHERE_TYPE_NULL, out);
    p->at = start;
    TRY(field(p, word, out));
    p->at = start + word.n;
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
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = 0}, WHERE_TYPE_NUMBER, &operands[0]));
    TRY(where_compose(p, WHERE_ARITHMETIC, operands, 2, t));
    t->node->op = OP_SUB;
    t->type = WHERE_TYPE_NUMBER;
    return RC_OK;
}

static int parse_primary(struct where_parser *p, struct where_term *out)
{
    char c = where_peek(p);
    if (c == '\'')
        return parse_text(p, out);
    if (is_digit(c) || c == '.')
        return parse_number(p, out);
    if (c == '"') {
        str name;
        TRY(parse_quoted(p, &name));
        return field(p, name, out);
    }
    if (!where_take_sign(p, "("))
        return parse_name(p, out);
    TRY(where_parse_or(p, out));
    return where_expect_sign(p, ")", "expected )");
}

static int parse_factor(struct where_parser *p, struct where_term *out)
{
    bool minus = false;
    for (;;) {
        if (where_take_sign(p, "-"))
            minus = !minus;
        else if (!where_take_sign(p, "+"))
            break;
    }
    if (++p->depth > WHERE_DEPTH_MAX) /* parentheses and functions: everything that recurs comes through here */
        return where_error(p, "nested too deep");
    TRY(parse_primary(p, out));
    p->depth--;
    return minus ? negate(p, out) : RC_OK;
}

/* INTERVAL 'n' UNIT [TO UNIT] after a date, which it is added to: to a constant at once. */
static int parse_interval(struct where_parser *p, struct where_term *date, int sign)
{
    str count, last = STR("");
    struct where_interval by;
    if (date->type != WHERE_TYPE_DATE && date->type != WHERE_TYPE_DATE_ONLY)
        return where_error(p, "an interval is understood beside a date only");
    if (where_peek(p) != '\'')
        return where_error(p, "expected the number of the interval in quotes");
    TRY(parse_quoted(p, &count));
    str unit = where_next_word(p);
    p->at += unit.n;
    if (where_take_word(p, "TO")) {
        last = where_next_word(p);
        p->at += last.n;
    }
    if (!where_interval_parse(count, unit, last, &by))
        return where_error(p, "expected an interval as '1' DAY before this place");
    by.ms *= sign;
    by.months *= sign;
    if (date->node->kind != WHERE_LITERAL)
        return where_shift(p, date, &by);
    return where_date_shift(&date->node->literal.i, by.ms, by.months)
               ? RC_OK
               : where_error(p, "a date beyond all calendars before this place");
}

static int combine(struct where_parser *p, enum where_operator op, enum where_type type, struct where_term *left,
                   const struct where_term *right)
{
    if (left->type != type || right->type != type)
        return where_error(p, "an operand of the wrong type before this place");
    struct where_term operands[2] = {*left, *right};
    TRY(where_compose(p, WHERE_ARITHMETIC, operands, 2, left));
    left->node->op = op;
    left->type = type;
    return RC_OK;
}

static int parse_product(struct where_parser *p, struct where_term *out)
{
    TRY(parse_factor(p, out));
    for (;;) {
        bool times = where_take_sign(p, "*");
        if (!times && !where_take_sign(p, "/"))
            return RC_OK;
        struct where_term right;
        TRY(parse_factor(p, &right));
        TRY(combine(p, times ? OP_MUL : OP_DIV, WHERE_TYPE_NUMBER, out, &right));
    }
}

int where_parse_sum(struct where_parser *p, struct where_term *out)
{
    TRY(parse_product(p, out));
    for (;;) {
        enum where_operator op = where_take_sign(p, "||")  ? OP_CONCAT
                                 : where_take_sign(p, "+") ? OP_ADD
                                 : where_take_sign(p, "-") ? OP_SUB
                                                           : OP_EQ;
        if (op == OP_EQ)
            return RC_OK;
        if (op != OP_CONCAT && where_take_word(p, "INTERVAL")) {
            TRY(parse_interval(p, out, op == OP_ADD ? 1 : -1));
            continue;
        }
        struct where_term right;
        TRY(parse_product(p, &right));
        if (op != OP_CONCAT && out->type == WHERE_TYPE_DATE) {
            TRY(where_date_arithmetic(p, op, out, &right));
            continue;
        }
        TRY(combine(p, op, op == OP_CONCAT ? WHERE_TYPE_TEXT : WHERE_TYPE_NUMBER, out, &right));
    }
}

/* ---- conditions ---- */
static int parse_comparison(struct where_parser *p, enum where_operator op, struct where_term *out)
{
    struct where_term operands[2] = {*out};
    TRY(where_parse_sum(p, &operands[1]));
    TRY(where_unify(p, &operands[0], &operands[1]));
    bool truth;
    if (where_fold(operands[0].node, operands[1].node, op, &truth))
        return where_compose(p, truth ? WHERE_TRUE : WHERE_FALSE, NULL, 0, out);
    TRY(where_compose(p, WHERE_COMPARE, operands, 2, out));
    out->node->op = op;
    return RC_OK;
}

static int parse_in(struct where_parser *p, struct where_term *out)
{
    size_t count = 1, capacity = 8;
    struct where_term *list = arena_array(p->ctx->arena, struct where_term, capacity);
    list[0] = *out;
    TRY(where_expect_sign(p, "(", "expected ( and a list"));
    do {
        list = arena_grow(p->ctx->arena, list, &capacity, count + 1, sizeof *list);
        TRY(where_parse_sum(p, &list[count]));
        TRY(where_unify(p, &list[0], &list[count]));
        count++;
    } while (where_take_sign(p, ","));
    TRY(where_expect_sign(p, ")", "expected , or )"));
    return where_compose(p, WHERE_IN, list, count, out);
}

static int parse_between(struct where_parser *p, struct where_term *out)
{
    struct where_term operands[3] = {*out};
    TRY(where_parse_sum(p, &operands[1]));
    if (!where_take_word(p, "AND"))
        return where_error(p, "expected AND and the upper bound");
    TRY(where_parse_sum(p, &operands[2]));
    TRY(where_unify(p, &operands[0], &operands[1]));
    TRY(where_unify(p, &operands[0], &operands[2]));
    return where_compose(p, WHERE_BETWEEN, operands, 3, out);
}

static int parse_like(struct where_parser *p, struct where_term *out)
{
    struct where_term operands[2] = {*out};
    TRY(where_parse_sum(p, &operands[1]));
    bool texts =
        (operands[0].type == WHERE_TYPE_TEXT || operands[0].type == WHERE_TYPE_GUID) && operands[1].type == WHERE_TYPE_TEXT;
    if (!texts)
        return where_error(p, "LIKE compares texts only");
    TRY(where_compose(p, WHERE_LIKE, operands, 2, out));
    if (!where_take_word(p, "ESCAPE"))
        return RC_OK;
    str escape;
    if (where_peek(p) != '\'')
        return where_error(p, "expected a character in quotes");
    TRY(parse_quoted(p, &escape));
    if (escape.n != 1 || (unsigned char)escape.p[0] >= 0x80 || escape.p[0] == 0)
        return where_error(p, "an escape is one ASCII character");
    out->node->escape = escape.p[0];
    return RC_OK;
}

static int parse_is(struct where_parser *p, struct where_term *out)
{
    bool negated = where_take_word(p, "NOT");
    if (!where_take_word(p, "NULL"))
        return where_error(p, "expected NULL");
    struct where_term operand = *out;
    if (operand.type == WHERE_TYPE_CONDITION)
        return where_error(p, "a condition is never null");
    TRY(where_compose(p, WHERE_IS_NULL, &operand, 1, out));
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
    TRY(where_parse_sum(p, out));
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++)
        if (where_take_sign(p, SIGNS[i].sign))
            return parse_comparison(p, SIGNS[i].op, out);
    if (where_take_word(p, "IS"))
        return parse_is(p, out);
    bool negated = where_take_word(p, "NOT");
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (where_take_word(p, WORDS[i].word)) {
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
    for (; where_take_word(p, "NOT"); any = true)
        negated = !negated;
    TRY(parse_predicate(p, out));
    if (any && out->type != WHERE_TYPE_CONDITION)
        return where_error(p, "NOT before something that is no condition");
    struct where_term operand = *out;
    return negated ? where_compose(p, WHERE_NOT, &operand, 1, out) : RC_OK;
}

/* One or more conditions with the same word between them become one node. */
static int parse_chain(struct where_parser *p, const char *word, enum where_kind kind,
                       int (*parse)(struct where_parser *p, struct where_term *out), struct where_term *out)
{
    TRY(parse(p, out));
    size_t count = 1, capacity = 8;
    struct where_term *list = NULL;
    while (where_take_word(p, word)) {
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
    return list ? where_compose(p, kind, list, count, out) : RC_OK;
}

static int parse_and(struct where_parser *p, struct where_term *out) { return parse_chain(p, "AND", WHERE_AND, parse_not, out); }

int where_parse_or(struct where_parser *p, struct where_term *out) { return parse_chain(p, "OR", WHERE_OR, parse_and, out); }

/* The whole of a text as one term. */
static int parse_all(struct where_parser *p, const char *rest, struct where_term *out)
{
    if (p->text.n > WHERE_TEXT_MAX)
        return err_set(p->ctx, &ERR_INVALID, "where: %zu bytes, at most %d are accepted", p->text.n, WHERE_TEXT_MAX);
    if (!utf8_valid(p->text))
        return err_set(p->ctx, &ERR_INVALID, "where: not valid UTF-8");
    *out = (struct where_term){.node = NULL};
    if (where_peek(p) == 0)
        return RC_OK;
    TRY(where_parse_or(p, out));
    return where_peek(p) == 0 ? RC_OK : where_error(p, rest);
}

static int parse_condition(struct where_parser *p, struct where **out)
{
    struct where_term term;
    *out = NULL;
    TRY(parse_all(p, "expected AND, OR or the end", &term));
    if (!term.node)
        return RC_OK;
    if (term.type != WHERE_TYPE_CONDITION)
        return where_error(p, "a value where a condition is expected");
    if (term.node->kind != WHERE_TRUE) /* 1=1 means all */
        *out = term.node;
    return RC_OK;
}

int where_parse(struct ctx *ctx, str text, const struct layer *l, struct where **out)
{
    struct where_parser p = {.ctx = ctx, .layer = l, .text = text};
    return parse_condition(&p, out);
}

int where_parse_having(struct ctx *ctx, str text, const struct layer *l, const struct where_output *outputs, size_t count,
                       struct where **out)
{
    struct where_parser p = {.ctx = ctx, .layer = l, .text = text, .outputs = outputs, .output_count = count};
    return parse_condition(&p, out);
}

int where_parse_value(struct ctx *ctx, str text, const struct layer *l, struct where **out, enum where_type *type_out)
{
    struct where_parser p = {.ctx = ctx, .layer = l, .text = text};
    struct where_term term;
    *out = NULL;
    TRY(parse_all(&p, "expected an operator or the end", &term));
    if (!term.node)
        return where_error(&p, "expected a field or an expression");
    if (term.type == WHERE_TYPE_CONDITION)
        return where_error(&p, "a condition where a value is expected");
    *out = term.node;
    *type_out = term.type;
    return RC_OK;
}
