/* Sealed secrets: they come back, and nothing else opens them. */
#include "base/seal.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <cmocka.h>

static struct ctx ctx;
static str dir;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return dir_temp(&ctx, NULL, &dir);
}

static int teardown(void **state)
{
    (void)state;
    int rc = dir_remove_tree(&ctx, dir.p);
    ctx_close(&ctx);
    return rc;
}

static const char *key_path(void) { return arena_printf(ctx.arena, "%s/secret.key", dir.p).p; }

static void a_key_is_made_once(void **state)
{
    (void)state;
    struct seal_key first, again;
    struct stat about;
    assert_int_equal(seal_key_open(&ctx, key_path(), &first), RC_OK);
    assert_int_equal(stat(key_path(), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(seal_key_open(&ctx, key_path(), &again), RC_OK);
    assert_memory_equal(first.bytes, again.bytes, sizeof first.bytes);
    assert_int_equal(file_write_all(&ctx, key_path(), STR("short"), 0600), RC_OK);
    assert_int_equal(seal_key_open(&ctx, key_path(), &again), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_CORRUPT));
}

static void what_is_sealed_comes_back(void **state)
{
    (void)state;
    struct seal_key key, other;
    str plain;
    assert_int_equal(seal_key_open(&ctx, key_path(), &key), RC_OK);
    other = key;
    other.bytes[31] ^= 1;
    static const str texts[] = {{"", 0}, {"x", 1}, {"a\0b", 3}, {"pass wörd", 10}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        str sealed = seal_close(ctx.arena, &key, STR("item"), texts[i]);
        assert_true(seal_open(ctx.arena, &key, STR("item"), sealed, &plain));
        assert_true(str_eq(plain, texts[i]));
        assert_true(texts[i].n < 2 || str_find(sealed, texts[i], 0) == SIZE_MAX);
        assert_false(str_eq(sealed, seal_close(ctx.arena, &key, STR("item"), texts[i])));
        assert_false(seal_open(ctx.arena, &other, STR("item"), sealed, &plain));
        assert_false(seal_open(ctx.arena, &key, STR("another item"), sealed, &plain));
        for (size_t at = 0; at < sealed.n; at++) {
            char *changed = arena_cstr(ctx.arena, sealed);
            changed[at] = (char)(changed[at] ^ 1);
            assert_false(seal_open(ctx.arena, &key, STR("item"), str_of(changed, sealed.n), &plain));
            assert_false(seal_open(ctx.arena, &key, STR("item"), str_sub(sealed, 0, at), &plain));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(a_key_is_made_once, setup, teardown),
                                       cmocka_unit_test_setup_teardown(what_is_sealed_comes_back, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
