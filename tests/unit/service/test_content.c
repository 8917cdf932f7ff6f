/* Content of users: folders, listings, the q= and filter= of searches. */
#include "fixture.h"

static const struct caller *const owner = &callers[OWNER];

static struct folder new_folder(str title)
{
    struct folder f;
    assert_ok(folder_create(CTX, SITE, owner, STR("owner"), title, &f));
    return f;
}

static void folders_are_for_their_owner(void **state)
{
    (void)state;
    static const char expected[] = "T.FFF.";
    for (enum who who = 0; who < WHO_COUNT; who++) {
        struct folder f = new_folder(arena_printf(fx.ctx.arena, "folder %d", (int)who)), out;
        struct user_content content;
        const struct caller *c = &callers[who];
        str title = arena_printf(fx.ctx.arena, "more %d", (int)who);
        assert_int_equal(outcome(folder_create(CTX, SITE, c, STR("owner"), title, &out)), expected[who]);
        assert_int_equal(outcome(content_list(CTX, SITE, c, STR("owner"), NULL, &(struct meta_page){.num = 10}, &content)),
                         expected[who]);
        assert_int_equal(outcome(content_list(CTX, SITE, c, STR("owner"), &f.id, &(struct meta_page){.num = 10}, &content)),
                         expected[who]);
        title = arena_printf(fx.ctx.arena, "new %d", (int)who);
        assert_int_equal(outcome(folder_rename(CTX, SITE, c, STR("owner"), &f.id, title, &out)), expected[who]);
        assert_int_equal(outcome(folder_delete(CTX, SITE, c, STR("owner"), &f.id, &out)), expected[who]);
    }
    struct folder out;
    assert_refused(folder_create(CTX, SITE, &callers[VIEWER], STR("viewer"), STR("x"), &out), ERR_FORBIDDEN);
    assert_refused(folder_create(CTX, SITE, &callers[ANONYMOUS], STR("nobody"), STR("x"), &out), ERR_TOKEN_REQUIRED);
    assert_refused(folder_create(CTX, SITE, &callers[ADMIN], STR("nobody"), STR("x"), &out), ERR_USER_MISSING);
}

static void the_owner_by_name_or_id(void **state)
{
    (void)state;
    struct user u;
    struct folder f;
    bool full;
    assert_ok(user_get(CTX, SITE, owner, STR("owner"), &u, &full));
    assert_ok(folder_create(CTX, SITE, owner, id_str(&u.id), STR("by id"), &f));
    assert_str(f.owner, "owner");
    assert_ok(folder_create(CTX, SITE, owner, STR("OWNER"), STR("by any case"), &f));
    assert_str(f.owner, "owner");
}

static void titles(void **state)
{
    (void)state;
    struct folder f = new_folder(STR(" Ordner é ")), out;
    assert_str(f.title, "Ordner é");
    assert_int_not_equal(folder_create(CTX, SITE, owner, STR("owner"), STR("ORDNER É"), &out), RC_OK);
    assert_true(err_is(CTX, &ERR_FOLDER_TITLE));
    assert_string_equal(err_text(CTX), "Folder title 'ORDNER É' not available.");
    err_clear(CTX);
    assert_ok(folder_create(CTX, SITE, &callers[OTHER], STR("other"), STR("Ordner é"), &out));
    assert_refused(folder_create(CTX, SITE, owner, STR("owner"), STR(" "), &out), ERR_FOLDER_TITLE);
    assert_refused(folder_create(CTX, SITE, owner, STR("owner"), STR_NONE, &out), ERR_FOLDER_TITLE);
    assert_refused(folder_create(CTX, SITE, owner, STR("owner"), STR("/"), &out), ERR_FOLDER_TITLE);
    assert_refused(folder_create(CTX, SITE, owner, STR("owner"), STR("a\0b"), &out), ERR_PARAMETER);
    assert_refused(folder_create(CTX, SITE, owner, STR("owner"), STR("a\xff"), &out), ERR_PARAMETER);
    char long_title[252];
    memset(long_title, 'x', sizeof long_title);
    assert_refused(folder_create(CTX, SITE, owner, STR("owner"), str_of(long_title, 251), &out), ERR_PARAMETER);
    assert_ok(folder_create(CTX, SITE, owner, STR("owner"), str_of(long_title, 250), &out));
    assert_refused(folder_rename(CTX, SITE, owner, STR("owner"), &out.id, STR("ordner é"), &out), ERR_FOLDER_TITLE);
    assert_ok(folder_rename(CTX, SITE, owner, STR("owner"), &f.id, STR("ORDNER é"), &out)); /* its own title in another case */
    assert_str(out.title, "ORDNER é");
    id nowhere = id_new();
    assert_refused(folder_rename(CTX, SITE, owner, STR("owner"), &nowhere, STR("x"), &out), ERR_FOLDER_MISSING);
    assert_refused(folder_delete(CTX, SITE, &callers[OTHER], STR("other"), &f.id, &out),
                   ERR_FOLDER_MISSING); /* of somebody else */
}

