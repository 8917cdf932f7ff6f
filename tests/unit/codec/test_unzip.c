/* Archives of others: what is read, what is refused, and that no change of a byte gives anything but the same bytes or an error.
 */
#include "codec/unzip.h"
#include "base/buf.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static struct ctx ctx;
static const struct unzip_limits limits = {.max_members = 10, .max_bytes = 1000};

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

static void put(struct buf *b, size_t bytes, uint64_t v)
{
    for (size_t i = 0; i < bytes; i++)
        buf_add_char(b, (char)(v >> 8 * i));
}

/* "hello" by deflate, in a block of fixed codes. */
#define PACKED "\xcb\x48\xcd\xc9\xc9\x07\x00"
enum { CRC = 0x3610a686, SIZE = 5, PACKED_SIZE = sizeof PACKED - 1 };

/* An archive of one member as common tools write it. */
static str archive_of(const char *name, unsigned flags, unsigned method, uint64_t size)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 16);
    size_t n = strlen(name);
    const char *bytes = method == ZIP_DEFLATED ? PACKED : "hello";
    size_t packed = method == ZIP_DEFLATED ? (size_t)PACKED_SIZE : (size_t)SIZE;
    put(&b, 4, 0x04034b50), put(&b, 2, 20), put(&b, 2, flags), put(&b, 2, method), put(&b, 4, 0), put(&b, 4, CRC);
    put(&b, 4, packed), put(&b, 4, size), put(&b, 2, n), put(&b, 2, 0);
    buf_add(&b, str_of(name, n));
    buf_add(&b, str_of(bytes, packed));
    size_t directory = b.n;
    put(&b, 4, 0x02014b50), put(&b, 2, 20), put(&b, 2, 20), put(&b, 2, flags), put(&b, 2, method), put(&b, 4, 0), put(&b, 4, CRC);
    put(&b, 4, packed), put(&b, 4, size), put(&b, 2, n), put(&b, 2, 0), put(&b, 2, 0), put(&b, 2, 0), put(&b, 2, 0);
    put(&b, 4, 0), put(&b, 4, 0);
    buf_add(&b, str_of(name, n));
    size_t length = b.n - directory;
    put(&b, 4, 0x06054b50), put(&b, 4, 0), put(&b, 2, 1), put(&b, 2, 1), put(&b, 4, length), put(&b, 4, directory), put(&b, 2, 0);
    return arena_str(ctx.arena, buf_str(&b));
}

static int open_bytes(str bytes, struct unzip *out)
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
    return unzip_open(&ctx, fd, &limits, out);
}

static int read_first(const struct unzip *z, str *out)
{
    struct reader *r = unzip_member_open(z, &z->members[0]);
    int rc = reader_read_all(&ctx, r, 1 << 16, "member", out);
    reader_close(r);
    return rc;
}

static void members_are_read(void **state)
{
    (void)state;
    static const unsigned methods[] = {ZIP_STORED, ZIP_DEFLATED};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct unzip z;
        str bytes;
        assert_int_equal(open_bytes(archive_of("a/\xe6\x9d\xb1.txt", 0, methods[i], SIZE), &z), RC_OK);
        assert_int_equal(z.count, 1);
        assert_true(str_eq(z.members[0].name, STR("a/\xe6\x9d\xb1.txt")));
        assert_int_equal(read_first(&z, &bytes), RC_OK);
        assert_true(str_eq(bytes, STR("hello")));
        close(z.fd);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned flags, method;
        uint64_t size;
        const struct err_kind *kind;
    } cases[] = {{"../a", 0, 0, SIZE, &ERR_INVALID},
                 {"/a", 0, 0, SIZE, &ERR_INVALID},
                 {"a\\b", 0, 0, SIZE, &ERR_INVALID},
                 {"\xff", 0, 0, SIZE, &ERR_INVALID},
                 {"a", 1, 0, SIZE, &ERR_UNSUPPORTED},
                 {"a", 0, 12, SIZE, &ERR_UNSUPPORTED},
                 {"a", 0, 0, SIZE + 1, &ERR_INVALID},
                 {"a", 0, ZIP_DEFLATED, 1001, &ERR_LIMIT},
                 {"a", 0, ZIP_DEFLATED, UINT32_MAX, &ERR_LIMIT}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct unzip z;
        int rc = open_bytes(archive_of(cases[i].name, cases[i].flags, cases[i].method, cases[i].size), &z);
        if (rc != RC_FAIL || !err_is(&ctx, cases[i].kind))
            fail_msg("case %zu: %d, %s", i, rc, err_text(&ctx));
        err_clear(&ctx);
        close(z.fd);
    }
}

/* Cut anywhere, or with any bit changed: refused, or the same name and bytes. */
static void damage_is_found(void **state)
{
    (void)state;
    str whole = archive_of("name", 0, ZIP_DEFLATED, SIZE), bytes;
    for (size_t n = 0; n < whole.n; n++) {
        struct unzip z;
        assert_int_equal(open_bytes(str_sub(whole, 0, n), &z), RC_FAIL);
        err_clear(&ctx);
        close(z.fd);
    }
    for (size_t bit = 0; bit < whole.n * 8; bit++) {
        struct unzip z;
        char *changed = arena_cstr(ctx.arena, whole);
        changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
        if (open_bytes(str_of(changed, whole.n), &z) == RC_OK && z.count == 1 && read_first(&z, &bytes) == RC_OK)
            assert_true(str_eq(bytes, STR("hello")));
        err_clear(&ctx);
        close(z.fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(members_are_read, setup, teardown),
                                       cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
                                       cmocka_unit_test_setup_teardown(damage_is_found, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
