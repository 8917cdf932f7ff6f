/* A parsed search to SQL. Each field is a row of a table that says where its values are: in the term index, or in a column. The
 * text of the statement is made of the rows of these tables only; what was searched for is bound. Visibility is part of the
 * condition, so that totals and pages are exact. */
#include "store/meta_rows.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "model/search.h"
#include "store/meta_search_fields.h"

enum { SQL_MAX = 256 * 1024 };

enum field_kind {
    WORDS,  /* words in the index */
    WHOLE,  /* whole values in the index */
    EXACT,  /* a column, case counts */
    FOLDED, /* a column or expression that is folded */
    NUMBER, /* a column of numbers or times */
    FLAG,   /* a column that is 0 or 1 */
    ACCESS, /* the column access; of items, "shared" is private and in a group */
    GROUP,  /* id of a group the item is shared to */
    ORG,    /* the one organization */
};

struct field {
    const char *name;
    enum field_kind kind;
    enum meta_term_field_bit bit; /* WORDS, WHOLE */
    bool standard;                /* searched when no field is named */
    bool confidential;            /* by administrators only, who see it in what is found */
    const char *column;           /* the other kinds */
};

struct entity {
    const char *id;     /* column */
    const char *number; /* column that search_posting.subject names */
    const char *access; /* column */
    bool shared;        /* has groups: items */
    const struct field *fields;
};

