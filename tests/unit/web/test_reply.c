/* Bytes and their conditions, errors, and what goes out with every answer. */
#include "web_fixture.h"
#include "base/num.h"
#include "service/item.h"

static id item;  /* in the database */
static id large; /* a file of its own */
static str etag; /* of item */
static const str TEXT = {"0123456789", 10};
enum { LARGE = 70000 };

static id add_file(str bytes, const char *name)
{
    const struct caller admin = {.username = STR("admin"), .role = ROLE_ADMIN};
    struct item_input in = {.file_name = str_c(name)};
    id out;
    in.field[ITEM_TITLE] = str_c(name);
    in.field[ITEM_TYPE] = STR("PDF");
    assert_ok(blob_put(CTX, wf.site.blobs, bytes, &in.file));
    assert_ok(item_add(CTX, &wf.site, &admin, STR("admin"), &ID_NONE, &in, &out));
    blob_new_close(in.file);
    return out;
}

static int open_items(void **state)
{
    static char bytes[LARGE];
    (void)web_fixture_open(state);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i % 26);
    item = add_file(TEXT, "a \"b\"\xc3\xa4.pdf");
    large = add_file(str_of(bytes, sizeof bytes), "large.pdf");
    return 0;
}

/* GET of an item's data with headers: name, value, …, NULL. */
static void get(const id *which, ...)
{
    struct http_call c = {
        .url = arena_printf(wf.ctx.arena, "%.*s/sharing/rest/content/items/%s/data", STR_FMT(wf.base), which->text)};
    va_list args;
    va_start(args, which);
    for (const char *name; (name = va_arg(args, const char *)) != NULL;)
        http_headers_add(wf.ctx.arena, &c.headers, str_c(name), str_c(va_arg(args, const char *)));
    va_end(args);
    (void)call_http(&c);
}

static str answer_header(const char *name) { return http_headers_get(&wf.answer.headers, str_c(name)); }

static const char *quoted(const char *format)
{
    return arena_cstr(wf.ctx.arena, arena_printf(wf.ctx.arena, format, STR_FMT(etag)));
}

static void the_whole_of_a_file(void **state)
{
    (void)state;
    get(&item, NULL);
    assert_int_equal(wf.answer.status, 200);
    assert_true(str_eq(wf.answer.body, TEXT));
    assert_str(answer_header("Accept-Ranges"), "bytes");
    etag = answer_header("ETag");
    assert_int_equal(etag.n, 66); /* a SHA-256 in quotes */
    assert_true(str_none(answer_header("Content-Range")));
    str disposition = answer_header("Content-Disposition");
    assert_true(str_ends(disposition, STR("filename=\"a _b___.pdf\"; filename*=UTF-8''a%20%22b%22%C3%A4.pdf")));
    get(&large, NULL);
    assert_int_equal(wf.answer.body.n, LARGE);
    assert_false(str_eq(answer_header("ETag"), etag));
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        int status;
        const char *body, *content_range;
    } RANGE[] = {
        {"bytes=0-0", 206, "0", "bytes 0-0/10"},  {"bytes=2-4", 206, "234", "bytes 2-4/10"},
        {"bytes=7-", 206, "789", "bytes 7-9/10"}, {"bytes=7-99999999999999999999", 206, "789", "bytes 7-9/10"},
        {"bytes=-3", 206, "789", "bytes 7-9/10"}, {"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=10-", 416, NULL, "bytes */10"},   {"bytes=-0", 416, NULL, "bytes */10"},
        {"bytes=4-2", 200, "0123456789", NULL},   {"bytes=0-1,3-4", 200, "0123456789", NULL},
        {"items=0-1", 200, "0123456789", NULL},   {"bytes=a-b", 200, "0123456789", NULL},
        {"bytes=", 200, "0123456789", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(RANGE); i++) {
        get(&item, "Range", RANGE[i].range, NULL);
        if (wf.answer.status != RANGE[i].status)
            fail_msg("%s: %d", RANGE[i].range, wf.answer.status);
        if (RANGE[i].body)
            assert_true(str_eq(wf.answer.body, str_c(RANGE[i].body)));
        assert_true(str_eq(answer_header("Content-Range"), str_c(RANGE[i].content_range)));
    }
    get(&large, "Range", "bytes=69990-69999", NULL);
    assert_int_equal(wf.answer.status, 206);
    assert_int_equal(wf.answer.body.n, 10);
    assert_int_equal(wf.answer.body.p[0], 'a' + 69990 % 26);
}

