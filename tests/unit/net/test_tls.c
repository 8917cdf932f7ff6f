/* The local authority, and certificates that are replaced while a server runs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/tls.h"
#include <sys/stat.h>

#define DAY (24LL * 3600 * 1000)

static struct ctx ctx;
static struct clock_fixed now;
static str dir;
static str names[] = {{"localhost", 9}, {"127.0.0.1", 9}, {"::1", 3}};
static struct tls_local local = {.names = names, .name_count = COUNT_OF(names)};
static struct tls_local_files files;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    now = clock_fixed_at(clock_system.now_ms(&clock_system));
    ctx.clock = &now.base;
    if (dir_temp(&ctx, NULL, &dir) != RC_OK)
        return -1;
    local = (struct tls_local){.dir = arena_printf(ctx.arena, "%s/tls", dir.p).p, .names = names, .name_count = COUNT_OF(names)};
    return tls_local_ensure(&ctx, &local, &files);
}

static int teardown(void **state)
{
    (void)state;
    int rc = dir_remove_tree(&ctx, dir.p);
    ctx_close(&ctx);
    return rc;
}

static void ensure(bool authority_made, bool server_made)
{
    if (tls_local_ensure(&ctx, &local, &files) != RC_OK)
        fail_msg("%s", err_text(&ctx));
    assert_int_equal(files.authority_made, authority_made);
    assert_int_equal(files.server_made, server_made);
}

static unsigned mode_of(const char *file)
{
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    return st.st_mode & 0777;
}

/* ---- a server that says hello ---- */

static int app_begin(struct ctx *c, void *app, struct http_request *rq)
{
    (void)c, (void)app, (void)rq;
    return RC_OK;
}
static int app_body(struct ctx *c, void *app, struct http_request *rq, str piece)
{
    (void)c, (void)app, (void)rq, (void)piece;
    return RC_OK;
}
static void app_finish(struct ctx *c, void *app, struct http_request *rq, int rc, struct http_response *answer)
{
    (void)c, (void)app, (void)rc;
    http_response_bytes(answer, rq->secure ? STR("secure") : STR("plain"));
}
static void app_end(struct ctx *c, void *app, struct http_request *rq, const struct http_response *answer, bool sent)
{
    (void)c, (void)app, (void)rq, (void)answer, (void)sent;
}
static const struct http_handlers handlers = {.begin = app_begin, .body = app_body, .finish = app_finish, .end = app_end};

static struct http_server *start(void)
{
    struct http_server *s;
    struct http_server_options options = {.host = "127.0.0.1", .cert_file = files.server, .key_file = files.server};
    if (http_server_start(&ctx, &options, &handlers, NULL, &s) != RC_OK)
        fail_msg("%s", err_text(&ctx));
    return s;
}

/* One GET by a client of its own that trusts that authority: does it get an answer? */
static bool trusted(const struct http_server *s, const char *host, const char *authority)
{
    struct http_client *client;
    struct http_client_options options = {.ca_file = authority, .proxy = "", .tries = 1};
    struct http_call call = {.url = arena_printf(ctx.arena, "https://%s:%u/", host, http_server_port(s))};
    struct http_answer answer;
    assert_int_equal(http_client_open(&ctx, &options, &client), RC_OK);
    int rc = http_client_call(&ctx, client, &call, &answer);
    bool ok = rc == RC_OK && str_eq(answer.body, STR("secure"));
    err_clear(&ctx);
    http_client_close(client);
    return ok;
}

/* ---- tests ---- */

static void made_once(void **state)
{
    (void)state;
    assert_true(files.authority_made && files.server_made);
    assert_int_equal(mode_of(files.server), 0600);
    assert_int_equal(mode_of(arena_printf(ctx.arena, "%s/authority-key.pem", local.dir).p), 0600);
    assert_int_equal(files.expires / DAY, (now.now + 397 * DAY) / DAY);
    str before, after;
    assert_int_equal(file_read_all(&ctx, files.server, 1 << 16, &before), RC_OK);
    ensure(false, false);
    assert_int_equal(file_read_all(&ctx, files.server, 1 << 16, &after), RC_OK);
    assert_true(str_eq(before, after));
}

