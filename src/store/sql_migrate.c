/* Migrations: numbered texts applied once each, in order, each in one transaction together with the row that remembers it. */
#include "store/sql_driver.h"

static int version_get(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    return sql_query_int(ctx, tx, arg, "SELECT COALESCE(MAX(number), 0) FROM schema_migration", NULL, 0);
}

static int table_create(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    (void)arg;
    return sql_exec(ctx, tx,
                    "CREATE TABLE IF NOT EXISTS schema_migration "
                    "(number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied BIGINT NOT NULL)");
}

static int migration_apply(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct sql_migration *m = arg;
    str text = str_c(m->statements), separator = STR(";\n");
    for (size_t start = 0, end; start < text.n; start = end + separator.n) {
        end = str_find(text, separator, start);
        if (end == SIZE_MAX)
            end = text.n;
        TRY(sql_exec_n(ctx, tx, sql_engine_text(ctx, str_sub(text, start, end)), NULL, 0));
    }
    return sql_exec(ctx, tx, "INSERT INTO schema_migration (number, name, applied) VALUES (?, ?, ?)", SQL_I(m->number),
                    SQL_S(str_c(m->name)), SQL_I(ctx_now(ctx)));
}

int sql_migrate(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations, size_t count)
{
    int64_t version = 0, newest = count > 0 ? migrations[count - 1].number : 0;
    TRY(sql_write(ctx, db, table_create, NULL));
    TRY(sql_read(ctx, db, version_get, &version));
    if (version > newest)
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "the database has schema %lld, this program knows schemas up to %lld: use a newer mapferry",
                       (long long)version, (long long)newest);
    for (size_t i = 0; i < count; i++) {
        struct sql_migration m = migrations[i];
        if (m.number <= version)
            continue;
        if (version > 0) {
            str suffix = arena_printf(ctx->arena, ".before-%d", m.number);
            TRY(sql_copy(ctx, db, suffix.p));
        }
        int rc = sql_write(ctx, db, migration_apply, &m);
        if (rc != RC_OK) {
            err_add(ctx, "migration %d (%s)", m.number, m.name);
            return rc;
        }
        version = m.number;
    }
    return RC_OK;
}

int sql_schema_check(struct ctx *ctx, struct sql *db, const struct sql_migration *migrations, size_t count)
{
    int64_t version = 0, newest = count > 0 ? migrations[count - 1].number : 0;
    TRY(sql_read(ctx, db, version_get, &version));
    if (version == newest)
        return RC_OK;
    return err_set(ctx, &ERR_UNSUPPORTED,
                   "the database has schema %lld, this program works with schema %lld: use the mapferry that serves it",
                   (long long)version, (long long)newest);
}
