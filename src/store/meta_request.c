/* Requests between users and groups, and what users are told. */
#include "store/meta_people.h"

#include "store/meta_rows.h"

#define REQUEST_COLUMNS "id, group_id, username, asked_by, member_type, created, expires"

static void request_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct group_request *)element = (struct group_request){
        .id = meta_id(rows, 0),
        .group = meta_id(rows, 1),
        .username = sql_str(ctx, rows, 2),
        .asked_by = sql_str(ctx, rows, 3),
        .member_type = (enum member_type)sql_int(rows, 4),
        .created = sql_int(rows, 5),
        .expires = sql_int(rows, 6),
    };
}

int meta_request_insert(struct ctx *ctx, struct sql_tx *tx, const struct group_request *r)
{
    return sql_exec(ctx, tx, "INSERT INTO group_request (" REQUEST_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)", SQL_ID(r->id),
                    SQL_ID(r->group), SQL_S(r->username), SQL_S(r->asked_by), SQL_I(r->member_type), SQL_I(r->created),
                    SQL_I(r->expires));
}

int meta_request_get(struct ctx *ctx, struct sql_tx *tx, const id *request, struct group_request *out)
{
    const struct meta_query q = {"SELECT " REQUEST_COLUMNS " FROM group_request WHERE id = ?",
                                 (struct sql_value[]){SQL_ID(*request)}, 1, sizeof *out, request_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_request_delete(struct ctx *ctx, struct sql_tx *tx, const id *request)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM group_request WHERE id = ?", SQL_ID(*request)));
    return meta_changed(tx);
}

int meta_requests_drop(struct ctx *ctx, struct sql_tx *tx, const id *group, str username)
{
    return sql_exec(ctx, tx, "DELETE FROM group_request WHERE group_id = ? AND username = ?", SQL_ID(*group), SQL_S(username));
}

int meta_requests(struct ctx *ctx, struct sql_tx *tx, const struct meta_request_query *q, struct group_request **out,
                  size_t *count_out)
{
    struct sql_value v[3] = {SQL_I(q->now)};
    size_t n = 1;
    if (q->group)
        v[n++] = SQL_ID(*q->group);
    if (!str_none(q->username))
        v[n++] = SQL_S(q->username);
    str text = arena_printf(
        ctx->arena,
        "SELECT " REQUEST_COLUMNS " FROM group_request WHERE (expires = 0 OR expires > ?)%s%s AND asked_by %s "
        "'' ORDER BY created, id",
        q->group ? " AND group_id = ?" : "", str_none(q->username) ? "" : " AND username = ?", q->invitations ? "<>" : "=");
    const struct meta_query query = {text.p, v, n, sizeof **out, request_row};
    void *list;
    TRY(meta_list(ctx, tx, &query, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_requests_expire(struct ctx *ctx, struct sql_tx *tx, int64_t now)
{
    return sql_exec(ctx, tx, "DELETE FROM group_request WHERE expires > 0 AND expires <= ?", SQL_I(now));
}

/* ---- notifications ---- */

#define NOTIFICATION_COLUMNS "id, username, type, target_type, target, data, received"

static void notification_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct notification *)element = (struct notification){
        .id = meta_id(rows, 0),
        .username = sql_str(ctx, rows, 1),
        .type = sql_str(ctx, rows, 2),
        .target_type = sql_str(ctx, rows, 3),
        .target = sql_str(ctx, rows, 4),
        .data = sql_str(ctx, rows, 5),
        .received = sql_int(rows, 6),
    };
}

int meta_notification_insert(struct ctx *ctx, struct sql_tx *tx, const struct notification *n)
{
    return sql_exec(ctx, tx, "INSERT INTO notification (" NOTIFICATION_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)", SQL_ID(n->id),
                    SQL_S(n->username), SQL_S(n->type), SQL_S(n->target_type), SQL_S(n->target), SQL_S(n->data),
                    SQL_I(n->received));
}

int meta_notification_delete(struct ctx *ctx, struct sql_tx *tx, str username, const id *notification)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM notification WHERE id = ? AND username = ?", SQL_ID(*notification), SQL_S(username)));
    return meta_changed(tx);
}

int meta_notifications(struct ctx *ctx, struct sql_tx *tx, str username, struct notification **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT " NOTIFICATION_COLUMNS
                                 " FROM notification WHERE username = ? ORDER BY received DESC, id",
                                 (struct sql_value[]){SQL_S(username)}, 1, sizeof **out, notification_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_notifications_trim(struct ctx *ctx, struct sql_tx *tx, str username, int64_t keep)
{
    return sql_exec(ctx, tx,
                    "DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE username = ? "
                    "ORDER BY received DESC, id LIMIT 1000000 OFFSET ?)",
                    SQL_S(username), SQL_I(keep));
}
