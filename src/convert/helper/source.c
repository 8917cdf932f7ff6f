/* Opening the file: one driver a format and no other, so that nothing in a file (a VRT, a link, an address) leads to another
 * source. */
#include "convert/helper/source.h"
#include "convert/convert.h"
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <ogr_srs_api.h>

enum { LAYERS_MAX = 500, MEMBERS_MAX = 10000 };
/* A Shapefile that unpacks to more than this many times its size, and to more than that many bytes, is a bomb and no data. */
static const uint64_t EXPANSION_MAX = 200, EXPANSION_FREE = 64 << 20;

static const struct {
    const char *driver;
    const char *const *options;
    bool numbered;
    const char *member;                 /* of a zip archive: what is opened in it, by its extension */
    const struct source_reader *reader; /* instead of the library */
} FORMATS[] = {
    /* Immutable: the file is nobody's but ours, so there are no locks, and no log beside it is looked for. */
    [CONVERT_GEOPACKAGE] = {"GPKG", (const char *const[]){"IMMUTABLE=YES", "LIST_ALL_TABLES=NO", NULL}, false},
    [CONVERT_PACKAGE_LAYERS] = {"GPKG", (const char *const[]){"IMMUTABLE=YES", "LIST_ALL_TABLES=NO", NULL}, false},
    [CONVERT_GEOJSON] = {"GeoJSON", (const char *const[]){"ARRAY_AS_STRING=YES", NULL}, true},
    [CONVERT_SHAPEFILE_ZIP] = {"ESRI Shapefile", (const char *const[]){"ADJUST_TYPE=NO", NULL}, true, .member = "shp"},
    [CONVERT_FEATURE_COLLECTION] = {.reader = &source_collection, .numbered = true},
    [CONVERT_CSV] = {.reader = &source_csv, .numbered = true},
    [CONVERT_EXCEL] = {"XLSX", NULL, true},
    [CONVERT_KML] = {"LIBKML", NULL, true},
    [CONVERT_GPX] = {"GPX", NULL, true},
    [CONVERT_FILE_GEODATABASE] = {"OpenFileGDB", NULL, false, .member = "gdb"},
};

static const char *const SETTINGS[][2] = {
    {"GDAL_DRIVER_PATH", "disable"},
    {"GDAL_NUM_THREADS", "1"},
    {"GDAL_PAM_ENABLED", "NO"},
    {"GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR"},
    {"PROJ_NETWORK", "OFF"},
    {"OGR_XLSX_HEADERS", "FORCE"},
    {"LIBKML_RESOLVE_STYLE", "NO"},
    /* The schema of a file is not trusted: its views call no function with effects, and damaged cells are seen. */
    {"OGR_SQLITE_PRAGMA", "trusted_schema=OFF,cell_size_check=ON"},
};

static void CPL_STDCALL quiet(CPLErr kind, CPLErrorNum number, const char *text)
{
    (void)kind;
    (void)number;
    (void)text;
}

void source_prepare(void)
{
    for (size_t i = 0; i < COUNT_OF(SETTINGS); i++)
        CPLSetConfigOption(SETTINGS[i][0], SETTINGS[i][1]);
    CPLSetErrorHandler(quiet);
    GDALAllRegister();
}

int source_fail(struct ctx *ctx, const char *doing)
{
    const char *said = CPLGetLastErrorMsg();
    return err_set(ctx, &ERR_INVALID, "%s", said && said[0] ? said : doing);
}

struct source_layer *source_add_layer(struct ctx *ctx, struct source *s, str name)
{
    if (s->layer_count >= LAYERS_MAX) {
        err_set(ctx, &ERR_INVALID, "it has more than %d layers", LAYERS_MAX);
        return NULL;
    }
    s->layers = arena_grow(ctx->arena, s->layers, &s->layer_capacity, s->layer_count + 1, sizeof *s->layers);
    struct source_layer *l = &s->layers[s->layer_count++];
    *l = (struct source_layer){.name = arena_str(ctx->arena, name),
                               .numbered = FORMATS[s->options.format].numbered,
                               .reader = s->reader,
                               .source = s,
                               .place = {.x = -1, .y = -1}};
    return l;
}

/* Names that the drivers make of the file's name are none. */
static str name_of(const struct source *s, OGRLayerH ogr)
{
    str name = str_c(OGR_L_GetName(ogr));
    return str_eq(name, STR("input")) || str_eq(name, STR("OGRGeoJSON")) ? s->options.name : name;
}

