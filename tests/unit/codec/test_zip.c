#include "codec/zip.h"
#include "base/buf.h"
#include "base/file.h"
#include "codec/deflate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static const struct zip_limits limits = {.max_members = 200000, .max_member_bytes = UINT64_C(1) << 40};

/* An archive in memory on its way to a file. */
struct archive {
    struct ctx ctx;
    struct buf bytes, central;
    struct zip_directory directory;
    int fd;
};

static int archive_setup(void **state)
{
    static struct archive a;
    a = (struct archive){.bytes = BUF_INIT(1 << 26), .central = BUF_INIT(1 << 26), .fd = -1};
    ctx_open(&a.ctx);
    *state = &a;
    return 0;
}

static int archive_teardown(void **state)
{
    struct archive *a = *state;
    buf_free(&a->bytes), buf_free(&a->central);
    file_close(&a->fd);
    ctx_close(&a->ctx);
    return 0;
}

/* Adds a member as it should be; the tests then spoil the bytes. */
static struct zip_member add(struct archive *a, const char *name, str content, uint16_t method, bool wide)
{
    uint8_t piece[ZIP_CENTRAL_MAX];
    struct zip_member m = {.name = str_c(name),
                           .offset = a->bytes.n,
                           .size = content.n,
                           .method = method,
                           .wide = wide,
                           .crc = deflate_crc32(0, content.p, content.n)};
    str packed = content;
    if (method == ZIP_DEFLATED) {
        struct deflate *d = deflate_open();
        char *out = arena_alloc(a->ctx.arena, deflate_bound(content.n));
        packed = str_of(out, deflate_chunk(d, content.p, content.n, true, out));
        deflate_close(d);
    }
    m.packed = packed.n;
    m.packed_crc = deflate_crc32(0, packed.p, packed.n);
    buf_add_bytes(&a->bytes, piece, zip_local_print(&m, piece));
    buf_add(&a->bytes, packed);
    buf_add_bytes(&a->bytes, piece, zip_descriptor_print(&m, piece));
    buf_add_bytes(&a->central, piece, zip_central_print(&m, piece));
    a->directory.count++;
    return m;
}

static void finish(struct archive *a)
{
    uint8_t piece[ZIP_END_MAX];
    a->directory.offset = a->bytes.n;
    a->directory.size = a->central.n;
    buf_add(&a->bytes, buf_str(&a->central));
    buf_add_bytes(&a->bytes, piece, zip_end_print(&a->directory, piece));
}

static int open_it(struct archive *a, struct zip **out)
{
    char path[] = "/tmp/test_zip_XXXXXX";
    file_close(&a->fd);
    a->fd = mkstemp(path);
    unlink(path);
    assert_int_equal(file_write(&a->ctx, a->fd, a->bytes.p, a->bytes.n), RC_OK);
    return zip_open(&a->ctx, a->fd, &limits, out);
}

static void refused(struct archive *a, const struct err_kind *kind, const char *text)
{
    struct zip *z = NULL;
    assert_int_equal(open_it(a, &z), RC_FAIL);
    assert_string_equal(a->ctx.err.kind->name, kind->name);
    if (!strstr(err_text(&a->ctx), text))
        fail_msg("\"%s\" does not say \"%s\"", err_text(&a->ctx), text);
    err_clear(&a->ctx);
}

static void round_trip(void **state)
{
    struct archive *a = *state;
    struct zip *z;
    add(a, "b/stored.txt", STR("stored"), ZIP_STORED, false);
    add(a, "a/deflated.txt", STR("deflated deflated deflated"), ZIP_DEFLATED, true);
    add(a, "größe", STR(""), ZIP_STORED, false);
    add(a, "empty", STR(""), ZIP_DEFLATED, false);
    finish(a);
    assert_int_equal(open_it(a, &z), RC_OK);
    assert_int_equal(zip_count(z), 4);
    assert_int_equal(zip_ranked(z, 0), 1);
    assert_int_equal(zip_ranked(z, 3), 2);
    size_t rank;
    assert_int_equal(zip_find(z, STR("empty"), &rank), 3);
    assert_int_equal(rank, 2);
    assert_true(zip_find(z, STR("nothing"), &rank) == SIZE_MAX);
    assert_int_equal(rank, 4);
    static const char *const contents[] = {"stored", "deflated deflated deflated", "", ""};
    for (size_t i = 0; i < 4; i++) {
        str text;
        struct reader *r = zip_member_open(z, zip_at(z, i));
        assert_int_equal(reader_read_all(&a->ctx, r, 1000, "x", &text), RC_OK);
        assert_true(str_eq(text, str_c(contents[i])));
        reader_close(r);
    }
    zip_close(z);
}

static void empty_archive(void **state)
{
    struct archive *a = *state;
    struct zip *z;
    finish(a);
    assert_int_equal(a->bytes.n, 22);
    assert_int_equal(open_it(a, &z), RC_OK);
    assert_int_equal(zip_count(z), 0);
    zip_close(z);
}

