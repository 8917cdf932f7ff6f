/* The organization: its properties by kind, who changes them, what strangers see, resources. */
#include "fixture.h"

#include "service/organization.h"
#include "store/meta_people.h"

static int set(enum who who, enum organization_property p, str value, bool clear)
{
    str given[ORGANIZATION_PROPERTY_COUNT] = {{0}};
    given[p] = value;
    return organization_update(CTX, SITE, &callers[who], given, clear);
}

static str now(enum organization_property p)
{
    struct organization org;
    assert_ok(organization_get(CTX, SITE, &callers[OTHER], &org));
    return org.json[p];
}

static void properties(void **state)
{
    (void)state;
    static const char expected[] = "TFFFF.";
    struct organization org;
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(outcome(set(who, ORGANIZATION_name, STR("Ämter \"\\"), false)), expected[who]);
    assert_str(now(ORGANIZATION_name), "\"Ämter \\\"\\\\\"");
    assert_ok(organization_get(CTX, SITE, &callers[ANONYMOUS], &org));
    assert_int_equal(org.modified, ctx_now(CTX));
    assert_str(org.json[ORGANIZATION_isPortal], "true");
    assert_ok(set(ADMIN, ORGANIZATION_name, STR(""), false)); /* empty is ignored … */
    assert_str(now(ORGANIZATION_name), "\"Ämter \\\"\\\\\"");
    assert_ok(set(ADMIN, ORGANIZATION_name, STR(""), true)); /* … or goes back to the beginning */
    assert_str(now(ORGANIZATION_name), "\"mapferry\"");
    assert_ok(set(ADMIN, ORGANIZATION_isPortal, STR("false"), false)); /* fixed ones stay */
    assert_str(now(ORGANIZATION_isPortal), "true");
    static const struct {
        enum organization_property p;
        const char *good, *json, *bad;
    } rows[] = {
        {ORGANIZATION_units, "English", "\"english\"", "parsec"},
        {ORGANIZATION_useVectorBasemaps, "true", "true", "maybe"},
        {ORGANIZATION_homePageFeaturedContentCount, "12", "12", "-1"},
        {ORGANIZATION_homePageFeaturedContentCount, "0", "0", "x"},
        {ORGANIZATION_helperServices, "{\"geometry\":{\"url\":\"é\"}}", "{\"geometry\":{\"url\":\"é\"}}", "[1]"},
        {ORGANIZATION_rotatorPanels, "[1]", "[1]", "{}"},
        {ORGANIZATION_defaultExtent, "{}", "{}", "{"},
        {ORGANIZATION_access, "public", "\"public\"", "org"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_ok(set(ADMIN, rows[i].p, str_c(rows[i].good), false));
        assert_true(str_eq(now(rows[i].p), str_c(rows[i].json)));
        assert_refused(set(ADMIN, rows[i].p, str_c(rows[i].bad), false), ERR_PARAMETER);
        assert_true(str_eq(now(rows[i].p), str_c(rows[i].json)));
    }
}

static int put(enum who who, str key, str bytes)
{
    struct blob_new *blob = blob_of(bytes);
    int rc = organization_resource_put(CTX, SITE, &callers[who], key, blob, STR("text/plain"));
    blob_new_close(blob);
    return rc;
}

static void resources(void **state)
{
    (void)state;
    static const char expected[] = "TFFFF.";
    struct portal_file *list, file;
    size_t count;
    for (enum who who = 0; who < WHO_COUNT; who++) {
        assert_int_equal(outcome(put(who, STR("a.txt"), STR("one"))), expected[who]);
        assert_int_equal(outcome(organization_resources(CTX, SITE, &callers[who], &list, &count)), '.');
    }
    assert_ok(put(ADMIN, STR("a.txt"), STR("three")));
    assert_ok(organization_resources(CTX, SITE, &callers[OTHER], &list, &count));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].size, 5);
    assert_ok(organization_resource_get(CTX, SITE, &callers[ANONYMOUS], STR("a.txt"), &file));
    static const char *const bad[] = {"", "..", "a/b", "a\nb"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(put(ADMIN, str_c(bad[i]), STR("x")), ERR_PARAMETER);
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(outcome(organization_resource_remove(CTX, SITE, &callers[who], STR("a.txt"))), expected[who]);
    assert_refused(organization_resource_remove(CTX, SITE, &callers[ADMIN], STR("a.txt")), ERR_USER_FILE_MISSING);
    assert_refused(organization_resource_get(CTX, SITE, &callers[ADMIN], STR("a.txt"), &file), ERR_USER_FILE_MISSING);
}

static void not_for_strangers(void **state)
{
    (void)state;
    struct organization org;
    struct portal_file *list, file;
    size_t count;
    assert_ok(put(ADMIN, STR("a.txt"), STR("one")));
    assert_ok(set(ADMIN, ORGANIZATION_access, STR("private"), false));
    assert_refused(organization_get(CTX, SITE, &callers[ANONYMOUS], &org), ERR_TOKEN_REQUIRED);
    assert_refused(organization_resources(CTX, SITE, &callers[ANONYMOUS], &list, &count), ERR_TOKEN_REQUIRED);
    assert_refused(organization_resource_get(CTX, SITE, &callers[ANONYMOUS], STR("a.txt"), &file), ERR_TOKEN_REQUIRED);
    assert_ok(organization_resource_get(CTX, SITE, &callers[VIEWER], STR("a.txt"), &file));
    assert_ok(set(ADMIN, ORGANIZATION_access, STR(""), true));
    assert_ok(organization_get(CTX, SITE, &callers[ANONYMOUS], &org));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(properties), TEST(resources), TEST(not_for_strangers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
