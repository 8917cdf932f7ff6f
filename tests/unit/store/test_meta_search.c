/* Search over the database: each row of a table is a query and the items (by letter) it finds. */
#include "store_fixture.h"

#include "model/search.h"

static int add_item(struct ctx *c, struct sql_tx *tx, const struct item *proto, unsigned n)
{
    struct item it = *proto;
    it.id = test_id(n);
    it.created = 1000 * n;
    it.modified = 1000 * n;
    it.num_views = n;
    if (str_none(it.owner))
        it.owner = STR("Ann");
    return meta_item_insert(c, tx, &it);
}

#define ITEM(access_, ...)                                                                                                       \
    &(struct item) { .access = ITEM_##access_, .size = -1, __VA_ARGS__ }
#define F(member, text) .field[ITEM_##member] = STR(text)

/* a to h */
static int add_items(struct ctx *c, struct sql_tx *tx)
{
    id group = test_id(100);
    id shared = test_id(5);
    TRY(meta_setting_put(c, tx, META_ORG_ID, STR("0123456789ABCDEF")));
    TRY(meta_group_insert(
        c, tx, &(struct group){.id = group, .title = STR("Fire fighters"), .owner = STR("Bob"), .tags = STR("[\"red\"]")}));
    TRY(meta_member_put(c, tx, &group, STR("Cid"), MEMBER_MEMBER));
    TRY(add_item(c, tx,
                 ITEM(PUBLIC, F(TITLE, "Wild Fire Maps"), F(TYPE, "Web Map"), F(TAGS, "[\"fire\",\"Forest Service\"]"),
                      F(TYPE_KEYWORDS, "[\"ArcGIS Hub\"]")),
                 1));
    TRY(add_item(c, tx,
                 ITEM(PUBLIC, F(TITLE, "Maps of fire"), F(TYPE, "Web Mapping Application"), F(SNIPPET, "<b>Smoke</b> and span"),
                      F(CULTURE, "en-US")),
                 2));
    TRY(add_item(c, tx,
                 ITEM(PUBLIC,
                      F(TITLE, "Gr\xc3\x9c"
                               "NE W\xc3\xa4lder"),
                      F(TYPE, "Feature Service"), F(URL, "https://Host/A/FeatureServer"), .owner = STR("ann")),
                 3));
    TRY(add_item(c, tx, ITEM(ORG, F(TITLE, "100% of_it"), F(DESCRIPTION, "wild-fire, o'neil"), F(TYPE, "PDF"), .protected = true),
                 4));
    TRY(add_item(c, tx, ITEM(PRIVATE, F(TITLE, "Shared one"), F(TYPE, "CSV")), 5));
    TRY(add_item(c, tx, ITEM(PRIVATE, F(TITLE, "Secret"), F(TYPE, "CSV"), .folder = test_id(77)), 6));
    TRY(add_item(c, tx,
                 ITEM(PUBLIC, F(TITLE, "fire"), F(TYPE, "web map"), F(CATEGORIES, "[\"/Categories/A b\"]"),
                      F(TAGS, "[\"wild\",\"fire maps\"]")),
                 7));
    TRY(add_item(c, tx,
                 ITEM(PUBLIC, F(TITLE, "\xe5\x9c\xb0\xe5\x9b\xb3 tokyo"), F(TYPE, "Image"),
                      F(ACCESS_INFORMATION, "Credits Office"), .owner = STR("Bob")),
                 8));
    return meta_share(c, tx, &shared, &group);
}

static struct search_query *parse(struct ctx *c, const char *text)
{
    struct search_query *q;
    if (search_parse(c, str_c(text), &q) != RC_OK)
        fail_msg("%s: %s", text, err_text(c));
    return q;
}

static int found(struct ctx *c, struct sql_tx *tx, const char *text, const struct viewer *who, const id *group,
                 const char *expected)
{
    const struct meta_search_page page = {.num = 100, .sort_field = STR("created")};
    struct meta_items out;
    char letters[32] = {0};
    if (meta_search_items(c, tx, parse(c, text), who, group, &page, &out) != RC_OK)
        fail_msg("%s: %s", text, err_text(c));
    for (size_t i = 0; i < out.count; i++)
        letters[i] = (char)('a' + out.items[i].created / 1000 - 1);
    if (strcmp(letters, expected) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", text, letters, expected);
    assert_int_equal(out.total, out.count);
    return RC_OK;
}

static const char *const queries[][2] = {
    {"*", "abcdefgh"},
    {"", ""},
    {"fire", "abdg"},
    {"FIRE", "abdg"},
    {"fire maps", "abg"},
    {"\"fire maps\"", "ag"},
    {"\"maps fire\"", ""},
    {"wild-fire", "ad"}, /* a word with a hyphen is a phrase */
    {"\"wild fire maps\"", "a"},
    {"\"wild fire fire\"", ""},
    {"\"fire fire maps\"", ""}, /* no phrase across two tags */
    {"title:fire", "abg"},
    {"title:\"fire maps\"", "a"},
    {"snippet:smoke", "b"},
    {"snippet:b", ""}, /* a tag of HTML is no word */
    {"span", "b"},
    {"description:fire", "d"},
    {"o'neil", "d"},
    {"gr\xc3\xbcne", "c"},
    {"w\xc3\x84LDER", "c"},
    {"\xe5\x9c\xb0\xe5\x9b\xb3", "h"},
    {"credits", "h"},
    {"accessinformation:office", "h"},
    {"hub", "a"},
    {"typekeywords:\"ArcGIS Hub\"", "a"},
    {"typekeywords:hub", ""},
    {"tags:fire", "a"},
    {"tags:\"forest service\"", "a"},
    {"tags:\"fire maps\"", "g"},
    {"tags:forest", ""},
    {"forest", "a"},
    {"type:\"Web Map\"", "ag"},
    {"type:\"WEB MAP\"", "ag"},
    {"type:web", ""},
    {"type:web*", "abg"},
    {"type:(\"Web Map\" OR CSV)", "aefg"},
    {"-type:\"Web Map\"", "bcdefh"},
    {"NOT (fire OR tokyo)", "cef"},
    {"fire -maps", "d"},
    {"fire AND (title:wild OR description:wild)", "ad"},
    {"categories:\"/Categories/A B\"", "g"},
    {"fi*", "abdg"},
    {"f?re", "abdg"},
    {"*ire", "abdg"},
    {"title:m*s", "ab"},
    {"wil*-fi*", "adg"},
    {"title:*", "abcdefgh"},
    {"snippet:*", "b"},
    {"100%", "d"},
    {"%", ""},
    {"title:%*", "abcdefgh"}, /* like title:* */
    {"of_it", "d"},
    {"type:_*", ""},
    {"url:\"https://host/a/featureserver\"", "c"},
    {"url:*featureserver", "c"},
    {"id:00000000000000000000000000000003", "c"},
    {"00000000000000000000000000000003", "c"},
    {"id:(00000000000000000000000000000003 OR 00000000000000000000000000000001)", "ac"},
    {"owner:Ann", "abdefg"},
    {"owner:ann", "c"},
    {"owner:A*", "abdefg"},
    {"owner:?nn", "abcdefg"},
    {"owner:bob", ""},
    {"created:3000", "c"},
    {"created:[2000 TO 4000]", "bcd"},
    {"created:{2000 TO 4000}", "c"},
    {"uploaded:[0000000000000007000 TO *]", "gh"},
    {"created:[* TO 2000]", "ab"},
    {"created:[1970-01-01T00:00:07Z TO *]", "gh"},
    {"modified:[x TO y]", ""},
    {"created:x", ""},
    {"numviews:[7 TO 100]", "gh"},
    {"numratings:0", "abcdefgh"},
    {"avgrating:[1 TO 5]", ""},
    {"access:public", "abcgh"},
    {"access:org", "d"},
    {"access:shared", "e"},
    {"access:private", "f"},
    {"access:PUBLIC", "abcgh"},
    {"access:x", ""},
    {"group:00000000000000000000000000000064", "e"},
    {"group:x", ""},
    {"orgid:0123456789ABCDEF fire", "abdg"},
    {"orgid:other", ""},
    {"ownerfolder:0000000000000000000000000000004d", "f"},
    {"protected:true", "d"},
    {"protected:maybe", ""},
    {"culture:en-us", "b"},
    {"nofield:fire", ""},
    {"title:[f TO g]", "abg"},
    {"title:{fire TO maps}", "cd"},
    {"' OR 1=1 --", ""},
    {"title:\"'); DROP TABLE item; --\"", ""},
};

TX_TEST(items)
{
    const struct viewer admin = {.username = STR("root"), .admin = true};
    (void)arg;
    TRY(add_items(c, tx));
    for (size_t i = 0; i < COUNT_OF(queries); i++)
        TRY(found(c, tx, queries[i][0], &admin, NULL, queries[i][1]));
    return RC_OK;
}

TX_TEST(visibility)
{
    const struct viewer nobody = {.username = STR("")}, member = {.username = STR("Cid")}, owner = {.username = STR("Ann")};
    const struct viewer other = {.username = STR("Dan")}, twin = {.username = STR("ann")};
    id group = test_id(100);
    (void)arg;
    TRY(add_items(c, tx));
    TRY(found(c, tx, "*", &nobody, NULL, "abcgh"));
    TRY(found(c, tx, "*", &other, NULL, "abcdgh"));
    TRY(found(c, tx, "*", &member, NULL, "abcdegh"));
    TRY(found(c, tx, "*", &owner, NULL, "abcdefgh"));
    TRY(found(c, tx, "*", &twin, NULL, "abcdgh"));
    TRY(found(c, tx, "secret OR shared", &nobody, NULL, ""));
    TRY(found(c, tx, "NOT nothing OR secret", &nobody, NULL, "abcgh")); /* an OR does not open the door */
    TRY(found(c, tx, "*", &member, &group, "e"));
    TRY(found(c, tx, "*", &nobody, &group, ""));
    TRY(found(c, tx, "fire OR shared", &member, &group, "e"));
    return RC_OK;
}

TX_TEST(follows_changes)
{
    const struct viewer admin = {.admin = true};
    struct item it = {.id = test_id(1), .owner = STR("Ann"), .created = 1000, F(TITLE, "old title"), F(TAGS, "[\"one\"]")};
    int64_t n;
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    TRY(found(c, tx, "old", &admin, NULL, "a"));
    it.field[ITEM_TITLE] = STR("new title");
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "old", &admin, NULL, ""));
    TRY(found(c, tx, "new tags:one", &admin, NULL, "a"));
    it.field[ITEM_TITLE] = STR("");
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "title", &admin, NULL, ""));
    TRY(found(c, tx, "one", &admin, NULL, "a"));
    TRY(meta_item_delete(c, tx, &it.id));
    TRY(sql_query_int(c, tx, &n, "SELECT COUNT(*) FROM search_posting", NULL, 0));
    assert_int_equal(n, 0);
    return RC_OK;
}

