/* model/geometry/wkb: what is accepted, measured and converted, and that no count is believed beyond the bytes. */
#include "model/geometry/wkb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

/* Bytes from words: "P" heads and counts as 32 bits, coordinates as doubles, are easier to read as calls. */
static void head(struct buf *b, enum geometry_type type, bool multi, bool z, bool m)
{
    wkb_put_head(b, &(struct wkb_form){.type = type, .multi = multi, .has_z = z, .has_m = m});
}

#define COORDS(b, ...) wkb_put_coords((b), (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void two_polygons(struct buf *b)
{
    head(b, GEOMETRY_POLYGON, true, true, true);
    wkb_put_count(b, 2);
    for (int part = 0; part < 2; part++) {
        double d = part * 100;
        head(b, GEOMETRY_POLYGON, false, true, true);
        wkb_put_count(b, 2);
        wkb_put_count(b, 4);
        COORDS(b, d, d, 1, 2, d + 9, d, 1, 2, d + 9, d + 9, 1, NAN, d, d, 1, 2);
        wkb_put_count(b, 4);
        COORDS(b, d + 5, d + 1, 1, 2, d + 6, d + 2, 1, 2, d + 6, d + 1, 1, 2, d + 5, d + 1, 1, 2);
    }
}

static void measures(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
    struct wkb_form form;
    struct envelope box;
    uint64_t vertices;
    two_polygons(&b);
    assert_int_equal(wkb_measure(ctx, buf_str(&b), &form, &box, &vertices), RC_OK);
    assert_true(form.type == GEOMETRY_POLYGON && form.multi && form.has_z && form.has_m);
    assert_int_equal(wkb_code(&form), 3006);
    assert_int_equal(vertices, 16);
    assert_true(box.xmin == 0 && box.ymin == 0 && box.xmax == 109 && box.ymax == 109);
    struct wkb_reader r;
    struct wkb_sequence s;
    int parts = 0, rings = 0;
    assert_int_equal(wkb_reader_open(ctx, buf_str(&b), &r), RC_OK);
    while (wkb_reader_next(ctx, &r, &s) == RC_OK) {
        parts += s.starts_part;
        rings++;
    }
    assert_int_equal(parts, 2);
    assert_int_equal(rings, 4);
}

/* Every truncation and every wrong count is an error, none is a crash. */
static void truncations_and_counts(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
    two_polygons(&b);
    for (size_t n = 0; n < b.n; n++) {
        str exact = arena_str(ctx->arena, str_of(b.p, n));
        assert_int_equal(wkb_measure(ctx, exact, NULL, NULL, NULL), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
    }
    static const size_t COUNTS[] = {5, 14, 18};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        char *copy = arena_cstr(ctx->arena, buf_str(&b));
        static const uint32_t VALUES[] = {0, 1, 3, 1000, 0x7fffffff, UINT32_MAX};
        for (size_t k = 0; k < COUNT_OF(VALUES); k++) {
            memcpy(copy + COUNTS[i], &VALUES[k], 4);
            assert_int_equal(wkb_measure(ctx, str_of(copy, b.n), NULL, NULL, NULL), RC_FAIL);
            err_clear(ctx);
        }
    }
    buf_add_char(&b, 0);
    assert_int_equal(wkb_measure(ctx, buf_str(&b), NULL, NULL, NULL), RC_FAIL);
}

