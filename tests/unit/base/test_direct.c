/* Files past the page cache: every way to cut content into pieces gives the same bytes, of whole blocks or not. */
#include "base/direct.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { CONTENT_MAX = 700 * 1000 };

static struct ctx ctx;
static str dir;
static char *content; /* aligned */

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    content = mem_aligned(DIRECT_ALIGN, (CONTENT_MAX / DIRECT_ALIGN + 1) * DIRECT_ALIGN);
    for (size_t i = 0; i < CONTENT_MAX; i++)
        content[i] = (char)(i * 31 + i / 251);
    return dir_temp(&ctx, NULL, &dir);
}

static int teardown(void **state)
{
    (void)state;
    fault_arm(NULL);
    err_clear(&ctx);
    int rc = dir_remove_tree(&ctx, dir.p);
    mem_free(content);
    ctx_close(&ctx);
    return rc != RC_OK;
}

static const char *in(const char *name) { return arena_printf(ctx.arena, "%s/%s", dir.p, name).p; }

static int write_in_pieces(const char *path, size_t size, size_t reserved, size_t piece)
{
    struct direct_file *f;
    int rc = direct_create(&ctx, path, reserved, &f);
    for (size_t at = 0; rc == RC_OK && at < size; at += piece)
        rc = direct_write(&ctx, f, content + at, at + piece < size ? piece : size - at);
    if (rc == RC_OK)
        rc = direct_finish(&ctx, f);
    direct_close(f);
    return rc;
}

static void assert_content(const char *path, size_t size)
{
    str got;
    assert_int_equal(file_read_all(&ctx, path, CONTENT_MAX, &got), RC_OK);
    assert_int_equal(got.n, size);
    assert_memory_equal(got.p, content, size);
}

static void test_sizes_and_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 262144, 262145, 524288, CONTENT_MAX};
    static const size_t pieces[] = {1000, 4096, 65536, 100001, 1 << 20};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t k = 0; k < COUNT_OF(pieces); k++) {
            struct arena_mark mark = arena_mark(ctx.arena);
            const char *path = in(arena_printf(ctx.arena, "%zu-%zu", sizes[i], pieces[k]).p);
            assert_int_equal(write_in_pieces(path, sizes[i], sizes[i], pieces[k]), RC_OK);
            assert_content(path, sizes[i]);
            arena_release(ctx.arena, mark);
        }
}

static void test_another_size_than_reserved(void **state)
{
    (void)state;
    assert_int_equal(write_in_pieces(in("shorter"), 5000, 300000, 4096), RC_OK);
    assert_content(in("shorter"), 5000);
    assert_int_equal(write_in_pieces(in("longer"), 300000, 5000, 4096), RC_OK);
    assert_content(in("longer"), 300000);
}

static void test_existing_file_is_refused(void **state)
{
    (void)state;
    struct direct_file *f;
    assert_int_equal(file_write_all(&ctx, in("there"), STR("old"), 0600), RC_OK);
    assert_int_not_equal(direct_create(&ctx, in("there"), 10, &f), RC_OK);
    assert_null(f);
    direct_close(f);
}

/* Each changing call fails once: the error comes through, and closing is enough afterwards. */
static void test_faults(void **state)
{
    (void)state;
    int failed = 0;
    for (int n = 1; n < 50; n++) {
        const char *path = in(arena_printf(ctx.arena, "fault-%d", n).p);
        fault_arm(arena_printf(ctx.arena, "enospc:%d", n).p);
        int rc = write_in_pieces(path, 300001, 300001, 65536);
        fault_arm(NULL);
        if (rc == RC_OK)
            break;
        failed++;
        assert_true(err_is(&ctx, &ERR_NO_SPACE));
        err_clear(&ctx);
    }
    assert_in_range(failed, 4, 48); /* creating, reserving, writing, cutting */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes_and_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_size_than_reserved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_existing_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
