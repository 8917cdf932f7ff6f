/* Features from JSON into rows: see hosted_rows.h. */
#include "service/hosted_rows.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "service/hosted_private.h"
#include <float.h>

enum { GEOMETRY_MAX = 512 << 20 };

/* The k-th attribute of a feature mostly is called as the k-th of the one before. */
struct rows_guess {
    str name; /* as it stands in the text */
    const struct field *field;
    size_t index;
};

static int refuse(struct ctx *ctx, const struct field *f, const char *what)
{
    return err_set(ctx, &ERR_INVALID, "Field '%.*s': %s.", STR_FMT(f->name), what);
}

/* ---- values ---- */

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
    if (!ok || !isfinite(out->d))
        return refuse(ctx, f, "a number is expected");
    if (f->type == FIELD_SINGLE && fabs(out->d) > (double)FLT_MAX)
        return refuse(ctx, f, "the number is outside of the range of the field");
    return RC_OK;
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

/* The partial dates are kept as the text that they are, once it is one. */
static int moment_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    static const struct {
        const char *before, *expected;
        size_t least, most;
    } forms[FIELD_TYPE_COUNT] = {
        [FIELD_DATE_ONLY] = {"", "a date YYYY-MM-DD is expected", 10, 10},
        [FIELD_TIME_ONLY] = {"1970-01-01T", "a time hh:mm:ss is expected", 5, 12},
        [FIELD_TIMESTAMP_OFFSET] = {"", "an ISO 8601 date with time and offset is expected", 17, 40},
    };
    int64_t ms;
    str text = str_trim(json_string_or(v, ctx->arena, STR("")));
    bool fits = text.n >= forms[f->type].least && text.n <= forms[f->type].most &&
                clock_iso_parse(arena_printf(ctx->arena, "%s%.*s", forms[f->type].before, STR_FMT(text)), &ms);
    *out = (struct value){.kind = VALUE_TEXT, .s = text};
    return fits ? RC_OK : refuse(ctx, f, forms[f->type].expected);
}

static int guid_value(struct ctx *ctx, const struct field *f, struct json v, struct value *out)
{
    char text[GUID_SIZE + 1];
    if (!json_is(v, JSON_STRING) || !guid_parse(str_trim(json_string(v, ctx->arena)), text))
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
    [FIELD_DATE_ONLY] = moment_value,
    [FIELD_TIME_ONLY] = moment_value,
    [FIELD_TIMESTAMP_OFFSET] = moment_value,
    [FIELD_BLOB] = no_value,
    [FIELD_XML] = text_value,
};

int hosted_rows_value(struct ctx *ctx, const struct hosted_rows *r, size_t field, struct json v, struct value *out)
{
    const struct field *f = &r->layer->fields[field];
    *out = (struct value){.kind = VALUE_NULL};
    return json_is(v, JSON_NULL) ? RC_OK : converters[f->type](ctx, f, v, out);
}

static int check_value(struct ctx *ctx, const struct hosted_rows *r, size_t field, const struct value *v,
                       const struct value *type)
{
    const struct field *f = &r->layer->fields[field];
    if (v->kind == VALUE_NULL && !f->nullable && f->type != FIELD_OID)
        return refuse(ctx, f, "a value is needed");
    const struct domain *d = domain_of(&r->domains, field, type);
    if (domain_has(d, v))
        return RC_OK;
    if (d->kind == DOMAIN_RANGE)
        return err_set(ctx, &ERR_INVALID, "Field '%.*s': the value is outside of the range %.15g to %.15g.", STR_FMT(f->name),
                       d->least, d->most);
    return err_set(ctx, &ERR_INVALID, "Field '%.*s': the value is none of the codes of its domain '%.*s'.", STR_FMT(f->name),
                   STR_FMT(d->name));
}

int hosted_rows_default(struct ctx *ctx, const struct field *f, struct value *out)
{
    struct json v = JSON_ABSENT;
    *out = (struct value){.kind = VALUE_NULL};
    if (!str_empty(f->default_value))
        TRY(json_parse(ctx, f->default_value, &v));
    return json_absent(v) || json_is(v, JSON_NULL) ? RC_OK : converters[f->type](ctx, f, v, out);
}

/* ---- attributes ---- */

static bool is_tracked(const struct hosted_rows *r, size_t field)
{
    for (size_t i = 0; i < TRACK_COUNT; i++)
        if (r->tracking[i] == field)
            return true;
    return false;
}

/* The field of the k-th attribute, NULL for a name that the layer does not have: such attributes are passed over, as real servers
 * do. */
static const struct rows_guess *field_of(struct ctx *ctx, struct hosted_rows *r, size_t k, struct json name)
{
    str raw = json_raw(name);
    if (k < r->guess_count && str_eq(r->guesses[k].name, raw))
        return &r->guesses[k];
    if (k >= LAYER_FIELDS_MAX)
        return NULL;
    struct rows_guess *g = &r->guesses[k];
    size_t seen;
    *g = (struct rows_guess){.name = raw, .field = layer_field(r->seen, json_string(name, ctx->arena), &seen)};
    if (g->field)
        g->index = r->stored[seen];
    if (k >= r->guess_count)
        r->guess_count = k + 1;
    return g;
}

