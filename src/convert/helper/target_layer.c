/* A layer in a file that is written: its fields, what is known of them, and its rows. */
#include "base/clock.h"
#include "convert/helper/target.h"
#include "model/geometry/crs.h"
#include "model/geometry/wkb.h"
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <ogr_srs_api.h>

/* NONE: the library's type says it. */
static const struct {
    OGRFieldType type;
    OGRFieldSubType subtype;
    int width;
    const char *column; /* type of a File Geodatabase's column; a GlobalID would get another value there */
} TYPES[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = {OFTInteger64, OFSTNone, 0, NULL},
    [FIELD_GLOBALID] = {OFTString, OFSTNone, 38, "esriFieldTypeGUID"},
    [FIELD_GUID] = {OFTString, OFSTNone, 38, "esriFieldTypeGUID"},
    [FIELD_STRING] = {OFTString, OFSTNone, 0, NULL},
    [FIELD_INTEGER] = {OFTInteger, OFSTNone, 0, NULL},
    [FIELD_SMALL_INTEGER] = {OFTInteger, OFSTInt16, 0, NULL},
    [FIELD_BIG_INTEGER] = {OFTReal, OFSTNone, 0, NULL},
    [FIELD_DOUBLE] = {OFTReal, OFSTNone, 0, NULL},
    [FIELD_SINGLE] = {OFTReal, OFSTFloat32, 0, NULL},
    [FIELD_DATE] = {OFTDateTime, OFSTNone, 0, NULL},
    [FIELD_DATE_ONLY] = {OFTDate, OFSTNone, 0, NULL},
    [FIELD_TIME_ONLY] = {OFTString, OFSTNone, 16, NULL},
    [FIELD_TIMESTAMP_OFFSET] = {OFTString, OFSTNone, 40, NULL},
    [FIELD_BLOB] = {OFTBinary, OFSTNone, 0, NULL},
    [FIELD_XML] = {OFTString, OFSTNone, 0, NULL},
};

static OGRwkbGeometryType geometry_of(const struct layer *l)
{
    static const OGRwkbGeometryType types[] = {[GEOMETRY_NONE] = wkbNone,
                                               [GEOMETRY_POINT] = wkbPoint,
                                               [GEOMETRY_MULTIPOINT] = wkbMultiPoint,
                                               [GEOMETRY_POLYLINE] = wkbMultiLineString,
                                               [GEOMETRY_POLYGON] = wkbMultiPolygon};
    return l->geometry == GEOMETRY_NONE ? wkbNone : OGR_GT_SetModifier(types[l->geometry], l->has_z, l->has_m);
}

static int reference_of(struct ctx *ctx, const struct layer *l, OGRSpatialReferenceH *out)
{
    struct crs crs = {.wkid = l->latest_wkid ? l->latest_wkid : l->wkid, .wkt = l->wkt};
    struct crs_info info;
    *out = NULL;
    if (l->geometry == GEOMETRY_NONE || (crs.wkid <= 0 && str_empty(crs.wkt)))
        return RC_OK;
    TRY(crs_describe(ctx, &crs, &info));
    *out = OSRNewSpatialReference(arena_cstr(ctx->arena, info.wkt));
    if (!*out)
        return target_fail(ctx, "the spatial reference is not understood");
    OSRSetAxisMappingStrategy(*out, OAMS_TRADITIONAL_GIS_ORDER);
    return RC_OK;
}

/* ---- domains ---- */

static OGRFieldDomainH coded_domain(struct ctx *ctx, struct json d, const char *name, OGRFieldType type, OGRFieldSubType subtype)
{
    struct json codes = json_get_c(d, "codedValues"), v;
    OGRCodedValue *list = arena_array(ctx->arena, OGRCodedValue, json_count(codes) + 1);
    size_t n = 0;
    for (struct json_iter it = json_each(codes); json_next(&it, NULL, &v); n++) {
        struct json code = json_get_c(v, "code");
        str text = json_is(code, JSON_STRING) ? json_string(code, ctx->arena) : json_raw(code);
        list[n].pszCode = arena_cstr(ctx->arena, text);
        list[n].pszValue = arena_cstr(ctx->arena, json_string_or(json_get_c(v, "name"), ctx->arena, STR("")));
    }
    return OGR_CodedFldDomain_Create(name, NULL, type, subtype, list);
}

static OGRFieldDomainH range_domain(struct json d, const char *name, OGRFieldType type, OGRFieldSubType subtype)
{
    struct json range = json_get_c(d, "range");
    double ends[2];
    OGRField least, most;
    if (!json_double(json_at(range, 0), &ends[0]) || !json_double(json_at(range, 1), &ends[1]))
        return NULL;
    if (type == OFTInteger) {
        least.Integer = (int)ends[0];
        most.Integer = (int)ends[1];
    } else {
        least.Real = ends[0];
        most.Real = ends[1];
    }
    return OGR_RangeFldDomain_Create(name, NULL, type, subtype, &least, true, &most, true);
}

