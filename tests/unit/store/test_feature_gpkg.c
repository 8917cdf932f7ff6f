/* store/feature over GeoPackages: what queries find and in which order, loads that break off, and packages that GDAL reads. */
#include "base/fault.h"
#include "base/file.h"
#include "model/geometry/wkb.h"
#include "store/feature.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define assert_rc(ctx, call, expected)                                                                                           \
    do {                                                                                                                         \
        int rc_ = (call);                                                                                                        \
        if (rc_ != (expected))                                                                                                   \
            fail_msg("%s: %d, %s", #call, rc_, err_text(ctx));                                                                   \
    } while (0)
#define assert_ok(ctx, call) assert_rc(ctx, call, RC_OK)
#define assert_str(actual, expected)                                                                                             \
    do {                                                                                                                         \
        str actual_ = (actual), expected_ = (expected);                                                                          \
        assert_int_equal(actual_.n, expected_.n);                                                                                \
        assert_memory_equal(actual_.p ? actual_.p : "", expected_.p, expected_.n);                                               \
    } while (0)

/* Layer 156 has every field type, 7 is a table, 8 has lines with Z, 9 polygons. */
static const char DEFINITION[] =
    "{\"name\":\"Parks\",\"layers\":["
    "{\"id\":156,\"name\":\"Pl\u00e4tze & \\\"mehr\\\"\",\"geometryType\":\"esriGeometryPoint\",\"extent\":{\"spatialReference\":"
    "{\"wkid\":102100,\"latestWkid\":3857}},\"fields\":["
    "{\"name\":\"OBJECTID\",\"type\":\"esriFieldTypeOID\"},"
    "{\"name\":\"Stra\u00dfe\",\"type\":\"esriFieldTypeString\",\"length\":40},"
    "{\"name\":\"geom\",\"type\":\"esriFieldTypeInteger\"},"
    "{\"name\":\"select\",\"type\":\"esriFieldTypeSmallInteger\"},"
    "{\"name\":\"a\\\"b\",\"type\":\"esriFieldTypeBigInteger\"},"
    "{\"name\":\"height\",\"type\":\"esriFieldTypeDouble\"},"
    "{\"name\":\"ratio\",\"type\":\"esriFieldTypeSingle\"},"
    "{\"name\":\"seen\",\"type\":\"esriFieldTypeDate\"},"
    "{\"name\":\"day\",\"type\":\"esriFieldTypeDateOnly\"},"
    "{\"name\":\"hour\",\"type\":\"esriFieldTypeTimeOnly\"},"
    "{\"name\":\"gid\",\"type\":\"esriFieldTypeGlobalID\"},"
    "{\"name\":\"raw\",\"type\":\"esriFieldTypeBlob\"}]},"
    "{\"id\":8,\"name\":\"Wege\",\"geometryType\":\"esriGeometryPolyline\",\"hasZ\":true,\"spatialReference\":{\"wkid\":4326},"
    "\"fields\":[{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"}]},"
    "{\"id\":9,\"name\":\"Fl\u00e4chen\",\"geometryType\":\"esriGeometryPolygon\",\"spatialReference\":{\"wkt\":"
    "\"LOCAL_CS[\\\"mine\\\"]\"},\"fields\":[{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"}]}],"
    "\"tables\":[{\"id\":7,\"name\":\"Notes\",\"fields\":[{\"name\":\"note\",\"type\":\"esriFieldTypeString\"},"
    "{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"}]}]}";

struct world {
    struct ctx ctx;
    str dir;
    struct service def;
    struct feature_store *fs;
    id store;
};

static int open_world(void **state)
{
    static struct world w;
    ctx_open(&w.ctx);
    assert_ok(&w.ctx, dir_temp(&w.ctx, NULL, &w.dir));
    assert_ok(&w.ctx, service_parse(&w.ctx, str_c(DEFINITION), &w.def));
    assert_ok(&w.ctx, feature_store_open(&w.ctx, arena_printf(w.ctx.arena, "dir:%.*s/features", STR_FMT(w.dir)).p, &w.fs));
    w.store = id_new();
    assert_ok(&w.ctx, feature_create(&w.ctx, w.fs, &w.store, &w.def));
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    feature_store_close(w->fs);
    assert_ok(&w->ctx, dir_remove_tree(&w->ctx, w->dir.p));
    ctx_close(&w->ctx);
    return 0;
}

static const struct layer *layer(struct world *w, int32_t n) { return service_layer(&w->def, n); }

static str point(struct ctx *ctx, double x, double y)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(100);
    wkb_put_head(&b, &(struct wkb_form){.type = GEOMETRY_POINT});
    wkb_put_coords(&b, (const double[]){x, y}, 2);
    return arena_str(ctx->arena, buf_str(&b));
}

#define NUL                                                                                                                      \
    {                                                                                                                            \
        .kind = VALUE_NULL                                                                                                       \
    }
#define I(v)                                                                                                                     \
    {                                                                                                                            \
        .kind = VALUE_INT, .i = (v)                                                                                              \
    }
#define D(v)                                                                                                                     \
    {                                                                                                                            \
        .kind = VALUE_DOUBLE, .d = (v)                                                                                           \
    }
#define T(v)                                                                                                                     \
    {                                                                                                                            \
        .kind = VALUE_TEXT, .s = STR(v)                                                                                          \
    }
enum { FIELDS = 12 };

