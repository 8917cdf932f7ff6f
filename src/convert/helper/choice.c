/* What publishParameters ask of a layer (api.md 2.3): which fields, as which types, and where its rows lie. */
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "convert/helper/source.h"
#include "model/geometry/esri_json.h"
#include <math.h>

/* ---- values as another type ---- */

static bool cast_integer(const struct source_field *f, struct value *v, char *space)
{
    char iso[CLOCK_ISO_SIZE];
    switch (f->field.type) {
    case FIELD_INTEGER:
    case FIELD_SMALL_INTEGER:
    case FIELD_BIG_INTEGER:
        return true;
    case FIELD_DOUBLE:
    case FIELD_SINGLE:
        *v = (struct value){.kind = VALUE_DOUBLE, .d = (double)v->i};
        return true;
    case FIELD_DATE: /* numbers are milliseconds */
        return true;
    case FIELD_STRING:
        if (f->native == FIELD_DATE) {
            if (!clock_iso_print(v->i, iso))
                return false;
            memcpy(space, iso, CLOCK_ISO_SIZE);
            *v = (struct value){.kind = VALUE_TEXT, .s = str_of(space, CLOCK_ISO_SIZE - 1)};
            return true;
        }
        *v = (struct value){.kind = VALUE_TEXT, .s = str_of(space, num_print_int(v->i, space))};
        return true;
    case FIELD_DATE_ONLY:
        if (f->native != FIELD_DATE || !clock_iso_print(v->i, iso))
            return false;
        memcpy(space, iso, CLOCK_ISO_SIZE);
        *v = (struct value){.kind = VALUE_TEXT, .s = str_of(space, strlen("YYYY-MM-DD"))};
        return true;
    default:
        return false;
    }
}

static bool cast_double(const struct source_field *f, struct value *v, char *space)
{
    switch (f->field.type) {
    case FIELD_DOUBLE:
    case FIELD_SINGLE:
        return true;
    case FIELD_INTEGER:
    case FIELD_SMALL_INTEGER:
    case FIELD_BIG_INTEGER:
    case FIELD_DATE:
        if (v->d != floor(v->d) || fabs(v->d) > 9e15)
            return false;
        *v = (struct value){.kind = VALUE_INT, .i = (int64_t)v->d};
        return true;
    case FIELD_STRING:
        *v = (struct value){.kind = VALUE_TEXT, .s = str_of(space, num_print_double(v->d, space))};
        return true;
    default:
        return false;
    }
}

bool source_cast(const struct source_field *f, struct value *v, char space[SOURCE_TEXT_SIZE])
{
    if (f->field.type == f->native || v->kind == VALUE_NULL)
        return true;
    if (v->kind == VALUE_INT)
        return cast_integer(f, v, space);
    if (v->kind == VALUE_DOUBLE)
        return cast_double(f, v, space);
    if (v->kind != VALUE_TEXT)
        return false;
    if (f->field.type != FIELD_STRING && str_trim(v->s).n == 0) {
        v->kind = VALUE_NULL;
        return true;
    }
    str text = v->s;
    return guess_value(text, f->field.type, f->form, space, v);
}

/* ---- fields ---- */

static struct json find_wish(struct ctx *ctx, struct json fields, str name)
{
    struct json v, found = JSON_ABSENT;
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);)
        if (str_ieq(json_string_or(json_get_c(v, "name"), ctx->arena, STR("")), name))
            found = v;
    return found;
}

static int wish_field(struct ctx *ctx, const struct source_layer *l, struct json wish, struct source_field *f)
{
    str type = json_string_or(json_get_c(wish, "type"), ctx->arena, STR(""));
    enum field_type wanted = f->field.type;
    int64_t length;
    if (type.n && !field_type_parse(type, &wanted))
        return err_set(ctx, &ERR_INVALID, "layerInfo: field %.*s has the type '%.*s', which is none", STR_FMT(f->field.name),
                       STR_FMT(type));
    if (wanted != f->field.type) {
        if (wanted == FIELD_OID || wanted == FIELD_BLOB || (wanted == FIELD_GLOBALID))
            return err_set(ctx, &ERR_INVALID, "layerInfo: field %.*s of layer %.*s cannot become %s", STR_FMT(f->field.name),
                           STR_FMT(l->name), field_type_name(wanted));
        f->field.type = wanted;
        f->field.nullable = f->field.editable = true;
        f->field.length = wanted == FIELD_STRING ? 256 : 0;
    }
    if (f->field.type == FIELD_STRING && json_int(json_get_c(wish, "length"), &length) && length > 0 && length < INT32_MAX)
        f->field.length = (int32_t)length;
    str alias = json_string_or(json_get_c(wish, "alias"), ctx->arena, STR(""));
    f->field.alias = alias.n ? alias : f->field.alias;
    return RC_OK;
}

