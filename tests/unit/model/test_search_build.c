/* bbox, categories and the like as trees, and what of them is refused. */
#include "model/search.h"
#include "base/buf.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

typedef int parser(struct ctx *ctx, str text, struct search_query **out);

static void print(struct buf *b, const struct search_query *q)
{
    if (!q)
        buf_add(b, STR("none"));
    else if (q->kind == SEARCH_BOX)
        buf_printf(b, "[%g %g %g %g]", q->box.xmin, q->box.ymin, q->box.xmax, q->box.ymax);
    else if (q->child_count == 0)
        buf_printf(b, "%.*s:%.*s", STR_FMT(q->field), STR_FMT(q->text));
    for (size_t i = 0; q && i < q->child_count; i++) {
        buf_add(b, i == 0 ? STR("(") : q->kind == SEARCH_AND ? STR(" and ") : STR(" or "));
        print(b, q->children[i]);
        buf_add(b, i + 1 == q->child_count ? STR(")") : STR(""));
    }
}

static void rows(void **state)
{
    static const struct {
        parser *parse;
        const char *text, *expected; /* "!" and what the error says */
    } cases[] = {
        {search_parse_box, "", "none"},
        {search_parse_box, "  ", "none"},
        {search_parse_box, "-1, -2.5 ,3,4", "[-1 -2.5 3 4]"},
        {search_parse_box, "170,-10,-170,10", "[170 -10 -170 10]"},
        {search_parse_box, "1,2,3", "!four numbers"},
        {search_parse_box, "1,2,3,4,5", "!four numbers"},
        {search_parse_box, "1,2,3,4,", "!four numbers"},
        {search_parse_box, "1,2,3,NaN", "!four numbers"},
        {search_parse_box, "1,9,3,4", "!greater than its ymax"},
        {search_parse_categories, "", "none"},
        {search_parse_categories, "/a", "categories:/a"},
        {search_parse_categories, "/a, /b", "(categories:/a or categories:/b)"},
        {search_parse_categories, "[\"/a,/b\",\"/c\"]", "((categories:/a or categories:/b) and categories:/c)"},
        {search_parse_categories, "[]", "none"},
        {search_parse_categories, "[\"\"]", "none"},
        {search_parse_categories, "[\"/a\"", "!JSON array"},
        {search_parse_categories, "[{}]", "!array of strings"},
        {search_parse_categories, "a,b,c,d,e,f,g,h,i", "!more than 8"},
        {search_parse_categories, "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]", "!more than 8"},
        {search_parse_categories, "a\xff", "!UTF-8"},
        {search_parse_category_filters, "", "none"},
        {search_parse_category_filters, "water,land", "(categoryfilters:water and categoryfilters:land)"},
        {search_parse_category_filters, "a,b,c,d", "!more than 3"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
        struct search_query *q = NULL;
        struct ctx ctx;
        ctx_open(&ctx);
        bool refused = cases[i].expected[0] == '!';
        int rc = cases[i].parse(&ctx, str_c(cases[i].text), &q);
        assert_int_equal(rc, refused ? RC_FAIL : RC_OK);
        if (refused)
            buf_add(&b, str_c(err_text(&ctx)));
        else
            print(&b, q);
        if (refused ? !strstr(b.p, cases[i].expected + 1) : strcmp(b.p, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].text, b.p);
        ctx_close(&ctx);
    }
}

static void any(void **state)
{
    static const str values[] = {{"x", 1}, {"y", 1}};
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    struct ctx ctx;
    (void)state;
    ctx_open(&ctx);
    print(&b, search_any(&ctx, STR("id"), values, 2));
    print(&b, search_any(&ctx, STR("id"), values, 1));
    assert_string_equal(b.p, "(id:x or id:y)id:x");
    assert_int_equal(search_any(&ctx, STR("id"), values, 0)->kind, SEARCH_NOTHING);
    struct search_query *one = search_any(&ctx, STR("id"), values, 1);
    assert_ptr_equal(search_and(&ctx, NULL, one), one);
    assert_ptr_equal(search_and(&ctx, one, NULL), one);
    assert_null(search_and(&ctx, NULL, NULL));
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(any)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
