/* Queries of the feature server that need more than one look: geometry that a box really meets, pages that are all or nothing,
 * pages of related records, and extents that follow the features. */
#include "web_fixture.h"
#include <stdio.h>

#define SERVICE "/server/rest/services/Hosted/S/FeatureServer"
#define ADMIN "/server/rest/admin/services/Hosted/S/FeatureServer"

/* Layer 0: a triangle, a square with a hole in it. Layer 1: a line. Table 2: notes on the areas, three on the first and two on
 * the second. */
static void fill(void)
{
    assert_at(post("/sharing/rest/content/users/admin/createService", "createParameters",
                   "{\"name\":\"S\",\"capabilities\":\"Query,Create\",\"spatialReference\":{\"wkid\":102100}}", NULL),
              "/success", "true");
    static const char layers[] =
        "{\"layers\":[{\"id\":0,\"name\":\"areas\",\"geometryType\":\"esriGeometryPolygon\",\"fields\":[{\"name\":\"n\",\"type\":"
        "\"esriFieldTypeInteger\"}],\"relationships\":[{\"id\":0,\"name\":\"r\",\"relatedTableId\":2,\"cardinality\":"
        "\"esriRelCardinalityOneToMany\",\"role\":\"esriRelRoleOrigin\",\"keyField\":\"n\"}]},"
        "{\"id\":1,\"name\":\"lines\",\"geometryType\":\"esriGeometryPolyline\",\"fields\":[]}],"
        "\"tables\":[{\"id\":2,\"name\":\"notes\",\"fields\":[{\"name\":\"an\",\"type\":\"esriFieldTypeInteger\"},{\"name\":"
        "\"k\","
        "\"type\":\"esriFieldTypeInteger\"}],\"relationships\":[{\"id\":0,\"name\":\"r\",\"relatedTableId\":0,\"cardinality\":"
        "\"esriRelCardinalityOneToMany\",\"role\":\"esriRelRoleDestination\",\"keyField\":\"an\"}]}]}";
    assert_at(post(ADMIN "/addToDefinition", "addToDefinition", layers, NULL), "/success", "true");
    assert_at(post(SERVICE "/0/addFeatures", "features",
                   "[{\"attributes\":{\"n\":1},\"geometry\":{\"rings\":[[[0,0],[0,10],[10,0],[0,0]]]}},"
                   "{\"attributes\":{\"n\":2},\"geometry\":{\"rings\":[[[0,0],[0,10],[10,10],[10,0],[0,0]],"
                   "[[6,6],[9,6],[9,9],[6,9],[6,6]]]}},{\"attributes\":{\"n\":1}}]",
                   NULL),
              "/addResults/2/success", "true");
    assert_at(post(SERVICE "/2/addFeatures", "features",
                   "[{\"attributes\":{\"an\":1,\"k\":5}},{\"attributes\":{\"an\":2,\"k\":4}},{\"attributes\":{\"an\":1,\"k\":3}},"
                   "{\"attributes\":{\"an\":2,\"k\":2}},{\"attributes\":{\"an\":1,\"k\":1}},{\"attributes\":{\"k\":0}}]",
                   NULL),
              "/addResults/5/success", "true");
}

