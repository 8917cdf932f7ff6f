/* Files uploaded to a service: see meta_service_upload.h. */
#include "store/meta_service_upload.h"
#include "store/meta_rows.h"

#define COLUMNS "id, service, owner, name, description, content_type, touched, size, hash"

static void upload_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct service_upload *)element = (struct service_upload){.id = meta_id(rows, 0),
                                                                .service = meta_id(rows, 1),
                                                                .owner = sql_str(ctx, rows, 2),
                                                                .name = sql_str(ctx, rows, 3),
                                                                .description = sql_str(ctx, rows, 4),
                                                                .content_type = sql_str(ctx, rows, 5),
                                                                .touched = sql_int(rows, 6),
                                                                .size = sql_int(rows, 7),
                                                                .committed = !sql_is_null(rows, 8),
                                                                .hash = meta_hash(rows, 8)};
}

static void part_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(struct upload_part *)element =
        (struct upload_part){.number = sql_int(rows, 0), .size = sql_int(rows, 1), .hash = meta_hash(rows, 2)};
}

int meta_service_upload_insert(struct ctx *ctx, struct sql_tx *tx, const struct service_upload *u)
{
    return sql_exec(ctx, tx, "INSERT INTO service_upload (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", SQL_ID(u->id),
                    SQL_ID(u->service), SQL_S(u->owner), SQL_S(u->name), SQL_S(u->description), SQL_S(u->content_type),
                    SQL_I(u->touched), SQL_I(u->size), u->committed ? SQL_HASH(u->hash) : SQL_NONE);
}

int meta_service_upload_get(struct ctx *ctx, struct sql_tx *tx, const id *upload, struct service_upload *out)
{
    const struct meta_query q = {"SELECT " COLUMNS " FROM service_upload WHERE id = ?", (struct sql_value[]){SQL_ID(*upload)}, 1,
                                 sizeof *out, upload_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_service_upload_commit(struct ctx *ctx, struct sql_tx *tx, const struct service_upload *u)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM service_upload_part WHERE upload = ?", SQL_ID(u->id)));
    return sql_exec(ctx, tx, "UPDATE service_upload SET hash = ?, size = ?, touched = ? WHERE id = ?", SQL_HASH(u->hash),
                    SQL_I(u->size), SQL_I(u->touched), SQL_ID(u->id));
}

int meta_service_upload_delete(struct ctx *ctx, struct sql_tx *tx, const id *upload)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM service_upload WHERE id = ?", SQL_ID(*upload)));
    return meta_changed(tx);
}

int meta_service_upload_count(struct ctx *ctx, struct sql_tx *tx, const id *service, str owner, int64_t *out)
{
    const struct sql_value v[] = {SQL_ID(*service), SQL_S(owner)};
    return meta_count(ctx, tx, "SELECT COUNT(*) FROM service_upload WHERE service = ? AND owner = ?", v, COUNT_OF(v), out);
}

int meta_service_uploads_expire(struct ctx *ctx, struct sql_tx *tx, int64_t before)
{
    return sql_exec(ctx, tx, "DELETE FROM service_upload WHERE touched < ?", SQL_I(before));
}

int meta_service_part_put(struct ctx *ctx, struct sql_tx *tx, const id *upload, const struct upload_part *part)
{
    TRY(sql_exec(ctx, tx,
                 "INSERT INTO service_upload_part (upload, number, hash, size) VALUES (?, ?, ?, ?) "
                 "ON CONFLICT (upload, number) DO UPDATE SET hash = excluded.hash, size = excluded.size",
                 SQL_ID(*upload), SQL_I(part->number), SQL_HASH(part->hash), SQL_I(part->size)));
    return sql_exec(ctx, tx, "UPDATE service_upload SET touched = ? WHERE id = ?", SQL_I(ctx_now(ctx)), SQL_ID(*upload));
}

int meta_service_parts(struct ctx *ctx, struct sql_tx *tx, const id *upload, struct upload_part **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT number, size, hash FROM service_upload_part WHERE upload = ? ORDER BY number",
                                 (struct sql_value[]){SQL_ID(*upload)}, 1, sizeof(struct upload_part), part_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
