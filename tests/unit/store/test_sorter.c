/* store/sorter: order, with and without runs on disk. */
#include "base/file.h"
#include "store/sorter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct record {
    uint64_t key, number;
    char rest[8];
};

static int no_entry(struct ctx *ctx, const char *name, void *arg)
{
    (void)ctx;
    (void)arg;
    fail_msg("left behind: %s", name);
    return RC_OK;
}

static uint64_t key_of(uint64_t i, unsigned pattern)
{
    uint64_t mixed = i * 0x9e3779b97f4a7c15ULL;
    const uint64_t keys[] = {mixed, i, UINT64_MAX - i, 5, mixed >> 60, mixed & 0xff000000000000ffULL};
    return keys[pattern];
}

static void sorts(void **state)
{
    (void)state;
    struct ctx ctx;
    str dir;
    ctx_open(&ctx);
    assert_int_equal(dir_temp(&ctx, NULL, &dir), RC_OK);
    static const struct {
        uint64_t count;
        size_t memory; /* records */
    } sizes[] = {{0, 10}, {1, 10}, {10, 10}, {11, 10}, {5000, 10000}, {5000, 5000}, {20000, 1000}, {20000, 7}};
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        for (unsigned pattern = 0; pattern < 6; pattern++) {
            struct sorter *sorter = sorter_open(dir.p, sizeof(struct record), sizes[s].memory * sizeof(struct record));
            uint64_t sum = 0, last = 0, count = 0;
            for (uint64_t i = 0; i < sizes[s].count; i++) {
                struct record r = {.key = key_of(i, pattern), .number = i, .rest = "sevench"};
                assert_int_equal(sorter_add(&ctx, sorter, &r), RC_OK);
                sum += i;
            }
            assert_int_equal(sorter_count(sorter), sizes[s].count);
            struct record r;
            int rc;
            while ((rc = sorter_next(&ctx, sorter, &r)) == RC_OK) {
                assert_true(r.key >= last);
                assert_true(r.key == key_of(r.number, pattern));
                assert_string_equal(r.rest, "sevench");
                last = r.key;
                sum -= r.number;
                count++;
            }
            assert_int_equal(rc, RC_END);
            assert_int_equal(sorter_next(&ctx, sorter, &r), RC_END);
            assert_int_equal(count, sizes[s].count);
            assert_int_equal(sum, 0);
            sorter_close(sorter);
        }
    }
    assert_int_equal(dir_each(&ctx, dir.p, no_entry, NULL), RC_OK);
    assert_int_equal(dir_remove_tree(&ctx, dir.p), RC_OK);
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
