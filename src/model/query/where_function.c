/* What is written with a name and parentheses, and CASE, in where-clauses: a table of functions and the forms that SQL has for a
 * few of them. See where.h. */
#include "model/query/where_parts.h"

enum { ARGS_MAX = 100, DAY_MS = 86400000 };

/* Arguments, a letter each: t text, n number, d date, day or time, a any value, v any value of the first one's type; capitals may
 * be left out; the last of a list with + comes any number of times. */
struct function {
    const char *name;
    enum where_function function;
    const char *arguments;
    enum where_type result; /* WHERE_TYPE_NULL: that of the arguments */
    const char *words[2];   /* that may stand for the commas */
};
static const struct function FUNCTIONS[] = {
    {"UPPER", FN_UPPER, "t", WHERE_TYPE_TEXT, {NULL}},
    {"LOWER", FN_LOWER, "t", WHERE_TYPE_TEXT, {NULL}},
    {"CHAR_LENGTH", FN_CHAR_LENGTH, "t", WHERE_TYPE_NUMBER, {NULL}},
    {"CHARACTER_LENGTH", FN_CHAR_LENGTH, "t", WHERE_TYPE_NUMBER, {NULL}},
    {"LTRIM", FN_TRIM_LEFT, "tT", WHERE_TYPE_TEXT, {NULL}},
    {"RTRIM", FN_TRIM_RIGHT, "tT", WHERE_TYPE_TEXT, {NULL}},
    {"SUBSTRING", FN_SUBSTRING, "tnN", WHERE_TYPE_TEXT, {"FROM", "FOR"}},
    {"POSITION", FN_POSITION, "tt", WHERE_TYPE_NUMBER, {"IN"}},
    {"CONCAT", FN_CONCAT, "aa+", WHERE_TYPE_TEXT, {NULL}},
    {"ABS", FN_ABS, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"ROUND", FN_ROUND, "nN", WHERE_TYPE_NUMBER, {NULL}},
    {"TRUNCATE", FN_TRUNCATE, "nN", WHERE_TYPE_NUMBER, {NULL}},
    {"FLOOR", FN_FLOOR, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"CEILING", FN_CEILING, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"SIGN", FN_SIGN, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"SQRT", FN_SQRT, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"POWER", FN_POWER, "nn", WHERE_TYPE_NUMBER, {NULL}},
    {"LOG", FN_LOG, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"LOG10", FN_LOG10, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"EXP", FN_EXP, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"MOD", FN_MOD, "nn", WHERE_TYPE_NUMBER, {NULL}},
    {"SIN", FN_SIN, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"COS", FN_COS, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"TAN", FN_TAN, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"ASIN", FN_ASIN, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"ACOS", FN_ACOS, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"ATAN", FN_ATAN, "n", WHERE_TYPE_NUMBER, {NULL}},
    {"ATAN2", FN_ATAN2, "nn", WHERE_TYPE_NUMBER, {NULL}},
    {"NULLIF", FN_NULLIF, "vv", WHERE_TYPE_NULL, {NULL}},
    {"COALESCE", FN_COALESCE, "vv+", WHERE_TYPE_NULL, {NULL}},
};

static int compose_function(struct where_parser *p, enum where_function function, const struct where_term *args, size_t count,
                            enum where_type type, struct where_term *out)
{
    TRY(where_compose(p, WHERE_FUNCTION, args, count, out));
    out->node->function = function;
    out->type = type;
    return RC_OK;
}

static bool is_date(enum where_type t) { return t == WHERE_TYPE_DATE || t == WHERE_TYPE_DATE_ONLY || t == WHERE_TYPE_TIME; }

static bool fits(char letter, enum where_type t)
{
    if (t == WHERE_TYPE_NULL)
        return true;
    switch (letter) {
    case 't':
        return t == WHERE_TYPE_TEXT || t == WHERE_TYPE_GUID;
    case 'n':
        return t == WHERE_TYPE_NUMBER;
    case 'd':
        return is_date(t);
    default:
        return t != WHERE_TYPE_CONDITION && t != WHERE_TYPE_BLOB;
    }
}

/* The letter of an argument, 0 when there are none left. */
static char letter_of(const char *arguments, size_t index)
{
    size_t n = strlen(arguments);
    if (arguments[n - 1] == '+' && index >= n - 1)
        return arguments[n - 2];
    return index < n && arguments[index] != '+' ? arguments[index] : 0;
}

static bool may_lack(char letter) { return letter >= 'A' && letter <= 'Z'; }

/* Makes several values one type, which is that of the first that has one. */
static int unify_all(struct where_parser *p, struct where_term *list, size_t count, enum where_type *out)
{
    size_t first = 0;
    while (first + 1 < count && list[first].type == WHERE_TYPE_NULL)
        first++;
    for (size_t i = 0; i < count; i++)
        if (i != first)
            TRY(where_unify(p, &list[first], &list[i]));
    *out = list[first].type;
    return RC_OK;
}

