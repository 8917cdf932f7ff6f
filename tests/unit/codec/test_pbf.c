/* codec/pbf: bytes as the specification of the wire format has them. */
#include "codec/pbf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_bytes(b, ...)                                                                                                     \
    do {                                                                                                                         \
        const unsigned char expected_[] = {__VA_ARGS__};                                                                         \
        assert_int_equal((b)->n, sizeof expected_);                                                                              \
        assert_memory_equal((b)->p, expected_, sizeof expected_);                                                                \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    pbf_put_varint(&b, 0);
    pbf_put_varint(&b, 127);
    pbf_put_varint(&b, 300);
    assert_bytes(&b, 0x00, 0x7f, 0xac, 0x02);
    buf_clear(&b);
    pbf_put_varint(&b, UINT64_MAX);
    assert_bytes(&b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    assert_true(pbf_zigzag(0) == 0 && pbf_zigzag(-1) == 1 && pbf_zigzag(1) == 2);
    assert_true(pbf_zigzag(INT64_MAX) == UINT64_MAX - 1 && pbf_zigzag(INT64_MIN) == UINT64_MAX);
    buf_clear(&b);
    pbf_uint(&b, 1, 150);
    pbf_sint(&b, 16, -2);
    assert_bytes(&b, 0x08, 0x96, 0x01, 0x80, 0x01, 0x03);
    buf_clear(&b);
    pbf_double(&b, 3, 1);
    pbf_float(&b, 2, -2);
    assert_bytes(&b, 0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x15, 0, 0, 0, 0xc0);
}

static void messages(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(100000);
    pbf_str(&b, 2, STR("testing"));
    assert_bytes(&b, 0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g');
    buf_clear(&b);
    size_t outer = pbf_begin(&b, 3), inner = pbf_begin(&b, 1);
    pbf_end(&b, inner);
    pbf_uint(&b, 1, 150);
    pbf_end(&b, outer);
    assert_bytes(&b, 0x1a, 0x05, 0x0a, 0x00, 0x08, 0x96, 0x01);
    buf_clear(&b);
    /* lengths of two and three bytes, one in the other: what is inside moves with them */
    char text[200];
    memset(text, 'x', sizeof text);
    outer = pbf_begin(&b, 1);
    for (int i = 0; i < 100; i++) {
        inner = pbf_begin(&b, 2);
        buf_add(&b, str_of(text, sizeof text));
        pbf_end(&b, inner);
    }
    pbf_end(&b, outer);
    assert_int_equal(b.n, 4 + 100 * 203);
    const unsigned char head[] = {0x0a, 0xcc, 0x9e, 0x01, 0x12, 0xc8, 0x01, 'x'};
    assert_memory_equal(b.p, head, sizeof head);
    assert_memory_equal(b.p + b.n - 203, "\x12\xc8\x01x", 4);
}

static void full(void **state)
{
    (void)state;
    CLEANUP(buf_free) struct buf b = BUF_INIT(130);
    size_t place = pbf_begin(&b, 1);
    for (int i = 0; i < 128; i++)
        buf_add_char(&b, 'x');
    pbf_end(&b, place); /* no room for the second byte of the length */
    assert_true(b.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(messages), cmocka_unit_test(full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
