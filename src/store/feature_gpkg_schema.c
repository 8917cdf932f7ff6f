/* Tables of a GeoPackage (OGC 12-128r17, version 1.3): the metadata tables and one table a layer. Nothing in them depends on when
 * they are made, so that packages of the same rows have the same bytes. */
#include "model/geometry/crs.h"
#include "store/feature_gpkg.h"

const char *const gpkg_column_types[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
    [FIELD_GLOBALID] = "TEXT(38)",
    [FIELD_GUID] = "TEXT(38)",
    [FIELD_STRING] = "TEXT",
    [FIELD_INTEGER] = "MEDIUMINT",
    [FIELD_SMALL_INTEGER] = "SMALLINT",
    [FIELD_BIG_INTEGER] = "INTEGER",
    [FIELD_DOUBLE] = "REAL",
    [FIELD_SINGLE] = "FLOAT",
    [FIELD_DATE] = "DATETIME",
    [FIELD_DATE_ONLY] = "DATE",
    [FIELD_TIME_ONLY] = "TEXT",
    [FIELD_TIMESTAMP_OFFSET] = "TEXT",
    [FIELD_BLOB] = "BLOB",
    [FIELD_XML] = "TEXT",
};
static const char *const GEOMETRY_TYPES[] = {
    [GEOMETRY_POINT] = "POINT",
    [GEOMETRY_MULTIPOINT] = "MULTIPOINT",
    [GEOMETRY_POLYLINE] = "MULTILINESTRING",
    [GEOMETRY_POLYGON] = "MULTIPOLYGON",
};

/* Application id "GPKG", user version 1.3.0. */
static const char *const METADATA =
    "PRAGMA application_id=1196444487;"
    "PRAGMA user_version=10300;"
    "CREATE TABLE gpkg_spatial_ref_sys(srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,"
    " organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);"
    "INSERT INTO gpkg_spatial_ref_sys VALUES"
    "('Undefined Cartesian SRS',-1,'NONE',-1,'undefined','undefined Cartesian coordinate reference system'),"
    "('Undefined geographic SRS',0,'NONE',0,'undefined','undefined geographic coordinate reference system'),"
    "('WGS 84 geodetic',4326,'EPSG',4326,'GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,"
    "AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],"
    "UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],AXIS[\"Latitude\",NORTH],AXIS[\"Longitude\",EAST],"
    "AUTHORITY[\"EPSG\",\"4326\"]]','longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid');"
    "CREATE TABLE gpkg_contents(table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,"
    " description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE,"
    " min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id)"
    " REFERENCES gpkg_spatial_ref_sys(srs_id));"
    "CREATE TABLE gpkg_geometry_columns(table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,"
    " srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, "
    "column_name),"
    " CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES "
    "gpkg_contents(table_name),"
    " CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));";

int gpkg_schema_begin(struct ctx *ctx, struct gpkg_conn *c) { return gpkg_exec(ctx, c, METADATA); }

static str layer_table_name(struct ctx *ctx, const struct layer *l)
{
    str name = arena_printf(ctx->arena, "l%d_%.*s", l->id, STR_FMT(str_sub(l->name, 0, 64)));
    char *p = arena_cstr(ctx->arena, name);
    for (size_t i = 0; i < name.n; i++) {
        bool plain = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= '0' && p[i] <= '9');
        if (!plain)
            p[i] = '_';
    }
    return str_of(p, name.n);
}

/* In a data set the table's name does not change when the layer is renamed. */
str gpkg_table(struct ctx *ctx, const struct layer *l, bool package)
{
    return package ? layer_table_name(ctx, l) : arena_printf(ctx->arena, "l%d", layer_stored(l)->id);
}

str gpkg_geometry_column(struct ctx *ctx, const struct layer *l)
{
    str name = STR("geom");
    while (layer_field(layer_stored(l), name, NULL))
        name = arena_printf(ctx->arena, "%.*s_", STR_FMT(name));
    return name;
}

str gpkg_index_table(struct ctx *ctx, const struct layer *l)
{
    return arena_printf(ctx->arena, "rtree_%.*s_%.*s", STR_FMT(gpkg_table(ctx, l, false)), STR_FMT(gpkg_geometry_column(ctx, l)));
}

void gpkg_quote(struct buf *b, str name)
{
    buf_add_char(b, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            buf_add_char(b, '"');
        buf_add_char(b, name.p[i]);
    }
    buf_add_char(b, '"');
}

