#include "base/fault.h"
#include "base/file.h"
#include "fake_portal.h"
#include "model/errors.h"
#include "portal/package/inspect.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
    struct ctx ctx;
    str dir, path;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    ctx_open(&f->ctx);
    assert_int_equal(dir_temp(&f->ctx, NULL, &f->dir), RC_OK);
    f->path = arena_printf(f->ctx.arena, "%s/p.epk", f->dir.p);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fault_arm(NULL);
    dir_remove_tree(&f->ctx, f->dir.p);
    ctx_close(&f->ctx);
    free(f);
    return 0;
}

static void ok(struct fixture *f, int rc)
{
    if (rc != RC_OK)
        fail_msg("%d: %s", rc, err_text(&f->ctx));
}

static void failed(struct fixture *f, int rc, const struct err_kind *kind, const char *text)
{
    assert_int_equal(rc, RC_FAIL);
    assert_string_equal(f->ctx.err.kind->name, kind->name);
    if (!strstr(err_text(&f->ctx), text))
        fail_msg("\"%s\" does not say \"%s\"", err_text(&f->ctx), text);
    err_clear(&f->ctx);
}

static str path_of(struct fixture *f, const char *name) { return arena_printf(f->ctx.arena, "%s/%s", f->dir.p, name); }

static struct portal *open_package(struct fixture *f, str path)
{
    struct portal *p = NULL;
    struct package_limits limits = package_limits_default();
    limits.temp_dir = f->dir;
    ok(f, package_open_path(&f->ctx, path, &limits, &p));
    return p;
}

static void same_bytes(struct fixture *f, struct reader *a, struct reader *b)
{
    str x, y;
    ok(f, reader_read_all(&f->ctx, a, 1 << 26, "a", &x));
    ok(f, reader_read_all(&f->ctx, b, 1 << 26, "b", &y));
    assert_true(str_eq(x, y));
    reader_close(a), reader_close(b);
}

static void same_item(struct fixture *f, struct portal *a, struct portal *b, const id *item)
{
    struct portal_item x, y;
    ok(f, a->ops->item_get(&f->ctx, a, item, &x));
    ok(f, b->ops->item_get(&f->ctx, b, item, &y));
    assert_true(id_eq(x.item.id, y.item.id));
    assert_true(str_eq(x.item.owner, y.item.owner));
    assert_int_equal(x.item.created, y.item.created);
    assert_int_equal(x.item.modified, y.item.modified);
    assert_int_equal(x.item.access, y.item.access);
    assert_int_equal(x.item.protected, y.item.protected);
    assert_int_equal(x.item.size, y.item.size);
    for (int i = 0; i < ITEM_FIELD_COUNT; i++)
        assert_true(str_eq(x.item.field[i], y.item.field[i]));
    assert_int_equal(x.hosted, y.hosted);
    assert_true(str_eq(x.service_name, y.service_name));
    assert_true(str_eq(x.definition, y.definition));
    assert_int_equal(x.part_count, y.part_count);
    for (size_t i = 0; i < x.part_count; i++) {
        struct reader *r, *s;
        assert_int_equal(x.parts[i].kind, y.parts[i].kind);
        assert_true(str_eq(x.parts[i].name, y.parts[i].name));
        assert_true(str_eq(x.parts[i].content_type, y.parts[i].content_type));
        assert_int_equal(x.parts[i].created, y.parts[i].created);
        ok(f, a->ops->part_open(&f->ctx, a, item, &x.parts[i], &r));
        ok(f, b->ops->part_open(&f->ctx, b, item, &y.parts[i], &s));
        same_bytes(f, r, s);
    }
}

static void same_attachments(struct fixture *f, struct portal *a, struct portal *b, const id *item)
{
    struct attachment_source *x, *y;
    struct portal_attachment p, q;
    size_t count = 0;
    ok(f, a->ops->attachments_open(&f->ctx, a, item, &x));
    ok(f, b->ops->attachments_open(&f->ctx, b, item, &y));
    while (x->next(&f->ctx, x, &p) == RC_OK) {
        struct reader *r, *s;
        ok(f, y->next(&f->ctx, y, &q));
        assert_int_equal(p.layer, q.layer);
        assert_int_equal(p.id, q.id);
        assert_int_equal(p.parent_oid, q.parent_oid);
        assert_true(str_eq(p.global_id, q.global_id) && str_eq(p.name, q.name) && str_eq(p.content_type, q.content_type));
        ok(f, a->ops->attachment_read(&f->ctx, a, item, &p, &r));
        ok(f, b->ops->attachment_read(&f->ctx, b, item, &q, &s));
        same_bytes(f, r, s);
        count++;
    }
    assert_int_equal(y->next(&f->ctx, y, &q), RC_END);
    assert_int_equal(count, 3);
    x->close(x), y->close(y);
}

