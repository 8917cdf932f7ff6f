/* Items: what add and update store, file names, ids, data by text and file and back, thumbnails, parts, hosted services, hostile
 * input. */
#include "fixture.h"
#include "service/item_credential.h"

static const struct caller *const owner = &callers[OWNER];

static int add(enum who who, const id *folder, const struct item_input *in, id *out)
{
    return item_add(CTX, SITE, &callers[who], STR("owner"), folder, in, out);
}

static str data_of(const id *item)
{
    struct item_part part;
    assert_ok(item_part_get(CTX, SITE, owner, item, PART_DATA, STR(""), &part));
    return part_bytes(&part);
}

static struct item_part data_part(const id *item)
{
    struct item_part part;
    assert_ok(item_part_get(CTX, SITE, owner, item, PART_DATA, STR(""), &part));
    return part;
}

/* ---- add ---- */

static void add_keeps_what_is_given(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("  Größe \\ \"東京\" 😀 "), STR("Web Map"));
    in.field[ITEM_TAGS] = STR("a, two words ,,東京");
    in.field[ITEM_TYPE_KEYWORDS] = STR("[\"Map\",\"x,y\"]");
    in.field[ITEM_EXTENT] = STR("-10,35,5,45");
    in.field[ITEM_PROPERTIES] = STR("{\"a\": {\"b\":1}}");
    in.field[ITEM_URL] = STR("https://example.invalid/app?x=1&y=2");
    in.has_text = true;
    in.text = STR("{\"k\": \"é\"}");
    id item = add_item_of(OWNER, &in);
    struct item it = item_now(&item);
    assert_str(it.field[ITEM_TITLE], "Größe \\ \"東京\" 😀");
    assert_str(it.field[ITEM_TAGS], "[\"a\",\"two words\",\"東京\"]");
    assert_str(it.field[ITEM_TYPE_KEYWORDS],
               "[\"Map\",\"x,y\",\"ArcGIS Online\",\"Explorer Web Map\",\"Online Map\",\"Web Map\"]");
    assert_str(it.field[ITEM_EXTENT], "[[-10,35],[5,45]]");
    assert_str(it.field[ITEM_PROPERTIES], "{\"a\": {\"b\":1}}");
    assert_str(it.field[ITEM_URL], "https://example.invalid/app?x=1&y=2");
    assert_str(it.owner, "owner");
    assert_int_equal(it.access, ITEM_PRIVATE);
    assert_int_equal(it.size, 11);
    assert_int_equal(it.created, NOW * 1000LL);
    assert_int_equal(it.modified, it.created);
    assert_str(data_of(&item), "{\"k\": \"é\"}");
    struct item_part part = data_part(&item);
    assert_str(part.name, "");
    assert_str(part.content_type, "application/json");
}

static void add_needs_title_and_type(void **state)
{
    (void)state;
    id out;
    struct item_input in = {0};
    assert_refused(add(OWNER, NULL, &in, &out), ERR_ITEM_TITLE_TYPE);
    in.field[ITEM_TITLE] = STR("title");
    assert_refused(add(OWNER, NULL, &in, &out), ERR_ITEM_TITLE_TYPE);
    in = input_of(STR(" "), STR("CSV"));
    assert_refused(add(OWNER, NULL, &in, &out), ERR_ITEM_TITLE_TYPE);
    in.file = blob_of(STR("a,b\n"));
    in.file_name = STR("Punkte ünï.csv");
    in.file_content_type = STR("text/csv");
    assert_ok(add(OWNER, NULL, &in, &out));
    blob_new_close(in.file);
    struct item it = item_now(&out);
    assert_str(it.field[ITEM_TITLE], "Punkte ünï.csv");
    assert_str(it.field[ITEM_NAME], "Punkte ünï.csv");
    assert_int_equal(it.size, 4);
    assert_str(data_part(&out).content_type, "text/csv");
}

static void add_into_the_content_of_others(void **state)
{
    (void)state;
    const struct item_input in = input_of(STR("t"), STR("CSV"));
    static const char expected[] = "T.FFF.";
    id out, nowhere = id_new();
    for (enum who who = 0; who < WHO_COUNT; who++)
        assert_int_equal(outcome(add(who, NULL, &in, &out)), expected[who]);
    assert_str(item_now(&out).owner, "owner"); /* added by the administrator, owned by the one of the path */
    assert_refused(item_add(CTX, SITE, &callers[ADMIN], STR("nobody"), NULL, &in, &out), ERR_USER_MISSING);
    assert_refused(item_add(CTX, SITE, &callers[ANONYMOUS], STR("nobody"), NULL, &in, &out), ERR_TOKEN_REQUIRED);
    assert_refused(add(OWNER, &nowhere, &in, &out), ERR_FOLDER_MISSING);
}

static void id_wanted_by_administrators_only(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("t"), STR("CSV"));
    id out;
    in.wanted_id = id_new();
    assert_refused(add(OWNER, NULL, &in, &out), ERR_FORBIDDEN);
    assert_ok(add(ADMIN, NULL, &in, &out));
    assert_true(id_eq(out, in.wanted_id));
    assert_refused(add(ADMIN, NULL, &in, &out), ERR_ITEM_ID_TAKEN);
}

