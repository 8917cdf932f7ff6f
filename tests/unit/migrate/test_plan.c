/* Plans: what is selected, decided and referred to. */
#include "memory_portal.h"

static int decide_by_type(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out)
{
    (void)arg;
    int n = number_of(&item->item.id);
    if (n == 7)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_ITEM_MISSING, "Not for you.");
    out->action = str_eq(out->type, STR("PDF")) ? PLAN_SKIP : n == 3 ? PLAN_FAIL : n == 4 ? PLAN_OVERWRITE : PLAN_CREATE;
    out->reason = out->action == PLAN_SKIP ? arena_printf(ctx->arena, "Item %d is a %s.", n, "PDF") : STR("");
    out->service_name = item->hosted ? arena_printf(ctx->arena, "Service_%d", n) : STR("");
    return RC_OK;
}

static void items_are_sorted_once_and_decided(void **state)
{
    (void)state;
    struct plan p;
    const id wanted[] = {id_of(5), id_of(1), id_of(9), id_of(3), id_of(1), id_of(4), id_of(9), id_of(2)};
    memory_part(memory_add(1, "Web Map"), PART_DATA, "", "12345");
    memory_part(memory_add(2, "PDF"), PART_DATA, "a.pdf", "1234567");
    memory_part(memory_add(3, "Web Map"), PART_DATA, "", "123");
    struct memory_item *service = memory_add(4, "Feature Service");
    service->item.hosted = true;
    memory_part(service, PART_RESOURCE, "a.png", "1");
    memory_part(service, PART_INFO, "thumbnail/t.png", "12");
    memory_add(5, "Strange");
    assert_ok(plan_make(CTX, &mem.source.base, wanted, COUNT_OF(wanted), decide_by_type, NULL, &p));
    assert_int_equal(p.count, 6);
    static const struct {
        int n, rank;
        enum plan_action action;
        int64_t size;
    } WANTED[] = {{1, 2, PLAN_CREATE, 5},    {2, 1, PLAN_SKIP, 7},   {3, 2, PLAN_FAIL, 3},
                  {4, 0, PLAN_OVERWRITE, 3}, {5, 1, PLAN_CREATE, 0}, {9, 0, PLAN_SKIP, 0}};
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        const struct plan_item *found = plan_find(&p, &(id[]){id_of(WANTED[i].n)}[0]);
        assert_ptr_equal(found, &p.items[i]);
        assert_int_equal(found->action, WANTED[i].action);
        assert_int_equal(found->rank, WANTED[i].rank);
        assert_int_equal(found->size, WANTED[i].size);
    }
    assert_int_equal(p.bytes, 8); /* of those that are carried */
    assert_str(p.items[1].reason, "Item 2 is a PDF.");
    assert_str(p.items[3].service_name, "Service_4");
    assert_true(p.items[3].hosted);
    assert_str(p.items[0].title, "Item 1");
    assert_int_equal(p.items[0].created, 1001);
    assert_int_equal(p.items[0].modified, 2001);
    assert_str(p.items[5].reason, "The item does not exist in the source.");
    assert_null(mem.ctx.err.kind);
    const id other = id_of(8);
    assert_null(plan_find(&p, &other));
}

static void an_item_that_may_not_be_seen_looks_like_one_that_is_not_there(void **state)
{
    (void)state;
    struct plan p;
    memory_part(memory_add(7, "Web Map"), PART_DATA, "", "12345");
    const id ids[] = {id_of(7), id_of(8)};
    assert_ok(plan_make(CTX, &mem.source.base, ids, 2, decide_by_type, NULL, &p));
    assert_null(mem.ctx.err.kind);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.items[i].action, PLAN_SKIP);
        assert_str(p.items[i].title, "");
        assert_str(p.items[i].type, "");
        assert_str(p.items[i].reason, "The item does not exist in the source.");
        assert_int_equal(p.items[i].size, 0);
        assert_int_equal(p.items[i].created, 0);
    }
}

static void an_empty_selection_is_a_plan(void **state)
{
    (void)state;
    struct plan p;
    const id any = id_of(1);
    assert_ok(plan_make(CTX, &mem.source.base, NULL, 0, decide_by_type, NULL, &p));
    assert_int_equal(p.count, 0);
    assert_null(plan_find(&p, &any));
    assert_ok(plan_references(CTX, &mem.source.base, NULL, &p));
}

