/* The inverted index. The newest subjects of a kind (up to a block of them) have a row for each word: a row is cheap to add, and
 * the table stays small. When a block is full, its rows become packed sets, one for each word and field: cheap to read, since a
 * word of half a million items is 125 KB in 244 rows.
 *
 * A packed set is the places in the block, relative to its beginning, as two bytes each, low byte first, ascending; or, when that
 * would be no shorter, 4,096 bits in 512 bytes, low bit first. The length tells which. */
#include "store/meta_postings.h"

enum {
    SET_BYTES = META_BLOCK / 8,
    SET_WORDS = META_BLOCK / 64,
    LIST_MAX = SET_BYTES / 2 - 1, /* elements that are still shorter than the bits */
    FIELDS = 32,
};

struct set {
    uint64_t word[SET_WORDS];
};

/* ---- packed sets ---- */

static void set_read(str packed, struct set *out)
{
    const uint8_t *p = (const uint8_t *)packed.p;
    memset(out, 0, sizeof *out);
    if (packed.n == SET_BYTES)
        for (size_t i = 0; i < SET_BYTES; i++)
            out->word[i / 8] |= (uint64_t)p[i] << (i % 8 * 8);
    else
        for (size_t i = 0; i + 1 < packed.n; i += 2) {
            unsigned place = (p[i] | (unsigned)p[i + 1] << 8) % META_BLOCK;
            out->word[place / 64] |= (uint64_t)1 << (place % 64);
        }
}

/* Returns the length; 0 for an empty set. */
static size_t set_print(const struct set *s, uint8_t out[SET_BYTES])
{
    size_t count = 0, n = 0;
    for (size_t i = 0; i < SET_WORDS; i++)
        count += (size_t)__builtin_popcountll(s->word[i]);
    if (count > LIST_MAX) {
        for (size_t i = 0; i < SET_BYTES; i++)
            out[i] = (uint8_t)(s->word[i / 8] >> (i % 8 * 8));
        return SET_BYTES;
    }
    for (size_t i = 0; i < SET_WORDS; i++)
        for (uint64_t rest = s->word[i]; rest; rest &= rest - 1) {
            unsigned place = (unsigned)(i * 64) + (unsigned)__builtin_ctzll(rest);
            out[n++] = (uint8_t)place;
            out[n++] = (uint8_t)(place >> 8);
        }
    return n;
}

/* Adds a packed set to the places of its block. */
static void set_add(str packed, int64_t block, struct bits *into)
{
    const uint8_t *p = (const uint8_t *)packed.p;
    size_t first = (size_t)block * META_BLOCK;
    if (packed.n == SET_BYTES && first / 64 + SET_WORDS <= into->words) {
        uint64_t *to = into->word + first / 64;
        for (size_t i = 0; i < SET_BYTES; i++)
            to[i / 8] |= (uint64_t)p[i] << (i % 8 * 8);
        return;
    }
    struct set s;
    set_read(packed, &s);
    for (size_t i = 0; i < SET_WORDS; i++)
        if (first / 64 + i < into->words)
            into->word[first / 64 + i] |= s.word[i];
}

/* ---- changing ---- */

static int set_change(struct ctx *ctx, struct sql_tx *tx, const struct sql_value key[4], unsigned place, bool in)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct set s = {0};
    uint8_t packed[SET_BYTES];
    TRY(sql_query_n(ctx, tx, &rows, "SELECT content FROM search_block WHERE word = ? AND kind = ? AND field = ? AND block = ?",
                    key, 4));
    int rc = sql_next(ctx, &rows);
    if (rc == RC_OK)
        set_read(sql_bytes(&rows, 0), &s);
    else if (rc != RC_END)
        return rc;
    sql_rows_close(&rows);
    if (in)
        s.word[place / 64] |= (uint64_t)1 << (place % 64);
    else
        s.word[place / 64] &= ~((uint64_t)1 << (place % 64));
    size_t n = set_print(&s, packed);
    if (n == 0)
        return sql_exec_n(ctx, tx, "DELETE FROM search_block WHERE word = ? AND kind = ? AND field = ? AND block = ?", key, 4);
    return sql_exec(ctx, tx,
                    "INSERT INTO search_block (word, kind, field, block, content) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (word, kind, field, block) DO UPDATE SET content = excluded.content",
                    key[0], key[1], key[2], key[3], SQL_B(str_of(packed, n)));
}