static struct item_input file_input(str name, str bytes)
{
    struct item_input in = input_of(STR("file"), STR("CSV"));
    in.file = blob_of(bytes);
    in.file_name = name;
    return in;
}

static void file_names_are_unique_in_a_folder(void **state)
{
    (void)state;
    struct folder folder;
    assert_ok(folder_create(CTX, SITE, owner, STR("owner"), STR("F"), &folder));
    struct item_input in = file_input(STR("a.csv"), STR("1"));
    id first, out;
    assert_ok(add(OWNER, NULL, &in, &first));
    assert_int_not_equal(add(OWNER, NULL, &in, &out), RC_OK);
    assert_true(err_is(CTX, &ERR_ITEM_NAME_TAKEN));
    str expected = arena_printf(fx.ctx.arena, "[itemId=%s]", first.text);
    assert_string_equal(err_text(CTX), expected.p);
    err_clear(CTX);
    id in_folder;
    assert_ok(add(OWNER, &folder.id, &in, &in_folder)); /* another folder */
    id of_other;
    assert_ok(item_add(CTX, SITE, &callers[OTHER], STR("other"), NULL, &in, &of_other)); /* another owner */
    assert_refused(item_move(CTX, SITE, owner, &in_folder, STR("")), ERR_ITEM_NAME_TAKEN);
    assert_refused(item_reassign(CTX, SITE, &callers[ADMIN], &of_other, STR("owner"), STR("/")), ERR_ITEM_NAME_TAKEN);
    struct item_input second = file_input(STR("b.csv"), STR("2"));
    assert_ok(add(OWNER, NULL, &second, &out));
    assert_refused(item_update(CTX, SITE, owner, &out, &in), ERR_ITEM_NAME_TAKEN);
    assert_str(data_of(&out), "2");                          /* nothing of the refused update stayed */
    assert_ok(item_update(CTX, SITE, owner, &out, &second)); /* its own name is no collision */
    assert_ok(item_delete(CTX, SITE, owner, &first));
    assert_ok(item_update(CTX, SITE, owner, &out, &in));
    assert_str(item_now(&out).field[ITEM_NAME], "a.csv");
    blob_new_close(in.file);
    blob_new_close(second.file);
}

static int same_name(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct item it;
    TRY(meta_item_get(ctx, tx, arg, &it));
    it.field[ITEM_NAME] = STR("a.csv");
    return meta_item_update(ctx, tx, &it);
}

/* An import may bring what add would refuse: such items can still be changed. */
static void a_name_that_stays_is_no_collision(void **state)
{
    (void)state;
    struct item_input in = file_input(STR("a.csv"), STR("1")), change = {0};
    id first = add_item_of(OWNER, &in), second = add_text_item(OWNER, STR("second"), STR("{}"));
    blob_new_close(in.file);
    assert_ok(sql_write(CTX, fx.site.sql, same_name, &second));
    change.field[ITEM_SNIPPET] = STR("s");
    assert_ok(item_update(CTX, SITE, owner, &first, &change));
    assert_ok(item_update(CTX, SITE, owner, &second, &change));
}

static void overwrite_replaces(void **state)
{
    (void)state;
    struct item_input in = file_input(STR("a.csv"), STR("1")), again = file_input(STR("a.csv"), STR("22"));
    id first, out;
    assert_ok(add(OWNER, NULL, &in, &first));
    again.overwrite = true;
    again.field[ITEM_TITLE] = STR("new title");
    fx.clock.now += 5;
    assert_ok(add(OWNER, NULL, &again, &out));
    assert_true(id_eq(first, out));
    struct item it = item_now(&out);
    assert_str(it.field[ITEM_TITLE], "new title");
    assert_int_equal(it.size, 2);
    assert_int_equal(it.modified, it.created + 5);
    assert_str(data_of(&out), "22");
    again.wanted_id = id_new(); /* an id of its own: that cannot be the item that is there */
    assert_refused(add(ADMIN, NULL, &again, &out), ERR_ITEM_NAME_TAKEN);
    blob_new_close(in.file);
    blob_new_close(again.file);
}

