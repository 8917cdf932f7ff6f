/* What the meta_*.c files share: how rows become structures, pages, and the search index. Nobody else includes this. */
#ifndef MAPFERRY_STORE_META_ROWS_H
#define MAPFERRY_STORE_META_ROWS_H

#include "store/meta.h"

/* The columns of an item, a group, a user in the order of the readers below, for "SELECT ...". Qualified by the table's name, so
 * that they can be joined. */
extern const char meta_item_columns[], meta_group_columns[], meta_user_columns[];
/* Read one row whose first columns are those; strings go into the arena. */
void meta_item_row(struct ctx *ctx, const struct sql_rows *rows, struct item *out);
void meta_group_row(struct ctx *ctx, const struct sql_rows *rows, struct group *out);
void meta_user_row(struct ctx *ctx, const struct sql_rows *rows, struct user *out);

/* Columns that hold ids and hashes; what is not one gives ID_NONE or zeros. */
id meta_id(const struct sql_rows *rows, int column);
struct hash meta_hash(const struct sql_rows *rows, int column);

/* Runs a query and reads all its rows into an array in the arena: row(ctx, rows, element). */
struct meta_query {
    const char *text;
    const struct sql_value *values;
    size_t value_count;
    size_t element_size;
    void (*row)(struct ctx *ctx, const struct sql_rows *rows, void *element);
};
int meta_list(struct ctx *ctx, struct sql_tx *tx, const struct meta_query *q, void **out, size_t *count_out);
/* The first row, RC_NOT_FOUND without one. */
int meta_first(struct ctx *ctx, struct sql_tx *tx, const struct meta_query *q, void *out);
/* RC_NOT_FOUND when the last sql_exec changed nothing. */
int meta_changed(struct sql_tx *tx);
/* The number a count query gives. */
int meta_count(struct ctx *ctx, struct sql_tx *tx, const char *text, const struct sql_value *values, size_t count, int64_t *out);

/* Orders: what a sort field (any case) means in SQL. The last row is the one for everything else and has no name. */
struct meta_order {
    const char *name;
    const char *ascending, *descending; /* the whole list after ORDER BY */
};
const char *meta_order_sql(const struct meta_order *orders, str sort_field, bool descending);
extern const struct meta_order meta_item_orders[], meta_user_orders[];

/* Search index (meta_terms.c). */
struct meta_term_field {
    int number;      /* in search_term.field: never changes its meaning */
    bool whole;      /* whole values, else words */
    bool list, html; /* how the text is written: JSON array of strings, text with tags */
    str text;
};
/* Makes the terms of those fields of the subject what the texts say; fields that are the same already cost one read. */
int meta_terms_put(struct ctx *ctx, struct sql_tx *tx, const id *subject, const struct meta_term_field *fields, size_t count);
int meta_terms_delete(struct ctx *ctx, struct sql_tx *tx, const id *subject);
/* Can the character be part of a word? */
bool meta_terms_word_char(int32_t c);
/* A whole value as it stands in the index: folded, without space around, cut. */
str meta_terms_value(struct ctx *ctx, str value);
/* Cuts the next word off a folded text; false at the end. */
bool meta_terms_word(str folded, size_t *position, str *word_out);

#endif