static bool is_field(const struct source_layer *l, str name)
{
    for (size_t i = 0; i < l->field_count; i++)
        if (str_ieq(l->fields[i].field.name, name))
            return true;
    return false;
}

/* Names in layerInfo that the file does not have, but for ids, which the portal gives. */
static int check_names(struct ctx *ctx, const struct source_layer *l, struct json fields)
{
    struct json v;
    for (struct json_iter it = json_each(fields); json_next(&it, NULL, &v);) {
        enum field_type type = FIELD_STRING;
        str name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        if (name.n == 0)
            return err_set(ctx, &ERR_INVALID, "layerInfo: a field without a name");
        field_type_parse(json_string_or(json_get_c(v, "type"), ctx->arena, STR("")), &type);
        if (type != FIELD_OID && !is_field(l, name))
            return err_set(ctx, &ERR_INVALID, "layerInfo: layer %.*s of the file has no field %.*s", STR_FMT(l->name),
                           STR_FMT(name));
    }
    return RC_OK;
}

/* layerInfo is about a file's only layer, or about that of its name. */
static struct json layer_wish(struct ctx *ctx, const struct source *s, const struct source_layer *l)
{
    struct json info = json_get_c(s->parameters, "layerInfo");
    str name = json_string_or(json_get_c(info, "name"), ctx->arena, STR(""));
    return s->layer_count == 1 || str_ieq(name, l->name) ? info : JSON_ABSENT;
}

int source_choose(struct ctx *ctx, struct source *s, struct source_layer *l)
{
    struct json info = layer_wish(ctx, s, l), fields = json_get_c(info, "fields");
    str name = str_trim(json_string_or(json_get_c(info, "name"), ctx->arena, STR("")));
    if (name.n)
        l->name = name;
    if (json_absent(fields) || json_count(fields) == 0)
        return RC_OK;
    TRY(check_names(ctx, l, fields));
    size_t kept = 1;
    for (size_t i = 1; i < l->field_count; i++) {
        struct json wish = find_wish(ctx, fields, l->fields[i].field.name);
        if (json_absent(wish))
            continue;
        TRY(wish_field(ctx, l, wish, &l->fields[i]));
        l->fields[kept++] = l->fields[i];
    }
    l->field_count = kept;
    return RC_OK;
}

/* ---- where rows lie ---- */

/* As people call them, in the order of preference; compared in lower case without signs and spaces. */
static const char *const LATITUDES[] = {
    "lat",    "latitude",        "latitud", "latitudine", "breite",    "breitengrad", "geobreite", "latdd", "latwgs84",
    "latdec", "decimallatitude", "širina",  "szerokość",  "szelesseg", "enlem",       "широта",    "纬度",  "緯度",
    "위도",   "pointy",          "ycoord",  "coordy",     "gpslat",    "gpslatitude", "y",
};
static const char *const LONGITUDES[] = {
    "lon",      "lng",          "long",   "longitude", "longitud", "longitudine",      "länge",  "laenge",  "längengrad",
    "geolänge", "londd",        "longdd", "lonwgs84",  "londec",   "decimallongitude", "dužina", "długość", "hosszusag",
    "boylam",   "долгота",      "经度",   "経度",      "경도",     "pointx",           "xcoord", "coordx",  "gpslon",
    "gpslong",  "gpslongitude", "x",
};

static str plain_name(struct ctx *ctx, str name)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    str folded = utf8_fold(ctx->arena, name);
    for (size_t i = 0; i < folded.n; i++) {
        unsigned char c = (unsigned char)folded.p[i];
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            buf_add_char(&b, (char)c);
    }
    return arena_str(ctx->arena, buf_str(&b));
}