static int packed_change(struct ctx *ctx, struct sql_tx *tx, int64_t word, int64_t subject, int64_t gone, int64_t come)
{
    int64_t place = meta_place_of(subject);
    for (int field = 0; field < FIELDS; field++) {
        const struct sql_value key[4] = {SQL_I(word), SQL_I(meta_kind_of(subject)), SQL_I(field), SQL_I(place / META_BLOCK)};
        bool in = (come >> field & 1) != 0;
        if (in || (gone >> field & 1) != 0)
            TRY(set_change(ctx, tx, key, (unsigned)(place % META_BLOCK), in));
    }
    return RC_OK;
}

int meta_postings_change(struct ctx *ctx, struct sql_tx *tx, const struct meta_posted *posted, int64_t word, int64_t gone,
                         int64_t come)
{
    int64_t subject = posted->subject;
    if (posted->packed)
        return packed_change(ctx, tx, word, subject, gone & ~come, come);
    if (come != 0)
        return sql_exec(ctx, tx,
                        "INSERT INTO search_posting (word, subject, fields) VALUES (?, ?, ?) ON CONFLICT (word, subject) "
                        "DO UPDATE SET fields = (search_posting.fields & ?) | excluded.fields",
                        SQL_I(word), SQL_I(subject), SQL_I(come), SQL_I(~gone));
    TRY(sql_exec(ctx, tx, "UPDATE search_posting SET fields = fields & ? WHERE word = ? AND subject = ?", SQL_I(~gone),
                 SQL_I(word), SQL_I(subject)));
    return sql_exec(ctx, tx, "DELETE FROM search_posting WHERE word = ? AND subject = ? AND fields = 0", SQL_I(word),
                    SQL_I(subject));
}

/* ---- packing ---- */

/* The sets of one word in one block, while its rows go by. */
struct packer {
    int64_t word, block; /* word 0: nothing yet */
    enum meta_kind kind;
    int64_t fields; /* those that have elements */
    struct set set[FIELDS];
};

static int packer_flush(struct ctx *ctx, struct sql_tx *tx, struct packer *p)
{
    uint8_t packed[SET_BYTES];
    for (int field = 0; field < FIELDS && p->fields >> field; field++) {
        if ((p->fields >> field & 1) == 0)
            continue;
        size_t n = set_print(&p->set[field], packed);
        TRY(sql_exec(ctx, tx, "INSERT INTO search_block (word, kind, field, block, content) VALUES (?, ?, ?, ?, ?)",
                     SQL_I(p->word), SQL_I(p->kind), SQL_I(field), SQL_I(p->block), SQL_B(str_of(packed, n))));
        memset(&p->set[field], 0, sizeof p->set[field]);
    }
    p->fields = 0;
    return RC_OK;
}

static int packer_add(struct ctx *ctx, struct sql_tx *tx, struct packer *p, int64_t word, int64_t place, int64_t fields)
{
    size_t in_block = (size_t)(place % META_BLOCK);
    if (word != p->word || place / META_BLOCK != p->block)
        TRY(packer_flush(ctx, tx, p));
    p->word = word;
    p->block = place / META_BLOCK;
    p->fields |= fields;
    for (uint64_t rest = (uint64_t)fields & UINT32_MAX; rest; rest &= rest - 1)
        p->set[__builtin_ctzll(rest)].word[in_block / 64] |= (uint64_t)1 << (in_block % 64);
    return RC_OK;
}

/* The rows of the kind whose places are below `end` become packed sets. */
static int pack(struct ctx *ctx, struct sql_tx *tx, enum meta_kind kind, int64_t end)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct packer *p = arena_new(ctx->arena, struct packer);
    const struct sql_value first = SQL_I(meta_subject_of(kind, (size_t)end)), remainder = SQL_I((kind + 1) % META_KINDS);
    p->kind = kind;
    TRY(sql_query(ctx, tx, &rows,
                  "SELECT word, subject, fields FROM search_posting WHERE subject < ? AND subject % 3 = ? ORDER BY word, subject",
                  first, remainder));
    int rc;
    while ((rc = sql_next(ctx, &rows)) == RC_OK)
        TRY(packer_add(ctx, tx, p, sql_int(&rows, 0), meta_place_of(sql_int(&rows, 1)), sql_int(&rows, 2)));
    if (rc != RC_END)
        return rc;
    TRY(packer_flush(ctx, tx, p));
    TRY(sql_exec(ctx, tx, "DELETE FROM search_posting WHERE subject < ? AND subject % 3 = ?", first, remainder));
    return sql_exec(ctx, tx, "UPDATE search_packed SET place = ? WHERE kind = ?", SQL_I(end), SQL_I(kind));
}

