/* Parameter declarations, and values that are not what was declared. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "model/errors.h"
#include "web/web.h"

static struct ctx ctx;
static struct route route;
static struct form form;
static struct call call;

static int open_call(void **state)
{
    (void)state;
    ctx_open(&ctx);
    form = FORM_INIT(100, 1 << 20, 1 << 20);
    route = (struct route){.params = ""};
    call = (struct call){.route = &route, .form = &form};
    return 0;
}

static int close_call(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

static void give(const char *params, const char *query)
{
    form = FORM_INIT(100, 1 << 20, 1 << 20);
    route.params = params;
    assert_int_equal(form_parse(&ctx, &form, str_c(query)), RC_OK);
}

static void declarations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *otherwise; /* NULL: none */
        enum param_type type;
        bool required;
    } WANTED[] = {{"a", NULL, PARAM_TEXT, false},    {"b", NULL, PARAM_ID, true},      {"c", "5", PARAM_INT, false},
                  {"d", "x:y", PARAM_TEXT, false},   {"e", "", PARAM_JSON, false},     {"f", NULL, PARAM_FILE, true},
                  {"g", "1.5", PARAM_DOUBLE, false}, {"h", "true", PARAM_BOOL, false}, {"i", NULL, PARAM_CSV, false},
                  {"j", NULL, PARAM_TEXT, true}};
    str rest = STR("  a b!:id c:int=5 d=x:y e:json=   f!:file g:double=1.5 h:bool=true i:csv j!:text ");
    struct param p;
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        assert_true(param_next(&rest, &p));
        assert_true(str_eq(p.name, str_c(WANTED[i].name)));
        assert_true(str_eq(p.otherwise, str_c(WANTED[i].otherwise)));
        assert_int_equal(str_none(p.otherwise), WANTED[i].otherwise == NULL);
        assert_int_equal(p.type, WANTED[i].type);
        assert_int_equal(p.required, WANTED[i].required);
    }
    assert_false(param_next(&rest, &p));
    assert_true(str_empty(rest));
}

static void every_type_refuses_rubbish(void **state)
{
    (void)state;
    static const struct {
        const char *type, *value; /* percent-coded */
        bool fits;
    } VALUE[] = {
        {"int", "0", true},
        {"int", "-9223372036854775808", true},
        {"int", "%209%20", true},
        {"int", "", true}, /* not given */
        {"int", "9223372036854775808", false},
        {"int", "1.0", false},
        {"int", "1e3", false},
        {"int", "0x10", false},
        {"int", "%2B1", false},
        {"int", "--1", false},
        {"int", "one", false},
        {"int", "%20", false},
        {"double", "-1.5e-3", true},
        {"double", "1", true},
        {"double", "NaN", false},
        {"double", "inf", false},
        {"double", "1e999", false},
        {"double", "1,5", false},
        {"double", ".", false},
        {"bool", "true", true},
        {"bool", "FALSE", true},
        {"bool", "1", true},
        {"bool", "0", true},
        {"bool", "yes", false},
        {"bool", "2", false},
        {"bool", "tru", false},
        {"id", "00112233445566778899aabbccddeeff", true},
        {"id", "00112233445566778899AABBCCDDEEFF", true},
        {"id", "%2000112233445566778899aabbccddeeff", true},
        {"id", "00112233445566778899aabbccddeef", false},
        {"id", "00112233445566778899aabbccddeeffa", false},
        {"id", "00112233445566778899aabbccddeefg", false},
        {"id", "..", false},
        {"json", "{\"a\":[1,null]}", true},
        {"json", "1", true},
        {"json", "%20[]%20", true},
        {"json", "{", false},
        {"json", "{'a':1}", false},
        {"json", "[]x", false},
        {"json", "[1,]", false},
        {"csv", ",,a;\"", true},
        {"text", "%3Cscript%3E", true},
        {"file", "a text instead", true},
    };
    for (size_t i = 0; i < COUNT_OF(VALUE); i++) {
        give(arena_printf(ctx.arena, "p:%s", VALUE[i].type).p, arena_printf(ctx.arena, "P=%s", VALUE[i].value).p);
        int rc = params_check(&ctx, &call);
        if ((rc == RC_OK) != VALUE[i].fits)
            fail_msg("%s '%s': %d", VALUE[i].type, VALUE[i].value, rc);
        assert_int_equal(err_is(&ctx, &ERR_PARAMETER), !VALUE[i].fits);
        if (rc != RC_OK)
            assert_non_null(strstr(err_text(&ctx), "'p' has to be "));
        err_clear(&ctx);
    }
}

static void deep_json_is_refused_and_not_followed(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *value = arena_alloc(ctx.arena, DEEP + 3);
    memcpy(value, "p=", 2);
    memset(value + 2, '[', DEEP);
    give("p:json", value);
    assert_int_equal(params_check(&ctx, &call), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_PARAMETER));
}