static bool take_separator(struct where_parser *p, const struct function *f)
{
    for (size_t i = 0; i < COUNT_OF(f->words) && f->words[i]; i++)
        if (where_take_word(p, f->words[i]))
            return true;
    return where_take_sign(p, ",");
}

static int parse_arguments(struct where_parser *p, const struct function *f, struct where_term *args, size_t *count_out)
{
    size_t count = 0;
    do {
        char letter = letter_of(f->arguments, count);
        if (!letter || count == ARGS_MAX)
            return where_error(p, "too many arguments");
        TRY(where_parse_sum(p, &args[count]));
        if (!fits((char)(letter | 0x20), args[count].type))
            return where_error(p, "an argument of the wrong type");
        count++;
    } while (take_separator(p, f));
    char next = letter_of(f->arguments, count);
    bool more = f->arguments[strlen(f->arguments) - 1] == '+' && count >= strlen(f->arguments) - 1;
    if (next && !may_lack(next) && !more)
        return where_error(p, "too few arguments");
    *count_out = count;
    return where_expect_sign(p, ")", "expected )");
}

static int parse_listed(struct where_parser *p, const struct function *f, struct where_term *out)
{
    struct where_term args[ARGS_MAX];
    size_t count = 0;
    enum where_type type = f->result;
    TRY(parse_arguments(p, f, args, &count));
    if (type == WHERE_TYPE_NULL)
        TRY(unify_all(p, args, count, &type));
    if (f->function == FN_POSITION) { /* the text first, as in a tree */
        struct where_term what = args[0];
        args[0] = args[1];
        args[1] = what;
    }
    return compose_function(p, f->function, args, count, type, out);
}

/* ---- forms of their own, after the parenthesis ---- */

/* TRIM([LEADING | TRAILING | BOTH] [characters] FROM text), TRIM(text) */
static int parse_trim(struct where_parser *p, struct where_term *out)
{
    static const struct {
        const char *word;
        enum where_function function;
    } SIDES[] = {{"LEADING", FN_TRIM_LEFT}, {"TRAILING", FN_TRIM_RIGHT}, {"BOTH", FN_TRIM}};
    struct where_term args[2];
    size_t count = 0, start = p->at;
    enum where_function function = FN_TRIM;
    for (size_t i = 0; i < COUNT_OF(SIDES); i++)
        if (where_take_word(p, SIDES[i].word))
            function = SIDES[i].function;
    if (where_peek(p) == ')') /* a field of that name */
        p->at = start;
    if (!where_take_word(p, "FROM"))
        TRY(where_parse_sum(p, &args[count++]));
    if (count == 0 || where_take_word(p, "FROM")) {
        args[1] = args[0]; /* the characters stand first */
        TRY(where_parse_sum(p, &args[0]));
        count++;
    }
    for (size_t i = 0; i < count; i++)
        if (!fits('t', args[i].type))
            return where_error(p, "an argument of the wrong type");
    TRY(where_expect_sign(p, ")", "expected )"));
    return compose_function(p, function, args, count, WHERE_TYPE_TEXT, out);
}

/* EXTRACT(unit FROM date) */
static int parse_extract(struct where_parser *p, struct where_term *out)
{
    struct where_term args[2];
    enum where_unit unit;
    str name = where_next_word(p);
    if (!where_unit_parse(name, &unit) || unit == UNIT_WEEK)
        return where_error(p, "expected YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
    p->at += name.n;
    TRY(where_expect_word(p, "FROM", "expected FROM"));
    TRY(where_parse_sum(p, &args[0]));
    if (!fits('d', args[0].type))
        return where_error(p, "an argument that is no date");
    bool clock = unit <= UNIT_HOUR;
    if ((args[0].type == WHERE_TYPE_TIME && !clock) || (args[0].type == WHERE_TYPE_DATE_ONLY && clock))
        return where_error(p, "a value that has no such part");
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = (int64_t)unit}, WHERE_TYPE_NUMBER, &args[1]));
    TRY(where_expect_sign(p, ")", "expected )"));
    return compose_function(p, FN_EXTRACT, args, 2, WHERE_TYPE_NUMBER, out);
}

