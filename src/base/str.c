/* Slices: comparison, search and cutting without copies. */
#include "base/str.h"

static unsigned char str_lower(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static bool str_ieq_bytes(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_lower(a[i]) != str_lower(b[i]))
            return false;
    return true;
}

int str_cmp(str a, str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_ieq(str a, str b) { return a.n == b.n && str_ieq_bytes(a.p, b.p, a.n); }
bool str_starts(str s, str prefix) { return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix); }
bool str_istarts(str s, str prefix) { return s.n >= prefix.n && str_ieq_bytes(s.p, prefix.p, prefix.n); }
bool str_ends(str s, str suffix) { return s.n >= suffix.n && str_eq(str_sub(s, s.n - suffix.n, s.n), suffix); }

size_t str_find(str s, str what, size_t from)
{
    if (from > s.n || what.n > s.n - from)
        return SIZE_MAX;
    if (what.n == 0)
        return from;
    const char *hit = memmem(s.p + from, s.n - from, what.p, what.n);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t str_ifind(str s, str what, size_t from)
{
    for (size_t i = from; i <= s.n && what.n <= s.n - i; i++)
        if (str_istarts(str_sub(s, i, s.n), what))
            return i;
    return SIZE_MAX;
}

size_t str_find_char(str s, char c, size_t from)
{
    if (from >= s.n)
        return SIZE_MAX;
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

str str_sub(str s, size_t from, size_t to)
{
    if (str_none(s))
        return s;
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return str_of(s.p + from, to - from);
}

static bool str_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

str str_trim(str s)
{
    size_t from = 0;
    while (from < s.n && str_is_space(s.p[from]))
        from++;
    size_t to = s.n;
    while (to > from && str_is_space(s.p[to - 1]))
        to--;
    return str_sub(s, from, to);
}

bool str_split(str *rest, char sep, str *piece_out)
{
    if (rest->n == 0)
        return false;
    size_t at = str_find_char(*rest, sep, 0);
    *piece_out = str_sub(*rest, 0, at);
    *rest = str_sub(*rest, at == SIZE_MAX ? rest->n : at + 1, rest->n);
    return true;
}
