/* SHA-256, secrets, passwords, base64. */
#include "base/hash.h"
#include <stdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct ctx ctx;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

/* NIST FIPS 180-4 examples and the million-a message. */
static void test_sha256_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char hex[HASH_HEX + 1];
        struct hash h = hash_of(str_c(rows[i].text)), back;
        hash_hex(h, hex);
        assert_string_equal(hex, rows[i].hex);
        assert_string_equal(hash_hex_str(ctx.arena, h).p, rows[i].hex);
        assert_true(hash_parse(str_c(hex), &back));
        assert_true(hash_eq(h, back));
    }
    struct hash_state s;
    hash_start(&s);
    for (int i = 0; i < 1000000; i += 10) /* in pieces that are no multiple of the block */
        hash_update(&s, "aaaaaaaaaa", 10);
    assert_true(str_eq(hash_hex_str(ctx.arena, hash_finish(&s)),
                       STR("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")));
    assert_false(hash_eq(hash_of(STR("a")), hash_of(STR("b"))));
    assert_true(hash_eq(hash_of(STR_NONE), hash_of(STR(""))));
}

static void test_hash_parse_refuses(void **state)
{
    (void)state;
    struct hash h;
    char hex[HASH_HEX + 1];
    hash_hex(hash_of(STR("x")), hex);
    assert_false(hash_parse(str_of(hex, HASH_HEX - 1), &h));
    assert_false(hash_parse(str_of(hex, HASH_HEX - 2), &h));
    hex[63] = 'g';
    assert_false(hash_parse(str_c(hex), &h));
    assert_false(hash_parse(STR(""), &h));
}

static void test_secret_eq(void **state)
{
    (void)state;
    assert_true(secret_eq(STR("abc"), STR("abc")));
    assert_true(secret_eq(STR(""), STR_NONE));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    assert_false(secret_eq(STR("xbc"), STR("abc")));
    assert_false(secret_eq(STR("abc"), STR("ab")));
    assert_false(secret_eq(STR("a\0b"), STR("a\0c")));
}

static void test_random(void **state)
{
    (void)state;
    static uint8_t a[100000], b[100000]; /* larger than what one call of the kernel gives for sure */
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + sizeof a - 32, b + sizeof b - 32, 32);
    random_bytes(a, 0);
}

static void test_passwords(void **state)
{
    (void)state;
    str hash, again;
    assert_int_equal(password_hash(&ctx, STR("correct horse"), &hash), RC_OK);
    assert_true(str_starts(hash, STR("$y$")));
    assert_true(password_matches(STR("correct horse"), hash));
    assert_false(password_matches(STR("correct horsf"), hash));
    assert_false(password_matches(STR(""), hash));
    assert_int_equal(password_hash(&ctx, STR("correct horse"), &again), RC_OK);
    assert_false(str_eq(hash, again)); /* a salt of its own */
    assert_false(password_matches(STR("correct horse"), str_sub(hash, 0, hash.n - 1)));
    static const char *const bad[] = {"", "*0", "*1", "plain", "$y$", "$9$x$y", "$y$j9T$"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(password_matches(STR("correct horse"), str_c(bad[i])));
    char longest[600];
    memset(longest, 'x', sizeof longest);
    assert_false(password_matches(STR("x"), str_of(longest, sizeof longest)));
    assert_false(password_matches(str_of(longest, sizeof longest), hash));
    assert_int_equal(password_hash(&ctx, str_of(longest, 511), &hash), RC_OK);
    assert_true(password_matches(str_of(longest, 511), hash));
    assert_false(password_matches(str_of(longest, 510), hash)); /* nothing is cut silently */
}

static void test_passwords_refused(void **state)
{
    (void)state;
    char longest[512];
    memset(longest, 'x', sizeof longest);
    str hash;
    assert_int_equal(password_hash(&ctx, str_of(longest, 512), &hash), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    err_clear(&ctx);
    assert_int_equal(password_hash(&ctx, STR("a\0b"), &hash), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
}

/* RFC 4648, section 10. */
static void test_base64_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *encoded;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xff\xef\xbe", "/+++"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str out;
        assert_string_equal(base64_encode(ctx.arena, str_c(rows[i].text)).p, rows[i].encoded);
        assert_true(base64_decode(ctx.arena, str_c(rows[i].encoded), &out));
        assert_true(str_eq(out, str_c(rows[i].text)));
    }
    char bytes[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (size_t n = 0; n <= 256; n++) {
        str out;
        assert_true(base64_decode(ctx.arena, base64_encode(ctx.arena, str_of(bytes, n)), &out));
        assert_true(str_eq(out, str_of(bytes, n)));
    }
}

static void test_base64_refuses(void **state)
{
    (void)state;
    static const char *const rows[] = {"Z",    "Zg",   "Zg=",  "Zg===", "====", "=",        "==",   "Z===", "Zm9v=",     "Zm9vZ",
                                       "Zh==", "Zm9=", "Zm 9", "Zm9\n", "Zm-_", "Zg==Zg==", "=Zg=", "Zg=v", "Z\xc3\xa4g"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str out = STR("untouched");
        if (base64_decode(ctx.arena, str_c(rows[i]), &out))
            fail_msg("\"%s\" was taken", rows[i]);
        assert_true(str_eq(out, STR("untouched")));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_sha256_vectors), T(test_hash_parse_refuses), T(test_secret_eq),      T(test_random),
        T(test_passwords),      T(test_passwords_refused),  T(test_base64_vectors), T(test_base64_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