static const struct field item_field_table[] = {
    {.name = "title", .kind = WORDS, .bit = TERM_ITEM_TITLE, .standard = true},
    {.name = "snippet", .kind = WORDS, .bit = TERM_ITEM_SNIPPET, .standard = true},
    {.name = "description", .kind = WORDS, .bit = TERM_ITEM_DESCRIPTION, .standard = true},
    {.name = "accessinformation", .kind = WORDS, .bit = TERM_ITEM_CREDITS, .standard = true},
    {.name = "licenseinfo", .kind = WORDS, .bit = TERM_ITEM_LICENSE},
    /* named, these are compared as a whole; not named, by their words */
    {.name = "", .kind = WORDS, .bit = TERM_ITEM_TAGS, .standard = true},
    {.name = "", .kind = WORDS, .bit = TERM_ITEM_TYPE, .standard = true},
    {.name = "", .kind = WORDS, .bit = TERM_ITEM_KEYWORDS, .standard = true},
    {.name = "tags", .kind = WHOLE, .bit = TERM_ITEM_WHOLE_TAGS},
    {.name = "type", .kind = WHOLE, .bit = TERM_ITEM_WHOLE_TYPE},
    {.name = "typekeywords", .kind = WHOLE, .bit = TERM_ITEM_WHOLE_KEYWORDS},
    {.name = "categories", .kind = WHOLE, .bit = TERM_ITEM_WHOLE_CATEGORIES},
    {.name = "id", .kind = FOLDED, .column = "item.id"},
    {.name = "owner", .kind = EXACT, .column = "item.owner"},
    {.name = "ownerfolder", .kind = FOLDED, .column = "item.folder"},
    {.name = "created", .kind = NUMBER, .column = "item.created"},
    {.name = "modified", .kind = NUMBER, .column = "item.modified"},
    {.name = "size", .kind = NUMBER, .column = "item.size"},
    {.name = "numviews", .kind = NUMBER, .column = "item.num_views"},
    {.name = "numratings", .kind = NUMBER, .column = "0"},
    {.name = "numcomments", .kind = NUMBER, .column = "0"},
    {.name = "avgrating", .kind = NUMBER, .column = "0"},
    {.name = "protected", .kind = FLAG, .column = "item.protected"},
    {.name = "url", .kind = FOLDED, .column = "item.url_fold"},
    {.name = "name", .kind = FOLDED, .column = "LOWER(item.name)"},
    {.name = "culture", .kind = FOLDED, .column = "LOWER(item.culture)"},
    {.name = "spatialreference", .kind = FOLDED, .column = "LOWER(item.spatial_reference)"},
    {.name = "contentstatus", .kind = FOLDED, .column = "LOWER(item.content_status)"},
    {.name = "access", .kind = ACCESS},
    {.name = "group", .kind = GROUP},
    {.name = "orgid", .kind = ORG},
    {.name = NULL},
};
static const struct field group_field_table[] = {
    {.name = "title", .kind = WORDS, .bit = TERM_GROUP_TITLE, .standard = true},
    {.name = "snippet", .kind = WORDS, .bit = TERM_GROUP_SNIPPET, .standard = true},
    {.name = "description", .kind = WORDS, .bit = TERM_GROUP_DESCRIPTION, .standard = true},
    {.name = "", .kind = WORDS, .bit = TERM_GROUP_TAGS, .standard = true},
    {.name = "", .kind = WORDS, .bit = TERM_GROUP_OWNER, .standard = true},
    {.name = "tags", .kind = WHOLE, .bit = TERM_GROUP_WHOLE_TAGS},
    {.name = "id", .kind = FOLDED, .column = "portal_group.id"},
    {.name = "owner", .kind = EXACT, .column = "portal_group.owner"},
    {.name = "phone", .kind = FOLDED, .column = "LOWER(portal_group.phone)"},
    {.name = "created", .kind = NUMBER, .column = "portal_group.created"},
    {.name = "modified", .kind = NUMBER, .column = "portal_group.modified"},
    {.name = "isinvitationonly", .kind = FLAG, .column = "portal_group.is_invitation_only"},
    {.name = "isviewonly", .kind = FLAG, .column = "portal_group.is_view_only"},
    {.name = "access", .kind = ACCESS},
    {.name = "orgid", .kind = ORG},
    {.name = NULL},
};
static const struct field user_field_table[] = {
    {.name = "", .kind = WORDS, .bit = TERM_USER_USERNAME, .standard = true},
    {.name = "fullname", .kind = WORDS, .bit = TERM_USER_FULL_NAME, .standard = true},
    {.name = "firstname", .kind = WORDS, .bit = TERM_USER_FIRST_NAME},
    {.name = "lastname", .kind = WORDS, .bit = TERM_USER_LAST_NAME},
    {.name = "description", .kind = WORDS, .bit = TERM_USER_DESCRIPTION},
    {.name = "", .kind = WORDS, .bit = TERM_USER_EMAIL, .standard = true, .confidential = true},
    {.name = "tags", .kind = WHOLE, .bit = TERM_USER_WHOLE_TAGS},
    {.name = "username", .kind = FOLDED, .column = "portal_user.username_fold"},
    {.name = "id", .kind = FOLDED, .column = "portal_user.id"},
    {.name = "email", .kind = FOLDED, .column = "LOWER(portal_user.email)", .confidential = true},
    {.name = "created", .kind = NUMBER, .column = "portal_user.created"},
    {.name = "modified", .kind = NUMBER, .column = "portal_user.modified"},
    {.name = "lastlogin", .kind = NUMBER, .column = "portal_user.last_login", .confidential = true},
    {.name = "role",
     .kind = FOLDED,
     .confidential = true,
     .column = "CASE portal_user.role WHEN 3 THEN 'org_admin' WHEN 2 THEN 'org_publisher' WHEN 1 THEN 'org_user' ELSE "
               "'iaaaaaaaaaaaaaaa' END"},
    {.name = "disabled", .kind = FLAG, .column = "portal_user.disabled", .confidential = true},
    {.name = "access", .kind = ACCESS},
    {.name = "orgid", .kind = ORG},
    {.name = NULL},
};
_Static_assert(ROLE_ADMIN == 3 && ROLE_PUBLISHER == 2 && ROLE_USER == 1, "the roles in the table above");

static const struct entity item_entity = {"item.id", "item.number", "item.access", true, item_field_table};
static const struct entity group_entity = {"portal_group.id", "portal_group.number", "portal_group.access", false,
                                           group_field_table};
static const struct entity user_entity = {"portal_user.id", "portal_user.number", "portal_user.access", false, user_field_table};

/* ---- the statement under construction ---- */

struct builder {
    struct ctx *ctx;
    const struct entity *entity;
    const struct viewer *who;
    struct buf sql;
    struct sql_value *values;
    size_t count, capacity;
};

static struct builder builder_of(struct ctx *ctx, const struct entity *entity, const struct viewer *who)
{
    return (struct builder){.ctx = ctx, .entity = entity, .who = who, .sql = BUF_INIT(SQL_MAX)};
}

static void builder_free(struct builder *b) { buf_free(&b->sql); }

static void add(struct builder *b, const char *text) { buf_add(&b->sql, str_c(text)); }

