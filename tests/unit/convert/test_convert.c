/* Files as people have them: every sample, every type, nulls, scripts, names, spatial references. */
#include "convert_fixture.h"

static size_t count_lines(str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* ---- samples ---- */
static void samples_have_their_rows(void **state)
{
    struct fixture *f = *state;
    str cities = fixture_dump(f, CONVERT_GEOPACKAGE, sample(f, "cities.gpkg"));
    assert_int_equal(count_lines(cities), 1 + 243);
    assert_has(cities, "0 cities Point 4326 4326: OBJECTID=OID geonameid=Integer name=String(256)");
    assert_has(cities,
               "1: 6691831 'Vatican City' - 'Vatican City' 'Admin-0 capital' 1 1 0 'Vatican (Holy See)' 'Città del Vaticano' "
               "'Ватикан' '梵蒂冈' 'Lazio' 'VA' 832 832 562430 2 - 41.900010000000002 12.44781 1761440400000; 1/21\n");
    str rivers = fixture_dump(f, CONVERT_SHAPEFILE_ZIP, sample(f, "rivers.zip"));
    assert_int_equal(count_lines(rivers), 1 + 461);
    assert_has(rivers, "0 rivers Polyline 4326 4326: OBJECTID=OID river_id=Integer featurecla=String(80)");
    assert_has(rivers, "src_date=DateOnly");
    assert_has(rivers,
               "1: 1 'River' 197.5 22 1 'Russia' 'Россия' 'RU' 51.935000000000002 55.707000000000001 '2018-05-21'; 2/361\n");
    str countries = fixture_dump(f, CONVERT_GEOJSON, sample(f, "countries.geojson"));
    assert_int_equal(count_lines(countries), 1 + 241);
    assert_has(countries, "0 countries Polygon 4326 4326: OBJECTID=OID name=String(256)");
    assert_has(countries, "'افغانستان' 'fa' 'أفغانستان' 'Αφγανιστάν' 'अफ़गानिस्तान'");
}

static void tables_follow_the_layers(void **state)
{
    struct fixture *f = *state;
    str text = fixture_dump(f, CONVERT_GEOPACKAGE, sample(f, "capitals.gpkg"));
    assert_int_equal(count_lines(text), 3 + 194 + 3104 + 1318);
    assert_has(text, "0 capitals Point 4326 4326:");
    assert_has(text, "\n1 country_names table 0 0: OBJECTID=OID iso_a2=String(256)");
    assert_has(text, "\n2 clock_changes table 0 0: OBJECTID=OID time_zone=String(256) changed_at=Date changed_on=DateOnly");
    assert_has(text, "1: 'Africa/Cairo' 1682632800000 '2023-04-27' 120 180 'EEST' 1\n");
}

static void definitions_are_complete(void **state)
{
    struct fixture *f = *state;
    struct convert *c = fixture_convert(f, CONVERT_GEOPACKAGE, sample(f, "cities.gpkg"));
    str text, messages;
    struct json def, layer;
    assert_int_equal(convert_definition(&f->ctx, c, &text, &messages), RC_OK);
    assert_true(str_eq(messages, STR("[]")));
    assert_int_equal(json_parse(&f->ctx, text, &def), RC_OK);
    layer = json_at(json_get_c(def, "layers"), 0);
    assert_int_equal(json_count(json_get_c(def, "tables")), 0);
    assert_true(json_string_eq(json_get_c(layer, "displayField"), STR("name")));
    assert_true(json_string_eq(json_get_c(layer, "objectIdField"), STR("OBJECTID")));
    assert_true(json_string_eq(json_get_c(layer, "type"), STR("Feature Layer")));
    assert_true(json_is(json_get_c(layer, "hasAttachments"), JSON_FALSE));
    assert_true(json_string_eq(json_at_pointer(layer, STR("/drawingInfo/renderer/type")), STR("simple")));
    assert_true(json_string_eq(json_at_pointer(layer, STR("/drawingInfo/renderer/symbol/type")), STR("esriSMS")));
    assert_int_equal(json_count(json_get_c(layer, "templates")), 1);
    double xmin, ymax;
    assert_true(json_double(json_at_pointer(layer, STR("/extent/xmin")), &xmin));
    assert_true(json_double(json_at_pointer(def, STR("/fullExtent/ymax")), &ymax));
    assert_true(fabs(xmin + 175.22056) < 1e-9 && fabs(ymax - 64.15002) < 1e-9);
    convert_close(c);
}

static void csv_makes_a_table_or_points(void **state)
{
    struct fixture *f = *state;
    f->options.name = "towns";
    str text = fixture_dump(f, CONVERT_CSV, sample(f, "continents.csv"));
    assert_has(text, "0 towns table 0 0: OBJECTID=OID continent=String(256) countries=Integer population=BigInteger");
    assert_has(text, "1: 'Africa' 54 1220570829 6027949 29986334 'Nigeria'\n");
    text = fixture_dump(f, CONVERT_CSV, fixture_file(f, "x", STR("name,lat,lon\n\"A, b\",10.5,-20\nB,,\n,1,2\n")));
    assert_has(text, "0 towns Point ");
    assert_has(text, "name=String(256) lat=Double lon=Double");
    assert_has(text, "1: 'A, b' 10.5 -20; 1/21\n2: 'B' - -\n3: - 1 2; 1/21\n");
}

/* ---- GeoJSON: types, nulls, names ---- */
static str geojson(struct fixture *f, const char *features)
{
    return arena_printf(f->ctx.arena, "{\"type\":\"FeatureCollection\",\"features\":[%s]}", features);
}

static str geojson_dump(struct fixture *f, const char *features)
{
    return fixture_dump(f, CONVERT_GEOJSON, fixture_file(f, "x", geojson(f, features)));
}

#define FEATURE(properties, geometry) "{\"type\":\"Feature\",\"properties\":{" properties "},\"geometry\":" geometry "}"
#define POINT_GEOMETRY "{\"type\":\"Point\",\"coordinates\":[1,2]}"

static void types_and_nulls(void **state)
{
    struct fixture *f = *state;
    str text = geojson_dump(f, FEATURE("\"i\":1,\"big\":9007199254740993,\"d\":0.1,\"s\":\"\",\"b\":true,\"day\":\"2024-02-29\","
                                       "\"at\":\"2024-02-29T01:02:03.456+02:00\","
                                       "\"time\":\"23:59:58\",\"list\":[1,\"x\"],\"object\":{\"a\":[1]}",
                                       POINT_GEOMETRY) "," FEATURE("\"i\":null,\"big\":-9223372036854775808,\"s\":null",
                                                                   "null") "," FEATURE("\"s\":\"ü\"", POINT_GEOMETRY));
    assert_has(
        text, "0 layer Point 4326 4326: OBJECTID=OID i=Integer big=BigInteger d=Double s=String(256) b=SmallInteger day=DateOnly "
              "at=Date F_time=TimeOnly list=String(256) object=String(256)\n");
    assert_has(text, "1: 1 9007199254740993 0.10000000000000001 '' 1 '2024-02-29' 1709161323456 '23:59:58' '[ 1, \"x\" ]' '{ "
                     "\"a\": [ 1 ] }'; 1/21\n");
    assert_has(text, "2: - -9223372036854775808 - - - - - - - -\n");
    assert_has(text, "3: - - - 'ü' - - - - - -; 1/21\n");
}

static void names_become_valid_and_unique(void **state)
{
    struct fixture *f = *state;
    str text =
        geojson_dump(f, FEATURE("\"OBJECTID\":7,\"Größe "
                                "(m)\":1,\"größe_(m)\":2,\"where\":3,\"1st\":4,\"имя\":5,\"名前\":6,\"a.b\":8,\"a-b\":9,\"\":10",
                                POINT_GEOMETRY));
    assert_has(text,
               " OBJECTID=OID OBJECTID_1=Integer Größe__m_=Integer größe__m__1=Integer F_where=Integer F1st=Integer имя=Integer "
               "名前=Integer a_b=Integer a_b_1=Integer ");
    assert_has(text, "1: 7 1 2 3 4 5 6 8 9 10");
}

static void texts_are_never_cut(void **state)
{
    struct fixture *f = *state;
    struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < 300; i++)
        buf_add(&b, STR("ж"));
    str properties = arena_printf(f->ctx.arena, "{\"type\":\"Feature\",\"properties\":{\"t\":\"%s\"},\"geometry\":null}", b.p);
    buf_free(&b);
    str text = geojson_dump(f, properties.p);
    assert_has(text, "t=String(300)");
    assert_has(text, "жжж");
}

