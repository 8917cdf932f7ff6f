/* Zip archives as packages use them (APPNOTE 6.3, zip64): written by appending only, so that the hash of the file is computed
 * while it is written, and read strictly. Every byte of the structure is determined by names, sizes, checksums, methods and
 * order: the reader prints the structure again and refuses a file that differs from it, so nothing can hide between, before or
 * behind the members.
 *
 * Beside what every archive has, an entry of the directory carries the checksum of the packed bytes in an extra field of our own
 * ("mf").
 *
 * Member: local header (bit 3: sizes come behind; bit 11: UTF-8 name; date 1980-01-01), bytes, data descriptor. Then the central
 * directory in the order of the members and the end records. */
#ifndef MAPFERRY_CODEC_ZIP_H
#define MAPFERRY_CODEC_ZIP_H

#include "base/stream.h"

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 };
enum {
    ZIP_NAME_MAX = 1024,
    ZIP_LOCAL_MAX = 30 + ZIP_NAME_MAX + 24,
    ZIP_DESCRIPTOR_MAX = 24,
    ZIP_CENTRAL_MAX = 46 + ZIP_NAME_MAX + 28 + 8,
    ZIP_END_MAX = 56 + 20 + 22,
};

struct zip_member {
    str name;
    uint64_t offset;     /* of the local header */
    uint64_t size;       /* as it is when unpacked */
    uint64_t packed;     /* bytes in the file */
    uint32_t crc;        /* of the unpacked bytes */
    uint32_t packed_crc; /* of the bytes in the file: deflate has bits that change nothing, and they shall not change either */
    uint16_t method;
    bool wide; /* zip64 sizes in the data descriptor: the size was not known to stay below ZIP_NARROW_MAX */
};
/* Up to this size a member whose size is known beforehand needs no zip64, stored or deflated. */
#define ZIP_NARROW_MAX UINT64_C(0xff000000)

/* ---- writing: each prints one piece of the structure and returns its length ---- */
size_t zip_local_size(const struct zip_member *m);
size_t zip_local_print(const struct zip_member *m, uint8_t out[ZIP_LOCAL_MAX]); /* uses name, method, wide */
size_t zip_descriptor_size(const struct zip_member *m);
size_t zip_descriptor_print(const struct zip_member *m, uint8_t out[ZIP_DESCRIPTOR_MAX]);
size_t zip_central_print(const struct zip_member *m, uint8_t out[ZIP_CENTRAL_MAX]);
/* directory: offset and size of the central directory. The records lie directly behind it. */
struct zip_directory {
    uint64_t count, offset, size;
};
size_t zip_end_print(const struct zip_directory *d, uint8_t out[ZIP_END_MAX]);

/* A name that can be unpacked anywhere: valid UTF-8, relative, no "." or ".." or empty component, no backslash, no control
 * character, no drive letter, at most ZIP_NAME_MAX bytes. */
bool zip_name_valid(str name);

/* ---- reading ---- */
struct zip_limits {
    uint64_t max_members;
    uint64_t max_member_bytes; /* unpacked */
};
struct zip; /* about 80 bytes a member beside the name */
/* Reads and checks the whole structure; fd stays the caller's and must stay open. ERR_INVALID: no such archive; ERR_CORRUPT:
 * damaged; ERR_LIMIT: beyond the limits or suspicious expansion; ERR_UNSUPPORTED: encrypted, another method. Details name the
 * member. */
int zip_open(struct ctx *ctx, int fd, const struct zip_limits *limits, struct zip **out);
void zip_close(struct zip *z); /* NULL is allowed */
size_t zip_count(const struct zip *z);
/* In file order. */
const struct zip_member *zip_at(const struct zip *z, size_t index);
/* In byte order of the names: index of the member at that rank. */
size_t zip_ranked(const struct zip *z, size_t rank);
/* Index of the member, SIZE_MAX when there is none; the rank of the first name that is not below `name` in *rank_out (NULL
 * allowed). */
size_t zip_find(const struct zip *z, str name, size_t *rank_out);
/* The unpacked bytes of a member. The read that gives the last byte has verified size and checksum (ERR_CORRUPT naming the
 * member). Several readers may be open, also in several threads. */
struct reader *zip_member_open(const struct zip *z, const struct zip_member *m);
/* The same for a member whose packed bytes lie at that offset of a file. packed_crc_known: those of others have no such checksum.
 */
struct reader *zip_reader_open(int fd, uint64_t at, const struct zip_member *m, bool packed_crc_known);

#endif
