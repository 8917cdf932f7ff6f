/* Files and directories, with every changing call made to fail once. */
#include "base/file.h"
#include "base/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct ctx ctx;
static str dir;

static int setup(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return dir_temp(&ctx, NULL, &dir);
}

static int teardown(void **state)
{
    (void)state;
    fault_arm(NULL);
    err_clear(&ctx);
    int rc = dir_remove_tree(&ctx, dir.p);
    bool left = file_exists(dir.p);
    ctx_close(&ctx);
    return rc != RC_OK || left;
}

/* "<directory of the test>/name" */
static const char *in(const char *name) { return arena_printf(ctx.arena, "%s/%s", dir.p, name).p; }

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static int count_entry(struct ctx *c, const char *name, void *arg)
{
    (void)c;
    (void)name;
    ++*(int *)arg;
    return RC_OK;
}

static int entries(const char *path)
{
    int n = 0;
    assert_int_equal(dir_each(&ctx, path, count_entry, &n), RC_OK);
    return n;
}

static void test_create_write_read(void **state)
{
    (void)state;
    CLEANUP(file_close) int fd = -1;
    char back[16] = "";
    uint64_t size;
    assert_int_equal(file_create(&ctx, in("a"), &fd), RC_OK);
    assert_int_equal(mode_of(in("a")), 0600);
    assert_int_equal(file_write(&ctx, fd, "hello", 5), RC_OK);
    assert_int_equal(file_write(&ctx, fd, " world", 6), RC_OK);
    assert_int_equal(file_write(&ctx, fd, NULL, 0), RC_OK);
    assert_int_equal(file_pwrite(&ctx, fd, "W", 1, 6), RC_OK);
    assert_int_equal(file_sync(&ctx, fd), RC_OK);
    assert_int_equal(file_sync_fs(&ctx, fd), RC_OK);
    assert_int_equal(file_sync_dir(&ctx, dir.p), RC_OK);
    assert_int_equal(file_size(&ctx, fd, &size), RC_OK);
    assert_int_equal(size, 11);
    assert_int_equal(file_pread(&ctx, fd, back, 5, 6), RC_OK);
    assert_string_equal(back, "World");
    assert_int_equal(file_truncate(&ctx, fd, 8), RC_OK);
    assert_int_equal(file_pread(&ctx, fd, back, 5, 6), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_CORRUPT));
    err_clear(&ctx);
    int second;
    assert_int_equal(file_create(&ctx, in("a"), &second), RC_FAIL); /* never over an existing file */
    assert_true(err_is(&ctx, &ERR_IO));
    assert_int_equal(second, -1);
}

static void test_missing_files(void **state)
{
    (void)state;
    int fd;
    str s;
    uint64_t bytes;
    assert_int_equal(file_open_read(&ctx, in("none"), &fd), RC_NOT_FOUND);
    assert_true(err_is(&ctx, &ERR_MISSING));
    err_clear(&ctx);
    assert_int_equal(file_read_all(&ctx, in("none"), 10, &s), RC_NOT_FOUND);
    assert_int_equal(dir_each(&ctx, in("none"), count_entry, NULL), RC_NOT_FOUND);
    assert_int_equal(dir_free_space(&ctx, in("none"), &bytes), RC_NOT_FOUND);
    err_clear(&ctx);
    assert_int_equal(file_rename(&ctx, in("none"), in("x")), RC_FAIL);
    err_clear(&ctx);
    assert_int_equal(file_remove(&ctx, in("none")), RC_OK);
    assert_int_equal(dir_remove_tree(&ctx, in("none")), RC_OK);
    assert_false(file_exists(in("none")));
    fd = -1;
    file_close(&fd);
    assert_int_equal(fd, -1);
}