static int count(struct ctx *c, struct sql_tx *tx, const char *text, int64_t expected)
{
    int64_t n;
    TRY(sql_query_int(c, tx, &n, text, NULL, 0));
    if (n != expected)
        fail_msg("%s: %d instead of %d", text, (int)n, (int)expected);
    return RC_OK;
}

#define LONG_WORD "donaudampfschifffahrtsgesellschaftskapitaen" /* longer than what is remembered */

/* A word in several fields is one row: it goes from one field alone, and is as if it had been put at once. */
TX_TEST(shared_words)
{
    const struct viewer admin = {.admin = true};
    struct item it = {.id = test_id(1),
                      .owner = STR("Ann"),
                      .created = 1000,
                      F(TITLE, "fire " LONG_WORD),
                      F(SNIPPET, "fire fire water"),
                      F(TAGS, "[\"Fire\",\"fire water\",\" \"]")};
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    /* fire, the long one, water, the value "fire water", the empty word, and the owner and access of the item */
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting", 7));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_word", 7));
    it.field[ITEM_TITLE] = STR("other");
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "title:fire", &admin, NULL, ""));
    TRY(found(c, tx, "title:other", &admin, NULL, "a"));
    TRY(found(c, tx, LONG_WORD, &admin, NULL, ""));
    TRY(found(c, tx, "snippet:fire tags:fire", &admin, NULL, "a"));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting", 7));
    it.field[ITEM_TAGS] = STR("[]");
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "tags:fire", &admin, NULL, ""));
    TRY(found(c, tx, "tags:\"fire water\"", &admin, NULL, ""));
    TRY(found(c, tx, "snippet:\"fire water\"", &admin, NULL, "a"));
    it.field[ITEM_TITLE] = STR(LONG_WORD " fire");
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "title:\"" LONG_WORD " fire\"", &admin, NULL, "a"));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting", 6));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_word", 8)); /* a word keeps its number */
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_text", 1));
    return RC_OK;
}

