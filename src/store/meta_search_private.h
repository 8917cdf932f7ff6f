/* What the parts of the search share; nobody else includes this.
 *
 * A search works on sets of places (bits.h) of one kind: the tree of the query is evaluated to a set within what the viewer sees
 * (meta_search_eval.c, with leaves from the index and from columns), then it is put into order and its page read
 * (meta_search_rank.c), and values are counted over it (meta_search_counts.c). */
#ifndef MAPFERRY_STORE_META_SEARCH_PRIVATE_H
#define MAPFERRY_STORE_META_SEARCH_PRIVATE_H

#include "model/search.h"
#include "store/meta_columns.h"
#include "store/meta_runs.h"
#include "store/meta_search_fields.h"

enum {
    META_SEARCH_MOST = 10000, /* matches that are counted, ranked, and that pages reach */
};

enum meta_field_kind {
    FIELD_WORDS,  /* words in the index */
    FIELD_WHOLE,  /* whole values in the index */
    FIELD_TEXT,   /* a column or expression that is folded */
    FIELD_NUMBER, /* a column of numbers or times */
    FIELD_PACKED, /* one that is in the packed columns */
    FIELD_FLAG,   /* a column that is 0 or 1 */
    FIELD_ACCESS, /* whole values in the index; of items, "shared" is private and in a group */
    FIELD_GROUP,  /* id of a group the item is shared to */
    FIELD_ORG,    /* the one organization */
};

struct meta_field {
    const char *name;
    enum meta_field_kind kind;
    enum meta_term_field_bit bit; /* WORDS, WHOLE, ACCESS, GROUP */
    unsigned weight;              /* searched when no field is named, and how much it says about relevance */
    bool own;                     /* in what is the viewer's own only, unless by administrators */
    bool confidential;            /* by administrators only, who see it in what is found */
    const char *column;           /* TEXT, NUMBER, FLAG */
    enum meta_column packed;      /* PACKED */
};

struct meta_entity {
    enum meta_kind kind;
    const char *table;
    const struct meta_field *fields; /* up to one without name */
    int64_t access;                  /* field: its values are the access words */
    const char *own; /* SQL: the numbers of what the viewer sees for other reasons; binds the username once or twice */
    unsigned own_values;
    bool in_groups; /* what is shared to the viewer's groups is seen */
};
extern const struct meta_entity meta_item_entity, meta_group_entity, meta_user_entity;

struct meta_search {
    struct ctx *ctx;
    struct sql_tx *tx;
    const struct meta_entity *entity;
    const struct viewer *who;
    size_t size; /* of every set */
};

/* An empty set for this search. */
static inline struct bits meta_search_set(const struct meta_search *s) { return bits_new(s->ctx->arena, s->size); }

/* ---- meta_search_fields.c ---- */
/* NULL: nothing has a field that nobody knows, or that the viewer may not search by. */
const struct meta_field *meta_field_find(const struct meta_entity *e, const struct viewer *who, str name);
/* The fields that are searched when none is named, of that weight; weight 0: of any. */
int64_t meta_fields_standard(const struct meta_entity *e, const struct viewer *who, unsigned weight);

/* ---- meta_search_eval.c ---- */
/* What the viewer sees. */
int meta_search_visible(const struct meta_search *s, struct bits *out);
/* Makes *out the subset of `within` that the query finds. limit > 0: when more than that many are found, the newest ones will
 * do. */
int meta_search_eval(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                     struct bits *out);
/* Adds the places that have the word in one of the fields. */
int meta_search_word(const struct meta_search *s, int64_t fields, str word, struct bits *into);
/* Adds the places that have the whole value in the field. */
int meta_search_value(const struct meta_search *s, int64_t field, str value, struct bits *into);

/* ---- meta_search_rows.c ---- */
/* Reads a row for each element of the set, newest first: `columns` of the table, whose column `number` names the subject. see
 * gives RC_END to stop early. `number` has to be the last one of the columns. */
struct meta_search_reading {
    const char *columns, *table, *number;
    int number_column;
    int (*see)(void *arg, size_t place, const struct sql_rows *rows);
    void *arg;
};
int meta_search_rows(const struct meta_search *s, const struct bits *set, const struct meta_search_reading *r);

/* ---- meta_search_words.c: leaves over the words of fields; the result is right within `within` ---- */
int meta_search_words(const struct meta_search *s, int64_t fields, const struct search_query *q, const struct bits *within,
                      size_t limit, struct bits *out);
/* The words of a text, folded; in the arena. */
struct meta_word_list {
    str *list;
    size_t count;
};
struct meta_word_list meta_search_split(struct ctx *ctx, str text);
/* ---- meta_search_phrase.c ---- */
/* Adds those of `within` where the words stand in a row in one of the fields, or are all of it, or are near each other, as q
 * says. */
int meta_search_phrase(const struct meta_search *s, int64_t fields, const struct search_query *q,
                       const struct meta_word_list *words, const struct bits *within, size_t limit, struct bits *out);
/* The whole values that a pattern, a range or a near word gives. */
int meta_search_values(const struct meta_search *s, int64_t field, const struct search_query *q, const struct bits *within,
                       size_t limit, struct bits *out);
/* The numbers of the words that a fuzzy term stands for. */
int meta_search_near(const struct meta_search *s, const struct search_query *q, int64_t **out, size_t *count_out);

/* ---- meta_search_pattern.c ---- */
/* Adds those of `within`, which are items, where a word or whole value of the fields is as the pattern says; the pattern is as
 * values are compared and begins with no star. */
int meta_search_pattern(const struct meta_search *s, int64_t fields, str pattern, const struct bits *within, size_t limit,
                        struct bits *out);

/* ---- meta_search_column.c: leaves over columns of the subject's row ---- */
int meta_search_column(const struct meta_search *s, const struct meta_field *f, const struct search_query *q, struct bits *out);
int meta_search_number(const struct meta_search *s, const struct meta_field *f, const struct search_query *q,
                       const struct bits *within, struct bits *out);
int meta_search_group(const struct meta_search *s, const struct search_query *q, struct bits *out);
int meta_search_org(const struct meta_search *s, const struct search_query *q, const struct bits *within, struct bits *out);
int meta_search_box(const struct meta_search *s, const struct search_box *box, const struct bits *within, struct bits *out);
/* A condition on a text: equal, a pattern, a range; appended to `sql`, its values to `values`. */
struct meta_condition {
    struct buf sql;
    struct sql_value *values;
    size_t count, capacity;
};
void meta_condition_text(struct ctx *ctx, struct meta_condition *c, const char *expression, const struct search_query *q,
                         str (*prepare)(struct ctx *, str));

/* ---- meta_search_counts.c ---- */
enum meta_term_field_bit meta_count_field_bit(enum meta_count_field f);
/* Counts over the newest `most` of the found ones. */
int meta_search_count(const struct meta_search *s, const struct bits *found, size_t most, struct meta_value_counts *counts,
                      size_t count);

/* ---- meta_search_rank.c ---- */
/* The places of a page of the found ones, in order. */
int meta_search_page(const struct meta_search *s, const struct search_query *q, const struct bits *found,
                     const struct meta_search_page *page, const struct meta_order *orders, int64_t **subjects_out,
                     size_t *count_out);

#endif