static void round_trip(void **state)
{
    struct fixture *f = *state;
    struct package_result result, again;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = true});
    ok(f, fake_package(&f->ctx, source, f->path, 2, &result));
    struct portal *p = open_package(f, f->path);
    struct portal_info info;
    ok(f, p->ops->info(&f->ctx, p, &info));
    assert_true(str_eq(info.https_url, STR("https://one.example/portal")));
    assert_true(info.is_portal);
    id *ids;
    size_t count;
    ok(f, p->ops->list(&f->ctx, p, NULL, &ids, &count));
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        same_item(f, source, p, &ids[i]);
    id hosted = fake_id(2), group = fake_id(99), nobody = fake_id(1234);
    same_attachments(f, source, p, &hosted);
    ok(f, p->ops->list(&f->ctx, p, &group, &ids, &count));
    assert_int_equal(count, 5);
    ok(f, p->ops->list(&f->ctx, p, &nobody, &ids, &count));
    assert_int_equal(count, 0);
    struct portal_item item;
    assert_int_equal(p->ops->item_get(&f->ctx, p, &nobody, &item), RC_NOT_FOUND);
    err_clear(&f->ctx);
    id first = fake_id(1);
    ok(f, p->ops->item_get(&f->ctx, p, &first, &item));
    assert_int_equal(item.relationship_count, 1); /* the other one leaves the package */
    assert_true(id_eq(item.relationships[0].destination, hosted));
    assert_true(str_eq(item.relationships[0].type, STR("Map2Service")));
    ok(f, package_verify(&f->ctx, p, 2, NULL, NULL, NULL));
    /* from a package into the next one: nothing changes */
    ok(f, fake_package(&f->ctx, p, path_of(f, "second.epk"), 1, &again));
    assert_true(hash_eq(result.content, again.content));
    portal_close(p);
}

static void layers_come_out_as_they_went_in(void **state)
{
    struct fixture *f = *state;
    struct package_result result;
    ok(f, fake_package(&f->ctx, fake_portal_open(&f->ctx, &(struct fake_options){.layers = STR("these are the layers")}), f->path,
                       9, &result));
    struct portal *p = open_package(f, f->path);
    id hosted = fake_id(2), other = fake_id(1);
    str path = path_of(f, "out.gpkg"), text;
    ok(f, p->ops->layers_file(&f->ctx, p, &hosted, path.p));
    ok(f, file_read_all(&f->ctx, path.p, 1000, &text));
    assert_true(str_eq(text, STR("these are the layers")));
    failed(f, p->ops->layers_file(&f->ctx, p, &other, path_of(f, "no.gpkg").p), &ERR_CORRUPT, "no layers");
    assert_false(file_exists(path_of(f, "no.gpkg").p));
    assert_false(file_exists(path_of(f, "p.epk.layers").p));
    portal_close(p);
}

static str rows_path;
static int rows_calls;
static int fake_rows(struct ctx *ctx, void *arg, str gpkg_path, const struct service *def, const struct layer *l,
                     struct row_source **out)
{
    (void)arg;
    str text;
    (void)def, (void)l;
    TRY(file_read_all(ctx, gpkg_path.p, 1000, &text));
    assert_true(str_eq(text, STR("layer bytes")));
    assert_true(rows_calls == 0 || str_eq(rows_path, gpkg_path)); /* unpacked once */
    rows_path = arena_str(ctx->arena, gpkg_path);
    rows_calls++;
    *out = NULL;
    return RC_OK;
}

