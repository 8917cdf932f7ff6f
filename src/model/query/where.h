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
    WHERE_ARITHMETIC,
    WHERE_CASE,
    WHERE_AGGREGATE
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
    FN_TRIM_LEFT, /* text, characters; as TRIM with two */
    FN_TRIM_RIGHT,
    FN_POSITION, /* in which text, what; 0 not there */
    FN_CONCAT,   /* any values; no value is no text */
    FN_TRUNCATE,
    FN_SIGN,
    FN_SQRT,
    FN_POWER,
    FN_LOG, /* natural */
    FN_LOG10,
    FN_EXP,
    FN_MOD,
    FN_SIN,
    FN_COS,
    FN_TAN,
    FN_ASIN,
    FN_ACOS,
    FN_ATAN,
    FN_ATAN2,
    FN_NULLIF,
    FN_COALESCE,
    FN_EXTRACT,    /* date, day or time; literal of enum where_unit */
    FN_DATE_SHIFT, /* date or day; milliseconds; literal months */
    FN_DATE_DAYS,  /* days from the second date to the first */
    FN_CAST_TEXT,  /* value, most characters (0: any) */
    FN_CAST_INTEGER,
    FN_CAST_REAL,
    FN_CAST_DAY, /* midnight of that day, as a date */
    FN_CAST_DATE,
    FN_COUNT
};
enum where_unit { UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_MONTH, UNIT_WEEK, UNIT_YEAR };
enum where_statistic {
    STATISTIC_COUNT, /* without argument: of rows */
    STATISTIC_SUM,
    STATISTIC_MIN,
    STATISTIC_MAX,
    STATISTIC_AVG,
    STATISTIC_STDDEV,
    STATISTIC_VAR,
    STATISTIC_PERCENTILE_CONT,
    STATISTIC_PERCENTILE_DISC,
    STATISTIC_ENVELOPE, /* of geometry: no argument */
    STATISTIC_CENTROID,
    STATISTIC_HULL,
    STATISTIC_KINDS
};
/* What a part of a clause stands for. The date types differ in how their fields are stored. */
enum where_type {
    WHERE_TYPE_CONDITION,
    WHERE_TYPE_NUMBER,
    WHERE_TYPE_TEXT,
    WHERE_TYPE_GUID,
    WHERE_TYPE_DATE,
    WHERE_TYPE_DATE_ONLY,
    WHERE_TYPE_TIME,
    WHERE_TYPE_BLOB,
    WHERE_TYPE_NULL
};
struct where {
    enum where_kind kind;
    enum where_operator op; /* COMPARE, ARITHMETIC */
    enum where_function function;
    enum where_statistic statistic;
    double fraction;      /* of a percentile, 0 to 1 */
    bool negated;         /* IN, BETWEEN, LIKE, IS NULL; a percentile counted from the greatest value */
    bool has_operand;     /* CASE: the first argument is compared with those after WHEN */
    size_t field;         /* FIELD: index in the layer */
    struct value literal; /* LITERAL; dates are VALUE_INT ms with is_date */
    bool is_date;
    char escape;         /* LIKE … ESCAPE 'c', 0 none */
    struct where **args; /* operands or children; CASE: [operand,] pairs of WHEN and THEN [, ELSE] */
    size_t arg_count;
};
/* Parses against a layer: unknown fields, types that do not fit, and anything outside the grammar are ERR_INVALID naming the
 * place. Limits: 64 KiB of text, depth 100, 10,000 nodes. An empty text gives NULL (all). "1=1" is understood. Dates: DATE '…',
 * TIMESTAMP '…', plain strings and epoch milliseconds compared with date fields; +/- INTERVAL 'n' DAY etc. after any date.
 * CURRENT_TIMESTAMP by the context's clock. */
int where_parse(struct ctx *ctx, str text, const struct layer *l, struct where **out);
/* A value instead of a condition: a field, or what is calculated from fields. */
int where_parse_value(struct ctx *ctx, str text, const struct layer *l, struct where **out, enum where_type *type_out);

/* What a query over groups of rows answers with: values that rows are grouped by, and aggregates. */
struct where_output {
    str name;
    struct where *tree;
    enum where_type type;
};
/* The condition of `having`: aggregates as SUM(field), COUNT(*), and the names of outputs, any case. */
int where_parse_having(struct ctx *ctx, str text, const struct layer *l, const struct where_output *outputs, size_t count,
                       struct where **out);
/* The type of an aggregate's result over values of that type; false when it has none over them. */
bool where_statistic_type(enum where_statistic s, enum where_type argument, enum where_type *out);

enum where_type where_type_of_field(enum field_type t);
/* A date (ms) moved by milliseconds and months of the calendar; false when it leaves the years that we know. */
bool where_date_shift(int64_t *ms, int64_t add, int64_t months);

#endif
