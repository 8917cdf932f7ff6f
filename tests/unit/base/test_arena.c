/* Arena: alignment, marks, large allocations, growth. */
#include "base/arena.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static int setup(void **state)
{
    *state = arena_open();
    return 0;
}

static int teardown(void **state)
{
    arena_close(*state);
    return 0;
}

static void assert_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i], 0);
}

static void test_alloc_is_zeroed_and_aligned(void **state)
{
    struct arena *a = *state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4095, 4096, 60000, 65536, 65537, 300000};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            char *p = arena_alloc(a, sizes[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            assert_zero(p, sizes[i]);
            memset(p, 0xEE, sizes[i]); /* what comes here again after the reset is zeroed again */
        }
        arena_reset(a);
    }
}

static void test_allocations_do_not_overlap(void **state)
{
    struct arena *a = *state;
    enum { COUNT = 2000 };
    char *p[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i % 97 == 0 ? 70000 : 1 + i % 300;
        p[i] = arena_alloc(a, size);
        memset(p[i], (int)(i & 0x7F), size);
    }
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i % 97 == 0 ? 70000 : 1 + i % 300;
        assert_int_equal(p[i][0], i & 0x7F);
        assert_int_equal(p[i][size - 1], i & 0x7F);
    }
}

static void test_reset_gives_back(void **state)
{
    struct arena *a = *state;
    size_t before = arena_size(a);
    void *first = arena_alloc(a, 10);
    for (int i = 0; i < 100; i++) {
        arena_alloc(a, 3000);
        arena_alloc(a, 100000);
    }
    assert_true(arena_size(a) > before + 100 * 103000);
    arena_reset(a);
    assert_int_equal(arena_size(a), before);
    assert_ptr_equal(arena_alloc(a, 10), first);
}

static void test_release_keeps_what_is_older(void **state)
{
    struct arena *a = *state;
    char *kept = arena_cstr(a, STR("kept"));
    char *large_kept = arena_alloc(a, 100000);
    large_kept[99999] = 'x';
    size_t size = arena_size(a);
    struct arena_mark outer = arena_mark(a);
    for (int i = 0; i < 50; i++) {
        struct arena_mark inner = arena_mark(a);
        size_t inside = arena_size(a);
        arena_alloc(a, 200000); /* the first thing after a mark is a large one */
        arena_alloc(a, 50000);
        arena_alloc(a, 50000);
        arena_release(a, inner);
        assert_int_equal(arena_size(a), inside);
    }
    arena_alloc(a, 100000);
    arena_alloc(a, 5000);
    arena_release(a, outer);
    assert_int_equal(arena_size(a), size);
    assert_string_equal(kept, "kept");
    assert_int_equal(large_kept[99999], 'x');
    arena_release(a, outer); /* again: nothing to do */
    assert_int_equal(arena_size(a), size);
}

static void test_small_ones_fill_the_block_beside_large_ones(void **state)
{
    struct arena *a = *state;
    char *one = arena_alloc(a, 16);
    arena_alloc(a, 1000000);
    char *two = arena_alloc(a, 16);
    assert_true(two > one && two - one < 200);
}

static void test_grow(void **state)
{
    struct arena *a = *state;
    size_t capacity = 0;
    uint64_t *array = NULL;
    for (size_t i = 0; i < 100000; i++) {
        array = arena_grow(a, array, &capacity, i + 1, sizeof *array);
        assert_true(capacity > i);
        assert_int_equal(array[capacity - 1], 0);
        array[i] = i * 3;
        if (i % 1000 == 0)
            arena_alloc(a, 8); /* something in the way */
    }
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(array[i], i * 3);
    assert_ptr_equal(arena_grow(a, array, &capacity, 5, sizeof *array), array);
}

static void test_grow_in_place(void **state)
{
    struct arena *a = *state;
    size_t capacity = 0;
    char *array = arena_grow(a, NULL, &capacity, 10, 1);
    assert_int_equal(capacity, 10);
    assert_ptr_equal(arena_grow(a, array, &capacity, 11, 1), array);
    assert_int_equal(capacity, 20);
    memset(array, 'x', 20);
    char *next = arena_alloc(a, 16);
    assert_true(next >= array + 20);
    assert_ptr_not_equal(arena_grow(a, array, &capacity, 100, 1), array);
    assert_int_equal(capacity, 100);
}

static void test_copies(void **state)
{
    struct arena *a = *state;
    str s = arena_str(a, str_of("abc", 2));
    assert_int_equal(s.n, 2);
    assert_string_equal(s.p, "ab");
    assert_true(str_none(arena_str(a, STR_NONE)));
    assert_false(str_none(arena_str(a, STR(""))));
    assert_string_equal(arena_cstr(a, STR_NONE), "");
    assert_string_equal(arena_printf(a, "%d-%s", 7, "x").p, "7-x");
    for (int width = 250; width < 260; width++) { /* around the size that is tried first */
        s = arena_printf(a, "%*d", width, 42);
        assert_int_equal(s.n, width);
        assert_true(str_ends(s, STR(" 42")));
        assert_int_equal(s.p[s.n], 0);
    }
    assert_int_equal(arena_printf(a, "%s", "").n, 0);
}

static void test_close_null(void **state)
{
    (void)state;
    arena_close(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_alloc_is_zeroed_and_aligned),
        T(test_allocations_do_not_overlap),
        T(test_reset_gives_back),
        T(test_release_keeps_what_is_older),
        T(test_small_ones_fill_the_block_beside_large_ones),
        T(test_grow),
        T(test_grow_in_place),
        T(test_copies),
        cmocka_unit_test(test_close_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
