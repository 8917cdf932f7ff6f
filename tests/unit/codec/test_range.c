/* codec/range: one range, suffixes, what is ignored and what cannot be satisfied (RFC 9110, 14.1.2). */
#include "codec/range.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct {
    str header;
    uint64_t size;
    struct range expected;
} rows[] = {
    {STR("bytes=0-0"), 10, {RANGE_PART, 0, 1}},
    {STR("bytes=0-9"), 10, {RANGE_PART, 0, 10}},
    {STR("bytes=3-"), 10, {RANGE_PART, 3, 7}},
    {STR("bytes=9-"), 10, {RANGE_PART, 9, 1}},
    {STR("bytes=2-100"), 10, {RANGE_PART, 2, 8}},
    {STR("bytes=-3"), 10, {RANGE_PART, 7, 3}},
    {STR("bytes=-10"), 10, {RANGE_PART, 0, 10}},
    {STR("bytes=-11"), 10, {RANGE_PART, 0, 10}},
    {STR("Bytes= 1-2 "), 10, {RANGE_PART, 1, 2}},
    {STR("bytes=5-99999999999999999999999999"), 10, {RANGE_PART, 5, 5}},
    {STR("bytes=-99999999999999999999999999"), 10, {RANGE_PART, 0, 10}},
    {STR("bytes=4294967296-4294967296"), 5000000000, {RANGE_PART, 4294967296, 1}},
    {STR("bytes=10-"), 10, {RANGE_NEVER, 0, 0}},
    {STR("bytes=10-20"), 10, {RANGE_NEVER, 0, 0}},
    {STR("bytes=99999999999999999999999999-"), 10, {RANGE_NEVER, 0, 0}},
    {STR("bytes=-0"), 10, {RANGE_NEVER, 0, 0}},
    {STR("bytes=0-"), 0, {RANGE_NEVER, 0, 0}},
    {STR("bytes=-5"), 0, {RANGE_NEVER, 0, 0}},
    {STR(""), 10, {RANGE_WHOLE, 0, 10}},
    {STR_NONE, 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes="), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=-"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=5"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=5-4"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=0-1,3-4"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=--5"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=+1-2"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=0x1-2"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("bytes=1 - 2"), 10, {RANGE_WHOLE, 0, 10}},
    {STR("items=0-1"), 10, {RANGE_WHOLE, 0, 10}},
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct range r = range_parse(rows[i].header, rows[i].size), e = rows[i].expected;
        if (r.kind != e.kind || r.offset != e.offset || r.length != e.length)
            fail_msg("'%.*s' of %llu: kind %d, %llu+%llu", STR_FMT(rows[i].header), (unsigned long long)rows[i].size, (int)r.kind,
                     (unsigned long long)r.offset, (unsigned long long)r.length);
    }
}

/* Every header of a small alphabet: the answer never leaves the file. */
static void never_outside(void **state)
{
    (void)state;
    static const char letters[] = "019-, ";
    for (unsigned code = 0; code < 6 * 6 * 6 * 6 * 6; code++) {
        char header[] = "bytes=-----";
        for (unsigned i = 0, rest = code; i < 5; i++, rest /= 6)
            header[6 + i] = letters[rest % 6];
        struct range r = range_parse(str_c(header), 12);
        assert_true(r.offset + r.length <= 12);
        assert_int_equal(r.kind == RANGE_NEVER, r.length == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_hold), cmocka_unit_test(never_outside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
