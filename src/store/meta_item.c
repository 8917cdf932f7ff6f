/* Items. The descriptive columns come from model/item_fields.def, so that a new row there needs a migration and nothing here. */
#include "store/meta_columns.h"
#include "store/meta_runs.h"

#include "base/utf8.h"
#include "store/meta_search_fields.h"

#define FIXED                                                                                                                    \
    "item.id, item.owner, item.folder, item.created, item.modified, item.access, item.protected, item.size, item.num_views, "    \
    "item.num_comments, item.num_ratings, item.avg_rating, item.last_viewed, item.comments_disabled"
const char meta_item_columns[] = FIXED
#define FIELD(member, name, kind, column, packed) ", item." column
#include "model/item_fields.def"
#undef FIELD
    ;
static const char get_sql[] = "SELECT " FIXED
#define FIELD(member, name, kind, column, packed) ", item." column
#include "model/item_fields.def"
#undef FIELD
                              " FROM item WHERE item.id = ?";
enum {
    FIXED_COLUMNS = 14, /* before the descriptive ones, as they are read */
    EXTRA_COLUMNS = 12, /* beside the descriptive ones, as they are written: the counters are not */
    COLUMNS = EXTRA_COLUMNS + ITEM_FIELD_COUNT
};

static const char insert_sql[] = "INSERT INTO item (owner, folder, created, modified, access, protected, size, num_views, "
                                 "comments_disabled, title_fold, url_fold"
#define FIELD(member, name, kind, column, packed) ", " column
#include "model/item_fields.def"
#undef FIELD
                                 ", id, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define FIELD(member, name, kind, column, packed) ", ?"
#include "model/item_fields.def"
#undef FIELD
                                 ", ?, " META_SUBJECT_NUMBER("item", "1") ") RETURNING number";

static const char update_sql[] =
    "UPDATE item SET owner = ?, folder = ?, created = ?, modified = ?, access = ?, protected = ?, size = ?, "
    "num_views = ?, comments_disabled = ?, title_fold = ?, url_fold = ?"
#define FIELD(member, name, kind, column, packed) ", " column " = ?"
#include "model/item_fields.def"
#undef FIELD
    " WHERE id = ? RETURNING number";

const struct meta_order meta_item_orders[] = {
    {"title", "item.title_fold, item.id", "item.title_fold DESC, item.id DESC", 2, false},
    {"created", "item.created, item.id", "item.created DESC, item.id DESC", 2, true, 1 + COLUMN_CREATED},
    {"uploaded", "item.created, item.id", "item.created DESC, item.id DESC", 2, true, 1 + COLUMN_CREATED},
    {"modified", "item.modified, item.id", "item.modified DESC, item.id DESC", 2, true, 1 + COLUMN_MODIFIED},
    {"type", "item.type, item.title_fold, item.id", "item.type DESC, item.title_fold DESC, item.id DESC", 3, false},
    {"size", "item.size, item.id", "item.size DESC, item.id DESC", 2, true, 1 + COLUMN_SIZE},
    {"owner", "item.owner, item.title_fold, item.id", "item.owner DESC, item.title_fold DESC, item.id DESC", 3, false},
    {"numviews", "item.num_views, item.id", "item.num_views DESC, item.id DESC", 2, true, 1 + COLUMN_VIEWS},
    {"numcomments", "item.num_comments, item.id", "item.num_comments DESC, item.id DESC", 2, true, 1 + COLUMN_COMMENTS},
    {"numratings", "item.num_ratings, item.id", "item.num_ratings DESC, item.id DESC", 2, true, 1 + COLUMN_RATINGS},
    {"avgrating", "CAST(item.avg_rating * 1000000 AS BIGINT), item.id",
     "CAST(item.avg_rating * 1000000 AS BIGINT) DESC, item.id DESC", 2, true, 1 + COLUMN_RATING},
    {"scorecompleteness", "item.modified, item.id", "item.modified DESC, item.id DESC", 2, true, .computed = true},
    {NULL, "item.modified DESC, item.id DESC", "item.modified DESC, item.id DESC", 2, true},
};

/* Never NULL: an unset member is "". */
static str set(str s) { return str_none(s) ? STR("") : s; }

void meta_item_row(struct ctx *ctx, const struct sql_rows *rows, struct item *out)
{
    *out = (struct item){
        .id = meta_id(rows, 0),
        .owner = sql_str(ctx, rows, 1),
        .folder = meta_id(rows, 2),
        .created = sql_int(rows, 3),
        .modified = sql_int(rows, 4),
        .access = (enum item_access)sql_int(rows, 5),
        .protected = sql_int(rows, 6) != 0,
        .size = sql_int(rows, 7),
        .num_views = sql_int(rows, 8),
        .num_comments = sql_int(rows, 9),
        .num_ratings = sql_int(rows, 10),
        .avg_rating = sql_double(rows, 11),
        .last_viewed = sql_int(rows, 12),
        .comments_disabled = sql_int(rows, 13) != 0,
    };
    for (int i = 0; i < ITEM_FIELD_COUNT; i++)
        out->field[i] = sql_str(ctx, rows, FIXED_COLUMNS + i);
}

