/* The Sharing API over HTTP: what clients send and what they are answered. Esri's own client does the same in tests/clients. */
#include "web_fixture.h"
#include <stdio.h>

#define REST "/sharing/rest"
#define USERS REST "/content/users/"
#define ITEMS REST "/content/items/"
#define GROUPS REST "/community/groups/"

static const char *path(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *path(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str p = arena_vprintf(wf.ctx.arena, format, args);
    va_end(args);
    return p.p;
}

static const char *text_at(struct json v, const char *pointer) { return arena_cstr(wf.ctx.arena, at(v, pointer)); }

static const char *add(const char *title, const char *text)
{
    struct json v = post(USERS "admin/addItem", "title", title, "type", "Web Map", "tags", "t1,two words", "text", text, NULL);
    assert_at(v, "/success", "true");
    return text_at(v, "/id");
}

static const char *add_group(const char *title, const char *join)
{
    struct json v = post(REST "/community/createGroup", "title", title, "access", "org", "autoJoin", join, NULL);
    assert_at(v, "/success", "true");
    return text_at(v, "/group/id");
}

static struct json send_file(const char *to, const char *field, const char *file_name, str bytes)
{
    const struct http_part parts[] = {
        {.name = STR("f"), .value = STR("json")},
        {.name = STR("title"), .value = STR("file")},
        {.name = STR("type"), .value = STR("CSV")},
        {.name = str_c(field), .filename = str_c(file_name), .content_type = STR("text/csv"), .value = bytes}};
    struct http_call call = {.url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), to),
                             .method = HTTP_POST,
                             .parts = parts,
                             .part_count = COUNT_OF(parts)};
    return call_http(&call);
}

static void discovery(void **state)
{
    (void)state;
    wf.token = STR("");
    struct json v = ask(REST "/info?f=json");
    assert_true(str_eq(at(v, "/owningSystemUrl"), wf.base));
    assert_true(str_ends(at(v, "/authInfo/tokenServicesUrl"), STR(REST "/generateToken")));
    v = ask("/SHARING/Rest/Portals/SELF/?f=json");
    assert_at(v, "/isPortal", "true");
    assert_at(v, "/portalMode", "singletenant");
    assert_at(v, "/supportsOAuth", "false");
    assert_true(json_absent(json_get_c(v, "user")));
    assert_at(ask(REST "/community/self?f=json"), "/error/code", "499");
    assert_at(ask(REST "/portals/another?f=json"), "/error/code", "404");
    wf.token = wf.admin;
    v = ask(path(REST "/portals/%s?f=json", text_at(v, "/id")));
    assert_at(v, "/user/username", "admin");
    assert_at(v, "/user/roleId", ""); /* rest-js: an administrator has none */
    assert_at(ask(REST "/portals/self/isServiceNameAvailable?f=json&name=a_b&type=Feature%20Service"), "/available", "true");
    assert_at(ask(REST "/portals/self/isServiceNameAvailable?f=json&name=a%20b&type=Feature%20Service"), "/available", "false");
    assert_at(ask(REST "/portals/self/servers?f=json"), "/servers/0/serverRole", "HOSTING_SERVER");
}

static void tokens(void **state)
{
    (void)state;
    wf.token = STR("");
    struct json v = post("/sharing/generateToken", "username", "admin", "password", "password-1", NULL);
    const char *token = text_at(v, "/token");
    assert_at(ask(path(REST "/community/self?f=json&token=%s", token)), "/username", "admin");
    assert_at(ask(path("/Sharing/community/self?f=json&token=%s", token)), "/username", "admin");
    assert_non_null(text_at(ask("/sharing?f=json"), "/currentVersion"));
    assert_at(ask("/sharingrest?f=json"), "/error/code", "404");
    assert_at(post(REST "/generateToken", "username", "admin", "password", "wrong", NULL), "/error/details/0",
              "Invalid username or password.");
    assert_at(post(REST "/generateToken", "token", token, "serverUrl", "http://h/server", NULL), "/error/code", "400");
    assert_at(post(REST "/generateToken?Password=x", "username", "admin", "password", "password-1", NULL), "/error/code", "400");
    v = post(REST "/generateToken", "token", token, "serverUrl", "https://127.0.0.1:7443/server/rest/services/x/FeatureServer",
             NULL);
    assert_at(ask(path(REST "/community/self?f=json&token=%s", text_at(v, "/token"))), "/username", "admin");
    assert_at(post(REST "/oauth2/revokeToken/", "auth_token", token, NULL), "/success", "true");
    assert_at(ask(path(REST "/community/self?f=json&token=%s", token)), "/error/code", "498");
}

