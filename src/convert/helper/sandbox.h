/* The walls around a process that reads a file of unknown origin. */
#ifndef MAPFERRY_CONVERT_HELPER_SANDBOX_H
#define MAPFERRY_CONVERT_HELPER_SANDBOX_H

#include "base/ctx.h"

/* From here on the process may read `file` and what the libraries install (their data, the loader's), write no file, start no
 * program, process or thread, open no socket, and use so much memory (bytes) and processor time (seconds); beyond a limit it
 * ends. There is no way back. A kernel without Landlock restricts by the list of system calls alone. ERR_IO when the kernel
 * refuses. */
int sandbox_enter(struct ctx *ctx, const char *file, int64_t memory_max, int64_t cpu_seconds_max);
/* The same, but nothing of others may be read, and everything may be done with the files in that folder. */
int sandbox_enter_writing(struct ctx *ctx, const char *dir, int64_t memory_max, int64_t cpu_seconds_max);

#endif