static void bind(struct builder *b, struct sql_value v)
{
    b->values = arena_grow(b->ctx->arena, b->values, &b->capacity, b->count + 1, sizeof *b->values);
    b->values[b->count++] = v;
}

static void never(struct builder *b) { add(b, "1 = 0"); }

/* ---- comparing ---- */

/* A text with * and ? as a pattern for LIKE; everything that means something there is escaped by "!". */
static str like_pattern(struct builder *b, str pattern)
{
    char *out = arena_alloc(b->ctx->arena, 2 * pattern.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c == '%' || c == '_' || c == '!')
            out[n++] = '!';
        out[n++] = c;
        if (c == '*')
            out[n - 1] = '%';
        else if (c == '?')
            out[n - 1] = '_';
    }
    return str_of(out, n);
}

/* The beginning as a range, which an index serves; LIKE for the rest when there is more than a star at the end. */
static void add_wildcard(struct builder *b, const char *expression, str pattern)
{
    size_t n = 0;
    while (n < pattern.n && pattern.p[n] != '*' && pattern.p[n] != '?')
        n++;
    str prefix = str_sub(pattern, 0, n);
    if (n > 0) {
        buf_printf(&b->sql, "%s >= ? AND %s < ?", expression, expression);
        bind(b, SQL_S(prefix));
        bind(b, SQL_S(arena_printf(b->ctx->arena, "%.*s\xf4\x8f\xbf\xbf", STR_FMT(prefix)))); /* U+10FFFF */
        if (str_eq(str_sub(pattern, n, pattern.n), STR("*")))
            return;
        add(b, " AND ");
    }
    buf_printf(&b->sql, "%s LIKE ? ESCAPE '!'", expression);
    bind(b, SQL_S(like_pattern(b, pattern)));
}

/* Bounds that are STR_NONE are open. */
static void add_range(struct builder *b, const char *expression, const struct search_query *q, struct sql_value from,
                      struct sql_value to)
{
    add(b, "1 = 1");
    if (!str_none(q->from)) {
        buf_printf(&b->sql, " AND %s %s ?", expression, q->from_inclusive ? ">=" : ">");
        bind(b, from);
    }
    if (!str_none(q->to)) {
        buf_printf(&b->sql, " AND %s %s ?", expression, q->to_inclusive ? "<=" : "<");
        bind(b, to);
    }
}

/* prepare: what the stored side went through (folding), applied to what is searched. */
static void add_text(struct builder *b, const char *expression, const struct search_query *q, str (*prepare)(struct ctx *, str))
{
    str text = str_none(q->text) ? STR("") : prepare(b->ctx, q->text);
    if (q->kind == SEARCH_RANGE) {
        str from = str_none(q->from) ? STR_NONE : prepare(b->ctx, q->from),
            to = str_none(q->to) ? STR_NONE : prepare(b->ctx, q->to);
        add_range(b, expression, q, SQL_S(from), SQL_S(to));
    } else if (q->kind == SEARCH_WILDCARD) {
        add_wildcard(b, expression, text);
    } else {
        buf_printf(&b->sql, "%s = ?", expression);
        bind(b, SQL_S(text));
    }
}

static str as_is(struct ctx *ctx, str s)
{
    (void)ctx;
    return s;
}
static str folded(struct ctx *ctx, str s) { return utf8_fold(ctx->arena, s); }

/* A number, zero padded or not, or a date. */
static bool number_parse(str s, int64_t *out)
{
    while (s.n > 1 && s.p[0] == '0')
        s = str_sub(s, 1, s.n);
    return num_parse_int(s, out) || clock_iso_parse(s, out);
}

static void add_number(struct builder *b, const char *expression, const struct search_query *q)
{
    int64_t value = 0, from = 0, to = 0;
    if (q->kind == SEARCH_RANGE) {
        if ((!str_none(q->from) && !number_parse(q->from, &from)) || (!str_none(q->to) && !number_parse(q->to, &to)))
            never(b);
        else
            add_range(b, expression, q, SQL_I(from), SQL_I(to));
    } else if (q->kind == SEARCH_WILDCARD && str_eq(q->text, STR("*"))) {
        add(b, "1 = 1");
    } else if (number_parse(q->text, &value)) {
        buf_printf(&b->sql, "%s = ?", expression);
        bind(b, SQL_I(value));
    } else {
        never(b);
    }
}

/* ---- the term index ---- */

