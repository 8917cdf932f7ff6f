/* The database border: values, transactions, group commit with threads, snapshots, migrations, full disk. */
#include "store_fixture.h"

#include <pthread.h>

static const struct sql_migration one[] = {
    {1, "first", "CREATE TABLE t (k BIGINT NOT NULL PRIMARY KEY, v TEXT, d DOUBLE PRECISION, b BYTEA);\n"},
};
static const struct sql_migration two[] = {
    {1, "first", "CREATE TABLE t (k BIGINT NOT NULL PRIMARY KEY, v TEXT, d DOUBLE PRECISION, b BYTEA);\n"},
    {2, "second",
     "CREATE TABLE u (k BIGINT NOT NULL PRIMARY KEY REFERENCES t (k));\nINSERT INTO t (k, v) VALUES (1000, 'a;b');\n"},
};
static const struct sql_migration broken[] = {
    {1, "first", ""},
    {2, "bad", "CREATE TABLE w (k BIGINT);\nCREATE TABLE t (k BIGINT);\n"},
};

static int open_two(void **state)
{
    struct fixture *f = fixture_bare();
    fixture_ok(f, sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db));
    *state = f;
    return 0;
}

static int open_none(void **state)
{
    *state = fixture_bare();
    return 0;
}

/* ---- values ---- */

TX_TEST(values)
{
    CLEANUP(sql_rows_close) struct sql_rows rows;
    (void)arg;
    TRY(sql_exec(c, tx, "INSERT INTO t (k, v, d, b) VALUES (?, ?, ?, ?)", SQL_I(INT64_MIN), SQL_S(STR("a\0b")), SQL_D(0.1),
                 SQL_B(STR("\0\xff"))));
    assert_int_equal(sql_changes(tx), 1);
    TRY(sql_exec(c, tx, "INSERT INTO t (k, v, d, b) VALUES (?, ?, ?, ?)", SQL_I(INT64_MAX), SQL_S(STR_NONE), SQL_NONE,
                 SQL_B(STR(""))));
    TRY(sql_query(c, tx, &rows, "SELECT k, v, d, b FROM t WHERE k <> ? ORDER BY k", SQL_I(1000)));
    TRY(sql_next(c, &rows));
    assert_true(sql_int(&rows, 0) == INT64_MIN);
    assert_true(str_eq(sql_text(&rows, 1), STR("a\0b")));
    assert_true(sql_double(&rows, 2) == 0.1);
    assert_true(str_eq(sql_bytes(&rows, 3), STR("\0\xff")));
    TRY(sql_next(c, &rows));
    assert_true(sql_int(&rows, 0) == INT64_MAX);
    assert_true(str_none(sql_text(&rows, 1)));
    assert_true(sql_is_null(&rows, 2));
    assert_false(sql_is_null(&rows, 3));
    assert_int_equal(sql_bytes(&rows, 3).n, 0);
    assert_true(str_eq(sql_str(c, &rows, 1), STR("")));
    assert_int_equal(sql_next(c, &rows), RC_END);
    assert_int_equal(sql_next(c, &rows), RC_END);
    return RC_OK;
}

TX_TEST(wrong_statements)
{
    struct sql_rows rows;
    (void)arg;
    assert_int_equal(sql_exec(c, tx, "SELECT nothing FROM nowhere"), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL));
    err_clear(c);
    assert_int_equal(sql_exec(c, tx, "INSERT INTO t (k) VALUES (?)"), RC_FAIL);
    assert_non_null(strstr(err_text(c), "1 placeholders but 0 values"));
    err_clear(c);
    assert_int_equal(sql_query(c, tx, &rows, "SELECT k FROM t", SQL_I(1)), RC_FAIL);
    err_clear(c);
    assert_int_equal(sql_next(c, &rows), RC_END);
    assert_int_equal(sql_exec(c, tx, "INSERT INTO u (k) VALUES (?)", SQL_I(77)), RC_FAIL);
    assert_true(err_is(c, &ERR_SQL_CONSTRAINT));
    err_clear(c);
    return RC_OK;
}

