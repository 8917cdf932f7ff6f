/* The content store: the way in, reading, sharing of equal bytes, collection, checking, and every crash. */
#include "store_fixture.h"

#include "base/str.h"
#include <pthread.h>
#include <sys/stat.h>

enum { LARGE = 100 * 1000 };

/* Bytes that differ with the seed. */
static str bytes_of(struct ctx *c, unsigned seed, size_t n)
{
    char *p = arena_alloc(c->arena, n + 1);
    uint32_t x = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (char)(x >> 24);
    }
    return str_of(p, n);
}

struct reference {
    struct blob_new *const *list;
    size_t count;
    unsigned item;
};

/* An item with a resource for each blob. */
static int refer(struct ctx *c, struct sql_tx *tx, void *arg)
{
    const struct reference *r = arg;
    struct item it = {.id = test_id(r->item), .owner = STR("o"), .created = 1, .modified = 1, .size = -1};
    int rc = meta_item_insert(c, tx, &it);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < r->count; i++) {
        struct item_part part = {.kind = PART_RESOURCE, .name = arena_printf(c->arena, "r/%zu", i)};
        part.hash = blob_new_hash(r->list[i]);
        part.size = (int64_t)blob_new_size(r->list[i]);
        TRY(blob_attach(c, tx, r->list[i]));
        TRY(meta_part_put(c, tx, &it.id, &part));
    }
    return RC_OK;
}

static int store_all(struct fixture *f, struct blob_new **list, size_t count, unsigned item)
{
    struct reference r = {list, count, item};
    TRY(blob_sync(&f->ctx, f->blobs, list, count));
    return sql_write(&f->ctx, f->db, refer, &r);
}

static struct hash put(struct fixture *f, str bytes, unsigned item)
{
    struct blob_new *b;
    fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes, &b));
    fixture_ok(f, store_all(f, &b, 1, item));
    struct hash h = blob_new_hash(b);
    blob_new_close(b);
    return h;
}

static int drop_item(struct ctx *c, struct sql_tx *tx, void *arg)
{
    id item = test_id(*(unsigned *)arg);
    return meta_item_delete(c, tx, &item);
}

static void assert_content(struct fixture *f, struct hash h, str expected)
{
    CLEANUP(reader_cleanup) struct reader *r = NULL;
    str got;
    fixture_ok(f, blob_open(&f->ctx, f->blobs, h, &r));
    fixture_ok(f, reader_read_all(&f->ctx, r, 1 << 24, "blob", &got));
    assert_true(str_eq(got, expected));
}

static int count_entry(struct ctx *c, const char *name, void *arg)
{
    (void)c;
    *(int *)arg += strlen(name) == HASH_HEX;
    return RC_OK;
}

static int files_in(struct fixture *f)
{
    int n = 0;
    for (unsigned i = 0; i < 256; i++) {
        str folder = arena_printf(f->ctx.arena, "%.*s/content/%02x", STR_FMT(f->dir), i);
        if (file_exists(folder.p))
            fixture_ok(f, dir_each(&f->ctx, folder.p, count_entry, &n));
    }
    return n;
}

static int count_any(struct ctx *c, const char *name, void *arg)
{
    (void)c, (void)name;
    *(int *)arg += 1;
    return RC_OK;
}

static int temps_in(struct fixture *f)
{
    int n = 0;
    fixture_ok(f, dir_each(&f->ctx, arena_printf(f->ctx.arena, "%.*s/content/tmp", STR_FMT(f->dir)).p, count_any, &n));
    return n;
}

static const char *file_of(struct fixture *f, struct hash h)
{
    str hex = hash_hex_str(f->ctx.arena, h);
    return arena_printf(f->ctx.arena, "%.*s/content/%.2s/%s", STR_FMT(f->dir), hex.p, hex.p).p;
}

struct findings {
    int lines;
    char last[300];
};

static void note(void *arg, const char *line)
{
    struct findings *n = arg;
    n->lines++;
    snprintf(n->last, sizeof n->last, "%s", line);
}

