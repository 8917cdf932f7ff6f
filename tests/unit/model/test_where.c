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
        [WHERE_CASE] = "case", [WHERE_AGGREGATE] = "sum",
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
    if (w->kind == WHERE_AGGREGATE)
        buf_printf(b, "%d", (int)w->statistic);
    if (w->has_operand)
        buf_printf(b, " of");
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
        {"d > d + INTERVAL '1' DAY", "(cmp > f3 (fn31 f3 86400000 0))"},
        {"Date - INTERVAL '2' MONTH = '2024-01-01'", "(cmp = (fn31 f4 0 -2) '2024-01-01')"},
        {"d < CURRENT_DATE + INTERVAL '1 12:30:15.5' DAY TO SECOND", "(cmp < f3 @1709296215500)"},
        {"d < CURRENT_DATE - INTERVAL '-1:30' HOUR TO MINUTE", "(cmp < f3 @1709170200000)"},
        {"d < DATE '2024-02-29' + INTERVAL '1-1' YEAR TO MONTH", "(cmp < f3 @1743206400000)"},
        {"d - 1 < CURRENT_DATE", "(cmp < (fn31 f3 (calc * 1 -86400000) 0) @1709164800000)"},
        {"CURRENT_TIMESTAMP - d > 7", "(cmp > (fn32 @1709251199123 f3) 7)"},
        {"CAST(d AS DATE) = DATE '2024-02-29'", "(cmp = (fn36 f3) @1709164800000)"},
        {"CAST(n AS VARCHAR(3)) = '1'", "(cmp = (fn33 f1 3) '1')"},
        {"cast(s as double precision) > 1", "(cmp > (fn35 f2) 1)"},
        {"CAST('2024-02-29' AS TIMESTAMP) = d", "(cmp = (fn37 '2024-02-29') f3)"},
        {"EXTRACT(YEAR FROM d) = 2024", "(cmp = (fn30 f3 6) 2024)"},
        {"EXTRACT(hour from CURRENT_TIME) = 23", "(cmp = (fn30 '23:59:59' 2) 23)"},
        {"TRIM(s)='a'", "(cmp = (fn4 f2) 'a')"},
        {"TRIM(LEADING 'x' FROM s)='a'", "(cmp = (fn9 f2 'x') 'a')"},
        {"TRIM(TRAILING FROM s)='a'", "(cmp = (fn10 f2) 'a')"},
        {"TRIM(BOTH '0' FROM s)='a'", "(cmp = (fn4 f2 '0') 'a')"},
        {"TRIM('0' FROM s)='a'", "(cmp = (fn4 f2 '0') 'a')"},
        {"POSITION('a' IN s) > 0", "(cmp > (fn11 f2 'a') 0)"},
        {"CONCAT(s, n, 'x') = 'a'", "(cmp = (fn12 f2 f1 'x') 'a')"},
        {"COALESCE(NULL, n, 0) = 0", "(cmp = (fn29 NULL f1 0) 0)"},
        {"NULLIF(s, '') IS NULL", "(null (fn28 f2 ''))"},
        {"COALESCE(d, '1970-01-01') = '1970-01-01'", "(cmp = (fn29 f3 @0) @0)"},
        {"MOD(n, 2) = POWER(n, 2)", "(cmp = (fn20 f1 2) (fn16 f1 2))"},
        {"case when n=1 then 1 else 0 end = 1", "(cmp = (case (cmp = f1 1) 1 0) 1)"},
        {"CASE n WHEN 1 THEN 'a' WHEN 2 THEN s END = 'a'", "(cmp = (case of f1 1 'a' 2 f2) 'a')"},
        {"CASE WHEN n=1 THEN NULL ELSE d END > '1970-01-01'", "(cmp > (case (cmp = f1 1) NULL f3) @0)"},
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
        "case n=1 then 1 end = 1",
        "case when n then 1 end = 1",
        "case when n=1 then n=2 end = 1",
        "case when n=1 then 1 else 's' end = 1",
        "case when n=1 then 1 else 2 else 3 end = 1",
        "case end = 1",
        "case else 1 end = 1",
        "case when n=1 then 1",
        "concat(s) = 'a'",
        "coalesce(n) = 1",
        "coalesce(n, s) = 1",
        "concat(s, b) = 'a'",
        "concat(s, n=1) = 'a'",
        "position(s) = 1",
        "position(s from 1) = 1",
        "trim() = 'a'",
        "trim('a' from) = 'a'",
        "trim(leading n from s) = 'a'",
        "extract(fortnight from d) = 1",
        "extract(year from s) = 1",
        "extract(hour from Date) = 1",
        "cast(s as blob) = 'a'",
        "cast(s) = 'a'",
        "cast(s as varchar(n)) = 'a'",
        "cast(s as varchar(-1)) = 'a'",
        "cast(d as integer) = 1",
        "cast(n as date) = d",
        "cast(b as varchar(10)) = 'a'",
        "d + d = d",
        "d + 'x' = d",
        "d > CURRENT_DATE - INTERVAL '1 2' DAY TO MONTH",
        "d > CURRENT_DATE - INTERVAL '1:x' HOUR TO MINUTE",
        "s + INTERVAL '1' DAY = s",
        "TIME '25:00:00' = CURRENT_TIME",
        "sum(n) = 1",
        "count(*) = 1",
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