static void test_read_all(void **state)
{
    (void)state;
    str s;
    assert_int_equal(file_write_all(&ctx, in("a"), STR("0123456789"), 0640), RC_OK);
    assert_int_equal(mode_of(in("a")), 0640);
    assert_int_equal(file_read_all(&ctx, in("a"), 10, &s), RC_OK);
    assert_true(str_eq(s, STR("0123456789")));
    assert_int_equal(s.p[10], 0);
    assert_int_equal(file_read_all(&ctx, in("a"), 9, &s), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    err_clear(&ctx);
    assert_int_equal(file_write_all(&ctx, in("a"), STR_NONE, 0600), RC_OK); /* replaces */
    assert_int_equal(file_read_all(&ctx, in("a"), 0, &s), RC_OK);
    assert_int_equal(s.n, 0);
    assert_false(str_none(s));
    assert_int_equal(file_read_all(&ctx, "/proc/self/status", 1 << 20, &s), RC_OK); /* claims to be empty */
    assert_true(s.n > 100);
    assert_int_equal(file_read_all(&ctx, "/proc/self/status", 100, &s), RC_FAIL);
    assert_true(err_is(&ctx, &ERR_LIMIT));
    err_clear(&ctx);
    assert_int_equal(file_read_all(&ctx, dir.p, 100000, &s), RC_FAIL); /* a directory */
    assert_int_equal(entries(dir.p), 1);
}

static int join_entry(struct ctx *c, const char *name, void *arg)
{
    char *joined = arg;
    strcat(strcat(joined, name), "|");
    return strcmp(name, "b") == 0 ? err_set_rc(c, RC_BUSY, &ERR_BUSY, "enough") : RC_OK;
}

static void test_directories(void **state)
{
    (void)state;
    char joined[100] = "";
    assert_int_equal(dir_create(&ctx, in("x/y//z/")), RC_OK);
    assert_int_equal(dir_create(&ctx, in("x/y//z/")), RC_OK);
    assert_int_equal(mode_of(in("x/y")), 0700);
    static const char *const names[] = {"c", "B", "\xc3\xa4", "a", "b", ".hidden"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(file_write_all(&ctx, in(arena_printf(ctx.arena, "x/%s", names[i]).p), STR("1"), 0600), RC_OK);
    assert_int_equal(entries(in("x")), 7);
    assert_int_equal(dir_each(&ctx, in("x"), join_entry, joined), RC_BUSY);
    assert_string_equal(joined, ".hidden|B|a|b|");
    err_clear(&ctx);
    assert_int_equal(dir_create(&ctx, in("x/a")), RC_FAIL); /* a file is in the way */
    err_clear(&ctx);
    assert_int_equal(dir_create(&ctx, in("x/a/deeper")), RC_FAIL);
    err_clear(&ctx);
    assert_int_equal(dir_create(&ctx, ""), RC_FAIL);
    err_clear(&ctx);
    assert_int_equal(dir_create(&ctx, "/"), RC_OK);
    uint64_t bytes = 0;
    assert_int_equal(dir_free_space(&ctx, dir.p, &bytes), RC_OK);
    assert_true(bytes > 0);
}

static void test_remove_tree_does_not_follow_links(void **state)
{
    (void)state;
    assert_int_equal(dir_create(&ctx, in("kept")), RC_OK);
    assert_int_equal(file_write_all(&ctx, in("kept/f"), STR("1"), 0600), RC_OK);
    assert_int_equal(dir_create(&ctx, in("gone/deep/er")), RC_OK);
    assert_int_equal(file_write_all(&ctx, in("gone/deep/f"), STR("1"), 0400), RC_OK);
    assert_int_equal(symlink(in("kept"), in("gone/link")), 0);
    assert_int_equal(symlink("nowhere", in("gone/dangling")), 0);
    assert_int_equal(dir_remove_tree(&ctx, in("gone")), RC_OK);
    assert_false(file_exists(in("gone")));
    assert_true(file_exists(in("kept/f")));
    assert_int_equal(dir_remove_tree(&ctx, in("kept/f")), RC_OK); /* a file is a small tree */
    assert_false(file_exists(in("kept/f")));
}

static void test_temp_directories(void **state)
{
    (void)state;
    str one, two;
    assert_int_equal(dir_temp(&ctx, dir.p, &one), RC_OK);
    assert_int_equal(dir_temp(&ctx, dir.p, &two), RC_OK);
    assert_false(str_eq(one, two));
    assert_true(str_starts(one, dir));
    assert_int_equal(mode_of(one.p), 0700);
    assert_int_equal(entries(one.p), 0);
    assert_int_equal(dir_temp(&ctx, in("none"), &one), RC_FAIL);
}

static void test_write_all_in_the_working_directory(void **state)
{
    (void)state;
    pid_t child = fork(); /* the working directory belongs to the process */
    assert_true(child >= 0);
    if (child == 0)
        _exit(chdir(dir.p) != 0 || file_write_all(&ctx, "plain", STR("x"), 0600) != RC_OK || !file_exists("plain"));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(file_exists(in("plain")));
}

/* Fails each call in turn until none is left to fail: the file has the old or the new content, never another, and no
 * temporary file stays. */
static void test_write_all_is_atomic_under_faults(void **state)
{
    (void)state;
    static const char *const modes[] = {"eio", "enospc"};
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        int failed = 0;
        for (int at = 1, rc = RC_FAIL; rc != RC_OK; at++) {
            str s;
            assert_int_equal(file_write_all(&ctx, in("a"), STR("old"), 0600), RC_OK);
            fault_arm(arena_printf(ctx.arena, "%s:%d", modes[m], at).p);
            rc = file_write_all(&ctx, in("a"), STR("new!"), 0600);
            fault_arm(NULL);
            if (rc != RC_OK) {
                failed++;
                assert_true(err_is(&ctx, m == 0 ? &ERR_IO : &ERR_NO_SPACE));
                err_clear(&ctx);
            }
            assert_int_equal(file_read_all(&ctx, in("a"), 100, &s), RC_OK);
            bool renamed = at >= 6; /* create, mode, write, sync, rename, then the sync of the directory */
            assert_true(str_eq(s, renamed ? STR("new!") : STR("old")));
            assert_int_equal(entries(dir.p), 1);
        }
        assert_int_equal(failed, 6);
    }
}

static void test_write_all_killed(void **state)
{
    (void)state;
    assert_int_equal(file_write_all(&ctx, in("a"), STR("old"), 0600), RC_OK);
    for (int at = 1; at <= 6; at++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            fault_arm(arena_printf(ctx.arena, "kill:%d", at).p);
            file_write_all(&ctx, in("a"), STR("new!"), 0600);
            _exit(0);
        }
        int status;
        str s;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(file_read_all(&ctx, in("a"), 100, &s), RC_OK);
        assert_true(str_eq(s, at == 6 ? STR("new!") : STR("old")));
    }
}

