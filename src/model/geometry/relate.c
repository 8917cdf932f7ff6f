/* GEOS behind relate.h. Each prepared relation has a handle of the library of its own, whose messages become the error's words.
 */
#include "model/geometry/relate.h"
#include "base/mem.h"
#include <geos_c.h>

enum { MESSAGE_SIZE = 200, QUADRANT = 16 /* segments of a quarter circle */ };

struct relate {
    GEOSContextHandle_t geos;
    GEOSWKBReader *reader;
    GEOSGeometry *geometry;
    const GEOSPreparedGeometry *prepared;
    enum relate_kind kind;
    char matrix[RELATE_MATRIX_SIZE + 1];
    struct envelope box;
    struct buf plain; /* the other geometry without z and m */
    char message[MESSAGE_SIZE];
};

static void keep_message(const char *text, void *arg)
{
    struct relate *r = arg;
    size_t n = strlen(text) < MESSAGE_SIZE - 1 ? strlen(text) : MESSAGE_SIZE - 1;
    memcpy(r->message, text, n);
    r->message[n] = 0;
}

static int fail(struct ctx *ctx, const struct relate *r, const char *doing)
{
    return err_set(ctx, &ERR_INVALID, "%s: %s", doing, r->message[0] ? r->message : "the geometry is not valid");
}

static struct relate *library_open(void)
{
    struct relate *r = mem_new(struct relate);
    *r = (struct relate){.geos = GEOS_init_r(), .plain = BUF_INIT(512 << 20)};
    GEOSContext_setErrorMessageHandler_r(r->geos, keep_message, r);
    r->reader = GEOSWKBReader_create_r(r->geos);
    return r;
}

void relate_close(struct relate *r)
{
    if (!r)
        return;
    GEOSPreparedGeom_destroy_r(r->geos, r->prepared);
    GEOSGeom_destroy_r(r->geos, r->geometry);
    GEOSWKBReader_destroy_r(r->geos, r->reader);
    GEOS_finish_r(r->geos);
    buf_free(&r->plain);
    mem_free(r);
}

static void relate_cleanup(struct relate **r) { relate_close(*r); }

/* Reads checked WKB; the library does not know M. NULL when it cannot. */
static GEOSGeometry *read_wkb(struct ctx *ctx, struct relate *r, str wkb)
{
    struct wkb_reader head;
    if (wkb_reader_open(ctx, wkb, &head) != RC_OK)
        return NULL;
    if (head.form.has_z || head.form.has_m) {
        struct wkb_form flat = {.type = head.form.type, .multi = head.form.multi};
        buf_clear(&r->plain);
        if (wkb_convert(ctx, wkb, &flat, &r->plain) != RC_OK)
            return NULL;
        wkb = buf_str(&r->plain);
    }
    return GEOSWKBReader_read_r(r->geos, r->reader, (const unsigned char *)wkb.p, wkb.n);
}

/* The geometry itself when it is valid, else a valid one of the same kind in its place. */
static GEOSGeometry *made_valid(struct relate *r, GEOSGeometry *g)
{
    if (!g || GEOSisValid_r(r->geos, g) == 1)
        return g;
    GEOSMakeValidParams *params = GEOSMakeValidParams_create_r(r->geos);
    GEOSMakeValidParams_setMethod_r(r->geos, params, GEOS_MAKE_VALID_STRUCTURE);
    GEOSGeometry *valid = GEOSMakeValidWithParams_r(r->geos, g, params);
    GEOSMakeValidParams_destroy_r(r->geos, params);
    GEOSGeom_destroy_r(r->geos, g);
    return valid;
}

static int load(struct ctx *ctx, struct relate *r, str wkb)
{
    TRY(wkb_measure(ctx, wkb, NULL, &r->box, NULL));
    if (envelope_empty(&r->box))
        return err_set(ctx, &ERR_INVALID, "a geometry without coordinates");
    r->geometry = made_valid(r, read_wkb(ctx, r, wkb));
    return r->geometry ? RC_OK : fail(ctx, r, "reading the geometry");
}

static bool is_matrix(str matrix)
{
    for (size_t i = 0; i < matrix.n; i++)
        if (str_find_char(STR("TF*012"), matrix.p[i], 0) == SIZE_MAX)
            return false;
    return matrix.n == RELATE_MATRIX_SIZE;
}

int relate_open(struct ctx *ctx, str wkb, enum relate_kind kind, str matrix, struct relate **out)
{
    *out = NULL;
    if (kind == RELATE_MATRIX && !is_matrix(matrix))
        return err_set(ctx, &ERR_INVALID, "a relation has nine of the characters T, F, *, 0, 1 and 2");
    CLEANUP(relate_cleanup) struct relate *r = library_open();
    r->kind = kind;
    if (kind == RELATE_MATRIX)
        memcpy(r->matrix, matrix.p, RELATE_MATRIX_SIZE);
    TRY(load(ctx, r, wkb));
    r->prepared = GEOSPrepare_r(r->geos, r->geometry);
    if (!r->prepared)
        return fail(ctx, r, "preparing the geometry");
    *out = r;
    r = NULL;
    return RC_OK;
}

struct envelope relate_box(const struct relate *r) { return r->box; }

