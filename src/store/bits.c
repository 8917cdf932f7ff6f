/* Sets as bits: see bits.h. A million numbers are 125 KB, which a core goes through in a few microseconds, so nothing is packed.
 */
#include "store/bits.h"

struct bits bits_new(struct arena *a, size_t n)
{
    size_t words = (n + 63) / 64;
    return (struct bits){.word = arena_array(a, uint64_t, words), .words = words};
}

void bits_clear(struct bits *b) { memset(b->word, 0, b->words * sizeof *b->word); }
void bits_clear_below(struct bits *b, size_t end)
{
    memset(b->word, 0, (end / 64 < b->words ? end / 64 : b->words) * sizeof *b->word);
}
void bits_copy(struct bits *to, const struct bits *from) { memcpy(to->word, from->word, to->words * sizeof *to->word); }

void bits_or(struct bits *to, const struct bits *with)
{
    for (size_t i = 0; i < to->words; i++)
        to->word[i] |= with->word[i];
}

void bits_and(struct bits *to, const struct bits *with)
{
    for (size_t i = 0; i < to->words; i++)
        to->word[i] &= with->word[i];
}

void bits_and_not(struct bits *to, const struct bits *without)
{
    for (size_t i = 0; i < to->words; i++)
        to->word[i] &= ~without->word[i];
}

size_t bits_count(const struct bits *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->words; i++)
        n += (size_t)__builtin_popcountll(b->word[i]);
    return n;
}

bool bits_any(const struct bits *b)
{
    for (size_t i = 0; i < b->words; i++)
        if (b->word[i])
            return true;
    return false;
}

size_t bits_below(const struct bits *b, size_t limit)
{
    size_t i = limit / 64;
    if (i < b->words && limit % 64) {
        uint64_t rest = b->word[i] & (((uint64_t)1 << limit % 64) - 1);
        if (rest)
            return i * 64 + 63 - (size_t)__builtin_clzll(rest);
    }
    for (i = i < b->words ? i : b->words; i > 0; i--)
        if (b->word[i - 1])
            return (i - 1) * 64 + 63 - (size_t)__builtin_clzll(b->word[i - 1]);
    return SIZE_MAX;
}

size_t bits_from(const struct bits *b, size_t first)
{
    size_t i = first / 64;
    if (i >= b->words)
        return SIZE_MAX;
    uint64_t rest = b->word[i] & ~(((uint64_t)1 << first % 64) - 1);
    while (!rest && ++i < b->words)
        rest = b->word[i];
    return rest ? i * 64 + (size_t)__builtin_ctzll(rest) : SIZE_MAX;
}
