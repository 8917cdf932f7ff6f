/* Layers of a package come back exactly as they were written: every type, at its ends. */
#include "base/clock.h"
#include "base/id.h"
#include "convert_fixture.h"
#include "model/geometry/wkb.h"
#include "store/feature.h"
#include <float.h>

static const char *const DEFINITION =
    "{\"layers\":[{\"id\":12,\"name\":\"Größe, "
    "alles\",\"geometryType\":\"esriGeometryPoint\",\"spatialReference\":{\"wkid\":4326},\"fields\":["
    "{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"geom\",\"type\":\"esriFieldTypeString\",\"length\":20},"
    "{\"name\":\"GlobalID\",\"type\":\"esriFieldTypeGlobalID\"},{\"name\":\"guid\",\"type\":\"esriFieldTypeGUID\"},"
    "{\"name\":\"int\",\"type\":\"esriFieldTypeInteger\"},{\"name\":\"small\",\"type\":\"esriFieldTypeSmallInteger\"},"
    "{\"name\":\"big\",\"type\":\"esriFieldTypeBigInteger\"},{\"name\":\"double\",\"type\":\"esriFieldTypeDouble\"},"
    "{\"name\":\"single\",\"type\":\"esriFieldTypeSingle\"},{\"name\":\"date\",\"type\":\"esriFieldTypeDate\",\"length\":8},"
    "{\"name\":\"day\",\"type\":\"esriFieldTypeDateOnly\",\"length\":8},{\"name\":\"time\",\"type\":\"esriFieldTypeTimeOnly\"},"
    "{\"name\":\"offset\",\"type\":\"esriFieldTypeTimestampOffset\"},{\"name\":\"blob\",\"type\":\"esriFieldTypeBlob\"},"
    "{\"name\":\"xml\",\"type\":\"esriFieldTypeXML\"},{\"name\":\"имя \\\"x\\\"\",\"type\":\"esriFieldTypeString\"}]},"
    "{\"id\":1,\"name\":\"lines\",\"geometryType\":\"esriGeometryPolyline\",\"hasZ\":true,\"hasM\":true,\"spatialReference\":{"
    "\"wkid\":102100},"
    "\"fields\":[{\"name\":\"OBJECTID\",\"type\":\"esriFieldTypeOID\"}]},"
    "{\"id\":2,\"name\":\"areas\",\"geometryType\":\"esriGeometryPolygon\",\"fields\":[{\"name\":\"OBJECTID\",\"type\":"
    "\"esriFieldTypeOID\"}]},"
    "{\"id\":3,\"name\":\"lines_2\",\"geometryType\":\"esriGeometryMultipoint\",\"fields\":[{\"name\":\"OBJECTID\",\"type\":"
    "\"esriFieldTypeOID\"}]}],"
    "\"tables\":[{\"id\":120,\"name\":\"notes\",\"fields\":[{\"name\":\"note\",\"type\":\"esriFieldTypeString\",\"length\":5},"
    "{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"}]}]}";

struct world {
    struct fixture *f;
    struct feature_store *fs;
    struct service def;
    id store;
    str package;
};

static int world_open(void **state)
{
    struct world *w = mem_new(struct world);
    void *fixture;
    fixture_open(&fixture);
    w->f = fixture;
    struct ctx *ctx = &w->f->ctx;
    assert_int_equal(service_parse(ctx, str_c(DEFINITION), &w->def), RC_OK);
    assert_int_equal(feature_store_open(ctx, arena_printf(ctx->arena, "dir:%s/features", w->f->dir.p).p, &w->fs), RC_OK);
    w->store = id_new();
    assert_int_equal(feature_create(ctx, w->fs, &w->store, &w->def), RC_OK);
    w->package = arena_printf(ctx->arena, "%s/package.gpkg", w->f->dir.p);
    *state = w;
    return 0;
}

static int world_close(void **state)
{
    struct world *w = *state;
    void *fixture = w->f;
    feature_store_close(w->fs);
    mem_free(w);
    return fixture_close(&fixture);
}