static const struct cast_type {
    const char *name;
    enum where_function function;
    enum where_type type;
} CASTS[] = {
    {"CHAR", FN_CAST_TEXT, WHERE_TYPE_TEXT},        {"VARCHAR", FN_CAST_TEXT, WHERE_TYPE_TEXT},
    {"CHARACTER", FN_CAST_TEXT, WHERE_TYPE_TEXT},   {"NVARCHAR", FN_CAST_TEXT, WHERE_TYPE_TEXT},
    {"NCHAR", FN_CAST_TEXT, WHERE_TYPE_TEXT},       {"INTEGER", FN_CAST_INTEGER, WHERE_TYPE_NUMBER},
    {"INT", FN_CAST_INTEGER, WHERE_TYPE_NUMBER},    {"SMALLINT", FN_CAST_INTEGER, WHERE_TYPE_NUMBER},
    {"BIGINT", FN_CAST_INTEGER, WHERE_TYPE_NUMBER}, {"FLOAT", FN_CAST_REAL, WHERE_TYPE_NUMBER},
    {"REAL", FN_CAST_REAL, WHERE_TYPE_NUMBER},      {"DOUBLE", FN_CAST_REAL, WHERE_TYPE_NUMBER},
    {"NUMERIC", FN_CAST_REAL, WHERE_TYPE_NUMBER},   {"DECIMAL", FN_CAST_REAL, WHERE_TYPE_NUMBER},
    {"DATE", FN_CAST_DAY, WHERE_TYPE_DATE},         {"TIMESTAMP", FN_CAST_DATE, WHERE_TYPE_DATE},
};

/* The numbers in parentheses after a type's name: the first is the length of texts, further ones say nothing here. */
static int parse_sizes(struct where_parser *p, int64_t *first)
{
    struct where_term size;
    *first = 0;
    if (!where_take_sign(p, "("))
        return RC_OK;
    for (int i = 0; i == 0 || (i == 1 && where_take_sign(p, ",")); i++) {
        TRY(where_parse_sum(p, &size));
        const struct where *w = size.node;
        if (w->kind != WHERE_LITERAL || w->literal.kind != VALUE_INT || w->literal.i < 0 || w->is_date)
            return where_error(p, "expected a length before this place");
        *first = i == 0 ? w->literal.i : *first;
    }
    return where_expect_sign(p, ")", "expected )");
}

/* CAST(value AS type) */
static int parse_cast(struct where_parser *p, struct where_term *out)
{
    struct where_term args[2];
    size_t i = 0;
    int64_t length;
    TRY(where_parse_sum(p, &args[0]));
    if (!fits('a', args[0].type))
        return where_error(p, "a value that cannot be cast");
    TRY(where_expect_word(p, "AS", "expected AS and a type"));
    while (i < COUNT_OF(CASTS) && !where_take_word(p, CASTS[i].name))
        i++;
    if (i == COUNT_OF(CASTS))
        return where_error(p, "no type of that name");
    where_take_word(p, "PRECISION");
    where_take_word(p, "VARYING");
    TRY(parse_sizes(p, &length));
    bool dates = CASTS[i].type == WHERE_TYPE_DATE;
    if (dates && args[0].type != WHERE_TYPE_TEXT && args[0].type != WHERE_TYPE_NULL &&
        (!is_date(args[0].type) || args[0].type == WHERE_TYPE_TIME))
        return where_error(p, "a value that is no date");
    if (CASTS[i].type == WHERE_TYPE_NUMBER && is_date(args[0].type))
        return where_error(p, "a date is no number");
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = length}, WHERE_TYPE_NUMBER, &args[1]));
    TRY(where_expect_sign(p, ")", "expected )"));
    return compose_function(p, CASTS[i].function, args, CASTS[i].function == FN_CAST_TEXT ? 2 : 1, CASTS[i].type, out);
}

static const struct {
    const char *name;
    int (*parse)(struct where_parser *p, struct where_term *out);
} FORMS[] = {{"TRIM", parse_trim}, {"EXTRACT", parse_extract}, {"CAST", parse_cast}};

/* ---- aggregates, in having clauses ---- */

static const struct {
    const char *name;
    enum where_statistic statistic;
} AGGREGATES[] = {
    {"COUNT", STATISTIC_COUNT},   {"SUM", STATISTIC_SUM},
    {"MIN", STATISTIC_MIN},       {"MAX", STATISTIC_MAX},
    {"AVG", STATISTIC_AVG},       {"VAR", STATISTIC_VAR},
    {"STDDEV", STATISTIC_STDDEV}, {"VAR_SAMP", STATISTIC_VAR},
    {"VARIANCE", STATISTIC_VAR},  {"STDDEV_SAMP", STATISTIC_STDDEV},
};

static int parse_aggregate(struct where_parser *p, enum where_statistic statistic, struct where_term *out)
{
    struct where_term argument;
    enum where_type type = WHERE_TYPE_NUMBER;
    bool rows = statistic == STATISTIC_COUNT && where_take_sign(p, "*");
    if (p->in_aggregate)
        return where_error(p, "an aggregate of an aggregate");
    if (!rows) {
        p->in_aggregate = true;
        TRY(where_parse_sum(p, &argument));
        p->in_aggregate = false;
        if (!where_statistic_type(statistic, argument.type, &type))
            return where_error(p, "an argument of the wrong type");
    }
    TRY(where_expect_sign(p, ")", "expected )"));
    TRY(where_compose(p, WHERE_AGGREGATE, &argument, rows ? 0 : 1, out));
    out->node->statistic = statistic;
    out->type = type;
    return RC_OK;
}

