/* Hosted services, attachments, data sets to drop. */
#include "store/meta_intent.h"
#include "store_fixture.h"

static int add_item(struct ctx *c, struct sql_tx *tx, unsigned n)
{
    struct item it = {.id = test_id(n), .owner = STR("Ann")};
    return meta_item_insert(c, tx, &it);
}

TX_TEST(services)
{
    struct hosted h = {
        .item = test_id(1), .name = STR("Roads"), .store = test_id(11), .definition = STR("{\"layers\":[]}"), .modified = 5};
    struct hosted twin = {.item = test_id(2), .name = STR("ROADS"), .store = test_id(12), .definition = STR("{}")}, out, *list;
    size_t count;
    (void)arg;
    TRY(add_item(c, tx, 1));
    TRY(add_item(c, tx, 2));
    TRY(meta_hosted_insert(c, tx, &h));
    assert_int_equal(meta_hosted_insert(c, tx, &twin), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    TRY(meta_hosted_by_name(c, tx, STR("roads"), &out));
    assert_true(id_eq(out.item, h.item) && id_eq(out.store, h.store) && out.modified == 5);
    assert_text(out.definition, "{\"layers\":[]}");
    TRY(meta_hosted_ref(c, tx, STR("ROADS"), &out));
    assert_true(id_eq(out.item, h.item) && id_eq(out.store, h.store) && out.modified == 5 && str_empty(out.definition));
    assert_int_equal(meta_hosted_ref(c, tx, STR("nothing"), &out), RC_NOT_FOUND);
    h.store = test_id(13);
    h.modified = 6;
    TRY(meta_hosted_update(c, tx, &h));
    TRY(meta_hosted_get(c, tx, &h.item, &out));
    assert_true(id_eq(out.store, test_id(13)) && out.modified == 6);
    twin.name = STR("areas");
    TRY(meta_hosted_insert(c, tx, &twin));
    TRY(meta_hosted_all(c, tx, &list, &count));
    assert_int_equal(count, 2);
    assert_text(list[0].name, "areas");
    assert_true(str_empty(list[0].definition));
    assert_int_equal(meta_hosted_by_name(c, tx, STR("nothing"), &out), RC_NOT_FOUND);
    twin.source = h.item;
    TRY(meta_hosted_update(c, tx, &twin));
    TRY(meta_hosted_views(c, tx, &h.item, &list, &count));
    assert_int_equal(count, 1);
    assert_true(id_eq(list[0].item, twin.item) && id_eq(list[0].source, h.item));
    TRY(meta_hosted_views(c, tx, &twin.item, &list, &count));
    assert_int_equal(count, 0);
    twin.item = test_id(3);
    assert_int_equal(meta_hosted_update(c, tx, &twin), RC_NOT_FOUND);
    return RC_OK;
}

static int attach(struct ctx *c, struct sql_tx *tx, const id *store, int32_t layer, int64_t parent, int64_t number,
                  int64_t *id_out)
{
    struct attachment a = {.id = number,
                           .parent_oid = parent,
                           .layer = layer,
                           .name = STR("a.jpg"),
                           .content_type = STR("image/jpeg"),
                           .keywords = STR("k"),
                           .global_id = STR("{G}"),
                           .parent_global_id = STR("{P}"),
                           .size = 3,
                           .hash = hash_of(STR("abc"))};
    TRY(meta_attachment_insert(c, tx, store, &a));
    *id_out = a.id;
    return RC_OK;
}

TX_TEST(attachments)
{
    id store = test_id(1), other = test_id(2), *drops;
    struct attachment out, *list;
    struct hash h = hash_of(STR("abc"));
    int64_t number;
    size_t count;
    (void)arg;
    TRY(sql_exec(c, tx, "INSERT INTO blob (hash, size, touched, content) VALUES (?, 3, 0, ?)", SQL_HASH(h), SQL_B(STR("abc"))));
    for (int64_t i = 1; i <= 3; i++) {
        TRY(attach(c, tx, &store, 0, 10 + i % 2, 0, &number));
        assert_int_equal(number, i);
    }
    TRY(attach(c, tx, &store, 0, 10, 50, &number)); /* an id that the caller has */
    assert_int_equal(number, 50);
    TRY(attach(c, tx, &store, 0, 10, 40, &number));
    TRY(meta_attachment_delete(c, tx, &store, 0, 50));
    TRY(attach(c, tx, &store, 0, 10, 0, &number));
    assert_int_equal(number, 51); /* an id is never given twice */
    TRY(attach(c, tx, &store, 1, 10, 0, &number));
    assert_int_equal(number, 1);
    TRY(attach(c, tx, &other, 0, 10, 0, &number));
    assert_int_equal(number, 1);
    assert_int_equal(attach(c, tx, &other, 0, 10, 1, &number), RC_FAIL);
    err_clear(c);
    TRY(meta_attachment_get(c, tx, &store, 0, 40, &out));
    assert_true(out.id == 40 && out.parent_oid == 10 && out.layer == 0 && out.size == 3 && hash_eq(out.hash, h));
    assert_text(out.name, "a.jpg");
    assert_text(out.content_type, "image/jpeg");
    assert_text(out.keywords, "k");
    assert_text(out.global_id, "{G}");
    assert_text(out.parent_global_id, "{P}");
    TRY(meta_attachments(c, tx, &store, 0, -1, 0, 3, &list, &count));
    assert_int_equal(count, 3);
    assert_int_equal(list[2].id, 3);
    TRY(meta_attachments(c, tx, &store, 0, -1, 3, 100, &list, &count));
    assert_int_equal(count, 2);
    TRY(meta_attachments(c, tx, &store, 0, 11, 0, 100, &list, &count));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].id, 1);
    TRY(meta_attachments_delete(c, tx, &store, 0, 11));
    TRY(meta_attachments(c, tx, &store, 0, -1, 0, 100, &list, &count));
    assert_int_equal(count, 3);
    TRY(meta_attachments_delete(c, tx, &store, 0, -1));
    TRY(meta_attachments(c, tx, &store, 1, -1, 0, 100, &list, &count));
    assert_int_equal(count, 1);
    assert_int_equal(meta_attachment_delete(c, tx, &store, 0, 1), RC_NOT_FOUND);
    assert_int_equal(meta_attachment_get(c, tx, &store, 0, 1, &out), RC_NOT_FOUND);
    TRY(meta_store_drop_later(c, tx, &store));
    TRY(meta_store_drop_later(c, tx, &store));
    TRY(meta_stores_to_drop(c, tx, &drops, &count));
    assert_int_equal(count, 1);
    TRY(meta_store_dropped(c, tx, &store));
    TRY(meta_stores_to_drop(c, tx, &drops, &count));
    assert_int_equal(count, 0);
    TRY(meta_attachments(c, tx, &store, 1, -1, 0, 100, &list, &count));
    assert_int_equal(count, 0);
    TRY(meta_attachments(c, tx, &other, 0, -1, 0, 100, &list, &count));
    assert_int_equal(count, 1);
    TRY(meta_attachments_delete(c, tx, &other, -1, -1));
    return RC_OK;
}

