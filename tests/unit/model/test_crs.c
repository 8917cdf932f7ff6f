/* model/geometry/crs: x before y everywhere, Esri's ids, transformation of points, geometry and boxes. */
#include "model/geometry/crs.h"
#include "model/geometry/wkb.h"

#include <pthread.h>
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

static bool near(double a, double b, double tolerance) { return fabs(a - b) <= tolerance; }

static void ids(void **state)
{
    (void)state;
    assert_int_equal(crs_latest_wkid(102100), 3857);
    assert_int_equal(crs_latest_wkid(102113), 3785);
    assert_int_equal(crs_latest_wkid(4326), 4326);
    assert_int_equal(crs_esri_wkid(3857), 102100);
    assert_int_equal(crs_esri_wkid(4326), 4326);
    assert_true(crs_same(&(struct crs){.wkid = 102100}, &(struct crs){.wkid = 3857}));
    assert_false(crs_same(&(struct crs){.wkid = 4326}, &(struct crs){.wkid = 3857}));
    assert_true(crs_same(&(struct crs){.wkt = STR("a")}, &(struct crs){.wkt = STR("a")}));
    assert_false(crs_same(&(struct crs){.wkt = STR("a")}, &(struct crs){.wkt = STR("b")}));
    assert_false(crs_same(&(struct crs){.wkt = STR("a")}, &(struct crs){.wkid = 4326}));
}

static const char UTM32[] =
    "PROJCS[\"WGS_1984_UTM_Zone_32N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]"
    "],"
    "PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],"
    "PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",9.0],"
    "PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]";

/* Known places: the equator's ends, a UTM zone's middle, by EPSG, ESRI and WKT. */
static void points(void **state)
{
    struct ctx *ctx = *state;
    const struct {
        struct crs from, to;
        double x, y, to_x, to_y, tolerance;
    } rows[] = {
        {{.wkid = 4326}, {.wkid = 3857}, 180, 0, 20037508.342789244, 0, 1e-6},
        {{.wkid = 4326}, {.wkid = 102100}, 10, 50, 1113194.9079327357, 6446275.841017158, 1e-6},
        {{.wkid = 3857}, {.wkid = 4326}, 1113194.9079327357, 6446275.841017158, 10, 50, 1e-9},
        {{.wkid = 4326}, {.wkid = 32632}, 9, 0, 500000, 0, 1e-6},
        {{.wkid = 4326}, {.wkid = 25832}, 9, 50, 500000, 5538630.702, 1e-2},
        {{.wkid = 4326}, {.wkt = STR_NONE}, 9, 50, 9, 50, 0},
        {{.wkid = 4326}, {.wkid = 54030}, 0, 0, 0, 0, 1e-6},       /* ESRI: World Robinson */
        {{.wkid = 4326}, {.wkid = 102003}, -96, 37.5, 0, 0, 1e-1}, /* ESRI: USA Albers */
        {{.wkid = 4326}, {.wkt = str_c(UTM32)}, 9, 0, 500000, 0, 1e-6},
        {{.wkid = 31467}, {.wkid = 31467}, 3500000, 5500000, 3500000, 5500000, 0},
    };
    for (int round = 0; round < 2; round++) { /* the second time from the cache */
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            double xyz[] = {rows[i].x, rows[i].y, 77, rows[i].x, rows[i].y, 88};
            if (crs_transform_points(ctx, &rows[i].from, &rows[i].to, xyz, 2, 3) != RC_OK)
                fail_msg("row %zu: %s", i, err_text(ctx));
            if (!near(xyz[0], rows[i].to_x, rows[i].tolerance) || !near(xyz[1], rows[i].to_y, rows[i].tolerance))
                fail_msg("row %zu: %.9f %.9f", i, xyz[0], xyz[1]);
            assert_true(xyz[3] == xyz[0] && xyz[4] == xyz[1] && xyz[2] == 77 && xyz[5] == 88);
        }
    }
}