static void rows_come_from_an_unpacked_file(void **state)
{
    struct fixture *f = *state;
    struct package_result result;
    struct package_limits limits = package_limits_default();
    struct portal *p;
    struct row_source *rows;
    id hosted = fake_id(2);
    ok(f, fake_package(&f->ctx, fake_portal_open(&f->ctx, &(struct fake_options){.big = false}), f->path, 9, &result));
    limits.temp_dir = f->dir;
    limits.rows_open = fake_rows;
    rows_calls = 0;
    ok(f, package_open_path(&f->ctx, f->path, &limits, &p));
    ok(f, p->ops->rows_open(&f->ctx, p, &hosted, NULL, NULL, &rows));
    ok(f, p->ops->rows_open(&f->ctx, p, &hosted, NULL, NULL, &rows));
    assert_int_equal(rows_calls, 2);
    assert_true(file_exists(rows_path.p));
    portal_close(p);
    assert_false(file_exists(rows_path.p));
    p = open_package(f, f->path);
    failed(f, p->ops->rows_open(&f->ctx, p, &hosted, NULL, NULL, &rows), &ERR_UNSUPPORTED, "rows");
    portal_close(p);
}

/* Both have the same members with the same bytes, but for `differing` of them. */
static void same_members(struct fixture *f, str a, str b, size_t differing)
{
    struct portal *p = open_package(f, a), *q = open_package(f, b);
    size_t different = 0;
    assert_int_equal(package_member_count(p), package_member_count(q));
    for (size_t i = 0; i < package_member_count(p); i++) {
        struct package_member m, n;
        package_member(p, i, &m);
        package_member(q, i, &n);
        assert_true(str_eq(m.name, n.name));
        different += !hash_eq(m.hash, n.hash);
    }
    assert_int_equal(different, differing);
    portal_close(p), portal_close(q);
}

static void same_content_same_bytes(void **state)
{
    struct fixture *f = *state;
    struct package_result a, b, c;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = true});
    ok(f, fake_package(&f->ctx, source, f->path, 2, &a));
    ok(f, fake_package(&f->ctx, source, path_of(f, "b"), 5, &b)); /* other checkpoints */
    same_members(f, f->path, path_of(f, "b"), 0);
    struct package_options options = fake_package_options(path_of(f, "c"));
    options.created++;
    options.threads = 1;
    struct portal *target;
    ok(f, package_create(&f->ctx, &options, &target));
    ok(f, fake_portal_copy(&f->ctx, source, target, 1));
    c = package_result(target);
    portal_close(target);
    assert_false(hash_eq(a.file, c.file));
    assert_true(hash_eq(a.content, c.content));
    same_members(f, f->path, path_of(f, "c"), 2); /* package.json, and the manifest that names its hash */
}

static void file_hash_is_that_of_the_file(void **state)
{
    struct fixture *f = *state;
    struct package_result result;
    str bytes;
    ok(f, fake_package(&f->ctx, fake_portal_open(&f->ctx, &(struct fake_options){.big = true}), f->path, 2, &result));
    ok(f, file_read_all(&f->ctx, f->path.p, 1 << 26, &bytes));
    assert_int_equal(bytes.n, result.size);
    assert_true(hash_eq(hash_of(bytes), result.file));
    assert_int_equal(result.items, 5);
    assert_int_equal(result.aliases, 4);
}

static void finishing_twice_is_harmless(void **state)
{
    struct fixture *f = *state;
    struct package_result first;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false}), *target;
    ok(f, fake_package(&f->ctx, source, f->path, 2, &first));
    struct package_options options = fake_package_options(f->path);
    ok(f, package_create(&f->ctx, &options, &target));
    bool put;
    id third = fake_id(3);
    ok(f, target->ops->was_put(&f->ctx, target, &third, &put));
    assert_true(put);
    ok(f, fake_portal_copy(&f->ctx, source, target, 2));
    struct package_result second = package_result(target);
    portal_close(target);
    assert_true(hash_eq(first.file, second.file) && hash_eq(first.content, second.content));
    assert_int_equal(first.members, second.members);
    ok(f, package_journal_remove(&f->ctx, f->path));
    assert_false(file_exists(path_of(f, "p.epk.journal").p));
    failed(f, package_create(&f->ctx, &options, &target), &ERR_INVALID, "exists already");
    portal_close(open_package(f, f->path));
}

/* ---- faults ---- */

