/* Files made to harm: each is refused with a sentence, or read as what it is, and the reader's end is never ours. */
#include "base/clock.h"
#include "convert_fixture.h"
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* No child is left, running or dead. */
static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static int close_all(void **state)
{
    assert_no_child();
    return fixture_close(state);
}

/* A GeoPackage of the samples after some SQL. */
static const char *changed_gpkg(struct fixture *f, const char *sql)
{
    str whole;
    char *message = NULL;
    sqlite3 *db;
    assert_int_equal(file_read_all(&f->ctx, sample(f, "cities.gpkg"), 1 << 20, &whole), RC_OK);
    const char *path = fixture_file(f, "changed", whole);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    sqlite3_close(db);
    return path;
}

#define ADD_VIEW(name, query)                                                                                                    \
    "CREATE VIEW " name " AS " query "; INSERT INTO gpkg_contents(table_name,data_type,identifier,srs_id) "                      \
    "VALUES('" name "','attributes','" name "',0);"
#define ENDLESS                                                                                                                  \
    ADD_VIEW("evil", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS fid, 'x' AS t FROM n WHERE i<0")

/* ---- files that are something else ---- */
static void other_formats_are_refused(void **state)
{
    struct fixture *f = *state;
    static const str VRT = STR(
        "<OGRVRTDataSource><OGRVRTLayer name=\"x\"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>");
    const char *vrt = fixture_file(f, "x", VRT), *nothing = fixture_file(f, "empty", STR("")),
               *text = fixture_file(f, "text", STR("just words"));
    assert_refused(f, CONVERT_GEOJSON, vrt, "it is no GeoJSON file");
    assert_refused(f, CONVERT_GEOPACKAGE, vrt, "it is no GPKG file");
    assert_refused(f, CONVERT_SHAPEFILE_ZIP, vrt, "it is no zip file");
    for (int format = CONVERT_GEOPACKAGE; format <= CONVERT_SHAPEFILE_ZIP; format++) {
        assert_refused(f, (enum convert_format)format, nothing, "it is no");
        assert_refused(f, (enum convert_format)format, text, "it is no");
        assert_refused(f, (enum convert_format)format, f->dir.p, "it is no");
    }
    assert_refused(f, CONVERT_PACKAGE_LAYERS, text, "it is no GPKG file");
    assert_refused(f, CONVERT_GEOJSON, sample(f, "cities.gpkg"), "it is no GeoJSON file");
    assert_refused(f, CONVERT_GEOPACKAGE, sample(f, "rivers.zip"), "it is no GPKG file");
    assert_refused(f, CONVERT_SHAPEFILE_ZIP, sample(f, "cities.gpkg"), "it is no zip file");
    assert_refused(f, CONVERT_SHAPEFILE_ZIP, sample(f, "about-the-samples.docx"), "with a Shapefile");
}

/* A file cut anywhere is refused, or gives rows up to an error, or (cut behind its last row) all of them: never more. */
static void cut_files_never_give_too_much(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        enum convert_format format;
    } FILES[] = {{"cities.gpkg", CONVERT_GEOPACKAGE}, {"rivers.zip", CONVERT_SHAPEFILE_ZIP}};
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        str whole;
        assert_int_equal(file_read_all(&f->ctx, sample(f, FILES[i].name), 4 << 20, &whole), RC_OK);
        for (size_t part = 1; part < 8; part++) {
            struct convert *c = NULL;
            str text, messages;
            struct convert_options o = f->options;
            o.format = FILES[i].format;
            o.path = fixture_file(f, "cut", str_sub(whole, 0, whole.n * part / 8));
            int rc = convert_open(&f->ctx, &o, &c);
            rc = rc != RC_OK ? rc : convert_definition(&f->ctx, c, &text, &messages);
            assert_true(rc != RC_OK && err_is(&f->ctx, &ERR_INVALID));
            assert_true(str_starts(str_c(err_text(&f->ctx)), STR("the file could not be read: ")));
            err_clear(&f->ctx);
            convert_close(c);
        }
    }
    assert_refused(
        f, CONVERT_GEOJSON,
        fixture_file(f, "cut",
                     STR("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"a\":1")),
        "GeoJSON");
}