int where_parse_function(struct where_parser *p, str name, struct where_term *out)
{
    size_t start = p->at;
    p->at += name.n;
    TRY(where_expect_sign(p, "(", "expected ("));
    for (size_t i = 0; p->outputs && i < COUNT_OF(AGGREGATES); i++)
        if (str_ieq(str_c(AGGREGATES[i].name), name))
            return parse_aggregate(p, AGGREGATES[i].statistic, out);
    for (size_t i = 0; i < COUNT_OF(FORMS); i++)
        if (str_ieq(str_c(FORMS[i].name), name))
            return FORMS[i].parse(p, out);
    for (size_t i = 0; i < COUNT_OF(FUNCTIONS); i++)
        if (str_ieq(str_c(FUNCTIONS[i].name), name))
            return parse_listed(p, &FUNCTIONS[i], out);
    p->at = start;
    return where_error(p, "no function of that name");
}

/* ---- CASE ---- */

/* What stands after WHEN: a condition, or a value like the operand. */
static int parse_when(struct where_parser *p, struct where_term *operand, struct where_term *out)
{
    TRY(where_parse_or(p, out));
    if (operand)
        return where_unify(p, operand, out);
    return out->type == WHERE_TYPE_CONDITION ? RC_OK : where_error(p, "a value where a condition is expected");
}

int where_parse_case(struct where_parser *p, struct where_term *out)
{
    size_t capacity = 8, count = 0, result_count = 0, result_capacity = 4;
    struct where_term *list = arena_array(p->ctx->arena, struct where_term, capacity);
    struct where_term *results = arena_array(p->ctx->arena, struct where_term, result_capacity);
    enum where_type type;
    bool operand = !where_take_word(p, "WHEN"), more = true, last = false;
    if (operand) {
        TRY(where_parse_sum(p, &list[count++]));
        TRY(where_expect_word(p, "WHEN", "expected WHEN"));
    }
    while (more) {
        list = arena_grow(p->ctx->arena, list, &capacity, count + 2, sizeof *list);
        results = arena_grow(p->ctx->arena, results, &result_capacity, result_count + 1, sizeof *results);
        if (!last) {
            TRY(parse_when(p, operand ? &list[0] : NULL, &list[count]));
            count++;
            TRY(where_expect_word(p, "THEN", "expected THEN"));
        }
        TRY(where_parse_sum(p, &results[result_count]));
        list[count++] = results[result_count++];
        more = !last && where_take_word(p, "WHEN");
        if (!more && !last)
            more = last = where_take_word(p, "ELSE");
    }
    TRY(where_expect_word(p, "END", "expected WHEN, ELSE or END"));
    TRY(unify_all(p, results, result_count, &type));
    TRY(where_compose(p, WHERE_CASE, list, count, out));
    out->node->has_operand = operand;
    out->type = type;
    return RC_OK;
}

/* ---- dates ---- */

int where_shift(struct where_parser *p, struct where_term *date, const struct where_interval *by)
{
    struct where_term args[3] = {*date};
    enum where_type type = date->type;
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = by->ms}, WHERE_TYPE_NUMBER, &args[1]));
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = by->months}, WHERE_TYPE_NUMBER, &args[2]));
    return compose_function(p, FN_DATE_SHIFT, args, 3, type, date);
}

int where_date_arithmetic(struct where_parser *p, enum where_operator op, struct where_term *left, struct where_term *right)
{
    struct where_term args[3] = {*left, *right}, days[2] = {*right};
    if (right->type == WHERE_TYPE_TEXT && op == OP_SUB)
        TRY(where_unify(p, &args[0], &args[1]));
    if (args[1].type == WHERE_TYPE_DATE && op == OP_SUB)
        return compose_function(p, FN_DATE_DAYS, args, 2, WHERE_TYPE_NUMBER, left);
    if (right->type != WHERE_TYPE_NUMBER)
        return where_error(p, "an operand of the wrong type before this place");
    int64_t day = op == OP_ADD ? DAY_MS : -DAY_MS;
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = day}, WHERE_TYPE_NUMBER, &days[1]));
    TRY(where_compose(p, WHERE_ARITHMETIC, days, 2, &args[1]));
    args[1].node->op = OP_MUL;
    args[1].type = WHERE_TYPE_NUMBER;
    TRY(where_literal(p, (struct value){.kind = VALUE_INT, .i = 0}, WHERE_TYPE_NUMBER, &args[2]));
    return compose_function(p, FN_DATE_SHIFT, args, 3, WHERE_TYPE_DATE, left);
}
