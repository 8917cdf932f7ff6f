/* Comments and ratings: who may, replies, what the item says of them; views are counted and kept. */
#include "fixture.h"
#include <math.h>
#include "service/item_comment.h"
#include "service/views.h"

static const struct caller *const owner = &callers[OWNER];

static id comment_by(enum who who, const id *item, const id *parent, str text)
{
    id out;
    assert_ok(item_comment_add(CTX, SITE, &callers[who], item, parent, text, &out));
    return out;
}

static void who_may_comment_and_rate(void **state)
{
    (void)state;
    static const struct {
        enum sharing sharing;
        const char *comment, *rate; /* by caller */
    } expected[] = {{PRIVATE, "T.FFF.", "TFFFF."}, {GROUP, "T...F.", "TF..F."}, {PUBLIC, "T.....", "TF...."}};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        id item = add_text_item(OWNER, STR("t"), STR("{}")), made;
        share_item_as(&item, expected[i].sharing);
        for (enum who who = 0; who < WHO_COUNT; who++) {
            const struct caller *c = &callers[who];
            assert_int_equal(outcome(item_comment_add(CTX, SITE, c, &item, &ID_NONE, STR("x"), &made)), expected[i].comment[who]);
            assert_int_equal(outcome(item_rating_put(CTX, SITE, c, &item, 3)), expected[i].rate[who]);
        }
    }
}

static void comments_and_replies(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}")), unused;
    share_item_as(&item, PUBLIC);
    id first = comment_by(MEMBER, &item, &ID_NONE, STR("  Schön 東京 "));
    fx.clock = clock_fixed_at(NOW * 1000LL + 1);
    id reply = comment_by(OWNER, &item, &first, STR("Danke"));
    struct comment c;
    assert_ok(item_comment_get(CTX, SITE, &callers[ANONYMOUS], &item, &first, &c));
    assert_str(c.text, "Schön 東京");
    assert_str(c.author, "member");
    assert_int_equal(c.reply_count, 1);
    assert_int_equal(c.latest_reply, NOW * 1000LL + 1);
    assert_true(id_none(c.parent));
    assert_int_equal(item_now(&item).num_comments, 2);
    assert_refused(item_comment_add(CTX, SITE, owner, &item, &reply, STR("x"), &unused), ERR_COMMENT);
    assert_refused(item_comment_add(CTX, SITE, owner, &item, &item, STR("x"), &unused), ERR_COMMENT_MISSING);
    assert_refused(item_comment_add(CTX, SITE, owner, &item, &ID_NONE, STR(" "), &unused), ERR_PARAMETER);
    assert_refused(item_comment_add(CTX, SITE, owner, &item, &ID_NONE, arena_printf(CTX->arena, "%05000d", 1), &unused),
                   ERR_PARAMETER);
    struct item_comment_page page;
    assert_ok(item_comments(CTX, SITE, owner, &item, &(struct meta_page){.start = 1, .num = 5}, &page));
    assert_int_equal(page.total, 2);
    assert_int_equal(page.count, 1);
    assert_true(id_eq(page.list[0].parent, first));
    id other = add_text_item(OWNER, STR("o"), STR("{}"));
    assert_refused(item_comment_get(CTX, SITE, owner, &other, &first, &c), ERR_COMMENT_MISSING);
    assert_ok(item_comment_delete(CTX, SITE, owner, &item, &first)); /* with the reply */
    assert_int_equal(item_now(&item).num_comments, 0);
}

static void changing_comments(void **state)
{
    (void)state;
    static const char update[] = "TF.FFF", delete[] = "T..FF.";
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    share_item_as(&item, PUBLIC);
    for (enum who who = 0; who < WHO_COUNT; who++) {
        id comment = comment_by(MEMBER, &item, &ID_NONE, STR("x"));
        const struct caller *c = &callers[who];
        assert_int_equal(outcome(item_comment_update(CTX, SITE, c, &item, &comment, STR("y"))), update[who]);
        assert_int_equal(outcome(item_comment_delete(CTX, SITE, c, &item, &comment)), delete[who]);
    }
}

static void comments_can_be_turned_off(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}")), unused;
    const struct item_input off = {.comments = SWITCH_OFF}, on = {.comments = SWITCH_ON}, nothing = {0};
    assert_ok(item_update(CTX, SITE, owner, &item, &off));
    assert_ok(item_update(CTX, SITE, owner, &item, &nothing));
    assert_true(item_now(&item).comments_disabled);
    assert_refused(item_comment_add(CTX, SITE, owner, &item, &ID_NONE, STR("x"), &unused), ERR_COMMENT);
    assert_ok(item_update(CTX, SITE, owner, &item, &on));
    comment_by(OWNER, &item, &ID_NONE, STR("x"));
}

static void ratings(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct rating r;
    share_item_as(&item, PUBLIC);
    assert_refused(item_rating_get(CTX, SITE, &callers[MEMBER], &item, &r), ERR_RATING_MISSING);
    assert_ok(item_rating_put(CTX, SITE, &callers[MEMBER], &item, 1));
    assert_ok(item_rating_put(CTX, SITE, &callers[MEMBER], &item, 4.5));
    assert_ok(item_rating_put(CTX, SITE, &callers[OTHER], &item, 2));
    assert_ok(item_rating_get(CTX, SITE, &callers[MEMBER], &item, &r));
    assert_float_equal(r.value, 4.5, 0);
    assert_int_equal(item_now(&item).num_ratings, 2);
    assert_float_equal(item_now(&item).avg_rating, 3.25, 0);
    int64_t modified = item_now(&item).modified;
    fx.clock = clock_fixed_at(NOW * 1000LL + 5000);
    assert_ok(item_rating_delete(CTX, SITE, &callers[MEMBER], &item));
    assert_refused(item_rating_delete(CTX, SITE, &callers[MEMBER], &item), ERR_RATING_MISSING);
    assert_float_equal(item_now(&item).avg_rating, 2, 0);
    assert_int_equal(item_now(&item).modified, modified); /* rating is no update */
    static const double bad[] = {0, 0.99, 5.01, -1, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(item_rating_put(CTX, SITE, &callers[MEMBER], &item, bad[i]), ERR_PARAMETER);
    assert_ok(item_delete(CTX, SITE, owner, &item)); /* with all that was said of it */
}

static void views_are_kept(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}")), gone = id_new();
    assert_int_equal(item_now(&item).last_viewed, -1);
    for (int i = 0; i < 3; i++)
        views_add(CTX, fx.site.views, &item);
    views_add(CTX, fx.site.views, &gone);
    assert_int_equal(item_now(&item).num_views, 3); /* also what is not in the row yet */
    assert_ok(views_flush(CTX, SITE));
    assert_int_equal(item_now(&item).num_views, 3);
    assert_int_equal(item_now(&item).last_viewed, NOW * 1000LL);
    struct item_input in = {0};
    in.field[ITEM_SNIPPET] = STR("s");
    assert_ok(item_update(CTX, SITE, owner, &item, &in));
    assert_int_equal(item_now(&item).num_views, 3);
    for (int i = 0; i < 2000; i++) { /* more than the table begins with */
        id fresh = id_new();
        views_add(CTX, fx.site.views, &fresh);
    }
    views_add(CTX, fx.site.views, &item);
    assert_ok(views_flush(CTX, SITE));
    assert_int_equal(item_now(&item).num_views, 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_may_comment_and_rate),
        TEST(comments_and_replies),
        TEST(changing_comments),
        TEST(comments_can_be_turned_off),
        TEST(ratings),
        TEST(views_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