/* Bytes changed at random (a fixed sequence): any answer, but an answer. */
static void damaged_files_end_in_an_answer(void **state)
{
    struct fixture *f = *state;
    str whole;
    uint32_t seed = 1;
    assert_int_equal(file_read_all(&f->ctx, sample(f, "cities.gpkg"), 1 << 20, &whole), RC_OK);
    for (int round = 0; round < 12; round++) {
        char *bytes = arena_cstr(f->ctx.arena, whole);
        for (int i = 0; i < 400; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[100 + (seed >> 8) % (whole.n - 100)] = (char)(seed >> 3);
        }
        struct convert *c = NULL;
        str text, messages;
        struct convert_options o = f->options;
        o.format = CONVERT_GEOPACKAGE;
        o.cpu_seconds_max = 5;
        o.path = fixture_file(f, "damaged", str_of(bytes, whole.n));
        int rc = convert_open(&f->ctx, &o, &c);
        rc = rc != RC_OK ? rc : convert_definition(&f->ctx, c, &text, &messages);
        assert_true(rc == RC_OK || err_is(&f->ctx, &ERR_INVALID));
        err_clear(&f->ctx);
        convert_close(c);
    }
}

/* ---- limits ---- */
static void endless_work_ends(void **state)
{
    struct fixture *f = *state;
    f->options.cpu_seconds_max = 1;
    assert_refused(f, CONVERT_GEOPACKAGE, changed_gpkg(f, ENDLESS), "it took more than 1 seconds of processor time");
}

/* A child that works and works is left alone when the caller is cancelled. */
static int64_t third_time(const struct clock *clock)
{
    static int64_t calls;
    (void)clock;
    return ++calls > 3 ? 1000 : 1;
}

static void cancelling_ends_the_child(void **state)
{
    struct fixture *f = *state;
    static const struct clock quick = {.now_ms = third_time, .monotonic_ms = third_time};
    str text, messages;
    struct convert *c = fixture_convert(f, CONVERT_GEOPACKAGE, changed_gpkg(f, ENDLESS));
    f->ctx.clock = &quick;
    f->ctx.deadline_ms = 500;
    assert_int_equal(convert_definition(&f->ctx, c, &text, &messages), RC_CANCELED);
    f->ctx.deadline_ms = 0;
    f->ctx.clock = &clock_system;
    convert_close(c);
}

static void memory_is_limited(void **state)
{
    if (SANITIZED)
        skip();
    struct fixture *f = *state;
    struct buf b = BUF_INIT(64 << 20);
    buf_add(&b, STR("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{},\"geometry\":{"
                    "\"type\":\"LineString\",\"coordinates\":[[0,0]"));
    for (int i = 0; i < 300000; i++)
        buf_add(&b, STR(",[1.5,2.5]"));
    buf_add(&b, STR("]}}]}"));
    const char *path = fixture_file(f, "large", buf_str(&b));
    buf_free(&b);
    f->options.memory_max = 64 << 20;
    assert_refused(f, CONVERT_GEOJSON, path, "the file could not be read: ");
    f->options.memory_max = 0;
    str text = fixture_dump(f, CONVERT_GEOJSON, path);
    assert_has(text, "1:; 2/4800025\n");
}

static void nesting_is_no_way_out(void **state)
{
    struct fixture *f = *state;
    struct buf b = BUF_INIT(4 << 20);
    buf_add(&b,
            STR("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":null,\"properties\":{\"a\":"));
    for (int i = 0; i < 200000; i++)
        buf_add(&b, STR("["));
    assert_refused(f, CONVERT_GEOJSON, fixture_file(f, "deep", buf_str(&b)), "the file could not be read: ");
    buf_free(&b);
}

/* ---- archives ---- */
static void bombs_are_refused(void **state)
{
    struct fixture *f = *state;
    str zeros = str_of(arena_alloc(f->ctx.arena, 80 << 20), 80 << 20);
    const struct zip_file files[] = {{"bomb.shp", zeros, true}, {"bomb.shx", STR("x"), false}};
    assert_refused(f, CONVERT_SHAPEFILE_ZIP, fixture_file(f, "x", fixture_zip(f, files, COUNT_OF(files))),
                   "unpack to 83886081 bytes");
}

