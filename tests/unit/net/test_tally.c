/* net/tally: counting by address, with limits, to nothing again. */
#include "net/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct address of(const char *text)
{
    struct address a;
    assert_true(address_parse(str_c(text), &a));
    return a;
}

static void each_address_has_its_own(void **state)
{
    (void)state;
    struct tally *t = tally_open();
    struct address a = of("192.0.2.1"), b = of("192.0.2.2"), six = of("2001:db8::1"), neighbour = of("2001:db8::2"),
                   other = of("2001:db8:0:1::1");
    assert_true(tally_add(t, &a, 3, 5));
    assert_false(tally_add(t, &a, 3, 5));
    assert_true(tally_add(t, &a, 2, 5));
    assert_false(tally_add(t, &a, 1, 5));
    assert_false(tally_add(t, &b, 6, 5)); /* and leaves nothing */
    assert_int_equal(tally_count(t, &b), 0);
    assert_true(tally_add(t, &b, 5, 5));
    assert_true(tally_add(t, &b, UINT64_MAX / 2, 0));
    assert_true(tally_add(t, &six, 1, 1));
    assert_false(tally_add(t, &neighbour, 1, 1)); /* of the same network */
    assert_true(tally_add(t, &other, 1, 1));
    tally_remove(t, &a, 5);
    assert_int_equal(tally_count(t, &a), 0);
    assert_true(tally_add(t, &a, 5, 5));
    tally_close(t);
    tally_close(NULL);
}

static void many_addresses(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct tally *t = tally_open();
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            struct address a = {
                .bytes = {[10] = 0xff, [11] = 0xff, [13] = (uint8_t)(i >> 16), [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}};
            if (round == 0)
                assert_true(tally_add(t, &a, i + 1, 0));
            assert_int_equal(tally_count(t, &a), i + 1);
            if (round == 1)
                tally_remove(t, &a, i + 1);
        }
    }
    struct address a = of("0.0.0.0");
    assert_int_equal(tally_count(t, &a), 0);
    tally_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own),
        cmocka_unit_test(many_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
