/* model/geometry/wkb_shape, centroid and hull: what stays of geometry that is made simpler, and what stands for it. */
#include "model/geometry/centroid.h"
#include "model/geometry/esri_json.h"
#include "model/geometry/hull.h"
#include "model/geometry/wkb_shape.h"
#include "model_test.h"

static str wkb_of(struct ctx *ctx, enum geometry_type type, const char *json)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    const struct wkb_form form = {.type = type, .multi = type != GEOMETRY_POINT};
    if (esri_json_parse(ctx, parsed(ctx, str_c(json)), &form, &b) != RC_OK)
        fail_msg("%s: %s", json, err_text(ctx));
    return arena_str(ctx->arena, buf_str(&b));
}

static str json_of(struct ctx *ctx, str wkb, struct esri_json_form form)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    if (esri_json_put(ctx, &o, wkb, form) != RC_OK)
        fail_msg("%s", err_text(ctx));
    return arena_str(ctx->arena, buf_str(&b));
}

static void generalized(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        enum geometry_type type;
        const char *from;
        double tolerance;
        const char *to;
    } rows[] = {
        {GEOMETRY_POINT, "{\"x\":1,\"y\":2}", 9, "{\"x\":1,\"y\":2}"},
        {GEOMETRY_MULTIPOINT, "{\"points\":[[1,2],[1,2]]}", 9, "{\"points\":[[1,2],[1,2]]}"},
        {GEOMETRY_POLYLINE, "{\"paths\":[[[0,0],[1,0.1],[2,0]]]}", 0.2, "{\"paths\":[[[0,0],[2,0]]]}"},
        {GEOMETRY_POLYLINE, "{\"paths\":[[[0,0],[1,0.1],[2,0]]]}", 0.05, "{\"paths\":[[[0,0],[1,0.1],[2,0]]]}"},
        {GEOMETRY_POLYLINE, "{\"paths\":[[[0,0],[1,5],[2,0],[3,5],[4,0]],[[7,7],[8,8]]]}", 1,
         "{\"paths\":[[[0,0],[1,5],[2,0],[3,5],[4,0]],[[7,7],[8,8]]]}"},
        {GEOMETRY_POLYGON, "{\"rings\":[[[0,0],[0,2],[0,4],[4,4],[4,0],[0,0]]]}", 0.1,
         "{\"rings\":[[[0,0],[0,4],[4,4],[4,0],[0,0]]]}"},
        /* all of it within the tolerance: a triangle stays, holes go */
        {GEOMETRY_POLYGON, "{\"rings\":[[[0,0],[0,4],[4,4],[4,0],[0,0]],[[1,1],[2,1],[2,2],[1,2],[1,1]]]}", 99,
         "{\"rings\":[[[0,0],[0,4],[4,4],[0,0]]]}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(1 << 20);
        assert_int_equal(wkb_generalize(ctx, wkb_of(ctx, rows[i].type, rows[i].from), rows[i].tolerance, &out), RC_OK);
        assert_str(json_of(ctx, buf_str(&out), (struct esri_json_form){.z = false}), str_c(rows[i].to));
    }
}

/* Lines as long as they get: the stack of the algorithm stays small, the time nearly linear. */
static void long_lines(void **state)
{
    struct ctx *ctx = *state;
    enum { VERTICES = 200000 };
    CLEANUP(buf_free) struct buf line = BUF_INIT(16 << 20);
    CLEANUP(buf_free) struct buf out = BUF_INIT(16 << 20);
    uint64_t vertices;
    wkb_put_head(&line, &(struct wkb_form){.type = GEOMETRY_POLYLINE});
    wkb_put_count(&line, VERTICES);
    for (int i = 0; i < VERTICES; i++)
        wkb_put_coords(&line, (const double[]){i, sin(i * 0.01)}, 2);
    assert_int_equal(wkb_generalize(ctx, buf_str(&line), 0.5, &out), RC_OK);
    assert_int_equal(wkb_measure(ctx, buf_str(&out), NULL, NULL, &vertices), RC_OK);
    assert_true(vertices > 100 && vertices < 10000);
}

