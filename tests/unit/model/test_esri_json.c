/* model/geometry/esri_json: geometry to Esri JSON and GeoJSON, and Esri JSON to WKB with its rings grouped. */
#include "model/geometry/esri_json.h"

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

static const struct wkb_form POINT = {.type = GEOMETRY_POINT}, POINT_Z = {.type = GEOMETRY_POINT, .has_z = true};
static const struct wkb_form POINT_ZM = {.type = GEOMETRY_POINT, .has_z = true, .has_m = true};
static const struct wkb_form POINT_M = {.type = GEOMETRY_POINT, .has_m = true};
static const struct wkb_form POINTS = {.type = GEOMETRY_MULTIPOINT, .multi = true},
                             LINES = {.type = GEOMETRY_POLYLINE, .multi = true};
static const struct wkb_form LINES_ZM = {.type = GEOMETRY_POLYLINE, .multi = true, .has_z = true, .has_m = true};
static const struct wkb_form LINES_M = {.type = GEOMETRY_POLYLINE, .multi = true, .has_m = true};
static const struct wkb_form AREAS = {.type = GEOMETRY_POLYGON, .multi = true};

#define SQUARE_CW "[[0,0],[0,10],[10,10],[10,0],[0,0]]"
#define SQUARE_CCW "[[0,0],[10,0],[10,10],[0,10],[0,0]]"
#define HOLE_CCW "[[2,2],[4,2],[4,4],[2,4],[2,2]]"
#define HOLE_CW "[[2,2],[2,4],[4,4],[4,2],[2,2]]"
#define FAR_CW "[[20,0],[20,5],[25,5],[25,0],[20,0]]"
#define FAR_CCW "[[20,0],[25,0],[25,5],[20,5],[20,0]]"
#define ISLAND_CW "[[2.5,2.5],[2.5,3],[3,3],[3,2.5],[2.5,2.5]]"
#define ISLAND_CCW "[[2.5,2.5],[3,2.5],[3,3],[2.5,3],[2.5,2.5]]"

static int parse(struct ctx *ctx, const char *text, const struct wkb_form *to, struct buf *out)
{
    struct json v;
    assert_int_equal(json_parse(ctx, str_c(text), &v), RC_OK);
    return esri_json_parse(ctx, v, to, out);
}