/* The subjects with a word that one of the fields has; the condition on the word and ")" follow. */
static void add_index_head(struct builder *b, unsigned fields)
{
    buf_printf(
        &b->sql,
        "%s IN (SELECT search_posting.subject FROM search_word JOIN search_posting ON search_posting.word = search_word.number "
        "WHERE (search_posting.fields & %u) <> 0 AND ",
        b->entity->number, fields);
}

/* The longest word finds the candidates, the words in a row decide. */
static void add_phrase(struct builder *b, unsigned fields, str words, str longest)
{
    add_index_head(b, fields);
    buf_printf(
        &b->sql,
        "search_word.word = ? AND EXISTS (SELECT 1 FROM search_text WHERE search_text.subject = search_posting.subject AND "
        "(search_text.field & %u) <> 0 AND search_text.content LIKE ? ESCAPE '!'))",
        fields);
    bind(b, SQL_S(longest));
    /* words are letters and digits: there is nothing to escape */
    bind(b, SQL_S(arena_printf(b->ctx->arena, "%% %.*s %%", STR_FMT(words))));
}

static void add_words(struct builder *b, unsigned fields, str text)
{
    str all = utf8_fold(b->ctx->arena, text), word, longest = STR("");
    CLEANUP(buf_free) struct buf words = BUF_INIT(all.n + 1);
    size_t position = 0, count = 0;
    while (meta_terms_word(all, &position, &word)) {
        buf_add(&words, count == 0 ? STR("") : STR(" "));
        buf_add(&words, word);
        if (word.n > longest.n)
            longest = word;
        count++;
    }
    if (count == 0) {
        never(b);
    } else if (count > 1) {
        add_phrase(b, fields, buf_str(&words), longest);
    } else {
        add_index_head(b, fields);
        add(b, "search_word.word = ?)");
        bind(b, SQL_S(longest));
    }
}

/* Pieces between characters that are no word's: each one's words have to be there. */
static void add_word_wildcards(struct builder *b, unsigned fields, str text)
{
    str all = utf8_fold(b->ctx->arena, text);
    size_t count = 0;
    for (size_t next = 0, start = 0; start < all.n; start = next) {
        size_t end = start;
        while (next < all.n) {
            int32_t c = utf8_next(all, &next);
            if (c != '*' && c != '?' && !meta_terms_word_char(c))
                break;
            end = next;
        }
        if (end == start)
            continue;
        add(b, count++ > 0 ? " AND " : "");
        add_index_head(b, fields);
        add_wildcard(b, "search_word.word", str_sub(all, start, end));
        add(b, ")");
    }
    if (count == 0)
        never(b);
}

static void add_index_words(struct builder *b, unsigned fields, const struct search_query *q)
{
    if (q->kind == SEARCH_RANGE) {
        add_index_head(b, fields);
        add_text(b, "search_word.word", q, folded);
        add(b, ")");
    } else if (q->kind == SEARCH_WILDCARD) {
        add_word_wildcards(b, fields, q->text);
    } else {
        add_words(b, fields, q->text);
    }
}

static bool may_search(const struct builder *b, const struct field *f) { return b->who->admin || !f->confidential; }

static void add_standard(struct builder *b, const struct search_query *q)
{
    unsigned fields = 0;
    id subject;
    for (const struct field *f = b->entity->fields; f->name; f++)
        if (f->standard && may_search(b, f))
            fields |= f->bit;
    bool is_id = q->kind == SEARCH_TERM && id_parse(q->text, &subject);
    if (is_id) {
        buf_printf(&b->sql, "%s = ? OR ", b->entity->id);
        bind(b, SQL_S(arena_str(b->ctx->arena, id_str(&subject))));
    }
    add_index_words(b, fields, q);
}

/* ---- fields with a meaning of their own ---- */

static const char in_group[] =
    " OR EXISTS (SELECT 1 FROM group_member WHERE group_member.group_id = portal_group.id AND group_member.username = ?)";

static void add_access(struct builder *b, const struct search_query *q)
{
    enum item_access access;
    if (!item_access_parse(utf8_fold(b->ctx->arena, q->text), &access)) {
        never(b);
        return;
    }
    bool shared = access == ITEM_SHARED;
    buf_printf(&b->sql, "%s = ?", b->entity->access);
    bind(b, SQL_I(b->entity->shared && shared ? ITEM_PRIVATE : access));
    if (b->entity->shared && (shared || access == ITEM_PRIVATE))
        buf_printf(&b->sql, " AND %sEXISTS (SELECT 1 FROM item_group WHERE item_group.item = item.id)", shared ? "" : "NOT ");
}