static void required_parameters(void **state)
{
    (void)state;
    struct upload upload = {.field = STR("File")};
    static const char *const MISSING[] = {"", "q=1", "p=", "p"};
    for (size_t i = 0; i < COUNT_OF(MISSING); i++) {
        give("q:int p!", MISSING[i]);
        assert_int_equal(params_check(&ctx, &call), RC_FAIL);
        assert_string_equal(err_text(&ctx), "'p' is missing.");
        err_clear(&ctx);
    }
    give("p!", "P=x");
    assert_int_equal(params_check(&ctx, &call), RC_OK);
    give("file!:file", "");
    assert_int_equal(params_check(&ctx, &call), RC_FAIL);
    err_clear(&ctx);
    call.uploads = &upload;
    call.upload_count = 1;
    assert_int_equal(params_check(&ctx, &call), RC_OK);
    give("other!:file", "");
    assert_int_equal(params_check(&ctx, &call), RC_FAIL);
}

static void bytes_that_are_no_text_are_refused_even_where_nothing_is_declared(void **state)
{
    (void)state;
    static const struct form_field BAD[] = {
        {STR("x"), STR("a\0b")}, {STR("x"), STR("\xff")}, {STR("\xc3"), STR("")}, {STR("x"), STR("\xed\xa0\x80")}};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct form_field field = BAD[i];
        form = (struct form){.fields = &field, .count = 1};
        assert_int_equal(params_check(&ctx, &call), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_PARAMETER));
        err_clear(&ctx);
    }
}

static void values_and_defaults(void **state)
{
    (void)state;
    id got, *ids;
    size_t count;
    struct json v;
    give("n:int=7 m:int d:double=0.5 yes:bool=true no:bool=false i:id j:json t=word",
         "M=%2012%20&n=&M=13&T=%20a%20&i=00112233445566778899AABBCCDDEEFF&free=1");
    assert_int_equal(params_check(&ctx, &call), RC_OK);
    assert_int_equal(call_int(&call, "n"), 7);
    assert_int_equal(call_int(&call, "m"), 12); /* the first, which is the body's */
    assert_true(call_double(&call, "d") == 0.5);
    assert_true(call_bool(&call, "yes"));
    assert_false(call_bool(&call, "no"));
    assert_true(str_eq(call_param(&call, "t"), STR(" a "))); /* text as it came */
    assert_true(str_none(call_param(&call, "absent")));
    assert_false(call_has(&call, "n"));
    assert_true(call_has(&call, "free"));
    assert_int_equal(call_int(&call, "absent"), 0);
    assert_true(call_id(&call, "i", &got));
    assert_string_equal(got.text, "00112233445566778899aabbccddeeff");
    assert_false(call_id(&call, "m", &got));
    assert_int_equal(call_json(&ctx, &call, "j", &v), RC_OK);
    assert_true(json_is(v, JSON_NONE));
    assert_int_equal(call_ids(&ctx, &call, "j", &ids, &count), RC_OK);
    assert_int_equal(count, 0);
}

static void lists_of_ids(void **state)
{
    (void)state;
    id *ids;
    size_t count;
    give("ids:csv", "ids=,%2000112233445566778899aabbccddeeff,,00112233445566778899AABBCCDDEE00%20,");
    assert_int_equal(call_ids(&ctx, &call, "ids", &ids, &count), RC_OK);
    assert_int_equal(count, 2);
    assert_string_equal(ids[1].text, "00112233445566778899aabbccddee00");
    give("ids:csv", "ids=00112233445566778899aabbccddeeff,nonsense");
    assert_int_equal(call_ids(&ctx, &call, "ids", &ids, &count), RC_FAIL);
    assert_string_equal(err_text(&ctx), "'ids': 'nonsense' is not an id of 32 hexadecimal digits.");
}

static void pieces_of_the_path(void **state)
{
    (void)state;
    id got;
    call.pieces[0] = (struct path_piece){.name = "itemId", .value = STR("00112233445566778899aabbccddeeff")};
    call.pieces[1] = (struct path_piece){.name = "path", .value = STR("a/b")};
    assert_true(str_eq(call_path(&call, "path"), STR("a/b")));
    assert_true(str_empty(call_path(&call, "Path")));
    assert_true(call_path_id(&call, "itemId", &got));
    assert_false(call_path_id(&call, "path", &got));
    assert_false(call_path_id(&call, "absent", &got));
}

static void files_by_field(void **state)
{
    (void)state;
    struct upload uploads[] = {{.field = STR("thumbnail")}, {.field = STR("File")}};
    assert_null(call_file(&call, NULL));
    call.uploads = uploads;
    call.upload_count = 2;
    assert_ptr_equal(call_file(&call, NULL), &uploads[0]);
    assert_ptr_equal(call_file(&call, "file"), &uploads[1]);
    assert_null(call_file(&call, "metadata"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_call, close_call)
    const struct CMUnitTest tests[] = {
        TEST(declarations),
        TEST(every_type_refuses_rubbish),
        TEST(deep_json_is_refused_and_not_followed),
        TEST(required_parameters),
        TEST(bytes_that_are_no_text_are_refused_even_where_nothing_is_declared),
        TEST(values_and_defaults),
        TEST(lists_of_ids),
        TEST(pieces_of_the_path),
        TEST(files_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
