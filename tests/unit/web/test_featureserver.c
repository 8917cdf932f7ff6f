/* The feature server over HTTP, from createService to streamed answers. */
#include "web_fixture.h"
#include <stdio.h>

#define SERVICES "/server/rest/services/Hosted/"
#define ADMIN "/server/rest/admin/services/Hosted/"

/* Three points (ids 1 to 3 by n), in a layer of id 156, and a table of id 3 whose rows point to them by n. */
static const char layers[] =
    "{\"layers\":[{\"id\":156,\"name\":\"pts é\",\"type\":\"Feature "
    "Layer\",\"geometryType\":\"esriGeometryPoint\",\"hasAttachments\":true,"
    "\"x-unknown\":{\"kept\":[1, 2]},\"fields\":[{\"name\":\"OBJECTID\",\"type\":\"esriFieldTypeOID\"},"
    "{\"name\":\"n\",\"type\":\"esriFieldTypeInteger\"},{\"name\":\"name\",\"type\":\"esriFieldTypeString\",\"length\":10},"
    "{\"name\":\"kind\",\"type\":\"esriFieldTypeString\",\"nullable\":false,\"defaultValue\":\"a\"},"
    "{\"name\":\"d\",\"type\":\"esriFieldTypeDate\"},{\"name\":\"GlobalID\",\"type\":\"esriFieldTypeGlobalID\"}]}],"
    "\"tables\":[{\"id\":3,\"name\":\"notes\",\"fields\":[{\"name\":\"pn\",\"type\":\"esriFieldTypeInteger\"},"
    "{\"name\":\"note\",\"type\":\"esriFieldTypeString\"}]}]}";

static void create(const char *name, const char *capabilities)
{
    char parameters[400];
    snprintf(parameters, sizeof parameters,
             "{\"name\":\"%s\",\"capabilities\":\"%s\",\"maxRecordCount\":50000,\"spatialReference\":{\"wkid\":102100}}", name,
             capabilities);
    struct json v = post("/sharing/rest/content/users/admin/createService", "createParameters", parameters, "outputType",
                         "featureService", "tags", "one,two", NULL);
    assert_at(v, "/success", "true");
    assert_at(v, "/type", "Feature Service");
    assert_true(str_starts(at(v, "/serviceurl"), wf.base));
}

static void create_filled(const char *name)
{
    char path[200];
    create(name, "Query,Editing,Create,Update,Delete");
    snprintf(path, sizeof path, ADMIN "%s/FeatureServer/addToDefinition", name);
    assert_at(post(path, "addToDefinition", layers, NULL), "/success", "true");
    snprintf(path, sizeof path, SERVICES "%s/FeatureServer/156/addFeatures", name);
    struct json v =
        post(path, "features",
             "[{\"attributes\":{\"n\":1,\"name\":\"é 東京 😀\",\"d\":1706745599123},\"geometry\":{\"x\":100,\"y\":200}},"
             "{\"attributes\":{\"N\":2,\"name\":null,\"kind\":\"b\"},\"geometry\":{\"x\":1,\"y\":2,\"spatialReference\":{"
             "\"wkid\":4326}}},"
             "{\"attributes\":{\"n\":3,\"name\":\"\\\"q\\\\\",\"d\":\"2024-01-31T00:00:00Z\",\"unknown\":1}}]",
             NULL);
    assert_at(v, "/addResults/0/objectId", "1");
    assert_at(v, "/addResults/2/objectId", "3");
    assert_at(v, "/addResults/2/success", "true");
    assert_int_equal(at(v, "/addResults/0/globalId").n, GUID_SIZE);
}

static void the_directory(void **state)
{
    (void)state;
    struct json v = ask("/server/rest/info?f=json");
    assert_true(str_eq(at(v, "/owningSystemUrl"), wf.base));
    assert_true(str_ends(at(v, "/authInfo/tokenServicesUrl"), STR("/sharing/rest/generateToken")));
    assert_at(v, "/authInfo/isTokenBasedSecurity", "true");
    assert_at(v, "/currentVersion", "11.4");
    assert_at(ask("/SERVER/rest/Services/?f=json"), "/folders/0", "Hosted");
    create("Listed", "Query");
    v = ask("/server/rest/services/Hosted?f=json");
    assert_at(v, "/services/0/name", "Hosted/Listed");
    assert_at(v, "/services/0/type", "FeatureServer");
    wf.token = STR("");
    assert_int_equal(json_count(json_get_c(ask("/server/rest/services/Hosted?f=json"), "services")), 0);
    ask("/server/rest/services");
    assert_true(str_starts(wf.answer.body, STR("<!doctype html>")));
}

