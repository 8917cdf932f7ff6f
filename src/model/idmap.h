/* Inside of the map of references (model/refs.h): how the scan looks things up. For the refs files only. */
#ifndef MAPFERRY_MODEL_IDMAP_H
#define MAPFERRY_MODEL_IDMAP_H

#include "model/refs.h"

enum { IDMAP_HOSTS_MAX = 64 }; /* a source has a handful; names of further ones are not searched for */

/* What is known of one id. */
struct idmap_id {
    id from, to;        /* to: none when only service_url is known */
    enum ref_kind kind; /* REF_ITEM_ID or REF_GROUP_ID */
    str service_url;    /* of the item on the target; "" unknown */
};
/* A URL prefix: a service root or a base. */
struct idmap_root {
    str key;      /* without scheme, decoded, lower case, no default port, no slash at the end; none: free place of the table */
    str to;       /* decoded, with scheme, no slash at the end */
    bool service; /* else a base */
    bool same;    /* both sides are the same but for scheme and case */
};
/* A host name, with its port when that is not the default one. */
struct idmap_host {
    str name;      /* lower case */
    bool has_port; /* written in the name */
    bool has_base; /* a base of the source is on it: to_url stands for every other URL of it */
    bool same;
    str to_url;        /* "https://b:7081" */
    uint8_t skip[256]; /* how far a search may jump when a byte ends the window (Horspool) */
};
struct idmap {
    struct arena *arena;
    struct idmap_id *ids; /* open addressing, a power of two; free places have no from */
    size_t id_count, id_capacity;
    struct idmap_root *roots; /* the same */
    size_t root_count, root_capacity, root_longest;
    struct idmap_host *hosts[IDMAP_HOSTS_MAX];
    size_t host_count;
    struct idmap_user {
        str from, to;
    } * users;
    size_t user_count, user_capacity;
    size_t service_count; /* ids that have a service_url */
};
/* NULL when unknown. hex: 32 hexadecimal digits of either case. */
const struct idmap_id *idmap_find_id(const struct idmap *m, const unsigned char *hex);
/* By key and its idmap_hash. NULL when unknown. */
const struct idmap_root *idmap_find_root(const struct idmap *m, str key, uint64_t hash);
const struct idmap_user *idmap_find_user(const struct idmap *m, str name);

#define IDMAP_HASH_START UINT64_C(0xcbf29ce484222325)
/* FNV-1a, a byte at a time: the scan hashes a URL as it reads it. */
static inline uint64_t idmap_hash_add(uint64_t hash, unsigned char c) { return (hash ^ c) * UINT64_C(0x100000001b3); }

#endif
