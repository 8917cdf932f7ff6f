/* ISO well-known binary: see wkb.h. */
#include "model/geometry/wkb.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#    error "coordinates are taken as they stand in the bytes: little endian machines only"
#endif

enum { HEAD_SIZE = 5, COUNT_SIZE = 4 };
enum { CODE_POINT = 1, CODE_LINE, CODE_POLYGON, CODE_MULTI = 3, CODE_LAST = 6, CODE_Z = 1000, CODE_M = 2000, CODE_ZM = 3000 };

static const enum geometry_type TYPE_OF_CODE[CODE_LAST + 1] = {
    [1] = GEOMETRY_POINT,      [2] = GEOMETRY_POLYLINE, [3] = GEOMETRY_POLYGON,
    [4] = GEOMETRY_MULTIPOINT, [5] = GEOMETRY_POLYLINE, [6] = GEOMETRY_POLYGON,
};
static const uint32_t CODE_OF_TYPE[] = {
    [GEOMETRY_POINT] = CODE_POINT,
    [GEOMETRY_MULTIPOINT] = CODE_POINT,
    [GEOMETRY_POLYLINE] = CODE_LINE,
    [GEOMETRY_POLYGON] = CODE_POLYGON,
};

static size_t left(const struct wkb_reader *r) { return r->bytes.n - r->at; }

static int read_u32(struct ctx *ctx, struct wkb_reader *r, uint32_t *out)
{
    if (left(r) < sizeof *out)
        return err_set(ctx, &ERR_INVALID, "geometry ends at byte %zu", r->bytes.n);
    memcpy(out, r->bytes.p + r->at, sizeof *out);
    r->at += sizeof *out;
    return RC_OK;
}

/* A count of things that take at least `size` bytes each. */
static int read_count(struct ctx *ctx, struct wkb_reader *r, size_t size, uint32_t *out)
{
    TRY(read_u32(ctx, r, out));
    if (*out > left(r) / size)
        return err_set(ctx, &ERR_INVALID, "geometry: count %u at byte %zu is more than its bytes hold", *out, r->at - COUNT_SIZE);
    return RC_OK;
}

static int read_code(struct ctx *ctx, struct wkb_reader *r, uint32_t *out)
{
    if (left(r) < HEAD_SIZE)
        return err_set(ctx, &ERR_INVALID, "geometry ends at byte %zu", r->bytes.n);
    if (r->bytes.p[r->at] != 1)
        return err_set(ctx, &ERR_INVALID, "geometry: byte order %d at byte %zu", r->bytes.p[r->at], r->at);
    r->at++;
    return read_u32(ctx, r, out);
}

uint32_t wkb_code(const struct wkb_form *f)
{
    return CODE_OF_TYPE[f->type] + (f->multi ? CODE_MULTI : 0) + (f->has_z ? CODE_Z : 0) + (f->has_m ? CODE_M : 0);
}

static uint32_t part_code(const struct wkb_form *f)
{
    struct wkb_form part = *f;
    part.multi = false;
    return wkb_code(&part);
}

static size_t vertex_size(const struct wkb_form *f) { return wkb_dims(f) * sizeof(double); }

int wkb_reader_open(struct ctx *ctx, str wkb, struct wkb_reader *out)
{
    *out = (struct wkb_reader){.bytes = wkb, .parts_left = 1};
    uint32_t code = 0;
    TRY(read_code(ctx, out, &code));
    uint32_t base = code % CODE_Z, dimension = code / CODE_Z;
    if (base < CODE_POINT || base > CODE_LAST || dimension > CODE_ZM / CODE_Z)
        return err_set(ctx, &ERR_INVALID, "geometry type %u is not one of point, line, polygon and their multiples", code);
    out->form = (struct wkb_form){
        .type = TYPE_OF_CODE[base], .multi = base > CODE_MULTI, .has_z = dimension & 1, .has_m = (dimension & 2) != 0};
    if (!out->form.multi)
        return RC_OK;
    return read_count(ctx, out, HEAD_SIZE + COUNT_SIZE, &out->parts_left);
}

static bool is_point(const struct wkb_form *f) { return f->type == GEOMETRY_POINT || f->type == GEOMETRY_MULTIPOINT; }

static int next_part(struct ctx *ctx, struct wkb_reader *r)
{
    r->parts_left--;
    r->starts_part = true;
    if (r->form.multi) {
        uint32_t code = 0;
        TRY(read_code(ctx, r, &code));
        if (code != part_code(&r->form))
            return err_set(ctx, &ERR_INVALID, "geometry: part of type %u in type %u", code, wkb_code(&r->form));
    }
    r->sequences_left = 1;
    if (r->form.type == GEOMETRY_POLYGON)
        TRY(read_count(ctx, r, COUNT_SIZE, &r->sequences_left));
    return RC_OK;
}