/* Five places; values that tell the types' edges apart. */
static void load_places(struct world *w)
{
    struct ctx *ctx = &w->ctx;
    struct value values[][FIELDS] = {
        {NUL,
         T("\xc3\x84pfel"),
         I(3),
         I(-32768),
         I(INT64_MAX),
         D(0.1),
         D(0.5),
         I(0),
         T("2024-02-29"),
         T("23:59:59"),
         T("{00000000-0000-0000-0000-00000000000A}"),
         {.kind = VALUE_BLOB, .s = STR("\0\1\2")}},
        {NUL, T("apfel"), I(1), NUL, I(INT64_MIN), D(-1e300), NUL, I(1706745599123), NUL, NUL, NUL, NUL},
        {NUL, T("100%"), I(2), I(32767), I(0), NUL, NUL, I(-62167219200000), NUL, NUL, NUL, NUL},
        {NUL, NUL, I(2), I(0), NUL, D(12), NUL, I(253402300799999), NUL, NUL, NUL, NUL},
        {NUL, T("\xc3\xa4PFEL"), NUL, I(1), NUL, D(12.5), NUL, NUL, NUL, NUL, NUL, {.kind = VALUE_BLOB, .s = STR("")}},
    };
    const int64_t oids[] = {10, 3, 1, 70, 5};
    const str shapes[] = {point(ctx, 0, 0), point(ctx, 10, 10), point(ctx, -10, 5.25), STR_NONE, point(ctx, NAN, NAN)};
    struct feature_load *load;
    int64_t count;
    assert_ok(ctx, feature_load_begin(ctx, w->fs, &w->store, layer(w, 156), &load));
    for (size_t i = 0; i < COUNT_OF(oids); i++) {
        struct row row = {.oid = oids[i], .values = values[i], .wkb = shapes[i]};
        assert_ok(ctx, feature_load_row(ctx, load, &row));
    }
    assert_ok(ctx, feature_load_end(ctx, load, &count));
    feature_load_close(load);
    assert_int_equal(count, 5);
}

/* The ids that a query finds, in order: "1 3 5". */
static str ids(struct world *w, const struct layer *l, const struct feature_query *q)
{
    struct feature_cursor *c;
    struct row row;
    int rc;
    struct buf b = BUF_INIT(100000);
    assert_ok(&w->ctx, feature_query_open(&w->ctx, w->fs, &w->store, l, q, &c));
    while ((rc = feature_next(&w->ctx, c, &row)) == RC_OK)
        buf_printf(&b, b.n ? " %ld" : "%ld", (long)row.oid);
    assert_int_equal(rc, RC_END);
    feature_cursor_close(c);
    str s = arena_str(w->ctx.arena, buf_str(&b));
    buf_free(&b);
    return s;
}

static void where_finds(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *where, *ids;
    } rows[] = {
        {"", "1 3 5 10 70"},
        {"1=1", "1 3 5 10 70"},
        {"1=2", ""},
        {"OBJECTID > 3 AND objectid <= 10", "5 10"},
        {"\"Stra\303\237e\" = 'apfel'", "3"},
        {"Stra\303\237e = 'APFEL'", ""},
        {"UPPER(Stra\303\237e) = '\xc3\x84PFEL'", "5 10"},
        {"LOWER(Stra\303\237e) = '\xc3\xa4pfel'", "5 10"},
        {"Stra\303\237e LIKE '%pfel'", "3 10"},
        {"Stra\303\237e LIKE '_pfel'", "3 10"},
        {"Stra\303\237e NOT LIKE '%pfel'", "1 5"},
        {"Stra\303\237e LIKE '100!%' ESCAPE '!'", "1"},
        {"Stra\303\237e LIKE '1%!%' ESCAPE '!'", "1"},
        {"Stra\303\237e IS NULL", "70"},
        {"Stra\303\237e IS NOT NULL", "1 3 5 10"},
        {"CHAR_LENGTH(Stra\303\237e) = 5", "3 5 10"},
        {"SUBSTRING(Stra\303\237e, 2, 2) = 'pf'", "3 10"},
        {"TRIM('  apfel ') = Stra\303\237e", "3"},
        {"geom IN (1, 3)", "3 10"},
        {"geom NOT IN (1, 3)", "1 70"},
        {"geom BETWEEN 2 AND 3", "1 10 70"},
        {"NOT geom BETWEEN 2 AND 3", "3"},
        {"geom = 2 OR geom = 3 AND \"select\" < 0", "1 10 70"},
        {"(geom = 2 OR geom = 3) AND \"select\" < 0", "10"},
        {"geom * 2 + 1 = 5", "1 70"},
        {"10 - (geom - 1) - 2 = 6", "10"},
        {"24 / (geom * 2) / 2 = 2", "10"},
        {"2 * (geom + 1) = 8", "10"},
        {"-geom = -3", "10"},
        {"\"a\"\"b\" = 9223372036854775807", "10"},
        {"height = 0.1", "10"},
        {"height < -1e299", "3"},
        {"FLOOR(height) = 12", "5 70"},
        {"CEILING(height) = 13", "5"},
        {"ROUND(height) = 13", "5"},
        {"ABS(\"select\") = 32768", "10"},
        {"seen = DATE '1970-01-01'", "10"},
        {"seen = 0", "10"},
        {"seen > TIMESTAMP '2024-01-31 23:59:59'", "3 70"},
        {"seen >= '2024-01-31T23:59:59.123Z' AND seen < DATE '2025-01-01'", "3"},
        {"seen < CURRENT_TIMESTAMP - INTERVAL '1' DAY", "1 3 10"},
        {"seen < 253402300800000", "1 3 10 70"},
        {"seen < -62167219200001", ""},
        {"day = DATE '2024-02-29'", "10"},
        {"day < '2024-03-01'", "10"},
        {"hour = '23:59:59'", "10"},
        {"gid = '00000000-0000-0000-0000-00000000000a'", "10"},
        {"raw IS NULL", "1 3 70"},
        {"SUBSTRING(Stra\303\237e FROM 0 FOR 2) = 'a'", "3"},
        {"SUBSTRING(Stra\303\237e FROM -1) = 'apfel'", "3"},
        {"SUBSTRING(Stra\303\237e FROM 9) = ''", "1 3 5 10"},
        {"POSITION('fel' IN Stra\303\237e) = 3", "3 10"},
        {"CONCAT(Stra\303\237e, geom, '!') = 'apfel1!'", "3"},
        {"CONCAT(Stra\303\237e, geom) = '2'", "70"},
        {"TRIM(BOTH '01' FROM Stra\303\237e) = '%'", "1"},
        {"TRIM(LEADING 'a' FROM Stra\303\237e) = 'pfel'", "3"},
        {"RTRIM(Stra\303\237e, 'l') = 'apfe'", "3"},
        {"ROUND(height, 0) = 13 AND TRUNCATE(height) = 12", "5"},
        {"ROUND(geom * 10 + 4, -1) = 20", "1 70"},
        {"TRUNCATE(height, 1) = 0.1", "10"},
        {"SIGN(\"select\") = -1", "10"},
        {"SQRT(geom + 1) = 2", "10"},
        {"SQRT(-geom) IS NULL AND geom IS NOT NULL", "1 3 10 70"},
        {"POWER(geom, 3) = 8", "1 70"},
        {"LOG10(geom * 50) = 2", "1 70"},
        {"LOG(EXP(geom)) = 3", "10"},
        {"MOD(geom, 2) = 1", "3 10"},
        {"COS(geom - 1) = 1", "3"},
        {"geom / 0 IS NULL", "1 3 5 10 70"},
        {"NULLIF(geom, 2) IS NULL", "1 5 70"},
        {"COALESCE(height, geom) = 2", "1"},
        {"COALESCE(seen, DATE '2000-01-01') = DATE '2000-01-01'", "5"},
        {"CAST(height AS INTEGER) = 12", "5 70"},
        {"CAST(height AS VARCHAR(10)) = '12'", "70"},
        {"CAST(height AS VARCHAR(2)) = '12'", "5 70"},
        {"CAST(Stra\303\237e AS INTEGER) IS NULL", "1 3 5 10 70"},
        {"CAST('12.5' AS FLOAT) = height", "5"},
        {"CAST(seen AS DATE) = DATE '2024-01-31'", "3"},
        {"CAST(day AS TIMESTAMP) = DATE '2024-02-29'", "10"},
        {"EXTRACT(YEAR FROM seen) = 2024", "3"},
        {"EXTRACT(MINUTE FROM seen) = 59", "3 70"},
        {"EXTRACT(MONTH FROM day) = 2", "10"},
        {"EXTRACT(SECOND FROM hour) = 59", "10"},
        {"seen + INTERVAL '1' DAY = TIMESTAMP '1970-01-02 00:00:00'", "10"},
        {"seen - INTERVAL '1' MONTH < DATE '0000-01-01'", ""},
        {"seen + INTERVAL '1' MONTH = TIMESTAMP '2024-02-29 23:59:59.123'", "3"},
        {"day + INTERVAL '1' YEAR = '2025-02-28'", "10"},
        {"seen + 1 = DATE '1970-01-02'", "10"},
        {"DATE '1970-01-03' - seen = 2", "10"},
        {"seen - '1969-12-31' = 1", "10"},
        {"CASE WHEN geom = 1 THEN 'one' WHEN geom = 2 THEN 'two' ELSE 'many' END = 'two'", "1 70"},
        {"CASE geom WHEN 1 THEN 'one' END IS NULL", "1 5 10 70"},
        {"hour > TIME '12:00:00'", "10"},
    };
    load_places(w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct feature_query q = {.limit = -1};
        struct where *tree;
        assert_ok(&w->ctx, where_parse(&w->ctx, str_c(rows[i].where), layer(w, 156), &tree));
        q.where = tree;
        str found = ids(w, layer(w, 156), &q);
        if (!str_eq(found, str_c(rows[i].ids)))
            fail_msg("%s: \"%.*s\", expected \"%s\"", rows[i].where, STR_FMT(found), rows[i].ids);
        int64_t count;
        assert_ok(&w->ctx, feature_count(&w->ctx, w->fs, &w->store, layer(w, 156), &q, &count));
        int64_t expected = rows[i].ids[0] != 0;
        for (const char *p = rows[i].ids; *p; p++)
            expected += *p == ' ';
        assert_int_equal(count, expected);
    }
}