/* The layers that a GPX file has none of; sheets after the first; tables of attachments. */
static bool is_left_out(struct ctx *ctx, struct source *s, OGRLayerH ogr)
{
    str name = str_c(OGR_L_GetName(ogr));
    if (s->options.format == CONVERT_GPX)
        return OGR_L_GetFeatureCount(ogr, 1) == 0;
    if (s->options.format == CONVERT_EXCEL && s->layer_count > 0) {
        source_tell(ctx, s, "Sheet %.*s was left out: the first sheet is published.", STR_FMT(name));
        return true;
    }
    if (s->options.format == CONVERT_FILE_GEODATABASE && str_ends(name, STR("__ATTACH"))) {
        source_tell(ctx, s, "Table %.*s was left out: %lld attachments are not taken over.", STR_FMT(name),
                    (long long)OGR_L_GetFeatureCount(ogr, 1));
        return true;
    }
    return false;
}

static int open_set(struct ctx *ctx, struct source *s, const char *path)
{
    const char *drivers[] = {FORMATS[s->options.format].driver, NULL};
    CPLErrorReset();
    GDALDatasetH set = GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_READONLY, drivers, FORMATS[s->options.format].options, NULL);
    if (!set)
        return err_set(ctx, &ERR_INVALID, "it is no %s file%s%s", drivers[0], CPLGetLastErrorMsg()[0] ? ": " : "",
                       CPLGetLastErrorMsg());
    s->sets[s->set_count++] = set;
    for (int i = 0; i < GDALDatasetGetLayerCount(set); i++) {
        OGRLayerH ogr = GDALDatasetGetLayer(set, i);
        if (is_left_out(ctx, s, ogr))
            continue;
        struct source_layer *l = source_add_layer(ctx, s, name_of(s, ogr));
        if (!l)
            return RC_FAIL;
        l->ogr = ogr;
    }
    return RC_OK;
}

