/* codec/forwarded: elements in order, whatever the quoting, and nothing after what is malformed. */
#include "base/buf.h"
#include "codec/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct ctx ctx;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

/* All elements as "client|host|proto", separated by spaces; '-' for what is not there. */
static const char *told(str header)
{
    struct buf b = BUF_INIT(1000);
    struct forwarded f;
    while (forwarded_next(ctx.arena, &header, &f)) {
        const str values[] = {f.client, f.host, f.proto};
        for (size_t i = 0; i < COUNT_OF(values); i++)
            buf_printf(&b, "%s%.*s", i > 0 ? "|" : b.n > 0 ? " " : "", STR_FMT(str_none(values[i]) ? STR("-") : values[i]));
    }
    assert_int_equal(header.n, 0);
    const char *text = arena_cstr(ctx.arena, buf_str(&b));
    buf_free(&b);
    return text;
}

static void elements_come_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *header, *told;
    } CASES[] = {{"for=192.0.2.1", "192.0.2.1|-|-"},
                 {"For=192.0.2.1;PROTO=https ; host=a.example:80;by=x", "192.0.2.1|a.example:80|https"},
                 {"for=a, for=b,for=c", "a|-|- b|-|- c|-|-"},
                 {"for=\"[2001:db8::1]:47\", proto=http", "[2001:db8::1]:47|-|- -|-|http"},
                 {"for=\"a\\\"b,;\"", "a\"b,;|-|-"},
                 {"for=\"\"", "|-|-"},
                 {";;for=a;;,,for=b;", "a|-|- b|-|-"},
                 {"secret=x", "-|-|-"},
                 {"", ""},
                 {",;,", ""}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_string_equal(told(str_c(CASES[i].header)), CASES[i].told);
}

static void what_is_malformed_ends_the_list(void **state)
{
    (void)state;
    static const struct {
        const char *header, *told;
    } CASES[] = {{"for", ""},       {"for=", ""},       {"for=;x=1", ""},       {"for=a, for", "a|-|-"}, {"for=\"a", ""},
                 {"for=\"a\\", ""}, {"for=\"a\"b", ""}, {"for=a b, for=c", ""}, {"for=a, =", "a|-|-"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_string_equal(told(str_c(CASES[i].header)), CASES[i].told);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(elements_come_in_order),
        T(what_is_malformed_ends_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
