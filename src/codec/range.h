/* The Range header (RFC 9110, 14.1.2), for one range of bytes. */
#ifndef MAPFERRY_CODEC_RANGE_H
#define MAPFERRY_CODEC_RANGE_H

#include "base/str.h"

enum range_kind {
    RANGE_WHOLE, /* no header, another unit, several ranges, or not well-formed: send everything, 200 */
    RANGE_PART,  /* 206 with Content-Range */
    RANGE_NEVER, /* nothing of it exists: 416 with "Content-Range: bytes * /size" (without the space) */
};
/* What to send of `size` bytes. For RANGE_WHOLE that is 0 and size, for RANGE_PART a non-empty piece, for RANGE_NEVER 0 and 0. */
struct range {
    enum range_kind kind;
    uint64_t offset, length;
};
struct range range_parse(str header, uint64_t size);

#endif
