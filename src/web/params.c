/* Parameters: their declarations in the rows, the check before a handler runs, and typed access for handlers.
 *
 * A declaration is `name`, `name!` when required, `:type` when it is not text, `=default`; several are separated by spaces. */
#include "base/num.h"
#include "base/utf8.h"
#include "codec/url.h"
#include "model/errors.h"
#include "web/web.h"

static const char *const type_names[] = {"text", "int", "double", "bool", "id", "csv", "json", "file"};
static const char *const type_words[] = {
    "text", "an integer", "a number", "true or false", "an id of 32 hexadecimal digits", "a list separated by commas",
    "JSON", "a file"};

bool param_next(str *rest, struct param *out)
{
    *rest = str_trim(*rest);
    str line;
    if (!str_split(rest, ' ', &line))
        return false;
    *out = (struct param){.otherwise = STR_NONE};
    size_t equal = str_find_char(line, '=', 0);
    if (equal != SIZE_MAX)
        out->otherwise = str_sub(line, equal + 1, line.n);
    str head = equal == SIZE_MAX ? line : str_sub(line, 0, equal);
    size_t colon = str_find_char(head, ':', 0);
    if (colon != SIZE_MAX) {
        str type = str_sub(head, colon + 1, head.n);
        size_t t = 0;
        while (t < COUNT_OF(type_names) && !str_eq(str_c(type_names[t]), type))
            t++;
        if (t == COUNT_OF(type_names)) {
            *rest = line;
            return false;
        }
        out->type = (enum param_type)t;
        head = str_sub(head, 0, colon);
    }
    out->required = str_ends(head, STR("!"));
    out->name = out->required ? str_sub(head, 0, head.n - 1) : head;
    return true;
}

/* The declaration of a name in the call's row. */
static bool declared(const struct call *call, str name, struct param *out)
{
    str rest = str_c(call->route->params);
    while (param_next(&rest, out))
        if (str_ieq(out->name, name))
            return true;
    return false;
}

static bool value_fits(struct ctx *ctx, enum param_type type, str value)
{
    int64_t i;
    double d;
    bool b;
    id parsed;
    struct json v;
    switch (type) {
    case PARAM_INT:
        return num_parse_int(str_trim(value), &i);
    case PARAM_DOUBLE:
        return num_parse_double(str_trim(value), &d);
    case PARAM_BOOL:
        return num_parse_bool(str_trim(value), &b);
    case PARAM_ID:
        return id_parse(str_trim(value), &parsed);
    case PARAM_JSON:
        return json_try_parse(ctx->arena, value, &v);
    case PARAM_TEXT:
    case PARAM_CSV:
    case PARAM_FILE:
        return true;
    }
    return false;
}

static str value_of(const struct call *call, str name)
{
    for (size_t i = 0; i < call->form->count; i++)
        if (str_ieq(call->form->fields[i].name, name))
            return call->form->fields[i].value;
    return STR_NONE;
}

int params_check(struct ctx *ctx, struct call *call)
{
    for (size_t i = 0; i < call->form->count; i++)
        if (!utf8_valid(call->form->fields[i].value) || !utf8_valid(call->form->fields[i].name))
            return err_set(ctx, &ERR_PARAMETER, "A parameter is not valid UTF-8, or holds NUL.");
    str rest = str_c(call->route->params);
    struct param p;
    while (param_next(&rest, &p)) {
        str value = value_of(call, p.name);
        bool given = !str_empty(value) || (p.type == PARAM_FILE && call_file(call, arena_cstr(ctx->arena, p.name)));
        if (p.required && !given)
            return err_set(ctx, &ERR_PARAMETER, "'%.*s' is missing.", STR_FMT(p.name));
        struct arena_mark mark = arena_mark(ctx->arena);
        if (!str_empty(value) && !value_fits(ctx, p.type, value))
            return err_set(ctx, &ERR_PARAMETER, "'%.*s' has to be %s.", STR_FMT(p.name), type_words[p.type]);
        arena_release(ctx->arena, mark);
    }
    return RC_OK;
}

/* ---- access for handlers ---- */

str call_path(const struct call *call, const char *name)
{
    for (size_t i = 0; i < PATH_PIECES_MAX && call->pieces[i].name; i++)
        if (strcmp(call->pieces[i].name, name) == 0)
            return call->pieces[i].value;
    return STR("");
}

bool call_path_id(const struct call *call, const char *name, id *out) { return id_parse(call_path(call, name), out); }

str call_param(const struct call *call, const char *name) { return value_of(call, str_c(name)); }

str call_query(struct ctx *ctx, const struct call *call, const char *name)
{
    str rest = call->http->query, pair;
    size_t n = strlen(name);
    while (!str_none(rest) && str_split(&rest, '&', &pair))
        if (pair.n > n && pair.p[n] == '=' && str_ieq(str_sub(pair, 0, n), str_c(name)))
            return url_decode(ctx->arena, str_sub(pair, n + 1, pair.n), true);
    return STR_NONE;
}

bool call_has(const struct call *call, const char *name) { return !str_empty(call_param(call, name)); }

/* The value given, else the row's default; trimmed. */
static str value_or_default(const struct call *call, const char *name)
{
    str value = str_trim(call_param(call, name));
    struct param p;
    if (str_empty(value) && declared(call, str_c(name), &p))
        value = p.otherwise;
    return value;
}

int64_t call_int(const struct call *call, const char *name)
{
    int64_t v = 0;
    return num_parse_int(value_or_default(call, name), &v) ? v : 0;
}

double call_double(const struct call *call, const char *name)
{
    double v = 0;
    return num_parse_double(value_or_default(call, name), &v) ? v : 0;
}

bool call_bool(const struct call *call, const char *name)
{
    bool v = false;
    return num_parse_bool(value_or_default(call, name), &v) && v;
}

bool call_id(const struct call *call, const char *name, id *out) { return id_parse(value_or_default(call, name), out); }

int call_ids(struct ctx *ctx, const struct call *call, const char *name, id **ids_out, size_t *count_out)
{
    str rest = value_or_default(call, name), piece;
    size_t capacity = 0;
    *ids_out = NULL;
    *count_out = 0;
    while (str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_empty(piece))
            continue;
        *ids_out = arena_grow(ctx->arena, *ids_out, &capacity, *count_out + 1, sizeof **ids_out);
        if (!id_parse(piece, &(*ids_out)[(*count_out)++]))
            return err_set(ctx, &ERR_PARAMETER, "'%s': '%.*s' is not an id of 32 hexadecimal digits.", name,
                           STR_FMT(str_sub(piece, 0, 64)));
    }
    return RC_OK;
}

int call_json(struct ctx *ctx, const struct call *call, const char *name, struct json *out)
{
    *out = JSON_ABSENT;
    return call_has(call, name) ? json_parse(ctx, call_param(call, name), out) : RC_OK;
}

struct upload *call_file(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->upload_count; i++)
        if (!name || str_ieq(call->uploads[i].field, str_c(name)))
            return &call->uploads[i];
    return NULL;
}
