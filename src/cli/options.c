/* Options as data: see command.h. */
#include "cli/command.h"

const struct err_kind ERR_USAGE = {"usage", 400, 400, NULL, "The command line is not understood."};

const struct option option_json = {"json", OPTION_FLAG, "", "events and result as JSON lines", NULL};

static const struct option *row_find(const struct option *rows, str name, size_t *index_out)
{
    for (size_t i = 0; rows && rows[i].name; i++)
        if (str_eq(str_c(rows[i].name), name)) {
            *index_out = i;
            return &rows[i];
        }
    return NULL;
}

static void value_add(struct ctx *ctx, struct options_value *v, str value)
{
    str *more = arena_array(ctx->arena, str, v->count + 1);
    if (v->count)
        memcpy(more, v->values, v->count * sizeof *more);
    more[v->count++] = value;
    v->values = more;
}

static int option_take(struct ctx *ctx, struct options *o, int argc, char **argv, int *at)
{
    str word = str_c(argv[*at]);
    str name = str_sub(word, str_starts(word, STR("--")) ? 2 : 1, word.n);
    size_t equal = str_find_char(name, '=', 0), row = 0;
    str bare = equal == SIZE_MAX ? name : str_sub(name, 0, equal);
    bool json = str_eq(bare, str_c(option_json.name));
    const struct option *option = json ? &option_json : row_find(o->rows, bare, &row);
    if (!option)
        return err_set(ctx, &ERR_USAGE, "There is no option '%s' here.", argv[*at]);
    if (option->kind == OPTION_FLAG && equal != SIZE_MAX)
        return err_set(ctx, &ERR_USAGE, "Option --%s takes no value.", option->name);
    o->json = o->json || json;
    if (json)
        return RC_OK;
    struct options_value *v = &o->values[row];
    if (v->count && option->kind != OPTION_LIST)
        return err_set(ctx, &ERR_USAGE, "Option --%s is given twice.", option->name);
    if (option->kind == OPTION_FLAG) {
        value_add(ctx, v, STR("true"));
    } else if (equal != SIZE_MAX) {
        value_add(ctx, v, str_sub(name, equal + 1, name.n));
    } else if (*at + 1 < argc) {
        value_add(ctx, v, str_c(argv[++*at]));
    } else {
        return err_set(ctx, &ERR_USAGE, "Option --%s needs a value.", option->name);
    }
    return RC_OK;
}

int options_parse(struct ctx *ctx, const struct option *rows, int argc, char **argv, struct options *out)
{
    *out = (struct options){.rows = rows, .argc = argc, .argv = argv};
    while (rows && rows[out->row_count].name)
        out->row_count++;
    out->values = arena_array(ctx->arena, struct options_value, out->row_count);
    out->words = arena_array(ctx->arena, str, (size_t)(argc > 0 ? argc : 0));
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        str word = str_c(argv[i]);
        if (!only_words && str_eq(word, STR("--")))
            only_words = true;
        else if (!only_words && word.n > 1 && word.p[0] == '-')
            TRY(option_take(ctx, out, argc, argv, &i));
        else
            out->words[out->word_count++] = word;
    }
    return RC_OK;
}

const struct options_value *options_list(const struct options *o, const char *name)
{
    static const struct options_value none = {0};
    size_t row;
    return row_find(o->rows, str_c(name), &row) ? &o->values[row] : &none;
}

str options_get(const struct options *o, const char *name)
{
    const struct options_value *v = options_list(o, name);
    return v->count ? v->values[0] : STR_NONE;
}

bool options_flag(const struct options *o, const char *name) { return options_list(o, name)->count > 0; }
