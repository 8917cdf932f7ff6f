/* store/feature under edits: what an edit changes and what a broken one leaves, the pending spatial index, and the log of
 * changes. */
#include "base/clock.h"
#include "base/file.h"
#include "model/errors.h"
#include "model/geometry/wkb.h"
#include "store/feature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static const char DEFINITION[] =
    "{\"layers\":[{\"id\":1,\"name\":\"points\",\"geometryType\":\"esriGeometryPoint\",\"spatialReference\":{\"wkid\":3857},"
    "\"fields\":[{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},{\"name\":\"n\",\"type\":\"esriFieldTypeInteger\"},"
    "{\"name\":\"gid\",\"type\":\"esriFieldTypeGlobalID\"}]}],"
    "\"tables\":[{\"id\":2,\"name\":\"notes\",\"fields\":[{\"name\":\"FID\",\"type\":\"esriFieldTypeOID\"},"
    "{\"name\":\"note\",\"type\":\"esriFieldTypeString\"}]}]}";

static struct world {
    struct ctx ctx;
    str dir;
    struct service def;
    struct feature_store *fs;
    id store;
} w;
#define CTX (&w.ctx)
#define assert_rc(call, expected)                                                                                                \
    do {                                                                                                                         \
        int rc_ = (call);                                                                                                        \
        if (rc_ != (expected))                                                                                                   \
            fail_msg("%s: %d, %s", #call, rc_, err_text(CTX));                                                                   \
    } while (0)
#define assert_ok(call) assert_rc(call, RC_OK)

static int open_world(void **state)
{
    (void)state;
    ctx_open(CTX);
    assert_ok(dir_temp(CTX, NULL, &w.dir));
    assert_ok(service_parse(CTX, str_c(DEFINITION), &w.def));
    assert_ok(feature_store_open(CTX, arena_printf(w.ctx.arena, "dir:%.*s/features", STR_FMT(w.dir)).p, &w.fs));
    w.store = id_new();
    assert_ok(feature_create(CTX, w.fs, &w.store, &w.def));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    feature_store_close(w.fs);
    assert_ok(dir_remove_tree(CTX, w.dir.p));
    ctx_close(CTX);
    return 0;
}

static const struct layer *points(void) { return service_layer(&w.def, 1); }
static const struct layer *notes(void) { return service_layer(&w.def, 2); }

static str point(double x, double y)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(100);
    wkb_put_head(&b, &(struct wkb_form){.type = GEOMETRY_POINT});
    wkb_put_coords(&b, (const double[]){x, y}, 2);
    return arena_str(w.ctx.arena, buf_str(&b));
}

static struct feature_edit *begin(void)
{
    struct feature_edit *e;
    assert_ok(feature_edit_begin(CTX, w.fs, &w.store, &e));
    return e;
}

static int64_t commit(struct feature_edit *e)
{
    int64_t moment;
    assert_ok(feature_edit_commit(CTX, e, &moment));
    feature_edit_close(e);
    return moment;
}

static int64_t add_point(struct feature_edit *e, double x, double y)
{
    struct value values[] = {{.kind = VALUE_NULL}, {.kind = VALUE_INT, .i = 1}, {.kind = VALUE_NULL}};
    struct row row = {.values = values, .wkb = point(x, y)};
    assert_ok(feature_edit_add(CTX, e, points(), &row));
    return row.oid;
}

/* Ids in the box, separated by spaces; NULL: all. */
static const char *found(const struct envelope *box)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    struct feature_query q = {.limit = -1, .has_box = box != NULL, .box_exact = true};
    struct feature_cursor *c;
    struct row row;
    if (box)
        q.box = *box;
    assert_ok(feature_query_open(CTX, w.fs, &w.store, points(), &q, &c));
    while (feature_next(CTX, c, &row) == RC_OK)
        buf_printf(&b, "%s%lld", b.n ? " " : "", (long long)row.oid);
    feature_cursor_close(c);
    return arena_cstr(w.ctx.arena, buf_str(&b));
}

static struct envelope extent(void)
{
    struct envelope box;
    bool empty;
    assert_ok(feature_extent(CTX, w.fs, &w.store, points(), &(struct feature_query){.limit = -1}, &box, &empty));
    assert_int_equal(empty, envelope_empty(&box));
    return box;
}

static void count_finding(void *arg, const char *line)
{
    print_error("%s\n", line);
    ++*(int *)arg;
}

static void assert_sound(void)
{
    uint64_t bad = 0;
    int lines = 0;
    assert_ok(feature_check(CTX, w.fs, &w.store, count_finding, &lines, &bad));
    assert_int_equal(bad, 0);
}

static const struct envelope LEFT = {-10, -10, -1, 10}, RIGHT = {1, -10, 10, 10};

