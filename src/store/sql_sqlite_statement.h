/* What sql_sqlite.c and its cache of prepared statements share. Nobody else includes this. */
#ifndef MAPFERRY_STORE_SQL_SQLITE_STATEMENT_H
#define MAPFERRY_STORE_SQL_SQLITE_STATEMENT_H

#include "base/ctx.h"
#include <sqlite3.h>

enum {
    SQL_STATEMENTS_KEPT = 64, /* prepared statements kept by a connection */
    SQL_STATEMENT_WAYS = 8,   /* places where one text can be */
};

struct sql_statement {
    sqlite3_stmt *handle;
    char *text;
    uint64_t hash, last_used;
    bool busy;
    struct sql_statement *next; /* of the loose ones */
};
/* Of one connection; all zeros is an empty cache. */
struct sql_statements {
    struct sql_statement kept[SQL_STATEMENTS_KEPT];
    struct sql_statement *loose; /* prepared beside the cache: the same text is in use further out */
    uint64_t tick;
};

/* The statement of this text, prepared and unbound, the caller's until it is given back. */
int sql_statement_take(struct ctx *ctx, struct sql_statements *all, sqlite3 *handle, const char *text,
                       struct sql_statement **out);
void sql_statement_give(struct sql_statement *s); /* allowed twice */
/* At the end of a function: rows that an early return left open. */
void sql_statements_give_all(struct sql_statements *all);
void sql_statements_free(struct sql_statements *all);

/* Records what the engine says as one of our errors. handle may be NULL: the code alone tells. */
int sql_sqlite_fail(struct ctx *ctx, sqlite3 *handle, int code, const char *doing);

#endif