static uint64_t damage_in(struct fixture *f, bool read_data, struct findings *n)
{
    uint64_t bad = 99;
    *n = (struct findings){0};
    fixture_ok(f, blob_check(&f->ctx, f->blobs, read_data, note, n, &bad));
    return bad;
}

static void assert_clean(struct fixture *f)
{
    struct findings n;
    uint64_t bad = damage_in(f, true, &n);
    if (bad != 0 || n.lines != 0)
        fail_msg("%s", n.last);
}

static void sizes(void **state)
{
    struct fixture *f = *state;
    const size_t list[] = {0, 1, BLOB_INLINE_MAX - 1, BLOB_INLINE_MAX, BLOB_INLINE_MAX + 1, LARGE, 3 * 1000 * 1000};
    for (unsigned i = 0; i < COUNT_OF(list); i++) {
        str bytes = bytes_of(&f->ctx, i, list[i]), inside;
        struct hash h = put(f, bytes, i);
        uint64_t size;
        int fd;
        assert_true(hash_eq(h, hash_of(bytes)));
        assert_content(f, h, bytes);
        fixture_ok(f, blob_size(&f->ctx, f->blobs, h, &size));
        assert_int_equal(size, list[i]);
        assert_int_equal(file_exists(file_of(f, h)), list[i] > BLOB_INLINE_MAX);
        fixture_ok(f, blob_open_fd(&f->ctx, f->blobs, h, &fd, &inside, &size));
        assert_int_equal(fd >= 0, list[i] > BLOB_INLINE_MAX);
        assert_int_equal(size, list[i]);
        if (fd < 0)
            assert_true(str_eq(inside, bytes) && !str_none(inside));
        file_close(&fd);
    }
    assert_int_equal(temps_in(f), 0);
    assert_clean(f);
}

static void written_in_pieces(void **state)
{
    struct fixture *f = *state;
    const size_t pieces[] = {1, 777, 4096, BLOB_INLINE_MAX, BLOB_INLINE_MAX + 1, LARGE};
    str bytes = bytes_of(&f->ctx, 5, 300 * 1000);
    for (unsigned i = 0; i < COUNT_OF(pieces); i++) {
        struct blob_new *b;
        struct reader *r;
        str got;
        fixture_ok(f, blob_begin(&f->ctx, f->blobs, bytes.n, NULL, &b));
        for (size_t at = 0; at < bytes.n; at += pieces[i]) {
            str piece = str_sub(bytes, at, at + pieces[i]);
            fixture_ok(f, blob_write(&f->ctx, b, piece.p, piece.n));
        }
        fixture_ok(f, blob_write(&f->ctx, b, NULL, 0));
        fixture_ok(f, blob_finish(&f->ctx, b));
        assert_true(hash_eq(blob_new_hash(b), hash_of(bytes)));
        fixture_ok(f, blob_new_open(&f->ctx, b, &r));
        fixture_ok(f, reader_read_all(&f->ctx, r, bytes.n, "x", &got));
        reader_close(r);
        assert_true(str_eq(got, bytes));
        blob_new_close(b);
        assert_int_equal(temps_in(f), 0);
        assert_int_equal(files_in(f), 0);
    }
}

static void ranges(void **state)
{
    struct fixture *f = *state;
    const size_t list[] = {1000, LARGE};
    const uint64_t cases[][2] = {
        {0, 10}, {5, 0}, {990, 10}, {990, 11}, {1000, 5}, {0, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}, {3, UINT64_MAX}};
    for (unsigned i = 0; i < COUNT_OF(list); i++) {
        str bytes = bytes_of(&f->ctx, i, list[i]);
        struct hash h = put(f, bytes, i);
        for (unsigned k = 0; k < COUNT_OF(cases); k++) {
            CLEANUP(reader_cleanup) struct reader *r = NULL;
            str got;
            uint64_t from = cases[k][0] > bytes.n ? bytes.n : cases[k][0];
            uint64_t n = cases[k][1] > bytes.n - from ? bytes.n - from : cases[k][1];
            fixture_ok(f, blob_open_range(&f->ctx, f->blobs, h, cases[k][0], cases[k][1], &r));
            fixture_ok(f, reader_read_all(&f->ctx, r, bytes.n, "x", &got));
            assert_true(str_eq(got, str_sub(bytes, from, from + n)));
        }
    }
}