static int child_copies(struct fixture *f, const char *fault, size_t every)
{
    pid_t child = fork();
    if (child == 0) {
        struct package_result result;
        struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false});
        fault_arm(fault);
        _exit(fake_package(&f->ctx, source, f->path, every, &result) == RC_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void killed_anywhere_goes_on(void **state)
{
    struct fixture *f = *state;
    struct package_result expected, result;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false});
    ok(f, fake_package(&f->ctx, source, path_of(f, "expected"), 1, &expected));
    size_t killed = 0;
    for (int n = 1;; n++) {
        int status = child_copies(f, arena_printf(f->ctx.arena, "kill:%d", n).p, 1);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            break;
        }
        assert_int_equal(WTERMSIG(status), SIGKILL);
        killed++;
        /* what is there is no package yet, unless everything was written */
        struct package_limits limits = package_limits_default();
        struct portal *p = NULL;
        if (file_exists(f->path.p) && package_open_path(&f->ctx, f->path, &limits, &p) == RC_OK)
            portal_close(p);
        err_clear(&f->ctx);
        ok(f, fake_package(&f->ctx, source, f->path, 1, &result));
        assert_true(hash_eq(result.content, expected.content));
        same_members(f, f->path, path_of(f, "expected"), 0);
        ok(f, file_remove(&f->ctx, f->path.p));
        ok(f, package_journal_remove(&f->ctx, f->path));
    }
    assert_true(killed > 20);
}

static void failing_calls_are_errors(void **state)
{
    struct fixture *f = *state;
    struct package_result expected, result;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false});
    ok(f, fake_package(&f->ctx, source, path_of(f, "expected"), 2, &expected));
    for (int n = 1;; n++) {
        fault_arm(arena_printf(f->ctx.arena, n % 2 ? "eio:%d" : "enospc-from:%d", n).p);
        int rc = fake_package(&f->ctx, source, f->path, 2, &result);
        fault_arm(NULL);
        bool through = rc == RC_OK;
        if (!through)
            assert_true(err_is(&f->ctx, n % 2 ? &ERR_IO : &ERR_NO_SPACE));
        err_clear(&f->ctx);
        ok(f, fake_package(&f->ctx, source, f->path, 2, &result));
        assert_true(hash_eq(result.content, expected.content));
        same_members(f, f->path, path_of(f, "expected"), 0);
        ok(f, file_remove(&f->ctx, f->path.p));
        ok(f, package_journal_remove(&f->ctx, f->path));
        if (through && n > 20)
            break;
    }
}

static void torn_journal_ends_at_its_last_checkpoint(void **state)
{
    struct fixture *f = *state;
    struct package_result expected, result;
    str journal, path = path_of(f, "p.epk.journal");
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false});
    ok(f, fake_package(&f->ctx, source, path_of(f, "expected"), 1, &expected));
    ok(f, fake_package(&f->ctx, source, f->path, 1, &result));
    ok(f, file_read_all(&f->ctx, path.p, 1 << 20, &journal));
    for (size_t at = 0; at < journal.n; at += 97) {
        char *torn = arena_cstr(f->ctx.arena, journal);
        torn[at] ^= 1;
        ok(f, file_write_all(&f->ctx, path.p, str_of(torn, journal.n), 0600));
        ok(f, fake_package(&f->ctx, source, f->path, 1, &result));
        assert_true(hash_eq(result.content, expected.content));
        same_members(f, f->path, path_of(f, "expected"), 0);
        ok(f, file_write_all(&f->ctx, path.p, str_sub(journal, 0, at), 0600));
        ok(f, fake_package(&f->ctx, source, f->path, 1, &result));
        assert_true(hash_eq(result.content, expected.content));
        same_members(f, f->path, path_of(f, "expected"), 0);
    }
}

static void changed_file_is_not_continued(void **state)
{
    struct fixture *f = *state;
    struct package_result result;
    str bytes;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false}), *target;
    ok(f, fake_package(&f->ctx, source, f->path, 1, &result));
    ok(f, file_read_all(&f->ctx, f->path.p, 1 << 20, &bytes));
    char *changed = arena_cstr(f->ctx.arena, bytes);
    changed[100] ^= 1;
    ok(f, file_write_all(&f->ctx, f->path.p, str_of(changed, bytes.n), 0600));
    struct package_options options = fake_package_options(f->path);
    failed(f, package_create(&f->ctx, &options, &target), &ERR_CORRUPT, "journal");
}

/* ---- limits and sources that fail ---- */

