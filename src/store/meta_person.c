/* What users have, counted and removed; and lists of users by what they are. */
#include "store/meta_people.h"

#include "base/utf8.h"
#include "store/meta_rows.h"

int meta_user_storage(struct ctx *ctx, struct sql_tx *tx, str username, int64_t *bytes_out)
{
    return meta_count(ctx, tx, "SELECT COALESCE(SUM(size), 0) FROM item WHERE owner = ? AND size > 0",
                      (struct sql_value[]){SQL_S(username)}, 1, bytes_out);
}

int meta_user_owns(struct ctx *ctx, struct sql_tx *tx, str username, int64_t *items_out, int64_t *groups_out)
{
    const struct sql_value v[] = {SQL_S(username)};
    TRY(meta_count(ctx, tx, "SELECT COUNT(*) FROM item WHERE owner = ?", v, COUNT_OF(v), items_out));
    return meta_count(ctx, tx, "SELECT COUNT(*) FROM portal_group WHERE owner = ? AND favourites = 0", v, COUNT_OF(v),
                      groups_out);
}

int meta_user_clear(struct ctx *ctx, struct sql_tx *tx, const struct user *u)
{
    static const char *const by_name[] = {
        "DELETE FROM folder WHERE owner = ?",
        "DELETE FROM group_member WHERE username = ?",
        "DELETE FROM group_request WHERE username = ?",
        "DELETE FROM notification WHERE username = ?",
    };
    const struct sql_value v[] = {SQL_S(u->username)};
    for (size_t i = 0; i < COUNT_OF(by_name); i++)
        TRY(sql_exec_n(ctx, tx, by_name[i], v, COUNT_OF(v)));
    TRY(meta_files_delete(ctx, tx, FILE_USER, id_str(&u->id)));
    if (!id_none(u->favourites)) {
        int rc = meta_group_delete(ctx, tx, &u->favourites);
        TRY(rc == RC_NOT_FOUND ? RC_OK : rc);
    }
    return meta_tokens_of_user_delete(ctx, tx, u->username);
}

int meta_admin_count(struct ctx *ctx, struct sql_tx *tx, int64_t *out)
{
    const struct sql_value v[] = {SQL_I(ROLE_ADMIN)};
    return meta_count(ctx, tx, "SELECT COUNT(*) FROM portal_user WHERE role = ? AND role_id = '' AND disabled = 0", v,
                      COUNT_OF(v), out);
}

int meta_first_user_created(struct ctx *ctx, struct sql_tx *tx, int64_t *out)
{
    *out = USER_NEVER;
    int rc = sql_query_int(ctx, tx, out, "SELECT created FROM portal_user ORDER BY number LIMIT 1", NULL, 0);
    return rc == RC_END ? RC_OK : rc;
}

/* ---- lists of users ---- */

static void user_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_user_row(ctx, rows, element); }

enum { FILTER_VALUES = 9 };
struct condition {
    struct buf sql;
    struct sql_value values[FILTER_VALUES + 2];
    size_t count;
};

static void condition_free(struct condition *c) { buf_free(&c->sql); }

static void also(struct condition *c, const char *sql, struct sql_value v)
{
    buf_printf(&c->sql, " AND %s", sql);
    c->values[c->count++] = v;
}

/* A text anywhere in the names, with everything that means something to LIKE escaped. */
static str pattern_of(struct ctx *ctx, str text)
{
    str folded = utf8_fold(ctx->arena, text);
    char *p = arena_alloc(ctx->arena, 2 * folded.n + 3);
    size_t n = 0;
    p[n++] = '%';
    for (size_t i = 0; i < folded.n; i++) {
        if (strchr("%_!", folded.p[i]))
            p[n++] = '!';
        p[n++] = folded.p[i];
    }
    p[n++] = '%';
    return str_of(p, n);
}

static void condition_of(struct ctx *ctx, const struct meta_user_filter *f, struct condition *c)
{
    enum role role;
    buf_add(&c->sql, STR(" FROM portal_user WHERE 1 = 1"));
    if (!f->all) {
        also(c, "(portal_user.access IN (?, ?) OR portal_user.username = ?)", SQL_I(ITEM_PUBLIC));
        c->values[c->count++] = SQL_I(f->org ? ITEM_ORG : ITEM_PUBLIC);
        c->values[c->count++] = SQL_S(f->self);
    }
    if (!str_empty(f->text)) {
        struct sql_value pattern = SQL_S(pattern_of(ctx, f->text));
        also(c, "(portal_user.username_fold LIKE ? ESCAPE '!'", pattern);
        buf_add(&c->sql, STR(" OR LOWER(portal_user.full_name) LIKE ? ESCAPE '!')"));
        c->values[c->count++] = pattern;
    }
    if (!str_empty(f->role) && role_parse(f->role, &role))
        also(c, "portal_user.role_id = '' AND portal_user.role = ?", SQL_I(role));
    else if (!str_empty(f->role))
        also(c, "portal_user.role_id = ?", SQL_S(f->role));
    if (!str_empty(f->provider))
        also(c, "portal_user.provider = ?", SQL_S(f->provider));
}

int meta_users_filtered(struct ctx *ctx, struct sql_tx *tx, const struct meta_user_filter *f, const struct meta_page *page,
                        struct meta_user_list *out)
{
    enum { TEXT_MAX = 8192 };
    CLEANUP(condition_free) struct condition c = {.sql = BUF_INIT(TEXT_MAX)};
    condition_of(ctx, f, &c);
    TRY(buf_check(&c.sql, ctx, "the list of users"));
    str from = buf_str(&c.sql);
    str total = arena_printf(ctx->arena, "SELECT COUNT(*)%.*s", STR_FMT(from));
    TRY(meta_count(ctx, tx, total.p, c.values, c.count, &out->total));
    str text = arena_printf(ctx->arena, "SELECT %s%.*s ORDER BY %s LIMIT ? OFFSET ?", meta_user_columns, STR_FMT(from),
                            meta_order_sql(meta_user_orders, page->sort_field, page->descending));
    c.values[c.count++] = SQL_I(page->num < 0 ? 0 : page->num);
    c.values[c.count++] = SQL_I(page->start < 0 ? 0 : page->start);
    const struct meta_query q = {text.p, c.values, c.count, sizeof(struct user), user_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, &out->count));
    out->users = list;
    return RC_OK;
}
