/* model/layer: what a service definition gives, and which definitions are refused. */
#include "model/layer.h"

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

#define OID "{\"name\":\"OBJECTID\",\"type\":\"esriFieldTypeOID\",\"alias\":null}"
#define LAYER(id, name, more)                                                                                                    \
    "{\"id\":" id ",\"name\":\"" name "\",\"geometryType\":\"esriGeometryPolygon\",\"fields\":[" OID "]" more "}"

static void parses(void **state)
{
    struct ctx *ctx = *state;
    static const char TEXT[] =
        "{\"name\":\"Parks\",\"maxRecordCount\":500,\"capabilities\":\"Query,Editing\",\"spatialReference\":{\"wkid\":25832},"
        "\"layers\":[{\"id\":156,\"name\":\"Trees\",\"type\":\"Feature "
        "Layer\",\"geometryType\":\"esriGeometryPoint\",\"hasZ\":true,"
        "\"displayField\":\"name\",\"hasAttachments\":true,\"extent\":{\"spatialReference\":{\"wkid\":102100,\"latestWkid\":3857}"
        "},"
        "\"fields\":[" OID ",{\"name\":\"Shape\",\"type\":\"esriFieldTypeGeometry\"},"
        "{\"name\":\"name\",\"alias\":\"The "
        "name\",\"type\":\"esriFieldTypeString\",\"length\":50,\"nullable\":false,\"editable\":false,"
        "\"domain\":{\"type\":\"codedValue\"},\"defaultValue\":\"x\"},{\"name\":\"gid\",\"type\":\"esriFieldTypeGlobalID\"}],"
        "\"relationships\":[{\"id\":4,\"name\":\"has\",\"relatedTableId\":7,\"cardinality\":\"esriRelCardinalityOneToMany\","
        "\"role\":\"esriRelRoleOrigin\",\"keyField\":\"GID\",\"composite\":true}]}," LAYER(
            "0", "Areas", "") "],"
                              "\"tables\":[{\"id\":7,\"name\":\"Notes\",\"type\":\"Table\",\"fields\":[" OID "]}]}";
    struct service s;
    assert_int_equal(service_parse(ctx, str_c(TEXT), &s), RC_OK);
    assert_true(str_eq(s.name, STR("Parks")) && str_eq(s.capabilities, STR("Query,Editing")));
    assert_int_equal(s.max_record_count, 500);
    assert_int_equal(s.layer_count, 3);
    assert_int_equal(s.layers[0].id, 0);
    assert_int_equal(s.layers[1].id, 7);
    assert_int_equal(s.layers[2].id, 156);
    const struct layer *trees = service_layer(&s, 156);
    assert_true(trees && trees->has_z && !trees->has_m && trees->has_attachments && !trees->is_table);
    assert_int_equal(trees->geometry, GEOMETRY_POINT);
    assert_int_equal(trees->wkid, 102100);
    assert_int_equal(trees->latest_wkid, 3857);
    assert_int_equal(trees->field_count, 3);
    assert_int_equal(trees->oid_field, 0);
    assert_int_equal(trees->globalid_field, 2);
    size_t index;
    const struct field *f = layer_field(trees, STR("NAME"), &index);
    assert_non_null(f);
    assert_int_equal(index, 1);
    assert_true(str_eq(f->alias, STR("The name")) && f->length == 50 && !f->nullable && !f->editable);
    assert_true(str_eq(f->domain, STR("{\"type\":\"codedValue\"}")) && str_eq(f->default_value, STR("\"x\"")));
    assert_true(str_eq(trees->fields[0].alias, STR("OBJECTID")));
    assert_null(layer_field(trees, STR("Shape"), NULL));
    assert_int_equal(trees->relation_count, 1);
    assert_true(trees->relations[0].origin && trees->relations[0].composite && trees->relations[0].related_layer == 7);
    assert_int_equal(trees->relations[0].cardinality, RELATION_ONE_TO_MANY);
    assert_true(s.layers[1].is_table && s.layers[1].geometry == GEOMETRY_NONE && s.layers[1].globalid_field == SIZE_MAX);
    assert_int_equal(s.layers[0].wkid, 25832); /* the service's */
    assert_int_equal(s.layers[0].latest_wkid, 25832);
    assert_null(service_layer(&s, 1));
}