static void users(void **state)
{
    (void)state;
    static const char create[] = "/portaladmin/security/users/createUser";
    assert_at(post(create, "username", "carla", "password", "password-1", "role", "org_publisher", NULL), "/status", "success");
    assert_at(post(create, "username", "CARLA", "password", "password-1", NULL), "/error/messageCode", "COM_0040");
    struct json v = ask(REST "/community/users/Carla?f=json");
    assert_at(v, "/role", "org_publisher");
    assert_at(ask(path(REST "/community/users/%s?f=json", text_at(v, "/id"))), "/username", "carla");
    assert_at(ask(REST "/community/users/none?f=json"), "/error/messageCode", "COM_0018");
    assert_at(ask(REST "/community/users?f=json&q=username:carla"), "/total", "1");
    assert_at(ask(REST "/portals/self/users?f=json&num=1"), "/nextStart", "2");
    add("a", "{}");
    add("b", "{}");
    assert_at(ask(REST "/community/users/admin/tags?f=json"), "/tags/1/tag", "two words");
    assert_at(ask(REST "/community/users/admin/tags?f=json"), "/tags/1/count", "2");
    wf.token = wf.user;
    assert_at(ask(REST "/community/users/admin/tags?f=json"), "/error/code", "403");
    assert_at(post(create, "username", "x", "password", "password-1", NULL), "/error/code", "403");
}

static void items_by_text(void **state)
{
    (void)state;
    const char *item = add("é 東京", "{\"k\":\"\\u00e9\"}");
    struct json v = ask(path(ITEMS "%s?f=json", item));
    assert_at(v, "/title", "é 東京");
    assert_at(v, "/tags/1", "two words");
    assert_at(v, "/itemControl", "admin");
    ask(path(ITEMS "%s/data?f=json", item));
    assert_str(wf.answer.body, "{\"k\":\"\\u00e9\"}"); /* as it was sent */
    const char *update = path(USERS "admin/items/%s/update", item);
    assert_true(str_eq(at(post(update, "snippet", "s", "text", "[]", NULL), "/id"), str_c(item)));
    v = ask(path(ITEMS "%s?f=json", item));
    assert_at(v, "/snippet", "s");
    assert_at(v, "/size", "2");
    assert_at(post(update, "snippet", "", "clearEmptyFields", "true", NULL), "/success", "true");
    assert_at(ask(path(ITEMS "%s?f=json", item)), "/snippet", "null");
    assert_at(post(path(USERS "admin/items/%s/protect", item), NULL), "/success", "true");
    assert_at(post(path(USERS "admin/items/%s/delete", item), NULL), "/error/messageCode", "CONT_0048");
    assert_at(post(path(USERS "admin/items/%s/unprotect", item), NULL), "/success", "true");
    assert_at(post(path(USERS "admin/items/%s/delete", item), NULL), "/success", "true");
    assert_at(ask(path(ITEMS "%s?f=json", item)), "/error/messageCode", "CONT_0001");
}