static void every_flipped_bit_is_seen(void **state)
{
    struct archive *a = *state;
    add(a, "one.txt", STR("some bytes"), ZIP_STORED, false);
    add(a, "two.txt", STR("some bytes some bytes some bytes some bytes"), ZIP_DEFLATED, true);
    finish(a);
    for (size_t bit = 0; bit < a->bytes.n * 8; bit++) {
        struct zip *z = NULL;
        a->bytes.p[bit / 8] = (char)(a->bytes.p[bit / 8] ^ 1 << bit % 8);
        int rc = open_it(a, &z);
        for (size_t i = 0; rc == RC_OK && i < zip_count(z); i++) {
            str text;
            struct reader *r = zip_member_open(z, zip_at(z, i));
            rc = reader_read_all(&a->ctx, r, 1000, "x", &text);
            reader_close(r);
            if (rc != RC_OK) {
                assert_true(err_is(&a->ctx, &ERR_CORRUPT));
                assert_non_null(strstr(err_text(&a->ctx), zip_at(z, i)->name.p));
            }
        }
        zip_close(z);
        assert_int_equal(rc, RC_FAIL);
        err_clear(&a->ctx);
        a->bytes.p[bit / 8] = (char)(a->bytes.p[bit / 8] ^ 1 << bit % 8);
    }
}

static void every_cut_is_seen(void **state)
{
    struct archive *a = *state;
    add(a, "one.txt", STR("some bytes"), ZIP_STORED, false);
    finish(a);
    size_t n = a->bytes.n;
    for (size_t cut = 0; cut < n; cut++) {
        struct zip *z = NULL;
        a->bytes.n = cut;
        assert_int_equal(open_it(a, &z), RC_FAIL);
        assert_true(err_is(&a->ctx, &ERR_CORRUPT) || (cut < 4 && err_is(&a->ctx, &ERR_INVALID)));
        err_clear(&a->ctx);
    }
}

