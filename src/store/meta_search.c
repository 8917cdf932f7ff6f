/* Search over items, groups and users: what the viewer sees and the query finds, a page of it in order, and how much it is. */
#include "store/meta_search_private.h"

static int open_search(struct ctx *ctx, struct sql_tx *tx, const struct meta_entity *entity, const struct viewer *who,
                       struct meta_search *out)
{
    int64_t last;
    str text = arena_printf(ctx->arena, "SELECT COALESCE(MAX(number), 0) FROM %s", entity->table);
    TRY(meta_count(ctx, tx, text.p, NULL, 0, &last));
    size_t places = last < 1 ? 0 : (size_t)meta_place_of(last) + 1;
    *out = (struct meta_search){
        .ctx = ctx, .tx = tx, .entity = entity, .who = who, .size = (places + META_BLOCK - 1) / META_BLOCK * META_BLOCK};
    return RC_OK;
}

/* What is found, and a page of it. When more than are counted are found, and order does not matter to which, the newest will do.
 */
static int find(const struct meta_search *s, const struct search_query *q, const id *group, const struct meta_search_page *page,
                const struct meta_order *orders, struct bits *found)
{
    struct bits within = meta_search_set(s);
    bool several = str_find_char(page->sort_field, ',', 0) != SIZE_MAX;
    bool newest = !several && !meta_order_find(orders, page->sort_field)->name && !page->everything;
    *found = meta_search_set(s);
    TRY(meta_search_visible(s, &within));
    if (group) {
        TRY(meta_search_value(s, TERM_ITEM_GROUP, id_str(group), found));
        bits_and(&within, found);
    }
    return meta_search_eval(s, q, &within, newest ? META_SEARCH_MOST : 0, found);
}

/* The rows of the page's subjects, in its order. */
struct reading {
    const char *columns;
    size_t element_size;
    void (*row)(struct ctx *ctx, const struct sql_rows *rows, void *element);
};

static int read_page(const struct meta_search *s, const struct reading *r, const int64_t *subjects, size_t count, void **list_out)
{
    str text = arena_printf(s->ctx->arena, "SELECT %s FROM %s WHERE number = ?", r->columns, s->entity->table);
    char *list = arena_alloc_array(s->ctx->arena, count + 1, r->element_size);
    for (size_t i = 0; i < count; i++) {
        const struct meta_query q = {text.p, (struct sql_value[]){SQL_I(subjects[i])}, 1, r->element_size, r->row};
        int rc = meta_first(s->ctx, s->tx, &q, list + i * r->element_size);
        if (rc != RC_OK)
            return rc == RC_NOT_FOUND ? err_set(s->ctx, &ERR_CORRUPT, "the search index knows a row that is not there") : rc;
    }
    *list_out = list;
    return RC_OK;
}

static int run(const struct meta_search *s, const struct search_query *q, const id *group, const struct meta_search_page *page,
               const struct meta_order *orders, const struct reading *r, void **list_out, size_t *count_out, int64_t *total_out)
{
    struct bits found;
    int64_t *subjects = NULL;
    TRY(find(s, q, group, page, orders, &found));
    size_t total = bits_count(&found), most = page->everything ? SIZE_MAX : META_SEARCH_MOST;
    *total_out = (int64_t)(total < most ? total : most);
    TRY(meta_search_page(s, q, &found, page, orders, &subjects, count_out));
    TRY(read_page(s, r, subjects, *count_out, list_out));
    return page->count_count == 0 ? RC_OK : meta_search_count(s, &found, most, page->counts, page->count_count);
}

static void item_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_item_row(ctx, rows, element); }
static void group_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_group_row(ctx, rows, element); }
static void user_row(struct ctx *ctx, const struct sql_rows *rows, void *element) { meta_user_row(ctx, rows, element); }

int meta_search_items(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who, const id *group,
                      const struct meta_search_page *page, struct meta_items *out)
{
    const struct reading reading = {meta_item_columns, sizeof(struct item), item_row};
    struct meta_search s;
    void *list = NULL;
    TRY(open_search(ctx, tx, &meta_item_entity, who, &s));
    int rc = run(&s, q, group, page, meta_item_orders, &reading, &list, &out->count, &out->total);
    out->items = list;
    return rc;
}

static const struct meta_order group_orders[] = {
    {"title", "portal_group.title_fold, portal_group.id", "portal_group.title_fold DESC, portal_group.id DESC", 2, false},
    {"created", "portal_group.created, portal_group.id", "portal_group.created DESC, portal_group.id DESC", 2, true},
    {"modified", "portal_group.modified, portal_group.id", "portal_group.modified DESC, portal_group.id DESC", 2, true},
    {"owner", "portal_group.owner, portal_group.title_fold, portal_group.id",
     "portal_group.owner DESC, portal_group.title_fold DESC, portal_group.id DESC", 3, false},
    {NULL, "portal_group.modified DESC, portal_group.id DESC", "portal_group.modified DESC, portal_group.id DESC", 2, true},
};

int meta_search_groups(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                       const struct meta_search_page *page, struct meta_groups *out)
{
    const struct reading reading = {meta_group_columns, sizeof(struct group), group_row};
    struct meta_search s;
    void *list = NULL;
    TRY(open_search(ctx, tx, &meta_group_entity, who, &s));
    int rc = run(&s, q, NULL, page, group_orders, &reading, &list, &out->count, &out->total);
    out->groups = list;
    return rc;
}

int meta_search_users(struct ctx *ctx, struct sql_tx *tx, const struct search_query *q, const struct viewer *who,
                      const struct meta_search_page *page, struct meta_user_list *out)
{
    const struct reading reading = {meta_user_columns, sizeof(struct user), user_row};
    struct meta_search s;
    void *list = NULL;
    TRY(open_search(ctx, tx, &meta_user_entity, who, &s));
    int rc = run(&s, q, NULL, page, meta_user_orders, &reading, &list, &out->count, &out->total);
    out->users = list;
    return rc;
}

/* ---- what can be sorted by ---- */

/* One field, or several that are compared one after the other; relevance and completeness are orders of their own. */
static bool sorts(const struct meta_order *orders, str fields)
{
    size_t count = 0;
    str all = fields, field;
    while (str_split(&all, ',', &field)) {
        const struct meta_order *order = meta_order_find(orders, str_trim(field));
        if (!order->name || order->computed || ++count > META_SORT_FIELDS_MAX)
            return str_ieq(fields, STR("relevance")) || (order->computed && str_eq(field, fields));
    }
    return fields.n == 0 || fields.p[fields.n - 1] != ',';
}

bool meta_search_sorts_items(str field) { return sorts(meta_item_orders, field); }
bool meta_search_sorts_groups(str field) { return sorts(group_orders, field); }

/* The order would tell what may not be read. */
bool meta_search_sorts_users(str field, const struct viewer *who)
{
    static const char *const confidential[] = {"lastlogin", "role"};
    str all = field, one;
    while (!who->admin && str_split(&all, ',', &one))
        for (size_t i = 0; i < COUNT_OF(confidential); i++)
            if (str_ieq(str_trim(one), str_c(confidential[i])))
                return false;
    return sorts(meta_user_orders, field);
}
