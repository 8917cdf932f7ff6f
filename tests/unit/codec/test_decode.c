/* Encodings: what is known by the first bytes, and texts as UTF-8. */
#include "codec/decode.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void names_are_known(void **state)
{
    (void)state;
    enum encoding e;
    for (enum encoding i = 0; i < ENCODING_COUNT; i++)
        assert_true(decode_parse(str_c(decode_name(i)), &e) && e == i);
    assert_true(decode_parse(STR("utf-16le"), &e) && e == ENCODING_UTF16LE);
    assert_true(decode_parse(STR("Latin1"), &e) && e == ENCODING_LATIN1);
    assert_false(decode_parse(STR("EBCDIC"), &e) || decode_parse(STR(""), &e));
}

static void beginnings_are_known(void **state)
{
    (void)state;
    assert_int_equal(decode_guess(STR("")), ENCODING_UTF8);
    assert_int_equal(decode_guess(STR("abc")), ENCODING_UTF8);
    assert_int_equal(decode_guess(STR("\xEF\xBB\xBFz")), ENCODING_UTF8);
    assert_int_equal(decode_guess(STR("\xFF\xFE")), ENCODING_UTF16LE);
    assert_int_equal(decode_guess(STR("\xFE\xFF")), ENCODING_UTF16BE);
    assert_int_equal(decode_guess(STR("a\0b\0")), ENCODING_UTF16LE);
    assert_int_equal(decode_guess(STR("\0a\0b")), ENCODING_UTF16BE);
    assert_int_equal(decode_guess(STR("\0\0\0\0")), ENCODING_UTF8);
}

static void texts_become_utf8(void **state)
{
    (void)state;
    static const struct {
        enum encoding from;
        str raw, text;
    } CASES[] = {
        {ENCODING_UTF8, STR("\xEF\xBB\xBFü\xff"), STR("ü\xff")},
        {ENCODING_UTF8, STR(""), STR("")},
        {ENCODING_LATIN1, STR("caf\xE9\x80"), STR("café\xC2\x80")},
        {ENCODING_WINDOWS1252, STR("\x80\x99\xE9"), STR("€™é")},
        {ENCODING_UTF16LE, STR("\xFF\xFE\x61\0\xAC\x20"), STR("a€")},
        {ENCODING_UTF16BE, STR("\xFE\xFF\0\x61\x20\xAC"), STR("a€")},
        {ENCODING_UTF16LE, STR("\x3D\xD8\x00\xDE"), STR("😀")},
        {ENCODING_UTF16LE, STR("\x3D\xD8\x61\0"),
         STR("\xEF\xBF\xBD"
             "a")},
        {ENCODING_UTF16LE, STR("\x00\xDE"), STR("\xEF\xBF\xBD")},
        {ENCODING_UTF16LE, STR("\x61\0\x62"), STR("a\xEF\xBF\xBD")},
    };
    struct ctx ctx;
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct reader *r = decode_open(reader_mem(CASES[i].raw), CASES[i].from);
        str text;
        assert_int_equal(reader_read_all(&ctx, r, 1 << 20, "the text", &text), RC_OK);
        reader_close(r);
        assert_true(str_eq(text, CASES[i].text));
    }
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_known),
        cmocka_unit_test(beginnings_are_known),
        cmocka_unit_test(texts_become_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
