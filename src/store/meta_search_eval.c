/* The tree of a query to the set of what it finds. Everything happens within a set: at first what the viewer sees, then what is
 * left of it, so that leaves which cost something for each candidate see few. */
#include "store/meta_search_private.h"

#include "base/num.h"
#include "base/utf8.h"

/* ---- leaves ---- */

int meta_search_word(const struct meta_search *s, int64_t fields, str word, struct bits *into)
{
    int64_t number;
    const struct meta_want want = {.fields = fields, .into = into};
    TRY(meta_words_find(s->ctx, s->tx, word, &number));
    return number == 0 ? RC_OK : meta_postings_read(s->ctx, s->tx, s->entity->kind, number, &want, 1);
}

int meta_search_value(const struct meta_search *s, int64_t field, str value, struct bits *into)
{
    str stored = meta_terms_value(s->ctx, value, field);
    return str_empty(stored) ? RC_OK : meta_search_word(s, field, stored, into);
}

/* Everything that says something in one of the fields. */
static int present(const struct meta_search *s, int64_t fields, struct bits *into)
{
    return meta_search_word(s, fields, STR(""), into);
}

static bool is_star(const struct search_query *q) { return q->kind == SEARCH_WILDCARD && str_eq(q->text, STR("*")); }

static int whole(const struct meta_search *s, int64_t field, const struct search_query *q, const struct bits *within,
                 size_t limit, struct bits *out)
{
    if (is_star(q))
        return present(s, field, out);
    if (q->kind == SEARCH_WILDCARD || q->kind == SEARCH_RANGE || (q->kind == SEARCH_TERM && q->edits > 0))
        return meta_search_values(s, field, q, within, limit, out);
    return meta_search_value(s, field, q->text, out);
}

static int access_places(const struct meta_search *s, int64_t field, const struct search_query *q, struct bits *out)
{
    enum item_access access;
    if (is_star(q))
        return present(s, field, out);
    if (q->kind == SEARCH_RANGE || !item_access_parse(utf8_fold(s->ctx->arena, q->text), &access))
        return RC_OK;
    bool shared = access == ITEM_SHARED && s->entity->in_groups;
    TRY(meta_search_value(s, field, str_c(item_access_name(shared ? ITEM_PRIVATE : access)), out));
    if (!s->entity->in_groups || (access != ITEM_PRIVATE && access != ITEM_SHARED))
        return RC_OK;
    struct bits in_group = meta_search_set(s);
    TRY(present(s, TERM_ITEM_GROUP, &in_group));
    if (shared)
        bits_and(out, &in_group);
    else
        bits_and_not(out, &in_group);
    return RC_OK;
}

/* A flag of the index: "true" is there, or nothing. */
static int flag(const struct meta_search *s, int64_t field, const struct search_query *q, const struct bits *within,
                struct bits *out)
{
    bool value;
    if (q->kind == SEARCH_RANGE || !num_parse_bool(q->text, &value))
        return RC_OK;
    TRY(present(s, field, out));
    if (!value) {
        struct bits set = meta_search_set(s);
        bits_copy(&set, within);
        bits_and_not(&set, out);
        bits_copy(out, &set);
    }
    return RC_OK;
}

/* Where people keep their things concerns nobody else. */
static int own_only(const struct meta_search *s, struct bits *out)
{
    struct bits own = meta_search_set(s);
    TRY(meta_search_value(s, TERM_ITEM_OWNER, s->who->username, &own));
    bits_and(out, &own);
    return RC_OK;
}

static int field_leaf(const struct meta_search *s, const struct meta_field *f, const struct search_query *q,
                      const struct bits *within, size_t limit, struct bits *out)
{
    switch (f->kind) {
    case FIELD_WORDS:
        return is_star(q) ? present(s, f->bit, out) : meta_search_words(s, f->bit, q, within, limit, out);
    case FIELD_WHOLE:
        if (f->own && !s->who->admin)
            limit = 0; /* what is not the viewer's goes */
        TRY(whole(s, f->bit, q, within, limit, out));
        return f->own && !s->who->admin ? own_only(s, out) : RC_OK;
    case FIELD_ACCESS:
        return access_places(s, f->bit, q, out);
    case FIELD_GROUP:
        return meta_search_group(s, q, out);
    case FIELD_PACKED:
        return meta_search_number(s, f, q, within, out);
    case FIELD_ORG:
        return meta_search_org(s, q, within, out);
    case FIELD_FLAG:
        return f->column ? meta_search_column(s, f, q, out) : flag(s, f->bit, q, within, out);
    default:
        return meta_search_column(s, f, q, out);
    }
}

static int standard_leaf(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                         struct bits *out)
{
    static const struct meta_field *const none = NULL;
    id subject;
    TRY(meta_search_words(s, meta_fields_standard(s->entity, s->who, 0), q, within, limit, out));
    const struct meta_field *by_id = meta_field_find(s->entity, s->who, STR("id"));
    if (by_id == none || q->kind != SEARCH_TERM || !id_parse(q->text, &subject))
        return RC_OK;
    return meta_search_column(s, by_id, q, out);
}

/* ---- the tree ---- */