static void conditions(void **state)
{
    (void)state;
    get(&item, NULL);
    etag = answer_header("ETag");
    static const struct {
        const char *name, *value, *range; /* %.*s: the ETag */
        int status;
    } CONDITION[] = {
        {"If-None-Match", "%.*s", NULL, 304},
        {"If-None-Match", "W/%.*s", NULL, 304}, /* compared weakly */
        {"If-None-Match", "\"other\", %.*s", NULL, 304},
        {"If-None-Match", "%.*s,\"other\"", NULL, 304},
        {"If-None-Match", "*", NULL, 304},
        {"If-None-Match", "\"other\"", NULL, 200},
        {"If-None-Match", "", NULL, 200},
        {"If-None-Match", "%.*s", "bytes=0-1", 304},
        {"If-None-Match", "\"other\"", "bytes=0-1", 206},
        {"If-Range", "%.*s", "bytes=0-1", 206},
        {"If-Range", "W/%.*s", "bytes=0-1", 200}, /* compared strongly */
        {"If-Range", "\"other\"", "bytes=0-1", 200},
        {"If-Range", "\"other\"", "bytes=99-", 200},
        {"If-Range", "Wed, 21 Oct 2015 07:28:00 GMT", "bytes=0-1", 200},
    };
    for (size_t i = 0; i < COUNT_OF(CONDITION); i++) {
        const char *value = strchr(CONDITION[i].value, '%') ? quoted(CONDITION[i].value) : CONDITION[i].value;
        get(&item, CONDITION[i].name, value, CONDITION[i].range ? "Range" : NULL, CONDITION[i].range, NULL);
        if (wf.answer.status != CONDITION[i].status)
            fail_msg("%s: %s: %d", CONDITION[i].name, value, wf.answer.status);
        assert_true(str_eq(answer_header("ETag"), etag));
        if (CONDITION[i].status == 304)
            assert_int_equal(wf.answer.body.n, 0);
    }
}

static void every_answer_says_how_it_may_be_used(void **state)
{
    (void)state;
    get(&item, "Origin", "https://app.example", NULL);
    assert_str(answer_header("X-Content-Type-Options"), "nosniff");
    assert_str(answer_header("Vary"), "Origin");
    assert_str(answer_header("Access-Control-Allow-Origin"), "https://app.example");
    assert_int_equal(answer_header("X-Request-Id").n, 16);
    get(&item, NULL);
    assert_true(str_none(answer_header("Access-Control-Allow-Origin")));
    struct http_call c = {.url = arena_printf(wf.ctx.arena, "%.*s/sharing/rest", STR_FMT(wf.base)), .method = HTTP_OPTIONS};
    http_headers_add(wf.ctx.arena, &c.headers, STR("Origin"), STR("https://app.example"));
    (void)call_http(&c);
    assert_int_equal(wf.answer.status, 204);
    assert_true(str_find(answer_header("Access-Control-Allow-Headers"), STR("X-Esri-Authorization"), 0) != SIZE_MAX);
}

static void errors_keep_the_status_that_the_asker_understands(void **state)
{
    (void)state;
    struct json v = ask("/sharing/rest/content/items/00000000000000000000000000000000?f=json");
    assert_int_equal(wf.answer.status, 200);
    assert_at(v, "/error/code", "400");
    assert_at(v, "/error/messageCode", "CONT_0001");
    (void)ask("/sharing/rest/content/items/00000000000000000000000000000000/data"); /* who wants bytes reads no code */
    assert_int_equal(wf.answer.status, 400);
    v = ask("/nothing/here?f=json");
    assert_int_equal(wf.answer.status, 404);
    assert_at(v, "/error/code", "404");
}

