/* What the layers of a file are: their fields as a service has them, their one kind of geometry, their spatial reference. Files
 * declare this more or less well, so the rows decide: how long the texts are, whether identifiers are ones, which kinds of
 * geometry there are. */
#include "base/num.h"
#include "convert/convert.h"
#include "convert/helper/source.h"
#include <cpl_conv.h>
#include <ogr_srs_api.h>

enum { FIELDS_MAX = 500, MATCH_LEAST = 90 };

/* ---- spatial references ---- */
static bool by_authority(OGRSpatialReferenceH srs, int32_t *wkid_out)
{
    str authority = str_c(OSRGetAuthorityName(srs, NULL)), code = str_c(OSRGetAuthorityCode(srs, NULL));
    int64_t number;
    if (str_ieq(authority, STR("OGC")) && str_ieq(code, STR("CRS84"))) {
        *wkid_out = CRS_WGS84;
        return true;
    }
    if (!(str_ieq(authority, STR("EPSG")) || str_ieq(authority, STR("ESRI"))) || !num_parse_int(code, &number) || number < 1 ||
        number > INT32_MAX)
        return false;
    *wkid_out = (int32_t)number;
    return true;
}

static bool by_match(OGRSpatialReferenceH srs, int32_t *wkid_out)
{
    int count = 0, *confidence = NULL;
    OGRSpatialReferenceH *matches = OSRFindMatches(srs, NULL, &count, &confidence);
    bool found = count > 0 && confidence[0] >= MATCH_LEAST && by_authority(matches[0], wkid_out);
    OSRFreeSRSArray(matches);
    CPLFree(confidence);
    return found;
}

static struct crs crs_of(struct ctx *ctx, OGRSpatialReferenceH srs)
{
    struct crs crs = {.wkt = STR("")};
    if (!srs || by_authority(srs, &crs.wkid) || by_match(srs, &crs.wkid))
        return crs;
    char *text = NULL;
    const char *options[] = {"FORMAT=WKT1_ESRI", NULL};
    if (OSRExportToWktEx(srs, &text, options) == OGRERR_NONE)
        crs.wkt = arena_str(ctx->arena, str_c(text));
    CPLFree(text);
    return crs;
}

/* ---- fields ---- */
static bool type_of(OGRFieldDefnH f, enum field_type *out)
{
    OGRFieldSubType sub = OGR_Fld_GetSubType(f);
    switch (OGR_Fld_GetType(f)) {
    case OFTInteger:
        *out = sub == OFSTBoolean || sub == OFSTInt16 ? FIELD_SMALL_INTEGER : FIELD_INTEGER;
        return true;
    case OFTInteger64:
        *out = FIELD_BIG_INTEGER;
        return true;
    case OFTReal:
        *out = sub == OFSTFloat32 ? FIELD_SINGLE : FIELD_DOUBLE;
        return true;
    case OFTString:
        *out = FIELD_STRING;
        return true;
    case OFTDate:
        *out = FIELD_DATE_ONLY;
        return true;
    case OFTTime:
        *out = FIELD_TIME_ONLY;
        return true;
    case OFTDateTime:
        *out = FIELD_DATE;
        return true;
    default:
        return false;
    }
}

static bool field_taken(const void *arg, str name)
{
    const struct source_layer *l = arg;
    for (size_t i = 0; i < l->field_count; i++)
        if (str_ieq(l->fields[i].field.name, name))
            return true;
    return false;
}

void source_tell(struct ctx *ctx, struct source *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str text = arena_vprintf(ctx->arena, fmt, args);
    va_end(args);
    if (s->messages.n)
        buf_add_char(&s->messages, ',');
    json_escape(&s->messages, text);
}

static void leave_out(struct ctx *ctx, struct source *s, const struct source_layer *l, str column, const char *why)
{
    source_tell(ctx, s, "Layer %.*s: column %.*s was left out: %s.", STR_FMT(l->name), STR_FMT(column), why);
}

void source_add_oid(struct ctx *ctx, struct source_layer *l, size_t capacity)
{
    l->fields = arena_array(ctx->arena, struct source_field, capacity + 1);
    l->fields[l->field_count++] = (struct source_field){
        .index = SOURCE_OID, .field = {.name = STR("OBJECTID"), .alias = STR("OBJECTID"), .type = FIELD_OID}};
}

struct source_field *source_add_field(struct ctx *ctx, struct source *s, struct source_layer *l, str name, str alias)
{
    if (l->field_count >= FIELDS_MAX) {
        leave_out(ctx, s, l, name, "there are too many");
        return NULL;
    }
    struct source_field *f = &l->fields[l->field_count];
    *f = (struct source_field){.field = {.nullable = true, .editable = true}};
    f->field.alias = arena_str(ctx->arena, alias.n ? alias : name);
    f->field.name = source_field_name(ctx, name, field_taken, l);
    l->field_count++;
    return f;
}