static void creating(void **state)
{
    (void)state;
    create("One_1", "Query");
    struct json v = ask(SERVICES "one_1/FeatureServer?f=json");
    assert_at(v, "/capabilities", "Query");
    assert_at(v, "/maxRecordCount", "50000");
    assert_at(v, "/spatialReference/latestWkid", "3857");
    assert_at(v, "/supportedQueryFormats", "JSON, geoJSON, PBF");
    assert_at(v, "/syncEnabled", "false");
    assert_at(v, "/layers", "[]");
    assert_int_equal(at(v, "/serviceItemId").n, ID_SIZE);
    assert_true(json_is(json_get_c(json_get_c(v, "initialExtent"), "xmin"), JSON_NUMBER));
    const char *again = "{\"name\":\"ONE_1\"}";
    assert_at(post("/sharing/rest/content/users/admin/createService", "createParameters", again, NULL), "/error/message",
              "Service name is not available.");
    assert_at(post("/sharing/rest/content/users/admin/createService", "createParameters", "{\"name\":\"1x\"}", NULL),
              "/error/code", "400");
    assert_at(
        post("/sharing/rest/content/users/admin/createService", "createParameters", "{\"name\":\"v\",\"isView\":true}", NULL),
        "/isView", "true");
    assert_at(post("/sharing/rest/content/users/admin/0123456789abcdef0123456789abcdef/createService", "createParameters",
                   "{\"name\":\"v\"}", NULL),
              "/error/messageCode", "CONT_0013");
    wf.token = wf.user;
    assert_at(post("/sharing/rest/content/users/user/createService", "createParameters", "{\"name\":\"v\"}", NULL), "/error/code",
              "403");
    assert_at(ask(SERVICES "One_1/FeatureServer?f=json"), "/error/code", "403");
    assert_at(ask(ADMIN "One_1/FeatureServer?f=json"), "/error/code", "403");
    wf.token = STR("");
    assert_at(ask(SERVICES "One_1/FeatureServer?f=json"), "/error/code", "499");
    assert_at(ask(SERVICES "None/FeatureServer?f=json"), "/error/code", "404");
    assert_int_equal(wf.answer.status, 404);
}

static void definitions(void **state)
{
    (void)state;
    create("Defs", "Query,Create,Editing");
    struct json v = post(ADMIN "Defs/FeatureServer/addToDefinition", "addToDefinition", layers, NULL);
    assert_at(v, "/layers/0/id", "156");
    assert_at(v, "/layers/0/name", "pts é");
    assert_at(v, "/tables/0/id", "3");
    v = ask(SERVICES "Defs/FeatureServer?f=json");
    assert_at(v, "/layers/0/id", "156");
    assert_at(v, "/layers/0/geometryType", "esriGeometryPoint");
    assert_at(v, "/tables/0/name", "notes");
    v = ask(SERVICES "Defs/FeatureServer/156/?f=json");
    assert_at(v, "/objectIdField", "OBJECTID");
    assert_at(v, "/globalIdField", "GlobalID");
    assert_at(v, "/displayField", "name");
    assert_at(v, "/fields/3/alias", "kind");
    assert_at(v, "/fields/2/length", "10");
    assert_at(v, "/hasAttachments", "true");
    assert_at(v, "/x-unknown", "{\"kept\":[1, 2]}");
    assert_at(v, "/drawingInfo/renderer/type", "simple");
    assert_at(v, "/extent/spatialReference/wkid", "102100");
    assert_at(v, "/advancedQueryCapabilities/supportsPagination", "true");
    assert_at(v, "/advancedQueryCapabilities/supportsStatistics", "true");
    assert_at(v, "/capabilities", "Query,Create,Editing");
    v = ask(SERVICES "Defs/FeatureServer/3?f=pjson");
    assert_at(v, "/type", "Table");
    assert_at(v, "/objectIdField", "OBJECTID");
    assert_at(v, "/fields/0/name", "OBJECTID");
    assert_at(ask(SERVICES "Defs/FeatureServer/layers?f=json"), "/tables/0/fields/2/name", "note");
    assert_at(ask(ADMIN "Defs/FeatureServer?f=json"), "/layers/0/fields/1/name", "n");
    assert_at(ask(SERVICES "Defs/FeatureServer/7?f=json"), "/error/message", "Invalid URL");
    assert_at(ask(SERVICES "Defs/FeatureServer/x?f=json"), "/error/message", "Invalid URL");
    /* again, unknown types, no JSON */
    assert_at(post(ADMIN "Defs/FeatureServer/addToDefinition", "addToDefinition", layers, NULL), "/error/message",
              "Unable to add feature service definition.");
    assert_at(post(ADMIN "Defs/FeatureServer/addToDefinition", "addToDefinition",
                   "{\"layers\":[{\"name\":\"x\",\"geometryType\":\"esriGeometryPoint\",\"fields\":[{\"name\":\"a\",\"type\":"
                   "\"what\"}]}]}",
                   NULL),
              "/error/code", "400");
    assert_at(post(ADMIN "Defs/FeatureServer/addToDefinition", "addToDefinition", "[1", NULL), "/error/code", "400");
    assert_at(ask(SERVICES "Defs/FeatureServer?f=json"), "/layers/1", "");
    /* without an id: the next one */
    v = post(ADMIN "Defs/FeatureServer/addToDefinition", "addToDefinition",
             "{\"layers\":[{\"name\":\"lines\",\"geometryType\":\"esriGeometryPolyline\",\"fields\":[]}]}", NULL);
    assert_at(v, "/layers/0/id", "157");
}

