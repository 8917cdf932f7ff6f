/* Coordinate reference systems: see crs.h. */
#include "model/geometry/crs.h"

#include "base/mem.h"
#include "model/geometry/wkb.h"
#include <proj.h>
#include <pthread.h>

enum { CACHED = 8, EDGE_STEPS = 32 };

/* Ids that Esri replaced by those of EPSG; the first of a latest id is the one that Esri writes beside it. */
static const struct {
    int32_t wkid, latest;
} ALIASES[] = {
    {102100, 3857},
    {102113, 3785},
    {900913, 3857},
};

/* A prepared transformation; a side is "EPSG:4326", "ESRI:102003" or WKT. */
struct cached {
    char *from, *to;
    PJ *pj;
    uint64_t used;
};
struct thread_state {
    PJ_CONTEXT *proj;
    uint64_t tick;
    struct cached cache[CACHED];
};

static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;

static void close_state(void *p)
{
    struct thread_state *t = p;
    for (size_t i = 0; i < CACHED; i++) {
        proj_destroy(t->cache[i].pj);
        mem_free(t->cache[i].from);
        mem_free(t->cache[i].to);
    }
    proj_context_destroy(t->proj);
    mem_free(t);
}

static void create_key(void) { pthread_key_create(&thread_key, close_state); }

static struct thread_state *thread_state(void)
{
    pthread_once(&thread_once, create_key);
    struct thread_state *t = pthread_getspecific(thread_key);
    if (!t) {
        t = mem_new(struct thread_state);
        t->proj = proj_context_create();
        proj_log_level(t->proj, PJ_LOG_NONE);
        proj_context_set_enable_network(t->proj, 0);
        pthread_setspecific(thread_key, t);
    }
    return t;
}

int32_t crs_latest_wkid(int32_t wkid)
{
    for (size_t i = 0; i < COUNT_OF(ALIASES); i++)
        if (ALIASES[i].wkid == wkid)
            return ALIASES[i].latest;
    return wkid;
}

int32_t crs_esri_wkid(int32_t wkid)
{
    for (size_t i = 0; i < COUNT_OF(ALIASES); i++)
        if (ALIASES[i].latest == wkid)
            return ALIASES[i].wkid;
    return wkid;
}

bool crs_same(const struct crs *a, const struct crs *b)
{
    if (a->wkid || b->wkid)
        return crs_latest_wkid(a->wkid) == crs_latest_wkid(b->wkid);
    return str_eq(a->wkt, b->wkt);
}

static bool crs_unknown(const struct crs *c) { return c->wkid <= 0 && c->wkt.n == 0; }

/* ---- PROJ objects ---- */
static PJ *create_by_id(struct thread_state *t, int32_t wkid)
{
    static const char *const AUTHORITIES[] = {"EPSG", "ESRI"};
    struct buf b = BUF_INIT(16);
    buf_add_int(&b, crs_latest_wkid(wkid));
    PJ *pj = NULL;
    for (size_t i = 0; i < COUNT_OF(AUTHORITIES) && !pj; i++)
        pj = proj_create_from_database(t->proj, AUTHORITIES[i], b.p, PJ_CATEGORY_CRS, 0, NULL);
    buf_free(&b);
    return pj;
}

static int create_crs(struct ctx *ctx, struct thread_state *t, const struct crs *crs, PJ **out)
{
    if (crs->wkid > 0)
        *out = create_by_id(t, crs->wkid);
    else
        *out = proj_create_from_wkt(t->proj, arena_cstr(ctx->arena, crs->wkt), NULL, NULL, NULL);
    if (*out && proj_is_crs(*out))
        return RC_OK;
    proj_destroy(*out);
    *out = NULL;
    if (crs->wkid > 0)
        return err_set(ctx, &ERR_INVALID, "spatial reference %d is not known", crs->wkid);
    return err_set(ctx, &ERR_INVALID, "spatial reference \"%.*s\" is not known", STR_FMT(str_sub(crs->wkt, 0, 80)));
}

/* What a system is called in the cache. */
static str cache_name(struct ctx *ctx, const struct crs *c)
{
    return c->wkid > 0 ? arena_printf(ctx->arena, "%d", crs_latest_wkid(c->wkid)) : c->wkt;
}

static int create_transformation(struct ctx *ctx, struct thread_state *t, const struct crs *from, const struct crs *to, PJ **out)
{
    PJ *source = NULL, *target = NULL;
    int rc = create_crs(ctx, t, from, &source);
    rc = rc != RC_OK ? rc : create_crs(ctx, t, to, &target);
    PJ *pj = rc == RC_OK ? proj_create_crs_to_crs_from_pj(t->proj, source, target, NULL, NULL) : NULL;
    *out = pj ? proj_normalize_for_visualization(t->proj, pj) : NULL;
    proj_destroy(pj);
    proj_destroy(source);
    proj_destroy(target);
    if (rc == RC_OK && !*out)
        rc = err_set(ctx, &ERR_INVALID, "there is no transformation between spatial references %.*s and %.*s",
                     STR_FMT(str_sub(cache_name(ctx, from), 0, 80)), STR_FMT(str_sub(cache_name(ctx, to), 0, 80)));
    return rc;
}

