/* formats/format: finding a format by its names, and names of files that fit and differ. */
#include "formats/format.h"
#include "model/errors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void formats_are_found_by_any_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum format_id id;
    } known[] = {
        {"CSV", FILE_CSV}, {"csv collection", FILE_CSV}, {"GeoJSON", FILE_GEOJSON}, {"feature collection", FILE_COLLECTION}};
    static const char *const refused[] = {"Scene Package", "vtpk", "SQLITE", "sqlite geodatabase", "", "CSV,"};
    struct ctx ctx;
    const struct file_format *f;
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        assert_int_equal(format_find(&ctx, str_c(known[i].name), &f), RC_OK);
        assert_int_equal(f->id, known[i].id);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(format_find(&ctx, str_c(refused[i]), &f), RC_FAIL);
        assert_true(err_is(&ctx, &ERR_PARAMETER));
        err_clear(&ctx);
    }
    ctx_close(&ctx);
}

static void names_differ_and_fit(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *made;
    } rows[] = {{"population_total", "population"},
                {"POPULATION_DENSITY", "POPULATI_1"},
                {"populations", "populati_2"},
                {"größenordnung", "größenor"},
                {"a/b:c", "a_b_c"},
                {"..", "layer"},
                {"", "layer_1"},
                {" a/b:c ", "a_b_c_1"}};
    struct ctx ctx;
    struct format_names taken = {0};
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str name = format_name_unique(&ctx, &taken, str_c(rows[i].wanted), 10);
        assert_true(name.n <= 10);
        assert_string_equal(arena_cstr(ctx.arena, name), rows[i].made);
    }
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(formats_are_found_by_any_name), cmocka_unit_test(names_differ_and_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
