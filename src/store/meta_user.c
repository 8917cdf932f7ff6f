/* Users and their tokens. A username is unique without regard to case; the hidden id finds the user as well. */
#include "store/meta_people.h"

#include "base/utf8.h"
#include "store/meta_rows.h"
#include "store/meta_search_fields.h"

#define USER_COLUMNS                                                                                                             \
    "portal_user.username, portal_user.id, portal_user.full_name, portal_user.first_name, portal_user.last_name, "               \
    "portal_user.email, portal_user.description, portal_user.culture, portal_user.region, portal_user.units, "                   \
    "portal_user.thumbnail, portal_user.tags, portal_user.access, portal_user.role, portal_user.disabled, "                      \
    "portal_user.properties, portal_user.password_hash, portal_user.created, portal_user.modified, portal_user.last_login, "     \
    "portal_user.role_id, portal_user.license, portal_user.provider, portal_user.idp_username, portal_user.preferred_view, "     \
    "portal_user.favourites, portal_user.password_expires, "                                                                     \
    "(SELECT portal_role.privileges FROM portal_role WHERE portal_role.id = portal_user.role_id)"
const char meta_user_columns[] = USER_COLUMNS;
enum { VALUES = 28 };

static const char insert_sql[] =
    "INSERT INTO portal_user (username, id, full_name, first_name, last_name, email, description, culture, region, units, "
    "thumbnail, "
    "tags, access, role, disabled, properties, password_hash, created, modified, last_login, role_id, license, provider, "
    "idp_username, preferred_view, favourites, password_expires, username_fold, number) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " META_SUBJECT_NUMBER(
        "portal_user", "3") ") RETURNING number";
static const char update_sql[] =
    "UPDATE portal_user SET username = ?, id = ?, full_name = ?, first_name = ?, last_name = ?, email = ?, description = ?, "
    "culture = ?, region = ?, units = ?, thumbnail = ?, tags = ?, access = ?, role = ?, disabled = ?, properties = ?, "
    "password_hash = ?, created = ?, modified = ?, last_login = ?, role_id = ?, license = ?, provider = ?, idp_username = ?, "
    "preferred_view = ?, favourites = ?, password_expires = ? WHERE username_fold = ? RETURNING number";

const struct meta_order meta_user_orders[] = {
    {"username", "portal_user.username_fold", "portal_user.username_fold DESC", 1, false},
    {"fullname", "portal_user.full_name, portal_user.username_fold", "portal_user.full_name DESC, portal_user.username_fold DESC",
     2, false},
    {"created", "portal_user.created, portal_user.username_fold", "portal_user.created DESC, portal_user.username_fold DESC", 2,
     true},
    {"modified", "portal_user.modified, portal_user.username_fold", "portal_user.modified DESC, portal_user.username_fold DESC",
     2, true},
    {"lastlogin", "portal_user.last_login, portal_user.username_fold",
     "portal_user.last_login DESC, portal_user.username_fold DESC", 2, true},
    {"role", "portal_user.role, portal_user.username_fold", "portal_user.role DESC, portal_user.username_fold DESC", 2, true},
    {NULL, "portal_user.username_fold", "portal_user.username_fold DESC", 1, false},
};

static struct sql_value text_of(str s) { return SQL_S(str_none(s) ? STR("") : s); }

void meta_user_row(struct ctx *ctx, const struct sql_rows *rows, struct user *out)
{
    *out = (struct user){
        .username = sql_str(ctx, rows, 0),
        .id = meta_id(rows, 1),
        .full_name = sql_str(ctx, rows, 2),
        .first_name = sql_str(ctx, rows, 3),
        .last_name = sql_str(ctx, rows, 4),
        .email = sql_str(ctx, rows, 5),
        .description = sql_str(ctx, rows, 6),
        .culture = sql_str(ctx, rows, 7),
        .region = sql_str(ctx, rows, 8),
        .units = sql_str(ctx, rows, 9),
        .thumbnail = sql_str(ctx, rows, 10),
        .tags = sql_str(ctx, rows, 11),
        .access = (enum item_access)sql_int(rows, 12),
        .role = (enum role)sql_int(rows, 13),
        .disabled = sql_int(rows, 14) != 0,
        .properties = sql_str(ctx, rows, 15),
        .password_hash = sql_str(ctx, rows, 16),
        .created = sql_int(rows, 17),
        .modified = sql_int(rows, 18),
        .last_login = sql_int(rows, 19),
        .role_id = sql_str(ctx, rows, 20),
        .license = sql_str(ctx, rows, 21),
        .provider = sql_str(ctx, rows, 22),
        .idp_username = sql_str(ctx, rows, 23),
        .preferred_view = sql_str(ctx, rows, 24),
        .favourites = meta_id(rows, 25),
        .password_expires = sql_int(rows, 26),
    };
    if (!str_empty(out->role_id))
        out->custom_privileges = meta_role_privileges(ctx, sql_text(rows, 27));
}

