/* Numbers of items in columns, for ranges, boxes and orders over many of them. Nobody but the search and meta_item.c includes
 * this. */
#ifndef MAPFERRY_STORE_META_COLUMNS_H
#define MAPFERRY_STORE_META_COLUMNS_H

#include "store/meta_postings.h"

enum meta_column { COLUMN_CREATED, COLUMN_MODIFIED, COLUMN_SIZE, COLUMN_EXTENT, COLUMNS_OF_ITEM };

/* COLUMN_EXTENT in four steps of 16 bits: xmin, ymin, xmax, ymax, the low ones first, rounded outwards. */
enum { META_EXTENT_STEPS = 0xfffe };
#define META_EXTENT_NONE (-1) /* no extent */
#define META_EXTENT_ODD (-2)  /* one that does not fit: crosses the antimeridian, or is not in degrees */
int64_t meta_column_extent(struct arena *a, str extent);
/* "[[xmin,ymin],[xmax,ymax]]"; false for anything else. */
bool meta_extent_parse(struct arena *a, str extent, double out[4]);

/* After an item was inserted, and while the index is rebuilt: the columns of blocks that are full. */
int meta_columns_follow(struct ctx *ctx, struct sql_tx *tx);
/* After an item was updated: its numbers, when they are packed. */
int meta_columns_update(struct ctx *ctx, struct sql_tx *tx, int64_t subject, const int64_t values[COLUMNS_OF_ITEM]);
/* Calls see(arg, place, value) for the items of the set, in no order. */
int meta_columns_read(struct ctx *ctx, struct sql_tx *tx, enum meta_column column, const struct bits *set,
                      void (*see)(void *arg, size_t place, int64_t value), void *arg);

#endif
