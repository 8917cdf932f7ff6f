/* Every broken package of the zoo gets the verdict that is written down for it; the good one of each release stays good. */
#include "base/file.h"
#include "portal/package/package.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* What an import does before it changes anything: open, look at all items and at every byte. */
static int look_at_items(struct ctx *ctx, struct portal *p)
{
    id *ids;
    size_t count;
    TRY(p->ops->list(ctx, p, NULL, &ids, &count));
    for (size_t i = 0; i < count; i++) {
        struct portal_item item;
        TRY(p->ops->item_get(ctx, p, &ids[i], &item));
        for (size_t k = 0; k < item.part_count; k++) {
            struct reader *r;
            TRY(p->ops->part_open(ctx, p, &ids[i], &item.parts[k], &r));
            reader_close(r);
        }
    }
    return package_verify(ctx, p, 2, NULL, NULL, NULL);
}

static int look(struct ctx *ctx, const char *name)
{
    struct package_limits limits = package_limits_default();
    CLEANUP(portal_cleanup) struct portal *p = NULL;
    str path = arena_printf(ctx->arena, "%s/%s", FIXTURES, name);
    TRY(package_open_path(ctx, path, &limits, &p));
    return look_at_items(ctx, p);
}

static void good_ones_stay_good(void **state)
{
    (void)state;
    static const char *const releases[] = {"good-0.1.0.epk"};
    for (size_t i = 0; i < COUNT_OF(releases); i++) {
        struct ctx ctx;
        ctx_open(&ctx);
        if (look(&ctx, releases[i]) != RC_OK)
            fail_msg("%s: %s", releases[i], err_text(&ctx));
        ctx_close(&ctx);
    }
}

static bool as_written(str line)
{
    struct ctx ctx;
    str file, kind, text;
    str_split(&line, '\t', &file);
    str_split(&line, '\t', &kind);
    text = line;
    ctx_open(&ctx);
    int rc = look(&ctx, arena_printf(ctx.arena, "zoo/%.*s", STR_FMT(file)).p);
    bool right = rc == RC_FAIL && str_eq(str_c(ctx.err.kind->name), kind) && str_find(str_c(err_text(&ctx)), text, 0) != SIZE_MAX;
    if (!right)
        print_error("%.*s: %s: %s (expected %.*s: %.*s)\n", STR_FMT(file), rc == RC_OK ? "taken" : ctx.err.kind->name,
                    err_text(&ctx), STR_FMT(kind), STR_FMT(text));
    ctx_close(&ctx);
    return right;
}

static void zoo_gets_its_verdicts(void **state)
{
    (void)state;
    struct ctx ctx;
    str text, line;
    size_t wrong = 0, count = 0;
    ctx_open(&ctx);
    assert_int_equal(file_read_all(&ctx, FIXTURES "/zoo/verdicts.txt", 1 << 20, &text), RC_OK);
    while (str_split(&text, '\n', &line))
        if (line.n > 0 && line.p[0] != '#') {
            wrong += !as_written(line);
            count++;
        }
    assert_int_equal(wrong, 0);
    assert_true(count >= 24);
    ctx_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good_ones_stay_good), cmocka_unit_test(zoo_gets_its_verdicts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
