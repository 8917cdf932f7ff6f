/* The texts of an item: which parts they are, and what a change of them leaves alone. */
#include "memory_portal.h"

static void parts_that_are_text(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum part_kind kind;
        const char *name;
        int64_t size;
        bool text;
    } PART[] = {
        {"Web Map", PART_DATA, "", 10, true},
        {"Web Map", PART_DATA, "map.json", 10, true},
        {"Web Map", PART_DATA, "", TEXT_MAX, true},
        {"Web Map", PART_DATA, "", TEXT_MAX + 1LL, false},
        {"web map", PART_DATA, "", 10, true},
        {"PDF", PART_DATA, "a.pdf", 10, false},
        {"PDF", PART_DATA, "a.json", 10, false},
        {"PDF", PART_DATA, "", 10, false},
        {"CSV", PART_DATA, "a.csv", 10, false},
        {"Feature Service", PART_DATA, "", 10, true},
        {"Feature Service", PART_DATA, "a.bin", 10, false},
        {"Nobody knows it", PART_DATA, "", 10, true},
        {"Nobody knows it", PART_DATA, "a.json", 10, false},
        {"PDF", PART_RESOURCE, "config/config.json", 10, true},
        {"PDF", PART_RESOURCE, "config/CONFIG.JSON", 10, true},
        {"PDF", PART_RESOURCE, "a.xml", 10, true},
        {"PDF", PART_RESOURCE, "a.html", 10, true},
        {"PDF", PART_RESOURCE, "a.htm", 10, true},
        {"PDF", PART_RESOURCE, "a.svg", 10, true},
        {"PDF", PART_RESOURCE, "a.js", 10, true},
        {"PDF", PART_RESOURCE, "a.css", 10, true},
        {"PDF", PART_RESOURCE, "a.txt", 10, true},
        {"PDF", PART_RESOURCE, "form.webform", 10, true},
        {"Web Map", PART_RESOURCE, "a.png", 10, false},
        {"Web Map", PART_RESOURCE, "json", 10, false},
        {"Web Map", PART_RESOURCE, "a.json.gz", 10, false},
        {"Web Map", PART_RESOURCE, "", 10, false},
        {"Web Map", PART_RESOURCE, "a.json", TEXT_MAX + 1LL, false},
        {"Web Map", PART_INFO, "metadata/metadata.xml", 10, true},
        {"Web Map", PART_INFO, "thumbnail/t.png", 10, false},
    };
    for (size_t i = 0; i < COUNT_OF(PART); i++) {
        struct item item = {0};
        item.field[ITEM_TYPE] = str_c(PART[i].type);
        const struct item_part part = {.kind = PART[i].kind, .name = str_c(PART[i].name), .size = PART[i].size};
        if (text_part(CTX, &item, &part) != PART[i].text)
            fail_msg("%s, '%s', %lld bytes", PART[i].type, PART[i].name, (long long)PART[i].size);
    }
}

static void a_text_beyond_what_was_said_of_its_size_is_refused(void **state)
{
    (void)state;
    str text;
    struct memory_item *m = memory_add(1, "Web Map");
    memory_part(m, PART_DATA, "", "");
    m->bytes[0] = str_of(mem_alloc(TEXT_MAX + 1), TEXT_MAX + 1);
    assert_int_equal(text_read(CTX, &mem.source.base, &m->item.item.id, &m->parts[0], &text), RC_FAIL);
    assert_true(err_is(CTX, &ERR_LIMIT));
    mem_free((void *)m->bytes[0].p);
}

/* ---- changing ---- */

struct changes {
    char seen[1024]; /* "place name;" of each text, in order */
    size_t count;
    int fail; /* the call of this number, from 1 */
    int calls;
};

/* Replaces the first "old" by "new and longer". */
static int change(struct ctx *ctx, void *arg, const struct itemtype *type, enum ref_place place, str name, str text, str *out)
{
    (void)type;
    struct changes *c = arg;
    c->count += (size_t)snprintf(c->seen + c->count, sizeof c->seen - c->count, "%c %.*s;", "FDR"[place], STR_FMT(name));
    assert_true(c->count < sizeof c->seen);
    if (++c->calls == c->fail)
        return err_set(ctx, &ERR_INVALID, "This cannot be changed.");
    size_t at = str_find(text, STR("old"), 0);
    *out = at == SIZE_MAX ? text
                          : arena_printf(ctx->arena, "%.*snew and longer%.*s", STR_FMT(str_sub(text, 0, at)),
                                         STR_FMT(str_sub(text, at + 3, text.n)));
    return RC_OK;
}

static struct memory_item *everything(void)
{
    struct memory_item *m = memory_add(1, "Web Map");
    str *field = m->item.item.field;
    field[ITEM_TITLE] = STR("old title");
    field[ITEM_DESCRIPTION] = STR("an old word");
    field[ITEM_SNIPPET] = STR("nothing to see");
    field[ITEM_URL] = STR("http://old");
    field[ITEM_TAGS] = STR("[\"old\"]");
    m->item.hosted = true;
    m->item.definition = STR("{\"d\":\"old\"}");
    memory_part(m, PART_DATA, "", "{ \"a\" :  \"old\" }");
    memory_part(m, PART_RESOURCE, "same.json", "{\"b\" :1 }\r\n");
    memory_part(m, PART_RESOURCE, "images/old.png", "old");
    memory_part(m, PART_RESOURCE, "page.html", "<p>old");
    memory_part(m, PART_INFO, "metadata/metadata.xml", "<x>old</x>");
    return m;
}

