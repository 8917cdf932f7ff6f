/* model/geometry/wkb_meets: boxes beside, on and within geometries, where bounding boxes say yes to all; the last place of a
 * double counts; bytes that are no geometry. */
#include "model/geometry/wkb_meets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static int open_ctx(void **state)
{
    static struct ctx ctx;
    ctx_open(&ctx);
    *state = &ctx;
    return 0;
}

static int close_ctx(void **state)
{
    ctx_close(*state);
    return 0;
}

static void set_count(struct buf *b, size_t at, uint32_t count) { memcpy(b->p + at, &count, sizeof count); }

/* A geometry as a text: parts by '/', rings of a polygon by ';', ordinates by blanks. */
static void make(struct buf *b, const struct wkb_form *form, const char *text)
{
    struct wkb_form part = *form;
    part.multi = false;
    wkb_put_head(b, form);
    str parts = str_c(text), part_text, ring;
    uint32_t count = 0;
    size_t count_at = b->n;
    if (form->multi)
        wkb_put_count(b, 0);
    if (!form->multi && parts.n == 0)
        wkb_put_count(b, 0); /* of a line or polygon */
    while (parts.n && str_split(&parts, '/', &part_text)) {
        count++;
        if (form->multi)
            wkb_put_head(b, &part);
        uint32_t rings = 0;
        size_t rings_at = b->n;
        if (form->type == GEOMETRY_POLYGON)
            wkb_put_count(b, 0);
        while (str_split(&part_text, ';', &ring)) {
            double v[256];
            uint32_t n = 0;
            for (char *at = (char *)ring.p, *next; at < ring.p + ring.n; at = next) {
                v[n] = strtod(at, &next);
                if (next == at)
                    break;
                n++;
            }
            if (form->type == GEOMETRY_POLYLINE || form->type == GEOMETRY_POLYGON)
                wkb_put_count(b, n / wkb_dims(form));
            wkb_put_coords(b, v, n);
            if (form->type == GEOMETRY_POLYGON)
                set_count(b, rings_at, ++rings);
        }
    }
    if (form->multi)
        set_count(b, count_at, count);
}

static bool meets(struct ctx *ctx, const struct wkb_form *form, const char *text, struct envelope box)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(100000);
    bool out;
    make(&b, form, text);
    if (wkb_meets(ctx, buf_str(&b), &box, &out) != RC_OK)
        fail_msg("%s: %s", text, err_text(ctx));
    return out;
}

static const struct wkb_form POINT = {.type = GEOMETRY_POINT}, POINTS = {.type = GEOMETRY_MULTIPOINT, .multi = true},
                             LINE = {.type = GEOMETRY_POLYLINE}, LINES = {.type = GEOMETRY_POLYLINE, .multi = true},
                             AREA = {.type = GEOMETRY_POLYGON}, AREAS = {.type = GEOMETRY_POLYGON, .multi = true},
                             LINES_ZM = {.type = GEOMETRY_POLYLINE, .multi = true, .has_z = true, .has_m = true};
#define DONUT "0 0 0 10 10 10 10 0 0 0;3 3 7 3 7 7 3 7 3 3"
#define ISLAND DONUT "/4 4 4 6 6 6 6 4 4 4"

