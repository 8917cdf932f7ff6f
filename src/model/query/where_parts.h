/* What the parser of where-clauses and its type rules share; no other file includes it. */
#ifndef MAPFERRY_MODEL_QUERY_WHERE_PARTS_H
#define MAPFERRY_MODEL_QUERY_WHERE_PARTS_H

#include "model/query/where.h"

enum { WHERE_TEXT_MAX = 64 * 1024, WHERE_DEPTH_MAX = 100, WHERE_NODES_MAX = 10000 };

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
};

/* ERR_INVALID naming the place that was reached. */
int where_error(struct where_parser *p, const char *what);
enum where_type where_type_of_field(enum field_type t);
/* Makes two operands comparable: a literal takes the type of the other side. */
int where_unify(struct where_parser *p, struct where_term *a, struct where_term *b);
/* Adds `count` units to a date (ms), months by the calendar; unit in any case. False: unknown unit or not a number. */
bool where_interval_add(int64_t *ms, str count, str unit, int sign);
/* The truth of a comparison of two literals of one kind; false when they are not that. */
bool where_fold(const struct where *a, const struct where *b, enum where_operator op, bool *out);

#endif
