/* model/query/where: the trees that clauses become, and the clauses that are refused. What trees find is tested with the store.
 */
#include "base/clock.h"
#include "model/query/where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char DEFINITION[] =
    "{\"tables\":[{\"id\":0,\"name\":\"t\",\"fields\":[{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"},"
    "{\"name\":\"n\",\"type\":\"esriFieldTypeInteger\"},{\"name\":\"s\",\"type\":\"esriFieldTypeString\"},"
    "{\"name\":\"d\",\"type\":\"esriFieldTypeDate\"},{\"name\":\"Date\",\"type\":\"esriFieldTypeDateOnly\"},"
    "{\"name\":\"b\",\"type\":\"esriFieldTypeBlob\"},{\"name\":\"g\",\"type\":\"esriFieldTypeGUID\"},"
    "{\"name\":\"A b\\\"c\",\"type\":\"esriFieldTypeDouble\"},{\"name\":\"Stra\u00dfe\",\"type\":\"esriFieldTypeString\"}]}]}";

struct world {
    struct ctx ctx;
    struct service service;
    struct clock_fixed clock;
};

static int open_world(void **state)
{
    static struct world w;
    ctx_open(&w.ctx);
    w.clock = clock_fixed_at(1709251199123); /* 2024-02-29T23:59:59.123Z */
    w.ctx.clock = &w.clock.base;
    assert_int_equal(service_parse(&w.ctx, str_c(DEFINITION), &w.service), RC_OK);
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    ctx_close(&((struct world *)*state)->ctx);
    return 0;
}