static void orders_and_pages(void **state)
{
    struct world *w = *state;
    const struct layer *l = layer(w, 156);
    load_places(w);
    const struct feature_order up[] = {{.field = 2}}, down[] = {{.field = 2, .descending = true}};
    const struct feature_order two[] = {{.field = 2}, {.field = 0, .descending = true}};
    assert_str(ids(w, l, &(struct feature_query){.limit = -1, .order = up, .order_count = 1}), STR("3 1 70 10 5"));
    assert_str(ids(w, l, &(struct feature_query){.limit = -1, .order = down, .order_count = 1}), STR("5 10 1 70 3"));
    assert_str(ids(w, l, &(struct feature_query){.limit = -1, .order = two, .order_count = 2}), STR("3 70 1 10 5"));
    assert_str(ids(w, l, &(struct feature_query){.limit = 2}), STR("1 3"));
    assert_str(ids(w, l, &(struct feature_query){.limit = 2, .offset = 2}), STR("5 10"));
    assert_str(ids(w, l, &(struct feature_query){.limit = 2, .offset = 4}), STR("70"));
    assert_str(ids(w, l, &(struct feature_query){.limit = 2, .offset = 5}), STR(""));
    assert_str(ids(w, l, &(struct feature_query){.limit = 0}), STR(""));
    const int64_t some[] = {70, 4, 3, 70};
    assert_str(ids(w, l, &(struct feature_query){.limit = -1, .oids = some, .oid_count = 4}), STR("3 70"));
    assert_str(ids(w, l, &(struct feature_query){.limit = -1, .oids = some, .oid_count = 0}), STR(""));
}

/* Pages by offset go on where the page before ended; rows that come in between are seen. */
static void pages_of_gaps(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    const struct layer *l = layer(w, 7);
    struct value note[] = {T("x"), NUL};
    struct row rows[60];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = (struct row){.oid = (int64_t)(i * i) + 1, .values = note};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, l, rows, COUNT_OF(rows)));
    for (int round = 0; round < 2; round++) {
        for (int64_t at = 0; at < 60; at += 7) {
            struct feature_cursor *c;
            struct row row;
            assert_ok(ctx, feature_query_open(ctx, w->fs, &w->store, l, &(struct feature_query){.offset = at, .limit = 7}, &c));
            for (int64_t i = at; i < at + 7 && i < 60; i++) {
                assert_ok(ctx, feature_next(ctx, c, &row));
                assert_int_equal(row.oid, i * i + 1);
            }
            assert_int_equal(feature_next(ctx, c, &row), RC_END);
            feature_cursor_close(c);
        }
    }
    assert_str(ids(w, l, &(struct feature_query){.offset = 58, .limit = 5}), STR("3365 3482"));
    assert_str(ids(w, l, &(struct feature_query){.offset = 70, .limit = 5}), STR(""));
    struct row between = {.oid = 3, .values = note};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, l, &between, 1));
    assert_str(ids(w, l, &(struct feature_query){.offset = 7, .limit = 2}), STR("37 50"));
    assert_str(ids(w, l, &(struct feature_query){.offset = 1, .limit = 2}), STR("2 3"));
}

