/* The search index made anew from the items, groups and users: after a migration that emptied it. Step by step, each one a
 * transaction that remembers how far it got, so that a crash costs one step. */
#include "store/meta_columns.h"
#include "store/meta_runs.h"

enum { STEP = 100 }; /* rows of a transaction */

static const struct {
    const char *columns, *table;
    int (*index)(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number);
} kinds[] = {{meta_item_columns, "item", meta_item_index},
             {meta_group_columns, "portal_group", meta_group_index},
             {meta_user_columns, "portal_user", meta_user_index}}; /* as meta_postings.h counts them */

/* The rows whose number is above *number, which moves on. The number stands behind the columns. */
static int index_rows(struct ctx *ctx, struct sql_tx *tx, int64_t kind, int64_t *number, unsigned *count)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    str columns = str_c(kinds[kind].columns), piece;
    int rc, last = 0;
    str text = arena_printf(ctx->arena, "SELECT %s, number FROM %s WHERE number > ? ORDER BY number LIMIT ?", kinds[kind].columns,
                            kinds[kind].table);
    while (str_split(&columns, ',', &piece))
        last++;
    TRY(sql_query(ctx, tx, &rows, text.p, SQL_I(*number), SQL_I(STEP)));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        *number = sql_int(&rows, last);
        TRY(kinds[kind].index(ctx, tx, &rows, *number));
        ++*count;
    }
    return rc == RC_END ? RC_OK : rc;
}

/* RC_END when all is done. */
static int rebuild_step(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    int64_t kind, number;
    unsigned count = 0;
    (void)arg;
    TRY(sql_query_int(ctx, tx, &kind, "SELECT kind FROM search_rebuild ORDER BY kind LIMIT 1", NULL, 0));
    if (kind < 0 || kind >= (int64_t)COUNT_OF(kinds))
        return err_set(ctx, &ERR_CORRUPT, "the search index is to be rebuilt for the unknown kind %lld", (long long)kind);
    TRY(meta_count(ctx, tx, "SELECT subject FROM search_rebuild WHERE kind = ?", (struct sql_value[]){SQL_I(kind)}, 1, &number));
    TRY(index_rows(ctx, tx, kind, &number, &count));
    if (count == 0)
        return sql_exec(ctx, tx, "DELETE FROM search_rebuild WHERE kind = ?", SQL_I(kind));
    return sql_exec(ctx, tx, "UPDATE search_rebuild SET subject = ? WHERE kind = ?", SQL_I(number), SQL_I(kind));
}

/* The columns and the lists of a block each; RC_END when all have theirs. */
static int blocks_step(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    bool columns, lists;
    (void)arg;
    TRY(meta_columns_follow(ctx, tx, &columns));
    TRY(meta_runs_follow(ctx, tx, &lists));
    return columns || lists ? RC_OK : RC_END;
}

static int steps(struct ctx *ctx, struct sql *db, sql_fn *step)
{
    for (;;) {
        struct ctx one; /* what it reads goes with it */
        ctx_child(&one, ctx);
        int rc = ctx_adopt_error(ctx, &one, sql_write(&one, db, step, NULL));
        ctx_close(&one);
        if (rc != RC_OK)
            return rc == RC_END ? RC_OK : rc;
    }
}

int meta_search_rebuild(struct ctx *ctx, struct sql *db)
{
    TRY(steps(ctx, db, rebuild_step));
    return steps(ctx, db, blocks_step);
}
