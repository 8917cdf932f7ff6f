/* What the meta_*.c files share: how rows become structures, pages, and the search index. Nobody else includes this. */
#ifndef MAPFERRY_STORE_META_ROWS_H
#define MAPFERRY_STORE_META_ROWS_H

#include "store/meta.h"

/* The columns of an item, a group, a user in the order of the readers below, for "SELECT ...". Qualified by the table's name, so
 * that they can be joined. */
extern const char meta_item_columns[], meta_group_columns[], meta_user_columns[];
/* Those of a group as a literal, for statements that are run for each request. */
#define META_GROUP_COLUMNS                                                                                                       \
    "portal_group.id, portal_group.title, portal_group.owner, portal_group.description, portal_group.snippet, "                  \
    "portal_group.phone, portal_group.thumbnail, portal_group.tags, portal_group.sort_field, portal_group.sort_order, "          \
    "portal_group.access, portal_group.is_view_only, portal_group.is_invitation_only, portal_group.auto_join, "                  \
    "portal_group.is_read_only, portal_group.hidden_members, portal_group.leaving_disallowed, portal_group.protected, "          \
    "portal_group.update_item_control, portal_group.membership_access, portal_group.display_settings, "                          \
    "portal_group.created, portal_group.modified, portal_group.favourites, "                                                     \
    "CASE WHEN EXISTS (SELECT 1 FROM category_schema WHERE category_schema.owner = portal_group.id) THEN 1 ELSE 0 END"
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

/* A statement ending in "RETURNING number" that concerns one row; RC_NOT_FOUND when there was none. */
int meta_number(struct ctx *ctx, struct sql_tx *tx, int64_t *number_out, const char *text, const struct sql_value *values,
                size_t count);

/* Orders: what a sort field (any case) means in SQL. The last row is the one for everything else and has no name. */
struct meta_order {
    const char *name;
    const char *ascending, *descending; /* the whole list after ORDER BY */
    unsigned columns;                   /* in it, at most 3 */
    bool number;                        /* is the first one a number? The others are texts */
    unsigned packed;                    /* of items: 1 + the packed column that has it, 0 none */
    bool computed;                      /* of searches alone, not from columns */
};
const struct meta_order *meta_order_find(const struct meta_order *orders, str sort_field);
const char *meta_order_sql(const struct meta_order *orders, str sort_field, bool descending);
extern const struct meta_order meta_item_orders[], meta_user_orders[];

/* Search index (meta_terms.c). Subjects are items, groups and users by their numbers (meta_postings.h says how they count). */
#define META_SUBJECT_NUMBER(table, first) "(SELECT COALESCE(MAX(number) + 3, " first ") FROM " table ")"
struct meta_term_field {
    int64_t bit;     /* meta_search_fields.h: says also whether words or whole values */
    bool list, html; /* how the text is written: JSON array of strings, text with tags */
    str text;
};
/* Makes the terms of the subject what the texts say: all its fields are given. Nothing changed costs one read. */
int meta_terms_put(struct ctx *ctx, struct sql_tx *tx, int64_t subject, const struct meta_term_field *fields, size_t count);
int meta_terms_delete(struct ctx *ctx, struct sql_tx *tx, int64_t subject);
/* A term that comes and goes by itself: `on` or off. */
int meta_terms_mark(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str word, int64_t field, bool on);
/* Of search_text.content: the next field, which moves on *rest; false at the end. */
bool meta_terms_section(str *rest, int64_t *field_out, str *lines_out);
/* Of search_text.content: the lines of a field, each followed by a line feed. Words between spaces (" fire maps "), or a whole
 * value as it was written. */
str meta_terms_lines(str text, int64_t field);
/* Make the terms of a row that its reader above reads. */
int meta_item_index(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number);
int meta_group_index(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number);
int meta_user_index(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number);
int meta_shares_index(struct ctx *ctx, struct sql_tx *tx, int64_t number, const id *item); /* the terms that follow the shares */
/* Before an item or group goes (meta_share.c): its shares, and what the search index says about them. */
int meta_shares_of_item_end(struct ctx *ctx, struct sql_tx *tx, const id *item);
int meta_shares_of_group_end(struct ctx *ctx, struct sql_tx *tx, const id *group);
/* The number of a word (meta_words.c), a new one for a word that was never there. Inside a write only. */
int meta_words_number(struct ctx *ctx, struct sql_tx *tx, str word, int64_t *out);
int meta_words_find(struct ctx *ctx, struct sql_tx *tx, str word, int64_t *out); /* 0 when it was never there */
/* Can the character be part of a word? */
bool meta_terms_word_char(int32_t c);
/* A whole value as it stands in the index: without space around, cut, folded unless case counts in the field. */
str meta_terms_value(struct ctx *ctx, str value, int64_t field);
/* Cuts the next word off a folded text; false at the end. */
bool meta_terms_word(str folded, size_t *position, str *word_out);

#endif
