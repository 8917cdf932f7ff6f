/* Groups and their members. */
#include "store/meta_people.h"

#include "base/utf8.h"
#include "store/meta_rows.h"
#include "store/meta_search_fields.h"

const char meta_group_columns[] = META_GROUP_COLUMNS;
enum { GROUP_COLUMNS = 25, VALUES = 25 };

static const char insert_sql[] =
    "INSERT INTO portal_group (title, owner, description, snippet, phone, thumbnail, tags, sort_field, sort_order, access, "
    "is_view_only, "
    "is_invitation_only, auto_join, is_read_only, hidden_members, leaving_disallowed, protected, update_item_control, "
    "membership_access, display_settings, created, modified, favourites, title_fold, id, number) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " META_SUBJECT_NUMBER(
        "portal_group", "2") ") RETURNING number";
static const char update_sql[] =
    "UPDATE portal_group SET title = ?, owner = ?, description = ?, snippet = ?, phone = ?, thumbnail = ?, tags = ?, sort_field "
    "= ?, "
    "sort_order = ?, access = ?, is_view_only = ?, is_invitation_only = ?, auto_join = ?, is_read_only = ?, hidden_members = ?, "
    "leaving_disallowed = ?, protected = ?, update_item_control = ?, membership_access = ?, display_settings = ?, created = ?, "
    "modified = ?, favourites = ?, title_fold = ? WHERE id = ? RETURNING number";

static struct sql_value text_of(str s) { return SQL_S(str_none(s) ? STR("") : s); }

void meta_group_row(struct ctx *ctx, const struct sql_rows *rows, struct group *out)
{
    *out = (struct group){
        .id = meta_id(rows, 0),
        .title = sql_str(ctx, rows, 1),
        .owner = sql_str(ctx, rows, 2),
        .description = sql_str(ctx, rows, 3),
        .snippet = sql_str(ctx, rows, 4),
        .phone = sql_str(ctx, rows, 5),
        .thumbnail = sql_str(ctx, rows, 6),
        .tags = sql_str(ctx, rows, 7),
        .sort_field = sql_str(ctx, rows, 8),
        .sort_order = sql_str(ctx, rows, 9),
        .access = (enum item_access)sql_int(rows, 10),
        .is_view_only = sql_int(rows, 11) != 0,
        .is_invitation_only = sql_int(rows, 12) != 0,
        .auto_join = sql_int(rows, 13) != 0,
        .is_read_only = sql_int(rows, 14) != 0,
        .hidden_members = sql_int(rows, 15) != 0,
        .leaving_disallowed = sql_int(rows, 16) != 0,
        .protected = sql_int(rows, 17) != 0,
        .update_item_control = sql_int(rows, 18) != 0,
        .membership_access = sql_str(ctx, rows, 19),
        .display_settings = sql_str(ctx, rows, 20),
        .created = sql_int(rows, 21),
        .modified = sql_int(rows, 22),
        .favourites = sql_int(rows, 23) != 0,
        .has_category_schema = sql_int(rows, 24) != 0,
    };
}

static void group_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_group_row(ctx, rows, element); }

static void group_values(struct ctx *ctx, const struct group *g, struct sql_value v[VALUES])
{
    const struct sql_value values[VALUES] = {
        text_of(g->title),
        text_of(g->owner),
        text_of(g->description),
        text_of(g->snippet),
        text_of(g->phone),
        text_of(g->thumbnail),
        text_of(g->tags),
        text_of(g->sort_field),
        text_of(g->sort_order),
        SQL_I(g->access),
        SQL_I(g->is_view_only),
        SQL_I(g->is_invitation_only),
        SQL_I(g->auto_join),
        SQL_I(g->is_read_only),
        SQL_I(g->hidden_members),
        SQL_I(g->leaving_disallowed),
        SQL_I(g->protected),
        SQL_I(g->update_item_control),
        text_of(g->membership_access),
        text_of(g->display_settings),
        SQL_I(g->created),
        SQL_I(g->modified),
        SQL_I(g->favourites),
        text_of(utf8_fold(ctx->arena, g->title)),
        SQL_ID(g->id),
    };
    memcpy(v, values, sizeof values);
}

static int terms_put(struct ctx *ctx, struct sql_tx *tx, int64_t number, const struct group *g)
{
    const struct meta_term_field fields[] = {
        {.bit = TERM_GROUP_TITLE, .text = g->title},
        {.bit = TERM_GROUP_TAGS, .text = g->tags, .list = true},
        {.bit = TERM_GROUP_SNIPPET, .text = g->snippet, .html = true},
        {.bit = TERM_GROUP_DESCRIPTION, .text = g->description, .html = true},
        {.bit = TERM_GROUP_OWNER, .text = g->owner},
        {.bit = TERM_GROUP_WHOLE_OWNER, .text = g->owner},
        {.bit = TERM_GROUP_ACCESS, .text = str_c(item_access_name(g->access))},
        {.bit = TERM_GROUP_WHOLE_TAGS, .text = g->tags, .list = true},
    };
    return meta_terms_put(ctx, tx, number, fields, g->favourites ? 0 : COUNT_OF(fields)); /* marks of one user are not found */
}

int meta_group_index(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number)
{
    struct group row;
    meta_group_row(ctx, rows, &row);
    return terms_put(ctx, tx, number, &row);
}