static void relationships(void **state)
{
    (void)state;
    create_filled("Rel");
    /* the second call of a clone: no fields, tables among the layers */
    struct json v =
        post(ADMIN "Rel/FeatureServer/addToDefinition", "addToDefinition",
             "{\"layers\":[{\"id\":156,\"relationships\":[{\"id\":0,\"name\":\"r\",\"relatedTableId\":3,"
             "\"cardinality\":\"esriRelCardinalityOneToMany\",\"role\":\"esriRelRoleOrigin\",\"keyField\":\"n\",\"composite\":"
             "false}]},"
             "{\"id\":3,\"relationships\":[{\"id\":0,\"name\":\"r\",\"relatedTableId\":156,\"cardinality\":"
             "\"esriRelCardinalityOneToMany\",\"role\":\"esriRelRoleDestination\",\"keyField\":\"pn\",\"composite\":false}]}]}",
             NULL);
    assert_at(v, "/success", "true");
    assert_at(ask(SERVICES "Rel/FeatureServer/3?f=json"), "/relationships/0/keyField", "pn");
    v = post(SERVICES "Rel/FeatureServer/3/addFeatures", "features",
             "[{\"attributes\":{\"pn\":1,\"note\":\"v1\"}},{\"attributes\":{\"pn\":1,\"note\":\"v2\"}},{\"attributes\":{\"pn\":3,"
             "\"note\":\"v3\"}},"
             "{\"attributes\":{\"note\":\"none\"}}]",
             NULL);
    assert_at(v, "/addResults/3/success", "true");
    v = ask(SERVICES "Rel/FeatureServer/156/"
                     "queryRelatedRecords?f=json&objectIds=1,2,3&relationshipId=0&outFields=note&definitionExpression=1%3D1");
    assert_at(v, "/relatedRecordGroups/0/objectId", "1");
    assert_at(v, "/relatedRecordGroups/0/relatedRecords/1/attributes/note", "v2");
    assert_at(v, "/relatedRecordGroups/1/objectId", "3");
    assert_int_equal(json_count(json_get_c(v, "relatedRecordGroups")), 2);
    v = ask(SERVICES "Rel/FeatureServer/3/queryRelatedRecords?f=json&objectIds=1,2&relationshipId=0&outFields=*&outSR=4326");
    assert_at(v, "/geometryType", "esriGeometryPoint");
    assert_at(v, "/spatialReference/wkid", "4326");
    assert_at(v, "/relatedRecordGroups/1/relatedRecords/0/attributes/n", "1");
    v = ask(SERVICES "Rel/FeatureServer/156/queryRelatedRecords?f=json&objectIds=1&relationshipId=0&returnCountOnly=true");
    assert_at(v, "/relatedRecordGroups/0/count", "2");
    assert_at(ask(SERVICES "Rel/FeatureServer/156/queryRelatedRecords?f=json&objectIds=1&relationshipId=9"), "/error/code",
              "400");
    /* a single half gets its other one, by the field of the same name; without such a field it is refused */
    assert_at(
        post(ADMIN "Rel/FeatureServer/156/addToDefinition", "addToDefinition",
             "{\"relationships\":[{\"name\":\"s\",\"relatedTableId\":3,\"cardinality\":\"esriRelCardinalityOneToOne\",\"role\":"
             "\"esriRelRoleOrigin\",\"keyField\":\"OBJECTID\"}]}",
             NULL),
        "/success", "true");
    v = ask(SERVICES "Rel/FeatureServer/3?f=json");
    assert_at(v, "/relationships/1/keyField", "OBJECTID");
    assert_at(v, "/relationships/1/role", "esriRelRoleDestination");
    assert_at(
        post(ADMIN "Rel/FeatureServer/156/addToDefinition", "addToDefinition",
             "{\"relationships\":[{\"name\":\"t\",\"relatedTableId\":3,\"cardinality\":\"esriRelCardinalityOneToOne\",\"role\":"
             "\"esriRelRoleOrigin\",\"keyField\":\"kind\"}]}",
             NULL),
        "/error/code", "400");
}