static void bytes_around_are_refused(void **state)
{
    struct archive *a = *state;
    add(a, "one.txt", STR("some bytes"), ZIP_STORED, false);
    finish(a);
    buf_add_char(&a->bytes, 0);
    refused(a, &ERR_CORRUPT, "behind its end");
    a->bytes.n--;
    buf_reserve(&a->bytes, 1);
    memmove(a->bytes.p + 1, a->bytes.p, a->bytes.n);
    a->bytes.n++;
    refused(a, &ERR_CORRUPT, "does not lie where");
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", "a/.b", "größe", "a..b", "..."};
    static const char *const bad[] = {"",    "/a",   "a/",   "a//b", "../a", "a/../b", "a/..", ".",
                                      "./a", "a\\b", "c:/a", "c:",   "a\nb", "\xff",   "a\x7f"};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!zip_name_valid(str_c(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (zip_name_valid(str_c(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(zip_name_valid(str_of("a\0b", 3)));
    char longest[ZIP_NAME_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(zip_name_valid(str_of(longest, ZIP_NAME_MAX)));
    assert_false(zip_name_valid(str_of(longest, ZIP_NAME_MAX + 1)));
}

static void bad_names_are_refused(void **state)
{
    struct archive *a = *state;
    add(a, "a/../../etc/passwd", STR("x"), ZIP_STORED, false);
    finish(a);
    refused(a, &ERR_INVALID, "a/../../etc/passwd");
}

static void doubles_are_refused(void **state)
{
    struct archive *a = *state;
    add(a, "Dir/One.txt", STR("x"), ZIP_STORED, false);
    add(a, "zzz", STR("x"), ZIP_STORED, false);
    add(a, "dir/one.TXT", STR("x"), ZIP_STORED, false);
    finish(a);
    refused(a, &ERR_INVALID, "twice");
}

static void expansion_is_refused(void **state)
{
    struct archive *a = *state;
    struct zip_member m = add(a, "bomb", STR("x"), ZIP_DEFLATED, false);
    uint8_t piece[ZIP_CENTRAL_MAX];
    m.size = 2 << 20; /* says so, in all places */
    size_t n = zip_descriptor_print(&m, piece);
    memcpy(a->bytes.p + a->bytes.n - n, piece, n);
    buf_clear(&a->central);
    buf_add_bytes(&a->central, piece, zip_central_print(&m, piece));
    finish(a);
    refused(a, &ERR_LIMIT, "expands more than 1000-fold");
}

/* The stream holds more than the directory says: nothing beyond the declared size comes out. */
static void longer_stream_is_refused(void **state)
{
    struct archive *a = *state;
    struct zip_member m = add(a, "liar", STR("0123456789"), ZIP_DEFLATED, false);
    uint8_t piece[ZIP_CENTRAL_MAX];
    struct zip *z;
    m.size = 4;
    m.crc = deflate_crc32(0, "0123", 4);
    size_t n = zip_descriptor_print(&m, piece);
    memcpy(a->bytes.p + a->bytes.n - n, piece, n);
    buf_clear(&a->central);
    buf_add_bytes(&a->central, piece, zip_central_print(&m, piece));
    finish(a);
    assert_int_equal(open_it(a, &z), RC_OK);
    struct reader *r = zip_member_open(z, zip_at(z, 0));
    char out[10];
    size_t got;
    assert_int_equal(reader_read(&a->ctx, r, out, sizeof out, &got), RC_FAIL);
    assert_true(got <= 4);
    assert_true(err_is(&a->ctx, &ERR_CORRUPT));
    reader_close(r);
    zip_close(z);
}

static void many_members_are_zip64(void **state)
{
    struct archive *a = *state;
    enum { MANY = 70000 };
    struct zip *z;
    for (int i = 0; i < MANY; i++)
        add(a, arena_printf(a->ctx.arena, "n/%d", i).p, STR("x"), ZIP_STORED, false);
    finish(a);
    assert_int_equal(open_it(a, &z), RC_OK);
    assert_int_equal(zip_count(z), MANY);
    assert_int_equal(zip_find(z, STR("n/69999"), NULL), MANY - 1);
    zip_close(z);
    struct zip_limits few = {.max_members = 100, .max_member_bytes = 100};
    assert_int_equal(zip_open(&a->ctx, a->fd, &few, &z), RC_FAIL);
    assert_true(err_is(&a->ctx, &ERR_LIMIT));
}

/* A member of 5 GiB (a hole in the file) and one behind it. */
static void large_files_are_zip64(void **state)
{
    struct archive *a = *state;
    uint8_t piece[ZIP_CENTRAL_MAX];
    struct zip *z;
    char path[] = "/tmp/test_zip_XXXXXX";
    struct zip_member big = {.name = STR("big"), .size = UINT64_C(5) << 30, .packed = UINT64_C(5) << 30, .wide = true};
    size_t n = zip_local_print(&big, piece);
    a->fd = mkstemp(path);
    unlink(path);
    assert_int_equal(file_pwrite(&a->ctx, a->fd, piece, n, 0), RC_OK);
    uint64_t at = n + big.packed;
    n = zip_descriptor_print(&big, piece);
    assert_int_equal(n, 24);
    assert_int_equal(file_pwrite(&a->ctx, a->fd, piece, n, at), RC_OK);
    at += n;
    add(a, "small", STR("small content"), ZIP_DEFLATED, false);
    assert_int_equal(file_pwrite(&a->ctx, a->fd, a->bytes.p, a->bytes.n, at), RC_OK);
    struct zip_member small = {.name = STR("small"),
                               .offset = at,
                               .size = 13,
                               .packed = a->bytes.n - 30 - 5 - 4 - 16,
                               .method = ZIP_DEFLATED,
                               .crc = deflate_crc32(0, "small content", 13),
                               .packed_crc = deflate_crc32(0, a->bytes.p + 39, a->bytes.n - 30 - 5 - 4 - 16)};
    struct zip_directory d = {.count = 2, .offset = at + a->bytes.n};
    buf_clear(&a->central);
    buf_add_bytes(&a->central, piece, zip_central_print(&big, piece));
    buf_add_bytes(&a->central, piece, zip_central_print(&small, piece));
    d.size = a->central.n;
    buf_add_bytes(&a->central, piece, zip_end_print(&d, piece));
    assert_int_equal(file_pwrite(&a->ctx, a->fd, a->central.p, a->central.n, d.offset), RC_OK);
    assert_int_equal(zip_open(&a->ctx, a->fd, &limits, &z), RC_OK);
    assert_true(zip_at(z, 0)->size == UINT64_C(5) << 30);
    assert_true(zip_at(z, 1)->offset == at);
    str text;
    struct reader *r = zip_member_open(z, zip_at(z, 1));
    assert_int_equal(reader_read_all(&a->ctx, r, 1000, "x", &text), RC_OK);
    assert_true(str_eq(text, STR("small content")));
    reader_close(r);
    zip_close(z);
    struct zip_limits small_limits = {.max_members = 10, .max_member_bytes = UINT64_C(1) << 30};
    assert_int_equal(zip_open(&a->ctx, a->fd, &small_limits, &z), RC_FAIL);
    assert_true(err_is(&a->ctx, &ERR_LIMIT));
}

#define ARCHIVE_TEST(f) cmocka_unit_test_setup_teardown(f, archive_setup, archive_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARCHIVE_TEST(round_trip),
        ARCHIVE_TEST(empty_archive),
        ARCHIVE_TEST(every_flipped_bit_is_seen),
        ARCHIVE_TEST(every_cut_is_seen),
        ARCHIVE_TEST(bytes_around_are_refused),
        cmocka_unit_test(names),
        ARCHIVE_TEST(bad_names_are_refused),
        ARCHIVE_TEST(doubles_are_refused),
        ARCHIVE_TEST(expansion_is_refused),
        ARCHIVE_TEST(longer_stream_is_refused),
        ARCHIVE_TEST(many_members_are_zip64),
        ARCHIVE_TEST(large_files_are_zip64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