/* The tree as text: (kind args…). */
static void print(struct buf *b, const struct where *w)
{
    static const char *const KINDS[] = {
        [WHERE_AND] = "and",   [WHERE_OR] = "or",           [WHERE_NOT] = "not",     [WHERE_COMPARE] = "cmp",
        [WHERE_IN] = "in",     [WHERE_BETWEEN] = "between", [WHERE_LIKE] = "like",   [WHERE_IS_NULL] = "null",
        [WHERE_TRUE] = "true", [WHERE_FALSE] = "false",     [WHERE_FUNCTION] = "fn", [WHERE_ARITHMETIC] = "calc",
    };
    static const char *const OPERATORS[] = {"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "||"};
    if (w->kind == WHERE_FIELD) {
        buf_printf(b, "f%zu", w->field);
        return;
    }
    if (w->kind == WHERE_LITERAL) {
        if (w->literal.kind == VALUE_TEXT)
            buf_printf(b, "'%.*s'", STR_FMT(w->literal.s));
        else if (w->literal.kind == VALUE_INT)
            buf_printf(b, w->is_date ? "@%ld" : "%ld", (long)w->literal.i);
        else
            buf_printf(b, w->literal.kind == VALUE_NULL ? "NULL" : "%g", w->literal.d);
        return;
    }
    buf_printf(b, "(%s%s", w->negated ? "!" : "", KINDS[w->kind]);
    if (w->kind == WHERE_COMPARE || w->kind == WHERE_ARITHMETIC)
        buf_printf(b, " %s", OPERATORS[w->op]);
    if (w->kind == WHERE_FUNCTION)
        buf_printf(b, "%d", (int)w->function);
    for (size_t i = 0; i < w->arg_count; i++) {
        buf_add_char(b, ' ');
        print(b, w->args[i]);
    }
    if (w->escape)
        buf_printf(b, " escape %c", w->escape);
    buf_add_char(b, ')');
}

static void trees(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *where, *tree;
    } rows[] = {
        {"", ""},
        {" \t\n", ""},
        {"1=1", ""},
        {"(1 = 1)", ""},
        {"1=0", "(false)"},
        {"'a'='a'", ""},
        {"2 > 10", "(false)"},
        {"n=1", "(cmp = f1 1)"},
        {"N<>1", "(cmp <> f1 1)"},
        {"n != 1", "(cmp <> f1 1)"},
        {"1 <= n", "(cmp <= 1 f1)"},
        {"n>-1.5", "(cmp > f1 -1.5)"},
        {"n=.5", "(cmp = f1 0.5)"},
        {"n=1e3", "(cmp = f1 1000)"},
        {"n=9223372036854775808", "(cmp = f1 9.22337e+18)"},
        {"n = '5'", "(cmp = f1 5)"},
        {"n = - - 5", "(cmp = f1 5)"},
        {"n = -id", "(cmp = f1 (calc - 0 f0))"},
        {"s = 'it''s'", "(cmp = f2 'it's')"},
        {"s = N'x'", "(cmp = f2 'x')"},
        {"s = ''", "(cmp = f2 '')"},
        {"s = ''''", "(cmp = f2 ''')"},
        {"\"A b\"\"c\" = 1", "(cmp = f7 1)"},
        {"Stra\xc3\x9f"
         "e = 'x'",
         "(cmp = f8 'x')"},
        {"n=1 and n=2 or n=3", "(or (and (cmp = f1 1) (cmp = f1 2)) (cmp = f1 3))"},
        {"n=1 or n=2 and not n=3", "(or (cmp = f1 1) (and (cmp = f1 2) (not (cmp = f1 3))))"},
        {"n=1 OR n=2 OR n=3", "(or (cmp = f1 1) (cmp = f1 2) (cmp = f1 3))"},
        {"(n=1 or n=2) and n=3", "(and (or (cmp = f1 1) (cmp = f1 2)) (cmp = f1 3))"},
        {"not not n=1", "(cmp = f1 1)"},
        {"not (n=1)", "(not (cmp = f1 1))"},
        {"n in (1,2, 3)", "(in f1 1 2 3)"},
        {"n not in (1)", "(!in f1 1)"},
        {"n between 1 and 2 and s='x'", "(and (between f1 1 2) (cmp = f2 'x'))"},
        {"n not between 1 and 2", "(!between f1 1 2)"},
        {"s like 'a%'", "(like f2 'a%')"},
        {"s not like 'a!%' escape '!'", "(!like f2 'a!%' escape !)"},
        {"UPPER(s) LIKE 'A%'", "(like (fn0 f2) 'A%')"},
        {"b is null", "(null f5)"},
        {"s IS NOT NULL", "(!null f2)"},
        {"n+1*2-3=0", "(cmp = (calc - (calc + f1 (calc * 1 2)) 3) 0)"},
        {"(n+1)*2=4", "(cmp = (calc * (calc + f1 1) 2) 4)"},
        {"s||'x'='ax'", "(cmp = (calc || f2 'x') 'ax')"},
        {"SUBSTRING(s FROM 1 FOR 2)='ab'", "(cmp = (fn5 f2 1 2) 'ab')"},
        {"round(\"A b\"\"c\", 1) = 2", "(cmp = (fn6 f7 1) 2)"},
        {"d = DATE '1970-01-02'", "(cmp = f3 @86400000)"},
        {"d = TIMESTAMP '1970-01-01 00:00:01.5'", "(cmp = f3 @1500)"},
        {"d > '1970-01-01T00:00:01Z'", "(cmp > f3 @1000)"},
        {"d > 86400000", "(cmp > f3 @86400000)"},
        {"d between '1970-01-01' and 5", "(between f3 @0 @5)"},
        {"d in (DATE '1970-01-01', 7)", "(in f3 @0 @7)"},
        {"Date = '2024-01-31'", "(cmp = f4 '2024-01-31')"},
        {"date >= DATE '2024-01-31'", "(cmp >= f4 '2024-01-31')"},
        {"Date = TIMESTAMP '2024-01-31 12:00:00'", "(cmp = f4 '2024-01-31')"},
        {"d < CURRENT_TIMESTAMP", "(cmp < f3 @1709251199123)"},
        {"d < CURRENT_DATE", "(cmp < f3 @1709164800000)"},
        {"d < CURRENT_TIMESTAMP - INTERVAL '1' DAY", "(cmp < f3 @1709164799123)"},
        {"d < CURRENT_DATE + INTERVAL '1.5' HOUR", "(cmp < f3 @1709170200000)"},
        {"d < DATE '2024-03-31' - INTERVAL '1' MONTH", "(cmp < f3 @1709164800000)"},
        {"d < DATE '2024-02-29' + INTERVAL '1' YEAR", "(cmp < f3 @1740700800000)"},
        {"d < DATE '2024-02-29' - INTERVAL '-1' year", "(cmp < f3 @1740700800000)"},
        {"g = '{0a0b0c0d-0000-0000-0000-000000000001}'", "(cmp = f6 '{0A0B0C0D-0000-0000-0000-000000000001}')"},
        {"g = 'no guid'", "(cmp = f6 'no guid')"},
        {"n = NULL", "(cmp = f1 NULL)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
        struct where *tree;
        if (where_parse(&w->ctx, str_c(rows[i].where), &w->service.layers[0], &tree) != RC_OK)
            fail_msg("%s: %s", rows[i].where, err_text(&w->ctx));
        if (tree)
            print(&b, tree);
        if (!str_eq(buf_str(&b), str_c(rows[i].tree)))
            fail_msg("%s: %.*s, expected %s", rows[i].where, STR_FMT(buf_str(&b)), rows[i].tree);
    }
}

static void refused(void **state)
{
    struct world *w = *state;
    static const char *const CLAUSES[] = {
        "n",
        "1",
        "n=",
        "=1",
        "n==1",
        "n=1 n=2",
        "n=1;",
        "n=1 --",
        "n=1 /* x */",
        "n=1; DROP TABLE t",
        "x=1",
        "\"x\"=1",
        "n=1 and",
        "and n=1",
        "not",
        "not n",
        "(n=1",
        "n=1)",
        "()",
        "n in ()",
        "n in (1",
        "n in 1",
        "n in (1,)",
        "n in (select 1)",
        "n between 1",
        "n between 1 or 2",
        "n not 1",
        "n is 1",
        "n is not",
        "(n=1) is null",
        "s like",
        "s like 1",
        "n like 'a'",
        "s like 'a' escape",
        "s like 'a' escape ''",
        "s like 'a' escape 'ab'",
        "s like 'a' escape '\xc3\xa4'",
        "s='a",
        "\"s=1",
        "s=\"a\"",
        "s=1",
        "n='x'",
        "d='x'",
        "d=1.5",
        "DATE 'x' = d",
        "d = DATE '2024-02-30'",
        "b=1",
        "b='x'",
        "n+s=1",
        "s+1=2",
        "n||'a'='b'",
        "-s='a'",
        "(n=1)=1",
        "(n=1)+1=2",
        "(n=1) and 1",
        "1 and n=1",
        "upper(n)='A'",
        "upper()='A'",
        "upper(s,s)='A'",
        "abs(s)=1",
        "abs(n=1)=1",
        "nothing(s)=1",
        "load_extension('x')=1",
        "substring(s)='a'",
        "substring(s,1,2,3)='a'",
        "d > d + INTERVAL '1' DAY",
        "d > CURRENT_DATE - INTERVAL 1 DAY",
        "d > CURRENT_DATE - INTERVAL '1' FORTNIGHT",
        "d > CURRENT_DATE - INTERVAL 'x' DAY",
        "d > CURRENT_DATE - INTERVAL '1.5' MONTH",
        "d > CURRENT_DATE - INTERVAL '1e300' DAY",
        "n = 1..2",
        "n = 1e",
        "n = 0x10",
        "n = ?",
        "n = $1",
        "n = :a",
        "n = @a",
        "n=1\x01",
        "n='\xff'",
        "like = 1",
        "select 1",
        "1=1 union select 1",
        "n = 1e999",
        "case when n=1 then 1 else 0 end = 1",
        "exists (n)",
        "s = 'a' collate nocase",
    };
    for (size_t i = 0; i < COUNT_OF(CLAUSES); i++) {
        struct where *tree;
        if (where_parse(&w->ctx, str_c(CLAUSES[i]), &w->service.layers[0], &tree) != RC_FAIL)
            fail_msg("accepted: %s", CLAUSES[i]);
        assert_true(err_is(&w->ctx, &ERR_INVALID));
        assert_null(tree);
        err_clear(&w->ctx);
    }
    struct where *tree;
    assert_int_equal(where_parse(&w->ctx, STR("n=1 and x=2"), &w->service.layers[0], &tree), RC_FAIL);
    assert_string_equal(err_text(&w->ctx), "where, at character 9 near \"x=2\": no field of that name");
}

/* `count` times before, middle, `count` times after. */
static str repeated(struct world *w, const char *before, size_t count, const char *middle, const char *after)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < count; i++)
        buf_add(&b, str_c(before));
    buf_add(&b, str_c(middle));
    for (size_t i = 0; i < count; i++)
        buf_add(&b, str_c(after));
    return arena_str(w->ctx.arena, buf_str(&b));
}

