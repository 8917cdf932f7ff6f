/* Uploads in parts: any order, replaced parts, gaps, who may, what is visible before the commit, races with it, expiry,
 * collection. */
#include "fixture.h"
#include "service/upload.h"

static const struct caller *const owner = &callers[OWNER];

static id begin(str name)
{
    const struct upload_begin what = {.owner = STR("owner"), .file_name = name};
    id out;
    assert_ok(upload_begin(CTX, SITE, owner, &what, &out));
    return out;
}

static struct upload_ref ref_to(id item) { return (struct upload_ref){.owner = STR("owner"), .item = item}; }

static int part_as(enum who who, const id *item, int64_t number, str bytes)
{
    struct blob_new *b = blob_of(bytes);
    const struct upload_ref ref = ref_to(*item);
    int rc = upload_part_add(CTX, SITE, &callers[who], &ref, number, b);
    blob_new_close(b);
    return rc;
}

static int commit_as(enum who who, const id *item)
{
    struct item_input in = input_of(STR("joined"), STR("CSV"));
    const struct upload_ref ref = ref_to(*item);
    id folder;
    return upload_commit(CTX, SITE, &callers[who], &ref, &in, &folder);
}

static str data_of(const id *item)
{
    struct item_part part;
    assert_ok(item_part_get(CTX, SITE, owner, item, PART_DATA, STR(""), &part));
    return part_bytes(&part);
}

static size_t part_count(const id *item)
{
    const struct upload_ref ref = ref_to(*item);
    struct upload_part *parts;
    size_t count;
    assert_ok(upload_parts(CTX, SITE, owner, &ref, &parts, &count));
    return count;
}

static void parts_of_any_order_are_joined(void **state)
{
    (void)state;
    id item = begin(STR("große Daten.csv"));
    struct item_view v;
    assert_ok(part_as(OWNER, &item, 3, STR("three")));
    assert_ok(part_as(OWNER, &item, 1, STR("wrong")));
    assert_ok(part_as(OWNER, &item, 2, STR("two,")));
    assert_ok(part_as(OWNER, &item, 1, STR("one,")));
    assert_int_equal(part_count(&item), 3);
    assert_refused(item_get(CTX, SITE, owner, &item, &v), ERR_ITEM_MISSING); /* nothing of it is visible */
    assert_ok(commit_as(OWNER, &item));
    assert_str(data_of(&item), "one,two,three");
    struct item it = item_now(&item);
    assert_str(it.field[ITEM_NAME], "große Daten.csv");
    assert_str(it.field[ITEM_TITLE], "joined");
    assert_int_equal(it.size, 13);
    int64_t touched;
    const struct upload_ref ref = ref_to(item);
    assert_ok(upload_find(CTX, SITE, owner, &ref, &touched));
    assert_int_equal(touched, -1);
    assert_refused(commit_as(OWNER, &item), ERR_UPLOAD);
}

static void numbers_and_gaps(void **state)
{
    (void)state;
    id item = begin(STR("a.csv"));
    assert_refused(commit_as(OWNER, &item), ERR_UPLOAD);
    assert_refused(part_as(OWNER, &item, 0, STR("x")), ERR_PARAMETER);
    assert_refused(part_as(OWNER, &item, -1, STR("x")), ERR_PARAMETER);
    assert_refused(part_as(OWNER, &item, UPLOAD_PARTS_MAX + 1, STR("x")), ERR_PARAMETER);
    assert_ok(part_as(OWNER, &item, UPLOAD_PARTS_MAX, STR("x")));
    assert_ok(part_as(OWNER, &item, 2, STR("x")));
    assert_refused(commit_as(OWNER, &item), ERR_UPLOAD);
    assert_int_equal(part_count(&item), 2);
}

static void who_may(void **state)
{
    (void)state;
    id item = begin(STR("a.csv"));
    static const char expected[] = "T.FFF.";
    for (enum who who = 0; who < WHO_COUNT; who++) {
        const struct upload_ref ref = ref_to(item);
        struct upload_part *parts;
        size_t count;
        assert_int_equal(outcome(part_as(who, &item, 1, STR("x"))), expected[who]);
        assert_int_equal(outcome(upload_parts(CTX, SITE, &callers[who], &ref, &parts, &count)), expected[who]);
    }
    for (enum who who = 0; who < WHO_COUNT; who++)
        if (expected[who] != '.') {
            const struct upload_ref ref = ref_to(item);
            assert_int_equal(outcome(commit_as(who, &item)), expected[who]);
            assert_int_equal(outcome(upload_cancel(CTX, SITE, &callers[who], &ref)), expected[who]);
        }
    const struct upload_ref elsewhere = {.owner = STR("admin"), .item = item};
    assert_refused(upload_cancel(CTX, SITE, &callers[ADMIN], &elsewhere), ERR_ITEM_NOT_IN_FOLDER);
    assert_ok(commit_as(ADMIN, &item));
    assert_str(item_now(&item).owner, "owner");
}

