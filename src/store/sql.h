/* The border between the program and its metadata database. Queries are written once, in the SQL that SQLite and PostgreSQL
 * share: `?` placeholders, TEXT, BIGINT, BYTEA, DOUBLE PRECISION, ON CONFLICT … DO UPDATE, RETURNING, LIMIT/OFFSET, CAST.
 *
 * Transactions: sql_read sees one snapshot and cannot write; sql_write is serial, durable when it returns (group commit:
 * functions of several threads share one sync), and rolled back when the function returns anything but RC_OK. The function may be
 * run more than once, so it has no effects outside the database. There is no upgrade from read to write, and no nesting. */
#ifndef MAPFERRY_STORE_SQL_H
#define MAPFERRY_STORE_SQL_H

#include "base/ctx.h"

struct sql;
struct sql_tx;

/* One migration: statements separated by ";\n". Numbered from 1, never changed after a release. Two words have an engine's
 * meaning beyond the shared one. A column INTEGER PRIMARY KEY (32 bits) is the place of the row where an engine has such a thing.
 * The word "clustered" as a comment after the last parenthesis of CREATE TABLE asks for rows that are kept once, in the order of
 * the primary key, instead of a table and its index; an engine that has no such tables ignores it. */
struct sql_migration {
    int number;
    const char *name;
    const char *statements;
};
/* Opens (creating when missing) the database of that URL ("sqlite:/path/file.db"), brings it to the newest migration, with a copy
 * of the database beside it ("file.db.before-<n>") before each migration of an existing one. A database with a newer schema is
 * refused: ERR_UNSUPPORTED naming both numbers. */
int sql_open(struct ctx *ctx, const char *url, const struct sql_migration *migrations, size_t count, struct sql **out);
/* Opens an existing database for reading only, without migrating (mapferry check on a running portal). */
int sql_open_existing(struct ctx *ctx, const char *url, struct sql **out);
/* Opens an existing database for writing, beside a program that may have it open too, and migrates nothing: ERR_UNSUPPORTED when
 * its schema is not the newest of these. */
int sql_open_current(struct ctx *ctx, const char *url, const struct sql_migration *migrations, size_t count, struct sql **out);
void sql_close(struct sql *db);
/* Was it opened by sql_open_existing? */
bool sql_read_only(const struct sql *db);

typedef int sql_fn(struct ctx *ctx, struct sql_tx *tx, void *arg);
/* Runs the function on a snapshot (read) or serially (write); its rc is theirs. See above. */
int sql_read(struct ctx *ctx, struct sql *db, sql_fn *fn, void *arg);
int sql_write(struct ctx *ctx, struct sql *db, sql_fn *fn, void *arg);

enum sql_kind { SQL_NULL, SQL_INT, SQL_DOUBLE, SQL_TEXT, SQL_BYTES };
struct sql_value {
    enum sql_kind kind;
    int64_t i;
    double d;
    str s; /* STR_NONE binds NULL */
};
#define SQL_I(v) ((struct sql_value){.kind = SQL_INT, .i = (int64_t)(v)})
#define SQL_D(v) ((struct sql_value){.kind = SQL_DOUBLE, .d = (v)})
#define SQL_S(v) ((struct sql_value){.kind = SQL_TEXT, .s = (v)})
#define SQL_ID(v) ((struct sql_value){.kind = SQL_TEXT, .s = id_str(&(v))})
#define SQL_B(v) ((struct sql_value){.kind = SQL_BYTES, .s = (v)})
#define SQL_HASH(h) ((struct sql_value){.kind = SQL_BYTES, .s = {(const char *)(h).bytes, HASH_SIZE}})
#define SQL_NONE ((struct sql_value){.kind = SQL_NULL})

/* Statements are prepared once per connection and text, and cached; pass string literals or texts built from tables,
 * never values. A constraint that fails is RC_FAIL with ERR_SQL_CONSTRAINT. */
int sql_exec_n(struct ctx *ctx, struct sql_tx *tx, const char *text, const struct sql_value *values, size_t count);
#define sql_exec(ctx, tx, text, ...)                                                                                             \
    sql_exec_n((ctx), (tx), (text), (const struct sql_value[]){SQL_NONE, ##__VA_ARGS__} + 1,                                     \
               sizeof((const struct sql_value[]){SQL_NONE, ##__VA_ARGS__}) / sizeof(struct sql_value) - 1)
/* Zeroed memory of the connection, `size` bytes, the same at each call with this size: for what a write learned about rows that
 * never change, and later writes need not ask again. It is gone when any write is rolled back, whoever's it was. */
void *sql_tx_memory(struct sql_tx *tx, size_t size);
/* Rows changed by the last sql_exec of this transaction. */
int64_t sql_changes(struct sql_tx *tx);

struct sql_rows {
    void *statement; /* the driver's */
    struct sql_tx *tx;
};
int sql_query_n(struct ctx *ctx, struct sql_tx *tx, struct sql_rows *rows_out, const char *text, const struct sql_value *values,
                size_t count);
#define sql_query(ctx, tx, rows, text, ...)                                                                                      \
    sql_query_n((ctx), (tx), (rows), (text), (const struct sql_value[]){SQL_NONE, ##__VA_ARGS__} + 1,                            \
                sizeof((const struct sql_value[]){SQL_NONE, ##__VA_ARGS__}) / sizeof(struct sql_value) - 1)
/* RC_OK with a row, RC_END without (the rows are closed then). */
int sql_next(struct ctx *ctx, struct sql_rows *rows);
void sql_rows_close(struct sql_rows *rows); /* for CLEANUP; allowed twice */
/* Columns from 0. sql_text and sql_bytes point into the row, valid until the next call; sql_str copies into the context's arena.
 */
bool sql_is_null(const struct sql_rows *rows, int column);
int64_t sql_int(const struct sql_rows *rows, int column);
double sql_double(const struct sql_rows *rows, int column);
str sql_text(const struct sql_rows *rows, int column); /* STR_NONE for NULL */
str sql_bytes(const struct sql_rows *rows, int column);
str sql_str(struct ctx *ctx, const struct sql_rows *rows, int column); /* "" for NULL */
/* One row or nothing: RC_OK, RC_END. */
int sql_query_int(struct ctx *ctx, struct sql_tx *tx, int64_t *out, const char *text, const struct sql_value *values,
                  size_t count);

extern const struct err_kind ERR_SQL_CONSTRAINT, ERR_SQL;

/* Whole-database integrity check of the engine; findings through report, one line each. */
int sql_check(struct ctx *ctx, struct sql *db, void (*report)(void *arg, const char *line), void *arg);

#endif
