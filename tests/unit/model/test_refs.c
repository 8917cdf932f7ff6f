/* model/refs: references by rule and by scan, in every spelling, in texts of real items. */
#include "model/refs.h"
#include "model_test.h"

#define ID_A "aaaaaaaabbbbccccdddd000000000001"
#define ID_B "bbbbbbbbaaaaccccdddd000000000002"
#define ID_KEPT "cccccccc0000111122223333aaaa0003"
#define ID_UNKNOWN "dddddddd0000111122223333aaaa0004"
#define ID_GROUP_A "eeeeeeee0000111122223333aaaa0005"
#define ID_GROUP_B "ffffffff0000111122223333aaaa0006"
#define ID_REUSED "12345678000011112222333344445555"
#define SRC "http://a.example:7080"
#define DST "http://b.example.org:7081"

static id id_of(const char *text)
{
    id out;
    assert_true(id_parse(str_c(text), &out));
    return out;
}

static void map_item(struct idmap *m, const char *from, const char *to)
{
    id a = id_of(from), b = id_of(to);
    idmap_item(m, &a, &b);
}

static struct idmap *map_open(void)
{
    struct idmap *m = idmap_open();
    id group_a = id_of(ID_GROUP_A), group_b = id_of(ID_GROUP_B), reused = id_of(ID_REUSED);
    map_item(m, ID_A, ID_B);
    map_item(m, ID_KEPT, ID_KEPT);
    map_item(m, ID_REUSED, ID_REUSED);
    idmap_group(m, &group_a, &group_b);
    idmap_base(m, STR(SRC), STR(DST));
    idmap_base(m, STR(SRC "/portal/"), STR(DST "/gis"));
    idmap_base(m, STR("https://plain.example"), STR("https://other.example:8443"));
    idmap_service(m, STR(SRC "/server/rest/services/Hosted/Parks/FeatureServer"),
                  STR(DST "/server/rest/services/Hosted/Parks_1/FeatureServer"));
    idmap_service_of_item(m, &reused, STR(DST "/server/rest/services/Hosted/There/FeatureServer"));
    idmap_username(m, STR("ann"), STR("an\"na"));
    return m;
}

static void map_cleanup(struct idmap **m) { idmap_close(*m); }

static str rewritten(struct ctx *ctx, const struct idmap *m, const char *type, str text, struct ref_list *found)
{
    str out;
    if (refs_rewrite(ctx, type ? itemtype_find(str_c(type)) : NULL, REF_DATA, STR(""), text, m, &out, found) != RC_OK)
        fail_msg("%s", err_text(ctx));
    return out;
}