static void add_fields(struct ctx *ctx, struct source *s, struct source_layer *l)
{
    OGRFeatureDefnH columns = OGR_L_GetLayerDefn(l->ogr);
    int count = OGR_FD_GetFieldCount(columns);
    source_add_oid(ctx, l, (size_t)count);
    for (int i = 0; i < count; i++) {
        OGRFieldDefnH column = OGR_FD_GetFieldDefn(columns, i);
        str name = str_c(OGR_Fld_GetNameRef(column));
        enum field_type type;
        if (!type_of(column, &type)) {
            leave_out(ctx, s, l, name, "values of its type have no place in a layer");
            continue;
        }
        struct source_field *f = source_add_field(ctx, s, l, name, str_c(OGR_Fld_GetAlternativeNameRef(column)));
        if (!f)
            continue;
        f->index = i;
        f->field.type = f->native = type;
        f->form = GUESS_TEXT;
        f->field.domain = source_domain(ctx, s, column, type);
        f->field.length = type == FIELD_STRING ? OGR_Fld_GetWidth(column) : 0;
    }
}

/* ---- what the rows say ---- */
struct layer_facts {
    struct source_facts *columns;
    bool kinds[GEOMETRY_POLYGON + 1];
    bool has_z, has_m, odd_oid;
    int64_t rows;
};

static int note_row(struct ctx *ctx, struct source_layer *l, struct layer_facts *facts, const struct row *row)
{
    facts->rows++;
    facts->odd_oid |= row->oid <= 0;
    for (size_t i = 0; i < l->field_count; i++) {
        const struct value *v = &row->values[i];
        if (v->kind == VALUE_TEXT && l->fields[i].field.type == FIELD_STRING)
            source_facts_note(&facts->columns[i], &l->fields[i], v->s);
    }
    if (str_none(row->wkb))
        return RC_OK;
    struct wkb_form form;
    struct envelope box;
    TRY(wkb_measure(ctx, row->wkb, &form, &box, NULL));
    facts->kinds[form.type] = true;
    facts->has_z |= form.has_z;
    facts->has_m |= form.has_m;
    if (!envelope_empty(&box)) {
        envelope_add(&l->box, box.xmin, box.ymin);
        envelope_add(&l->box, box.xmax, box.ymax);
    }
    return RC_OK;
}

static int read_rows(struct ctx *ctx, struct source_layer *l, struct layer_facts *facts)
{
    CLEANUP(source_rows_close) struct source_rows rows = {.layer = NULL};
    struct row row;
    int rc;
    TRY(source_rows_open(ctx, l, NULL, 0, &rows));
    while ((rc = source_rows_next(ctx, &rows, &row)) == RC_OK) {
        rc = note_row(ctx, l, facts, &row);
        if (rc != RC_OK) {
            err_add(ctx, "layer %.*s, row %lld", STR_FMT(l->name), (long long)rows.count);
            return rc;
        }
    }
    return rc == RC_END ? RC_OK : rc;
}

/* ---- deciding ---- */
static enum geometry_type declared_kind(OGRLayerH ogr)
{
    switch (OGR_GT_Flatten(OGR_GT_GetLinear(OGR_L_GetGeomType(ogr)))) {
    case wkbPoint:
        return GEOMETRY_POINT;
    case wkbMultiPoint:
        return GEOMETRY_MULTIPOINT;
    case wkbLineString:
    case wkbMultiLineString:
        return GEOMETRY_POLYLINE;
    case wkbPolygon:
    case wkbMultiPolygon:
        return GEOMETRY_POLYGON;
    default:
        return GEOMETRY_NONE;
    }
}

static int decide_geometry(struct ctx *ctx, struct source_layer *l, struct layer_facts *facts)
{
    enum geometry_type declared = declared_kind(l->ogr);
    bool points = facts->kinds[GEOMETRY_POINT] || facts->kinds[GEOMETRY_MULTIPOINT];
    int kinds = points + facts->kinds[GEOMETRY_POLYLINE] + facts->kinds[GEOMETRY_POLYGON];
    if (kinds > 1)
        return err_set(ctx, &ERR_INVALID, "layer %.*s mixes%s%s%s: a layer holds one kind of geometry", STR_FMT(l->name),
                       points ? " points" : "", facts->kinds[GEOMETRY_POLYLINE] ? " lines" : "",
                       facts->kinds[GEOMETRY_POLYGON] ? " polygons" : "");
    l->geometry = declared;
    if (facts->kinds[GEOMETRY_POLYLINE])
        l->geometry = GEOMETRY_POLYLINE;
    else if (facts->kinds[GEOMETRY_POLYGON])
        l->geometry = GEOMETRY_POLYGON;
    else if (facts->kinds[GEOMETRY_MULTIPOINT])
        l->geometry = GEOMETRY_MULTIPOINT;
    else if (points && declared != GEOMETRY_MULTIPOINT)
        l->geometry = GEOMETRY_POINT;
    l->has_z = facts->has_z;
    l->has_m = facts->has_m;
    return RC_OK;
}

static bool is_declared_guid(const struct source_layer *l, const struct source_field *f)
{
    return f->index >= 0 && OGR_Fld_GetSubType(OGR_FD_GetFieldDefn(OGR_L_GetLayerDefn(l->ogr), f->index)) == OFSTUUID;
}