static void user_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_user_row(ctx, rows, element); }

static void user_values(struct ctx *ctx, const struct user *u, struct sql_value v[VALUES])
{
    const struct sql_value values[VALUES] = {
        text_of(u->username),       SQL_ID(u->id),
        text_of(u->full_name),      text_of(u->first_name),
        text_of(u->last_name),      text_of(u->email),
        text_of(u->description),    text_of(u->culture),
        text_of(u->region),         text_of(u->units),
        text_of(u->thumbnail),      text_of(u->tags),
        SQL_I(u->access),           SQL_I(u->role),
        SQL_I(u->disabled),         text_of(u->properties),
        text_of(u->password_hash),  SQL_I(u->created),
        SQL_I(u->modified),         SQL_I(u->last_login),
        text_of(u->role_id),        text_of(u->license),
        text_of(u->provider),       text_of(u->idp_username),
        text_of(u->preferred_view), SQL_ID(u->favourites),
        SQL_I(u->password_expires), text_of(utf8_fold(ctx->arena, u->username)),
    };
    memcpy(v, values, sizeof values);
}

static int terms_put(struct ctx *ctx, struct sql_tx *tx, int64_t number, const struct user *u)
{
    const struct meta_term_field fields[] = {
        {.bit = TERM_USER_USERNAME, .text = u->username},
        {.bit = TERM_USER_FULL_NAME, .text = u->full_name},
        {.bit = TERM_USER_FIRST_NAME, .text = u->first_name},
        {.bit = TERM_USER_LAST_NAME, .text = u->last_name},
        {.bit = TERM_USER_EMAIL, .text = u->email},
        {.bit = TERM_USER_DESCRIPTION, .text = u->description, .html = true},
        {.bit = TERM_USER_ACCESS, .text = str_c(item_access_name(u->access))},
        {.bit = TERM_USER_WHOLE_TAGS, .text = u->tags, .list = true},
    };
    return meta_terms_put(ctx, tx, number, fields, COUNT_OF(fields));
}

int meta_user_index(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number)
{
    struct user row;
    meta_user_row(ctx, rows, &row);
    return terms_put(ctx, tx, number, &row);
}

int meta_user_get(struct ctx *ctx, struct sql_tx *tx, str username_or_id, struct user *out)
{
    id user_id;
    bool is_id = id_parse(username_or_id, &user_id);
    str name = utf8_fold(ctx->arena, username_or_id);
    const struct meta_query by_name = {"SELECT " USER_COLUMNS " FROM portal_user WHERE portal_user.username_fold = ?",
                                       (struct sql_value[]){text_of(name)}, 1, sizeof *out, user_row};
    int rc = meta_first(ctx, tx, &by_name, out);
    if (rc != RC_NOT_FOUND || !is_id)
        return rc;
    const struct meta_query by_id = {"SELECT " USER_COLUMNS " FROM portal_user WHERE portal_user.id = ?",
                                     (struct sql_value[]){SQL_ID(user_id)}, 1, sizeof *out, user_row};
    return meta_first(ctx, tx, &by_id, out);
}

int meta_user_insert(struct ctx *ctx, struct sql_tx *tx, const struct user *u)
{
    struct sql_value v[VALUES];
    int64_t number;
    user_values(ctx, u, v);
    TRY(meta_number(ctx, tx, &number, insert_sql, v, VALUES));
    return terms_put(ctx, tx, number, u);
}

int meta_user_update(struct ctx *ctx, struct sql_tx *tx, const struct user *u)
{
    struct sql_value v[VALUES];
    int64_t number;
    user_values(ctx, u, v);
    TRY(meta_number(ctx, tx, &number, update_sql, v, VALUES));
    return terms_put(ctx, tx, number, u);
}

