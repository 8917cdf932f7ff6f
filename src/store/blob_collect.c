/* What takes bytes away again: collection of blobs that nothing references, and files that never got their row.
 *
 * A blob goes in two steps, so that a download that began before goes on: the row first (its end is remembered in blob_gone), the
 * file one grace period later. Both steps are write transactions, and a blob gets its row in one, so no upload can come between
 * the look and the removal. */
#include "store/blob_disk.h"

#include "base/file.h"

enum { ROWS_A_STEP = 500, FILES_A_STEP = 50 }; /* other writers get their turn between the steps */

/* Every column that refers to bytes; each has an index. */
#define UNREFERENCED                                                                                                             \
    "NOT EXISTS (SELECT 1 FROM item_part WHERE item_part.hash = blob.hash) AND "                                                 \
    "NOT EXISTS (SELECT 1 FROM upload_part WHERE upload_part.hash = blob.hash) AND "                                             \
    "NOT EXISTS (SELECT 1 FROM portal_file WHERE portal_file.hash = blob.hash) AND "                                             \
    "NOT EXISTS (SELECT 1 FROM file_intent WHERE file_intent.hash = blob.hash) AND "                                             \
    "NOT EXISTS (SELECT 1 FROM service_upload WHERE service_upload.hash = blob.hash) AND "                                       \
    "NOT EXISTS (SELECT 1 FROM service_upload_part WHERE service_upload_part.hash = blob.hash) AND "                             \
    "NOT EXISTS (SELECT 1 FROM attachment WHERE attachment.hash = blob.hash)"

struct step {
    struct blob_store *store;
    int64_t before;
    struct hash after; /* cursor of the files; its first value is before all */
    uint64_t removed;
    bool more;
};

struct row {
    struct hash hash;
    bool file;
};

static int list_rows(struct ctx *ctx, struct sql_rows *rows, struct row **out, size_t *count_out)
{
    struct row *list = NULL;
    size_t count = 0, capacity = 0;
    int rc;
    while ((rc = sql_next(ctx, rows)) == RC_OK) {
        list = arena_grow(ctx->arena, list, &capacity, count + 1, sizeof *list);
        str bytes = sql_bytes(rows, 0);
        list[count] = (struct row){.file = sql_int(rows, 1) != 0};
        if (bytes.n == HASH_SIZE)
            memcpy(list[count].hash.bytes, bytes.p, HASH_SIZE);
        count++;
    }
    *out = list;
    *count_out = count;
    return rc == RC_END ? RC_OK : rc;
}

static int collect_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct step *step = arg;
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct row *list;
    size_t count;
    TRY(sql_query(ctx, tx, &rows,
                  "SELECT hash, CASE WHEN content IS NULL THEN 1 ELSE 0 END FROM blob WHERE touched <= ? AND " UNREFERENCED
                  " LIMIT ?",
                  SQL_I(step->before), SQL_I(ROWS_A_STEP)));
    TRY(list_rows(ctx, &rows, &list, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(sql_exec(ctx, tx, "DELETE FROM blob WHERE hash = ?", SQL_HASH(list[i].hash)));
        if (list[i].file)
            TRY(sql_exec(
                ctx, tx,
                "INSERT INTO blob_gone (hash, since) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET since = excluded.since",
                SQL_HASH(list[i].hash), SQL_I(ctx_now(ctx))));
    }
    step->removed = count;
    step->more = count == ROWS_A_STEP;
    return RC_OK;
}

/* Unless an upload needs it: that one decides what becomes of the file when it is closed. */
static int remove_file(struct ctx *ctx, struct blob_store *s, struct hash h)
{
    pthread_mutex_lock(&s->lock);
    int rc = blob_disk_pending(s, h) ? RC_OK : file_remove(ctx, blob_disk_path(ctx, s, h));
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static int collect_files(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct step *step = arg;
    CLEANUP(sql_rows_close) struct sql_rows rows;
    struct row *list;
    size_t count;
    TRY(sql_query(ctx, tx, &rows, "SELECT hash, 1 FROM blob_gone WHERE since <= ? AND hash > ? ORDER BY hash LIMIT ?",
                  SQL_I(step->before), SQL_HASH(step->after), SQL_I(FILES_A_STEP)));
    TRY(list_rows(ctx, &rows, &list, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(remove_file(ctx, step->store, list[i].hash));
        TRY(sql_exec(ctx, tx, "DELETE FROM blob_gone WHERE hash = ?", SQL_HASH(list[i].hash)));
    }
    if (count > 0)
        step->after = list[count - 1].hash;
    step->more = count == FILES_A_STEP;
    return RC_OK;
}

int blob_collect(struct ctx *ctx, struct blob_store *s, int64_t grace_ms, uint64_t *removed_out)
{
    struct step step = {.store = s, .before = ctx_now(ctx) - grace_ms};
    uint64_t removed = 0;
    /* files first: a file whose row goes in this run waits for a later one even when the grace period is nothing */
    do {
        TRY(sql_write(ctx, s->db, collect_files, &step));
    } while (step.more);
    do {
        TRY(sql_write(ctx, s->db, collect_rows, &step));
        removed += step.removed;
    } while (step.more);
    if (removed_out)
        *removed_out = removed;
    return RC_OK;
}

/* ---- files without a row ---- */

int blob_disk_row(struct ctx *ctx, struct sql_tx *tx, struct hash h, bool gone, bool *out)
{
    int64_t one;
    const struct sql_value v[] = {SQL_HASH(h)};
    int rc =
        sql_query_int(ctx, tx, &one, gone ? "SELECT 1 FROM blob_gone WHERE hash = ?" : "SELECT 1 FROM blob WHERE hash = ?", v, 1);
    *out = rc == RC_OK;
    return rc == RC_END ? RC_OK : rc;
}

int blob_disk_remove_orphan(struct ctx *ctx, struct blob_store *s, struct sql_tx *tx, struct hash h)
{
    bool row, gone;
    TRY(blob_disk_row(ctx, tx, h, false, &row));
    TRY(blob_disk_row(ctx, tx, h, true, &gone));
    return row || gone ? RC_OK : remove_file(ctx, s, h);
}

struct each {
    int (*visit)(struct ctx *ctx, struct hash h, void *arg);
    void *arg;
};

static int each_file(struct ctx *ctx, const char *name, void *arg)
{
    const struct each *e = arg;
    struct hash h;
    struct arena_mark mark = arena_mark(ctx->arena);
    TRY(ctx_check(ctx));
    int rc = hash_parse(str_c(name), &h) ? e->visit(ctx, h, e->arg) : RC_OK;
    arena_release(ctx->arena, mark);
    return rc;
}

int blob_disk_each(struct ctx *ctx, struct blob_store *s, int (*visit)(struct ctx *ctx, struct hash h, void *arg), void *arg)
{
    struct each e = {.visit = visit, .arg = arg};
    for (unsigned i = 0; i < 256; i++) {
        str dir = arena_printf(ctx->arena, "%s/%02x", s->dir, i);
        if (file_exists(dir.p))
            TRY(dir_each(ctx, dir.p, each_file, &e));
    }
    return RC_OK;
}