static void relation_in_the_same_transaction(void **state)
{
    (void)state;
    id service = add_text_item(OWNER, STR("service"), STR("{}")), secret = add_text_item(OTHER, STR("secret"), STR("{}")), out;
    struct item_input in = input_of(STR("data"), STR("CSV"));
    struct item_view *v;
    size_t count;
    in.origin = service;
    in.relationship_type = STR("Service2Data");
    assert_ok(add(OWNER, NULL, &in, &out));
    assert_ok(item_related(CTX, SITE, owner, &service, true, STR("Service2Data"), &v, &count));
    assert_int_equal(count, 1);
    assert_true(id_eq(v[0].item.id, out));
    in.origin = ID_NONE;
    in.destination = service;
    assert_ok(add(OWNER, NULL, &in, &out));
    assert_ok(item_related(CTX, SITE, owner, &service, false, STR(""), &v, &count));
    assert_int_equal(count, 1);
    in.origin = service;
    assert_refused(add(OWNER, NULL, &in, &out), ERR_RELATIONSHIP); /* both */
    struct user_content before, after;
    const struct meta_page page = {.num = 100};
    assert_ok(content_list(CTX, SITE, owner, STR("owner"), NULL, &page, &before));
    in.origin = ID_NONE;
    in.relationship_type = STR("Nonsense");
    assert_refused(add(OWNER, NULL, &in, &out), ERR_RELATIONSHIP);
    in.relationship_type = STR("Service2Data");
    in.destination = secret;
    assert_refused(add(OWNER, NULL, &in, &out), ERR_FORBIDDEN);
    in.destination = id_new();
    assert_refused(add(OWNER, NULL, &in, &out), ERR_ITEM_MISSING);
    assert_ok(content_list(CTX, SITE, owner, STR("owner"), NULL, &page, &after));
    assert_int_equal(before.total, after.total); /* none of them was added */
}

/* ---- hostile input ---- */