static uint64_t size_of(const char *path)
{
    VSIStatBufL st;
    return VSIStatL(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* Members of the archive with that extension, not the shadows that macOS packs beside them. Of a folder its name ends in '/'. */
static bool is_member(const char *member, const char *extension)
{
    str name = str_c(member);
    name = str_ends(name, STR("/")) ? str_sub(name, 0, name.n - 1) : name;
    size_t dot = name.n - strlen(extension) - 1, slash = name.n;
    if (name.n < strlen(extension) + 2 || name.p[dot] != '.' || !str_ieq(str_sub(name, dot + 1, name.n), str_c(extension)))
        return false;
    while (slash > 0 && name.p[slash - 1] != '/')
        slash--;
    return !str_starts(str_sub(name, slash, name.n), STR("._"));
}

static int check_expansion(struct ctx *ctx, uint64_t packed, uint64_t unpacked)
{
    if (unpacked <= EXPANSION_FREE || unpacked / EXPANSION_MAX <= packed)
        return RC_OK;
    return err_set(ctx, &ERR_INVALID, "its members unpack to %llu bytes, which is more than %llu times its size",
                   (unsigned long long)unpacked, (unsigned long long)EXPANSION_MAX);
}

static int open_archive(struct ctx *ctx, struct source *s, char **members, const char *archive)
{
    uint64_t unpacked = 0;
    int count = CSLCount(members);
    if (count > MEMBERS_MAX)
        return err_set(ctx, &ERR_INVALID, "it has more than %d members", MEMBERS_MAX);
    for (int i = 0; i < count; i++)
        unpacked += size_of(arena_printf(ctx->arena, "%s/%s", archive, members[i]).p);
    TRY(check_expansion(ctx, size_of(s->options.path.p), unpacked));
    s->sets = arena_array(ctx->arena, GDALDatasetH, (size_t)count);
    const char *extension = FORMATS[s->options.format].member;
    for (int i = 0; i < count; i++)
        if (is_member(members[i], extension))
            TRY(open_set(ctx, s, arena_printf(ctx->arena, "%s/%s", archive, members[i]).p));
    bool shapefile = s->options.format == CONVERT_SHAPEFILE_ZIP;
    return s->set_count ? RC_OK
                        : err_set(ctx, &ERR_INVALID, "it is no zip file with a %s (.%s) in it",
                                  shapefile ? "Shapefile" : "File Geodatabase", extension);
}

static int open_zip(struct ctx *ctx, struct source *s)
{
    str archive = arena_printf(ctx->arena, "/vsizip/{%s}", s->options.path.p);
    char **members = VSIReadDirRecursive(archive.p);
    int rc = open_archive(ctx, s, members, archive.p);
    CSLDestroy(members);
    return rc;
}

int source_open(struct ctx *ctx, struct source *s)
{
    if (s->options.format >= COUNT_OF(FORMATS))
        return err_set(ctx, &ERR_INVALID, "unknown format");
    if (s->options.parameters.n)
        TRY(json_parse(ctx, s->options.parameters, &s->parameters));
    s->reader = FORMATS[s->options.format].reader;
    if (s->reader)
        return s->reader->open(ctx, s);
    if (FORMATS[s->options.format].member)
        return open_zip(ctx, s);
    s->sets = arena_array(ctx->arena, GDALDatasetH, 1);
    return open_set(ctx, s, s->options.path.p);
}

/* ---- integers of a GeoPackage ---- */
static void quote(struct buf *b, const char *name)
{
    buf_add_char(b, '"');
    for (; *name; name++) {
        if (*name == '"')
            buf_add_char(b, '"');
        buf_add_char(b, *name);
    }
    buf_add_char(b, '"');
}

/* A query for the first row with such a value: its number and which column it is. False: there is no integer column. */
static bool print_integer_query(struct buf *b, OGRLayerH ogr)
{
    OGRFeatureDefnH columns = OGR_L_GetLayerDefn(ogr);
    bool any = false;
    const char *fid = OGR_L_GetFIDColumn(ogr);
    buf_add(b, STR("SELECT n, c FROM (SELECT 0"));
    if (fid[0]) { /* as a number of its own: the library takes the column itself for the id of the result */
        buf_add_char(b, '+');
        quote(b, fid);
    }
    buf_add(b, STR(" AS n, CASE"));
    for (int i = 0; i < OGR_FD_GetFieldCount(columns); i++) {
        OGRFieldDefnH column = OGR_FD_GetFieldDefn(columns, i);
        if (OGR_Fld_GetType(column) != OFTInteger)
            continue;
        any = true;
        buf_add(b, STR(" WHEN typeof("));
        quote(b, OGR_Fld_GetNameRef(column));
        buf_add(b, STR(") NOT IN ('integer','null') OR "));
        quote(b, OGR_Fld_GetNameRef(column));
        buf_printf(b, " NOT BETWEEN -2147483648 AND 2147483647 THEN %d", i);
    }
    buf_add(b, STR(" END AS c FROM "));
    quote(b, OGR_L_GetName(ogr));
    buf_add(b, STR(") WHERE c IS NOT NULL LIMIT 1"));
    return any;
}

int source_check_integers(struct ctx *ctx, struct source *s, const struct source_layer *l)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    if (s->options.format != CONVERT_GEOPACKAGE || !print_integer_query(&b, l->ogr))
        return RC_OK;
    TRY(buf_check(&b, ctx, "the columns of a table"));
    CPLErrorReset();
    OGRLayerH found = GDALDatasetExecuteSQL(s->sets[0], b.p, NULL, NULL);
    if (!found)
        return CPLGetLastErrorType() >= CE_Failure ? source_fail(ctx, "a table cannot be read") : RC_OK;
    OGRFeatureH row = OGR_L_GetNextFeature(found);
    int rc = RC_OK;
    if (row) {
        OGRFieldDefnH column = OGR_FD_GetFieldDefn(OGR_L_GetLayerDefn(l->ogr), OGR_F_GetFieldAsInteger(row, 1));
        rc = err_set(ctx, &ERR_INVALID, "layer %.*s, row %s, field %s: a value that is no integer of 32 bits", STR_FMT(l->name),
                     OGR_F_GetFieldAsString(row, 0), OGR_Fld_GetNameRef(column));
    }
    OGR_F_Destroy(row);
    GDALDatasetReleaseResultSet(s->sets[0], found);
    return rc;
}

/* ---- the tables of a package ---- */
static const struct source_layer *find_table(struct ctx *ctx, const struct source *s, int32_t layer_id)
{
    str prefix = arena_printf(ctx->arena, "l%d_", layer_id);
    for (size_t i = 0; i < s->layer_count; i++)
        if (str_starts(s->layers[i].name, prefix))
            return &s->layers[i];
    return NULL;
}

int source_table(struct ctx *ctx, struct source *s, const struct protocol_rows *want, struct source_layer *out)
{
    const struct source_layer *table = find_table(ctx, s, want->layer_id);
    if (!table)
        return err_set(ctx, &ERR_INVALID, "it has no table for layer %d", want->layer_id);
    *out = (struct source_layer){
        .ogr = table->ogr, .name = table->name, .place = {.x = -1, .y = -1}, .exact = true, .field_count = want->field_count};
    OGRFeatureDefnH columns = OGR_L_GetLayerDefn(out->ogr);
    out->fields = arena_array(ctx->arena, struct source_field, want->field_count);
    for (size_t i = 0; i < want->field_count; i++) {
        const struct field *f = &want->fields[i];
        int index = f->type == FIELD_OID ? SOURCE_OID : OGR_FD_GetFieldIndex(columns, f->name.p);
        if (index < 0 && f->type != FIELD_OID)
            return err_set(ctx, &ERR_INVALID, "its table %.*s has no column %.*s", STR_FMT(table->name), STR_FMT(f->name));
        out->fields[i] = (struct source_field){.field = *f, .index = index, .native = f->type};
    }
    out->geometry = OGR_FD_GetGeomType(columns) == wkbNone ? GEOMETRY_NONE : GEOMETRY_POINT; /* any kind */
    return RC_OK;
}