static void new_data_for_an_item(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    share_item_as(&item, UPDATE_GROUP);
    assert_refused(upload_begin_update(CTX, SITE, &callers[OTHER], &item, STR("b.csv"), NULL), ERR_FORBIDDEN);
    assert_ok(upload_begin_update(CTX, SITE, &callers[MEMBER], &item, STR("a.csv"), NULL));
    assert_ok(part_as(MEMBER, &item, 1, STR("old")));
    assert_ok(upload_begin_update(CTX, SITE, &callers[MEMBER], &item, STR("b.csv"), NULL));
    assert_int_equal(part_count(&item), 0);
    assert_ok(part_as(OWNER, &item, 1, STR("new")));
    assert_str(data_of(&item), "{}");
    struct item_input in = {0};
    const struct upload_ref ref = ref_to(item);
    id folder;
    assert_ok(upload_commit(CTX, SITE, &callers[MEMBER], &ref, &in, &folder));
    assert_str(data_of(&item), "new");
    assert_str(item_now(&item).field[ITEM_NAME], "b.csv");
    assert_str(item_now(&item).field[ITEM_TITLE], "t");
}

static void names_are_unique_until_the_commit(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("file"), STR("CSV"));
    in.file = blob_of(STR("1"));
    in.file_name = STR("a.csv");
    id begun = begin(STR("a.csv")), there = add_item_of(OWNER, &in), out;
    blob_new_close(in.file);
    struct upload_begin what = {.owner = STR("owner"), .file_name = STR("a.csv")};
    assert_refused(upload_begin(CTX, SITE, owner, &what, &out), ERR_ITEM_NAME_TAKEN);
    assert_ok(part_as(OWNER, &begun, 1, STR("x")));
    assert_refused(commit_as(OWNER, &begun), ERR_ITEM_NAME_TAKEN);
    assert_int_equal(part_count(&begun), 1); /* nothing was lost */
    what.overwrite = true;
    assert_ok(upload_begin(CTX, SITE, owner, &what, &out));
    assert_true(id_eq(out, there));
    assert_ok(part_as(OWNER, &there, 1, STR("over")));
    assert_ok(commit_as(OWNER, &there));
    assert_str(data_of(&there), "over");
    static const str bad[] = {{"", 0}, {"a/b", 3}, {"..", 2}, {"a\nb", 3}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        what.file_name = bad[i];
        assert_refused(upload_begin(CTX, SITE, owner, &what, &out), ERR_PARAMETER);
    }
}

static void an_id_that_is_promised_is_taken(void **state)
{
    (void)state;
    id item = begin(STR("a.csv")), out;
    struct item_input in = input_of(STR("t"), STR("CSV"));
    in.wanted_id = item;
    assert_refused(item_add(CTX, SITE, &callers[ADMIN], STR("owner"), NULL, &in, &out), ERR_ITEM_ID_TAKEN);
}

static void the_parts_together_have_a_limit(void **state)
{
    (void)state;
    fx.site.settings.upload_max = 10;
    id item = begin(STR("a.csv"));
    assert_ok(part_as(OWNER, &item, 1, STR("123456")));
    assert_refused(part_as(OWNER, &item, 2, STR("12345")), ERR_LIMIT);
    assert_ok(part_as(OWNER, &item, 1, STR("12345")));
    assert_ok(part_as(OWNER, &item, 2, STR("12345")));
    assert_ok(commit_as(OWNER, &item));
}

/* Parts are content that is named: collection leaves them until the upload expires. */
static void what_nobody_commits_goes(void **state)
{
    (void)state;
    id item = begin(STR("a.csv"));
    str large = arena_printf(CTX->arena, "%0*d", BLOB_INLINE_MAX + 1, 7);
    uint64_t removed, bad;
    assert_ok(part_as(OWNER, &item, 1, large));
    fx.clock = clock_fixed_at(NOW * 1000LL + fx.site.settings.upload_keep_ms);
    assert_ok(upload_expire(CTX, SITE));
    assert_ok(blob_collect(CTX, fx.site.blobs, 0, &removed));
    assert_int_equal(removed, 0);
    assert_int_equal(part_count(&item), 1);
    fx.clock = clock_fixed_at(NOW * 1000LL + fx.site.settings.upload_keep_ms + 1);
    assert_ok(upload_expire(CTX, SITE));
    assert_refused(commit_as(OWNER, &item), ERR_ITEM_MISSING);
    assert_ok(blob_collect(CTX, fx.site.blobs, 0, &removed));
    assert_int_equal(removed, 1);
    assert_ok(blob_check(CTX, fx.site.blobs, true, NULL, NULL, &bad));
    assert_int_equal(bad, 0);
}

static void cancelled_and_deleted(void **state)
{
    (void)state;
    id item = begin(STR("a.csv"));
    const struct upload_ref ref = ref_to(item);
    assert_ok(part_as(OWNER, &item, 1, STR("x")));
    assert_ok(upload_cancel(CTX, SITE, owner, &ref));
    assert_refused(part_as(OWNER, &item, 2, STR("x")), ERR_ITEM_MISSING);
    id there = add_text_item(OWNER, STR("t"), STR("{}"));
    const struct upload_ref gone = ref_to(there);
    int64_t touched;
    assert_ok(upload_begin_update(CTX, SITE, owner, &there, STR("b.csv"), NULL));
    assert_ok(item_delete(CTX, SITE, owner, &there));
    assert_ok(upload_find(CTX, SITE, owner, &gone, &touched));
    assert_int_equal(touched, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_of_any_order_are_joined),
        TEST(numbers_and_gaps),
        TEST(who_may),
        TEST(new_data_for_an_item),
        TEST(names_are_unique_until_the_commit),
        TEST(an_id_that_is_promised_is_taken),
        TEST(the_parts_together_have_a_limit),
        TEST(what_nobody_commits_goes),
        TEST(cancelled_and_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
