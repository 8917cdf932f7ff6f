/* Items as data: field table, reading from and printing as the Sharing API's item JSON. No I/O. */
#include "model/item.h"

#include "base/num.h"

#include <math.h>

#define ITEM_FIELD_ROW(json_name, value_kind, column_name, is_packed)                                                            \
    {                                                                                                                            \
        .name = json_name, .kind = ITEM_KIND_##value_kind, .column = column_name, .packed = is_packed                            \
    }
const struct item_field_row item_fields[ITEM_FIELD_COUNT] = {
#define FIELD(member, name, kind, column, packed) ITEM_FIELD_ROW(name, kind, column, packed),
#include "model/item_fields.def"
#undef FIELD
};

enum item_field item_field_find(str name)
{
    for (unsigned i = 0; i < ITEM_FIELD_COUNT; i++)
        if (str_ieq(str_c(item_fields[i].name), name))
            return (enum item_field)i;
    return ITEM_FIELD_COUNT;
}

static const char *const access_names[] = {
    [ITEM_PRIVATE] = "private", [ITEM_SHARED] = "shared", [ITEM_ORG] = "org", [ITEM_PUBLIC] = "public"};

const char *item_access_name(enum item_access a) { return access_names[a]; }

bool item_access_parse(str s, enum item_access *out)
{
    for (unsigned i = 0; i < COUNT_OF(access_names); i++)
        if (str_ieq(str_c(access_names[i]), s)) {
            *out = (enum item_access)i;
            return true;
        }
    return false;
}

bool relationship_type_known(str type)
{
    static const char *const known[] = {"APIKey2Item",
                                        "Area2CustomPackage",
                                        "Area2Package",
                                        "Item2Attachment",
                                        "Item2Report",
                                        "Listed2Provisioned",
                                        "Map2AppConfig",
                                        "Map2Area",
                                        "Map2FeatureCollection",
                                        "Map2Service",
                                        "MobileApp2Code",
                                        "Service2Data",
                                        "Service2Layer",
                                        "Service2Route",
                                        "Service2Service",
                                        "Service2Style",
                                        "Solution2Item",
                                        "Style2Style",
                                        "Survey2Data",
                                        "Survey2Service",
                                        "SurveyAddIn2Data",
                                        "Theme2Story",
                                        "TrackView2Map",
                                        "WebStyle2DesktopStyle",
                                        "WMA2Code",
                                        "WorkforceMap2FeatureService"};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq(str_c(known[i]), type))
            return true;
    return false;
}

enum { ITEM_LIST_MAX = 1 << 20 }; /* bytes of one list field */

/* Appends the strings of a JSON array to a list, trimmed, without empty ones. */
static int list_from_array(struct ctx *ctx, struct json array, struct json_out *o)
{
    struct json_iter it = json_each(array);
    struct json element;
    while (json_next(&it, NULL, &element)) {
        if (!json_is(element, JSON_STRING))
            return err_set(ctx, &ERR_INVALID, "a list holds something that is not a string: %.*s",
                           STR_FMT(str_sub(json_raw(element), 0, 100)));
        str piece = str_trim(json_string(element, ctx->arena));
        if (!str_empty(piece))
            json_put_str(o, piece);
    }
    return RC_OK;
}

