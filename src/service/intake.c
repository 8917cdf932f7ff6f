/* Files on their way in: see intake.h. */
#include "service/intake.h"
#include "base/file.h"
#include "model/errors.h"
#include "service/hosted_private.h"
#include "model/geometry/esri_json.h"
#include "model/geometry/wkb_shape.h"
#include "service/item.h"

enum { RECORDS_SHOWN = 10, RECORDS_MAX = 1000, OUTPUT_MAX = 10 << 20, INPUT_MAX = 10 << 20, DIGITS_MAX = 15 };
static const int64_t MEMORY_MAX = 1LL << 30;
static const double OFFSET_METERS = 10, METERS_A_DEGREE = 111319.5;

/* ---- opening ---- */

static int find_bytes(struct ctx *ctx, struct site *s, const struct caller *c, const struct intake_wish *w, struct intake *f,
                      str *path_out)
{
    struct item_part part;
    const char *path;
    bool is_copy = false;
    if (w->blob) {
        TRY(blob_new_path(ctx, w->blob, &path));
        f->size = blob_new_size(w->blob);
        *path_out = str_c(path);
        return RC_OK;
    }
    int rc = item_part_get(ctx, s, c, &w->item, PART_DATA, STR(""), &part);
    if (rc == RC_NOT_FOUND && !ctx->err.kind)
        return err_set(ctx, &ERR_PUBLISH, "Item '%s' has no file.", w->item.text);
    TRY(rc);
    f->size = (uint64_t)part.size;
    TRY(blob_path(ctx, s->blobs, part.hash, path_out, &is_copy));
    f->copy = is_copy ? *path_out : STR_NONE;
    return RC_OK;
}

int intake_open(struct ctx *ctx, struct site *s, const struct caller *c, const struct intake_wish *w, struct intake *out)
{
    enum convert_format format;
    str path;
    *out = (struct intake){.copy = STR_NONE};
    if (!convert_format_parse(w->file_type, &format))
        return err_set(ctx, &ERR_PUBLISH, "Files of the type '%.*s' are not read.", STR_FMT(str_sub(w->file_type, 0, 60)));
    TRY(find_bytes(ctx, s, c, w, out, &path));
    const struct convert_options options = {
        .program = s->settings.convert_program,
        .path = arena_cstr(ctx->arena, path),
        .name = arena_cstr(ctx->arena, w->name),
        .parameters = json_absent(w->parameters) ? NULL : arena_cstr(ctx->arena, json_raw(w->parameters)),
        .format = format,
        .target_wkid = w->target_wkid,
        .memory_max = MEMORY_MAX,
        .cpu_seconds_max = w->cpu_seconds_max};
    TRY(convert_open(ctx, &options, &out->convert));
    TRY(convert_definition(ctx, out->convert, &out->definition, &out->messages));
    return service_parse(ctx, out->definition, &out->def);
}

void intake_close(struct intake *f)
{
    struct ctx ctx; /* the call's own may be cancelled */
    convert_close(f->convert);
    f->convert = NULL;
    if (str_none(f->copy))
        return;
    ctx_open(&ctx);
    file_remove(&ctx, f->copy.p);
    ctx_close(&ctx);
    f->copy = STR_NONE;
}

/* ---- rows ---- */

static void put_value(struct json_out *o, const struct value *v)
{
    if (v->kind == VALUE_INT)
        json_put_int(o, v->i);
    else if (v->kind == VALUE_DOUBLE)
        json_put_double(o, v->d);
    else
        json_put_str(o, v->kind == VALUE_TEXT ? v->s : STR_NONE);
}

/* All fields but the one that the portal fills in. */
static void put_attributes(struct json_out *o, const struct layer *l, const struct row *row)
{
    json_name(o, "attributes");
    json_begin_object(o);
    for (size_t i = 0; i < l->field_count; i++) {
        if (i == l->oid_field)
            continue;
        json_name_str(o, l->fields[i].name);
        put_value(o, &row->values[i]);
    }
    json_end_object(o);
}

/* ---- analyze ---- */