static void spellings(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    static const struct {
        const char *in, *out;
    } rows[] = {
        {SRC "/x", DST "/x"},
        {"https://a.example:7080/x", DST "/x"},
        {"see HTTP://A.EXAMPLE:7080.", "see " DST "."},
        {SRC "/portal/home?webmap=" ID_A "&x", DST "/gis/home?webmap=" ID_B "&x"},
        {SRC "/portal", DST "/gis"},
        {SRC "/portal2/" ID_A "2", DST "/portal2/" ID_A "2"},
        {SRC "/portal.html", DST "/portal.html"},
        {SRC "/server/rest/services/Hosted/Parks/FeatureServer/0/query?a=1",
         DST "/server/rest/services/Hosted/Parks_1/FeatureServer/0/query?a=1"},
        {SRC "/SERVER/rest/services/hosted/PARKS/FeatureServer", DST "/server/rest/services/Hosted/Parks_1/FeatureServer"},
        {SRC "/server/rest/services/Hosted/Parks2/FeatureServer", DST "/server/rest/services/Hosted/Parks2/FeatureServer"},
        {SRC "/server/rest/services/Hosted/Parks/FeatureServer2", DST "/server/rest/services/Hosted/Parks/FeatureServer2"},
        {SRC "/server/rest/services/Hosted/Parks/MapServer", DST "/server/rest/services/Hosted/Parks/MapServer"},
        {"//a.example:7080/portal/x", "//b.example.org:7081/gis/x"},
        {"host a.example:7080, too", "host b.example.org:7081, too"},
        {"me@a.example:7080", "me@b.example.org:7081"},
        {"a.example:70801 a.example:708 a.example xa.example:7080 x.a.example:7080 x-a.example:7080 a.example:7080x", NULL},
        {"a.example.org", NULL},
        {"ftp://a.example:7080/", "ftp://b.example.org:7081/"},
        /* a host without a port */
        {"https://plain.example/x http://plain.example:443 https://plain.example:80/y",
         "https://other.example:8443/x https://other.example:8443 https://other.example:8443/y"},
        {"https://plain.example:8080/ bob@plain.example plain.example.org plain.example-x", NULL},
        {"plain.example: the host", "other.example:8443: the host"},
        {"u=https%3A%2F%2Fplain.example%2Fx", "u=https%3A%2F%2Fother.example%3A8443%2Fx"},
        {"%3Dplain.example%26x", "%3Dother.example%3A8443%26x"},
        {"%253dplain.example%2526x", "%253dother.example%253a8443%2526x"},
        /* percent-encoded, once, twice, thrice */
        {"http%3A%2F%2Fa.example%3A7080%2Fportal%2F" ID_A, "http%3A%2F%2Fb.example.org%3A7081%2Fgis%2F" ID_B},
        {"http%3a%2f%2fa.example%3a7080%2fportal%2fx", "http%3a%2f%2fb.example.org%3a7081%2fgis%2fx"},
        {"http%253A%252F%252Fa.example%253A7080%252Fserver", "http%253A%252F%252Fb.example.org%253A7081%252Fserver"},
        {"http%25253A%25252F%25252Fa.example%25253A7080", "http%25253A%25252F%25252Fb.example.org%25253A7081"},
        {"http:%2F%2Fa%2Eexample:7080", "http:%2F%2Fb%2Eexample%2Eorg:7081"},
        {"url=http%3A%2F%2Fa.example%3A7080%2Fserver%2Frest%2Fservices%2FHosted%2FParks%2FFeatureServer%2F3%3Ff%3Djson",
         "url=http%3A%2F%2Fb.example.org%3A7081%2Fserver%2Frest%2Fservices%2FHosted%2FParks_1%2FFeatureServer%2F3%3Ff%3Djson"},
        /* HTML */
        {"<a href=\"http:&#x2F;&#x2F;a.example:7080&#x2F;portal&#x2F;\">x</a>",
         "<a href=\"http:&#x2F;&#x2F;b.example.org:7081&#x2F;gis&#x2F;\">x</a>"},
        {"http&#58;&#47;&#47;a.example&#58;7080", "http&#58;&#47;&#47;b.example.org&#58;7081"},
        {"http&colon;&sol;&sol;a.example&colon;7080&amp;id=" ID_A, "http&colon;&sol;&sol;b.example.org&colon;7081&amp;id=" ID_B},
        /* Arcade and other scripts */
        {"FeatureSetByPortalItem(Portal('" SRC "/portal'),'" ID_A "',0)",
         "FeatureSetByPortalItem(Portal('" DST "/gis'),'" ID_B "',0)"},
        {"var x=\\n" SRC "\\n\\t" ID_A, "var x=\\n" DST "\\n\\t" ID_B},
        {"http:\\/\\/a.example:7080\\/portal", "http:\\/\\/b.example.org:7081\\/gis"},
        {"http:\\u002F\\u002fa.example:7080", "http:\\u002F\\u002fb.example.org:7081"},
        /* ids */
        {ID_A, ID_B},
        {"r-" ID_A "," ID_KEPT, "r-" ID_B "," ID_KEPT},
        {"x" ID_A " " ID_A "0 _" ID_A " " ID_A "_", NULL},
        {"AAAAAAAABBBBCCCCDDDD000000000001", ID_B},
        {ID_GROUP_A " " ID_UNKNOWN, ID_GROUP_B " " ID_UNKNOWN},
        {"\xe8\xa6\x8b" SRC "\xe3\x80\x82", "\xe8\xa6\x8b" DST "\xe3\x80\x82"},
        {"", NULL},
        {"%", NULL},
        {"&#;&#x;&#xg;%%%zz\\", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str in = str_c(rows[i].in), want = rows[i].out ? str_c(rows[i].out) : in;
        assert_str(rewritten(ctx, m, NULL, in, NULL), want);
        /* The same as a JSON string, with quotes around it and in a list. */
        str doc = arena_printf(ctx->arena, "[1, \"%.*s\" ]", STR_FMT(in));
        struct json v;
        if (json_try_parse(ctx->arena, doc, &v))
            assert_str(rewritten(ctx, m, NULL, doc, NULL), arena_printf(ctx->arena, "[1, \"%.*s\" ]", STR_FMT(want)));
    }
}

static void unchanged_is_the_same_slice(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    str texts[] = {STR("{\"a\": [1, \"x\", \"" ID_KEPT "\"]}"), STR("plain"), STR(""), STR("\xff\xfe" SRC)};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_ptr_equal(rewritten(ctx, m, "Web Map", texts[i], NULL).p, texts[i].p);
}

/* JSON inside JSON inside JSON keeps every backslash. */
static void nested_json(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    str src = STR("{\"u\":\"" SRC "/portal\",\"i\":\"" ID_A "\",\"s\":\"a\\nb\\u00e9\"}");
    str dst = STR("{\"u\":\"" DST "/gis\",\"i\":\"" ID_B "\",\"s\":\"a\\nb\\u00e9\"}");
    for (int level = 0; level < 5; level++) {
        assert_str(rewritten(ctx, m, NULL, src, NULL), dst);
        struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);
        buf_add(&a, STR("{\"config\":"));
        json_escape(&a, src);
        buf_add(&a, STR("}"));
        buf_add(&b, STR("{\"config\":"));
        json_escape(&b, dst);
        buf_add(&b, STR("}"));
        src = arena_str(ctx->arena, buf_str(&a));
        dst = arena_str(ctx->arena, buf_str(&b));
        buf_free(&a);
        buf_free(&b);
    }
    assert_str(rewritten(ctx, m, NULL, STR("{\"c\":\"{\\\"u\\\":\\\"http:\\\\/\\\\/a.example:7080\\\\/portal\\\"}\"}"), NULL),
               STR("{\"c\":\"{\\\"u\\\":\\\"http:\\\\/\\\\/b.example.org:7081\\\\/gis\\\"}\"}"));
}

