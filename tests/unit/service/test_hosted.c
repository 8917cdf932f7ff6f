/* Hosted services below HTTP: who may what, names, publishing, and that readers keep the version they opened. */
#include "fixture.h"
#include "service/hosted.h"
#include "service/hosted_json.h"
#include <pthread.h>

static const struct caller *const owner = &callers[MEMBER]; /* a publisher */

static struct json json_of(const char *text)
{
    struct json v;
    assert_ok(json_parse(CTX, str_c(text), &v));
    return v;
}

static struct hosted_created create(const char *parameters)
{
    str fields[ITEM_FIELD_COUNT] = {[ITEM_TAGS] = STR("a,b")};
    struct hosted_created out;
    assert_ok(hosted_create(CTX, SITE, owner, owner->username, &ID_NONE, json_of(parameters), fields, &out));
    return out;
}

static const char points[] =
    "{\"layers\":[{\"id\":0,\"name\":\"points\",\"geometryType\":\"esriGeometryPoint\",\"fields\":["
    "{\"name\":\"OBJECTID\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"n\",\"type\":\"esriFieldTypeInteger\"},"
    "{\"name\":\"who\",\"type\":\"esriFieldTypeString\"},{\"name\":\"at\",\"type\":\"esriFieldTypeDate\"}],"
    "\"editFieldsInfo\":{\"creationDateField\":\"at\",\"creatorField\":\"who\"}}]}";

static void add_points(const char *name)
{
    str answer;
    assert_ok(hosted_add_to_definition(CTX, SITE, owner, str_c(name), -1, json_of(points), &answer));
}

static void count_store(int *count) { ++*count; }

static int visit_store(struct ctx *ctx, const id *store, void *arg)
{
    (void)ctx, (void)store;
    count_store(arg);
    return RC_OK;
}

static int store_count(void)
{
    int count = 0;
    assert_ok(feature_stores_each(CTX, fx.site.features, visit_store, &count));
    return count;
}

static void creating(void **state)
{
    (void)state;
    struct hosted_created c = create("{\"name\":\"Parks\",\"initialExtent\":{\"xmin\":-10,\"ymin\":40,\"xmax\":5,\"ymax\":50,"
                                     "\"spatialReference\":{\"wkid\":4326}}}");
    struct item it = item_now(&c.item);
    assert_str(c.url, "@server/rest/services/Hosted/Parks/FeatureServer");
    assert_str(it.field[ITEM_URL], "@server/rest/services/Hosted/Parks/FeatureServer");
    assert_str(it.field[ITEM_TYPE], "Feature Service");
    assert_str(it.field[ITEM_TITLE], "Parks");
    assert_str(it.field[ITEM_TAGS], "[\"a\",\"b\"]");
    assert_str(it.field[ITEM_EXTENT], "[[-10,40],[5,50]]");
    assert_true(item_has_keyword(CTX, &it, STR("Hosted Service")));
    assert_str(it.owner, "member");
    assert_int_equal(store_count(), 1);
    /* what fails leaves nothing */
    str fields[ITEM_FIELD_COUNT] = {0};
    struct hosted_created out;
    id nowhere = id_new();
    assert_refused(hosted_create(CTX, SITE, owner, owner->username, &ID_NONE, json_of("{\"name\":\"PARKS\"}"), fields, &out),
                   ERR_SERVICE_NAME);
    assert_refused(hosted_create(CTX, SITE, owner, owner->username, &nowhere, json_of("{\"name\":\"x\"}"), fields, &out),
                   ERR_FOLDER_MISSING);
    assert_refused(hosted_create(CTX, SITE, owner, STR("other"), &ID_NONE, json_of("{\"name\":\"x\"}"), fields, &out),
                   ERR_FORBIDDEN);
    assert_refused(hosted_create(CTX, SITE, owner, owner->username, &ID_NONE, json_of("{\"name\":\"a b\"}"), fields, &out),
                   ERR_PARAMETER);
    assert_refused(hosted_create(CTX, SITE, &callers[OTHER], STR("other"), &ID_NONE, json_of("{\"name\":\"x\"}"), fields, &out),
                   ERR_FORBIDDEN);
    assert_refused(
        hosted_create(CTX, SITE, &callers[ANONYMOUS], STR("other"), &ID_NONE, json_of("{\"name\":\"x\"}"), fields, &out),
        ERR_TOKEN_REQUIRED);
    assert_int_equal(store_count(), 1);
    bool is_free;
    assert_ok(hosted_name_available(CTX, SITE, STR("pARKS"), &is_free));
    assert_false(is_free);
    assert_ok(hosted_name_available(CTX, SITE, STR("Parks_1"), &is_free));
    assert_true(is_free);
    assert_ok(hosted_name_available(CTX, SITE, STR("_x"), &is_free));
    assert_false(is_free);
}