static void item_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_item_row(ctx, rows, element); }
static void id_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    (void)ctx;
    *(id *)element = meta_id(rows, 0);
}

/* In the order of the placeholders of both statements. */
static void item_values(struct ctx *ctx, const struct item *it, struct sql_value v[COLUMNS])
{
    size_t n = 0;
    v[n++] = SQL_S(set(it->owner));
    v[n++] = SQL_ID(it->folder);
    v[n++] = SQL_I(it->created);
    v[n++] = SQL_I(it->modified);
    v[n++] = SQL_I(it->access);
    v[n++] = SQL_I(it->protected);
    v[n++] = SQL_I(it->size);
    v[n++] = SQL_I(it->num_views);
    v[n++] = SQL_I(it->comments_disabled);
    v[n++] = SQL_S(utf8_fold(ctx->arena, set(it->field[ITEM_TITLE])));
    v[n++] = SQL_S(utf8_fold(ctx->arena, set(it->field[ITEM_URL])));
    for (size_t i = 0; i < ITEM_FIELD_COUNT; i++)
        v[n++] = SQL_S(set(it->field[i]));
    v[n] = SQL_ID(it->id);
}

static int terms_put(struct ctx *ctx, struct sql_tx *tx, int64_t number, const struct item *it)
{
    const str *f = it->field;
    const struct meta_term_field fields[] = {
        /* what is counted comes first: it is found at once */
        {.bit = TERM_ITEM_WHOLE_TAGS, .text = f[ITEM_TAGS], .list = true},
        {.bit = TERM_ITEM_WHOLE_TYPE, .text = f[ITEM_TYPE]},
        {.bit = TERM_ITEM_WHOLE_KEYWORDS, .text = f[ITEM_TYPE_KEYWORDS], .list = true},
        {.bit = TERM_ITEM_WHOLE_CATEGORIES, .text = f[ITEM_CATEGORIES], .list = true},
        {.bit = TERM_ITEM_OWNER, .text = it->owner},
        {.bit = TERM_ITEM_ACCESS, .text = str_c(item_access_name(it->access))},
        {.bit = TERM_ITEM_FOLDER, .text = id_str(&it->folder)},
        {.bit = TERM_ITEM_PROTECTED, .text = it->protected ? STR("true") : STR("")},
        {.bit = TERM_ITEM_THUMBNAIL, .text = str_empty(f[ITEM_THUMBNAIL]) ? STR("") : STR("true")},
        {.bit = TERM_ITEM_NAME, .text = f[ITEM_NAME]},
        {.bit = TERM_ITEM_STATUS, .text = f[ITEM_CONTENT_STATUS]},
        {.bit = TERM_ITEM_CULTURE, .text = f[ITEM_CULTURE]},
        {.bit = TERM_ITEM_SPATIAL_REFERENCE, .text = f[ITEM_SPATIAL_REFERENCE]},
        {.bit = TERM_ITEM_TITLE, .text = f[ITEM_TITLE]},
        {.bit = TERM_ITEM_TAGS, .text = f[ITEM_TAGS], .list = true},
        {.bit = TERM_ITEM_SNIPPET, .text = f[ITEM_SNIPPET], .html = true},
        {.bit = TERM_ITEM_DESCRIPTION, .text = f[ITEM_DESCRIPTION], .html = true},
        {.bit = TERM_ITEM_TYPE, .text = f[ITEM_TYPE]},
        {.bit = TERM_ITEM_KEYWORDS, .text = f[ITEM_TYPE_KEYWORDS], .list = true},
        {.bit = TERM_ITEM_CREDITS, .text = f[ITEM_ACCESS_INFORMATION], .html = true},
        {.bit = TERM_ITEM_LICENSE, .text = f[ITEM_LICENSE_INFO], .html = true},
        {.bit = TERM_ITEM_CATEGORIES, .text = f[ITEM_CATEGORIES], .list = true},
    };
    return meta_terms_put(ctx, tx, number, fields, COUNT_OF(fields));
}

int meta_item_index(struct ctx *ctx, struct sql_tx *tx, const struct sql_rows *rows, int64_t number)
{
    struct item row;
    meta_item_row(ctx, rows, &row);
    TRY(terms_put(ctx, tx, number, &row));
    return meta_shares_index(ctx, tx, number, &row.id);
}