static void without_a_change_nothing_is_read(void **state)
{
    (void)state;
    struct memory_item *m = everything();
    struct item_put put;
    assert_ok(texts_put(CTX, &mem.source.base, &m->item, NULL, NULL, &put));
    assert_int_equal(mem.source.opened, 0);
    assert_int_equal(put.part_count, 5);
    for (size_t i = 0; i < put.part_count; i++) {
        assert_false(put.parts[i].changed);
        assert_true(str_eq(put.parts[i].part.name, m->parts[i].name));
    }
    assert_ptr_equal(put.source, &mem.source.base);
    assert_true(id_eq(put.source_id, m->item.item.id));
    assert_str(put.item->item.field[ITEM_URL], "http://old");
}

static void only_what_changed_is_marked_and_the_rest_keeps_its_bytes(void **state)
{
    (void)state;
    struct memory_item *m = everything();
    struct item_put put;
    struct changes c = {0};
    assert_ok(texts_put(CTX, &mem.source.base, &m->item, change, &c, &put));
    assert_str(str_c(c.seen), "F description;F snippet;F url;D definition;D ;R same.json;R page.html;R metadata/metadata.xml;");
    static const struct {
        bool changed;
        const char *text;
    } WANTED[] = {{true, "{ \"a\" :  \"new and longer\" }"},
                  {false, ""},
                  {false, ""},
                  {true, "<p>new and longer"},
                  {true, "<x>new and longer</x>"}};
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        assert_int_equal(put.parts[i].changed, WANTED[i].changed);
        assert_true(str_eq(put.parts[i].text, str_c(WANTED[i].text)));
    }
    assert_int_equal(mem.source.opened, 4); /* not the picture */
    const struct item *it = &put.item->item;
    assert_str(it->field[ITEM_TITLE], "old title");
    assert_str(it->field[ITEM_TAGS], "[\"old\"]");
    assert_str(it->field[ITEM_DESCRIPTION], "an new and longer word");
    assert_str(it->field[ITEM_SNIPPET], "nothing to see");
    assert_str(it->field[ITEM_URL], "http://new and longer");
    assert_str(put.item->definition, "{\"d\":\"new and longer\"}");
    assert_int_equal(it->size, strlen(WANTED[0].text)); /* of the data, not of other parts */
    /* The source's item is as it was. */
    assert_str(m->item.item.field[ITEM_URL], "http://old");
    assert_str(m->item.definition, "{\"d\":\"old\"}");
    assert_int_equal(m->item.item.size, 16);
}

static void an_item_that_names_nothing_is_put_as_it_is(void **state)
{
    (void)state;
    struct memory_item *m = memory_add(1, "Web Map");
    memory_part(m, PART_DATA, "", " {\"x\":1e2}\n");
    m->item.definition = STR("old"); /* not hosted: it has none */
    struct item_put put;
    struct changes c = {0};
    assert_ok(texts_put(CTX, &mem.source.base, &m->item, change, &c, &put));
    assert_str(str_c(c.seen), "D ;");
    assert_false(put.parts[0].changed);
    assert_int_equal(put.item->item.size, 11);
    assert_str(put.item->definition, "old");
}

static void every_failure_is_passed_on(void **state)
{
    (void)state;
    struct memory_item *m = everything();
    struct item_put put;
    for (int n = 1; n <= 8; n++) {
        struct changes c = {.fail = n};
        assert_int_equal(texts_put(CTX, &mem.source.base, &m->item, change, &c, &put), RC_FAIL);
        assert_true(err_is(CTX, &ERR_INVALID));
        assert_int_equal(c.calls, n);
        err_clear(CTX);
    }
    struct changes c = {0};
    mem.source.broken_part = "page.html";
    assert_int_equal(texts_put(CTX, &mem.source.base, &m->item, change, &c, &put), RC_FAIL);
    assert_true(err_is(CTX, &ERR_CORRUPT));
}

/* ---- finding ---- */

static void references_are_found_with_their_places(void **state)
{
    (void)state;
    struct memory_item *m = memory_add(1, "Web Map");
    const id known_id = id_of(0xabc);
    struct ref_list found = {0};
    m->item.item.field[ITEM_DESCRIPTION] = STR("see 00000000000000000000000000000abc");
    m->item.item.field[ITEM_TITLE] = STR("00000000000000000000000000000abc");
    memory_part(m, PART_DATA, "", "{\"operationalLayers\":[{\"itemId\":\"00000000000000000000000000000def\"}]}");
    memory_part(m, PART_RESOURCE, "a.txt", "00000000000000000000000000000abc");
    memory_part(m, PART_RESOURCE, "a.png", "00000000000000000000000000000abc");
    struct idmap *known = idmap_open();
    idmap_item(known, &known_id, &known_id);
    assert_ok(texts_find(CTX, &mem.source.base, &m->item, known, &found));
    idmap_close(known);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.list[0].place, REF_ITEM_FIELD);
    assert_str(found.list[0].name, "description");
    assert_int_equal(found.list[1].place, REF_DATA);
    assert_str(found.list[1].value, "00000000000000000000000000000def");
    assert_int_equal(found.list[2].place, REF_RESOURCE);
    assert_str(found.list[2].name, "a.txt");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, memory_open, memory_shut)
    const struct CMUnitTest tests[] = {
        TEST(parts_that_are_text),
        TEST(a_text_beyond_what_was_said_of_its_size_is_refused),
        TEST(without_a_change_nothing_is_read),
        TEST(only_what_changed_is_marked_and_the_rest_keeps_its_bytes),
        TEST(an_item_that_names_nothing_is_put_as_it_is),
        TEST(every_failure_is_passed_on),
        TEST(references_are_found_with_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