/* The same text inside its own loop, more texts than the cache holds, rows left open by an early return. */
TX_TEST(statement_reuse)
{
    struct sql_rows outer, inner;
    int64_t pairs = 0, value;
    (void)arg;
    for (int i = 0; i < 5; i++)
        TRY(sql_exec(c, tx, "INSERT INTO t (k) VALUES (?)", SQL_I(i)));
    TRY(sql_query(c, tx, &outer, "SELECT k FROM t WHERE k < ?", SQL_I(5)));
    while (sql_next(c, &outer) == RC_OK) {
        TRY(sql_query(c, tx, &inner, "SELECT k FROM t WHERE k < ?", SQL_I(5)));
        while (sql_next(c, &inner) == RC_OK)
            pairs++;
    }
    assert_int_equal(pairs, 25);
    for (int i = 0; i < 300; i++) {
        str text = arena_printf(c->arena, "SELECT %d + ?", i % 200);
        TRY(sql_query_int(c, tx, &value, text.p, (struct sql_value[]){SQL_I(1)}, 1));
        assert_int_equal(value, i % 200 + 1);
    }
    TRY(sql_query(c, tx, &outer, "SELECT k FROM t"));
    TRY(sql_next(c, &outer)); /* stays open: the end of the transaction closes it */
    return RC_OK;
}

TX_TEST(like_counts_case)
{
    int64_t n;
    (void)arg;
    TRY(sql_exec(c, tx, "INSERT INTO t (k, v) VALUES (1, 'Abc')"));
    TRY(sql_query_int(c, tx, &n, "SELECT COUNT(*) FROM t WHERE v LIKE 'abc'", NULL, 0));
    assert_int_equal(n, 0);
    TRY(sql_query_int(c, tx, &n, "SELECT COUNT(*) FROM t WHERE v LIKE 'Ab%'", NULL, 0));
    assert_int_equal(n, 1);
    return RC_OK;
}

/* ---- transactions ---- */

static int count_rows(struct ctx *c, struct sql_tx *tx, void *arg)
{
    return sql_query_int(c, tx, arg, "SELECT COUNT(*) FROM t", NULL, 0);
}

static int64_t rows_now(struct fixture *f)
{
    int64_t n = -1;
    fixture_ok(f, sql_read(&f->ctx, f->db, count_rows, &n));
    return n;
}

static int insert_then(struct ctx *c, struct sql_tx *tx, void *arg)
{
    int rc = *(int *)arg;
    TRY(sql_exec(c, tx, "INSERT INTO t (k, v) VALUES (1, 'x')"));
    return rc == RC_FAIL ? err_set(c, &ERR_INVALID, "no") : rc;
}

static void rolled_back(void **state)
{
    struct fixture *f = *state;
    int64_t before = rows_now(f);
    for (int rc = RC_FAIL; rc >= RC_END; rc--) {
        assert_int_equal(sql_write(&f->ctx, f->db, insert_then, &rc), rc);
        assert_int_equal(rows_now(f), before);
        assert_int_equal(err_is(&f->ctx, &ERR_INVALID), rc == RC_FAIL);
        err_clear(&f->ctx);
    }
    int ok = RC_OK;
    fixture_ok(f, sql_write(&f->ctx, f->db, insert_then, &ok));
    assert_int_equal(rows_now(f), before + 1);
}

static void read_cannot_write(void **state)
{
    struct fixture *f = *state;
    int ok = RC_OK;
    int64_t before = rows_now(f);
    assert_int_equal(sql_read(&f->ctx, f->db, insert_then, &ok), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_SQL));
    assert_int_equal(rows_now(f), before);
}

static void cancelled(void **state)
{
    struct fixture *f = *state;
    atomic_bool stop = true;
    int64_t n;
    f->ctx.cancel = &stop;
    assert_int_equal(sql_read(&f->ctx, f->db, count_rows, &n), RC_CANCELED);
    err_clear(&f->ctx);
    assert_int_equal(sql_write(&f->ctx, f->db, count_rows, &n), RC_CANCELED);
}

