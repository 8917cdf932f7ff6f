/* The spatial filter of a query: any geometry and relation, a distance around it. What can be answered from boxes alone is; the
 * rest becomes a prepared relation, which the features of the box are tried on. */
#include "base/num.h"
#include "model/geometry/buffer.h"
#include "web/featureserver/featureserver.h"

/* A buffer costs more than the square of its vertices, and nothing interrupts it. */
enum { BUFFER_VERTICES_MAX = 500, VERTICES_MAX = 50000, GEOMETRY_MAX = 64 << 20 };

/* How a filter is answered. */
enum way { WAY_BOX, WAY_INTERSECTS, WAY_RELATION };

static const struct relation {
    const char *name;
    enum way way;
    enum relate_kind kind;
} RELATIONS[] = {
    {"esriSpatialRelIntersects", WAY_INTERSECTS, RELATE_INTERSECTS}, /* the default */
    {"esriSpatialRelContains", WAY_RELATION, RELATE_CONTAINS},
    {"esriSpatialRelCrosses", WAY_RELATION, RELATE_CROSSES},
    {"esriSpatialRelEnvelopeIntersects", WAY_BOX, RELATE_INTERSECTS},
    {"esriSpatialRelIndexIntersects", WAY_BOX, RELATE_INTERSECTS},
    {"esriSpatialRelOverlaps", WAY_RELATION, RELATE_OVERLAPS},
    {"esriSpatialRelTouches", WAY_RELATION, RELATE_TOUCHES},
    {"esriSpatialRelWithin", WAY_RELATION, RELATE_WITHIN},
    {"esriSpatialRelDisjoint", WAY_RELATION, RELATE_DISJOINT},
    {"esriSpatialRelRelation", WAY_RELATION, RELATE_MATRIX},
};

static const struct {
    const char *name;
    double meters;
} UNITS[] = {
    {"esriSRUnit_Meter", 1}, /* the default */
    {"esriSRUnit_StatuteMile", 1609.344},
    {"esriSRUnit_Foot", 0.3048},
    {"esriSRUnit_Kilometer", 1000},
    {"esriSRUnit_NauticalMile", 1852},
    {"esriSRUnit_USNauticalMile", 1853.248},
};

/* What was asked about, in the system it was given in. */
struct asked {
    bool is_box;
    struct envelope box; /* of an envelope */
    struct buf wkb;      /* of anything else */
    enum geometry_type type;
    struct crs crs;
};

static void asked_close(struct asked *a) { buf_free(&a->wkb); }

/* ---- parameters ---- */

/* "x,y" or "xmin,ymin,xmax,ymax". */
static bool short_form(str text, double v[4], size_t *count_out)
{
    str rest = text, piece;
    *count_out = 0;
    while (str_split(&rest, ',', &piece))
        if (*count_out == 4 || !num_parse_double(str_trim(piece), &v[(*count_out)++]))
            return false;
    return *count_out == 2 || *count_out == 4;
}

/* Without a type the members tell; clients that send an envelope leave it out. */
static int read_type(struct ctx *ctx, str name, struct json geometry, struct asked *a)
{
    static const struct {
        const char *member;
        enum geometry_type type;
    } MEMBERS[] = {
        {"rings", GEOMETRY_POLYGON}, {"paths", GEOMETRY_POLYLINE}, {"points", GEOMETRY_MULTIPOINT}, {"x", GEOMETRY_POINT}};
    a->is_box = str_empty(name) || str_eq(name, STR("esriGeometryEnvelope"));
    if (!a->is_box && !geometry_type_parse(name, &a->type))
        return err_set(ctx, &ERR_FEATURE, "'geometryType' parameter is invalid");
    for (size_t i = 0; str_empty(name) && i < COUNT_OF(MEMBERS); i++) {
        if (json_absent(json_get_c(geometry, MEMBERS[i].member)))
            continue;
        a->type = MEMBERS[i].type;
        a->is_box = false;
    }
    return RC_OK;
}

static int read_short(struct ctx *ctx, const double v[4], size_t count, struct asked *a)
{
    if ((count == 4) != a->is_box || (count == 2 && a->type != GEOMETRY_POINT))
        return err_set(ctx, &ERR_FEATURE, "'geometry' parameter is invalid");
    a->box = ENVELOPE_EMPTY;
    for (size_t i = 0; i < count; i += 2)
        envelope_add(&a->box, v[i], v[i + 1]);
    if (count == 2) {
        wkb_put_head(&a->wkb, &(struct wkb_form){.type = GEOMETRY_POINT});
        wkb_put_coords(&a->wkb, v, 2);
    }
    return RC_OK;
}