int meta_item_get(struct ctx *ctx, struct sql_tx *tx, const id *item, struct item *out)
{
    const struct meta_query q = {get_sql, (struct sql_value[]){SQL_ID(*item)}, 1, sizeof *out, item_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_item_insert(struct ctx *ctx, struct sql_tx *tx, const struct item *it)
{
    struct sql_value v[COLUMNS];
    int64_t number;
    item_values(ctx, it, v);
    bool more;
    TRY(meta_number(ctx, tx, &number, insert_sql, v, COLUMNS));
    TRY(terms_put(ctx, tx, number, it));
    if (meta_place_of(number) % META_BLOCK != 0)
        return meta_columns_update(ctx, tx, &it->id);
    TRY(meta_columns_follow(ctx, tx, &more));
    return meta_runs_follow(ctx, tx, &more);
}

int meta_item_update(struct ctx *ctx, struct sql_tx *tx, const struct item *it)
{
    struct sql_value v[COLUMNS];
    int64_t number;
    item_values(ctx, it, v);
    TRY(meta_number(ctx, tx, &number, update_sql, v, COLUMNS));
    TRY(terms_put(ctx, tx, number, it));
    return meta_columns_update(ctx, tx, &it->id);
}

int meta_item_delete(struct ctx *ctx, struct sql_tx *tx, const id *item)
{
    int64_t number;
    TRY(sql_exec(
        ctx, tx,
        "INSERT INTO store_drop (store) SELECT hosted.store FROM hosted WHERE hosted.item = ? ON CONFLICT (store) DO NOTHING",
        SQL_ID(*item)));
    TRY(meta_shares_of_item_end(ctx, tx, item));
    TRY(meta_number(ctx, tx, &number, "DELETE FROM item WHERE id = ? RETURNING number", (struct sql_value[]){SQL_ID(*item)}, 1));
    return meta_terms_delete(ctx, tx, number);
}

/* A page of the items that `from` ("FROM ... WHERE ...", with the values) gives. */
static int items_page(struct ctx *ctx, struct sql_tx *tx, const char *from, const struct sql_value *values, size_t count,
                      const struct meta_page *page, struct meta_items *out)
{
    struct sql_value v[8];
    str total = arena_printf(ctx->arena, "SELECT COUNT(*) %s", from);
    str text = arena_printf(ctx->arena, "SELECT %s %s ORDER BY %s LIMIT ? OFFSET ?", meta_item_columns, from,
                            meta_order_sql(meta_item_orders, page->sort_field, page->descending));
    memcpy(v, values, count * sizeof *v);
    v[count] = SQL_I(page->num < 0 ? 0 : page->num);
    v[count + 1] = SQL_I(page->start < 0 ? 0 : page->start);
    const struct meta_query q = {text.p, v, count + 2, sizeof(struct item), item_row};
    void *items;
    TRY(meta_count(ctx, tx, total.p, values, count, &out->total));
    TRY(meta_list(ctx, tx, &q, &items, &out->count));
    out->items = items;
    return RC_OK;
}

int meta_items_of_user(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, const struct meta_page *page,
                       struct meta_items *out)
{
    const struct sql_value v[] = {SQL_S(set(owner)), folder ? SQL_ID(*folder) : SQL_NONE};
    return items_page(ctx, tx, folder ? "FROM item WHERE item.owner = ? AND item.folder = ?" : "FROM item WHERE item.owner = ?",
                      v, folder ? 2 : 1, page, out);
}

int meta_items_of_group(struct ctx *ctx, struct sql_tx *tx, const id *group, const struct meta_page *page, struct meta_items *out)
{
    const struct sql_value v[] = {SQL_ID(*group)};
    return items_page(ctx, tx, "FROM item JOIN item_group ON item_group.item = item.id WHERE item_group.group_id = ?", v, 1, page,
                      out);
}

int meta_item_by_name(struct ctx *ctx, struct sql_tx *tx, str owner, const id *folder, str name, id *out)
{
    const struct sql_value v[] = {SQL_S(set(owner)), SQL_ID(*folder), SQL_S(set(name))};
    const struct meta_query q = {"SELECT id FROM item WHERE owner = ? AND folder = ? AND name = ? ORDER BY id LIMIT 1", v,
                                 COUNT_OF(v), sizeof(id), id_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_item_by_url(struct ctx *ctx, struct sql_tx *tx, str url, id *out)
{
    if (str_empty(url))
        return RC_NOT_FOUND;
    const struct sql_value v[] = {SQL_S(utf8_fold(ctx->arena, url))};
    const struct meta_query q = {"SELECT id FROM item WHERE url_fold = ? ORDER BY created, id LIMIT 1", v, COUNT_OF(v),
                                 sizeof(id), id_row};
    return meta_first(ctx, tx, &q, out);
}