static void boxes_are_exact(void **state)
{
    struct world *w = *state;
    const struct layer *l = layer(w, 156);
    static const struct {
        struct envelope box;
        const char *ids;
    } rows[] = {
        {{-100, -100, 100, 100}, "1 3 10"},
        {{0, 0, 0, 0}, "10"},
        {{-10, 5.25, -10, 5.25}, "1"},
        {{10.0000001, 0, 20, 20}, ""},
        {{9.9999999, 0, 20, 20}, "3"},
        {{0, 0, 10, 10}, "3 10"},
        {{50, 50, 60, 60}, ""},
    };
    load_places(w);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_str(ids(w, l, &(struct feature_query){.limit = -1, .has_box = true, .box = rows[i].box}), str_c(rows[i].ids));
    struct envelope box;
    bool empty;
    assert_ok(&w->ctx, feature_extent(&w->ctx, w->fs, &w->store, l, &(struct feature_query){.limit = -1}, &box, &empty));
    assert_false(empty);
    assert_true(box.xmin == -10 && box.ymin == 0 && box.xmax == 10 && box.ymax == 10);
    const int64_t none[] = {5, 70};
    struct feature_query q = {.limit = -1, .oids = none, .oid_count = 2};
    assert_ok(&w->ctx, feature_extent(&w->ctx, w->fs, &w->store, l, &q, &box, &empty));
    assert_true(empty);
}

static void values_come_back(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct feature_cursor *c;
    struct row row;
    load_places(w);
    const int64_t ten = 10;
    struct feature_query q = {.limit = -1, .oids = &ten, .oid_count = 1, .geometry = true};
    assert_ok(ctx, feature_query_open(ctx, w->fs, &w->store, layer(w, 156), &q, &c));
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_int_equal(row.oid, 10);
    assert_int_equal(row.values[0].i, 10);
    assert_str(row.values[1].s, STR("\xc3\x84pfel"));
    assert_int_equal(row.values[3].i, -32768);
    assert_int_equal(row.values[4].i, INT64_MAX);
    assert_true(row.values[5].kind == VALUE_DOUBLE && row.values[5].d == 0.1);
    assert_true(row.values[7].kind == VALUE_INT && row.values[7].i == 0);
    assert_str(row.values[8].s, STR("2024-02-29"));
    assert_str(row.values[10].s, STR("{00000000-0000-0000-0000-00000000000A}"));
    assert_int_equal(row.values[11].kind, VALUE_BLOB);
    assert_str(row.values[11].s, STR("\0\1\2"));
    assert_str(row.wkb, point(ctx, 0, 0));
    assert_int_equal(feature_next(ctx, c, &row), RC_END);
    feature_cursor_close(c);
    const size_t wanted[] = {5, 2};
    q = (struct feature_query){.limit = 1, .fields = wanted, .field_count = 2};
    assert_ok(ctx, feature_query_open(ctx, w->fs, &w->store, layer(w, 156), &q, &c));
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_int_equal(row.values[1].kind, VALUE_NULL);
    assert_int_equal(row.values[2].i, 2);
    assert_int_equal(row.values[5].kind, VALUE_NULL);
    assert_true(str_none(row.wkb));
    feature_cursor_close(c);
}

static void distinct_values(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct feature_cursor *c;
    struct row row;
    const size_t wanted = 2;
    const struct feature_order order = {.field = 2}, foreign = {.field = 5};
    load_places(w);
    struct feature_query q = {
        .limit = -1, .fields = &wanted, .field_count = 1, .distinct = true, .order = &order, .order_count = 1};
    assert_ok(ctx, feature_query_open(ctx, w->fs, &w->store, layer(w, 156), &q, &c));
    for (int64_t i = 1; i <= 3; i++) {
        assert_ok(ctx, feature_next(ctx, c, &row));
        assert_int_equal(row.values[2].i, i);
    }
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_int_equal(row.values[2].kind, VALUE_NULL);
    assert_int_equal(feature_next(ctx, c, &row), RC_END);
    feature_cursor_close(c);
    int64_t count;
    assert_ok(ctx, feature_count(ctx, w->fs, &w->store, layer(w, 156), &q, &count));
    assert_int_equal(count, 4);
    q.order = &foreign;
    assert_int_equal(feature_query_open(ctx, w->fs, &w->store, layer(w, 156), &q, &c), RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
}

static void a_table_and_additions(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct value a[] = {T("one"), NUL}, b[] = {NUL, NUL}, wrong[] = {I(1), NUL};
    struct row rows[] = {{.oid = 5, .values = a}, {.values = b}};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 7), rows, 2));
    assert_int_equal(rows[1].oid, 6);
    assert_str(ids(w, layer(w, 7), &(struct feature_query){.limit = -1}), STR("5 6"));
    struct row twice[] = {{.values = a}, {.oid = 5, .values = a}};
    assert_int_equal(feature_add(ctx, w->fs, &w->store, layer(w, 7), twice, 2), RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
    assert_int_equal(twice[0].oid, 0);
    err_clear(ctx);
    struct row mistyped = {.values = wrong};
    assert_int_equal(feature_add(ctx, w->fs, &w->store, layer(w, 7), &mistyped, 1), RC_FAIL);
    err_clear(ctx);
    struct row shaped = {.values = a, .wkb = point(ctx, 1, 1)};
    assert_int_equal(feature_add(ctx, w->fs, &w->store, layer(w, 7), &shaped, 1), RC_FAIL);
    err_clear(ctx);
    assert_str(ids(w, layer(w, 7), &(struct feature_query){.limit = -1}), STR("5 6"));
    assert_str(ids(w, layer(w, 7), &(struct feature_query){.limit = -1, .has_box = true, .box = {0, 0, 1, 1}}), STR(""));
}

/* Additions after a packed load go into the same index; the index holds what the table holds. */
static void no_finding(void *arg, const char *line)
{
    (void)arg;
    fail_msg("%s", line);
}

