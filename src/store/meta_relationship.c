/* Relationships between items. */
#include "store/meta_rows.h"

static void relationship_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct relationship *)element =
        (struct relationship){.origin = meta_id(rows, 0), .destination = meta_id(rows, 1), .type = sql_str(ctx, rows, 2)};
}

int meta_relationship_put(struct ctx *ctx, struct sql_tx *tx, const struct relationship *r)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO relationship (origin, destination, type) VALUES (?, ?, ?) "
                    "ON CONFLICT (origin, destination, type) DO NOTHING",
                    SQL_ID(r->origin), SQL_ID(r->destination), SQL_S(r->type));
}

int meta_relationship_delete(struct ctx *ctx, struct sql_tx *tx, const struct relationship *r)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM relationship WHERE origin = ? AND destination = ? AND type = ?", SQL_ID(r->origin),
                 SQL_ID(r->destination), SQL_S(r->type)));
    return meta_changed(tx);
}

int meta_relationships(struct ctx *ctx, struct sql_tx *tx, const id *item, bool forward, struct relationship **out,
                       size_t *count_out)
{
    static const char *const texts[2] = {
        "SELECT origin, destination, type FROM relationship WHERE destination = ? ORDER BY type, origin",
        "SELECT origin, destination, type FROM relationship WHERE origin = ? ORDER BY type, destination",
    };
    const struct meta_query q = {texts[forward], (struct sql_value[]){SQL_ID(*item)}, 1, sizeof(struct relationship),
                                 relationship_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
