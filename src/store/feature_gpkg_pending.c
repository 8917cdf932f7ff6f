/* The pending index: boxes of rows that edits wrote, in a plain table in the order of ids, which costs a write about a tenth of
 * what SQLite's R*Tree module does. A box query searches both, this one from end to end. The merger moves pending boxes into the
 * tree, some thousand a transaction, while a data set rests; when edits come again it lets them pass, until there are so many
 * boxes that searching takes long.
 *
 * A row with a place is in exactly one of the two. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/feature_gpkg.h"
#include <errno.h>

enum {
    MERGE_SOME = 1 << 14, /* boxes that are worth merging when a data set rests, */
    MERGE_MANY = 1 << 19, /* and when it does not: some hundredths of a second to search */
    MERGE_CHUNK = 4096,   /* boxes a transaction, so that edits wait for some hundredths of a second at most */
    REST_MS = 300,
};

str gpkg_pending_table(struct ctx *ctx, const struct layer *l)
{
    return arena_printf(ctx->arena, "pending_%.*s", STR_FMT(gpkg_table(ctx, l, false)));
}

int gpkg_pending_create(struct ctx *ctx, struct gpkg_conn *c, str table)
{
    return gpkg_execf(ctx, c,
                      "CREATE TABLE IF NOT EXISTS pending_%.*s(id INTEGER PRIMARY KEY,minx REAL NOT NULL,maxx REAL NOT NULL,"
                      "miny REAL NOT NULL,maxy REAL NOT NULL)",
                      STR_FMT(table));
}

int gpkg_pending_box(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct envelope *out)
{
    *out = ENVELOPE_EMPTY;
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(
        ctx, c,
        arena_printf(ctx->arena, "SELECT min(minx),min(miny),max(maxx),max(maxy) FROM %.*s", STR_FMT(gpkg_pending_table(ctx, l))),
        &stmt));
    int rc = gpkg_step(ctx, c, stmt);
    if (rc == RC_OK && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        *out = (struct envelope){sqlite3_column_double(stmt, 0), sqlite3_column_double(stmt, 1), sqlite3_column_double(stmt, 2),
                                 sqlite3_column_double(stmt, 3)};
    gpkg_release(c, stmt);
    return rc;
}

/* ---- writing ---- */
int gpkg_index_writer_open(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct gpkg_index_writer *out)
{
    *out = (struct gpkg_index_writer){.conn = c};
    if (l->geometry == GEOMETRY_NONE)
        return RC_OK;
    str pending = gpkg_pending_table(ctx, l), packed = gpkg_quoted(ctx, gpkg_index_table(ctx, l));
    TRY(gpkg_prepare(ctx, c, arena_printf(ctx->arena, "REPLACE INTO %.*s VALUES(?,?,?,?,?)", STR_FMT(pending)), &out->add));
    TRY(gpkg_prepare(ctx, c, arena_printf(ctx->arena, "DELETE FROM %.*s WHERE id=?", STR_FMT(pending)), &out->drop));
    return gpkg_prepare(ctx, c, arena_printf(ctx->arena, "DELETE FROM %.*s WHERE id=?", STR_FMT(packed)), &out->drop_packed);
}

void gpkg_index_writer_close(struct gpkg_index_writer *w)
{
    if (!w->conn)
        return;
    gpkg_release(w->conn, w->add);
    gpkg_release(w->conn, w->drop);
    gpkg_release(w->conn, w->drop_packed);
    *w = (struct gpkg_index_writer){.conn = NULL};
}

static int run(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt)
{
    int rc = gpkg_step(ctx, c, stmt);
    sqlite3_reset(stmt);
    return rc == RC_END ? RC_OK : rc;
}

int gpkg_index_add(struct ctx *ctx, struct gpkg_index_writer *w, int64_t oid, const struct envelope *box)
{
    if (!w->add || envelope_empty(box))
        return RC_OK;
    sqlite3_bind_int64(w->add, 1, oid);
    sqlite3_bind_double(w->add, 2, box->xmin);
    sqlite3_bind_double(w->add, 3, box->xmax);
    sqlite3_bind_double(w->add, 4, box->ymin);
    sqlite3_bind_double(w->add, 5, box->ymax);
    return run(ctx, w->conn, w->add);
}

