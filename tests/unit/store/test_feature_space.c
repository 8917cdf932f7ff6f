/* store/feature in space: boxes that geometries really meet, extents that follow the rows, and tables that a definition left
 * behind. */
#include "base/file.h"
#include "model/geometry/wkb.h"
#include "store/feature.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define assert_ok(call)                                                                                                          \
    do {                                                                                                                         \
        int rc_ = (call);                                                                                                        \
        if (rc_ != RC_OK)                                                                                                        \
            fail_msg("%s: %d, %s", #call, rc_, err_text(&w.ctx));                                                                \
    } while (0)

#define OID_FIELD "\"fields\":[{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"}]}"
static const char DEFINITION[] =
    "{\"layers\":[{\"id\":1,\"name\":\"lines\",\"geometryType\":\"esriGeometryPolyline\",\"spatialReference\":{\"wkid\":4326}"
    "," OID_FIELD
    ",{\"id\":2,\"name\":\"areas\",\"geometryType\":\"esriGeometryPolygon\",\"spatialReference\":{\"wkid\":4326}," OID_FIELD
    ",{\"id\":3,\"name\":\"points\",\"geometryType\":\"esriGeometryPoint\",\"spatialReference\":{\"wkid\":3857}," OID_FIELD
    ",{\"id\":4,\"name\":\"clouds\",\"geometryType\":\"esriGeometryMultipoint\",\"spatialReference\":{\"wkid\":3857}," OID_FIELD
    "]}";

static struct world {
    struct ctx ctx;
    str dir;
    struct service def;
    struct feature_store *fs;
    id store;
} w;
#define CTX (&w.ctx)

static int open_world(void **state)
{
    (void)state;
    ctx_open(CTX);
    assert_ok(dir_temp(CTX, NULL, &w.dir));
    assert_ok(service_parse(CTX, str_c(DEFINITION), &w.def));
    assert_ok(feature_store_open(CTX, arena_printf(w.ctx.arena, "dir:%.*s/features", STR_FMT(w.dir)).p, &w.fs));
    w.store = id_new();
    assert_ok(feature_create(CTX, w.fs, &w.store, &w.def));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    feature_store_close(w.fs);
    assert_ok(dir_remove_tree(CTX, w.dir.p));
    ctx_close(CTX);
    return 0;
}

/* One sequence: a point, line or ring. */
static str shape(enum geometry_type type, const double *coords, uint32_t count)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
    struct wkb_form form = {.type = type == GEOMETRY_MULTIPOINT ? GEOMETRY_POINT : type};
    if (type == GEOMETRY_MULTIPOINT) {
        wkb_put_head(&b, &(struct wkb_form){.type = type, .multi = true});
        wkb_put_count(&b, count);
        for (uint32_t i = 0; i < count; i++) {
            wkb_put_head(&b, &form);
            wkb_put_coords(&b, coords + (size_t)2 * i, 2);
        }
        return arena_str(w.ctx.arena, buf_str(&b));
    }
    wkb_put_head(&b, &form);
    if (type == GEOMETRY_POLYGON)
        wkb_put_count(&b, 1);
    if (type != GEOMETRY_POINT)
        wkb_put_count(&b, count);
    wkb_put_coords(&b, coords, (size_t)2 * count);
    return arena_str(w.ctx.arena, buf_str(&b));
}
#define SHAPE(type, ...) shape(type, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double) / 2)

static void add(int32_t layer, str wkb)
{
    struct value oid = {.kind = VALUE_NULL};
    struct row row = {.values = &oid, .wkb = wkb};
    assert_ok(feature_add(CTX, w.fs, &w.store, service_layer(&w.def, layer), &row, 1));
}

static str ids(const struct layer *l, const struct feature_query *q)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
    struct feature_cursor *c;
    struct row row;
    assert_ok(feature_query_open(CTX, w.fs, &w.store, l, q, &c));
    while (feature_next(CTX, c, &row) == RC_OK)
        buf_printf(&b, b.n ? " %ld" : "%ld", (long)row.oid);
    feature_cursor_close(c);
    return arena_str(w.ctx.arena, buf_str(&b));
}

