/* The generic scan: where a decoded text names an id, a URL or a host that the map knows, from left to right, without overlaps.
 * For the refs files only. */
#ifndef MAPFERRY_MODEL_REFS_SCAN_H
#define MAPFERRY_MODEL_REFS_SCAN_H

#include "model/idmap.h"
#include "model/refs_view.h"

struct refs_scan {
    const struct idmap *map;
    const struct refs_view *view;
    size_t pos;
    bool unknown_ids;
    size_t place_count;
    size_t place[1 + IDMAP_HOSTS_MAX]; /* where the next id and the next name of each host stand; SIZE_MAX nowhere */
};
struct refs_hit {
    size_t from, to;               /* in the view */
    enum ref_kind kind;            /* REF_ITEM_ID, REF_GROUP_ID, REF_SERVICE_URL, REF_PORTAL_URL */
    const struct idmap_id *id;     /* of an id; NULL unknown */
    const struct idmap_host *host; /* of a URL */
    str target;                    /* decoded, what stands for the piece; "" unknown */
    bool same;                     /* nothing to replace */
};
/* unknown_ids: stop also at ids that the map does not know. */
void refs_scan_start(struct refs_scan *s, const struct idmap *map, const struct refs_view *view, size_t pos, bool unknown_ids);
bool refs_scan_next(struct refs_scan *s, struct refs_hit *out);

#endif
