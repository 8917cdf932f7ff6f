/* Zip archives that anybody made, for unpacking what a client sends: read by their directory, members stored or deflated. What
 * codec/zip reads are packages, which have one form only. */
#ifndef MAPFERRY_CODEC_UNZIP_H
#define MAPFERRY_CODEC_UNZIP_H

#include "codec/zip.h"

struct unzip_limits {
    uint64_t max_members;
    uint64_t max_bytes; /* unpacked, all together, as the directory names them; the readers give no more */
};
struct unzip {
    int fd; /* the caller's, open as long as readers are */
    struct zip_member
        *members; /* files in the order of the directory, folders left out; offset: of the packed bytes. In the arena */
    size_t count;
};
/* ERR_INVALID: no archive, or one whose parts contradict each other; names that lead elsewhere ("..", absolute) or are not UTF-8.
 * ERR_LIMIT. ERR_UNSUPPORTED: encrypted, other methods, zip64, several disks. */
int unzip_open(struct ctx *ctx, int fd, const struct unzip_limits *limits, struct unzip *out);
/* The bytes of a member; the read that gives the last one has verified size and checksum (ERR_CORRUPT). */
struct reader *unzip_member_open(const struct unzip *z, const struct zip_member *m);

#endif