static void check_box(int32_t layer, struct envelope box, const char *bounding, const char *exact)
{
    const struct layer *l = service_layer(&w.def, layer);
    for (int i = 0; i < 2; i++) {
        struct feature_query q = {.limit = -1, .has_box = true, .box = box, .box_exact = i == 1};
        str expected = str_c(i ? exact : bounding), found = ids(l, &q);
        if (!str_eq(found, expected))
            fail_msg("layer %d, exact %d: \"%.*s\", expected \"%.*s\"", layer, i, STR_FMT(found), STR_FMT(expected));
        int64_t count, listed = expected.n ? 1 : 0;
        for (size_t k = 0; k < expected.n; k++)
            listed += expected.p[k] == ' ';
        assert_ok(feature_count(CTX, w.fs, &w.store, l, &q, &count));
        assert_int_equal(count, listed);
        struct envelope extent;
        bool empty;
        assert_ok(feature_extent(CTX, w.fs, &w.store, l, &q, &extent, &empty));
        assert_int_equal(empty, listed == 0);
        for (int64_t at = 0; at <= listed; at++) { /* page by page */
            q.offset = at;
            q.limit = 1;
            str page = ids(l, &q);
            assert_int_equal(str_empty(page), at == listed);
        }
    }
}

static void boxes(void **state)
{
    (void)state;
    add(1, SHAPE(GEOMETRY_POLYLINE, 0, 0, 10, 10));
    add(1, SHAPE(GEOMETRY_POLYLINE, 0, 10, 10, 10, 10, 0));
    add(1, STR_NONE);
    add(1, SHAPE(GEOMETRY_POLYLINE, 20, 20, 30, 30));
    check_box(1, (struct envelope){6, 1, 9, 4}, "1 2", "");
    check_box(1, (struct envelope){6, 1, 9, 6}, "1 2", "1");
    check_box(1, (struct envelope){6, 1, 10, 4}, "1 2", "2");
    check_box(1, (struct envelope){-1, -1, 40, 40}, "1 2 4", "1 2 4");
    check_box(1, (struct envelope){50, 50, 60, 60}, "", "");
    add(2, SHAPE(GEOMETRY_POLYGON, 0, 0, 0, 10, 10, 0, 0, 0));
    add(2, SHAPE(GEOMETRY_POLYGON, 0, 0, 0, 10, 10, 10, 10, 0, 0, 0));
    check_box(2, (struct envelope){7, 7, 8, 8}, "1 2", "2");
    check_box(2, (struct envelope){1, 1, 2, 2}, "1 2", "1 2");
    check_box(2, (struct envelope){5, 5, 8, 8}, "1 2", "1 2");
    add(3, SHAPE(GEOMETRY_POINT, 1, 1));
    check_box(3, (struct envelope){1, 1, 2, 2}, "1", "1");
    check_box(3, (struct envelope){1.5, 1, 2, 2}, "", "");
    add(4, SHAPE(GEOMETRY_MULTIPOINT, 0, 0, 10, 10));
    check_box(4, (struct envelope){4, 4, 6, 6}, "1", "");
    check_box(4, (struct envelope){10, 4, 16, 16}, "1", "1");
}

static struct envelope extent_of(int32_t layer)
{
    const struct feature_query all = {.limit = -1};
    struct envelope box;
    bool empty;
    assert_ok(feature_extent(CTX, w.fs, &w.store, service_layer(&w.def, layer), &all, &box, &empty));
    assert_int_equal(empty, envelope_empty(&box));
    return box;
}

static void check_extent(int32_t layer, const struct envelope *expected)
{
    struct envelope box = extent_of(layer);
    if (box.xmin != expected->xmin || box.ymin != expected->ymin || box.xmax != expected->xmax || box.ymax != expected->ymax)
        fail_msg("%.17g %.17g %.17g %.17g, expected %.17g %.17g %.17g %.17g", box.xmin, box.ymin, box.xmax, box.ymax,
                 expected->xmin, expected->ymin, expected->xmax, expected->ymax);
}

/* The sides are found through an index of rounded numbers, and have to be those of the rows all the same: neighbours that only a
 * double tells apart, both signs, great and small, loaded and added. */
