/* Tables of a data set in use, changed: columns and indexes that come and go, and layers that go. What is added stands before any
 * definition names it, and what goes leaves after none does, so a crash in between leaves tables, columns and indexes that nobody
 * knows: those are dropped when their name is wanted again. */
#include "store/feature_gpkg.h"

/* ---- indexes ---- */

static str index_name(struct ctx *ctx, const struct layer *l, str name)
{
    return arena_printf(ctx->arena, "index_%.*s_%.*s", STR_FMT(gpkg_table(ctx, l, false)), STR_FMT(name));
}

/* The columns of an index as SQL, STR_NONE when one of its fields is none of the attributes (the geometry has an index of its
 * own). */
static str index_columns(struct ctx *ctx, const struct layer *l, struct json index)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(GPKG_SQL_MAX);
    str rest = json_string_or(json_get_c(index, "fields"), ctx->arena, STR("")), piece;
    bool descending = !json_bool(json_get_c(index, "isAscending"), true);
    while (str_split(&rest, ',', &piece)) {
        const struct field *f = layer_field(l, str_trim(piece), NULL);
        if (!f)
            return STR_NONE;
        if (b.n)
            buf_add_char(&b, ',');
        gpkg_quote(&b, f->name);
        buf_add(&b, descending ? STR(" DESC") : STR(""));
    }
    return b.n && !b.overflow ? arena_str(ctx->arena, buf_str(&b)) : STR_NONE;
}

static bool is_key(struct ctx *ctx, const struct layer *l, struct json index)
{
    return str_ieq(str_trim(json_string_or(json_get_c(index, "fields"), ctx->arena, STR(""))), l->fields[l->oid_field].name);
}

static int create_index(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct json index, bool unique)
{
    str columns = index_columns(ctx, l, index), name = json_string_or(json_get_c(index, "name"), ctx->arena, STR(""));
    if (str_none(columns) || str_empty(name) || is_key(ctx, l, index))
        return RC_OK;
    str quoted = gpkg_quoted(ctx, index_name(ctx, l, name)), table = gpkg_quoted(ctx, gpkg_table(ctx, l, false));
    return gpkg_execf(ctx, c, "CREATE %s INDEX IF NOT EXISTS %.*s ON %.*s(%.*s)", unique ? "UNIQUE" : "", STR_FMT(quoted),
                      STR_FMT(table), STR_FMT(columns));
}

int gpkg_schema_add_indexes(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, bool loose)
{
    struct json v;
    for (struct json_iter it = json_each(json_get_c(l->json, "indexes")); json_next(&it, NULL, &v);) {
        bool unique = json_bool(json_get_c(v, "isUnique"), false);
        int rc = create_index(ctx, c, l, v, unique);
        if (rc == RC_FAIL && unique && loose && err_is(ctx, &ERR_INVALID)) {
            err_clear(ctx);
            rc = create_index(ctx, c, l, v, false);
        }
        TRY(rc);
    }
    return RC_OK;
}

/* Names in the first column, as an arena list. */
struct name {
    str text;
    struct name *next;
};

