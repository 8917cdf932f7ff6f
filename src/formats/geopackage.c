/* GeoPackage, written by the store that keeps the portal's own features in that format. */
#include "base/mem.h"
#include "formats/format.h"
#include "store/feature_file.h"

struct geopackage {
    struct format_writer base;
    struct feature_file *file;
    struct format_names tables;
};

enum { TABLE_NAME_MAX = 200 };

static int geopackage_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    static const char *const reserved[] = {"sqlite_", "gpkg_", "rtree_"};
    struct geopackage *g = (struct geopackage *)w;
    str wanted = l->layer->name;
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (str_istarts(wanted, str_c(reserved[i])))
            wanted = arena_printf(ctx->arena, "layer_%.*s", STR_FMT(wanted));
    str table = l->names[l->layer->field_count] = format_name_unique(ctx, &g->tables, wanted, TABLE_NAME_MAX);
    return feature_file_layer(ctx, g->file, l->layer, table);
}

static int geopackage_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    return feature_file_row(ctx, ((struct geopackage *)w)->file, row);
}

static int geopackage_layer_end(struct ctx *ctx, struct format_writer *w)
{
    return feature_file_layer_end(ctx, ((struct geopackage *)w)->file);
}

static int geopackage_finish(struct ctx *ctx, struct format_writer *w)
{
    return feature_file_finish(ctx, ((struct geopackage *)w)->file);
}

static void geopackage_close(struct format_writer *w)
{
    struct geopackage *g = (struct geopackage *)w;
    feature_file_close(g->file);
    mem_free(g);
}

int geopackage_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    struct geopackage *g = mem_new(struct geopackage);
    *g = (struct geopackage){.base = {.layer = geopackage_layer,
                                      .row = geopackage_row,
                                      .layer_end = geopackage_layer_end,
                                      .finish = geopackage_finish,
                                      .close = geopackage_close}};
    g->base.file = arena_printf(ctx->arena, "%s/result.gpkg", t->dir).p;
    int rc = feature_file_create(ctx, g->base.file, &g->file);
    if (rc != RC_OK)
        mem_free(g);
    else
        *out = &g->base;
    return rc;
}
