/* Fault points: every changing system call passes one. In normal runs this is one relaxed load and a branch.
 * MAPFERRY_FAULT="kill:N" kills the process with SIGKILL at the N-th point, "eio:N", "enospc:N" fail that call once,
 * "enospc-from:N" fails that call and all later ones, "count" prints the number of points passed at exit on stderr.
 * Read once at start by fault_init. Also counts the writes that SQLite makes (store/sql_sqlite.c wraps its VFS). */
#ifndef MAPFERRY_BASE_FAULT_H
#define MAPFERRY_BASE_FAULT_H

void fault_init(void);
/* 0, or the errno that the call has to fail with. May not return. */
int fault_point(void);
/* For tests inside one process: arms as MAPFERRY_FAULT would; NULL disarms. */
void fault_arm(const char *spec);

#endif