static str repeated(const char *piece, size_t count)
{
    struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < count; i++)
        buf_add(&b, str_c(piece));
    str out = arena_str(fx.ctx.arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static void hostile_fields(void **state)
{
    (void)state;
    const struct {
        enum item_field field;
        str value;
        bool good;
    } rows[] = {
        {ITEM_TITLE, repeated("é", 256), true},
        {ITEM_TITLE, repeated("é", 257), false},
        {ITEM_TITLE, STR("a\xff"), false},
        {ITEM_TITLE, STR("a\0b"), false},
        {ITEM_TITLE, STR("<script>'; DROP TABLE item; --"), true},
        {ITEM_TYPE, repeated("x", 100), true},
        {ITEM_TYPE, repeated("x", 101), false},
        {ITEM_SNIPPET, repeated("東", 2048), true},
        {ITEM_SNIPPET, repeated("東", 2049), false},
        {ITEM_DESCRIPTION, repeated("x", 100000), true},
        {ITEM_DESCRIPTION, STR("\xed\xa0\x80"), false}, /* a surrogate */
        {ITEM_TAGS, repeated("t,", 1000), true},
        {ITEM_TAGS, repeated("t,", 1001), false},
        {ITEM_TAGS, repeated("t", 1001), false},
        {ITEM_TAGS, STR("\"x"), true},
        {ITEM_TYPE_KEYWORDS, repeated("k,", 1001), false},
        {ITEM_URL, STR("http://h"), true},
        {ITEM_URL, STR("HTTPS://h/x y?é"), true},
        {ITEM_URL, STR("ftp://h/"), false},
        {ITEM_URL, STR("javascript:alert(1)"), false},
        {ITEM_URL, STR("http://"), false},
        {ITEM_URL, STR("http:///x"), false},
        {ITEM_URL, STR("http://h/\n"), true}, /* trimmed */
        {ITEM_URL, STR("http://h/\nx"), false},
        {ITEM_URL, STR("//h/x"), false},
        {ITEM_URL, STR("@server/rest/services/x/FeatureServer"), false},
        {ITEM_PROPERTIES, STR("{\"a\":"), false},
        {ITEM_PROPERTIES, STR("null"), true},
        {ITEM_CLASSIFICATION, STR("x"), false},
        {ITEM_NAME, STR("a/b"), false},
        {ITEM_NAME, STR(".."), false},
        {ITEM_NAME, STR("a\tb"), false},
        {ITEM_NAME, STR("a\\b \"c\".csv"), true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct item_input in = input_of(STR("t"), STR("CSV"));
        id out;
        in.field[rows[i].field] = rows[i].value;
        char got = outcome(add(OWNER, NULL, &in, &out));
        if (got != (rows[i].good ? '.' : 'P'))
            fail_msg("row %zu: %c", i, got);
        if (got == '.')
            assert_ok(item_delete(CTX, SITE, owner, &out));
    }
    struct item_input in = input_of(STR("t"), STR("CSV"));
    in.field[ITEM_EXTENT] = STR("1,2,3");
    id out;
    assert_refused(add(OWNER, NULL, &in, &out), ERR_INVALID);
}

static void hostile_names(void **state)
{
    (void)state;
    const struct {
        str name;
        bool file, part;
    } rows[] = {
        {STR("a"), true, true},
        {STR("é 東京 😀 \"'\\.csv"), true, true},
        {STR("a/b"), false, true},
        {STR("..."), true, true},
        {STR(""), false, false},
        {STR("."), false, false},
        {STR(".."), false, false},
        {STR("/a"), false, false},
        {STR("a/"), false, false},
        {STR("a//b"), false, false},
        {STR("a/../b"), false, false},
        {STR("../a"), false, false},
        {STR("a/./b"), false, false},
        {STR("a\nb"), false, false},
        {STR("a\x7f"), false, false},
        {STR("a\0b"), false, false},
        {STR("a\xc0\xaf"), false, false},
        {repeated("x", 255), true, true},
        {repeated("x", 256), false, false},
        {repeated("xxxxxxxxx/", 99), false, false},
        {str_sub(repeated("xxxxxxxxx/", 100), 0, 999), false, true},
        {str_sub(repeated("xxxxxxxxx/", 101), 0, 1001), false, false},
    };
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct blob_new *blob = blob_of(STR("x"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct part_input part = {.name = rows[i].name, .content_type = STR(""), .blob = blob};
        struct item_input file = {.file = blob, .file_name = rows[i].name};
        char got = outcome(item_update(CTX, SITE, owner, &item, &file));
        char part_got = outcome(item_parts_put(CTX, SITE, owner, &item, PART_RESOURCE, &part, 1, true));
        if (got != (rows[i].file ? '.' : 'P') || part_got != (rows[i].part ? '.' : 'P'))
            fail_msg("row %zu: file %c, resource %c", i, got, part_got);
    }
    struct item_input thumbnail = {.picture[ITEM_PICTURE_SMALL] = {blob, STR("../../etc/passwd")}};
    assert_refused(item_update(CTX, SITE, owner, &item, &thumbnail), ERR_PARAMETER);
    blob_new_close(blob);
}

/* ---- update ---- */

static void update_changes_what_is_given(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("title"), STR("Web Map"));
    in.field[ITEM_SNIPPET] = STR("snippet");
    in.field[ITEM_TAGS] = STR("a,b");
    in.field[ITEM_EXTENT] = STR("1,2,3,4");
    in.field[ITEM_PROPERTIES] = STR("{}");
    id item = add_item_of(OWNER, &in);
    fx.clock.now += 10;
    struct item_input blank = {0}; /* what the Maps SDK sends, without clearEmptyFields */
    for (size_t f = 0; f < ITEM_FIELD_COUNT; f++)
        blank.field[f] = STR("");
    blank.field[ITEM_DESCRIPTION] = STR("about");
    assert_ok(item_update(CTX, SITE, owner, &item, &blank));
    struct item it = item_now(&item);
    assert_str(it.field[ITEM_SNIPPET], "snippet");
    assert_str(it.field[ITEM_TAGS], "[\"a\",\"b\"]");
    assert_str(it.field[ITEM_EXTENT], "[[1,2],[3,4]]");
    assert_str(it.field[ITEM_DESCRIPTION], "about");
    assert_int_equal(it.modified, it.created + 10);
    blank.clear_empty = true;
    assert_ok(item_update(CTX, SITE, owner, &item, &blank));
    it = item_now(&item);
    assert_str(it.field[ITEM_TITLE], "title"); /* an item has a title and a type */
    assert_str(it.field[ITEM_TYPE], "Web Map");
    assert_str(it.field[ITEM_SNIPPET], "");
    assert_str(it.field[ITEM_TAGS], "");
    assert_str(it.field[ITEM_EXTENT], "");
    assert_str(it.field[ITEM_PROPERTIES], "");
    assert_str(it.field[ITEM_DESCRIPTION], "about");
}

static void access_by_update(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct item_input in = {.access = STR("public")};
    assert_ok(item_update(CTX, SITE, owner, &item, &in));
    assert_int_equal(item_now(&item).access, ITEM_PUBLIC);
    in.access = STR("shared"); /* as printed for a private item of a group */
    assert_ok(item_update(CTX, SITE, owner, &item, &in));
    assert_int_equal(item_now(&item).access, ITEM_PUBLIC);
    in.access = STR("everybody");
    assert_refused(item_update(CTX, SITE, owner, &item, &in), ERR_PARAMETER);
    share_item_as(&item, UPDATE_GROUP);
    in.access = STR("private"); /* a member sends back what it read */
    assert_ok(item_update(CTX, SITE, &callers[MEMBER], &item, &in));
    in.access = STR("org");
    assert_refused(item_update(CTX, SITE, &callers[MEMBER], &item, &in), ERR_FORBIDDEN);
}

static void data_from_text_to_file_and_back(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct item_input file = file_input(STR("p2.csv"), STR("a,b\n1,2\n"));
    assert_ok(item_update(CTX, SITE, owner, &item, &file));
    assert_str(item_now(&item).field[ITEM_NAME], "p2.csv");
    assert_int_equal(item_now(&item).size, 8);
    assert_str(data_part(&item).name, "p2.csv");
    struct item_input text = {.has_text = true, .text = STR("not JSON")};
    assert_ok(item_update(CTX, SITE, owner, &item, &text));
    assert_str(data_of(&item), "not JSON");
    assert_str(data_part(&item).name, "");
    assert_str(data_part(&item).content_type, "text/plain");
    assert_str(item_now(&item).field[ITEM_NAME], "");
    assert_int_equal(item_now(&item).size, 8);
    text.text = STR("");
    assert_ok(item_update(CTX, SITE, owner, &item, &text)); /* blank: ignored */
    assert_str(data_of(&item), "not JSON");
    text.clear_empty = true;
    assert_ok(item_update(CTX, SITE, owner, &item, &text));
    struct item_part part;
    assert_int_equal(item_part_get(CTX, SITE, owner, &item, PART_DATA, STR(""), &part), RC_NOT_FOUND);
    assert_null(fx.ctx.err.kind); /* no data is no error */
    assert_int_equal(item_now(&item).size, -1);
    assert_ok(item_update(CTX, SITE, owner, &item, &file));
    assert_ok(item_update(CTX, SITE, owner, &item, &text)); /* a blank text does not erase a file */
    assert_str(data_of(&item), "a,b\n1,2\n");
    assert_int_equal(item_now(&item).size, 8);
    fx.clock.now += 4;
    assert_ok(item_update(CTX, SITE, owner, &item, &file));
    assert_int_equal(data_part(&item).modified, data_part(&item).created + 4);
    file.has_text = true;
    file.text = STR("{}");
    assert_refused(item_update(CTX, SITE, owner, &item, &file), ERR_PARAMETER);
    text.text = STR("a\0b");
    assert_refused(item_update(CTX, SITE, owner, &item, &text), ERR_PARAMETER);
    SITE->settings.text_max = 4;
    text.text = STR("12345");
    assert_refused(item_update(CTX, SITE, owner, &item, &text), ERR_LIMIT);
    blob_new_close(file.file);
}

static void large_data_are_stored(void **state)
{
    (void)state;
    str large = repeated("0123456789", 20000); /* a file of the content store, not a row */
    struct item_input in = file_input(STR("large.csv"), large);
    id item = add_item_of(OWNER, &in);
    blob_new_close(in.file);
    assert_true(str_eq(data_of(&item), large));
    assert_int_equal(item_now(&item).size, 200000);
}

static void thumbnail_and_metadata(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("t"), STR("CSV"));
    in.picture[ITEM_PICTURE_SMALL] = (struct item_picture_input){blob_of(STR("png")), STR("one.png")};
    in.metadata = blob_of(STR("<metadata/>"));
    in.field[ITEM_THUMBNAIL] = STR("thumbnail/of-another-portal.png"); /* names a file that is not here */
    id item = add_item_of(OWNER, &in);
    blob_new_close(in.picture[ITEM_PICTURE_SMALL].blob);
    blob_new_close(in.metadata);
    struct item_part part, *list;
    size_t count;
    struct item_input named = input_of(STR("t"), STR("CSV"));
    named.field[ITEM_THUMBNAIL] = STR("thumbnail/of-another-portal.png");
    id without = add_item_of(OWNER, &named);
    assert_str(item_now(&without).field[ITEM_THUMBNAIL], "");
    assert_str(item_now(&item).field[ITEM_THUMBNAIL], "thumbnail/one.png");
    assert_ok(item_part_get(CTX, SITE, owner, &item, PART_INFO, STR("metadata/metadata.xml"), &part));
    assert_str(part_bytes(&part), "<metadata/>");
    in = (struct item_input){.picture[ITEM_PICTURE_SMALL] = {blob_of(STR("other")), STR("two.png")}};
    assert_ok(item_update(CTX, SITE, owner, &item, &in));
    blob_new_close(in.picture[ITEM_PICTURE_SMALL].blob);
    assert_ok(item_parts_list(CTX, SITE, owner, &item, PART_INFO, STR("thumbnail"), &list, &count));
    assert_int_equal(count, 1); /* the old one is gone */
    assert_str(list[0].name, "thumbnail/two.png");
    assert_ok(item_thumbnail_remove(CTX, SITE, owner, &item));
    assert_str(item_now(&item).field[ITEM_THUMBNAIL], "");
    assert_refused(item_part_get(CTX, SITE, owner, &item, PART_INFO, STR("thumbnail/two.png"), &part), ERR_ITEM_INFO_MISSING);
    assert_ok(item_part_get(CTX, SITE, owner, &item, PART_INFO, STR("metadata/metadata.xml"), &part));
    struct part_input put = {.name = STR("thumbnail/three.png"), .content_type = STR("image/png"), .blob = blob_of(STR("3"))};
    assert_ok(item_parts_put(CTX, SITE, owner, &item, PART_INFO, &put, 1, true)); /* by updateinfo */
    blob_new_close(put.blob);
    assert_str(item_now(&item).field[ITEM_THUMBNAIL], "thumbnail/three.png");
    assert_ok(item_part_remove(CTX, SITE, owner, &item, PART_INFO, STR("thumbnail/three.png"), STR("")));
    assert_str(item_now(&item).field[ITEM_THUMBNAIL], "");
}

static void put_resource(const id *item, str name, bool private_access)
{
    const struct part_input in = {.name = name, .content_type = STR(""), .blob = blob_of(name), .private_access = private_access};
    assert_ok(item_parts_put(CTX, SITE, owner, item, PART_RESOURCE, &in, 1, true));
    blob_new_close(in.blob);
}

static size_t resource_count(enum who who, const id *item, str prefix)
{
    struct item_part *list;
    size_t count;
    assert_ok(item_parts_list(CTX, SITE, &callers[who], item, PART_RESOURCE, prefix, &list, &count));
    return count;
}

static void resources(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct item_part part;
    share_item_as(&item, PUBLIC);
    put_resource(&item, STR("img/a.png"), false);
    put_resource(&item, STR("images/a.png"), false);
    put_resource(&item, STR("secret.json"), true);
    assert_int_equal(resource_count(OWNER, &item, STR("")), 3);
    assert_int_equal(resource_count(OWNER, &item, STR("im")), 0); /* a prefix is a folder */
    assert_int_equal(resource_count(OWNER, &item, STR("img/")), 1);
    assert_int_equal(resource_count(OTHER, &item, STR("")), 2); /* the private one is not theirs */
    assert_refused(item_part_get(CTX, SITE, &callers[OTHER], &item, PART_RESOURCE, STR("secret.json"), &part), ERR_FORBIDDEN);
    assert_refused(item_part_get(CTX, SITE, &callers[ANONYMOUS], &item, PART_RESOURCE, STR("secret.json"), &part),
                   ERR_TOKEN_REQUIRED);
    assert_ok(item_part_get(CTX, SITE, owner, &item, PART_RESOURCE, STR("secret.json"), &part));
    assert_refused(item_part_get(CTX, SITE, owner, &item, PART_RESOURCE, STR("none"), &part), ERR_ITEM_RESOURCE_MISSING);
    struct part_input again = {.name = STR("img/a.png"), .content_type = STR(""), .blob = blob_of(STR("new"))};
    assert_refused(item_parts_put(CTX, SITE, owner, &item, PART_RESOURCE, &again, 1, false), ERR_PARAMETER);
    fx.clock.now += 7;
    assert_ok(item_parts_put(CTX, SITE, owner, &item, PART_RESOURCE, &again, 1, true));
    blob_new_close(again.blob);
    assert_ok(item_part_get(CTX, SITE, owner, &item, PART_RESOURCE, STR("img/a.png"), &part));
    assert_str(part_bytes(&part), "new");
    assert_int_equal(part.modified, part.created + 7);
    assert_ok(item_part_remove(CTX, SITE, owner, &item, PART_RESOURCE, STR_NONE, STR("img")));
    assert_int_equal(resource_count(OWNER, &item, STR("")), 2);
    assert_refused(item_part_remove(CTX, SITE, owner, &item, PART_RESOURCE, STR("img/a.png"), STR("")),
                   ERR_ITEM_RESOURCE_MISSING);
    assert_ok(item_part_remove(CTX, SITE, owner, &item, PART_RESOURCE, STR_NONE, STR("")));
    assert_int_equal(resource_count(OWNER, &item, STR("")), 0);
}

/* ---- delete, move, reassign ---- */

static void protected_items_stay(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct item_view v;
    assert_ok(item_protect(CTX, SITE, owner, &item, true));
    assert_true(item_now(&item).protected);
    assert_refused(item_delete(CTX, SITE, &callers[ADMIN], &item), ERR_ITEM_PROTECTED);
    assert_ok(item_protect(CTX, SITE, owner, &item, false));
    assert_ok(item_delete(CTX, SITE, owner, &item));
    assert_refused(item_get(CTX, SITE, owner, &item, &v), ERR_ITEM_MISSING);
}

static int disable_other(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user u;
    (void)arg;
    TRY(meta_user_get(ctx, tx, STR("other"), &u));
    u.disabled = true;
    return meta_user_update(ctx, tx, &u);
}

static void move_and_reassign(void **state)
{
    (void)state;
    id item = add_text_item(OWNER, STR("t"), STR("{}"));
    struct folder mine, theirs;
    assert_ok(folder_create(CTX, SITE, owner, STR("owner"), STR("F"), &mine));
    assert_ok(folder_create(CTX, SITE, &callers[OTHER], STR("other"), STR("F"), &theirs));
    assert_ok(item_move(CTX, SITE, owner, &item, id_str(&mine.id)));
    assert_true(id_eq(item_now(&item).folder, mine.id));
    assert_refused(item_move(CTX, SITE, owner, &item, id_str(&theirs.id)), ERR_FOLDER_MISSING);
    assert_refused(item_move(CTX, SITE, owner, &item, STR("nonsense")), ERR_FOLDER_MISSING);
    assert_ok(item_move(CTX, SITE, owner, &item, STR("/")));
    assert_true(id_none(item_now(&item).folder));
    assert_refused(item_reassign(CTX, SITE, &callers[ADMIN], &item, STR("nobody"), STR("/")), ERR_USER_MISSING);
    assert_ok(item_reassign(CTX, SITE, &callers[ADMIN], &item, STR("other"), STR("f"))); /* titles without regard to case */
    assert_true(id_eq(item_now(&item).folder, theirs.id));
    assert_str(item_now(&item).owner, "other");
    assert_refused(item_update(CTX, SITE, owner, &item, &(struct item_input){0}), ERR_FORBIDDEN);
    assert_ok(item_reassign(CTX, SITE, &callers[ADMIN], &item, STR("owner"), STR("New one"))); /* made */
    struct user_content content;
    assert_ok(content_list(CTX, SITE, owner, STR("owner"), NULL, &(struct meta_page){.num = 10}, &content));
    assert_int_equal(content.folder_count, 2);
    assert_true(id_eq(item_now(&item).folder, content.folders[1].id));
    share_item_as(&item, GROUP);
    assert_refused(item_reassign(CTX, SITE, &callers[ADMIN], &item, STR("other"), STR("")), ERR_PARAMETER);
    assert_ok(item_reassign(CTX, SITE, &callers[ADMIN], &item, STR("member"), STR("")));
    share_item_as(&item, PRIVATE);
    id second = add_text_item(OWNER, STR("t"), STR("{}"));
    assert_ok(sql_write(CTX, fx.site.sql, disable_other, NULL));
    assert_refused(item_reassign(CTX, SITE, &callers[ADMIN], &second, STR("other"), STR("")), ERR_PARAMETER);
}

/* ---- hosted services ---- */

struct hosted_rows {
    struct hosted row;
    id *drop;
    size_t drop_count;
};

static int hosted_insert(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    return meta_hosted_insert(ctx, tx, &((struct hosted_rows *)arg)->row);
}
static int hosted_drops(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct hosted_rows *rows = arg;
    return meta_stores_to_drop(ctx, tx, &rows->drop, &rows->drop_count);
}

static id hosted_item(str name, struct hosted_rows *rows)
{
    struct item_input in = input_of(name, STR("Feature Service"));
    in.field[ITEM_NAME] = name;
    in.field[ITEM_URL] =
        arena_printf(fx.ctx.arena, "https://127.0.0.1:7080/server/rest/services/%.*s/FeatureServer", STR_FMT(name));
    id item = add_item_of(OWNER, &in);
    rows->row = (struct hosted){.item = item, .name = name, .store = id_new(), .definition = STR("{}")};
    assert_ok(sql_write(CTX, fx.site.sql, hosted_insert, rows));
    return item;
}

static void a_hosted_service_keeps_its_address(void **state)
{
    (void)state;
    struct hosted_rows rows;
    id item = hosted_item(STR("svc"), &rows);
    struct item_view v;
    assert_str(item_now(&item).field[ITEM_URL], "@server/rest/services/svc/FeatureServer");
    struct item_input in = input_of(STR("renamed"), STR("Web Map"));
    in.field[ITEM_URL] = STR("http://evil.example/");
    in.field[ITEM_NAME] = STR("other");
    in.clear_empty = true;
    assert_ok(item_update(CTX, SITE, owner, &item, &in));
    in.field[ITEM_URL] = STR("");
    assert_ok(item_update(CTX, SITE, owner, &item, &in));
    assert_ok(item_get(CTX, SITE, owner, &item, &v));
    assert_true(v.hosted);
    assert_str(v.item.field[ITEM_TITLE], "renamed");
    assert_str(v.item.field[ITEM_TYPE], "Feature Service");
    assert_str(v.item.field[ITEM_NAME], "svc");
    assert_str(v.item.field[ITEM_URL], "@server/rest/services/svc/FeatureServer");
    struct buf b = BUF_INIT(1 << 16);
    struct json_out o;
    json_out_buf(&o, CTX, &b);
    item_view_print(CTX, &o, SITE, STR("https://public.example/server"), &v, true);
    assert_ok(json_out_end(&o, "item"));
    struct json j;
    assert_ok(json_parse(CTX, buf_str(&b), &j));
    assert_str(json_string(json_get_c(j, "url"), fx.ctx.arena), "https://public.example/server/rest/services/svc/FeatureServer");
    assert_str(json_string(json_get_c(j, "itemControl"), fx.ctx.arena), "admin");
    assert_str(json_string(json_get_c(j, "orgId"), fx.ctx.arena), "0123456789ABCDEF");
    buf_free(&b);
}

static void deleting_a_hosted_service_drops_its_store(void **state)
{
    (void)state;
    struct hosted_rows rows;
    id item = hosted_item(STR("svc"), &rows), store = rows.row.store;
    assert_ok(sql_read(CTX, fx.site.sql, hosted_drops, &rows));
    assert_int_equal(rows.drop_count, 0);
    assert_ok(item_delete(CTX, SITE, owner, &item));
    assert_ok(sql_read(CTX, fx.site.sql, hosted_drops, &rows));
    assert_int_equal(rows.drop_count, 1);
    assert_true(id_eq(rows.drop[0], store));
    assert_ok(site_drop_stores(CTX, SITE));
    assert_ok(sql_read(CTX, fx.site.sql, hosted_drops, &rows));
    assert_int_equal(rows.drop_count, 0);
}

static void overwrite_never_replaces_a_service(void **state)
{
    (void)state;
    struct hosted_rows rows;
    hosted_item(STR("svc"), &rows);
    struct item_input in = file_input(STR("svc"), STR("x"));
    id out;
    in.overwrite = true;
    assert_refused(add(OWNER, NULL, &in, &out), ERR_ITEM_NAME_TAKEN);
    blob_new_close(in.file);
}

/* ---- credentials of services ---- */

static int sealed_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct credential *c = arg;
    return meta_credential_get(ctx, tx, &c->item, c);
}

