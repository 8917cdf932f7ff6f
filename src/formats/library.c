/* The formats that GDAL writes, in the helper: File Geodatabase and KML. What they cannot carry is counted here, where values are
 * what the portal has. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/zip_stream.h"
#include "convert/convert_write.h"
#include "formats/format.h"
#include "model/geometry/wkb.h"

enum { DEFINITION_MAX = 64 << 20, LAYER_NAME_MAX = 120 };
static const int64_t EXACT = 1LL << 53; /* beyond, a double cannot tell integers apart */

struct library {
    struct format_writer base;
    enum convert_target format;
    struct convert_write *to;
    struct writer *result;
    const char *dir;
    str name; /* of the file or folder that is made */
    struct format_names layers;
    const struct format_layer *layer;
};

/* ---- a layer ---- */

static void put_reference(struct json_out *o, const struct crs *crs)
{
    json_name(o, "spatialReference");
    json_begin_object(o);
    if (crs->wkid > 0)
        json_member_int(o, "wkid", crs->wkid);
    else if (!str_empty(crs->wkt))
        json_member_str(o, "wkt", crs->wkt);
    json_end_object(o);
}

/* The layer as a service of its own, which is what the helper's parser knows. */
static int define(struct ctx *ctx, const struct format_layer *l, str name, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(DEFINITION_MAX);
    struct json_out o;
    bool spatial = l->layer->geometry != GEOMETRY_NONE;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_name(&o, spatial ? "layers" : "tables");
    json_begin_array(&o);
    json_begin_object(&o);
    json_member_int(&o, "id", 0);
    json_member_str(&o, "name", name);
    json_member_c(&o, "type", spatial ? "Feature Layer" : "Table");
    if (spatial) {
        json_member_c(&o, "geometryType", geometry_type_name(l->layer->geometry));
        json_member_bool(&o, "hasZ", l->layer->has_z);
        json_member_bool(&o, "hasM", l->layer->has_m);
        json_name(&o, "extent");
        json_begin_object(&o);
        put_reference(&o, &l->crs);
        json_end_object(&o);
    }
    layer_put_fields(&o, l->layer);
    json_end_object(&o);
    json_end_array(&o);
    json_end_object(&o);
    TRY(json_out_end(&o, "the definition of a layer"));
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

static int library_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    struct library *b = (struct library *)w;
    str definition, text;
    struct json names, v;
    size_t i = 0;
    b->layer = l;
    TRY(define(ctx, l, format_name_unique(ctx, &b->layers, l->layer->name, LAYER_NAME_MAX), &definition));
    TRY(convert_write_layer(ctx, b->to, definition, l->layer->field_count, &text));
    TRY(json_parse(ctx, text, &names));
    for (struct json_iter it = json_each(names); i <= l->layer->field_count && json_next(&it, NULL, &v); i++)
        l->names[i] = json_string_or(v, ctx->arena, l->names[i]);
    return RC_OK;
}

static void count(const struct library *b, const struct row *row)
{
    const struct layer *l = b->layer->layer;
    int64_t *counts = b->layer->counts;
    bool kml = b->format == CONVERT_TO_KML;
    for (size_t i = 0; i < l->field_count; i++) {
        const struct value *v = &row->values[i];
        enum field_type type = l->fields[i].type;
        counts[CARRY_TEXT] += kml && v->kind == VALUE_TEXT && str_trim(v->s).n < v->s.n;
        counts[CARRY_BLOBS] += kml && v->kind == VALUE_BLOB;
        if (v->kind == VALUE_INT && type == FIELD_BIG_INTEGER)
            counts[CARRY_BIG_INTEGERS] += v->i > EXACT || v->i < -EXACT;
        if (v->kind == VALUE_INT && type == FIELD_DATE) {
            struct clock_parts p = clock_parts_of(v->i);
            counts[CARRY_DATES] += p.year < 0 || p.year > 9999 || (!kml && p.millisecond != 0);
        }
    }
    counts[CARRY_M] += kml && l->has_m && !str_none(row->wkb);
}

static int library_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    struct library *b = (struct library *)w;
    count(b, row);
    return convert_write_row(ctx, b->to, row);
}

static int library_layer_end(struct ctx *ctx, struct format_writer *w)
{
    return convert_write_layer_end(ctx, ((struct library *)w)->to);
}

/* ---- the file ---- */

struct pack {
    struct zip_stream *zip;
    const char *path;
    str name;
};

static int pack_file(struct ctx *ctx, const char *name, void *arg)
{
    const struct pack *p = arg;
    return zip_stream_add_file(ctx, p->zip, arena_printf(ctx->arena, "%.*s/%s", STR_FMT(p->name), name),
                               arena_printf(ctx->arena, "%s/%s", p->path, name).p);
}

static int library_finish(struct ctx *ctx, struct format_writer *w)
{
    struct library *b = (struct library *)w;
    TRY(convert_write_finish(ctx, b->to));
    if (b->base.file)
        return RC_OK;
    struct pack p = {.zip = zip_stream_open(b->result, true), .name = b->name};
    p.path = arena_printf(ctx->arena, "%s/%.*s", b->dir, STR_FMT(b->name)).p;
    int rc = dir_each(ctx, p.path, pack_file, &p);
    rc = rc != RC_OK ? rc : zip_stream_finish(ctx, p.zip);
    zip_stream_close(p.zip);
    return rc;
}

static void library_close(struct format_writer *w)
{
    struct library *b = (struct library *)w;
    convert_write_close(b->to);
    mem_free(b);
}

static int library_open(struct ctx *ctx, const struct format_target *t, enum convert_target format, str name,
                        struct format_writer **out)
{
    struct library *b = mem_new(struct library);
    *b = (struct library){.base = {.layer = library_layer,
                                   .row = library_row,
                                   .layer_end = library_layer_end,
                                   .finish = library_finish,
                                   .close = library_close},
                          .format = format,
                          .result = t->to,
                          .dir = t->dir,
                          .name = name};
    const struct convert_write_options options = {
        .program = t->convert, .dir = t->dir, .name = arena_cstr(ctx->arena, name), .format = format};
    int rc = convert_write_open(ctx, &options, &b->to);
    if (rc != RC_OK)
        mem_free(b);
    else
        *out = &b->base;
    return rc;
}

int library_geodatabase_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    struct format_names none = {0};
    str name = format_name_unique(ctx, &none, str_c(t->name), LAYER_NAME_MAX);
    return library_open(ctx, t, CONVERT_TO_GEODATABASE, arena_printf(ctx->arena, "%.*s.gdb", STR_FMT(name)), out);
}

int library_kml_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    TRY(library_open(ctx, t, CONVERT_TO_KML, STR("result.kml"), out));
    (*out)->file = arena_printf(ctx->arena, "%s/result.kml", t->dir).p;
    return RC_OK;
}