static void items_by_file(void **state)
{
    (void)state;
    struct json v = post(USERS "admin/createFolder", "title", "F", NULL);
    const char *folder = text_at(v, "/folder/id");
    assert_at(post(USERS "admin/createFolder", "title", "F", NULL), "/error/details/0", "Folder title 'F' not available.");
    v = send_file(path(USERS "admin/%s/addItem", folder), "file", "ünï.csv", STR("0123456789"));
    assert_true(str_eq(at(v, "/folder"), str_c(folder)));
    const char *item = text_at(v, "/id");
    assert_at(ask(path(ITEMS "%s?f=json", item)), "/name", "ünï.csv");
    assert_at(send_file(path(USERS "admin/%s/addItem", folder), "file", "ünï.csv", STR("x")), "/error/messageCode", "CONT_0027");
    struct http_call call = {.url = arena_printf(wf.ctx.arena, "%.*s" ITEMS "%s/data", STR_FMT(wf.base), item)};
    http_headers_add(wf.ctx.arena, &call.headers, STR("Range"), STR("bytes=2-4"));
    call_http(&call);
    assert_int_equal(wf.answer.status, 206);
    assert_str(wf.answer.body, "234");
    v = ask(path(USERS "admin/%s?f=json", folder));
    assert_at(v, "/currentFolder/title", "F");
    assert_true(str_eq(at(v, "/items/0/id"), str_c(item)));
    assert_at(post(path(USERS "admin/%s/items/%s/move", folder, item), "folder", "/", NULL), "/success", "true");
    assert_at(ask(path(USERS "admin/%s?f=json", folder)), "/total", "0");
    assert_at(post(path(USERS "admin/%s/delete", folder), NULL), "/folder/title", "F");
    assert_at(ask(path(ITEMS "%s?f=json", item)), "/type", "CSV"); /* it was not in the folder any more */
    assert_at(post(USERS "admin/addItem", "title", "x", NULL), "/error/message", "'type' and 'title' property required.");
    assert_at(post(USERS "admin/addItem", "title", "x", "type", "CSV", "multipart", "true", NULL), "/error/code", "400");
    assert_at(post(USERS "admin/addItem", "title", "x", "type", "CSV", "dataUrl", "http://127.0.0.1:1/x", NULL), "/error/code",
              "400");
}

/* Whose the item is decides, whatever the path says. */
static void other_peoples_items(void **state)
{
    (void)state;
    const char *item = add("private", "{}");
    assert_at(post(path(USERS "user/items/%s/update", item), "title", "x", NULL), "/error/messageCode", "CONT_0005");
    wf.token = wf.user;
    assert_at(ask(path(ITEMS "%s?f=json", item)), "/error/code", "403");
    assert_at(post(path(USERS "admin/items/%s/update", item), "title", "x", NULL), "/error/code", "403");
    assert_at(post(path(USERS "user/items/%s/delete", item), NULL), "/error/code", "403");
    assert_at(post(USERS "user/deleteItems", "items", item, NULL), "/results/0/error/code", "403");
    assert_at(post(USERS "user/moveItems", "items", item, "folder", "/", NULL), "/results/0/success", "false");
    assert_at(ask(USERS "admin?f=json"), "/error/code", "403");
    assert_at(ask(REST "/search?f=json&q=title:private"), "/total", "0");
    wf.token = STR("");
    assert_at(ask(path(ITEMS "%s/data?f=json", item)), "/error/code", "499");
    wf.token = wf.admin;
    assert_at(ask(path(ITEMS "%s?f=json", item)), "/title", "private");
}

static void resources(void **state)
{
    (void)state;
    const char *item = add("parts", "{}");
    const char *base = path(USERS "admin/items/%s", item);
    assert_at(post(path("%s/addResources", base), "fileName", "c.json", "resourcesPrefix", "a/b", "text", "{}", NULL), "/success",
              "true");
    assert_at(send_file(path("%s/addResources", base), "file", "x.csv", STR("a,b")), "/success", "true");
    assert_at(send_file(path("%s/addResources", base), "file", "x.csv", STR("a,b")), "/error/code", "400"); /* there already */
    assert_at(send_file(path("%s/addResources", base), "file", "../x.csv", STR("a,b")), "/error/code", "400");
    assert_at(post(path("%s/addResources", base), "text", "no name", NULL), "/error/details/0",
              "'fileName' is missing: 'text' needs a name.");
    struct json v = ask(path(ITEMS "%s/resources?f=json&num=1", item));
    assert_at(v, "/total", "2");
    assert_at(v, "/nextStart", "2");
    assert_at(v, "/resources/0/resource", "a/b/c.json");
    assert_at(ask(path(ITEMS "%s/resources?f=json&num=1000&start=2", item)), "/resources/0/resource", "x.csv");
    ask(path(ITEMS "%s/resources/a/b/c.json", item));
    assert_str(wf.answer.body, "{}");
    assert_at(post(path("%s/updateResources", base), "fileName", "none.json", "text", "{}", NULL), "/error/messageCode",
              "CONT_0093");
    assert_at(post(path("%s/updateResources", base), "fileName", "c.json", "resourcesPrefix", "a/b", "text", "[1]", NULL),
              "/success", "true");
    assert_at(ask(path(ITEMS "%s/resources/a/b/c.json", item)), "/0", "1");
    assert_at(post(path("%s/removeResources", base), NULL), "/error/code", "400");
    assert_at(post(path("%s/removeResources", base), "resourcesPrefix", "a", NULL), "/success", "true");
    assert_at(ask(path(ITEMS "%s/resources?f=json", item)), "/total", "1");
    assert_at(send_file(path("%s/updateinfo", base), "file", "form.json", STR("[2]")), "/success", "true");
    assert_at(ask(path(ITEMS "%s/info/form.json", item)), "/0", "2");
    assert_at(post(path("%s/deleteInfo", base), "infoFile", "form.json", NULL), "/success", "true");
    assert_at(ask(path(ITEMS "%s/info/form.json?f=json", item)), "/error/messageCode", "CONT_0036");
    assert_at(send_file(path("%s/update", base), "thumbnail", "t.png", STR("PNG")), "/success", "true");
    ask(path(ITEMS "%s/info/thumbnail/t.png?w=400", item));
    assert_str(wf.answer.body, "PNG");
}