static void having(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *having, *tree; /* NULL: refused */
    } rows[] = {
        {"COUNT(*) > 1", "(cmp > (sum0) 1)"},
        {"sum(n) > 1 AND s = 'a'", "(and (cmp > (sum1 f1) 1) (cmp = f2 'a'))"},
        {"total > 1", "(cmp > (sum1 f1) 1)"},
        {"MAX(d) < '1970-01-01'", "(cmp < (sum3 f3) @0)"},
        {"AVG(n + 1) > COUNT(s)", "(cmp > (sum4 (calc + f1 1)) (sum0 f2))"},
        {"n = 1", NULL},
        {"SUM(COUNT(*)) > 1", NULL},
        {"SUM(total) > 1", NULL},
        {"SUM(s) > 1", NULL},
        {"SUM(*) > 1", NULL},
        {"COUNT() > 1", NULL},
        {"SUM(n)", NULL},
    };
    const struct layer *l = &w->service.layers[0];
    struct where field = {.kind = WHERE_FIELD, .field = 1}, text = {.kind = WHERE_FIELD, .field = 2}, *argument = &field;
    struct where sum = {.kind = WHERE_AGGREGATE, .statistic = STATISTIC_SUM, .args = &argument, .arg_count = 1};
    const struct where_output outputs[] = {{STR("s"), &text, WHERE_TYPE_TEXT}, {STR("Total"), &sum, WHERE_TYPE_NUMBER}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf b = BUF_INIT(10000);
        struct where *tree;
        int rc = where_parse_having(&w->ctx, str_c(rows[i].having), l, outputs, COUNT_OF(outputs), &tree);
        if ((rc == RC_OK) != (rows[i].tree != NULL))
            fail_msg("%s: %s", rows[i].having, err_text(&w->ctx));
        err_clear(&w->ctx);
        if (rc == RC_OK)
            print(&b, tree);
        if (rc == RC_OK && !str_eq(buf_str(&b), str_c(rows[i].tree)))
            fail_msg("%s: %.*s, expected %s", rows[i].having, STR_FMT(buf_str(&b)), rows[i].tree);
    }
}

static void values(void **state)
{
    struct world *w = *state;
    const struct layer *l = &w->service.layers[0];
    struct where *tree;
    enum where_type type;
    assert_int_equal(where_parse_value(&w->ctx, STR("n / 2.5"), l, &tree, &type), RC_OK);
    assert_int_equal(type, WHERE_TYPE_NUMBER);
    assert_int_equal(where_parse_value(&w->ctx, STR("CASE WHEN n=1 THEN d END"), l, &tree, &type), RC_OK);
    assert_int_equal(type, WHERE_TYPE_DATE);
    static const char *const refused_values[] = {"", "n=1", "n n", "sum(n)", "x"};
    for (size_t i = 0; i < COUNT_OF(refused_values); i++) {
        assert_int_equal(where_parse_value(&w->ctx, str_c(refused_values[i]), l, &tree, &type), RC_FAIL);
        assert_null(tree);
        err_clear(&w->ctx);
    }
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
    const struct CMUnitTest tests[] = {TEST(trees), TEST(refused), TEST(having), TEST(values), TEST(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
