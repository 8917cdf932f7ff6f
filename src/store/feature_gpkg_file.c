/* A GeoPackage that leaves the portal. Rows go in as a load's do, in one transaction without a journal; the spatial index is
 * built packed behind each layer, with the triggers that keep it true when somebody edits the file (extension gpkg_rtree_index).
 */
#include "base/file.h"
#include "base/mem.h"
#include "store/feature_file.h"
#include "store/feature_gpkg.h"

struct feature_file {
    struct gpkg_conn *conn;
    char *dir;
    const struct layer *layer;
    str table, column; /* of the open layer */
    struct gpkg_row_writer writer;
    struct gpkg_rtree *tree; /* NULL: no geometry */
    struct envelope box;
    bool extensions; /* their table is there */
};

static const char *const EXTENSIONS =
    "CREATE TABLE gpkg_extensions(table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,"
    " scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))";

/* What keeps the index true. $T: the table, $C: its geometry, $I: its id, $X: the index; names in quotes. */
static const struct {
    const char *name, *text;
} TRIGGERS[] = {
    {"insert",
     "AFTER INSERT ON $T WHEN (NEW.$C NOTNULL AND NOT ST_IsEmpty(NEW.$C)) BEGIN INSERT OR REPLACE INTO $X VALUES (NEW.$I,"
     "ST_MinX(NEW.$C),ST_MaxX(NEW.$C),ST_MinY(NEW.$C),ST_MaxY(NEW.$C)); END"},
    {"update1",
     "AFTER UPDATE OF $C ON $T WHEN OLD.$I=NEW.$I AND (NEW.$C NOTNULL AND NOT ST_IsEmpty(NEW.$C)) BEGIN INSERT OR REPLACE "
     "INTO $X VALUES (NEW.$I,ST_MinX(NEW.$C),ST_MaxX(NEW.$C),ST_MinY(NEW.$C),ST_MaxY(NEW.$C)); END"},
    {"update2",
     "AFTER UPDATE OF $C ON $T WHEN OLD.$I=NEW.$I AND (NEW.$C ISNULL OR ST_IsEmpty(NEW.$C)) BEGIN DELETE FROM $X WHERE "
     "id=OLD.$I; END"},
    {"update3",
     "AFTER UPDATE ON $T WHEN OLD.$I!=NEW.$I AND (NEW.$C NOTNULL AND NOT ST_IsEmpty(NEW.$C)) BEGIN DELETE FROM $X WHERE "
     "id=OLD.$I; INSERT OR REPLACE INTO $X VALUES (NEW.$I,ST_MinX(NEW.$C),ST_MaxX(NEW.$C),ST_MinY(NEW.$C),"
     "ST_MaxY(NEW.$C)); END"},
    {"update4",
     "AFTER UPDATE ON $T WHEN OLD.$I!=NEW.$I AND (NEW.$C ISNULL OR ST_IsEmpty(NEW.$C)) BEGIN DELETE FROM $X WHERE id IN "
     "(OLD.$I,NEW.$I); END"},
    {"delete", "AFTER DELETE ON $T WHEN OLD.$C NOTNULL BEGIN DELETE FROM $X WHERE id=OLD.$I; END"},
};

