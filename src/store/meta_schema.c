/* Categories that the items of a group are sorted by, as its managers wrote them. */
#include "store/meta_people.h"

#include "store/meta_rows.h"

static void text_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { *(str *)element = sql_str(ctx, rows, 0); }

int meta_schema_get(struct ctx *ctx, struct sql_tx *tx, str owner, str *content_out)
{
    const struct meta_query q = {"SELECT content FROM category_schema WHERE owner = ?", (struct sql_value[]){SQL_S(owner)}, 1,
                                 sizeof *content_out, text_row};
    return meta_first(ctx, tx, &q, content_out);
}

int meta_schema_put(struct ctx *ctx, struct sql_tx *tx, str owner, str content)
{
    if (str_empty(content))
        return sql_exec(ctx, tx, "DELETE FROM category_schema WHERE owner = ?", SQL_S(owner));
    return sql_exec(ctx, tx,
                    "INSERT INTO category_schema (owner, content) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET "
                    "content = excluded.content",
                    SQL_S(owner), SQL_S(content));
}
