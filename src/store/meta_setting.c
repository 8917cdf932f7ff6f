/* Settings of the portal that are data. */
#include "store/meta_rows.h"

static void setting_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { *(str *)element = sql_str(ctx, rows, 0); }

int meta_setting_get(struct ctx *ctx, struct sql_tx *tx, const char *key, str *value_out)
{
    const struct meta_query q = {"SELECT value FROM setting WHERE name = ?", (struct sql_value[]){SQL_S(str_c(key))}, 1,
                                 sizeof(str), setting_row};
    return meta_first(ctx, tx, &q, value_out);
}

int meta_setting_put(struct ctx *ctx, struct sql_tx *tx, const char *key, str value)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    SQL_S(str_c(key)), SQL_S(value));
}
