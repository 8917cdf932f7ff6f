/* GeoJSON (RFC 7946): one file, or a zip archive with a file for each layer. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/zip_stream.h"
#include "formats/format.h"
#include "model/geometry/esri_json.h"

struct geojson {
    struct format_writer base;
    struct writer *to;
    struct zip_stream *zip; /* NULL: one layer, which is the file */
    struct format_names names;
    const struct format_layer *layer;
    str *fields; /* names as JSON */
    bool z;
    struct buf text;
    struct json_out out;
};

static void put_date(struct geojson *g, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    bool known = clock_iso_print(ms, text);
    json_put_str(&g->out, known ? str_of(text, CLOCK_ISO_SIZE - 1) : STR_NONE);
    g->layer->counts[CARRY_DATES] += !known;
}

static void put_value(struct geojson *g, const struct field *f, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        if (f->type == FIELD_DATE)
            put_date(g, v->i);
        else
            json_put_int(&g->out, v->i);
        return;
    case VALUE_DOUBLE:
        json_put_double(&g->out, v->d);
        return;
    case VALUE_TEXT:
        json_put_str(&g->out, v->s);
        return;
    case VALUE_BLOB:
        g->layer->counts[CARRY_BLOBS]++;
        json_put_null(&g->out);
        return;
    case VALUE_NULL:
        json_put_null(&g->out);
        return;
    }
}

static int geojson_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    struct geojson *g = (struct geojson *)w;
    struct json_out *o = &g->out;
    const struct layer *l = g->layer->layer;
    json_begin_object(o);
    json_member_c(o, "type", "Feature");
    json_member_int(o, "id", row->oid);
    json_name(o, "geometry");
    TRY(esri_json_put_geojson(ctx, o, l->geometry == GEOMETRY_NONE ? STR_NONE : row->wkb, g->z));
    g->layer->counts[CARRY_M] += l->has_m && !str_none(row->wkb);
    json_name(o, "properties");
    json_begin_object(o);
    for (size_t i = 0; i < l->field_count; i++) {
        json_name_raw(o, g->fields[i]);
        put_value(g, &l->fields[i], &row->values[i]);
    }
    json_end_object(o);
    json_end_object(o);
    return format_flush(ctx, &g->text, FORMAT_PIECE, g->to);
}

/* RFC 7946 knows WGS 84 alone; others are named as the specification before it did. */
static void put_crs(struct ctx *ctx, struct json_out *o, const struct crs *crs)
{
    if (crs->wkid <= 0 || crs->wkid == CRS_WGS84)
        return;
    json_name(o, "crs");
    json_begin_object(o);
    json_member_c(o, "type", "name");
    json_name(o, "properties");
    json_begin_object(o);
    json_member_str(o, "name", arena_printf(ctx->arena, "urn:ogc:def:crs:EPSG::%d", crs_latest_wkid(crs->wkid)));
    json_end_object(o);
    json_end_object(o);
}

static int geojson_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    struct geojson *g = (struct geojson *)w;
    g->layer = l;
    g->z = l->layer->has_z;
    g->fields = format_json_names(ctx, l->layer);
    if (g->zip) {
        str name = l->names[l->layer->field_count] = format_name_unique(ctx, &g->names, l->layer->name, 200);
        TRY(zip_stream_begin(ctx, g->zip, arena_printf(ctx->arena, "%.*s.geojson", STR_FMT(name))));
    }
    json_out_buf(&g->out, ctx, &g->text);
    json_begin_object(&g->out);
    json_member_c(&g->out, "type", "FeatureCollection");
    json_member_str(&g->out, "name", l->layer->name);
    if (l->layer->geometry != GEOMETRY_NONE)
        put_crs(ctx, &g->out, &l->crs);
    json_name(&g->out, "features");
    json_begin_array(&g->out);
    return RC_OK;
}

static int geojson_layer_end(struct ctx *ctx, struct format_writer *w)
{
    struct geojson *g = (struct geojson *)w;
    json_end_array(&g->out);
    json_end_object(&g->out);
    TRY(format_flush(ctx, &g->text, 0, g->to));
    return g->zip ? zip_stream_end(ctx, g->zip) : RC_OK;
}

static int geojson_finish(struct ctx *ctx, struct format_writer *w)
{
    struct geojson *g = (struct geojson *)w;
    return g->zip ? zip_stream_finish(ctx, g->zip) : RC_OK;
}

static void geojson_close(struct format_writer *w)
{
    struct geojson *g = (struct geojson *)w;
    zip_stream_close(g->zip);
    buf_free(&g->text);
    mem_free(g);
}

int geojson_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    (void)ctx;
    struct geojson *g = mem_new(struct geojson);
    *g = (struct geojson){.base = {.layer = geojson_layer,
                                   .row = geojson_row,
                                   .layer_end = geojson_layer_end,
                                   .finish = geojson_finish,
                                   .close = geojson_close},
                          .to = t->to,
                          .text = BUF_INIT(FORMAT_BUFFER_MAX)};
    if (t->layer_count > 1) {
        g->zip = zip_stream_open(t->to, true);
        g->to = zip_stream_writer(g->zip);
    }
    *out = &g->base;
    return RC_OK;
}