static void hostile_text_comes_back_harmless(void **state)
{
    (void)state;
    (void)ask("/sharing/rest/%3Cscript%3Ealert(1)%3C/script%3E?a=%3Cscript%3E");
    assert_int_equal(wf.answer.status, 404);
    assert_true(str_find(wf.answer.body, STR("<script"), 0) == SIZE_MAX);
    assert_true(str_starts(answer_header("Content-Security-Policy"), STR("default-src 'none'")));
    (void)ask("/sharing/rest/info?f=%3Cscript%3E");
    assert_true(str_starts(answer_header("Content-Type"), STR("application/json")));
}

static void only_the_origins_that_are_listed_may_read(void **state)
{
    (void)state;
    static const struct {
        const char *allowed, *origin;
        bool may;
    } CASES[] = {{"*", "https://any.example", true},
                 {"https://app.example, http://localhost:3000", "https://app.example", true},
                 {"https://app.example, http://localhost:3000", "http://LOCALHOST:3000", true},
                 {"https://app.example", "https://app.example.evil", false},
                 {"https://app.example", "http://app.example", false},
                 {"https://app.example", "null", false},
                 {"", "https://app.example", false}};
    static const char *const PATHS[] = {"/sharing/rest?f=json", "/nothing/here?f=json", "/healthz"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        for (size_t p = 0; p < COUNT_OF(PATHS); p++) {
            struct http_call c = {.url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), PATHS[p])};
            http_headers_add(wf.ctx.arena, &c.headers, STR("Origin"), str_c(CASES[i].origin));
            wf.web.allowed_origins = str_c(CASES[i].allowed);
            (void)call_http(&c);
            str allowed = answer_header("Access-Control-Allow-Origin");
            if (CASES[i].may ? !str_eq(allowed, str_c(CASES[i].origin)) : !str_none(allowed))
                fail_msg("'%s' for '%s' at %s", CASES[i].origin, CASES[i].allowed, PATHS[p]);
            assert_true(str_starts(answer_header("Vary"), STR("Origin")));
        }
    wf.web.allowed_origins = STR("*");
}

static void who_may_keep_an_answer(void **state)
{
    (void)state;
    (void)ask("/sharing/rest/portals/self?f=json");
    assert_str(answer_header("Cache-Control"), "private, no-cache");
    get(&item, NULL);
    assert_str(answer_header("Cache-Control"), "private, no-cache");
    (void)post("/sharing/rest/generateToken", "username", "admin", "password", "password-1", "client", "requestip", NULL);
    assert_str(answer_header("Cache-Control"), "no-store");
    str token = wf.token;
    wf.token = STR("");
    (void)ask("/sharing/rest/portals/self?f=json");
    assert_str(answer_header("Cache-Control"), "no-cache");
    wf.token = token;
}

static str answer_to(const char *path, const char *accept_encoding)
{
    struct http_call c = {.url = arena_printf(wf.ctx.arena, "%.*s%s", STR_FMT(wf.base), path)};
    http_headers_add(wf.ctx.arena, &c.headers, STR("Accept-Encoding"), str_c(accept_encoding));
    (void)call_http(&c);
    return wf.answer.body;
}

static void large_text_is_packed_for_those_who_read_it(void **state)
{
    (void)state;
    str packed = answer_to("/sharing/rest/portals/self?f=json", "gzip");
    assert_str(answer_header("Content-Encoding"), "gzip");
    assert_str(answer_header("Vary"), "Origin, Accept-Encoding");
    int64_t length; /* the client of this test unpacks */
    assert_true(num_parse_int(answer_header("Content-Length"), &length));
    assert_true(packed.n > 1024 && (size_t)length < packed.n);
    str plain = answer_to("/sharing/rest/portals/self?f=json", "br");
    assert_true(str_none(answer_header("Content-Encoding")));
    assert_int_equal(plain.n, packed.n);
    (void)answer_to("/sharing/rest?f=json", "gzip"); /* too small to be worth it */
    assert_true(str_none(answer_header("Content-Encoding")));
    (void)answer_to(arena_printf(wf.ctx.arena, "/sharing/rest/content/items/%s/data", large.text).p,
                    "gzip"); /* its ranges are of its bytes */
    assert_true(str_none(answer_header("Content-Encoding")));
    assert_int_equal(wf.answer.body.n, LARGE);
}