void source_aim(struct ctx *ctx, struct source *s, struct source_layer *l, struct crs crs)
{
    struct crs_info info = {.geographic = true};
    if (crs_describe(ctx, &crs, &info) != RC_OK)
        err_clear(ctx);
    l->degrees = info.geographic;
    l->crs = l->target = crs;
    if (s->options.target_wkid && (l->crs.wkid || l->crs.wkt.n))
        l->target = (struct crs){.wkid = s->options.target_wkid, .wkt = STR("")};
    l->moves = !crs_same(&l->crs, &l->target);
}

/* Sheets have no geometry, but may have columns of coordinates. */
static int find_place(struct ctx *ctx, struct source *s, struct source_layer *l)
{
    OGRFeatureDefnH columns = OGR_L_GetLayerDefn(l->ogr);
    size_t count = (size_t)OGR_FD_GetFieldCount(columns);
    str *names = arena_array(ctx->arena, str, count);
    bool *numbers = arena_array(ctx->arena, bool, count);
    for (size_t i = 0; i < count; i++) {
        OGRFieldDefnH column = OGR_FD_GetFieldDefn(columns, (int)i);
        names[i] = arena_str(ctx->arena, str_c(OGR_Fld_GetNameRef(column)));
        numbers[i] = OGR_Fld_GetType(column) == OFTReal || OGR_Fld_GetType(column) == OFTInteger;
    }
    TRY(source_place_find(ctx, s, names, numbers, count, &l->place));
    bool points = l->place.x >= 0;
    buf_clear(&s->found);
    buf_printf(&s->found, "\"type\":\"excel\",\"locationType\":\"%s\"", points ? "coordinates" : "none");
    if (!points)
        return RC_OK;
    buf_add(&s->found, STR(",\"coordinateFieldType\":\"LatitudeAndLongitude\",\"latitudeFieldName\":"));
    json_escape(&s->found, names[l->place.y]);
    buf_add(&s->found, STR(",\"longitudeFieldName\":"));
    json_escape(&s->found, names[l->place.x]);
    l->geometry = GEOMETRY_POINT;
    source_aim(ctx, s, l, l->place.crs);
    return RC_OK;
}

static int describe_layer(struct ctx *ctx, struct source *s, struct source_layer *l)
{
    struct layer_facts facts = {.columns = NULL};
    TRY(source_check_integers(ctx, s, l));
    add_fields(ctx, s, l);
    l->geometry = OGR_L_GetGeomType(l->ogr) == wkbNone ? GEOMETRY_NONE : GEOMETRY_POINT; /* any, until the rows were seen */
    source_aim(ctx, s, l, crs_of(ctx, OGR_L_GetSpatialRef(l->ogr)));
    if (s->options.format == CONVERT_EXCEL)
        TRY(find_place(ctx, s, l));
    facts.columns = arena_array(ctx->arena, struct source_facts, l->field_count);
    int rc = read_rows(ctx, l, &facts);
    rc = rc != RC_OK || l->geometry == GEOMETRY_NONE || l->place.x >= 0 ? rc : decide_geometry(ctx, l, &facts);
    for (size_t i = 0; i < l->field_count; i++) {
        source_facts_decide(&facts.columns[i], &l->fields[i], facts.rows, is_declared_guid(l, &l->fields[i]));
        l->fields[i].native = l->fields[i].field.type;
    }
    l->numbered |= facts.odd_oid;
    return rc;
}

struct layer_list {
    const struct source_layer *layers;
    size_t count;
};

static bool layer_taken(const void *arg, str name)
{
    const struct layer_list *list = arg;
    for (size_t i = 0; i < list->count; i++)
        if (str_ieq(list->layers[i].name, name))
            return true;
    return false;
}

/* Layers with geometry before tables, each in the file's order. */
static void sort_layers(struct ctx *ctx, struct source *s)
{
    struct source_layer *sorted = arena_array(ctx->arena, struct source_layer, s->layer_count);
    size_t n = 0;
    for (int tables = 0; tables < 2; tables++)
        for (size_t i = 0; i < s->layer_count; i++)
            if ((s->layers[i].geometry == GEOMETRY_NONE) == tables)
                sorted[n++] = s->layers[i];
    s->layers = sorted;
}

int source_describe(struct ctx *ctx, struct source *s)
{
    if (s->described)
        return RC_OK;
    for (size_t i = 0; i < s->layer_count; i++) {
        const struct layer_list before = {.layers = s->layers, .count = i};
        s->layers[i].name = source_layer_name(ctx, s->layers[i].name, layer_taken, &before);
        s->layers[i].box = ENVELOPE_EMPTY;
        TRY(s->reader ? s->reader->describe(ctx, s, &s->layers[i]) : describe_layer(ctx, s, &s->layers[i]));
        TRY(source_choose(ctx, s, &s->layers[i]));
    }
    sort_layers(ctx, s);
    s->described = true;
    return RC_OK;
}
