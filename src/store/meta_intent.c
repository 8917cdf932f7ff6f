/* Changes of attachments that wait for their edit: see meta_intent.h. */
#include "store/meta_intent.h"
#include "store/meta_rows.h"

#define COLUMNS "store, layer, id, parent_oid, global_id, parent_global_id, name, content_type, keywords, size, hash"

int meta_intent_insert(struct ctx *ctx, struct sql_tx *tx, const id *store, int64_t number, int64_t sequence,
                       enum file_intent kind, const struct attachment *a)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO file_intent (number, sequence, kind, " COLUMNS
                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    SQL_I(number), SQL_I(sequence), SQL_I(kind), SQL_ID(*store), SQL_I(a->layer), SQL_I(a->id),
                    SQL_I(a->parent_oid), SQL_S(a->global_id), SQL_S(a->parent_global_id), SQL_S(a->name), SQL_S(a->content_type),
                    SQL_S(a->keywords), SQL_I(a->size), kind == INTENT_PUT ? SQL_HASH(a->hash) : SQL_NONE);
}

int meta_intents_settle(struct ctx *ctx, struct sql_tx *tx, const id *store, int64_t last)
{
    TRY(sql_exec(ctx, tx,
                 "INSERT INTO attachment (" COLUMNS ") SELECT " COLUMNS " FROM file_intent WHERE store = ? AND number <= ? AND "
                 "kind = ? ORDER BY number, sequence ON CONFLICT (store, layer, id) DO UPDATE SET name = excluded.name, "
                 "content_type = excluded.content_type, keywords = excluded.keywords, size = excluded.size, hash = excluded.hash",
                 SQL_ID(*store), SQL_I(last), SQL_I(INTENT_PUT)));
    TRY(sql_exec(
        ctx, tx,
        "DELETE FROM attachment WHERE (store, layer, id) IN (SELECT store, layer, id FROM file_intent WHERE store = ? AND "
        "number <= ? AND kind = ?)",
        SQL_ID(*store), SQL_I(last), SQL_I(INTENT_DELETE)));
    return sql_exec(ctx, tx, "DELETE FROM file_intent WHERE store = ?", SQL_ID(*store));
}

static void store_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(id *)element = meta_id(rows, 0);
}

int meta_intent_stores(struct ctx *ctx, struct sql_tx *tx, id **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT DISTINCT store FROM file_intent", NULL, 0, sizeof(id), store_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
