/* Which subjects have a word, and in which fields: the inverted index under meta_terms.c (writing) and meta_search.c (reading).
 * Nobody else includes this. */
#ifndef MAPFERRY_STORE_META_POSTINGS_H
#define MAPFERRY_STORE_META_POSTINGS_H

#include "store/bits.h"
#include "store/meta_rows.h"

/* Items, groups and users have the numbers 1, 2 and 3 and from there each third: a number says which row of which table is meant.
 * The place of a subject is its number counted within its kind, from 0. */
enum meta_kind { META_ITEM, META_GROUP, META_USER, META_KINDS };
static inline enum meta_kind meta_kind_of(int64_t subject) { return (enum meta_kind)((subject - 1) % META_KINDS); }
static inline int64_t meta_place_of(int64_t subject) { return (subject - 1) / META_KINDS; }
static inline int64_t meta_subject_of(enum meta_kind kind, size_t place)
{
    return (int64_t)place * META_KINDS + (int64_t)kind + 1;
}

enum { META_BLOCK = 4096 }; /* places of a packed block */

/* A subject whose words are about to change. Begins a new block when it is the first one of it: those before it are packed. */
struct meta_posted {
    int64_t subject;
    bool packed;
};
int meta_postings_open(struct ctx *ctx, struct sql_tx *tx, int64_t subject, struct meta_posted *out);
/* Takes the bits `gone` from the fields that have the word and adds `come`. */
int meta_postings_change(struct ctx *ctx, struct sql_tx *tx, const struct meta_posted *posted, int64_t word, int64_t gone,
                         int64_t come);
/* Adds the places of the kind that have the word in one of the fields (bits) to `into`. A word may be asked for several sets of
 * fields at once. */
struct meta_want {
    int64_t fields;
    struct bits *into;
};
int meta_postings_read(struct ctx *ctx, struct sql_tx *tx, enum meta_kind kind, int64_t word, const struct meta_want *wants,
                       size_t count);
/* The same of all words that `condition` on search_word.word (with its values) gives. */
int meta_postings_read_where(struct ctx *ctx, struct sql_tx *tx, enum meta_kind kind, const char *condition,
                             const struct sql_value *values, size_t value_count, const struct meta_want *want);

#endif
