/* UTF-8: checking, decoding, and the folding used for search. */
#ifndef MAPFERRY_BASE_UTF8_H
#define MAPFERRY_BASE_UTF8_H

#include "base/arena.h"

/* Well-formed UTF-8 without NUL (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(str s);
/* Number of code points of a valid string. */
size_t utf8_length(str s);
/* Decodes the code point at *pos and advances; -1 at the end or at a malformed byte (advances by one). */
int32_t utf8_next(str s, size_t *pos);
/* Appends to out (at least 4 bytes), returns the length. */
size_t utf8_encode(uint32_t cp, char out[4]);
/* Lower case by simple Unicode folding for Latin, Greek, Cyrillic, Armenian and Georgian letters; others unchanged. */
str utf8_fold(struct arena *a, str s);

#endif
