/* Settings of the portal that are data. */
#include "store/meta_people.h"

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

static void pair_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct setting *)element = (struct setting){.name = sql_str(ctx, rows, 0), .value = sql_str(ctx, rows, 1)};
}

int meta_settings(struct ctx *ctx, struct sql_tx *tx, const char *prefix, struct setting **out, size_t *count_out)
{
    const struct sql_value v[] = {SQL_S(str_c(prefix)), SQL_S(arena_printf(ctx->arena, "%s\x7f", prefix))};
    const struct meta_query q = {"SELECT name, value FROM setting WHERE name >= ? AND name < ? ORDER BY name", v, COUNT_OF(v),
                                 sizeof(struct setting), pair_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_setting_delete(struct ctx *ctx, struct sql_tx *tx, const char *key)
{
    return sql_exec(ctx, tx, "DELETE FROM setting WHERE name = ?", SQL_S(str_c(key)));
}
