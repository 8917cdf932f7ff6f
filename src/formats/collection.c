/* A Feature Collection, the data of an item of that type: {"layers":[{"layerDefinition":…,"featureSet":…}]} in Esri JSON, one
 * file however many layers there are. */
#include "base/buf.h"
#include "base/mem.h"
#include "formats/format.h"
#include "model/geometry/esri_json.h"

struct collection {
    struct format_writer base;
    struct writer *to;
    const struct format_layer *layer;
    str *fields; /* names as JSON */
    struct esri_json_form form;
    struct buf text;
    struct json_out out;
};

static void put_value(struct collection *c, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        json_put_int(&c->out, v->i);
        return;
    case VALUE_DOUBLE:
        json_put_double(&c->out, v->d);
        return;
    case VALUE_TEXT:
        json_put_str(&c->out, v->s);
        return;
    case VALUE_BLOB:
        c->layer->counts[CARRY_BLOBS]++;
        json_put_null(&c->out);
        return;
    case VALUE_NULL:
        json_put_null(&c->out);
        return;
    }
}

static int collection_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    struct collection *c = (struct collection *)w;
    struct json_out *o = &c->out;
    const struct layer *l = c->layer->layer;
    json_begin_object(o);
    json_name(o, "attributes");
    json_begin_object(o);
    for (size_t i = 0; i < l->field_count; i++) {
        json_name_raw(o, c->fields[i]);
        put_value(c, &row->values[i]);
    }
    json_end_object(o);
    if (l->geometry != GEOMETRY_NONE && !str_none(row->wkb)) {
        json_name(o, "geometry");
        TRY(esri_json_put(ctx, o, row->wkb, c->form));
    }
    json_end_object(o);
    return format_flush(ctx, &c->text, FORMAT_PIECE, c->to);
}

/* ---- the definition ---- */

/* How the layer is drawn and what its features are called is carried over as it is. */
static void put_carried(struct json_out *o, const struct layer *l)
{
    static const char *const members[] = {"drawingInfo", "types", "templates", "typeIdField", "minScale", "maxScale"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct json v = json_get_c(l->json, members[i]);
        if (!json_absent(v))
            json_member_raw(o, members[i], json_raw(v));
    }
}

static void put_place(struct json_out *o, const struct format_layer *l)
{
    if (l->layer->geometry == GEOMETRY_NONE)
        return;
    json_member_c(o, "geometryType", geometry_type_name(l->layer->geometry));
    json_name(o, "spatialReference");
    esri_json_put_crs(o, &l->crs);
    json_member_bool(o, "hasZ", l->layer->has_z);
    json_member_bool(o, "hasM", l->layer->has_m);
}

static void put_definition(struct json_out *o, const struct format_layer *l)
{
    const struct layer *layer = l->layer;
    json_name(o, "layerDefinition");
    json_begin_object(o);
    json_member_int(o, "id", layer->id);
    json_member_str(o, "name", layer->name);
    json_member_c(o, "type", layer->geometry == GEOMETRY_NONE ? "Table" : "Feature Layer");
    put_place(o, l);
    json_member_str(o, "displayField", layer->display_field);
    if (l->has_oid)
        json_member_str(o, "objectIdField", layer->fields[layer->oid_field].name);
    layer_put_fields(o, layer);
    put_carried(o, layer);
    json_member_c(o, "capabilities", "Query");
    json_end_object(o);
}

/* ---- the writer ---- */

static int collection_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    struct collection *c = (struct collection *)w;
    struct json_out *o = &c->out;
    c->layer = l;
    c->form = (struct esri_json_form){.z = l->layer->has_z, .m = l->layer->has_m};
    c->fields = format_json_names(ctx, l->layer);
    json_begin_object(o);
    put_definition(o, l);
    json_name(o, "featureSet");
    json_begin_object(o);
    put_place(o, l);
    json_name(o, "features");
    json_begin_array(o);
    return RC_OK;
}

static int collection_layer_end(struct ctx *ctx, struct format_writer *w)
{
    struct collection *c = (struct collection *)w;
    json_end_array(&c->out);
    json_end_object(&c->out);
    json_end_object(&c->out);
    return format_flush(ctx, &c->text, FORMAT_PIECE, c->to);
}

static int collection_finish(struct ctx *ctx, struct format_writer *w)
{
    struct collection *c = (struct collection *)w;
    json_end_array(&c->out);
    json_member_bool(&c->out, "showLegend", true);
    json_end_object(&c->out);
    return format_flush(ctx, &c->text, 0, c->to);
}

static void collection_close(struct format_writer *w)
{
    struct collection *c = (struct collection *)w;
    buf_free(&c->text);
    mem_free(c);
}

int collection_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    struct collection *c = mem_new(struct collection);
    *c = (struct collection){.base = {.layer = collection_layer,
                                      .row = collection_row,
                                      .layer_end = collection_layer_end,
                                      .finish = collection_finish,
                                      .close = collection_close},
                             .to = t->to,
                             .text = BUF_INIT(FORMAT_BUFFER_MAX)};
    json_out_buf(&c->out, ctx, &c->text);
    json_begin_object(&c->out);
    json_name(&c->out, "layers");
    json_begin_array(&c->out);
    *out = &c->base;
    return RC_OK;
}