static void limits_and_expectations(void **state)
{
    struct fixture *f = *state;
    struct blob_new *b;
    str bytes = bytes_of(&f->ctx, 1, LARGE);
    struct hash right = hash_of(bytes), wrong = hash_of(STR("other"));
    fixture_ok(f, blob_begin(&f->ctx, f->blobs, LARGE - 1, NULL, &b));
    fixture_ok(f, blob_write(&f->ctx, b, bytes.p, LARGE - 1));
    assert_int_equal(blob_write(&f->ctx, b, bytes.p, 1), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_LIMIT));
    err_clear(&f->ctx);
    blob_new_close(b);
    fixture_ok(f, blob_begin(&f->ctx, f->blobs, LARGE, &wrong, &b));
    fixture_ok(f, blob_write(&f->ctx, b, bytes.p, bytes.n));
    assert_int_equal(blob_finish(&f->ctx, b), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_CORRUPT));
    err_clear(&f->ctx);
    blob_new_close(b);
    fixture_ok(f, blob_begin(&f->ctx, f->blobs, LARGE, &right, &b));
    fixture_ok(f, blob_write(&f->ctx, b, bytes.p, bytes.n));
    fixture_ok(f, blob_finish(&f->ctx, b));
    blob_new_close(b);
    blob_new_close(NULL);
    assert_int_equal(temps_in(f), 0);
    assert_clean(f);
}

static int attach_only(struct ctx *c, struct sql_tx *tx, void *arg) { return blob_attach(c, tx, arg); }

static void order_is_enforced(void **state)
{
    struct fixture *f = *state;
    struct blob_new *b;
    fixture_ok(f, blob_begin(&f->ctx, f->blobs, 10, NULL, &b));
    assert_int_equal(blob_sync(&f->ctx, f->blobs, &b, 1), RC_FAIL);
    err_clear(&f->ctx);
    fixture_ok(f, blob_finish(&f->ctx, b));
    assert_int_equal(sql_write(&f->ctx, f->db, attach_only, b), RC_FAIL);
    err_clear(&f->ctx);
    blob_new_close(b);
}

static void without_attach_nothing_remains(void **state)
{
    struct fixture *f = *state;
    struct blob_new *b;
    bool there;
    fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes_of(&f->ctx, 1, LARGE), &b));
    fixture_ok(f, blob_sync(&f->ctx, f->blobs, &b, 1));
    assert_int_equal(files_in(f), 1);
    assert_clean(f); /* an upload in progress is no damage */
    fixture_ok(f, blob_exists(&f->ctx, f->blobs, blob_new_hash(b), &there));
    assert_false(there);
    blob_new_close(b);
    assert_int_equal(files_in(f), 0);
    assert_int_equal(temps_in(f), 0);
}

/* Two uploads of the same bytes: the one that gives up does not take the file of the other. */
static void equal_bytes_share(void **state)
{
    struct fixture *f = *state;
    struct blob_new *a, *b, *list[4];
    str bytes = bytes_of(&f->ctx, 1, LARGE);
    fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes, &a));
    fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes, &b));
    fixture_ok(f, blob_sync(&f->ctx, f->blobs, &a, 1));
    fixture_ok(f, blob_sync(&f->ctx, f->blobs, &b, 1));
    blob_new_close(a);
    assert_int_equal(files_in(f), 1);
    fixture_ok(f, store_all(f, &b, 1, 1));
    assert_content(f, blob_new_hash(b), bytes);
    blob_new_close(b);
    for (unsigned i = 0; i < COUNT_OF(list); i++)
        fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes_of(&f->ctx, 1 + i / 2, LARGE), &list[i]));
    fixture_ok(f, store_all(f, list, COUNT_OF(list), 2));
    for (unsigned i = 0; i < COUNT_OF(list); i++)
        blob_new_close(list[i]);
    assert_int_equal(files_in(f), 2);
    assert_int_equal(temps_in(f), 0);
    assert_clean(f);
}

