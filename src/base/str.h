/* Slices: a pointer and a length, never owning, not NUL-terminated unless said.
 * The one string type of the program; C strings appear only at the border to foreign libraries. */
#ifndef MAPFERRY_BASE_STR_H
#define MAPFERRY_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
    const char *p;
    size_t n;
} str;

/* A slice over a string literal, and one over a NUL-terminated string (NULL becomes the empty slice). */
#define STR(literal) ((str){.p = "" literal, .n = sizeof(literal) - 1})
#define STR_NONE ((str){.p = NULL, .n = 0})

/* For printf-like functions: printf("%.*s", STR_FMT(s)). */
#define STR_FMT(s) (int)(s).n, ((s).p ? (s).p : "")

static inline str str_c(const char *c) { return (str){.p = c, .n = c ? strlen(c) : 0}; }
static inline str str_of(const void *p, size_t n) { return (str){.p = p, .n = n}; }
/* No value at all (NULL pointer), as against an empty value. */
static inline bool str_none(str s) { return s.p == NULL; }
static inline bool str_empty(str s) { return s.n == 0; }
static inline bool str_eq(str a, str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

/* Byte order comparison as memcmp, shorter first: <0, 0, >0. */
int str_cmp(str a, str b);
/* Equality without regard to the case of ASCII letters. */
bool str_ieq(str a, str b);
bool str_starts(str s, str prefix);
bool str_istarts(str s, str prefix);
bool str_ends(str s, str suffix);
/* Offset of the first occurrence at or after `from`, or SIZE_MAX when there is none. */
size_t str_find(str s, str what, size_t from);
size_t str_ifind(str s, str what, size_t from);
size_t str_find_char(str s, char c, size_t from);
/* The part from `from` (inclusive) to `to` (exclusive); both are clamped to the slice. */
str str_sub(str s, size_t from, size_t to);
/* Without ASCII white space at both ends. */
str str_trim(str s);
/* Cuts the next piece off `*rest` at `sep`; false when nothing is left. "a,,b" gives "a", "", "b"; an empty
 * slice gives nothing, and so does what is behind a last separator: "a," gives "a" only. */
bool str_split(str *rest, char sep, str *piece_out);

#endif
