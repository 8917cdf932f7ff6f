/* The form of the lists of a block: groups in the order of their keys, each its length, the key, how many postings, and the
 * postings ascending, two bytes each, low byte first, or four when they have a position. Lengths and numbers of postings are
 * written 7 bits a byte, the low ones first. */
#include "store/meta_runs_private.h"

#include "codec/pbf.h"

/* ---- buckets ---- */

/* Letters and digits apart, everything else with its neighbours; never falls when the byte rises. */
static unsigned first_rank(uint8_t c)
{
    if (c < '0')
        return 0;
    if (c <= '9')
        return 1 + (unsigned)(c - '0');
    if (c < 'a')
        return 11;
    if (c <= 'z')
        return 12 + (unsigned)(c - 'a');
    return c < 0xd0 ? 38 : c < 0xe0 ? 39 : c < 0xe5 ? 40 : c < 0xe8 ? 41 : 42;
}

static unsigned second_rank(uint8_t c)
{
    return c < 'a' ? 0 : c < 'f' ? 1 : c < 'l' ? 2 : c < 'r' ? 3 : META_RUN_LETTER_BUCKETS - 1;
}

void meta_run_buckets(str prefix, unsigned *first_out, unsigned *last_out)
{
    unsigned rank = first_rank(prefix.n > 0 ? (uint8_t)prefix.p[0] : 0) * META_RUN_LETTER_BUCKETS;
    *first_out = rank + (prefix.n > 1 ? second_rank((uint8_t)prefix.p[1]) : 0);
    *last_out = rank + (prefix.n > 1 ? second_rank((uint8_t)prefix.p[1]) : META_RUN_LETTER_BUCKETS - 1);
}

static uint64_t hash_add(uint64_t h, str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 1099511628211u; /* FNV-1a */
    return (h ^ ' ') * 1099511628211u;
}

/* 48 bits in all: of a million items with a hundred pairs each, one in some hundred thousand searches for a phrase sees one item
 * too many. */
struct meta_pair meta_pair_of(str first, str second)
{
    struct meta_pair pair;
    uint64_t h = hash_add(hash_add(14695981039346656037u, first), second);
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u; /* every bit of the words decides about every bit of the key */
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    pair.bucket = (unsigned)(h % META_RUN_BUCKETS);
    for (size_t i = 0; i < sizeof pair.key; i++)
        pair.key[i] = (uint8_t)(h >> (8 * (i + 1)));
    return pair;
}

/* ---- writing ---- */

static size_t group_end(const struct meta_run_entry *list, size_t begin, size_t count)
{
    size_t end = begin + 1;
    while (end < count && str_eq(list[end].key, list[begin].key))
        end++;
    return end;
}

void meta_run_print(const struct meta_run_entry *list, size_t count, bool wide, struct buf *out)
{
    for (size_t i = 0, end; i < count; i = end) {
        size_t different = 1;
        end = group_end(list, i, count);
        for (size_t k = i + 1; k < end; k++)
            different += list[k].posting != list[k - 1].posting;
        pbf_put_varint(out, list[i].key.n);
        buf_add(out, list[i].key);
        pbf_put_varint(out, different);
        for (size_t k = i; k < end; k++) {
            uint32_t v = list[k].posting;
            const uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
            if (k == i || v != list[k - 1].posting)
                buf_add_bytes(out, bytes, wide ? 4 : 2);
        }
    }
}

/* ---- reading ---- */

int64_t meta_run_row(enum meta_run run, unsigned bucket, int64_t block)
{
    return ((int64_t)run * META_RUN_BUCKETS + bucket) * META_RUN_BLOCKS + block;
}

int meta_run_get(struct ctx *ctx, struct sql_tx *tx, struct meta_scan *scan, enum meta_run run, unsigned bucket, int64_t block,
                 struct meta_run_list *out)
{
    *out = (struct meta_run_list){.wide = run == RUN_PAIRS};
    return meta_scan_get(ctx, tx, scan, meta_run_row(run, bucket, block), &out->rest);
}

static bool number_next(str *rest, size_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 35 && rest->n > 0; shift += 7) {
        uint8_t byte = (uint8_t)rest->p[0];
        *rest = str_of(rest->p + 1, rest->n - 1);
        *out |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* What is broken ends the list. */
bool meta_run_next(struct meta_run_list *l, struct meta_run_group *out)
{
    size_t length, width = l->wide ? 4 : 2;
    if (!number_next(&l->rest, &length) || length > l->rest.n)
        return false;
    out->key = str_sub(l->rest, 0, length);
    l->rest = str_sub(l->rest, length, l->rest.n);
    if (!number_next(&l->rest, &out->count) || out->count > l->rest.n / width)
        return false;
    out->postings = (const uint8_t *)l->rest.p;
    l->rest = str_sub(l->rest, out->count * width, l->rest.n);
    return true;
}
