/* What the parser of where-clauses and its type rules share; no other file includes it. */
#ifndef MAPFERRY_MODEL_QUERY_WHERE_PARTS_H
#define MAPFERRY_MODEL_QUERY_WHERE_PARTS_H

#include "model/query/where.h"

enum { WHERE_TEXT_MAX = 64 * 1024, WHERE_DEPTH_MAX = 100, WHERE_NODES_MAX = 10000 };

struct where_term {
    struct where *node;
    enum where_type type;
    unsigned depth;
};
struct where_parser {
    struct ctx *ctx;
    const struct layer *layer;
    str text;
    size_t at;
    unsigned nodes, depth;
    const struct where_output *outputs; /* of a having clause, else NULL */
    size_t output_count;
    bool in_aggregate;
};

/* ERR_INVALID naming the place that was reached. */
int where_error(struct where_parser *p, const char *what);
/* Makes two operands comparable: a literal takes the type of the other side. */
int where_unify(struct where_parser *p, struct where_term *a, struct where_term *b);
/* What INTERVAL 'count' unit [TO last] adds; unit in any case, last "" without TO. False: unknown units or not such a number. */
struct where_interval {
    int64_t ms, months;
};
bool where_interval_parse(str count, str unit, str last, struct where_interval *out);
bool where_unit_parse(str name, enum where_unit *out);
/* The truth of a comparison of two literals of one kind; false when they are not that. */
bool where_fold(const struct where *a, const struct where *b, enum where_operator op, bool *out);

/* ---- where.c: words, nodes and values, for where_function.c ---- */
/* The next character that is no space, 0 at the end. */
char where_peek(struct where_parser *p);
/* The word that comes next, "" when something else does. */
str where_next_word(struct where_parser *p);
bool where_take_word(struct where_parser *p, const char *word);
bool where_take_sign(struct where_parser *p, const char *sign);
int where_expect_sign(struct where_parser *p, const char *sign, const char *what);
int where_expect_word(struct where_parser *p, const char *word, const char *what);
int where_parse_sum(struct where_parser *p, struct where_term *out);
int where_parse_or(struct where_parser *p, struct where_term *out);
int where_literal(struct where_parser *p, struct value v, enum where_type type, struct where_term *out);
/* A node over terms; the caller gives it its type when it is no condition. */
int where_compose(struct where_parser *p, enum where_kind kind, const struct where_term *terms, size_t count,
                  struct where_term *out);

/* ---- where_function.c ---- */
/* name(…): the name is next, and a parenthesis after it. */
int where_parse_function(struct where_parser *p, str name, struct where_term *out);
/* After the word CASE. */
int where_parse_case(struct where_parser *p, struct where_term *out);
/* A date and what is added to it: FN_DATE_SHIFT. */
int where_shift(struct where_parser *p, struct where_term *date, const struct where_interval *by);
/* Date + number of days, date - number of days, date - date. */
int where_date_arithmetic(struct where_parser *p, enum where_operator op, struct where_term *left, struct where_term *right);

#endif
