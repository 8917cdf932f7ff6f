/* The content store on disk: opening, and the way of new bytes in (blob.h). Reading is in blob_read.c, what removes bytes again
 * in blob_collect.c. */
#include "store/blob_disk.h"

#include "base/file.h"
#include "base/mem.h"
#include <errno.h>
#include <stdio.h>
#include <sys/file.h>

enum { FEW_FOLDERS = 4 };                   /* so many are synced one by one, more by one sync of the file system */
static const uint64_t DIRECT_MIN = 1 << 20; /* known content from this size on goes past the page cache */

/* ---- names ---- */

const char *blob_disk_path(struct ctx *ctx, const struct blob_store *s, struct hash h)
{
    char hex[HASH_HEX + 1];
    hash_hex(h, hex);
    return arena_printf(ctx->arena, "%s/%.2s/%s", s->dir, hex, hex).p;
}

static char *temp_path(struct blob_store *s)
{
    size_t size = strlen(s->temp_dir) + 32;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s/%llu", s->temp_dir, (unsigned long long)atomic_fetch_add(&s->next_temp, 1));
    return path;
}

/* ---- opening ---- */

static int lock_dir(struct ctx *ctx, struct blob_store *s)
{
    TRY(file_open_read(ctx, s->dir, &s->lock_fd));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return RC_OK;
    if (errno == EWOULDBLOCK)
        return err_set_rc(ctx, RC_BUSY, &ERR_BUSY, "%s is in use by another portal: stop that one first", s->dir);
    return err_errno(ctx, errno, "cannot lock %s", s->dir);
}

struct orphan {
    struct blob_store *store;
    struct hash hash;
};

static int remove_orphan(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct orphan *o = arg;
    return blob_disk_remove_orphan(ctx, o->store, tx, o->hash);
}

static int orphan_read(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct orphan *o = arg;
    bool row, gone;
    TRY(blob_disk_row(ctx, tx, o->hash, false, &row));
    TRY(blob_disk_row(ctx, tx, o->hash, true, &gone));
    return row || gone ? RC_OK : RC_END;
}

/* Removes the file when nothing names it. */
static int settle(struct ctx *ctx, struct blob_store *s, struct hash h)
{
    struct orphan o = {.store = s, .hash = h};
    int rc = sql_read(ctx, s->db, orphan_read, &o);
    return rc == RC_END ? sql_write(ctx, s->db, remove_orphan, &o) : rc;
}

static int settle_file(struct ctx *ctx, struct hash h, void *arg) { return settle(ctx, arg, h); }

/* What a crash left: files that were named before the transaction that would have made them visible, and temp files. The folder
 * of the temp files goes last, so that a crash in here is cleaned up after as well. */
static int clean_up(struct ctx *ctx, struct blob_store *s)
{
    if (file_exists(s->temp_dir)) {
        TRY(blob_disk_each(ctx, s, settle_file, s));
        TRY(dir_remove_tree(ctx, s->temp_dir));
    }
    TRY(dir_create(ctx, s->temp_dir));
    return file_sync_dir(ctx, s->dir);
}

static int prepare(struct ctx *ctx, struct blob_store *s)
{
    TRY(dir_create(ctx, s->dir));
    TRY(lock_dir(ctx, s));
    return clean_up(ctx, s);
}

static void store_free(struct blob_store *s)
{
    file_close(&s->lock_fd);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->dir);
    mem_free(s->temp_dir);
    mem_free(s);
}

