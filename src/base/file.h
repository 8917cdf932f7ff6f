/* Files: durable creation, directories, free space. Every system call that changes something goes through here, so that
 * fault runs (base/fault.h) can count and fail each one. */
#ifndef MAPFERRY_BASE_FILE_H
#define MAPFERRY_BASE_FILE_H

#include "base/ctx.h"

/* RC_NOT_FOUND (ERR_MISSING) when there is no such file; so do the others that open something for reading. */
int file_open_read(struct ctx *ctx, const char *path, int *fd_out);
/* Creates (O_EXCL) with mode 0600. */
int file_create(struct ctx *ctx, const char *path, int *fd_out);
/* One without a name in the folder, for as long as it is open. */
int file_create_nameless(struct ctx *ctx, const char *dir, int *fd_out);
int file_write(struct ctx *ctx, int fd, const void *p, size_t n);
int file_pwrite(struct ctx *ctx, int fd, const void *p, size_t n, uint64_t offset);
int file_pread(struct ctx *ctx, int fd, void *p, size_t n, uint64_t offset); /* exactly n bytes or an error */
int file_sync(struct ctx *ctx, int fd);                                      /* fdatasync */
int file_sync_fs(struct ctx *ctx, int fd); /* syncfs of the file system that fd is on: one sync for a batch */
int file_truncate(struct ctx *ctx, int fd, uint64_t size);
/* Room for so many bytes, where the file system can promise it; the length that the file has then (0 where it cannot). */
int file_reserve(struct ctx *ctx, int fd, uint64_t size, uint64_t *length_out);
/* From now on whole blocks from aligned memory go past the page cache; false: this file system cannot do that. */
bool file_past_cache(int fd);
int file_size(struct ctx *ctx, int fd, uint64_t *size_out);
int file_rename(struct ctx *ctx, const char *from, const char *to);
int file_sync_dir(struct ctx *ctx, const char *dir);
int file_remove(struct ctx *ctx, const char *path); /* a missing file is not an error */
bool file_exists(const char *path);
void file_close(int *fd); /* for CLEANUP; -1 is none */

/* mkdir -p with mode 0700 for what is created. */
int dir_create(struct ctx *ctx, const char *path);
int dir_remove_tree(struct ctx *ctx, const char *path);
/* Calls visit for every entry (not "." and ".."), in byte order of the names; stops at the first rc that is not RC_OK. */
int dir_each(struct ctx *ctx, const char *path, int (*visit)(struct ctx *ctx, const char *name, void *arg), void *arg);
/* Bytes free to this process on the file system of path. */
int dir_free_space(struct ctx *ctx, const char *path, uint64_t *bytes_out);

/* A whole file into the arena, at most max bytes. */
int file_read_all(struct ctx *ctx, const char *path, size_t max, str *out);
/* Whole or not at all, and durable when it returns: temp file beside, fsync, rename, fsync of the directory. */
int file_write_all(struct ctx *ctx, const char *path, str content, unsigned mode);
/* A fresh empty directory below `parent` (or below the system's temporary directory when NULL), path in the arena. */
int dir_temp(struct ctx *ctx, const char *parent, str *path_out);

#endif
