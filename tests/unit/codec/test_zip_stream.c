/* codec/zip_stream: what is written is what the strict reader of codec/zip accepts. */
#include "codec/zip_stream.h"
#include "base/buf.h"
#include "base/file.h"
#include "codec/zip.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct zip *reopened(struct ctx *ctx, const struct buf *b, int *fd)
{
    struct zip *z = NULL;
    str dir;
    assert_int_equal(dir_temp(ctx, NULL, &dir), RC_OK);
    str path = arena_printf(ctx->arena, "%s/a.zip", dir.p);
    assert_int_equal(file_write_all(ctx, path.p, buf_str(b), 0600), RC_OK);
    assert_int_equal(file_open_read(ctx, path.p, fd), RC_OK);
    assert_int_equal(dir_remove_tree(ctx, dir.p), RC_OK);
    const struct zip_limits limits = {.max_members = 10, .max_member_bytes = 1 << 30};
    assert_int_equal(zip_open(ctx, *fd, &limits, &z), RC_OK);
    return z;
}

static str member(struct ctx *ctx, const struct zip *z, size_t i)
{
    CLEANUP(reader_cleanup) struct reader *r = zip_member_open(z, zip_at(z, i));
    str out;
    assert_int_equal(reader_read_all(ctx, r, 1 << 30, "a member", &out), RC_OK);
    return out;
}

static void round_trip(bool wide)
{
    struct ctx ctx;
    ctx_open(&ctx);
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 20);
    CLEANUP(buf_free) struct buf large = BUF_INIT(64 << 20);
    CLEANUP(file_close) int fd = -1;
    for (int i = 0; i < 200000; i++)
        buf_printf(&large, "%d,", i * 7919 % 1000);
    struct writer *to = writer_buf(&b);
    struct zip_stream *z = zip_stream_open(to, wide);
    assert_int_equal(zip_stream_begin(&ctx, z, STR("große.csv")), RC_OK);
    for (size_t at = 0; at < large.n; at += 777) /* in pieces that fit no boundary */
        assert_int_equal(writer_write(&ctx, zip_stream_writer(z), str_sub(buf_str(&large), at, at + 777)), RC_OK);
    assert_int_equal(zip_stream_end(&ctx, z), RC_OK);
    assert_int_equal(zip_stream_begin(&ctx, z, STR("empty")), RC_OK);
    assert_int_equal(zip_stream_end(&ctx, z), RC_OK);
    assert_int_equal(zip_stream_begin(&ctx, z, STR("../out")), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_INVALID));
    err_clear(&ctx);
    assert_int_equal(zip_stream_finish(&ctx, z), RC_OK);
    zip_stream_close(z);
    writer_close(to);
    struct zip *again = reopened(&ctx, &b, &fd);
    assert_int_equal(zip_count(again), 2);
    assert_true(str_eq(zip_at(again, 0)->name, STR("große.csv")));
    assert_true(str_eq(member(&ctx, again, 0), buf_str(&large)));
    assert_int_equal(member(&ctx, again, 1).n, 0);
    zip_close(again);
    ctx_close(&ctx);
}

static void narrow_and_wide_archives(void **state)
{
    (void)state;
    round_trip(false);
    round_trip(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(narrow_and_wide_archives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
