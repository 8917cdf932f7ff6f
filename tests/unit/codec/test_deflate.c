#include "codec/deflate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { N = 300000 };

static uint8_t *text_of(size_t n, int kind)
{
    uint8_t *p = calloc(n + 1, 1);
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < n && kind != 0; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        p[i] = kind == 1 ? (uint8_t)seed : (uint8_t) "abcabcabd, "[(i + seed % 2) % 11];
    }
    return p;
}

/* Inflates in pieces of the given sizes; returns the number of bytes, end and leftover through the step. */
static size_t inflate_all(struct ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t max, size_t in_piece,
                          size_t out_piece, bool *end, size_t *left)
{
    struct inflate *z = inflate_open();
    struct inflate_step s = {.in = in};
    size_t given = 0, made = 0, before;
    do {
        before = made + given;
        size_t more = n - given < in_piece ? n - given : in_piece;
        if (s.in_size == 0) {
            s.in = in + given;
            s.in_size = more;
            given += more;
        }
        size_t room = max - made < out_piece ? max - made : out_piece;
        s.out = out + made;
        s.out_size = room;
        assert_int_equal(inflate_step(ctx, z, &s), RC_OK);
        made += room - s.out_size;
    } while (!s.end && (made + given != before || s.in_size > 0) && made < max);
    *end = s.end;
    *left = s.in_size + n - given;
    inflate_close(z);
    return made;
}

/* A member that is said to be empty is inflated into no place at all. */
static void into_nothing(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_open(&ctx);
    uint8_t packed[64];
    struct deflate *d = deflate_open();
    size_t n = deflate_chunk(d, packed, 0, true, packed);
    struct inflate *z = inflate_open();
    struct inflate_step s = {.in = packed, .in_size = n};
    assert_int_equal(inflate_step(&ctx, z, &s), RC_OK);
    assert_null(s.out);
    assert_int_equal(s.out_size, 0);
    inflate_close(z);
    deflate_close(d);
    ctx_close(&ctx);
}

static void chunks_are_one_stream(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_open(&ctx);
    static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 65537, N};
    for (int kind = 0; kind < 3; kind++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            for (size_t pieces = 1; pieces <= 3; pieces++) {
                size_t n = sizes[i], packed = 0;
                uint8_t *in = text_of(n, kind), *out = malloc(pieces * deflate_bound(n) + 7), *again = malloc(n * pieces + 1);
                struct deflate *d = deflate_open();
                for (size_t k = 0; k < pieces; k++) {
                    size_t one = deflate_chunk(d, in, n, k + 1 == pieces, out + packed);
                    assert_true(one <= deflate_bound(n));
                    assert_true(one * DEFLATE_RATIO_MAX + DEFLATE_RATIO_MAX >= n);
                    packed += one;
                }
                memcpy(out + packed, "behind!", 7);
                bool end;
                size_t left;
                size_t made = inflate_all(&ctx, out, packed + 7, again, n * pieces + 1, 1000, 777, &end, &left);
                assert_true(end);
                assert_int_equal(left, 7);
                assert_int_equal(made, n * pieces);
                for (size_t k = 0; k < pieces; k++)
                    assert_true(n == 0 || memcmp(again + k * n, in, n) == 0);
                deflate_close(d);
                free(in), free(out), free(again);
            }
    ctx_close(&ctx);
}

static void earlier_input_does_not_matter(void **state)
{
    (void)state;
    struct deflate *a = deflate_open(), *b = deflate_open();
    uint8_t *in = text_of(N, 2), *other = text_of(N, 1), *x = malloc(deflate_bound(N)), *y = malloc(deflate_bound(N));
    size_t n = deflate_chunk(a, in, N, true, x);
    deflate_chunk(b, other, N, false, y);              /* what was compressed before does not matter */
    size_t m = deflate_chunk(b, in, N, true, y), left; /* what was compressed before leaves no trace */
    struct ctx ctx;
    bool end;
    uint8_t *again = malloc(N + 1);
    ctx_open(&ctx);
    assert_int_equal(inflate_all(&ctx, y, m, again, N + 1, 4096, 4096, &end, &left), N);
    assert_true(end);
    assert_memory_equal(again, in, N);
    ctx_close(&ctx);
    free(again);
    assert_true(n < N / 2);
    deflate_close(a), deflate_close(b);
    free(in), free(other), free(x), free(y);
}

static void cut_stream_does_not_end(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_open(&ctx);
    struct deflate *d = deflate_open();
    uint8_t *in = text_of(5000, 2), *out = malloc(deflate_bound(5000)), *again = malloc(6000);
    size_t n = deflate_chunk(d, in, 5000, true, out);
    for (size_t cut = 0; cut < n; cut++) {
        bool end;
        size_t left;
        inflate_all(&ctx, out, cut, again, 6000, 100, 6000, &end, &left);
        assert_false(end);
    }
    deflate_close(d);
    free(in), free(out), free(again);
    ctx_close(&ctx);
}

static void malformed_is_corrupt(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x07zzzzzzzzzz" /* reserved block type */,
                                      "\x01\x05\x00\x05\x00xxxxx" /* stored length check */,
                                      "\x4b\x04\xff\xff\xff\xff\xff\xff\xff\xff" /* looks back before the start */};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ctx ctx;
        ctx_open(&ctx);
        struct inflate *z = inflate_open();
        uint8_t out[1000];
        struct inflate_step s = {.in = (const uint8_t *)bad[i], .in_size = 10, .out = out, .out_size = sizeof out};
        assert_int_equal(inflate_step(&ctx, z, &s), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_CORRUPT));
        inflate_close(z);
        ctx_close(&ctx);
    }
}

static void output_is_limited(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_open(&ctx);
    struct deflate *d = deflate_open();
    uint8_t *in = text_of(N, 0), *packed = malloc(deflate_bound(N)), out[101];
    size_t n = deflate_chunk(d, in, N, true, packed);
    struct inflate *z = inflate_open();
    memset(out, 0x55, sizeof out);
    struct inflate_step s = {.in = packed, .in_size = n, .out = out, .out_size = 100};
    assert_int_equal(inflate_step(&ctx, z, &s), RC_OK);
    assert_int_equal(s.out_size, 0);
    assert_false(s.end);
    assert_int_equal(out[99], 0);
    assert_int_equal(out[100], 0x55);
    inflate_close(z);
    deflate_close(d);
    free(in), free(packed);
    ctx_close(&ctx);
}

static void checksum(void **state)
{
    (void)state;
    assert_int_equal(deflate_crc32(0, "123456789", 9), 0xcbf43926); /* the check value of CRC-32 */
    assert_int_equal(deflate_crc32(deflate_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(deflate_crc32(7, NULL, 0), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(into_nothing),
        cmocka_unit_test(chunks_are_one_stream),
        cmocka_unit_test(earlier_input_does_not_matter),
        cmocka_unit_test(cut_stream_does_not_end),
        cmocka_unit_test(malformed_is_corrupt),
        cmocka_unit_test(output_is_limited),
        cmocka_unit_test(checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