static int endless(struct ctx *c, struct sql_tx *tx, void *arg)
{
    int64_t n;
    atomic_store((atomic_bool *)arg, true);
    return sql_query_int(c, tx, &n, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
                         NULL, 0);
}

static void cancelled_inside(void **state)
{
    struct fixture *f = *state;
    atomic_bool stop = false;
    f->ctx.cancel = &stop;
    assert_int_equal(sql_read(&f->ctx, f->db, endless, &stop), RC_CANCELED);
    assert_true(err_is(&f->ctx, &ERR_CANCELED));
    err_clear(&f->ctx);
    f->ctx.cancel = NULL;
    rows_now(f); /* the connection is usable */
}

struct snapshot {
    struct fixture *f;
    struct ctx other;
    int64_t before, during;
};

static int insert_next(struct ctx *c, struct sql_tx *tx, void *arg)
{
    (void)arg;
    return sql_exec(c, tx, "INSERT INTO t (k) SELECT MAX(k) + 1 FROM t");
}

static int read_beside_write(struct ctx *c, struct sql_tx *tx, void *arg)
{
    struct snapshot *s = arg;
    TRY(count_rows(c, tx, &s->before));
    assert_int_equal(sql_write(&s->other, s->f->db, insert_next, NULL), RC_OK); /* the writer does not wait for readers */
    return count_rows(c, tx, &s->during);
}

static void snapshot_isolation(void **state)
{
    struct fixture *f = *state;
    struct snapshot s = {.f = f};
    ctx_open(&s.other);
    fixture_ok(f, sql_read(&f->ctx, f->db, read_beside_write, &s));
    assert_int_equal(s.during, s.before);
    assert_int_equal(rows_now(f), s.before + 1);
    ctx_close(&s.other);
}

/* ---- group commit ---- */

enum { THREADS = 8, ROUNDS = 40 };

struct worker {
    struct fixture *f;
    int number, round, good, bad;
};

/* Two rows or none: every third function fails after the first one. */
static int worker_insert(struct ctx *c, struct sql_tx *tx, void *arg)
{
    struct worker *w = arg;
    int64_t key = 10000 + (w->number * ROUNDS + w->round) * 2;
    TRY(sql_exec(c, tx, "INSERT INTO t (k, v) VALUES (?, ?)", SQL_I(key), SQL_I(w->number)));
    if (w->round % 3 == 0)
        return err_set(c, &ERR_INVALID, "worker %d round %d", w->number, w->round);
    if (w->round % 3 == 1) {
        TRY(sql_exec(c, tx, "INSERT INTO t (k, v) VALUES (?, ?)", SQL_I(key + 1), SQL_I(w->number)));
        return RC_OK;
    }
    return sql_exec(c, tx, "INSERT INTO t (k) VALUES (?)", SQL_I(key)); /* the key is taken */
}

static void *worker_run(void *arg)
{
    struct worker *w = arg;
    for (w->round = 0; w->round < ROUNDS; w->round++) {
        struct ctx c;
        ctx_open(&c);
        int rc = sql_write(&c, w->f->db, worker_insert, w);
        char expected[64];
        snprintf(expected, sizeof expected, "worker %d round %d", w->number, w->round);
        bool right = w->round % 3 == 1   ? rc == RC_OK && !c.err.kind
                     : w->round % 3 == 0 ? rc == RC_FAIL && err_is(&c, &ERR_INVALID) && strcmp(err_text(&c), expected) == 0
                                         : rc == RC_FAIL && err_is(&c, &ERR_SQL_CONSTRAINT);
        *(right ? &w->good : &w->bad) += 1;
        ctx_close(&c);
    }
    return NULL;
}

static void group_commit(void **state)
{
    struct fixture *f = *state;
    struct worker w[THREADS];
    pthread_t threads[THREADS];
    int64_t before = rows_now(f);
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct worker){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, worker_run, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(w[i].bad, 0);
        assert_int_equal(w[i].good, ROUNDS);
    }
    assert_int_equal(rows_now(f) - before, THREADS * (ROUNDS / 3) * 2);
}

