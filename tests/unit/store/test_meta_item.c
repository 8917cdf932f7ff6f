/* Items, their parts, relationships and shares, and the settings. */
#include "store_fixture.h"

static struct item item_of(unsigned n, str title)
{
    struct item it = {.id = test_id(n), .owner = STR("Ann"), .created = 1000 + n, .modified = 5000 - n, .size = -1};
    it.field[ITEM_TITLE] = title;
    it.field[ITEM_TYPE] = STR("Web Map");
    return it;
}

static int add_group(struct ctx *c, struct sql_tx *tx, unsigned n, str title)
{
    struct group g = {.id = test_id(n), .title = title, .owner = STR("Ann")};
    return meta_group_insert(c, tx, &g);
}

/* Every member with a value of its own comes back. */
TX_TEST(every_member)
{
    struct item in = {.id = test_id(1),
                      .owner = STR("Ann"),
                      .folder = test_id(77),
                      .created = 1,
                      .modified = 2,
                      .access = ITEM_ORG,
                      .protected = true,
                      .size = 1234567890123,
                      .num_views = 42};
    struct item out;
    (void)arg;
    for (int i = 0; i < ITEM_FIELD_COUNT; i++)
        in.field[i] = arena_printf(c->arena, "value %d \xc3\x84", i);
    TRY(meta_item_insert(c, tx, &in));
    for (int round = 0; round < 2; round++) {
        TRY(meta_item_get(c, tx, &in.id, &out));
        assert_true(id_eq(out.id, in.id) && id_eq(out.folder, in.folder));
        assert_true(str_eq(out.owner, in.owner));
        assert_true(out.created == in.created && out.modified == in.modified);
        assert_int_equal(out.access, in.access);
        assert_int_equal(out.protected, in.protected);
        assert_true(out.size == in.size && out.num_views == in.num_views);
        for (int i = 0; i < ITEM_FIELD_COUNT; i++)
            assert_true(str_eq(out.field[i], in.field[i]));
        in = (struct item){.id = in.id, .owner = STR("Bob"), .created = 7, .modified = 8, .access = ITEM_PUBLIC, .size = -1};
        for (int i = 0; i < ITEM_FIELD_COUNT; i++)
            in.field[i] = i % 2 ? STR("") : STR("x");
        TRY(meta_item_update(c, tx, &in));
    }
    return RC_OK;
}

TX_TEST(absent_members_are_empty)
{
    struct item in = {.id = test_id(1), .owner = STR("Ann")}, out;
    (void)arg;
    TRY(meta_item_insert(c, tx, &in));
    TRY(meta_item_get(c, tx, &in.id, &out));
    for (int i = 0; i < ITEM_FIELD_COUNT; i++)
        assert_true(str_empty(out.field[i]) && !str_none(out.field[i]));
    return RC_OK;
}

TX_TEST(not_found)
{
    struct item it = item_of(1, STR("x"));
    struct item_part part;
    struct relationship r = {.origin = test_id(1), .destination = test_id(2), .type = STR("Map2Service")};
    id found;
    (void)arg;
    assert_int_equal(meta_item_get(c, tx, &it.id, &it), RC_NOT_FOUND);
    assert_int_equal(meta_item_update(c, tx, &it), RC_NOT_FOUND);
    assert_int_equal(meta_item_delete(c, tx, &it.id), RC_NOT_FOUND);
    assert_int_equal(meta_part_get(c, tx, &it.id, PART_DATA, STR(""), &part), RC_NOT_FOUND);
    assert_int_equal(meta_part_delete(c, tx, &it.id, PART_INFO, STR("x")), RC_NOT_FOUND);
    assert_int_equal(meta_relationship_delete(c, tx, &r), RC_NOT_FOUND);
    assert_int_equal(meta_unshare(c, tx, &it.id, &it.id), RC_NOT_FOUND);
    assert_int_equal(meta_item_by_url(c, tx, STR(""), &found), RC_NOT_FOUND);
    assert_int_equal(meta_item_by_name(c, tx, STR("Ann"), &ID_NONE, STR("a.zip"), &found), RC_NOT_FOUND);
    assert_null(c->err.kind);
    return RC_OK;
}

