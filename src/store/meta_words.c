/* The numbers of the words of the search index. A word keeps its number for ever, so what was looked up once is remembered by the
 * connection that writes: an item's words are mostly those of the items before it. */
#include "store/meta_rows.h"

enum {
    KNOWN_WORDS = 4096,    /* a power of two */
    KNOWN_WORD_BYTES = 23, /* a longer word is looked up each time */
};

/* Where a word can be: its own slot or nowhere. All zeros is the empty slot: no word has the number 0. */
struct known_word {
    int64_t number;
    uint8_t length;
    char text[KNOWN_WORD_BYTES];
};
struct known_words {
    struct known_word slot[KNOWN_WORDS];
};

/* NULL for a word that is too long. */
static struct known_word *slot_of(struct sql_tx *tx, str word)
{
    if (word.n > KNOWN_WORD_BYTES)
        return NULL;
    struct known_words *known = sql_tx_memory(tx, sizeof *known);
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < word.n; i++)
        h = (h ^ (uint8_t)word.p[i]) * 1099511628211u;
    return &known->slot[(h ^ h >> 32) % KNOWN_WORDS];
}

static bool is_known(const struct known_word *k, str word)
{
    return k->number != 0 && k->length == word.n && memcmp(k->text, word.p, word.n) == 0;
}

static int number_get(struct ctx *ctx, struct sql_tx *tx, str word, int64_t *out)
{
    return sql_query_int(ctx, tx, out, "SELECT number FROM search_word WHERE word = ?", (struct sql_value[]){SQL_S(word)}, 1);
}

static int number_create(struct ctx *ctx, struct sql_tx *tx, str word, int64_t *out)
{
    return sql_query_int(
        ctx, tx, out,
        "INSERT INTO search_word (number, word) VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM search_word), ?) "
        "RETURNING number",
        (struct sql_value[]){SQL_S(word)}, 1);
}

int meta_words_number(struct ctx *ctx, struct sql_tx *tx, str word, int64_t *out)
{
    struct known_word *k = slot_of(tx, word);
    if (k && is_known(k, word)) {
        *out = k->number;
        return RC_OK;
    }
    int rc = number_get(ctx, tx, word, out);
    if (rc == RC_END)
        rc = number_create(ctx, tx, word, out);
    if (rc != RC_OK || !k)
        return rc;
    *k = (struct known_word){.number = *out, .length = (uint8_t)word.n};
    memcpy(k->text, word.p, word.n);
    return RC_OK;
}

int meta_words_find(struct ctx *ctx, struct sql_tx *tx, str word, int64_t *out)
{
    *out = 0;
    int rc = number_get(ctx, tx, word, out);
    return rc == RC_END ? RC_OK : rc;
}