static void globalids_have_to_be_unique_guids(void **state)
{
    struct fixture *f = *state;
    static const char *const A = FEATURE("\"GlobalID\":\"aaaaaaaa-0000-4000-8000-000000000001\"", "null");
    static const char *const B = FEATURE("\"GlobalID\":\"{AAAAAAAA-0000-4000-8000-000000000002}\"", "null");
    static const char *const EMPTY = FEATURE("\"GlobalID\":null", "null");
    str good = geojson_dump(f, arena_printf(f->ctx.arena, "%s,%s", A, B).p);
    assert_has(good, "GlobalID=GlobalID(38)");
    assert_has(good, "1: '{AAAAAAAA-0000-4000-8000-000000000001}'\n2: '{AAAAAAAA-0000-4000-8000-000000000002}'\n");
    assert_has(geojson_dump(f, arena_printf(f->ctx.arena, "%s,%s,%s", A, B, A).p), "GlobalID=String(256)");
    assert_has(geojson_dump(f, arena_printf(f->ctx.arena, "%s,%s", A, EMPTY).p), "GlobalID=String(256)");
    assert_has(geojson_dump(f, FEATURE("\"GlobalID\":\"x\"", "null")), "GlobalID=String(256)");
}

/* ---- geometry ---- */
static void kinds_of_geometry(void **state)
{
    struct fixture *f = *state;
    static const char *const LINE = FEATURE("", "{\"type\":\"LineString\",\"coordinates\":[[0,0],[1,1,5]]}");
    static const char *const LINES = FEATURE("", "{\"type\":\"MultiLineString\",\"coordinates\":[[[0,0],[1,1]]]}");
    static const char *const POINT = FEATURE("", POINT_GEOMETRY);
    static const char *const POINTS = FEATURE("", "{\"type\":\"MultiPoint\",\"coordinates\":[[0,0]]}");
    struct arena *a = f->ctx.arena;
    assert_has(geojson_dump(f, arena_printf(a, "%s,%s", LINE, LINES).p), "0 layer Polyline z 4326");
    assert_has(geojson_dump(f, arena_printf(a, "%s,%s", POINT, POINTS).p), "0 layer Multipoint 4326");
    assert_has(geojson_dump(f, FEATURE("\"a\":1", "null")), "0 layer table 0 0");
    assert_refused(f, CONVERT_GEOJSON, fixture_file(f, "x", geojson(f, arena_printf(a, "%s,%s", POINT, LINE).p)),
                   "layer layer mixes points lines");
    assert_refused(
        f, CONVERT_GEOJSON,
        fixture_file(f, "x", geojson(f, FEATURE("", "{\"type\":\"GeometryCollection\",\"geometries\":[" POINT_GEOMETRY "]}"))),
        "geometry type 7");
}