static int decide_badly(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out)
{
    (void)item, (void)out;
    ++*(int *)arg;
    return err_set(ctx, &ERR_IO, "The disk is gone.");
}

static void other_errors_end_planning(void **state)
{
    (void)state;
    struct plan p;
    int calls = 0;
    atomic_bool cancel = true;
    memory_add(1, "Web Map");
    memory_add(2, "Web Map");
    const id ids[] = {id_of(1), id_of(2)};
    assert_int_equal(plan_make(CTX, &mem.source.base, ids, 2, decide_badly, &calls, &p), RC_FAIL);
    assert_true(err_is(CTX, &ERR_IO));
    assert_int_equal(calls, 1);
    err_clear(CTX);
    mem.ctx.cancel = &cancel;
    assert_int_equal(plan_make(CTX, &mem.source.base, ids, 2, decide_badly, &calls, &p), RC_CANCELED);
    assert_int_equal(calls, 1);
}

static void created_and_overwritten_items_are_carried(void **state)
{
    (void)state;
    static const bool WANTED[] = {[PLAN_CREATE] = true, [PLAN_OVERWRITE] = true, [PLAN_SKIP] = false, [PLAN_FAIL] = false};
    for (size_t a = 0; a < COUNT_OF(WANTED); a++)
        assert_int_equal(plan_carries(&(struct plan_item){.action = (enum plan_action)a}), WANTED[a]);
}

static void a_reference_leaves_when_its_end_is_not_carried(void **state)
{
    (void)state;
    struct plan_item items[] = {{.id = id_of(1), .action = PLAN_CREATE},
                                {.id = id_of(2), .action = PLAN_OVERWRITE},
                                {.id = id_of(3), .action = PLAN_SKIP},
                                {.id = id_of(4), .action = PLAN_FAIL}};
    const struct plan p = {.items = items, .count = COUNT_OF(items)};
    const id self = id_of(1);
    static const struct {
        int to;
        bool leaves;
    } ITEMS[] = {{1, false}, {2, false}, {3, true}, {4, true}, {5, true}};
    for (size_t i = 0; i < COUNT_OF(ITEMS); i++) {
        const id to = id_of(ITEMS[i].to);
        const struct ref_found f = {.kind = REF_ITEM_ID, .value = id_str(&to)};
        assert_int_equal(plan_leaves(&p, &self, &f), ITEMS[i].leaves);
    }
    static const struct {
        struct ref_found found;
        bool leaves;
    } OTHERS[] = {
        {{.kind = REF_ITEM_ID, .value = {"no id", 5}}, false},
        {{.kind = REF_ITEM_ID, .value = {"", 0}}, false},
        {{.kind = REF_SERVICE_URL, .value = {"http://a", 8}, .outcome = REF_UNRESOLVED}, true},
        {{.kind = REF_SERVICE_URL, .value = {"http://a", 8}, .outcome = REF_REWRITTEN}, false},
        {{.kind = REF_SERVICE_URL, .value = {"http://a", 8}, .outcome = REF_KEPT}, false},
        {{.kind = REF_PORTAL_URL, .value = {"http://a", 8}, .outcome = REF_UNRESOLVED}, false},
        {{.kind = REF_GROUP_ID, .value = {"00000000000000000000000000000005", 32}, .outcome = REF_UNRESOLVED}, false},
    };
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        assert_int_equal(plan_leaves(&p, &self, &OTHERS[i].found), OTHERS[i].leaves);
}

static struct ref_found found_of(enum ref_kind kind, const char *value)
{
    return (struct ref_found){.kind = kind, .value = str_c(value), .name = STR(""), .pointer = STR("/a")};
}

static void each_reference_is_kept_once(void **state)
{
    (void)state;
    struct plan p = {0};
    const id one = id_of(1), two = id_of(2);
    char value[] = "x";
    struct ref_found x = found_of(REF_ITEM_ID, value), y = found_of(REF_ITEM_ID, "y"), x_url = found_of(REF_URL, "x");
    plan_reference_add(CTX, &p, &one, &x, "first");
    plan_reference_add(CTX, &p, &one, &y, "");
    plan_reference_add(CTX, &p, &one, &x, "again");
    plan_reference_add(CTX, &p, &one, &x_url, "another kind");
    plan_reference_add(CTX, &p, &two, &x, "another item");
    plan_reference_add(CTX, &p, &two, &x, "again");
    assert_int_equal(p.reference_count, 4);
    assert_int_equal(p.reference_total, 4);
    value[0] = 'z'; /* what is kept does not hang on the text it was found in */
    assert_str(p.references[0].found.value, "x");
    assert_str(p.references[0].note, "first");
    assert_str(p.references[2].note, "another kind");
    assert_true(id_eq(p.references[3].item, two));
}