static void updating_definitions(void **state)
{
    (void)state;
    create_filled("Upd");
    assert_at(post(ADMIN "Upd/FeatureServer/updateDefinition", "updateDefinition",
                   "{\"maxRecordCount\":2,\"capabilities\":\"Query\",\"x\\\"y\":1,\"layers\":[{\"id\":156,\"minScale\":5}]}",
                   NULL),
              "/success", "true");
    struct json v = ask(SERVICES "Upd/FeatureServer?f=json");
    assert_at(v, "/maxRecordCount", "2");
    assert_at(v, "/x\"y", "1");
    assert_at(v, "/layers/0/minScale", "5");
    v = ask(SERVICES "Upd/FeatureServer/156/query?f=json&where=1%3D1");
    assert_at(v, "/exceededTransferLimit", "true");
    assert_int_equal(json_count(json_get_c(v, "features")), 2);
    assert_at(post(ADMIN "Upd/FeatureServer/156/updateDefinition", "updateDefinition",
                   "{\"description\":\"é\",\"id\":5,\"fields\":[{\"name\":\"NAME\",\"alias\":\"The name\"}]}", NULL),
              "/success", "true");
    v = ask(SERVICES "Upd/FeatureServer/156?f=json");
    assert_at(v, "/description", "é");
    assert_at(v, "/fields/2/alias", "The name");
    assert_at(v, "/fields/2/name", "name");
    assert_at(post(ADMIN "Upd/FeatureServer/156/updateDefinition", "updateDefinition",
                   "{\"fields\":[{\"name\":\"n\",\"type\":\"esriFieldTypeString\"}]}", NULL),
              "/error/code", "400");
    assert_at(post(ADMIN "Upd/FeatureServer/156/updateDefinition", "updateDefinition",
                   "{\"geometryType\":\"esriGeometryPolygon\"}", NULL),
              "/error/code", "400");
    assert_at(post(ADMIN "Upd/FeatureServer/156/addToDefinition", "addToDefinition",
                   "{\"fields\":[{\"name\":\"more\",\"type\":\"esriFieldTypeDouble\"}]}", NULL),
              "/success", "true"); /* beside the features that are there */
    create("Empty", "Query,Create");
    post(ADMIN "Empty/FeatureServer/addToDefinition", "addToDefinition", layers, NULL);
    assert_at(post(ADMIN "Empty/FeatureServer/156/addToDefinition", "addToDefinition",
                   "{\"fields\":[{\"name\":\"more\",\"type\":\"esriFieldTypeDouble\"}]}", NULL),
              "/success", "true");
    post(SERVICES "Empty/FeatureServer/156/addFeatures", "features", "[{\"attributes\":{\"more\":0.1}}]", NULL);
    assert_at(ask(SERVICES "Empty/FeatureServer/156/query?f=json&where=more%3D0.1&outFields=more"), "/features/0/attributes/more",
              "0.1");
    assert_at(post(ADMIN "Upd/FeatureServer/156/updateDefinition", "updateDefinition", "{\"maxRecordCount\":1}", NULL),
              "/success", "true");
    assert_at(ask(SERVICES "Upd/FeatureServer/156?f=json"), "/maxRecordCount", "1");
    v = ask(SERVICES "Upd/FeatureServer/156/query?f=json&where=1%3D1");
    assert_int_equal(json_count(json_get_c(v, "features")), 1);
    assert_int_equal(
        json_count(json_get_c(ask(SERVICES "Upd/FeatureServer/156/query?f=json&where=1%3D1&maxRecordCountFactor=2"), "features")),
        2);
    wf.token = wf.viewer;
    assert_at(post(ADMIN "Upd/FeatureServer/updateDefinition", "updateDefinition", "{}", NULL), "/error/code", "403");
}

