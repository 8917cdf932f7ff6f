/* The content store: bytes named by their SHA-256, stored once. To 32 KiB they live in the metadata database, larger ones are
 * files below DIR/content/ab/<hex>. Bytes are visible only whole, and only through a row that a transaction made.
 *
 * Way of a new blob: blob_begin → writes (spooled to memory, then to a temp file, hashed) → blob_finish (now a struct blob_new) →
 * any number of them to blob_sync (one sync for the batch, renames, directory sync) → inside the write transaction that makes
 * them visible blob_attach for each (inserts the blob row, or reuses the one that is there) → blob_new_close. Without blob_attach
 * nothing remains: blob_new_close removes temp files, and a start removes what a crash left. */
#ifndef MAPFERRY_STORE_BLOB_H
#define MAPFERRY_STORE_BLOB_H

#include "base/hash.h"
#include "base/stream.h"
#include "store/sql.h"

enum { BLOB_INLINE_MAX = 32 * 1024 };

struct blob_store;
/* dir is created when missing. */
int blob_store_open(struct ctx *ctx, struct sql *db, const char *dir, struct blob_store **out);
void blob_store_close(struct blob_store *s);
/* The folder that free space is measured on. */
const char *blob_store_dir(const struct blob_store *s);

struct blob_new; /* bytes on their way in */
/* max: more bytes than that are ERR_LIMIT. expected: the hash the bytes must have (ERR_CORRUPT at finish when not), NULL none. */
int blob_begin(struct ctx *ctx, struct blob_store *s, uint64_t max, const struct hash *expected, struct blob_new **out);
/* Bytes that are not hashed here: they come from a reader that compares them with this hash itself and fails when they differ, as
 * a package's members do, or from memory that was hashed. ERR_CORRUPT at finish when there are not exactly `size`. Much content
 * goes past the page cache (base/direct.h): best in large pieces that begin at a multiple of DIRECT_ALIGN in memory. */
int blob_begin_known(struct ctx *ctx, struct blob_store *s, struct hash hash, uint64_t size, struct blob_new **out);
int blob_write(struct ctx *ctx, struct blob_new *b, const void *p, size_t n);
int blob_finish(struct ctx *ctx, struct blob_new *b);
void blob_new_close(struct blob_new *b); /* NULL is allowed */
/* After blob_finish. */
struct hash blob_new_hash(const struct blob_new *b);
uint64_t blob_new_size(const struct blob_new *b);
/* Reads what was written, before it is visible (looking into an upload). */
int blob_new_open(struct ctx *ctx, struct blob_new *b, struct reader **out);
/* Path of a file that holds exactly the bytes, for a program that needs a path (conversion); spools small ones out to a file.
 * Valid until close. */
int blob_new_path(struct ctx *ctx, struct blob_new *b, const char **path_out);
/* Whole bytes at once: begin, write, finish. */
int blob_put(struct ctx *ctx, struct blob_store *s, str bytes, struct blob_new **out);
/* Adopts a finished file on the same file system (it is moved at blob_sync). hash: of its bytes, when the caller hashed them
 * while it wrote them; NULL: computed by reading it. */
int blob_adopt_file(struct ctx *ctx, struct blob_store *s, const char *path, const struct hash *hash, struct blob_new **out);
/* Durability of a batch: files written and named, directories synced. Must come before the transaction with blob_attach. */
int blob_sync(struct ctx *ctx, struct blob_store *s, struct blob_new **list, size_t count);
/* In a write transaction. */
int blob_attach(struct ctx *ctx, struct sql_tx *tx, const struct blob_new *b);
/* In a write transaction: takes a reference to bytes that are there already. RC_NOT_FOUND without a row. */
int blob_reuse(struct ctx *ctx, struct sql_tx *tx, struct hash h);
/* Is there a row for it (no promise for later)? */
int blob_exists(struct ctx *ctx, struct blob_store *s, struct hash h, bool *out);
/* The same inside a transaction. */
int blob_known(struct ctx *ctx, struct sql_tx *tx, struct hash h, bool *out);

/* Reading. The reader does not verify; blob_check does. RC_NOT_FOUND when there is no such blob. */
int blob_open(struct ctx *ctx, struct blob_store *s, struct hash h, struct reader **out);
int blob_open_range(struct ctx *ctx, struct blob_store *s, struct hash h, uint64_t offset, uint64_t length, struct reader **out);
int blob_size(struct ctx *ctx, struct blob_store *s, struct hash h, uint64_t *out);
/* For sendfile: a descriptor (caller closes) or -1 with the bytes in *inline_out. */
int blob_open_fd(struct ctx *ctx, struct blob_store *s, struct hash h, int *fd_out, str *inline_out, uint64_t *size_out);
/* A path to the bytes; small ones are written to a temp file that remove_out says to remove. */
int blob_path(struct ctx *ctx, struct blob_store *s, struct hash h, str *path_out, bool *remove_out);

/* Collection: rows that nothing references and that are older than the grace period (ms) go; the files of rows that went go one
 * grace period later. Counts may be NULL. Safe beside running uploads. */
int blob_collect(struct ctx *ctx, struct blob_store *s, int64_t grace_ms, uint64_t *removed_out);
/* Store and database agree: each row has its file of the right size (read_data: and the right hash), no file lacks a row beyond
 * those of uploads in progress, no reference lacks its row. Findings one line each; *bad_out counts those that are damage. */
int blob_check(struct ctx *ctx, struct blob_store *s, bool read_data, void (*report)(void *arg, const char *line), void *arg,
               uint64_t *bad_out);

#endif
