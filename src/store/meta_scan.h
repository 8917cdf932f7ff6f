/* Rows of search_column by their numbers, mostly one after the other: the columns and lists of a search. Nobody else includes
 * this. */
#ifndef MAPFERRY_STORE_META_SCAN_H
#define MAPFERRY_STORE_META_SCAN_H

#include "store/sql.h"

/* All zeros but for the direction in which it mostly goes. */
struct meta_scan {
    struct sql_rows rows;
    bool backwards, open;
    int64_t number; /* of the row it stands on */
};
/* The content of a row, valid until the next call; "" when it is not there. */
int meta_scan_get(struct ctx *ctx, struct sql_tx *tx, struct meta_scan *s, int64_t number, str *content_out);
void meta_scan_close(struct meta_scan *s); /* also for CLEANUP(meta_scan_close) */

#endif
