/* See import_stage.h. Called by the verifying threads; whoever fills a batch makes it durable. */
#include "jobs/import_stage.h"
#include "base/direct.h"
#include "base/mem.h"
#include <pthread.h>

enum { BATCH_BLOBS = 512, PIECE = 1 << 20 };
static const uint64_t BATCH_BYTES = 512 << 20;

/* The verifying threads wait for the disk as well, so there are more of them than processors to work for. */
enum { THREADS_A_WORKER = 2, THREADS_MAX = 64 };

struct batch {
    struct blob_new *blobs[BATCH_BLOBS];
    size_t count;
    uint64_t bytes;
};
struct stage {
    struct site *site;
    pthread_mutex_t mutex;
    struct batch batch;
    char *pieces[THREADS_MAX]; /* what threads read into, when none does */
    size_t piece_count;
};

/* Layers are unpacked to a file of their own when they are read; what fits into the database is read again with its item. */
static bool stage_wants(void *arg, str name, uint64_t size)
{
    (void)arg;
    return size > BLOB_INLINE_MAX && !str_ends(name, STR("/layers.gpkg"));
}

static int batch_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct batch *b = arg;
    for (size_t i = 0; i < b->count; i++)
        TRY(blob_attach(ctx, tx, b->blobs[i]));
    return RC_OK;
}

static void batch_close(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        blob_new_close(b->blobs[i]);
    b->count = 0;
    b->bytes = 0;
}

static int batch_store(struct ctx *ctx, struct site *site, struct batch *b)
{
    int rc = RC_OK;
    if (b->count) {
        rc = blob_sync(ctx, site->blobs, b->blobs, b->count);
        if (rc == RC_OK)
            rc = sql_write(ctx, site->sql, batch_rows, b);
    }
    batch_close(b);
    return rc;
}

static char *piece_take(struct stage *s)
{
    pthread_mutex_lock(&s->mutex);
    char *piece = s->piece_count ? s->pieces[--s->piece_count] : NULL;
    pthread_mutex_unlock(&s->mutex);
    return piece ? piece : mem_aligned(DIRECT_ALIGN, PIECE);
}

static void piece_give(struct stage *s, char *piece)
{
    pthread_mutex_lock(&s->mutex);
    s->pieces[s->piece_count++] = piece;
    pthread_mutex_unlock(&s->mutex);
}

/* To the end of the member, which verifies it; into the blob, when there is one. */
static int read_through(struct ctx *ctx, struct reader *bytes, char *piece, struct blob_new *blob)
{
    for (size_t got = 1; got;) {
        TRY(ctx_check(ctx));
        TRY(reader_read_full(ctx, bytes, piece, PIECE, &got));
        if (blob && got)
            TRY(blob_write(ctx, blob, piece, got));
    }
    return blob ? blob_finish(ctx, blob) : RC_OK;
}

static int read_member(struct ctx *ctx, struct stage *s, struct reader *bytes, struct blob_new *blob)
{
    char *piece = piece_take(s);
    int rc = read_through(ctx, bytes, piece, blob);
    piece_give(s, piece);
    return rc;
}

static int stage_take(struct ctx *ctx, void *arg, struct hash hash, uint64_t size, struct reader *bytes)
{
    struct stage *s = arg;
    bool there;
    TRY(blob_exists(ctx, s->site->blobs, hash, &there));
    if (there)
        return read_member(ctx, s, bytes, NULL);
    struct blob_new *blob;
    TRY(blob_begin_known(ctx, s->site->blobs, hash, size, &blob));
    int rc = read_member(ctx, s, bytes, blob);
    if (rc != RC_OK) {
        blob_new_close(blob);
        return rc;
    }
    struct batch full = {0};
    pthread_mutex_lock(&s->mutex);
    s->batch.blobs[s->batch.count++] = blob;
    s->batch.bytes += size;
    if (s->batch.count == BATCH_BLOBS || s->batch.bytes >= BATCH_BYTES) {
        full = s->batch;
        s->batch.count = 0;
        s->batch.bytes = 0;
    }
    pthread_mutex_unlock(&s->mutex);
    return batch_store(ctx, s->site, &full);
}

int import_stage(struct ctx *ctx, struct site *site, struct portal *package)
{
    struct stage s = {.site = site};
    pthread_mutex_init(&s.mutex, NULL);
    struct package_sink sink = {.arg = &s, .wants = stage_wants, .take = stage_take};
    unsigned threads = site->settings.workers * THREADS_A_WORKER;
    int rc = package_verify(ctx, package, threads < THREADS_MAX ? threads : THREADS_MAX, &sink, NULL, NULL);
    if (rc == RC_OK)
        rc = batch_store(ctx, site, &s.batch);
    else
        batch_close(&s.batch);
    while (s.piece_count)
        mem_free(s.pieces[--s.piece_count]);
    pthread_mutex_destroy(&s.mutex);
    return rc;
}
