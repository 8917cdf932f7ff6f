/* Geometry from WKB to Esri JSON and GeoJSON, straight into the answer. Reading is in esri_json_parse.c. */
#include "model/geometry/esri_json.h"

/* Members of Esri's objects, types of GeoJSON's, by geometry type. */
static const struct {
    const char *list;           /* Esri: the member with the coordinates */
    const char *single, *multi; /* GeoJSON */
} NAMES[] = {
    [GEOMETRY_POINT] = {NULL, "Point", "MultiPoint"},
    [GEOMETRY_MULTIPOINT] = {"points", "Point", "MultiPoint"},
    [GEOMETRY_POLYLINE] = {"paths", "LineString", "MultiLineString"},
    [GEOMETRY_POLYGON] = {"rings", "Polygon", "MultiPolygon"},
};

static void put_ordinate(struct json_out *o, double v)
{
    if (isnan(v))
        json_put_null(o);
    else
        json_put_double(o, v);
}

struct vertex_form {
    unsigned dims; /* in the bytes */
    bool z, m;     /* to be written */
    unsigned m_at;
    bool deltas, turned;
    double x, y; /* with deltas: the vertex before */
};

static struct vertex_form vertex_form(const struct wkb_form *f, struct esri_json_form wanted)
{
    return (struct vertex_form){.dims = wkb_dims(f),
                                .z = f->has_z && wanted.z,
                                .m = f->has_m && wanted.m,
                                .m_at = wkb_dims(f) - 1,
                                .deltas = wanted.deltas,
                                .turned = wanted.turned};
}

static void put_vertex(struct json_out *o, const struct wkb_sequence *s, size_t index, struct vertex_form *v)
{
    size_t at = index * v->dims;
    double x = wkb_coord(s, at), y = wkb_coord(s, at + 1);
    json_begin_array(o);
    json_put_double(o, x - v->x); /* x itself but with deltas */
    json_put_double(o, y - v->y);
    if (v->deltas) {
        v->x = x;
        v->y = y;
    }
    if (v->z)
        put_ordinate(o, wkb_coord(s, at + 2));
    if (v->m)
        put_ordinate(o, wkb_coord(s, at + v->m_at));
    json_end_array(o);
}

/* Twice the signed area, positive counter-clockwise; taken around the first vertex, so that far coordinates lose nothing. */
static double ring_area(const struct wkb_sequence *s, unsigned dims)
{
    double area = 0;
    if (s->count < 3)
        return 0;
    double x0 = wkb_coord(s, 0), y0 = wkb_coord(s, 1);
    for (size_t i = 1; i + 1 < s->count; i++) {
        double ax = wkb_coord(s, i * dims) - x0, ay = wkb_coord(s, i * dims + 1) - y0;
        double bx = wkb_coord(s, (i + 1) * dims) - x0, by = wkb_coord(s, (i + 1) * dims + 1) - y0;
        area += ax * by - bx * ay;
    }
    return area;
}

static void put_sequence(struct json_out *o, const struct wkb_sequence *s, struct vertex_form *v, bool reversed)
{
    v->x = v->y = 0;
    json_begin_array(o);
    for (size_t i = 0; i < s->count; i++)
        put_vertex(o, s, reversed ? s->count - 1 - i : i, v);
    json_end_array(o);
}

bool esri_json_reversed(const struct wkb_form *f, const struct wkb_sequence *s, bool outer_clockwise)
{
    if (f->type != GEOMETRY_POLYGON)
        return false;
    double area = ring_area(s, wkb_dims(f));
    bool clockwise_wanted = s->starts_part == outer_clockwise;
    return clockwise_wanted ? area > 0 : area < 0;
}

