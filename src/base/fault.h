/* Fault points: every changing system call passes one. In normal runs this is one relaxed load and a branch.
 * MAPFERRY_FAULT="kill:N" kills the process with SIGKILL at the N-th point, "eio:N", "enospc:N" fail that call once,
 * "enospc-from:N" fails that call and all later ones, "count" prints the number of points passed at exit on stderr.
 * "kill-checkpoint:N" kills at the N-th checkpoint of a job; "count" prints at each how many points were passed before it.
 * Read once at start by fault_init. Also counts the writes that SQLite makes (store/sql_sqlite.c wraps its VFS). */
#ifndef MAPFERRY_BASE_FAULT_H
#define MAPFERRY_BASE_FAULT_H

/* Reads MAPFERRY_FAULT. Before any thread starts. */
void fault_init(void);
/* 0, or the errno that the call has to fail with. May not return. */
int fault_point(void);
/* A checkpoint of a job is durable from here on. May not return. */
void fault_checkpoint(void);
/* For tests inside one process: arms as MAPFERRY_FAULT would; NULL disarms. */
void fault_arm(const char *spec);

#endif
