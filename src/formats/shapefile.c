/* Shapefiles (ESRI's technical description of July 1998): a zip archive with .shp, .shx, .dbf, .prj and .cpg of each layer. A
 * layer without geometry is a .dbf alone. */
#include "base/mem.h"
#include "formats/dbf.h"
#include "model/geometry/esri_json.h"
#include "model/geometry/wkb.h"

enum { HEAD_SIZE = 100, FILE_CODE = 9994, VERSION = 1000, NAME_MAX_BYTES = 200, SHAPE_NULL = 0, SHAPE_Z = 10, SHAPE_M = 20 };
static const uint64_t FILE_MAX = INT32_MAX;
static const double NO_M = -1e39; /* anything below -1e38 is no value */
static const int32_t SHAPES[] = {
    [GEOMETRY_POINT] = 1, [GEOMETRY_POLYLINE] = 3, [GEOMETRY_POLYGON] = 5, [GEOMETRY_MULTIPOINT] = 8};

struct range {
    double least, most;
};
struct shapefile {
    struct format_writer base;
    struct zip_stream *zip;
    const char *dir;
    struct format_names names;
    const struct format_layer *layer;
    str name;
    int32_t shape;
    bool z, m;
    struct dbf table;
    struct spool shp, shx;
    struct envelope box;
    struct range zs, ms;
    struct buf parts, points, z_values, m_values, record;
};

/* ---- shapes ---- */

static void put_big(struct buf *b, uint32_t v)
{
    v = __builtin_bswap32(v);
    buf_add_bytes(b, &v, sizeof v);
}

static void widen(struct range *r, double v)
{
    r->least = v < r->least ? v : r->least;
    r->most = v > r->most ? v : r->most;
}

static const struct range NO_RANGE = {.least = INFINITY, .most = -INFINITY};

static void put_range(struct buf *b, const struct range *r, double none)
{
    bool any = r->least <= r->most;
    spool_put_double(b, any ? r->least : none);
    spool_put_double(b, any ? r->most : none);
}

/* What is gathered of one geometry. */
struct gathered {
    uint32_t parts, points;
    struct envelope box;
    struct range z, m;
};

static void gather_vertex(struct shapefile *s, const struct wkb_form *f, const struct wkb_sequence *from, size_t index,
                          struct gathered *g)
{
    size_t at = index * wkb_dims(f);
    double x = wkb_coord(from, at), y = wkb_coord(from, at + 1), z = f->has_z ? wkb_coord(from, at + 2) : 0;
    double m = f->has_m ? wkb_coord(from, at + wkb_dims(f) - 1) : NO_M;
    spool_put_double(&s->points, x);
    spool_put_double(&s->points, y);
    envelope_add(&g->box, x, y);
    z = isnan(z) ? 0 : z;
    spool_put_double(&s->z_values, z);
    widen(&g->z, z);
    if (isnan(m))
        m = NO_M;
    else if (f->has_m)
        widen(&g->m, m);
    spool_put_double(&s->m_values, m);
    g->points++;
}