/* Names that lead out of the archive lead nowhere: a Shapefile that lies there is not read. */
static void names_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    static const char *const NAMES[] = {"../secret.shp", "/secret.shp", "../../../../../../../../etc/secret.shp",
                                        "x/../../secret.shp"};
    fixture_file(f, "secret.shp", STR("not for you"));
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const struct zip_file files[] = {{NAMES[i], STR("no shape"), false}};
        assert_refused(f, CONVERT_SHAPEFILE_ZIP, fixture_file(f, "x", fixture_zip(f, files, 1)), "it is no");
    }
}

/* ---- databases ---- */
static void functions_with_effects_are_not_called(void **state)
{
    struct fixture *f = *state;
    const char *path = changed_gpkg(f, ADD_VIEW("evil", "SELECT 1 AS fid, load_extension('/tmp/evil.so') AS t"));
    assert_refused(f, CONVERT_GEOPACKAGE, path, "the file could not be read: ");
    path = changed_gpkg(f, ADD_VIEW("evil", "SELECT 1 AS fid, CAST(readfile('/etc/passwd') AS TEXT) AS t"));
    assert_refused(f, CONVERT_GEOPACKAGE, path, "the file could not be read: ");
}

static void harmless_views_and_triggers_are(void **state)
{
    struct fixture *f = *state;
    str text = fixture_dump(f, CONVERT_GEOPACKAGE,
                            changed_gpkg(f, "CREATE TRIGGER t AFTER INSERT ON cities BEGIN DELETE FROM cities; END;" ADD_VIEW(
                                                "few", "SELECT fid, name, pop_max FROM cities WHERE fid<3")));
    assert_has(text, "243: ");
    assert_has(text, "1 few table 0 0: OBJECTID=OID");
}

static void contents_that_lie(void **state)
{
    struct fixture *f = *state;
    const char *path = changed_gpkg(f, "DELETE FROM gpkg_contents; DELETE FROM gpkg_geometry_columns");
    assert_refused(f, CONVERT_GEOPACKAGE, path, "it is no GPKG file");
    path = changed_gpkg(f, "UPDATE cities SET geom=x'47500001e6100000ff' WHERE fid=7");
    assert_refused(f, CONVERT_GEOPACKAGE, path, "Unable to read geometry");
}

static void integers_are_not_cut(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, CONVERT_GEOPACKAGE, changed_gpkg(f, "UPDATE cities SET pop_max=5000000000 WHERE fid=7"),
                   "layer cities, row 7, field pop_max: a value that is no integer of 32 bits");
    assert_refused(f, CONVERT_GEOPACKAGE, changed_gpkg(f, "UPDATE cities SET pop_min='many' WHERE fid=8"),
                   "layer cities, row 8, field pop_min:");
    str text = fixture_dump(f, CONVERT_GEOPACKAGE,
                            changed_gpkg(f, "UPDATE cities SET pop_max=2147483647, pop_min=-2147483648 WHERE fid=1; "
                                            "ALTER TABLE cities ADD COLUMN \"a\"\"b\" MEDIUMINT"));
    assert_has(text, "'VA' 2147483647 -2147483648 ");
}

static void odd_row_ids_are_replaced(void **state)
{
    struct fixture *f = *state;
    str text = fixture_dump(f, CONVERT_GEOPACKAGE,
                            changed_gpkg(f, "UPDATE cities SET fid=-5 WHERE fid=1; UPDATE cities SET fid=0 WHERE fid=2"));
    assert_has(text, "\n1: 6691831 'Vatican City'");
    assert_has(text, "\n243: ");
    text = fixture_dump(f, CONVERT_GEOPACKAGE, changed_gpkg(f, "UPDATE cities SET fid=5000 WHERE fid=1"));
    assert_has(text, "\n5000: 6691831 'Vatican City'");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, close_all)
    const struct CMUnitTest tests[] = {
        TEST(other_formats_are_refused),
        TEST(cut_files_never_give_too_much),
        TEST(damaged_files_end_in_an_answer),
        TEST(endless_work_ends),
        TEST(cancelling_ends_the_child),
        TEST(memory_is_limited),
        TEST(nesting_is_no_way_out),
        TEST(bombs_are_refused),
        TEST(names_lead_nowhere),
        TEST(functions_with_effects_are_not_called),
        TEST(harmless_views_and_triggers_are),
        TEST(contents_that_lie),
        TEST(integers_are_not_cut),
        TEST(odd_row_ids_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