static void index_of_many(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    const struct layer *l = layer(w, 156);
    static const int sizes[] = {0, 1, 51, 52, 51 * 51, 51 * 51 + 1, 20000};
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        struct feature_load *load;
        struct value none[FIELDS] = {NUL};
        int64_t count;
        uint64_t bad;
        assert_ok(ctx, feature_create(ctx, w->fs, &w->store, &w->def));
        assert_ok(ctx, feature_load_begin(ctx, w->fs, &w->store, l, &load));
        for (int i = 0; i < sizes[s]; i++) {
            struct arena_mark mark = arena_mark(ctx->arena);
            struct row row = {.oid = sizes[s] - i, .values = none, .wkb = point(ctx, i * 7919 % 1000, i * 104729 % 997)};
            assert_ok(ctx, feature_load_row(ctx, load, &row));
            arena_release(ctx->arena, mark);
        }
        assert_ok(ctx, feature_load_end(ctx, load, &count));
        feature_load_close(load);
        struct row more[200] = {{.oid = 0}};
        for (size_t i = 0; i < COUNT_OF(more); i++)
            more[i] = (struct row){.values = none, .wkb = point(ctx, (double)(i % 20) + 0.5, (double)i / 2)};
        assert_ok(ctx, feature_add(ctx, w->fs, &w->store, l, more, COUNT_OF(more)));
        assert_ok(ctx, feature_check(ctx, w->fs, &w->store, no_finding, NULL, &bad));
        assert_int_equal(bad, 0);
        struct feature_query q = {.limit = -1, .has_box = true, .box = {100, 100, 200.5, 300}};
        int64_t expected = 0;
        for (int i = 0; i < sizes[s]; i++) {
            int x = i * 7919 % 1000, y = i * 104729 % 997;
            expected += x >= 100 && x <= 200 && y >= 100 && y <= 300;
        }
        assert_ok(ctx, feature_count(ctx, w->fs, &w->store, l, &q, &count));
        assert_int_equal(count, expected);
    }
}

static void loads_are_all_or_nothing(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct feature_load *load;
    struct value none[FIELDS] = {NUL};
    struct row row = {.oid = 1, .values = none, .wkb = point(ctx, 1, 2)};
    assert_ok(ctx, feature_load_begin(ctx, w->fs, &w->store, layer(w, 156), &load));
    assert_ok(ctx, feature_load_row(ctx, load, &row));
    feature_load_close(load);
    assert_str(ids(w, layer(w, 156), &(struct feature_query){.limit = -1}), STR(""));
    assert_ok(ctx, feature_load_begin(ctx, w->fs, &w->store, layer(w, 156), &load));
    assert_ok(ctx, feature_load_row(ctx, load, &row));
    assert_int_equal(feature_load_row(ctx, load, &row), RC_FAIL); /* the id is taken */
    err_clear(ctx);
    feature_load_close(load);
    load_places(w);
    assert_int_equal(feature_load_begin(ctx, w->fs, &w->store, layer(w, 156), &load), RC_FAIL); /* not empty */
    assert_true(err_is(ctx, &ERR_INVALID));
}

static void values_that_do_not_fit(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    static const struct {
        size_t field;
        struct value value;
    } rows[] = {
        {1, I(5)},    {2, T("5")},          {2, I(2147483648)},      {3, I(40000)},
        {5, T("x")},  {7, T("2024-01-01")}, {7, I(253402300800000)}, {7, I(-62167219200001)},
        {11, T("x")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct value values[FIELDS] = {NUL};
        values[rows[i].field] = rows[i].value;
        struct row row = {.values = values};
        assert_int_equal(feature_add(ctx, w->fs, &w->store, layer(w, 156), &row, 1), RC_FAIL);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
    }
    struct value values[FIELDS] = {NUL};
    struct row broken = {.values = values, .wkb = str_sub(point(ctx, 1, 1), 0, 20)};
    assert_int_equal(feature_add(ctx, w->fs, &w->store, layer(w, 156), &broken, 1), RC_FAIL);
    err_clear(ctx);
    assert_str(ids(w, layer(w, 156), &(struct feature_query){.limit = -1}), STR(""));
}

/* A plain line goes into the layer with Z as a multi line with Z. */
static void geometry_takes_the_layers_form(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    CLEANUP(buf_free) struct buf line = BUF_INIT(1000);
    wkb_put_head(&line, &(struct wkb_form){.type = GEOMETRY_POLYLINE});
    wkb_put_count(&line, 2);
    wkb_put_coords(&line, (const double[]){1, 2, 3, 4}, 4);
    struct value oid = NUL;
    struct row row = {.values = &oid, .wkb = buf_str(&line)}, back;
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 8), &row, 1));
    struct feature_cursor *c;
    assert_ok(ctx,
              feature_query_open(ctx, w->fs, &w->store, layer(w, 8), &(struct feature_query){.limit = -1, .geometry = true}, &c));
    assert_ok(ctx, feature_next(ctx, c, &back));
    struct wkb_form form;
    uint64_t vertices;
    assert_ok(ctx, wkb_measure(ctx, back.wkb, &form, NULL, &vertices));
    assert_true(form.multi && form.has_z && !form.has_m && form.type == GEOMETRY_POLYLINE);
    assert_int_equal(vertices, 2);
    feature_cursor_close(c);
    row.wkb = point(ctx, 1, 1);
    assert_int_equal(feature_add(ctx, w->fs, &w->store, layer(w, 8), &row, 1), RC_FAIL);
}

enum { KILL_ROWS = 40000 };

