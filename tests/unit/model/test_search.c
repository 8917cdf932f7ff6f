/* The q= grammar: what each text becomes, printed as a tree, and what is refused. */
#include "model/search.h"
#include "base/buf.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void print(struct buf *b, const struct search_query *q)
{
    static const char *const names[] = {"all", "nothing", "and", "or", "not", "", "phrase ", "wild ", "range "};
    buf_printf(b, "(%s", names[q->kind]);
    for (size_t i = 0; i < q->child_count; i++)
        print(b, q->children[i]);
    if (q->kind >= SEARCH_TERM && !str_empty(q->field))
        buf_printf(b, "%.*s:", STR_FMT(q->field));
    if (q->kind >= SEARCH_TERM && q->kind != SEARCH_RANGE)
        buf_add(b, q->text);
    if (q->kind == SEARCH_RANGE)
        buf_printf(b, "%c%.*s~%.*s%c", q->from_inclusive ? '[' : '{', STR_FMT(q->from), STR_FMT(q->to),
                   q->to_inclusive ? ']' : '}');
    if (q->edits > 0)
        buf_printf(b, "~%u", q->edits);
    if (q->similarity < 1)
        buf_printf(b, "%%%g", q->similarity);
    if (q->boost != 1)
        buf_printf(b, "^%g", q->boost);
    buf_add_char(b, ')');
}

struct row {
    const char *text, *tree;
};

static const struct row rows[] = {
    {"", "(nothing)"},
    {"  \t ", "(nothing)"},
    {"*", "(all)"},
    {"fire", "(fire)"},
    {"fire maps", "(and(fire)(maps))"},
    {"fire AND maps", "(and(fire)(maps))"},
    {"a OR b", "(or(a)(b))"},
    {"a b OR c d", "(or(and(a)(b))(and(c)(d)))"},
    {"a AND (b OR c)", "(and(a)(or(b)(c)))"},
    {"((a))", "(a)"},
    {"NOT a", "(not(a))"},
    {"a NOT b", "(and(a)(not(b)))"},
    {"a AND NOT b", "(and(a)(not(b)))"},
    {"NOT NOT a", "(a)"},
    {"+a -b", "(and(a)(not(b)))"},
    {"-(a b)", "(not(and(a)(b)))"},
    {"-type:\"Web Map\"", "(not(phrase type:Web Map))"},
    {"\"fire maps\"", "(phrase fire maps)"},
    {"\"say \\\"x\\\"\"", "(phrase say \"x\")"},
    {"title:fire", "(title:fire)"},
    {"TITLE:Fire", "(title:Fire)"},
    {"title: fire", "(title:fire)"},
    {"title:\"fire maps\" owner:Ann", "(and(phrase title:fire maps)(owner:Ann))"},
    {"uploaded:5", "(created:5)"},
    {"type:(\"Web Map\" OR Dashboard)", "(or(phrase type:Web Map)(type:Dashboard))"},
    {"type:(a OR title:b) c", "(and(or(type:a)(title:b))(c))"},
    {"redl*", "(wild redl*)"},
    {"te?t", "(wild te?t)"},
    {"title:*", "(wild title:*)"},
    {"a\\*", "(a*)"},
    {"a\\:b", "(a:b)"},
    {"created:[1 TO 2]", "(range created:[1~2])"},
    {"created:{1 TO 2}", "(range created:{1~2})"},
    {"created:[1 TO 2}", "(range created:[1~2})"},
    {"created:[* TO 2]", "(range created:[~2])"},
    {"created: [ 0000001249084800000   TO  \"x y\" ]", "(range created:[0000001249084800000~x y])"},
    {"roam~0.8 a^3 b~ \"c d\"~2^4", "(and(roam~2%0.8)(a^3)(b~2%0.5)(phrase c d~2^4))"},
    {"roam~1 roam~2^0.5 a^2.5~", "(and(roam~1%0)(roam~2%0^0.5)(a~2%0.5^2.5))"},
    {"title:roam~1 (a b)^2 [a TO b]^2", "(and(title:roam~1%0)(and(a)(b)^2)(range [a~b]^2))"},
    {"a~b 5~x ~a a^ a^b", "(and(a~b)(5~x)(~a)(a^)(a^b))"}, /* no suffixes */
    {"a\\~ a\\^3 a\\~1", "(and(a~)(a^3)(a~1))"},
    {"te?t^2", "(wild te?t^2)"},
    {"a~1.2.3", "(a~1.2.3)"},
    {"v1.5 10 2.0", "(and(v1.5)(10)(2.0))"},
    {"a - b", "(and(a)(b))"},
    {"fire & smoke", "(and(fire)(smoke))"},
    {"& -", "(nothing)"},
    {"ORANGE ANDROID NOTE", "(and(ORANGE)(ANDROID)(NOTE))"},
    {"and or not", "(and(and)(or)(not))"},
    {"https://host/a?b", "(wild https://host/a?b)"},
    {"url:https://host/a", "(url:https://host/a)"},
    {"a-b", "(a-b)"},
    {"gr\xc3\xbcn", "(gr\xc3\xbcn)"},
    {"* AND owner:x", "(and(all)(owner:x))"},
};

