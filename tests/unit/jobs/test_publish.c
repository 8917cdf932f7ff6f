/* Publishing files as hosted services through the job engine. */
#include "base/file.h"
#include "base/mem.h"
#include "jobs/jobs.h"
#include "service/hosted.h"
#include "service/item.h"
#include "service/user.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

struct world {
    struct ctx ctx;
    struct site site;
    struct jobs *jobs;
    str dir;
    struct caller admin;
};

static int world_open(void **state)
{
    struct world *w = mem_new(struct world);
    bool created;
    ctx_open(&w->ctx);
    assert_int_equal(dir_temp(&w->ctx, NULL, &w->dir), RC_OK);
    struct site_open options = {.dir = w->dir.p,
                                .portal_url = "http://127.0.0.1:7080/portal",
                                .server_url = "http://127.0.0.1:7080/server",
                                .settings = site_settings_default()};
    options.settings.convert_program = CONVERT_PROGRAM;
    options.settings.free_space_min = 0;
    if (site_open(&w->ctx, &options, &w->site) != RC_OK)
        fail_msg("%s", err_text(&w->ctx));
    assert_int_equal(user_create_first(&w->ctx, &w->site, STR("admin"), STR("a long password"), &created), RC_OK);
    assert_int_equal(jobs_open(&w->ctx, &w->site, 1, &w->jobs), RC_OK);
    w->admin = (struct caller){.username = STR("admin"), .role = ROLE_ADMIN};
    *state = w;
    return 0;
}

static int world_close(void **state)
{
    struct world *w = *state;
    jobs_close(w->jobs);
    site_close(&w->site);
    assert_int_equal(dir_remove_tree(&w->ctx, w->dir.p), RC_OK);
    ctx_close(&w->ctx);
    mem_free(w);
    return 0;
}

static id add_item(struct world *w, const char *type, const char *name, str content)
{
    struct ctx *ctx = &w->ctx;
    struct blob_new *blob;
    id out;
    assert_int_equal(blob_put(ctx, w->site.blobs, content, &blob), RC_OK);
    struct item_input in = {.file = blob, .file_name = str_c(name)};
    in.field[ITEM_TITLE] = str_c(name);
    in.field[ITEM_TYPE] = str_c(type);
    if (item_add(ctx, &w->site, &w->admin, STR("admin"), &ID_NONE, &in, &out) != RC_OK)
        fail_msg("%s", err_text(ctx));
    blob_new_close(blob);
    return out;
}

static id add_sample(struct world *w, const char *type, const char *name)
{
    str content;
    str path = arena_printf(w->ctx.arena, "%s/%s", SAMPLES, name);
    assert_int_equal(file_read_all(&w->ctx, path.p, 4 << 20, &content), RC_OK);
    return add_item(w, type, name, content);
}

/* Runs a publish job to its end. */
static struct job publish(struct world *w, const id *item, const id *service_item, const char *file_type, const char *name,
                          const char *more)
{
    struct ctx *ctx = &w->ctx;
    struct job job;
    char key[JOB_KEY_SIZE];
    id job_id;
    str request = arena_printf(
        ctx->arena,
        "{\"itemId\":\"%s\",\"serviceItemId\":\"%s\",\"owner\":\"admin\",\"folder\":\"\",\"name\":\"%s\",\"title\":\"%s\","
        "\"fileType\":\"%s\"%s}",
        item->text, service_item->text, name, name, file_type, more);
    const struct job_submit submit = {
        .kind = "publish", .owner = STR("admin"), .definition = STR("{}"), .request = request, .item = id_str(service_item)};
    assert_int_equal(jobs_submit(ctx, w->jobs, &submit, &job_id, key), RC_OK);
    assert_int_equal(jobs_wait(ctx, w->jobs, &job_id, &job), RC_OK);
    return job;
}

static int64_t count_rows(struct world *w, str name, int32_t layer_id)
{
    struct hosted_service *h;
    struct feature_query q = {.limit = -1};
    int64_t n = -1;
    if (hosted_open(&w->ctx, &w->site, &w->admin, name, FEATURE_QUERY, &h) != RC_OK)
        fail_msg("%s", err_text(&w->ctx));
    assert_int_equal(feature_count(&w->ctx, w->site.features, &h->store, service_layer(&h->def, layer_id), &q, &n), RC_OK);
    hosted_release(&h);
    return n;
}

static void assert_succeeded(const struct job *job)
{
    if (job->state != JOB_SUCCEEDED)
        fail_msg("%.*s", STR_FMT(job->messages));
}

