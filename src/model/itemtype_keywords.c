/* The keywords that come with a type. Rows in itemtype_keywords.def. */
#include "model/itemtype.h"

enum { KEYWORDS_MAX = 1 << 20 };

static const struct {
    const char *type, *keywords;
} rows[] = {
#define KEYWORDS(type, keywords) {type, keywords},
#include "model/itemtype_keywords.def"
#undef KEYWORDS
};

static bool list_has(struct ctx *ctx, struct json list, str word)
{
    struct json v;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        if (str_ieq(json_string_or(v, ctx->arena, STR("")), word))
            return true;
    return false;
}

int itemtype_keywords_add(struct ctx *ctx, str type, str *list)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(KEYWORDS_MAX);
    struct json_out o;
    struct json given = JSON_ABSENT, v;
    str rest = STR_NONE, word;
    for (size_t i = 0; i < COUNT_OF(rows) && str_none(rest); i++)
        if (str_ieq(str_c(rows[i].type), type))
            rest = str_c(rows[i].keywords);
    if (str_none(rest))
        return RC_OK;
    if (!str_empty(*list))
        TRY(json_parse(ctx, *list, &given));
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    for (struct json_iter it = json_each(given); json_next(&it, NULL, &v);)
        json_put_raw(&o, json_raw(v));
    while (str_split(&rest, ',', &word))
        if (!list_has(ctx, given, word))
            json_put_str(&o, word);
    json_end_array(&o);
    TRY(json_out_end(&o, "typeKeywords"));
    *list = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}