static void rows_change(void **state)
{
    (void)state;
    struct feature_edit *e = begin();
    int64_t a = add_point(e, -5, 0), b = add_point(e, -6, 0.1);
    assert_string_equal(found(NULL), ""); /* nobody sees it before the commit */
    int64_t first = commit(e);
    assert_string_equal(found(&LEFT), "1 2");
    assert_string_equal(found(&RIGHT), "");

    static const size_t field[] = {1};
    struct value values[] = {{.kind = VALUE_NULL}, {.kind = VALUE_INT, .i = 7}, {.kind = VALUE_NULL}};
    struct row moved = {.oid = b, .values = values, .wkb = point(5.25, 0.1)}, same = {.oid = a, .values = values},
               missing = {.oid = 99, .values = values};
    e = begin();
    assert_ok(feature_edit_update(CTX, e, points(), &(struct feature_update){&moved, NULL, 0, true}));
    assert_ok(feature_edit_update(CTX, e, points(), &(struct feature_update){&same, field, 1, false}));
    assert_rc(feature_edit_update(CTX, e, points(), &(struct feature_update){&missing, field, 1, false}), RC_NOT_FOUND);
    int64_t second = commit(e);
    assert_true(second > first);
    assert_string_equal(found(&LEFT), "1");
    assert_string_equal(found(&RIGHT), "2");
    assert_true(extent().xmin == -5 && extent().xmax == 5.25 && extent().ymax == 0.1);
    assert_sound();

    e = begin();
    assert_ok(feature_edit_delete(CTX, e, points(), b, STR_NONE));
    assert_rc(feature_edit_delete(CTX, e, points(), b, STR_NONE), RC_NOT_FOUND);
    commit(e);
    assert_string_equal(found(&RIGHT), "");
    assert_true(extent().xmax == -5);
    assert_sound();
    int64_t least, last;
    assert_ok(feature_generations(CTX, w.fs, &w.store, points(), &least, &last));
    assert_true(least <= first && last > second);
}

static void what_is_not_committed_is_not_there(void **state)
{
    (void)state;
    struct feature_edit *e = begin();
    add_point(e, -5, 0);
    commit(e);
    e = begin();
    add_point(e, 5, 0);
    assert_ok(feature_edit_delete(CTX, e, points(), 1, STR_NONE));
    feature_edit_close(e);
    assert_string_equal(found(NULL), "1");
    assert_string_equal(found(&RIGHT), "");
    assert_sound();
}

/* A row that is refused takes nothing along. */
static void refused_rows(void **state)
{
    (void)state;
    struct value wrong[] = {{.kind = VALUE_NULL}, {.kind = VALUE_INT, .i = INT64_MAX}, {.kind = VALUE_NULL}};
    struct row row = {.values = wrong, .wkb = point(0, 0)}, twice = {.oid = 1, .values = wrong, .wkb = point(0, 0)};
    struct feature_edit *e = begin();
    add_point(e, -5, 0);
    assert_rc(feature_edit_add(CTX, e, points(), &row), RC_FAIL);
    assert_true(err_is(CTX, &ERR_INVALID));
    err_clear(CTX);
    wrong[1].i = 1;
    assert_rc(feature_edit_add(CTX, e, points(), &twice), RC_FAIL); /* the id is taken */
    err_clear(CTX);
    add_point(e, -6, 0);
    commit(e);
    assert_string_equal(found(&LEFT), "1 2");
    assert_sound();
}

static void an_edit_sees_itself(void **state)
{
    (void)state;
    struct feature_edit *e = begin();
    add_point(e, 5, 0);
    struct feature_cursor *c;
    struct row row;
    const struct feature_query q = {.limit = -1, .has_box = true, .box = RIGHT};
    assert_ok(feature_edit_query(CTX, e, points(), &q, &c));
    assert_ok(feature_next(CTX, c, &row));
    assert_int_equal(row.oid, 1);
    assert_rc(feature_next(CTX, c, &row), RC_END);
    feature_cursor_close(c);
    commit(e);
}

static void clearing(void **state)
{
    (void)state;
    struct value values[] = {{.kind = VALUE_NULL}, {.kind = VALUE_TEXT, .s = STR("kept")}};
    struct row note = {.values = values};
    struct feature_edit *e = begin();
    for (int i = 0; i < 200; i++)
        add_point(e, i, -i);
    assert_ok(feature_edit_add(CTX, e, notes(), &note));
    commit(e);
    e = begin();
    assert_ok(feature_edit_clear(CTX, e, points()));
    int64_t next = add_point(e, -5, 0);
    commit(e);
    assert_int_equal(next, 201); /* ids are not given twice */
    assert_string_equal(found(NULL), "201");
    assert_string_equal(found(&LEFT), "201");
    assert_true(extent().xmin == -5 && extent().xmax == -5);
    int64_t count;
    assert_ok(feature_count(CTX, w.fs, &w.store, notes(), &(struct feature_query){.limit = -1}, &count));
    assert_int_equal(count, 1);
    assert_sound();
}