static void a_script_for_pages_without_cors(void **state)
{
    (void)state;
    (void)ask("/sharing/rest?f=json&callback=dojo.io.script.jsonp_1");
    assert_true(str_starts(wf.answer.body, STR("/**/dojo.io.script.jsonp_1({")) && str_ends(wf.answer.body, STR("});")));
    assert_str(answer_header("Content-Type"), "text/javascript;charset=utf-8");
    (void)ask("/sharing/rest/content/items/00000000000000000000000000000000/data?f=json&callback=cb");
    assert_int_equal(wf.answer.status, 200);
    assert_true(str_starts(wf.answer.body, STR("/**/cb({\"error\"")));
    static const char *const EARLY[] = {"/sharing/rest/nothing?callback=cb&f=json",
                                        "/sharing/rest/generateToken?f=json&callback=cb",
                                        "/sharing/rest?f=json&callback=cb&a=%00"};
    for (size_t i = 0; i < COUNT_OF(EARLY); i++) { /* found before the parameters are complete, or while they are read */
        (void)ask(EARLY[i]);
        assert_int_equal(wf.answer.status, 200);
        assert_true(str_starts(wf.answer.body, STR("/**/cb({\"error\"")));
        assert_str(answer_header("Content-Type"), "text/javascript;charset=utf-8");
    }
    (void)post("/sharing/rest/info", "callback", "cb", NULL);
    assert_str(answer_header("Content-Type"), "application/json;charset=utf-8");
    wf.web.allowed_origins = STR("https://app.example");
    (void)ask("/sharing/rest?f=json&callback=cb");
    assert_str(answer_header("Content-Type"), "application/json;charset=utf-8");
    wf.web.allowed_origins = STR("*");
    static const char *const WRONG[] = {"alert(1)", "1a", "a..b", "a.", ".a", "a%20b", "a%3Cb", "%C3%A4", "a%0a"};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct json v = ask(arena_printf(wf.ctx.arena, "/sharing/rest?f=json&callback=%s", WRONG[i]).p);
        assert_at(v, "/error/details/0", "'callback' has to be the name of a function.");
        assert_str(answer_header("Content-Type"), "application/json;charset=utf-8");
    }
}

static void pages_of_a_list(void **state)
{
    (void)state;
    static const struct {
        int64_t total, start, num, count, next;
    } PAGE[] = {{0, 1, 10, 0, -1},   {10, 1, 10, 10, -1}, {11, 1, 10, 10, 11},
                {11, 11, 10, 1, -1}, {11, 50, 10, 0, -1}, {5, 1, 0, 0, -1}};
    for (size_t i = 0; i < COUNT_OF(PAGE); i++) {
        struct buf b = BUF_INIT(1000);
        struct json_out o;
        struct json v;
        json_out_buf(&o, CTX, &b);
        json_begin_object(&o);
        reply_paging(&o, PAGE[i].total, PAGE[i].start, PAGE[i].num, PAGE[i].count);
        json_end_object(&o);
        assert_ok(json_out_end(&o, "a page"));
        assert_ok(json_parse(CTX, arena_str(wf.ctx.arena, buf_str(&b)), &v));
        buf_free(&b);
        int64_t next;
        assert_true(json_int(json_get_c(v, "nextStart"), &next));
        assert_int_equal(next, PAGE[i].next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_of_a_file),
        cmocka_unit_test(ranges),
        cmocka_unit_test(conditions),
        cmocka_unit_test(every_answer_says_how_it_may_be_used),
        cmocka_unit_test(errors_keep_the_status_that_the_asker_understands),
        cmocka_unit_test(hostile_text_comes_back_harmless),
        cmocka_unit_test(only_the_origins_that_are_listed_may_read),
        cmocka_unit_test(who_may_keep_an_answer),
        cmocka_unit_test(large_text_is_packed_for_those_who_read_it),
        cmocka_unit_test(a_script_for_pages_without_cors),
        cmocka_unit_test(pages_of_a_list),
    };
    return cmocka_run_group_tests(tests, open_items, web_fixture_close);
}
