/* Where features are: one data set per hosted service. The interface suits SQLite files (a GeoPackage a data set) and PostGIS
 * alike: typed rows in and out, a query as a tree, no SQL text. A data set is named by an id of its own, so that a new one is
 * filled beside the old one and the switch is one metadata transaction. */
#ifndef MAPFERRY_STORE_FEATURE_H
#define MAPFERRY_STORE_FEATURE_H

#include "base/stream.h"
#include "model/geometry/envelope.h"
#include "model/geometry/relate.h"
#include "model/layer.h"
#include "model/query/where.h"

struct feature_store;
/* "dir:/path": GeoPackages below that folder. */
int feature_store_open(struct ctx *ctx, const char *url, struct feature_store **out);
void feature_store_close(struct feature_store *fs);

/* A new empty data set with the layers of the definition, durable. It exists already: it is made anew (a repeated step). */
int feature_create(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *def);
/* A definition that changes, in two steps around the transaction that makes it the one in force. extend: tables, columns and
 * indexes that `after` has beyond `before`; leftovers of their names, of changes that never came into force, go first.
 * ERR_INVALID for a unique index over values that are not. trim: what `after` does not name any more. Columns keep their type. */
int feature_extend(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *before,
                   const struct service *after);
int feature_trim(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *after);
int feature_drop(struct ctx *ctx, struct feature_store *fs, const id *store); /* a missing one is not an error */
int feature_exists(struct ctx *ctx, struct feature_store *fs, const id *store, bool *out);

/* Bulk load of one layer that is empty: rows in any order with their own oid (0: the next free one, along a curve through the map
 * when many rows come without), then the spatial index is built packed and everything is made durable by feature_load_end, which
 * may find what is wrong with a row. Closing without end leaves the layer empty. One load per data
 * set at a time. */
struct feature_load;
int feature_load_begin(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                       struct feature_load **out);
int feature_load_row(struct ctx *ctx, struct feature_load *load, const struct row *row);
int feature_load_end(struct ctx *ctx, struct feature_load *load, int64_t *count_out);
void feature_load_close(struct feature_load *load);
static inline void feature_load_cleanup(struct feature_load **load) /* for CLEANUP */
{
    if (*load)
        feature_load_close(*load);
}

/* ---- query ---- Texts are compared by their bytes, so case counts, also in LIKE; UPPER and LOWER know all of Unicode. No value
 * sorts as the greatest one, as in PostgreSQL. A layer given to a load or a cursor outlives it. */
struct feature_order {
    size_t field;
    bool descending;
};
struct feature_query {
    const struct where *where; /* NULL: all */
    const int64_t *oids;       /* NULL: all */
    size_t oid_count;
    bool has_box;   /* features whose geometry's bounding box meets `box` (layer's spatial reference) */
    bool box_exact; /* the geometry itself has to meet it, not only its bounding box */
    struct envelope box;
    struct relate *shape; /* NULL: none; the geometry asked about, whose relation features have to have. Lives as long as cursors
                             of the query do */
    const struct feature_order *order; /* oid ascending is always the last key */
    size_t order_count;
    int64_t offset, limit; /* limit -1: all */
    const size_t *fields;  /* indices of the fields wanted; others come as VALUE_NULL. NULL with count 0: all */
    size_t field_count;
    bool geometry; /* false: row.wkb stays STR_NONE */
    bool distinct; /* distinct combinations of the fields wanted, no oid, no geometry */
};
/* Groups of the rows of a query instead of rows. */
struct feature_groups {
    const struct where_output *outputs; /* what rows are grouped by, then aggregates */
    const struct field *fields;         /* as what the values of each output are read */
    size_t count, group_count;
    const struct where *having;        /* NULL: all groups */
    const struct feature_order *order; /* `field` is an output; groups in order of what they are grouped by last */
    size_t order_count;
    int64_t offset, limit; /* limit -1: all */
};
struct feature_cursor;
/* One snapshot from open to close. */
int feature_query_open(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                       const struct feature_query *q, struct feature_cursor **out);
/* The row's memory is valid until the next call. RC_END at the end. */
int feature_next(struct ctx *ctx, struct feature_cursor *c, struct row *row_out);
void feature_cursor_close(struct feature_cursor *c);
/* Several queries that see one moment of a data set, whatever is edited meanwhile. One cursor at a time, closed before the
 * snapshot. */
struct feature_snapshot;
int feature_snapshot_open(struct ctx *ctx, struct feature_store *fs, const id *store, struct feature_snapshot **out);
int feature_snapshot_query(struct ctx *ctx, struct feature_snapshot *s, const struct layer *l, const struct feature_query *q,
                           struct feature_cursor **out);
void feature_snapshot_close(struct feature_snapshot *s); /* NULL is allowed */
/* Rows have a value for each output, no oid, no geometry. Of the query the conditions count alone. The same for feature_next.
 * Blobs of the aggregates of geometry are doubles, in the layer's spatial reference: xmin, ymin, xmax, ymax of an envelope, x and
 * y of a centroid, of each corner of a hull. */
int feature_groups_open(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                        const struct feature_query *q, const struct feature_groups *g, struct feature_cursor **out);
int feature_count(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                  const struct feature_query *q, int64_t *out);
/* Bounding box of the matching features; *empty_out when there are none with a geometry. */
int feature_extent(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l,
                   const struct feature_query *q, struct envelope *out, bool *empty_out);

