/* model/refs_redact: what is cut, what must survive. */
#include "model/refs.h"
#include "model_test.h"

static const struct {
    const char *in, *out; /* out NULL: unchanged */
    const char *pointers[4];
} rows[] = {
    /* stored credentials of layers and items */
    {"{\"operationalLayers\":[{\"url\":\"http://a/x\", \"serviceUsername\":\"u\", \"servicePassword\":\"p\",\"id\":1}]}",
     "{\"operationalLayers\":[{\"url\":\"http://a/x\", \"id\":1}]}",
     {"/operationalLayers/0/serviceUsername", "/operationalLayers/0/servicePassword"}},
    {"{\"serviceProxyParams\":{\"referers\":[\"x\"]},\"a\":1}", "{\"a\":1}", {"/serviceProxyParams"}},
    {"{\"url\":\"x\",\"token\":\"abc\"}", "{\"url\":\"x\"}", {"/token"}},
    {"{\"token\":\"abc\",\"url\":\"x\"}", "{\"url\":\"x\"}", {"/token"}},
    {"{\"values\":{\"title\":\"t\",\"password\":\"p\"}}", "{\"values\":{\"title\":\"t\"}}", {"/values/password"}},
    {"{\"properties\":{\"Credentials\":{\"Username\":\"u\",\"Password\":\"p\"}}}",
     "{\"properties\":{\"Credentials\":{\"Username\":\"u\"}}}",
     {"/properties/Credentials/Password"}},
    {"{\"dataSources\":{\"d\":{\"itemId\":\"x\",\"apiKey\":\"k\"}}}",
     "{\"dataSources\":{\"d\":{\"itemId\":\"x\"}}}",
     {"/dataSources/d/apiKey"}},
    /* in JSON inside a string */
    {"{\"config\":\"{\\\"url\\\":\\\"x\\\",\\\"token\\\":\\\"t\\\"}\"}",
     "{\"config\":\"{\\\"url\\\":\\\"x\\\"}\"}",
     {"/config/token"}},
    /* token parameters of URLs */
    {"{\"u\":\"http://a/x?token=abc&f=json\"}", "{\"u\":\"http://a/x?f=json\"}", {"/u"}},
    {"{\"u\":\"http://a/x?f=json&token=abc\"}", "{\"u\":\"http://a/x?f=json\"}", {"/u"}},
    {"{\"u\":\"http://a/x?token=abc\"}", "{\"u\":\"http://a/x\"}", {"/u"}},
    {"{\"u\":\"http://a/x?token=abc#top\"}", "{\"u\":\"http://a/x#top\"}", {"/u"}},
    {"{\"u\":\"http://a/x?token=a&token=b&access_token=c&x=1\"}", "{\"u\":\"http://a/x?x=1\"}", {"/u"}},
    {"{\"u\":\"http://a/?x=1&token=a&y=2 and http://b?TOKEN=c\"}", "{\"u\":\"http://a/?x=1&y=2 and http://b\"}", {"/u", "/u"}},
    {"{\"u\":\"u=http%3A%2F%2Fa%3Ftoken%3Dabc%26f%3Djson\"}", "{\"u\":\"u=http%3A%2F%2Fa%3Ff%3Djson\"}", {"/u"}},
    {"{\"u\":\"http:\\/\\/a?x=1\\u0026token=abc\"}", "{\"u\":\"http:\\/\\/a?x=1\"}", {"/u"}},
    {"<a href=\"http://a?x=1&amp;token=abc\">x</a>", "<a href=\"http://a?x=1\">x</a>", {""}},
    {"http://a/x?token=abc", "http://a/x", {""}},
    /* what only looks like one */
    {"{\"fields\":[{\"name\":\"token\",\"alias\":\"password\",\"type\":\"esriFieldTypeString\"}],\"url\":\"x\"}", NULL, {NULL}},
    {"{\"url\":\"x\",\"popupInfo\":{\"fieldInfos\":[{\"fieldName\":\"servicePassword\",\"label\":\"token\"}]}}", NULL, {NULL}},
    {"{\"url\":\"x\",\"featureSet\":{\"features\":[{\"attributes\":{\"url\":\"u\",\"token\":\"42\",\"servicePassword\":\"p\"}}]}"
     "}",
     NULL,
     {NULL}},
    {"{\"features\":[{\"type\":\"Feature\",\"geometry\":null,\"properties\":{\"url\":\"u\",\"password\":\"p\"}}]}", NULL, {NULL}},
    {"{\"i18n\":{\"de\":{\"url\":\"Adresse\",\"password\":\"Kennwort\"}}}", NULL, {NULL}},
    {"{\"theme\":{\"token\":\"primary\"}}", NULL, {NULL}},
    {"{\"url\":\"x\",\"token\":\"\",\"password\":null,\"serviceUsername\":\"\",\"servicePassword\":null}", NULL, {NULL}},
    {"{\"u\":\"http://a/x?token={token}&y=${x}&mytoken=5&tokens=7 token=8\"}", NULL, {NULL}},
    {"{\"u\":\"http://a/x?token=&y=1\"}", NULL, {NULL}},
    {"not json, token of thanks", NULL, {NULL}},
    {"", NULL, {NULL}},
    {"\xff?token=abc", NULL, {NULL}},
    {"[\"{\",\"[\",\"{}\",\"[]\"]", NULL, {NULL}},
};

static void cuts_and_keeps(void **state)
{
    struct ctx *ctx = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ref_list found = {0};
        str in = str_c(rows[i].in), out;
        assert_int_equal(refs_redact(ctx, REF_DATA, STR("data"), in, &out, &found), RC_OK);
        assert_str(out, rows[i].out ? str_c(rows[i].out) : in);
        if (rows[i].out == NULL)
            assert_ptr_equal(out.p, in.p);
        size_t count = 0;
        for (; count < COUNT_OF(rows[i].pointers) && rows[i].pointers[count]; count++) {
            assert_true(count < found.count);
            assert_str(found.list[count].pointer, str_c(rows[i].pointers[count]));
            assert_int_equal(found.list[count].outcome, REF_SECRET);
            assert_str(found.list[count].value, STR(""));
            assert_str(found.list[count].name, STR("data"));
        }
        assert_int_equal(found.count, count);
        /* Nothing more to cut, and without a list as well. */
        str again;
        assert_int_equal(refs_redact(ctx, REF_DATA, STR("data"), out, &again, NULL), RC_OK);
        assert_str(again, out);
    }
}

/* The label files of apps lie at the root of a resource. */
static void labels_in_resources(void **state)
{
    struct ctx *ctx = *state;
    str in = STR("{\"password\":\"Kennwort\",\"token\":\"Marke\"}"), out;
    assert_int_equal(refs_redact(ctx, REF_RESOURCE, STR("de.json"), in, &out, NULL), RC_OK);
    assert_str(out, in);
    assert_int_equal(refs_redact(ctx, REF_DATA, STR(""), in, &out, NULL), RC_OK);
    assert_str(out, STR("{}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(cuts_and_keeps), TEST(labels_in_resources)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
