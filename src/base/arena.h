/* Arena: memory that is given back all at once, one per request, job step or command.
 * Out of memory ends the process: every store survives that as it survives kill -9, and sizes are limited at the doors. */
#ifndef MAPFERRY_BASE_ARENA_H
#define MAPFERRY_BASE_ARENA_H

#include "base/str.h"
#include <stdarg.h>

struct arena;

/* An empty arena. */
struct arena *arena_open(void);
void arena_close(struct arena *a); /* NULL is allowed */
/* Gives back everything but the first block; all pointers into the arena die. */
void arena_reset(struct arena *a);
/* A mark to return to: everything allocated after arena_mark dies at arena_release. */
struct arena_mark {
    void *block;
    size_t used;
};
struct arena_mark arena_mark(struct arena *a);
void arena_release(struct arena *a, struct arena_mark mark);

/* Zeroed memory, aligned for any type; never NULL. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc_array((a), (count), sizeof(type)))
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
/* Grows an array that lives in the arena from `old_count` to at least `need` entries (doubling); returns it, moved or not. */
void *arena_grow(struct arena *a, void *array, size_t *capacity, size_t need, size_t size);

/* Copies. The copy of a str is always followed by a NUL that is not counted; no value (STR_NONE) stays no value. */
str arena_str(struct arena *a, str s);
char *arena_cstr(struct arena *a, str s);
str arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
str arena_vprintf(struct arena *a, const char *fmt, va_list args);
/* Bytes that the arena holds now, for limits and tests. */
size_t arena_size(const struct arena *a);

#endif