static void adding(void **state)
{
    (void)state;
    create_filled("Add");
    static const char path[] = SERVICES "Add/FeatureServer/156/addFeatures";
    static const char mixed[] =
        "[{\"attributes\":{\"n\":10}},{\"attributes\":{\"n\":\"x\"}},{\"attributes\":{\"name\":\"12345678901\"}},"
        "{\"attributes\":{\"kind\":null}},{\"geometry\":{\"rings\":[]}},{\"attributes\":{\"n\":3000000000}},7]";
    struct json v = post(path, "features", mixed, NULL);
    assert_at(v, "/addResults/0/success", "false");
    assert_at(v, "/addResults/0/error/code", "1003");
    assert_at(v, "/addResults/1/error/code", "1000");
    for (int i = 1; i < 7; i++)
        assert_at(v, arena_printf(wf.ctx.arena, "/addResults/%d/success", i).p, "false");
    assert_at(ask(SERVICES "Add/FeatureServer/156/query?f=json&where=1%3D1&returnCountOnly=true"), "/count", "3");
    v = post(path, "features", mixed, "rollbackOnFailure", "false", NULL);
    assert_at(v, "/addResults/0/objectId", "4");
    assert_at(v, "/addResults/6/success", "false");
    assert_at(ask(SERVICES "Add/FeatureServer/156/query?f=json&where=1%3D1&returnCountOnly=true"), "/count", "4");
    assert_at(ask(SERVICES "Add/FeatureServer/156/4?f=json"), "/feature/attributes/kind", "a"); /* the default */
    assert_at(post(path, "features", "{}", NULL), "/error/code", "400");
    assert_at(post(path, "features", "[", NULL), "/error/code", "400");
    assert_at(post(path, NULL), "/error/code", "400");
    assert_at(post(SERVICES "Add/FeatureServer/9/addFeatures", "features", "[]", NULL), "/error/message", "Invalid URL");
    wf.token = wf.user;
    assert_at(post(path, "features", "[]", NULL), "/error/code", "403");
}

