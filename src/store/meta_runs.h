/* Lists of a block of items, for questions that the sets of single words cannot answer at a bounded price: pairs of neighbouring
 * words with their positions (phrases), words and whole values by their letters (patterns), and the values that are counted. A
 * block of 4,096 items has about 500 of them, each one a row that is read alone. Nobody but the search and meta_terms.c includes
 * this. */
#ifndef MAPFERRY_STORE_META_RUNS_H
#define MAPFERRY_STORE_META_RUNS_H

#include "store/meta_postings.h"
#include "store/meta_scan.h"

/* Stored in the database, behind the columns of meta_columns.h: never another meaning. */
enum meta_run {
    RUN_PAIRS = 16, /* key: a hash of both words; buckets by the hash */
    RUN_WORDS,      /* key: a word; buckets by the first letters, in their order */
    RUN_VALUES,     /* key: a whole value as it is compared; buckets likewise */
    RUN_COUNTS,     /* key: a value as it was written; buckets are the fields that are counted */
    RUNS_END
};

/* A posting, from the high bits: 12 of place in the block, 4 of field, and of pairs 16 of position in the field. Fields count
 * from 0, whole values and words apart. */
static inline unsigned meta_run_field(int64_t field) { return (unsigned)__builtin_ctzll((unsigned long long)field) % 16; }

/* The places below *place_out have their lists; a multiple of the block. */
int meta_runs_end(struct ctx *ctx, struct sql_tx *tx, int64_t *place_out);
/* Makes the lists of the next block that is full; *more_out: there was one. */
int meta_runs_follow(struct ctx *ctx, struct sql_tx *tx, bool *more_out);
/* When the text of a subject changes: its part in the lists of its block, when there are any. */
int meta_runs_change(struct ctx *ctx, struct sql_tx *tx, int64_t subject, str before, str now);
/* Do the lists say what the texts say? Calls differs(arg, block) for each block where they do not. */
int meta_runs_check(struct ctx *ctx, struct sql_tx *tx, void (*differs)(void *arg, int64_t block), void *arg);

/* ---- reading ---- */

/* One list, empty when there is none; valid until the scan moves. The lists of a bucket lie block by block. */
struct meta_run_list {
    str rest;
    bool wide;
};
int meta_run_get(struct ctx *ctx, struct sql_tx *tx, struct meta_scan *scan, enum meta_run run, unsigned bucket, int64_t block,
                 struct meta_run_list *out);
/* The next key with its postings, ascending; false at the end. */
struct meta_run_group {
    str key;
    const uint8_t *postings;
    size_t count;
};
bool meta_run_next(struct meta_run_list *l, struct meta_run_group *out);
static inline uint32_t meta_run_posting(const struct meta_run_list *l, const struct meta_run_group *g, size_t i)
{
    const uint8_t *p = g->postings + i * (l->wide ? 4 : 2);
    uint32_t low = p[0] | (uint32_t)p[1] << 8;
    return l->wide ? low | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : low;
}
static inline unsigned meta_run_place(uint32_t posting) { return posting >> 4 & (META_BLOCK - 1); } /* of one without position */

/* Where a pair of words is; "" is the beginning and the end of a line. */
struct meta_pair {
    unsigned bucket;
    uint8_t key[5];
};
struct meta_pair meta_pair_of(str first, str second);
/* The buckets of the words or values that begin with the prefix, which is not empty: at most META_RUN_LETTER_BUCKETS. */
enum { META_RUN_LETTER_BUCKETS = 5 };
void meta_run_buckets(str prefix, unsigned *first_out, unsigned *last_out);

#endif
