/* codec/gzip: what is packed comes back, whatever its size; and who wants it. */
#include "base/mem.h"
#include "codec/deflate.h"
#include "codec/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { HEAD = 10, TAIL = 8, MAX = 1 << 20 };

static uint32_t u32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 128 << 10, (128 << 10) + 1, 700000};
    char *in = mem_alloc(MAX);
    uint8_t *out = mem_alloc(MAX);
    for (size_t i = 0; i < MAX; i++)
        in[i] = (char)(i % 251 * (i / 1000 % 7));
    struct ctx ctx;
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct buf packed = BUF_INIT(2 * MAX);
        assert_true(gzip_add(&packed, str_of(in, sizes[i])));
        assert_true(packed.n >= HEAD + TAIL && memcmp(packed.p, "\x1f\x8b\x08", 3) == 0);
        struct inflate *z = inflate_open();
        struct inflate_step step = {.in = (uint8_t *)packed.p + HEAD, .in_size = packed.n - HEAD, .out = out, .out_size = MAX};
        assert_int_equal(inflate_step(&ctx, z, &step), RC_OK);
        inflate_close(z);
        assert_true(step.end);
        assert_int_equal(step.in_size, TAIL);
        assert_int_equal(MAX - step.out_size, sizes[i]);
        assert_memory_equal(out, in, sizes[i]);
        const char *tail = packed.p + packed.n - TAIL;
        assert_int_equal(u32(tail), deflate_crc32(0, in, sizes[i]));
        assert_int_equal(u32(tail + 4), sizes[i]);
        buf_free(&packed);
    }
    struct buf small = BUF_INIT(100);
    assert_false(gzip_add(&small, str_of(in, 100000)));
    buf_free(&small);
    ctx_close(&ctx);
    mem_free(in);
    mem_free(out);
}

static void who_wants_it(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool accepted;
    } CASES[] = {{"gzip", true},
                 {"GZIP", true},
                 {"deflate, gzip;q=1.0", true},
                 {"br;q=1, gzip;q=0.5", true},
                 {"*", true},
                 {"x-gzip", true},
                 {"gzip;q=0.001", true},
                 {"gzip ; Q=0.8", true},
                 {"", false},
                 {"identity", false},
                 {"gzip;q=0", false},
                 {"gzip; q=0.000", false},
                 {"gzip;q=0, *", false},
                 {"*;q=0", false},
                 {"*;q=0, gzip", true},
                 {"gzipped", false},
                 {"deflate, br", false},
                 {",,", false}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        if (gzip_accepted(str_c(CASES[i].header)) != CASES[i].accepted)
            fail_msg("'%s'", CASES[i].header);
    assert_false(gzip_accepted(STR_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(who_wants_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
