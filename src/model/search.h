/* The q= grammar of the Sharing API's search (api.md 3.5) as a tree. */
#ifndef MAPFERRY_MODEL_SEARCH_H
#define MAPFERRY_MODEL_SEARCH_H

#include "base/ctx.h"

enum search_kind {
    SEARCH_ALL,
    SEARCH_NOTHING,
    SEARCH_AND,
    SEARCH_OR,
    SEARCH_NOT,
    SEARCH_TERM,
    SEARCH_PHRASE,
    SEARCH_WILDCARD,
    SEARCH_RANGE
};
struct search_query {
    enum search_kind kind;
    struct search_query **children; /* AND, OR: 2 or more; NOT: 1 */
    size_t child_count;
    str field;    /* lower case ("typekeywords", "created" for uploaded); "" = the default fields */
    str text;     /* TERM, PHRASE, WILDCARD: as written, unquoted. WILDCARD has * and ? */
    str from, to; /* RANGE, STR_NONE open; bounds as written */
    bool from_inclusive, to_inclusive;
};
/* Grammar: terms, "phrases", field:value (space after the colon allowed), + and -, AND OR NOT, parentheses, [a TO b], {a TO b},
 * wildcards, ~ and ^ suffixes accepted and ignored. Neighbouring terms are ANDed. Empty text gives SEARCH_NOTHING, "*"
 * SEARCH_ALL. Depth and size limited; ERR_INVALID says where a text is not understood. */
int search_parse(struct ctx *ctx, str q, struct search_query **out);
/* ANDs a second query onto the first (filter=). */
struct search_query *search_and(struct ctx *ctx, struct search_query *a, struct search_query *b);

#endif