static void geometry_is_brought_to_the_target(void **state)
{
    struct fixture *f = *state;
    f->options.target_wkid = 102100;
    struct convert *c = fixture_convert(
        f, CONVERT_GEOJSON, fixture_file(f, "x", geojson(f, FEATURE("", "{\"type\":\"Point\",\"coordinates\":[180,45]}"))));
    str messages;
    struct service def = fixture_definition(f, c, &messages);
    struct row_source *rows;
    struct row row;
    double xy[2];
    assert_int_equal(def.layers[0].wkid, 102100);
    assert_int_equal(def.layers[0].latest_wkid, 3857);
    assert_int_equal(convert_rows(&f->ctx, c, &def.layers[0], &rows), RC_OK);
    assert_int_equal(rows->next(&f->ctx, rows, &row), RC_OK);
    memcpy(xy, row.wkb.p + 5, sizeof xy);
    assert_true(fabs(xy[0] - 20037508.342789244) < 1e-3);
    assert_true(fabs(xy[1] - 5621521.486192066) < 1e-3);
    rows->close(rows);
    convert_close(c);
}

/* ---- Shapefiles ---- */
static str shp_of(struct fixture *f, double x, double y)
{
    unsigned char b[128] = {0, 0, 0x27, 0x0a};
    int32_t type = 1;
    b[27] = sizeof b / 2;
    b[28] = 0xe8, b[29] = 3; /* version 1000 */
    memcpy(b + 32, &type, 4);
    memcpy(b + 36, (const double[]){x, y, x, y}, 32);
    b[103] = 1; /* record number; content of 10 words */
    b[107] = 10;
    memcpy(b + 108, &type, 4);
    memcpy(b + 112, (const double[]){x, y}, 16);
    return arena_str(f->ctx.arena, str_of(b, sizeof b));
}