/* Items, groups and users have words in common and numbers of their own. */
TX_TEST(other_subjects)
{
    const struct viewer admin = {.admin = true};
    struct item it = {.id = test_id(1), .owner = STR("Ann"), .created = 1000, F(TITLE, "fire")};
    id group = test_id(2);
    (void)arg;
    TRY(meta_item_insert(c, tx, &it));
    TRY(meta_group_insert(c, tx, &(struct group){.id = group, .title = STR("fire"), .owner = STR("Ann")}));
    TRY(meta_user_insert(c, tx, &(struct user){.username = STR("Fire"), .id = test_id(3), .full_name = STR("fire")}));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting", 12)); /* with the empty word, access, and the owners */
    TRY(meta_group_delete(c, tx, &group));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting", 7));
    TRY(found(c, tx, "fire", &admin, NULL, "a"));
    TRY(meta_user_delete(c, tx, STR("fire")));
    TRY(found(c, tx, "fire", &admin, NULL, "a"));
    TRY(meta_item_delete(c, tx, &it.id));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting", 0));
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_text", 0));
    assert_int_equal(meta_item_delete(c, tx, &it.id), RC_NOT_FOUND);
    assert_int_equal(meta_item_update(c, tx, &it), RC_NOT_FOUND);
    return RC_OK;
}