static int put_one(struct fixture *f, struct portal *source, struct portal *target, int n)
{
    struct portal_item it;
    id item = fake_id(n);
    ok(f, source->ops->item_get(&f->ctx, source, &item, &it));
    struct part_put *parts = arena_array(f->ctx.arena, struct part_put, it.part_count);
    for (size_t i = 0; i < it.part_count; i++)
        parts[i] = (struct part_put){.part = it.parts[i]};
    struct item_put put = {.item = &it, .source = source, .source_id = item, .part_count = it.part_count, .parts = parts};
    return target->ops->item_put(&f->ctx, target, &put);
}

static void failed_item_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = true, .break_part = "zeros.bin"}), *target;
    struct package_options options = fake_package_options(f->path);
    struct put_result *results;
    size_t count;
    for (int i = 0; i < 2; i++) { /* with and without the item that fails */
        options.path = i ? path_of(f, "without") : f->path;
        ok(f, package_create(&f->ctx, &options, &target));
        ok(f, put_one(f, source, target, 1));
        if (i == 0) {
            failed(f, put_one(f, source, target, 4), &ERR_CORRUPT, "zeros.bin");
            ok(f, target->ops->checkpoint(&f->ctx, target, &results, &count));
            assert_int_equal(count, 1);
            assert_true(results[0].ok);
            failed(f, put_one(f, source, target, 4), &ERR_CORRUPT, "zeros.bin");
        }
        ok(f, put_one(f, source, target, 3));
        failed(f, put_one(f, source, target, 3), &ERR_INVALID, "in the package already");
        ok(f, target->ops->finish(&f->ctx, target));
        portal_close(target);
    }
    same_members(f, f->path, path_of(f, "without"), 0);
    struct portal *p = open_package(f, f->path);
    ok(f, package_verify(&f->ctx, p, 1, NULL, NULL, NULL));
    portal_close(p);
}

static void limits_name_their_setting(void **state)
{
    struct fixture *f = *state;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = true}), *target;
    struct package_options options = fake_package_options(f->path);
    struct package_result result;
    options.max_item_bytes = 1 << 20;
    ok(f, package_create(&f->ctx, &options, &target));
    failed(f, put_one(f, source, target, 4), &ERR_ITEM_SIZE, "export.maxItemBytes");
    ok(f, put_one(f, source, target, 3));
    ok(f, target->ops->finish(&f->ctx, target));
    assert_int_equal(package_result(target).items, 1);
    portal_close(target);
    options = fake_package_options(path_of(f, "q"));
    options.max_package_bytes = 1 << 20;
    ok(f, package_create(&f->ctx, &options, &target));
    failed(f, fake_portal_copy(&f->ctx, source, target, 1), &ERR_LIMIT, "export.maxPackageBytes");
    failed(f, put_one(f, source, target, 5), &ERR_IO, "cannot be continued");
    portal_close(target);
    ok(f, fake_package(&f->ctx, source, path_of(f, "r"), 1, &result));
    struct package_limits limits = package_limits_default();
    limits.max_package_bytes = result.size - 1;
    failed(f, package_open_path(&f->ctx, path_of(f, "r"), &limits, &target), &ERR_LIMIT, "limit");
}

static void changed_parts_are_what_is_packed(void **state)
{
    struct fixture *f = *state;
    struct portal *source = fake_portal_open(&f->ctx, &(struct fake_options){.big = false}), *target;
    struct package_options options = fake_package_options(f->path);
    struct portal_item it;
    id item = fake_id(1);
    str text;
    struct reader *r;
    ok(f, source->ops->item_get(&f->ctx, source, &item, &it));
    struct part_put part = {.part = it.parts[0], .changed = true, .text = STR("{\"rewritten\":true}")};
    part.part.hash = hash_of(part.text);
    part.part.size = (int64_t)part.text.n;
    struct item_put put = {.item = &it, .source = source, .source_id = item, .part_count = 1, .parts = &part};
    ok(f, package_create(&f->ctx, &options, &target));
    ok(f, target->ops->item_put(&f->ctx, target, &put));
    ok(f, target->ops->finish(&f->ctx, target));
    portal_close(target);
    struct portal *p = open_package(f, f->path);
    ok(f, p->ops->item_get(&f->ctx, p, &item, &it));
    assert_int_equal(it.part_count, 1);
    assert_int_equal(it.parts[0].size, 18);
    ok(f, p->ops->part_open(&f->ctx, p, &item, &it.parts[0], &r));
    ok(f, reader_read_all(&f->ctx, r, 100, "x", &text));
    assert_true(str_eq(text, STR("{\"rewritten\":true}")));
    reader_close(r);
    portal_close(p);
}

