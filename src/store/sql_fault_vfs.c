/* A shim around SQLite's default VFS, so that the writes, syncs, truncations and removals that SQLite makes are counted and made
 * to fail like those of base/file.h. Without an armed fault each costs one branch. */
#include "store/sql_fault_vfs.h"

#include "base/fault.h"
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>

/* Our file is this head, followed in the same memory by the file of the default VFS. */
struct shim_file {
    sqlite3_file base;
    sqlite3_file *inner;
};

static sqlite3_vfs shim_vfs;
static sqlite3_vfs *default_vfs;

static sqlite3_file *inner_of(sqlite3_file *f) { return ((struct shim_file *)f)->inner; }

/* What SQLite is told when the fault point fails; SQLITE_OK when it does not. */
static int fault_code(int otherwise)
{
    int error_number = fault_point();
    if (error_number == 0)
        return SQLITE_OK;
    return error_number == ENOSPC ? SQLITE_FULL : otherwise;
}

static int shim_close(sqlite3_file *f)
{
    sqlite3_file *inner = inner_of(f);
    return inner->pMethods ? inner->pMethods->xClose(inner) : SQLITE_OK;
}
static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 offset)
{
    return inner_of(f)->pMethods->xRead(inner_of(f), p, n, offset);
}
static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 offset)
{
    int code = fault_code(SQLITE_IOERR_WRITE);
    return code != SQLITE_OK ? code : inner_of(f)->pMethods->xWrite(inner_of(f), p, n, offset);
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = fault_code(SQLITE_IOERR_TRUNCATE);
    return code != SQLITE_OK ? code : inner_of(f)->pMethods->xTruncate(inner_of(f), size);
}
static int shim_sync(sqlite3_file *f, int flags)
{
    int code = fault_code(SQLITE_IOERR_FSYNC);
    return code != SQLITE_OK ? code : inner_of(f)->pMethods->xSync(inner_of(f), flags);
}
static int shim_file_size(sqlite3_file *f, sqlite3_int64 *size) { return inner_of(f)->pMethods->xFileSize(inner_of(f), size); }
static int shim_lock(sqlite3_file *f, int level) { return inner_of(f)->pMethods->xLock(inner_of(f), level); }
static int shim_unlock(sqlite3_file *f, int level) { return inner_of(f)->pMethods->xUnlock(inner_of(f), level); }
static int shim_check_lock(sqlite3_file *f, int *out) { return inner_of(f)->pMethods->xCheckReservedLock(inner_of(f), out); }
static int shim_control(sqlite3_file *f, int op, void *arg) { return inner_of(f)->pMethods->xFileControl(inner_of(f), op, arg); }
static int shim_sector_size(sqlite3_file *f) { return inner_of(f)->pMethods->xSectorSize(inner_of(f)); }
static int shim_characteristics(sqlite3_file *f) { return inner_of(f)->pMethods->xDeviceCharacteristics(inner_of(f)); }
static int shim_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return inner_of(f)->pMethods->xShmMap(inner_of(f), page, size, extend, out);
}
static int shim_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return inner_of(f)->pMethods->xShmLock(inner_of(f), offset, n, flags);
}
static void shim_shm_barrier(sqlite3_file *f) { inner_of(f)->pMethods->xShmBarrier(inner_of(f)); }
static int shim_shm_unmap(sqlite3_file *f, int remove) { return inner_of(f)->pMethods->xShmUnmap(inner_of(f), remove); }
static int shim_fetch(sqlite3_file *f, sqlite3_int64 offset, int n, void **out)
{
    return inner_of(f)->pMethods->xFetch(inner_of(f), offset, n, out);
}
static int shim_unfetch(sqlite3_file *f, sqlite3_int64 offset, void *p)
{
    return inner_of(f)->pMethods->xUnfetch(inner_of(f), offset, p);
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 3,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_file_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector_size,
    .xDeviceCharacteristics = shim_characteristics,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
    .xFetch = shim_fetch,
    .xUnfetch = shim_unfetch,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *flags_out)
{
    struct shim_file *file = (struct shim_file *)f;
    (void)vfs;
    file->inner = (sqlite3_file *)(file + 1);
    int code = default_vfs->xOpen(default_vfs, name, file->inner, flags, flags_out);
    file->base.pMethods = file->inner->pMethods ? &shim_methods : NULL;
    return code;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    int code = fault_code(SQLITE_IOERR_DELETE);
    return code != SQLITE_OK ? code : default_vfs->xDelete(default_vfs, name, sync_dir);
}

static void register_shim(void)
{
    default_vfs = sqlite3_vfs_find(NULL);
    if (!default_vfs)
        return;
    shim_vfs = *default_vfs; /* everything but opening and deleting is the default's; it keeps its state in pAppData */
    shim_vfs.pNext = NULL;
    shim_vfs.zName = "mapferry";
    shim_vfs.szOsFile = default_vfs->szOsFile + (int)sizeof(struct shim_file);
    shim_vfs.xOpen = shim_open;
    shim_vfs.xDelete = shim_delete;
    sqlite3_vfs_register(&shim_vfs, 0);
}

const char *sql_fault_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_shim);
    return default_vfs ? shim_vfs.zName : NULL;
}
