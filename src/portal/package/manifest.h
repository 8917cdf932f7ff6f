/* manifest.json, the last member: every name with size and SHA-256, and one hash over all of it. A line a name, so that it is
 * written and read in constant memory. */
#ifndef MAPFERRY_PORTAL_PACKAGE_MANIFEST_H
#define MAPFERRY_PORTAL_PACKAGE_MANIFEST_H

#include "portal/package/pack.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_FORMAT "mapferry-manifest"
#define PACKAGE_NAME "package.json"
#define PACKAGE_FORMAT "mapferry-package"
enum { PACKAGE_VERSION = 1 };

/* Order-dependent hash over the names: SHA-256 of "<sha256 in hex>  <name>\n" for every name but package.json, in byte order of
 * the names. */
struct manifest_hash {
    struct hash_state state;
};

/* The text of the manifest of all entries of the pack, which must outlive the reader; content hash in *content_out. */
struct reader *manifest_print(const struct pack *p, struct hash *content_out);

struct manifest_entry {
    str name;
    uint64_t size;
    struct hash hash;
    str same_as; /* "" when the name is a member */
};
/* Reads a manifest (closes the reader) and gives its entries to visit, strictly ascending by name (strings valid during the
 * call). Checks form, order and content hash. A later version: ERR_UNSUPPORTED; not a sound manifest: ERR_CORRUPT. */
int manifest_read(struct ctx *ctx, struct reader *reader,
                  int (*visit)(struct ctx *ctx, void *arg, const struct manifest_entry *e), void *arg, struct hash *content_out);

#endif
