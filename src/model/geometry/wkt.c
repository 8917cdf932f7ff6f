/* From WKB to text, straight into the buffer. */
#include "model/geometry/wkt.h"
#include "base/num.h"

static const char *const NAMES[][2] = {
    [GEOMETRY_POINT] = {"POINT", "MULTIPOINT"},
    [GEOMETRY_MULTIPOINT] = {"MULTIPOINT", "MULTIPOINT"},
    [GEOMETRY_POLYLINE] = {"LINESTRING", "MULTILINESTRING"},
    [GEOMETRY_POLYGON] = {"POLYGON", "MULTIPOLYGON"},
};

static void put_number(struct buf *b, double v)
{
    char *to = buf_reserve(b, NUM_DOUBLE_SIZE);
    if (isnan(v))
        buf_add(b, STR("nan"));
    else if (to)
        buf_commit(b, num_print_double(v, to));
}

/* "(1 2,3 4)" */
static void put_vertices(struct buf *b, const struct wkb_sequence *s, unsigned dims)
{
    for (uint32_t i = 0; i < s->count; i++) {
        buf_add_char(b, i ? ',' : '(');
        for (unsigned k = 0; k < dims; k++) {
            if (k)
                buf_add_char(b, ' ');
            put_number(b, wkb_coord(s, (size_t)i * dims + k));
        }
    }
    buf_add(b, s->count ? STR(")") : STR("EMPTY"));
}

int wkt_put(struct ctx *ctx, struct buf *b, str wkb)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    int rc;
    TRY(wkb_reader_open(ctx, wkb, &r));
    const struct wkb_form *f = &r.form;
    bool rings = f->type == GEOMETRY_POLYGON, outer = f->multi || f->type == GEOMETRY_MULTIPOINT, first = true;
    buf_add(b, str_c(NAMES[f->type][outer]));
    buf_add(b, f->has_z && f->has_m ? STR(" ZM ") : f->has_z ? STR(" Z ") : f->has_m ? STR(" M ") : STR(" "));
    while ((rc = wkb_reader_next(ctx, &r, &s)) == RC_OK) {
        if (first && outer)
            buf_add_char(b, '(');
        if (rings && s.starts_part)
            buf_add(b, first ? STR("(") : STR("),("));
        else if (!first)
            buf_add_char(b, ',');
        put_vertices(b, &s, wkb_dims(f));
        first = false;
    }
    if (rc != RC_END)
        return rc;
    if (first)
        buf_add(b, STR("EMPTY"));
    else
        buf_add(b, rings && outer ? STR("))") : rings || outer ? STR(")") : STR(""));
    return RC_OK;
}
