/* Parsed definitions of hosted services, shared by all calls until they change. */
#ifndef MAPFERRY_SERVICE_HOSTED_CACHE_H
#define MAPFERRY_SERVICE_HOSTED_CACHE_H

#include "service/hosted.h"

/* An empty cache. Release with hosted_cache_close when nobody has an entry any more. */
struct hosted_cache *hosted_cache_open(void);
void hosted_cache_close(struct hosted_cache *c); /* NULL is allowed */
/* The rows of a service, and for a view those of its source (NULL: none, or a view that shows nothing yet). */
struct hosted_version {
    const struct hosted *row, *source;
};
/* An entry as good as the rows (same items and `modified`), parsed when there is none; referenced until hosted_cache_put. */
struct hosted_entry;
struct hosted_entry *hosted_cache_find(struct hosted_cache *c, const struct hosted_version *v); /* NULL: none there */
int hosted_cache_get(struct ctx *ctx, struct hosted_cache *c, const struct hosted_version *v, struct hosted_entry **out);
void hosted_cache_put(struct hosted_cache *c, struct hosted_entry *e);
const struct hosted_service *hosted_entry_service(const struct hosted_entry *e);

/* Changes of definitions (change) are one at a time, and no edit of features runs meanwhile: tables are made before the row that
 * names them. Reading needs no lock. hosted_cache_unlock is for CLEANUP. */
void hosted_cache_lock(struct hosted_cache *c, bool change);
void hosted_cache_unlock(struct hosted_cache **c);

#endif
