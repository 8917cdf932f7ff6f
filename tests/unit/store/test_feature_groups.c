/* store/feature: groups of rows, filters by shape, and what is remembered of whole layers. */
#include "base/file.h"
#include "store/feature.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_ok(ctx, call)                                                                                                     \
    do {                                                                                                                         \
        if ((call) != RC_OK)                                                                                                     \
            fail_msg("%s: %s", #call, err_text(ctx));                                                                            \
    } while (0)

static const char DEFINITION[] =
    "{\"layers\":[{\"id\":4,\"name\":\"p\",\"geometryType\":\"esriGeometryPoint\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"n\",\"type\":\"esriFieldTypeInteger\"},"
    "{\"name\":\"s\",\"type\":\"esriFieldTypeString\"}]}]}";
enum { ROWS = 12000 };

struct world {
    struct ctx ctx;
    str dir;
    struct service def;
    struct feature_store *fs;
    id store;
};

static str point(struct ctx *ctx, double x, double y)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(100);
    wkb_put_head(&b, &(struct wkb_form){.type = GEOMETRY_POINT});
    wkb_put_coords(&b, (const double[]){x, y}, 2);
    return arena_str(ctx->arena, buf_str(&b));
}

/* Ids 1 to ROWS; n is the id modulo 10, s its parity, the place (id, 0). */
static int open_world(void **state)
{
    static struct world w;
    struct feature_load *load;
    int64_t count;
    ctx_open(&w.ctx);
    struct ctx *ctx = &w.ctx;
    assert_ok(ctx, dir_temp(ctx, NULL, &w.dir));
    assert_ok(ctx, service_parse(ctx, str_c(DEFINITION), &w.def));
    assert_ok(ctx, feature_store_open(ctx, arena_printf(ctx->arena, "dir:%.*s/features", STR_FMT(w.dir)).p, &w.fs));
    w.store = id_new();
    assert_ok(ctx, feature_create(ctx, w.fs, &w.store, &w.def));
    assert_ok(ctx, feature_load_begin(ctx, w.fs, &w.store, &w.def.layers[0], &load));
    for (int64_t i = 1; i <= ROWS; i++) {
        struct value values[] = {
            {.kind = VALUE_NULL}, {.kind = VALUE_INT, .i = i % 10}, {.kind = VALUE_TEXT, .s = i % 2 ? STR("odd") : STR("even")}};
        struct row row = {.oid = i, .values = values, .wkb = point(ctx, (double)i, 0)};
        assert_ok(ctx, feature_load_row(ctx, load, &row));
    }
    assert_ok(ctx, feature_load_end(ctx, load, &count));
    feature_load_close(load);
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    feature_store_close(w->fs);
    assert_ok(&w->ctx, dir_remove_tree(&w->ctx, w->dir.p));
    ctx_close(&w->ctx);
    return 0;
}

static void groups(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    const struct layer *l = &w->def.layers[0];
    struct where s = {.kind = WHERE_FIELD, .field = 2}, n = {.kind = WHERE_FIELD, .field = 1}, *n_only = &n, *having;
    struct where count = {.kind = WHERE_AGGREGATE, .statistic = STATISTIC_COUNT};
    struct where sum = {.kind = WHERE_AGGREGATE, .statistic = STATISTIC_SUM, .args = &n_only, .arg_count = 1};
    const struct where_output outputs[] = {
        {STR("s"), &s, WHERE_TYPE_TEXT}, {STR("c"), &count, WHERE_TYPE_NUMBER}, {STR("t"), &sum, WHERE_TYPE_NUMBER}};
    const struct field fields[] = {{.name = STR("s"), .type = FIELD_STRING},
                                   {.name = STR("c"), .type = FIELD_INTEGER},
                                   {.name = STR("t"), .type = FIELD_DOUBLE}};
    const struct feature_order order = {.field = 2, .descending = true};
    struct feature_groups g = {
        .outputs = outputs, .fields = fields, .count = 3, .group_count = 1, .order = &order, .order_count = 1, .limit = -1};
    struct feature_query q = {.limit = -1};
    struct feature_cursor *c;
    struct row row;
    assert_ok(ctx, feature_groups_open(ctx, w->fs, &w->store, l, &q, &g, &c));
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_true(str_eq(row.values[0].s, STR("odd")) && row.values[1].i == ROWS / 2 && row.values[2].d == ROWS / 10 * 25);
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_true(str_eq(row.values[0].s, STR("even")) && row.values[2].d == ROWS / 10 * 20);
    assert_int_equal(feature_next(ctx, c, &row), RC_END);
    feature_cursor_close(c);
    assert_ok(ctx, where_parse_having(ctx, STR("t < 25000"), l, outputs, 3, &having));
    g.having = having;
    assert_ok(ctx, feature_groups_open(ctx, w->fs, &w->store, l, &q, &g, &c));
    assert_ok(ctx, feature_next(ctx, c, &row));
    assert_true(str_eq(row.values[0].s, STR("even")));
    assert_int_equal(feature_next(ctx, c, &row), RC_END);
    feature_cursor_close(c);
}