/* More than is merged at rest: the same is found before, while and after the pending boxes go into the tree, edits among them. */
static void merging(void **state)
{
    (void)state;
    enum { COUNT = 20000, ROUNDS = 400 };
    struct feature_edit *e = begin();
    for (int i = 0; i < COUNT; i++)
        add_point(e, i % 100, 1 + i / 100);
    commit(e);
    const struct envelope box = {3, 5, 4, 5.5};
    const char *expected = "404 405";
    assert_string_equal(found(&box), expected);
    struct value values[] = {{.kind = VALUE_NULL}, {.kind = VALUE_NULL}, {.kind = VALUE_NULL}};
    for (int i = 0; i < ROUNDS; i++) { /* to and fro, wherever the box is at that time */
        struct row row = {.oid = 404, .values = values, .wkb = i % 2 ? point(3, 5) : point(-3, 5)};
        e = begin();
        assert_ok(feature_edit_update(CTX, e, points(), &(struct feature_update){&row, NULL, 0, true}));
        commit(e);
        assert_string_equal(found(&box), i % 2 ? expected : "405");
        assert_string_equal(found(&LEFT), i % 2 ? "" : "404");
        if (i % 50 == 0)
            assert_sound();
    }
    feature_store_close(w.fs);
    assert_ok(feature_store_open(CTX, arena_printf(w.ctx.arena, "dir:%.*s/features", STR_FMT(w.dir)).p, &w.fs));
    assert_string_equal(found(&box), expected);
    assert_sound();
}

/* Attachments are in the same log, by ids of their own. */
static void changes_of_files(void **state)
{
    (void)state;
    struct feature_changes c;
    struct feature_edit *e = begin();
    add_point(e, 1, 1);
    int64_t first = commit(e), number;
    const struct feature_file_change all[] = {{1, FILE_ADDED, 7, STR("{A}")},   {1, FILE_ADDED, 8, STR("{B}")},
                                              {1, FILE_UPDATED, 8, STR("{B}")}, {1, FILE_DELETED, 7, STR("{A}")},
                                              {1, FILE_DELETED, 5, STR("{C}")}, {2, FILE_UPDATED, 9, STR("{D}")}};
    e = begin();
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_ok(feature_edit_note_file(CTX, e, &all[i]));
    assert_ok(feature_edit_number(CTX, e, &number));
    assert_int_equal(number, 0);
    assert_ok(feature_edit_set_number(CTX, e, 41));
    int64_t second = commit(e);
    assert_ok(feature_changes_since(CTX, w.fs, &w.store, points(), first, true, &c));
    assert_true(c.added_count == 1 && c.added[0] == 8 && c.updated_count == 0 && c.deleted_count == 1 && c.moment == second);
    assert_true(c.deleted[0].oid == 5 && str_eq(c.deleted[0].global_id, STR("{C}")));
    assert_ok(feature_changes_since(CTX, w.fs, &w.store, notes(), 0, true, &c));
    assert_true(c.added_count == 0 && c.updated_count == 1 && c.updated[0] == 9 && c.deleted_count == 0);
    assert_ok(feature_changes_since(CTX, w.fs, &w.store, points(), 0, false, &c));
    assert_true(c.added_count == 1 && c.added[0] == 1 && c.moment == first);
    e = begin();
    assert_ok(feature_edit_set_number(CTX, e, 42));
    feature_edit_close(e);
    assert_ok(feature_number(CTX, w.fs, &w.store, &number));
    assert_int_equal(number, 41);
}

static void old_changes_are_forgotten(void **state)
{
    (void)state;
    enum { HOUR = 3600 * 1000 };
    struct feature_changes c;
    int64_t least, last;
    const struct clock *before = CTX->clock;
    struct clock_fixed clock = clock_fixed_at(ctx_now(CTX) + HOUR);
    CTX->clock = &clock.base;
    feature_changes_forget(w.fs, 10 * HOUR);
    int64_t moments[4];
    for (size_t i = 0; i < COUNT_OF(moments); i++, clock.now += 6 * HOUR) {
        struct feature_edit *e = begin();
        add_point(e, 1, 1);
        moments[i] = commit(e);
    }
    assert_ok(feature_generations(CTX, w.fs, &w.store, points(), &least, &last));
    assert_true(least > moments[1] && least < moments[2] && last == moments[3]);
    for (size_t i = 0; i < 2; i++) {
        assert_rc(feature_changes_since(CTX, w.fs, &w.store, points(), i ? moments[0] : 0, false, &c), RC_FAIL);
        assert_true(err_is(CTX, &ERR_FEATURE));
        err_clear(CTX);
    }
    assert_ok(feature_changes_since(CTX, w.fs, &w.store, points(), least, false, &c));
    assert_int_equal(c.added_count, 2);
    assert_ok(feature_changes_since(CTX, w.fs, &w.store, points(), moments[2], false, &c));
    assert_true(c.added_count == 1 && c.added[0] == 4);
    CTX->clock = before;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_change),      TEST(what_is_not_committed_is_not_there),
        TEST(refused_rows),     TEST(an_edit_sees_itself),
        TEST(clearing),         TEST(merging),
        TEST(changes_of_files), TEST(old_changes_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
