/* Does the content store agree with the database? Beside a running portal things move: what looks wrong is looked at again before
 * it is reported. */
#include "store/blob_disk.h"

#include "base/file.h"
#include <stdio.h>

enum { ROWS_A_STEP = 1000 };

struct check {
    struct blob_store *store;
    bool read_data;
    void (*report)(void *arg, const char *line);
    void *arg;
    uint64_t bad;
};

struct row {
    struct hash hash;
    uint64_t size;
    bool inside;
    uint64_t inside_size;
};

struct page {
    struct hash after;
    bool first;
    struct row rows[ROWS_A_STEP];
    size_t count;
};

static void damage(struct check *c, struct hash h, const char *what)
{
    char line[256], hex[HASH_HEX + 1];
    hash_hex(h, hex);
    snprintf(line, sizeof line, "content %s: %s", hex, what);
    c->report(c->arg, line);
    c->bad++;
}

static int page_read(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct page *page = arg;
    CLEANUP(sql_rows_close) struct sql_rows rows;
    int rc;
    page->count = 0;
    TRY(sql_query(ctx, tx, &rows,
                  "SELECT hash, size, CASE WHEN content IS NULL THEN 0 ELSE 1 END, COALESCE(LENGTH(content), 0) FROM blob "
                  "WHERE hash > ? ORDER BY hash LIMIT ?",
                  page->first ? SQL_B(STR("")) : SQL_HASH(page->after), SQL_I(ROWS_A_STEP)));
    while ((rc = sql_next(ctx, &rows)) == RC_OK) {
        struct row *r = &page->rows[page->count++];
        str bytes = sql_bytes(&rows, 0);
        *r = (struct row){
            .size = (uint64_t)sql_int(&rows, 1), .inside = sql_int(&rows, 2) != 0, .inside_size = (uint64_t)sql_int(&rows, 3)};
        if (bytes.n == HASH_SIZE)
            memcpy(r->hash.bytes, bytes.p, HASH_SIZE);
    }
    return rc == RC_END ? RC_OK : rc;
}

static int hash_bytes(struct ctx *ctx, struct check *c, struct hash h, struct hash *out)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    struct hash_state state;
    const size_t piece = 256 * 1024;
    char *p = arena_alloc(ctx->arena, piece);
    size_t got = 1;
    hash_start(&state);
    TRY(blob_open(ctx, c->store, h, &r));
    while (got > 0) {
        TRY(ctx_check(ctx));
        TRY(reader_read(ctx, r, p, piece, &got));
        hash_update(&state, p, got);
    }
    *out = hash_finish(&state);
    return RC_OK;
}

/* Why the blob is damaged, NULL when it is not. */
static int look_at(struct ctx *ctx, struct check *c, const struct row *r, const char **why_out)
{
    CLEANUP(file_close) int fd = -1;
    struct hash got;
    uint64_t size = r->inside_size;
    *why_out = NULL;
    if (!r->inside) {
        int rc = file_open_read(ctx, blob_disk_path(ctx, c->store, r->hash), &fd);
        if (rc == RC_NOT_FOUND) {
            err_clear(ctx);
            *why_out = "the file is missing";
            return RC_OK;
        }
        TRY(rc);
        TRY(file_size(ctx, fd, &size));
    }
    if (size != r->size)
        *why_out = "the size is not what it was";
    if (*why_out || !c->read_data)
        return RC_OK;
    int rc = hash_bytes(ctx, c, r->hash, &got);
    if (rc == RC_NOT_FOUND) { /* collected meanwhile */
        err_clear(ctx);
        return RC_OK;
    }
    TRY(rc);
    if (!hash_eq(got, r->hash))
        *why_out = "the bytes are not what they were";
    return RC_OK;
}

static int check_row(struct ctx *ctx, struct check *c, const struct row *r)
{
    const char *why;
    bool still = true;
    TRY(look_at(ctx, c, r, &why));
    if (why)
        TRY(blob_exists(ctx, c->store, r->hash, &still));
    if (why && still)
        damage(c, r->hash, why);
    return RC_OK;
}