int blob_store_open(struct ctx *ctx, struct sql *db, const char *dir, struct blob_store **out)
{
    struct blob_store *s = mem_new(struct blob_store);
    size_t size = strlen(dir) + sizeof "/tmp";
    *out = NULL;
    s->db = db;
    s->dir = mem_cstr(dir);
    s->temp_dir = mem_alloc(size);
    snprintf(s->temp_dir, size, "%s/tmp", dir);
    s->lock_fd = -1;
    s->read_only = sql_read_only(db);
    pthread_mutex_init(&s->lock, NULL);
    int rc = s->read_only ? RC_OK : prepare(ctx, s);
    if (rc != RC_OK) {
        store_free(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

void blob_store_close(struct blob_store *s)
{
    struct ctx ctx;
    if (!s)
        return;
    ctx_open(&ctx);
    if (!s->read_only && !s->pending && !atomic_load(&s->leftovers))
        (void)dir_remove_tree(&ctx, s->temp_dir); /* when it stays, the next start looks for leftovers in vain */
    ctx_close(&ctx);
    store_free(s);
}

const char *blob_store_dir(const struct blob_store *s) { return s->dir; }

/* ---- bytes on their way in ---- */

static struct blob_new *new_of(struct blob_store *s, uint64_t max, const struct hash *expected)
{
    struct blob_new *b = mem_new(struct blob_new);
    b->store = s;
    b->max = max;
    b->fd = -1;
    b->memory = BUF_INIT(BLOB_INLINE_MAX);
    hash_start(&b->state);
    if (expected) {
        b->check_expected = true;
        b->expected = *expected;
    }
    return b;
}

int blob_begin(struct ctx *ctx, struct blob_store *s, uint64_t max, const struct hash *expected, struct blob_new **out)
{
    *out = NULL;
    if (s->read_only)
        return err_set(ctx, &ERR_UNSUPPORTED, "%s is open for reading only", s->dir);
    *out = new_of(s, max, expected);
    return RC_OK;
}

int blob_begin_known(struct ctx *ctx, struct blob_store *s, struct hash hash, uint64_t size, struct blob_new **out)
{
    TRY(blob_begin(ctx, s, size, &hash, out));
    (*out)->known = true;
    return RC_OK;
}

static bool has_file(const struct blob_new *b) { return b->fd >= 0 || b->direct; }

static int open_file(struct ctx *ctx, struct blob_new *b)
{
    b->path = temp_path(b->store);
    return b->known && b->max >= DIRECT_MIN ? direct_create(ctx, b->path, b->max, &b->direct) : file_create(ctx, b->path, &b->fd);
}

static int write_out(struct ctx *ctx, struct blob_new *b, const void *p, size_t n)
{
    return b->direct ? direct_write(ctx, b->direct, p, n) : file_write(ctx, b->fd, p, n);
}

static int flush(struct ctx *ctx, struct blob_new *b)
{
    TRY(write_out(ctx, b, b->memory.p, b->memory.n));
    buf_clear(&b->memory);
    return RC_OK;
}

int blob_write(struct ctx *ctx, struct blob_new *b, const void *p, size_t n)
{
    if (n > b->max - b->size)
        return err_set(ctx, &ERR_LIMIT, "more than %llu bytes", (unsigned long long)b->max);
    if (n == 0)
        return RC_OK;
    if (!b->known)
        hash_update(&b->state, p, n);
    b->size += n;
    if (!has_file(b) && b->size > BLOB_INLINE_MAX)
        TRY(open_file(ctx, b));
    if (has_file(b) && b->memory.n + n > BLOB_INLINE_MAX)
        TRY(flush(ctx, b));
    if (n > BLOB_INLINE_MAX)
        return write_out(ctx, b, p, n);
    buf_add_bytes(&b->memory, p, n);
    return RC_OK;
}

/* Hash and size stand: is it what was expected? */
static int finish(struct ctx *ctx, struct blob_new *b)
{
    char got[HASH_HEX + 1], wanted[HASH_HEX + 1];
    b->hash = b->known ? b->expected : hash_finish(&b->state);
    b->finished = true;
    if (b->known && b->size != b->max)
        return err_set(ctx, &ERR_CORRUPT, "there are %llu bytes instead of %llu", (unsigned long long)b->size,
                       (unsigned long long)b->max);
    if (!b->check_expected || hash_eq(b->hash, b->expected))
        return RC_OK;
    hash_hex(b->hash, got);
    hash_hex(b->expected, wanted);
    return err_set(ctx, &ERR_CORRUPT, "the bytes have the hash %s instead of %s", got, wanted);
}

static void close_file(struct blob_new *b)
{
    file_close(&b->fd);
    direct_close(b->direct);
    b->direct = NULL;
}

int blob_finish(struct ctx *ctx, struct blob_new *b)
{
    if (has_file(b)) {
        TRY(flush(ctx, b));
        if (b->direct)
            TRY(direct_finish(ctx, b->direct));
        buf_free(&b->memory);
        close_file(b); /* a batch may hold more blobs than descriptors are allowed */
    }
    return finish(ctx, b);
}

int blob_put(struct ctx *ctx, struct blob_store *s, str bytes, struct blob_new **out)
{
    struct blob_new *b;
    *out = NULL;
    TRY(blob_begin(ctx, s, bytes.n, NULL, &b));
    int rc = blob_write(ctx, b, bytes.p, bytes.n);
    if (rc == RC_OK)
        rc = blob_finish(ctx, b);
    if (rc != RC_OK) {
        blob_new_close(b);
        return rc;
    }
    *out = b;
    return RC_OK;
}

/* A file whose hash is known is only measured; unless it is small enough for the database, where its bytes are needed. */
static int adopt_known(struct ctx *ctx, struct blob_new *b, bool *done_out)
{
    CLEANUP(file_close) int fd = -1;
    *done_out = false;
    TRY(file_open_read(ctx, b->path, &fd));
    TRY(file_size(ctx, fd, &b->size));
    if (b->size <= BLOB_INLINE_MAX) {
        b->size = 0;
        return RC_OK;
    }
    *done_out = b->known = true;
    b->max = b->size;
    return finish(ctx, b);
}

static int adopt(struct ctx *ctx, struct blob_new *b)
{
    bool done;
    if (b->check_expected) {
        TRY(adopt_known(ctx, b, &done));
        if (done)
            return RC_OK;
    }
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    size_t got;
    const size_t piece = 256 * 1024;
    char *p = arena_alloc(ctx->arena, piece);
    TRY(reader_file(ctx, b->path, &r));
    for (;;) {
        TRY(ctx_check(ctx));
        TRY(reader_read(ctx, r, p, piece, &got));
        if (got == 0)
            break;
        hash_update(&b->state, p, got);
        b->size += got;
        if (b->size <= BLOB_INLINE_MAX)
            buf_add_bytes(&b->memory, p, got);
    }
    if (b->size > BLOB_INLINE_MAX)
        buf_free(&b->memory);
    return finish(ctx, b);
}

int blob_adopt_file(struct ctx *ctx, struct blob_store *s, const char *path, const struct hash *hash, struct blob_new **out)
{
    struct blob_new *b;
    TRY(blob_begin(ctx, s, UINT64_MAX, hash, &b));
    b->adopted = true;
    b->path = mem_cstr(path);
    int rc = adopt(ctx, b);
    if (rc != RC_OK) {
        blob_new_close(b);
        return rc;
    }
    *out = b;
    return RC_OK;
}

static bool in_memory(const struct blob_new *b) { return b->size <= BLOB_INLINE_MAX; }

struct hash blob_new_hash(const struct blob_new *b) { return b->hash; }
uint64_t blob_new_size(const struct blob_new *b) { return b->size; }

int blob_new_open(struct ctx *ctx, struct blob_new *b, struct reader **out)
{
    if (!in_memory(b))
        return reader_file(ctx, b->path, out);
    *out = reader_mem(buf_str(&b->memory));
    return RC_OK;
}

int blob_new_path(struct ctx *ctx, struct blob_new *b, const char **path_out)
{
    if (b->path) {
        *path_out = b->path;
        return RC_OK;
    }
    if (!b->copy_path) {
        CLEANUP(file_close) int fd = -1;
        b->copy_path = temp_path(b->store);
        TRY(file_create(ctx, b->copy_path, &fd));
        TRY(file_write(ctx, fd, b->memory.p, b->memory.n));
    }
    *path_out = b->copy_path;
    return RC_OK;
}

/* ---- durability of a batch ---- */

bool blob_disk_pending(const struct blob_store *s, struct hash h)
{
    for (const struct blob_new *b = s->pending; b; b = b->next)
        if (hash_eq(b->hash, h))
            return true;
    return false;
}

static void pending_add(struct blob_new *b)
{
    struct blob_store *s = b->store;
    pthread_mutex_lock(&s->lock);
    b->registered = true;
    b->next = s->pending;
    s->pending = b;
    pthread_mutex_unlock(&s->lock);
}

static void pending_remove(struct blob_new *b)
{
    struct blob_store *s = b->store;
    pthread_mutex_lock(&s->lock);
    struct blob_new **link = &s->pending;
    while (*link != b)
        link = &(*link)->next;
    *link = b->next;
    pthread_mutex_unlock(&s->lock);
}

/* Is the file of that hash there, whole? */
static bool named_already(struct ctx *ctx, const char *path, uint64_t size)
{
    CLEANUP(file_close) int fd = -1;
    uint64_t there = 0;
    bool same =
        file_exists(path) && file_open_read(ctx, path, &fd) == RC_OK && file_size(ctx, fd, &there) == RC_OK && there == size;
    err_clear(ctx);
    return same;
}

/* The folder of a file, made when it is the first in it. */
static int folder_create(struct ctx *ctx, const struct blob_store *s, const char *path)
{
    str folder = arena_str(ctx->arena, str_of(path, (size_t)(strrchr(path, '/') - path)));
    if (file_exists(folder.p))
        return RC_OK;
    TRY(dir_create(ctx, folder.p));
    return file_sync_dir(ctx, s->dir);
}

/* Gives the blob its name: by renaming, or by dropping its file when the same bytes are there already. Registered before the file
 * is looked for, so that the collector leaves that one alone. */
static int name_blob(struct ctx *ctx, struct blob_new *b, bool only_if_there)
{
    const char *final = blob_disk_path(ctx, b->store, b->hash);
    bool there = named_already(ctx, final, b->size);
    if (only_if_there && !there)
        return RC_OK;
    if (!there)
        TRY(folder_create(ctx, b->store, final));
    TRY(there ? file_remove(ctx, b->path) : file_rename(ctx, b->path, final));
    mem_free(b->path);
    b->path = mem_cstr(final);
    b->synced = true;
    return RC_OK;
}

/* One sync for all: of the file itself, or of the file system when there are many. */
static int sync_files(struct ctx *ctx, const struct blob_store *s, struct blob_new **list, size_t count)
{
    CLEANUP(file_close) int fd = -1;
    TRY(file_open_read(ctx, count == 1 ? list[0]->path : s->dir, &fd));
    return count == 1 ? file_sync(ctx, fd) : file_sync_fs(ctx, fd);
}

static int sync_folders(struct ctx *ctx, const struct blob_store *s, struct blob_new **list, size_t count)
{
    if (count > FEW_FOLDERS) {
        CLEANUP(file_close) int fd = -1;
        TRY(file_open_read(ctx, s->dir, &fd));
        return file_sync_fs(ctx, fd);
    }
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(list[i]->path, '/');
        str dir = arena_str(ctx->arena, str_of(list[i]->path, (size_t)(slash - list[i]->path)));
        TRY(file_sync_dir(ctx, dir.p));
    }
    return RC_OK;
}

/* The large ones of the list that are not named yet; the same bytes twice in the list are named one after the other. */
int blob_sync(struct ctx *ctx, struct blob_store *s, struct blob_new **list, size_t count)
{
    struct blob_new **large = arena_array(ctx->arena, struct blob_new *, count),
                    **fresh = arena_array(ctx->arena, struct blob_new *, count);
    size_t large_count = 0, fresh_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!list[i]->finished)
            return err_set(ctx, &ERR_INVALID, "bytes that are not finished cannot be stored");
        if (in_memory(list[i]))
            list[i]->synced = true;
        else if (!list[i]->synced)
            large[large_count++] = list[i];
    }
    for (size_t i = 0; i < large_count; i++) {
        if (!large[i]->registered) /* else a repetition after a failure */
            pending_add(large[i]);
        TRY(name_blob(ctx, large[i], true));
        if (!large[i]->synced)
            fresh[fresh_count++] = large[i];
    }
    if (fresh_count > 0)
        TRY(sync_files(ctx, s, fresh, fresh_count));
    for (size_t i = 0; i < fresh_count; i++)
        TRY(name_blob(ctx, fresh[i], false));
    return large_count > 0 ? sync_folders(ctx, s, large, large_count) : RC_OK;
}

