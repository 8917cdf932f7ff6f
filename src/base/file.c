/* Files and directories. Every system call that changes something goes through CHANGE: it passes a fault point and is
 * repeated after a signal. */
#include "base/file.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/num.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CHANGE(call)                                                                                                             \
    ({                                                                                                                           \
        int change_error_ = fault_point();                                                                                       \
        errno = change_error_;                                                                                                   \
        change_error_ ? -1 : TEMP_FAILURE_RETRY(call);                                                                           \
    })

/* What could not be opened, read or removed because it is not there is "not found"; all else is for the operator. */
static int file_failed(struct ctx *ctx, const char *doing, const char *path)
{
    if (errno == ENOENT)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "there is no file %s", path);
    return err_errno(ctx, errno, "cannot %s %s", doing, path);
}

int file_open_read(struct ctx *ctx, const char *path, int *fd_out)
{
    *fd_out = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
    return *fd_out < 0 ? file_failed(ctx, "open", path) : RC_OK;
}

int file_create(struct ctx *ctx, const char *path, int *fd_out)
{
    *fd_out = (int)CHANGE(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    return *fd_out < 0 ? err_errno(ctx, errno, "cannot create %s", path) : RC_OK;
}

int file_write(struct ctx *ctx, int fd, const void *p, size_t n)
{
    const char *from = p;
    while (n > 0) {
        ssize_t written = CHANGE(write(fd, from, n));
        if (written < 0)
            return err_errno(ctx, errno, "cannot write");
        from += written;
        n -= (size_t)written;
    }
    return RC_OK;
}

int file_pwrite(struct ctx *ctx, int fd, const void *p, size_t n, uint64_t offset)
{
    const char *from = p;
    while (n > 0) {
        ssize_t written = CHANGE(pwrite(fd, from, n, (off_t)offset));
        if (written < 0)
            return err_errno(ctx, errno, "cannot write");
        from += written;
        n -= (size_t)written;
        offset += (uint64_t)written;
    }
    return RC_OK;
}

int file_pread(struct ctx *ctx, int fd, void *p, size_t n, uint64_t offset)
{
    char *to = p;
    while (n > 0) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(fd, to, n, (off_t)offset));
        if (got < 0)
            return err_errno(ctx, errno, "cannot read");
        if (got == 0)
            return err_set(ctx, &ERR_CORRUPT, "the file ends at %llu, %zu bytes early", (unsigned long long)offset, n);
        to += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return RC_OK;
}

int file_sync(struct ctx *ctx, int fd) { return CHANGE(fdatasync(fd)) < 0 ? err_errno(ctx, errno, "cannot sync a file") : RC_OK; }

int file_sync_fs(struct ctx *ctx, int fd)
{
    return CHANGE(syncfs(fd)) < 0 ? err_errno(ctx, errno, "cannot sync a file system") : RC_OK;
}

int file_truncate(struct ctx *ctx, int fd, uint64_t size)
{
    return CHANGE(ftruncate(fd, (off_t)size)) < 0 ? err_errno(ctx, errno, "cannot set the size of a file") : RC_OK;
}

int file_reserve(struct ctx *ctx, int fd, uint64_t size, uint64_t *length_out)
{
    *length_out = 0;
    if (size == 0)
        return RC_OK;
    if (CHANGE(fallocate(fd, 0, 0, (off_t)size)) < 0)
        return errno == EOPNOTSUPP ? RC_OK : err_errno(ctx, errno, "cannot reserve room for a file");
    *length_out = size;
    return RC_OK;
}

bool file_past_cache(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0;
}

int file_size(struct ctx *ctx, int fd, uint64_t *size_out)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(ctx, errno, "cannot read the size of a file");
    *size_out = (uint64_t)st.st_size;
    return RC_OK;
}

int file_rename(struct ctx *ctx, const char *from, const char *to)
{
    return CHANGE(rename(from, to)) < 0 ? err_errno(ctx, errno, "cannot rename %s to %s", from, to) : RC_OK;
}

int file_sync_dir(struct ctx *ctx, const char *dir)
{
    CLEANUP(file_close) int fd = (int)TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return file_failed(ctx, "open", dir);
    return CHANGE(fsync(fd)) < 0 ? err_errno(ctx, errno, "cannot sync %s", dir) : RC_OK;
}

int file_remove(struct ctx *ctx, const char *path)
{
    return CHANGE(unlink(path)) < 0 && errno != ENOENT ? err_errno(ctx, errno, "cannot remove %s", path) : RC_OK;
}

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

void file_close(int *fd)
{
    if (*fd >= 0)
        close(*fd); /* what has to be on the disk was synced before */
    *fd = -1;
}

static bool dir_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int dir_create(struct ctx *ctx, const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        const char *part = arena_cstr(ctx->arena, str_of(path, i));
        if (!dir_exists(part) && CHANGE(mkdir(part, 0700)) < 0 && !(errno == EEXIST && dir_exists(part)))
            return err_errno(ctx, errno, "cannot create the directory %s", part);
    }
    return n ? RC_OK : err_set(ctx, &ERR_INVALID, "a directory has an empty name");
}

static int dir_is_entry(const struct dirent *e) { return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0; }