static void exact_boxes(void **state)
{
    (void)state;
    fill();
#define BOX(relation, box) SERVICE "/0/query?f=json&returnIdsOnly=true&spatialRel=esriSpatialRel" relation "&geometry=" box
    assert_at(ask(BOX("Intersects", "1,1,2,2")), "/objectIds", "[1,2]");
    assert_at(ask(BOX("Intersects", "7,2,9,5")), "/objectIds", "[1,2]");
    assert_at(ask(BOX("Intersects", "7,4,9,5")), "/objectIds", "[2]"); /* beyond the triangle */
    assert_at(ask(BOX("Intersects", "7,7,8,8")), "/objectIds", "[]");  /* in the hole */
    assert_at(ask(BOX("EnvelopeIntersects", "7,7,8,8")), "/objectIds", "[1,2]");
    assert_at(ask(BOX("IndexIntersects", "7,7,8,8")), "/objectIds", "[1,2]");
    assert_at(ask(SERVICE "/0/query?f=json&geometry=7,4,9,5&returnCountOnly=true"), "/count", "1"); /* the default relation */
    assert_at(ask(SERVICE "/0/query?f=json&geometry=7,7,8,8&returnExtentOnly=true"), "/extent/xmin", "NaN");
    struct json v = ask(SERVICE "/0/query?f=json&geometry=7,4,9,5&resultRecordCount=1&outFields=n&returnGeometry=false");
    assert_at(v, "/features/0/attributes/n", "2");
    assert_true(json_absent(json_get_c(v, "exceededTransferLimit")));
    assert_at(ask(BOX("Contains", "7,7,8,8")), "/objectIds", "[]");
    assert_at(ask(BOX("Contains", "-99,-99,99,99")), "/objectIds", "[1,2]");
    assert_at(ask(BOX("Within", "7,7,8,8")), "/objectIds", "[]");
    assert_at(ask(BOX("Within", "1,1,2,2")), "/objectIds", "[1,2]");
    assert_at(ask(BOX("Near", "1,1,2,2")), "/error/code", "400");
}

static void all_or_nothing(void **state)
{
    (void)state;
    fill();
#define TILE SERVICE "/0/query?f=json&resultType=tile&returnExceededLimitFeatures=false&outFields=n&geometry=0,0,9,9"
    struct json v = ask(TILE "&resultRecordCount=1");
    assert_at(v, "/features", "[]");
    assert_at(v, "/exceededTransferLimit", "true");
    assert_at(v, "/fields/0/name", "n");
    v = ask(TILE "&resultRecordCount=2");
    assert_int_equal(json_count(json_get_c(v, "features")), 2);
    assert_true(json_absent(json_get_c(v, "exceededTransferLimit")));
    v = ask(TILE "&resultRecordCount=1&resultOffset=1");
    assert_int_equal(json_count(json_get_c(v, "features")), 1);
    assert_at(ask(TILE "&resultRecordCount=1&returnIdsOnly=true"), "/objectIds", "[1,2]");
    assert_at(ask(TILE "&resultRecordCount=1&returnCountOnly=true"), "/count", "2");
    v = ask(SERVICE "/0/query?f=geojson&returnExceededLimitFeatures=false&where=1%3D1&resultRecordCount=1");
    assert_at(v, "/features", "[]");
    assert_at(v, "/properties/exceededTransferLimit", "true");
    v = ask(SERVICE "/0/query?f=json&resultType=tile&where=1%3D1&resultRecordCount=1");
    assert_int_equal(json_count(json_get_c(v, "features")), 1);
    assert_at(v, "/exceededTransferLimit", "true");
}

