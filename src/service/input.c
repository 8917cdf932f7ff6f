/* Members of things from requests: see input.h. */
#include "service/input.h"

#include "base/num.h"
#include "service/item_private.h"

int input_text(struct ctx *ctx, const char *name, str given, size_t max_chars, bool clear, str *to)
{
    TRY(item_text_check(ctx, name, given, max_chars));
    if (!str_empty(given) || (clear && !str_none(given)))
        *to = given;
    return RC_OK;
}

int input_bool(struct ctx *ctx, const char *name, str given, bool *to)
{
    if (!str_empty(given) && !num_parse_bool(given, to))
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be true or false.", name);
    return RC_OK;
}

int input_word(struct ctx *ctx, const char *name, str given, const char *const *words, str *to)
{
    if (str_empty(given))
        return RC_OK;
    for (; *words; words++)
        if (str_ieq(given, str_c(*words))) {
            *to = str_c(*words);
            return RC_OK;
        }
    return err_set(ctx, &ERR_PARAMETER, "'%s' has to be one of the values that the API lists: %.*s", name,
                   STR_FMT(str_sub(given, 0, 100)));
}

int input_object(struct ctx *ctx, const char *name, str given, size_t max_chars, bool clear, str *to)
{
    struct json v;
    if (!str_empty(given) && !(json_try_parse(ctx->arena, given, &v) && json_is(v, JSON_OBJECT)))
        return err_set(ctx, &ERR_PARAMETER, "'%s' is not a JSON object.", name);
    return input_text(ctx, name, given, max_chars, clear, to);
}