/* The members that the reader found out, beside those that every answer has. */
static void put_found(struct ctx *ctx, struct json_out *o, const struct intake *f)
{
    struct json found, name, v;
    if (!json_try_parse(ctx->arena, convert_found(f->convert), &found))
        return;
    for (struct json_iter it = json_each(found); json_next(&it, &name, &v);) {
        json_name_str(o, json_string(name, ctx->arena));
        json_put_raw(o, json_raw(v));
    }
}

static void put_parameters(struct ctx *ctx, struct json_out *o, const struct intake *f, const struct intake_wish *w)
{
    const struct layer *l = &f->def.layers[0];
    struct crs crs = {.wkid = l->latest_wkid ? l->latest_wkid : l->wkid, .wkt = l->wkt};
    json_name(o, "publishParameters");
    json_begin_object(o);
    json_member_str(o, "name", hosted_name_make(ctx, w->name));
    json_member_c(o, "sourceUrl", "");
    json_member_int(o, "maxRecordCount", f->def.max_record_count);
    put_found(ctx, o, f);
    if (l->geometry != GEOMETRY_NONE && (crs.wkid || crs.wkt.n)) {
        json_name(o, "targetSR");
        esri_json_put_crs(o, &crs);
    }
    json_name(o, "layerInfo");
    json_put_raw(o, json_raw(l->json));
    json_end_object(o);
}

static int put_records(struct ctx *ctx, struct json_out *o, struct intake *f)
{
    CLEANUP(row_source_cleanup) struct row_source *rows = NULL;
    struct row row;
    int rc = RC_OK;
    TRY(convert_rows(ctx, f->convert, &f->def.layers[0], &rows));
    json_name(o, "records");
    json_begin_array(o);
    for (int i = 0; i < RECORDS_SHOWN && (rc = rows->next(ctx, rows, &row)) == RC_OK; i++) {
        json_begin_object(o);
        put_attributes(o, &f->def.layers[0], &row);
        json_end_object(o);
    }
    json_end_array(o);
    return rc == RC_END ? RC_OK : rc;
}

int intake_analyze(struct ctx *ctx, struct intake *f, const struct intake_wish *w, struct json_out *o)
{
    json_begin_object(o);
    json_member_int(o, "fileSize", (int64_t)f->size);
    json_member_null(o, "fileUrl");
    put_parameters(ctx, o, f, w);
    TRY(put_records(ctx, o, f));
    json_name(o, "messages");
    json_put_raw(o, f->messages);
    json_end_object(o);
    return RC_OK;
}

/* ---- generate ---- */

struct generate {
    int64_t limit, count;
    bool limit_output;
    double tolerance; /* of the generalization, in the layer's units; 0: none */
    double grain;     /* coordinates become multiples of 1/grain; 0: as they are */
    struct buf first, second;
};

static void close_generate(struct generate *g)
{
    buf_free(&g->first);
    buf_free(&g->second);
}

