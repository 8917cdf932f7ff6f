/* Tokens: sign-in, bindings to referer and address, exchange, expiry, limits of failures. */
#include "fixture.h"

static const struct user_input alice = {
    .username = {"Alice", 5}, .password = {"correct horse", 13}, .role = {"org_publisher", 13}};

static int setup(void **state)
{
    fixture_open(state);
    assert_ok(user_create(CTX, SITE, &callers[ADMIN], &alice));
    return 0;
}

static struct token_input sign_in_of(str password)
{
    return (struct token_input){.username = STR("alice"), .password = password, .remote = STR("192.0.2.1")};
}

static str token_for(struct token_input in)
{
    str token;
    int64_t expires;
    assert_ok(token_generate(CTX, SITE, &in, &token, &expires));
    return token;
}

static int generate(struct token_input in)
{
    str token;
    int64_t expires;
    return token_generate(CTX, SITE, &in, &token, &expires);
}

static bool works(str token, const char *referer, const char *remote)
{
    struct caller c;
    int rc = token_caller(CTX, SITE, token, str_c(referer), str_c(remote), &c);
    if (rc == RC_OK)
        return !c.anonymous && str_eq(c.username, STR("Alice")) && c.role == ROLE_PUBLISHER;
    assert_true(err_is(CTX, &ERR_TOKEN_INVALID));
    assert_true(c.anonymous);
    err_clear(CTX);
    return false;
}

static void a_token_is_43_safe_characters(void **state)
{
    (void)state;
    str token = token_for(sign_in_of(STR("correct horse"))), second = token_for(sign_in_of(STR("correct horse")));
    assert_true(token.n >= 43);
    assert_false(str_eq(token, second));
    for (size_t i = 0; i < token.n; i++)
        assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token.p[i]));
    assert_true(works(token, "", ""));
    assert_true(works(second, "http://anywhere/", "203.0.113.9"));
}

struct stored {
    struct hash hash;
    struct token token;
};
static int get_stored(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct stored *s = arg;
    return meta_token_get(ctx, tx, s->hash, &s->token);
}

static void only_the_hash_is_stored(void **state)
{
    (void)state;
    str token = token_for(sign_in_of(STR("correct horse")));
    struct stored s = {.hash = hash_of(token)};
    assert_ok(sql_read(CTX, fx.site.sql, get_stored, &s));
    assert_str(s.token.username, "Alice");
    str database;
    assert_ok(file_read_all(CTX, arena_printf(fx.ctx.arena, "%s/portal.db-wal", fx.dir.p).p, 64 << 20, &database));
    assert_int_equal(str_find(database, token, 0), SIZE_MAX);
}

static void nobody_and_nonsense(void **state)
{
    (void)state;
    struct caller c;
    assert_ok(token_caller(CTX, SITE, STR_NONE, STR(""), STR(""), &c));
    assert_true(c.anonymous);
    assert_ok(token_caller(CTX, SITE, STR(""), STR(""), STR(""), &c));
    assert_true(c.anonymous);
    assert_false(works(STR("nonsense"), "", ""));
    assert_false(works(STR("a\0b"), "", ""));
    char huge[5000];
    memset(huge, 'x', sizeof huge);
    assert_false(works(str_of(huge, sizeof huge), "", ""));
    str token = token_for(sign_in_of(STR("correct horse")));
    assert_false(works(str_sub(token, 0, token.n - 1), "", ""));
    assert_false(works(arena_printf(fx.ctx.arena, "%.*s ", STR_FMT(token)), "", ""));
}

static void wrong_name_and_wrong_password_look_alike(void **state)
{
    (void)state;
    const struct token_input wrong[] = {
        {.username = STR("alice"), .password = STR("wrong horse")},
        {.username = STR("nobody"), .password = STR("correct horse")},
        {.username = STR("alice"), .password = STR_NONE},
        {.username = STR("alice"), .password = STR("correct horse\0")},
        {.username = STR("owner"), .password = STR("!")}, /* its stored hash is no hash */
        {.username = STR(""), .password = STR("correct horse")},
        {.username = STR("alice' --"), .password = STR("x")},
        {.username = STR("\xff"), .password = STR("x")},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_not_equal(generate(wrong[i]), RC_OK);
        assert_true(err_is(CTX, &ERR_TOKEN_GENERATE));
        assert_string_equal(err_text(CTX), "Invalid username or password.");
        err_clear(CTX);
    }
    struct user u;
    bool full;
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], STR("alice"), &u, &full));
    struct token_input by_id = sign_in_of(STR("correct horse"));
    by_id.username = id_str(&u.id);
    assert_refused(generate(by_id), ERR_TOKEN_GENERATE); /* one name to count failures for */
}

