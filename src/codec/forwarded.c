/* RFC 7239, 4: elements separated by commas, pairs separated by semicolons, values as tokens or quoted strings. */
#include "codec/forwarded.h"

static bool separates(char c) { return c == ',' || c == ';'; }

static str trim_start(str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_sub(s, 1, s.n);
    return s;
}

/* "a\"b" with what follows its closing quote left in *rest; false without one. */
static bool quoted_next(struct arena *a, str *rest, str *out)
{
    char *text = arena_alloc(a, rest->n);
    size_t n = 0;
    for (size_t i = 1; i < rest->n; i++) {
        if (rest->p[i] == '"') {
            *out = str_of(text, n);
            *rest = str_sub(*rest, i + 1, rest->n);
            return true;
        }
        if (rest->p[i] == '\\' && ++i == rest->n)
            return false;
        text[n++] = rest->p[i];
    }
    return false;
}

static bool value_next(struct arena *a, str *rest, str *out)
{
    if (str_starts(*rest, STR("\"")))
        return quoted_next(a, rest, out);
    size_t end = 0;
    while (end < rest->n && !separates(rest->p[end]) && rest->p[end] != ' ' && rest->p[end] != '\t' && rest->p[end] != '"')
        end++;
    *out = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end, rest->n);
    return end > 0;
}

static bool pair_next(struct arena *a, str *rest, struct forwarded *out)
{
    const struct {
        const char *name;
        str *value;
    } known[] = {{"for", &out->client}, {"host", &out->host}, {"proto", &out->proto}};
    str value;
    size_t equal = str_find_char(*rest, '=', 0);
    if (equal == SIZE_MAX)
        return false;
    str name = str_trim(str_sub(*rest, 0, equal));
    *rest = trim_start(str_sub(*rest, equal + 1, rest->n));
    if (!value_next(a, rest, &value))
        return false;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_ieq(name, str_c(known[i].name)))
            *known[i].value = value;
    return true;
}

bool forwarded_next(struct arena *a, str *rest, struct forwarded *out)
{
    *out = (struct forwarded){.client = STR_NONE, .host = STR_NONE, .proto = STR_NONE};
    for (bool any = false;;) {
        *rest = trim_start(*rest);
        if (rest->n == 0)
            return any;
        if (separates(rest->p[0])) {
            bool ends = rest->p[0] == ',' && any;
            *rest = str_sub(*rest, 1, rest->n);
            if (ends)
                return true;
            continue;
        }
        any = pair_next(a, rest, out);
        *rest = trim_start(*rest);
        if (!any || (rest->n > 0 && !separates(rest->p[0])))
            break;
    }
    *rest = STR("");
    return false;
}
