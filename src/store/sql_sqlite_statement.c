/* Prepared statements of a connection, found again by their texts, and the engine's errors in our words. */
#include "store/sql_sqlite_statement.h"

#include "base/mem.h"
#include "store/sql.h"
#include <errno.h>

int sql_sqlite_fail(struct ctx *ctx, sqlite3 *handle, int code, const char *doing)
{
    const char *text = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    bool full = code == SQLITE_FULL || (handle && (code & 0xff) == SQLITE_IOERR && sqlite3_system_errno(handle) == ENOSPC);
    if (full)
        return err_set(ctx, &ERR_NO_SPACE, "database, %s: %s", doing, text);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set_rc(ctx, RC_BUSY, &ERR_BUSY, "database, %s: %s", doing, text);
    case SQLITE_INTERRUPT:
        return err_set_rc(ctx, RC_CANCELED, &ERR_CANCELED, "database, %s: stopped", doing);
    case SQLITE_CONSTRAINT:
        return err_set(ctx, &ERR_SQL_CONSTRAINT, "%s", text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(ctx, &ERR_CORRUPT, "database, %s: %s", doing, text);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return err_set(ctx, &ERR_IO, "database, %s: %s", doing, text);
    case SQLITE_TOOBIG:
        return err_set(ctx, &ERR_LIMIT, "database, %s: %s", doing, text);
    default:
        return err_set(ctx, &ERR_SQL, "%s: %s", doing, text);
    }
}

/* ---- statements ---- */

static void statement_free(struct sql_statement *s)
{
    sqlite3_finalize(s->handle);
    mem_free(s->text);
    *s = (struct sql_statement){0};
}

/* FNV-1a, of eight bytes at a time: texts are long, and this runs for each row. */
static uint64_t text_hash(const char *text)
{
    uint64_t h = 14695981039346656037u, piece;
    size_t n = strlen(text), i = 0;
    for (; i + sizeof piece <= n; i += sizeof piece) {
        memcpy(&piece, text + i, sizeof piece);
        h = (h ^ piece) * 1099511628211u;
        h ^= h >> 32;
    }
    for (; i < n; i++)
        h = (h ^ (uint8_t)text[i]) * 1099511628211u;
    return h ^ h >> 32;
}

static bool is_of(const struct sql_statement *s, const char *text, uint64_t hash)
{
    return s->handle && s->hash == hash && strcmp(s->text, text) == 0;
}

/* The slot of this text, or the one to be replaced: an empty or the longest unused one. NULL when all are in use. A text has few
 * places where it can be, so that finding it does not grow with the cache. */
static struct sql_statement *cache_slot(struct sql_statements *all, const char *text, uint64_t hash)
{
    struct sql_statement *set = &all->kept[hash % (SQL_STATEMENTS_KEPT / SQL_STATEMENT_WAYS) * SQL_STATEMENT_WAYS],
                         *oldest = NULL;
    for (size_t i = 0; i < SQL_STATEMENT_WAYS; i++) {
        struct sql_statement *s = &set[i];
        if (s->busy)
            continue;
        if (is_of(s, text, hash))
            return s;
        if (!oldest || s->last_used < oldest->last_used)
            oldest = s;
    }
    return oldest;
}

int sql_statement_take(struct ctx *ctx, struct sql_statements *all, sqlite3 *handle, const char *text, struct sql_statement **out)
{
    uint64_t hash = text_hash(text);
    struct sql_statement *s = cache_slot(all, text, hash);
    if (!s) {
        s = mem_new(struct sql_statement);
        s->next = all->loose;
        all->loose = s;
    }
    if (!is_of(s, text, hash)) {
        sqlite3_finalize(s->handle);
        mem_free(s->text);
        s->handle = NULL;
        s->text = mem_cstr(text);
        s->hash = hash;
        int code = sqlite3_prepare_v3(handle, text, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL);
        if (code != SQLITE_OK)
            return sql_sqlite_fail(ctx, handle, code, text);
    }
    s->last_used = ++all->tick;
    s->busy = true;
    *out = s;
    return RC_OK;
}

void sql_statement_give(struct sql_statement *s)
{
    if (!s->busy)
        return;
    sqlite3_reset(s->handle);
    sqlite3_clear_bindings(s->handle);
    s->busy = false;
}

void sql_statements_give_all(struct sql_statements *all)
{
    for (size_t i = 0; i < SQL_STATEMENTS_KEPT; i++)
        sql_statement_give(&all->kept[i]);
    while (all->loose) {
        struct sql_statement *s = all->loose;
        all->loose = s->next;
        statement_free(s);
        mem_free(s);
    }
}

void sql_statements_free(struct sql_statements *all)
{
    for (size_t i = 0; i < SQL_STATEMENTS_KEPT; i++)
        statement_free(&all->kept[i]);
}
