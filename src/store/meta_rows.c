/* Helpers of the meta_*.c files: rows into arrays, ids, counts, orders. */
#include "store/meta_rows.h"

id meta_id(const struct sql_rows *rows, int column)
{
    id out = ID_NONE;
    id_parse(sql_text(rows, column), &out);
    return out;
}

struct hash meta_hash(const struct sql_rows *rows, int column)
{
    struct hash h = {0};
    str s = sql_bytes(rows, column);
    if (s.n == HASH_SIZE)
        memcpy(h.bytes, s.p, HASH_SIZE);
    return h;
}

int meta_list(struct ctx *ctx, struct sql_tx *tx, const struct meta_query *q, void **out, size_t *count_out)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    char *list = NULL;
    size_t count = 0, capacity = 0;
    int rc;
    TRY(sql_query_n(ctx, tx, &rows, q->text, q->values, q->value_count));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        list = arena_grow(ctx->arena, list, &capacity, count + 1, q->element_size);
        memset(list + count * q->element_size, 0, q->element_size);
        q->row(ctx, &rows, list + count * q->element_size);
        count++;
    }
    if (rc != RC_END)
        return rc;
    *out = list;
    *count_out = count;
    return RC_OK;
}

int meta_first(struct ctx *ctx, struct sql_tx *tx, const struct meta_query *q, void *out)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    TRY(sql_query_n(ctx, tx, &rows, q->text, q->values, q->value_count));
    int rc = sql_next(ctx, &rows);
    if (rc != RC_OK)
        return rc == RC_END ? RC_NOT_FOUND : rc;
    memset(out, 0, q->element_size);
    q->row(ctx, &rows, out);
    return RC_OK;
}

int meta_changed(struct sql_tx *tx) { return sql_changes(tx) > 0 ? RC_OK : RC_NOT_FOUND; }

int meta_count(struct ctx *ctx, struct sql_tx *tx, const char *text, const struct sql_value *values, size_t count, int64_t *out)
{
    int rc = sql_query_int(ctx, tx, out, text, values, count);
    return rc == RC_END ? RC_NOT_FOUND : rc;
}

int meta_number(struct ctx *ctx, struct sql_tx *tx, int64_t *number_out, const char *text, const struct sql_value *values,
                size_t count)
{
    return meta_count(ctx, tx, text, values, count, number_out);
}

const struct meta_order *meta_order_find(const struct meta_order *orders, str sort_field)
{
    while (orders->name && !str_ieq(sort_field, str_c(orders->name)))
        orders++;
    return orders;
}

const char *meta_order_sql(const struct meta_order *orders, str sort_field, bool descending)
{
    const struct meta_order *order = meta_order_find(orders, sort_field);
    return descending ? order->descending : order->ascending;
}