/* Items whose titles are numbers: more words than are remembered, each in some items. */
enum { MANY = 5000, STEP = 7 }; /* more than a packed block */

static str many_title(struct ctx *c, unsigned n) { return arena_printf(c->arena, "n%u n%u m%u common", n, n + STEP, n % 100); }

static int many_total(struct ctx *c, struct sql_tx *tx, const char *text, int64_t expected)
{
    const struct viewer admin = {.admin = true};
    struct meta_items out;
    TRY(meta_search_items(c, tx, parse(c, text), &admin, NULL, &(struct meta_search_page){.num = 1}, &out));
    if (out.total != expected)
        fail_msg("%s: %d instead of %d", text, (int)out.total, (int)expected);
    return RC_OK;
}

TX_TEST(many_items)
{
    (void)arg;
    for (unsigned n = 0; n < MANY; n++)
        TRY(meta_item_insert(c, tx,
                             &(struct item){.id = test_id(n), .owner = STR("Ann"), .field[ITEM_TITLE] = many_title(c, n)}));
    TRY(many_total(c, tx, "common", MANY));
    TRY(many_total(c, tx, "m7", MANY / 100));
    for (unsigned n = STEP; n < MANY; n += 101) {
        TRY(many_total(c, tx, arena_printf(c->arena, "n%u", n).p, 2));
        TRY(many_total(c, tx, arena_printf(c->arena, "\"n%u n%u\"", n, n + STEP).p, 1));
    }
    for (unsigned n = 0; n < MANY; n++) { /* half go, half get the title of another one */
        id item = test_id(n);
        if (n % 2 == 0)
            TRY(meta_item_delete(c, tx, &item));
        else
            TRY(meta_item_update(c, tx,
                                 &(struct item){.id = item, .owner = STR("Ann"), .field[ITEM_TITLE] = many_title(c, n + MANY)}));
    }
    TRY(many_total(c, tx, "common", MANY / 2));
    TRY(many_total(c, tx, "m7", MANY / 100));
    TRY(many_total(c, tx, "m8", 0));
    TRY(many_total(c, tx, "n21", 0));
    TRY(many_total(c, tx, "n5029", 1)); /* 5022, which had it too, is the deleted 22 */
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_text", MANY / 2));
    return RC_OK;
}

/* ---- transactions that fail ---- */

struct title_call {
    unsigned n;
    const char *title;
    bool fails;
};

static int insert_title(struct ctx *c, struct sql_tx *tx, void *arg)
{
    const struct title_call *call = arg;
    TRY(meta_item_insert(
        c, tx,
        &(struct item){
            .id = test_id(call->n), .owner = STR("Ann"), .created = 1000 * call->n, .field[ITEM_TITLE] = str_c(call->title)}));
    return call->fails ? RC_NOT_FOUND : RC_OK;
}

static int titles_found(struct ctx *c, struct sql_tx *tx, void *arg)
{
    const struct viewer admin = {.admin = true};
    (void)arg;
    TRY(found(c, tx, "alpha", &admin, NULL, "cd"));
    TRY(found(c, tx, "beta", &admin, NULL, "bd"));
    TRY(found(c, tx, "gamma", &admin, NULL, "abd"));
    return found(c, tx, "delta", &admin, NULL, "");
}

/* The numbers that words got in it are given to others. */
static void rolled_back_words(void **state)
{
    struct fixture *f = *state;
    struct title_call calls[] = {{1, "gamma", false},
                                 {5, "alpha delta", true},
                                 {2, "beta gamma", false},
                                 {3, "alpha", false},
                                 {4, "gamma beta alpha", false}};
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_int_equal(sql_write(&f->ctx, f->db, insert_title, &calls[i]), calls[i].fails ? RC_NOT_FOUND : RC_OK);
    fixture_ok(f, sql_read(&f->ctx, f->db, titles_found, NULL));
}

