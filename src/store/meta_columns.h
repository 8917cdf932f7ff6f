/* Numbers of items in columns, for ranges, boxes and orders over many of them. Nobody but the search and meta_item.c includes
 * this. */
#ifndef MAPFERRY_STORE_META_COLUMNS_H
#define MAPFERRY_STORE_META_COLUMNS_H

#include "store/meta_postings.h"
#include "store/meta_scan.h"

/* Stored in the database: never another meaning. COLUMN_RATING in millionths. */
enum meta_column {
    COLUMN_CREATED,
    COLUMN_MODIFIED,
    COLUMN_SIZE,
    COLUMN_EXTENT,
    COLUMN_VIEWS,
    COLUMN_COMMENTS,
    COLUMN_RATINGS,
    COLUMN_RATING,
    COLUMNS_OF_ITEM
};

/* COLUMN_EXTENT in four steps of 16 bits: xmin, ymin, xmax, ymax, the low ones first, rounded outwards. */
enum { META_EXTENT_STEPS = 0xfffe };
#define META_EXTENT_NONE (-1) /* no extent */
#define META_EXTENT_ODD (-2)  /* one that does not fit: crosses the antimeridian, or is not in degrees */
/* "[[xmin,ymin],[xmax,ymax]]"; false for anything else. */
bool meta_extent_parse(struct arena *a, str extent, double out[4]);

/* Makes the columns of the next block of the index that is full; *more_out: there was one. */
int meta_columns_follow(struct ctx *ctx, struct sql_tx *tx, bool *more_out);
/* After any number of an item changed, or it got the place of one that was deleted: its numbers, when they are packed. */
int meta_columns_update(struct ctx *ctx, struct sql_tx *tx, const id *item);

/* What a reading needs of a row whose numbers are from `least` to `most`: nothing; the numbers; or no more than a call for each
 * element, with any number that is between. */
enum meta_column_need { META_COLUMN_SKIP, META_COLUMN_READ, META_COLUMN_ALL };
/* Calls see(arg, place, value) for the items of the set, row by row from the newest or from the oldest one, but for those of rows
 * that need(arg, least, most) does without; need may be NULL. */
struct meta_column_reading {
    enum meta_column column;
    const struct bits *set;
    bool oldest_first;
    enum meta_column_need (*need)(void *arg, int64_t least, int64_t most);
    void (*see)(void *arg, size_t place, int64_t value);
    void *arg;
};
int meta_columns_read(struct ctx *ctx, struct sql_tx *tx, const struct meta_column_reading *r);

#endif
