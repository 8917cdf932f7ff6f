/* Which item is shared to which group. */
#include "store/meta_rows.h"

static void group_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_group_row(ctx, rows, element); }

int meta_share(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group)
{
    return sql_exec(ctx, tx, "INSERT INTO item_group (item, group_id) VALUES (?, ?) ON CONFLICT (item, group_id) DO NOTHING",
                    SQL_ID(*item), SQL_ID(*group));
}

int meta_unshare(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM item_group WHERE item = ? AND group_id = ?", SQL_ID(*item), SQL_ID(*group)));
    return meta_changed(tx);
}

int meta_groups_of_item(struct ctx *ctx, struct sql_tx *tx, const id *item, struct group **out, size_t *count_out)
{
    const struct meta_query q = {
        "SELECT " META_GROUP_COLUMNS " FROM portal_group JOIN item_group ON item_group.group_id = portal_group.id "
        "WHERE item_group.item = ? AND portal_group.favourites = 0 ORDER BY portal_group.title_fold, portal_group.id",
        (struct sql_value[]){SQL_ID(*item)}, 1, sizeof(struct group), group_row};
    void *groups;
    TRY(meta_list(ctx, tx, &q, &groups, count_out));
    *out = groups;
    return RC_OK;
}

int meta_item_in_group(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group, bool *out)
{
    int64_t count;
    const struct sql_value v[] = {SQL_ID(*item), SQL_ID(*group)};
    TRY(meta_count(ctx, tx, "SELECT COUNT(*) FROM item_group WHERE item = ? AND group_id = ?", v, COUNT_OF(v), &count));
    *out = count > 0;
    return RC_OK;
}