static int gather(struct ctx *ctx, struct shapefile *s, str wkb, struct gathered *g)
{
    struct wkb_reader r;
    struct wkb_sequence sequence;
    int rc;
    struct buf *const lists[] = {&s->parts, &s->points, &s->z_values, &s->m_values};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        buf_clear(lists[i]);
    *g = (struct gathered){.box = ENVELOPE_EMPTY, .z = NO_RANGE, .m = NO_RANGE};
    TRY(wkb_reader_open(ctx, wkb, &r));
    while ((rc = wkb_reader_next(ctx, &r, &sequence)) == RC_OK) {
        bool reversed = esri_json_reversed(&r.form, &sequence, true);
        if (sequence.count == 0)
            continue;
        spool_put(&s->parts, g->points, 4);
        g->parts++;
        for (uint32_t i = 0; i < sequence.count; i++)
            gather_vertex(s, &r.form, &sequence, reversed ? sequence.count - 1 - i : i, g);
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        TRY(buf_check(lists[i], ctx, "a geometry"));
    return rc == RC_END ? RC_OK : rc;
}

/* The content of a record, behind its shape type. */
static void put_shape(struct shapefile *s, const struct gathered *g)
{
    struct buf *b = &s->record;
    if (s->layer->layer->geometry == GEOMETRY_POINT) {
        buf_add(b, buf_str(&s->points));
        if (s->z)
            buf_add(b, buf_str(&s->z_values));
        if (s->z || s->m)
            buf_add(b, buf_str(&s->m_values));
        return;
    }
    const double box[] = {g->box.xmin, g->box.ymin, g->box.xmax, g->box.ymax};
    buf_add_bytes(b, box, sizeof box);
    if (s->layer->layer->geometry != GEOMETRY_MULTIPOINT)
        spool_put(b, g->parts, 4);
    spool_put(b, g->points, 4);
    if (s->layer->layer->geometry != GEOMETRY_MULTIPOINT)
        buf_add(b, buf_str(&s->parts));
    buf_add(b, buf_str(&s->points));
    if (s->z) {
        put_range(b, &g->z, 0);
        buf_add(b, buf_str(&s->z_values));
    }
    if (s->m) {
        put_range(b, &g->m, NO_M);
        buf_add(b, buf_str(&s->m_values));
    }
}

static int put_record(struct ctx *ctx, struct shapefile *s, str wkb)
{
    struct gathered g = {.points = 0};
    uint64_t at = spool_size(&s->shp);
    buf_clear(&s->record);
    if (!str_none(wkb))
        TRY(gather(ctx, s, wkb, &g));
    spool_put(&s->record, g.points ? (uint64_t)s->shape : SHAPE_NULL, 4);
    if (g.points) {
        put_shape(s, &g);
        envelope_add(&s->box, g.box.xmin, g.box.ymin);
        envelope_add(&s->box, g.box.xmax, g.box.ymax);
        widen(&s->zs, g.z.least);
        widen(&s->zs, g.z.most);
        widen(&s->ms, g.m.least);
        widen(&s->ms, g.m.most);
    }
    TRY(buf_check(&s->record, ctx, "a geometry"));
    uint32_t words = (uint32_t)(s->record.n / 2);
    put_big(&s->shp.text, s->table.rows + 1);
    put_big(&s->shp.text, words);
    buf_add(&s->shp.text, buf_str(&s->record));
    put_big(&s->shx.text, (uint32_t)(at / 2));
    put_big(&s->shx.text, words);
    TRY(spool_flush(ctx, &s->shx, FORMAT_PIECE));
    return spool_flush(ctx, &s->shp, FORMAT_PIECE);
}

static void print_head(const struct shapefile *s, uint64_t size, struct buf *b)
{
    const double none[4] = {0};
    const double box[] = {s->box.xmin, s->box.ymin, s->box.xmax, s->box.ymax};
    buf_clear(b);
    put_big(b, FILE_CODE);
    for (int i = 0; i < 5; i++)
        put_big(b, 0);
    put_big(b, (uint32_t)(size / 2));
    spool_put(b, VERSION, 4);
    spool_put(b, (uint64_t)s->shape, 4);
    buf_add_bytes(b, envelope_empty(&s->box) ? none : box, sizeof box);
    put_range(b, s->z ? &s->zs : &NO_RANGE, 0);
    put_range(b, s->m ? &s->ms : &NO_RANGE, 0);
}

/* ---- the writer ---- */

static int check_size(struct ctx *ctx, const struct shapefile *s, const struct spool *file, const char *ending)
{
    if (spool_size(file) <= FILE_MAX)
        return RC_OK;
    return err_set(
        ctx, &ERR_LIMIT,
        "the .%s of layer %.*s would have more than 2 GB, the most that a Shapefile can have: export fewer features or fields, "
        "or a GeoPackage",
        ending, STR_FMT(s->layer->layer->name));
}

static int shapefile_row(struct ctx *ctx, struct format_writer *w, const struct row *row)
{
    struct shapefile *s = (struct shapefile *)w;
    if (s->shape != SHAPE_NULL) {
        TRY(put_record(ctx, s, row->wkb));
        TRY(check_size(ctx, s, &s->shp, "shp"));
    }
    TRY(dbf_row(ctx, &s->table, row));
    return check_size(ctx, s, &s->table.file, "dbf");
}

static int shapefile_layer(struct ctx *ctx, struct format_writer *w, const struct format_layer *l)
{
    struct shapefile *s = (struct shapefile *)w;
    s->layer = l;
    s->name = l->names[l->layer->field_count] = format_name_unique(ctx, &s->names, l->layer->name, NAME_MAX_BYTES);
    s->z = l->layer->has_z;
    s->m = l->layer->has_m;
    s->shape = l->layer->geometry == GEOMETRY_NONE ? SHAPE_NULL
                                                   : SHAPES[l->layer->geometry] + (s->z   ? SHAPE_Z
                                                                                   : s->m ? SHAPE_M
                                                                                          : 0);
    s->box = ENVELOPE_EMPTY;
    s->zs = s->ms = NO_RANGE;
    TRY(dbf_open(ctx, s->dir, l, &s->table));
    if (s->shape == SHAPE_NULL)
        return RC_OK;
    TRY(spool_open(ctx, s->dir, "shp", &s->shp));
    TRY(spool_open(ctx, s->dir, "shx", &s->shx));
    print_head(s, 0, &s->record);
    buf_add(&s->shp.text, buf_str(&s->record));
    buf_add(&s->shx.text, buf_str(&s->record));
    return RC_OK;
}

static str member(struct ctx *ctx, const struct shapefile *s, const char *ending)
{
    return arena_printf(ctx->arena, "%.*s.%s", STR_FMT(s->name), ending);
}

static int add_text(struct ctx *ctx, const struct shapefile *s, const char *ending, str text)
{
    TRY(zip_stream_begin(ctx, s->zip, member(ctx, s, ending)));
    TRY(writer_write(ctx, zip_stream_writer(s->zip), text));
    return zip_stream_end(ctx, s->zip);
}

static int add_shapes(struct ctx *ctx, struct shapefile *s)
{
    str prj;
    struct {
        struct spool *file;
        const char *ending;
    } files[] = {{&s->shp, "shp"}, {&s->shx, "shx"}};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        print_head(s, spool_size(files[i].file), &s->record);
        TRY(spool_pack(ctx, files[i].file, s->record.p, HEAD_SIZE, s->zip, member(ctx, s, files[i].ending)));
    }
    TRY(crs_esri_wkt(ctx, &s->layer->crs, &prj));
    return str_empty(prj) ? RC_OK : add_text(ctx, s, "prj", prj);
}