/* One function holds the writer until others wait: they then share a commit, and a disk that is full fails them all. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool inside, open;
};

static int wait_at_gate(struct ctx *c, struct sql_tx *tx, void *arg)
{
    struct gate *g = arg;
    (void)c, (void)tx;
    pthread_mutex_lock(&g->lock);
    g->inside = true;
    pthread_cond_broadcast(&g->changed);
    while (!g->open)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return RC_OK;
}

struct gate_user {
    struct fixture *f;
    struct gate *gate;
    int64_t key;
    int rc;
    const struct err_kind *kind;
};

static int insert_key(struct ctx *c, struct sql_tx *tx, void *arg)
{
    ++*(int64_t *)sql_tx_memory(tx, sizeof(int64_t));
    return sql_exec(c, tx, "INSERT INTO t (k, b) VALUES (?, ?)", SQL_I(*(int64_t *)arg),
                    SQL_B(str_of(arena_alloc(c->arena, 20000), 20000)));
}

static void *gate_thread(void *arg)
{
    struct gate_user *u = arg;
    struct ctx c;
    ctx_open(&c);
    u->rc = u->gate ? sql_write(&c, u->f->db, wait_at_gate, u->gate) : sql_write(&c, u->f->db, insert_key, &u->key);
    u->kind = c.err.kind;
    ctx_close(&c);
    return NULL;
}

/* Counts how often it was there since the memory was new. */
static int remember(struct ctx *c, struct sql_tx *tx, void *arg)
{
    int64_t *seen = sql_tx_memory(tx, sizeof *seen);
    *(int64_t *)arg = (*seen)++;
    return sql_exec(c, tx, "UPDATE t SET v = 'x' WHERE k = -1");
}

static int64_t remembered(struct fixture *f)
{
    int64_t n = -1;
    fixture_ok(f, sql_write(&f->ctx, f->db, remember, &n));
    return n;
}

static int remember_and_fail(struct ctx *c, struct sql_tx *tx, void *arg)
{
    TRY(remember(c, tx, arg));
    return RC_NOT_FOUND;
}

static int other_size(struct ctx *c, struct sql_tx *tx, void *arg)
{
    (void)c;
    *(int64_t *)arg = ((char *)sql_tx_memory(tx, 100))[99];
    return RC_OK;
}

static void *failing_thread(void *arg)
{
    struct gate_user *u = arg;
    struct ctx c;
    ctx_open(&c);
    u->rc = u->gate ? sql_write(&c, u->f->db, wait_at_gate, u->gate) : sql_write(&c, u->f->db, remember_and_fail, &u->key);
    ctx_close(&c);
    return NULL;
}

/* What a write learned is kept until something is rolled back, alone or in a batch. */
static void memory_of_the_writer(void **state)
{
    struct fixture *f = *state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct gate_user users[THREADS];
    pthread_t threads[THREADS];
    int64_t n;
    assert_int_equal(remembered(f), 0);
    assert_int_equal(remembered(f), 1);
    assert_int_equal(sql_write(&f->ctx, f->db, remember_and_fail, &n), RC_NOT_FOUND);
    assert_int_equal(n, 2);
    assert_int_equal(remembered(f), 0);
    fixture_ok(f, sql_write(&f->ctx, f->db, other_size, &n));
    assert_int_equal(n, 0);
    assert_int_equal(remembered(f), 0);
    for (int i = 0; i < THREADS; i++) {
        users[i] = (struct gate_user){.f = f, .gate = i == 0 ? &gate : NULL, .key = -1};
        assert_int_equal(pthread_create(&threads[i], NULL, failing_thread, &users[i]), 0);
        pthread_mutex_lock(&gate.lock);
        while (!gate.inside)
            pthread_cond_wait(&gate.changed, &gate.lock);
        pthread_mutex_unlock(&gate.lock);
    }
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    unsigned first = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS; i++) {
        assert_int_equal(users[i].rc, RC_NOT_FOUND);
        first += users[i].key == 0;
    }
    assert_true(first >= THREADS - 2); /* but the first of them, who found what was there before */
    assert_int_equal(remembered(f), 0);
}

