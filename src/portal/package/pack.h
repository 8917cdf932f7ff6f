/* Appends members to a package file: bytes are read and hashed by the caller's thread, compressed on workers, written in order.
 * Memory is a few chunks and about 150 bytes a member, whatever the package's size. Chunks begin at whole MiB of
 * a member, whatever its neighbours are. */
#ifndef MAPFERRY_PORTAL_PACKAGE_PACK_H
#define MAPFERRY_PORTAL_PACKAGE_PACK_H

#include "base/hash.h"
#include "base/stream.h"
#include "codec/zip.h"

enum { PACK_OWN = UINT32_MAX };
struct pack_entry {
    struct zip_member member; /* of an alias: only name and size */
    struct hash hash;         /* SHA-256 of the unpacked bytes */
    uint32_t same_as;         /* PACK_OWN, or the index of the entry that holds the bytes */
    bool shared;              /* others with the same bytes become aliases of it */
};

struct pack;
struct pack_options {
    int fd;             /* open for reading and writing; stays the caller's */
    uint64_t max_bytes; /* of the file, 0: no limit */
    unsigned threads;   /* workers, 1 to 4 */
};
void pack_open(const struct pack_options *options, struct pack **out);
void pack_close(struct pack *p); /* NULL is allowed */
/* The file, open for reading and writing; stays the caller's. Before anything that reads or writes. */
void pack_set_file(struct pack *p, int fd);

/* The entry of a file that is continued, in file order, then the size that the file has with them; its bytes are read and hashed
 * again and must have that hash (ERR_CORRUPT). */
void pack_restore(struct pack *p, const struct pack_entry *entry);
int pack_restore_end(struct ctx *ctx, struct pack *p, uint64_t size, const struct hash *file_hash);

struct pack_source {
    str name;                    /* of the member; a valid and new zip name */
    struct reader *reader;       /* read to its end, not closed */
    int64_t size;                /* bytes that will come, -1 unknown; others are ERR_CORRUPT */
    const struct hash *expected; /* what they must hash to (ERR_CORRUPT), NULL unknown */
    bool shared;                 /* pack_find may find it */
};
/* Adds a member; index of its entry in *entry_out. The bytes may still be on their way when it returns. After an error
 * pack_rollback takes back what was added; after a failed write nothing can be added any more. */
int pack_add(struct ctx *ctx, struct pack *p, const struct pack_source *source, uint32_t *entry_out);
/* Adds a name for bytes that are there. */
uint32_t pack_alias(struct pack *p, str name, uint32_t holder);
/* The shared entry with these bytes, PACK_OWN when there is none. */
uint32_t pack_find(const struct pack *p, const struct hash *hash);

/* The entries, in the order in which they were added. */
size_t pack_count(const struct pack *p);
const struct pack_entry *pack_at(const struct pack *p, size_t index);
/* Writes all that is on its way to the file (not synced). */
int pack_flush(struct ctx *ctx, struct pack *p);
/* Forgets the entries from `count` on and cuts the file back to where they began. */
int pack_rollback(struct ctx *ctx, struct pack *p, size_t count);
/* Writes the directory: the file is a zip archive afterwards. */
int pack_end(struct ctx *ctx, struct pack *p);
/* After pack_flush or pack_end. */
uint64_t pack_size(const struct pack *p);
struct hash pack_hash(const struct pack *p);

#endif