/* In a child: loads a layer and is killed at the n-th write. */
static void load_and_die(struct world *w, int n)
{
    struct ctx *ctx = &w->ctx;
    struct feature_store *fs;
    struct feature_load *load;
    struct value none[FIELDS] = {NUL};
    int64_t count;
    setenv("MAPFERRY_FAULT", arena_printf(ctx->arena, "kill:%d", n).p, 1);
    if (feature_store_open(ctx, arena_printf(ctx->arena, "dir:%.*s/features", STR_FMT(w->dir)).p, &fs) != RC_OK)
        _exit(2);
    fault_init();
    if (feature_load_begin(ctx, fs, &w->store, layer(w, 156), &load) != RC_OK)
        _exit(3);
    for (int i = 1; i <= KILL_ROWS; i++) {
        struct arena_mark mark = arena_mark(ctx->arena);
        struct row row = {.oid = i, .values = none, .wkb = point(ctx, i % 100, (double)i / 100)};
        if (feature_load_row(ctx, load, &row) != RC_OK)
            _exit(4);
        arena_release(ctx->arena, mark);
    }
    if (feature_load_end(ctx, load, &count) != RC_OK)
        _exit(5);
    fault_arm(NULL);
    _exit(0);
}

/* Whether the child was killed; either way the data set opens, the layer is empty or whole, and an empty one can be loaded. */
static bool dies_well(struct world *w, int n)
{
    struct ctx *ctx = &w->ctx;
    assert_ok(ctx, feature_create(ctx, w->fs, &w->store, &w->def));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        load_and_die(w, n);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    bool killed = WIFSIGNALED(status);
    if (!killed)
        assert_int_equal(WEXITSTATUS(status), 0);
    int64_t count;
    uint64_t bad;
    assert_ok(ctx, feature_count(ctx, w->fs, &w->store, layer(w, 156), &(struct feature_query){.limit = -1}, &count));
    assert_true(count == 0 || count == KILL_ROWS);
    assert_true(killed || count == KILL_ROWS);
    assert_ok(ctx, feature_check(ctx, w->fs, &w->store, no_finding, NULL, &bad));
    if (count == 0)
        load_places(w);
    return killed;
}

/* At the first writes, here and there in the middle, and at each of the last, where the transaction becomes durable. */
static void killed_while_loading(void **state)
{
    struct world *w = *state;
    int low = 0, high = 1;
    for (; dies_well(w, high); high += 1 + high / 2)
        low = high;
    while (high - low > 1) { /* the last write lies between */
        int middle = low + (high - low) / 2;
        if (dies_well(w, middle))
            low = middle;
        else
            high = middle;
    }
    assert_true(low > 20); /* enough rows to be written before the end */
    for (int n = low - 1; n > low - 10; n--)
        assert_true(dies_well(w, n));
}

/* A write that fails is an error of that kind, and nothing of the load or addition is left. */
static void failing_writes(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    static const struct {
        const char *fault;
        const struct err_kind *kind;
    } kinds[] = {{"eio", &ERR_IO}, {"enospc", &ERR_NO_SPACE}};
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        bool failed = true;
        for (int n = 1; failed; n++) {
            assert_ok(ctx, feature_create(ctx, w->fs, &w->store, &w->def));
            struct value note[] = {T("x"), NUL};
            struct row rows[] = {{.values = note}, {.values = note}};
            struct feature_load *load = NULL;
            int64_t count = 0;
            uint64_t bad;
            fault_arm(arena_printf(ctx->arena, "%s:%d", kinds[k].fault, n).p);
            int rc = feature_load_begin(ctx, w->fs, &w->store, layer(w, 7), &load);
            rc = rc != RC_OK ? rc : feature_load_row(ctx, load, &rows[0]);
            rc = rc != RC_OK ? rc : feature_load_end(ctx, load, &count);
            feature_load_close(load);
            int added = rc != RC_OK ? rc : feature_add(ctx, w->fs, &w->store, layer(w, 7), rows, 2);
            fault_arm(NULL);
            failed = added != RC_OK;
            assert_true(!failed || err_is(ctx, kinds[k].kind));
            err_clear(ctx);
            int64_t expected = !failed ? 3 : rc == RC_OK ? 1 : 0;
            assert_ok(ctx, feature_count(ctx, w->fs, &w->store, layer(w, 7), &(struct feature_query){.limit = -1}, &count));
            assert_int_equal(count, expected);
            assert_ok(ctx, feature_check(ctx, w->fs, &w->store, no_finding, NULL, &bad));
            assert_true(n < 100);
        }
    }
}

static str run(struct ctx *ctx, str command)
{
    char *text = arena_alloc(ctx->arena, 20000);
    FILE *f = popen(command.p, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, 19999, f);
    pclose(f);
    return str_of(text, n);
}

static bool has(str text, const char *what) { return str_find(text, str_c(what), 0) != SIZE_MAX; }

static void packages_are_canonical(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    str first = arena_printf(ctx->arena, "%.*s/one.gpkg", STR_FMT(w->dir)),
        second = arena_printf(ctx->arena, "%.*s/two.gpkg", STR_FMT(w->dir));
    load_places(w);
    assert_ok(ctx, feature_write_package(ctx, w->fs, &w->store, &w->def, first.p));
    assert_int_equal(feature_write_package(ctx, w->fs, &w->store, &w->def, first.p), RC_FAIL); /* exists */
    err_clear(ctx);
    /* The same rows in a data set with another history: loaded anew from the cursor, one by one, in another order. */
    struct feature_cursor *c;
    struct row row;
    id other = id_new();
    const struct feature_order order = {.field = 5};
    struct feature_query q = {.limit = -1, .geometry = true, .order = &order, .order_count = 1};
    assert_ok(ctx, feature_create(ctx, w->fs, &other, &w->def));
    assert_ok(ctx, feature_query_open(ctx, w->fs, &w->store, layer(w, 156), &q, &c));
    while (feature_next(ctx, c, &row) == RC_OK)
        assert_ok(ctx, feature_add(ctx, w->fs, &other, layer(w, 156), &row, 1));
    feature_cursor_close(c);
    assert_ok(ctx, feature_write_package(ctx, w->fs, &other, &w->def, second.p));
    str a, b;
    assert_ok(ctx, file_read_all(ctx, first.p, 10 << 20, &a));
    assert_ok(ctx, file_read_all(ctx, second.p, 10 << 20, &b));
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
}