static void clients_that_trust_the_authority_are_served(void **state)
{
    (void)state;
    struct http_server *s = start();
    assert_true(trusted(s, "127.0.0.1", files.authority));
    assert_true(trusted(s, "localhost", files.authority));
    assert_false(trusted(s, "127.0.0.1", NULL));
    http_server_stop(s, 0);
}

static void a_certificate_near_its_end_is_renewed_and_the_authority_kept(void **state)
{
    (void)state;
    now.now += 366 * DAY;
    ensure(false, false);
    now.now += 2 * DAY;
    ensure(false, true);
    assert_int_equal(files.expires / DAY, (now.now + 397 * DAY) / DAY);
    ensure(false, false);
}

static void an_authority_that_would_end_first_is_replaced(void **state)
{
    (void)state;
    now.now += (3650 - 398) * DAY;
    ensure(false, true);
    now.now += 2 * DAY;
    ensure(true, true);
    ensure(false, false);
}

static void a_clock_that_went_back_makes_new_ones(void **state)
{
    (void)state;
    now.now -= 400 * DAY;
    ensure(true, true);
}

static void a_further_name_makes_a_new_certificate(void **state)
{
    (void)state;
    str more[] = {STR("localhost"), STR("maps.example.org"), STR("192.0.2.7")};
    local.names = more;
    local.name_count = COUNT_OF(more);
    ensure(false, true);
    ensure(false, false);
    more[1] = STR("other.example.org");
    ensure(false, true);
    local.names = names; /* of those, 127.0.0.1 is not in it any more */
    ensure(false, true);
}

static void a_name_that_cannot_be_certified(void **state)
{
    (void)state;
    str bad[] = {STR("localhost"), STR("k\xC3\xB6ln.example\xFF")};
    local.names = bad;
    local.name_count = COUNT_OF(bad);
    assert_int_equal(tls_local_ensure(&ctx, &local, &files), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    assert_non_null(strstr(err_text(&ctx), "k\xC3\xB6ln"));
}

static void what_is_damaged_is_made_anew(void **state)
{
    (void)state;
    assert_int_equal(file_write_all(&ctx, files.server, STR("nonsense"), 0600), RC_OK);
    ensure(false, true);
    str other;
    const char *key = arena_printf(ctx.arena, "%s/authority-key.pem", local.dir).p;
    assert_int_equal(file_read_all(&ctx, files.server, 1 << 16, &other), RC_OK);
    assert_int_equal(file_write_all(&ctx, key, other, 0600), RC_OK); /* a key, of another certificate */
    ensure(true, true);
    assert_int_equal(file_remove(&ctx, key), RC_OK);
    ensure(true, true);
}

static void a_running_server_takes_another_certificate(void **state)
{
    (void)state;
    struct http_server *s = start();
    str old;
    const char *old_authority = arena_printf(ctx.arena, "%s/old.pem", dir.p).p;
    assert_int_equal(file_read_all(&ctx, files.authority, 1 << 16, &old), RC_OK);
    assert_int_equal(file_write_all(&ctx, old_authority, old, 0600), RC_OK);
    assert_int_equal(dir_remove_tree(&ctx, local.dir), RC_OK);
    ensure(true, true);
    assert_true(trusted(s, "127.0.0.1", old_authority));
    assert_int_equal(http_server_certificate(&ctx, s, files.server, files.server), RC_OK);
    assert_true(trusted(s, "127.0.0.1", files.authority));
    assert_false(trusted(s, "127.0.0.1", old_authority));

    assert_int_equal(http_server_certificate(&ctx, s, files.authority, files.server), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    assert_non_null(strstr(err_text(&ctx), "not the key of the certificate"));
    err_clear(&ctx);
    assert_int_equal(http_server_certificate(&ctx, s, old_authority, old_authority), RC_FAIL);
    assert_non_null(strstr(err_text(&ctx), "no private key"));
    err_clear(&ctx);
    assert_true(trusted(s, "127.0.0.1", files.authority));
    http_server_stop(s, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(made_once),
        T(clients_that_trust_the_authority_are_served),
        T(a_certificate_near_its_end_is_renewed_and_the_authority_kept),
        T(an_authority_that_would_end_first_is_replaced),
        T(a_clock_that_went_back_makes_new_ones),
        T(a_further_name_makes_a_new_certificate),
        T(a_name_that_cannot_be_certified),
        T(what_is_damaged_is_made_anew),
        T(a_running_server_takes_another_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
