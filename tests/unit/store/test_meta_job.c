/* Jobs. */
#include "store_fixture.h"

static struct job job_of(unsigned n, enum job_state state)
{
    return (struct job){.id = test_id(n),
                        .kind = STR("export"),
                        .owner = STR("Ann"),
                        .key_hash = hash_of(STR("key")),
                        .state = state,
                        .definition = STR("{\"d\":1}"),
                        .request = STR("{\"r\":1}"),
                        .messages = STR("[]"),
                        .created = n,
                        .modified = n};
}

TX_TEST(life)
{
    struct job j = job_of(1, JOB_SUBMITTED), out;
    (void)arg;
    j.item = STR("item");
    TRY(meta_job_insert(c, tx, &j));
    TRY(meta_job_get(c, tx, &j.id, &out));
    assert_text(out.kind, "export");
    assert_text(out.owner, "Ann");
    assert_true(hash_eq(out.key_hash, j.key_hash) && out.state == JOB_SUBMITTED && !out.cancel_asked);
    assert_text(out.definition, "{\"d\":1}");
    assert_text(out.request, "{\"r\":1}");
    assert_text(out.checkpoint, "");
    assert_text(out.item, "item");
    TRY(meta_job_cancel(c, tx, &j.id));
    j.state = JOB_RUNNING; /* the runner has not seen the wish yet, and does not undo it */
    j.checkpoint = STR("{\"step\":2}");
    j.messages = STR("[\"m\"]");
    j.progress = STR("{\"p\":1}");
    j.result = STR("{\"x\":1}");
    j.request = STR("ignored");
    j.modified = 7;
    TRY(meta_job_update(c, tx, &j));
    TRY(meta_job_get(c, tx, &j.id, &out));
    assert_true(out.cancel_asked && out.state == JOB_RUNNING && out.modified == 7);
    assert_text(out.checkpoint, "{\"step\":2}");
    assert_text(out.messages, "[\"m\"]");
    assert_text(out.progress, "{\"p\":1}");
    assert_text(out.result, "{\"x\":1}");
    assert_text(out.request, "{\"r\":1}");
    j.id = test_id(2);
    assert_int_equal(meta_job_get(c, tx, &j.id, &out), RC_NOT_FOUND);
    assert_int_equal(meta_job_update(c, tx, &j), RC_NOT_FOUND);
    assert_int_equal(meta_job_cancel(c, tx, &j.id), RC_NOT_FOUND);
    return RC_OK;
}

TX_TEST(lists)
{
    struct meta_page page = {.num = 10};
    struct job *list, out;
    size_t count;
    int64_t total;
    id item = test_id(500);
    (void)arg;
    for (unsigned i = 0; i < 10; i++) {
        struct job j = job_of(i + 1, (enum job_state)(i % 5));
        j.owner = i < 4 ? STR("Ann") : STR("Bob");
        j.kind = i % 2 ? STR("publish") : STR("export");
        j.item = id_str(&item);
        TRY(meta_job_insert(c, tx, &j));
    }
    TRY(meta_jobs(c, tx, STR_NONE, &page, &list, &count, &total));
    assert_int_equal(total, 10);
    assert_int_equal(count, 10);
    assert_true(id_eq(list[0].id, test_id(10))); /* newest first */
    page.num = 3;
    TRY(meta_jobs(c, tx, STR("Ann"), &page, &list, &count, &total));
    assert_int_equal(total, 4);
    assert_int_equal(count, 3);
    TRY(meta_jobs(c, tx, STR(""), &page, &list, &count, &total));
    assert_int_equal(total, 0);
    TRY(meta_jobs_unfinished(c, tx, &list, &count));
    assert_int_equal(count, 4);
    assert_true(id_eq(list[0].id, test_id(1)));
    TRY(meta_job_of_item(c, tx, &item, STR(""), &out));
    assert_true(id_eq(out.id, test_id(10)));
    TRY(meta_job_of_item(c, tx, &item, STR("export"), &out));
    assert_true(id_eq(out.id, test_id(9)));
    assert_int_equal(meta_job_of_item(c, tx, &item, STR("import"), &out), RC_NOT_FOUND);
    TRY(meta_jobs_expire(c, tx, 8)); /* finished ones: 3, 4, 5, of the first seven */
    TRY(meta_jobs(c, tx, STR_NONE, &page, &list, &count, &total));
    assert_int_equal(total, 7);
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(life, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(lists, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
