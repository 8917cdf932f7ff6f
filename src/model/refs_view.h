/* A text as a reader of it would understand it: percent coding, JSON escapes and HTML entities undone, in whatever order they
 * were put on top of each other, with the place of every character in the original. Searching happens in the view, splicing in
 * the original; what is put in place of a piece is spelled as that piece was. For the refs files only. */
#ifndef MAPFERRY_MODEL_REFS_VIEW_H
#define MAPFERRY_MODEL_REFS_VIEW_H

#include "base/buf.h"

/* Reused for many texts; {0} to begin with. */
struct refs_view {
    str text;
    const unsigned char *c; /* decoded characters; what is not ASCII may stand for several bytes */
    size_t n;
    uint32_t *at; /* n + 1 offsets into the text; NULL: nothing is encoded, offset equals index */
    unsigned char *memory;
    size_t capacity;
};
/* Looks at another text (at most 4 GiB), which must outlive the use of the view. */
void refs_view_set(struct refs_view *v, str text);
void refs_view_free(struct refs_view *v);
static inline size_t refs_view_offset(const struct refs_view *v, size_t i) { return v->at ? v->at[i] : i; }
/* The original bytes of the characters from..to. */
str refs_view_source(const struct refs_view *v, size_t from, size_t to);
/* The decoded characters from..to, in the arena. */
str refs_view_decoded(const struct refs_view *v, struct arena *a, size_t from, size_t to);
/* Appends `decoded` (a URL or a part of one) spelled as the piece from..to of the view is: a character that the piece has too is
 * spelled as there, others percent-coded as deep as the piece or its neighbours are. */
void refs_view_spell(const struct refs_view *v, size_t from, size_t to, str decoded, struct buf *out);
/* End of the piece of a long text that begins at `from`: behind at least `least` bytes, where neither a URL nor an id goes on. */
size_t refs_view_piece_end(str text, size_t from, size_t least);

enum { REFS_WORD = 1, REFS_HEX = 2, REFS_RESERVED = 4, REFS_UNRESERVED = 8 };
extern const unsigned char refs_view_class[256];
static inline bool refs_view_is(unsigned char c, int class) { return refs_view_class[c] & class; }
static inline unsigned char refs_view_lower(unsigned char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

#endif
