/* Sets of small numbers as bits: what a search has found so far. All sets of one search have the same size. */
#ifndef MAPFERRY_STORE_BITS_H
#define MAPFERRY_STORE_BITS_H

#include "base/arena.h"

struct bits {
    uint64_t *word;
    size_t words;
};

/* An empty set of numbers below n, in the arena. */
struct bits bits_new(struct arena *a, size_t n);
void bits_clear(struct bits *b);
void bits_copy(struct bits *to, const struct bits *from);
void bits_or(struct bits *to, const struct bits *with);
void bits_and(struct bits *to, const struct bits *with);
void bits_and_not(struct bits *to, const struct bits *without);
void bits_clear_below(struct bits *b, size_t end); /* end: a multiple of 64 */
size_t bits_count(const struct bits *b);
bool bits_any(const struct bits *b);
/* The greatest element below `limit`, SIZE_MAX when there is none. */
size_t bits_below(const struct bits *b, size_t limit);
/* The least element from `first` on, SIZE_MAX when there is none. */
size_t bits_from(const struct bits *b, size_t first);

static inline bool bits_has(const struct bits *b, size_t n)
{
    return n / 64 < b->words && (b->word[n / 64] >> (n % 64) & 1) != 0;
}
/* Numbers beyond the size are ignored: they are rows that came later. */
static inline void bits_set(struct bits *b, size_t n)
{
    if (n / 64 < b->words)
        b->word[n / 64] |= (uint64_t)1 << (n % 64);
}
static inline void bits_unset(struct bits *b, size_t n)
{
    if (n / 64 < b->words)
        b->word[n / 64] &= ~((uint64_t)1 << (n % 64));
}

#endif
