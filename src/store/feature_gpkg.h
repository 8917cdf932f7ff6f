/* Inside of the feature store over GeoPackages (feature.h): data sets, their connections, and what the files feature_gpkg*.c
 * share. Only they include this header and sqlite3.h.
 *
 * Locking: `lock` of the store guards the list of data sets, their counters and their idle connections. A connection belongs to
 * one thread from taking to giving back. One writer a data set: whose turn it is; others wait for the condition, first come,
 * first served, so that the merger, which writes chunk after chunk, leaves the edits between them theirs. */
#ifndef MAPFERRY_STORE_FEATURE_GPKG_H
#define MAPFERRY_STORE_FEATURE_GPKG_H

#include "base/buf.h"
#include "base/clock.h"
#include "model/geometry/wkb.h"
#include "store/feature.h"
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>

enum {
    GPKG_STATEMENTS = 12,  /* cached statements a connection */
    GPKG_IDLE_READERS = 4, /* idle connections kept a data set */
    GPKG_OPEN_SETS = 64,   /* data sets kept open while nobody uses them */
    GPKG_MARKS = 16,
    GPKG_PAGE_SIZE = 4096,
    GPKG_HEADER_MAX = 40,     /* GeoPackage geometry header with an envelope */
    GPKG_SQL_MAX = 4 << 20,   /* longest statement, and longest list of ids */
    GPKG_ROW_MAX = 512 << 20, /* one geometry */
};

/* What a pointer that is bound to a statement points to: a struct relate. */
#define GPKG_SHAPE "relate"

struct gpkg_statement {
    char *text;
    sqlite3_stmt *stmt;
    uint64_t used;
    bool busy;
};
struct gpkg_conn {
    sqlite3 *db;
    struct ctx *ctx; /* of the running call, for cancelling */
    struct gpkg_conn *next;
    uint64_t tick;
    struct gpkg_statement cache[GPKG_STATEMENTS];
};
/* Where the row of an offset is, in the order of ids and without conditions: clients read layers page by page. */
struct gpkg_mark {
    int32_t layer;
    uint64_t generation; /* of the data set when it was true */
    int64_t offset, oid; /* `offset` rows have ids up to `oid` */
};
/* What a layer has in all. When ids have no gaps, they tell the row of an offset. */
struct gpkg_total {
    int32_t layer;
    uint64_t generation;
    int64_t count, least, most; /* ids; 0 of an empty layer */
};
struct gpkg_set {
    id id;
    char *path;
    unsigned users;
    bool dropped;           /* the file is gone; lives until its last user is */
    uint64_t turns, served; /* writers that came, and those that are done */
    uint64_t used;
    uint64_t generation; /* counts the writers that have been, from 1 */
    int64_t pending;     /* boxes in the pending index, about */
    int64_t edited;      /* when the last edit was, monotonic ms; 0: none by this process */
    int64_t forgot;      /* when old changes were looked for, ms; the writer's */
    struct gpkg_mark marks[GPKG_MARKS];
    unsigned next_mark;
    struct gpkg_total totals[GPKG_MARKS];
    unsigned next_total;
    struct gpkg_conn *idle;
    unsigned idle_count;
    struct gpkg_set *next;
};
struct feature_store {
    char *dir;
    pthread_mutex_t lock;
    pthread_cond_t written;
    struct gpkg_set *sets;
    unsigned set_count;
    uint64_t tick;
    pthread_t merger; /* feature_gpkg_pending.c */
    pthread_cond_t merge_wake;
    bool merger_runs;
    atomic_bool stopping;
    int64_t keep_changes; /* ms, 0 for ever; set at the start */
};