static void the_samples_become_services(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *type, *file, *file_type, *name;
        int64_t rows[3];
        int32_t layers;
    } SAMPLE[] = {
        {"GeoPackage", "capitals.gpkg", "geoPackage", "Capitals", {194, 3104, 1318}, 3},
        {"GeoJson", "countries.geojson", "geojson", "Countries", {241}, 1},
        {"Shapefile", "rivers.zip", "shapefile", "Rivers", {461}, 1},
        {"CSV", "continents.csv", "csv", "Continents", {9}, 1},
    };
    for (size_t i = 0; i < COUNT_OF(SAMPLE); i++) {
        id item = add_sample(w, SAMPLE[i].type, SAMPLE[i].file), service = id_new();
        struct job job = publish(w, &item, &service, SAMPLE[i].file_type, SAMPLE[i].name, "");
        struct json result;
        struct item_view view;
        struct item_view *sources;
        size_t source_count;
        assert_succeeded(&job);
        assert_int_equal(json_parse(&w->ctx, job.result, &result), RC_OK);
        assert_true(json_string_eq(json_get_c(result, "serviceItemId"), id_str(&service)));
        assert_true(json_string_eq(json_get_c(result, "name"), str_c(SAMPLE[i].name)));
        assert_int_equal(item_get(&w->ctx, &w->site, &w->admin, &service, &view), RC_OK);
        assert_true(str_eq(view.item.field[ITEM_TYPE], STR("Feature Service")));
        assert_int_equal(item_related(&w->ctx, &w->site, &w->admin, &service, true, STR("Service2Data"), &sources, &source_count),
                         RC_OK);
        assert_int_equal(source_count, 1);
        assert_true(id_eq(sources[0].item.id, item));
        for (int32_t layer = 0; layer < SAMPLE[i].layers; layer++)
            assert_int_equal(count_rows(w, str_c(SAMPLE[i].name), layer), SAMPLE[i].rows[layer]);
    }
}

static int count_store(struct ctx *ctx, const id *store, void *arg)
{
    (void)ctx;
    (void)store;
    ++*(size_t *)arg;
    return RC_OK;
}

static size_t count_stores(struct world *w)
{
    size_t n = 0;
    assert_int_equal(feature_stores_each(&w->ctx, w->site.features, count_store, &n), RC_OK);
    return n;
}

static void a_bad_file_fails_and_leaves_nothing(void **state)
{
    struct world *w = *state;
    id item = add_item(w, "GeoJson", "bad.geojson", STR("{\"type\":\"FeatureCollection\",\"features\":[")), service = id_new();
    struct item_view view;
    struct job job = publish(w, &item, &service, "geojson", "Bad", "");
    assert_int_equal(job.state, JOB_FAILED);
    assert_true(str_find(job.messages, STR("the file could not be read: "), 0) != SIZE_MAX);
    assert_int_equal(item_get(&w->ctx, &w->site, &w->admin, &service, &view), RC_NOT_FOUND);
    err_clear(&w->ctx);
    assert_int_equal(count_stores(w), 0);
    job = publish(w, &item, &service, "tilePackage", "Bad", "");
    assert_int_equal(job.state, JOB_FAILED);
    assert_true(str_find(job.messages, STR("'tilePackage'"), 0) != SIZE_MAX);
}

static void overwriting_keeps_the_service(void **state)
{
    struct world *w = *state;
    id item = add_sample(w, "GeoPackage", "cities.gpkg"), first = id_new(), second = id_new();
    struct job job = publish(w, &item, &first, "geoPackage", "Cities", "");
    struct json result;
    assert_succeeded(&job);
    job = publish(w, &item, &second, "geoPackage", "Cities", ",\"overwrite\":true,\"targetWkid\":102100");
    assert_succeeded(&job);
    assert_int_equal(json_parse(&w->ctx, job.result, &result), RC_OK);
    assert_true(json_string_eq(json_get_c(result, "serviceItemId"), id_str(&first)));
    assert_int_equal(count_rows(w, STR("Cities"), 0), 243);
    struct hosted_service *h;
    assert_int_equal(hosted_open(&w->ctx, &w->site, &w->admin, STR("Cities"), FEATURE_QUERY, &h), RC_OK);
    assert_int_equal(h->def.layers[0].latest_wkid, 3857);
    hosted_release(&h);
    job = publish(w, &item, &second, "geoPackage", "Cities", "");
    assert_succeeded(&job);
    assert_int_equal(json_parse(&w->ctx, job.result, &result), RC_OK);
    assert_true(json_string_eq(json_get_c(result, "name"), STR("Cities_1")));
}

static int reopen_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct job *job = arg;
    job->state = JOB_RUNNING;
    job->result = STR("");
    return meta_job_update(ctx, tx, job);
}

/* The process ended between publishing and noting that the job succeeded: the service's rows stay where they are. */
static void a_job_that_is_run_again_publishes_once(void **state)
{
    struct world *w = *state;
    id item = add_sample(w, "GeoPackage", "cities.gpkg"), service = id_new();
    struct job job = publish(w, &item, &service, "geoPackage", "Cities", ""), again;
    str first = job.result;
    assert_succeeded(&job);
    jobs_close(w->jobs);
    assert_int_equal(sql_write(&w->ctx, w->site.sql, reopen_row, &job), RC_OK);
    assert_int_equal(jobs_open(&w->ctx, &w->site, 1, &w->jobs), RC_OK);
    assert_int_equal(jobs_wait(&w->ctx, w->jobs, &job.id, &again), RC_OK);
    assert_succeeded(&again);
    assert_true(str_eq(again.result, first));
    assert_int_equal(count_stores(w), 1);
    assert_int_equal(count_rows(w, STR("Cities"), 0), 243);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(the_samples_become_services),
        TEST(a_bad_file_fails_and_leaves_nothing),
        TEST(overwriting_keeps_the_service),
        TEST(a_job_that_is_run_again_publishes_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