int wkb_reader_next(struct ctx *ctx, struct wkb_reader *r, struct wkb_sequence *out)
{
    size_t size = vertex_size(&r->form);
    for (;;) {
        while (r->sequences_left == 0) {
            if (r->parts_left == 0)
                return r->at == r->bytes.n ? RC_END
                                           : err_set(ctx, &ERR_INVALID, "geometry ends at byte %zu of %zu", r->at, r->bytes.n);
            TRY(next_part(ctx, r));
        }
        r->sequences_left--;
        *out = (struct wkb_sequence){.count = 1, .starts_part = r->starts_part};
        r->starts_part = false;
        if (!is_point(&r->form))
            TRY(read_count(ctx, r, size, &out->count));
        else if (left(r) < size)
            return err_set(ctx, &ERR_INVALID, "geometry ends at byte %zu", r->bytes.n);
        out->coords = (const unsigned char *)r->bytes.p + r->at;
        r->at += out->count * size;
        if (!is_point(&r->form) || !isnan(wkb_coord(out, 0)) || !isnan(wkb_coord(out, 1)))
            return RC_OK;
    }
}

int wkb_measure(struct ctx *ctx, str wkb, struct wkb_form *form_out, struct envelope *box_out, uint64_t *vertices_out)
{
    struct wkb_reader r;
    TRY(wkb_reader_open(ctx, wkb, &r));
    struct envelope box = ENVELOPE_EMPTY;
    uint64_t vertices = 0;
    unsigned dims = wkb_dims(&r.form);
    struct wkb_sequence s;
    int rc;
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        double check = 0; /* 0 * v is NaN for NaN and infinity, and NaN stays */
        for (size_t i = 0; i < s.count; i++) {
            double x = wkb_coord(&s, i * dims), y = wkb_coord(&s, i * dims + 1);
            check += 0 * x + 0 * y;
            envelope_add(&box, x, y);
        }
        if (isnan(check))
            return err_set(ctx, &ERR_INVALID, "geometry: a coordinate is not a finite number");
        vertices += s.count;
    }
    if (rc != RC_END)
        return rc;
    if (form_out)
        *form_out = r.form;
    if (box_out)
        *box_out = box;
    if (vertices_out)
        *vertices_out = vertices;
    return RC_OK;
}

struct wkb_form wkb_form_of_layer(const struct layer *l)
{
    return (struct wkb_form){.type = l->geometry,
                             .multi = l->geometry != GEOMETRY_POINT && l->geometry != GEOMETRY_NONE,
                             .has_z = l->has_z,
                             .has_m = l->has_m};
}

void wkb_put_head(struct buf *b, const struct wkb_form *f)
{
    uint32_t code = wkb_code(f);
    buf_add_char(b, 1);
    buf_add_bytes(b, &code, sizeof code);
}

void wkb_put_count(struct buf *b, uint32_t count) { buf_add_bytes(b, &count, sizeof count); }

void wkb_put_coords(struct buf *b, const double *coords, size_t count) { buf_add_bytes(b, coords, count * sizeof *coords); }

/* Sets a count written before, at that offset. */
static void set_count(struct buf *b, size_t offset, uint32_t count)
{
    if (!b->overflow)
        memcpy(b->p + offset, &count, sizeof count);
}

static void put_vertices(struct buf *b, const struct wkb_sequence *s, const struct wkb_form *from, const struct wkb_form *to)
{
    unsigned dims = wkb_dims(from);
    for (size_t i = 0; i < s->count; i++) {
        double v[4] = {wkb_coord(s, i * dims), wkb_coord(s, i * dims + 1)};
        unsigned n = 2;
        if (to->has_z)
            v[n++] = from->has_z ? wkb_coord(s, i * dims + 2) : 0;
        if (to->has_m)
            v[n++] = from->has_m ? wkb_coord(s, i * dims + dims - 1) : NAN;
        wkb_put_coords(b, v, n);
    }
}

/* An empty point is one of NaN, an empty multi geometry one without parts. */
static void put_empty(struct buf *out, const struct wkb_form *to)
{
    const double none[4] = {NAN, NAN, NAN, NAN};
    wkb_put_head(out, to);
    if (to->type == GEOMETRY_POINT)
        wkb_put_coords(out, none, wkb_dims(to));
    else
        wkb_put_count(out, 0);
}

int wkb_convert(struct ctx *ctx, str wkb, const struct wkb_form *to, struct buf *out)
{
    struct wkb_reader r;
    TRY(wkb_reader_open(ctx, wkb, &r));
    bool promoted = r.form.type == GEOMETRY_POINT && to->type == GEOMETRY_MULTIPOINT;
    if ((r.form.type != to->type && !promoted) || (r.form.multi && !to->multi))
        return err_set(ctx, &ERR_INVALID, "geometry of type %u where the layer has type %u", wkb_code(&r.form), wkb_code(to));
    struct wkb_form part = *to;
    part.multi = false;
    size_t start = out->n, ring_count_at = 0;
    uint32_t parts = 0, rings = 0;
    struct wkb_sequence s;
    int rc;
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        if (parts == 0 && to->multi) {
            wkb_put_head(out, to);
            wkb_put_count(out, 0);
        }
        if (s.starts_part) {
            parts++;
            rings = 0;
            wkb_put_head(out, &part);
            ring_count_at = out->n;
            if (to->type == GEOMETRY_POLYGON)
                wkb_put_count(out, 0);
        }
        if (!is_point(to))
            wkb_put_count(out, s.count);
        put_vertices(out, &s, &r.form, to);
        if (to->type == GEOMETRY_POLYGON)
            set_count(out, ring_count_at, ++rings);
    }
    if (rc != RC_END)
        return rc;
    if (parts == 0)
        put_empty(out, to);
    else if (to->multi)
        set_count(out, start + HEAD_SIZE, parts);
    return buf_check(out, ctx, "geometry");
}