static void querying(void **state)
{
    (void)state;
    create_filled("Q");
#define Q SERVICES "Q/FeatureServer/156/query?f=json&"
    struct json v = ask(Q "where=1%3D1&outFields=*");
    assert_at(v, "/objectIdFieldName", "OBJECTID");
    assert_at(v, "/geometryType", "esriGeometryPoint");
    assert_at(v, "/spatialReference/wkid", "102100");
    assert_at(v, "/features/0/attributes/name", "é 東京 😀");
    assert_at(v, "/features/0/attributes/d", "1706745599123");
    assert_at(v, "/features/0/geometry", "{\"x\":100,\"y\":200}");
    assert_at(v, "/features/1/attributes/name", "null");
    assert_at(v, "/features/1/geometry/x", "111319.49079327357");
    assert_true(json_absent(json_at_pointer(v, STR("/features/2/geometry"))));
    assert_at(v, "/features/2/attributes/name", "\"q\\");
    assert_at(v, "/features/2/attributes/d", "1706659200000");
    assert_true(json_absent(json_get_c(v, "exceededTransferLimit")));
    v = ask(Q "where=n%3E%3D2&outFields=n,KIND&returnGeometry=false&orderByFields=n%20DESC");
    assert_at(v, "/features/0/attributes", "{\"n\":3,\"kind\":\"a\"}");
    assert_at(v, "/fields/1/name", "kind");
    assert_at(v, "/features/1/attributes/n", "2");
    v = ask(Q "where=1%3D1&resultOffset=1&resultRecordCount=1&outFields=n");
    assert_at(v, "/features/0/attributes/n", "2");
    assert_at(v, "/exceededTransferLimit", "true");
    assert_true(json_absent(json_get_c(ask(Q "where=1%3D1&resultOffset=2&resultRecordCount=1"), "exceededTransferLimit")));
    assert_at(ask(Q "where=n%3C3&returnIdsOnly=true&outFields=*"), "/objectIds", "[1,2]");
    assert_at(ask(Q "objectIds=3,1,77&outFields=n"), "/features/1/attributes/n", "3");
    assert_at(ask(Q "where=1%3D1&outFields=kind&returnDistinctValues=true&returnGeometry=false"), "/features/1/attributes/kind",
              "b");
    assert_at(ask(Q "where=1%3D1&outFields=kind&returnDistinctValues=true&returnCountOnly=true"), "/count", "2");
    v = ask(Q "where=1%3D1&returnExtentOnly=true&returnCountOnly=true");
    assert_at(v, "/extent/xmin", "100");
    assert_at(v, "/count", "3");
    assert_at(ask(Q "where=n%3D99&returnExtentOnly=true"), "/extent/xmin", "NaN");
    v = ask(Q "where=1%3D1&outSR=4326&geometryPrecision=3");
    assert_at(v, "/features/1/geometry", "{\"x\":1,\"y\":2}");
    assert_at(v, "/spatialReference/wkid", "4326");
    assert_at(ask(Q "where=d%20%3C%20timestamp%20'2024-01-31%2012:00:00'&returnCountOnly=true"), "/count", "1");
    /* filters */
    assert_at(ask(Q "geometry=99,199,101,201&returnCountOnly=true"), "/count", "1");
    assert_at(ask(Q "geometry=%7B%22xmin%22:0.5,%22ymin%22:1,%22xmax%22:2,%22ymax%22:3%7D&inSR=4326&returnIdsOnly=true"),
              "/objectIds", "[2]");
    assert_at(ask(Q "geometry=100,200&geometryType=esriGeometryPoint&returnIdsOnly=true"), "/objectIds", "[1]");
    assert_at(
        ask(Q "geometry=%7B%22rings%22:[[[0,0],[0,300],[300,300],[0,0]]]%7D&geometryType=esriGeometryPolygon&returnIdsOnly=true"),
        "/objectIds", "[1]");
    assert_at(ask(Q "geometry=%7B%22rings%22:[[[0,0],[0,300],[300,300],[0,0]]]%7D&geometryType=esriGeometryPolygon&"
                    "spatialRel=esriSpatialRelEnvelopeIntersects&returnIdsOnly=true"),
              "/objectIds", "[1]");
    /* refused */
    static const char *const bad[] = {"",
                                      "where=no_such_field%20%3D%201%20AND",
                                      "where=1%3D1;%20DROP%20TABLE%20x",
                                      "where=1%3D1&outFields=nope",
                                      "where=1%3D1&orderByFields=nope",
                                      "where=1%3D1&outStatistics=[]",
                                      "where=1%3D1&outSR=abc",
                                      "where=1%3D1&outSR=999999",
                                      "where=1%3D1&time=1,2",
                                      "where=1%3D1&resultOffset=-1",
                                      "where=1%3D1&geometryPrecision=99",
                                      "where=1%3D1&quantizationParameters=%7B%22mode%22:1%7D",
                                      "where=1%3D1&quantizationParameters=7",
                                      "objectIds=1,x",
                                      "geometry=1,2,3",
                                      "geometry=1,2&spatialRel=esriSpatialRelContains",
                                      "geometry=1,2&geometryType=what"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        v = ask(arena_printf(wf.ctx.arena, Q "%s", bad[i]).p);
        if (!str_eq(at(v, "/error/code"), STR("400")))
            fail_msg("%s: %.*s", bad[i], STR_FMT(wf.answer.body));
    }
    assert_at(ask(SERVICES "Q/FeatureServer/156/query?f=pbf&where=1%3D1%20AND"), "/error/code", "400");
    assert_at(ask(SERVICES "Q/FeatureServer/156?f=pbf"), "/error/code", "400");
    ask(SERVICES "Q/FeatureServer/156/query");
    assert_true(str_starts(wf.answer.body, STR("<!doctype html>")));
    assert_at(ask(SERVICES "Q/FeatureServer/3/query?f=json&where=1%3D1"), "/features", "[]");
    assert_at(ask(SERVICES "Q/FeatureServer/156/99?f=json"), "/error/code", "400");
}

