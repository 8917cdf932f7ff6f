/* Three walls, each of which stands alone: limits of resources, Landlock for files, seccomp for system calls. The list of system
 * calls names what may be done; everything else is refused with EPERM, so that a library which asks for more than it needs goes
 * on without. */
#include "convert/helper/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define SANDBOX_SANITIZED 1
#    endif
#endif
#ifdef SANDBOX_SANITIZED
enum { LIMIT_MEMORY = 0 }; /* the shadow memory alone is larger than any limit */
#else
enum { LIMIT_MEMORY = 1 };
#endif
enum { FILES_MAX = 64, WRITING_FILES_MAX = 4096 /* a layer of a geodatabase is several */ };

/* What the libraries read beside the file: their data, modules, and what the loader and the C library look at. */
static const char *const READABLE[] = {
    "/usr/share/gdal",     "/usr/share/proj",  "/usr/lib",        "/usr/lib64",     "/usr/local/lib",
    "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime",
};

static const int CALLS[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(fcntl),
    SCMP_SYS(fadvise64),
    SCMP_SYS(getcwd),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(dup),

    SCMP_SYS(sendto),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* What writing files takes beyond that. */
static const int WRITING_CALLS[] = {
    SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(fsync),  SCMP_SYS(fdatasync), SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),
    SCMP_SYS(unlink),   SCMP_SYS(unlinkat),  SCMP_SYS(rename), SCMP_SYS(renameat),  SCMP_SYS(renameat2),
};

/* The hard limit on processor time lies higher: at the soft one a process gets a signal that says why it ends. */
static int set_limit(struct ctx *ctx, __rlimit_resource_t what, int64_t value)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)(what == RLIMIT_CPU ? value + 1 : value)};
    return setrlimit(what, &limit) == 0 ? RC_OK : err_errno(ctx, errno, "limiting resource %d", (int)what);
}

/* Data is what a program allocates; the address space holds the libraries and the maps of files as well. */
static int limit_resources(struct ctx *ctx, bool writes, int64_t memory_max, int64_t cpu_seconds_max)
{
    static const int64_t LIBRARIES = 1LL << 30;
    if (LIMIT_MEMORY) {
        TRY(set_limit(ctx, RLIMIT_DATA, memory_max));
        TRY(set_limit(ctx, RLIMIT_AS, memory_max + LIBRARIES));
    }
    TRY(set_limit(ctx, RLIMIT_CPU, cpu_seconds_max));
    if (!writes)
        TRY(set_limit(ctx, RLIMIT_FSIZE, 0));
    TRY(set_limit(ctx, RLIMIT_CORE, 0));
    TRY(set_limit(ctx, RLIMIT_NPROC, 0));
    return set_limit(ctx, RLIMIT_NOFILE, writes ? WRITING_FILES_MAX : FILES_MAX);
}

/* A path that is not there needs no permission. */
static int allow(struct ctx *ctx, int ruleset, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return RC_OK;
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (rc != 0 && errno == EINVAL && (access & LANDLOCK_ACCESS_FS_READ_DIR)) { /* a file, not a folder */
        rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
        rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    int error = errno;
    close(fd);
    return rc == 0 ? RC_OK : err_errno(ctx, error, "allowing the use of %s", path);
}

/* path: a file that may be read, or a folder in which everything may be done. */
static int restrict_files(struct ctx *ctx, const char *path, bool writes)
{
    /* All rights of the first version; those of later ones (truncation, links between folders, devices) need an open file that
     * these forbid, or a system call that the list does not name. */
    struct landlock_ruleset_attr attr = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    long ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? RC_OK : err_errno(ctx, errno, "asking for Landlock");
    int fd = (int)ruleset, rc = allow(ctx, fd, path, writes ? attr.handled_access_fs : LANDLOCK_ACCESS_FS_READ_FILE);
    for (size_t i = 0; i < COUNT_OF(READABLE) && rc == RC_OK; i++)
        rc = allow(ctx, fd, READABLE[i], LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
    if (rc == RC_OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        rc = err_errno(ctx, errno, "entering Landlock");
    close(fd);
    return rc;
}

static int restrict_calls(struct ctx *ctx, bool writes)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return err_set(ctx, &ERR_IO, "no filter of system calls");
    int rc = 0;
    for (size_t i = 0; i < COUNT_OF(CALLS) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALLS[i], 0);
    for (size_t i = 0; i < COUNT_OF(WRITING_CALLS) && writes && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, WRITING_CALLS[i], 0);
    /* The C library aborts by sending itself a signal; others are out of reach. */
    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    if (rc == 0) /* reading limits, not setting them */
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? RC_OK : err_errno(ctx, -rc, "filtering system calls");
}

static int enter(struct ctx *ctx, const char *path, bool writes, int64_t memory_max, int64_t cpu_seconds_max)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_errno(ctx, errno, "giving up privileges");
    TRY(limit_resources(ctx, writes, memory_max, cpu_seconds_max));
    TRY(restrict_files(ctx, path, writes));
    return restrict_calls(ctx, writes);
}

int sandbox_enter(struct ctx *ctx, const char *file, int64_t memory_max, int64_t cpu_seconds_max)
{
    return enter(ctx, file, false, memory_max, cpu_seconds_max);
}

int sandbox_enter_writing(struct ctx *ctx, const char *dir, int64_t memory_max, int64_t cpu_seconds_max)
{
    return enter(ctx, dir, true, memory_max, cpu_seconds_max);
}
