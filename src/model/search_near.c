/* Words that are nearly the same, or as a pattern says. */
#include "model/search.h"

#include "base/utf8.h"

enum { LETTERS_MAX = 64 }; /* a longer word is near to itself alone */

static size_t letters(str s, int32_t out[LETTERS_MAX])
{
    size_t n = 0, position = 0;
    while (position < s.n && n < LETTERS_MAX)
        out[n++] = utf8_next(s, &position);
    return position < s.n ? SIZE_MAX : n;
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Rows of the table of distances (optimal string alignment), the last three of them. */
bool search_near(str a, str b, unsigned edits)
{
    int32_t x[LETTERS_MAX], y[LETTERS_MAX];
    unsigned rows[3][LETTERS_MAX + 1];
    size_t n = letters(a, x), m = letters(b, y);
    if (n == SIZE_MAX || m == SIZE_MAX || (n > m ? n - m : m - n) > edits)
        return str_eq(a, b);
    for (size_t k = 0; k <= m; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *two = rows[(i + 1) % 3], best = now[0] = (unsigned)i;
        for (size_t k = 1; k <= m; k++) {
            now[k] = least(before[k - 1] + (x[i - 1] != y[k - 1]), least(before[k], now[k - 1]) + 1);
            if (i > 1 && k > 1 && x[i - 1] == y[k - 2] && x[i - 2] == y[k - 1])
                now[k] = least(now[k], two[k - 2] + 1);
            best = least(best, now[k]);
        }
        if (best > edits)
            return false;
    }
    return rows[n % 3][m] <= edits;
}

/* Where the last star let more in is tried again, one character further: the time is the product of the lengths. */
bool search_matches(str pattern, str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.n && pattern.p[p] == '?') {
            p++;
            utf8_next(text, &t);
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            utf8_next(text, &from);
            t = from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}