/* ---- others read it, too ---- */

static bool has_program(struct fixture *f, const char *name)
{
    return system(arena_printf(f->ctx.arena, "command -v %s >/dev/null 2>&1", name).p) == 0;
}

static void other_programs_read_it(void **state)
{
    struct fixture *f = *state;
    struct package_result result;
    struct fake_options options = {.big = true};
    str gpkg = path_of(f, "real.gpkg"), csv = path_of(f, "real.csv");
    bool gdal = has_program(f, "ogr2ogr") && has_program(f, "ogrinfo");
    ok(f, file_write_all(&f->ctx, csv.p, STR("name,x\nnorth,1\nsouth,2\n"), 0600));
    if (gdal) {
        assert_int_equal(system(arena_printf(f->ctx.arena, "ogr2ogr -f GPKG %s %s >/dev/null 2>&1", gpkg.p, csv.p).p), 0);
        ok(f, file_read_all(&f->ctx, gpkg.p, 1 << 24, &options.layers));
    }
    ok(f, fake_package(&f->ctx, fake_portal_open(&f->ctx, &options), f->path, 2, &result));
    if (gdal)
        assert_int_equal(
            system(arena_printf(f->ctx.arena,
                                "ogrinfo -q -ro -al /vsizip/{%s}/items/%s/layers.gpkg 2>&1 | grep -q 'name (String) = south'",
                                f->path.p, fake_id(2).text)
                       .p),
            0);
    if (has_program(f, "unzip"))
        assert_int_equal(system(arena_printf(f->ctx.arena, "LC_ALL=C unzip -tqq %s >/dev/null", f->path.p).p), 0);
    if (has_program(f, "python3"))
        assert_int_equal(
            system(arena_printf(f->ctx.arena,
                                "python3 -c 'import zipfile,sys; sys.exit(zipfile.ZipFile(\"%s\").testzip() is not None)'",
                                f->path.p)
                       .p),
            0);
}

static void inspect_says_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct package_result result;
    ok(f, fake_package(&f->ctx, fake_portal_open(&f->ctx, &(struct fake_options){.big = false}), f->path, 2, &result));
    struct portal *p = open_package(f, f->path);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);
    struct writer *w = writer_buf(&text);
    ok(f, inspect_print(&f->ctx, p, &(struct inspect_options){.verify = true, .threads = 2}, w));
    writer_close(w);
    assert_non_null(strstr(text.p, "\nDashboard (Dashboard, 00000000000000000000000000000004)\n  Parks of \xc3\x85land"));
    assert_non_null(strstr(text.p, "\n    Parks (Feature Service, "));
    assert_non_null(strstr(text.p, "Verified "));
    w = writer_buf(&json);
    ok(f, inspect_print(&f->ctx, p, &(struct inspect_options){.json = true, .threads = 1}, w));
    writer_close(w);
    str rest = buf_str(&json), line;
    size_t lines = 0;
    while (str_split(&rest, '\n', &line) && line.n > 0) {
        struct json v;
        assert_true(json_try_parse(f->ctx.arena, line, &v));
        lines++;
    }
    assert_int_equal(lines, 1 + 5 + result.members + result.aliases);
    portal_close(p);
}

#define PACKAGE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PACKAGE_TEST(round_trip),
        PACKAGE_TEST(layers_come_out_as_they_went_in),
        PACKAGE_TEST(rows_come_from_an_unpacked_file),
        PACKAGE_TEST(same_content_same_bytes),
        PACKAGE_TEST(file_hash_is_that_of_the_file),
        PACKAGE_TEST(finishing_twice_is_harmless),
        PACKAGE_TEST(killed_anywhere_goes_on),
        PACKAGE_TEST(failing_calls_are_errors),
        PACKAGE_TEST(torn_journal_ends_at_its_last_checkpoint),
        PACKAGE_TEST(changed_file_is_not_continued),
        PACKAGE_TEST(failed_item_leaves_nothing),
        PACKAGE_TEST(limits_name_their_setting),
        PACKAGE_TEST(changed_parts_are_what_is_packed),
        PACKAGE_TEST(other_programs_read_it),
        PACKAGE_TEST(inspect_says_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