static void paths(void **state)
{
    struct fixture *f = *state;
    const size_t list[] = {0, 500, LARGE};
    for (unsigned i = 0; i < COUNT_OF(list); i++) {
        str bytes = bytes_of(&f->ctx, i, list[i]), got, path;
        struct blob_new *b;
        const char *before;
        bool remove;
        fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes, &b));
        fixture_ok(f, blob_new_path(&f->ctx, b, &before));
        fixture_ok(f, file_read_all(&f->ctx, before, LARGE, &got));
        assert_true(str_eq(got, bytes));
        fixture_ok(f, store_all(f, &b, 1, i));
        struct hash h = blob_new_hash(b);
        blob_new_close(b);
        fixture_ok(f, blob_path(&f->ctx, f->blobs, h, &path, &remove));
        assert_int_equal(remove, list[i] <= BLOB_INLINE_MAX);
        fixture_ok(f, file_read_all(&f->ctx, path.p, LARGE, &got));
        assert_true(str_eq(got, bytes));
        if (remove)
            fixture_ok(f, file_remove(&f->ctx, path.p));
    }
    assert_int_equal(temps_in(f), 0);
}

static void adopting(void **state)
{
    struct fixture *f = *state;
    const size_t list[] = {500, LARGE};
    for (unsigned i = 0; i < COUNT_OF(list); i++) {
        str path = arena_printf(f->ctx.arena, "%.*s/package", STR_FMT(f->dir)), bytes = bytes_of(&f->ctx, i, list[i]);
        struct blob_new *b;
        fixture_ok(f, file_write_all(&f->ctx, path.p, bytes, 0600));
        fixture_ok(f, blob_adopt_file(&f->ctx, f->blobs, path.p, NULL, &b));
        assert_true(hash_eq(blob_new_hash(b), hash_of(bytes)));
        assert_int_equal(blob_new_size(b), list[i]);
        blob_new_close(b);
        assert_true(file_exists(path.p)); /* not synced: still the caller's */
        fixture_ok(f, blob_adopt_file(&f->ctx, f->blobs, path.p, NULL, &b));
        fixture_ok(f, store_all(f, &b, 1, i));
        assert_content(f, blob_new_hash(b), bytes);
        blob_new_close(b);
        assert_false(file_exists(path.p));
    }
    struct blob_new *none = NULL;
    assert_int_equal(blob_adopt_file(&f->ctx, f->blobs, "/nowhere/at/all", NULL, &none), RC_NOT_FOUND);
    assert_null(none);
    err_clear(&f->ctx);
    assert_clean(f);
}

static void missing(void **state)
{
    struct fixture *f = *state;
    struct reader *r;
    struct hash h = hash_of(STR("never stored"));
    bool there = true;
    uint64_t size;
    assert_int_equal(blob_open(&f->ctx, f->blobs, h, &r), RC_NOT_FOUND);
    assert_true(err_is(&f->ctx, &ERR_MISSING));
    err_clear(&f->ctx);
    assert_int_equal(blob_size(&f->ctx, f->blobs, h, &size), RC_NOT_FOUND);
    err_clear(&f->ctx);
    fixture_ok(f, blob_exists(&f->ctx, f->blobs, h, &there));
    assert_false(there);
}

static int reuse(struct ctx *c, struct sql_tx *tx, void *arg) { return blob_reuse(c, tx, *(struct hash *)arg); }
static int part_without_bytes(struct ctx *c, struct sql_tx *tx, void *arg)
{
    struct item_part part = {.kind = PART_DATA, .name = STR("x"), .hash = *(struct hash *)arg};
    id item = test_id(1);
    return meta_part_put(c, tx, &item, &part);
}

