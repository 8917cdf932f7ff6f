/* Which item is shared to which group. The search index follows: the id of each group is a term of the item, and the empty word
 * says that it is in one at all. */
#include "store/meta_rows.h"

#include "store/meta_search_fields.h"

static void group_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_group_row(ctx, rows, element); }

static int item_number(struct ctx *ctx, struct sql_tx *tx, const id *item, int64_t *out)
{
    return meta_count(ctx, tx, "SELECT number FROM item WHERE id = ?", (struct sql_value[]){SQL_ID(*item)}, 1, out);
}

/* Is it in a group at all? Favourites are no sharing. */
static int follow_shared(struct ctx *ctx, struct sql_tx *tx, const id *item, int64_t number)
{
    int64_t groups;
    TRY(meta_count(ctx, tx,
                   "SELECT COUNT(*) FROM item_group JOIN portal_group ON portal_group.id = item_group.group_id "
                   "WHERE item_group.item = ? AND portal_group.favourites = 0",
                   (struct sql_value[]){SQL_ID(*item)}, 1, &groups));
    return meta_terms_mark(ctx, tx, number, STR(""), TERM_ITEM_GROUP, groups > 0);
}

int meta_share(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group)
{
    int64_t number;
    TRY(sql_exec(ctx, tx, "INSERT INTO item_group (item, group_id) VALUES (?, ?) ON CONFLICT (item, group_id) DO NOTHING",
                 SQL_ID(*item), SQL_ID(*group)));
    if (sql_changes(tx) == 0)
        return RC_OK;
    TRY(item_number(ctx, tx, item, &number));
    TRY(meta_terms_mark(ctx, tx, number, id_str(group), TERM_ITEM_GROUP, true));
    return follow_shared(ctx, tx, item, number);
}

int meta_unshare(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *group)
{
    int64_t number;
    TRY(sql_exec(ctx, tx, "DELETE FROM item_group WHERE item = ? AND group_id = ?", SQL_ID(*item), SQL_ID(*group)));
    TRY(meta_changed(tx));
    TRY(item_number(ctx, tx, item, &number));
    TRY(meta_terms_mark(ctx, tx, number, id_str(group), TERM_ITEM_GROUP, false));
    return follow_shared(ctx, tx, item, number);
}

struct share {
    id item, group;
};

static void share_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(struct share *)element = (struct share){.item = meta_id(rows, 0), .group = meta_id(rows, 1)};
}

static int shares_end(struct ctx *ctx, struct sql_tx *tx, const char *text, const id *value)
{
    const struct meta_query q = {text, (struct sql_value[]){SQL_ID(*value)}, 1, sizeof(struct share), share_row};
    struct share *shares;
    size_t count;
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, &count));
    shares = list;
    for (size_t i = 0; i < count; i++)
        TRY(meta_unshare(ctx, tx, &shares[i].item, &shares[i].group));
    return RC_OK;
}

int meta_shares_index(struct ctx *ctx, struct sql_tx *tx, int64_t number, const id *item)
{
    const struct meta_query q = {"SELECT item, group_id FROM item_group WHERE item = ?", (struct sql_value[]){SQL_ID(*item)}, 1,
                                 sizeof(struct share), share_row};
    size_t count;
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, &count));
    const struct share *shares = list;
    for (size_t i = 0; i < count; i++)
        TRY(meta_terms_mark(ctx, tx, number, id_str(&shares[i].group), TERM_ITEM_GROUP, true));
    return count > 0 ? follow_shared(ctx, tx, item, number) : RC_OK;
}

int meta_shares_of_item_end(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    return shares_end(ctx, tx, "SELECT item, group_id FROM item_group WHERE item = ?", item);
}

int meta_shares_of_group_end(struct ctx *ctx, struct sql_tx *tx, const id *group)
{
    return shares_end(ctx, tx, "SELECT item, group_id FROM item_group WHERE group_id = ?", group);
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
