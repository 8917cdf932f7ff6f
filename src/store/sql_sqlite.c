/* sql.h over SQLite: one writer connection whose commits are shared by the threads that wait for it, any number of readers.
 *
 * Group commit is flat combining: a caller of sql_write puts its function into a queue; whoever stands first leads, runs all that
 * wait, and that come meanwhile, inside one BEGIN IMMEDIATE ... COMMIT (each in a savepoint of its own) and hands every caller
 * its result after the one sync. Write-ahead log with synchronous=FULL, so that what was acknowledged survives power loss. The
 * only user of sqlite3.h for metadata. */
#include "store/sql_driver.h"
#include "store/sql_sqlite_statement.h"

#include "base/file.h"
#include "base/mem.h"
#include "store/sql_fault_vfs.h"
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

const struct err_kind ERR_SQL = {"sql", 500, 500, NULL, "The database refused a statement."};
const struct err_kind ERR_SQL_CONSTRAINT = {"sql_constraint", 409, 409, NULL, "The change contradicts what is stored."};

enum {
    IDLE_READERS = 16, /* reader connections kept open */
    BUSY_MS = 10000,   /* how long a foreign lock (a backup tool, say) is waited for */
    PROGRESS_STEPS = 20000,
};

struct connection {
    sqlite3 *handle;
    struct sql_statements statements;
    struct ctx *ctx;           /* whose work a reader does now */
    sqlite3_stmt *begin, *end; /* of a reader's snapshots */
    void *memory;              /* sql_tx_memory */
    size_t memory_size;
    struct connection *next;
};

struct sql {
    char *path;
    bool read_only;
    pthread_mutex_t lock; /* of the idle readers */
    struct connection *idle;
    unsigned idle_count;
    struct sql_queue queue;    /* of write transactions, with its own lock */
    struct connection *writer; /* of who leads the queue */
};

struct sql_tx {
    struct connection *c;
    int64_t changes;
};

