/* Fault points: every mode, in this process and, where it dies, in a child. */
#include "base/fault.h"
#include "base/str.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static int disarm(void **state)
{
    (void)state;
    fault_arm(NULL);
    return 0;
}

static void assert_points(const int *expected, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(fault_point(), expected[i]);
}

static void test_disarmed(void **state)
{
    (void)state;
    assert_points((const int[]){0, 0, 0}, 3);
}

static void test_fails_once(void **state)
{
    (void)state;
    fault_arm("eio:2");
    assert_points((const int[]){0, EIO, 0, 0}, 4);
    fault_arm("enospc:1");
    assert_points((const int[]){ENOSPC, 0}, 2);
    fault_arm(NULL);
    assert_points((const int[]){0, 0}, 2);
}

static void test_fails_from(void **state)
{
    (void)state;
    fault_arm("enospc-from:3");
    assert_points((const int[]){0, 0, ENOSPC, ENOSPC, ENOSPC}, 5);
    fault_arm("enospc-from:3"); /* counts anew */
    assert_points((const int[]){0, 0, ENOSPC}, 3);
}

/* Runs body in a child; its wait status, and what it said on stderr. */
static int run(void (*body)(void), char *said, size_t size)
{
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        body();
        exit(0);
    }
    close(pipe_fds[1]);
    size_t n = 0;
    ssize_t got;
    while ((got = read(pipe_fds[0], said + n, size - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = 0;
    close(pipe_fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void body_kill(void)
{
    fault_arm("kill:3");
    fault_point();
    fault_point();
    static const char text[] = "two passed";
    if (write(STDERR_FILENO, text, sizeof text - 1) > 0)
        fault_point();
}

static void test_kill(void **state)
{
    (void)state;
    char said[200];
    int status = run(body_kill, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_string_equal(said, "two passed");
}

static void body_count(void)
{
    setenv("MAPFERRY_FAULT", "count", 1);
    fault_init();
    for (int i = 0; i < 7; i++)
        if (fault_point() != 0)
            _exit(9);
}

static void test_count(void **state)
{
    (void)state;
    char said[200];
    assert_int_equal(run(body_count, said, sizeof said), 0);
    assert_string_equal(said, "fault points: 7\n");
}

/* Calls do not count here, checkpoints do. */
static void body_kill_checkpoint(void)
{
    fault_arm("kill-checkpoint:2");
    for (int i = 0; i < 5; i++)
        if (fault_point() != 0)
            _exit(9);
    fault_checkpoint();
    static const char text[] = "one passed";
    if (write(STDERR_FILENO, text, sizeof text - 1) > 0)
        fault_checkpoint();
}

static void test_kill_checkpoint(void **state)
{
    (void)state;
    char said[200];
    int status = run(body_kill_checkpoint, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_string_equal(said, "one passed");
}

static void body_count_checkpoints(void)
{
    setenv("MAPFERRY_FAULT", "count", 1);
    fault_init();
    fault_point();
    fault_point();
    fault_checkpoint();
    fault_point();
}

static void test_count_checkpoints(void **state)
{
    (void)state;
    char said[200];
    assert_int_equal(run(body_count_checkpoints, said, sizeof said), 0);
    assert_string_equal(said, "checkpoint after fault point 2\nfault points: 3\n");
    fault_arm("eio:1"); /* no checkpoint fails */
    fault_checkpoint();
    assert_points((const int[]){EIO, 0}, 2);
}

static void body_env(void)
{
    setenv("MAPFERRY_FAULT", "eio:1", 1);
    fault_init();
    if (fault_point() != EIO)
        _exit(9);
    unsetenv("MAPFERRY_FAULT");
    fault_init();
    if (fault_point() != 0)
        _exit(8);
    setenv("MAPFERRY_FAULT", "", 1);
    fault_init();
    if (fault_point() != 0)
        _exit(7);
}

static void test_environment(void **state)
{
    (void)state;
    char said[200];
    assert_int_equal(run(body_env, said, sizeof said), 0);
    assert_string_equal(said, "");
}

static const char *bad_spec;
static void body_bad(void) { fault_arm(bad_spec); }

/* A misspelt mode must not look like a run that passed. */
static void test_bad_specs(void **state)
{
    (void)state;
    static const char *const specs[] = {"",       "eio",  "eio:",    "eio:0",  "eio:-1", "eio:x",
                                        "eio:1x", "kill", "count:1", "count:", "eoi:1",  "enospc-from"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        char said[200];
        bad_spec = specs[i];
        int status = run(body_bad, said, sizeof said);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 2)
            fail_msg("\"%s\" was taken", specs[i]);
        assert_true(str_starts(str_c(said), STR("MAPFERRY_FAULT: ")));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, disarm)
    const struct CMUnitTest tests[] = {
        T(test_disarmed),  T(test_fails_once),      T(test_fails_from),        T(test_kill), T(test_count), T(test_environment),
        T(test_bad_specs), T(test_kill_checkpoint), T(test_count_checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
