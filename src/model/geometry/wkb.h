/* ISO well-known binary (ISO 13249-3, OGC 06-103r4), little endian: the form in which geometry travels through the program.
 *
 * One reader serves checking, printing and transforming: it walks the coordinate sequences of a geometry and checks every
 * count against the bytes that are there, so no other code looks into the bytes. Known types: (multi)point, (multi)linestring,
 * (multi)polygon, each with Z, M or both. An empty point has NaN for x and y, as GeoPackage says. */
#ifndef MAPFERRY_MODEL_GEOMETRY_WKB_H
#define MAPFERRY_MODEL_GEOMETRY_WKB_H

#include "base/buf.h"
#include "model/geometry/envelope.h"
#include "model/layer.h"

/* What kind of geometry it is. */
struct wkb_form {
    enum geometry_type type; /* a linestring is a polyline, a polygon a polygon; point and multipoint differ */
    bool multi;              /* multilinestring, multipolygon, multipoint */
    bool has_z, has_m;
};
/* Coordinates of a vertex: 2, 3 or 4 doubles in the order x, y, z, m. */
static inline unsigned wkb_dims(const struct wkb_form *f) { return 2U + f->has_z + f->has_m; }

/* A point, path or ring. */
struct wkb_sequence {
    const unsigned char *coords; /* count * dims little-endian doubles, unaligned; read with wkb_coord */
    uint32_t count;              /* vertices */
    bool starts_part;            /* first ring of a polygon, and every point and path */
};
static inline double wkb_coord(const struct wkb_sequence *s, size_t index)
{
    double v;
    memcpy(&v, s->coords + index * sizeof v, sizeof v);
    return v;
}

struct wkb_reader {
    struct wkb_form form;
    str bytes;
    size_t at;
    uint32_t parts_left, sequences_left;
    bool starts_part;
};
/* Reads the head. ERR_INVALID: not little-endian ISO WKB of a known type, or a count beyond the bytes. */
int wkb_reader_open(struct ctx *ctx, str wkb, struct wkb_reader *out);
/* The next sequence, RC_END after the last; bytes left over are ERR_INVALID. An empty point has no sequence. */
int wkb_reader_next(struct ctx *ctx, struct wkb_reader *r, struct wkb_sequence *out);

/* All of it checked, in one pass: form, box (ENVELOPE_EMPTY when there are no vertices) and number of vertices. x and y must be
 * finite. The pointers out may be NULL. */
int wkb_measure(struct ctx *ctx, str wkb, struct wkb_form *form_out, struct envelope *box_out, uint64_t *vertices_out);

/* The form in which a layer keeps its rows: multi for lines and polygons, Z and M as the layer says. */
struct wkb_form wkb_form_of_layer(const struct layer *l);
/* Type code of a form: 1 .. 3006. */
uint32_t wkb_code(const struct wkb_form *f);
static inline bool wkb_form_eq(const struct wkb_form *a, const struct wkb_form *b)
{
    return a->type == b->type && a->multi == b->multi && a->has_z == b->has_z && a->has_m == b->has_m;
}
/* Appends the geometry in another form: a single one becomes a multi one of one part, Z is dropped or added as 0, M as NaN.
 * ERR_INVALID when the type differs (a point may become a multipoint). */
int wkb_convert(struct ctx *ctx, str wkb, const struct wkb_form *to, struct buf *out);

/* Writing: heads, counts and vertices. */
void wkb_put_head(struct buf *b, const struct wkb_form *f); /* byte order and type */
void wkb_put_count(struct buf *b, uint32_t count);
void wkb_put_coords(struct buf *b, const double *coords, size_t count); /* doubles, not vertices */

#endif