/* v: a JSON array, or absent to cut `text` at its commas. */
static int list_to_json(struct ctx *ctx, struct json v, str text, str *json_out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(ITEM_LIST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_array(&o);
    str piece;
    if (json_absent(v)) {
        while (str_split(&text, ',', &piece))
            if (!str_empty(str_trim(piece)))
                json_put_str(&o, str_trim(piece));
    } else {
        TRY(list_from_array(ctx, v, &o));
    }
    json_end_array(&o);
    TRY(json_out_end(&o, "list"));
    *json_out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

int item_list_parse(struct ctx *ctx, str text, str *json_out)
{
    struct json v = JSON_ABSENT;
    str trimmed = str_trim(text);
    if (str_starts(trimmed, STR("[")) && !json_try_parse(ctx->arena, trimmed, &v))
        v = JSON_ABSENT; /* "[old] parks, trees" is a comma list */
    return list_to_json(ctx, v, trimmed, json_out);
}

/* Web Mercator metres to degrees on the sphere that EPSG:3857 uses. */
static void mercator_to_degrees(double *x, double *y)
{
    const double radius = 6378137.0, degrees = 180.0 / M_PI;
    *x = *x / radius * degrees;
    *y = (2.0 * atan(exp(*y / radius)) - M_PI / 2.0) * degrees;
}

/* A number, also as a string; services without features have "NaN" there. */
static bool extent_number(struct ctx *ctx, struct json v, double *out)
{
    if (json_double(v, out))
        return true;
    str s = str_trim(json_string(v, ctx->arena));
    if (str_ieq(s, STR("NaN"))) {
        *out = NAN;
        return true;
    }
    return num_parse_double(s, out);
}

static bool extent_array(struct ctx *ctx, struct json v, double box[4])
{
    if (json_count(v) == 4) {
        for (size_t i = 0; i < 4; i++)
            if (!extent_number(ctx, json_at(v, i), &box[i]))
                return false;
        return true;
    }
    if (json_count(v) != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        struct json corner = json_at(v, i);
        if (!json_is(corner, JSON_ARRAY) || json_count(corner) < 2 || !extent_number(ctx, json_at(corner, 0), &box[2 * i]) ||
            !extent_number(ctx, json_at(corner, 1), &box[2 * i + 1]))
            return false;
    }
    return true;
}

static bool extent_envelope(struct ctx *ctx, struct json v, double box[4])
{
    static const char *const names[4] = {"xmin", "ymin", "xmax", "ymax"};
    for (size_t i = 0; i < 4; i++)
        if (!extent_number(ctx, json_get_c(v, names[i]), &box[i]))
            return false;
    int64_t wkid = 4326;
    json_int(json_get_c(json_get_c(v, "spatialReference"), "wkid"), &wkid);
    if (wkid == 102100 || wkid == 3857 || wkid == 102113) {
        mercator_to_degrees(&box[0], &box[1]);
        mercator_to_degrees(&box[2], &box[3]);
    } else if (wkid != 4326) {
        return false;
    }
    return true;
}

static bool extent_list(str text, double box[4])
{
    str piece;
    size_t n = 0;
    while (str_split(&text, ',', &piece)) {
        if (n == 4 || !num_parse_double(str_trim(piece), &box[n]))
            return false;
        n++;
    }
    return n == 4;
}

static str extent_text(struct arena *a, const double box[4])
{
    char number[4][NUM_DOUBLE_SIZE];
    size_t n[4];
    for (size_t i = 0; i < 4; i++) {
        if (!isfinite(box[i]))
            return STR("[]");
        n[i] = num_print_double(box[i], number[i]);
    }
    return arena_printf(a, "[[%.*s,%.*s],[%.*s,%.*s]]", (int)n[0], number[0], (int)n[1], number[1], (int)n[2], number[2],
                        (int)n[3], number[3]);
}

int item_extent_parse(struct ctx *ctx, str text, str *json_out)
{
    str trimmed = str_trim(text);
    double box[4];
    bool ok = false;
    struct json v;
    if (str_empty(trimmed)) {
        *json_out = STR("[]");
        return RC_OK;
    }
    if (trimmed.p[0] != '[' && trimmed.p[0] != '{') {
        ok = extent_list(trimmed, box);
    } else if (json_try_parse(ctx->arena, trimmed, &v)) {
        if (json_is(v, JSON_ARRAY) && json_count(v) == 0) {
            *json_out = STR("[]");
            return RC_OK;
        }
        ok = json_is(v, JSON_ARRAY) ? extent_array(ctx, v, box) : extent_envelope(ctx, v, box);
    }
    if (!ok)
        return err_set(ctx, &ERR_INVALID, "extent is neither xmin,ymin,xmax,ymax nor an envelope in WGS 84: %.*s",
                       STR_FMT(str_sub(trimmed, 0, 100)));
    *json_out = extent_text(ctx->arena, box);
    return RC_OK;
}

bool item_has_keyword(struct ctx *ctx, const struct item *it, str keyword)
{
    struct json list, element;
    if (str_empty(it->field[ITEM_TYPE_KEYWORDS]) || !json_try_parse(ctx->arena, it->field[ITEM_TYPE_KEYWORDS], &list))
        return false;
    struct json_iter iter = json_each(list);
    while (json_next(&iter, NULL, &element))
        if (str_ieq(json_string(element, ctx->arena), keyword))
            return true;
    return false;
}

/* ---- reading ---- */

static int wrong_type(struct ctx *ctx, const char *name, const char *expected)
{
    return err_set(ctx, &ERR_INVALID, "item member \"%s\" is not %s", name, expected);
}

static int field_parse(struct ctx *ctx, const struct item_field_row *row, struct json v, str *out)
{
    *out = STR("");
    if (json_absent(v) || json_is(v, JSON_NULL))
        return RC_OK;
    bool is_string = json_is(v, JSON_STRING);
    switch (row->kind) {
    case ITEM_KIND_TEXT:
        if (!is_string)
            return wrong_type(ctx, row->name, "a string");
        *out = arena_str(ctx->arena, json_string(v, ctx->arena));
        return RC_OK;
    case ITEM_KIND_LIST:
        if (is_string)
            return item_list_parse(ctx, json_string(v, ctx->arena), out);
        if (!json_is(v, JSON_ARRAY))
            return wrong_type(ctx, row->name, "a list");
        return list_to_json(ctx, v, STR_NONE, out);
    case ITEM_KIND_EXTENT:
        if (!is_string && !json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT))
            return wrong_type(ctx, row->name, "an extent");
        return item_extent_parse(ctx, is_string ? json_string(v, ctx->arena) : json_raw(v), out);
    case ITEM_KIND_JSON:
        *out = arena_str(ctx->arena, json_raw(v));
        return RC_OK;
    }
    return RC_OK;
}

/* An optional string member. */
static int string_member(struct ctx *ctx, struct json v, const char *name, str *out)
{
    struct json member = json_get_c(v, name);
    *out = STR("");
    if (json_absent(member) || json_is(member, JSON_NULL))
        return RC_OK;
    if (!json_is(member, JSON_STRING))
        return wrong_type(ctx, name, "a string");
    *out = arena_str(ctx->arena, json_string(member, ctx->arena));
    return RC_OK;
}

static int id_member(struct ctx *ctx, struct json v, const char *name, id *out)
{
    str text;
    *out = ID_NONE;
    TRY(string_member(ctx, v, name, &text));
    if (!str_empty(text) && !id_parse(text, out))
        return wrong_type(ctx, name, "an id of 32 hexadecimal digits");
    return RC_OK;
}

static int int_member(struct ctx *ctx, struct json v, const char *name, int64_t *inout)
{
    struct json member = json_get_c(v, name);
    if (json_absent(member) || json_is(member, JSON_NULL))
        return RC_OK;
    return json_int(member, inout) ? RC_OK : wrong_type(ctx, name, "a whole number");
}

int item_parse(struct ctx *ctx, struct json v, struct item *out)
{
    if (!json_is(v, JSON_OBJECT))
        return err_set(ctx, &ERR_INVALID, "an item is not a JSON object");
    struct item it = {.size = -1};
    str access;
    TRY(id_member(ctx, v, "id", &it.id));
    TRY(id_member(ctx, v, "ownerFolder", &it.folder));
    TRY(string_member(ctx, v, "owner", &it.owner));
    TRY(string_member(ctx, v, "access", &access));
    if (!str_empty(access) && !item_access_parse(access, &it.access))
        return wrong_type(ctx, "access", "private, shared, org or public");
    if (it.access == ITEM_SHARED)
        it.access = ITEM_PRIVATE; /* groups say so, not the item */
    TRY(int_member(ctx, v, "created", &it.created));
    TRY(int_member(ctx, v, "modified", &it.modified));
    TRY(int_member(ctx, v, "size", &it.size));
    TRY(int_member(ctx, v, "numViews", &it.num_views));
    it.protected = json_bool(json_get_c(v, "protected"), false);
    for (unsigned i = 0; i < ITEM_FIELD_COUNT; i++)
        TRY(field_parse(ctx, &item_fields[i], json_get_c(v, item_fields[i].name), &it.field[i]));
    *out = it;
    return RC_OK;
}

/* ---- as given ---- */

void item_given_print(struct json_out *o, const str field[ITEM_FIELD_COUNT])
{
    json_begin_object(o);
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++)
        if (!str_none(field[f]))
            json_member_str(o, item_fields[f].name, field[f]);
    json_end_object(o);
}