static void unknown_types(void **state)
{
    struct ctx *ctx = *state;
    static const uint32_t CODES[] = {0, 7, 8, 15, 17, 999, 1000, 1007, 3007, 4001, 0x80000001, 0x20000001, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(CODES); i++) {
        char bytes[64] = {1};
        memcpy(bytes + 1, &CODES[i], 4);
        assert_int_equal(wkb_measure(ctx, str_of(bytes, sizeof bytes), NULL, NULL, NULL), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
    }
    char big_endian[21] = {0, 0, 0, 0, 1};
    assert_int_equal(wkb_measure(ctx, str_of(big_endian, 21), NULL, NULL, NULL), RC_FAIL);
    err_clear(ctx);
    CLEANUP(buf_free) struct buf mixed = BUF_INIT(100); /* a point with Z in a multipoint without */
    head(&mixed, GEOMETRY_MULTIPOINT, true, false, false);
    wkb_put_count(&mixed, 1);
    head(&mixed, GEOMETRY_POINT, false, true, false);
    COORDS(&mixed, 1, 2, 3);
    assert_int_equal(wkb_measure(ctx, buf_str(&mixed), NULL, NULL, NULL), RC_FAIL);
}

static void numbers(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        double x, y;
        int rc;
        bool empty;
    } rows[] = {
        {1, 2, RC_OK, false},          {NAN, NAN, RC_OK, true},        {NAN, 1, RC_FAIL, false},      {1, NAN, RC_FAIL, false},
        {INFINITY, 1, RC_FAIL, false}, {1, -INFINITY, RC_FAIL, false}, {-1e308, 1e308, RC_OK, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(100);
        struct envelope box;
        head(&b, GEOMETRY_POINT, false, false, false);
        COORDS(&b, rows[i].x, rows[i].y);
        assert_int_equal(wkb_measure(ctx, buf_str(&b), NULL, &box, NULL), rows[i].rc);
        if (rows[i].rc == RC_OK)
            assert_int_equal(envelope_empty(&box), rows[i].empty);
        err_clear(ctx);
    }
}

static void converts(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(buf_free)
    struct buf line = BUF_INIT(1000), multi = BUF_INIT(1000), expected = BUF_INIT(1000), plain = BUF_INIT(10000);
    head(&line, GEOMETRY_POLYLINE, false, false, true);
    wkb_put_count(&line, 2);
    COORDS(&line, 1, 2, 7, 3, 4, 8);
    head(&expected, GEOMETRY_POLYLINE, true, true, true);
    wkb_put_count(&expected, 1);
    head(&expected, GEOMETRY_POLYLINE, false, true, true);
    wkb_put_count(&expected, 2);
    COORDS(&expected, 1, 2, 0, 7, 3, 4, 0, 8);
    assert_int_equal(wkb_convert(ctx, buf_str(&line), &(struct wkb_form){GEOMETRY_POLYLINE, true, true, true}, &multi), RC_OK);
    assert_int_equal(multi.n, expected.n);
    assert_memory_equal(multi.p, expected.p, expected.n);
    CLEANUP(buf_free) struct buf polygons = BUF_INIT(10000);
    struct wkb_form form;
    uint64_t vertices;
    two_polygons(&polygons);
    assert_int_equal(wkb_convert(ctx, buf_str(&polygons), &(struct wkb_form){GEOMETRY_POLYGON, true, false, false}, &plain),
                     RC_OK);
    assert_int_equal(wkb_measure(ctx, buf_str(&plain), &form, NULL, &vertices), RC_OK);
    assert_int_equal(wkb_code(&form), 6);
    assert_int_equal(vertices, 16);
    CLEANUP(buf_free) struct buf none = BUF_INIT(1000);
    assert_int_equal(wkb_convert(ctx, buf_str(&line), &(struct wkb_form){.type = GEOMETRY_POLYGON, .multi = true}, &none),
                     RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
    err_clear(ctx);
    assert_int_equal(wkb_convert(ctx, buf_str(&polygons), &(struct wkb_form){.type = GEOMETRY_POLYGON}, &none), RC_FAIL);
}

static void empties(void **state)
{
    struct ctx *ctx = *state;
    static const enum geometry_type TYPES[] = {GEOMETRY_POINT, GEOMETRY_MULTIPOINT, GEOMETRY_POLYLINE, GEOMETRY_POLYGON};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(100), out = BUF_INIT(100);
        struct envelope box;
        bool multi = TYPES[i] == GEOMETRY_MULTIPOINT;
        head(&b, TYPES[i], multi, false, false);
        if (TYPES[i] == GEOMETRY_POINT)
            COORDS(&b, NAN, NAN);
        else
            wkb_put_count(&b, 0);
        struct wkb_form to = {.type = TYPES[i], .multi = TYPES[i] != GEOMETRY_POINT, .has_z = true};
        assert_int_equal(wkb_measure(ctx, buf_str(&b), NULL, &box, NULL), RC_OK);
        assert_true(envelope_empty(&box));
        assert_int_equal(wkb_convert(ctx, buf_str(&b), &to, &out), RC_OK);
        assert_int_equal(wkb_measure(ctx, buf_str(&out), NULL, &box, NULL), RC_OK);
        assert_true(envelope_empty(&box));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ctx, close_ctx)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(measures), TEST(truncations_and_counts), TEST(unknown_types), TEST(numbers), TEST(converts), TEST(empties)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