static id item_in(const struct folder *f, str title)
{
    const struct item_input in = input_of(title, STR("CSV"));
    id out;
    assert_ok(item_add(CTX, SITE, owner, STR("owner"), f ? &f->id : NULL, &in, &out));
    return out;
}

static void deleting_a_folder_deletes_its_items(void **state)
{
    (void)state;
    struct folder f = new_folder(STR("F")), out;
    id inside = item_in(&f, STR("inside")), second = item_in(&f, STR("second")), outside = item_in(NULL, STR("outside"));
    struct item_view v;
    assert_ok(item_protect(CTX, SITE, owner, &second, true));
    assert_refused(folder_delete(CTX, SITE, owner, STR("owner"), &f.id, &out), ERR_ITEM_PROTECTED);
    assert_ok(item_get(CTX, SITE, owner, &inside, &v)); /* nothing was deleted */
    assert_ok(item_protect(CTX, SITE, owner, &second, false));
    assert_ok(folder_delete(CTX, SITE, owner, STR("owner"), &f.id, &out));
    assert_str(out.title, "F");
    assert_refused(item_get(CTX, SITE, owner, &inside, &v), ERR_ITEM_MISSING);
    assert_refused(item_get(CTX, SITE, owner, &second, &v), ERR_ITEM_MISSING);
    assert_ok(item_get(CTX, SITE, owner, &outside, &v));
}

static void listing(void **state)
{
    (void)state;
    struct folder f = new_folder(STR("F"));
    struct user_content content;
    id shared = item_in(NULL, STR("b"));
    item_in(NULL, STR("a"));
    item_in(NULL, STR("c"));
    item_in(&f, STR("inside"));
    share_item_as(&shared, GROUP);
    const struct meta_page page = {.start = 1, .num = 2, .sort_field = STR("title")};
    assert_ok(content_list(CTX, SITE, owner, STR("owner"), NULL, &page, &content));
    assert_int_equal(content.total, 3); /* not what is in folders */
    assert_int_equal(content.count, 2);
    assert_str(content.items[0].item.field[ITEM_TITLE], "b");
    assert_true(content.items[0].has_groups);
    assert_false(content.items[1].has_groups);
    assert_string_equal(content.items[0].item_control, "admin");
    assert_int_equal(content.folder_count, 1);
    assert_false(content.has_folder);
    assert_ok(content_list(CTX, SITE, owner, STR("owner"), &f.id, &(struct meta_page){.num = 10}, &content));
    assert_int_equal(content.total, 1);
    assert_true(content.has_folder);
    assert_str(content.folder.title, "F");
    assert_int_equal(content.folder_count, 0);
    id nowhere = id_new();
    assert_refused(content_list(CTX, SITE, owner, STR("owner"), &nowhere, &page, &content), ERR_FOLDER_MISSING);
}

static int64_t total(str q, str filter)
{
    struct item_views v;
    const struct search_input in = {.q = q, .filter = filter, .page = {.num = 10}};
    assert_ok(item_search(CTX, SITE, owner, &in, &v));
    return v.total;
}

static void query_and_filter(void **state)
{
    (void)state;
    add_text_item(OWNER, STR("page one"), STR("{}")); /* a Web Map */
    item_in(NULL, STR("page two"));
    assert_int_equal(total(STR("page"), STR_NONE), 2);
    assert_int_equal(total(STR("page"), STR("type:\"Web Map\"")), 1);
    assert_int_equal(total(STR(""), STR("type:\"Web Map\"")), 1);
    assert_int_equal(total(STR_NONE, STR("type:\"Web Map\"")), 1);
    assert_int_equal(total(STR(" "), STR(" ")), 0);
    assert_int_equal(total(STR("page -type:\"Web Map\""), STR_NONE), 1);
    assert_int_equal(total(STR("\"page two\" OR one"), STR("owner:other")), 0);
    struct item_views v;
    const struct search_input bad = {.q = STR("(page"), .page = {.num = 10}};
    assert_refused(item_search(CTX, SITE, owner, &bad, &v), ERR_INVALID);
}

static void pages_of_a_search(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++)
        item_in(NULL, arena_printf(fx.ctx.arena, "page %02d", i));
    struct item_views v;
    struct search_input in = {.q = STR("title:page*"), .page = {.start = 20, .num = 10, .sort_field = STR("title")}};
    assert_ok(item_search(CTX, SITE, owner, &in, &v));
    assert_int_equal(v.total, 25);
    assert_int_equal(v.count, 5);
    assert_str(v.items[0].item.field[ITEM_TITLE], "page 20");
    in.page.descending = true;
    assert_ok(item_search(CTX, SITE, owner, &in, &v));
    assert_str(v.items[4].item.field[ITEM_TITLE], "page 00");
    in.page.start = 25;
    assert_ok(item_search(CTX, SITE, owner, &in, &v));
    assert_int_equal(v.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_are_for_their_owner),
        TEST(the_owner_by_name_or_id),
        TEST(titles),
        TEST(deleting_a_folder_deletes_its_items),
        TEST(listing),
        TEST(query_and_filter),
        TEST(pages_of_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