/* The members as stored; STR_NONE when there are none. */
static str credential_of(const id *item)
{
    struct credential c = {.item = *item};
    str plain;
    int rc = sql_read(CTX, fx.site.sql, sealed_row, &c);
    if (rc == RC_NOT_FOUND)
        return STR_NONE;
    assert_ok(rc);
    assert_true(seal_open(CTX->arena, &fx.site.key, id_str(item), c.sealed, &plain));
    assert_int_equal(str_find(c.sealed, STR("pa55word"), 0), SIZE_MAX);
    return plain;
}

static uint64_t bad_credentials;
static void count_finding(void *arg, const char *line)
{
    (void)arg;
    assert_true(str_find(str_c(line), STR("pa55word"), 0) == SIZE_MAX);
}

static void credentials_are_sealed_and_stay(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("t"), STR("Map Service")), nothing = {.clear_empty = true}, change = {0};
    in.field[ITEM_URL] = STR("https://gis.example.com/rest/services/A/MapServer");
    in.credential[0] = STR("reader");
    in.credential[1] = STR("pa55word");
    id item = add_item_of(OWNER, &in);
    assert_str(credential_of(&item), "{\"serviceUsername\":\"reader\",\"servicePassword\":\"pa55word\"}");
    nothing.field[ITEM_SNIPPET] = STR("");
    nothing.field[ITEM_URL] = in.field[ITEM_URL];
    assert_ok(item_update(CTX, SITE, owner, &item, &nothing));
    change.credential[0] = STR("writer");
    assert_ok(item_update(CTX, SITE, owner, &item, &change));
    assert_str(credential_of(&item), "{\"serviceUsername\":\"writer\",\"servicePassword\":\"pa55word\"}");
    assert_ok(item_credentials_check(CTX, fx.site.sql, fx.dir.p, count_finding, NULL, &bad_credentials));
    assert_int_equal(bad_credentials, 0);
    assert_ok(file_write_all(CTX, arena_printf(CTX->arena, "%s/" SITE_KEY_FILE, fx.dir.p).p,
                             STR("0123456789abcdef0123456789abcdef"), 0600));
    assert_ok(item_credentials_check(CTX, fx.site.sql, fx.dir.p, count_finding, NULL, &bad_credentials));
    assert_int_equal(bad_credentials, 1);
}