static void member_names(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    struct ref_list found = {0};
    assert_str(rewritten(ctx, m, NULL, STR("{ \"r-" ID_A "\" : {\"a/b~\": [true,\"" ID_A "\"]}}"), &found),
               STR("{ \"r-" ID_B "\" : {\"a/b~\": [true,\"" ID_B "\"]}}"));
    assert_int_equal(found.count, 2);
    assert_str(found.list[0].pointer, STR("/r-" ID_A));
    assert_str(found.list[1].pointer, STR("/r-" ID_A "/a~1b~0/1"));
    assert_int_equal(found.list[1].outcome, REF_GUESSED);
    assert_str(found.list[1].value, STR(ID_A));
}

/* Many finds below a name as long as the text do not copy it many times. */
static void long_names(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    struct ref_list found = {0};
    struct buf b = BUF_INIT(16 << 20);
    buf_add(&b, STR("{\""));
    for (int i = 0; i < 50000; i++)
        buf_add(&b, STR("\\u0041"));
    buf_add(&b, STR("\":["));
    for (int i = 0; i < 20000; i++)
        buf_add(&b, STR("\"" ID_A "\","));
    buf_add(&b, STR("0]}"));
    rewritten(ctx, m, "Web Map", buf_str(&b), &found);
    assert_int_equal(found.count, 20000);
    for (size_t i = 0; i < found.count; i++)
        assert_true(found.list[i].pointer.n <= 1000);
    assert_true(arena_size(ctx->arena) < (64 << 20));
    buf_free(&b);
}

/* ---- rules ---- */

struct expected {
    const char *pointer, *value;
    enum ref_kind kind;
    enum ref_outcome outcome;
    bool required;
};

static void check_found(const struct ref_list *found, const struct expected *rows, size_t count)
{
    for (size_t i = 0; i < count && i < found->count; i++) {
        assert_str(found->list[i].pointer, str_c(rows[i].pointer));
        assert_str(found->list[i].value, str_c(rows[i].value));
        assert_int_equal(found->list[i].kind, rows[i].kind);
        assert_int_equal(found->list[i].outcome, rows[i].outcome);
        assert_int_equal(found->list[i].required, rows[i].required);
    }
    assert_int_equal(found->count, count);
}
#define CHECK_FOUND(found, ...)                                                                                                  \
    check_found(&(found), (const struct expected[]){__VA_ARGS__}, COUNT_OF(((const struct expected[]){__VA_ARGS__})))

#define PARKS "/server/rest/services/Hosted/Parks/FeatureServer"
#define PARKS_1 "/server/rest/services/Hosted/Parks_1/FeatureServer"
#define GONE "/server/rest/services/Hosted/Gone/FeatureServer"