int meta_group_get(struct ctx *ctx, struct sql_tx *tx, const id *group, struct group *out)
{
    const struct meta_query q = {"SELECT " META_GROUP_COLUMNS " FROM portal_group WHERE portal_group.id = ?",
                                 (struct sql_value[]){SQL_ID(*group)}, 1, sizeof *out, group_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_group_insert(struct ctx *ctx, struct sql_tx *tx, const struct group *g)
{
    struct sql_value v[VALUES];
    int64_t number;
    group_values(ctx, g, v);
    TRY(meta_number(ctx, tx, &number, insert_sql, v, VALUES));
    if (!g->favourites)
        TRY(meta_member_put(ctx, tx, &g->id, g->owner, MEMBER_OWNER));
    return terms_put(ctx, tx, number, g);
}

int meta_group_update(struct ctx *ctx, struct sql_tx *tx, const struct group *g)
{
    struct sql_value v[VALUES];
    int64_t number;
    group_values(ctx, g, v);
    TRY(meta_number(ctx, tx, &number, update_sql, v, VALUES));
    return terms_put(ctx, tx, number, g);
}

int meta_group_delete(struct ctx *ctx, struct sql_tx *tx, const id *group)
{
    int64_t number;
    TRY(meta_files_delete(ctx, tx, FILE_GROUP, id_str(group)));
    TRY(meta_schema_put(ctx, tx, id_str(group), STR("")));
    TRY(meta_shares_of_group_end(ctx, tx, group));
    TRY(meta_number(ctx, tx, &number, "DELETE FROM portal_group WHERE id = ? RETURNING number",
                    (struct sql_value[]){SQL_ID(*group)}, 1));
    return meta_terms_delete(ctx, tx, number);
}

static void id_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(id *)element = meta_id(rows, 0);
}

int meta_group_by_title(struct ctx *ctx, struct sql_tx *tx, str owner, str title, id *out)
{
    const struct sql_value v[] = {text_of(owner), text_of(utf8_fold(ctx->arena, title))};
    const struct meta_query q = {"SELECT id FROM portal_group WHERE owner = ? AND title_fold = ? ORDER BY id LIMIT 1", v,
                                 COUNT_OF(v), sizeof(id), id_row};
    return meta_first(ctx, tx, &q, out);
}

/* ---- members ---- */

int meta_member_put(struct ctx *ctx, struct sql_tx *tx, const id *group, str username, enum member_type type)
{
    return sql_exec(ctx, tx,
                    "INSERT INTO group_member (group_id, username, type, joined) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (group_id, username) DO UPDATE SET type = excluded.type",
                    SQL_ID(*group), SQL_S(username), SQL_I(type), SQL_I(ctx_now(ctx)));
}

int meta_member_delete(struct ctx *ctx, struct sql_tx *tx, const id *group, str username)
{
    TRY(sql_exec(ctx, tx, "DELETE FROM group_member WHERE group_id = ? AND username = ?", SQL_ID(*group), SQL_S(username)));
    return meta_changed(tx);
}

static void member_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct member *)element = (struct member){.username = sql_str(ctx, rows, 0),
                                                .full_name = sql_str(ctx, rows, 1),
                                                .type = (enum member_type)sql_int(rows, 2),
                                                .joined = sql_int(rows, 3),
                                                .thumbnail = sql_str(ctx, rows, 4)};
}

int meta_members(struct ctx *ctx, struct sql_tx *tx, const id *group, struct member **out, size_t *count_out)
{
    const struct meta_query q = {
        "SELECT m.username, COALESCE(u.full_name, ''), m.type, m.joined, COALESCE(u.thumbnail, '') FROM group_member m "
        "LEFT JOIN portal_user u ON u.username = m.username WHERE m.group_id = ? "
        "ORDER BY m.type DESC, m.username",
        (struct sql_value[]){SQL_ID(*group)}, 1, sizeof(struct member), member_row};
    void *members;
    TRY(meta_list(ctx, tx, &q, &members, count_out));
    *out = members;
    return RC_OK;
}

int meta_member_type(struct ctx *ctx, struct sql_tx *tx, const id *group, str username, enum member_type *out)
{
    int64_t type = MEMBER_NONE;
    const struct sql_value v[] = {SQL_ID(*group), SQL_S(username)};
    int rc = sql_query_int(ctx, tx, &type, "SELECT type FROM group_member WHERE group_id = ? AND username = ?", v, COUNT_OF(v));
    *out = (enum member_type)type;
    return rc == RC_END ? RC_OK : rc;
}

static void membership_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    struct membership *m = element;
    meta_group_row(ctx, rows, &m->group);
    m->type = (enum member_type)sql_int(rows, GROUP_COLUMNS);
}

int meta_groups_of_user(struct ctx *ctx, struct sql_tx *tx, str username, struct membership **out, size_t *count_out)
{
    str text = arena_printf(
        ctx->arena,
        "SELECT %s, group_member.type FROM portal_group JOIN group_member ON group_member.group_id = portal_group.id "
        "WHERE group_member.username = ? ORDER BY portal_group.title_fold, portal_group.id",
        meta_group_columns);
    const struct meta_query q = {text.p, (struct sql_value[]){SQL_S(username)}, 1, sizeof(struct membership), membership_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}
