/* model/geometry/relate and buffer: relations both ways round, geometry that is not as it should be, distances. */
#include "model/geometry/buffer.h"
#include "model/geometry/esri_json.h"
#include "model/geometry/relate.h"
#include "model_test.h"

static str wkb_of(struct ctx *ctx, enum geometry_type type, bool z, const char *json)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    const struct wkb_form form = {.type = type, .multi = type != GEOMETRY_POINT, .has_z = z};
    if (esri_json_parse(ctx, parsed(ctx, str_c(json)), &form, &b) != RC_OK)
        fail_msg("%s: %s", json, err_text(ctx));
    return arena_str(ctx->arena, buf_str(&b));
}

static const char SQUARE[] = "{\"rings\":[[[0,0],[0,4],[4,4],[4,0],[0,0]]]}";

static void relations(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        enum relate_kind kind;
        const char *matrix;
        enum geometry_type type;
        const char *other;
        bool holds;
    } rows[] = {
        {RELATE_INTERSECTS, "", GEOMETRY_POINT, "{\"x\":4,\"y\":4}", true},
        {RELATE_CONTAINS, "", GEOMETRY_POINT, "{\"x\":4,\"y\":4}", false},
        {RELATE_CONTAINS, "", GEOMETRY_POINT, "{\"x\":1,\"y\":1}", true},
        {RELATE_WITHIN, "", GEOMETRY_POLYGON, "{\"rings\":[[[-1,-1],[-1,5],[5,5],[5,-1],[-1,-1]]]}", true},
        {RELATE_CONTAINS, "", GEOMETRY_POLYGON, "{\"rings\":[[[-1,-1],[-1,5],[5,5],[5,-1],[-1,-1]]]}", false},
        {RELATE_TOUCHES, "", GEOMETRY_POLYGON, "{\"rings\":[[[4,0],[4,4],[8,4],[8,0],[4,0]]]}", true},
        {RELATE_OVERLAPS, "", GEOMETRY_POLYGON, "{\"rings\":[[[2,0],[2,4],[8,4],[8,0],[2,0]]]}", true},
        {RELATE_OVERLAPS, "", GEOMETRY_POLYLINE, "{\"paths\":[[[2,2],[8,2]]]}", false},
        {RELATE_CROSSES, "", GEOMETRY_POLYLINE, "{\"paths\":[[[2,2],[8,2]]]}", true},
        {RELATE_DISJOINT, "", GEOMETRY_MULTIPOINT, "{\"points\":[[9,9],[5,5]]}", true},
        {RELATE_DISJOINT, "", GEOMETRY_MULTIPOINT, "{\"points\":[[9,9],[4,4]]}", false},
        {RELATE_MATRIX, "FF*FF****", GEOMETRY_POINT, "{\"x\":9,\"y\":4}", true},
        {RELATE_MATRIX, "T*****FF*", GEOMETRY_POINT, "{\"x\":1,\"y\":1}", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct relate *r;
        str square = wkb_of(ctx, GEOMETRY_POLYGON, false, SQUARE);
        assert_int_equal(relate_open(ctx, square, rows[i].kind, str_c(rows[i].matrix), &r), RC_OK);
        if (relate_test(ctx, r, wkb_of(ctx, rows[i].type, false, rows[i].other)) != rows[i].holds)
            fail_msg("row %zu", i);
        relate_close(r);
    }
}

static void apart(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        enum relate_kind kind;
        const char *matrix;
        bool fits;
    } rows[] = {{RELATE_INTERSECTS, "", false},      {RELATE_DISJOINT, "", true},         {RELATE_MATRIX, "FF*FF****", true},
                {RELATE_MATRIX, "T********", false}, {RELATE_MATRIX, "****0****", false}, {RELATE_MATRIX, "**T**T***", true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct relate *r;
        str square = wkb_of(ctx, GEOMETRY_POLYGON, false, SQUARE);
        assert_int_equal(relate_open(ctx, square, rows[i].kind, str_c(rows[i].matrix), &r), RC_OK);
        assert_int_equal(relate_fits_apart(r), rows[i].fits);
        struct envelope box = relate_box(r);
        assert_true(box.xmin == 0 && box.ymin == 0 && box.xmax == 4 && box.ymax == 4);
        relate_close(r);
    }
}