TX_TEST(same_id_twice)
{
    struct item it = item_of(1, STR("x"));
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    assert_int_equal(meta_item_insert(c, tx, &it), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    return RC_OK;
}

static int page_of(struct ctx *c, struct sql_tx *tx, const id *folder, struct meta_page page, const char *expected, int64_t total)
{
    struct meta_items got;
    CLEANUP(buf_free) struct buf text = BUF_INIT(1000);
    TRY(meta_items_of_user(c, tx, STR("Ann"), folder, &page, &got));
    for (size_t i = 0; i < got.count; i++)
        buf_add(&text, got.items[i].field[ITEM_TITLE]);
    assert_text(buf_str(&text), expected);
    assert_int_equal(got.total, total);
    return RC_OK;
}

TX_TEST(pages_and_orders)
{
    const str titles[] = {STR("b"), STR("A"), STR("\xc3\xa4"), STR("C"), STR("d")};
    id folder = test_id(9), none = ID_NONE;
    (void)arg;
    for (unsigned i = 0; i < COUNT_OF(titles); i++) {
        struct item it = item_of(i + 1, titles[i]);
        it.folder = i == 4 ? folder : ID_NONE;
        it.size = i == 1 ? 10 : -1;
        TRY(meta_item_insert(c, tx, &it));
    }
    struct item other = item_of(50, STR("other"));
    other.owner = STR("ann"); /* owners are compared with case */
    TRY(meta_item_insert(c, tx, &other));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 10},
                "bA\xc3\xa4"
                "Cd",
                5)); /* modified, newest first */
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 10, .sort_field = STR("TITLE")}, "AbCd\xc3\xa4", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 10, .sort_field = STR("title"), .descending = true},
                "\xc3\xa4"
                "dCbA",
                5));
    TRY(page_of(c, tx, &none, (struct meta_page){.num = 10, .sort_field = STR("created")},
                "bA\xc3\xa4"
                "C",
                4));
    TRY(page_of(c, tx, &folder, (struct meta_page){.num = 10}, "d", 1));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 2, .start = 1, .sort_field = STR("title")}, "bC", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 2, .start = 4, .sort_field = STR("title")}, "\xc3\xa4", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 2, .start = 9}, "", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 0}, "", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = -5, .start = -5}, "", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 1, .sort_field = STR("size"), .descending = true}, "A", 5));
    TRY(page_of(c, tx, NULL, (struct meta_page){.num = 9, .sort_field = STR("1; DROP TABLE item")},
                "bA\xc3\xa4"
                "Cd",
                5));
    return RC_OK;
}

TX_TEST(by_name_and_url)
{
    struct item it = item_of(1, STR("x"));
    id found, folder = test_id(5);
    (void)arg;
    it.field[ITEM_NAME] = STR("Data.zip");
    it.field[ITEM_URL] = STR("https://Host/Server/rest/Services/A/FeatureServer");
    TRY(meta_item_insert(c, tx, &it));
    TRY(meta_item_by_name(c, tx, STR("Ann"), &ID_NONE, STR("Data.zip"), &found));
    assert_true(id_eq(found, it.id));
    assert_int_equal(meta_item_by_name(c, tx, STR("Ann"), &folder, STR("Data.zip"), &found), RC_NOT_FOUND);
    assert_int_equal(meta_item_by_name(c, tx, STR("Bob"), &ID_NONE, STR("Data.zip"), &found), RC_NOT_FOUND);
    TRY(meta_item_by_url(c, tx, STR("HTTPS://host/server/rest/services/a/featureserver"), &found));
    assert_true(id_eq(found, it.id));
    assert_int_equal(meta_item_by_url(c, tx, STR("https://host/server/rest/services/b/featureserver"), &found), RC_NOT_FOUND);
    return RC_OK;
}

/* ---- parts ---- */

static int blob_row(struct ctx *c, struct sql_tx *tx, str bytes, struct hash *out)
{
    *out = hash_of(bytes);
    return sql_exec(c, tx, "INSERT INTO blob (hash, size, touched, content) VALUES (?, ?, 0, ?)", SQL_HASH(*out), SQL_I(bytes.n),
                    SQL_B(bytes));
}