static int find_word(struct ctx *ctx, const str *names, const bool *numbers, size_t count, const char *const *words, size_t n)
{
    for (size_t w = 0; w < n; w++)
        for (size_t i = 0; i < count; i++)
            if (numbers[i] && str_eq(plain_name(ctx, names[i]), str_c(words[w])))
                return (int)i;
    return -1;
}

/* A column by the name it has in the file, or by that of its field. */
static int find_named(struct ctx *ctx, str wanted, const str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_ieq(str_trim(names[i]), wanted))
            return (int)i;
    for (size_t i = 0; i < count; i++)
        if (str_eq(plain_name(ctx, names[i]), plain_name(ctx, wanted)))
            return (int)i;
    return -1;
}

static int named_column(struct ctx *ctx, const struct source *s, const char *parameter, const str *names, size_t count, int *out)
{
    str wanted = str_trim(json_string_or(json_get_c(s->parameters, parameter), ctx->arena, STR("")));
    *out = -1;
    if (wanted.n == 0)
        return RC_OK;
    *out = find_named(ctx, wanted, names, count);
    return *out >= 0 ? RC_OK : err_set(ctx, &ERR_INVALID, "%s: the file has no column '%.*s'", parameter, STR_FMT(wanted));
}

static int source_reference(struct ctx *ctx, const struct source *s, struct crs *out)
{
    struct json v = json_get_c(s->parameters, "sourceSR");
    *out = (struct crs){.wkid = CRS_WGS84, .wkt = STR("")};
    if (json_absent(v) || json_is(v, JSON_NULL) || (json_is(v, JSON_OBJECT) && json_count(v) == 0))
        return RC_OK;
    return esri_json_parse_crs(ctx->arena, v, out) ? RC_OK : err_set(ctx, &ERR_INVALID, "sourceSR is no spatial reference");
}

static int check_location(struct ctx *ctx, str type)
{
    if (str_ieq(type, STR("address")) || str_ieq(type, STR("lookup")))
        return err_set(ctx, &ERR_INVALID,
                       "locationType '%.*s' needs a geocoder, which this portal does not have: give columns of coordinates, or "
                       "'none' for a table",
                       STR_FMT(type));
    if (type.n && !str_ieq(type, STR("coordinates")) && !str_ieq(type, STR("none")) && !str_ieq(type, STR("unknown")))
        return err_set(ctx, &ERR_INVALID, "locationType '%.*s' is none: coordinates and none are", STR_FMT(type));
    return RC_OK;
}

int source_place_find(struct ctx *ctx, struct source *s, const str *names, const bool *numbers, size_t count,
                      struct source_place *out)
{
    str type = str_trim(json_string_or(json_get_c(s->parameters, "locationType"), ctx->arena, STR("")));
    str form = json_string_or(json_get_c(s->parameters, "coordinateFieldType"), ctx->arena, STR(""));
    *out = (struct source_place){.x = -1, .y = -1};
    TRY(check_location(ctx, type));
    TRY(source_reference(ctx, s, &out->crs));
    if (str_ieq(type, STR("none")))
        return RC_OK;
    if (form.n && !str_ieq(form, STR("LatitudeAndLongitude")))
        return err_set(ctx, &ERR_INVALID, "coordinateFieldType '%.*s' is not read: LatitudeAndLongitude is", STR_FMT(form));
    TRY(named_column(ctx, s, "latitudeFieldName", names, count, &out->y));
    TRY(named_column(ctx, s, "longitudeFieldName", names, count, &out->x));
    if ((out->x < 0) != (out->y < 0))
        return err_set(ctx, &ERR_INVALID, "latitudeFieldName and longitudeFieldName are given together, or not at all");
    out->given = out->x >= 0;
    if (out->given)
        return RC_OK;
    out->y = find_word(ctx, names, numbers, count, LATITUDES, COUNT_OF(LATITUDES));
    out->x = find_word(ctx, names, numbers, count, LONGITUDES, COUNT_OF(LONGITUDES));
    if (out->x >= 0 && out->y >= 0)
        return RC_OK;
    if (str_ieq(type, STR("coordinates")))
        return err_set(ctx, &ERR_INVALID,
                       "locationType 'coordinates': no columns of latitude and longitude are found; name them in "
                       "latitudeFieldName and longitudeFieldName");
    out->x = out->y = -1;
    return RC_OK;
}
