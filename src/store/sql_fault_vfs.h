/* The SQLite VFS of all databases of the program: the default one, with a fault point before every call that changes something.
 */
#ifndef MAPFERRY_STORE_SQL_FAULT_VFS_H
#define MAPFERRY_STORE_SQL_FAULT_VFS_H

/* Registers it (once) and returns the name to pass to sqlite3_open_v2, or NULL: no VFS at all, which means the default one. */
const char *sql_fault_vfs(void);

#endif