static void full_disk_fails_all(void **state)
{
    struct fixture *f = *state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct gate_user users[THREADS];
    pthread_t threads[THREADS];
    int64_t before = rows_now(f);
    for (int i = 0; i < THREADS; i++) {
        users[i] = (struct gate_user){.f = f, .gate = i == 0 ? &gate : NULL, .key = 20000 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, gate_thread, &users[i]), 0);
        pthread_mutex_lock(&gate.lock);
        while (!gate.inside)
            pthread_cond_wait(&gate.changed, &gate.lock);
        pthread_mutex_unlock(&gate.lock);
    }
    fault_arm("enospc-from:1");
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    fault_arm(NULL);
    for (int i = 1; i < THREADS; i++) {
        assert_int_equal(users[i].rc, RC_FAIL);
        assert_ptr_equal(users[i].kind, &ERR_NO_SPACE);
    }
    assert_int_equal(rows_now(f), before);
    assert_int_equal(remembered(f), 0);
    int64_t key = 30000;
    fixture_ok(f, sql_write(&f->ctx, f->db, insert_key, &key)); /* and it goes on when there is room */
    assert_int_equal(rows_now(f), before + 1);
}

/* Each single call of the engine fails once: the function failed and nothing is there, or it succeeded and everything is. */
static void each_call_fails_once(void **state)
{
    struct fixture *f = *state;
    unsigned failures = 0;
    for (int n = 1, good_in_a_row = 0; good_in_a_row < 3 && n < 200; n++) {
        char spec[32];
        int64_t key = 40000 + n, before = rows_now(f);
        snprintf(spec, sizeof spec, "eio:%d", n);
        fault_arm(spec);
        int rc = sql_write(&f->ctx, f->db, insert_key, &key);
        fault_arm(NULL);
        good_in_a_row = rc == RC_OK ? good_in_a_row + 1 : 0;
        failures += rc != RC_OK;
        if (rc != RC_OK)
            assert_true(err_is(&f->ctx, &ERR_IO));
        err_clear(&f->ctx);
        assert_int_equal(rows_now(f) - before, rc == RC_OK ? 1 : 0);
    }
    assert_true(failures > 0);
}

/* ---- opening and migrating ---- */

static str beside(struct fixture *f, const char *name) { return arena_printf(f->ctx.arena, "%.*s/%s", STR_FMT(f->dir), name); }

/* The comment makes a table that has only its primary key for a place. */
static int ask_places(struct ctx *c, struct sql_tx *tx, void *arg)
{
    int64_t n;
    (void)arg;
    assert_int_equal(sql_query_int(c, tx, &n, "SELECT rowid FROM loose", NULL, 0), RC_END);
    assert_int_equal(sql_query_int(c, tx, &n, "SELECT rowid FROM tight", NULL, 0), RC_FAIL);
    err_clear(c);
    return RC_OK;
}

static void clustered_tables(void **state)
{
    struct fixture *f = *state;
    const struct sql_migration both[] = {{1, "both",
                                          "CREATE TABLE tight (k BIGINT NOT NULL PRIMARY KEY) /* clustered */;\n"
                                          "CREATE TABLE loose (k BIGINT NOT NULL PRIMARY KEY);\n"}};
    fixture_ok(f, sql_open(&f->ctx, f->url, both, COUNT_OF(both), &f->db));
    fixture_ok(f, sql_read(&f->ctx, f->db, ask_places, NULL));
}

static void migration_copies(void **state)
{
    struct fixture *f = *state;
    fixture_ok(f, sql_open(&f->ctx, f->url, one, COUNT_OF(one), &f->db));
    assert_false(file_exists(beside(f, "meta.db.before-1").p));
    int ok = RC_OK;
    fixture_ok(f, sql_write(&f->ctx, f->db, insert_then, &ok));
    sql_close(f->db);
    fixture_ok(f, sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db));
    assert_true(file_exists(beside(f, "meta.db.before-2").p));
    assert_false(file_exists(beside(f, "meta.db.before-2.part").p));
    assert_int_equal(rows_now(f), 2);
    sql_close(f->db);
    /* the copy is the database as it was */
    str url = arena_printf(f->ctx.arena, "sqlite:%.*s/meta.db.before-2", STR_FMT(f->dir));
    fixture_ok(f, sql_open(&f->ctx, url.p, one, COUNT_OF(one), &f->db));
    assert_int_equal(rows_now(f), 1);
}