static int put_point(struct ctx *ctx, struct json_out *o, struct wkb_reader *r, const struct vertex_form *v)
{
    struct wkb_sequence s;
    int rc = wkb_reader_next(ctx, r, &s);
    if (rc == RC_END) {
        json_member_null(o, "x"); /* an empty point */
        json_member_null(o, "y");
        return RC_OK;
    }
    TRY(rc);
    json_member_double(o, "x", wkb_coord(&s, 0));
    json_member_double(o, "y", wkb_coord(&s, 1));
    if (v->z) {
        json_name(o, "z");
        put_ordinate(o, wkb_coord(&s, 2));
    }
    if (v->m) {
        json_name(o, "m");
        put_ordinate(o, wkb_coord(&s, v->m_at));
    }
    return RC_OK;
}

int esri_json_put(struct ctx *ctx, struct json_out *o, str wkb, struct esri_json_form form)
{
    if (str_none(wkb)) {
        json_put_null(o);
        return RC_OK;
    }
    struct wkb_reader r;
    struct wkb_sequence s;
    TRY(wkb_reader_open(ctx, wkb, &r));
    struct vertex_form v = vertex_form(&r.form, form);
    json_begin_object(o);
    if (r.form.type == GEOMETRY_POINT) {
        TRY(put_point(ctx, o, &r, &v));
        json_end_object(o);
        return RC_OK;
    }
    json_name(o, NAMES[r.form.type].list);
    json_begin_array(o);
    int rc;
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        if (r.form.type == GEOMETRY_MULTIPOINT)
            put_vertex(o, &s, 0, &v);
        else
            put_sequence(o, &s, &v, esri_json_reversed(&r.form, &s, !v.turned));
    }
    json_end_array(o);
    json_end_object(o);
    return rc == RC_END ? RC_OK : rc;
}

/* The coordinates of all parts; brackets around each polygon's rings, and around the parts when there is more than one. */
static int put_parts(struct ctx *ctx, struct json_out *o, struct wkb_reader *r, struct vertex_form *v, bool many)
{
    bool polygons = r->form.type == GEOMETRY_POLYGON, open = false;
    struct wkb_sequence s;
    int rc;
    if (many)
        json_begin_array(o);
    while ((rc = wkb_reader_next(ctx, r, &s)) == RC_OK) {
        if (polygons && s.starts_part) {
            if (open)
                json_end_array(o);
            json_begin_array(o);
            open = true;
        }
        if (r->form.type == GEOMETRY_POINT || r->form.type == GEOMETRY_MULTIPOINT)
            put_vertex(o, &s, 0, v);
        else
            put_sequence(o, &s, v, esri_json_reversed(&r->form, &s, false));
    }
    if (open)
        json_end_array(o);
    if (many)
        json_end_array(o);
    return rc == RC_END ? RC_OK : rc;
}

static int count_parts(struct ctx *ctx, str wkb, size_t *out)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    TRY(wkb_reader_open(ctx, wkb, &r));
    for (*out = 0; (rc = wkb_reader_next(ctx, &r, &s)) == RC_OK;)
        *out += s.starts_part;
    return rc == RC_END ? RC_OK : rc;
}

int esri_json_put_geojson(struct ctx *ctx, struct json_out *o, str wkb, bool z)
{
    size_t parts = 0;
    if (!str_none(wkb))
        TRY(count_parts(ctx, wkb, &parts));
    if (parts == 0) {
        json_put_null(o);
        return RC_OK;
    }
    struct wkb_reader r;
    TRY(wkb_reader_open(ctx, wkb, &r));
    struct vertex_form v = vertex_form(&r.form, (struct esri_json_form){.z = z});
    json_begin_object(o);
    json_member_c(o, "type", parts > 1 ? NAMES[r.form.type].multi : NAMES[r.form.type].single);
    json_name(o, "coordinates");
    TRY(put_parts(ctx, o, &r, &v, parts > 1));
    json_end_object(o);
    return RC_OK;
}

void esri_json_put_crs(struct json_out *o, const struct crs *crs)
{
    json_begin_object(o);
    if (crs->wkid > 0) {
        json_member_int(o, "wkid", crs_esri_wkid(crs_latest_wkid(crs->wkid)));
        json_member_int(o, "latestWkid", crs_latest_wkid(crs->wkid));
    } else if (crs->wkt.n) {
        json_member_str(o, "wkt", crs->wkt);
    }
    json_end_object(o);
}
