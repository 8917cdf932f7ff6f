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

static void patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool expected;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"**", "abc", true},
        {"a*", "a", true},
        {"a*", "ba", false},
        {"a?c", "abc", true},
        {"a?c",
         "a\xc3\xa4"
         "c",
         true},
        {"a?c", "ac", false},
        {"?", "\xf0\x9f\x97\xba", true},
        {"*b*b", "abab", true},
        {"*b*b", "aba", false},
        {"a*b*c", "a1b2b3c", true},
        {"a*b*c", "a1c2b", false},
        {"%_", "ab", false},
        {"*\xc3\xa4*", "\xc3\xb6\xc3\xa4", true},
        {"*?", "", false},
    };
    char many[2001], stars[201];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (search_matches(str_c(rows[i].pattern), str_c(rows[i].text)) != rows[i].expected)
            fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].text);
    memset(many, 'a', sizeof many); /* nothing that grows beyond all bounds */
    for (size_t i = 0; i < sizeof stars; i++)
        stars[i] = i % 2 ? 'a' : '*';
    assert_true(search_matches(str_of(stars, sizeof stars), str_of(many, sizeof many)));
    many[2000] = 'b';
    stars[200] = 'c';
    assert_false(search_matches(str_of(stars, sizeof stars), str_of(many, sizeof many)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(near), cmocka_unit_test(long_words), cmocka_unit_test(patterns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
