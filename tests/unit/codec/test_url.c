/* codec/url: percent coding both ways, cutting of URLs, and what messages may show of them. Also codec/html. */
#include "codec/html.h"
#include "codec/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_str(actual, expected)                                                                                             \
    do {                                                                                                                         \
        str actual_ = (actual), expected_ = (expected);                                                                          \
        assert_int_equal(actual_.n, expected_.n);                                                                                \
        assert_memory_equal(actual_.p ? actual_.p : "", expected_.p, expected_.n);                                               \
    } while (0)

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

static void decodes(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        str coded, plain;
        bool plus;
    } rows[] = {
        {STR(""), STR(""), false},
        {STR("abc"), STR("abc"), false},
        {STR("a+b"), STR("a+b"), false},
        {STR("a+b"), STR("a b"), true},
        {STR("%41%6a%6A"), STR("Ajj"), false},
        {STR("%C3%A9"), STR("\xC3\xA9"), true},
        {STR("%00x"), STR("\0x"), false},
        {STR("100%"), STR("100%"), false},
        {STR("%4"), STR("%4"), false},
        {STR("%zz%4g%g4"), STR("%zz%4g%g4"), false},
        {STR("%%41"), STR("%A"), false},
        {STR("%2541"), STR("%41"), false},
        {STR("%2B+%20"), STR("+  "), true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_str(url_decode(ctx->arena, rows[i].coded, rows[i].plus), rows[i].plain);
}

static void nothing_to_decode_is_not_copied(void **state)
{
    struct ctx *ctx = *state;
    str s = STR("plain-text");
    assert_ptr_equal(url_decode(ctx->arena, s, true).p, s.p);
}

static void encodes(void **state)
{
    struct ctx *ctx = *state;
    assert_str(url_encoded(ctx->arena, STR("")), STR(""));
    assert_str(url_encoded(ctx->arena, STR("AZaz09-._~")), STR("AZaz09-._~"));
    assert_str(url_encoded(ctx->arena, STR("a b/c?d=e&f+g%")), STR("a%20b%2Fc%3Fd%3De%26f%2Bg%25"));
    assert_str(url_encoded(ctx->arena, STR("\xC3\xA9\0\xFF")), STR("%C3%A9%00%FF"));
    CLEANUP(buf_free) struct buf b = BUF_INIT(100);
    url_encode_path(&b, STR("folder 1/caf\xC3\xA9?"));
    assert_str(buf_str(&b), STR("folder%201/caf%C3%A9%3F"));
}

static void every_byte_survives(void **state)
{
    struct ctx *ctx = *state;
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    str bytes = str_of(all, sizeof all);
    assert_str(url_decode(ctx->arena, url_encoded(ctx->arena, bytes), true), bytes);
}

static void splits(void **state)
{
    (void)state;
    struct url_parts u;
    assert_true(url_split(STR("https://us:er@p@host.example:8443/a/b?x=1?2#frag?"), &u));
    assert_str(u.scheme, STR("https"));
    assert_str(u.userinfo, STR("us:er@p"));
    assert_str(u.host, STR("host.example"));
    assert_int_equal(u.port, 8443);
    assert_str(u.path, STR("/a/b"));
    assert_str(u.query, STR("x=1?2"));
    assert_str(u.fragment, STR("frag?"));
    assert_true(u.secure);

    assert_true(url_split(STR("HTTP://h"), &u));
    assert_str(u.host, STR("h"));
    assert_int_equal(u.port, 80);
    assert_str(u.path, STR(""));
    assert_true(str_none(u.query) && str_none(u.userinfo) && str_none(u.fragment));
    assert_false(u.secure);

    assert_true(url_split(STR("https://h:/?"), &u));
    assert_int_equal(u.port, 443);
    assert_str(u.path, STR("/"));
    assert_true(!str_none(u.query) && u.query.n == 0);

    assert_true(url_split(STR("http://[::1]:81/p"), &u));
    assert_str(u.host, STR("[::1]"));
    assert_int_equal(u.port, 81);
    assert_true(url_split(STR("http://[fe80::2]"), &u));
    assert_str(u.host, STR("[fe80::2]"));
    assert_int_equal(u.port, 80);
}

static void refuses_what_is_no_url(void **state)
{
    (void)state;
    static const str rows[] = {
        STR(""),
        STR("http"),
        STR("http://"),
        STR("http:///path"),
        STR("ftp://host/"),
        STR("//host/p"),
        STR("/path"),
        STR("http://:80/"),
        STR("http://h:0/"),
        STR("http://h:65536/"),
        STR("http://h:x"),
        STR("http://h:8 0/"),
        STR("http://h/a b"),
        STR("http://h/a\nb"),
        STR("http://h/\x7f"),
        STR("http://[::1"),
        STR("http://[::1]x/"),
        STR("http://user@"),
        STR("http://?host/"),
        STR("http://h:99999999999999999999/"),
    };
    struct url_parts u;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (url_split(rows[i], &u))
            fail_msg("taken for a URL: %.*s", STR_FMT(rows[i]));
}

static void messages_show_no_secrets(void **state)
{
    struct ctx *ctx = *state;
    assert_str(url_safe(ctx->arena, STR("https://me:pw@h:1/sharing/rest?token=abc#t")), STR("https://h:1/sharing/rest"));
    assert_str(url_safe(ctx->arena, STR("http://h?token=abc")), STR("http://h"));
    assert_str(url_safe(ctx->arena, STR("token=abc")), STR("(not a URL)"));
}

static void html_is_escaped(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(200);
    html_escape(&b, STR("<a href=\"x\" b='y'>&amp;</a> \xE6\x9D\xB1"));
    assert_str(buf_str(&b), STR("&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt; \xE6\x9D\xB1"));
    buf_clear(&b);
    html_escape(&b, STR(""));
    html_escape(&b, STR("plain"));
    assert_str(buf_str(&b), STR("plain"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decodes, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(nothing_to_decode_is_not_copied, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(encodes, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(every_byte_survives, open_ctx, close_ctx),
        cmocka_unit_test(splits),
        cmocka_unit_test(refuses_what_is_no_url),
        cmocka_unit_test_setup_teardown(messages_show_no_secrets, open_ctx, close_ctx),
        cmocka_unit_test(html_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
