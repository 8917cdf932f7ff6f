/* The only door to malloc for objects that outlive an arena. Never returns NULL: out of memory ends the process. */
#ifndef MAPFERRY_BASE_MEM_H
#define MAPFERRY_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);                           /* zeroed */
void *mem_resize(void *p, size_t size);                 /* not zeroed beyond the old size */
void mem_free(void *p);                                 /* NULL is allowed */
char *mem_cstr(const char *s);                          /* copy, NULL stays NULL */
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))

#endif