static void names_of_types(void **state)
{
    (void)state;
    for (int t = 0; t < FIELD_TYPE_COUNT; t++) {
        enum field_type back;
        assert_true(field_type_parse(str_c(field_type_name((enum field_type)t)), &back));
        assert_int_equal(back, t);
    }
    for (int t = GEOMETRY_NONE; t <= GEOMETRY_POLYGON; t++) {
        enum geometry_type back;
        assert_true(geometry_type_parse(str_c(geometry_type_name((enum geometry_type)t)), &back));
        assert_int_equal(back, t);
    }
    enum field_type f;
    enum geometry_type g;
    assert_false(field_type_parse(STR("esriFieldTypeRaster"), &f));
    assert_false(field_type_parse(STR("esrifieldtypeoid"), &f));
    assert_false(geometry_type_parse(STR("esriGeometryMultiPatch"), &g));
}

static void refuses(void **state)
{
    struct ctx *ctx = *state;
    static const char *const TEXTS[] = {
        "",
        "[]",
        "{\"layers\":[1]}",
        "{\"layers\":[{}]}",
        "{\"layers\":[" LAYER("-1", "a", "") "]}",
        "{\"layers\":[" LAYER("\"0\"", "a", "") "]}",
        "{\"layers\":[" LAYER("0", "", "") "]}",
        "{\"layers\":[" LAYER("0", "a\\u0000b", "") "]}",
        "{\"layers\":[" LAYER("0", "a", "") "," LAYER("0", "b", "") "]}",
        "{\"layers\":[" LAYER("0", "a", "") "," LAYER("1", "a", "") "]}",
        "{\"layers\":[" LAYER("0", "a", "") "],\"tables\":[" LAYER("0", "b", "") "]}",
        "{\"layers\":[{\"id\":0,\"name\":\"a\",\"geometryType\":\"esriGeometryMultiPatch\",\"fields\":[" OID "]}]}",
        "{\"layers\":[{\"id\":0,\"name\":\"a\",\"fields\":[" OID "]}]}",
        "{\"tables\":[{\"id\":0,\"name\":\"a\",\"fields\":[]}]}",
        "{\"tables\":[{\"id\":0,\"name\":\"a\",\"fields\":[" OID ",{\"name\":\"b\",\"type\":\"esriFieldTypeOID\"}]}]}",
        "{\"tables\":[{\"id\":0,\"name\":\"a\",\"fields\":[" OID ",{\"name\":\"objectid\",\"type\":\"esriFieldTypeString\"}]}]}",
        "{\"tables\":[{\"id\":0,\"name\":\"a\",\"fields\":[" OID ",{\"name\":\"b\",\"type\":\"esriFieldTypeWhat\"}]}]}",
        "{\"tables\":[{\"id\":0,\"name\":\"a\",\"fields\":[" OID ",{\"type\":\"esriFieldTypeString\"}]}]}",
        "{\"layers\":[" LAYER("0", "a",
                              ",\"relationships\":[{\"id\":0,\"relatedTableId\":5,\"cardinality\":\"esriRelCardinalityOneToOne\","
                              "\"keyField\":\"OBJECTID\"}]") "]}",
        "{\"layers\":[" LAYER("0", "a",
                              ",\"relationships\":[{\"id\":0,\"relatedTableId\":0,\"cardinality\":\"esriRelCardinalityOneToOne\","
                              "\"keyField\":\"nothing\"}]") "]}",
        "{\"layers\":[" LAYER("0", "a",
                              ",\"relationships\":[{\"id\":0,\"relatedTableId\":0,\"cardinality\":\"many\","
                              "\"keyField\":\"OBJECTID\"}]") "]}",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct service s;
        if (service_parse(ctx, str_c(TEXTS[i]), &s) != RC_FAIL)
            fail_msg("accepted: %s", TEXTS[i]);
        assert_true(err_is(ctx, &ERR_INVALID));
        err_clear(ctx);
    }
    struct service empty;
    assert_int_equal(service_parse(ctx, STR("{}"), &empty), RC_OK); /* a service before its first layer */
    assert_int_equal(empty.layer_count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ctx, close_ctx)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(parses), TEST(names_of_types), TEST(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