static void odd_geometry(void **state)
{
    struct ctx *ctx = *state;
    struct relate *r;
    /* A ring that crosses itself stands for both of its halves, as a filter and as a feature. */
    str bow = wkb_of(ctx, GEOMETRY_POLYGON, false, "{\"rings\":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}");
    assert_int_equal(relate_open(ctx, bow, RELATE_INTERSECTS, STR(""), &r), RC_OK);
    assert_true(relate_test(ctx, r, wkb_of(ctx, GEOMETRY_POINT, false, "{\"x\":0.25,\"y\":1}")));
    assert_true(relate_test(ctx, r, wkb_of(ctx, GEOMETRY_POINT, false, "{\"x\":1.75,\"y\":1}")));
    assert_false(relate_test(ctx, r, wkb_of(ctx, GEOMETRY_POINT, false, "{\"x\":1,\"y\":0.25}")));
    assert_true(relate_test(ctx, r, wkb_of(ctx, GEOMETRY_POINT, true, "{\"x\":1.75,\"y\":1,\"z\":7}")));
    assert_false(relate_test(ctx, r, STR("no geometry")));
    assert_string_equal(err_text(ctx), "");
    relate_close(r);
    assert_int_equal(relate_open(ctx, STR("no geometry"), RELATE_INTERSECTS, STR(""), &r), RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
    assert_null(r);
    err_clear(ctx);
    static const char *const matrices[] = {"", "T", "TTTTTTTTTT", "XTTTTTTTT"};
    for (size_t i = 0; i < COUNT_OF(matrices); i++) {
        assert_int_equal(relate_open(ctx, bow, RELATE_MATRIX, str_c(matrices[i]), &r), RC_FAIL);
        err_clear(ctx);
    }
}

/* Whether what lies `degrees` of longitude away is within the distance. */
static bool reaches(struct ctx *ctx, double lon, double lat, double meters, double to_lon, double to_lat)
{
    const struct crs wgs84 = {.wkid = CRS_WGS84};
    CLEANUP(buf_free) struct buf from = BUF_INIT(1000);
    CLEANUP(buf_free) struct buf to = BUF_INIT(1000);
    CLEANUP(buf_free) struct buf around = BUF_INIT(1 << 20);
    struct relate *r = NULL;
    wkb_put_head(&from, &(struct wkb_form){.type = GEOMETRY_POINT});
    wkb_put_coords(&from, (const double[]){lon, lat}, 2);
    wkb_put_head(&to, &(struct wkb_form){.type = GEOMETRY_POINT});
    wkb_put_coords(&to, (const double[]){to_lon, to_lat}, 2);
    if (geometry_buffer(ctx, &wgs84, &wgs84, buf_str(&from), meters, &around) != RC_OK ||
        relate_open(ctx, buf_str(&around), RELATE_INTERSECTS, STR(""), &r) != RC_OK)
        fail_msg("%s", err_text(ctx));
    struct envelope box = relate_box(r);
    assert_true(box.xmin >= -180 && box.xmax <= 180 && box.ymin >= -90 && box.ymax <= 90);
    bool found = relate_test(ctx, r, buf_str(&to));
    relate_close(r);
    return found;
}

static void distances(void **state)
{
    struct ctx *ctx = *state;
    const double degree = 111319.49; /* of the equator */
    assert_true(reaches(ctx, 10, 0, degree * 1.001, 11, 0));
    assert_false(reaches(ctx, 10, 0, degree * 0.99, 11, 0));
    assert_true(reaches(ctx, 10, 60, degree * 0.51, 11, 60)); /* degrees are half as long there */
    assert_false(reaches(ctx, 10, 60, degree * 0.49, 11, 60));
    assert_true(reaches(ctx, 179.9, 0, degree, -179.9, 0)); /* over the antimeridian, both ways */
    assert_true(reaches(ctx, -179.9, 0, degree, 179.9, 0));
    assert_false(reaches(ctx, 179.9, 0, degree, 0, 0));
    assert_true(reaches(ctx, 0, 89.9, degree, 180, 89.9)); /* over the poles */
    assert_true(reaches(ctx, 0, 89.9, degree, 77, 90));
    assert_true(reaches(ctx, 0, -89.9, degree, -120, -89.9));
    assert_false(reaches(ctx, 0, 89.9, degree, 180, 80));
    assert_true(reaches(ctx, 20, 30, 5000000, 20, 60));
    const struct crs lambert = {.wkid = 2154}; /* metres */
    CLEANUP(buf_free) struct buf out = BUF_INIT(1 << 20);
    struct envelope box;
    str middle = wkb_of(ctx, GEOMETRY_POINT, false, "{\"x\":700000,\"y\":6600000}");
    assert_int_equal(geometry_buffer(ctx, &lambert, &lambert, middle, 10, &out), RC_OK);
    assert_int_equal(wkb_measure(ctx, buf_str(&out), NULL, &box, NULL), RC_OK);
    assert_true(fabs(box.xmin - 699990) < 1e-6 && fabs(box.ymax - 6600010) < 1e-6);
    const double bad[] = {0, -1, NAN, 1e8};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(geometry_buffer(ctx, &lambert, &lambert, middle, bad[i], &out), RC_FAIL);
        err_clear(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(relations), TEST(apart), TEST(odd_geometry), TEST(distances)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