void item_given_parse(struct arena *a, struct json v, str field[ITEM_FIELD_COUNT])
{
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++)
        field[f] = json_string(json_get_c(v, item_fields[f].name), a);
}

/* ---- printing ---- */

static void field_print(struct json_out *o, const struct item *it, enum item_field f)
{
    const struct item_field_row *row = &item_fields[f];
    str value = it->field[f];
    bool unset = str_empty(value);
    if (row->kind == ITEM_KIND_TEXT)
        json_member_str(o, row->name, unset ? STR_NONE : value);
    else if (unset && row->kind == ITEM_KIND_JSON)
        json_member_null(o, row->name);
    else
        json_member_raw(o, row->name, unset ? STR("[]") : value);
}

static void fields_print(struct json_out *o, const struct item *it, enum item_field first, enum item_field last)
{
    for (enum item_field f = first; f <= last; f++)
        field_print(o, it, f);
}

/* How much of what describes an item to a reader is there, in percent. */
static int64_t score_completeness(const struct item *it)
{
    static const enum item_field described[] = {
        ITEM_TITLE, ITEM_SNIPPET, ITEM_DESCRIPTION, ITEM_TAGS, ITEM_THUMBNAIL, ITEM_ACCESS_INFORMATION, ITEM_LICENSE_INFO};
    int64_t set = 0;
    for (size_t i = 0; i < COUNT_OF(described); i++) {
        str value = it->field[described[i]];
        set += !str_empty(value) && !str_eq(value, STR("[]"));
    }
    return set * 100 / (int64_t)COUNT_OF(described);
}