static void geojson(void **state)
{
    (void)state;
    create_filled("G");
    struct json v = ask(SERVICES "G/FeatureServer/156/query?f=geojson&where=1%3D1&outFields=n&resultRecordCount=2");
    assert_at(v, "/type", "FeatureCollection");
    assert_at(v, "/crs/properties/name", "EPSG:4326");
    assert_at(v, "/features/1/id", "2");
    assert_at(v, "/features/1/properties/n", "2");
    assert_at(v, "/features/0/geometry/type", "Point");
    assert_at(v, "/exceededTransferLimit", "true");
    assert_at(v, "/properties/exceededTransferLimit", "true");
    v = ask(SERVICES "G/FeatureServer/156/query?f=geojson&where=n%3D3");
    assert_at(v, "/features/0/geometry", "null");
    ask(SERVICES "G/FeatureServer/156/query?f=geojson&where=1%3D1&returnExtentOnly=true");
    assert_true(str_find(wf.answer.body, STR("\"bbox\":["), 0) != SIZE_MAX);
}

/* More than a megabyte, so that it leaves in pieces; every piece has to fit the next one. */
static void large_answers(void **state)
{
    (void)state;
    enum { ROWS = 20000, AT_ONCE = 10000 };
    create_filled("Big");
    struct buf features = BUF_INIT(64 << 20);
    for (int from = 0; from < ROWS; from += AT_ONCE) {
        buf_clear(&features);
        for (int i = from; i < from + AT_ONCE; i++)
            buf_printf(&features, "%s{\"attributes\":{\"n\":%d,\"name\":\"p%d\"},\"geometry\":{\"x\":%d.125,\"y\":%d.5}}",
                       i == from ? "[" : ",", i + 100, i, i, -i);
        buf_add_char(&features, ']');
        struct json v = post(SERVICES "Big/FeatureServer/156/addFeatures", "features", features.p, NULL);
        assert_int_equal(json_count(json_get_c(v, "addResults")), AT_ONCE);
    }
    buf_free(&features);
    static const char *const formats[] = {"json", "pjson", "geojson"};
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        struct json v = ask(arena_printf(wf.ctx.arena,
                                         SERVICES "Big/FeatureServer/156/query?f=%s&where=n%%3E%%3D100&outFields=*&outSR=102100"
                                                  "&resultRecordCount=19999",
                                         formats[f])
                                .p);
        assert_true(wf.answer.body.n > 2 << 20);
        assert_at(v, "/exceededTransferLimit", "true");
        struct json list = json_get_c(v, "features"), feature;
        assert_int_equal(json_count(list), ROWS - 1);
        int64_t i = 0, n;
        for (struct json_iter it = json_each(list); json_next(&it, NULL, &feature); i++) {
            assert_true(json_int(json_get_c(json_get_c(feature, f == 2 ? "properties" : "attributes"), "n"), &n));
            assert_int_equal(n, i + 100);
        }
    }
    struct json v = ask(SERVICES "Big/FeatureServer/156/query?f=json&where=1%3D1&returnIdsOnly=true");
    assert_int_equal(json_count(json_get_c(v, "objectIds")), ROWS + 3);
}

/* Latitudes that Mercator has no place for are kept at its edge. */
static void poles(void **state)
{
    (void)state;
    assert_at(post("/sharing/rest/content/users/admin/createService", "createParameters",
                   "{\"name\":\"Poles\",\"capabilities\":\"Query,Create\",\"spatialReference\":{\"wkid\":4326}}", NULL),
              "/success", "true");
    post(ADMIN "Poles/FeatureServer/addToDefinition", "addToDefinition",
         "{\"layers\":[{\"name\":\"a\",\"geometryType\":\"esriGeometryPolygon\",\"fields\":[]}]}", NULL);
    assert_at(post(SERVICES "Poles/FeatureServer/0/addFeatures", "features",
                   "[{\"geometry\":{\"rings\":[[[-180,-90],[-180,-60],[180,-60],[180,-90],[-180,-90]]]}}]", NULL),
              "/addResults/0/success", "true");
    struct json v = ask(SERVICES "Poles/FeatureServer/0/query?f=json&where=1%3D1&outSR=102100");
    assert_int_equal(json_count(json_at_pointer(v, STR("/features/0/geometry/rings/0"))), 5);
    v = ask(SERVICES "Poles/FeatureServer/0/query?f=json&where=1%3D1");
    assert_at(v, "/features/0/geometry/rings/0/0", "[-180,-90]");
}