TX_TEST(parts)
{
    struct item it = item_of(1, STR("x"));
    struct hash one, two;
    struct item_part part = {.kind = PART_DATA,
                             .name = STR("old.zip"),
                             .size = 3,
                             .content_type = STR("application/zip"),
                             .created = 1,
                             .modified = 2};
    struct item_part out, *list;
    size_t count;
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    TRY(blob_row(c, tx, STR("one"), &one));
    TRY(blob_row(c, tx, STR("two"), &two));
    part.hash = one;
    TRY(meta_part_put(c, tx, &it.id, &part));
    part.name = STR("new.zip");
    part.hash = two;
    TRY(meta_part_put(c, tx, &it.id, &part)); /* data is one */
    TRY(meta_part_get(c, tx, &it.id, PART_DATA, STR("ignored"), &out));
    assert_text(out.name, "new.zip");
    assert_true(hash_eq(out.hash, two));
    assert_text(out.content_type, "application/zip");
    assert_true(out.size == 3 && out.created == 1 && out.modified == 2 && !out.private_access);
    TRY(meta_parts(c, tx, &it.id, PART_DATA, STR(""), &list, &count));
    assert_int_equal(count, 1);

    const char *const names[] = {"b/2", "a/\xc3\xa4", "b/1", "a", "b%", "b/\xf4\x8f\xbf\xbe"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        part = (struct item_part){.kind = PART_RESOURCE, .name = str_c(names[i]), .hash = one, .private_access = i == 0};
        TRY(meta_part_put(c, tx, &it.id, &part));
        TRY(meta_part_put(c, tx, &it.id, &part)); /* replaces */
    }
    TRY(meta_parts(c, tx, &it.id, PART_RESOURCE, STR(""), &list, &count));
    assert_int_equal(count, 6);
    assert_text(list[0].name, "a");
    TRY(meta_parts(c, tx, &it.id, PART_RESOURCE, STR("b/"), &list, &count));
    assert_int_equal(count, 3);
    assert_text(list[0].name, "b/1");
    assert_text(list[1].name, "b/2");
    assert_true(list[1].private_access && !list[0].private_access);
    TRY(meta_parts(c, tx, &it.id, PART_INFO, STR(""), &list, &count));
    assert_int_equal(count, 0);
    TRY(meta_part_delete(c, tx, &it.id, PART_RESOURCE, STR("b%")));
    TRY(meta_parts(c, tx, &it.id, PART_RESOURCE, STR("b"), &list, &count));
    assert_int_equal(count, 3);
    TRY(meta_part_delete(c, tx, &it.id, PART_DATA, STR("whatever")));
    assert_int_equal(meta_part_get(c, tx, &it.id, PART_DATA, STR(""), &out), RC_NOT_FOUND);
    return RC_OK;
}

/* ---- relationships and shares ---- */

TX_TEST(relationships)
{
    struct relationship r = {.type = STR("Map2Service")}, *list;
    size_t count;
    (void)arg;
    for (unsigned i = 1; i <= 3; i++) {
        struct item it = item_of(i, STR("x"));
        TRY(meta_item_insert(c, tx, &it));
    }
    id one = test_id(1), three = test_id(3);
    for (unsigned i = 3; i >= 2; i--) {
        r.origin = one;
        r.destination = test_id(i);
        TRY(meta_relationship_put(c, tx, &r));
        TRY(meta_relationship_put(c, tx, &r)); /* already there */
    }
    r.type = STR("Item2Report");
    TRY(meta_relationship_put(c, tx, &r));
    TRY(meta_relationships(c, tx, &one, true, &list, &count));
    assert_int_equal(count, 3);
    assert_text(list[0].type, "Item2Report");
    assert_true(id_eq(list[1].destination, test_id(2)));
    TRY(meta_relationships(c, tx, &one, false, &list, &count));
    assert_int_equal(count, 0);
    TRY(meta_relationships(c, tx, &three, false, &list, &count));
    assert_int_equal(count, 1);
    assert_true(id_eq(list[0].origin, one));
    TRY(meta_relationship_delete(c, tx, &r));
    TRY(meta_item_delete(c, tx, &three));
    TRY(meta_relationships(c, tx, &one, true, &list, &count));
    assert_int_equal(count, 1);
    r.destination = test_id(99);
    assert_int_equal(meta_relationship_put(c, tx, &r), RC_FAIL); /* both ends exist */
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    return RC_OK;
}

