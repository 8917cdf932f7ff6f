/* The only door to malloc for objects that outlive an arena. Never returns NULL: out of memory ends the process. */
#ifndef MAPFERRY_BASE_MEM_H
#define MAPFERRY_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);                     /* zeroed */
void *mem_resize(void *p, size_t size);           /* not zeroed beyond the old size */
void *mem_aligned(size_t alignment, size_t size); /* not zeroed; a power of two, size a multiple of it */
void mem_free(void *p);                           /* NULL is allowed */
char *mem_cstr(const char *s);                    /* copy, NULL stays NULL */
/* For a process of many threads: two malloc arenas instead of eight a core, and freed memory goes back to the system early. Call
 * once at the start. */
void mem_share(void);
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))

#endif