/* Texts that are large, broken or hostile are indexed as far as they go. */
TX_TEST(odd_texts)
{
    const struct viewer admin = {.admin = true};
    struct item it = {.id = test_id(1),
                      .owner = STR("Ann"),
                      .created = 1000,
                      F(TITLE, "x"),
                      F(TAGS, "no json"),
                      F(TYPE_KEYWORDS, "{\"a\":[]}")};
    char *big = arena_alloc(c->arena, 1 << 20);
    (void)arg;
    memset(big, '<', 1 << 20);
    memcpy(big, "first ", 6);
    memcpy(big + 500, "<b", 2);
    it.field[ITEM_DESCRIPTION] = str_of(big, 1 << 20);
    TRY(meta_item_insert(c, tx, &it));
    TRY(found(c, tx, "first", &admin, NULL, "a"));
    memset(big, 'y', 1 << 20);
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "yyy*", &admin, NULL, "a"));
    char *word = arena_alloc(c->arena, 301);
    memset(word, 'y', 300);
    TRY(found(c, tx, word + 44, &admin, NULL, "a")); /* 256 letters, cut on both sides alike */
    it.field[ITEM_TAGS] = arena_printf(c->arena, "[1,null,\"%s\",\"\",\" s p \"]", word);
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, arena_printf(c->arena, "tags:%s", word).p, &admin, NULL, "a"));
    TRY(found(c, tx, "tags:\"s p\"", &admin, NULL, "a"));
    for (size_t i = 0; i < (1 << 20) - 4; i += 4)
        snprintf(big + i, 5, "%03zu ", i / 4 % 1000);
    it.field[ITEM_DESCRIPTION] = str_of(big, (1 << 20) - 4);
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "description:\"998 999 000\"", &admin, NULL, "a"));
    return RC_OK;
}

TX_TEST(pages)
{
    const struct viewer admin = {.admin = true};
    struct meta_items out;
    (void)arg;
    TRY(add_items(c, tx));
    TRY(meta_search_items(c, tx, parse(c, "fire"), &admin, NULL, &(struct meta_search_page){.start = 1, .num = 2}, &out));
    assert_int_equal(out.total, 4);
    assert_int_equal(out.count, 2);
    assert_true(id_eq(out.items[0].id, test_id(1))); /* after 7, which is called just that */
    TRY(meta_search_items(c, tx, parse(c, "fire"), &admin, NULL, &(struct meta_search_page){.num = 0}, &out));
    assert_int_equal(out.total, 4);
    assert_int_equal(out.count, 0);
    return RC_OK;
}

/* Fields one after the other, and what is no list of them. */
TX_TEST(several_orders)
{
    static const struct {
        const char *fields, *expected, *descending; /* NULL: refused */
    } rows[] = {
        {"owner,created", "abdefghc", "chgfedba"},
        {"OWNER, numViews", "abdefghc", "chgfedba"},
        {"type,title", "fechdabg", "gbadhcef"},
        {"size,avgRating,created", "abcdefgh", "hgfedcba"},
        {"size,title", "dgcbfeah", "haefbcgd"},
        {"owner,", NULL, NULL},
        {",owner", NULL, NULL},
        {"owner,,title", NULL, NULL},
        {"relevance,title", NULL, NULL},
        {"title,scoreCompleteness", NULL, NULL},
        {"title,owner,created,size", NULL, NULL},
        {"title,password", NULL, NULL},
    };
    const struct viewer admin = {.admin = true}, nobody = {.username = STR("")};
    (void)arg;
    TRY(add_items(c, tx));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str fields = str_c(rows[i].fields);
        assert_int_equal(meta_search_sorts_items(fields), rows[i].expected != NULL);
        for (unsigned down = 0; down < 2 && (down ? rows[i].descending : rows[i].expected); down++) {
            char letters[32] = {0};
            struct meta_items out;
            TRY(meta_search_items(c, tx, parse(c, "*"), &admin, NULL,
                                  &(struct meta_search_page){.num = 100, .sort_field = fields, .descending = down}, &out));
            for (size_t k = 0; k < out.count; k++)
                letters[k] = (char)('a' + out.items[k].created / 1000 - 1);
            assert_string_equal(letters, down ? rows[i].descending : rows[i].expected);
        }
    }
    assert_true(meta_search_sorts_items(STR("scoreCompleteness")));
    assert_true(meta_search_sorts_users(STR("fullname,lastLogin"), &admin));
    assert_false(meta_search_sorts_users(STR("fullname, lastLogin"), &nobody));
    return RC_OK;
}