static int read_geometry(struct ctx *ctx, str text, str type_name, struct asked *a)
{
    double v[4];
    size_t count;
    struct json geometry = JSON_ABSENT;
    if (short_form(text, v, &count)) {
        TRY(read_type(ctx, type_name, geometry, a));
        return read_short(ctx, v, count, a);
    }
    if (!json_try_parse(ctx->arena, text, &geometry) || !json_is(geometry, JSON_OBJECT))
        return err_set(ctx, &ERR_FEATURE, "'geometry' parameter is invalid");
    TRY(read_type(ctx, type_name, geometry, a));
    struct crs own;
    if (esri_json_parse_crs(ctx->arena, json_get_c(geometry, "spatialReference"), &own))
        a->crs = own;
    if (a->is_box)
        return esri_json_parse_envelope(ctx, geometry, &a->box);
    struct wkb_form form = {.type = a->type, .multi = a->type != GEOMETRY_POINT};
    uint64_t vertices;
    TRY(esri_json_parse(ctx, geometry, &form, &a->wkb));
    TRY(buf_check(&a->wkb, ctx, "the geometry"));
    TRY(wkb_measure(ctx, buf_str(&a->wkb), NULL, NULL, &vertices));
    if (vertices > VERTICES_MAX)
        return err_set(ctx, &ERR_FEATURE, "'geometry' has more than %d vertices.", VERTICES_MAX);
    return RC_OK;
}

static int read_in_sr(struct ctx *ctx, const struct call *call, struct crs *crs)
{
    str text = str_trim(call_param(call, "inSR"));
    struct json v;
    if (str_empty(text))
        return RC_OK;
    struct crs given = {0};
    if (!json_try_parse(ctx->arena, text, &v) || !esri_json_parse_crs(ctx->arena, v, &given))
        return err_set(ctx, &ERR_FEATURE, "'inSR' parameter is invalid");
    *crs = given;
    return RC_OK;
}

static int read_relation(struct ctx *ctx, const struct call *call, const struct relation **out)
{
    str name = str_trim(call_param(call, "spatialRel"));
    *out = str_empty(name) ? &RELATIONS[0] : NULL;
    for (size_t i = 0; i < COUNT_OF(RELATIONS); i++)
        if (str_ieq(name, str_c(RELATIONS[i].name)))
            *out = &RELATIONS[i];
    return *out ? RC_OK : err_set(ctx, &ERR_FEATURE, "'spatialRel' parameter is invalid: '%.*s'", STR_FMT(str_sub(name, 0, 64)));
}

static int read_distance(struct ctx *ctx, const struct call *call, double *meters)
{
    str unit = str_trim(call_param(call, "units"));
    size_t i = 0;
    *meters = call_double(call, "distance");
    while (!str_empty(unit) && i < COUNT_OF(UNITS) && !str_ieq(unit, str_c(UNITS[i].name)))
        i++;
    if (i == COUNT_OF(UNITS))
        return err_set(ctx, &ERR_FEATURE, "'units' parameter is invalid: '%.*s'", STR_FMT(str_sub(unit, 0, 64)));
    if (*meters < 0)
        return err_set(ctx, &ERR_FEATURE, "'distance' parameter is invalid");
    *meters *= UNITS[i].meters;
    return RC_OK;
}

/* ---- the filter ---- */

/* A box as polygon, or as what it is when it has no width or height. */
static void put_box(struct buf *b, const struct envelope *e)
{
    const double ring[] = {e->xmin, e->ymin, e->xmax, e->ymin, e->xmax, e->ymax, e->xmin, e->ymax, e->xmin, e->ymin};
    bool wide = e->xmax > e->xmin, high = e->ymax > e->ymin;
    enum geometry_type type = wide && high ? GEOMETRY_POLYGON : wide || high ? GEOMETRY_POLYLINE : GEOMETRY_POINT;
    buf_clear(b);
    wkb_put_head(b, &(struct wkb_form){.type = type});
    if (type == GEOMETRY_POLYGON)
        wkb_put_count(b, 1);
    if (type != GEOMETRY_POINT)
        wkb_put_count(b, type == GEOMETRY_POLYGON ? 5 : 2);
    wkb_put_coords(b, ring, type == GEOMETRY_POINT ? 2 : type == GEOMETRY_POLYGON ? 10 : 0);
    if (type == GEOMETRY_POLYLINE)
        wkb_put_coords(b, (const double[]){e->xmin, e->ymin, e->xmax, e->ymax}, 4);
}