static void extents(void **state)
{
    (void)state;
    const struct layer *points = service_layer(&w.def, 3);
    struct envelope expected = extent_of(3);
    assert_true(envelope_empty(&expected));
    struct feature_load *load;
    uint64_t seed = 7;
    int64_t count;
    assert_ok(feature_load_begin(CTX, w.fs, &w.store, points, &load));
    for (int i = 0; i < 3000; i++) {
        double xy[2];
        for (int k = 0; k < 2; k++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            xy[k] = ((double)(seed >> 33) / 0x1p31 - 0.5) * 2e-6 + (i % 3 == 0 ? 20037508.342789244 : -0.1 - i % 2);
        }
        struct value oid = {.kind = VALUE_NULL};
        struct row row = {.values = &oid, .wkb = shape(GEOMETRY_POINT, xy, 1)};
        assert_ok(feature_load_row(CTX, load, &row));
        envelope_add(&expected, xy[0], xy[1]);
    }
    assert_ok(feature_load_end(CTX, load, &count));
    feature_load_close(load);
    check_extent(3, &expected);
    static const double odd[] = {-0.1, -1.1000000000000001, 20037508.342789248, 1e-300, -3e-320, 1e30, -1.0000000000000002e30,
                                 -1e30};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        add(3, SHAPE(GEOMETRY_POINT, odd[i], -odd[i]));
        envelope_add(&expected, odd[i], -odd[i]);
        check_extent(3, &expected);
    }
    add(1, SHAPE(GEOMETRY_POLYLINE, 0.1, 0.2, -0.3, 0.7));
    add(1, STR_NONE);
    check_extent(1, &(struct envelope){-0.3, 0.2, 0.1, 0.7});
}

/* Points all over the world by a seeded walk of their own, loaded with ids from the first one on or (0) without;
 * how long the way from row to row is then. */
static double load_points(const struct layer *points, int count, int64_t first_oid)
{
    struct feature_load *load;
    struct feature_cursor *c;
    struct row row;
    const struct feature_query all = {.limit = -1, .geometry = true};
    uint64_t seed = 11;
    double far_out = 0, last[2] = {0, 0}, xy[2];
    int64_t loaded, oid = first_oid ? first_oid : 1;
    assert_ok(feature_load_begin(CTX, w.fs, &w.store, points, &load));
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < 2; k++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            xy[k] = ((double)(seed >> 33) / 0x1p31 - 0.5) * 1e7;
        }
        struct value value = {.kind = VALUE_NULL};
        struct arena_mark mark = arena_mark(w.ctx.arena);
        bool nowhere = i % 1000 == 999;
        row = (struct row){
            .oid = first_oid ? first_oid + i : 0, .values = &value, .wkb = nowhere ? STR_NONE : shape(GEOMETRY_POINT, xy, 1)};
        assert_ok(feature_load_row(CTX, load, &row));
        arena_release(w.ctx.arena, mark);
    }
    assert_ok(feature_load_end(CTX, load, &loaded));
    feature_load_close(load);
    assert_int_equal(loaded, count);
    assert_ok(feature_query_open(CTX, w.fs, &w.store, points, &all, &c));
    for (; feature_next(CTX, c, &row) == RC_OK; oid++) {
        assert_int_equal(row.oid, oid);
        if (str_none(row.wkb))
            continue;
        memcpy(xy, row.wkb.p + 5, sizeof xy);
        far_out += hypot(xy[0] - last[0], xy[1] - last[1]);
        memcpy(last, xy, sizeof xy);
    }
    feature_cursor_close(c);
    return far_out;
}

static void load_again(void) { assert_ok(feature_create(CTX, w.fs, &w.store, &w.def)); /* anew */ }

/* Many rows without ids get theirs along a curve, so that from each to the next it is not far; few rows, and rows with ids, stay
 * as they came. Boxes find what they did. */
static void many_rows_lie_along_a_curve(void **state)
{
    (void)state;
    enum { MANY = 21000, FEW = 2000 };
    const struct layer *points = service_layer(&w.def, 3);
    const struct feature_query box = {.limit = -1, .has_box = true, .box = {-1e6, -1e6, 1e6, 1e6}};
    int64_t in_order, along;
    double as_they_came = load_points(points, MANY, 5);
    assert_ok(feature_count(CTX, w.fs, &w.store, points, &box, &in_order));
    load_again();
    double sorted = load_points(points, MANY, 0);
    assert_true(sorted * 20 < as_they_came);
    assert_ok(feature_count(CTX, w.fs, &w.store, points, &box, &along));
    assert_int_equal(in_order, along);
    assert_true(in_order > 0);
    load_again();
    double few = load_points(points, FEW, 9);
    load_again();
    assert_true(load_points(points, FEW, 0) == few);
}

/* Ids that come late find the rows before them in their places. */
static void rows_with_and_without_ids(void **state)
{
    (void)state;
    const struct layer *areas = service_layer(&w.def, 2);
    static const int64_t given[] = {0, 0, 70, 0, 7, 0};
    struct feature_load *load;
    int64_t count;
    assert_ok(feature_load_begin(CTX, w.fs, &w.store, areas, &load));
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        struct value value = {.kind = VALUE_NULL};
        struct row row = {.oid = given[i], .values = &value, .wkb = SHAPE(GEOMETRY_POLYGON, 0, 0, 0, 10, 10, 0, 0, 0)};
        assert_ok(feature_load_row(CTX, load, &row));
    }
    assert_ok(feature_load_end(CTX, load, &count));
    feature_load_close(load);
    assert_int_equal(count, 6);
    assert_true(str_eq(ids(areas, &(struct feature_query){.limit = -1}), STR("1 2 7 70 71 72")));
}

