/* Features from JSON into typed rows, and adding them. What a feature has wrong is told in its own result. */
#include "service/hosted_private.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "model/geometry/esri_json.h"

enum { FEATURES_MAX = 1000000, GEOMETRY_MAX = 512 << 20, CODE_INSERT = 1000, CODE_ROLLBACK = 1003 };

struct edit {
    const struct layer *layer;
    struct json *defaults; /* of the fields, parsed; absent: none */
    struct wkb_form form;
    struct crs crs;
    const struct caller *caller;
    size_t tracking[4]; /* fields of creation date, creator, edit date, editor; SIZE_MAX none */
    int64_t now;
};

/* ---- values ---- */

static int refuse(struct ctx *ctx, const struct field *f, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "Field '%.*s': %s.", STR_FMT(f->name), what);
}

static int integer_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    int64_t most = f->type == FIELD_SMALL_INTEGER ? INT16_MAX : f->type == FIELD_INTEGER ? INT32_MAX : INT64_MAX;
    out->kind = VALUE_INT;
    bool ok = json_int(v, &out->i) || (json_is(v, JSON_STRING) && num_parse_int(str_trim(json_string(v, ctx->arena)), &out->i));
    if (!ok)
        return refuse(ctx, f, "an integer is expected");
    if (out->i > most || out->i < -most - 1)
        return refuse(ctx, f, "the number is outside of the range of the field");
    return RC_OK;
}

static int double_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    out->kind = VALUE_DOUBLE;
    bool ok =
        json_double(v, &out->d) || (json_is(v, JSON_STRING) && num_parse_double(str_trim(json_string(v, ctx->arena)), &out->d));
    return ok ? RC_OK : refuse(ctx, f, "a number is expected");
}

static int date_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    double ms;
    char text[CLOCK_ISO_SIZE];
    out->kind = VALUE_INT;
    bool ok = json_int(v, &out->i);
    if (!ok && json_double(v, &ms) && fabs(ms) < 1e15) {
        out->i = (int64_t)ms;
        ok = true;
    }
    if (!ok && json_is(v, JSON_STRING))
        ok = clock_iso_parse(str_trim(json_string(v, ctx->arena)), &out->i);
    if (!ok)
        return refuse(ctx, f, "milliseconds since 1970 or an ISO 8601 date are expected");
    return clock_iso_print(out->i, text) ? RC_OK : refuse(ctx, f, "the date is outside of the years 0 to 9999");
}

static int text_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    out->kind = VALUE_TEXT;
    if (json_is(v, JSON_STRING))
        out->s = json_string(v, ctx->arena);
    else if (json_is(v, JSON_NUMBER))
        out->s = json_raw(v);
    else
        return refuse(ctx, f, "a text is expected");
    if (!utf8_valid(out->s))
        return refuse(ctx, f, "the text is not valid");
    if (f->length > 0 && out->s.n > (size_t)f->length && utf8_length(out->s) > (size_t)f->length)
        return err_set(ctx, &ERR_INVALID, "Field '%.*s': the text is longer than %d characters.", STR_FMT(f->name), f->length);
    return RC_OK;
}

static int guid_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    char text[GUID_SIZE + 1];
    if (!json_is(v, JSON_STRING) || !guid_parse(json_string(v, ctx->arena), text))
        return refuse(ctx, f, "a GUID is expected");
    *out = (struct value){.kind = VALUE_TEXT, .s = arena_str(ctx->arena, str_of(text, GUID_SIZE))};
    return RC_OK;
}

static int no_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    (void)v, (void)out;
    return refuse(ctx, f, "values of this type cannot be set");
}

static int (*const converters[FIELD_TYPE_COUNT])(struct ctx *, const struct field *, struct json, struct value *) = {
    [FIELD_OID] = no_value,
    [FIELD_GLOBALID] = guid_value,
    [FIELD_GUID] = guid_value,
    [FIELD_STRING] = text_value,
    [FIELD_INTEGER] = integer_value,
    [FIELD_SMALL_INTEGER] = integer_value,
    [FIELD_BIG_INTEGER] = integer_value,
    [FIELD_DOUBLE] = double_value,
    [FIELD_SINGLE] = double_value,
    [FIELD_DATE] = date_value,
    [FIELD_DATE_ONLY] = text_value,
    [FIELD_TIME_ONLY] = text_value,
    [FIELD_TIMESTAMP_OFFSET] = text_value,
    [FIELD_BLOB] = no_value,
    [FIELD_XML] = text_value,
};