static void packages_are_read_by_gdal(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    if (access("/usr/bin/ogrinfo", X_OK) != 0)
        skip();
    str path = arena_printf(ctx->arena, "%.*s/one.gpkg", STR_FMT(w->dir));
    load_places(w);
    assert_ok(ctx, feature_write_package(ctx, w->fs, &w->store, &w->def, path.p));
    str all = run(ctx, arena_printf(ctx->arena, "ogrinfo -ro -al %s 2>&1", path.p));
    static const char *const EXPECTED[] = {
        "Layer name: l156_Pl__tze____mehr_",
        "IDENTIFIER=Pl\xc3\xa4tze & \"mehr\"",
        "Geometry: Point",
        "Geometry: 3D Multi Line String",
        "Geometry: Multi Polygon",
        "Layer name: l7_Notes",
        "ID[\"EPSG\",3857]",
        "Stra\303\237e: String (40.0)",
        "select: Integer(Int16)",
        "a\"b: Integer64",
        "ratio: Real(Float32)",
        "seen: DateTime",
        "day: Date (",
        "raw: Binary",
        "OGRFeature(l156_Pl__tze____mehr_):10",
        "a\"b (Integer64) = -9223372036854775808",
        "height (Real) = -1e+300",
        "seen (DateTime) = 2024/01/31 23:59:59.123+00",
        "seen (DateTime) = 9999/12/31 23:59:59.999+00",
        "seen (DateTime) = 0000/01/01 00:00:00+00",
        "day (Date) = 2024/02/29",
        "raw (Binary) = 000102",
        "POINT (-10 5.25)",
        "POINT EMPTY",
    };
    for (size_t i = 0; i < COUNT_OF(EXPECTED); i++)
        if (!has(all, EXPECTED[i]))
            fail_msg("ogrinfo does not say \"%s\":\n%.*s", EXPECTED[i], STR_FMT(all));
    assert_false(has(all, "Warning"));
    assert_false(has(all, "ERROR"));
}

/* A load beside a cursor goes through the log; the cursor keeps its snapshot. */
static void load_beside_a_reader(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct feature_cursor *c;
    struct value note[] = {T("x"), NUL};
    struct row row, rows[] = {{.values = note}, {.values = note}, {.values = note}};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 7), rows, 2));
    assert_ok(ctx, feature_query_open(ctx, w->fs, &w->store, layer(w, 7), &(struct feature_query){.limit = -1}, &c));
    assert_ok(ctx, feature_next(ctx, c, &row));
    load_places(w);
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 7), rows + 2, 1));
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_int_equal(feature_next(ctx, c, &row), RC_END);
    feature_cursor_close(c);
    assert_str(ids(w, layer(w, 156), &(struct feature_query){.limit = -1}), STR("1 3 5 10 70"));
    assert_str(ids(w, layer(w, 7), &(struct feature_query){.limit = -1}), STR("1 2 3"));
}

enum { BATCH = 10, BATCHES = 30 };

/* Sees whole batches only, and never fewer than before. */
static void *read_batches(void *arg)
{
    struct world *w = arg;
    struct ctx ctx;
    int64_t seen = 0;
    ctx_open(&ctx);
    while (seen >= 0 && seen < BATCH * BATCHES) {
        int64_t count = 0;
        int rc = feature_count(&ctx, w->fs, &w->store, layer(w, 7), &(struct feature_query){.limit = -1}, &count);
        seen = rc != RC_OK || count < seen || count % BATCH != 0 ? -1 : count;
    }
    ctx_close(&ctx);
    return seen < 0 ? arg : NULL;
}

static void *add_batches(void *arg)
{
    struct world *w = arg;
    struct ctx ctx;
    int rc = RC_OK;
    ctx_open(&ctx);
    for (int i = 0; i < BATCHES / 2 && rc == RC_OK; i++) {
        struct value note[] = {T("x"), NUL};
        struct row rows[BATCH];
        for (size_t k = 0; k < BATCH; k++)
            rows[k] = (struct row){.values = note};
        rc = feature_add(&ctx, w->fs, &w->store, layer(w, 7), rows, BATCH);
    }
    ctx_close(&ctx);
    return rc != RC_OK ? arg : NULL;
}

static void readers_beside_writers(void **state)
{
    struct world *w = *state;
    void *(*const run_all[])(void *) = {add_batches, read_batches, read_batches, add_batches, read_batches};
    pthread_t threads[COUNT_OF(run_all)];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_all[i], w), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *bad = w;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

static void cancelled_queries(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    atomic_bool cancel = true;
    struct value note[] = {T("x"), NUL};
    struct row rows[400];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = (struct row){.values = note};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 7), rows, COUNT_OF(rows)));
    struct where *tree;
    CLEANUP(buf_free) struct buf long_clause = BUF_INIT(60000);
    for (int i = 0; i < 300; i++)
        buf_printf(&long_clause, "%snote LIKE '%%%d%%y%%'", i ? " OR " : "", i);
    assert_ok(ctx, where_parse(ctx, buf_str(&long_clause), layer(w, 7), &tree));
    int64_t count;
    ctx->cancel = &cancel;
    assert_int_equal(
        feature_count(ctx, w->fs, &w->store, layer(w, 7), &(struct feature_query){.limit = -1, .where = tree}, &count),
        RC_CANCELED);
    ctx->cancel = NULL;
    err_clear(ctx);
    assert_ok(ctx,
              feature_count(ctx, w->fs, &w->store, layer(w, 7), &(struct feature_query){.limit = -1, .where = tree}, &count));
    assert_int_equal(count, 0);
}

/* Long clauses are as good as short ones; those nested deeper than SQLite takes are refused like any wrong clause. */
static void large_clauses(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    static const struct {
        const char *before, *middle, *after;
        int times, rc, count;
    } rows[] = {
        {"id = 0 OR ", "id = 1", "", 100, RC_OK, 1},
        {"id = 0 OR ", "id = 1", "", 3000, RC_OK, 1},
        {"id <> 0 AND ", "id = 2", "", 2900, RC_OK, 0},
        {"id <> 0 AND (", "id = 1", ")", 15, RC_OK, 1},
        {"NOT (id = 0 OR ", "id = 1 AND id = 2", ")", 16, RC_OK, 0},
        {"1 + ", "id = 91", "", 90, RC_OK, 1},
        {"ROUND(1, ", "id) = 1", "", 1, RC_OK, 1},
        {"id <> 0 AND (", "id = 1", ")", 45, RC_FAIL, 0},
    };
    struct value note[] = {T("x"), NUL};
    struct row row = {.values = note};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 7), &row, 1));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(65536);
        struct feature_query q = {.limit = -1};
        struct where *tree;
        int64_t count = 0;
        for (int n = 0; n < rows[i].times; n++)
            buf_add(&b, str_c(rows[i].before));
        buf_add(&b, str_c(rows[i].middle));
        for (int n = 0; n < rows[i].times; n++)
            buf_add(&b, str_c(rows[i].after));
        assert_ok(ctx, where_parse(ctx, buf_str(&b), layer(w, 7), &tree));
        q.where = tree;
        assert_rc(ctx, feature_count(ctx, w->fs, &w->store, layer(w, 7), &q, &count), rows[i].rc);
        assert_true(rows[i].rc == RC_OK || err_is(ctx, &ERR_INVALID));
        assert_int_equal(count, rows[i].count);
        err_clear(ctx);
    }
}