int blob_attach(struct ctx *ctx, struct sql_tx *tx, const struct blob_new *b)
{
    bool inside = in_memory(b);
    if (!b->synced)
        return err_set(ctx, &ERR_INVALID, "bytes that are not synced cannot be made visible");
    TRY(sql_exec(ctx, tx,
                 "INSERT INTO blob (hash, size, touched, content) VALUES (?, ?, ?, ?) "
                 "ON CONFLICT (hash) DO UPDATE SET touched = excluded.touched",
                 SQL_HASH(b->hash), SQL_I(b->size), SQL_I(ctx_now(ctx)), inside ? SQL_B(buf_str(&b->memory)) : SQL_NONE));
    return inside ? RC_OK : sql_exec(ctx, tx, "DELETE FROM blob_gone WHERE hash = ?", SQL_HASH(b->hash));
}

int blob_reuse(struct ctx *ctx, struct sql_tx *tx, struct hash h)
{
    TRY(sql_exec(ctx, tx, "UPDATE blob SET touched = ? WHERE hash = ?", SQL_I(ctx_now(ctx)), SQL_HASH(h)));
    return sql_changes(tx) > 0 ? RC_OK : RC_NOT_FOUND;
}

void blob_new_close(struct blob_new *b)
{
    struct ctx ctx;
    if (!b)
        return;
    ctx_open(&ctx);
    close_file(b);
    int rc = RC_OK;
    if (b->registered) {
        pending_remove(b);
        rc = settle(&ctx, b->store, b->hash);
    }
    if (b->path && (in_memory(b) ? b->synced : !b->synced && !b->adopted))
        (void)file_remove(&ctx, b->path);
    if (b->copy_path)
        (void)file_remove(&ctx, b->copy_path);
    if (rc != RC_OK)
        atomic_store(&b->store->leftovers, true);
    ctx_close(&ctx);
    buf_free(&b->memory);
    mem_free(b->path);
    mem_free(b->copy_path);
    mem_free(b);
}