static void shapes(void **state)
{
    static const struct {
        const struct wkb_form *form;
        const char *text;
        struct envelope box;
        bool meets;
    } rows[] = {
        {&POINT, "1 2", {0, 0, 5, 5}, true},
        {&POINT, "5 5", {0, 0, 5, 5}, true},
        {&POINT, "5 5.000001", {0, 0, 5, 5}, false},
        {&POINT, "nan nan", {-1e300, -1e300, 1e300, 1e300}, false},
        {&POINTS, "0 0/10 10", {4, 4, 6, 6}, false},
        {&POINTS, "0 0/5 5/10 10", {4, 4, 6, 6}, true},
        {&POINTS, "", {0, 0, 1, 1}, false},
        {&LINE, "0 0 10 10", {4, 4, 6, 6}, true},
        {&LINE, "0 0 10 10", {6, 0, 10, 4}, false}, /* the corner beside the diagonal */
        {&LINE, "0 0 10 10", {4, 0, 10, 4}, true},  /* touches the corner 4,4 */
        {&LINE, "0 10 10 0", {0, 0, 5, 5}, true},   /* touches the corner 5,5 */
        {&LINE, "0 10 10 0", {0, 0, 4.999999, 5}, false},
        {&LINE, "0 0 10 0", {2, 0, 3, 1}, true},        /* along the lower edge */
        {&LINE, "0 0 0 10", {-1, 2, 0, 3}, true},       /* along the right edge */
        {&LINE, "0 0 10 0 10 10", {1, 1, 9, 9}, false}, /* around a corner */
        {&LINE, "0 0 10 0 10 10", {1, 1, 10, 9}, true},
        {&LINE, "3 3", {0, 0, 5, 5}, true},
        {&LINE, "6 3", {0, 0, 5, 5}, false},
        {&LINE, "", {-1, -1, 1, 1}, false},
        {&LINES, "0 0 1 1/9 9 10 10", {4, 4, 6, 6}, false}, /* no segment between the parts */
        {&LINES, "0 0 1 1/4 9 9 4", {4, 4, 7, 7}, true},
        {&LINES_ZM, "0 0 5 5 10 0 5 5/0 10 nan nan 10 10 nan nan", {4, 4, 6, 6}, false},
        {&LINES_ZM, "0 0 5 5 10 0 5 5/0 10 nan nan 10 0 nan nan", {4, 4, 6, 6}, true},
        {&AREA, "0 0 0 10 10 10 10 0 0 0", {4, 4, 6, 6}, true},     /* the box inside */
        {&AREA, "0 0 10 0 10 10 0 10 0 0", {4, 4, 6, 6}, true},     /* the other way round */
        {&AREA, "0 0 0 10 10 10 10 0", {4, 4, 6, 6}, true},         /* not closed */
        {&AREA, "0 0 0 10 10 10 10 0", {9, 0.5, 11, 1}, true},      /* ... across the edge that is missing */
        {&AREA, "0 0 0 10 10 0 0 0", {6, 6, 9, 9}, false},          /* the empty half of its bounding box */
        {&AREA, "0 0 0 10 10 0 0 0", {5, 5, 9, 9}, true},           /* touches the hypotenuse */
        {&AREA, "0 0 0 10 10 10 10 0 0 0", {-5, -5, 15, 15}, true}, /* inside the box */
        {&AREA, DONUT, {4, 4, 6, 6}, false},                        /* in the hole */
        {&AREA, DONUT, {3, 4, 6, 6}, true},                         /* touches the hole's edge */
        {&AREA, DONUT, {4, 4, 8, 6}, true},
        {&AREA, DONUT, {1, 1, 2, 2}, true},
        {&AREAS, ISLAND, {4.5, 4.5, 5, 5}, true},
        {&AREAS, ISLAND, {3.5, 3.5, 3.75, 6}, false},                                    /* between hole and island */
        {&AREAS, "0 0 0 10 10 10 10 0 0 0/0 0 0 10 10 10 10 0 0 0", {4, 4, 6, 6}, true}, /* parts do not cancel each other */
        {&AREAS, "0 0 0 9 9 9 9 0 0 0/20 20 20 21 21 21 20 20", {4, 4, 6, 6}, true},     /* the first part, seen at its end */
        {&AREAS, "0 0 0 1 1 1 0 0/10 10 9 10 10 9 10 10", {4, 4, 6, 6}, false},
        {&AREA, "", {0, 0, 1, 1}, false},
        {&AREA, "0 0 10 5 0 10 0 0", {2, 5, 2, 5}, true}, /* a box that is a point, level with a vertex */
        {&AREA, "0 0 10 5 0 10 0 0", {10, 5, 10, 5}, true},
        {&AREA, "0 0 10 5 0 10 0 0", {11, 5, 11, 5}, false},
        {&AREA, "0 0 5 10 10 0 15 10 20 0 0 0", {9, 5, 10, 6}, false}, /* two peaks */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (meets(*state, rows[i].form, rows[i].text, rows[i].box) != rows[i].meets)
            fail_msg("row %zu: \"%s\" and %g,%g,%g,%g", i, rows[i].text, rows[i].box.xmin, rows[i].box.ymin, rows[i].box.xmax,
                     rows[i].box.ymax);
}

/* Corners one unit in the last place off a line: rounded arithmetic has them on it, or on its other side. */
static void last_places(void **state)
{
    struct ctx *ctx = *state;
    struct buf b = BUF_INIT(1000);
    for (int i = 0; i < 400; i++) {
        double x = 0.5 + i * 0x1p-53, y = 12; /* the line y = x from far, moved so that terms do not cancel */
        bool out;
        buf_clear(&b);
        wkb_put_head(&b, &LINE);
        wkb_put_count(&b, 2);
        wkb_put_coords(&b, (const double[]){-y, -y, y + 12, y + 12}, 4);
        struct envelope on = {x, -9, 30, x}, off = {nextafter(x, 30), -9, 30, x};
        assert_int_equal(wkb_meets(ctx, buf_str(&b), &on, &out), RC_OK);
        assert_true(out);
        assert_int_equal(wkb_meets(ctx, buf_str(&b), &off, &out), RC_OK);
        assert_false(out);
    }
    buf_free(&b);
}

/* ---- against whole numbers, where everything is plain ---- */

static uint64_t seed = 42;
static int chance(int n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (int)((seed >> 33) % (uint64_t)n);
}

static long cross(const int *a, const int *b, int x, int y)
{
    return (long)(b[0] - a[0]) * (y - a[1]) - (long)(b[1] - a[1]) * (x - a[0]);
}

/* Inside of the box, or across one of its two diagonals or four edges, by signs of integers. */
static bool cuts(const int *a, const int *b, int px, int py, int qx, int qy)
{
    const int p[] = {px, py}, q[] = {qx, qy};
    long d1 = cross(a, b, px, py), d2 = cross(a, b, qx, qy), d3 = cross(p, q, a[0], a[1]), d4 = cross(p, q, b[0], b[1]);
    if (((d1 > 0) != (d2 > 0) || d1 == 0 || d2 == 0) && ((d3 > 0) != (d4 > 0) || d3 == 0 || d4 == 0)) {
        bool apart = (a[0] < px && a[0] < qx && b[0] < px && b[0] < qx) || (a[0] > px && a[0] > qx && b[0] > px && b[0] > qx) ||
                     (a[1] < py && a[1] < qy && b[1] < py && b[1] < qy) || (a[1] > py && a[1] > qy && b[1] > py && b[1] > qy);
        return !apart;
    }
    return false;
}

static bool plain_segment(const int *a, const int *b, const int box[4])
{
    bool inside = a[0] >= box[0] && a[0] <= box[2] && a[1] >= box[1] && a[1] <= box[3];
    return inside || cuts(a, b, box[0], box[1], box[2], box[1]) || cuts(a, b, box[2], box[1], box[2], box[3]) ||
           cuts(a, b, box[2], box[3], box[0], box[3]) || cuts(a, b, box[0], box[3], box[0], box[1]);
}

static void whole_numbers(void **state)
{
    struct ctx *ctx = *state;
    struct buf b = BUF_INIT(10000);
    int found[2] = {0};
    for (int round = 0; round < 60000; round++) {
        int v[6][2], n = 2 + chance(4), size = 3 + chance(12), scale = 1 + chance(1000000);
        bool area = n > 2 && chance(2);
        int x = chance(size), y = chance(size), box[] = {x, y, x + chance(size), y + chance(size)};
        bool expected = false, inside = false, out;
        buf_clear(&b);
        wkb_put_head(&b, area ? &AREA : &LINE);
        if (area)
            wkb_put_count(&b, 1);
        wkb_put_count(&b, (uint32_t)n);
        for (int i = 0; i < n; i++) {
            v[i][0] = chance(size);
            v[i][1] = chance(size);
            wkb_put_coords(&b, (const double[]){v[i][0] * (double)scale / 3, v[i][1] * (double)scale / 3}, 2);
        }
        for (int i = 0; i < n; i++) {
            const int *a = v[i], *c = v[(i + 1) % n];
            if (i + 1 < n || area)
                expected |= plain_segment(a, c, box);
            if ((a[1] > box[1]) != (c[1] > box[1]) && (c[1] > a[1]) == (cross(a, c, box[0], box[1]) > 0))
                inside = !inside;
        }
        expected |= area && inside;
        struct envelope e = {box[0] * (double)scale / 3, box[1] * (double)scale / 3, box[2] * (double)scale / 3,
                             box[3] * (double)scale / 3};
        if (scale % 3) { /* thirds are rounded: whole multiples only */
            e = (struct envelope){box[0], box[1], box[2], box[3]};
            buf_clear(&b);
            wkb_put_head(&b, area ? &AREA : &LINE);
            if (area)
                wkb_put_count(&b, 1);
            wkb_put_count(&b, (uint32_t)n);
            for (int i = 0; i < n; i++)
                wkb_put_coords(&b, (const double[]){v[i][0], v[i][1]}, 2);
        }
        assert_int_equal(wkb_meets(ctx, buf_str(&b), &e, &out), RC_OK);
        if (out != expected)
            fail_msg("round %d: %d vertices, area %d, box %d,%d,%d,%d: %d", round, n, area, box[0], box[1], box[2], box[3], out);
        found[out]++;
    }
    assert_true(found[0] > 5000 && found[1] > 5000);
    buf_free(&b);
}

/* Every prefix and every changed byte: an error or an answer, nothing else. */
static void hostile(void **state)
{
    struct ctx *ctx = *state;
    struct buf b = BUF_INIT(10000);
    bool out;
    const struct envelope beside = {3.5, 3.5, 3.75, 6};
    make(&b, &AREAS, ISLAND);
    for (size_t n = 0; n < b.n; n++) {
        char *copy = malloc(n + 1); /* so that a byte beyond is seen */
        assert_non_null(copy);
        memcpy(copy, b.p, n);
        assert_int_equal(wkb_meets(ctx, str_of(copy, n), &beside, &out), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        assert_false(out);
        err_clear(ctx);
        free(copy);
    }
    for (size_t i = 0; i < b.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            b.p[i] = (char)(b.p[i] ^ 1 << bit);
            if (wkb_meets(ctx, buf_str(&b), &beside, &out) != RC_OK)
                err_clear(ctx);
            b.p[i] = (char)(b.p[i] ^ 1 << bit);
        }
    }
    buf_free(&b);
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 5e-324, 0};
    for (size_t i = 0; i < COUNT_OF(odd) * COUNT_OF(odd); i++) {
        struct buf line = BUF_INIT(1000);
        wkb_put_head(&line, &LINE);
        wkb_put_count(&line, 2);
        wkb_put_coords(&line, (const double[]){odd[i / COUNT_OF(odd)], 1, 1, odd[i % COUNT_OF(odd)]}, 4);
        assert_int_equal(wkb_meets(ctx, buf_str(&line), &beside, &out), RC_OK);
        buf_free(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shapes, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(last_places, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(whole_numbers, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(hostile, open_ctx, close_ctx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