/* ---- rows ---- */

static struct value new_guid(struct ctx *ctx)
{
    char text[GUID_SIZE + 1];
    guid_new(text);
    return (struct value){.kind = VALUE_TEXT, .s = arena_str(ctx->arena, str_of(text, GUID_SIZE))};
}

/* Names are looked up from the attributes, each once; what the layer has no field for is ignored, as real servers do. */
static int fill_values(struct ctx *ctx, const struct edit *e, struct json attributes, struct row *row)
{
    const struct layer *l = e->layer;
    struct json name, v;
    bool *set = arena_array(ctx->arena, bool, l->field_count);
    for (struct json_iter it = json_each(attributes); json_next(&it, &name, &v);) {
        size_t index;
        const struct field *f = layer_field(l, json_string(name, ctx->arena), &index);
        if (!f || f->type == FIELD_OID || f->type == FIELD_GLOBALID)
            continue;
        set[index] = true;
        row->values[index] = (struct value){.kind = VALUE_NULL};
        if (!json_is(v, JSON_NULL))
            TRY(converters[f->type](ctx, f, v, &row->values[index]));
    }
    for (size_t i = 0; i < l->field_count; i++) {
        const struct field *f = &l->fields[i];
        if (f->type == FIELD_GLOBALID)
            row->values[i] = new_guid(ctx);
        else if (!set[i] && !json_absent(e->defaults[i]))
            TRY(converters[f->type](ctx, f, e->defaults[i], &row->values[i]));
    }
    return RC_OK;
}

static void track(const struct edit *e, struct row *row)
{
    for (size_t i = 0; i < COUNT_OF(e->tracking); i++) {
        if (e->tracking[i] == SIZE_MAX)
            continue;
        str who = e->caller->anonymous ? STR("") : e->caller->username;
        row->values[e->tracking[i]] =
            i % 2 == 0 ? (struct value){.kind = VALUE_INT, .i = e->now} : (struct value){.kind = VALUE_TEXT, .s = who};
    }
}

static int check_nulls(struct ctx *ctx, const struct edit *e, const struct row *row)
{
    for (size_t i = 0; i < e->layer->field_count; i++) {
        const struct field *f = &e->layer->fields[i];
        if (!f->nullable && f->type != FIELD_OID && row->values[i].kind == VALUE_NULL)
            return refuse(ctx, f, "a value is needed");
    }
    return RC_OK;
}

static int fill_geometry(struct ctx *ctx, const struct edit *e, struct json geometry, struct row *row)
{
    row->wkb = STR_NONE;
    if (json_absent(geometry) || json_is(geometry, JSON_NULL))
        return RC_OK;
    if (e->layer->geometry == GEOMETRY_NONE)
        return err_set(ctx, &ERR_INVALID, "The table takes no geometry.");
    CLEANUP(buf_free) struct buf wkb = BUF_INIT(GEOMETRY_MAX);
    CLEANUP(buf_free) struct buf moved = BUF_INIT(GEOMETRY_MAX);
    struct crs from = e->crs;
    TRY(esri_json_parse(ctx, geometry, &e->form, &wkb));
    TRY(buf_check(&wkb, ctx, "the geometry"));
    struct json reference = json_get_c(geometry, "spatialReference");
    if (!json_absent(reference) && !json_is(reference, JSON_NULL) && !esri_json_parse_crs(ctx->arena, reference, &from))
        return err_set(ctx, &ERR_INVALID, "The geometry has a spatial reference that is not known.");
    if (!crs_same(&from, &e->crs))
        TRY(crs_transform_wkb(ctx, &from, &e->crs, buf_str(&wkb), &moved));
    row->wkb = arena_str(ctx->arena, buf_str(moved.n ? &moved : &wkb));
    return RC_OK;
}

static int make_row(struct ctx *ctx, const struct edit *e, struct json feature, struct row *row)
{
    *row = (struct row){.values = arena_array(ctx->arena, struct value, e->layer->field_count)};
    struct json attributes = json_get_c(feature, "attributes");
    if (!json_is(feature, JSON_OBJECT) || (!json_absent(attributes) && !json_is(attributes, JSON_OBJECT)))
        return err_set(ctx, &ERR_INVALID, "A feature has to be an object with 'attributes' and 'geometry'.");
    TRY(fill_values(ctx, e, attributes, row));
    track(e, row);
    TRY(check_nulls(ctx, e, row));
    return fill_geometry(ctx, e, json_get_c(feature, "geometry"), row);
}