/* Leaves that look at each candidate come last. */
static unsigned cost(const struct search_query *q)
{
    unsigned most = q->kind == SEARCH_PHRASE || q->kind == SEARCH_BOX || q->whole ? 2 : q->kind == SEARCH_WILDCARD ? 1 : 0;
    for (size_t i = 0; i < q->child_count; i++) {
        unsigned c = cost(q->children[i]);
        most = c > most ? c : most;
    }
    return most;
}

static int eval_and(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                    struct bits *out)
{
    struct bits found = meta_search_set(s);
    size_t left = q->child_count;
    bits_copy(out, within);
    for (unsigned c = 0; c <= 2; c++)
        for (size_t i = 0; i < q->child_count; i++) {
            if (cost(q->children[i]) != c)
                continue;
            TRY(meta_search_eval(s, q->children[i], out, --left == 0 ? limit : 0, &found));
            bits_copy(out, &found);
            if (!bits_any(out))
                return RC_OK;
        }
    return RC_OK;
}

static int eval_or(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                   struct bits *out)
{
    struct bits found = meta_search_set(s);
    bits_clear(out);
    for (size_t i = 0; i < q->child_count; i++) {
        TRY(meta_search_eval(s, q->children[i], within, limit, &found));
        bits_or(out, &found);
    }
    return RC_OK;
}

static int eval_not(const struct meta_search *s, const struct search_query *q, const struct bits *within, struct bits *out)
{
    struct bits found = meta_search_set(s);
    TRY(meta_search_eval(s, q->children[0], within, 0, &found));
    bits_copy(out, within);
    bits_and_not(out, &found);
    return RC_OK;
}

static int eval_leaf(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                     struct bits *out)
{
    bits_clear(out);
    if (q->kind == SEARCH_BOX)
        return meta_search_box(s, &q->box, within, out);
    if (str_empty(q->field))
        return standard_leaf(s, q, within, limit, out);
    const struct meta_field *f = meta_field_find(s->entity, s->who, q->field);
    return f ? field_leaf(s, f, q, within, limit, out) : RC_OK;
}

static int eval(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                struct bits *out)
{
    switch (q->kind) {
    case SEARCH_ALL:
        bits_copy(out, within);
        return RC_OK;
    case SEARCH_NOTHING:
        bits_clear(out);
        return RC_OK;
    case SEARCH_AND:
        return eval_and(s, q, within, limit, out);
    case SEARCH_OR:
        return eval_or(s, q, within, limit, out);
    case SEARCH_NOT:
        return eval_not(s, q, within, out);
    default:
        TRY(eval_leaf(s, q, within, limit, out));
        bits_and(out, within);
        return RC_OK;
    }
}

/* The sets of each node are given back behind it: a query of many terms needs no more than its depth. */
int meta_search_eval(const struct meta_search *s, const struct search_query *q, const struct bits *within, size_t limit,
                     struct bits *out)
{
    TRY(ctx_check(s->ctx));
    struct arena_mark mark = arena_mark(s->ctx->arena);
    int rc = eval(s, q, within, limit, out);
    arena_release(s->ctx->arena, mark);
    return rc;
}

/* ---- visibility ---- */

static int groups_of_viewer(const struct meta_search *s, struct bits *into)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    int rc;
    TRY(sql_query(s->ctx, s->tx, &rows,
                  "SELECT group_member.group_id FROM group_member JOIN portal_group ON portal_group.id = group_member.group_id "
                  "WHERE group_member.username = ? AND portal_group.favourites = 0",
                  SQL_S(s->who->username)));
    while ((rc = sql_next(s->ctx, &rows)) == RC_OK)
        TRY(meta_search_word(s, TERM_ITEM_GROUP, sql_str(s->ctx, &rows, 0), into));
    return rc == RC_END ? RC_OK : rc;
}

static int own_places(const struct meta_search *s, struct bits *into)
{
    CLEANUP(sql_rows_close) struct sql_rows rows = {0};
    const struct sql_value v[] = {SQL_S(s->who->username), SQL_S(s->who->username)};
    int rc;
    if (!s->entity->own)
        return meta_search_value(s, TERM_ITEM_OWNER, s->who->username, into);
    TRY(sql_query_n(s->ctx, s->tx, &rows, s->entity->own, v, s->entity->own_values));
    while ((rc = sql_next(s->ctx, &rows)) == RC_OK)
        bits_set(into, (size_t)meta_place_of(sql_int(&rows, 0)));
    return rc == RC_END ? RC_OK : rc;
}

/* Public things for everybody, those of the organization for its members, own things, and what groups give; administrators
 * see everything there is. */
int meta_search_visible(const struct meta_search *s, struct bits *out)
{
    const struct viewer *who = s->who;
    if (who->admin)
        return present(s, s->entity->access, out);
    TRY(meta_search_value(s, s->entity->access, str_c(item_access_name(ITEM_PUBLIC)), out));
    if (str_empty(who->username))
        return RC_OK;
    if (!who->outside)
        TRY(meta_search_value(s, s->entity->access, str_c(item_access_name(ITEM_ORG)), out));
    TRY(own_places(s, out));
    return s->entity->in_groups ? groups_of_viewer(s, out) : RC_OK;
}