static char try_open(enum who who, enum feature_right right)
{
    struct hosted_service *h = NULL;
    char letter = outcome(hosted_open(CTX, SITE, &callers[who], STR("Rights"), right, &h));
    assert_int_equal(letter == '.', h != NULL);
    hosted_release(&h);
    return letter;
}

/* Rows: how the item is shared. Columns: ANONYMOUS, OWNER (of the group), MEMBER (owns the service), MANAGER, OTHER, ADMIN. */
static void rights(void **state)
{
    (void)state;
    struct hosted_created c = create("{\"name\":\"Rights\",\"capabilities\":\"Query,Create\"}");
    static const struct {
        enum feature_right right;
        const char *rows[SHARING_COUNT];
    } tables[] = {
        {FEATURE_QUERY, {"TF.FF.", "T...F.", "T...F.", "T.....", "......"}},
        {FEATURE_CREATE, {"TF.FF.", "T...F.", "T...F.", "T.....", "......"}},
        {FEATURE_DELETE, {"TF.FF.", "TF.FF.", "T...F.", "TF.FF.", "TF.FF."}},
    };
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (enum sharing sharing = 0; sharing < SHARING_COUNT; sharing++) {
            id * not ;
            size_t count;
            share_item_as(&c.item, PRIVATE);
            assert_ok(
                item_unshare(CTX, SITE, &callers[ADMIN], &c.item, (const id[]){fx.group, fx.update_group}, 2, &not, &count));
            share_item_as(&c.item, sharing);
            for (enum who who = 0; who < WHO_COUNT; who++)
                if (try_open(who, tables[t].right) != tables[t].rows[sharing][who])
                    fail_msg("right %d, sharing %d, caller %d", (int)tables[t].right, (int)sharing, (int)who);
        }
    struct hosted_service *h = NULL;
    assert_refused(hosted_open(CTX, SITE, owner, STR("None"), FEATURE_QUERY, &h), ERR_SERVICE_MISSING);
    assert_refused(hosted_open_admin(CTX, SITE, &callers[OTHER], STR("Rights"), &h), ERR_FORBIDDEN);
    assert_null(h);
    str *names;
    size_t count;
    assert_ok(hosted_list(CTX, SITE, &callers[ANONYMOUS], &names, &count));
    assert_int_equal(count, 1);
    share_item_as(&c.item, ORG);
    assert_ok(hosted_list(CTX, SITE, &callers[ANONYMOUS], &names, &count));
    assert_int_equal(count, 0);
}

static void readers_keep_their_version(void **state)
{
    (void)state;
    create("{\"name\":\"Parks\",\"capabilities\":\"Query\"}");
    struct hosted_service *before, *same, *after;
    assert_ok(hosted_open(CTX, SITE, owner, STR("parks"), FEATURE_QUERY, &before));
    assert_ok(hosted_open(CTX, SITE, owner, STR("PARKS"), FEATURE_QUERY, &same));
    assert_ptr_equal(before->definition.p, same->definition.p);
    hosted_release(&same);
    assert_null(same);
    add_points("Parks"); /* the clock stands still: the version grows all the same */
    assert_ok(hosted_open(CTX, SITE, owner, STR("Parks"), FEATURE_QUERY, &after));
    assert_true(after->modified > before->modified);
    assert_int_equal(after->def.layer_count, 1);
    assert_int_equal(before->def.layer_count, 0);
    assert_true(json_is(before->def.json, JSON_OBJECT));
    hosted_release(&before);
    hosted_release(&after);
}

