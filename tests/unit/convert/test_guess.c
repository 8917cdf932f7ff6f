/* Texts as values: which type fits a column, and what a text is as a value of it. */
#include "convert/helper/guess.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static enum field_type type_of(const char *const *texts, bool comma, enum guess_form *form_out)
{
    struct guess g;
    guess_start(&g, comma);
    for (; *texts; texts++)
        guess_note(&g, str_c(*texts));
    *form_out = guess_form(&g);
    return guess_type(&g);
}

static void columns_have_types(void **state)
{
    (void)state;
    static const struct {
        const char *texts[4];
        bool comma;
        enum field_type type;
    } CASES[] = {
        {{NULL}, false, FIELD_STRING},
        {{"1", "-2147483648"}, false, FIELD_INTEGER},
        {{"1", "2147483648"}, false, FIELD_BIG_INTEGER},
        {{"1", "9223372036854775808"}, false, FIELD_DOUBLE},
        {{"1", "1.5", "-.5"}, false, FIELD_DOUBLE},
        {{"1,5", "2"}, true, FIELD_DOUBLE},
        {{"1,5", "2"}, false, FIELD_STRING},
        {{"007"}, false, FIELD_STRING},
        {{"0", "0.5"}, false, FIELD_DOUBLE},
        {{"+41 44"}, false, FIELD_STRING},
        {{"nan"}, false, FIELD_STRING},
        {{"2024-02-29"}, false, FIELD_DATE_ONLY},
        {{"2024-02-30"}, false, FIELD_STRING},
        {{"2024-02-29", "2024-02-29 10:00"}, false, FIELD_DATE},
        {{"31/12/2024", "1/2/2024"}, false, FIELD_DATE_ONLY},
        {{"13/13/2024"}, false, FIELD_STRING},
        {{"1/2/24"}, false, FIELD_STRING},
        {{"31.12.2024 8:00"}, false, FIELD_DATE},
        {{"12:30", "1:02:03 PM"}, false, FIELD_TIME_ONLY},
        {{"25:00"}, false, FIELD_STRING},
        {{"13:00 PM"}, false, FIELD_STRING},
        {{"2024-01-01", "1"}, false, FIELD_STRING},
    };
    enum guess_form form;
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        if (type_of(CASES[i].texts, CASES[i].comma, &form) != CASES[i].type)
            fail_msg("case %zu is %s", i, field_type_name(type_of(CASES[i].texts, CASES[i].comma, &form)));
}

static void texts_become_values(void **state)
{
    (void)state;
    struct value v;
    char space[GUESS_TEXT_SIZE];
    assert_true(guess_value(STR(" 12 "), FIELD_INTEGER, GUESS_INTEGER, space, &v) && v.i == 12);
    assert_true(guess_value(STR("1e3"), FIELD_INTEGER, GUESS_TEXT, space, &v) && v.i == 1000);
    assert_true(guess_value(STR("TRUE"), FIELD_SMALL_INTEGER, GUESS_TEXT, space, &v) && v.i == 1);
    assert_false(guess_value(STR("1.5"), FIELD_INTEGER, GUESS_NUMBER, space, &v));
    assert_true(guess_value(STR("-1,25"), FIELD_DOUBLE, GUESS_NUMBER_COMMA, space, &v) && v.d == -1.25);
    assert_false(guess_value(STR("1,2,3"), FIELD_DOUBLE, GUESS_NUMBER_COMMA, space, &v));
    assert_true(guess_value(STR("2/1/2024"), FIELD_DATE_ONLY, GUESS_DATE_DAY, space, &v) && str_eq(v.s, STR("2024-01-02")));
    assert_true(guess_value(STR("2/1/2024"), FIELD_DATE_ONLY, GUESS_DATE_MONTH, space, &v) && str_eq(v.s, STR("2024-02-01")));
    assert_true(guess_value(STR("12/31/2024 12:00 am"), FIELD_DATE, GUESS_TEXT, space, &v) && v.i == 1735603200000);
    assert_true(guess_value(STR("12:00 PM"), FIELD_TIME_ONLY, GUESS_TIME, space, &v) && str_eq(v.s, STR("12:00:00")));
    assert_true(guess_value(STR("0F8FAD5B-D9CB-469F-A165-70867728950E"), FIELD_GUID, GUESS_TEXT, space, &v) &&
                str_eq(v.s, STR("{0F8FAD5B-D9CB-469F-A165-70867728950E}")));
    assert_false(guess_value(STR("x"), FIELD_GUID, GUESS_TEXT, space, &v));
    assert_true(guess_value(STR(" as it is "), FIELD_STRING, GUESS_TEXT, space, &v) && str_eq(v.s, STR(" as it is ")));
    assert_false(guess_value(STR("x"), FIELD_BLOB, GUESS_TEXT, space, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_have_types),
        cmocka_unit_test(texts_become_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
