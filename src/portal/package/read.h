/* What the other files of this folder need of an open package. */
#ifndef MAPFERRY_PORTAL_PACKAGE_READ_H
#define MAPFERRY_PORTAL_PACKAGE_READ_H

#include "codec/zip.h"
#include "portal/portal.h"

/* The archive that the package is. Lives as long as the portal. */
const struct zip *read_zip(const struct portal *p);
/* The bytes of a member (index in file order), verified. Any thread. */
struct reader *read_member_open(const struct portal *p, size_t index);
/* What the manifest says of them. */
struct hash read_member_hash(const struct portal *p, size_t index);

#endif
