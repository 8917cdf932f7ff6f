/* Identifiers: item, group, folder, job, user ids are 32 lower-case hex digits. */
#ifndef MAPFERRY_BASE_ID_H
#define MAPFERRY_BASE_ID_H

#include "base/str.h"

enum { ID_SIZE = 32 };
/* NUL-terminated so that it prints; "" means none. */
typedef struct id {
    char text[ID_SIZE + 1];
} id;

id id_new(void); /* random */
/* Exactly 32 hex digits of either case (stored lower-case); false leaves *out "". */
bool id_parse(str s, id *out);
static inline bool id_none(id a) { return a.text[0] == 0; }
static inline bool id_eq(id a, id b) { return memcmp(a.text, b.text, sizeof a.text) == 0; }
static inline str id_str(const id *a) { return str_c(a->text); }
#define ID_NONE ((id){.text = ""})
/* A GUID in braces and upper case, as GlobalIDs are written: "{8-4-4-4-12}". */
enum { GUID_SIZE = 38 };
void guid_new(char out[GUID_SIZE + 1]);
/* One that sorts by the time (ms since 1970) it was made at, then randomly, so that an index of them grows at its end: RFC 9562,
 * version 7. */
void guid_new_at(int64_t now_ms, char out[GUID_SIZE + 1]);
/* Accepts with or without braces, any case; writes the canonical form. */
bool guid_parse(str s, char out[GUID_SIZE + 1]);

#endif