bool relate_fits_apart(const struct relate *r)
{
    static const int COMMON[] = {0, 1, 3, 4}; /* interiors and boundaries with each other */
    if (r->kind != RELATE_MATRIX)
        return r->kind == RELATE_DISJOINT;
    for (size_t i = 0; i < COUNT_OF(COMMON); i++)
        if (r->matrix[COMMON[i]] != 'F' && r->matrix[COMMON[i]] != '*')
            return false;
    return true;
}

/* 1, 0, or 2 when the library could not tell. */
static char test(struct relate *r, const GEOSGeometry *g)
{
    typedef char relation(GEOSContextHandle_t, const GEOSPreparedGeometry *, const GEOSGeometry *);
    static relation *const RELATIONS[] = {
        [RELATE_INTERSECTS] = GEOSPreparedIntersects_r, [RELATE_CONTAINS] = GEOSPreparedContains_r,
        [RELATE_WITHIN] = GEOSPreparedWithin_r,         [RELATE_CROSSES] = GEOSPreparedCrosses_r,
        [RELATE_OVERLAPS] = GEOSPreparedOverlaps_r,     [RELATE_TOUCHES] = GEOSPreparedTouches_r,
        [RELATE_DISJOINT] = GEOSPreparedDisjoint_r,
    };
    return r->kind == RELATE_MATRIX ? GEOSRelatePattern_r(r->geos, r->geometry, g, r->matrix)
                                    : RELATIONS[r->kind](r->geos, r->prepared, g);
}

bool relate_test(struct ctx *ctx, struct relate *r, str wkb)
{
    GEOSGeometry *g = read_wkb(ctx, r, wkb);
    if (!g) {
        err_clear(ctx);
        return false;
    }
    char found = GEOSisEmpty_r(r->geos, g) == 1 ? 0 : test(r, g);
    if (found == 2 && (g = made_valid(r, g)) != NULL)
        found = test(r, g);
    GEOSGeom_destroy_r(r->geos, g);
    return found == 1;
}

/* ---- geometry from geometry ---- */

static int write_wkb(struct ctx *ctx, struct relate *r, const GEOSGeometry *g, struct buf *out)
{
    size_t n = 0;
    GEOSWKBWriter *writer = GEOSWKBWriter_create_r(r->geos);
    GEOSWKBWriter_setByteOrder_r(r->geos, writer, GEOS_WKB_NDR);
    unsigned char *bytes = g ? GEOSWKBWriter_write_r(r->geos, writer, g, &n) : NULL;
    if (bytes)
        buf_add_bytes(out, bytes, n);
    GEOSFree_r(r->geos, bytes);
    GEOSWKBWriter_destroy_r(r->geos, writer);
    return bytes ? buf_check(out, ctx, "a geometry") : fail(ctx, r, "calculating a geometry");
}

int relate_buffer(struct ctx *ctx, str wkb, double distance, struct buf *out)
{
    CLEANUP(relate_cleanup) struct relate *r = library_open();
    TRY(load(ctx, r, wkb));
    GEOSGeometry *around = GEOSBuffer_r(r->geos, r->geometry, distance, QUADRANT);
    int rc = write_wkb(ctx, r, around, out);
    GEOSGeom_destroy_r(r->geos, around);
    return rc;
}

/* What lies in the world of that number (0 is ours), moved into ours. */
static GEOSGeometry *part_of_world(struct ctx *ctx, struct relate *r, str wkb, int world)
{
    struct buf moved = BUF_INIT(512 << 20);
    struct wkb_reader reader;
    struct wkb_sequence s;
    GEOSGeometry *part = NULL;
    buf_add(&moved, wkb);
    if (buf_check(&moved, ctx, "a geometry") == RC_OK && wkb_reader_open(ctx, buf_str(&moved), &reader) == RC_OK) {
        while (wkb_reader_next(ctx, &reader, &s) == RC_OK) {
            for (size_t i = 0; i < s.count; i++) {
                size_t at = i * wkb_dims(&reader.form);
                double x = wkb_coord(&s, at) - 360.0 * world;
                memcpy(moved.p + ((const char *)s.coords - moved.p) + at * sizeof x, &x, sizeof x);
            }
        }
        GEOSGeometry *g = made_valid(r, read_wkb(ctx, r, buf_str(&moved)));
        part = g ? GEOSClipByRect_r(r->geos, g, -180, -90, 180, 90) : NULL;
        GEOSGeom_destroy_r(r->geos, g);
    }
    buf_free(&moved);
    return part;
}

int relate_wrap(struct ctx *ctx, str wkb, struct buf *out)
{
    CLEANUP(relate_cleanup) struct relate *r = library_open();
    struct envelope box;
    TRY(wkb_measure(ctx, wkb, NULL, &box, NULL));
    if (envelope_empty(&box) || (box.xmin >= -180 && box.xmax <= 180)) {
        buf_add(out, wkb);
        return buf_check(out, ctx, "a geometry");
    }
    GEOSGeometry *all = NULL;
    for (int world = -1; world <= 1; world++) {
        GEOSGeometry *part = part_of_world(ctx, r, wkb, world);
        if (all && part) {
            GEOSGeometry *sum = GEOSUnion_r(r->geos, all, part);
            GEOSGeom_destroy_r(r->geos, all);
            GEOSGeom_destroy_r(r->geos, part);
            part = sum;
        }
        all = part ? part : all;
    }
    int rc = write_wkb(ctx, r, all, out);
    GEOSGeom_destroy_r(r->geos, all);
    return rc;
}