bool hosted_rows_is_fixed(const struct hosted_rows *r, size_t seen)
{
    const struct field *f = &r->seen->fields[seen];
    return f->type == FIELD_OID || f->type == FIELD_GLOBALID || !f->editable || is_tracked(r, r->stored[seen]);
}

struct filled {
    bool *set; /* of the table's fields */
    int64_t oid;
    str global_id;
};

static int fill_attribute(struct ctx *ctx, const struct hosted_rows *r, const struct rows_guess *g, struct json v,
                          struct row *row, struct filled *out)
{
    struct value guid;
    if (g->field->type == FIELD_OID) {
        if (!json_is(v, JSON_NULL) && !json_int(v, &out->oid))
            return refuse(ctx, g->field, "an object id is expected");
        return RC_OK;
    }
    if (g->field->type == FIELD_GLOBALID) {
        if (!r->global_ids || json_is(v, JSON_NULL))
            return RC_OK;
        TRY(guid_value(ctx, g->field, v, &guid));
        out->global_id = guid.s;
        return RC_OK;
    }
    if (!g->field->editable || is_tracked(r, g->index))
        return RC_OK;
    out->set[g->index] = true;
    return hosted_rows_value(ctx, r, g->index, v, &row->values[g->index]);
}

static int fill_attributes(struct ctx *ctx, struct hosted_rows *r, struct json feature, struct row *row, struct filled *out)
{
    struct json attributes = json_get_c(feature, "attributes"), name, v;
    *row = (struct row){.values = arena_array(ctx->arena, struct value, r->layer->field_count), .wkb = STR_NONE};
    *out = (struct filled){.set = arena_array(ctx->arena, bool, r->layer->field_count), .global_id = STR_NONE};
    if (!json_is(feature, JSON_OBJECT) || (!json_absent(attributes) && !json_is(attributes, JSON_OBJECT)))
        return err_set(ctx, &ERR_INVALID, "A feature has to be an object with 'attributes' and 'geometry'.");
    size_t k = 0;
    int rc = RC_OK;
    for (struct json_iter it = json_each(attributes); json_next(&it, &name, &v); k++) { /* to the end: the ids name the result */
        const struct rows_guess *g = field_of(ctx, r, k, name);
        int filled = g && g->field ? fill_attribute(ctx, r, g, v, row, out) : RC_OK;
        rc = rc != RC_OK ? rc : filled;
    }
    return rc;
}

static const struct value *type_of(const struct hosted_rows *r, const struct row *row)
{
    return r->domains.type_field == SIZE_MAX ? NULL : &row->values[r->domains.type_field];
}

static struct value tracked_value(const struct hosted_rows *r, size_t what)
{
    str who = r->caller->anonymous ? STR("") : r->caller->username;
    if (what == TRACK_CREATED || what == TRACK_EDITED)
        return (struct value){.kind = VALUE_INT, .i = r->now};
    return (struct value){.kind = VALUE_TEXT, .s = who};
}

void hosted_rows_track(const struct hosted_rows *r, struct hosted_row_change *change)
{
    for (size_t i = TRACK_EDITED; i < TRACK_COUNT; i++) {
        size_t field = r->tracking[i];
        if (field == SIZE_MAX)
            continue;
        change->row.values[field] = tracked_value(r, i);
        change->fields[change->field_count++] = field;
    }
}

/* ---- geometry ---- */

static int fill_geometry(struct ctx *ctx, const struct hosted_rows *r, struct json geometry, struct row *row)
{
    if (json_absent(geometry) || json_is(geometry, JSON_NULL))
        return RC_OK;
    if (r->layer->geometry == GEOMETRY_NONE)
        return err_set(ctx, &ERR_INVALID, "The table takes no geometry.");
    CLEANUP(buf_free) struct buf wkb = BUF_INIT(GEOMETRY_MAX);
    CLEANUP(buf_free) struct buf moved = BUF_INIT(GEOMETRY_MAX);
    struct crs from = r->crs;
    TRY(esri_json_parse(ctx, geometry, &r->form, &wkb));
    TRY(buf_check(&wkb, ctx, "the geometry"));
    struct json reference = json_get_c(geometry, "spatialReference");
    if (!json_absent(reference) && !json_is(reference, JSON_NULL) && !esri_json_parse_crs(ctx->arena, reference, &from))
        return err_set(ctx, &ERR_INVALID, "The geometry has a spatial reference that is not known.");
    if (!crs_same(&from, &r->crs))
        TRY(crs_transform_wkb(ctx, &from, &r->crs, buf_str(&wkb), &moved));
    row->wkb = arena_str(ctx->arena, buf_str(moved.n ? &moved : &wkb));
    return RC_OK;
}

/* ---- rows ---- */