/* The geometry in the layer's system, with the distance around it. */
static int bring_over(struct ctx *ctx, const struct layer *l, struct asked *a, double meters, struct buf *out)
{
    const struct crs own = {.wkid = l->latest_wkid, .wkt = l->wkt};
    bool clamp = false;
    if (a->is_box && meters == 0)
        TRY(crs_transform_envelope(ctx, &a->crs, &own, &a->box, &a->box));
    if (a->is_box)
        put_box(&a->wkb, &a->box);
    if (a->is_box && meters == 0) {
        buf_add(out, buf_str(&a->wkb));
        return buf_check(out, ctx, "the geometry");
    }
    uint64_t vertices;
    TRY(wkb_measure(ctx, buf_str(&a->wkb), NULL, NULL, &vertices));
    if (meters > 0 && vertices > BUFFER_VERTICES_MAX)
        return err_set(ctx, &ERR_FEATURE, "'geometry' has more than %d vertices, too many for a distance around them.",
                       BUFFER_VERTICES_MAX);
    if (meters > 0)
        return geometry_buffer(ctx, &a->crs, &own, buf_str(&a->wkb), meters, out);
    TRY(crs_clamps(ctx, &a->crs, &own, &clamp));
    if (clamp)
        TRY(wkb_clamp_y(ctx, &a->wkb, CRS_NEAR_POLE));
    return crs_transform_wkb(ctx, &a->crs, &own, buf_str(&a->wkb), out);
}

static int make_filter(struct ctx *ctx, const struct call *call, const struct layer *l, const struct relation *relation,
                       struct asked *a, struct feature_query *q)
{
    CLEANUP(buf_free) struct buf shape = BUF_INIT(GEOMETRY_MAX);
    double meters = 0;
    TRY(read_distance(ctx, call, &meters));
    TRY(bring_over(ctx, l, a, meters, &shape));
    q->has_box = true;
    TRY(wkb_measure(ctx, buf_str(&shape), NULL, &q->box, NULL));
    if (envelope_empty(&q->box))
        return err_set(ctx, &ERR_FEATURE, "'geometry' parameter is empty");
    bool boxes = meters == 0 && (a->is_box || (a->type == GEOMETRY_POINT && l->geometry == GEOMETRY_POINT));
    q->box_exact = relation->way != WAY_BOX;
    if (relation->way == WAY_BOX || (relation->way == WAY_INTERSECTS && boxes) || l->geometry == GEOMETRY_NONE)
        return RC_OK;
    str matrix = relation->kind == RELATE_MATRIX ? str_trim(call_param(call, "relationParam")) : STR("");
    TRY(relate_open(ctx, buf_str(&shape), relation->kind, matrix, &q->shape));
    q->has_box = !relate_fits_apart(q->shape);
    return RC_OK;
}

int features_filter(struct ctx *ctx, const struct call *call, const struct layer *l, struct feature_query *q)
{
    str text = str_trim(call_param(call, "geometry"));
    q->has_box = false;
    q->shape = NULL;
    if (str_empty(text))
        return RC_OK;
    CLEANUP(asked_close) struct asked a = {.wkb = BUF_INIT(GEOMETRY_MAX), .crs = {.wkid = l->latest_wkid, .wkt = l->wkt}};
    const struct relation *relation;
    TRY(read_relation(ctx, call, &relation));
    TRY(read_geometry(ctx, text, str_trim(call_param(call, "geometryType")), &a));
    TRY(read_in_sr(ctx, call, &a.crs));
    struct ctx child = *ctx; /* with an error record of its own: what is wrong with the geometry is wrong with the request */
    child.err = (struct err){0};
    int rc = make_filter(&child, call, l, relation, &a, q);
    if (rc != RC_OK && err_is(&child, &ERR_INVALID))
        return err_set(ctx, &ERR_FEATURE, "'geometry' parameter is invalid: %s", err_text(&child));
    return ctx_adopt_error(ctx, &child, rc);
}

void features_filter_close(struct feature_query *q)
{
    relate_close(q->shape);
    q->shape = NULL;
}