static void unknown(void **state)
{
    struct ctx *ctx = *state;
    const struct crs known = {.wkid = 4326};
    const struct crs bad[] = {{.wkid = 999999},
                              {.wkid = 1},
                              {.wkt = STR("nonsense")},
                              {.wkt = STR("EPSG:4326")},
                              {.wkt = STR("+proj=utm +zone=32 +type=crs")},
                              {.wkt = STR("ELLIPSOID[\"WGS 84\",6378137,298.257223563]")}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        double xy[] = {1, 2};
        struct crs_info info;
        assert_int_equal(crs_transform_points(ctx, &known, &bad[i], xy, 1, 2), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
        assert_int_equal(crs_describe(ctx, &bad[i], &info), RC_FAIL);
        err_clear(ctx);
    }
    double pole[] = {0, 91};
    assert_int_equal(crs_transform_points(ctx, &known, &(struct crs){.wkid = 3857}, pole, 1, 2), RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
}

static void descriptions(void **state)
{
    struct ctx *ctx = *state;
    struct crs_info info;
    assert_int_equal(crs_describe(ctx, &(struct crs){.wkid = 102100}, &info), RC_OK);
    assert_true(str_eq(info.authority, STR("EPSG")) && info.code == 3857 && !info.geographic);
    assert_true(str_starts(info.wkt, STR("PROJCS[\"WGS 84 / Pseudo-Mercator\"")));
    assert_int_equal(crs_describe(ctx, &(struct crs){.wkid = 4258}, &info), RC_OK);
    assert_true(info.geographic && str_starts(info.wkt, STR("GEOGCS[")));
    assert_int_equal(crs_describe(ctx, &(struct crs){.wkid = 102003}, &info), RC_OK);
    assert_true(str_eq(info.authority, STR("ESRI")) && info.code == 102003);
    assert_int_equal(crs_describe(ctx, &(struct crs){.wkt = str_c(UTM32)}, &info), RC_OK);
    assert_true(str_eq(info.authority, STR("NONE")) && info.code == 0 && str_starts(info.wkt, STR("PROJCS[")));
}

static void geometry(void **state)
{
    struct ctx *ctx = *state;
    enum { VERTICES = 300 }; /* more than a window */
    CLEANUP(buf_free) struct buf b = BUF_INIT(100000), out = BUF_INIT(100000);
    struct wkb_form form = {.type = GEOMETRY_POLYLINE, .has_z = true};
    wkb_put_head(&b, &form);
    wkb_put_count(&b, VERTICES);
    for (int i = 0; i < VERTICES; i++)
        wkb_put_coords(&b, (const double[]){(double)i / 10, 0, i}, 3);
    buf_add_char(&out, 'x'); /* appended, and at an odd address */
    assert_int_equal(crs_transform_wkb(ctx, &(struct crs){.wkid = 4326}, &(struct crs){.wkid = 3857}, buf_str(&b), &out), RC_OK);
    str result = str_sub(buf_str(&out), 1, out.n);
    struct wkb_reader r;
    struct wkb_sequence s;
    assert_int_equal(wkb_reader_open(ctx, result, &r), RC_OK);
    assert_int_equal(wkb_reader_next(ctx, &r, &s), RC_OK);
    assert_int_equal(s.count, VERTICES);
    for (size_t i = 0; i < VERTICES; i++) {
        assert_true(near(wkb_coord(&s, 3 * i), (double)i / 10 * 20037508.342789244 / 180, 1e-6));
        assert_true(near(wkb_coord(&s, 3 * i + 1), 0, 1e-6));
        assert_true(wkb_coord(&s, 3 * i + 2) == (double)i);
    }
    assert_int_equal(
        crs_transform_wkb(ctx, &(struct crs){.wkid = 4326}, &(struct crs){.wkid = 3857}, str_sub(buf_str(&b), 0, 100), &out),
        RC_FAIL);
}

static void boxes(void **state)
{
    struct ctx *ctx = *state;
    const struct crs degrees = {.wkid = 4326}, mercator = {.wkid = 3857}, polar = {.wkid = 3413}, albers = {.wkid = 102003};
    struct envelope out;
    assert_int_equal(crs_transform_envelope(ctx, &degrees, &mercator, &(struct envelope){-180, -90, 180, 90}, &out), RC_OK);
    assert_true(near(out.xmax, 20037508.342789244, 1e-3) && out.ymax > 1.8e7);
    /* The pole is in the middle of the box: its latitude is on no edge. */
    assert_int_equal(crs_transform_envelope(ctx, &polar, &degrees, &(struct envelope){-1e6, -1e6, 1e6, 1e6}, &out), RC_OK);
    assert_true(out.ymax > 89.99 && out.ymin < 80);
    /* Parallels are curves in a conic projection: the middle of the edge lies beyond its ends. */
    assert_int_equal(crs_transform_envelope(ctx, &degrees, &albers, &(struct envelope){-120, 25, -72, 45}, &out), RC_OK);
    double ends[] = {-120, 25, -72, 25};
    assert_int_equal(crs_transform_points(ctx, &degrees, &albers, ends, 2, 2), RC_OK);
    assert_true(out.ymin < ends[1] - 1e5);
    struct envelope same = {-120, 25, -72, 45}; /* in and out in one place */
    assert_int_equal(crs_transform_envelope(ctx, &degrees, &albers, &same, &same), RC_OK);
    assert_true(same.xmin == out.xmin && same.ymin == out.ymin && same.xmax == out.xmax && same.ymax == out.ymax);
    struct envelope none = ENVELOPE_EMPTY;
    assert_int_equal(crs_transform_envelope(ctx, &degrees, &mercator, &none, &out), RC_OK);
    assert_true(envelope_empty(&out));
    assert_int_equal(crs_transform_envelope(ctx, &degrees, &mercator, &(struct envelope){10, 100, 20, 200}, &out), RC_FAIL);
}

static void *transform_in_thread(void *arg)
{
    struct ctx ctx;
    bool *good = arg;
    ctx_open(&ctx);
    *good = true;
    for (int32_t zone = 1; zone <= 20; zone++) { /* more pairs than are kept */
        double xy[] = {-183 + 6.0 * zone, 0};
        int rc = crs_transform_points(&ctx, &(struct crs){.wkid = 4326}, &(struct crs){.wkid = 32600 + zone}, xy, 1, 2);
        *good = *good && rc == RC_OK && near(xy[0], 500000, 1e-3);
    }
    ctx_close(&ctx);
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    pthread_t ids_of[4];
    bool good[4];
    for (size_t i = 0; i < COUNT_OF(ids_of); i++)
        assert_int_equal(pthread_create(&ids_of[i], NULL, transform_in_thread, &good[i]), 0);
    for (size_t i = 0; i < COUNT_OF(ids_of); i++) {
        pthread_join(ids_of[i], NULL);
        assert_true(good[i]);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ctx, close_ctx)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(ids),      TEST(points), TEST(unknown), TEST(descriptions),
                                       TEST(geometry), TEST(boxes),  TEST(threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
