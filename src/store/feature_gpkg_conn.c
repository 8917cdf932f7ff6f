/* Connections to GeoPackage files: opening, cached statements, errors of SQLite as errors of the program. */
#include "base/mem.h"
#include "store/feature_gpkg.h"
#include "store/sql_fault_vfs.h"
#include <stdarg.h>

enum { PROGRESS_STEPS = 20000, BUSY_MS = 5000 };

/* Stops a statement whose context is cancelled or late; gpkg_fail then records that as the cause. */
static int on_progress(void *arg)
{
    struct gpkg_conn *c = arg;
    return c->ctx && ctx_check(c->ctx) != RC_OK;
}

static const char *const CONN_SETUP =
    "PRAGMA synchronous=FULL; PRAGMA cache_size=-2048; PRAGMA case_sensitive_like=ON; PRAGMA secure_delete=OFF;"
    "PRAGMA journal_size_limit=67108864";

int gpkg_conn_open(struct ctx *ctx, const char *path, int flags, struct gpkg_conn **out)
{
    struct gpkg_conn *c = mem_new(struct gpkg_conn);
    *out = NULL;
    int code = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, sql_fault_vfs());
    int rc = code == SQLITE_OK ? RC_OK : gpkg_fail(ctx, c->db, "opening a GeoPackage");
    if (rc == RC_OK) {
        sqlite3_busy_timeout(c->db, BUSY_MS);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        sqlite3_progress_handler(c->db, PROGRESS_STEPS, on_progress, c);
        rc = gpkg_exec(ctx, c, CONN_SETUP);
    }
    if (rc == RC_OK)
        rc = gpkg_functions_add(ctx, c);
    if (rc != RC_OK)
        gpkg_conn_close(c);
    else
        *out = c;
    return rc;
}

void gpkg_conn_close(struct gpkg_conn *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < COUNT_OF(c->cache); i++) {
        sqlite3_finalize(c->cache[i].stmt);
        mem_free(c->cache[i].text);
    }
    sqlite3_close(c->db);
    mem_free(c);
}

/* What a primary result code of SQLite means to callers. */
static const struct {
    int code, rc;
    const struct err_kind *kind;
} CODES[] = {
    {SQLITE_BUSY, RC_BUSY, &ERR_BUSY},        {SQLITE_LOCKED, RC_BUSY, &ERR_BUSY},    {SQLITE_FULL, RC_FAIL, &ERR_NO_SPACE},
    {SQLITE_CORRUPT, RC_FAIL, &ERR_CORRUPT},  {SQLITE_NOTADB, RC_FAIL, &ERR_CORRUPT}, {SQLITE_CONSTRAINT, RC_FAIL, &ERR_INVALID},
    {SQLITE_MISMATCH, RC_FAIL, &ERR_INVALID}, {SQLITE_RANGE, RC_FAIL, &ERR_INVALID},  {SQLITE_TOOBIG, RC_FAIL, &ERR_LIMIT},
    {SQLITE_ERROR, RC_FAIL, &ERR_INVALID}, /* what a query's functions refuse: abs() of the least integer, too long a pattern */
};

int gpkg_fail(struct ctx *ctx, sqlite3 *db, const char *doing)
{
    int code = sqlite3_errcode(db) & 0xff;
    if (code == SQLITE_INTERRUPT && ctx_check(ctx) != RC_OK)
        return RC_CANCELED;
    const struct err_kind *kind = &ERR_IO;
    int rc = RC_FAIL;
    for (size_t i = 0; i < COUNT_OF(CODES); i++) {
        if (CODES[i].code == code) {
            kind = CODES[i].kind;
            rc = CODES[i].rc;
        }
    }
    const char *text = sqlite3_errmsg(db), *column = strrchr(text, '.');
    if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_UNIQUE && column) /* UNIQUE constraint failed: l0.code */
        return err_set(ctx, kind, "Field '%s': the value has to be unique, and another row has it.", column + 1);
    return err_set_rc(ctx, rc, kind, "%s: %s", doing, text);
}

int gpkg_exec(struct ctx *ctx, struct gpkg_conn *c, const char *sql)
{
    c->ctx = ctx;
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : gpkg_fail(ctx, c->db, "features");
}

void gpkg_roll_back(struct gpkg_conn *c)
{
    c->ctx = NULL; /* not cancelled */
    if (!sqlite3_get_autocommit(c->db))
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
}

int gpkg_execf(struct ctx *ctx, struct gpkg_conn *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str sql = arena_vprintf(ctx->arena, fmt, args);
    va_end(args);
    return gpkg_exec(ctx, c, sql.p);
}

/* The slot of that text when it is idle, else the one to use for it: empty, or the longest unused; NULL when all are busy. */
static struct gpkg_statement *find_slot(struct gpkg_conn *c, str sql)
{
    struct gpkg_statement *best = NULL;
    for (size_t i = 0; i < COUNT_OF(c->cache); i++) {
        struct gpkg_statement *s = &c->cache[i];
        if (s->busy)
            continue;
        if (s->text && str_eq(str_c(s->text), sql))
            return s;
        if (!best || s->used < best->used)
            best = s;
    }
    return best;
}

int gpkg_prepare(struct ctx *ctx, struct gpkg_conn *c, str sql, sqlite3_stmt **out)
{
    c->ctx = ctx;
    *out = NULL;
    struct gpkg_statement *s = find_slot(c, sql);
    if (!s)
        return err_set(ctx, &ERR_LIMIT, "more than %d statements at once on one connection", GPKG_STATEMENTS);
    if (!s->text || !str_eq(str_c(s->text), sql)) {
        sqlite3_finalize(s->stmt);
        mem_free(s->text);
        s->stmt = NULL;
        s->text = NULL;
        if (sqlite3_prepare_v3(c->db, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL) != SQLITE_OK)
            return gpkg_fail(ctx, c->db, "features");
        s->text = mem_alloc(sql.n + 1);
        memcpy(s->text, sql.p, sql.n);
    }
    s->busy = true;
    s->used = ++c->tick;
    *out = s->stmt;
    return RC_OK;
}

void gpkg_release(struct gpkg_conn *c, sqlite3_stmt *stmt)
{
    for (size_t i = 0; stmt && i < COUNT_OF(c->cache); i++) {
        if (c->cache[i].stmt == stmt) {
            sqlite3_reset(stmt);
            sqlite3_clear_bindings(stmt);
            c->cache[i].busy = false;
        }
    }
}

int gpkg_step(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt)
{
    c->ctx = ctx;
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        return RC_OK;
    return code == SQLITE_DONE ? RC_END : gpkg_fail(ctx, c->db, "features");
}

int gpkg_bind_text(struct ctx *ctx, struct gpkg_conn *c, sqlite3_stmt *stmt, int index, str s)
{
    int code = sqlite3_bind_text64(stmt, index, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
    return code == SQLITE_OK ? RC_OK : gpkg_fail(ctx, c->db, "features");
}

int gpkg_query_int(struct ctx *ctx, struct gpkg_conn *c, str sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, sql, &stmt));
    int rc = gpkg_step(ctx, c, stmt);
    if (rc == RC_OK)
        *out = sqlite3_column_int64(stmt, 0);
    gpkg_release(c, stmt);
    return rc;
}