/* A row that cannot be is an error of the load, whenever it is found, and nothing of the load stays. */
static void a_bad_row_among_those_put_aside(void **state)
{
    (void)state;
    const struct layer *points = service_layer(&w.def, 3);
    struct value value = {.kind = VALUE_NULL};
    struct row good = {.values = &value, .wkb = SHAPE(GEOMETRY_POINT, 1, 2)},
               bad = {.values = &value, .wkb = SHAPE(GEOMETRY_POLYLINE, 0, 0, 1, 1)};
    struct feature_load *load;
    int64_t count;
    assert_ok(feature_load_begin(CTX, w.fs, &w.store, points, &load));
    assert_ok(feature_load_row(CTX, load, &good));
    int rc = feature_load_row(CTX, load, &bad);
    rc = rc != RC_OK ? rc : feature_load_end(CTX, load, &count);
    feature_load_close(load);
    assert_int_equal(rc, RC_FAIL);
    assert_true(err_is(CTX, &ERR_INVALID));
    err_clear(CTX);
    assert_true(str_empty(ids(points, &(struct feature_query){.limit = -1})));
}

static void count_finding(void *arg, const char *line)
{
    (void)line;
    ++*(int *)arg;
}

/* A crash between the tables and the definition that names them: the next definition has another layer of that id. */
static void tables_left_behind(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "{\"layers\":[{\"id\":9,\"name\":\"old\",\"geometryType\":\"esriGeometryPolygon\",\"fields\":["
        "{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"geom\",\"type\":\"esriFieldTypeInteger\"}]}]}",
        "{\"layers\":[{\"id\":9,\"name\":\"new\",\"geometryType\":\"esriGeometryPoint\",\"spatialReference\":{\"wkid\":3857},"
        "\"fields\":["
        "{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"a\",\"type\":\"esriFieldTypeString\"}]}]}",
        "{\"tables\":[{\"id\":9,\"name\":\"table\",\"fields\":[{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},"
        "{\"name\":\"b\",\"type\":\"esriFieldTypeDouble\"}]}]}",
        "{\"layers\":[{\"id\":9,\"name\":\"new\",\"geometryType\":\"esriGeometryPoint\",\"spatialReference\":{\"wkid\":3857},"
        "\"fields\":["
        "{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"a\",\"type\":\"esriFieldTypeString\"}]}]}",
    };
    add(3, SHAPE(GEOMETRY_POINT, 1, 1));
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_ok(service_parse(CTX, str_c(TEXTS[i]), &w.def));
        assert_ok(feature_extend(CTX, w.fs, &w.store, &(struct service){.layer_count = 0}, &w.def));
    }
    const struct layer *l = service_layer(&w.def, 9);
    struct value values[] = {{.kind = VALUE_NULL}, {.kind = VALUE_TEXT, .s = STR("x")}};
    struct row row = {.values = values, .wkb = SHAPE(GEOMETRY_POINT, 3, 4)};
    assert_ok(feature_add(CTX, w.fs, &w.store, l, &row, 1));
    const struct feature_query q = {.limit = -1, .has_box = true, .box = {3, 4, 3, 4}};
    assert_true(str_eq(ids(l, &q), STR("1")));
    assert_ok(feature_extend(CTX, w.fs, &w.store, &w.def, &w.def)); /* named by the definition: it stays */
    assert_true(str_eq(ids(l, &q), STR("1")));
    int lines = 0;
    uint64_t bad;
    assert_ok(feature_check(CTX, w.fs, &w.store, count_finding, &lines, &bad));
    assert_int_equal(bad, 0);
    assert_ok(service_parse(CTX, str_c(DEFINITION), &w.def));
    assert_true(str_eq(ids(service_layer(&w.def, 3), &(struct feature_query){.limit = -1}), STR("1")));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)
    const struct CMUnitTest tests[] = {TEST(boxes),
                                       TEST(extents),
                                       TEST(many_rows_lie_along_a_curve),
                                       TEST(rows_with_and_without_ids),
                                       TEST(a_bad_row_among_those_put_aside),
                                       TEST(tables_left_behind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