str gpkg_quoted(struct ctx *ctx, str name)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(GPKG_SQL_MAX);
    gpkg_quote(&b, name);
    return arena_str(ctx->arena, buf_str(&b));
}

int32_t gpkg_srs_id(const struct layer *l)
{
    int32_t wkid = l->latest_wkid ? l->latest_wkid : crs_latest_wkid(l->wkid);
    if (wkid == 0 && l->wkt.n)
        return 1000000 + layer_stored(l)->id; /* WKT alone: a number that no authority uses */
    return wkid == 0 ? -1 : wkid;
}

bool gpkg_is_geographic(struct ctx *ctx, const struct layer *l)
{
    struct crs crs = {.wkid = l->latest_wkid ? l->latest_wkid : l->wkid, .wkt = l->wkt};
    struct crs_info info = {.geographic = false};
    if (crs_describe(ctx, &crs, &info) != RC_OK)
        err_clear(ctx);
    return info.geographic;
}

static int has_row(struct ctx *ctx, struct gpkg_conn *c, str sql, str name, bool *out)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, sql, &stmt));
    int rc = gpkg_bind_text(ctx, c, stmt, 1, name);
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    *out = rc == RC_OK;
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

int gpkg_has_table(struct ctx *ctx, struct gpkg_conn *c, str name, bool *out)
{
    return has_row(ctx, c, STR("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?"), name, out);
}

/* Binds texts and integers to a statement of the metadata tables and runs it. */
static int change(struct ctx *ctx, struct gpkg_conn *c, const char *sql, const struct value *values, size_t count)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, str_c(sql), &stmt));
    int rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        if (values[i].kind == VALUE_TEXT)
            rc = gpkg_bind_text(ctx, c, stmt, (int)i + 1, values[i].s);
        else if (values[i].kind == VALUE_INT)
            sqlite3_bind_int64(stmt, (int)i + 1, values[i].i);
    }
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

#define TEXT(v)                                                                                                                  \
    {                                                                                                                            \
        .kind = VALUE_TEXT, .s = (v)                                                                                             \
    }
#define INT(v)                                                                                                                   \
    {                                                                                                                            \
        .kind = VALUE_INT, .i = (v)                                                                                              \
    }

/* A system that PROJ does not know is written down as undefined: the rows are worth keeping all the same. */
static int add_srs(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l)
{
    int32_t srs_id = gpkg_srs_id(l);
    struct crs crs = {.wkid = srs_id > 0 && srs_id < 1000000 ? srs_id : 0, .wkt = l->wkt};
    struct crs_info info = {.name = STR("Undefined"), .authority = STR("NONE"), .wkt = STR("undefined")};
    if (srs_id > 0 && crs_describe(ctx, &crs, &info) != RC_OK)
        err_clear(ctx);
    const struct value values[] = {TEXT(info.name), INT(srs_id), TEXT(info.authority), INT(info.code ? info.code : srs_id),
                                   TEXT(info.wkt)};
    return change(ctx, c, "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES(?,?,?,?,?,NULL)", values, COUNT_OF(values));
}

static int create_table(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, str table, str column)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(GPKG_SQL_MAX);
    buf_add(&b, STR("CREATE TABLE "));
    gpkg_quote(&b, table);
    for (size_t i = 0; i < l->field_count; i++) {
        const struct field *f = &l->fields[i];
        buf_add_char(&b, i ? ',' : '(');
        gpkg_quote(&b, f->name);
        buf_printf(&b, " %s", gpkg_column_types[f->type]);
        if (f->type == FIELD_STRING && f->length > 0)
            buf_printf(&b, "(%d)", f->length);
    }
    if (l->geometry != GEOMETRY_NONE) {
        buf_add_char(&b, ',');
        gpkg_quote(&b, column);
        buf_printf(&b, " %s", GEOMETRY_TYPES[l->geometry]);
    }
    buf_add_char(&b, ')');
    TRY(buf_check(&b, ctx, "the statement of a table"));
    return gpkg_exec(ctx, c, b.p);
}