static void web_map(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    struct ref_list found = {0};
    str text = STR(
        "{\"operationalLayers\":[{\"itemId\":\"" ID_A "\",\"url\":\"" SRC PARKS "/2\"},\n {\"layers\":[{\"itemId\":\"" ID_UNKNOWN
        "\",\"url\":\"" SRC GONE "/0\"}]}, {\"url\":\"https://elsewhere.example/rest/services/X/FeatureServer/1\"}],\n"
        "\"tables\":[{\"url\":\"https://old.example/arcgis/rest/services/Y/FeatureServer/7?a=b\",\"itemId\":\"" ID_REUSED "\"}],"
        "\"baseMap\":{\"baseMapLayers\":[{\"styleUrl\":\"/content/items/" ID_UNKNOWN "/resources/styles/root.json\"}]},"
        "\"text\":\"" SRC GONE " " ID_UNKNOWN "\"}");
    str want = STR(
        "{\"operationalLayers\":[{\"itemId\":\"" ID_B "\",\"url\":\"" DST PARKS_1
        "/2\"},\n {\"layers\":[{\"itemId\":\"" ID_UNKNOWN "\",\"url\":\"" SRC GONE
        "/0\"}]}, {\"url\":\"https://elsewhere.example/rest/services/X/FeatureServer/1\"}],\n"
        "\"tables\":[{\"url\":\"" DST "/server/rest/services/Hosted/There/FeatureServer/7?a=b\",\"itemId\":\"" ID_REUSED "\"}],"
        "\"baseMap\":{\"baseMapLayers\":[{\"styleUrl\":\"/content/items/" ID_UNKNOWN "/resources/styles/root.json\"}]},"
        "\"text\":\"" DST GONE " " ID_UNKNOWN "\"}");
    assert_str(rewritten(ctx, m, "Web Map", text, &found), want);
    CHECK_FOUND(
        found, {"/operationalLayers/0/itemId", ID_A, REF_ITEM_ID, REF_REWRITTEN, true},
        {"/operationalLayers/0/url", SRC PARKS, REF_SERVICE_URL, REF_REWRITTEN, true},
        {"/operationalLayers/1/layers/0/itemId", ID_UNKNOWN, REF_ITEM_ID, REF_UNRESOLVED, true},
        {"/operationalLayers/1/layers/0/url", SRC GONE "/0", REF_SERVICE_URL, REF_UNRESOLVED, true},
        {"/tables/0/url", "https://old.example/arcgis/rest/services/Y/FeatureServer/7?a=b", REF_SERVICE_URL, REF_REWRITTEN, true},
        {"/tables/0/itemId", ID_REUSED, REF_ITEM_ID, REF_KEPT, true},
        {"/baseMap/baseMapLayers/0/styleUrl", ID_UNKNOWN, REF_ITEM_ID, REF_UNRESOLVED, false},
        {"/text", SRC, REF_PORTAL_URL, REF_GUESSED, false});
    /* Without a map: what the rules name, to look for. */
    struct ref_list open = {0};
    assert_int_equal(refs_find(ctx, itemtype_find(STR("Web Map")), REF_DATA, STR(""), text, NULL, &open), RC_OK);
    CHECK_FOUND(open, {"/operationalLayers/0/itemId", ID_A, REF_ITEM_ID, REF_UNRESOLVED, true},
                {"/operationalLayers/1/layers/0/itemId", ID_UNKNOWN, REF_ITEM_ID, REF_UNRESOLVED, true},
                {"/tables/0/itemId", ID_REUSED, REF_ITEM_ID, REF_UNRESOLVED, true},
                {"/baseMap/baseMapLayers/0/styleUrl", ID_UNKNOWN, REF_ITEM_ID, REF_UNRESOLVED, false});
}