static void add_visible(struct builder *b, const char *access, const char *owner, const char *also);

/* A group that is not seen is as good as missing, also when what is in it is seen for another reason. */
static void add_group(struct builder *b, const struct search_query *q)
{
    add(b,
        "item.id IN (SELECT item_group.item FROM item_group JOIN portal_group ON portal_group.id = item_group.group_id WHERE ");
    add_text(b, "item_group.group_id", q, folded);
    add_visible(b, "portal_group.access", "portal_group.owner", in_group);
    add(b, ")");
}

static void add_flag(struct builder *b, const char *column, const struct search_query *q)
{
    bool value;
    if (!num_parse_bool(q->text, &value)) {
        never(b);
        return;
    }
    buf_printf(&b->sql, "%s = ?", column);
    bind(b, SQL_I(value));
}

static void add_org(struct builder *b, const struct search_query *q)
{
    add(b, "EXISTS (SELECT 1 FROM setting WHERE setting.name = '" META_ORG_ID "' AND ");
    add_text(b, "setting.value", q, as_is);
    add(b, ")");
}

/* ---- the tree ---- */

static void add_field(struct builder *b, const struct field *f, const struct search_query *q)
{
    switch (f->kind) {
    case WORDS:
        add_index_words(b, f->bit, q);
        break;
    case WHOLE:
        add_index_head(b, f->bit);
        add_text(b, "search_word.word", q, meta_terms_value);
        add(b, ")");
        break;
    case EXACT:
        add_text(b, f->column, q, as_is);
        break;
    case FOLDED:
        add_text(b, f->column, q, folded);
        break;
    case NUMBER:
        add_number(b, f->column, q);
        break;
    case FLAG:
        add_flag(b, f->column, q);
        break;
    case ACCESS:
        add_access(b, q);
        break;
    case GROUP:
        add_group(b, q);
        break;
    case ORG:
        add_org(b, q);
        break;
    }
}

static void add_leaf(struct builder *b, const struct search_query *q)
{
    const struct field *f = b->entity->fields;
    if (str_empty(q->field)) {
        add_standard(b, q);
        return;
    }
    while (f->name && !str_eq(q->field, str_c(f->name)))
        f++;
    if (f->name && may_search(b, f))
        add_field(b, f, q);
    else
        never(b); /* nothing has a field that nobody knows */
}

/* As few parentheses as are needed: SQLite's parser nests to 100 symbols. */
static void add_query(struct builder *b, const struct search_query *q)
{
    if (q->kind == SEARCH_NOT) {
        add(b, "NOT ");
        add_query(b, q->children[0]);
        return;
    }
    add(b, "(");
    switch (q->kind) {
    case SEARCH_ALL:
        add(b, "1 = 1");
        break;
    case SEARCH_NOTHING:
        never(b);
        break;
    case SEARCH_AND:
    case SEARCH_OR:
        for (size_t i = 0; i < q->child_count; i++) {
            add(b, i == 0 ? "" : q->kind == SEARCH_AND ? " AND " : " OR ");
            add_query(b, q->children[i]);
        }
        break;
    default:
        add_leaf(b, q);
    }
    add(b, ")");
}

/* ---- visibility ---- */

/* Public things for everybody, those of the organization for who is signed in, own things, and (`also`, with the username bound
 * once) what groups give. */
static void add_visible(struct builder *b, const char *access, const char *owner, const char *also)
{
    const struct viewer *who = b->who;
    if (who->admin)
        return;
    buf_printf(&b->sql, " AND (%s = ?", access);
    bind(b, SQL_I(ITEM_PUBLIC));
    if (!str_empty(who->username)) {
        buf_printf(&b->sql, " OR %s = ? OR %s = ?", access, owner);
        bind(b, SQL_I(who->outside ? ITEM_PUBLIC : ITEM_ORG));
        bind(b, SQL_S(who->username));
        if (also) {
            add(b, also);
            bind(b, SQL_S(who->username));
        }
    }
    add(b, ")");
}

/* ---- running ---- */

struct search_run {
    const char *columns, *order;
    size_t element_size;
    void (*row)(struct ctx *ctx, const struct sql_rows *rows, void *element);
};