static void references_need_bytes(void **state)
{
    struct fixture *f = *state;
    struct hash none = hash_of(STR("none")), some = put(f, STR("some"), 1);
    fixture_ok(f, sql_write(&f->ctx, f->db, reuse, &some));
    assert_int_equal(sql_write(&f->ctx, f->db, reuse, &none), RC_NOT_FOUND);
    fixture_ok(f, sql_write(&f->ctx, f->db, part_without_bytes, &some));
    assert_int_equal(sql_write(&f->ctx, f->db, part_without_bytes, &none), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_SQL_CONSTRAINT));
    err_clear(&f->ctx);
}

/* ---- collection ---- */

static uint64_t collect(struct fixture *f, int64_t grace)
{
    uint64_t removed = 99;
    fixture_ok(f, blob_collect(&f->ctx, f->blobs, grace, &removed));
    return removed;
}

static void collection(void **state)
{
    struct fixture *f = *state;
    unsigned small_item = 1, large_item = 2;
    struct hash small = put(f, bytes_of(&f->ctx, 1, 100), small_item), large = put(f, bytes_of(&f->ctx, 2, LARGE), large_item);
    struct hash kept = put(f, bytes_of(&f->ctx, 3, LARGE), 3);
    bool there;
    fixture_ok(f, sql_write(&f->ctx, f->db, drop_item, &small_item));
    fixture_ok(f, sql_write(&f->ctx, f->db, drop_item, &large_item));
    assert_int_equal(collect(f, 1000), 0); /* within the grace period */
    f->clock.now += 1000;
    assert_int_equal(collect(f, 1000), 2);
    fixture_ok(f, blob_exists(&f->ctx, f->blobs, small, &there));
    assert_false(there);
    assert_true(file_exists(file_of(f, large))); /* a download may go on */
    assert_clean(f);
    f->clock.now += 999;
    collect(f, 1000);
    assert_true(file_exists(file_of(f, large)));
    f->clock.now += 1;
    assert_int_equal(collect(f, 1000), 0);
    assert_false(file_exists(file_of(f, large)));
    assert_content(f, kept, bytes_of(&f->ctx, 3, LARGE));
    f->clock.now += 100000;
    assert_int_equal(collect(f, 1000), 0);
    assert_clean(f);
}

/* The same bytes come again between the two steps, and during an upload. */
static void collection_beside_uploads(void **state)
{
    struct fixture *f = *state;
    unsigned item = 1;
    str bytes = bytes_of(&f->ctx, 2, LARGE);
    struct hash h = put(f, bytes, item);
    struct blob_new *b;
    fixture_ok(f, sql_write(&f->ctx, f->db, drop_item, &item));
    f->clock.now += 10;
    assert_int_equal(collect(f, 10), 1);
    put(f, bytes, 2); /* before its file went */
    f->clock.now += 10;
    collect(f, 10);
    assert_content(f, h, bytes);
    item = 2;
    fixture_ok(f, sql_write(&f->ctx, f->db, drop_item, &item));
    f->clock.now += 10;
    assert_int_equal(collect(f, 10), 1);
    f->clock.now += 10;
    fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes, &b));
    fixture_ok(f, blob_sync(&f->ctx, f->blobs, &b, 1));
    collect(f, 10); /* between sync and attach */
    struct reference r = {&b, 1, 3};
    fixture_ok(f, sql_write(&f->ctx, f->db, refer, &r));
    assert_content(f, h, bytes);
    blob_new_close(b);
    assert_content(f, h, bytes);
    assert_clean(f);
}

struct busy {
    struct fixture *f;
    unsigned number;
    int failures;
    atomic_bool *stop;
};