/* A domain of that name that is there already is the same one, of another field. */
static void add_domain(struct ctx *ctx, GDALDatasetH set, const struct field *f, OGRFieldDefnH definition)
{
    struct json d;
    OGRFieldType type = TYPES[f->type].type;
    OGRFieldSubType subtype = TYPES[f->type].subtype;
    if (!json_try_parse(ctx->arena, f->domain, &d) || !json_is(d, JSON_OBJECT) ||
        (type != OFTInteger && type != OFTReal && type != OFTString))
        return;
    str name = json_string_or(json_get_c(d, "name"), ctx->arena, f->name);
    bool coded = json_string_eq(json_get_c(d, "type"), STR("codedValue"));
    OGRFieldDomainH domain = coded               ? coded_domain(ctx, d, arena_cstr(ctx->arena, name), type, subtype)
                             : type == OFTString ? NULL
                                                 : range_domain(d, arena_cstr(ctx->arena, name), type, subtype);
    if (!domain)
        return;
    char *why = NULL;
    if (GDALDatasetGetFieldDomain(set, arena_cstr(ctx->arena, name)) || GDALDatasetAddFieldDomain(set, domain, &why))
        OGR_Fld_SetDomainName(definition, arena_cstr(ctx->arena, name));
    CPLFree(why);
    OGR_FldDomain_Destroy(domain);
}

/* ---- opening ---- */

static int add_field(struct ctx *ctx, GDALDatasetH set, bool domains, const struct field *f, OGRLayerH layer)
{
    OGRFieldDefnH d = OGR_Fld_Create(arena_cstr(ctx->arena, f->name), TYPES[f->type].type);
    OGR_Fld_SetSubType(d, TYPES[f->type].subtype);
    OGR_Fld_SetWidth(d, f->type == FIELD_STRING ? f->length : TYPES[f->type].width);
    if (!str_empty(f->alias) && !str_eq(f->alias, f->name))
        OGR_Fld_SetAlternativeName(d, arena_cstr(ctx->arena, f->alias));
    if (domains && !str_empty(f->domain))
        add_domain(ctx, set, f, d);
    CPLErrorReset();
    bool failed = OGR_L_CreateField(layer, d, true) != OGRERR_NONE;
    OGR_Fld_Destroy(d);
    return failed ? target_fail(ctx, "a field cannot be created") : RC_OK;
}

/* "GlobalID=esriFieldTypeGlobalID,…" */
static str column_types(struct ctx *ctx, const struct layer *l)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < l->field_count; i++)
        if (TYPES[l->fields[i].type].column)
            buf_printf(&b, "%s%.*s=%s", b.n ? "," : "COLUMN_TYPES=", STR_FMT(l->fields[i].name), TYPES[l->fields[i].type].column);
    return arena_str(ctx->arena, buf_str(&b));
}

static int create_layer(struct ctx *ctx, GDALDatasetH set, bool geodatabase, struct target_layer *t)
{
    const struct layer *l = t->layer;
    str oid = l->fields[l->oid_field].name, types = column_types(ctx, l);
    char *key = arena_cstr(ctx->arena, arena_printf(ctx->arena, "FID=%.*s", STR_FMT(oid)));
    char *options[] = {key, str_empty(types) ? NULL : arena_cstr(ctx->arena, types), NULL}, *none[] = {NULL};
    OGRSpatialReferenceH reference;
    TRY(reference_of(ctx, l, &reference));
    CPLErrorReset();
    t->ogr =
        GDALDatasetCreateLayer(set, arena_cstr(ctx->arena, l->name), reference, geometry_of(l), geodatabase ? options : none);
    OSRRelease(reference);
    return t->ogr ? RC_OK : target_fail(ctx, "a layer cannot be created");
}

int target_layer_open(struct ctx *ctx, GDALDatasetH set, const char *driver, const struct layer *l, struct target_layer *out,
                      struct buf *names_out)
{
    bool geodatabase = strcmp(driver, "OpenFileGDB") == 0;
    struct json_out o;
    *out = (struct target_layer){.layer = l};
    TRY(create_layer(ctx, set, geodatabase, out));
    out->columns = arena_array(ctx->arena, int, l->field_count);
    out->values = arena_array(ctx->arena, struct value, l->field_count);
    out->definition = OGR_L_GetLayerDefn(out->ogr);
    json_out_buf(&o, ctx, names_out);
    json_begin_array(&o);
    for (size_t i = 0; i < l->field_count; i++) {
        out->columns[i] = -1;
        if (geodatabase && i == l->oid_field) {
            json_put_str(&o, l->fields[i].name);
            continue;
        }
        TRY(add_field(ctx, set, geodatabase, &l->fields[i], out->ogr));
        out->columns[i] = OGR_FD_GetFieldCount(out->definition) - 1;
        json_put_str(&o, str_c(OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(out->definition, out->columns[i]))));
    }
    json_put_str(&o, str_c(OGR_L_GetName(out->ogr)));
    json_end_array(&o);
    return json_out_end(&o, "the names of fields");
}