int gpkg_index_drop(struct ctx *ctx, struct gpkg_index_writer *w, int64_t oid)
{
    if (!w->drop)
        return RC_OK;
    sqlite3_bind_int64(w->drop, 1, oid);
    TRY(run(ctx, w->conn, w->drop));
    if (sqlite3_changes(w->conn->db))
        return RC_OK;
    sqlite3_bind_int64(w->drop_packed, 1, oid);
    return run(ctx, w->conn, w->drop_packed);
}

/* ---- merging ---- */
/* Tables and trees of a data set, by its metadata. */
struct merge_layer {
    str pending, tree;
    struct merge_layer *next;
};

static int list_layers(struct ctx *ctx, struct gpkg_conn *c, struct merge_layer **out)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, STR("SELECT table_name, column_name FROM gpkg_geometry_columns"), &stmt));
    int rc;
    while ((rc = gpkg_step(ctx, c, stmt)) == RC_OK) {
        const char *table = (const char *)sqlite3_column_text(stmt, 0), *column = (const char *)sqlite3_column_text(stmt, 1);
        struct merge_layer *l = arena_new(ctx->arena, struct merge_layer);
        *l = (struct merge_layer){.pending = arena_printf(ctx->arena, "pending_%s", table),
                                  .tree = gpkg_quoted(ctx, arena_printf(ctx->arena, "rtree_%s_%s", table, column)),
                                  .next = *out};
        *out = l;
    }
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

/* The first boxes go into the tree; fewer than MERGE_CHUNK: there are no more. */
static int merge_chunk(struct ctx *ctx, struct gpkg_conn *c, const struct merge_layer *l, int *moved_out)
{
    int64_t last = 0;
    TRY(gpkg_exec(ctx, c, "BEGIN IMMEDIATE"));
    int rc = gpkg_query_int(ctx, c,
                            arena_printf(ctx->arena, "SELECT max(id) FROM (SELECT id FROM %.*s ORDER BY id LIMIT %d)",
                                         STR_FMT(l->pending), MERGE_CHUNK),
                            &last);
    rc = rc != RC_OK ? rc
                     : gpkg_execf(ctx, c, "INSERT INTO %.*s SELECT * FROM %.*s WHERE id<=%lld", STR_FMT(l->tree),
                                  STR_FMT(l->pending), (long long)last);
    *moved_out = rc == RC_OK ? sqlite3_changes(c->db) : 0;
    rc = rc != RC_OK ? rc : gpkg_execf(ctx, c, "DELETE FROM %.*s WHERE id<=%lld", STR_FMT(l->pending), (long long)last);
    rc = rc != RC_OK ? rc : gpkg_exec(ctx, c, "COMMIT");
    gpkg_roll_back(c);
    return rc;
}

/* Holds the lock. */
static bool is_due(const struct gpkg_set *s, int64_t now) { return s->pending >= MERGE_MANY || now - s->edited >= REST_MS; }

/* So many boxes less; *pass_out: edits have come meanwhile, for which the rest has to wait. */
static void note_merged(struct feature_store *fs, struct gpkg_set *set, int64_t moved, bool *pass_out)
{
    pthread_mutex_lock(&fs->lock);
    set->pending = set->pending > moved ? set->pending - moved : 0;
    *pass_out = !is_due(set, clock_system.monotonic_ms(&clock_system));
    pthread_mutex_unlock(&fs->lock);
}

/* Gives the data set back between the chunks, so that edits go on. */
static int merge_layer(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, const struct merge_layer *l,
                       bool *pass_out)
{
    int moved = MERGE_CHUNK;
    while (moved == MERGE_CHUNK && !*pass_out) {
        struct gpkg_conn *c = NULL;
        TRY(ctx_check(ctx));
        TRY(gpkg_write_begin(ctx, fs, set, &c));
        int rc = merge_chunk(ctx, c, l, &moved);
        gpkg_write_end(fs, set, c);
        TRY(rc);
        note_merged(fs, set, moved, pass_out);
    }
    return RC_OK;
}