static int open_file(struct ctx *ctx, struct feature_file *f, const char *path)
{
    CLEANUP(file_close) int fd = -1;
    TRY(file_create(ctx, path, &fd));
    TRY(gpkg_conn_open(ctx, path, SQLITE_OPEN_READWRITE, &f->conn));
    TRY(gpkg_exec(ctx, f->conn, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE"));
    TRY(gpkg_execf(ctx, f->conn, "PRAGMA page_size=%d", GPKG_PAGE_SIZE));
    TRY(gpkg_exec(ctx, f->conn, "BEGIN"));
    return gpkg_schema_begin(ctx, f->conn);
}

int feature_file_create(struct ctx *ctx, const char *path, struct feature_file **out)
{
    struct feature_file *f = mem_new(struct feature_file);
    const char *end = strrchr(path, '/');
    *out = NULL;
    f->dir = mem_cstr(arena_cstr(ctx->arena, end ? str_of(path, (size_t)(end - path)) : STR(".")));
    int rc = open_file(ctx, f, path);
    if (rc != RC_OK)
        feature_file_close(f);
    else
        *out = f;
    return rc;
}

static void end_layer(struct feature_file *f)
{
    gpkg_row_writer_close(&f->writer);
    gpkg_rtree_close(f->tree);
    f->tree = NULL;
    f->layer = NULL;
}

void feature_file_close(struct feature_file *f)
{
    if (!f)
        return;
    end_layer(f);
    gpkg_conn_close(f->conn);
    mem_free(f->dir);
    mem_free(f);
}

int feature_file_layer(struct ctx *ctx, struct feature_file *f, const struct layer *l, str table)
{
    f->layer = l;
    f->table = table;
    f->column = gpkg_geometry_column(ctx, l);
    f->box = ENVELOPE_EMPTY;
    TRY(gpkg_schema_add_table(ctx, f->conn, l, table, l->name));
    if (l->geometry != GEOMETRY_NONE)
        f->tree = gpkg_rtree_open(f->dir, gpkg_is_geographic(ctx, l));
    return gpkg_row_writer_open(ctx, f->conn, l, table, &f->writer);
}

int feature_file_row(struct ctx *ctx, struct feature_file *f, const struct row *row)
{
    int64_t oid;
    struct envelope box;
    TRY(gpkg_row_insert(ctx, &f->writer, row, &oid, &box));
    if (envelope_empty(&box))
        return RC_OK;
    envelope_add(&f->box, box.xmin, box.ymin);
    envelope_add(&f->box, box.xmax, box.ymax);
    return gpkg_rtree_add(ctx, f->tree, oid, &box);
}

/* ---- the end of a layer ---- */

static int add_trigger(struct ctx *ctx, struct feature_file *f, str index, const char *name, const char *text)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(GPKG_SQL_MAX);
    const struct {
        char letter;
        str name;
    } names[] = {{'T', f->table}, {'C', f->column}, {'I', f->layer->fields[f->layer->oid_field].name}, {'X', index}};
    buf_add(&b, STR("CREATE TRIGGER "));
    gpkg_quote(&b, arena_printf(ctx->arena, "%.*s_%s", STR_FMT(index), name));
    buf_add_char(&b, ' ');
    for (const char *p = text; *p; p++) {
        size_t i = 0;
        while (*p == '$' && i < COUNT_OF(names) && names[i].letter != p[1])
            i++;
        if (*p != '$') {
            buf_add_char(&b, *p);
            continue;
        }
        gpkg_quote(&b, names[i].name);
        p++;
    }
    TRY(buf_check(&b, ctx, "a trigger"));
    return gpkg_exec(ctx, f->conn, b.p);
}

static int run(struct ctx *ctx, struct gpkg_conn *c, const char *sql, const str *texts, size_t text_count, const double *numbers,
               size_t number_count)
{
    sqlite3_stmt *stmt = NULL;
    int rc = RC_OK;
    TRY(gpkg_prepare(ctx, c, str_c(sql), &stmt));
    for (size_t i = 0; i < text_count && rc == RC_OK; i++)
        rc = gpkg_bind_text(ctx, c, stmt, (int)i + 1, texts[i]);
    for (size_t i = 0; i < number_count; i++)
        sqlite3_bind_double(stmt, (int)(text_count + i) + 1, numbers[i]);
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

static int add_index(struct ctx *ctx, struct feature_file *f)
{
    str index = arena_printf(ctx->arena, "rtree_%.*s_%.*s", STR_FMT(f->table), STR_FMT(f->column));
    str quoted = gpkg_quoted(ctx, index);
    const str row[] = {f->table, f->column};
    TRY(gpkg_execf(ctx, f->conn, "CREATE VIRTUAL TABLE %.*s USING rtree(id,minx,maxx,miny,maxy)", STR_FMT(quoted)));
    TRY(gpkg_rtree_build(ctx, f->tree, f->conn, index));
    if (!f->extensions)
        TRY(gpkg_exec(ctx, f->conn, EXTENSIONS));
    f->extensions = true;
    TRY(run(ctx, f->conn,
            "INSERT INTO gpkg_extensions "
            "VALUES(?,?,'gpkg_rtree_index','http://www.geopackage.org/spec120/#extension_rtree','write-only')",
            row, COUNT_OF(row), NULL, 0));
    for (size_t i = 0; i < COUNT_OF(TRIGGERS); i++)
        TRY(add_trigger(ctx, f, index, TRIGGERS[i].name, TRIGGERS[i].text));
    return RC_OK;
}

static int add_contents(struct ctx *ctx, struct feature_file *f)
{
    char now[CLOCK_ISO_SIZE];
    clock_iso_print(ctx_now(ctx), now);
    const str texts[] = {str_c(now), f->table};
    const double box[] = {f->box.xmin, f->box.ymin, f->box.xmax, f->box.ymax};
    if (envelope_empty(&f->box))
        return run(ctx, f->conn, "UPDATE gpkg_contents SET last_change=?1 WHERE table_name=?2", texts, COUNT_OF(texts), NULL, 0);
    return run(ctx, f->conn, "UPDATE gpkg_contents SET last_change=?1,min_x=?3,min_y=?4,max_x=?5,max_y=?6 WHERE table_name=?2",
               texts, COUNT_OF(texts), box, COUNT_OF(box));
}

int feature_file_layer_end(struct ctx *ctx, struct feature_file *f)
{
    gpkg_row_writer_close(&f->writer);
    TRY(add_contents(ctx, f));
    if (f->tree)
        TRY(add_index(ctx, f));
    end_layer(f);
    return RC_OK;
}

int feature_file_finish(struct ctx *ctx, struct feature_file *f)
{
    TRY(gpkg_exec(ctx, f->conn, "COMMIT"));
    gpkg_conn_close(f->conn);
    f->conn = NULL;
    return RC_OK;
}
