/* The stored files of an item. The bytes must be attached (blob_attach, blob_reuse) earlier in the same transaction. */
#include "store/meta_rows.h"

#define PART_COLUMNS "kind, name, hash, size, content_type, private_access, created, modified"

static void part_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct item_part *)element = (struct item_part){
        .kind = (enum part_kind)sql_int(rows, 0),
        .name = sql_str(ctx, rows, 1),
        .hash = meta_hash(rows, 2),
        .size = sql_int(rows, 3),
        .content_type = sql_str(ctx, rows, 4),
        .private_access = sql_int(rows, 5) != 0,
        .created = sql_int(rows, 6),
        .modified = sql_int(rows, 7),
    };
}

int meta_part_get(struct ctx *ctx, struct sql_tx *tx, const id *item, enum part_kind kind, str name, struct item_part *out)
{
    const struct sql_value v[] = {SQL_ID(*item), SQL_I(kind), SQL_S(name)};
    struct meta_query q = {.values = v, .element_size = sizeof *out, .row = part_row};
    q.text = kind == PART_DATA ? "SELECT " PART_COLUMNS " FROM item_part WHERE item = ? AND kind = ?"
                               : "SELECT " PART_COLUMNS " FROM item_part WHERE item = ? AND kind = ? AND name = ?";
    q.value_count = kind == PART_DATA ? 2 : 3;
    return meta_first(ctx, tx, &q, out);
}

int meta_part_put(struct ctx *ctx, struct sql_tx *tx, const id *item, const struct item_part *part)
{
    if (part->kind == PART_DATA) /* the only one, whatever its name was */
        TRY(sql_exec(ctx, tx, "DELETE FROM item_part WHERE item = ? AND kind = ?", SQL_ID(*item), SQL_I(part->kind)));
    return sql_exec(ctx, tx,
                    "INSERT INTO item_part (item, " PART_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (item, kind, name) DO UPDATE SET hash = excluded.hash, size = excluded.size, "
                    "content_type = excluded.content_type, private_access = excluded.private_access, created = excluded.created, "
                    "modified = excluded.modified",
                    SQL_ID(*item), SQL_I(part->kind), SQL_S(str_none(part->name) ? STR("") : part->name), SQL_HASH(part->hash),
                    SQL_I(part->size), SQL_S(str_none(part->content_type) ? STR("") : part->content_type),
                    SQL_I(part->private_access), SQL_I(part->created), SQL_I(part->modified));
}

int meta_part_delete(struct ctx *ctx, struct sql_tx *tx, const id *item, enum part_kind kind, str name)
{
    if (kind == PART_DATA)
        TRY(sql_exec(ctx, tx, "DELETE FROM item_part WHERE item = ? AND kind = ?", SQL_ID(*item), SQL_I(kind)));
    else
        TRY(sql_exec(ctx, tx, "DELETE FROM item_part WHERE item = ? AND kind = ? AND name = ?", SQL_ID(*item), SQL_I(kind),
                     SQL_S(name)));
    return meta_changed(tx);
}

int meta_parts(struct ctx *ctx, struct sql_tx *tx, const id *item, enum part_kind kind, str prefix, struct item_part **parts_out,
               size_t *count_out)
{
    /* U+10FFFF sorts after every character that continues a name */
    str end = arena_printf(ctx->arena, "%.*s\xf4\x8f\xbf\xbf", STR_FMT(prefix));
    const struct sql_value v[] = {SQL_ID(*item), SQL_I(kind), SQL_S(str_none(prefix) ? STR("") : prefix), SQL_S(end)};
    const struct meta_query q = {"SELECT " PART_COLUMNS
                                 " FROM item_part WHERE item = ? AND kind = ? AND name >= ? AND name < ? ORDER BY name",
                                 v, COUNT_OF(v), sizeof(struct item_part), part_row};
    void *parts;
    TRY(meta_list(ctx, tx, &q, &parts, count_out));
    *parts_out = parts;
    return RC_OK;
}
