/* Separated values (RFC 4180 and what people make of it), pulled record by record from a stream of UTF-8. Memory is one record.
 */
#ifndef MAPFERRY_CODEC_CSV_H
#define MAPFERRY_CODEC_CSV_H

#include "base/stream.h"

enum { CSV_RECORD_MAX = 16 << 20, CSV_CELLS_MAX = 10000 };

struct csv_cell {
    str text;
    bool quoted, doubled; /* doubled: has quotes written twice, while it is being read */
};
struct csv {
    struct reader *in;     /* the caller's */
    char delimiter, quote; /* quote 0: none */
    char *p;               /* what was read and not yet given out begins at `at` */
    size_t at, n, capacity;
    bool ended;
    uint64_t line, next_line; /* of the record, and of the one after it; from 1 */
    struct csv_cell *cells;   /* of the record; texts are valid until the next call */
    size_t count, cells_capacity;
};
void csv_open(struct csv *c, struct reader *in, char delimiter, char quote);
void csv_close(struct csv *c); /* for CLEANUP; not the reader */
/* The next record that has something in it: lines may end in CR, LF or both, and lie inside of quotes. RC_END at the end.
 * ERR_INVALID naming the line: a quote that is not closed, text behind a closing one; ERR_LIMIT: a record larger than
 * CSV_RECORD_MAX or of more cells than CSV_CELLS_MAX. */
int csv_next(struct ctx *ctx, struct csv *c);

/* The separator that cuts the first records of a text into the most cells while they all have as many: one of , ; tab | and ','
 * when none does. */
char csv_guess_delimiter(struct ctx *ctx, str head, char quote);

#endif