/* What the feature does not say: defaults, the GlobalID, who made it and when. */
static int complete(struct ctx *ctx, const struct hosted_rows *r, const struct filled *filled, struct row *row)
{
    char guid[GUID_SIZE + 1];
    for (size_t i = 0; i < r->layer->field_count; i++)
        if (!filled->set[i] && !json_absent(r->defaults[i]))
            TRY(hosted_rows_value(ctx, r, i, r->defaults[i], &row->values[i]));
    for (size_t i = 0; i < TRACK_COUNT; i++)
        if (r->tracking[i] != SIZE_MAX)
            row->values[r->tracking[i]] = tracked_value(r, i);
    if (r->layer->globalid_field == SIZE_MAX)
        return RC_OK;
    str text = filled->global_id;
    if (str_none(text)) {
        guid_new_at(r->now, guid);
        text = arena_str(ctx->arena, str_of(guid, GUID_SIZE));
    }
    row->values[r->layer->globalid_field] = (struct value){.kind = VALUE_TEXT, .s = text};
    return RC_OK;
}

int hosted_rows_add(struct ctx *ctx, struct hosted_rows *r, struct json feature, struct row *out)
{
    struct filled filled;
    TRY(fill_attributes(ctx, r, feature, out, &filled));
    TRY(complete(ctx, r, &filled, out));
    for (size_t i = 0; i < r->layer->field_count; i++)
        TRY(check_value(ctx, r, i, &out->values[i], type_of(r, out)));
    return fill_geometry(ctx, r, json_get_c(feature, "geometry"), out);
}

int hosted_rows_update(struct ctx *ctx, struct hosted_rows *r, struct json feature, struct hosted_row_change *out)
{
    struct filled filled;
    struct json geometry = json_get_c(feature, "geometry");
    *out = (struct hosted_row_change){.global_id = STR_NONE};
    int rc = fill_attributes(ctx, r, feature, &out->row, &filled);
    out->row.oid = filled.oid;
    out->global_id = filled.global_id;
    TRY(rc);
    out->fields = arena_array(ctx->arena, size_t, r->layer->field_count + TRACK_COUNT);
    for (size_t i = 0; i < r->layer->field_count; i++)
        if (filled.set[i])
            out->fields[out->field_count++] = i;
    out->geometry = !json_absent(geometry) && r->layer->geometry != GEOMETRY_NONE;
    if (out->geometry && !r->shapes)
        return err_set(ctx, &ERR_INVALID, "The geometry of this layer cannot be changed.");
    return fill_geometry(ctx, r, geometry, &out->row);
}

int hosted_rows_check_change(struct ctx *ctx, const struct hosted_rows *r, const struct hosted_row_change *change,
                             const struct value *type)
{
    for (size_t i = 0; i < change->field_count; i++)
        if (change->fields[i] == r->domains.type_field)
            type = &change->row.values[change->fields[i]];
    for (size_t i = 0; i < change->field_count; i++)
        TRY(check_value(ctx, r, change->fields[i], &change->row.values[change->fields[i]], type));
    return RC_OK;
}

/* ---- opening ---- */

static void find_tracking(struct ctx *ctx, struct hosted_rows *r)
{
    static const char *const names[TRACK_COUNT] = {"creationDateField", "creatorField", "editDateField", "editorField"};
    struct json info = json_get_c(r->layer->json, "editFieldsInfo");
    for (size_t i = 0; i < TRACK_COUNT; i++) {
        enum field_type type = i == TRACK_CREATED || i == TRACK_EDITED ? FIELD_DATE : FIELD_STRING;
        str name = json_string_or(json_get_c(info, names[i]), ctx->arena, STR(""));
        const struct field *f = layer_field(r->layer, name, &r->tracking[i]);
        if (!f || f->type != type)
            r->tracking[i] = SIZE_MAX;
    }
}

int hosted_rows_open(struct ctx *ctx, const struct layer *seen, const struct caller *c, struct hosted_rows *out)
{
    const struct layer *l = layer_stored(seen);
    *out = (struct hosted_rows){.seen = seen,
                                .layer = l,
                                .caller = c,
                                .form = wkb_form_of_layer(l),
                                .crs = {.wkid = l->latest_wkid, .wkt = l->wkt},
                                .shapes = json_bool(json_get_c(seen->json, "allowGeometryUpdates"), true),
                                .now = ctx_now(ctx),
                                .stored = arena_array(ctx->arena, size_t, seen->field_count),
                                .guesses = arena_array(ctx->arena, struct rows_guess, LAYER_FIELDS_MAX),
                                .defaults = arena_array(ctx->arena, struct json, l->field_count)};
    for (size_t i = 0; i < seen->field_count; i++)
        if (!layer_field(l, seen->fields[i].name, &out->stored[i]))
            return refuse(ctx, &seen->fields[i], "the source of the view has no such field");
    for (size_t i = 0; i < l->field_count; i++) {
        str text = l->fields[i].default_value;
        if (!str_empty(text) && !str_eq(text, STR("null")) && l->fields[i].type != FIELD_OID)
            TRY(json_parse(ctx, text, &out->defaults[i]));
    }
    find_tracking(ctx, out);
    return domain_layer_parse(ctx, l, &out->domains);
}