/* The forms of clients.md 10. */
static void sharing(void **state)
{
    (void)state;
    const char *item = add("shared", "{}"), *group = add_group("G", "false");
    const char *share = path(USERS "admin/items/%s/share", item);
    static const struct {
        const char *name, *value, *name2, *value2, *access;
    } forms[] = {{"everyone", "true", "org", "false", "public"},  {"groups", "@", "f", "json", "public"},
                 {"org", "true", "everyone", "false", "org"},     {"everyone", "false", "org", "false", "shared"},
                 {"account", "true", "everyone", "false", "org"}, {"groups", " ", "f", "json", "org"},
                 {"org", "false", "everyone", "false", "private"}};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const char *value = strcmp(forms[i].value, "@") == 0 ? group : forms[i].value;
        struct json v = post(share, forms[i].name, value, forms[i].name2, forms[i].value2, NULL);
        assert_int_equal(json_count(json_get_c(v, "notSharedWith")), 0);
        str access = at(ask(path(ITEMS "%s?f=json", item)), "/access");
        if (!str_eq(access, str_c(forms[i].access)))
            fail_msg("form %zu: %.*s, not %s", i, STR_FMT(access), forms[i].access);
    }
    const char *nobody = "00000000000000000000000000000000";
    assert_at(post(share, "groups", nobody, NULL), "/notSharedWith/0", "00000000000000000000000000000000");
    struct json v = post(USERS "admin/shareItems", "items", path("%s,%s", item, nobody), "groups", group, NULL);
    assert_at(v, "/results/0/success", "true");
    assert_at(v, "/results/1/error/messageCode", "CONT_0001");
    assert_at(ask(path(ITEMS "%s/groups?f=json", item)), "/admin/0/title", "G");
    assert_at(ask(path(REST "/content/groups/%s?f=json", group)), "/total", "1");
    assert_at(ask(path(USERS "admin/items/%s?f=json", item)), "/sharing/access", "shared");
    assert_at(post(path(ITEMS "%s/unshare", item), "groups", group, NULL), "/notUnsharedFrom", "[]");
    assert_at(ask(path(REST "/content/groups/%s?f=json", group)), "/total", "0");
    assert_at(ask(path(REST "/content/groups/%s?f=json", nobody)), "/error/messageCode", "CONT_0006");
}

