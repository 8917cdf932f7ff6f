/* What a search is asked beside q=: its own parameters as trees of the same kind (search.h). */
#include "model/search.h"

#include "base/num.h"
#include "base/utf8.h"
#include "codec/json/json.h"

enum { CATEGORIES_MAX = 8, CATEGORY_FILTERS_MAX = 3 };

static struct search_query *node(struct ctx *ctx, enum search_kind kind, str field)
{
    struct search_query *q = arena_new(ctx->arena, struct search_query);
    *q = (struct search_query){
        .kind = kind, .field = field, .text = STR(""), .from = STR_NONE, .to = STR_NONE, .similarity = 1, .boost = 1};
    return q;
}

struct search_query *search_and(struct ctx *ctx, struct search_query *a, struct search_query *b)
{
    if (!a || !b)
        return a ? a : b;
    struct search_query *q = node(ctx, SEARCH_AND, STR(""));
    q->children = arena_array(ctx->arena, struct search_query *, 2);
    q->children[0] = a;
    q->children[1] = b;
    q->child_count = 2;
    return q;
}

struct search_query *search_any(struct ctx *ctx, str field, const str *values, size_t count)
{
    struct search_query **children = arena_array(ctx->arena, struct search_query *, count + 1);
    for (size_t i = 0; i < count; i++) {
        children[i] = node(ctx, SEARCH_PHRASE, field);
        children[i]->text = values[i];
    }
    if (count <= 1)
        return count == 1 ? children[0] : node(ctx, SEARCH_NOTHING, STR(""));
    struct search_query *q = node(ctx, SEARCH_OR, STR(""));
    q->children = children;
    q->child_count = count;
    return q;
}

/* ---- bbox ---- */

int search_parse_box(struct ctx *ctx, str bbox, struct search_query **out)
{
    double v[4];
    size_t count = 0;
    str rest = str_trim(bbox), piece;
    *out = NULL;
    if (str_empty(rest))
        return RC_OK;
    bool good = rest.p[rest.n - 1] != ',';
    while (good && str_split(&rest, ',', &piece))
        good = count < COUNT_OF(v) && num_parse_double(str_trim(piece), &v[count++]);
    if (!good || count != COUNT_OF(v))
        return err_set(ctx, &ERR_INVALID, "'bbox' is four numbers, xmin,ymin,xmax,ymax in degrees.");
    if (v[1] > v[3])
        return err_set(ctx, &ERR_INVALID, "'bbox' has a ymin that is greater than its ymax.");
    *out = node(ctx, SEARCH_BOX, STR(""));
    (*out)->box = (struct search_box){v[0], v[1], v[2], v[3]};
    return RC_OK;
}

/* ---- categories ---- */

/* The pieces between commas, at most `max`, that are not empty. */
static int pieces(struct ctx *ctx, const char *parameter, str text, size_t max, str *list, size_t *count_out)
{
    str piece;
    size_t count = 0;
    if (!utf8_valid(text))
        return err_set(ctx, &ERR_INVALID, "'%s' is not valid UTF-8.", parameter);
    while (str_split(&text, ',', &piece)) {
        if (str_empty(str_trim(piece)))
            continue;
        if (count == max)
            return err_set(ctx, &ERR_INVALID, "'%s' names more than %zu.", parameter, max);
        list[count++] = str_trim(piece);
    }
    *count_out = count;
    return RC_OK;
}

static int one_of(struct ctx *ctx, str text, struct search_query **io)
{
    str list[CATEGORIES_MAX];
    size_t count;
    TRY(pieces(ctx, "categories", text, CATEGORIES_MAX, list, &count));
    if (count > 0)
        *io = search_and(ctx, *io, search_any(ctx, STR("categories"), list, count));
    return RC_OK;
}

int search_parse_categories(struct ctx *ctx, str categories, struct search_query **out)
{
    struct json list, value;
    size_t count = 0;
    str text = str_trim(categories);
    *out = NULL;
    if (!str_starts(text, STR("[")))
        return one_of(ctx, text, out);
    if (!json_try_parse(ctx->arena, text, &list))
        return err_set(ctx, &ERR_INVALID, "'categories' begins like a JSON array and is none.");
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &value);) {
        str entry = json_string(value, ctx->arena);
        if (str_none(entry))
            return err_set(ctx, &ERR_INVALID, "'categories' is an array of strings.");
        if (++count > CATEGORIES_MAX)
            return err_set(ctx, &ERR_INVALID, "'categories' names more than %d.", CATEGORIES_MAX);
        TRY(one_of(ctx, entry, out));
    }
    return RC_OK;
}

int search_parse_category_filters(struct ctx *ctx, str filters, struct search_query **out)
{
    str list[CATEGORY_FILTERS_MAX];
    size_t count;
    *out = NULL;
    TRY(pieces(ctx, "categoryFilters", filters, CATEGORY_FILTERS_MAX, list, &count));
    for (size_t i = 0; i < count; i++)
        *out = search_and(ctx, *out, search_any(ctx, STR("categoryfilters"), &list[i], 1));
    return RC_OK;
}
