/* What the blob_*.c files share. Nobody else includes this.
 *
 * DIR/ab/<hex>   a blob larger than BLOB_INLINE_MAX, named by its hash
 * DIR/tmp/<n>    bytes on their way in; the folder is there while a portal runs and after a crash, so a start knows what to look
 * for
 *
 * The portal holds an exclusive lock on DIR for its life. A store over a database that is open for reading only takes no lock. */
#ifndef MAPFERRY_STORE_BLOB_DISK_H
#define MAPFERRY_STORE_BLOB_DISK_H

#include "base/buf.h"
#include "base/direct.h"
#include "store/blob.h"
#include <pthread.h>
#include <stdatomic.h>

struct blob_store {
    struct sql *db;
    char *dir, *temp_dir;
    int lock_fd;
    bool read_only;
    atomic_uint_fast64_t next_temp;
    atomic_bool leftovers;    /* something could not be removed: the next start has to look */
    pthread_mutex_t lock;     /* of the list */
    struct blob_new *pending; /* named, perhaps without a row yet: their files are not collected */
};

struct blob_new {
    struct blob_store *store;
    uint64_t max, size;
    struct hash hash, expected;
    bool check_expected, finished;
    bool known;      /* the hash is `expected`, which somebody else compares; max is the size there has to be */
    bool registered; /* in the list of the store */
    bool synced;     /* durable and, when it is a file, named */
    bool adopted;    /* path was the caller's: it is left alone until it was synced */
    struct hash_state state;
    struct buf memory;          /* the bytes, or what is not yet written to the file */
    char *path;                 /* of the file; NULL: the bytes are in memory */
    char *copy_path;            /* file made for a program that needs one */
    int fd;                     /* open while it is written */
    struct direct_file *direct; /* instead, when much of known size comes in */
    struct blob_new *next;
};

/* Path of the file of a hash, in the arena. */
const char *blob_disk_path(struct ctx *ctx, const struct blob_store *s, struct hash h);
/* Is the file of that hash named by an upload that has not been closed? The lock must be held. */
bool blob_disk_pending(const struct blob_store *s, struct hash h);
/* Removes the file of a hash unless it has a row, a remembered end (blob_gone) or an upload in progress. In a write transaction,
 * so that no row can come meanwhile. */
int blob_disk_remove_orphan(struct ctx *ctx, struct blob_store *s, struct sql_tx *tx, struct hash h);
/* Is there a row for it in blob (or blob_gone)? */
int blob_disk_row(struct ctx *ctx, struct sql_tx *tx, struct hash h, bool gone, bool *out);
/* Calls visit for each file of a blob below DIR. */
int blob_disk_each(struct ctx *ctx, struct blob_store *s, int (*visit)(struct ctx *ctx, struct hash h, void *arg), void *arg);

#endif
