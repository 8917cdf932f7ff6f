/* Uploads in parts. The bytes of a part must be attached (blob_attach) earlier in the same transaction. */
#include "store/meta_rows.h"

static void upload_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct meta_upload *)element = (struct meta_upload){.item = meta_id(rows, 0),
                                                          .owner = sql_str(ctx, rows, 1),
                                                          .folder = meta_id(rows, 2),
                                                          .file_name = sql_str(ctx, rows, 3),
                                                          .is_update = sql_int(rows, 4) != 0,
                                                          .created = sql_int(rows, 5),
                                                          .touched = sql_int(rows, 6),
                                                          .fields = sql_str(ctx, rows, 7)};
}

static void upload_part_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(struct upload_part *)element =
        (struct upload_part){.number = sql_int(rows, 0), .size = sql_int(rows, 1), .hash = meta_hash(rows, 2)};
}

int meta_upload_put(struct ctx *ctx, struct sql_tx *tx, const struct meta_upload *u)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM upload WHERE item = ?", SQL_ID(u->item)));
    return sql_exec(ctx, tx,
                    "INSERT INTO upload (item, owner, folder, file_name, is_update, created, touched, fields) VALUES (?, ?, ?, "
                    "?, ?, ?, ?, ?)",
                    SQL_ID(u->item), SQL_S(u->owner), SQL_ID(u->folder), SQL_S(u->file_name), SQL_I(u->is_update),
                    SQL_I(u->created), SQL_I(u->touched), SQL_S(u->fields));
}

int meta_upload_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct meta_upload *out)
{
    const struct meta_query q = {
        "SELECT item, owner, folder, file_name, is_update, created, touched, fields FROM upload WHERE item = ?",
        (struct sql_value[]){SQL_ID(*item)}, 1, sizeof *out, upload_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_upload_delete(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM upload WHERE item = ?", SQL_ID(*item)));
    return meta_changed(tx);
}

int meta_uploads_expire(struct ctx *ctx, struct sql_tx *tx, int64_t before)
{
    return sql_exec(ctx, tx, "DELETE FROM upload WHERE touched < ?", SQL_I(before));
}

int meta_upload_part_put(struct ctx *ctx, struct sql_tx *tx, const id *item, const struct upload_part *part)
{
    TRY(sql_exec(ctx, tx,
                 "INSERT INTO upload_part (item, number, hash, size) VALUES (?, ?, ?, ?) "
                 "ON CONFLICT (item, number) DO UPDATE SET hash = excluded.hash, size = excluded.size",
                 SQL_ID(*item), SQL_I(part->number), SQL_HASH(part->hash), SQL_I(part->size)));
    return sql_exec(ctx, tx, "UPDATE upload SET touched = ? WHERE item = ?", SQL_I(ctx_now(ctx)), SQL_ID(*item));
}

int meta_upload_parts(struct ctx *ctx, struct sql_tx *tx, const id *item, struct upload_part **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT number, size, hash FROM upload_part WHERE item = ? ORDER BY number",
                                 (struct sql_value[]){SQL_ID(*item)}, 1, sizeof(struct upload_part), upload_part_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