static void newer_schema_refused(void **state)
{
    struct fixture *f = *state;
    fixture_ok(f, sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db));
    sql_close(f->db);
    assert_int_equal(sql_open(&f->ctx, f->url, one, COUNT_OF(one), &f->db), RC_FAIL);
    assert_null(f->db);
    assert_true(err_is(&f->ctx, &ERR_UNSUPPORTED));
    assert_non_null(strstr(err_text(&f->ctx), "schema 2"));
    assert_non_null(strstr(err_text(&f->ctx), "up to 1"));
}

static void failed_migration_changes_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_ok(f, sql_open(&f->ctx, f->url, one, COUNT_OF(one), &f->db));
    sql_close(f->db);
    assert_int_equal(sql_open(&f->ctx, f->url, broken, COUNT_OF(broken), &f->db), RC_FAIL);
    err_clear(&f->ctx);
    fixture_ok(f, sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db)); /* number 2 is still free */
    assert_int_equal(rows_now(f), 1);
}

static void open_errors(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(sql_open(&f->ctx, "postgres://x", one, 1, &f->db), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_INVALID));
    err_clear(&f->ctx);
    assert_int_equal(sql_open_existing(&f->ctx, f->url, &f->db), RC_NOT_FOUND);
    err_clear(&f->ctx);
    fixture_ok(f, file_write_all(&f->ctx, f->url + strlen("sqlite:"),
                                 STR("this is not a database, it is a sentence of some length"), 0600));
    assert_int_equal(sql_open(&f->ctx, f->url, one, 1, &f->db), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_CORRUPT));
}

static void open_for_reading(void **state)
{
    struct fixture *f = *state;
    struct sql *reader;
    int ok = RC_OK;
    int64_t n;
    fixture_ok(f, sql_open(&f->ctx, f->url, one, COUNT_OF(one), &f->db));
    fixture_ok(f, sql_open_existing(&f->ctx, f->url, &reader));
    assert_true(sql_read_only(reader));
    assert_false(sql_read_only(f->db));
    fixture_ok(f, sql_write(&f->ctx, f->db, insert_then, &ok));
    fixture_ok(f, sql_read(&f->ctx, reader, count_rows, &n));
    assert_int_equal(n, 1);
    assert_int_equal(sql_write(&f->ctx, reader, insert_then, &ok), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_UNSUPPORTED));
    sql_close(reader);
}

static void open_beside_another(void **state)
{
    struct fixture *f = *state;
    struct sql *other;
    int64_t n, keys[] = {1, 2};
    assert_int_equal(sql_open_current(&f->ctx, f->url, one, COUNT_OF(one), &other), RC_NOT_FOUND);
    err_clear(&f->ctx);
    fixture_ok(f, sql_open(&f->ctx, f->url, one, COUNT_OF(one), &f->db));
    fixture_ok(f, sql_open_current(&f->ctx, f->url, one, COUNT_OF(one), &other));
    fixture_ok(f, sql_write(&f->ctx, other, insert_key, &keys[0]));
    fixture_ok(f, sql_read(&f->ctx, f->db, count_rows, &n));
    assert_int_equal(n, 1);
    fixture_ok(f, sql_write(&f->ctx, f->db, insert_key, &keys[1]));
    fixture_ok(f, sql_read(&f->ctx, other, count_rows, &n));
    assert_int_equal(n, 2);
    sql_close(other);
    assert_int_equal(sql_open_current(&f->ctx, f->url, two, COUNT_OF(two), &other), RC_FAIL); /* it migrates nothing */
    assert_true(err_is(&f->ctx, &ERR_UNSUPPORTED));
    assert_non_null(strstr(err_text(&f->ctx), "schema 1"));
    assert_null(other);
}

