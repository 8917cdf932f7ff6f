/* Folders of users. */
#include "store/meta_rows.h"

#include "base/utf8.h"

static void folder_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct folder *)element = (struct folder){
        .id = meta_id(rows, 0), .owner = sql_str(ctx, rows, 1), .title = sql_str(ctx, rows, 2), .created = sql_int(rows, 3)};
}

int meta_folder_get(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, struct folder *out)
{
    const struct sql_value v[] = {SQL_ID(*folder), SQL_S(owner)};
    const struct meta_query q = {"SELECT id, owner, title, created FROM folder WHERE id = ? AND owner = ?", v, COUNT_OF(v),
                                 sizeof *out, folder_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_folder_by_title(struct ctx *ctx, struct sql_tx *tx, str owner, str title, struct folder *out)
{
    const struct sql_value v[] = {SQL_S(owner), SQL_S(utf8_fold(ctx->arena, title))};
    const struct meta_query q = {"SELECT id, owner, title, created FROM folder WHERE owner = ? AND title_fold = ?", v,
                                 COUNT_OF(v), sizeof *out, folder_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_folder_insert(struct ctx *ctx, struct sql_tx *tx, const struct folder *f)
{
    return sql_exec(ctx, tx, "INSERT INTO folder (id, owner, title, title_fold, created) VALUES (?, ?, ?, ?, ?)", SQL_ID(f->id),
                    SQL_S(f->owner), SQL_S(f->title), SQL_S(utf8_fold(ctx->arena, f->title)), SQL_I(f->created));
}

int meta_folder_update(struct ctx *ctx, struct sql_tx *tx, const struct folder *f)
{
    TRY(sql_exec(ctx, tx, "UPDATE folder SET owner = ?, title = ?, title_fold = ?, created = ? WHERE id = ?", SQL_S(f->owner),
                 SQL_S(f->title), SQL_S(utf8_fold(ctx->arena, f->title)), SQL_I(f->created), SQL_ID(f->id)));
    return meta_changed(tx);
}

int meta_folder_delete(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM folder WHERE id = ? AND owner = ?", SQL_ID(*folder), SQL_S(owner)));
    return meta_changed(tx);
}

int meta_folders(struct ctx *ctx, struct sql_tx *tx, str owner, struct folder **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT id, owner, title, created FROM folder WHERE owner = ? ORDER BY title_fold",
                                 (struct sql_value[]){SQL_S(owner)}, 1, sizeof(struct folder), folder_row};
    void *folders;
    TRY(meta_list(ctx, tx, &q, &folders, count_out));
    *out = folders;
    return RC_OK;
}