static void find_tracking(struct ctx *ctx, struct edit *e)
{
    static const char *const names[] = {"creationDateField", "creatorField", "editDateField", "editorField"};
    struct json info = json_get_c(e->layer->json, "editFieldsInfo");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        e->tracking[i] = SIZE_MAX;
        str name = json_string_or(json_get_c(info, names[i]), ctx->arena, STR(""));
        const struct field *f = layer_field(e->layer, name, &e->tracking[i]);
        if (!f || f->type != (i % 2 == 0 ? FIELD_DATE : FIELD_STRING))
            e->tracking[i] = SIZE_MAX;
    }
}

static int edit_begin(struct ctx *ctx, const struct layer *l, const struct caller *c, struct edit *e)
{
    *e = (struct edit){.layer = l,
                       .caller = c,
                       .form = wkb_form_of_layer(l),
                       .crs = {.wkid = l->latest_wkid, .wkt = l->wkt},
                       .now = ctx_now(ctx),
                       .defaults = arena_array(ctx->arena, struct json, l->field_count)};
    for (size_t i = 0; i < l->field_count; i++) {
        str text = l->fields[i].default_value;
        if (!str_empty(text) && !str_eq(text, STR("null")) && l->fields[i].type != FIELD_OID)
            TRY(json_parse(ctx, text, &e->defaults[i]));
    }
    find_tracking(ctx, e);
    return RC_OK;
}

/* ---- adding ---- */

static void fail_result(struct ctx *ctx, struct edit_result *r, int code, const char *text)
{
    *r = (struct edit_result){.oid = -1, .global_id = STR_NONE, .code = code, .description = arena_str(ctx->arena, str_c(text))};
}

/* Rows of the features that are right, densely; results of the others are filled in. */
static int make_rows(struct ctx *ctx, const struct edit *e, struct json features, struct row *rows, struct edit_result *results,
                     size_t *made_out)
{
    struct json v;
    size_t at = 0, made = 0;
    for (struct json_iter it = json_each(features); json_next(&it, NULL, &v); at++) {
        TRY(ctx_check(ctx));
        int rc = make_row(ctx, e, v, &rows[made]);
        if (rc == RC_OK) {
            results[at].success = true;
            made++;
            continue;
        }
        if (rc != RC_FAIL)
            return rc;
        fail_result(ctx, &results[at], CODE_INSERT, err_text(ctx));
        err_clear(ctx);
    }
    *made_out = made;
    return RC_OK;
}

static void roll_back(struct ctx *ctx, struct edit_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (results[i].success)
            fail_result(ctx, &results[i], CODE_ROLLBACK, "Operation rolled back.");
}

static void fill_results(const struct edit *e, const struct row *rows, struct edit_result *results, size_t count)
{
    for (size_t i = 0, row = 0; i < count; i++) {
        if (!results[i].success)
            continue;
        size_t g = e->layer->globalid_field;
        results[i].oid = rows[row].oid;
        results[i].global_id = g == SIZE_MAX ? STR_NONE : rows[row].values[g].s;
        row++;
    }
}

int hosted_add_features(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, struct json features,
                        bool rollback_on_failure, struct edit_result **out, size_t *count_out)
{
    hosted_cache_lock(s->hosted, false);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = s->hosted;
    (void)locked;
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    struct edit e;
    size_t count = json_count(features), made = 0;
    TRY(hosted_open(ctx, s, c, name, FEATURE_CREATE, &h));
    TRY(hosted_layer(ctx, h, layer_id, &l));
    if (!json_is(features, JSON_ARRAY) || count > FEATURES_MAX)
        return err_set(ctx, &ERR_FEATURE, "'features' has to be an array of at most %d features.", FEATURES_MAX);
    TRY(edit_begin(ctx, l, c, &e));
    struct row *rows = arena_array(ctx->arena, struct row, count);
    struct edit_result *results = arena_array(ctx->arena, struct edit_result, count);
    TRY(make_rows(ctx, &e, features, rows, results, &made));
    *out = results;
    *count_out = count;
    if (made < count && rollback_on_failure) {
        roll_back(ctx, results, count);
        return RC_OK;
    }
    if (made > 0)
        TRY(feature_add(ctx, s->features, &h->store, l, rows, made));
    fill_results(&e, rows, results, count);
    return RC_OK;
}