static void trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
        struct search_query *q;
        struct ctx ctx;
        ctx_open(&ctx);
        if (search_parse(&ctx, str_c(rows[i].text), &q) != RC_OK)
            fail_msg("%s: %s", rows[i].text, err_text(&ctx));
        print(&b, q);
        if (!str_eq(buf_str(&b), str_c(rows[i].tree)))
            fail_msg("%s: %s instead of %s", rows[i].text, b.p, rows[i].tree);
        ctx_close(&ctx);
    }
}

static void refused(void **state)
{
    static const struct row bad[] = {
        {"a AND", "character 6: expected a term"},
        {"a OR", "expected a term"},
        {"AND a", ""}, /* a word here */
        {"(a", "closing parenthesis"},
        {"a)", "character 2: expected the end"},
        {"()", "expected a term"},
        {"\"a", "character 1: expected a closing quotation mark"},
        {"title:", "expected a term"},
        {"title:)", "expected a term"},
        {"created:[1 2]", "expected TO"},
        {"created:[1 TO]", "a bound"},
        {"created:[1 TO 2", "] or }"},
        {"[", "a bound"},
        {"]", "expected a term"},
        {"NOT", "expected a term"},
        {"a \xff", "UTF-8"},
        {"a~3", "1 or 2 letters"},
        {"te?t~", "behind a word or a phrase"},
        {"(a b)~", "behind a word or a phrase"},
        {"[a TO b]~1", "behind a word or a phrase"},
        {"\"a b\"^", "a number behind"},
        {"(a)^x", "a number behind"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct search_query *q;
        struct ctx ctx;
        ctx_open(&ctx);
        int rc = search_parse(&ctx, str_c(bad[i].text), &q);
        if (bad[i].tree[0] == 0) {
            assert_int_equal(rc, RC_OK);
        } else {
            assert_int_equal(rc, RC_FAIL);
            assert_true(err_is(&ctx, &ERR_INVALID));
            if (!strstr(err_text(&ctx), bad[i].tree))
                fail_msg("%s: %s", bad[i].text, err_text(&ctx));
        }
        ctx_close(&ctx);
    }
}

/* Depth, number of terms and size are limited, and memory grows with the text only. */
static void limits(void **state)
{
    static const struct {
        const char *piece;
        size_t times;
        int rc;
    } cases[] = {
        {"(", 100000, RC_FAIL},  {"(", 30000, RC_FAIL},   {"a ", 400, RC_OK},   {"a ", 401, RC_FAIL},
        {"-", 30000, RC_OK},     {"NOT ", 8000, RC_FAIL}, {"x", 32768, RC_OK},  {"x", 32769, RC_FAIL},
        {"title:", 5000, RC_OK}, {"a OR ", 399, RC_FAIL}, {"\\", 32768, RC_OK},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
        struct search_query *q;
        struct ctx ctx;
        ctx_open(&ctx);
        for (size_t k = 0; k < cases[i].times; k++)
            buf_add(&b, str_c(cases[i].piece));
        int rc = search_parse(&ctx, buf_str(&b), &q);
        if (rc != cases[i].rc)
            fail_msg("case %zu: %d %s", i, rc, err_text(&ctx));
        assert_true(arena_size(ctx.arena) < 1 << 20);
        ctx_close(&ctx);
    }
}

static void joined(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    struct search_query *a, *c;
    struct ctx ctx;
    (void)state;
    ctx_open(&ctx);
    assert_int_equal(search_parse(&ctx, STR("a OR b"), &a), RC_OK);
    assert_int_equal(search_parse(&ctx, STR("type:\"Web Map\""), &c), RC_OK);
    print(&b, search_and(&ctx, a, c));
    assert_string_equal(b.p, "(and(or(a)(b))(phrase type:Web Map))");
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(trees), cmocka_unit_test(refused), cmocka_unit_test(limits),
                                       cmocka_unit_test(joined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