/* The index of such a file: one record at byte 100. */
static str shx_of(struct fixture *f, str shp)
{
    char b[108];
    memcpy(b, shp.p, 100);
    b[27] = sizeof b / 2;
    memcpy(b + 100, "\0\0\0\x32\0\0\0\x0a", 8);
    return arena_str(f->ctx.arena, str_of(b, sizeof b));
}

static str dbf_of(struct fixture *f, const char *text)
{
    unsigned char b[32 + 32 + 1 + 1 + 10 + 1] = {3, 124, 1, 1, 1, 0, 0, 0, 65, 0, 11, 0};
    memcpy(b + 32, "NAME", 4);
    b[32 + 11] = 'C';
    b[32 + 16] = 10;
    b[64] = 0x0d;
    memset(b + 65, ' ', 11);
    memcpy(b + 66, text, strlen(text));
    b[76] = 0x1a;
    return arena_str(f->ctx.arena, str_of(b, sizeof b));
}

static const char *const LAMBERT =
    "PROJCS[\"NAD_1983_Contiguous_USA\",GEOGCS[\"GCS_North_American_1983\",DATUM[\"D_North_American_1983\",SPHEROID["
    "\"GRS_1980\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],"
    "PROJECTION[\"Albers\"],PARAMETER[\"False_Easting\",17.0],PARAMETER[\"False_Northing\",0.0],PARAMETER["
    "\"Central_Meridian\",-96.5],PARAMETER[\"Standard_Parallel_1\",29.5],PARAMETER[\"Standard_Parallel_2\","
    "45.5],PARAMETER[\"Latitude_Of_Origin\",23.0],UNIT[\"Meter\",1.0]]";
static const char *const MERCATOR = "PROJCS[\"WGS_1984_Web_Mercator_Auxiliary_Sphere\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_"
                                    "1984\",SPHEROID[\"WGS_1984\",6378137.0,"
                                    "298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION["
                                    "\"Mercator_Auxiliary_Sphere\"],PARAMETER["
                                    "\"False_Easting\",0.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",0.0]"
                                    ",PARAMETER[\"Standard_Parallel_1\",0.0],"
                                    "PARAMETER[\"Auxiliary_Sphere_Type\",0.0],UNIT[\"Meter\",1.0]]";

static void shapefiles_in_folders_of_a_zip(void **state)
{
    struct fixture *f = *state;
    const struct zip_file files[] = {
        {"deep/er/Größe.shp", shp_of(f, 1, 2), true},
        {"deep/er/Größe.dbf", dbf_of(f, "\xfc\xe4"), true}, /* Latin 1, without saying so */
        {"deep/er/Größe.prj", str_c(MERCATOR), false},
        {"other.SHP", shp_of(f, 3, 4), true},
        {"deep/er/Größe.shx", shx_of(f, shp_of(f, 1, 2)), true},
        {"other.SHX", shx_of(f, shp_of(f, 3, 4)), true},
        {"other.prj", str_c(LAMBERT), false},
        {"__MACOSX/._other.shp", STR("shadow"), false},
        {"read.me", STR("text"), false},
    };
    str text = fixture_dump(f, CONVERT_SHAPEFILE_ZIP, fixture_file(f, "x", fixture_zip(f, files, COUNT_OF(files))));
    assert_has(text, "Größe Point 102100 3857: OBJECTID=OID NAME=String(10)\n1: 'üä'; 1/21\n");
    assert_has(text, "other Point 0 0: OBJECTID=OID");
    struct convert *c = fixture_convert(f, CONVERT_SHAPEFILE_ZIP, fixture_file(f, "x", fixture_zip(f, files, COUNT_OF(files))));
    str messages;
    struct service def = fixture_definition(f, c, &messages);
    for (size_t i = 0; i < def.layer_count; i++)
        if (str_eq(def.layers[i].name, STR("other")))
            assert_true(str_starts(def.layers[i].wkt, STR("PROJCS[\"NAD_1983_Contiguous_USA\"")));
    convert_close(c);
}

