/* net/address: what is an address, what is a network, and who is in it. */
#include "net/address.h"

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

static void addresses_are_read_as_headers_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed; /* NULL: no address */
    } CASES[] = {{"192.0.2.1", "192.0.2.1"},
                 {" 192.0.2.1 ", "192.0.2.1"},
                 {"192.0.2.1:80", "192.0.2.1"},
                 {"2001:DB8:0:0::1", "2001:db8::1"},
                 {"[2001:db8::1]", "2001:db8::1"},
                 {"[2001:db8::1]:65535", "2001:db8::1"},
                 {"::ffff:192.0.2.1", "192.0.2.1"},
                 {"", NULL},
                 {"unknown", NULL},
                 {"192.0.2", NULL},
                 {"192.0.2.256", NULL},
                 {"192.0.2.1:", NULL},
                 {"192.0.2.1:65536", NULL},
                 {"192.0.2.1:80:80", NULL},
                 {"[192.0.2.1]", NULL},
                 {"[2001:db8::1", NULL},
                 {"[2001:db8::1]80", NULL},
                 {"[2001:db8::1]:x", NULL},
                 {"fe80::1%eth0", NULL},
                 {"2001:db8::1::", NULL},
                 {"0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", NULL}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct address a;
        bool fine = address_parse(str_c(CASES[i].text), &a);
        if (fine != (CASES[i].printed != NULL) || (fine && !str_eq(address_print(ctx.arena, &a), str_c(CASES[i].printed))))
            fail_msg("'%s'", CASES[i].text);
    }
    struct address a;
    assert_false(address_parse(str_of("192.0.2.1\0", 10), &a));
}

static void networks_hold_what_their_bits_say(void **state)
{
    (void)state;
    static const struct {
        const char *list, *address;
        bool listed;
    } CASES[] = {{"10.0.0.0/8", "10.255.0.1", true},
                 {"10.0.0.0/8", "11.0.0.1", false},
                 {"10.0.0.0/9", "10.127.0.1", true},
                 {"10.0.0.0/9", "10.128.0.1", false},
                 {"192.0.2.7", "192.0.2.7", true},
                 {"192.0.2.7/32", "192.0.2.6", false},
                 {"0.0.0.0/0", "255.1.2.3", true},
                 {"0.0.0.0/0", "2001:db8::1", false},
                 {"::/0", "192.0.2.1", true},
                 {"2001:db8::/33", "2001:db8:7fff::1", true},
                 {"2001:db8::/33", "2001:db8:8000::1", false},
                 {"x, 10.0.0.0/33, ,192.0.2.1", "192.0.2.1", true},
                 {"10.0.0.0/33", "10.0.0.1", false},
                 {"", "192.0.2.1", false}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct address a;
        assert_true(address_parse(str_c(CASES[i].address), &a));
        if (address_listed(str_c(CASES[i].list), &a) != CASES[i].listed)
            fail_msg("%s in '%s'", CASES[i].address, CASES[i].list);
    }
}

static void a_list_is_checked_whole(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"proxy.example", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                                        "::1/129",       "[::1]/64",    "10.0.0.1,x"};
    assert_int_equal(address_list_check(&ctx, STR(" 10.0.0.0/8 ,, ::1, 192.0.2.1:80 ")), RC_OK);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        assert_int_equal(address_list_check(&ctx, str_c(WRONG[i])), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_INVALID));
        err_clear(&ctx);
    }
    assert_int_equal(address_list_check(&ctx, STR("10.0.0.1, proxy")), RC_FAIL);
    assert_non_null(strstr(err_text(&ctx), "'proxy'"));
}

static bool is_public(const char *text)
{
    struct address a;
    assert_true(address_parse(str_c(text), &a));
    return address_public(&a);
}

static void public_addresses(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "1.1.1.1",         "8.8.8.8",         "93.184.216.34",  "100.63.255.255",   "100.128.0.0",     "172.15.255.255",
        "172.32.0.0",      "192.167.255.255", "192.169.0.0",    "223.255.255.255",  "126.255.255.255", "128.0.0.0",
        "2606:4700::1111", "2a00::1",         "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"};
    static const char *const no[] = {"0.0.0.0",
                                     "0.1.2.3",
                                     "10.0.0.1",
                                     "10.255.255.255",
                                     "100.64.0.1",
                                     "100.127.255.255",
                                     "127.0.0.1",
                                     "127.255.255.254",
                                     "169.254.169.254",
                                     "172.16.0.1",
                                     "172.31.255.255",
                                     "192.0.0.1",
                                     "192.0.2.1",
                                     "192.88.99.1",
                                     "192.168.0.1",
                                     "192.168.255.255",
                                     "198.18.0.1",
                                     "198.19.255.255",
                                     "198.51.100.1",
                                     "203.0.113.1",
                                     "224.0.0.1",
                                     "239.255.255.255",
                                     "240.0.0.1",
                                     "255.255.255.255",
                                     "::",
                                     "::1",
                                     "::ffff:127.0.0.1",
                                     "::ffff:10.0.0.1",
                                     "::ffff:0:0",
                                     "::127.0.0.1",
                                     "64:ff9b::10.0.0.1",
                                     "64:ff9b:1::1",
                                     "2002:7f00:1::1",
                                     "2002:a9fe:a9fe::",
                                     "2001::1",
                                     "2001:db8::1",
                                     "3fff::1",
                                     "fc00::1",
                                     "fdff::1",
                                     "fe80::1",
                                     "fec0::1",
                                     "ff02::1",
                                     "100::1",
                                     "4000::1"};
    for (size_t i = 0; i < COUNT_OF(yes); i++)
        if (!is_public(yes[i]))
            fail_msg("%s is public", yes[i]);
    for (size_t i = 0; i < COUNT_OF(no); i++)
        if (is_public(no[i]))
            fail_msg("%s is not public", no[i]);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(addresses_are_read_as_headers_write_them),
        T(networks_hold_what_their_bits_say),
        T(a_list_is_checked_whole),
        T(public_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