/* Puts, reads and drops a few contents that all threads share. */
static void *busy_run(void *arg)
{
    struct busy *u = arg;
    for (unsigned round = 0; round < 30; round++) {
        struct fixture mine = {.db = u->f->db, .blobs = u->f->blobs};
        unsigned item = 100 + u->number * 1000 + round;
        struct blob_new *b;
        struct reader *r = NULL;
        str got, bytes;
        ctx_open(&mine.ctx);
        bytes = bytes_of(&mine.ctx, round % 3, LARGE);
        bool good = blob_put(&mine.ctx, mine.blobs, bytes, &b) == RC_OK;
        good = good && store_all(&mine, &b, 1, item) == RC_OK;
        good = good && blob_open(&mine.ctx, mine.blobs, blob_new_hash(b), &r) == RC_OK;
        good = good && reader_read_all(&mine.ctx, r, LARGE, "x", &got) == RC_OK && str_eq(got, bytes);
        reader_close(r);
        blob_new_close(b);
        good = good && sql_write(&mine.ctx, mine.db, drop_item, &item) == RC_OK;
        u->failures += !good;
        ctx_close(&mine.ctx);
    }
    return NULL;
}

static void *collect_run(void *arg)
{
    struct busy *u = arg;
    while (!atomic_load(u->stop)) {
        struct ctx c;
        ctx_open(&c);
        u->failures += blob_collect(&c, u->f->blobs, 0, NULL) != RC_OK;
        ctx_close(&c);
    }
    return NULL;
}

static void collection_in_a_crowd(void **state)
{
    struct fixture *f = *state;
    atomic_bool stop = false;
    struct busy users[5];
    pthread_t threads[5];
    for (unsigned i = 0; i < 5; i++) {
        users[i] = (struct busy){.f = f, .number = i, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, i < 4 ? busy_run : collect_run, &users[i]), 0);
    }
    for (unsigned i = 0; i < 5; i++) {
        atomic_store(&stop, i == 4 || atomic_load(&stop));
        pthread_join(threads[i], NULL);
        assert_int_equal(users[i].failures, 0);
    }
    assert_clean(f);
    f->clock.now = clock_system.now_ms(&clock_system) + 10;
    collect(f, 0);
    collect(f, 0);
    assert_int_equal(files_in(f), 0);
    assert_int_equal(temps_in(f), 0);
}

/* ---- damage ---- */

static void rewrite(struct fixture *f, const char *path, str bytes)
{
    fixture_ok(f, file_remove(&f->ctx, path));
    fixture_ok(f, file_write_all(&f->ctx, path, bytes, 0600));
}

static int break_row(struct ctx *c, struct sql_tx *tx, void *arg)
{
    return sql_exec(c, tx, "UPDATE blob SET content = ? WHERE hash = ?", SQL_B(STR("soMe")), SQL_HASH(*(struct hash *)arg));
}

static void damage(void **state)
{
    struct fixture *f = *state;
    str bytes = bytes_of(&f->ctx, 1, LARGE);
    struct hash large = put(f, bytes, 1), small = put(f, STR("some"), 2);
    const char *path = file_of(f, large);
    char *flipped = arena_cstr(f->ctx.arena, bytes);
    struct findings n;
    flipped[LARGE / 2] ^= 1;
    rewrite(f, path, str_of(flipped, LARGE));
    assert_int_equal(damage_in(f, false, &n), 0);
    assert_int_equal(damage_in(f, true, &n), 1);
    assert_non_null(strstr(n.last, "not what they were"));
    rewrite(f, path, str_of(bytes.p, LARGE - 1));
    assert_int_equal(damage_in(f, false, &n), 1);
    assert_non_null(strstr(n.last, "size"));
    fixture_ok(f, file_remove(&f->ctx, path));
    assert_int_equal(damage_in(f, false, &n), 1);
    assert_non_null(strstr(n.last, "missing"));
    struct reader *r;
    assert_int_equal(blob_open(&f->ctx, f->blobs, large, &r), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_CORRUPT));
    err_clear(&f->ctx);
    fixture_ok(f, file_write_all(&f->ctx, path, bytes, 0600));
    assert_clean(f);
    fixture_ok(f, sql_write(&f->ctx, f->db, break_row, &small));
    assert_int_equal(damage_in(f, true, &n), 1);
    struct hash foreign = hash_of(STR("foreign"));
    str folder = str_sub(str_c(file_of(f, foreign)), 0, strlen(file_of(f, foreign)) - HASH_HEX - 1);
    fixture_ok(f, dir_create(&f->ctx, arena_cstr(f->ctx.arena, folder)));
    fixture_ok(f, file_write_all(&f->ctx, file_of(f, foreign), STR("foreign"), 0600));
    assert_int_equal(damage_in(f, false, &n), 1);
    assert_non_null(strstr(n.last, "no row"));
}