int meta_user_delete(struct ctx *ctx, struct sql_tx *tx, str username)
{
    struct user u;
    int64_t number;
    TRY(meta_user_get(ctx, tx, username, &u));
    TRY(meta_tokens_of_user_delete(ctx, tx, u.username));
    TRY(meta_number(ctx, tx, &number, "DELETE FROM portal_user WHERE id = ? RETURNING number", (struct sql_value[]){SQL_ID(u.id)},
                    1));
    return meta_terms_delete(ctx, tx, number);
}

int meta_users(struct ctx *ctx, struct sql_tx *tx, const struct meta_page *page, struct user **out, size_t *count_out,
               int64_t *total_out)
{
    str text = arena_printf(ctx->arena, "SELECT %s FROM portal_user ORDER BY %s LIMIT ? OFFSET ?", meta_user_columns,
                            meta_order_sql(meta_user_orders, page->sort_field, page->descending));
    const struct sql_value v[] = {SQL_I(page->num < 0 ? 0 : page->num), SQL_I(page->start < 0 ? 0 : page->start)};
    const struct meta_query q = {text.p, v, COUNT_OF(v), sizeof(struct user), user_row};
    void *users;
    TRY(meta_count(ctx, tx, "SELECT COUNT(*) FROM portal_user", NULL, 0, total_out));
    TRY(meta_list(ctx, tx, &q, &users, count_out));
    *out = users;
    return RC_OK;
}

/* ---- tokens ---- */

#define TOKEN_COLUMNS "token.hash, token.username, token.created, token.expires, token.referer, token.ip, token.server_url"

static void token_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct token *)element = (struct token){
        .hash = meta_hash(rows, 0),
        .username = sql_str(ctx, rows, 1),
        .created = sql_int(rows, 2),
        .expires = sql_int(rows, 3),
        .referer = sql_str(ctx, rows, 4),
        .ip = sql_str(ctx, rows, 5),
        .server_url = sql_str(ctx, rows, 6),
    };
}

int meta_token_insert(struct ctx *ctx, struct sql_tx *tx, const struct token *t)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO token (hash, username, created, expires, referer, ip, server_url) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    SQL_HASH(t->hash), SQL_S(t->username), SQL_I(t->created), SQL_I(t->expires), text_of(t->referer),
                    text_of(t->ip), text_of(t->server_url));
}

int meta_token_get(struct ctx *ctx, struct sql_tx *tx, struct hash h, struct token *out)
{
    const struct meta_query q = {"SELECT " TOKEN_COLUMNS " FROM token WHERE token.hash = ?", (struct sql_value[]){SQL_HASH(h)}, 1,
                                 sizeof *out, token_row};
    return meta_first(ctx, tx, &q, out);
}

struct signed_in {
    struct token token;
    struct user user;
};

static void signed_in_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    struct signed_in *out = element;
    token_row(ctx, rows, &out->token);
    out->user = (struct user){.username = out->token.username,
                              .role = (enum role)sql_int(rows, 7),
                              .role_id = sql_str(ctx, rows, 8),
                              .disabled = sql_int(rows, 9) != 0};
    if (!str_empty(out->user.role_id))
        out->user.custom_privileges = meta_role_privileges(ctx, sql_text(rows, 10));
}

int meta_token_signed_in(struct ctx *ctx, struct sql_tx *tx, struct hash h, struct token *out, struct user *user_out)
{
    struct signed_in row;
    const struct meta_query q = {"SELECT " TOKEN_COLUMNS
                                 ", portal_user.role, portal_user.role_id, portal_user.disabled, portal_role.privileges "
                                 "FROM token JOIN portal_user ON portal_user.username = token.username "
                                 "LEFT JOIN portal_role ON portal_role.id = portal_user.role_id WHERE token.hash = ?",
                                 (struct sql_value[]){SQL_HASH(h)}, 1, sizeof row, signed_in_row};
    TRY(meta_first(ctx, tx, &q, &row));
    *out = row.token;
    *user_out = row.user;
    return RC_OK;
}

int meta_token_delete(struct ctx *ctx, struct sql_tx *tx, struct hash h)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM token WHERE hash = ?", SQL_HASH(h)));
    return meta_changed(tx);
}

int meta_tokens_expire(struct ctx *ctx, struct sql_tx *tx, int64_t now)
{
    return sql_exec(ctx, tx, "DELETE FROM token WHERE expires <= ?", SQL_I(now));
}

int meta_tokens_of_user_delete(struct ctx *ctx, struct sql_tx *tx, str username)
{
    return sql_exec(ctx, tx, "DELETE FROM token WHERE username = ?", SQL_S(username));
}