static void bound_to_a_referer(void **state)
{
    (void)state;
    static const struct {
        const char *bound, *sent;
        bool good;
    } rows[] = {
        {"http://127.0.0.1:9000", "http://127.0.0.1:9000/", true}, /* the Maps SDK */
        {"http://127.0.0.1:9000", "http://127.0.0.1:9000/page?x=1#y", true},
        {"http://127.0.0.1:9000/app/", "HTTP://127.0.0.1:9000", true},
        {"https://Host.example", "https://host.example:443/x", true},
        {"http://host.example:80", "http://host.example", true},
        {"http://127.0.0.1:9000", "https://127.0.0.1:9000", false},
        {"http://127.0.0.1:9000", "http://127.0.0.1:9001", false},
        {"http://127.0.0.1:9000", "http://127.0.0.1:90000", false},
        {"http://host.example", "http://host.example.evil.example/", false},
        {"http://host.example", "http://evil.example/http://host.example", false},
        {"http://host.example", "http://host.example@evil.example/", false},
        {"http://host.example", "", false},
        {"@esri/arcgis-rest-js", "@esri/arcgis-rest-js", true},
        {"@esri/arcgis-rest-js", "@ESRI/arcgis-rest-js", false},
        {"@esri/arcgis-rest-js", "@esri/arcgis-rest-js/x", false},
        {"http", "http", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int with_client = 0; with_client < 2; with_client++) { /* rest-js 3.5 sends referer without client */
            struct token_input in = sign_in_of(STR("correct horse"));
            in.client = with_client ? STR("referer") : STR_NONE;
            in.referer = str_c(rows[i].bound);
            if (works(token_for(in), rows[i].sent, "192.0.2.1") != rows[i].good)
                fail_msg("bound to %s, sent %s", rows[i].bound, rows[i].sent);
        }
}

static void bound_to_an_address(void **state)
{
    (void)state;
    struct token_input in = sign_in_of(STR("correct horse"));
    in.client = STR("requestip");
    str token = token_for(in);
    assert_true(works(token, "http://any", "192.0.2.1"));
    assert_false(works(token, "", "192.0.2.2"));
    in.client = STR("ip");
    in.ip = STR("198.51.100.7");
    token = token_for(in);
    assert_true(works(token, "", "198.51.100.7"));
    assert_false(works(token, "", "192.0.2.1"));
}

static void bindings_that_cannot_be(void **state)
{
    (void)state;
    struct token_input in = sign_in_of(STR("correct horse"));
    in.client = STR("referer");
    assert_refused(generate(in), ERR_TOKEN_GENERATE);
    in.client = STR("ip");
    assert_refused(generate(in), ERR_TOKEN_GENERATE);
    in.client = STR("moon");
    assert_refused(generate(in), ERR_TOKEN_GENERATE);
    in.client = STR("referer");
    in.referer = STR("a\xff");
    assert_refused(generate(in), ERR_TOKEN_GENERATE);
    in.referer = STR("x");
    in.server_url = STR("http://\0");
    assert_refused(generate(in), ERR_TOKEN_GENERATE);
}

static void minutes(void **state)
{
    (void)state;
    static const struct {
        int64_t asked, given;
    } rows[] = {{0, 60}, {-5, 60}, {1, 1}, {20160, 20160}, {20161, 20160}, {INT64_MAX, 20160}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct token_input in = sign_in_of(STR("correct horse"));
        str token;
        int64_t expires;
        in.minutes = rows[i].asked;
        fx.clock.now = NOW * 1000LL;
        assert_ok(token_generate(CTX, SITE, &in, &token, &expires));
        assert_int_equal(expires, fx.clock.now + rows[i].given * 60000);
        fx.clock.now = expires - 1;
        assert_true(works(token, "", ""));
        fx.clock.now = expires;
        assert_false(works(token, "", ""));
    }
}

static void exchange_for_a_server(void **state)
{
    (void)state;
    struct token_input in = sign_in_of(STR("correct horse"));
    in.client = STR("referer");
    in.referer = STR("@esri/arcgis-rest-js");
    in.minutes = 10;
    str portal_token = token_for(in), token;
    int64_t expires;
    fx.clock.now += 60000;
    struct token_input swap = {.token = portal_token, .server_url = STR("http://127.0.0.1:7080/server"), .minutes = 20160};
    assert_ok(token_generate(CTX, SITE, &swap, &token, &expires));
    assert_int_equal(expires, NOW * 1000LL + 600000); /* no longer than the one it is made from */
    assert_true(works(token, "@esri/arcgis-rest-js", ""));
    assert_false(works(token, "", ""));
    swap.client = STR("referer");
    swap.referer = STR("http://thief.example"); /* who stole it cannot bind it anew */
    assert_ok(token_generate(CTX, SITE, &swap, &token, &expires));
    assert_false(works(token, "http://thief.example/", ""));
    assert_true(works(token, "@esri/arcgis-rest-js", ""));
    swap.token = token_for(sign_in_of(STR("correct horse")));
    assert_ok(token_generate(CTX, SITE, &swap, &token, &expires)); /* one that is not bound may be */
    assert_true(works(token, "http://thief.example/", ""));
    assert_false(works(token, "", ""));
    struct token_input both = sign_in_of(STR("correct horse")); /* name and password win over a token that is still being sent */
    both.token = STR("nonsense");
    assert_true(works(token_for(both), "", ""));
    swap.token = STR("nonsense");
    assert_refused(generate(swap), ERR_TOKEN_INVALID);
    fx.clock.now += 600000;
    swap.token = portal_token;
    assert_refused(generate(swap), ERR_TOKEN_INVALID);
}

static void revoking(void **state)
{
    (void)state;
    str token = token_for(sign_in_of(STR("correct horse")));
    assert_ok(token_revoke(CTX, SITE, token));
    assert_false(works(token, "", ""));
    assert_ok(token_revoke(CTX, SITE, token));
    assert_ok(token_revoke(CTX, SITE, STR("nonsense")));
}

static int disable_alice(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user u;
    (void)arg;
    TRY(meta_user_get(ctx, tx, STR("alice"), &u));
    u.disabled = true;
    return meta_user_update(ctx, tx, &u);
}

static void passwords_and_disabled_users(void **state)
{
    (void)state;
    str token = token_for(sign_in_of(STR("correct horse")));
    assert_ok(user_set_password(CTX, SITE, STR("alice"), STR("battery staple")));
    assert_false(works(token, "", "")); /* a new password ends what the old one began */
    assert_refused(generate(sign_in_of(STR("correct horse"))), ERR_TOKEN_GENERATE);
    token = token_for(sign_in_of(STR("battery staple")));
    assert_true(works(token, "", ""));
    assert_ok(sql_write(CTX, fx.site.sql, disable_alice, NULL));
    assert_false(works(token, "", ""));
    assert_refused(generate(sign_in_of(STR("battery staple"))), ERR_TOKEN_GENERATE);
    assert_refused(generate((struct token_input){.token = token}), ERR_TOKEN_INVALID);
}

static void signing_in_is_noted(void **state)
{
    (void)state;
    struct user u;
    bool full;
    fx.clock.now += 5;
    token_for(sign_in_of(STR("correct horse")));
    assert_ok(user_get(CTX, SITE, &callers[ADMIN], STR("alice"), &u, &full));
    assert_int_equal(u.last_login, NOW * 1000LL + 5);
}

static void failures_are_limited(void **state)
{
    (void)state;
    SITE->settings.login_failures_max = 3;
    for (int i = 0; i < 3; i++) {
        struct token_input wrong = sign_in_of(STR("wrong"));
        wrong.username = i % 2 ? STR("ALICE") : STR("alice"); /* one user */
        assert_refused(generate(wrong), ERR_TOKEN_GENERATE);
    }
    assert_int_not_equal(generate(sign_in_of(STR("correct horse"))), RC_OK);
    assert_non_null(strstr(err_text(CTX), "Wait"));
    err_clear(CTX);
    struct token_input elsewhere = sign_in_of(STR("correct horse"));
    elsewhere.remote = STR("192.0.2.77");
    token_for(elsewhere); /* another address is another matter, and does not free this one */
    assert_refused(generate(sign_in_of(STR("correct horse"))), ERR_TOKEN_GENERATE);
    fx.clock.now += 10 * 60 * 1000 - 1;
    assert_refused(generate(sign_in_of(STR("correct horse"))), ERR_TOKEN_GENERATE);
    fx.clock.now += 1;
    token_for(sign_in_of(STR("correct horse")));
}

static void a_success_forgets_failures(void **state)
{
    (void)state;
    SITE->settings.login_failures_max = 3;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++)
            assert_refused(generate(sign_in_of(STR("wrong"))), ERR_TOKEN_GENERATE);
        token_for(sign_in_of(STR("correct horse")));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_43_safe_characters),
        TEST(only_the_hash_is_stored),
        TEST(nobody_and_nonsense),
        TEST(wrong_name_and_wrong_password_look_alike),
        TEST(bound_to_a_referer),
        TEST(bound_to_an_address),
        TEST(bindings_that_cannot_be),
        TEST(minutes),
        TEST(exchange_for_a_server),
        TEST(revoking),
        TEST(passwords_and_disabled_users),
        TEST(signing_in_is_noted),
        TEST(failures_are_limited),
        TEST(a_success_forgets_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