/* ---- one portal a folder ---- */

static void second_portal_refused(void **state)
{
    struct fixture *f = *state;
    struct blob_store *second = NULL;
    struct sql *reader;
    struct findings n = {0};
    uint64_t bad;
    str content = arena_printf(f->ctx.arena, "%.*s/content", STR_FMT(f->dir));
    struct hash h = put(f, bytes_of(&f->ctx, 1, LARGE), 1);
    assert_int_equal(blob_store_open(&f->ctx, f->db, content.p, &second), RC_BUSY);
    assert_non_null(strstr(err_text(&f->ctx), "in use"));
    err_clear(&f->ctx);
    /* checking goes on beside it, and sees the upload of the other without calling it damage */
    struct blob_new *b;
    fixture_ok(f, blob_put(&f->ctx, f->blobs, bytes_of(&f->ctx, 2, LARGE), &b));
    fixture_ok(f, blob_sync(&f->ctx, f->blobs, &b, 1));
    fixture_ok(f, sql_open_existing(&f->ctx, f->url, &reader));
    fixture_ok(f, blob_store_open(&f->ctx, reader, content.p, &second));
    fixture_ok(f, blob_check(&f->ctx, second, true, note, &n, &bad));
    assert_int_equal(bad, 0);
    assert_int_equal(n.lines, 1);
    struct blob_new *refused;
    assert_int_equal(blob_begin(&f->ctx, second, 1, NULL, &refused), RC_FAIL);
    err_clear(&f->ctx);
    blob_store_close(second);
    sql_close(reader);
    blob_new_close(b);
    assert_content(f, h, bytes_of(&f->ctx, 1, LARGE));
    fixture_disconnect(f);
    fixture_connect(f); /* free again */
    assert_clean(f);
}

/* ---- failing and dying at every call ---- */

enum { ITEMS = 2, BLOBS = 3 };

/* Items with three blobs each, one large one in common. Calls done(item) when one is acknowledged. */
static int workload(struct fixture *f, void (*done)(void *arg), void *arg)
{
    for (unsigned item = 1; item <= ITEMS; item++) {
        const size_t lengths[BLOBS] = {LARGE, LARGE + item, 100 + item};
        struct blob_new *list[BLOBS] = {0};
        int rc = RC_OK;
        for (unsigned i = 0; i < BLOBS && rc == RC_OK; i++)
            rc = blob_put(&f->ctx, f->blobs, bytes_of(&f->ctx, i, lengths[i]), &list[i]);
        if (rc == RC_OK)
            rc = store_all(f, list, BLOBS, item);
        for (unsigned i = 0; i < BLOBS; i++)
            blob_new_close(list[i]);
        if (rc != RC_OK)
            return rc;
        done(arg);
    }
    unsigned first = 1;
    TRY(sql_write(&f->ctx, f->db, drop_item, &first));
    f->clock.now += 10;
    TRY(blob_collect(&f->ctx, f->blobs, 10, NULL));
    f->clock.now += 10;
    TRY(blob_collect(&f->ctx, f->blobs, 10, NULL));
    done(arg);
    return RC_OK;
}

