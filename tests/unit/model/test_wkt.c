/* model/geometry/wkt: every form that a layer's geometry has, as text. */
#include "model/geometry/wkt.h"
#include "model/geometry/esri_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void prints(const char *json, struct wkb_form form, const char *expected)
{
    struct ctx ctx;
    struct json v;
    CLEANUP(buf_free) struct buf wkb = BUF_INIT(1 << 20);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    ctx_open(&ctx);
    assert_int_equal(json_parse(&ctx, str_c(json), &v), RC_OK);
    assert_int_equal(esri_json_parse(&ctx, v, &form, &wkb), RC_OK);
    assert_int_equal(wkt_put(&ctx, &text, buf_str(&wkb)), RC_OK);
    assert_string_equal(text.p, expected);
    ctx_close(&ctx);
}

static void every_form(void **state)
{
    (void)state;
    prints("{\"x\":1.5,\"y\":-2}", (struct wkb_form){.type = GEOMETRY_POINT}, "POINT (1.5 -2)");
    prints("{\"x\":1,\"y\":2,\"z\":3,\"m\":4}", (struct wkb_form){.type = GEOMETRY_POINT, .has_z = true, .has_m = true},
           "POINT ZM (1 2 3 4)");
    prints("{\"points\":[[1,2],[3,4]]}", (struct wkb_form){.type = GEOMETRY_MULTIPOINT, .multi = true},
           "MULTIPOINT ((1 2),(3 4))");
    prints("{\"paths\":[[[0,0],[1,1]],[[2,2],[3,3]]]}", (struct wkb_form){.type = GEOMETRY_POLYLINE, .multi = true},
           "MULTILINESTRING ((0 0,1 1),(2 2,3 3))");
    prints("{\"rings\":[[[0,0],[0,9],[9,9],[0,0]],[[20,0],[20,9],[29,9],[20,0]]]}",
           (struct wkb_form){.type = GEOMETRY_POLYGON, .multi = true},
           "MULTIPOLYGON (((0 0,9 9,0 9,0 0)),((20 0,29 9,20 9,20 0)))");
    prints("{\"paths\":[]}", (struct wkb_form){.type = GEOMETRY_POLYLINE, .multi = true}, "MULTILINESTRING EMPTY");
}

static void damaged_bytes(void **state)
{
    (void)state;
    struct ctx ctx;
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    ctx_open(&ctx);
    assert_int_equal(wkt_put(&ctx, &text, STR("\1\1\0\0\0abc")), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_form), cmocka_unit_test(damaged_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