/* Where a rule has to see an unknown id. */
static void rules_see(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    static const struct {
        const char *type;
        enum ref_place place;
        const char *name, *text, *pointer;
        enum ref_kind kind;
    } rows[] = {
#define X "\"" ID_UNKNOWN "\""
        {"Web Scene", REF_DATA, "", "{\"ground\":{\"layers\":[{\"itemId\":" X "}]}}", "/ground/layers/0/itemId", REF_ITEM_ID},
        {"Dashboard", REF_DATA, "", "{\"widgets\":[{\"type\":\"mapWidget\",\"itemId\":" X "}]}", "/widgets/0/itemId",
         REF_ITEM_ID},
        {"Dashboard", REF_DATA, "", "{\"desktopView\":{\"widgets\":[{\"datasets\":[{\"dataSource\":{\"itemId\":" X "}}]}]}}",
         "/desktopView/widgets/0/datasets/0/dataSource/itemId", REF_ITEM_ID},
        {"Dashboard", REF_DATA, "",
         "{\"mobileView\":{\"leftPanel\":{\"selectors\":[{\"datasets\":[{\"dataSource\":{\"itemId\":" X "}}]}]}}}",
         "/mobileView/leftPanel/selectors/0/datasets/0/dataSource/itemId", REF_ITEM_ID},
        {"Dashboard", REF_DATA, "", "{\"urlParameters\":[{\"datasets\":[{\"dataSource\":{\"itemId\":" X "}}]}]}",
         "/urlParameters/0/datasets/0/dataSource/itemId", REF_ITEM_ID},
        {"Web Mapping Application", REF_DATA, "", "{\"values\":{\"webmap\":" X "}}", "/values/webmap", REF_ITEM_ID},
        {"Web Mapping Application", REF_DATA, "", "{\"values\":{\"webmap\":[\"" ID_KEPT "\"," X "]}}", "/values/webmap/1",
         REF_ITEM_ID},
        {"Web Mapping Application", REF_DATA, "", "{\"values\":{\"group\":" X "}}", "/values/group", REF_GROUP_ID},
        {"Web Mapping Application", REF_DATA, "", "{\"source\":" X "}", "/source", REF_ITEM_ID},
        {"Web Mapping Application", REF_DATA, "", "{\"map\":{\"itemId\":" X "}}", "/map/itemId", REF_ITEM_ID},
        {"Web Mapping Application", REF_DATA, "", "{\"dataSource\":{\"dataSources\":{\"k\":{\"itemId\":" X "}}}}",
         "/dataSource/dataSources/k/itemId", REF_ITEM_ID},
        {"Web Mapping Application", REF_DATA, "",
         "{\"values\":{\"story\":{\"entries\":[{\"media\":{\"webmap\":{\"id\":" X "}}}]}}}",
         "/values/story/entries/0/media/webmap/id", REF_ITEM_ID},
        {"Web Experience", REF_DATA, "", "{\"dataSources\":{\"d\":{\"itemId\":" X "}}}", "/dataSources/d/itemId", REF_ITEM_ID},
        {"Web Experience", REF_RESOURCE, "config/config.json",
         "{\"dataSources\":{\"d\":{\"childDataSourceJsons\":{\"e\":{\"itemId\":" X "}}}}}",
         "/dataSources/d/childDataSourceJsons/e/itemId", REF_ITEM_ID},
        {"Web Experience Template", REF_DATA, "", "{\"dataSources\":{\"d\":{\"itemId\":" X "}}}", "/dataSources/d/itemId",
         REF_ITEM_ID},
        {"StoryMap", REF_DATA, "", "{\"resources\":{\"r-1\":{\"type\":\"webmap\",\"data\":{\"itemId\":" X "}}}}",
         "/resources/r-1/data/itemId", REF_ITEM_ID},
        {"StoryMap", REF_RESOURCE, "draft_1667412345.json", "{\"resources\":{\"r-1\":{\"data\":{\"itemId\":" X "}}}}",
         "/resources/r-1/data/itemId", REF_ITEM_ID},
        {"StoryMap", REF_RESOURCE, "published_data.json", "{\"resources\":{\"r-1\":{\"data\":{\"itemId\":" X "}}}}",
         "/resources/r-1/data/itemId", REF_ITEM_ID},
        {"QuickCapture Project", REF_RESOURCE, "qc.project.json", "{\"dataSources\":[{\"featureServiceItemId\":" X "}]}",
         "/dataSources/0/featureServiceItemId", REF_ITEM_ID},
        {"Workforce Project", REF_DATA, "", "{\"workers\":{\"serviceItemId\":" X "}}", "/workers/serviceItemId", REF_ITEM_ID},
        {"Feed", REF_DATA, "", "{\"feed\":{\"properties\":{\"feat-lyr-new.portal.featureServicePortalItemID\":" X "}}}",
         "/feed/properties/feat-lyr-new.portal.featureServicePortalItemID", REF_ITEM_ID},
        {"Feature Service", REF_ITEM_FIELD, "url", SRC GONE, "", REF_SERVICE_URL},
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ref_list found = {0};
        const struct itemtype *type = itemtype_find(str_c(rows[i].type));
        assert_non_null(type);
        assert_int_equal(refs_find(ctx, type, rows[i].place, str_c(rows[i].name), str_c(rows[i].text), m, &found), RC_OK);
        if (found.count == 0)
            fail_msg("nothing found: %s", rows[i].text);
        const struct ref_found *last = &found.list[found.count - 1];
        assert_str(last->pointer, str_c(rows[i].pointer));
        assert_int_equal(last->kind, rows[i].kind);
        assert_int_equal(last->outcome, REF_UNRESOLVED);
        assert_str(last->name, str_c(rows[i].name));
        assert_int_equal(last->place, rows[i].place);
    }
    /* Rules of another place or resource say nothing here. */
    struct ref_list none = {0};
    assert_int_equal(refs_find(ctx, itemtype_find(STR("StoryMap")), REF_RESOURCE, STR("other.json"),
                               STR("{\"resources\":{\"r\":{\"data\":{\"itemId\":\"" ID_UNKNOWN "\"}}}}"), m, &none),
                     RC_OK);
    assert_int_equal(none.count, 0);
}