static void dir_close(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int dir_remove_at(struct ctx *ctx, int parent, const char *name);

/* What is in the directory that fd is open on; takes fd over. */
static int dir_remove_entries(struct ctx *ctx, int fd, const char *name)
{
    CLEANUP(dir_close) DIR *dir = fdopendir(fd);
    if (!dir) {
        int error = errno;
        close(fd);
        return err_errno(ctx, error, "cannot read the directory %s", name);
    }
    struct dirent *e;
    while ((errno = 0, e = readdir(dir)) != NULL)
        if (dir_is_entry(e))
            TRY(dir_remove_at(ctx, dirfd(dir), e->d_name));
    return errno ? err_errno(ctx, errno, "cannot read the directory %s", name) : RC_OK;
}

/* A file, a link (not what it points to) or a directory with all that is in it. */
static int dir_remove_at(struct ctx *ctx, int parent, const char *name)
{
    int flags = 0, fd = (int)TEMP_FAILURE_RETRY(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd >= 0) {
        TRY(dir_remove_entries(ctx, fd, name));
        flags = AT_REMOVEDIR;
    } else if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT) {
        return err_errno(ctx, errno, "cannot open %s", name);
    }
    return CHANGE(unlinkat(parent, name, flags)) < 0 && errno != ENOENT ? err_errno(ctx, errno, "cannot remove %s", name) : RC_OK;
}

int dir_remove_tree(struct ctx *ctx, const char *path) { return dir_remove_at(ctx, AT_FDCWD, path); }

static int dir_order(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

int dir_each(struct ctx *ctx, const char *path, int (*visit)(struct ctx *ctx, const char *name, void *arg), void *arg)
{
    struct dirent **entries;
    int rc = RC_OK, n = scandir(path, &entries, dir_is_entry, dir_order);
    if (n < 0)
        return file_failed(ctx, "read the directory", path);
    for (int i = 0; i < n; i++) {
        if (rc == RC_OK)
            rc = visit(ctx, entries[i]->d_name, arg);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int dir_free_space(struct ctx *ctx, const char *path, uint64_t *bytes_out)
{
    struct statvfs st;
    if (TEMP_FAILURE_RETRY(statvfs(path, &st)) < 0)
        return file_failed(ctx, "read the free space of", path);
    *bytes_out = (uint64_t)st.f_bavail * st.f_frsize;
    return RC_OK;
}

/* To the end, whatever size the file said it has: that of a file in /proc is 0. */
int file_read_all(struct ctx *ctx, const char *path, size_t max, str *out)
{
    CLEANUP(file_close) int fd = -1;
    uint64_t size;
    TRY(file_open_read(ctx, path, &fd));
    TRY(file_size(ctx, fd, &size));
    size_t n = 0, capacity = 0;
    char *p = NULL;
    ssize_t got = 1;
    while (got > 0) {
        if (size > max || n > max)
            return err_set(ctx, &ERR_LIMIT, "%s is larger than %zu bytes", path, max);
        p = arena_grow(ctx->arena, p, &capacity, (n > size ? n : (size_t)size) + 1, 1);
        got = TEMP_FAILURE_RETRY(read(fd, p + n, capacity - n));
        if (got < 0)
            return err_errno(ctx, errno, "cannot read %s", path);
        n += (size_t)got;
    }
    *out = str_of(p, n);
    return RC_OK;
}

static int file_write_temp(struct ctx *ctx, const char *path, str content, unsigned mode)
{
    CLEANUP(file_close) int fd = -1;
    TRY(file_create(ctx, path, &fd));
    if (CHANGE(fchmod(fd, mode)) < 0)
        return err_errno(ctx, errno, "cannot set the mode of %s", path);
    TRY(file_write(ctx, fd, content.p, content.n));
    return CHANGE(fsync(fd)) < 0 ? err_errno(ctx, errno, "cannot sync %s", path) : RC_OK; /* fsync: the mode as well */
}

static const char *file_dir_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : arena_cstr(a, str_of(path, (size_t)(slash - path)));
}

int file_write_all(struct ctx *ctx, const char *path, str content, unsigned mode)
{
    uint8_t random[8];
    char suffix[2 * sizeof random];
    random_bytes(random, sizeof random);
    num_hex_print(random, sizeof random, suffix);
    const char *temp = arena_printf(ctx->arena, "%s.%.*s.tmp", path, (int)sizeof suffix, suffix).p;
    int rc = file_write_temp(ctx, temp, content, mode);
    if (rc == RC_OK)
        rc = file_rename(ctx, temp, path);
    if (rc != RC_OK) {
        file_remove(ctx, temp); /* the first error stays in the record */
        return rc;
    }
    return file_sync_dir(ctx, file_dir_of(ctx->arena, path));
}

int dir_temp(struct ctx *ctx, const char *parent, str *path_out)
{
    const char *system = getenv("TMPDIR");
    const char *base = parent ? parent : system && system[0] ? system : "/tmp";
    char *path = arena_cstr(ctx->arena, arena_printf(ctx->arena, "%s/mapferry-XXXXXX", base));
    if (CHANGE(mkdtemp(path) ? 0 : -1) < 0)
        return err_errno(ctx, errno, "cannot create a directory in %s", base);
    *path_out = str_c(path);
    return RC_OK;
}

/* It has a name only between these two calls; nobody else looks for it. */
int file_create_nameless(struct ctx *ctx, const char *dir, int *fd_out)
{
    str folder;
    TRY(dir_temp(ctx, dir, &folder));
    str path = arena_printf(ctx->arena, "%.*s/nameless", STR_FMT(folder));
    int rc = file_create(ctx, path.p, fd_out);
    int removed = dir_remove_tree(ctx, folder.p);
    return rc != RC_OK ? rc : removed;
}