static void only_so_many_references_are_kept(void **state)
{
    (void)state;
    struct plan p = {0};
    const id one = id_of(1);
    for (int i = 0; i < PLAN_REFERENCES_MAX + 25; i++) {
        const struct ref_found f = found_of(REF_URL, arena_printf(ARENA, "http://a/%d", i).p);
        plan_reference_add(CTX, &p, &one, &f, "");
    }
    assert_int_equal(p.reference_count, PLAN_REFERENCES_MAX);
    assert_int_equal(p.reference_total, PLAN_REFERENCES_MAX + 25);
    assert_str(p.references[PLAN_REFERENCES_MAX - 1].found.value, "http://a/999");
    const struct ref_found kept = found_of(REF_URL, "http://a/3");
    plan_reference_add(CTX, &p, &one, &kept, "");
    assert_int_equal(p.reference_total, PLAN_REFERENCES_MAX + 25);
}

static int decide_skip_two(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out)
{
    (void)ctx, (void)arg;
    out->action = number_of(&item->item.id) == 2 ? PLAN_SKIP : PLAN_CREATE;
    return RC_OK;
}

static void references_out_of_the_plan_are_found(void **state)
{
    (void)state;
    struct plan p;
    const id ids[] = {id_of(1), id_of(2), id_of(3)};
    static const char map[] = "{\"operationalLayers\":["
                              "{\"itemId\":\"00000000000000000000000000000003\"},"
                              "{\"itemId\":\"00000000000000000000000000000002\"},"
                              "{\"itemId\":\"0000000000000000000000000000000f\"},"
                              "{\"itemId\":\"0000000000000000000000000000000f\"}]}";
    memory_part(memory_add(1, "Web Map"), PART_DATA, "", map);
    memory_part(memory_add(2, "Web Map"), PART_DATA, "", map); /* skipped: what it names does not matter */
    memory_part(memory_add(3, "Web Map"), PART_DATA, "", "{\"operationalLayers\":[]}");
    assert_ok(plan_make(CTX, &mem.source.base, ids, 3, decide_skip_two, NULL, &p));
    assert_ok(plan_references(CTX, &mem.source.base, NULL, &p));
    assert_int_equal(p.reference_count, 2);
    assert_int_equal(p.reference_total, 2);
    assert_true(id_eq(p.references[0].item, ids[0]));
    assert_str(p.references[0].found.value, "00000000000000000000000000000002");
    assert_str(p.references[0].found.pointer, "/operationalLayers/1/itemId");
    assert_str(p.references[1].found.value, "0000000000000000000000000000000f");
    assert_str(p.references[1].note, "");
    assert_int_equal(mem.source.opened, 2);
}

static void an_item_whose_text_is_damaged_is_planned_to_fail(void **state)
{
    (void)state;
    memory_part(memory_add(1, "Web Map"), PART_RESOURCE, "a.json", "{}");
    struct plan p = memory_plan();
    mem.source.broken_part = "a.json";
    assert_ok(plan_references(CTX, &mem.source.base, NULL, &p));
    assert_int_equal(p.items[0].action, PLAN_FAIL);
    assert_str(p.items[0].reason, "The part is damaged.");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, memory_open, memory_shut)
    const struct CMUnitTest tests[] = {
        TEST(items_are_sorted_once_and_decided),
        TEST(an_item_that_may_not_be_seen_looks_like_one_that_is_not_there),
        TEST(an_empty_selection_is_a_plan),
        TEST(other_errors_end_planning),
        TEST(created_and_overwritten_items_are_carried),
        TEST(a_reference_leaves_when_its_end_is_not_carried),
        TEST(each_reference_is_kept_once),
        TEST(only_so_many_references_are_kept),
        TEST(references_out_of_the_plan_are_found),
        TEST(an_item_whose_text_is_damaged_is_planned_to_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