static void quantized(void **state)
{
    struct ctx *ctx = *state;
    const struct wkb_grid down = {.x0 = -10, .y0 = 10, .step_x = 1, .step_y = 1, .down = true};
    const struct wkb_grid up = {.x0 = -10, .y0 = -10, .step_x = 4, .step_y = 4};
    const struct wkb_grid edit = {.x0 = -10, .y0 = -10, .step_x = 4, .step_y = 4, .keep_all = true};
    static const char square[] = "{\"rings\":[[[0,0],[0,3],[3,3],[3,0],[0,0]]]}";
    const struct {
        enum geometry_type type;
        const char *from;
        const struct wkb_grid *grid;
        const char *to;
    } rows[] = {
        {GEOMETRY_POINT, "{\"x\":0.4,\"y\":-0.6}", &down, "{\"x\":10,\"y\":11}"},
        {GEOMETRY_MULTIPOINT, "{\"points\":[[0,0],[1,2]]}", &down, "{\"points\":[[10,10],[1,-2]]}"},
        {GEOMETRY_POLYGON, square, &down, "{\"rings\":[[[10,10],[0,-3],[3,0],[0,3],[-3,0]]]}"},
        {GEOMETRY_POLYGON, square, &up, "{\"rings\":[]}"}, /* all in one cell but for a line */
        {GEOMETRY_POLYGON, square, &edit, "{\"rings\":[[[3,3],[0,0],[0,0],[0,0],[0,0]]]}"},
        {GEOMETRY_POLYLINE, "{\"paths\":[[[0,0],[1,0],[8,0]],[[0,0],[0.1,0]]]}", &up, "{\"paths\":[[[3,3],[2,0]]]}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(1 << 20);
        const struct esri_json_form form = {.deltas = true, .turned = rows[i].grid->down};
        if (wkb_quantize(ctx, wkb_of(ctx, rows[i].type, rows[i].from), rows[i].grid, &out) != RC_OK)
            fail_msg("row %zu: %s", i, err_text(ctx));
        assert_str(json_of(ctx, buf_str(&out), form), str_c(rows[i].to));
    }
    CLEANUP(buf_free) struct buf out = BUF_INIT(1 << 20);
    const struct wkb_grid fine = {.step_x = 1e-300, .step_y = 1e-300};
    assert_int_equal(wkb_quantize(ctx, wkb_of(ctx, GEOMETRY_POINT, "{\"x\":1,\"y\":1}"), &fine, &out), RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
}

static void in_place(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    buf_add(&b, wkb_of(ctx, GEOMETRY_POLYLINE, "{\"paths\":[[[0.12345,-90],[1,90]]]}"));
    assert_int_equal(wkb_clamp_y(ctx, &b, 89.9), RC_OK);
    assert_int_equal(wkb_round(ctx, &b, 100), RC_OK);
    assert_str(json_of(ctx, buf_str(&b), (struct esri_json_form){.z = false}), STR("{\"paths\":[[[0.12,-89.9],[1,89.9]]]}"));
}

static void centroids(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        enum geometry_type type;
        const char *json;
        double x, y;
    } rows[] = {
        {GEOMETRY_POINT, "{\"x\":1,\"y\":2}", 1, 2},
        {GEOMETRY_MULTIPOINT, "{\"points\":[[0,0],[4,2]]}", 2, 1},
        {GEOMETRY_POLYLINE, "{\"paths\":[[[0,0],[4,0],[4,4]]]}", 3, 1},
        {GEOMETRY_POLYGON, "{\"rings\":[[[0,0],[0,4],[4,4],[4,0],[0,0]]]}", 2, 2},
        {GEOMETRY_POLYGON, "{\"rings\":[[[0,0],[0,4],[8,4],[8,0],[0,0]],[[0,0],[4,0],[4,4],[0,4],[0,0]]]}", 6, 2},
        {GEOMETRY_POLYGON, "{\"rings\":[[[1e9,1e9],[1e9,1000000001],[1000000001,1000000001],[1000000001,1e9],[1e9,1e9]]]}",
         1000000000.5, 1000000000.5},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        double xy[2];
        bool found;
        assert_int_equal(geometry_centroid(ctx, wkb_of(ctx, rows[i].type, rows[i].json), xy, &found), RC_OK);
        assert_true(found);
        if (fabs(xy[0] - rows[i].x) > 1e-7 || fabs(xy[1] - rows[i].y) > 1e-7)
            fail_msg("row %zu: %.9g %.9g", i, xy[0], xy[1]);
    }
    double xy[2];
    bool found;
    assert_int_equal(geometry_centroid(ctx, wkb_of(ctx, GEOMETRY_POLYGON, "{\"rings\":[]}"), xy, &found), RC_OK);
    assert_false(found);
}

static void hulls(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(hull_close) struct hull h = {.points = NULL};
    CLEANUP(buf_free) struct buf b = BUF_INIT(8 << 20);
    enum { POINTS = 100000 };
    const struct wkb_form one = {.type = GEOMETRY_POINT}, many = {.type = GEOMETRY_MULTIPOINT, .multi = true};
    wkb_put_head(&b, &many);
    wkb_put_count(&b, POINTS);
    for (uint32_t i = 0; i < POINTS; i++) { /* all over a square, its corners among them */
        uint32_t mixed = i * 2654435761u;
        bool corner = i % 25000 == 7;
        wkb_put_head(&b, &one);
        wkb_put_coords(
            &b, (const double[]){corner ? (i / 25000 % 2) * 100 : mixed % 100, corner ? (i / 50000) * 100 : mixed / 100 % 100},
            2);
    }
    assert_int_equal(hull_add_wkb(ctx, &h, buf_str(&b)), RC_OK);
    assert_true(h.capacity < 20000); /* what lies inside is not kept */
    hull_finish(&h);
    const double corners[] = {0, 0, 100, 0, 100, 100, 0, 100};
    assert_int_equal(h.count, 4);
    assert_memory_equal(h.points, corners, sizeof corners);
    hull_close(&h);
    hull_finish(&h); /* of nothing */
    assert_int_equal(h.count, 0);
    str line = wkb_of(ctx, GEOMETRY_POLYLINE, "{\"paths\":[[[0,0],[1,1],[2,2]]]}");
    assert_int_equal(hull_add_wkb(ctx, &h, line), RC_OK);
    hull_finish(&h);
    assert_int_equal(h.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(generalized), TEST(long_lines), TEST(quantized),
                                       TEST(in_place),    TEST(centroids),  TEST(hulls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