static void username_by_rule(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    static const struct ref_rule rules[] = {{REF_DATA, NULL, "owner", REF_USERNAME, false}};
    const struct itemtype type = {.name = "T", .rules = rules, .rule_count = 1};
    struct ref_list found = {0};
    str out;
    assert_int_equal(refs_rewrite(ctx, &type, REF_DATA, STR(""), STR("{\"owner\":\"Ann\",\"by\":\"ann\"}"), m, &out, &found),
                     RC_OK);
    assert_str(out, STR("{\"owner\":\"an\\\"na\",\"by\":\"ann\"}"));
    CHECK_FOUND(found, {"/owner", "Ann", REF_USERNAME, REF_REWRITTEN, false});
    found.count = 0;
    assert_int_equal(refs_rewrite(ctx, &type, REF_DATA, STR(""), STR("{\"owner\":\"bob\"}"), m, &out, &found), RC_OK);
    CHECK_FOUND(found, {"/owner", "bob", REF_USERNAME, REF_UNRESOLVED, false});
}

/* The URL of the item's service is taken only for a service of the same kind. */
static void service_of_sibling(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"itemId\":\"" ID_REUSED "\",\"url\":\"" SRC GONE "/3\"}",
         "{\"itemId\":\"" ID_REUSED "\",\"url\":\"" DST "/server/rest/services/Hosted/There/FeatureServer/3\"}"},
        {"{\"itemId\":\"" ID_REUSED "\",\"url\":\"" SRC PARKS "/3\"}",
         "{\"itemId\":\"" ID_REUSED "\",\"url\":\"" DST PARKS_1 "/3\"}"},
        {"{\"itemId\":\"" ID_REUSED "\",\"url\":\"https://x.example/rest/services/Z/MapServer/3\"}", NULL},
        {"{\"itemId\":\"" ID_UNKNOWN "\",\"url\":\"https://x.example/rest/services/Z/FeatureServer\"}", NULL},
        {"{\"itemId\":\"" ID_REUSED "\",\"url\":\"https://x.example/rest/services/Z\"}", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_str(rewritten(ctx, m, NULL, str_c(rows[i].in), NULL), str_c(rows[i].out ? rows[i].out : rows[i].in));
}

/* A target that begins as the source does is not put there twice. */
static void longer_target(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = idmap_open();
    idmap_base(m, STR("http://h/portal"), STR("http://h/portal/v2"));
    str once = rewritten(ctx, m, NULL, STR("http://h/portal/x http://h/portal http://h/other"), NULL);
    assert_str(once, STR("http://h/portal/v2/x http://h/portal/v2 http://h/other"));
    assert_str(rewritten(ctx, m, NULL, once, NULL), once);
}