static void load(struct world *w, int32_t layer_id, const struct row *rows, size_t count)
{
    struct ctx *ctx = &w->f->ctx;
    struct feature_load *load;
    int64_t loaded;
    assert_int_equal(feature_load_begin(ctx, w->fs, &w->store, service_layer(&w->def, layer_id), &load), RC_OK);
    for (size_t i = 0; i < count; i++)
        if (feature_load_row(ctx, load, &rows[i]) != RC_OK)
            fail_msg("%s", err_text(ctx));
    assert_int_equal(feature_load_end(ctx, load, &loaded), RC_OK);
    assert_int_equal(loaded, count);
    feature_load_close(load);
}

static void assert_same_value(const struct value *a, const struct value *b, str field)
{
    if (a->kind != b->kind)
        fail_msg("field %.*s: kind %d became %d", STR_FMT(field), a->kind, b->kind);
    if (a->kind == VALUE_INT && a->i != b->i)
        fail_msg("field %.*s: %lld became %lld", STR_FMT(field), (long long)a->i, (long long)b->i);
    if (a->kind == VALUE_DOUBLE && memcmp(&a->d, &b->d, sizeof a->d) != 0)
        fail_msg("field %.*s: %.17g became %.17g", STR_FMT(field), a->d, b->d);
    if ((a->kind == VALUE_TEXT || a->kind == VALUE_BLOB) && !str_eq(a->s, b->s))
        fail_msg("field %.*s: \"%.*s\" became \"%.*s\"", STR_FMT(field), STR_FMT(a->s), STR_FMT(b->s));
}

/* What the store says, row by row, is what the package says. */
static void assert_same_layer(struct world *w, struct convert *c, const struct layer *l, int64_t expected)
{
    struct ctx *ctx = &w->f->ctx;
    struct feature_query q = {.limit = -1, .geometry = true};
    struct feature_cursor *cursor;
    struct row_source *rows;
    struct row ours, theirs;
    int64_t n = 0;
    assert_int_equal(feature_query_open(ctx, w->fs, &w->store, l, &q, &cursor), RC_OK);
    assert_int_equal(convert_rows(ctx, c, l, &rows), RC_OK);
    for (; feature_next(ctx, cursor, &ours) == RC_OK; n++) {
        if (rows->next(ctx, rows, &theirs) != RC_OK)
            fail_msg("layer %.*s, row %lld: %s", STR_FMT(l->name), (long long)n, err_text(ctx));
        assert_int_equal(ours.oid, theirs.oid);
        assert_int_equal(str_none(ours.wkb), str_none(theirs.wkb));
        if (!str_eq(ours.wkb, theirs.wkb))
            fail_msg("layer %.*s, row %lld: the geometry changed", STR_FMT(l->name), (long long)n);
        for (size_t i = 0; i < l->field_count; i++)
            assert_same_value(&ours.values[i], &theirs.values[i], l->fields[i].name);
    }
    assert_int_equal(rows->next(ctx, rows, &theirs), RC_END);
    assert_int_equal(rows->next(ctx, rows, &theirs), RC_END);
    assert_int_equal(n, expected);
    rows->close(rows);
    feature_cursor_close(cursor);
}

static void assert_same(struct world *w, const int64_t expected[5])
{
    assert_int_equal(feature_write_package(&w->f->ctx, w->fs, &w->store, &w->def, w->package.p), RC_OK);
    struct convert *c = fixture_convert(w->f, CONVERT_PACKAGE_LAYERS, w->package.p);
    for (size_t i = 0; i < w->def.layer_count; i++)
        assert_same_layer(w, c, &w->def.layers[i], expected[i]);
    convert_close(c);
}

#define NONE                                                                                                                     \
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
#define B(v)                                                                                                                     \
    {                                                                                                                            \
        .kind = VALUE_BLOB, .s = STR(v)                                                                                          \
    }
#define POINT_WKB(x) STR("\1\1\0\0\0" x)
enum { FIELDS = 16 };

