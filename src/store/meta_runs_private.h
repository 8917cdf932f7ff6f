/* What the two files of meta_runs.h share. Nobody else includes this. */
#ifndef MAPFERRY_STORE_META_RUNS_PRIVATE_H
#define MAPFERRY_STORE_META_RUNS_PRIVATE_H

#include "store/meta_runs.h"

enum {
    META_RUN_BUCKETS = 256,
    META_RUN_BLOCKS = 1 << 14, /* of items: 67 million */
};

struct meta_run_entry {
    uint32_t list; /* of the block: (run - RUN_PAIRS) * META_RUN_BUCKETS + bucket */
    uint32_t posting;
    str key;
};

/* The number of a list in search_column. */
int64_t meta_run_row(enum meta_run run, unsigned bucket, int64_t block);
/* Entries of one list in their order as its content; what is there twice is written once. */
void meta_run_print(const struct meta_run_entry *list, size_t count, bool wide, struct buf *out);

#endif
