/* Words that are nearly the same. */
#include "model/search.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void near(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned edits; /* the fewest */
    } rows[] = {{"roam", "roam", 0}, {"roam", "foam", 1},        {"roam", "roams", 1},  {"roam", "oam", 1},
                {"roam", "raom", 1}, {"roam", "roma", 1},        {"roam", "roamed", 2}, {"roam", "ro", 2},
                {"roam", "from", 2}, {"gr\xc3\xbcn", "grun", 1}, {"", "ab", 2},         {"", "", 0},
                {"ca", "abc", 3},    {"kitten", "sitting", 3}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (unsigned edits = 0; edits <= 3; edits++) {
            bool expected = edits >= rows[i].edits;
            if (search_near(str_c(rows[i].a), str_c(rows[i].b), edits) != expected ||
                search_near(str_c(rows[i].b), str_c(rows[i].a), edits) != expected)
                fail_msg("%s %s %u", rows[i].a, rows[i].b, edits);
        }
}

static void long_words(void **state)
{
    static char a[101], b[101];
    (void)state;
    memset(a, 'x', 100);
    memset(b, 'x', 100);
    assert_true(search_near(str_of(a, 100), str_of(b, 100), 2));
    b[50] = 'y';
    assert_false(search_near(str_of(a, 100), str_of(b, 100), 2)); /* too long to be compared but as it is */
    assert_true(search_near(str_of(a, 64), str_of(b, 64), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(near), cmocka_unit_test(long_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