static int64_t ms(const char *iso)
{
    int64_t v;
    assert_true(clock_iso_parse(str_c(iso), &v));
    return v;
}

static void every_type_at_its_ends(void **state)
{
    struct world *w = *state;
    struct value low[FIELDS] = {NONE,
                                T(""),
                                T("{00000000-0000-0000-0000-000000000000}"),
                                T("{FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF}"),
                                I(INT32_MIN),
                                I(INT16_MIN),
                                I(INT64_MIN),
                                D(-DBL_MAX),
                                D(0.1),
                                I(ms("0000-01-01T00:00:00Z")),
                                T("0001-01-01"),
                                T("00:00:00"),
                                T("0001-01-01T00:00:00.000+14:00"),
                                B(""),
                                T(""),
                                T("")};
    struct value high[FIELDS] = {NONE,
                                 T("12345678901234567890"),
                                 T("{12345678-90AB-4CDE-8F01-234567890ABC}"),
                                 NONE,
                                 I(INT32_MAX),
                                 I(INT16_MAX),
                                 I(INT64_MAX),
                                 D(DBL_MAX),
                                 D(FLT_MAX),
                                 I(ms("9999-12-31T23:59:59.999Z")),
                                 T("9999-12-31"),
                                 T("23:59:59"),
                                 T("2024-02-29T23:59:59.123456-11:30"),
                                 B("\0\1\377"),
                                 T("<a b='c'>&amp;</a>"),
                                 T("\xf0\x9f\x97\xba 'quoted' \"x\"\r\n\ttab \xe2\x80\xae")};
    struct value odd[FIELDS] = {NONE,
                                T(" "),
                                T("{12345678-90AB-4CDE-8F01-234567890ABD}"),
                                NONE,
                                I(0),
                                I(-1),
                                I(9007199254740993),
                                D(5e-324),
                                D(-0.0),
                                I(ms("1969-12-31T23:59:59.999Z")),
                                T("1900-02-28"),
                                T("12:00:00.5"),
                                T("x"),
                                NONE,
                                NONE,
                                T("12:00:00.5")};
    struct value none[FIELDS] = {NONE, NONE, T("{12345678-90AB-4CDE-8F01-234567890ABE}")};
    const struct row rows[] = {
        {.oid = 5, .values = low, .wkb = POINT_WKB("\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40")},
        {.oid = 1, .values = high, .wkb = POINT_WKB("\0\0\0\0\0\0\xf8\x7f\0\0\0\0\0\0\xf8\x7f")}, /* empty */
        {.oid = INT64_MAX - 1, .values = odd, .wkb = POINT_WKB("\x9a\x99\x99\x99\x99\x99\xb9\x3f\0\0\0\0\0\0\0\x80")},
        {.oid = 70000, .values = none, .wkb = STR_NONE},
    };
    load(w, 12, rows, COUNT_OF(rows));
    assert_same(w, (const int64_t[]){0, 0, 0, 4, 0});
}

static void every_millisecond_survives(void **state)
{
    struct world *w = *state;
    struct value values[1000][FIELDS] = {0};
    struct row rows[1000];
    char guids[1000][GUID_SIZE + 1];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        guid_new(guids[i]);
        values[i][2] = (struct value){.kind = VALUE_TEXT, .s = str_of(guids[i], GUID_SIZE)};
        values[i][9] = (struct value)I(ms("2024-12-31T23:59:59Z") + (int64_t)i);
        values[i][7] = (struct value)D((double)i / 7);
        rows[i] = (struct row){.oid = (int64_t)i + 1, .values = values[i], .wkb = STR_NONE};
    }
    load(w, 12, rows, COUNT_OF(rows));
    assert_same(w, (const int64_t[]){0, 0, 0, 1000, 0});
}