int gpkg_schema_add_table(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, str table, str identifier)
{
    str column = gpkg_geometry_column(ctx, l);
    bool spatial = l->geometry != GEOMETRY_NONE;
    TRY(create_table(ctx, c, l, table, column));
    if (spatial)
        TRY(add_srs(ctx, c, l));
    struct value srs = {.kind = VALUE_NULL};
    if (spatial)
        srs = (struct value)INT(gpkg_srs_id(l));
    const struct value contents[] = {TEXT(table), TEXT(spatial ? STR("features") : STR("attributes")), TEXT(identifier), srs};
    TRY(change(ctx, c,
               "INSERT INTO gpkg_contents(table_name,data_type,identifier,last_change,srs_id) "
               "VALUES(?,?,?,'1970-01-01T00:00:00.000Z',?)",
               contents, COUNT_OF(contents)));
    if (!spatial)
        return RC_OK;
    const struct value geometry[] = {TEXT(table), TEXT(column),  TEXT(str_c(GEOMETRY_TYPES[l->geometry])),
                                     srs,         INT(l->has_z), INT(l->has_m)};
    return change(ctx, c, "INSERT INTO gpkg_geometry_columns VALUES(?,?,?,?,?,?)", geometry, COUNT_OF(geometry));
}

int gpkg_schema_add_layer(struct ctx *ctx, struct gpkg_conn *c, const struct layer *l, bool package)
{
    str table = gpkg_table(ctx, l, package);
    TRY(gpkg_schema_add_table(ctx, c, l, table, package ? l->name : table));
    if (package || l->geometry == GEOMETRY_NONE)
        return RC_OK;
    str quoted = gpkg_quoted(ctx, gpkg_index_table(ctx, l));
    TRY(gpkg_execf(ctx, c, "CREATE VIRTUAL TABLE %.*s USING rtree(id,minx,maxx,miny,maxy)", STR_FMT(quoted)));
    return gpkg_pending_create(ctx, c, table);
}

/* The name of the geometry column is what the table was made with, which may be another one than that of a layer of today. */
static int find_index(struct ctx *ctx, struct gpkg_conn *c, str table, str *quoted_out)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, STR("SELECT column_name FROM gpkg_geometry_columns WHERE table_name=?"), &stmt));
    int rc = gpkg_bind_text(ctx, c, stmt, 1, table);
    rc = rc != RC_OK ? rc : gpkg_step(ctx, c, stmt);
    *quoted_out = STR_NONE;
    if (rc == RC_OK)
        *quoted_out = gpkg_quoted(
            ctx, arena_printf(ctx->arena, "rtree_%.*s_%s", STR_FMT(table), (const char *)sqlite3_column_text(stmt, 0)));
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

int gpkg_schema_drop_layer(struct ctx *ctx, struct gpkg_conn *c, str table)
{
    static const char *const ROWS[] = {"DELETE FROM gpkg_geometry_columns WHERE table_name=?",
                                       "DELETE FROM gpkg_contents WHERE table_name=?"};
    const struct value name = TEXT(table);
    str index, quoted = gpkg_quoted(ctx, table);
    TRY(find_index(ctx, c, table, &index));
    if (!str_none(index))
        TRY(gpkg_execf(ctx, c, "DROP TABLE %.*s", STR_FMT(index)));
    TRY(gpkg_execf(ctx, c, "DROP TABLE IF EXISTS pending_%.*s", STR_FMT(table)));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        TRY(change(ctx, c, ROWS[i], &name, 1));
    return gpkg_execf(ctx, c, "DROP TABLE %.*s", STR_FMT(quoted));
}

/* Data sets that were made before edits were: the tables that those need. */
int gpkg_upgrade(struct ctx *ctx, struct gpkg_conn *c)
{
    bool there;
    TRY(gpkg_has_table(ctx, c, STR("generations"), &there));
    if (there)
        return RC_OK;
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_exec(ctx, c, "BEGIN IMMEDIATE"));
    int rc = gpkg_changes_create(ctx, c);
    rc = rc != RC_OK ? rc : gpkg_prepare(ctx, c, STR("SELECT table_name FROM gpkg_geometry_columns"), &stmt);
    while (rc == RC_OK && (rc = gpkg_step(ctx, c, stmt)) == RC_OK)
        rc = gpkg_pending_create(ctx, c, str_c((const char *)sqlite3_column_text(stmt, 0)));
    gpkg_release(c, stmt);
    rc = rc != RC_END ? rc : gpkg_exec(ctx, c, "COMMIT");
    gpkg_roll_back(c);
    return rc;
}