/* Each changing function passes exactly one point, and reports what it was told. */
static void test_each_call_has_its_fault(void **state)
{
    (void)state;
    CLEANUP(file_close) int fd = -1;
    int none;
    str s;
    assert_int_equal(file_write_all(&ctx, in("b"), STR("1"), 0600), RC_OK);
    assert_int_equal(file_create(&ctx, in("a"), &fd), RC_OK);
#define FAILS(call)                                                                                                              \
    do {                                                                                                                         \
        fault_arm("enospc:1");                                                                                                   \
        assert_int_equal(call, RC_FAIL);                                                                                         \
        assert_true(err_is(&ctx, &ERR_NO_SPACE));                                                                                \
        assert_int_equal(fault_point(), 0);                                                                                      \
        err_clear(&ctx);                                                                                                         \
    } while (0)
    FAILS(file_create(&ctx, in("c"), &none));
    FAILS(file_write(&ctx, fd, "x", 1));
    FAILS(file_pwrite(&ctx, fd, "x", 1, 0));
    FAILS(file_sync(&ctx, fd));
    FAILS(file_sync_fs(&ctx, fd));
    FAILS(file_truncate(&ctx, fd, 5));
    FAILS(file_rename(&ctx, in("b"), in("c")));
    FAILS(file_sync_dir(&ctx, dir.p));
    FAILS(file_remove(&ctx, in("b")));
    FAILS(dir_create(&ctx, in("c")));
    FAILS(dir_temp(&ctx, dir.p, &s));
    FAILS(dir_remove_tree(&ctx, in("b")));
    fault_arm(NULL);
    uint64_t size = 1;
    assert_int_equal(file_size(&ctx, fd, &size), RC_OK);
    assert_int_equal(size, 0); /* a failed call has changed nothing */
    assert_int_equal(entries(dir.p), 2);
    assert_true(file_exists(in("b")));
    fault_arm("eio:1"); /* what only reads passes no point */
    assert_int_equal(file_read_all(&ctx, in("b"), 10, &s), RC_OK);
    assert_int_equal(entries(dir.p), 2);
    assert_int_equal(dir_create(&ctx, dir.p), RC_OK);
    assert_int_equal(fault_point(), EIO);
}

static void ignore_signal(int number) { (void)number; }

/* A pipe takes less than is offered, and signals interrupt: all bytes arrive once and in order. */
static void test_short_writes_and_signals(void **state)
{
    (void)state;
    enum { TOTAL = 1 << 20 };
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t parent = getpid(), child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static unsigned char piece[3001];
        size_t seen = 0;
        ssize_t got;
        close(fds[1]);
        while ((got = read(fds[0], piece, sizeof piece)) > 0) {
            kill(parent, SIGUSR1);
            for (ssize_t i = 0; i < got; i++, seen++)
                if (piece[i] != (unsigned char)(seen * 31 >> 3))
                    _exit(1);
        }
        _exit(seen != TOTAL);
    }
    close(fds[0]);
    struct sigaction action = {.sa_handler = ignore_signal}, before; /* without SA_RESTART */
    sigaction(SIGUSR1, &action, &before);
    unsigned char *bytes = arena_alloc(ctx.arena, TOTAL);
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (unsigned char)(i * 31 >> 3);
    assert_int_equal(file_write(&ctx, fds[1], bytes, TOTAL), RC_OK);
    close(fds[1]);
    int status;
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    sigaction(SIGUSR1, &before, NULL);
    assert_int_equal(status, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_create_write_read),
        T(test_missing_files),
        T(test_read_all),
        T(test_directories),
        T(test_remove_tree_does_not_follow_links),
        T(test_temp_directories),
        T(test_write_all_in_the_working_directory),
        T(test_write_all_is_atomic_under_faults),
        T(test_write_all_killed),
        T(test_each_call_has_its_fault),
        T(test_short_writes_and_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