static void limits(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *before, *middle, *after;
        size_t count;
        int rc;
    } rows[] = {
        {"(", "n=1", ")", 90, RC_OK},         {"(", "n=1", ")", 101, RC_FAIL},          {"(", "n=1", ")", 20000, RC_FAIL},
        {"abs(", "n", ")=1", 20000, RC_FAIL}, {"ABS(", "n", ")", 15000, RC_FAIL},       {"n=1 or ", "n=2", "", 4000, RC_FAIL},
        {"n=1 or ", "n=2", "", 3000, RC_OK},  {"not ", "n=1", "", 10000, RC_OK},        {"-", "1=n", "", 30000, RC_OK},
        {"1+", "n=1", "", 90, RC_OK},         {"1+", "n=1", "", 5000, RC_FAIL},         {"not (", "n=1", ")", 5000, RC_FAIL},
        {"(", "", "", 60000, RC_FAIL},        {"n=1 and (", "n=1", ")", 5000, RC_FAIL}, {" ", "n=1", "", 65000, RC_OK},
        {" ", "n=1", "", 65600, RC_FAIL},     {"''", "", "", 32768, RC_FAIL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct where *tree;
        str text = repeated(w, rows[i].before, rows[i].count, rows[i].middle, rows[i].after);
        int rc = where_parse(&w->ctx, text, &w->service.layers[0], &tree);
        if (rc != rows[i].rc)
            fail_msg("row %zu: %d %s", i, rc, err_text(&w->ctx));
        err_clear(&w->ctx);
    }
    /* Memory grows with the text, however many literals there are. */
    size_t before = arena_size(w->ctx.arena);
    struct where *tree;
    assert_int_equal(where_parse(&w->ctx, repeated(w, "s='' or ", 3000, "s=''", ""), &w->service.layers[0], &tree), RC_OK);
    assert_true(arena_size(w->ctx.arena) - before < 8 << 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(trees), TEST(refused), TEST(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