/* b->sql holds " FROM ... WHERE ..." */
static int run(struct builder *b, struct sql_tx *tx, const struct search_run *what, const struct meta_search_page *page,
               void **list_out, size_t *count_out, int64_t *total_out)
{
    struct ctx *ctx = b->ctx;
    TRY(buf_check(&b->sql, ctx, "search"));
    str from = buf_str(&b->sql);
    str total = arena_printf(ctx->arena, "SELECT COUNT(*)%.*s", STR_FMT(from));
    str text = arena_printf(ctx->arena, "SELECT %s%.*s ORDER BY %s LIMIT ? OFFSET ?", what->columns, STR_FMT(from), what->order);
    TRY(meta_count(ctx, tx, total.p, b->values, b->count, total_out));
    bind(b, SQL_I(page->num < 0 ? 0 : page->num));
    bind(b, SQL_I(page->start < 0 ? 0 : page->start));
    const struct meta_query q = {text.p, b->values, b->count, what->element_size, what->row};
    return meta_list(ctx, tx, &q, list_out, count_out);
}

static void item_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_item_row(ctx, rows, element); }
static void group_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_group_row(ctx, rows, element); }
static void user_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_user_row(ctx, rows, element); }

int meta_search_items(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who, const id *group,
                      const struct meta_search_page *page, struct meta_items *out)
{
    CLEANUP(builder_free) struct builder b = builder_of(ctx, &item_entity, who);
    const struct search_run what = {meta_item_columns, meta_order_sql(meta_item_orders, page->sort_field, page->descending),
                                    sizeof(struct item), item_row};
    void *list = NULL;
    add(&b, " FROM item WHERE ");
    add_query(&b, q);
    if (group) {
        add(&b, " AND item.id IN (SELECT item_group.item FROM item_group WHERE item_group.group_id = ?)");
        bind(&b, SQL_ID(*group));
    }
    add_visible(&b, "item.access", "item.owner",
                " OR EXISTS (SELECT 1 FROM item_group JOIN group_member ON group_member.group_id = item_group.group_id "
                "WHERE item_group.item = item.id AND group_member.username = ?)");
    int rc = run(&b, tx, &what, page, &list, &out->count, &out->total);
    out->items = list;
    return rc;
}

static const struct meta_order group_orders[] = {
    {"title", "portal_group.title_fold, portal_group.id", "portal_group.title_fold DESC, portal_group.id DESC"},
    {"created", "portal_group.created, portal_group.id", "portal_group.created DESC, portal_group.id DESC"},
    {"modified", "portal_group.modified, portal_group.id", "portal_group.modified DESC, portal_group.id DESC"},
    {"owner", "portal_group.owner, portal_group.title_fold, portal_group.id",
     "portal_group.owner DESC, portal_group.title_fold DESC, portal_group.id DESC"},
    {NULL, "portal_group.modified DESC, portal_group.id DESC", "portal_group.modified DESC, portal_group.id DESC"},
};

int meta_search_groups(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                       const struct meta_search_page *page, struct meta_groups *out)
{
    CLEANUP(builder_free) struct builder b = builder_of(ctx, &group_entity, who);
    const struct search_run what = {meta_group_columns, meta_order_sql(group_orders, page->sort_field, page->descending),
                                    sizeof(struct group), group_row};
    void *list = NULL;
    add(&b, " FROM portal_group WHERE portal_group.favourites = 0 AND ");
    add_query(&b, q);
    add_visible(&b, "portal_group.access", "portal_group.owner", in_group);
    int rc = run(&b, tx, &what, page, &list, &out->count, &out->total);
    out->groups = list;
    return rc;
}

int meta_search_users(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                      const struct meta_search_page *page, struct meta_user_list *out)
{
    CLEANUP(builder_free) struct builder b = builder_of(ctx, &user_entity, who);
    const struct search_run what = {meta_user_columns, meta_order_sql(meta_user_orders, page->sort_field, page->descending),
                                    sizeof(struct user), user_row};
    void *list = NULL;
    add(&b, " FROM portal_user WHERE ");
    add_query(&b, q);
    add_visible(&b, "portal_user.access", "portal_user.username", NULL);
    int rc = run(&b, tx, &what, page, &list, &out->count, &out->total);
    out->users = list;
    return rc;
}
