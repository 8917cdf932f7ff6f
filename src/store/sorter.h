/* Sorts any number of small fixed-size records by a 64-bit key in bounded memory: runs are sorted in place and spilled to a file
 * without a name, then merged. For the spatial indexes, which need a million entries in two orders within a few MB. */
#ifndef MAPFERRY_STORE_SORTER_H
#define MAPFERRY_STORE_SORTER_H

#include "base/ctx.h"

enum { SORTER_RECORD_MAX = 64 };
struct sorter;
/* Records of `size` bytes (at most SORTER_RECORD_MAX, a multiple of 8) that begin with their uint64_t key. `dir` gets the file,
 * when one is needed; `memory` is the size of a run in bytes. */
struct sorter *sorter_open(const char *dir, size_t size, size_t memory);
void sorter_close(struct sorter *s); /* NULL is allowed */
int sorter_add(struct ctx *ctx, struct sorter *s, const void *record);
uint64_t sorter_count(const struct sorter *s);
/* After the last sorter_add: the records in ascending order of their keys, RC_END after the last. Equal keys in any, but always
 * the same, order. */
int sorter_next(struct ctx *ctx, struct sorter *s, void *record_out);

#endif
