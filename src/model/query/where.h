/* Where-clauses (standardized SQL of the FeatureServer) as a tree with resolved fields. They never reach a database as text. */
#ifndef MAPFERRY_MODEL_QUERY_WHERE_H
#define MAPFERRY_MODEL_QUERY_WHERE_H

#include "model/layer.h"

enum where_kind {
    /* conditions */
    WHERE_AND,
    WHERE_OR,
    WHERE_NOT,
    WHERE_COMPARE,
    WHERE_IN,
    WHERE_BETWEEN,
    WHERE_LIKE,
    WHERE_IS_NULL,
    WHERE_TRUE,
    WHERE_FALSE,
    /* operands */
    WHERE_FIELD,
    WHERE_LITERAL,
    WHERE_FUNCTION,
    WHERE_ARITHMETIC
};
enum where_operator { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_CONCAT };
enum where_function {
    FN_UPPER,
    FN_LOWER,
    FN_CHAR_LENGTH,
    FN_ABS,
    FN_TRIM,
    FN_SUBSTRING,
    FN_ROUND,
    FN_FLOOR,
    FN_CEILING,
    FN_COUNT
};
struct where {
    enum where_kind kind;
    enum where_operator op; /* COMPARE, ARITHMETIC */
    enum where_function function;
    bool negated;         /* IN, BETWEEN, LIKE, IS NULL */
    size_t field;         /* FIELD: index in the layer */
    struct value literal; /* LITERAL; dates are VALUE_INT ms with is_date */
    bool is_date;
    char escape;         /* LIKE … ESCAPE 'c', 0 none */
    struct where **args; /* operands or children */
    size_t arg_count;
};
/* Parses against a layer: unknown fields, types that do not fit, and anything outside the grammar are ERR_INVALID naming the
 * place. Limits: 64 KiB of text, depth 100, 10,000 nodes. An empty text gives NULL (all). "1=1" is understood. Dates: DATE '…',
 * TIMESTAMP '…', plain strings and epoch milliseconds compared with date fields. CURRENT_TIMESTAMP by the context's clock, with
 * +/- INTERVAL 'n' DAY etc. */
int where_parse(struct ctx *ctx, str text, const struct layer *l, struct where **out);

#endif
