/* Rows of many subjects: when the set is dense, a stretch of the table is gone through; when it is sparse, each one is looked up.
 */
#include "store/meta_search_private.h"

enum {
    STRETCH = 512, /* places of a stretch */
    DENSE = 8,     /* one in so many makes a stretch dense */
};

/* From `last` down to `first`. */
static int stretch_read(const struct meta_search *s, const struct bits *set, const struct meta_search_reading *r,
                        const char *text, size_t first, size_t last)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    int rc;
    TRY(sql_query(s->ctx, s->tx, &rows, text, SQL_I(meta_subject_of(s->entity->kind, first)),
                  SQL_I(meta_subject_of(s->entity->kind, last))));
    while ((rc = sql_next(s->ctx, &rows)) == RC_OK) {
        int64_t subject = sql_int(&rows, r->number_column);
        if (meta_kind_of(subject) != s->entity->kind || !bits_has(set, (size_t)meta_place_of(subject)))
            continue;
        int seen = r->see(r->arg, (size_t)meta_place_of(subject), &rows);
        if (seen != RC_OK)
            return seen;
    }
    return rc == RC_END ? RC_OK : rc;
}

int meta_search_rows(const struct meta_search *s, const struct bits *set, const struct meta_search_reading *r)
{
    str text = arena_printf(s->ctx->arena, "SELECT %s FROM %s WHERE %s >= ? AND %s <= ? ORDER BY %s DESC", r->columns, r->table,
                            r->number, r->number, r->number);
    size_t place = bits_below(set, SIZE_MAX);
    while (place != SIZE_MAX) {
        size_t begin = place - place % STRETCH, count = 0;
        for (size_t i = begin / 64; i < (begin + STRETCH) / 64 && i < set->words; i++)
            count += (size_t)__builtin_popcountll(set->word[i]);
        size_t first = count * DENSE >= STRETCH ? begin : place;
        int rc = stretch_read(s, set, r, text.p, first, place);
        if (rc != RC_OK)
            return rc == RC_END ? RC_OK : rc;
        place = bits_below(set, first);
    }
    return RC_OK;
}