static int count_store(struct ctx *ctx, const id *store, void *arg)
{
    (void)ctx;
    (void)store;
    ++*(int *)arg;
    return RC_OK;
}

static void data_sets_come_and_go(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    id other = id_new();
    bool there;
    int count = 0;
    struct feature_cursor *c;
    struct feature_query q = {.limit = -1};
    assert_int_equal(feature_query_open(ctx, w->fs, &other, layer(w, 7), &q, &c), RC_NOT_FOUND);
    err_clear(ctx);
    assert_ok(ctx, feature_drop(ctx, w->fs, &other));
    assert_ok(ctx, feature_exists(ctx, w->fs, &other, &there));
    assert_false(there);
    assert_ok(ctx, feature_create(ctx, w->fs, &other, &w->def));
    assert_ok(ctx, feature_stores_each(ctx, w->fs, count_store, &count));
    assert_int_equal(count, 2);
    assert_ok(ctx, feature_query_open(ctx, w->fs, &other, layer(w, 7), &q, &c));
    assert_ok(ctx, feature_drop(ctx, w->fs, &other));
    struct feature_cursor *d;
    assert_int_equal(feature_query_open(ctx, w->fs, &other, layer(w, 7), &q, &d), RC_NOT_FOUND);
    err_clear(ctx);
    assert_int_equal(feature_create(ctx, w->fs, &other, &w->def), RC_BUSY); /* its old file is still being read */
    err_clear(ctx);
    feature_cursor_close(c);
    assert_ok(ctx, feature_create(ctx, w->fs, &other, &w->def));
    for (int i = 0; i < 80; i++) { /* more than are kept open */
        id many = id_new();
        int64_t n;
        assert_ok(ctx, feature_create(ctx, w->fs, &many, &w->def));
        assert_ok(ctx, feature_count(ctx, w->fs, &many, layer(w, 7), &q, &n));
        assert_int_equal(n, 0);
    }
    int64_t n;
    assert_ok(ctx, feature_count(ctx, w->fs, &w->store, layer(w, 7), &q, &n));
}

static void layers_are_added(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct service more;
    static const char TEXT[] =
        "{\"layers\":[{\"id\":20,\"name\":\"new\",\"geometryType\":\"esriGeometryPoint\",\"fields\":["
        "{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"}]}],\"tables\":[{\"id\":7,\"name\":\"renamed\",\"fields\":["
        "{\"name\":\"note\",\"type\":\"esriFieldTypeString\"},{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"}]}]}";
    struct value note[] = {T("kept"), NUL}, oid = NUL;
    struct row row = {.values = note}, placed = {.values = &oid, .wkb = point(ctx, 3, 4)};
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, layer(w, 7), &row, 1));
    assert_ok(ctx, service_parse(ctx, str_c(TEXT), &more));
    assert_ok(ctx, feature_extend(ctx, w->fs, &w->store, &w->def, &more));
    assert_str(ids(w, service_layer(&more, 7), &(struct feature_query){.limit = -1}), STR("1"));
    assert_ok(ctx, feature_add(ctx, w->fs, &w->store, service_layer(&more, 20), &placed, 1));
    assert_str(ids(w, service_layer(&more, 20), &(struct feature_query){.limit = -1, .has_box = true, .box = {3, 4, 3, 4}}),
               STR("1"));
}

static void count_finding(void *arg, const char *line)
{
    assert_true(str_starts(str_c(line), STR("features ")));
    ++*(int *)arg;
}

static void damage_is_found(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    load_places(w);
    str path = arena_printf(ctx->arena, "%.*s/features/%s.gpkg", STR_FMT(w->dir), w->store.text), bytes;
    feature_store_close(w->fs);
    assert_ok(ctx, file_read_all(ctx, path.p, 10 << 20, &bytes));
    size_t at = str_find(bytes, STR("{00000000-0000-0000-0000-00000000000A}"), 0);
    assert_int_not_equal(at, SIZE_MAX);
    FILE *f = fopen(path.p, "r+b");
    fseek(f, (long)(at / 4096 * 4096), SEEK_SET);
    fwrite("\xff\xff\xff\xff\xff\xff\xff\xff", 1, 8, f);
    fclose(f);
    assert_ok(ctx, feature_store_open(ctx, arena_printf(ctx->arena, "dir:%.*s/features", STR_FMT(w->dir)).p, &w->fs));
    uint64_t bad = 0;
    int lines = 0;
    assert_ok(ctx, feature_check(ctx, w->fs, &w->store, count_finding, &lines, &bad));
    assert_true(bad > 0);
    assert_int_equal(lines, bad);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(where_finds),
        TEST(orders_and_pages),
        TEST(pages_of_gaps),
        TEST(boxes_are_exact),
        TEST(values_come_back),
        TEST(distinct_values),
        TEST(a_table_and_additions),
        TEST(index_of_many),
        TEST(loads_are_all_or_nothing),
        TEST(values_that_do_not_fit),
        TEST(geometry_takes_the_layers_form),
        TEST(killed_while_loading),
        TEST(failing_writes),
        TEST(packages_are_canonical),
        TEST(packages_are_read_by_gdal),
        TEST(load_beside_a_reader),
        TEST(readers_beside_writers),
        TEST(cancelled_queries),
        TEST(large_clauses),
        TEST(data_sets_come_and_go),
        TEST(layers_are_added),
        TEST(damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
