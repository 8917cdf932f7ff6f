/* model/domain: what is in a domain, of a field and of a type. */
#include "model/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char DEFINITION[] =
    "{\"tables\":[{\"id\":0,\"name\":\"t\",\"typeIdField\":\"kind\",\"fields\":[{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"},"
    "{\"name\":\"kind\",\"type\":\"esriFieldTypeInteger\"},"
    "{\"name\":\"share\",\"type\":\"esriFieldTypeDouble\",\"domain\":{\"type\":\"range\",\"name\":\"r\",\"range\":[0,100]}},"
    "{\"name\":\"code\",\"type\":\"esriFieldTypeString\",\"domain\":{\"type\":\"codedValue\",\"name\":\"c\",\"codedValues\":["
    "{\"name\":\"A\",\"code\":\"a\"},{\"name\":\"B\",\"code\":\"b\"}]}}],"
    "\"types\":[{\"id\":1,\"domains\":{\"share\":{\"type\":\"range\",\"name\":\"n\",\"range\":[1,2]},"
    "\"code\":{\"type\":\"inherited\"}}},{\"id\":2,\"domains\":{\"SHARE\":null}}]}]}";

static struct ctx ctx;

static int open_ctx(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int close_ctx(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

#define DOUBLE(v) (&(struct value){.kind = VALUE_DOUBLE, .d = (v)})
#define INT(v) (&(struct value){.kind = VALUE_INT, .i = (v)})
#define TEXT(v) (&(struct value){.kind = VALUE_TEXT, .s = STR(v)})
#define NOTHING (&(struct value){.kind = VALUE_NULL})

static void of_fields_and_types(void **state)
{
    (void)state;
    struct service s;
    struct layer_domains d;
    assert_int_equal(service_parse(&ctx, str_c(DEFINITION), &s), RC_OK);
    assert_int_equal(domain_layer_parse(&ctx, &s.layers[0], &d), RC_OK);
    assert_int_equal(d.type_field, 1);
    const struct domain *share = domain_of(&d, 2, NULL), *code = domain_of(&d, 3, INT(1));
    assert_true(domain_has(share, DOUBLE(0)) && domain_has(share, DOUBLE(100)) && domain_has(share, NOTHING));
    assert_false(domain_has(share, DOUBLE(-0.1)) || domain_has(share, DOUBLE(100.1)));
    assert_true(domain_has(code, TEXT("b")));
    assert_false(domain_has(code, TEXT("B")) || domain_has(code, TEXT("")));
    assert_true(domain_has(domain_of(&d, 2, INT(1)), DOUBLE(1.5)));
    assert_false(domain_has(domain_of(&d, 2, INT(1)), DOUBLE(50)));
    assert_true(domain_has(domain_of(&d, 2, INT(2)), DOUBLE(5000))); /* this type frees the field */
    assert_ptr_equal(domain_of(&d, 2, INT(3)), share);
    assert_true(domain_has(domain_of(&d, 1, NULL), INT(77)));
}

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"type\":\"list\"}",
        "5",
        "{\"type\":\"range\",\"range\":[2,1]}",
        "{\"type\":\"range\",\"range\":[1]}",
        "{\"type\":\"range\"}",
        "{\"type\":\"codedValue\",\"codedValues\":{}}",
        "{\"type\":\"codedValue\",\"codedValues\":[{\"name\":\"x\",\"code\":1.5}]}",
    };
    const struct field f = {.name = STR("n"), .type = FIELD_INTEGER};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct json v;
        struct domain d;
        assert_int_equal(json_parse(&ctx, str_c(bad[i]), &v), RC_OK);
        assert_int_equal(domain_parse(&ctx, v, &f, &d), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_INVALID) && strstr(err_text(&ctx), "'n'"));
        err_clear(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_fields_and_types, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(refused, open_ctx, close_ctx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