static struct json attach(const char *path, const char *file_name, str bytes)
{
    const struct http_part parts[] = {
        {.name = STR("f"), .value = STR("json")},
        {.name = STR("attachment"), .filename = str_c(file_name), .content_type = STR("image/png"), .value = bytes},
    };
    struct http_call call = {.url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), path),
                             .method = HTTP_POST,
                             .parts = parts,
                             .part_count = COUNT_OF(parts)};
    return call_http(&call);
}

static void attachments(void **state)
{
    (void)state;
    create_filled("Att");
    struct json v = attach(SERVICES "Att/FeatureServer/156/1/addAttachment", "é.png", STR("0123456789"));
    assert_at(v, "/addAttachmentResult/objectId", "1");
    assert_at(v, "/addAttachmentResult/success", "true");
    assert_at(attach(SERVICES "Att/FeatureServer/156/3/addAttachment", "b.png", STR("x")), "/addAttachmentResult/objectId", "2");
    v = ask(SERVICES "Att/FeatureServer/156/1/attachments?f=json");
    assert_at(v, "/attachmentInfos/0/name", "é.png");
    assert_at(v, "/attachmentInfos/0/size", "10");
    assert_at(v, "/attachmentInfos/0/contentType", "image/png");
    assert_true(str_eq(at(v, "/attachmentInfos/0/parentGlobalId"),
                       at(ask(SERVICES "Att/FeatureServer/156/1?f=json"), "/feature/attributes/GlobalID")));
    ask(SERVICES "Att/FeatureServer/156/1/attachments/1");
    assert_str(wf.answer.body, "0123456789");
    struct http_call call = {
        .url = arena_printf(wf.ctx.arena, "%.*s" SERVICES "Att/FeatureServer/156/1/attachments/1", STR_FMT(wf.base))};
    http_headers_add(wf.ctx.arena, &call.headers, STR("Range"), STR("bytes=2-4"));
    call_http(&call);
    assert_int_equal(wf.answer.status, 206);
    assert_str(wf.answer.body, "234");
    assert_at(ask(SERVICES "Att/FeatureServer/156/2/attachments/1?f=json"), "/error/code", "400"); /* of another feature */
    assert_at(ask(SERVICES "Att/FeatureServer/156/99/attachments?f=json"), "/error/code", "400");
    assert_at(attach(SERVICES "Att/FeatureServer/156/99/addAttachment", "a.png", STR("x")), "/error/code", "400");
    assert_at(attach(SERVICES "Att/FeatureServer/3/1/addAttachment", "a.png", STR("x")), "/error/code", "400"); /* takes none */
    v = post(SERVICES "Att/FeatureServer/156/queryAttachments", "objectIds", "1,2,3", "returnUrl", "true", NULL);
    assert_int_equal(json_count(json_get_c(v, "attachmentGroups")), 2);
    assert_at(v, "/attachmentGroups/1/parentObjectId", "3");
    assert_true(str_ends(at(v, "/attachmentGroups/1/attachmentInfos/0/url"), STR("/Att/FeatureServer/156/3/attachments/2")));
    v = post(SERVICES "Att/FeatureServer/156/queryAttachments", "definitionExpression", "n=3", "returnCountOnly", "true", NULL);
    assert_int_equal(json_count(json_get_c(v, "attachmentGroups")), 1);
    assert_at(v, "/attachmentGroups/0/count", "1");
    wf.token = wf.user;
    assert_at(ask(SERVICES "Att/FeatureServer/156/1/attachments/1?f=json"), "/error/code", "403");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, web_fixture_open, web_fixture_close)
    const struct CMUnitTest tests[] = {TEST(the_directory),        TEST(creating), TEST(definitions), TEST(relationships),
                                       TEST(updating_definitions), TEST(adding),   TEST(querying),    TEST(geojson),
                                       TEST(large_answers),        TEST(poles),    TEST(attachments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