static void pages_of_related_records(void **state)
{
    (void)state;
    fill();
#define RELATED SERVICE "/0/queryRelatedRecords?f=json&relationshipId=0&objectIds=1,2,3&outFields=k"
    assert_at(ask(SERVICE "/0?f=json"), "/advancedQueryCapabilities/supportsQueryRelatedPagination", "true");
    struct json v = ask(RELATED);
    assert_int_equal(json_count(json_get_c(v, "relatedRecordGroups")), 3); /* two areas have the same key */
    assert_at(v, "/relatedRecordGroups/0/relatedRecords",
              "[{\"attributes\":{\"k\":5}},{\"attributes\":{\"k\":3}},{\"attributes\":{\"k\":1}}]");
    assert_at(v, "/relatedRecordGroups/1/relatedRecords", "[{\"attributes\":{\"k\":4}},{\"attributes\":{\"k\":2}}]");
    assert_at(v, "/relatedRecordGroups/2/objectId", "3");
    assert_true(json_absent(json_get_c(v, "exceededTransferLimit")));
    v = ask(RELATED "&resultRecordCount=2");
    assert_at(v, "/exceededTransferLimit", "true");
    assert_at(v, "/relatedRecordGroups/0/relatedRecords", "[{\"attributes\":{\"k\":5}}]");
    assert_at(v, "/relatedRecordGroups/1/relatedRecords", "[{\"attributes\":{\"k\":4}}]");
    v = ask(RELATED "&resultRecordCount=2&resultOffset=2");
    assert_at(v, "/exceededTransferLimit", "true");
    assert_at(v, "/relatedRecordGroups/1/relatedRecords", "[{\"attributes\":{\"k\":2}}]");
    v = ask(RELATED "&resultRecordCount=2&resultOffset=4");
    assert_true(json_absent(json_get_c(v, "exceededTransferLimit")));
    assert_at(v, "/relatedRecordGroups/0/relatedRecords", "[{\"attributes\":{\"k\":1}}]");
    assert_int_equal(json_count(json_get_c(v, "relatedRecordGroups")), 2);
    assert_at(ask(RELATED "&resultOffset=5"), "/relatedRecordGroups", "[]");
    v = ask(RELATED "&orderByFields=k&resultRecordCount=1&definitionExpression=k%3E1");
    assert_at(v, "/relatedRecordGroups/0/relatedRecords", "[{\"attributes\":{\"k\":2}}]");
    v = ask(RELATED "&returnCountOnly=true&resultRecordCount=1"); /* counts are of all */
    assert_at(v, "/relatedRecordGroups/0/count", "3");
    assert_at(v, "/relatedRecordGroups/1/count", "2");
    assert_true(json_absent(json_get_c(v, "exceededTransferLimit")));
    assert_at(ask(RELATED "&resultOffset=-1"), "/error/code", "400");
    assert_at(ask(RELATED "&resultRecordCount=-1"), "/error/code", "400");
    assert_at(ask(RELATED "&historicMoment=5"), "/error/code", "400");
    assert_at(post(ADMIN "/2/updateDefinition", "updateDefinition", "{\"maxRecordCount\":3}", NULL), "/success", "true");
    v = ask(RELATED "&resultRecordCount=5"); /* never more than the layer gives at once */
    assert_at(v, "/exceededTransferLimit", "true");
    assert_int_equal(json_count(json_at_pointer(v, STR("/relatedRecordGroups/0/relatedRecords"))), 2);
    assert_at(ask(RELATED "&returnCountOnly=true"), "/relatedRecordGroups/0/count", "3");
}

static void extents(void **state)
{
    (void)state;
    fill();
    struct json v = ask(SERVICE "/0?f=json");
    assert_at(v, "/extent/xmin", "0");
    assert_at(v, "/extent/xmax", "10");
    assert_at(v, "/extent/spatialReference/wkid", "102100");
    assert_true(
        json_is(json_at_pointer(ask(SERVICE "/1?f=json"), STR("/extent/xmin")), JSON_NUMBER)); /* no features: as defined */
    assert_at(post(SERVICE "/1/addFeatures", "features",
                   "[{\"geometry\":{\"paths\":[[[-5.5,1],[20,30.25]]],\"spatialReference\":{\"wkid\":102100}}}]", NULL),
              "/addResults/0/success", "true");
    v = ask(SERVICE "/1?f=json");
    assert_at(v, "/extent/xmin", "-5.5");
    assert_at(v, "/extent/ymax", "30.25");
    v = ask(SERVICE "/layers?f=json");
    assert_at(v, "/layers/0/extent/ymax", "10");
    assert_at(v, "/layers/1/extent/ymax", "30.25");
    assert_true(json_absent(json_at_pointer(v, STR("/tables/0/extent/xmin"))));
    v = ask(SERVICE "?f=json");
    assert_at(v, "/fullExtent/xmin", "-5.5");
    assert_at(v, "/fullExtent/ymin", "0");
    assert_at(v, "/fullExtent/xmax", "20");
    assert_at(v, "/fullExtent/ymax", "30.25");
    assert_at(ask(ADMIN "?f=json"), "/layers/1/extent/ymax", "30.25");
    assert_at(ask(ADMIN "/1?f=json"), "/extent/xmin", "-5.5");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, web_fixture_open, web_fixture_close)
    const struct CMUnitTest tests[] = {TEST(exact_boxes), TEST(all_or_nothing), TEST(pages_of_related_records), TEST(extents)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
