/* Running a plan: order, batches, what fails alone and what ends the run, going on after a restart. */
#include "memory_portal.h"
#include "base/clock.h"

enum { REPORTS = 8 };
struct seen {
    struct migrate_progress reports[REPORTS];
    unsigned report_count;
    int fail_report; /* that many reports are taken */
    char items[64];  /* told by change_done */
    size_t item_count;
    atomic_uint changes;
};

static int progress(struct ctx *ctx, void *arg, const struct migrate_progress *p)
{
    struct seen *s = arg;
    if (s->fail_report && (int)s->report_count == s->fail_report)
        return err_set(ctx, &ERR_NO_SPACE, "The disk is full.");
    assert_true(s->report_count < REPORTS);
    s->reports[s->report_count++] = *p;
    return RC_OK;
}

/* What change knows of the item that it is called for. */
struct noted {
    struct seen *seen;
    id item;
};

static void *change_open(struct ctx *ctx, void *arg, const id *item)
{
    struct noted *n = arena_new(ctx->arena, struct noted);
    *n = (struct noted){.seen = arg, .item = *item};
    return n;
}

static void change_done(void *arg, void *noted)
{
    struct seen *s = arg;
    const struct noted *n = noted;
    assert_ptr_equal(n->seen, s);
    if (s->item_count < sizeof s->items - 1)
        s->items[s->item_count++] = (char)('0' + number_of(&n->item) % 64);
}

static int change(struct ctx *ctx, void *arg, const struct itemtype *type, enum ref_place place, str name, str text, str *out)
{
    (void)ctx, (void)type, (void)place, (void)name;
    atomic_fetch_add(&((struct noted *)arg)->seen->changes, 1);
    *out = text;
    return RC_OK;
}

static struct migrate_run run_of(struct plan *plan, struct seen *seen)
{
    return (struct migrate_run){.source = &mem.source.base,
                                .target = &mem.target.base,
                                .plan = plan,
                                .change = change,
                                .change_arg = seen,
                                .change_open = change_open,
                                .change_done = change_done,
                                .progress = progress,
                                .progress_arg = seen};
}

#define assert_log(literal) assert_str(str_c(mem.target.log), literal)

static void items_go_in_the_order_of_their_ids(void **state)
{
    (void)state;
    memory_add(3, "Web Map");
    memory_add(1, "Dashboard");
    memory_add(2, "CSV");
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("123||");
    assert_string_equal(seen.items, "123");
}

static void by_rank_services_come_before_what_uses_them(void **state)
{
    (void)state;
    memory_add(1, "Web Mapping Application");
    memory_add(2, "Web Map");
    memory_add(3, "CSV");
    memory_add(4, "Feature Service")->item.hosted = true;
    memory_add(5, "Feature Service");
    memory_add(6, "A type that nobody knows");
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    run.by_rank = true;
    assert_ok(migrate_run(CTX, &run));
    assert_log("4|53621||"); /* a hosted service is a batch of its own; an unknown type goes with the files */
}

static void only_what_the_plan_carries_is_put(void **state)
{
    (void)state;
    for (int n = 1; n <= 4; n++)
        memory_add(n, "Web Map");
    struct plan plan = memory_plan();
    plan.items[1].action = PLAN_SKIP;
    plan.items[2].action = PLAN_FAIL;
    plan.items[3].action = PLAN_OVERWRITE;
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("1+4||");
    assert_int_equal(seen.reports[0].items_total, 2);
}

static void an_empty_plan_is_whole_at_once(void **state)
{
    (void)state;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("||");
    assert_int_equal(seen.report_count, 1);
    assert_int_equal(seen.reports[0].items_total, 0);
}

static void a_batch_ends_after_many_items(void **state)
{
    (void)state;
    for (int n = 1; n <= 513; n++)
        memory_add(n, "Web Map");
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("||||"); /* 256, 256, 1, relationships */
    assert_int_equal(mem.target.puts_all, 513);
    assert_int_equal(seen.report_count, 3);
    assert_int_equal(seen.reports[0].items_done, 256);
    assert_int_equal(seen.reports[1].items_done, 512);
    assert_int_equal(seen.reports[2].items_done, 513);
    assert_int_equal(seen.reports[2].items_total, 513);
}

static void a_batch_ends_after_many_bytes(void **state)
{
    (void)state;
    for (int n = 1; n <= 3; n++)
        memory_part(memory_add(n, "PDF"), PART_DATA, "a.pdf", "");
    for (int n = 0; n < 3; n++)
        mem.source.items[n].parts[0].size = 24 << 20;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("12|3||");
    assert_int_equal(seen.reports[0].bytes_done, 48 << 20);
    assert_int_equal(seen.reports[0].bytes_total, 72 << 20);
    assert_int_equal(seen.reports[1].bytes_done, 72 << 20);
}