static void names_source(void **state)
{
    (void)state;
    CLEANUP(map_cleanup) struct idmap *m = map_open();
    idmap_base(m, STR("https://same.example/portal"), STR("https://same.example/portal"));
    static const struct {
        const char *text;
        size_t at; /* SIZE_MAX: it does not */
    } rows[] = {
        {"x " SRC, 2},
        {"a.example:7080", 0},
        {"\xff\xfe http%3A%2F%2Fa.example%3A7080", 3},
        {"{\"a\":\"http:\\/\\/a.example:7080\"}", 6},
        {"http%253A%252F%252Fa.example%253A7080%252F", 0},
        {"http:&#x2F;&#x2F;a.example:7080", 0},
        {DST " b.example.org:7081 a.example", SIZE_MAX},
        {"https://same.example/portal/x", SIZE_MAX},
        {"", SIZE_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t at = SIZE_MAX;
        assert_int_equal(refs_names_source(m, str_c(rows[i].text), &at), rows[i].at != SIZE_MAX);
        assert_int_equal(at, rows[i].at);
    }
    /* Behind many pieces. */
    struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_add(&b, STR("\"%3A\", x"));
    size_t at, before = b.n + 3;
    assert_false(refs_names_source(m, buf_str(&b), &at));
    buf_add(&b, STR("\"a\" "
                    "http%3A//a.example:7080"));
    assert_true(refs_names_source(m, buf_str(&b), &at));
    assert_int_equal(at, before + 1);
    buf_free(&b);
}

/* ---- real items ---- */

/* Every occurrence of from[i] in the text replaced by to[i], as plain text: what a rewrite of unencoded texts has to give. */
static str replaced(struct arena *a, str text, const char *const (*pairs)[2], size_t count)
{
    struct buf b = BUF_INIT(4 << 20);
    for (size_t i = 0; i < text.n;) {
        size_t k = 0;
        while (k < count && !str_starts(str_sub(text, i, text.n), str_c(pairs[k][0])))
            k++;
        if (k < count)
            buf_add(&b, str_c(pairs[k][1]));
        else
            buf_add_char(&b, text.p[i]);
        i += k < count ? strlen(pairs[k][0]) : 1;
    }
    str out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static void real_items(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *file, *type;
        const char *pairs[5][2]; /* ids and service roots that the map knows */
        size_t changed;          /* references that the rules or the scan rewrite */
    } rows[] = {
        {"web-map.json",
         "Web Map",
         {{"https://services123.arcgis.com/org1234567890/arcgis/rest/services/ROWPermits_publiccomment/FeatureServer",
           DST PARKS}},
         2},
        {"dashboard-widgets.json",
         "Dashboard",
         {{"7e6c41c72d4548d9a312329e0c5a984f", ID_A}, {"934a9ef8efa7448fa8ddf7b13cef0240", ID_B}},
         10},
        {"web-experience.json",
         "Web Experience",
         {{"8644de121e434a368a6221c0498e4e47", ID_A}, {"dd1fe4c8772f477fb2b3d9bf0a15689f", ID_B}},
         4},
        {"workforce-project.json",
         "Workforce Project",
         {{"abc116555b16437f8435e079033128d0", ID_A},
          {"abc302ec12b74d2f9f2b3cc549420086", ID_B},
          {"cad3483e025c47338d43df308c117308", ID_KEPT},
          {"https://services123.arcgis.com/org1234567890/arcgis/rest/services/workers_47bb15c2df2b466da05577776e82d044/"
           "FeatureServer",
           DST PARKS}},
         5},
        {"quickcapture-project.json",
         "QuickCapture Project",
         {{"4efe5f693de34620934787ead6693f10", ID_A},
          {"https://services7.arcgis.com/org1234567890/arcgis/rest/services/TestLayerForDashBoardMap/FeatureServer", DST PARKS}},
         4},
        {"oriented-imagery-catalog.json",
         "Oriented Imagery Catalog",
         {{"https://services.arcgis.com/64491f8c348a51cf/arcgis/rest/services/OIC_FL_002/FeatureServer", DST PARKS}},
         2},
        {"notebook.json", "Notebook", {{"3b927de78a784a5aa3981469d85cf45d", ID_A}}, 1},
        {"dashboard.json", "Dashboard", {{NULL}}, 0},
        {"web-mapping-application.json", "Web Mapping Application", {{NULL}}, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(map_cleanup) struct idmap *m = idmap_open(), *back = idmap_open();
        struct ref_list found = {0};
        const char *inverse[5][2];
        size_t count = 0, changed = 0;
        str text;
        const char *path = arena_cstr(ctx->arena, arena_printf(ctx->arena, "%s/items/%s", TEST_FIXTURES, rows[i].file));
        if (file_read_all(ctx, path, 4 << 20, &text) != RC_OK)
            fail_msg("%s", err_text(ctx));
        for (; count < 5 && rows[i].pairs[count][0]; count++) {
            const char *from = rows[i].pairs[count][0], *to = rows[i].pairs[count][1];
            inverse[count][0] = to;
            inverse[count][1] = from;
            if (strlen(from) == ID_SIZE) {
                map_item(m, from, to);
                map_item(back, to, from);
            } else {
                idmap_service(m, str_c(from), str_c(to));
                idmap_service(back, str_c(to), str_c(from));
            }
        }
        str want = replaced(ctx->arena, text, (const char *const(*)[2])rows[i].pairs, count);
        str out = rewritten(ctx, m, rows[i].type, text, &found);
        assert_str(out, want);
        for (size_t k = 0; k < found.count; k++)
            changed += found.list[k].outcome == REF_REWRITTEN || found.list[k].outcome == REF_GUESSED;
        if (changed != rows[i].changed)
            fail_msg("%s: %zu references changed", rows[i].file, changed);
        assert_str(replaced(ctx->arena, out, (const char *const(*)[2])inverse, count), text);
        assert_str(rewritten(ctx, back, rows[i].type, out, NULL), text);
    }
}

/* ---- random documents ---- */

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed >> 11;
}
static size_t pick(uint64_t *seed, size_t n) { return (size_t)(random_next(seed) % n); }

/* What stands on either side. */
static const char *const pieces[][2] = {
    {ID_A, ID_B},
    {ID_GROUP_A, ID_GROUP_B},
    {ID_KEPT, ID_KEPT},
    {ID_UNKNOWN, ID_UNKNOWN},
    {SRC, DST},
    {SRC "/portal/home/item.html?id=" ID_A, DST "/gis/home/item.html?id=" ID_B},
    {SRC PARKS "/0", DST PARKS_1 "/0"},
    {SRC PARKS, DST PARKS_1},
    {SRC "/server/rest/services/Hosted/Parks2/FeatureServer/3", DST "/server/rest/services/Hosted/Parks2/FeatureServer/3"},
    {"a.example:7080", "b.example.org:7081"},
    {"//a.example:7080/portal", "//b.example.org:7081/gis"},
    {"https://elsewhere.example/rest/services/X/FeatureServer", "https://elsewhere.example/rest/services/X/FeatureServer"},
    {"plain words, 100% & more <b>", "plain words, 100% & more <b>"},
    {"\xc3\xa9\xe8\xa6\x8b", "\xc3\xa9\xe8\xa6\x8b"},
};

/* One layer of coding over a piece: none, percent (two cases), entities, escaped slashes. */
static str coded(struct arena *a, str s, size_t how)
{
    struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || memchr("-._~", c, 4);
        if (how == 1 || how == 2)
            buf_printf(&b, word ? "%c" : how == 1 ? "%%%02X" : "%%%02x", word ? c : (unsigned char)c);
        else if (how == 3 && (c == '/' || c == '&'))
            buf_add(&b, c == '/' ? STR("&#x2F;") : STR("&amp;"));
        else if (how == 4 && c == '/')
            buf_add(&b, STR("\\/"));
        else
            buf_add_char(&b, c);
    }
    str out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static str random_text(struct arena *a, uint64_t *seed, int side)
{
    static const char *const between[] = {" ", "='", "(", "|", ",", "\n", "<", "\""};
    struct buf b = BUF_INIT(1 << 20);
    for (size_t n = 1 + pick(seed, 3); n > 0; n--) {
        size_t which = pick(seed, COUNT_OF(pieces)), first = pick(seed, 5), second = pick(seed, 5);
        buf_add(&b, coded(a, coded(a, str_c(pieces[which][side]), first), second));
        buf_add(&b, str_c(between[pick(seed, COUNT_OF(between))]));
    }
    str out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static void random_json(struct arena *a, uint64_t *seed, int side, unsigned depth, struct buf *b)
{
    static const char *const scalars[] = {"1.50", "-0", "true", "null", "1e5", "\"\\u00e9\\/\"", "{ }", "[\t]"};
    size_t kind = depth == 0 ? pick(seed, 2) : pick(seed, 5);
    if (kind == 0) {
        buf_add(b, str_c(scalars[pick(seed, COUNT_OF(scalars))]));
    } else if (kind == 1) {
        json_escape(b, random_text(a, seed, side));
    } else if (kind == 2) { /* JSON inside a string */
        struct buf inner = BUF_INIT(4 << 20);
        random_json(a, seed, side, depth - 1, &inner);
        json_escape(b, coded(a, buf_str(&inner), pick(seed, 2) ? 4 : 0));
        buf_free(&inner);
    } else {
        size_t count = pick(seed, 4);
        buf_add_char(b, kind == 3 ? '[' : '{');
        for (size_t i = 0; i < count; i++) {
            buf_add(b, i ? STR(" ,\n") : STR(""));
            if (kind == 4) {
                json_escape(b, pick(seed, 3) ? STR("name") : random_text(a, seed, side));
                buf_add(b, STR(": "));
            }
            random_json(a, seed, side, depth - 1, b);
        }
        buf_add_char(b, kind == 3 ? ']' : '}');
    }
}

static str random_doc(struct arena *a, uint64_t seed, int side)
{
    struct buf b = BUF_INIT(16 << 20);
    random_json(a, &seed, side, 5, &b);
    str out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static void random_documents(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(map_cleanup) struct idmap *m = map_open(), *back = idmap_open();
    id group_a = id_of(ID_GROUP_A), group_b = id_of(ID_GROUP_B);
    map_item(back, ID_B, ID_A);
    idmap_group(back, &group_b, &group_a);
    idmap_base(back, STR(DST), STR(SRC));
    idmap_base(back, STR(DST "/gis"), STR(SRC "/portal"));
    idmap_service(back, STR(DST PARKS_1), STR(SRC PARKS));
    size_t at, named = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        struct arena_mark mark = arena_mark(ctx->arena);
        uint64_t seed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        str src = random_doc(ctx->arena, seed, 0), dst = random_doc(ctx->arena, seed, 1);
        str out = rewritten(ctx, m, i % 2 ? "Web Map" : NULL, src, NULL);
        assert_str(out, dst);
        assert_str(rewritten(ctx, m, NULL, out, NULL), out);
        assert_str(rewritten(ctx, back, NULL, out, NULL), src);
        assert_int_equal(str_find(out, STR(ID_A), 0), SIZE_MAX);
        assert_int_equal(str_find(out, STR("a.example"), 0), SIZE_MAX);
        assert_false(refs_names_source(m, out, &at));
        named += refs_names_source(m, src, &at);
        arena_release(ctx->arena, mark);
    }
    assert_true(named > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(spellings),          TEST(unchanged_is_the_same_slice),
        TEST(nested_json),        TEST(member_names),
        TEST(long_names),         TEST(web_map),
        TEST(rules_see),          TEST(username_by_rule),
        TEST(service_of_sibling), TEST(longer_target),
        TEST(names_source),       TEST(real_items),
        TEST(random_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