TX_TEST(many_terms)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 16);
    const struct viewer who = {.username = STR("Cid")};
    (void)arg;
    TRY(add_items(c, tx));
    for (unsigned i = 0; i < 399; i++)
        buf_printf(&text, "\"no %u\" OR ", i);
    buf_add(&text, STR("fire"));
    TRY(found(c, tx, text.p, &who, NULL, "abdg"));
    buf_clear(&text);
    struct search_query *q; /* as deep as it goes */
    for (unsigned i = 0; i < 9; i++)
        buf_add(&text, STR("none OR fire -("));
    buf_add(&text, STR("00000000000000000000000000000003"));
    for (unsigned i = 0; i < 9; i++)
        buf_add(&text, STR(")"));
    TRY(found(c, tx, text.p, &who, NULL, "abdg"));
    q = search_and(c, parse(c, "*"), search_and(c, parse(c, text.p), parse(c, "*")));
    TRY(meta_search_items(c, tx, q, &who, NULL, &(struct meta_search_page){.num = 1}, &(struct meta_items){0}));
    return RC_OK;
}

static int groups_found(struct ctx *c, struct sql_tx *tx, const char *text, const struct viewer *who, const char *expected)
{
    const struct meta_search_page page = {.num = 100, .sort_field = STR("title")};
    struct meta_groups out;
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    TRY(meta_search_groups(c, tx, parse(c, text), who, &page, &out));
    for (size_t i = 0; i < out.count; i++)
        buf_printf(&b, "%.*s,", STR_FMT(out.groups[i].title));
    assert_text(buf_str(&b), expected);
    assert_int_equal(out.total, out.count);
    return RC_OK;
}

TX_TEST(groups)
{
    const struct viewer admin = {.admin = true}, nobody = {.username = STR("")}, ann = {.username = STR("Ann")},
                        bob = {.username = STR("Bob")};
    (void)arg;
    TRY(meta_group_insert(
        c, tx, &(struct group){.id = test_id(1), .title = STR("Fire Team"), .owner = STR("Ann"), .tags = STR("[\"Hot Spot\"]")}));
    TRY(meta_group_insert(
        c, tx, &(struct group){.id = test_id(2), .title = STR("Open fire"), .owner = STR("Bob"), .access = ITEM_PUBLIC}));
    TRY(meta_group_insert(
        c, tx,
        &(struct group){
            .id = test_id(3), .title = STR("Water"), .owner = STR("Bob"), .access = ITEM_ORG, .is_invitation_only = true}));
    TRY(groups_found(c, tx, "fire", &admin, "Fire Team,Open fire,"));
    TRY(groups_found(c, tx, "fire", &nobody, "Open fire,"));
    TRY(groups_found(c, tx, "*", &ann, "Fire Team,Open fire,Water,"));
    TRY(groups_found(c, tx, "*", &bob, "Open fire,Water,"));
    TRY(groups_found(c, tx, "title:\"fire team\"", &ann, "Fire Team,"));
    TRY(groups_found(c, tx, "owner:Bob", &ann, "Open fire,Water,"));
    TRY(groups_found(c, tx, "tags:\"hot spot\"", &ann, "Fire Team,"));
    TRY(groups_found(c, tx, "access:org", &ann, "Water,"));
    TRY(groups_found(c, tx, "isinvitationonly:true", &ann, "Water,"));
    TRY(groups_found(c, tx, "id:00000000000000000000000000000002", &nobody, "Open fire,"));
    TRY(groups_found(c, tx, "group:1", &admin, ""));
    return RC_OK;
}

static int users_found(struct ctx *c, struct sql_tx *tx, const char *text, const struct viewer *who, const char *expected)
{
    const struct meta_search_page page = {.num = 100, .sort_field = STR("username")};
    struct meta_user_list out;
    CLEANUP(buf_free) struct buf b = BUF_INIT(1000);
    TRY(meta_search_users(c, tx, parse(c, text), who, &page, &out));
    for (size_t i = 0; i < out.count; i++)
        buf_printf(&b, "%.*s,", STR_FMT(out.users[i].username));
    assert_text(buf_str(&b), expected);
    assert_int_equal(out.total, out.count);
    return RC_OK;
}