static int find_transformation(struct ctx *ctx, const struct crs *from, const struct crs *to, PJ **out)
{
    struct thread_state *t = thread_state();
    struct cached *slot = &t->cache[0];
    str a = cache_name(ctx, from), b = cache_name(ctx, to);
    for (size_t i = 0; i < CACHED; i++) {
        struct cached *c = &t->cache[i];
        if (c->pj && str_eq(str_c(c->from), a) && str_eq(str_c(c->to), b)) {
            c->used = ++t->tick;
            *out = c->pj;
            return RC_OK;
        }
        if (c->used < slot->used)
            slot = c;
    }
    PJ *pj = NULL;
    TRY(create_transformation(ctx, t, from, to, &pj));
    proj_destroy(slot->pj);
    mem_free(slot->from);
    mem_free(slot->to);
    *slot = (struct cached){
        .from = mem_cstr(arena_cstr(ctx->arena, a)), .to = mem_cstr(arena_cstr(ctx->arena, b)), .pj = pj, .used = ++t->tick};
    *out = pj;
    return RC_OK;
}

/* ---- descriptions ---- */
static str text_or(struct ctx *ctx, const char *text, str otherwise)
{
    return text ? arena_str(ctx->arena, str_c(text)) : otherwise;
}

static bool is_geographic(PJ_TYPE type) { return type == PJ_TYPE_GEOGRAPHIC_2D_CRS || type == PJ_TYPE_GEOGRAPHIC_3D_CRS; }

static double unit_of(struct thread_state *t, PJ *pj)
{
    double factor = 1;
    PJ *system = proj_crs_get_coordinate_system(t->proj, pj);
    if (!system || !proj_cs_get_axis_info(t->proj, system, 0, NULL, NULL, NULL, &factor, NULL, NULL, NULL) || !(factor > 0))
        factor = 1;
    proj_destroy(system);
    return factor;
}

int crs_describe(struct ctx *ctx, const struct crs *crs, struct crs_info *out)
{
    static const char *const ONE_LINE[] = {"MULTILINE=NO", NULL};
    struct thread_state *t = thread_state();
    PJ *pj = NULL;
    TRY(create_crs(ctx, t, crs, &pj));
    const char *wkt = proj_as_wkt(t->proj, pj, PJ_WKT1_GDAL, ONE_LINE);
    if (!wkt) /* systems that WKT 1 has no words for */
        wkt = proj_as_wkt(t->proj, pj, PJ_WKT2_2019, ONE_LINE);
    *out = (struct crs_info){
        .name = text_or(ctx, proj_get_name(pj), STR("unnamed")),
        .authority = STR("NONE"),
        .wkt = text_or(ctx, wkt, STR("undefined")),
        .geographic = is_geographic(proj_get_type(pj)),
    };
    out->unit_meters = out->geographic ? 1 : unit_of(t, pj);
    if (crs->wkid > 0) {
        out->authority = text_or(ctx, proj_get_id_auth_name(pj, 0), STR("NONE"));
        out->code = crs_latest_wkid(crs->wkid);
    }
    proj_destroy(pj);
    return RC_OK;
}

int crs_esri_wkt(struct ctx *ctx, const struct crs *crs, str *out)
{
    static const char *const ONE_LINE[] = {"MULTILINE=NO", NULL};
    struct thread_state *t = thread_state();
    PJ *pj = NULL;
    *out = STR("");
    if (crs_unknown(crs))
        return RC_OK;
    TRY(create_crs(ctx, t, crs, &pj));
    *out = text_or(ctx, proj_as_wkt(t->proj, pj, PJ_WKT1_ESRI, ONE_LINE), STR(""));
    proj_destroy(pj);
    return RC_OK;
}

void crs_local(struct ctx *ctx, double lon, double lat, struct crs *out)
{
    *out = (struct crs){
        .wkt = arena_printf(ctx->arena,
                            "PROJCS[\"local\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],"
                            "PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"Azimuthal_Equidistant\"],"
                            "PARAMETER[\"latitude_of_center\",%.9f],PARAMETER[\"longitude_of_center\",%.9f],"
                            "PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],UNIT[\"metre\",1]]",
                            lat, lon)};
}