static int merge_set(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, bool *pass_out)
{
    struct gpkg_conn *c = NULL;
    struct merge_layer *layers = NULL;
    TRY(gpkg_read_begin(ctx, fs, set, &c));
    int rc = list_layers(ctx, c, &layers);
    gpkg_read_end(fs, set, c);
    for (struct merge_layer *l = layers; l && rc == RC_OK; l = l->next)
        rc = merge_layer(ctx, fs, set, l, pass_out);
    return rc;
}

/* The data set to merge now; NULL: none yet. *waiting_out: one will be due when it rests. Holds the lock. */
static struct gpkg_set *next_due(struct feature_store *fs, int64_t now, bool *waiting_out)
{
    *waiting_out = false;
    for (struct gpkg_set *s = fs->sets; s; s = s->next) {
        if (s->dropped || s->pending < MERGE_SOME)
            continue;
        if (is_due(s, now))
            return s;
        *waiting_out = true;
    }
    return NULL;
}

/* What could not be merged stays pending, and is searched there. */
static void merge(struct feature_store *fs, struct gpkg_set *set)
{
    struct ctx ctx;
    bool pass = false;
    ctx_open(&ctx);
    ctx.cancel = &fs->stopping;
    int rc = merge_set(&ctx, fs, set, &pass);
    if (rc != RC_OK && rc != RC_CANCELED && !set->dropped)
        log_error(&ctx, "merging the pending spatial index of a data set");
    ctx_close(&ctx);
    if (pass)
        return;
    pthread_mutex_lock(&fs->lock);
    set->pending = 0; /* about: what edits added since is counted with the next ones */
    pthread_mutex_unlock(&fs->lock);
}

static void wait_for_work(struct feature_store *fs, bool some)
{
    struct timespec until;
    if (!some) {
        pthread_cond_wait(&fs->merge_wake, &fs->lock);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += REST_MS / 2 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&fs->merge_wake, &fs->lock, &until);
}

static void *merger_run(void *arg)
{
    struct feature_store *fs = arg;
    pthread_mutex_lock(&fs->lock);
    while (!atomic_load(&fs->stopping)) {
        bool waiting;
        struct gpkg_set *set = next_due(fs, clock_system.monotonic_ms(&clock_system), &waiting);
        if (!set) {
            wait_for_work(fs, waiting);
            continue;
        }
        set->users++;
        pthread_mutex_unlock(&fs->lock);
        merge(fs, set);
        gpkg_set_give(fs, set);
        pthread_mutex_lock(&fs->lock);
    }
    pthread_mutex_unlock(&fs->lock);
    return NULL;
}

void gpkg_merge_later(struct feature_store *fs, struct gpkg_set *set, int64_t added)
{
    pthread_mutex_lock(&fs->lock);
    set->pending += added;
    set->edited = clock_system.monotonic_ms(&clock_system);
    if (set->pending >= MERGE_SOME && !fs->merger_runs) {
        sigset_t all, before; /* signals are for the thread that waits for them */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        fs->merger_runs = pthread_create(&fs->merger, NULL, merger_run, fs) == 0; /* else at a later edit */
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (set->pending >= MERGE_SOME)
        pthread_cond_signal(&fs->merge_wake);
    pthread_mutex_unlock(&fs->lock);
}

void gpkg_merger_stop(struct feature_store *fs)
{
    pthread_mutex_lock(&fs->lock);
    atomic_store(&fs->stopping, true);
    pthread_cond_signal(&fs->merge_wake);
    pthread_mutex_unlock(&fs->lock);
    if (fs->merger_runs)
        pthread_join(fs->merger, NULL);
}

/* A data set that was left with pending boxes by an earlier process. */
int gpkg_pending_count(struct ctx *ctx, struct gpkg_conn *c, int64_t *out)
{
    struct merge_layer *layers = NULL;
    *out = 0;
    TRY(list_layers(ctx, c, &layers));
    for (const struct merge_layer *l = layers; l; l = l->next) {
        int64_t count;
        TRY(gpkg_query_int(ctx, c, arena_printf(ctx->arena, "SELECT count(*) FROM %.*s", STR_FMT(l->pending)), &count));
        *out += count;
    }
    return RC_OK;
}