static void single_print(struct json_out *o, const struct item *it, const struct item_print_opts *opts)
{
    json_member_str(o, "ownerFolder", id_none(it->folder) ? STR_NONE : id_str(&it->folder));
    json_member_bool(o, "protected", it->protected);
    json_member_c(o, "itemControl", opts->item_control ? opts->item_control : "view");
    json_member_bool(o, "commentsEnabled", !it->comments_disabled);
    json_member_bool(o, "isOrgItem", true);
}

void item_print(struct json_out *o, const struct item *it, const struct item_print_opts *opts)
{
    bool shared = opts->has_groups && it->access == ITEM_PRIVATE;
    json_begin_object(o);
    json_member_str(o, "id", id_str(&it->id));
    json_member_str(o, "owner", it->owner);
    json_member_str(o, "orgId", opts->org_id);
    json_member_int(o, "created", it->created);
    json_member_int(o, "modified", it->modified);
    json_member_null(o, "guid");
    fields_print(o, it, ITEM_NAME, ITEM_PROXY_FILTER);
    json_member_c(o, "access", item_access_name(shared ? ITEM_SHARED : it->access));
    json_member_int(o, "size", it->size);
    fields_print(o, it, ITEM_APP_CATEGORIES, ITEM_SCREENSHOTS);
    json_member_bool(o, "listed", false);
    json_member_int(o, "numComments", it->num_comments);
    json_member_int(o, "numRatings", it->num_ratings);
    json_member_double(o, "avgRating", it->avg_rating);
    json_member_int(o, "numViews", it->num_views);
    json_member_int(o, "scoreCompleteness", score_completeness(it));
    json_member_null(o, "groupDesignations");
    json_member_int(o, "lastViewed", it->last_viewed ? it->last_viewed : -1);
    fields_print(o, it, ITEM_CONTENT_STATUS, ITEM_CLASSIFICATION);
    if (opts->single)
        single_print(o, it, opts);
    json_end_object(o);
}
