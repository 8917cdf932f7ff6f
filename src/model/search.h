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
    SEARCH_RANGE,
    SEARCH_BOX
};
enum { SEARCH_EDITS_MAX = 2 }; /* letters by which a fuzzy word may differ */
/* Degrees; xmin > xmax crosses the antimeridian. */
struct search_box {
    double xmin, ymin, xmax, ymax;
};
struct search_query {
    enum search_kind kind;
    struct search_query **children; /* AND, OR: 2 or more; NOT: 1 */
    size_t child_count;
    str field;    /* lower case ("typekeywords", "created" for uploaded); "" = the default fields */
    str text;     /* TERM, PHRASE, WILDCARD: as written, unquoted. WILDCARD has * and ? */
    str from, to; /* RANGE, STR_NONE open; bounds as written */
    bool from_inclusive, to_inclusive;
    bool whole;            /* of a filter: the field has this value and no other words */
    double similarity;     /* TERM with "~0.8": how like the word has to be; 1 = equal */
    unsigned edits;        /* TERM with "~" or "~2": how many letters may differ; PHRASE: how many words may stand between */
    double boost;          /* "^3": weight in the ranking */
    struct search_box box; /* BOX: items whose extent meets it */
};
/* Grammar: terms, "phrases", field:value (space after the colon allowed), + and -, AND OR NOT, parentheses, [a TO b], {a TO b},
 * wildcards, word~ word~2 word~0.8 "two words"~3, ^3. Neighbouring terms are ANDed. Empty text gives SEARCH_NOTHING, "*"
 * SEARCH_ALL. Depth and size limited; ERR_INVALID says where a text is not understood. */
int search_parse(struct ctx *ctx, str q, struct search_query **out);
/* The same for filter=: what is quoted or a plain term has to be the whole value of its field. */
int search_parse_filter(struct ctx *ctx, str filter, struct search_query **out);
/* bbox=: "xmin,ymin,xmax,ymax" in degrees; NULL for an empty text. ERR_INVALID. */
int search_parse_box(struct ctx *ctx, str bbox, struct search_query **out);
/* categories=: a JSON array of up to 8 strings, of which each holds up to 8 categories between commas, or such a string alone:
 * one of each string has to be there. categoryFilters=: up to 3 terms between commas, each in a category. NULL for an empty text.
 * ERR_INVALID. */
int search_parse_categories(struct ctx *ctx, str categories, struct search_query **out);
int search_parse_category_filters(struct ctx *ctx, str filters, struct search_query **out);
/* The field has one of the values. */
struct search_query *search_any(struct ctx *ctx, str field, const str *values, size_t count);
/* ANDs a second query onto the first; either may be NULL. */
struct search_query *search_and(struct ctx *ctx, struct search_query *a, struct search_query *b);

/* Can `a` become `b` by at most `edits` changes: a letter put in, left out, exchanged, or two neighbours exchanged? */
bool search_near(str a, str b, unsigned edits);
/* Is all of the text what the pattern says? * stands for anything, ? for one character. */
bool search_matches(str pattern, str text);

#endif
