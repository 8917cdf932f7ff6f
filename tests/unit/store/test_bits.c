/* Sets as bits, against arrays of truth values. */
#include "store/bits.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N = 4096 };

static struct bits some(struct arena *a, unsigned seed, bool truth[N])
{
    struct bits b = bits_new(a, N);
    for (unsigned i = 0; i < N; i++) {
        seed = seed * 1103515245u + 12345u;
        truth[i] = (seed >> 16) % 5 == 0;
        if (truth[i])
            bits_set(&b, i);
    }
    return b;
}

static void operations(void **state)
{
    struct arena *a = arena_open();
    static bool x[N], y[N];
    (void)state;
    struct bits b = some(a, 1, x), c = some(a, 7, y), and = bits_new(a, N), or = bits_new(a, N), without = bits_new(a, N);
    bits_copy(&and, &b);
    bits_and(&and, &c);
    bits_copy(& or, &b);
    bits_or(& or, &c);
    bits_copy(&without, &b);
    bits_and_not(&without, &c);
    size_t count = 0;
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(bits_has(&b, i), x[i]);
        assert_int_equal(bits_has(&and, i), x[i] && y[i]);
        assert_int_equal(bits_has(& or, i), x[i] || y[i]);
        assert_int_equal(bits_has(&without, i), x[i] && !y[i]);
        count += x[i];
    }
    assert_int_equal(bits_count(&b), count);
    bits_copy(&and, &b);
    bits_clear_below(&and, 1024);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(bits_has(&and, i), i >= 1024 && x[i]);
    bits_clear_below(&and, 2 * N);
    assert_false(bits_any(&and));
    bits_unset(&b, 5);
    assert_false(bits_has(&b, 5));
    bits_clear(&b);
    assert_false(bits_any(&b));
    assert_true(bits_any(&c));
    arena_close(a);
}

/* From the end to the beginning, each element once. */
static void downwards(void **state)
{
    struct arena *a = arena_open();
    static bool x[N];
    (void)state;
    struct bits b = some(a, 3, x);
    size_t before = N, seen = 0;
    for (size_t i = bits_below(&b, SIZE_MAX); i != SIZE_MAX; i = bits_below(&b, i)) {
        assert_true(i < before && x[i]);
        for (size_t k = i + 1; k < before; k++)
            assert_false(x[k]);
        before = i;
        seen++;
    }
    assert_int_equal(seen, bits_count(&b));
    size_t after = 0; /* and the other way */
    for (size_t i = bits_from(&b, 0); i != SIZE_MAX; i = bits_from(&b, i + 1)) {
        for (; after < i; after++)
            assert_false(x[after]);
        assert_true(x[after++]);
        seen--;
    }
    assert_int_equal(seen, 0);
    assert_int_equal(bits_from(&b, N), SIZE_MAX);
    bits_clear(&b);
    assert_int_equal(bits_from(&b, 1), SIZE_MAX);
    assert_int_equal(bits_below(&b, SIZE_MAX), SIZE_MAX);
    bits_set(&b, 64);
    assert_int_equal(bits_below(&b, 65), 64);
    assert_int_equal(bits_below(&b, 64), SIZE_MAX);
    arena_close(a);
}

/* Rows that came after the set was made are not in it. */
static void beyond(void **state)
{
    struct arena *a = arena_open();
    (void)state;
    struct bits b = bits_new(a, 64), none = bits_new(a, 0);
    bits_set(&b, 64);
    bits_unset(&b, 100);
    assert_false(bits_has(&b, 64));
    assert_false(bits_any(&b));
    bits_set(&none, 0);
    assert_false(bits_has(&none, 0));
    assert_int_equal(bits_below(&none, SIZE_MAX), SIZE_MAX);
    arena_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(operations), cmocka_unit_test(downwards), cmocka_unit_test(beyond)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
