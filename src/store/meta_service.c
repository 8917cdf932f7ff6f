/* Hosted services, the attachments of their features, and the data sets that are to be dropped. */
#include "store/meta_rows.h"

#include "base/utf8.h"

static struct sql_value text_of(str s) { return SQL_S(str_none(s) ? STR("") : s); }

static void hosted_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct hosted *)element = (struct hosted){
        .item = meta_id(rows, 0),
        .name = sql_str(ctx, rows, 1),
        .store = meta_id(rows, 2),
        .definition = sql_str(ctx, rows, 3),
        .modified = sql_int(rows, 4),
        .source = meta_id(rows, 5),
    };
}

int meta_hosted_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct hosted *out)
{
    const struct meta_query q = {"SELECT item, name, store, definition, modified, source FROM hosted WHERE item = ?",
                                 (struct sql_value[]){SQL_ID(*item)}, 1, sizeof *out, hosted_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_hosted_by_name(struct ctx *ctx, struct sql_tx *tx, str name, struct hosted *out)
{
    const struct meta_query q = {"SELECT item, name, store, definition, modified, source FROM hosted WHERE name_fold = ?",
                                 (struct sql_value[]){text_of(utf8_fold(ctx->arena, name))}, 1, sizeof *out, hosted_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_hosted_ref(struct ctx *ctx, struct sql_tx *tx, str name, struct hosted *out)
{
    const struct meta_query q = {"SELECT item, name, store, '', modified, source FROM hosted WHERE name_fold = ?",
                                 (struct sql_value[]){text_of(utf8_fold(ctx->arena, name))}, 1, sizeof *out, hosted_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_hosted_insert(struct ctx *ctx, struct sql_tx *tx, const struct hosted *h)
{
    return sql_exec(
        ctx, tx, "INSERT INTO hosted (item, name, name_fold, store, definition, modified, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
        SQL_ID(h->item), SQL_S(h->name), SQL_S(utf8_fold(ctx->arena, h->name)), SQL_ID(h->store), SQL_S(h->definition),
        SQL_I(h->modified), SQL_ID(h->source));
}

int meta_hosted_update(struct ctx *ctx, struct sql_tx *tx, const struct hosted *h)
{
    TRY(sql_exec(ctx, tx,
                 "UPDATE hosted SET name = ?, name_fold = ?, store = ?, definition = ?, modified = ?, source = ? WHERE item = ?",
                 SQL_S(h->name), SQL_S(utf8_fold(ctx->arena, h->name)), SQL_ID(h->store), SQL_S(h->definition),
                 SQL_I(h->modified), SQL_ID(h->source), SQL_ID(h->item)));
    return meta_changed(tx);
}

#define HOSTED_BRIEF "SELECT item, name, store, '', modified, source FROM hosted "

static int hosted_list(struct ctx *ctx, struct sql_tx *tx, const struct meta_query *q, struct hosted **out, size_t *count_out)
{
    void *list;
    TRY(meta_list(ctx, tx, q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_hosted_all(struct ctx *ctx, struct sql_tx *tx, struct hosted **out, size_t *count_out)
{
    const struct meta_query q = {HOSTED_BRIEF "ORDER BY name_fold", NULL, 0, sizeof(struct hosted), hosted_row};
    return hosted_list(ctx, tx, &q, out, count_out);
}

int meta_hosted_views(struct ctx *ctx, struct sql_tx *tx, const id *source, struct hosted **out, size_t *count_out)
{
    const struct meta_query q = {HOSTED_BRIEF "WHERE source = ? ORDER BY name_fold", (struct sql_value[]){SQL_ID(*source)}, 1,
                                 sizeof(struct hosted), hosted_row};
    return hosted_list(ctx, tx, &q, out, count_out);
}

/* ---- attachments ---- */

#define ATTACHMENT_COLUMNS "id, parent_oid, layer, global_id, parent_global_id, name, content_type, keywords, size, hash"

static void attachment_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct attachment *)element = (struct attachment){
        .id = sql_int(rows, 0),
        .parent_oid = sql_int(rows, 1),
        .layer = (int32_t)sql_int(rows, 2),
        .global_id = sql_str(ctx, rows, 3),
        .parent_global_id = sql_str(ctx, rows, 4),
        .name = sql_str(ctx, rows, 5),
        .content_type = sql_str(ctx, rows, 6),
        .keywords = sql_str(ctx, rows, 7),
        .size = sql_int(rows, 8),
        .hash = meta_hash(rows, 9),
    };
}

int meta_attachment_id(struct ctx *ctx, struct sql_tx *tx, const id *store, struct attachment *a)
{
    const struct sql_value v[] = {SQL_ID(*store), SQL_I(a->layer), SQL_I(a->id == 0 ? 1 : a->id)};
    const char *text = a->id == 0 ? "INSERT INTO attachment_last (store, layer, id) VALUES (?, ?, ?) "
                                    "ON CONFLICT (store, layer) DO UPDATE SET id = attachment_last.id + 1 RETURNING id"
                                  : "INSERT INTO attachment_last (store, layer, id) VALUES (?, ?, ?) "
                                    "ON CONFLICT (store, layer) DO UPDATE SET id = CASE WHEN excluded.id > attachment_last.id "
                                    "THEN excluded.id ELSE attachment_last.id END RETURNING id";
    int64_t last = 0;
    TRY(meta_count(ctx, tx, text, v, COUNT_OF(v), &last));
    if (a->id == 0)
        a->id = last;
    return RC_OK;
}

int meta_attachment_insert(struct ctx *ctx, struct sql_tx *tx, const id *store, struct attachment *a)
{
    TRY(meta_attachment_id(ctx, tx, store, a));
    return sql_exec(ctx, tx, "INSERT INTO attachment (store, " ATTACHMENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    SQL_ID(*store), SQL_I(a->id), SQL_I(a->parent_oid), SQL_I(a->layer), text_of(a->global_id),
                    text_of(a->parent_global_id), text_of(a->name), text_of(a->content_type), text_of(a->keywords),
                    SQL_I(a->size), SQL_HASH(a->hash));
}

int meta_attachment_get(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, int64_t attachment,
                        struct attachment *out)
{
    const struct sql_value v[] = {SQL_ID(*store), SQL_I(layer), SQL_I(attachment)};
    const struct meta_query q = {"SELECT " ATTACHMENT_COLUMNS " FROM attachment WHERE store = ? AND layer = ? AND id = ?", v,
                                 COUNT_OF(v), sizeof *out, attachment_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_attachment_by_guid(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, str global_id,
                            struct attachment *out)
{
    const struct sql_value v[] = {SQL_ID(*store), SQL_I(layer), SQL_S(global_id)};
    const struct meta_query q = {"SELECT " ATTACHMENT_COLUMNS " FROM attachment WHERE store = ? AND layer = ? AND global_id = ?",
                                 v, COUNT_OF(v), sizeof *out, attachment_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_attachments(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, int64_t parent_oid, int64_t after_id,
                     size_t limit, struct attachment **out, size_t *count_out)
{
    const struct sql_value all[] = {SQL_ID(*store), SQL_I(layer), SQL_I(after_id), SQL_I(limit)};
    const struct sql_value one[] = {SQL_ID(*store), SQL_I(layer), SQL_I(parent_oid), SQL_I(after_id), SQL_I(limit)};
    struct meta_query q = {"SELECT " ATTACHMENT_COLUMNS
                           " FROM attachment WHERE store = ? AND layer = ? AND id > ? ORDER BY id LIMIT ?",
                           all, COUNT_OF(all), sizeof(struct attachment), attachment_row};
    if (parent_oid >= 0) {
        q.text = "SELECT " ATTACHMENT_COLUMNS
                 " FROM attachment WHERE store = ? AND layer = ? AND parent_oid = ? AND id > ? ORDER BY id LIMIT ?";
        q.values = one;
        q.value_count = COUNT_OF(one);
    }
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_attachments_delete(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, int64_t parent_oid)
{
    if (layer < 0)
        return sql_exec(ctx, tx, "DELETE FROM attachment WHERE store = ?", SQL_ID(*store));
    if (parent_oid < 0)
        return sql_exec(ctx, tx, "DELETE FROM attachment WHERE store = ? AND layer = ?", SQL_ID(*store), SQL_I(layer));
    return sql_exec(ctx, tx, "DELETE FROM attachment WHERE store = ? AND layer = ? AND parent_oid = ?", SQL_ID(*store),
                    SQL_I(layer), SQL_I(parent_oid));
}

int meta_attachment_delete(struct ctx *ctx, struct sql_tx *tx, const id *store, int32_t layer, int64_t attachment)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM attachment WHERE store = ? AND layer = ? AND id = ?", SQL_ID(*store), SQL_I(layer),
                 SQL_I(attachment)));
    return meta_changed(tx);
}

/* ---- data sets to drop ---- */

static void id_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(id *)element = meta_id(rows, 0);
}

int meta_store_drop_later(struct ctx *ctx, struct sql_tx *tx, const id *store)
{
    return sql_exec(ctx, tx, "INSERT INTO store_drop (store) VALUES (?) ON CONFLICT (store) DO NOTHING", SQL_ID(*store));
}

int meta_stores_to_drop(struct ctx *ctx, struct sql_tx *tx, id **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT store FROM store_drop ORDER BY store", NULL, 0, sizeof(id), id_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_store_dropped(struct ctx *ctx, struct sql_tx *tx, const id *store)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM attachment WHERE store = ?", SQL_ID(*store)));
    TRY(sql_exec(ctx, tx, "DELETE FROM attachment_last WHERE store = ?", SQL_ID(*store)));
    TRY(sql_exec(ctx, tx, "DELETE FROM file_intent WHERE store = ?", SQL_ID(*store)));
    return sql_exec(ctx, tx, "DELETE FROM store_drop WHERE store = ?", SQL_ID(*store));
}