static int read_generate(struct ctx *ctx, const struct intake *f, struct json parameters, struct generate *g)
{
    int64_t digits;
    *g = (struct generate){.limit = RECORDS_MAX, .first = BUF_INIT(OUTPUT_MAX), .second = BUF_INIT(OUTPUT_MAX)};
    struct json limit = json_get_c(parameters, "maxRecordCount"), offset = json_get_c(parameters, "maxAllowableOffset");
    if (json_int(limit, &g->limit) && (g->limit < 1 || g->limit > RECORDS_MAX))
        return err_set(ctx, &ERR_PARAMETER, "'maxRecordCount' has to be a number from 1 to %d.", RECORDS_MAX);
    g->limit_output = json_bool(json_get_c(parameters, "enforceOutputJsonSizeLimit"), true);
    if (json_bool(json_get_c(parameters, "enforceInputFileSizeLimit"), false) && f->size > INPUT_MAX)
        return err_set(ctx, &ERR_PARAMETER, "The file has %llu bytes, more than the %d that are made into a feature collection.",
                       (unsigned long long)f->size, INPUT_MAX);
    if (json_bool(json_get_c(parameters, "generalize"), false)) {
        const struct layer *l = &f->def.layers[0];
        bool degrees = (l->latest_wkid ? l->latest_wkid : l->wkid) == CRS_WGS84;
        g->tolerance = degrees ? OFFSET_METERS / METERS_A_DEGREE : OFFSET_METERS;
        if (!json_absent(offset) && (!json_double(offset, &g->tolerance) || !(g->tolerance > 0)))
            return err_set(ctx, &ERR_PARAMETER, "'maxAllowableOffset' has to be a number above 0.");
    }
    if (!json_bool(json_get_c(parameters, "reducePrecision"), false))
        return RC_OK;
    if (!json_int(json_get_c(parameters, "numberOfDigitsAfterDecimal"), &digits) || digits < 0 || digits > DIGITS_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'numberOfDigitsAfterDecimal' has to be a number from 0 to %d.", DIGITS_MAX);
    g->grain = pow(10, (double)digits);
    return RC_OK;
}

static int put_geometry(struct ctx *ctx, struct json_out *o, const struct layer *l, struct generate *g, str wkb)
{
    if (str_none(wkb))
        return RC_OK;
    struct buf *shape = &g->first;
    buf_clear(&g->first);
    buf_clear(&g->second);
    buf_add(&g->first, wkb);
    if (g->tolerance > 0) {
        TRY(wkb_generalize(ctx, wkb, g->tolerance, &g->second));
        shape = &g->second;
    }
    if (g->grain > 0)
        TRY(wkb_round(ctx, shape, g->grain));
    TRY(buf_check(shape, ctx, "a geometry"));
    json_name(o, "geometry");
    return esri_json_put(ctx, o, buf_str(shape), (struct esri_json_form){.z = l->has_z, .m = l->has_m});
}

static int put_features(struct ctx *ctx, struct json_out *o, struct intake *f, const struct layer *l, struct generate *g)
{
    CLEANUP(row_source_cleanup) struct row_source *rows = NULL;
    struct row row;
    int rc;
    TRY(convert_rows(ctx, f->convert, l, &rows));
    while ((rc = rows->next(ctx, rows, &row)) == RC_OK) {
        if (++g->count > g->limit)
            return err_set(ctx, &ERR_PUBLISH, "The file has more than the %lld features that a feature collection is made of.",
                           (long long)g->limit);
        if (g->limit_output && o->buf->n > OUTPUT_MAX)
            return err_set(ctx, &ERR_PUBLISH, "The feature collection is larger than %d bytes.", OUTPUT_MAX);
        json_begin_object(o);
        json_name(o, "attributes");
        json_begin_object(o);
        for (size_t i = 0; i < l->field_count; i++) {
            json_name_str(o, l->fields[i].name);
            put_value(o, &row.values[i]);
        }
        json_end_object(o);
        TRY(put_geometry(ctx, o, l, g, row.wkb));
        json_end_object(o);
    }
    return rc == RC_END ? RC_OK : rc;
}

static int put_layer(struct ctx *ctx, struct json_out *o, struct intake *f, const struct layer *l, struct generate *g)
{
    struct crs crs = {.wkid = l->latest_wkid ? l->latest_wkid : l->wkid, .wkt = l->wkt};
    json_begin_object(o);
    json_name(o, "layerDefinition");
    json_put_raw(o, json_raw(l->json));
    json_name(o, "featureSet");
    json_begin_object(o);
    if (l->geometry != GEOMETRY_NONE) {
        json_member_c(o, "geometryType", geometry_type_name(l->geometry));
        json_name(o, "spatialReference");
        esri_json_put_crs(o, &crs);
    }
    json_name(o, "features");
    json_begin_array(o);
    TRY(put_features(ctx, o, f, l, g));
    json_end_array(o);
    json_end_object(o);
    json_end_object(o);
    return RC_OK;
}

int intake_generate(struct ctx *ctx, struct intake *f, const struct intake_wish *w, struct json_out *o)
{
    CLEANUP(close_generate) struct generate g;
    TRY(read_generate(ctx, f, w->parameters, &g));
    json_begin_object(o);
    json_name(o, "featureCollection");
    json_begin_object(o);
    json_name(o, "layers");
    json_begin_array(o);
    for (size_t i = 0; i < f->def.layer_count; i++)
        TRY(put_layer(ctx, o, f, &f->def.layers[i], &g));
    json_end_array(o);
    json_end_object(o);
    json_end_object(o);
    return RC_OK;
}
