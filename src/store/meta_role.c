/* Roles that administrators made. */
#include "store/meta_people.h"

#include "base/utf8.h"
#include "store/meta_rows.h"

enum { PRIVILEGES_TEXT_MAX = 16384 };
#define ROLE_COLUMNS "id, name, description, privileges, created, modified"

/* Unknown texts are left out one by one: a privilege that went away takes none of the others along. */
role_privileges meta_role_privileges(struct ctx *ctx, str list)
{
    role_privileges set = 0, one;
    struct json all, v;
    str unknown;
    if (!json_try_parse(ctx->arena, list, &all))
        return 0;
    struct json_iter it = json_each(all);
    while (json_next(&it, NULL, &v)) {
        struct json single;
        str text = arena_printf(ctx->arena, "[%.*s]", STR_FMT(json_raw(v)));
        if (json_try_parse(ctx->arena, text, &single) && role_privileges_parse(ctx->arena, single, &one, &unknown))
            set |= one;
    }
    return set;
}

static int privileges_text(struct ctx *ctx, role_privileges set, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(PRIVILEGES_TEXT_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    role_privileges_print(&o, set);
    TRY(json_out_end(&o, "privileges"));
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

static void role_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct custom_role *)element = (struct custom_role){
        .id = sql_str(ctx, rows, 0),
        .name = sql_str(ctx, rows, 1),
        .description = sql_str(ctx, rows, 2),
        .privileges = meta_role_privileges(ctx, sql_str(ctx, rows, 3)),
        .created = sql_int(rows, 4),
        .modified = sql_int(rows, 5),
    };
}

int meta_role_get(struct ctx *ctx, struct sql_tx *tx, str role, struct custom_role *out)
{
    const struct meta_query q = {"SELECT " ROLE_COLUMNS " FROM portal_role WHERE id = ?", (struct sql_value[]){SQL_S(role)}, 1,
                                 sizeof *out, role_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_role_by_name(struct ctx *ctx, struct sql_tx *tx, str name, struct custom_role *out)
{
    const struct meta_query q = {"SELECT " ROLE_COLUMNS " FROM portal_role WHERE name_fold = ?",
                                 (struct sql_value[]){SQL_S(utf8_fold(ctx->arena, name))}, 1, sizeof *out, role_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_role_insert(struct ctx *ctx, struct sql_tx *tx, const struct custom_role *r)
{
    str privileges;
    TRY(privileges_text(ctx, r->privileges, &privileges));
    return sql_exec(ctx, tx,
                    "INSERT INTO portal_role (id, name, name_fold, description, privileges, created, modified) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    SQL_S(r->id), SQL_S(r->name), SQL_S(utf8_fold(ctx->arena, r->name)), SQL_S(r->description), SQL_S(privileges),
                    SQL_I(r->created), SQL_I(r->modified));
}

int meta_role_update(struct ctx *ctx, struct sql_tx *tx, const struct custom_role *r)
{
    str privileges;
    TRY(privileges_text(ctx, r->privileges, &privileges));
    TRY(sql_exec(ctx, tx,
                 "UPDATE portal_role SET name = ?, name_fold = ?, description = ?, privileges = ?, modified = ? WHERE id = ?",
                 SQL_S(r->name), SQL_S(utf8_fold(ctx->arena, r->name)), SQL_S(r->description), SQL_S(privileges),
                 SQL_I(r->modified), SQL_S(r->id)));
    TRY(meta_changed(tx));
    return sql_exec(ctx, tx, "UPDATE portal_user SET role = ? WHERE role_id = ?", SQL_I(role_floor(r->privileges)), SQL_S(r->id));
}

int meta_role_delete(struct ctx *ctx, struct sql_tx *tx, str role)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM portal_role WHERE id = ?", SQL_S(role)));
    return meta_changed(tx);
}

int meta_roles(struct ctx *ctx, struct sql_tx *tx, struct custom_role **out, size_t *count_out)
{
    const struct meta_query q = {"SELECT " ROLE_COLUMNS " FROM portal_role ORDER BY name_fold", NULL, 0, sizeof **out, role_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_role_user_count(struct ctx *ctx, struct sql_tx *tx, str role, int64_t *out)
{
    return meta_count(ctx, tx, "SELECT COUNT(*) FROM portal_user WHERE role_id = ?", (struct sql_value[]){SQL_S(role)}, 1, out);
}