void target_layer_close(struct target_layer *l) { *l = (struct target_layer){.ogr = NULL}; }

/* ---- rows ---- */

static void set_moment(OGRFeatureH f, int column, int64_t ms)
{
    struct clock_parts p = clock_parts_of(ms);
    if (p.year >= 0 && p.year <= 9999)
        OGR_F_SetFieldDateTimeEx(f, column, p.year, p.month, p.day, p.hour, p.minute,
                                 (float)p.second + (float)p.millisecond / 1000, 100);
}

static int set_value(struct ctx *ctx, OGRFeatureH f, int column, const struct field *field, const struct value *v)
{
    int64_t ms;
    switch (v->kind) {
    case VALUE_INT:
        if (field->type == FIELD_DATE)
            set_moment(f, column, v->i);
        else if (TYPES[field->type].type == OFTReal)
            OGR_F_SetFieldDouble(f, column, (double)v->i);
        else
            OGR_F_SetFieldInteger64(f, column, v->i);
        return RC_OK;
    case VALUE_DOUBLE:
        OGR_F_SetFieldDouble(f, column, v->d);
        return RC_OK;
    case VALUE_TEXT: {
        struct arena_mark mark = arena_mark(ctx->arena);
        if (field->type != FIELD_DATE_ONLY)
            OGR_F_SetFieldString(f, column, arena_cstr(ctx->arena, v->s));
        else if (clock_iso_parse(v->s, &ms))
            set_moment(f, column, ms);
        arena_release(ctx->arena, mark);
        return RC_OK;
    }
    case VALUE_BLOB:
        if (OGR_Fld_GetType(OGR_F_GetFieldDefnRef(f, column)) !=
            OFTBinary) /* a format without blobs has made it something else */
            return RC_OK;
        if (v->s.n > INT32_MAX)
            return err_set(ctx, &ERR_LIMIT, "a blob of more than 2 GB");
        OGR_F_SetFieldBinary(f, column, (int)v->s.n, v->s.p);
        return RC_OK;
    case VALUE_NULL:
        OGR_F_SetFieldNull(f, column);
        return RC_OK;
    }
    return RC_OK;
}

static int set_geometry(struct ctx *ctx, OGRFeatureH f, str wkb)
{
    OGRGeometryH g = NULL;
    if (str_none(wkb))
        return RC_OK;
    if (OGR_G_CreateFromWkbEx(wkb.p, NULL, &g, wkb.n) != OGRERR_NONE)
        return target_fail(ctx, "a geometry is not understood");
    if (OGR_G_IsEmpty(g)) { /* as no geometry: formats differ in what they make of it */
        OGR_G_DestroyGeometry(g);
        return RC_OK;
    }
    return OGR_F_SetGeometryDirectly(f, g) == OGRERR_NONE ? RC_OK : target_fail(ctx, "a geometry does not fit");
}

static int add_row(struct ctx *ctx, struct target_layer *t, const struct row *row)
{
    const struct layer *l = t->layer;
    OGRFeatureH f = OGR_F_Create(t->definition);
    int rc = OGR_F_SetFID(f, row->oid) == OGRERR_NONE ? RC_OK : target_fail(ctx, "an id does not fit");
    for (size_t i = 0; i < l->field_count && rc == RC_OK; i++)
        if (t->columns[i] >= 0)
            rc = set_value(ctx, f, t->columns[i], &l->fields[i], &row->values[i]);
    if (rc == RC_OK && l->geometry != GEOMETRY_NONE)
        rc = set_geometry(ctx, f, row->wkb);
    if (rc == RC_OK && OGR_L_CreateFeature(t->ogr, f) != OGRERR_NONE)
        rc = target_fail(ctx, "a row cannot be written");
    OGR_F_Destroy(f);
    return rc;
}

int target_layer_rows(struct ctx *ctx, struct target_layer *t, str batch)
{
    struct row row;
    while (batch.n) {
        if (!protocol_get_row(&batch, t->layer->field_count, t->values, &row))
            return err_set(ctx, &ERR_INVALID, "a row that cannot be read");
        t->rows++;
        if (add_row(ctx, t, &row) != RC_OK) {
            err_add(ctx, "layer %.*s, feature %lld", STR_FMT(t->layer->name), (long long)row.oid);
            return RC_FAIL;
        }
    }
    return RC_OK;
}
