/* Protocol buffers (the wire format of proto3), written in one pass into a buffer. What has its default value is the caller's to
 * leave out. */
#ifndef MAPFERRY_CODEC_PBF_H
#define MAPFERRY_CODEC_PBF_H

#include "base/buf.h"

/* One number without a field: 7 bits a byte, the low ones first. */
void pbf_put_varint(struct buf *b, uint64_t v);
/* Small magnitudes of either sign as small numbers, for sint32 and sint64. */
static inline uint64_t pbf_zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0); }

void pbf_uint(struct buf *b, unsigned field, uint64_t v); /* also enums, bools and int64 as two's complement */
void pbf_sint(struct buf *b, unsigned field, int64_t v);
void pbf_double(struct buf *b, unsigned field, double v);
void pbf_float(struct buf *b, unsigned field, float v);
void pbf_str(struct buf *b, unsigned field, str s);

/* A message, or packed numbers, inside of a field: everything that is appended between begin and end. Returns the place that end
 * wants back. */
size_t pbf_begin(struct buf *b, unsigned field);
void pbf_end(struct buf *b, size_t place);

#endif