/* ---- the other end ---- */
static void rows_can_be_left_and_asked_for_again(void **state)
{
    struct fixture *f = *state;
    struct convert *c = fixture_convert(f, CONVERT_GEOPACKAGE, sample(f, "capitals.gpkg"));
    str messages;
    struct service def = fixture_definition(f, c, &messages);
    struct row_source *rows;
    struct row row;
    for (int i = 0; i < 3; i++) {
        int64_t n = 0;
        assert_int_equal(convert_rows(&f->ctx, c, &def.layers[1], &rows), RC_OK);
        while (rows->next(&f->ctx, rows, &row) == RC_OK && (i == 2 || n < 10))
            n++;
        rows->close(rows);
        assert_int_equal(n, i == 2 ? 3104 : 10);
    }
    convert_close(c);
}

static void rows_that_do_not_fit_are_named(void **state)
{
    struct fixture *f = *state;
    struct convert *c = fixture_convert(
        f, CONVERT_GEOJSON,
        fixture_file(f, "x",
                     geojson(f, FEATURE("\"t\":\"ab\",\"n\":5", "null") "," FEATURE("\"t\":\"äöü\",\"n\":70000", "null"))));
    str messages;
    struct service def = fixture_definition(f, c, &messages);
    struct row_source *rows;
    struct row row;
    def.layers[0].fields[1].length = 2;
    assert_int_equal(convert_rows(&f->ctx, c, &def.layers[0], &rows), RC_OK);
    assert_int_equal(rows->next(&f->ctx, rows, &row), RC_OK);
    assert_int_equal(rows->next(&f->ctx, rows, &row), RC_FAIL);
    assert_string_equal(err_text(&f->ctx), "layer layer, row 2, field t: a text that is too long");
    err_clear(&f->ctx);
    rows->close(rows);
    def.layers[0].fields[1].length = 3;
    def.layers[0].fields[2].type = FIELD_SMALL_INTEGER; /* the file has none of that type */
    assert_int_equal(convert_rows(&f->ctx, c, &def.layers[0], &rows), RC_OK);
    assert_int_equal(rows->next(&f->ctx, rows, &row), RC_FAIL);
    assert_has(str_c(err_text(&f->ctx)), "has no field n of that type");
    err_clear(&f->ctx);
    rows->close(rows);
    convert_close(c);
}

static void a_missing_file_or_program_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct convert *c;
    struct convert_options o = f->options;
    o.path = "/nowhere/file.gpkg";
    assert_int_equal(convert_open(&f->ctx, &o, &c), RC_NOT_FOUND);
    err_clear(&f->ctx);
    o.path = sample(f, "cities.gpkg");
    o.program = "/nowhere/mapferry-convert";
    assert_int_equal(convert_open(&f->ctx, &o, &c), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_IO));
    assert_has(str_c(err_text(&f->ctx)), "/nowhere/mapferry-convert");
    err_clear(&f->ctx);
    o.program = "/bin/true";
    assert_int_equal(convert_open(&f->ctx, &o, &c), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_IO));
    assert_null(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(samples_have_their_rows),
        TEST(tables_follow_the_layers),
        TEST(definitions_are_complete),
        TEST(csv_makes_a_table_or_points),
        TEST(types_and_nulls),
        TEST(names_become_valid_and_unique),
        TEST(texts_are_never_cut),
        TEST(globalids_have_to_be_unique_guids),
        TEST(kinds_of_geometry),
        TEST(geometry_is_brought_to_the_target),
        TEST(shapefiles_in_folders_of_a_zip),
        TEST(rows_can_be_left_and_asked_for_again),
        TEST(rows_that_do_not_fit_are_named),
        TEST(a_missing_file_or_program_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