/* ---- transforming ---- */
static void run(PJ *pj, double *xy, size_t count, size_t stride)
{
    proj_errno_reset(pj);
    proj_trans_generic(pj, PJ_FWD, xy, stride * sizeof *xy, count, xy + 1, stride * sizeof *xy, count, NULL, 0, 0, NULL, 0, 0);
}

static bool same_or_unknown(const struct crs *from, const struct crs *to)
{
    return crs_same(from, to) || crs_unknown(from) || crs_unknown(to);
}

static int run_checked(struct ctx *ctx, PJ *pj, double *xy, size_t count, size_t stride)
{
    run(pj, xy, count, stride);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(xy[i * stride]) || !isfinite(xy[i * stride + 1]))
            return err_set(ctx, &ERR_INVALID, "a coordinate lies outside of the spatial reference asked for");
    return RC_OK;
}

int crs_transform_points(struct ctx *ctx, const struct crs *from, const struct crs *to, double *xy, size_t count, size_t stride)
{
    PJ *pj = NULL;
    if (same_or_unknown(from, to))
        return RC_OK;
    TRY(find_transformation(ctx, from, to, &pj));
    return run_checked(ctx, pj, xy, count, stride);
}

/* The bytes are copied first; each sequence of the copy is then transformed through a window of aligned doubles. */
static int transform_sequence(struct ctx *ctx, PJ *pj, const struct wkb_sequence *s, unsigned dims, char *coords)
{
    double window[256];
    size_t most = COUNT_OF(window) / dims;
    for (size_t at = 0; at < s->count; at += most) {
        size_t n = s->count - at < most ? s->count - at : most, bytes = n * dims * sizeof(double);
        memcpy(window, coords + at * dims * sizeof(double), bytes);
        TRY(run_checked(ctx, pj, window, n, dims));
        memcpy(coords + at * dims * sizeof(double), window, bytes);
    }
    return RC_OK;
}

int crs_transform_wkb(struct ctx *ctx, const struct crs *from, const struct crs *to, str wkb, struct buf *out)
{
    TRY(wkb_measure(ctx, wkb, NULL, NULL, NULL));
    size_t start = out->n;
    buf_add(out, wkb);
    TRY(buf_check(out, ctx, "geometry"));
    if (same_or_unknown(from, to))
        return RC_OK;
    PJ *pj = NULL;
    struct wkb_reader r;
    struct wkb_sequence s;
    TRY(find_transformation(ctx, from, to, &pj));
    TRY(wkb_reader_open(ctx, wkb, &r));
    int rc;
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK)
        TRY(transform_sequence(ctx, pj, &s, wkb_dims(&r.form), out->p + start + (s.coords - (const unsigned char *)wkb.p)));
    return rc == RC_END ? RC_OK : rc;
}

int crs_transform_envelope(struct ctx *ctx, const struct crs *from, const struct crs *to, const struct envelope *in,
                           struct envelope *out)
{
    const struct envelope given = *in; /* in and out may be the same */
    *out = given;
    if (envelope_empty(&given) || same_or_unknown(from, to))
        return RC_OK;
    PJ *pj = NULL;
    TRY(find_transformation(ctx, from, to, &pj));
    *out = ENVELOPE_EMPTY;
    double width = given.xmax - given.xmin, height = given.ymax - given.ymin;
    for (int row = 0; row <= EDGE_STEPS; row++) { /* a grid, not the edges alone: a pole may lie inside */
        double line[2 * (EDGE_STEPS + 1)];
        for (int i = 0; i <= EDGE_STEPS; i++) {
            line[2 * i] = i == EDGE_STEPS ? given.xmax : given.xmin + width * i / EDGE_STEPS;
            line[2 * i + 1] = row == EDGE_STEPS ? given.ymax : given.ymin + height * row / EDGE_STEPS;
        }
        run(pj, line, EDGE_STEPS + 1, 2);
        for (int i = 0; i <= EDGE_STEPS; i++)
            if (isfinite(line[2 * i]) && isfinite(line[2 * i + 1]))
                envelope_add(out, line[2 * i], line[2 * i + 1]);
    }
    return envelope_empty(out) ? err_set(ctx, &ERR_INVALID, "the extent lies outside of the spatial reference asked for") : RC_OK;
}

int crs_clamps(struct ctx *ctx, const struct crs *from, const struct crs *to, bool *out)
{
    const struct crs mercator = {.wkid = CRS_WEB_MERCATOR};
    struct crs_info info;
    *out = crs_same(to, &mercator) && from->wkid == CRS_WGS84;
    if (*out || !crs_same(to, &mercator) || (from->wkid <= 0 && str_empty(from->wkt)))
        return RC_OK;
    TRY(crs_describe(ctx, from, &info));
    *out = info.geographic;
    return RC_OK;
}