static int count_items(struct ctx *c, struct sql_tx *tx, void *arg)
{
    int64_t *n = arg;
    TRY(sql_query_int(c, tx, &n[0], "SELECT COUNT(*) FROM item", NULL, 0));
    return sql_query_int(c, tx, &n[1], "SELECT COUNT(*) FROM item_part", NULL, 0);
}

/* After anything: what was acknowledged is there, whole, the store is clean and has no leftovers. */
static void assert_consistent(struct fixture *f, int acknowledged)
{
    int64_t n[2];
    fixture_ok(f, sql_read(&f->ctx, f->db, count_items, n));
    assert_int_equal(n[1], n[0] * BLOBS);
    if (acknowledged < ITEMS)
        assert_true(n[0] == acknowledged || n[0] == acknowledged + 1);
    else
        assert_true(n[0] == ITEMS || n[0] == ITEMS - 1);
    assert_clean(f);
    assert_int_equal(temps_in(f), 0);
}

static void tell(void *arg)
{
    if (write(*(int *)arg, "x", 1) != 1)
        _exit(5);
}

static void child_run(struct fixture *f, int n, int out)
{
    char spec[32];
    snprintf(spec, sizeof spec, "kill:%d", n);
    str content = arena_printf(f->ctx.arena, "%.*s/content", STR_FMT(f->dir));
    if (sql_open(&f->ctx, f->url, meta_migrations, meta_migration_count, &f->db) != RC_OK)
        _exit(3);
    fault_arm(spec); /* the schema is not what is tried here */
    if (blob_store_open(&f->ctx, f->db, content.p, &f->blobs) != RC_OK)
        _exit(4);
    if (workload(f, tell, &out) != RC_OK)
        _exit(6);
    fixture_disconnect(f);
    _exit(0);
}

static void killed_at_every_point(void **state)
{
    int status = -1, n = 1;
    (void)state;
    for (; n < 1000 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0); n++) {
        struct fixture *f = fixture_bare();
        int pipes[2], acknowledged = 0;
        char byte;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            child_run(f, n, pipes[1]);
        close(pipes[1]);
        while (read(pipes[0], &byte, 1) == 1)
            acknowledged++;
        close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        fixture_connect(f);
        assert_consistent(f, acknowledged);
        void *self = f;
        fixture_close(&self);
    }
    assert_true(n > 50 && n < 1000);
}

static void ignore(void *arg) { *(int *)arg += 1; }

/* In one process: each call fails once; then the same work succeeds, and nothing was left over. */
static void each_call_fails_once(void **state)
{
    static const char *const kinds[] = {"eio", "enospc"};
    (void)state;
    for (unsigned k = 0; k < COUNT_OF(kinds); k++) {
        int rc = RC_FAIL;
        for (int n = 1; n < 400 && rc != RC_OK; n += 1 + (int)k) {
            struct fixture *f = fixture_bare();
            char spec[32];
            int acknowledged = 0;
            fixture_connect(f);
            snprintf(spec, sizeof spec, "%s:%d", kinds[k], n);
            fault_arm(spec);
            rc = workload(f, ignore, &acknowledged);
            fault_arm(NULL);
            if (rc != RC_OK)
                assert_true(err_is(&f->ctx, k == 0 ? &ERR_IO : &ERR_NO_SPACE));
            err_clear(&f->ctx);
            fixture_disconnect(f);
            fixture_connect(f);
            assert_consistent(f, acknowledged);
            void *self = f;
            fixture_close(&self);
        }
        assert_int_equal(rc, RC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sizes, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(written_in_pieces, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(ranges, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(limits_and_expectations, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(order_is_enforced, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(without_attach_nothing_remains, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(equal_bytes_share, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(paths, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(adopting, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(missing, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(references_need_bytes, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(collection, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(collection_beside_uploads, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(collection_in_a_crowd, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(damage, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(second_portal_refused, fixture_open, fixture_close),
        cmocka_unit_test(killed_at_every_point),
        cmocka_unit_test(each_call_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