TX_TEST(users)
{
    const struct viewer admin = {.admin = true}, nobody = {.username = STR("")}, ann = {.username = STR("Ann")};
    (void)arg;
    TRY(meta_user_insert(
        c, tx, &(struct user){.username = STR("Ann"), .id = test_id(1), .full_name = STR("Ann Smith"), .role = ROLE_ADMIN}));
    TRY(meta_user_insert(c, tx,
                         &(struct user){.username = STR("Bob"),
                                        .id = test_id(2),
                                        .full_name = STR("Bob Smith"),
                                        .access = ITEM_ORG,
                                        .email = STR("bob@x.org")}));
    TRY(meta_user_insert(c, tx,
                         &(struct user){.username = STR("cid"), .id = test_id(3), .access = ITEM_PUBLIC, .disabled = true}));
    TRY(users_found(c, tx, "*", &admin, "Ann,Bob,cid,"));
    TRY(users_found(c, tx, "*", &nobody, "cid,"));
    TRY(users_found(c, tx, "smith", &ann, "Ann,Bob,"));
    TRY(users_found(c, tx, "username:ANN", &ann, "Ann,"));
    TRY(users_found(c, tx, "username:b*", &ann, "Bob,"));
    TRY(users_found(c, tx, "fullname:\"bob smith\"", &ann, "Bob,"));
    TRY(users_found(c, tx, "role:org_admin", &admin, "Ann,"));
    TRY(users_found(c, tx, "email:bob@x.org", &admin, "Bob,"));
    TRY(users_found(c, tx, "disabled:true", &admin, "cid,"));
    static const char *const confidential[] = {"email:bob@x.org", "email:b*",       "x.org",
                                               "disabled:true",   "role:org_admin", "lastlogin:[0 TO 9]"};
    for (size_t i = 0; i < COUNT_OF(confidential); i++)
        TRY(users_found(c, tx, confidential[i], &ann, ""));
    TRY(users_found(c, tx, "org", &admin, "Bob,"));
    return RC_OK;
}

/* ---- the index made anew ---- */

static int emptied(struct ctx *c, struct sql_tx *tx, void *arg)
{
    (void)arg;
    TRY(add_items(c, tx));
    TRY(meta_user_insert(c, tx, &(struct user){.username = STR("Ann"), .id = test_id(9), .full_name = STR("Ann Smith")}));
    TRY(sql_exec(c, tx, "DELETE FROM search_posting"));
    TRY(sql_exec(c, tx, "DELETE FROM search_text"));
    return sql_exec(c, tx, "INSERT INTO search_rebuild (kind, subject) VALUES (0, 0), (1, 0), (2, 0)");
}

static int all_found(struct ctx *c, struct sql_tx *tx, void *arg)
{
    const struct viewer admin = {.username = STR("root"), .admin = true}, member = {.username = STR("Cid")};
    for (size_t i = 0; i < COUNT_OF(queries); i++)
        TRY(found(c, tx, queries[i][0], &admin, NULL, queries[i][1]));
    TRY(found(c, tx, "*", &member, NULL, "abcdegh"));
    TRY(groups_found(c, tx, "fire", &admin, "Fire fighters,"));
    return arg ? RC_OK : users_found(c, tx, "smith", &admin, "Ann,");
}

static void rebuilt(void **state)
{
    struct fixture *f = *state;
    fixture_ok(f, meta_search_rebuild(&f->ctx, f->db)); /* of nothing */
    fixture_ok(f, sql_write(&f->ctx, f->db, emptied, NULL));
    fixture_ok(f, meta_search_rebuild(&f->ctx, f->db));
    fixture_ok(f, sql_read(&f->ctx, f->db, all_found, NULL));
    fixture_ok(f, meta_search_rebuild(&f->ctx, f->db));
}

/* Behind a whole block of later items: everything is packed, and changes go into the packed sets. */
TX_TEST(packed)
{
    const struct viewer admin = {.username = STR("root"), .admin = true}, member = {.username = STR("Cid")};
    struct item it = {.owner = STR("Ann"), .field[ITEM_TITLE] = STR("zzz")};
    id shared = test_id(5), group = test_id(100), gone = test_id(8);
    (void)arg;
    TRY(add_items(c, tx));
    for (unsigned n = 1000; n < 5096; n++) { /* owned by nobody that is asked for, and deleted again below */
        it.id = test_id(n);
        TRY(meta_item_insert(c, tx, &it));
    }
    TRY(count(c, tx, "SELECT COUNT(*) FROM search_posting WHERE subject < 12288 AND subject % 3 = 1", 0));
    TRY(found(c, tx, "fire", &admin, NULL, "abdg"));
    TRY(found(c, tx, "zzz AND fire", &admin, NULL, ""));
    TRY(many_total(c, tx, "zzz", 4096));
    for (unsigned n = 1000; n < 5096; n++) {
        id old = test_id(n);
        TRY(meta_item_delete(c, tx, &old));
    }
    TRY(all_found(c, tx, arg)); /* but the user */
    TRY(meta_unshare(c, tx, &shared, &group));
    TRY(found(c, tx, "*", &member, NULL, "abcdgh"));
    TRY(found(c, tx, "access:private", &admin, NULL, "ef"));
    TRY(meta_share(c, tx, &shared, &group));
    TRY(found(c, tx, "access:private", &admin, NULL, "f"));
    TRY(meta_item_get(c, tx, &shared, &it));
    it.field[ITEM_TITLE] = STR("Fire station");
    TRY(meta_item_update(c, tx, &it));
    TRY(found(c, tx, "title:fire", &admin, NULL, "abeg"));
    TRY(found(c, tx, "title:shared", &admin, NULL, ""));
    TRY(meta_group_delete(c, tx, &group));
    TRY(found(c, tx, "access:shared", &admin, NULL, ""));
    TRY(meta_item_delete(c, tx, &gone));
    return found(c, tx, "*", &admin, NULL, "abcdefg");
}

