/* Inside the walls: what a reader that was taken over could still do. Each check runs in a process of its own, which ends with 0
 * when it was held back as it should be. */
#include "convert/helper/sandbox.h"
#include "convert_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    const char *file, *other, *dir;
};

/* The wait status of a process that entered the sandbox and did this. */
static int inside(struct fixture *f, int (*what)(const struct place *p), int64_t memory, int64_t cpu_seconds)
{
    struct place p = {
        .file = fixture_file(f, "file", STR("content")), .other = fixture_file(f, "other", STR("secret")), .dir = f->dir.p};
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(sandbox_enter(&f->ctx, p.file, memory, cpu_seconds) == RC_OK ? what(&p) : 99);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_held(void **state, int (*what)(const struct place *p))
{
    int status = inside(*state, what, 256 << 20, 10);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool refused(long rc) { return rc < 0 && errno == EPERM; }
static bool denied(long rc) { return rc < 0 && errno == EACCES; }

static int try_network(const struct place *p)
{
    int pair[2];
    (void)p;
    return !(refused(socket(AF_INET, SOCK_STREAM, 0)) && refused(socket(AF_INET6, SOCK_DGRAM, 0)) &&
             refused(socket(AF_UNIX, SOCK_STREAM, 0)) && refused(socket(AF_NETLINK, SOCK_RAW, 0)) &&
             refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}

static void *nothing(void *arg) { return arg; }

static int try_processes(const struct place *p)
{
    char *const argv[] = {"/bin/true", NULL};
    pthread_t thread;
    (void)p;
    return !(refused(execve(argv[0], argv, argv + 1)) && refused(fork()) && pthread_create(&thread, NULL, nothing, NULL) != 0 &&
             refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) && refused(kill(getppid(), SIGTERM)) &&
             refused(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM)));
}

static int try_system(const struct place *p)
{
    struct rlimit more = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    return !(refused(mount("none", p->dir, "tmpfs", 0, NULL)) && refused(chroot(p->dir)) && refused(unshare(CLONE_NEWUSER)) &&
             refused(setrlimit(RLIMIT_AS, &more)) && refused(setuid(0)) && refused(syscall(SYS_bpf, 0, NULL, 0)) &&
             refused(syscall(SYS_io_uring_setup, 1, NULL)) && refused(syscall(SYS_memfd_create, "x", 0)) &&
             refused(syscall(SYS_open_by_handle_at, 0, NULL, 0)));
}

static int try_files(const struct place *p)
{
    char text[8] = "";
    int fd = open(p->file, O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof text) != 7)
        return 1;
    if (!denied(open(p->other, O_RDONLY)) || !denied(open("/etc/passwd", O_RDONLY)) ||
        !denied(open("/proc/self/environ", O_RDONLY)))
        return 2;
    if (!denied(open(p->dir, O_RDONLY | O_DIRECTORY)) || !denied(open("/", O_RDONLY | O_DIRECTORY)))
        return 3;
    if (!denied(open(p->file, O_WRONLY)) || !denied(open(p->file, O_RDWR)) || !denied(open(p->other, O_WRONLY | O_TRUNC)))
        return 4;
    if (!denied(open("/tmp/mapferry-new", O_WRONLY | O_CREAT, 0600)))
        return 5;
    if (!refused(unlink(p->file)) || !refused(rename(p->file, p->other)) || !refused(mkdir("/tmp/mapferry-dir", 0700)) ||
        !refused(symlink("/", "/tmp/mapferry-link")) || !refused(truncate(p->file, 0)) || !refused(chmod(p->file, 0777)))
        return 6;
    return 0;
}

static int try_memory(const struct place *p)
{
    (void)p;
    return mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static int spin(const struct place *p)
{
    for (volatile unsigned i = 0;; i++)
        if (p == NULL)
            return 0;
}

static int leave_by_abort(const struct place *p)
{
    (void)p;
    abort();
}

static void no_network(void **state) { assert_held(state, try_network); }
static void no_processes(void **state) { assert_held(state, try_processes); }
static void no_system(void **state) { assert_held(state, try_system); }
static void no_other_files(void **state) { assert_held(state, try_files); }

static void no_more_memory(void **state)
{
    if (SANITIZED)
        skip();
    assert_held(state, try_memory);
}

static void no_more_time(void **state)
{
    int status = inside(*state, spin, 256 << 20, 1);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
}

static void aborting_is_possible(void **state)
{
    int status = inside(*state, leave_by_abort, 256 << 20, 10);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(no_network),   TEST(no_processes),         TEST(no_system), TEST(no_other_files), TEST(no_more_memory),
        TEST(no_more_time), TEST(aborting_is_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