/* Geometry as the store keeps it, built from coordinates. */
static str shape(struct fixture *f, const struct wkb_form *form, const double *coords, uint32_t vertices, uint32_t parts)
{
    struct buf b = BUF_INIT(1 << 20);
    struct wkb_form part = *form;
    part.multi = false;
    if (part.type == GEOMETRY_MULTIPOINT)
        part.type = GEOMETRY_POINT;
    wkb_put_head(&b, form);
    wkb_put_count(&b, parts);
    for (uint32_t i = 0; i < parts; i++) {
        wkb_put_head(&b, &part);
        if (part.type == GEOMETRY_POLYGON)
            wkb_put_count(&b, 1);
        if (part.type != GEOMETRY_POINT)
            wkb_put_count(&b, vertices);
        wkb_put_coords(&b, coords, (size_t)vertices * wkb_dims(form));
    }
    str s = arena_str(f->ctx.arena, buf_str(&b));
    buf_free(&b);
    return s;
}

static void geometries_and_tables(void **state)
{
    struct world *w = *state;
    struct value none[1] = {NONE}, note[2] = {T("äöüßж"), NONE}, empty[2] = {T(""), NONE}, null[2] = {NONE, NONE};
    static const double coords[] = {0, 0, 1, -5, 1e-9, 7, 2.5, NAN, 1e9, -1e9, -0.0, 8, 3, 3, 3, 3,
                                    0, 0, 1, -5, 4,    4, 4,   4,   5,   5,    5,    5, 6, 6, 6, 6};
    const struct wkb_form lines = {.type = GEOMETRY_POLYLINE, .multi = true, .has_z = true, .has_m = true},
                          areas = {.type = GEOMETRY_POLYGON, .multi = true},
                          points = {.type = GEOMETRY_MULTIPOINT, .multi = true};
    static const double ring[] = {0, 0, 0, 10, 10, 10, 10, 0, 0, 0};
    const struct row line_rows[] = {{.oid = 1, .values = none, .wkb = shape(w->f, &lines, coords, 4, 2)},
                                    {.oid = 2, .values = none, .wkb = shape(w->f, &lines, coords, 0, 0)}},
                     area_rows[] = {{.oid = 1, .values = none, .wkb = shape(w->f, &areas, ring, 5, 3)}},
                     point_rows[] = {{.oid = 3, .values = none, .wkb = shape(w->f, &points, coords + 4, 1, 2)}},
                     notes[] = {{.oid = 1, .values = note, .wkb = STR_NONE},
                                {.oid = 2, .values = empty, .wkb = STR_NONE},
                                {.oid = 3, .values = null, .wkb = STR_NONE}};
    load(w, 1, line_rows, COUNT_OF(line_rows));
    load(w, 2, area_rows, COUNT_OF(area_rows));
    load(w, 3, point_rows, COUNT_OF(point_rows));
    load(w, 120, notes, COUNT_OF(notes));
    assert_same(w, (const int64_t[]){2, 1, 1, 0, 3});
}

static void a_package_without_the_table_is_refused(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->f->ctx;
    struct layer other = *service_layer(&w->def, 1);
    struct field fields[2] = {other.fields[0], {.name = STR("missing"), .type = FIELD_STRING, .nullable = true}};
    struct row_source *rows;
    struct row row;
    assert_int_equal(feature_write_package(ctx, w->fs, &w->store, &w->def, w->package.p), RC_OK);
    struct convert *c = fixture_convert(w->f, CONVERT_PACKAGE_LAYERS, w->package.p);
    other.id = 99;
    assert_int_equal(convert_rows(ctx, c, &other, &rows), RC_OK);
    assert_int_equal(rows->next(ctx, rows, &row), RC_FAIL);
    assert_string_equal(err_text(ctx), "the file could not be read: it has no table for layer 99");
    err_clear(ctx);
    rows->close(rows);
    other.id = 1;
    other.fields = fields;
    other.field_count = 2;
    assert_int_equal(convert_rows(ctx, c, &other, &rows), RC_OK);
    assert_int_equal(rows->next(ctx, rows, &row), RC_FAIL);
    assert_has(str_c(err_text(ctx)), "has no column missing");
    rows->close(rows);
    convert_close(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(every_type_at_its_ends),
        TEST(every_millisecond_survives),
        TEST(geometries_and_tables),
        TEST(a_package_without_the_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
