/* Comments on items and ratings of them. What items say of both (numbers, average) is kept in the row of the item, in the same
 * transaction. */
#include "store/meta_columns.h"

#define COMMENT_COLUMNS                                                                                                          \
    "c.id, c.item, c.parent, c.author, c.content, c.created, "                                                                   \
    "(SELECT COUNT(*) FROM item_comment r WHERE r.parent = c.id), "                                                              \
    "(SELECT COALESCE(MAX(r.created), -1) FROM item_comment r WHERE r.parent = c.id)"

static void comment_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct comment *)element = (struct comment){.id = meta_id(rows, 0),
                                                  .item = meta_id(rows, 1),
                                                  .parent = meta_id(rows, 2),
                                                  .author = sql_str(ctx, rows, 3),
                                                  .text = sql_str(ctx, rows, 4),
                                                  .created = sql_int(rows, 5),
                                                  .reply_count = sql_int(rows, 6),
                                                  .latest_reply = sql_int(rows, 7)};
}

static int comments_count(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    TRY(sql_exec(ctx, tx, "UPDATE item SET num_comments = (SELECT COUNT(*) FROM item_comment WHERE item = ?) WHERE id = ?",
                 SQL_ID(*item), SQL_ID(*item)));
    return meta_columns_update(ctx, tx, item);
}

int meta_comment_insert(struct ctx *ctx, struct sql_tx *tx, const struct comment *c)
{
    TRY(sql_exec(ctx, tx, "INSERT INTO item_comment (id, item, parent, author, content, created) VALUES (?, ?, ?, ?, ?, ?)",
                 SQL_ID(c->id), SQL_ID(c->item), id_none(c->parent) ? SQL_NONE : SQL_ID(c->parent), SQL_S(c->author),
                 SQL_S(c->text), SQL_I(c->created)));
    return comments_count(ctx, tx, &c->item);
}

int meta_comment_get(struct ctx *ctx, struct sql_tx *tx, const id *comment, struct comment *out)
{
    const struct meta_query q = {"SELECT " COMMENT_COLUMNS " FROM item_comment c WHERE c.id = ?",
                                 (struct sql_value[]){SQL_ID(*comment)}, 1, sizeof *out, comment_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_comment_update(struct ctx *ctx, struct sql_tx *tx, const struct comment *c)
{
    return sql_exec(ctx, tx, "UPDATE item_comment SET content = ? WHERE id = ?", SQL_S(c->text), SQL_ID(c->id));
}

int meta_comment_delete(struct ctx *ctx, struct sql_tx *tx, const struct comment *c)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM item_comment WHERE id = ?", SQL_ID(c->id)));
    return comments_count(ctx, tx, &c->item);
}

int meta_comments(struct ctx *ctx, struct sql_tx *tx, const id *item, const struct meta_page *page, struct comment **out,
                  size_t *count_out)
{
    const struct sql_value v[] = {SQL_ID(*item), SQL_I(page->num), SQL_I(page->start)};
    const struct meta_query q = {"SELECT " COMMENT_COLUMNS
                                 " FROM item_comment c WHERE c.item = ? ORDER BY c.created, c.id LIMIT ? OFFSET ?",
                                 v, COUNT_OF(v), sizeof(struct comment), comment_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

/* ---- ratings ---- */

static int ratings_count(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    TRY(sql_exec(ctx, tx,
                 "UPDATE item SET num_ratings = (SELECT COUNT(*) FROM item_rating WHERE item = ?), "
                 "avg_rating = (SELECT COALESCE(AVG(value), 0) FROM item_rating WHERE item = ?) WHERE id = ?",
                 SQL_ID(*item), SQL_ID(*item), SQL_ID(*item)));
    return meta_columns_update(ctx, tx, item);
}

int meta_rating_put(struct ctx *ctx, struct sql_tx *tx, const id *item, const struct rating *r)
{
    TRY(sql_exec(ctx, tx,
                 "INSERT INTO item_rating (item, username, value, created) VALUES (?, ?, ?, ?) "
                 "ON CONFLICT (item, username) DO UPDATE SET value = excluded.value, created = excluded.created",
                 SQL_ID(*item), SQL_S(r->username), SQL_D(r->value), SQL_I(r->created)));
    return ratings_count(ctx, tx, item);
}

int meta_rating_delete(struct ctx *ctx, struct sql_tx *tx, const id *item, str username)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM item_rating WHERE item = ? AND username = ?", SQL_ID(*item), SQL_S(username)));
    TRY(meta_changed(tx));
    return ratings_count(ctx, tx, item);
}

static void rating_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct rating *)element =
        (struct rating){.username = sql_str(ctx, rows, 0), .value = sql_double(rows, 1), .created = sql_int(rows, 2)};
}

int meta_rating_get(struct ctx *ctx, struct sql_tx *tx, const id *item, str username, struct rating *out)
{
    const struct meta_query q = {"SELECT username, value, created FROM item_rating WHERE item = ? AND username = ?",
                                 (struct sql_value[]){SQL_ID(*item), SQL_S(username)}, 2, sizeof *out, rating_row};
    return meta_first(ctx, tx, &q, out);
}

/* ---- views ---- */

int meta_item_viewed(struct ctx *ctx, struct sql_tx *tx, const id *item, int64_t count, int64_t when)
{
    TRY(sql_exec(ctx, tx,
                 "UPDATE item SET num_views = num_views + ?, last_viewed = CASE WHEN last_viewed > ? THEN last_viewed ELSE ? END "
                 "WHERE id = ?",
                 SQL_I(count), SQL_I(when), SQL_I(when), SQL_ID(*item)));
    return meta_columns_update(ctx, tx, item);
}
