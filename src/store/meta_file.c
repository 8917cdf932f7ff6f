/* Files of users, groups and the organization: thumbnails and resources. */
#include "store/meta_people.h"

#include "store/meta_rows.h"

#define FILE_COLUMNS "kind, owner, name, hash, size, modified, content_type"

static void file_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct portal_file *)element = (struct portal_file){
        .kind = (enum file_kind)sql_int(rows, 0),
        .owner = sql_str(ctx, rows, 1),
        .name = sql_str(ctx, rows, 2),
        .hash = meta_hash(rows, 3),
        .size = sql_int(rows, 4),
        .modified = sql_int(rows, 5),
        .content_type = sql_str(ctx, rows, 6),
    };
}

int meta_file_put(struct ctx *ctx, struct sql_tx *tx, const struct portal_file *f)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO portal_file (" FILE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, owner, name) DO "
                    "UPDATE SET hash = excluded.hash, size = excluded.size, modified = excluded.modified, "
                    "content_type = excluded.content_type",
                    SQL_I(f->kind), SQL_S(f->owner), SQL_S(f->name), SQL_HASH(f->hash), SQL_I(f->size), SQL_I(f->modified),
                    SQL_S(f->content_type));
}

int meta_file_get(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, str name, struct portal_file *out)
{
    const struct sql_value v[] = {SQL_I(kind), SQL_S(owner), SQL_S(name)};
    const struct meta_query q = {"SELECT " FILE_COLUMNS " FROM portal_file WHERE kind = ? AND owner = ? AND name = ?", v,
                                 COUNT_OF(v), sizeof *out, file_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_file_delete(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, str name)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM portal_file WHERE kind = ? AND owner = ? AND name = ?", SQL_I(kind), SQL_S(owner),
                 SQL_S(name)));
    return meta_changed(tx);
}

int meta_files_delete(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner)
{
    return sql_exec(ctx, tx, "DELETE FROM portal_file WHERE kind = ? AND owner = ?", SQL_I(kind), SQL_S(owner));
}

int meta_files(struct ctx *ctx, struct sql_tx *tx, enum file_kind kind, str owner, struct portal_file **out, size_t *count_out)
{
    const struct sql_value v[] = {SQL_I(kind), SQL_S(owner)};
    const struct meta_query q = {"SELECT " FILE_COLUMNS " FROM portal_file WHERE kind = ? AND owner = ? ORDER BY name", v,
                                 COUNT_OF(v), sizeof **out, file_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