static int run(struct ctx *ctx, sqlite3 *handle, const char *text)
{
    int code = sqlite3_exec(handle, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : sql_sqlite_fail(ctx, handle, code, text);
}

/* ---- connections ---- */

/* SQLite counts the memory that it uses, under one lock for all threads, unless it is told not to before its first use. Nobody
 * reads the count; when another library was first, it stays on and only costs time. */
static void engine_tune(void) { (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

static int connect_to(struct ctx *ctx, const char *path, int flags, sqlite3 **out)
{
    static pthread_once_t tuned = PTHREAD_ONCE_INIT;
    sqlite3 *handle = NULL;
    *out = NULL;
    pthread_once(&tuned, engine_tune);
    int code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, sql_fault_vfs());
    if (code != SQLITE_OK) {
        int rc = sql_sqlite_fail(ctx, handle, code, path);
        sqlite3_close(handle);
        return rc;
    }
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, BUSY_MS);
    *out = handle;
    return RC_OK;
}

static void memory_forget(struct connection *c)
{
    mem_free(c->memory);
    c->memory = NULL;
    c->memory_size = 0;
}

static void connection_close(struct connection *c)
{
    if (!c)
        return;
    memory_forget(c);
    sqlite3_finalize(c->begin);
    sqlite3_finalize(c->end);
    sql_statements_free(&c->statements);
    sqlite3_close(c->handle);
    mem_free(c);
}

static int stop_when_cancelled(void *arg)
{
    struct connection *c = arg;
    return c->ctx && ctx_check(c->ctx) != RC_OK;
}

/* What each read needs is prepared once. */
static int reader_prepare(struct ctx *ctx, struct connection *c)
{
    int code = sqlite3_prepare_v3(c->handle, "BEGIN", -1, SQLITE_PREPARE_PERSISTENT, &c->begin, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v3(c->handle, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT, &c->end, NULL);
    if (code != SQLITE_OK)
        return sql_sqlite_fail(ctx, c->handle, code, "preparing to read");
    /* a stopped statement would take the functions of others with it in the writer */
    sqlite3_progress_handler(c->handle, PROGRESS_STEPS, stop_when_cancelled, c);
    return RC_OK;
}

/* LIKE compares exactly, as it does in PostgreSQL; what is searched without case is stored folded. temp_store: what a statement
 * would undo if it failed is kept in memory; in a file, each row of a table with references costs writes of whole pages. */
static int connection_open(struct ctx *ctx, const struct sql *db, bool writer, struct connection **out)
{
    static const char *const setup[2] = {
        "PRAGMA query_only=ON; PRAGMA cache_size=-1024; PRAGMA case_sensitive_like=ON",
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192;"
        "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;"
        "PRAGMA case_sensitive_like=ON",
    };
    struct connection *c = mem_new(struct connection);
    int rc = connect_to(ctx, db->path, db->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, &c->handle);
    if (rc == RC_OK)
        rc = run(ctx, c->handle, setup[writer]);
    if (rc == RC_OK && !writer)
        rc = reader_prepare(ctx, c);
    if (rc != RC_OK) {
        connection_close(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

static int reader_take(struct ctx *ctx, struct sql *db, struct connection **out)
{
    pthread_mutex_lock(&db->lock);
    struct connection *c = db->idle;
    if (c) {
        db->idle = c->next;
        db->idle_count--;
    }
    pthread_mutex_unlock(&db->lock);
    if (!c)
        TRY(connection_open(ctx, db, false, &c));
    c->ctx = ctx;
    *out = c;
    return RC_OK;
}

static void reader_give(struct sql *db, struct connection *c)
{
    c->ctx = NULL;
    pthread_mutex_lock(&db->lock);
    bool keep = db->idle_count < IDLE_READERS;
    if (keep) {
        c->next = db->idle;
        db->idle = c;
        db->idle_count++;
    }
    pthread_mutex_unlock(&db->lock);
    if (!keep)
        connection_close(c);
}

/* ---- statements ---- */

static int bind_value(sqlite3_stmt *handle, int index, const struct sql_value *v, sqlite3_destructor_type keep)
{
    switch (v->kind) {
    case SQL_INT:
        return sqlite3_bind_int64(handle, index, v->i);
    case SQL_DOUBLE:
        return sqlite3_bind_double(handle, index, v->d);
    case SQL_TEXT:
        return sqlite3_bind_text64(handle, index, v->s.p, v->s.n, keep, SQLITE_UTF8);
    case SQL_BYTES: /* empty bytes are not NULL */
        return v->s.p && v->s.n == 0 ? sqlite3_bind_zeroblob(handle, index, 0)
                                     : sqlite3_bind_blob64(handle, index, v->s.p, v->s.n, keep);
    default:
        return sqlite3_bind_null(handle, index);
    }
}

static int bind_all(struct ctx *ctx, struct connection *c, struct sql_statement *s, const struct sql_value *values, size_t count,
                    sqlite3_destructor_type keep)
{
    int expected = sqlite3_bind_parameter_count(s->handle);
    if ((size_t)expected != count)
        return err_set(ctx, &ERR_SQL, "%d placeholders but %zu values: %s", expected, count, s->text);
    for (size_t i = 0; i < count; i++) {
        int code = bind_value(s->handle, (int)i + 1, &values[i], keep);
        if (code != SQLITE_OK)
            return sql_sqlite_fail(ctx, c->handle, code, s->text);
    }
    return RC_OK;
}

int sql_exec_n(struct ctx *ctx, struct sql_tx *tx, const char *text, const struct sql_value *values, size_t count)
{
    struct sql_statement *s;
    TRY(sql_statement_take(ctx, &tx->c->statements, tx->c->handle, text, &s));
    int rc = bind_all(ctx, tx->c, s, values, count, SQLITE_STATIC);
    int code = SQLITE_ROW;
    while (rc == RC_OK && code == SQLITE_ROW)
        code = sqlite3_step(s->handle);
    if (rc == RC_OK && code != SQLITE_DONE)
        rc = sql_sqlite_fail(ctx, tx->c->handle, code, text);
    tx->changes = sqlite3_changes64(tx->c->handle);
    sql_statement_give(s);
    return rc;
}

void *sql_tx_memory(struct sql_tx *tx, size_t size)
{
    struct connection *c = tx->c;
    if (c->memory_size != size) {
        memory_forget(c);
        c->memory = mem_alloc(size);
        c->memory_size = size;
    }
    return c->memory;
}

int64_t sql_changes(struct sql_tx *tx) { return tx->changes; }

int sql_query_n(struct ctx *ctx, struct sql_tx *tx, struct sql_rows *rows_out, const char *text, const struct sql_value *values,
                size_t count)
{
    struct sql_statement *s;
    *rows_out = (struct sql_rows){.tx = tx};
    TRY(sql_statement_take(ctx, &tx->c->statements, tx->c->handle, text, &s));
    int rc = bind_all(ctx, tx->c, s, values, count, SQLITE_TRANSIENT); /* rows are read after the caller's values are gone */
    if (rc != RC_OK) {
        sql_statement_give(s);
        return rc;
    }
    rows_out->statement = s;
    return RC_OK;
}

int sql_next(struct ctx *ctx, struct sql_rows *rows)
{
    struct sql_statement *s = rows->statement;
    if (!s)
        return RC_END;
    int code = sqlite3_step(s->handle);
    if (code == SQLITE_ROW)
        return RC_OK;
    int rc = code == SQLITE_DONE ? RC_END : sql_sqlite_fail(ctx, rows->tx->c->handle, code, s->text);
    sql_rows_close(rows);
    return rc;
}

void sql_rows_close(struct sql_rows *rows)
{
    if (rows->statement)
        sql_statement_give(rows->statement);
    rows->statement = NULL;
}

static sqlite3_stmt *row_of(const struct sql_rows *rows) { return ((struct sql_statement *)rows->statement)->handle; }

bool sql_is_null(const struct sql_rows *rows, int column) { return sqlite3_column_type(row_of(rows), column) == SQLITE_NULL; }
int64_t sql_int(const struct sql_rows *rows, int column) { return sqlite3_column_int64(row_of(rows), column); }
double sql_double(const struct sql_rows *rows, int column) { return sqlite3_column_double(row_of(rows), column); }

str sql_text(const struct sql_rows *rows, int column)
{
    /* as bytes: for a text the engine would copy it to put a NUL behind it, which slices do not need */
    const void *p = sqlite3_column_blob(row_of(rows), column);
    if (!p)
        return sql_is_null(rows, column) ? STR_NONE : STR("");
    return str_of(p, (size_t)sqlite3_column_bytes(row_of(rows), column));
}

str sql_bytes(const struct sql_rows *rows, int column)
{
    if (sql_is_null(rows, column))
        return STR_NONE;
    const void *p = sqlite3_column_blob(row_of(rows), column);
    return p ? str_of(p, (size_t)sqlite3_column_bytes(row_of(rows), column)) : STR("");
}

str sql_str(struct ctx *ctx, const struct sql_rows *rows, int column)
{
    str s = sql_text(rows, column);
    return str_empty(s) ? STR("") : arena_str(ctx->arena, s);
}

int sql_query_int(struct ctx *ctx, struct sql_tx *tx, int64_t *out, const char *text, const struct sql_value *values,
                  size_t count)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    TRY(sql_query_n(ctx, tx, &rows, text, values, count));
    TRY(sql_next(ctx, &rows));
    *out = sql_int(&rows, 0);
    return RC_OK;
}

/* ---- transactions ---- */

/* BEGIN and its kin, of the writer: prepared like other statements. */
static int control(struct ctx *ctx, struct connection *c, const char *text)
{
    struct sql_tx tx = {.c = c};
    return sql_exec(ctx, &tx, text);
}

/* One of a reader's two; the result of what it did. */
static int step_once(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

int sql_read(struct ctx *ctx, struct sql *db, sql_fn *fn, void *arg)
{
    struct connection *c;
    TRY(ctx_check(ctx));
    TRY(reader_take(ctx, db, &c));
    int code = step_once(c->begin);
    int rc = code == SQLITE_OK ? RC_OK : sql_sqlite_fail(ctx, c->handle, code, "BEGIN");
    if (rc == RC_OK) {
        struct sql_tx tx = {.c = c};
        rc = fn(ctx, &tx, arg);
        sql_statements_give_all(&c->statements);
        c->ctx = NULL;     /* ending the snapshot must not be stopped */
        step_once(c->end); /* fails when an error has ended the snapshot */
    }
    reader_give(db, c);
    return rc;
}

/* One function in a savepoint; `alone` spares it: the transaction itself is rolled back then. */
static void job_run(struct connection *c, struct sql_job *job, bool alone)
{
    struct sql_tx tx = {.c = c};
    job->rc = alone ? RC_OK : control(job->ctx, c, "SAVEPOINT job");
    if (job->rc != RC_OK)
        return;
    job->rc = job->fn(job->ctx, &tx, job->arg);
    sql_statements_give_all(&c->statements);
    if (alone || sqlite3_get_autocommit(c->handle)) /* a full disk ends the whole transaction: there is no savepoint left */
        return;
    if (job->rc != RC_OK)
        sqlite3_exec(c->handle, "ROLLBACK TO job", NULL, NULL, NULL);
    struct err before = job->ctx->err;
    int rc = control(job->ctx, c, "RELEASE job");
    if (job->rc != RC_OK)
        job->ctx->err = before;
    else
        job->rc = rc;
}

/* Gives every function that had succeeded the reason why its work is lost after all. */
static void batch_fail(struct sql_job *batch, const struct ctx *cause, int rc)
{
    for (struct sql_job *job = batch; job; job = job->next) {
        if (job->rc != RC_OK)
            continue;
        job->rc = rc;
        job->ctx->err = cause->err;
    }
}

/* The functions of the batch, and of those who come while they run: the more share one commit, the fewer syncs there are. */
static int batch_run(struct ctx *cause, struct sql *db, struct sql_job *batch)
{
    struct connection *c = db->writer;
    TRY(control(cause, c, "BEGIN IMMEDIATE"));
    unsigned succeeded = 0;
    bool lone = batch->next == NULL;
    for (struct sql_job *job = batch; job; job = job->next) {
        job_run(c, job, lone);
        if (job->rc != RC_OK)
            memory_forget(c);
        succeeded += job->rc == RC_OK;
        if (sqlite3_get_autocommit(c->handle)) {
            if (job->rc == RC_OK) /* the function swallowed the failure of a statement */
                return err_set(cause, &ERR_SQL, "the database ended the transaction");
            cause->err = job->ctx->err;
            return job->rc;
        }
        if (lone && job->rc != RC_OK)
            return RC_END;
        lone = false;
        if (!job->next)
            sql_queue_more(&db->queue, job);
    }
    return succeeded > 0 ? control(cause, c, "COMMIT") : RC_END;
}

/* Leads: the jobs of the batch have their rc afterwards. */
static void batch_lead(void *arg, struct sql_job *batch)
{
    struct sql *db = arg;
    struct ctx cause;
    ctx_child(&cause, batch->ctx);
    int rc = batch_run(&cause, db, batch);
    if (!sqlite3_get_autocommit(db->writer->handle))
        sqlite3_exec(db->writer->handle, "ROLLBACK", NULL, NULL, NULL);
    if (rc != RC_OK)
        memory_forget(db->writer);
    if (rc != RC_OK && rc != RC_END)
        batch_fail(batch, &cause, rc);
    ctx_close(&cause);
}

int sql_write(struct ctx *ctx, struct sql *db, sql_fn *fn, void *arg)
{
    struct sql_job job = {.ctx = ctx, .fn = fn, .arg = arg};
    TRY(ctx_check(ctx));
    if (db->read_only)
        return err_set(ctx, &ERR_UNSUPPORTED, "%s is open for reading only", db->path);
    sql_queue_run(&db->queue, &job);
    return job.rc;
}

/* ---- migrations and copies ---- */

const char *sql_engine_text(struct ctx *ctx, str statement)
{
    str clustered = STR("/* clustered */");
    if (!str_ends(statement, clustered))
        return arena_cstr(ctx->arena, statement);
    return arena_printf(ctx->arena, "%.*sWITHOUT ROWID", STR_FMT(str_sub(statement, 0, statement.n - clustered.n))).p;
}

static int copy_pages(struct ctx *ctx, sqlite3 *from, const char *path)
{
    sqlite3 *to;
    TRY(connect_to(ctx, path, SQLITE_OPEN_READWRITE, &to));
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    if (copy)
        sqlite3_backup_step(copy, -1);
    int code = copy ? sqlite3_backup_finish(copy) : sqlite3_errcode(to);
    int rc = code == SQLITE_OK ? RC_OK : sql_sqlite_fail(ctx, to, code, "copying the database");
    sqlite3_close(to);
    return rc;
}

int sql_copy(struct ctx *ctx, struct sql *db, const char *suffix)
{
    const char *slash = strrchr(db->path, '/');
    str dir = slash ? arena_str(ctx->arena, str_of(db->path, (size_t)(slash - db->path) + 1)) : STR(".");
    str copy = arena_printf(ctx->arena, "%s%s", db->path, suffix), part = arena_printf(ctx->arena, "%s.part", copy.p);
    CLEANUP(file_close) int fd = -1;
    TRY(file_remove(ctx, part.p));
    TRY(file_create(ctx, part.p, &fd));
    TRY(copy_pages(ctx, db->writer->handle, part.p));
    TRY(file_sync(ctx, fd));
    TRY(file_rename(ctx, part.p, copy.p));
    return file_sync_dir(ctx, dir.p);
}

/* ---- opening ---- */

static int path_of_url(struct ctx *ctx, const char *url, const char **out)
{
    str prefix = STR("sqlite:");
    if (!str_starts(str_c(url), prefix) || url[prefix.n] == 0)
        return err_set(ctx, &ERR_INVALID, "database \"%s\": expected sqlite:/path/to/file", url);
    *out = url + prefix.n;
    return RC_OK;
}

static struct sql *sql_new(const char *path, bool read_only)
{
    struct sql *db = mem_new(struct sql);
    db->path = mem_cstr(path);
    db->read_only = read_only;
    pthread_mutex_init(&db->lock, NULL);
    sql_queue_open(&db->queue, batch_lead, db);
    return db;
}

static int open_writer(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations, size_t count)
{
    if (!file_exists(db->path)) { /* so that nobody else can read it; the log gets the same mode */
        CLEANUP(file_close) int fd = -1;
        TRY(file_create(ctx, db->path, &fd));
    }
    TRY(connection_open(ctx, db, true, &db->writer));
    return sql_migrate(ctx, db, migrations, count);
}

int sql_open(struct ctx *ctx, const char *url, const struct sql_migration *migrations, size_t count, struct sql **out)
{
    const char *path = NULL;
    *out = NULL;
    TRY(path_of_url(ctx, url, &path));
    struct sql *db = sql_new(path, false);
    int rc = open_writer(ctx, db, migrations, count);
    if (rc != RC_OK) {
        sql_close(db);
        return rc;
    }
    *out = db;
    return RC_OK;
}

int sql_open_current(struct ctx *ctx, const char *url, const struct sql_migration *migrations, size_t count, struct sql **out)
{
    const char *path = NULL;
    *out = NULL;
    TRY(path_of_url(ctx, url, &path));
    if (!file_exists(path))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "there is no database %s", path);
    struct sql *db = sql_new(path, false);
    int rc = sql_schema_check(ctx, db, migrations, count);
    if (rc == RC_OK)
        rc = connection_open(ctx, db, true, &db->writer);
    if (rc != RC_OK) {
        sql_close(db);
        return rc;
    }
    *out = db;
    return RC_OK;
}

int sql_open_existing(struct ctx *ctx, const char *url, struct sql **out)
{
    const char *path = NULL;
    struct connection *c;
    *out = NULL;
    TRY(path_of_url(ctx, url, &path));
    if (!file_exists(path))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "there is no database %s", path);
    struct sql *db = sql_new(path, true);
    int rc = reader_take(ctx, db, &c);
    if (rc != RC_OK) {
        sql_close(db);
        return rc;
    }
    reader_give(db, c);
    *out = db;
    return RC_OK;
}

void sql_close(struct sql *db)
{
    if (!db)
        return;
    while (db->idle) {
        struct connection *c = db->idle;
        db->idle = c->next;
        connection_close(c);
    }
    connection_close(db->writer);
    sql_queue_close(&db->queue);
    pthread_mutex_destroy(&db->lock);
    mem_free(db->path);
    mem_free(db);
}

bool sql_read_only(const struct sql *db) { return db->read_only; }

/* ---- checking ---- */

struct check_report {
    void (*report)(void *arg, const char *line);
    void *arg;
};

static int check_row(void *arg, int count, char **values, char **names)
{
    struct check_report *r = arg;
    char line[256];
    (void)names;
    if (count == 1 && values[0] && strcmp(values[0], "ok") == 0)
        return 0;
    int n = snprintf(line, sizeof line, "database: %s%s",
                     count == 1 ? "" : "reference without its row: ", values[0] ? values[0] : "");
    if (count > 2 && n > 0 && (size_t)n < sizeof line)
        snprintf(line + n, sizeof line - (size_t)n, " to %s", values[2] ? values[2] : "");
    r->report(r->arg, line);
    return 0;
}

int sql_check(struct ctx *ctx, struct sql *db, void (*report)(void *arg, const char *line), void *arg)
{
    static const char *const checks[] = {"PRAGMA integrity_check", "PRAGMA foreign_key_check"};
    struct check_report r = {.report = report, .arg = arg};
    struct connection *c;
    int code = SQLITE_OK;
    TRY(reader_take(ctx, db, &c));
    for (size_t i = 0; i < COUNT_OF(checks) && code == SQLITE_OK; i++)
        code = sqlite3_exec(c->handle, checks[i], check_row, &r, NULL);
    int rc = code == SQLITE_OK ? RC_OK : sql_sqlite_fail(ctx, c->handle, code, "integrity check");
    reader_give(db, c);
    return rc;
}