static int check_rows(struct ctx *ctx, struct check *c)
{
    struct page *page = arena_new(ctx->arena, struct page);
    page->first = true;
    do {
        TRY(sql_read(ctx, c->store->db, page_read, page));
        for (size_t i = 0; i < page->count; i++) {
            struct arena_mark mark = arena_mark(ctx->arena);
            TRY(ctx_check(ctx));
            TRY(check_row(ctx, c, &page->rows[i]));
            arena_release(ctx->arena, mark);
        }
        page->first = false;
        if (page->count > 0)
            page->after = page->rows[page->count - 1].hash;
    } while (page->count == ROWS_A_STEP);
    return RC_OK;
}

/* ---- files without a row ---- */

struct known {
    struct hash hash;
    bool row, gone;
};

static int known_read(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct known *k = arg;
    TRY(blob_disk_row(ctx, tx, k->hash, false, &k->row));
    return blob_disk_row(ctx, tx, k->hash, true, &k->gone);
}

static int check_file(struct ctx *ctx, struct hash h, void *arg)
{
    struct check *c = arg;
    struct blob_store *s = c->store;
    pthread_mutex_lock(&s->lock);
    bool pending = blob_disk_pending(s, h); /* before the rows: what is no longer pending then has its row or no file */
    pthread_mutex_unlock(&s->lock);
    struct known k = {.hash = h};
    TRY(sql_read(ctx, s->db, known_read, &k));
    if (pending || k.row || k.gone || !file_exists(blob_disk_path(ctx, s, h)))
        return RC_OK;
    if (!s->read_only) {
        damage(c, h, "the file has no row");
        return RC_OK;
    }
    /* another process has the uploads: one that goes on, or that a crash cut and the next start removes */
    char line[160], hex[HASH_HEX + 1];
    hash_hex(h, hex);
    snprintf(line, sizeof line, "content %s: a file of an upload that is not finished (no damage)", hex);
    c->report(c->arg, line);
    return RC_OK;
}

/* ---- references without a row: the foreign keys exclude them, a damaged database may have them ---- */

static int references_read(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    static const struct {
        const char *sql, *what;
    } texts[] = {
        {"SELECT hash FROM item_part WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.hash = item_part.hash)",
         "an item refers to it, but it has no row"},
        {"SELECT hash FROM attachment WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.hash = attachment.hash)",
         "an attachment refers to it, but it has no row"},
        {"SELECT hash FROM portal_file WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.hash = portal_file.hash)",
         "a user, a group or the organization refers to it, but it has no row"},
        {"SELECT hash FROM upload_part WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.hash = upload_part.hash)",
         "an upload refers to it, but it has no row"},
        {"SELECT hash FROM file_intent WHERE hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.hash = "
         "file_intent.hash)",
         "a change of an attachment refers to it, but it has no row"},
        {"SELECT hash FROM service_upload WHERE hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.hash = "
         "service_upload.hash) UNION ALL SELECT hash FROM service_upload_part WHERE NOT EXISTS (SELECT 1 FROM blob WHERE "
         "blob.hash = service_upload_part.hash)",
         "an upload to a service refers to it, but it has no row"},
    };
    struct check *c = arg;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(sql_rows_close) struct sql_rows rows;
        struct hash h;
        int rc;
        TRY(sql_query(ctx, tx, &rows, texts[i].sql));
        while ((rc = sql_next(ctx, &rows)) == RC_OK) {
            str bytes = sql_bytes(&rows, 0);
            h = (struct hash){0};
            if (bytes.n == HASH_SIZE)
                memcpy(h.bytes, bytes.p, HASH_SIZE);
            damage(c, h, texts[i].what);
        }
        if (rc != RC_END)
            return rc;
    }
    return RC_OK;
}

int blob_check(struct ctx *ctx, struct blob_store *s, bool read_data, void (*report)(void *arg, const char *line), void *arg,
               uint64_t *bad_out)
{
    struct check c = {.store = s, .read_data = read_data, .report = report, .arg = arg};
    TRY(check_rows(ctx, &c));
    TRY(blob_disk_each(ctx, s, check_file, &c));
    TRY(sql_read(ctx, s->db, references_read, &c));
    *bad_out = c.bad;
    return RC_OK;
}
