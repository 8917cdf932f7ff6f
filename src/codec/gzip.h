/* gzip (RFC 1952) of bytes in memory, for answers. */
#ifndef MAPFERRY_CODEC_GZIP_H
#define MAPFERRY_CODEC_GZIP_H

#include "base/buf.h"

/* Appends the bytes as one gzip member. False when the buffer's maximum is reached: its content is of no use then. Any thread. */
bool gzip_add(struct buf *out, str bytes);
/* May an answer to a request with this Accept-Encoding be gzip? "gzip" or "*" with a weight that is not zero. */
bool gzip_accepted(str accept_encoding);

#endif