static void relationships_come_last(void **state)
{
    (void)state;
    memory_relate(memory_add(1, "Web Map"), 4);
    struct memory_item *two = memory_add(2, "Web Map");
    memory_relate(two, 4);
    memory_relate(two, 9); /* not in the plan: the target judges */
    memory_add(3, "Web Map");
    memory_add(4, "Feature Service")->item.hosted = true;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("1234||r14r24r29|");
}

static void a_target_without_relationships_gets_none(void **state)
{
    (void)state;
    struct portal_ops ops = memory_target_ops;
    ops.relationship_put = NULL;
    mem.target.base.ops = &ops;
    memory_relate(memory_add(1, "Web Map"), 2);
    memory_add(2, "Web Map");
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("12|");
}

/* ---- failures ---- */

static void add_three(void)
{
    for (int n = 1; n <= 3; n++) {
        struct memory_item *m = memory_add(n, "Web Map");
        memory_part(m, PART_DATA, "", "{\"a\":1}");
        memory_relate(m, 9);
    }
}

static void an_item_may_fail_alone(void **state)
{
    (void)state;
    add_three();
    mem.target.refuse_item = 2;
    mem.target.refuse_kind = &ERR_PARAMETER;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    run.items_may_fail = true;
    assert_ok(migrate_run(CTX, &run));
    assert_null(mem.ctx.err.kind);
    assert_log("1!23|r19r39|");
    assert_int_equal(plan.items[1].action, PLAN_FAIL);
    assert_str(plan.items[1].reason, "The target refuses item 2.");
    assert_int_equal(plan.items[0].action, PLAN_CREATE);
    assert_int_equal(plan.items[2].action, PLAN_CREATE);
    /* It is dealt with: what is done reaches the whole. */
    assert_int_equal(seen.reports[0].items_done, 3);
    assert_int_equal(seen.reports[0].bytes_done, seen.reports[0].bytes_total);
}

static void otherwise_it_ends_the_run_and_is_named(void **state)
{
    (void)state;
    add_three();
    mem.target.refuse_item = 2;
    mem.target.refuse_kind = &ERR_PARAMETER;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_int_equal(migrate_run(CTX, &run), RC_FAIL);
    assert_true(err_is(CTX, &ERR_PARAMETER));
    assert_int_equal(mem.ctx.err.detail_count, 2);
    assert_string_equal(mem.ctx.err.details[1], "item '00000000000000000000000000000002' ('Item 2', Web Map)");
    assert_log("1!2");
    assert_int_equal(plan.items[1].action, PLAN_CREATE);
}

static void one_that_is_too_large_always_fails_alone(void **state)
{
    (void)state;
    add_three();
    mem.target.refuse_item = 1;
    mem.target.refuse_kind = &ERR_ITEM_SIZE;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_log("!123|r29r39|");
    assert_int_equal(plan.items[0].action, PLAN_FAIL);
}

static void troubles_of_the_machine_end_the_run(void **state)
{
    (void)state;
    static const struct {
        const struct err_kind *kind;
        int rc;
    } TROUBLE[] = {
        {&ERR_IO, RC_FAIL}, {&ERR_NO_SPACE, RC_FAIL}, {&ERR_BUSY, RC_FAIL}, {&ERR_BUSY, RC_BUSY}, {&ERR_CANCELED, RC_CANCELED}};
    add_three();
    mem.target.refuse_item = 2;
    for (size_t i = 0; i < COUNT_OF(TROUBLE); i++) {
        struct plan plan = memory_plan();
        struct seen seen = {0};
        struct migrate_run run = run_of(&plan, &seen);
        run.items_may_fail = true;
        mem.target.refuse_kind = TROUBLE[i].kind;
        mem.target.refuse_rc = TROUBLE[i].rc;
        assert_int_equal(migrate_run(CTX, &run), TROUBLE[i].rc);
        assert_true(err_is(CTX, TROUBLE[i].kind));
        err_clear(CTX);
        assert_int_equal(plan.items[1].action, PLAN_CREATE);
        assert_int_equal(seen.report_count, 0);
    }
}

static void what_the_checkpoint_refuses_is_told_in_the_plan(void **state)
{
    (void)state;
    add_three();
    mem.target.refuse_late = 3;
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    assert_ok(migrate_run(CTX, &run));
    assert_int_equal(plan.items[1].action, PLAN_CREATE);
    assert_int_equal(plan.items[2].action, PLAN_FAIL);
    assert_str(plan.items[2].reason, "The name is taken."); /* the batch it was told in has ended */
}

