/* The heap behind one door, so that "out of memory" has one answer: the process ends. A portal that limits its inputs
 * only gets here when the machine itself is short; the stores survive an end at any point. */
#include "base/mem.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *mem_checked(void *p)
{
    static const char text[] = "mapferry: out of memory\n";
    if (!p) {
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
            _exit(1);
        abort();
    }
    return p;
}

/* malloc(0) may return NULL; one byte keeps "never NULL" true. */
void *mem_alloc(size_t size) { return mem_checked(calloc(1, size ? size : 1)); }
void *mem_resize(void *p, size_t size) { return mem_checked(realloc(p, size ? size : 1)); }
void *mem_aligned(size_t alignment, size_t size) { return mem_checked(aligned_alloc(alignment, size)); }
void mem_free(void *p) { free(p); }
char *mem_cstr(const char *s) { return s ? mem_checked(strdup(s)) : NULL; }

/* An answer that is made whole stays below a mapping of its own, so that not each request pays for fresh pages. */
void mem_share(void)
{
    enum { ARENAS = 2, TRIM = 4 << 20, OWN_MAPPING = 2 << 20 };
    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_TRIM_THRESHOLD, TRIM);
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
}