static int64_t first_at(struct world *w, int64_t offset)
{
    struct feature_query q = {.offset = offset, .limit = 1};
    struct feature_cursor *c;
    struct row row = {.oid = -1};
    assert_ok(&w->ctx, feature_query_open(&w->ctx, w->fs, &w->store, &w->def.layers[0], &q, &c));
    int rc = feature_next(&w->ctx, c, &row);
    feature_cursor_close(c);
    return rc == RC_OK ? row.oid : -1;
}

static int64_t count_of(struct world *w)
{
    int64_t count;
    assert_ok(&w->ctx, feature_count(&w->ctx, w->fs, &w->store, &w->def.layers[0], &(struct feature_query){.limit = -1}, &count));
    return count;
}

/* Offsets are found by ids while these have no gaps, and counted when they have; edits are seen at once. */
static void totals(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct feature_edit *edit;
    int64_t moment;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(count_of(w), ROWS);
        assert_int_equal(first_at(w, 9000), 9001);
        assert_int_equal(first_at(w, ROWS - 1), ROWS);
        assert_int_equal(first_at(w, ROWS), -1);
        assert_int_equal(first_at(w, ROWS + 5000), -1);
    }
    assert_ok(ctx, feature_edit_begin(ctx, w->fs, &w->store, &edit));
    assert_ok(ctx, feature_edit_delete(ctx, edit, &w->def.layers[0], 500, STR_NONE));
    assert_ok(ctx, feature_edit_commit(ctx, edit, &moment));
    feature_edit_close(edit);
    assert_int_equal(count_of(w), ROWS - 1);
    assert_int_equal(first_at(w, 9000), 9002);
    assert_int_equal(first_at(w, 499), 501);
    assert_int_equal(first_at(w, ROWS - 1), -1);
}

static void shapes(void **state)
{
    struct world *w = *state;
    struct ctx *ctx = &w->ctx;
    struct relate *shape;
    int64_t count;
    assert_ok(ctx, relate_open(ctx, point(ctx, 77, 0), RELATE_INTERSECTS, STR(""), &shape));
    struct feature_query q = {.limit = -1, .shape = shape, .has_box = true, .box = relate_box(shape)};
    assert_ok(ctx, feature_count(ctx, w->fs, &w->store, &w->def.layers[0], &q, &count));
    assert_int_equal(count, 1);
    relate_close(shape);
    assert_ok(ctx, relate_open(ctx, point(ctx, 77, 0), RELATE_DISJOINT, STR(""), &shape));
    q = (struct feature_query){.limit = -1, .shape = shape};
    assert_ok(ctx, feature_count(ctx, w->fs, &w->store, &w->def.layers[0], &q, &count));
    assert_int_equal(count, ROWS - 1);
    struct envelope box;
    bool empty;
    assert_ok(ctx, feature_extent(ctx, w->fs, &w->store, &w->def.layers[0], &q, &box, &empty));
    assert_true(!empty && box.xmin == 1 && box.xmax == ROWS);
    relate_close(shape);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(groups), TEST(totals), TEST(shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
