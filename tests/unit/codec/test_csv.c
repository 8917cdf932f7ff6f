/* Separated values: what records are, however the bytes arrive. */
#include "codec/csv.h"
#include "base/buf.h"
#include "base/mem.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

/* Gives so many bytes at a time. */
struct drip {
    struct reader base;
    str left;
    size_t step;
};

static int drip_read(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    (void)ctx;
    struct drip *d = (struct drip *)base;
    *got = d->step < n ? d->step : n;
    *got = *got < d->left.n ? *got : d->left.n;
    memcpy(p, d->left.p, *got);
    d->left = str_sub(d->left, *got, d->left.n);
    return RC_OK;
}

static void drip_close(struct reader *base) { (void)base; }

/* "line:cell|'quoted'|…\n" a record, the error behind them. */
static str dump(struct ctx *ctx, str text, size_t step)
{
    struct drip in = {.base = {.read = drip_read, .close = drip_close}, .left = text, .step = step};
    struct csv c;
    struct buf b = BUF_INIT(1 << 20);
    int rc;
    csv_open(&c, &in.base, ',', '"');
    while ((rc = csv_next(ctx, &c)) == RC_OK) {
        buf_printf(&b, "%llu:", (unsigned long long)c.line);
        for (size_t i = 0; i < c.count; i++)
            buf_printf(&b, c.cells[i].quoted ? "'%.*s'|" : "%.*s|", STR_FMT(c.cells[i].text));
        buf_add_char(&b, '\n');
    }
    if (rc != RC_END)
        buf_printf(&b, "! %s", err_text(ctx));
    err_clear(ctx);
    csv_close(&c);
    str out = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static void records_and_cells(void **state)
{
    (void)state;
    static const struct {
        const char *text, *dump;
    } CASES[] = {
        {"", ""},
        {"\n\r\n\n", ""},
        {"a,b\n1,2\n", "1:a|b|\n2:1|2|\n"},
        {"a,b\r\n1,2", "1:a|b|\n2:1|2|\n"},
        {"a,b\r1,2\r", "1:a|b|\n2:1|2|\n"},
        {"a,\n,\n", "1:a||\n2:||\n"},
        {"\"\"\n", "1:''|\n"},
        {"\"a \"\"b\"\"\",\"c\nd\"\ne\n", "1:'a \"b\"'|'c\nd'|\n3:e|\n"},
        {"a\"b,c\n", "1:a\"b|c|\n"},
        {"a\n\n\nb\n", "1:a|\n4:b|\n"},
        {"a\n\"b", "1:a|\n! line 2: a quote that is never closed"},
        {"a\n\"b\"c\n", "1:a|\n! line 2: text behind a closing quote"},
        {"\"a\"", "1:'a'|\n"},
        {"\"a\"\"", "! line 1: a quote that is never closed"},
    };
    struct ctx ctx;
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        for (size_t step = 1; step <= 7; step++)
            assert_string_equal(arena_cstr(ctx.arena, dump(&ctx, str_c(CASES[i].text), step)), CASES[i].dump);
    ctx_close(&ctx);
}

static void records_have_limits(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_open(&ctx);
    char *many = mem_alloc((size_t)CSV_RECORD_MAX * 2);
    memset(many, ',', CSV_CELLS_MAX);
    assert_true(str_find(dump(&ctx, str_of(many, CSV_CELLS_MAX), 1 << 20), STR("! line 1: a record of more than 10000 values"),
                         0) != SIZE_MAX);
    assert_true(str_starts(dump(&ctx, str_of(many, CSV_CELLS_MAX - 1), 1 << 20), STR("1:||")));
    memset(many, 'x', (size_t)CSV_RECORD_MAX * 2);
    assert_true(str_eq(dump(&ctx, str_of(many, (size_t)CSV_RECORD_MAX * 2), 1 << 20),
                       STR("! line 1: a record of more than 16777216 bytes")));
    mem_free(many);
    ctx_close(&ctx);
}

static void separators_are_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        char delimiter;
    } CASES[] = {
        {"a,b\n1,2\n", ','},
        {"a;b\n1,5;2,5\n3,5;4\n", ';'},
        {"a\tb\tc\n1,1\t2\t3\n", '\t'},
        {"a|b\n1|2\n", '|'},
        {"a\n1\n", ','},
        {"", ','},
        {"\"a;b\",c\n\"d;e;f\",g\n", ','},
    };
    struct ctx ctx;
    ctx_open(&ctx);
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_int_equal(csv_guess_delimiter(&ctx, str_c(CASES[i].head), '"'), CASES[i].delimiter);
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_and_cells),
        cmocka_unit_test(records_have_limits),
        cmocka_unit_test(separators_are_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