/* Who may update an item, but not see its credentials, must not lead them to a server of his. */
static void credentials_go_with_the_address(void **state)
{
    (void)state;
    struct item_input in = input_of(STR("t"), STR("Map Service")), moved = {0}, erased = {.clear_empty = true};
    in.field[ITEM_URL] = STR("https://gis.example.com/rest/services/A/MapServer");
    in.credential[1] = STR("pa55word");
    id item = add_item_of(OWNER, &in), other = add_item_of(OWNER, &in);
    share_item_as(&item, UPDATE_GROUP);
    moved.field[ITEM_URL] = STR("https://evil.example.com/rest/services/A/MapServer");
    assert_ok(item_update(CTX, SITE, &callers[MEMBER], &item, &moved));
    assert_true(str_none(credential_of(&item)));
    erased.credential[1] = STR("");
    assert_ok(item_update(CTX, SITE, owner, &other, &erased));
    assert_true(str_none(credential_of(&other)));
    in.credential[1] = arena_printf(CTX->arena, "%05000d", 1);
    assert_refused(item_update(CTX, SITE, owner, &other, &in), ERR_PARAMETER);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(add_keeps_what_is_given),
        TEST(add_needs_title_and_type),
        TEST(add_into_the_content_of_others),
        TEST(id_wanted_by_administrators_only),
        TEST(file_names_are_unique_in_a_folder),
        TEST(a_name_that_stays_is_no_collision),
        TEST(overwrite_replaces),
        TEST(relation_in_the_same_transaction),
        TEST(hostile_fields),
        TEST(hostile_names),
        TEST(update_changes_what_is_given),
        TEST(access_by_update),
        TEST(data_from_text_to_file_and_back),
        TEST(large_data_are_stored),
        TEST(thumbnail_and_metadata),
        TEST(resources),
        TEST(protected_items_stay),
        TEST(move_and_reassign),
        TEST(a_hosted_service_keeps_its_address),
        TEST(deleting_a_hosted_service_drops_its_store),
        TEST(overwrite_never_replaces_a_service),
        TEST(credentials_are_sealed_and_stay),
        TEST(credentials_go_with_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