TX_TEST(sharing)
{
    struct item it = item_of(1, STR("x"));
    id g1 = test_id(101), g2 = test_id(102);
    struct meta_page page = {.num = 10};
    struct meta_items items;
    struct group *groups;
    size_t count;
    bool in;
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    TRY(add_group(c, tx, 101, STR("zebra")));
    TRY(add_group(c, tx, 102, STR("Ape")));
    TRY(meta_share(c, tx, &it.id, &g1));
    TRY(meta_share(c, tx, &it.id, &g1));
    TRY(meta_share(c, tx, &it.id, &g2));
    TRY(meta_groups_of_item(c, tx, &it.id, &groups, &count));
    assert_int_equal(count, 2);
    assert_text(groups[0].title, "Ape");
    TRY(meta_items_of_group(c, tx, &g1, &page, &items));
    assert_int_equal(items.total, 1);
    assert_true(id_eq(items.items[0].id, it.id));
    TRY(meta_item_in_group(c, tx, &it.id, &g1, &in));
    assert_true(in);
    TRY(meta_unshare(c, tx, &it.id, &g1));
    TRY(meta_item_in_group(c, tx, &it.id, &g1, &in));
    assert_false(in);
    TRY(meta_group_delete(c, tx, &g2));
    TRY(meta_groups_of_item(c, tx, &it.id, &groups, &count));
    assert_int_equal(count, 0);
    return RC_OK;
}

/* Whatever hangs on an item goes with it. */
TX_TEST(deleting_takes_all)
{
    static const char *const tables[] = {"item",   "item_part",      "relationship", "item_group",
                                         "hosted", "search_posting", "search_text"};
    struct item it = item_of(1, STR("a title"));
    struct hash h;
    id group = test_id(101), *stores;
    size_t count;
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    TRY(add_group(c, tx, 101, STR("g")));
    TRY(blob_row(c, tx, STR("bytes"), &h));
    TRY(meta_part_put(c, tx, &it.id, &(struct item_part){.kind = PART_DATA, .hash = h}));
    TRY(meta_share(c, tx, &it.id, &group));
    TRY(meta_relationship_put(c, tx, &(struct relationship){it.id, it.id, STR("Item2Report")}));
    TRY(meta_hosted_insert(c, tx,
                           &(struct hosted){.item = it.id, .name = STR("s"), .store = test_id(7), .definition = STR("{}")}));
    TRY(meta_group_delete(c, tx, &group));
    TRY(meta_item_delete(c, tx, &it.id));
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        int64_t n;
        TRY(sql_query_int(c, tx, &n, arena_printf(c->arena, "SELECT COUNT(*) FROM %s", tables[i]).p, NULL, 0));
        if (n != 0)
            fail_msg("%s", tables[i]);
    }
    TRY(meta_stores_to_drop(c, tx, &stores, &count)); /* its features too, later */
    assert_int_equal(count, 1);
    assert_true(id_eq(stores[0], test_id(7)));
    return RC_OK;
}

TX_TEST(settings)
{
    str value;
    (void)arg;
    assert_int_equal(meta_setting_get(c, tx, "a", &value), RC_NOT_FOUND);
    TRY(meta_setting_put(c, tx, "a", STR("1")));
    TRY(meta_setting_put(c, tx, "a", STR("2")));
    TRY(meta_setting_get(c, tx, "a", &value));
    assert_text(value, "2");
    return RC_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_member, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(absent_members_are_empty, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(not_found, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(same_id_twice, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(pages_and_orders, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(by_name_and_url, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(parts, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(relationships, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(sharing, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(deleting_takes_all, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(settings, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