static int shapefile_layer_end(struct ctx *ctx, struct format_writer *w)
{
    struct shapefile *s = (struct shapefile *)w;
    if (s->shape != SHAPE_NULL)
        TRY(add_shapes(ctx, s));
    TRY(dbf_pack(ctx, &s->table, s->zip, member(ctx, s, "dbf")));
    dbf_close(&s->table);
    return add_text(ctx, s, "cpg", STR("UTF-8"));
}

static int shapefile_finish(struct ctx *ctx, struct format_writer *w)
{
    return zip_stream_finish(ctx, ((struct shapefile *)w)->zip);
}

static void shapefile_close(struct format_writer *w)
{
    struct shapefile *s = (struct shapefile *)w;
    struct buf *const lists[] = {&s->parts, &s->points, &s->z_values, &s->m_values, &s->record};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        buf_free(lists[i]);
    dbf_close(&s->table);
    spool_close(&s->shp);
    spool_close(&s->shx);
    zip_stream_close(s->zip);
    mem_free(s);
}

int shapefile_open(struct ctx *ctx, const struct format_target *t, struct format_writer **out)
{
    (void)ctx;
    struct shapefile *s = mem_new(struct shapefile);
    *s = (struct shapefile){.base = {.layer = shapefile_layer,
                                     .row = shapefile_row,
                                     .layer_end = shapefile_layer_end,
                                     .finish = shapefile_finish,
                                     .close = shapefile_close},
                            .zip = zip_stream_open(t->to, false),
                            .dir = t->dir,
                            .table.file.fd = -1,
                            .shp.fd = -1,
                            .shx.fd = -1};
    struct buf *const lists[] = {&s->parts, &s->points, &s->z_values, &s->m_values, &s->record};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        *lists[i] = BUF_INIT(FORMAT_BUFFER_MAX);
    *out = &s->base;
    return RC_OK;
}