static void an_item_that_went_since_the_plan_fails_alone(void **state)
{
    (void)state;
    add_three();
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    mem.source.items[1].item.item.id = id_of(7);
    run.items_may_fail = true;
    assert_ok(migrate_run(CTX, &run));
    assert_log("13|r19r39|");
    assert_int_equal(plan.items[1].action, PLAN_FAIL);
    assert_str(plan.items[1].reason, "There is no item 2.");
}

static void a_text_that_cannot_be_read_fails_its_item(void **state)
{
    (void)state;
    add_three();
    memory_part(&mem.source.items[2], PART_RESOURCE, "a.json", "{}");
    mem.source.broken_part = "a.json";
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    run.items_may_fail = true;
    assert_ok(migrate_run(CTX, &run));
    assert_log("12|r19r29|");
    assert_str(plan.items[2].reason, "The part is damaged.");
}

static void a_checkpoint_that_fails_ends_the_run(void **state)
{
    (void)state;
    add_three();
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    run.items_may_fail = true;
    mem.target.break_checkpoint = true;
    assert_int_equal(migrate_run(CTX, &run), RC_FAIL);
    assert_true(err_is(CTX, &ERR_NO_SPACE));
    assert_log("123");
    assert_int_equal(seen.report_count, 0);
}

static void a_report_that_fails_ends_the_run(void **state)
{
    (void)state;
    add_three();
    mem.source.items[0].item.hosted = true;
    struct plan plan = memory_plan();
    struct seen seen = {.fail_report = 1};
    struct migrate_run run = run_of(&plan, &seen);
    run.items_may_fail = true;
    assert_int_equal(migrate_run(CTX, &run), RC_FAIL);
    assert_true(err_is(CTX, &ERR_NO_SPACE));
    assert_log("1|23|");
}

/* ---- cancelling ---- */

static void a_cancelled_run_puts_nothing_more(void **state)
{
    (void)state;
    add_three();
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    run.items_may_fail = true;
    mem.target.cancel_at = 2;
    mem.ctx.cancel = &mem.target.cancel;
    assert_int_equal(migrate_run(CTX, &run), RC_CANCELED);
    assert_true(err_is(CTX, &ERR_CANCELED));
    assert_log("12");
    assert_int_equal(plan.items[2].action, PLAN_CREATE);
}

static void a_run_past_its_deadline_puts_nothing(void **state)
{
    (void)state;
    struct clock_fixed clock = clock_fixed_at(5000);
    add_three();
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    mem.ctx.clock = &clock.base;
    mem.ctx.deadline_ms = 5000;
    assert_int_equal(migrate_run(CTX, &run), RC_CANCELED);
    assert_log("");
}

/* ---- going on ---- */

static void what_was_put_before_a_restart_is_looked_at_but_not_put(void **state)
{
    (void)state;
    add_three();
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    mem.target.put_before = 2;
    assert_ok(migrate_run(CTX, &run));
    assert_log("3|r19r29r39|");
    assert_string_equal(seen.items, "123");
    assert_int_equal(seen.changes, 3);
    assert_int_equal(seen.reports[0].items_done, 3);
    assert_int_equal(seen.reports[0].bytes_done, 21);
}

static void an_item_that_went_after_it_was_put_is_no_error(void **state)
{
    (void)state;
    add_three();
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    mem.source.items[0].item.item.id = id_of(7);
    mem.target.put_before = 1;
    assert_ok(migrate_run(CTX, &run));
    assert_log("23|r29r39|");
    assert_int_equal(plan.items[0].action, PLAN_CREATE);
}

/* ---- prepare ---- */

struct prepared {
    int refuse;
    str title;
};

static int prepare(struct ctx *ctx, void *arg, struct plan_item *planned, struct portal_item *item)
{
    const struct prepared *p = arg;
    if (number_of(&planned->id) == p->refuse)
        return err_set(ctx, &ERR_PARAMETER, "Not this one.");
    item->item.field[ITEM_DESCRIPTION] = p->title;
    return RC_OK;
}

static int look_for_title(struct ctx *ctx, void *arg, const struct itemtype *type, enum ref_place place, str name, str text,
                          str *out)
{
    (void)ctx, (void)type;
    if (place == REF_ITEM_FIELD && str_eq(name, STR("description")) && str_eq(text, STR("prepared")))
        ++*(unsigned *)arg;
    *out = text;
    return RC_OK;
}

static void items_are_prepared_before_their_texts_are_changed(void **state)
{
    (void)state;
    add_three();
    struct plan plan = memory_plan();
    unsigned found = 0;
    struct prepared p = {.refuse = 2, .title = STR("prepared")};
    const struct migrate_run run = {.source = &mem.source.base,
                                    .target = &mem.target.base,
                                    .plan = &plan,
                                    .items_may_fail = true,
                                    .change = look_for_title,
                                    .change_arg = &found,
                                    .prepare = prepare,
                                    .prepare_arg = &p};
    assert_ok(migrate_run(CTX, &run));
    assert_log("13|r19r39|");
    assert_int_equal(found, 2);
    assert_str(plan.items[1].reason, "Not this one.");
}