static int list_names(struct ctx *ctx, struct gpkg_conn *c, str sql, const str *values, size_t count, struct name **out)
{
    sqlite3_stmt *stmt = NULL;
    *out = NULL;
    TRY(gpkg_prepare(ctx, c, sql, &stmt));
    int rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = gpkg_bind_text(ctx, c, stmt, (int)i + 1, values[i]);
    while (rc == RC_OK && (rc = gpkg_step(ctx, c, stmt)) == RC_OK) {
        struct name *n = arena_new(ctx->arena, struct name);
        *n = (struct name){arena_str(ctx->arena, str_c((const char *)sqlite3_column_text(stmt, 0))), *out};
        *out = n;
    }
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

static int drop_indexes(struct ctx *ctx, struct gpkg_conn *c, const struct name *list)
{
    for (const struct name *n = list; n; n = n->next)
        TRY(gpkg_execf(ctx, c, "DROP INDEX %.*s", STR_FMT(gpkg_quoted(ctx, n->text))));
    return RC_OK;
}

static bool asks_for_index(struct ctx *ctx, const struct layer *l, str name)
{
    struct json v;
    for (struct json_iter it = json_each(json_get_c(l->json, "indexes")); json_next(&it, NULL, &v);)
        if (str_eq(index_name(ctx, l, json_string_or(json_get_c(v, "name"), ctx->arena, STR(""))), name))
            return !str_none(index_columns(ctx, l, v));
    return false;
}

static int trim_indexes(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l)
{
    struct name *names, *gone = NULL;
    const str table = gpkg_table(ctx, l, false);
    TRY(list_names(ctx, c, STR("SELECT name FROM sqlite_schema WHERE type='index' AND tbl_name=? AND substr(name,1,6)='index_'"),
                   &table, 1, &names));
    for (struct name *n = names, *next; n; n = next) {
        next = n->next;
        if (asks_for_index(ctx, l, n->text))
            continue;
        n->next = gone;
        gone = n;
    }
    return drop_indexes(ctx, c, gone);
}

/* ---- columns ---- */

static int drop_column(struct ctx *ctx, struct gpkg_conn *c, str table, str column)
{
    struct name *indexes;
    const str values[] = {table, column};
    TRY(list_names(ctx, c,
                   STR("SELECT DISTINCT s.name FROM sqlite_schema s, pragma_index_info(s.name) i WHERE s.type='index' AND "
                       "s.tbl_name=? AND i.name=? AND s.sql IS NOT NULL"),
                   values, COUNT_OF(values), &indexes));
    TRY(drop_indexes(ctx, c, indexes));
    return gpkg_execf(ctx, c, "ALTER TABLE %.*s DROP COLUMN %.*s", STR_FMT(table), STR_FMT(gpkg_quoted(ctx, column)));
}

static int list_columns(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, struct name **out)
{
    const str table = gpkg_table(ctx, l, false);
    return list_names(ctx, c, STR("SELECT name FROM pragma_table_info(?)"), &table, 1, out);
}

static int add_column(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, const struct field *f)
{
    struct name *columns;
    str table = gpkg_table(ctx, l, false), column = gpkg_quoted(ctx, f->name);
    TRY(list_columns(ctx, c, l, &columns));
    for (const struct name *n = columns; n; n = n->next)
        if (str_ieq(n->text, f->name)) /* left by a change that was not committed */
            TRY(drop_column(ctx, c, table, n->text));
    return gpkg_execf(ctx, c, "ALTER TABLE %.*s ADD COLUMN %.*s %s", STR_FMT(table), STR_FMT(column), gpkg_column_types[f->type]);
}

static int trim_columns(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l)
{
    struct name *columns;
    str geometry = gpkg_geometry_column(ctx, l);
    TRY(list_columns(ctx, c, l, &columns));
    for (const struct name *n = columns; n; n = n->next)
        if (!layer_field(l, n->text, NULL) && !(l->geometry != GEOMETRY_NONE && str_ieq(n->text, geometry)))
            TRY(drop_column(ctx, c, gpkg_table(ctx, l, false), n->text));
    return RC_OK;
}

/* ---- layers ---- */

static int add_layer(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l)
{
    str table = gpkg_table(ctx, l, false);
    bool there;
    TRY(gpkg_has_table(ctx, c, table, &there));
    if (there)
        TRY(gpkg_schema_drop_layer(ctx, c, table));
    TRY(gpkg_schema_add_layer(ctx, c, l, false));
    return gpkg_generation_set(ctx, c, l->id, ctx_now(ctx));
}

static int extend_layer(struct ctx *ctx, struct gpkg_conn *c, const struct layer *before, const struct layer *after)
{
    if (after->geometry != GEOMETRY_NONE && !str_eq(gpkg_geometry_column(ctx, before), gpkg_geometry_column(ctx, after)))
        return err_set(ctx, &ERR_INVALID, "layer %.*s: a field cannot be called as its geometry is, %.*s", STR_FMT(after->name),
                       STR_FMT(gpkg_geometry_column(ctx, before)));
    for (size_t i = 0; i < after->field_count; i++)
        if (!layer_field(before, after->fields[i].name, NULL))
            TRY(add_column(ctx, c, after, &after->fields[i]));
    return RC_OK;
}

static int extend_all(struct ctx *ctx, struct gpkg_conn *c, const struct service *before, const struct service *after)
{
    for (size_t i = 0; i < after->layer_count; i++) {
        const struct layer *l = &after->layers[i], *old = service_layer(before, l->id);
        TRY(old ? extend_layer(ctx, c, old, l) : add_layer(ctx, c, l));
        TRY(gpkg_schema_add_indexes(ctx, c, l, false));
    }
    return RC_OK;
}

static int trim_all(struct ctx *ctx, struct gpkg_conn *c, const struct service *before, const struct service *after)
{
    struct name *tables;
    (void)before;
    TRY(list_names(ctx, c, STR("SELECT table_name FROM gpkg_contents"), NULL, 0, &tables));
    for (const struct name *n = tables; n; n = n->next) {
        bool wanted = false;
        for (size_t i = 0; i < after->layer_count && !wanted; i++)
            wanted = str_eq(gpkg_table(ctx, &after->layers[i], false), n->text);
        if (!wanted)
            TRY(gpkg_schema_drop_layer(ctx, c, n->text));
    }
    for (size_t i = 0; i < after->layer_count; i++) {
        TRY(trim_indexes(ctx, c, &after->layers[i]));
        TRY(trim_columns(ctx, c, &after->layers[i]));
    }
    return RC_OK;
}

static int change(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *before,
                  const struct service *after,
                  int (*run)(struct ctx *, struct gpkg_conn *, const struct service *, const struct service *))
{
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    TRY(gpkg_write_open(ctx, fs, store, &set, &c));
    int rc = gpkg_exec(ctx, c, "BEGIN IMMEDIATE");
    rc = rc != RC_OK ? rc : run(ctx, c, before, after);
    rc = rc != RC_OK ? rc : gpkg_exec(ctx, c, "COMMIT");
    gpkg_roll_back(c);
    gpkg_write_end(fs, set, c);
    gpkg_set_give(fs, set);
    return rc;
}

int feature_extend(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *before,
                   const struct service *after)
{
    return change(ctx, fs, store, before, after, extend_all);
}

int feature_trim(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *after)
{
    return change(ctx, fs, store, NULL, after, trim_all);
}