/* Numbers and extents: of items in rows and of packed ones, few and many at once. */
static int boxed(struct ctx *c, struct sql_tx *tx, const char *box, int64_t expected)
{
    const struct viewer admin = {.admin = true};
    struct search_query *q;
    struct meta_items out;
    TRY(search_parse_box(c, str_c(box), &q));
    TRY(meta_search_items(c, tx, q, &admin, NULL, &(struct meta_search_page){.num = 1}, &out));
    if (out.total != expected)
        fail_msg("%s: %d instead of %d", box, (int)out.total, (int)expected);
    return RC_OK;
}

static int numbers(struct ctx *c, struct sql_tx *tx)
{
    const struct viewer admin = {.admin = true};
    struct meta_items out;
    TRY(many_total(c, tx, "created:[10 TO 4999]", 4990));
    TRY(many_total(c, tx, "created:{10 TO 4999}", 4988));
    TRY(many_total(c, tx, "created:[4090 TO 4100]", 11));
    TRY(many_total(c, tx, "created:[4990 TO *]", 10));
    TRY(many_total(c, tx, "created:4095 OR created:4096", 2));
    TRY(many_total(c, tx, "size:[0 TO 1]", 1430));
    TRY(many_total(c, tx, "numviews:3 created:[* TO 99]", 10));
    TRY(many_total(c, tx, "-created:[0 TO 4997]", 2));
    TRY(many_total(c, tx, "created:[9223372036854775807 TO *]", 0));
    TRY(boxed(c, tx, "-180,-90,180,90", 4500));
    TRY(boxed(c, tx, "10,0,10.5,1", 50));  /* those whose extent is at 10 */
    TRY(boxed(c, tx, "9.25,0,9.5,1", 0));  /* between two */
    TRY(boxed(c, tx, "11,0,11.5,1", 100)); /* and the one that ends there */
    TRY(boxed(c, tx, "95,0,9.5,1", 700));  /* across the antimeridian: 94 to 98 and 0 to 8 */
    TRY(meta_search_items(c, tx, parse(c, "*"), &admin, NULL,
                          &(struct meta_search_page){.start = 4998, .num = 9, .sort_field = STR("size"), .descending = true},
                          &out));
    assert_int_equal(out.count, 2);
    assert_int_equal(out.items[0].size, 0);
    TRY(meta_search_items(c, tx, parse(c, "*"), &admin, NULL,
                          &(struct meta_search_page){.start = 10, .num = 1, .sort_field = STR("created")}, &out));
    assert_int_equal(out.items[0].created, 10);
    return RC_OK;
}

TX_TEST(columns)
{
    struct item it = {.owner = STR("Ann")};
    id changed = test_id(7);
    (void)arg;
    for (unsigned n = 0; n < 5000; n++) {
        it.id = test_id(n);
        it.created = it.modified = n;
        it.size = n % 7;
        it.num_views = n % 10;
        it.field[ITEM_EXTENT] = n % 10 == 9 ? STR("[]") : arena_printf(c->arena, "[[%u,0],[%u,1]]", n % 100, n % 100 + 1);
        TRY(meta_item_insert(c, tx, &it));
    }
    TRY(numbers(c, tx));
    TRY(meta_item_get(c, tx, &changed, &it));
    it.created = 10000;
    it.field[ITEM_EXTENT] = STR("[[-50,-50],[-40,-40]]");
    TRY(meta_item_update(c, tx, &it));
    TRY(many_total(c, tx, "created:[0 TO 10]", 10));
    TRY(many_total(c, tx, "created:[5000 TO *]", 1));
    TRY(boxed(c, tx, "-45,-45,-44,-44", 1));
    it.created = 7;
    it.field[ITEM_EXTENT] = STR("[[7,0],[8,1]]");
    TRY(meta_item_update(c, tx, &it));
    return numbers(c, tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(visibility, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(follows_changes, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(shared_words, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(other_subjects, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(many_items, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(rolled_back_words, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(odd_texts, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(pages, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(several_orders, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(many_terms, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(groups, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(users, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(rebuilt, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(packed, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(columns, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
