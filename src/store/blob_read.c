/* Reading from the content store. */
#include "store/blob_disk.h"

#include "base/file.h"
#include "base/mem.h"
#include <stdio.h>

/* What the row of a blob says. */
struct found {
    struct hash hash;
    bool want_content;
    uint64_t size;
    str content; /* STR_NONE: the bytes are a file */
};

static int found_read(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct found *f = arg;
    CLEANUP(sql_rows_close) struct sql_rows rows;
    const char *text = f->want_content ? "SELECT size, content FROM blob WHERE hash = ?" : "SELECT size FROM blob WHERE hash = ?";
    TRY(sql_query(ctx, tx, &rows, text, SQL_HASH(f->hash)));
    int rc = sql_next(ctx, &rows);
    if (rc != RC_OK)
        return rc == RC_END ? RC_NOT_FOUND : rc;
    f->size = (uint64_t)sql_int(&rows, 0);
    f->content = STR_NONE;
    if (f->want_content && !sql_is_null(&rows, 1))
        f->content = arena_str(ctx->arena, sql_bytes(&rows, 1));
    return RC_OK;
}

/* RC_NOT_FOUND with ERR_MISSING when there is no such blob. */
static int find(struct ctx *ctx, struct blob_store *s, struct hash h, bool want_content, struct found *out)
{
    char hex[HASH_HEX + 1];
    *out = (struct found){.hash = h, .want_content = want_content};
    int rc = sql_read(ctx, s->db, found_read, out);
    if (rc != RC_NOT_FOUND)
        return rc;
    hash_hex(h, hex);
    return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "there is no content %s", hex);
}

/* The row is there, so the file has to be. */
static int open_file(struct ctx *ctx, struct blob_store *s, const struct found *f, int *fd_out)
{
    int rc = file_open_read(ctx, blob_disk_path(ctx, s, f->hash), fd_out);
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(ctx);
    return err_set(ctx, &ERR_CORRUPT, "the file %s is missing", blob_disk_path(ctx, s, f->hash));
}

int blob_exists(struct ctx *ctx, struct blob_store *s, struct hash h, bool *out)
{
    struct found f = {.hash = h};
    int rc = sql_read(ctx, s->db, found_read, &f);
    *out = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int blob_known(struct ctx *ctx, struct sql_tx *tx, struct hash h, bool *out)
{
    struct found f = {.hash = h};
    int rc = found_read(ctx, tx, &f);
    *out = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int blob_size(struct ctx *ctx, struct blob_store *s, struct hash h, uint64_t *out)
{
    struct found f;
    TRY(find(ctx, s, h, false, &f));
    *out = f.size;
    return RC_OK;
}

int blob_open(struct ctx *ctx, struct blob_store *s, struct hash h, struct reader **out)
{
    return blob_open_range(ctx, s, h, 0, UINT64_MAX, out);
}

int blob_open_range(struct ctx *ctx, struct blob_store *s, struct hash h, uint64_t offset, uint64_t length, struct reader **out)
{
    struct found f;
    int fd;
    *out = NULL;
    TRY(find(ctx, s, h, true, &f));
    if (offset > f.size)
        offset = f.size;
    if (length > f.size - offset)
        length = f.size - offset;
    if (!str_none(f.content)) {
        *out = reader_mem(str_sub(f.content, (size_t)offset, (size_t)(offset + length)));
        return RC_OK;
    }
    TRY(open_file(ctx, s, &f, &fd));
    *out = reader_fd(fd, offset, length, true);
    return RC_OK;
}

int blob_open_fd(struct ctx *ctx, struct blob_store *s, struct hash h, int *fd_out, str *inline_out, uint64_t *size_out)
{
    struct found f;
    *fd_out = -1;
    TRY(find(ctx, s, h, true, &f));
    *size_out = f.size;
    *inline_out = f.content;
    return str_none(f.content) ? open_file(ctx, s, &f, fd_out) : RC_OK;
}

static int spool(struct ctx *ctx, const char *path, str bytes)
{
    CLEANUP(file_close) int fd = -1;
    TRY(file_create(ctx, path, &fd));
    return file_write(ctx, fd, bytes.p, bytes.n);
}

int blob_path(struct ctx *ctx, struct blob_store *s, struct hash h, str *path_out, bool *remove_out)
{
    struct found f;
    TRY(find(ctx, s, h, true, &f));
    *remove_out = !str_none(f.content);
    if (!*remove_out) {
        *path_out = str_c(blob_disk_path(ctx, s, h));
        return RC_OK;
    }
    *path_out = arena_printf(ctx->arena, "%s/%llu", s->temp_dir, (unsigned long long)atomic_fetch_add(&s->next_temp, 1));
    int rc = spool(ctx, path_out->p, f.content);
    if (rc != RC_OK)
        (void)file_remove(ctx, path_out->p);
    return rc;
}