/* Esri JSON in; Esri JSON and GeoJSON out. */
static void there_and_back(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const struct wkb_form *form;
        const char *in, *esri, *geojson;
    } rows[] = {
        {&POINT, "{\"x\":1.5,\"y\":-2}", "{\"x\":1.5,\"y\":-2}", "{\"type\":\"Point\",\"coordinates\":[1.5,-2]}"},
        {&POINT, "{\"x\":1,\"y\":2,\"z\":3,\"spatialReference\":{\"wkid\":4326}}", "{\"x\":1,\"y\":2}",
         "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
        {&POINT_Z, "{\"x\":1,\"y\":2,\"z\":3}", "{\"x\":1,\"y\":2,\"z\":3}", "{\"type\":\"Point\",\"coordinates\":[1,2,3]}"},
        {&POINT_Z, "{\"x\":1,\"y\":2}", "{\"x\":1,\"y\":2,\"z\":0}", "{\"type\":\"Point\",\"coordinates\":[1,2,0]}"},
        {&POINT_ZM, "{\"x\":1,\"y\":2,\"z\":3,\"m\":4}", "{\"x\":1,\"y\":2,\"z\":3,\"m\":4}",
         "{\"type\":\"Point\",\"coordinates\":[1,2,3]}"},
        {&POINT_M, "{\"x\":1,\"y\":2}", "{\"x\":1,\"y\":2,\"m\":null}", "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
        {&POINT, "{\"x\":null,\"y\":null}", "{\"x\":null,\"y\":null}", "null"},
        {&POINT, "{\"x\":\"NaN\"}", "{\"x\":null,\"y\":null}", "null"},
        {&POINTS, "{\"points\":[[1,2],[3,4]]}", "{\"points\":[[1,2],[3,4]]}",
         "{\"type\":\"MultiPoint\",\"coordinates\":[[1,2],[3,4]]}"},
        {&POINTS, "{\"x\":1,\"y\":2}", "{\"points\":[[1,2]]}", "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
        {&POINTS, "{\"points\":[]}", "{\"points\":[]}", "null"},
        {&LINES, "{\"paths\":[[[1,2],[3,4]]]}", "{\"paths\":[[[1,2],[3,4]]]}",
         "{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}"},
        {&LINES, "{\"paths\":[[[1,2],[3,4]],[[5,6],[7,8,9]]]}", "{\"paths\":[[[1,2],[3,4]],[[5,6],[7,8]]]}",
         "{\"type\":\"MultiLineString\",\"coordinates\":[[[1,2],[3,4]],[[5,6],[7,8]]]}"},
        {&LINES_ZM, "{\"hasZ\":true,\"hasM\":true,\"paths\":[[[1,2,3,4],[5,6,7,null]]]}",
         "{\"paths\":[[[1,2,3,4],[5,6,7,null]]]}", "{\"type\":\"LineString\",\"coordinates\":[[1,2,3],[5,6,7]]}"},
        {&LINES_ZM, "{\"hasZ\":false,\"hasM\":true,\"paths\":[[[1,2,4],[5,6,8]]]}", "{\"paths\":[[[1,2,0,4],[5,6,0,8]]]}",
         "{\"type\":\"LineString\",\"coordinates\":[[1,2,0],[5,6,0]]}"},
        {&LINES_M, "{\"paths\":[[[1,2,4],[5,6,8]]]}", "{\"paths\":[[[1,2,4],[5,6,8]]]}",
         "{\"type\":\"LineString\",\"coordinates\":[[1,2],[5,6]]}"},
        {&AREAS, "{\"rings\":[]}", "{\"rings\":[]}", "null"},
        {&AREAS, "{\"rings\":[" SQUARE_CW "]}", "{\"rings\":[" SQUARE_CW "]}",
         "{\"type\":\"Polygon\",\"coordinates\":[" SQUARE_CCW "]}"},
        {&AREAS, "{\"rings\":[" SQUARE_CCW "]}", "{\"rings\":[" SQUARE_CW "]}",
         "{\"type\":\"Polygon\",\"coordinates\":[" SQUARE_CCW "]}"},
        {&AREAS, "{\"rings\":[[[0,0],[0,10],[10,10],[10,0]]]}", "{\"rings\":[" SQUARE_CW "]}",
         "{\"type\":\"Polygon\",\"coordinates\":[" SQUARE_CCW "]}"},
        {&AREAS, "{\"rings\":[" SQUARE_CW "," HOLE_CCW "]}", "{\"rings\":[" SQUARE_CW "," HOLE_CCW "]}",
         "{\"type\":\"Polygon\",\"coordinates\":[" SQUARE_CCW "," HOLE_CW "]}"},
        {&AREAS, "{\"rings\":[" HOLE_CCW "," FAR_CW "," SQUARE_CW "]}", "{\"rings\":[" FAR_CW "," SQUARE_CW "," HOLE_CCW "]}",
         "{\"type\":\"MultiPolygon\",\"coordinates\":[[" FAR_CCW "],[" SQUARE_CCW "," HOLE_CW "]]}"},
        /* an island in a hole's place, with no hole of its own, and a hole without a ring around it */
        {&AREAS, "{\"rings\":[" SQUARE_CW "," HOLE_CCW "," ISLAND_CW "," FAR_CCW "]}",
         "{\"rings\":[" SQUARE_CW "," HOLE_CCW "," ISLAND_CW "," FAR_CW "]}",
         "{\"type\":\"MultiPolygon\",\"coordinates\":[[" SQUARE_CCW "," HOLE_CW "],[" ISLAND_CCW "],[" FAR_CCW "]]}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf wkb = BUF_INIT(10000), esri = BUF_INIT(10000), geojson = BUF_INIT(10000);
        struct json_out o;
        struct wkb_form form;
        if (parse(ctx, rows[i].in, rows[i].form, &wkb) != RC_OK)
            fail_msg("%s: %s", rows[i].in, err_text(ctx));
        assert_int_equal(wkb_measure(ctx, buf_str(&wkb), &form, NULL, NULL), RC_OK);
        assert_true(wkb_form_eq(&form, rows[i].form));
        json_out_buf(&o, ctx, &esri);
        assert_int_equal(esri_json_put(ctx, &o, buf_str(&wkb), (struct esri_json_form){.z = true, .m = true}), RC_OK);
        assert_int_equal(json_out_end(&o, "geometry"), RC_OK);
        if (!str_eq(buf_str(&esri), str_c(rows[i].esri)))
            fail_msg("%s gave %.*s", rows[i].in, STR_FMT(buf_str(&esri)));
        json_out_buf(&o, ctx, &geojson);
        assert_int_equal(esri_json_put_geojson(ctx, &o, buf_str(&wkb), true), RC_OK);
        assert_int_equal(json_out_end(&o, "geometry"), RC_OK);
        if (!str_eq(buf_str(&geojson), str_c(rows[i].geojson)))
            fail_msg("%s gave %.*s", rows[i].in, STR_FMT(buf_str(&geojson)));
        /* Once more: what was put reads as what was there. */
        CLEANUP(buf_free) struct buf again = BUF_INIT(10000);
        struct json v;
        assert_int_equal(json_parse(ctx, buf_str(&esri), &v), RC_OK);
        assert_int_equal(esri_json_parse(ctx, v, rows[i].form, &again), RC_OK);
        assert_int_equal(again.n, wkb.n);
        assert_memory_equal(again.p, wkb.p, wkb.n);
    }
}

static void plain_and_none(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(buf_free) struct buf wkb = BUF_INIT(1000), out = BUF_INIT(1000);
    struct json_out o;
    assert_int_equal(parse(ctx, "{\"x\":1,\"y\":2,\"z\":3,\"m\":4}", &POINT_ZM, &wkb), RC_OK);
    json_out_buf(&o, ctx, &out);
    json_begin_array(&o);
    assert_int_equal(esri_json_put(ctx, &o, buf_str(&wkb), (struct esri_json_form){.z = false}), RC_OK);
    assert_int_equal(esri_json_put(ctx, &o, buf_str(&wkb), (struct esri_json_form){.m = true}), RC_OK);
    assert_int_equal(esri_json_put_geojson(ctx, &o, buf_str(&wkb), false), RC_OK);
    assert_int_equal(esri_json_put(ctx, &o, STR_NONE, (struct esri_json_form){.z = true, .m = true}), RC_OK);
    assert_int_equal(esri_json_put_geojson(ctx, &o, STR_NONE, true), RC_OK);
    json_end_array(&o);
    assert_int_equal(json_out_end(&o, "geometry"), RC_OK);
    assert_string_equal(out.p,
                        "[{\"x\":1,\"y\":2},{\"x\":1,\"y\":2,\"m\":4},{\"type\":\"Point\",\"coordinates\":[1,2]},null,null]");
}

/* A hole that touches its ring in its first vertex goes by the others; of two rings around it the smaller is its ring. */
static void holes_at_the_edge(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(buf_free) struct buf wkb = BUF_INIT(10000);
    struct json_out o;
    CLEANUP(buf_free) struct buf out = BUF_INIT(10000);
    assert_int_equal(parse(ctx,
                           "{\"rings\":[[[-50,-50],[-50,50],[50,50],[50,-50],[-50,-50]]," SQUARE_CW
                           ",[[0,5],[2,4],[2,6],[0,5]],[[10,5],[12,4],[12,6],[10,5]]]}",
                           &AREAS, &wkb),
                     RC_OK);
    json_out_buf(&o, ctx, &out);
    assert_int_equal(esri_json_put_geojson(ctx, &o, buf_str(&wkb), false), RC_OK);
    assert_int_equal(json_out_end(&o, "geometry"), RC_OK);
    assert_string_equal(out.p, "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[-50,-50],[50,-50],[50,50],[-50,50],[-50,-50]],"
                               "[[10,5],[12,6],[12,4],[10,5]]],[" SQUARE_CCW ",[[0,5],[2,6],[2,4],[0,5]]]]}");
}

static void refused(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const struct wkb_form *form;
        const char *text;
    } rows[] = {
        {&POINT, "null"},
        {&POINT, "[]"},
        {&POINT, "{}"},
        {&POINT, "{\"y\":1}"},
        {&POINT, "{\"x\":1}"},
        {&POINT, "{\"x\":\"1\",\"y\":2}"},
        {&POINT, "{\"x\":1,\"y\":true}"},
        {&POINT, "{\"x\":1e999,\"y\":2}"},
        {&POINT, "{\"points\":[[1,2]]}"},
        {&LINES, "{\"x\":1,\"y\":2}"},
        {&LINES, "{\"rings\":[" SQUARE_CW "]}"},
        {&LINES, "{\"paths\":[[[1,2]]]}"},
        {&LINES, "{\"paths\":[[]]}"},
        {&LINES, "{\"paths\":[1]}"},
        {&LINES, "{\"paths\":{}}"},
        {&LINES, "{\"paths\":[[[1,2],[3]]]}"},
        {&LINES, "{\"paths\":[[[1,2],[null,4]]]}"},
        {&LINES, "{\"paths\":[[[1,2],3]]}"},
        {&LINES, "{\"curvePaths\":[[[1,2],{\"c\":[[3,3],[1,4]]}]]}"},
        {&AREAS, "{\"rings\":[[[1,2],[3,4]]]}"},
        {&AREAS, "{\"rings\":[[[1,2],[3,4],\"x\"]]}"},
        {&AREAS, "{\"xmin\":1,\"ymin\":1,\"xmax\":2,\"ymax\":2}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf wkb = BUF_INIT(10000);
        if (parse(ctx, rows[i].text, rows[i].form, &wkb) != RC_FAIL)
            fail_msg("accepted: %s", rows[i].text);
        assert_true(err_is(ctx, &ERR_INVALID) || err_is(ctx, &ERR_UNSUPPORTED));
        err_clear(ctx);
    }
}

static void envelopes_and_references(void **state)
{
    struct ctx *ctx = *state;
    struct json v;
    struct envelope e;
    struct crs crs;
    assert_int_equal(json_parse(ctx, STR("{\"xmin\":1,\"ymin\":2,\"xmax\":3,\"ymax\":4}"), &v), RC_OK);
    assert_int_equal(esri_json_parse_envelope(ctx, v, &e), RC_OK);
    assert_true(e.xmin == 1 && e.ymin == 2 && e.xmax == 3 && e.ymax == 4);
    static const char *const BAD[] = {"{}", "{\"xmin\":4,\"ymin\":2,\"xmax\":3,\"ymax\":4}",
                                      "{\"xmin\":\"a\",\"ymin\":2,\"xmax\":3,\"ymax\":4}", "[]"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_int_equal(json_parse(ctx, str_c(BAD[i]), &v), RC_OK);
        assert_int_equal(esri_json_parse_envelope(ctx, v, &e), RC_FAIL);
        err_clear(ctx);
    }
    static const struct {
        const char *text;
        bool known;
        int32_t wkid;
        const char *wkt;
    } rows[] = {
        {"4326", true, 4326, ""},
        {"{\"wkid\":102100}", true, 3857, ""},
        {"{\"wkid\":102100,\"latestWkid\":3857}", true, 3857, ""},
        {"{\"wkt\":\"GEOGCS[]\"}", true, 0, "GEOGCS[]"},
        {"{}", false, 0, ""},
        {"{\"wkid\":-1}", false, 0, ""},
        {"{\"wkid\":99999999999}", false, 0, ""},
        {"null", false, 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(json_parse(ctx, str_c(rows[i].text), &v), RC_OK);
        assert_int_equal(esri_json_parse_crs(ctx->arena, v, &crs), rows[i].known);
        assert_int_equal(crs.wkid, rows[i].wkid);
        assert_true(str_eq(crs.wkt, str_c(rows[i].wkt)));
    }
    CLEANUP(buf_free) struct buf out = BUF_INIT(1000);
    struct json_out o;
    json_out_buf(&o, ctx, &out);
    json_begin_array(&o);
    esri_json_put_crs(&o, &(struct crs){.wkid = 3857});
    esri_json_put_crs(&o, &(struct crs){.wkid = 4326});
    esri_json_put_crs(&o, &(struct crs){.wkt = STR("X")});
    json_end_array(&o);
    assert_int_equal(json_out_end(&o, "references"), RC_OK);
    assert_string_equal(out.p, "[{\"wkid\":102100,\"latestWkid\":3857},{\"wkid\":4326,\"latestWkid\":4326},{\"wkt\":\"X\"}]");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ctx, close_ctx)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(there_and_back), TEST(plain_and_none), TEST(holes_at_the_edge), TEST(refused),
                                       TEST(envelopes_and_references)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
