/* A data set as a file for a package: the rows and nothing else, so that equal rows give equal bytes. The file is built in one go
 * without index or free page, and what SQLite counts in the header is set to fixed numbers at the end. */
#include "base/file.h"
#include "store/feature_gpkg.h"

/* Offsets in SQLite's file header: change counter, and the counter for which the file's size in the header holds; the library's
 * version. */
enum { CHANGE_COUNTER = 24, VALID_FOR = 92, LIBRARY_VERSION = 96 };

static int copy_layer(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l)
{
    TRY(ctx_check(ctx));
    TRY(gpkg_schema_add_layer(ctx, c, l, true));
    str to = gpkg_quoted(ctx, gpkg_table(ctx, l, true)), from = gpkg_quoted(ctx, gpkg_table(ctx, l, false));
    CLEANUP(buf_free) struct buf columns = BUF_INIT(GPKG_SQL_MAX);
    gpkg_add_columns(ctx, &columns, l);
    TRY(buf_check(&columns, ctx, "the columns of a table"));
    return gpkg_execf(ctx, c, "INSERT INTO main.%.*s SELECT %.*s FROM source.%.*s", STR_FMT(to), STR_FMT(buf_str(&columns)),
                      STR_FMT(from));
}

static int copy_layers(struct ctx *ctx, struct gpkg_conn *c, const char *source, const struct service *def)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_exec(ctx, c, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"));
    TRY(gpkg_execf(ctx, c, "PRAGMA page_size=%d", GPKG_PAGE_SIZE));
    TRY(gpkg_prepare(ctx, c, STR("ATTACH ? AS source"), &stmt));
    int rc = gpkg_bind_text(ctx, c, stmt, 1, str_c(source));
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    gpkg_release(c, stmt);
    if (rc != RC_END)
        return rc;
    TRY(gpkg_exec(ctx, c, "BEGIN"));
    TRY(gpkg_schema_begin(ctx, c));
    for (size_t i = 0; i < def->layer_count; i++)
        TRY(copy_layer(ctx, c, &def->layers[i]));
    return gpkg_exec(ctx, c, "COMMIT");
}

static void put32(struct buf *b, uint32_t v)
{
    v = __builtin_bswap32(v);
    buf_add_bytes(b, &v, sizeof v);
}

static int fix_header(struct ctx *ctx, int fd)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(16);
    put32(&b, 1);
    put32(&b, 1);
    put32(&b, (uint32_t)sqlite3_libversion_number());
    TRY(file_pwrite(ctx, fd, b.p, 4, CHANGE_COUNTER));
    return file_pwrite(ctx, fd, b.p + 4, 8, VALID_FOR);
}

static int write_file(struct ctx *ctx, const struct gpkg_set *set, const struct service *def, const char *path)
{
    CLEANUP(file_close) int fd = -1;
    TRY(file_create(ctx, path, &fd));
    struct gpkg_conn *c = NULL;
    TRY(gpkg_conn_open(ctx, path, SQLITE_OPEN_READWRITE, &c));
    int rc = copy_layers(ctx, c, set->path, def);
    gpkg_conn_close(c);
    return rc != RC_OK ? rc : fix_header(ctx, fd);
}

int feature_write_package(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *def, const char *path)
{
    struct gpkg_set *set = NULL;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = file_exists(path) ? err_set(ctx, &ERR_INVALID, "%s exists already", path) : write_file(ctx, set, def, path);
    gpkg_set_give(fs, set);
    return rc;
}