static void count_line(void *arg, const char *line)
{
    assert_true(strlen(line) > 0);
    *(int *)arg += 1;
}

static void check_finds_damage(void **state)
{
    struct fixture *f = *state;
    int lines = 0, fd;
    fixture_ok(f, sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db));
    for (int64_t key = 1; key <= 50; key++)
        fixture_ok(f, sql_write(&f->ctx, f->db, insert_key, &key));
    fixture_ok(f, sql_check(&f->ctx, f->db, count_line, &lines));
    assert_int_equal(lines, 0);
    sql_close(f->db);
    f->db = NULL;
    str whole;
    fixture_ok(f, file_read_all(&f->ctx, f->url + 7, 1 << 24, &whole));
    char *bytes = arena_cstr(f->ctx.arena, whole);
    memset(bytes + 2 * 4096, 0x55, 4096 * 3);
    fixture_ok(f, file_remove(&f->ctx, f->url + 7));
    fixture_ok(f, file_create(&f->ctx, f->url + 7, &fd));
    fixture_ok(f, file_write(&f->ctx, fd, bytes, whole.n));
    file_close(&fd);
    fixture_ok(f, sql_open_existing(&f->ctx, f->url, &f->db));
    int rc = sql_check(&f->ctx, f->db, count_line, &lines);
    assert_true(rc != RC_OK || lines > 0);
}

/* ---- crash ---- */

static void crash_child(struct fixture *f, int n, int out)
{
    char spec[32];
    snprintf(spec, sizeof spec, "kill:%d", n);
    fault_arm(spec);
    if (sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db) != RC_OK)
        _exit(3);
    for (int64_t key = 1; key <= 6; key++) {
        if (sql_write(&f->ctx, f->db, insert_key, &key) != RC_OK)
            _exit(4);
        if (write(out, "x", 1) != 1) /* acknowledged */
            _exit(5);
    }
    sql_close(f->db);
    _exit(0);
}

static int check_keys(struct ctx *c, struct sql_tx *tx, void *arg)
{
    int64_t sum, n;
    TRY(sql_query_int(c, tx, &n, "SELECT COUNT(*) FROM t WHERE k < 1000", NULL, 0));
    TRY(sql_query_int(c, tx, &sum, "SELECT COALESCE(SUM(k), 0) FROM t WHERE k < 1000", NULL, 0));
    assert_int_equal(sum, n * (n + 1) / 2); /* the first n, whole */
    *(int64_t *)arg = n;
    return RC_OK;
}

static void killed_at_every_point(void **state)
{
    int status = -1, n = 1;
    (void)state;
    for (; n < 400 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0); n++) {
        struct fixture *f = fixture_bare();
        int pipes[2], lines = 0;
        int64_t there = 0;
        ssize_t acknowledged = 0;
        char byte;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            crash_child(f, n, pipes[1]);
        close(pipes[1]);
        while (read(pipes[0], &byte, 1) == 1)
            acknowledged++;
        close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        fixture_ok(f, sql_open(&f->ctx, f->url, two, COUNT_OF(two), &f->db));
        fixture_ok(f, sql_read(&f->ctx, f->db, check_keys, &there));
        assert_true(there >= acknowledged && there <= acknowledged + 1);
        fixture_ok(f, sql_check(&f->ctx, f->db, count_line, &lines));
        assert_int_equal(lines, 0);
        void *self = f;
        fixture_close(&self);
    }
    assert_true(n > 20 && n < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(wrong_statements, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(statement_reuse, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(like_counts_case, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(rolled_back, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(read_cannot_write, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(cancelled, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(cancelled_inside, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(snapshot_isolation, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(group_commit, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(memory_of_the_writer, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(clustered_tables, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(full_disk_fails_all, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(each_call_fails_once, open_two, fixture_close),
        cmocka_unit_test_setup_teardown(migration_copies, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(newer_schema_refused, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(failed_migration_changes_nothing, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(open_errors, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(open_for_reading, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(open_beside_another, open_none, fixture_close),
        cmocka_unit_test_setup_teardown(check_finds_damage, open_none, fixture_close),
        cmocka_unit_test(killed_at_every_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