/* ---- connections (feature_gpkg_conn.c) ---- */
int gpkg_conn_open(struct ctx *ctx, const char *path, int flags, struct gpkg_conn **out);
void gpkg_conn_close(struct gpkg_conn *c); /* NULL is allowed */
/* Records what SQLite says, with the kind that fits its code; RC_BUSY for a lock, RC_CANCELED when the context is. */
int gpkg_fail(struct ctx *ctx, sqlite3 *db, const char *doing);
int gpkg_exec(struct ctx *ctx, struct gpkg_conn *c, const char *sql);
/* Ends a transaction that is still open, whatever the context says. */
void gpkg_roll_back(struct gpkg_conn *c);
int gpkg_execf(struct ctx *ctx, struct gpkg_conn *c, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A statement of the cache, reset; give it back with gpkg_release. A text is prepared once a connection. */
int gpkg_prepare(struct ctx *ctx, struct gpkg_conn *c, str sql, sqlite3_stmt **out);
void gpkg_release(struct gpkg_conn *c, sqlite3_stmt *stmt);
/* RC_OK with a row, RC_END without. */
int gpkg_step(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt);
int gpkg_bind_text(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt, int index,
                   str s); /* s outlives the statement's use */
int gpkg_query_int(struct ctx *ctx, struct gpkg_conn *c, str sql, int64_t *out);
/* What a data set's connections have beyond SQLite's functions (feature_gpkg_functions.c). */
int gpkg_functions_add(struct ctx *ctx, struct gpkg_conn *c);
int gpkg_aggregates_add(struct ctx *ctx, struct gpkg_conn *c); /* feature_gpkg_aggregates.c */

/* ---- data sets (feature_gpkg.c) ---- */
/* RC_NOT_FOUND when there is no such data set. */
int gpkg_set_take(struct ctx *ctx, struct feature_store *fs, const id *store, struct gpkg_set **out);
void gpkg_set_give(struct feature_store *fs, struct gpkg_set *set);
/* A connection of the data set; a writer's is alone until it is given back. */
int gpkg_read_begin(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn **out);
void gpkg_read_end(struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c);
int gpkg_write_begin(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn **out);
/* Both: the data set and its writer's connection. */
int gpkg_write_open(struct ctx *ctx, struct feature_store *fs, const id *store, struct gpkg_set **set_out,
                    struct gpkg_conn **out);
void gpkg_write_end(struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c);

/* The mark nearest before an offset (offset 0 without one), and a new one of that generation. */
struct gpkg_mark gpkg_mark_find(struct feature_store *fs, struct gpkg_set *set, int32_t layer, int64_t offset);
/* The total of the layer as it is now, counted by that connection when nobody did since the last edit. */
int gpkg_total_get(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c, const struct layer *l,
                   struct gpkg_total *out);
void gpkg_mark_add(struct feature_store *fs, struct gpkg_set *set, const struct gpkg_mark *mark);

/* ---- tables (feature_gpkg_schema.c) ---- */
/* Names in the arena. `package` chooses the table name of a package instead of that of a data set, which has no layer name in it.
 */
str gpkg_table(struct ctx *ctx, const struct layer *l, bool package);
str gpkg_geometry_column(struct ctx *ctx, const struct layer *l); /* a name that no field has */
str gpkg_index_table(struct ctx *ctx, const struct layer *l);     /* rtree_<table>_<column> */
void gpkg_quote(struct buf *b, str name);                         /* as an SQL identifier */
str gpkg_quoted(struct ctx *ctx, str name);
/* The identifier of the layer's spatial reference inside the file. */
int32_t gpkg_srs_id(const struct layer *l);
bool gpkg_is_geographic(struct ctx *ctx, const struct layer *l); /* its coordinates are degrees */
/* Metadata tables of an empty file, then the tables of each layer that is not there yet. */
/* Adds what data sets of an earlier form lack. */
int gpkg_upgrade(struct ctx *ctx, struct gpkg_conn *c);
int gpkg_schema_begin(struct ctx *ctx, struct gpkg_conn *c);
int gpkg_schema_add_layer(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, bool package);
/* The layer's table under that name, as the metadata tables know it; no index. */
int gpkg_schema_add_table(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, str table, str identifier);
int gpkg_has_table(struct ctx *ctx, struct gpkg_conn *c, str name, bool *out);
/* The indexes on attributes that the layer's definition asks for, where its fields are; unique ones over values that are not
 * unique are ERR_INVALID, or (loose) made without. */
int gpkg_schema_add_indexes(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, bool loose);
/* The table with its index and what the metadata tables say of it. */
int gpkg_schema_drop_layer(struct ctx *ctx, struct gpkg_conn *c, str table);

extern const char *const gpkg_column_types[FIELD_TYPE_COUNT];

/* ---- rows (feature_gpkg_row.c) ---- */
struct gpkg_row_writer {
    struct gpkg_conn *conn;
    const struct layer *layer;
    struct wkb_form form;
    sqlite3_stmt *insert; /* owned */
    int32_t srs_id;
    struct buf blob, wkb;
    char (*dates)[CLOCK_ISO_SIZE]; /* one for each field */
};
/* table: the one that rows are inserted into. */
int gpkg_row_writer_open(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, str table, struct gpkg_row_writer *out);
void gpkg_row_writer_close(struct gpkg_row_writer *w);
/* The columns of a layer's table: its fields, then the geometry. */
void gpkg_add_columns(struct ctx *ctx, struct buf *b, const struct layer *l);
/* Inserts; *oid_out is the row's id, *box_out the box of its geometry (ENVELOPE_EMPTY: none). ERR_INVALID names the field. */
int gpkg_row_insert(struct ctx *ctx, struct gpkg_row_writer *w, const struct row *row, int64_t *oid_out,
                    struct envelope *box_out);
/* Sets some fields (and the geometry) of the row with row->oid; RC_NOT_FOUND, with nothing recorded, when there is none. */
struct gpkg_row_change {
    const struct row *row;
    const size_t *fields;
    size_t field_count;
    bool geometry;
};
int gpkg_row_update(struct ctx *ctx, struct gpkg_row_writer *w, const struct gpkg_row_change *change, struct envelope *box_out);
/* A column as a value of the field; text and bytes point into the statement's row. */
void gpkg_row_read(sqlite3_stmt *stmt, int column, const struct field *f, struct value *out);
/* The WKB in a GeoPackage geometry, STR_NONE when it is none. */
str gpkg_blob_wkb(str blob);
/* Box by the header, or by the coordinates of a point; ENVELOPE_EMPTY when it has none or is damaged. */
struct envelope gpkg_blob_box(str blob);

/* ---- spatial index (feature_gpkg_rtree.c) ---- */
struct gpkg_rtree;
struct gpkg_rtree *gpkg_rtree_open(const char *dir, bool geographic);
void gpkg_rtree_close(struct gpkg_rtree *t);
int gpkg_rtree_add(struct ctx *ctx, struct gpkg_rtree *t, int64_t oid, const struct envelope *box);
/* How far along the curve the middle of a box is: entries are packed in that order. */
uint64_t gpkg_rtree_place(const struct gpkg_rtree *t, const struct envelope *box);
/* Writes the packed tree into the empty index table. */
int gpkg_rtree_build(struct ctx *ctx, struct gpkg_rtree *t, struct gpkg_conn *c, str index_table);
/* Empties the tree. */
int gpkg_rtree_clear(struct ctx *ctx, struct gpkg_conn *c, str index_table);
/* Box of the whole tree, rounded outwards; ENVELOPE_EMPTY for an empty one. */
int gpkg_rtree_box(struct ctx *ctx, struct gpkg_conn *c, str index_table, struct envelope *out);

/* ---- rows of a load on their way into the order of the curve (feature_gpkg_spool.c) ---- */
struct gpkg_spool;
struct gpkg_spool *gpkg_spool_open(const char *dir, size_t field_count);
void gpkg_spool_close(struct gpkg_spool *s); /* NULL is allowed */
/* key: gpkg_rtree_place. The row's id is not kept. */
int gpkg_spool_add(struct ctx *ctx, struct gpkg_spool *s, const struct row *row, uint64_t key);
/* After the last one: the rows by their keys, or as they came when they are few; RC_END after the last. A row is valid until the
 * next call. */
int gpkg_spool_next(struct ctx *ctx, struct gpkg_spool *s, struct row *out);

/* ---- the pending index beside it (feature_gpkg_pending.c): boxes of rows that edits wrote, until they are merged ---- */
/* table: of the layer. */
int gpkg_pending_create(struct ctx *ctx, struct gpkg_conn *c, str table);
str gpkg_pending_table(struct ctx *ctx, const struct layer *l);
/* Exact box of all that is pending; ENVELOPE_EMPTY for nothing. */
int gpkg_pending_box(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct envelope *out);
/* Both indexes of a layer while they are written. stmts owned; all NULL for a table. */
struct gpkg_index_writer {
    struct gpkg_conn *conn;
    sqlite3_stmt *add, *drop, *drop_packed;
};
int gpkg_index_writer_open(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct gpkg_index_writer *out);
void gpkg_index_writer_close(struct gpkg_index_writer *w);
/* An empty box is not in the index. */
int gpkg_index_add(struct ctx *ctx, struct gpkg_index_writer *w, int64_t oid, const struct envelope *box);
int gpkg_index_drop(struct ctx *ctx, struct gpkg_index_writer *w, int64_t oid);
/* Says that so many boxes became pending. The merger, a thread made when it is needed first, merges when a data set rests or has
 * too many of them. */
void gpkg_merge_later(struct feature_store *fs, struct gpkg_set *set, int64_t added);
void gpkg_merger_stop(struct feature_store *fs);
int gpkg_pending_count(struct ctx *ctx, struct gpkg_conn *c, int64_t *out);

/* ---- what changed (feature_gpkg_change.c) ---- */
int gpkg_changes_create(struct ctx *ctx, struct gpkg_conn *c); /* nothing when they are there */
/* The changes of one edit, as they are written: a run of ids at a time. */
struct gpkg_changes {
    struct gpkg_conn *conn;
    int64_t generation, sequence;
    int32_t layer;
    enum feature_change_kind kind;
    int64_t first, count; /* count 0: none yet */
    str global_id;
};
struct gpkg_change {
    int32_t layer;
    enum feature_change_kind kind;
    int64_t oid;
    str global_id; /* of a deleted feature; STR_NONE: it is found by its id, or has none */
};
int gpkg_changes_open(struct ctx *ctx, struct gpkg_conn *c, struct gpkg_changes *out);
int gpkg_changes_add(struct ctx *ctx, struct gpkg_changes *w, const struct gpkg_change *change);
int gpkg_changes_flush(struct ctx *ctx, struct gpkg_changes *w);
int gpkg_number_get(struct ctx *ctx, struct gpkg_conn *c, int64_t *out);
int gpkg_number_set(struct ctx *ctx, struct gpkg_conn *c, int64_t number);
/* Takes away what is older than the store keeps, now and then. */
int gpkg_changes_forget(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c);
int gpkg_generation_set(struct ctx *ctx, struct gpkg_conn *c, int32_t layer, int64_t generation);

/* ---- cursors (feature_gpkg_query.c) ---- */
/* A cursor on a connection that stays the caller's. */
int gpkg_cursor_borrow(struct ctx *ctx, struct gpkg_conn *conn, const struct layer *l, const struct feature_query *q,
                       struct feature_cursor **out);

/* ---- queries as SQL (feature_gpkg_sql.c) ---- */
struct gpkg_sql {
    struct buf text;
    struct value *values; /* bound in order, in the arena */
    size_t value_count, value_capacity;
    struct relate *shape; /* bound as the parameter of that number */
    size_t shape_at;
};
/* Conditions: " WHERE …" or nothing. box_index: use the spatial index for the box. */
int gpkg_sql_conditions(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct feature_query *q,
                        bool box_index);
int gpkg_sql_order(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct feature_query *q);
void gpkg_sql_value(struct ctx *ctx, struct gpkg_sql *sql, struct value v); /* "?" and the value */
void gpkg_sql_tree(struct ctx *ctx, struct gpkg_sql *sql, const struct layer *l, const struct where *w);
int gpkg_sql_prepare(struct ctx *ctx, struct gpkg_sql *sql, struct gpkg_conn *c, sqlite3_stmt **out);

#endif