static void an_item_that_goes_or_whose_content_is_lost_fails_alone(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 2; threads += 2) {
        memory_shut(state);
        memory_open(state);
        memory_add(1, "Web Map");
        memory_part(memory_add(2, "Web Map"), PART_RESOURCE, "a.json", "{}");
        memory_add(3, "Web Map");
        memory_add(4, "Web Map");
        struct plan plan = memory_plan();
        struct seen seen = {0};
        mem.source.broken_part = "a.json";
        mem.source.count = 3; /* the last one is deleted */
        struct migrate_run run = run_of(&plan, &seen);
        run.threads = threads;
        assert_ok(migrate_run(CTX, &run));
        assert_log("13||");
        assert_int_equal(plan.items[1].action, PLAN_FAIL);
        assert_str(plan.items[1].reason, "The part is damaged.");
        assert_int_equal(plan.items[3].action, PLAN_FAIL);
        assert_str(plan.items[3].reason, "There is no item 4.");
    }
}

/* Workers prepare ahead; what the target and the notes see is the same as without them. */
static void with_workers_everything_comes_in_the_same_order(void **state)
{
    (void)state;
    char log[sizeof mem.target.log], items[64];
    for (unsigned threads = 0; threads <= 3; threads += 3) {
        memory_shut(state);
        memory_open(state);
        for (int n = 1; n <= 600; n++)
            memory_add(n, n == 100 ? "Feature Service" : "Web Map");
        mem.target.refuse_item = 7;
        mem.target.refuse_kind = &ERR_ITEM_SIZE;
        mem.target.put_before = 3;
        struct plan plan = memory_plan();
        struct seen seen = {0};
        struct migrate_run run = run_of(&plan, &seen);
        run.threads = threads;
        assert_ok(migrate_run(CTX, &run));
        assert_int_equal(seen.reports[seen.report_count - 1].items_done, 600);
        assert_int_equal(plan.items[6].action, PLAN_FAIL);
        if (threads) {
            assert_string_equal(mem.target.log, log);
            assert_string_equal(seen.items, items);
        }
        memcpy(log, mem.target.log, sizeof log);
        memcpy(items, seen.items, sizeof items);
    }
}

/* What a worker could not read fails at its item, and what it had begun is dropped. */
static void with_workers_the_first_failure_in_order_ends_the_run(void **state)
{
    (void)state;
    for (int n = 1; n <= 400; n++)
        memory_add(n, "Web Map");
    struct plan plan = memory_plan();
    struct seen seen = {0};
    struct migrate_run run = run_of(&plan, &seen);
    struct prepared p = {.refuse = 300, .title = STR("prepared")};
    run.threads = 3;
    run.prepare = prepare;
    run.prepare_arg = &p;
    assert_int_equal(migrate_run(CTX, &run), RC_FAIL);
    assert_non_null(strstr(CTX->err.details[0], "Not this one."));
    assert_int_equal(mem.target.puts_all, 299);
    assert_int_equal(seen.report_count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, memory_open, memory_shut)
    const struct CMUnitTest tests[] = {
        TEST(items_go_in_the_order_of_their_ids),
        TEST(by_rank_services_come_before_what_uses_them),
        TEST(only_what_the_plan_carries_is_put),
        TEST(an_empty_plan_is_whole_at_once),
        TEST(a_batch_ends_after_many_items),
        TEST(a_batch_ends_after_many_bytes),
        TEST(relationships_come_last),
        TEST(a_target_without_relationships_gets_none),
        TEST(an_item_may_fail_alone),
        TEST(otherwise_it_ends_the_run_and_is_named),
        TEST(one_that_is_too_large_always_fails_alone),
        TEST(troubles_of_the_machine_end_the_run),
        TEST(what_the_checkpoint_refuses_is_told_in_the_plan),
        TEST(an_item_that_went_since_the_plan_fails_alone),
        TEST(a_text_that_cannot_be_read_fails_its_item),
        TEST(a_checkpoint_that_fails_ends_the_run),
        TEST(a_report_that_fails_ends_the_run),
        TEST(a_cancelled_run_puts_nothing_more),
        TEST(a_run_past_its_deadline_puts_nothing),
        TEST(what_was_put_before_a_restart_is_looked_at_but_not_put),
        TEST(an_item_that_went_after_it_was_put_is_no_error),
        TEST(items_are_prepared_before_their_texts_are_changed),
        TEST(an_item_that_goes_or_whose_content_is_lost_fails_alone),
        TEST(with_workers_everything_comes_in_the_same_order),
        TEST(with_workers_the_first_failure_in_order_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