/* ---- edits ---- One transaction, visible and durable at its commit; closed without one it leaves nothing. One a data set at a
 * time, others wait. A row that is refused (ERR_INVALID) leaves the transaction as it was. Layers are those whose tables have the
 * rows (layer_stored). */
enum feature_change_kind { FEATURE_ADDED = 1, FEATURE_UPDATED, FEATURE_DELETED, FILE_ADDED, FILE_UPDATED, FILE_DELETED };
struct feature_edit;
int feature_edit_begin(struct ctx *ctx, struct feature_store *fs, const id *store, struct feature_edit **out);
/* oid 0: assigned and written back. */
int feature_edit_add(struct ctx *ctx, struct feature_edit *e, const struct layer *l, struct row *row);
struct feature_update {
    const struct row *row;
    const size_t *fields; /* those that are set, none of them the object id */
    size_t field_count;
    bool geometry; /* set too */
};
/* RC_NOT_FOUND, with no error recorded, when there is no such row; so does delete. Something has to be set. */
int feature_edit_update(struct ctx *ctx, struct feature_edit *e, const struct layer *l, const struct feature_update *u);
/* global_id: what the change is remembered by, STR_NONE without. */
int feature_edit_delete(struct ctx *ctx, struct feature_edit *e, const struct layer *l, int64_t oid, str global_id);
int feature_edit_clear(struct ctx *ctx, struct feature_edit *e, const struct layer *l); /* all rows */
/* An index on that field, which the table is to have from now on; nothing when it has one. */
int feature_edit_index(struct ctx *ctx, struct feature_edit *e, const struct layer *l, size_t field);
/* A query that sees what the edit did so far. Closed before the edit goes on. */
int feature_edit_query(struct ctx *ctx, struct feature_edit *e, const struct layer *l, const struct feature_query *q,
                       struct feature_cursor **out);
/* What expressions over the fields of a layer (where_parse_value) are in the rows that a query finds, in the order of their ids.
 * The kind of a value is that of its calculation; dates are ISO texts. */
struct feature_values {
    int64_t *oids;
    struct value *values; /* `count` rows of as many as there are expressions, one row after the other */
    size_t count;
};
int feature_edit_values(struct ctx *ctx, struct feature_edit *e, const struct layer *l, const struct feature_query *q,
                        struct where *const *expressions, size_t expression_count, struct feature_values *out);
/* Attachments are kept elsewhere; the log of changes has them too. kind: one of FILE_ADDED … */
struct feature_file_change {
    int32_t layer;
    enum feature_change_kind kind;
    int64_t attachment;
    str global_id;
};
int feature_edit_note_file(struct ctx *ctx, struct feature_edit *e, const struct feature_file_change *c);
/* A number that is committed with an edit: by it somebody else knows afterwards whether the edit was. 0 before the first one. */
int feature_edit_number(struct ctx *ctx, struct feature_edit *e, int64_t *out);
int feature_edit_set_number(struct ctx *ctx, struct feature_edit *e, int64_t number);
/* The same of a data set that nobody edits. RC_NOT_FOUND when it is not there. */
int feature_number(struct ctx *ctx, struct feature_store *fs, const id *store, int64_t *out);
/* moment_out: of the edit, ms; later than that of every edit before. */
int feature_edit_commit(struct ctx *ctx, struct feature_edit *e, int64_t *moment_out);
void feature_edit_close(struct feature_edit *e);
static inline void feature_edit_cleanup(struct feature_edit **e) { feature_edit_close(*e); } /* for CLEANUP */
/* Since when changes of a layer are known, and the moment of the last one. */
int feature_generations(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, int64_t *least_out,
                        int64_t *last_out);

/* What happened to features after that moment, each counted once: one that came and went is in no list. Ids ascending. files: to
 * attachments instead, and the ids are theirs. ERR_FEATURE when so old changes are not known any more (feature_changes_forget).
 */
struct feature_deleted {
    int64_t oid;
    str global_id; /* STR_NONE: none known */
};
struct feature_changes {
    int64_t *added, *updated;
    size_t added_count, updated_count;
    struct feature_deleted *deleted;
    size_t deleted_count;
    int64_t moment; /* of the last change that is taken into account */
};
int feature_changes_since(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, int64_t since,
                          bool files, struct feature_changes *out);
/* Changes older than so many milliseconds are forgotten as edits go on; 0, as at the start: none ever is. */
void feature_changes_forget(struct feature_store *fs, int64_t age);

/* Adds rows in one edit (all or nothing). oid 0: assigned and written back into rows[i].oid. */
int feature_add(struct ctx *ctx, struct feature_store *fs, const id *store, const struct layer *l, struct row *rows,
                size_t count);

/* ---- packages ---- */
/* Writes the data set as a GeoPackage with nothing but the rows: from one read transaction, in oid order, no indexes, header
 * counters fixed; the same rows and definition give the same bytes with the same SQLite version. Tables are named "l<id>_" and
 * the layer's name reduced to letters, digits and underscores. path must not exist. */
int feature_write_package(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *def,
                          const char *path);

/* Data sets present, for mapferry check and cleaning. */
int feature_stores_each(struct ctx *ctx, struct feature_store *fs, int (*visit)(struct ctx *ctx, const id *store, void *arg),
                        void *arg);
int feature_check(struct ctx *ctx, struct feature_store *fs, const id *store, void (*report)(void *arg, const char *line),
                  void *arg, uint64_t *bad_out);

#endif