/* Changes that wait for an edit: up to the number that was committed they come into force. */
TX_TEST(intents)
{
    id store = test_id(1), other = test_id(2), *stores;
    struct attachment out;
    struct hash h = hash_of(STR("abc"));
    int64_t kept, gone;
    size_t count;
    (void)arg;
    TRY(sql_exec(c, tx, "INSERT INTO blob (hash, size, touched, content) VALUES (?, 3, 0, ?)", SQL_HASH(h), SQL_B(STR("abc"))));
    TRY(attach(c, tx, &store, 0, 10, 0, &kept));
    TRY(attach(c, tx, &store, 0, 10, 0, &gone));
    TRY(meta_attachment_get(c, tx, &store, 0, kept, &out));
    struct attachment fresh = out, never = out, deleted = out;
    out.name = STR("renamed");
    fresh.id = never.id = 0;
    fresh.global_id = STR("{N}");
    deleted.id = gone;
    TRY(meta_attachment_id(c, tx, &store, &fresh));
    TRY(meta_attachment_id(c, tx, &store, &never));
    assert_true(fresh.id == 3 && never.id == 4);
    TRY(meta_intent_insert(c, tx, &store, 5, 0, INTENT_PUT, &out));
    TRY(meta_intent_insert(c, tx, &store, 5, 1, INTENT_PUT, &fresh));
    TRY(meta_intent_insert(c, tx, &store, 5, 2, INTENT_DELETE, &deleted));
    TRY(meta_intent_insert(c, tx, &store, 6, 0, INTENT_PUT, &never));
    TRY(meta_intent_insert(c, tx, &store, 6, 1, INTENT_DELETE, &out));
    TRY(meta_intent_insert(c, tx, &other, 1, 0, INTENT_DELETE, &out));
    TRY(meta_intent_stores(c, tx, &stores, &count));
    assert_int_equal(count, 2);
    TRY(meta_intents_settle(c, tx, &store, 5));
    TRY(meta_intents_settle(c, tx, &other, 0));
    TRY(meta_attachment_get(c, tx, &store, 0, kept, &out));
    assert_text(out.name, "renamed");
    TRY(meta_attachment_get(c, tx, &store, 0, fresh.id, &out));
    assert_text(out.global_id, "{N}");
    assert_int_equal(meta_attachment_get(c, tx, &store, 0, gone, &out), RC_NOT_FOUND);
    assert_int_equal(meta_attachment_get(c, tx, &store, 0, never.id, &out), RC_NOT_FOUND);
    TRY(meta_intent_stores(c, tx, &stores, &count));
    assert_int_equal(count, 0);
    fresh.hash = hash_of(STR("nowhere"));
    assert_int_equal(meta_intent_insert(c, tx, &store, 7, 0, INTENT_PUT, &fresh), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    return RC_OK;
}

TX_TEST(attachment_needs_bytes)
{
    id store = test_id(1);
    int64_t number;
    (void)arg;
    assert_int_equal(attach(c, tx, &store, 0, 1, 0, &number), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(services, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(attachments, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(intents, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(attachment_needs_bytes, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