static void many_services(void **state)
{
    (void)state;
    enum { COUNT = 140 }; /* more than the cache keeps */
    for (int i = 0; i < COUNT; i++)
        create(arena_printf(fx.ctx.arena, "{\"name\":\"S%d\"}", i).p);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < COUNT; i++) {
            struct hosted_service *h;
            str name = arena_printf(fx.ctx.arena, "S%d", i);
            assert_ok(hosted_open(CTX, SITE, owner, name, FEATURE_QUERY, &h));
            assert_true(str_eq(h->name, name));
            hosted_release(&h);
        }
}

/* Readers and an editor beside a changing definition: each sees a whole version. */
struct beside {
    pthread_t thread;
    struct ctx ctx;
    atomic_bool *stop;
    bool edits, failed;
};

static bool look(struct ctx *ctx)
{
    struct hosted_service *h;
    if (hosted_open(ctx, SITE, owner, STR("Parks"), FEATURE_QUERY, &h) != RC_OK)
        return false;
    bool ok = h->def.layer_count >= 1 && service_layer(&h->def, 0) && json_is(h->def.json, JSON_OBJECT);
    hosted_release(&h);
    return ok;
}

static bool edit(struct ctx *ctx)
{
    struct hosted_layer_edits edits = {0};
    struct hosted_editing editing;
    const enum feature_right right = FEATURE_CREATE;
    int64_t moment;
    if (json_parse(ctx, STR("[{\"attributes\":{\"n\":1,\"who\":\"me\"}}]"), &edits.adds) != RC_OK ||
        hosted_editing_open(ctx, SITE, owner, STR("Parks"), &right, 1, &editing) != RC_OK)
        return false;
    edits.layer = service_layer(&editing.service->def, 0);
    int rc = hosted_apply_edits(ctx, SITE, owner, editing.service, &(struct hosted_edit_options){.rollback = true}, &edits, 1,
                                &moment);
    hosted_editing_close(&editing);
    return rc == RC_OK && edits.added.count == 1 && edits.added.list[0].success;
}

static void *run_beside(void *arg)
{
    struct beside *b = arg;
    while (!atomic_load(b->stop) && !b->failed) {
        b->failed = b->edits ? !edit(&b->ctx) : !look(&b->ctx);
        arena_reset(b->ctx.arena);
    }
    return NULL;
}

static void changes_beside_readers(void **state)
{
    (void)state;
    create("{\"name\":\"Parks\",\"capabilities\":\"Query,Create\"}");
    add_points("Parks");
    atomic_bool stop = false;
    struct beside threads[3] = {{.edits = true}};
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        threads[i].stop = &stop;
        ctx_child(&threads[i].ctx, CTX);
        assert_int_equal(pthread_create(&threads[i].thread, NULL, run_beside, &threads[i]), 0);
    }
    int rc = RC_OK;
    for (int i = 0; i < 20 && rc == RC_OK; i++) {
        str answer;
        rc = hosted_add_to_definition(CTX, SITE, owner, STR("Parks"), -1,
                                      json_of(arena_printf(fx.ctx.arena, "{\"tables\":[{\"name\":\"t%d\",\"fields\":[]}]}", i).p),
                                      &answer);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i].thread, NULL);
        assert_false(threads[i].failed);
        ctx_close(&threads[i].ctx);
    }
    assert_ok(rc);
}

static void tracking_of_edits(void **state)
{
    (void)state;
    create("{\"name\":\"Parks\",\"capabilities\":\"Query,Create\"}");
    add_points("Parks");
    assert_true(edit(CTX));
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    assert_ok(hosted_open(CTX, SITE, owner, STR("Parks"), FEATURE_QUERY, &h));
    struct feature_query all = {.limit = -1};
    struct feature_cursor *cursor;
    struct row row;
    assert_ok(feature_query_open(CTX, fx.site.features, &h->store, &h->def.layers[0], &all, &cursor));
    assert_ok(feature_next(CTX, cursor, &row));
    assert_str(row.values[2].s, "member");
    assert_int_equal(row.values[3].i, NOW * 1000LL);
    assert_int_equal(feature_next(CTX, cursor, &row), RC_END);
    feature_cursor_close(cursor);
}

/* ---- publishing ---- */

static const char definition[] =
    "{\"capabilities\":\"Query\",\"layers\":[{\"id\":0,\"name\":\"points\",\"geometryType\":\"esriGeometryPoint\","
    "\"spatialReference\":{\"wkid\":4326},\"fields\":[{\"name\":\"fid\",\"type\":\"esriFieldTypeOID\"}]}]}";