int meta_postings_open(struct ctx *ctx, struct sql_tx *tx, int64_t subject, struct meta_posted *out)
{
    int64_t packed, place = meta_place_of(subject), begin = place - place % META_BLOCK;
    enum meta_kind kind = meta_kind_of(subject);
    TRY(meta_count(ctx, tx, "SELECT place FROM search_packed WHERE kind = ?", (struct sql_value[]){SQL_I(kind)}, 1, &packed));
    *out = (struct meta_posted){.subject = subject, .packed = place < packed};
    return begin > packed ? pack(ctx, tx, kind, begin) : RC_OK;
}

/* ---- reading ---- */

static int blocks_read(struct ctx *ctx, struct sql_rows *rows, const struct meta_want *wants, size_t count)
{
    int rc;
    while ((rc = sql_next(ctx, rows)) == RC_OK) {
        int64_t field = (int64_t)1 << (sql_int(rows, 0) & (FIELDS - 1));
        for (size_t i = 0; i < count; i++)
            if (wants[i].fields & field)
                set_add(sql_bytes(rows, 2), sql_int(rows, 1), wants[i].into);
    }
    return rc == RC_END ? RC_OK : rc;
}

static int rows_read(struct ctx *ctx, struct sql_rows *rows, enum meta_kind kind, const struct meta_want *wants, size_t count)
{
    int rc;
    while ((rc = sql_next(ctx, rows)) == RC_OK) {
        int64_t subject = sql_int(rows, 0), fields = sql_int(rows, 1);
        for (size_t i = 0; meta_kind_of(subject) == kind && i < count; i++)
            if (wants[i].fields & fields)
                bits_set(wants[i].into, (size_t)meta_place_of(subject));
    }
    return rc == RC_END ? RC_OK : rc;
}

int meta_postings_read(struct ctx *ctx, struct sql_tx *tx, enum meta_kind kind, int64_t word, const struct meta_want *wants,
                       size_t count)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    TRY(sql_query(ctx, tx, &rows, "SELECT field, block, content FROM search_block WHERE word = ? AND kind = ?", SQL_I(word),
                  SQL_I(kind)));
    TRY(blocks_read(ctx, &rows, wants, count));
    sql_rows_close(&rows);
    TRY(sql_query(ctx, tx, &rows, "SELECT subject, fields FROM search_posting WHERE word = ?", SQL_I(word)));
    return rows_read(ctx, &rows, kind, wants, count);
}

/* CROSS JOIN: the words come first, by their index, and each leads to its rows. */
int meta_postings_read_where(struct ctx *ctx, struct sql_tx *tx, enum meta_kind kind, const char *condition,
                             const struct sql_value *values, size_t value_count, const struct meta_want *want)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct sql_value *all = arena_array(ctx->arena, struct sql_value, value_count + 1);
    str blocks = arena_printf(ctx->arena,
                              "SELECT search_block.field, search_block.block, search_block.content FROM search_word CROSS JOIN "
                              "search_block WHERE %s AND search_block.word = search_word.number AND search_block.kind = ?",
                              condition);
    str posted = arena_printf(ctx->arena,
                              "SELECT search_posting.subject, search_posting.fields FROM search_word CROSS JOIN search_posting "
                              "WHERE %s AND search_posting.word = search_word.number",
                              condition);
    memcpy(all, values, value_count * sizeof *values);
    all[value_count] = SQL_I(kind);
    TRY(sql_query_n(ctx, tx, &rows, blocks.p, all, value_count + 1));
    TRY(blocks_read(ctx, &rows, want, 1));
    sql_rows_close(&rows);
    TRY(sql_query_n(ctx, tx, &rows, posted.p, values, value_count));
    return rows_read(ctx, &rows, kind, want, 1);
}