static void members(void **state)
{
    (void)state;
    const char *group = add_group("G", "true");
    assert_at(post(REST "/community/createGroup", "title", "G", NULL), "/error/details/0",
              "You already have a group named 'G'. Try a different name.");
    assert_at(post(path(GROUPS "%s/addUsers", group), "users", "user,nobody", NULL), "/notAdded/0", "nobody");
    struct json v = post(path(GROUPS "%s/updateUsers", group), "admins", "user,viewer", NULL);
    assert_at(v, "/results/0/success", "true");
    assert_at(v, "/results/1/success", "false"); /* no member: not made one */
    v = ask(path(GROUPS "%s/users?f=json", group));
    assert_at(v, "/owner", "admin");
    assert_at(v, "/admins/0", "user");
    wf.token = wf.viewer;
    assert_at(post(path(GROUPS "%s/join", group), NULL), "/success", "true");
    assert_at(ask(path(GROUPS "%s?f=json", group)), "/userMembership/memberType", "member");
    assert_at(ask(REST "/community/groups?f=json&q=title:G"), "/results/0/userMembership/memberType", "member");
    v = ask(path(GROUPS "%s/userList?f=json&num=1", group));
    assert_at(v, "/owner/username", "admin");
    assert_at(v, "/total", "2");
    assert_at(v, "/nextStart", "2");
    assert_at(ask(path(GROUPS "%s/userlist?f=json&memberType=member", group)), "/users/0/username", "viewer");
    assert_at(post(path(GROUPS "%s/delete", group), NULL), "/error/code", "403");
    assert_at(post(path(GROUPS "%s/leave", group), NULL), "/success", "true");
    wf.token = wf.admin;
    assert_at(post(path(GROUPS "%s/protect", group), NULL), "/success", "true");
    assert_at(post(path(GROUPS "%s/delete", group), NULL), "/error/messageCode", "COM_0034");
    assert_at(post(path(GROUPS "%s/unprotect", group), NULL), "/success", "true");
    assert_at(post(path(GROUPS "%s/delete", group), NULL), "/success", "true");
    assert_at(ask(path(GROUPS "%s?f=json", group)), "/error/messageCode", "COM_0003");
}

static void searching(void **state)
{
    (void)state;
    const char *first = add("page 1", "{}"), *second = add("page 2", "{}");
    add("other", "{}");
    struct json v = ask(REST "/search?f=json&q=title:page*&num=1&sortField=title&sortOrder=desc&countFields=type,tags");
    assert_at(v, "/total", "2");
    assert_at(v, "/nextStart", "2");
    assert_at(v, "/results/0/title", "page 2");
    assert_at(v, "/aggregations/counts/0/fieldValues/0/count", "2"); /* of all pages */
    assert_at(v, "/aggregations/counts/1/fieldValues/1/value", "two words");
    assert_at(ask(REST "/search?f=json&q=title:page*&num=1&start=2&bbox="), "/nextStart", "-1");
    assert_at(ask(REST "/search?f=json&filter=title:%22other%22"), "/total", "1");
    assert_at(ask(REST "/search?f=json"), "/error/code", "400");
    assert_at(ask(REST "/search?f=json&q=x&countFields=size"), "/error/code", "400");
    assert_at(ask(REST "/search?f=json&q=x&bbox=1,2,3"), "/error/code", "400");
    v = post(USERS "admin/addRelationship", "originItemId", first, "destinationItemId", second, "relationshipType", "Map2Service",
             NULL);
    assert_at(v, "/success", "true");
    v = ask(path(ITEMS "%s/relatedItems?f=json&relationshipTypes=Map2Area,Map2Service&direction=reverse", second));
    assert_at(v, "/relatedItems/0/title", "page 1");
    assert_at(ask(path(ITEMS "%s/relatedItems?f=json&direction=sideways", first)), "/error/code", "400");
}

/* An error is JSON for programs, wherever it happens; without f the status tells. */
static void errors(void **state)
{
    (void)state;
    assert_at(send_file(REST "/search", "file", "x.csv", STR("x")), "/error/code", "400");
    char *long_text = arena_alloc(wf.ctx.arena, (2 << 20) + 1);
    memset(long_text, 'a', 2 << 20);
    assert_at(post(REST "/search", "q", long_text, NULL), "/error/code", "413");
    assert_int_equal(wf.answer.status, 413);
    assert_at(ask(ITEMS "00000000000000000000000000000000/data"), "/error/messageCode", "CONT_0001");
    assert_int_equal(wf.answer.status, 400);
    assert_at(ask(REST "/search?f=xml&q=x"), "/error/code", "400");
    assert_at(ask(REST "/search?f=json&q=x&num=many"), "/error/details/0", "'num' has to be an integer.");
    wf.token = STR("");
    ask(USERS "admin/addItem"); /* not the folder "addItem": the form of the operation */
    assert_int_equal(wf.answer.status, 200);
    assert_true(str_find(wf.answer.body, STR("enctype=\"multipart/form-data\""), 0) != SIZE_MAX);
    ask(REST "/community/self");
    assert_int_equal(wf.answer.status, 401);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, web_fixture_open, web_fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(discovery), TEST(tokens),  TEST(users),   TEST(items_by_text), TEST(items_by_file), TEST(other_peoples_items),
        TEST(resources), TEST(sharing), TEST(members), TEST(searching),     TEST(errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