static id loaded_store(void)
{
    id store = id_new();
    struct service def;
    assert_ok(service_parse(CTX, str_c(definition), &def));
    assert_ok(feature_create(CTX, fx.site.features, &store, &def));
    return store;
}

static void publishing(void **state)
{
    (void)state;
    id source = add_text_item(MEMBER, STR("the source"), STR("{}")), other = add_text_item(MEMBER, STR("other"), STR("{}"));
    struct hosted_publish in = {.owner = STR("member"),
                                .source_item = source,
                                .item = id_new(),
                                .name = STR("My parks é"),
                                .title = STR("My parks"),
                                .definition = str_c(definition),
                                .store = loaded_store()};
    struct hosted_created out, again;
    assert_ok(hosted_publish(CTX, SITE, &in, &out));
    assert_true(id_eq(out.item, in.item));
    assert_str(out.name, "My_parks___");
    struct item it = item_now(&out.item);
    assert_str(it.field[ITEM_TITLE], "My parks");
    struct item_view *views;
    size_t count;
    assert_ok(item_related(CTX, SITE, owner, &out.item, true, STR("Service2Data"), &views, &count));
    assert_int_equal(count, 1);
    assert_true(id_eq(views[0].item.id, source));
    assert_ok(hosted_publish(CTX, SITE, &in, &again)); /* a repeated step */
    assert_str(again.name, "My_parks___");
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    assert_ok(hosted_open(CTX, SITE, owner, out.name, FEATURE_QUERY, &h));
    assert_false(json_absent(json_get_c(h->def.layers[0].json, "drawingInfo"))); /* completed */
    /* the name is taken: a suffix */
    struct hosted_publish second = in;
    second.item = id_new();
    second.name = STR("my_parks___");
    second.store = loaded_store();
    assert_ok(hosted_publish(CTX, SITE, &second, &again));
    assert_str(again.name, "my_parks____1");
    /* overwriting keeps item and name, and drops the old data set later */
    struct hosted_publish over = in;
    over.item = id_new();
    over.name = STR("My parks é"); /* as wanted, not as made */
    over.store = loaded_store();
    over.overwrite = true;
    assert_ok(hosted_publish(CTX, SITE, &over, &again));
    assert_true(id_eq(again.item, out.item));
    assert_ok(hosted_publish(CTX, SITE, &over, &again)); /* repeated */
    assert_true(id_eq(again.item, out.item));
    hosted_release(&h);
    assert_ok(hosted_open(CTX, SITE, owner, out.name, FEATURE_QUERY, &h));
    assert_true(id_eq(h->store, over.store));
    int before = store_count();
    assert_ok(site_drop_stores(CTX, SITE));
    assert_int_equal(store_count(), before - 1);
    over.source_item = other;
    over.store = loaded_store();
    assert_refused(hosted_publish(CTX, SITE, &over, &again), ERR_SERVICE_NAME);
}

/* ---- merging ---- */

static void merging_members(void **state)
{
    (void)state;
    struct json v = json_of("{\"a\" : 1.50,\"b\":null,\"q\\\"\":[ 1 ],\"c\":2}");
    const struct hosted_member list[] = {{"a", STR("9"), false},   {"b", STR("8"), false}, {"c", STR_NONE, true},
                                         {"q\"", STR("{}"), true}, {"d", STR("7"), false}, {"e", STR_NONE, false}};
    assert_str(hosted_json_object(CTX, v, list, COUNT_OF(list)), "{\"a\":1.50,\"b\":8,\"q\\\"\":{},\"d\":7}");
    assert_str(hosted_json_object(CTX, JSON_ABSENT, list, 1), "{\"a\":9}");
    assert_str(hosted_json_object(CTX, v, NULL, 0), "{\"a\":1.50,\"b\":null,\"q\\\"\":[ 1 ],\"c\":2}");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {TEST(creating),
                                       TEST(rights),
                                       TEST(readers_keep_their_version),
                                       TEST(many_services),
                                       TEST(changes_beside_readers),
                                       TEST(tracking_of_edits),
                                       TEST(publishing),
                                       TEST(merging_members)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
