/* A metadata database and a content store in a folder of their own, for the tests of this room. */
#ifndef MAPFERRY_TESTS_STORE_FIXTURE_H
#define MAPFERRY_TESTS_STORE_FIXTURE_H

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/blob.h"
#include "store/meta.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct ctx ctx;
    struct clock_fixed clock;
    str dir;
    char *url;
    struct sql *db;
    struct blob_store *blobs;
};

static inline void fixture_connect(struct fixture *f)
{
    str content = arena_printf(f->ctx.arena, "%.*s/content", STR_FMT(f->dir));
    assert_int_equal(sql_open(&f->ctx, f->url, meta_migrations, meta_migration_count, &f->db), RC_OK);
    if (blob_store_open(&f->ctx, f->db, content.p, &f->blobs) != RC_OK)
        fail_msg("%s", err_text(&f->ctx));
}

static inline void fixture_disconnect(struct fixture *f)
{
    blob_store_close(f->blobs);
    sql_close(f->db);
    f->blobs = NULL;
    f->db = NULL;
}

/* A context and an empty folder, nothing opened. */
static inline struct fixture *fixture_bare(void)
{
    struct fixture *f = mem_new(struct fixture);
    ctx_open(&f->ctx);
    f->clock = clock_fixed_at(1700000000000);
    f->ctx.clock = &f->clock.base;
    /* in memory where there is such a folder: what a kill leaves behind does not depend on the disk, and hundreds of syncs take
     * time */
    assert_int_equal(dir_temp(&f->ctx, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NULL, &f->dir), RC_OK);
    f->url = mem_cstr(arena_printf(f->ctx.arena, "sqlite:%.*s/meta.db", STR_FMT(f->dir)).p);
    return f;
}

static inline int fixture_open(void **state)
{
    struct fixture *f = fixture_bare();
    fixture_connect(f);
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    struct fixture *f = *state;
    fault_arm(NULL);
    fixture_disconnect(f);
    assert_int_equal(dir_remove_tree(&f->ctx, f->dir.p), RC_OK);
    mem_free(f->url);
    ctx_close(&f->ctx);
    mem_free(f);
    return 0;
}

static inline void fixture_ok(struct fixture *f, int rc)
{
    if (rc != RC_OK)
        fail_msg("rc %d: %s", rc, err_text(&f->ctx));
}

/* A test that runs inside one write transaction: c, tx and arg (the fixture) are in sight, it ends by `return RC_OK`. */
#define TX_TEST(name)                                                                                                            \
    static int name##_in(struct ctx *c, struct sql_tx *tx, void *arg);                                                           \
    static void name(void **state)                                                                                               \
    {                                                                                                                            \
        struct fixture *f = *state;                                                                                              \
        fixture_ok(f, sql_write(&f->ctx, f->db, name##_in, f));                                                                  \
    }                                                                                                                            \
    static int name##_in(struct ctx *c, struct sql_tx *tx, void *arg)

#define assert_text(actual, expected) assert_string_equal(arena_cstr(c->arena, (actual)), (expected))

static inline id test_id(unsigned n)
{
    char text[ID_SIZE + 1];
    id out;
    snprintf(text, sizeof text, "%032x", n);
    assert_true(id_parse(str_c(text), &out));
    return out;
}

#endif
