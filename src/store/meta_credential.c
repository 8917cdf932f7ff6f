/* Sealed credentials of items. What they hold is service/item_credential.c's matter. */
#include "store/meta_rows.h"

int meta_credential_put(struct ctx *ctx, struct sql_tx *tx, const id *item, str sealed)
{
    return sql_exec(
        ctx, tx,
        "INSERT INTO item_credential (item, sealed) VALUES (?, ?) ON CONFLICT (item) DO UPDATE SET sealed = excluded.sealed",
        SQL_ID(*item), SQL_B(sealed));
}

int meta_credential_delete(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    return sql_exec(ctx, tx, "DELETE FROM item_credential WHERE item = ?", SQL_ID(*item));
}

static void credential_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct credential *)element =
        (struct credential){.item = meta_id(rows, 0), .sealed = arena_str(ctx->arena, sql_bytes(rows, 1))};
}

int meta_credential_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct credential *out)
{
    const struct meta_query q = {"SELECT item, sealed FROM item_credential WHERE item = ?", (struct sql_value[]){SQL_ID(*item)},
                                 1, sizeof *out, credential_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_credentials(struct ctx *ctx, struct sql_tx *tx, struct credential **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT item, sealed FROM item_credential ORDER BY item", NULL, 0, sizeof(struct credential),
                                 credential_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
