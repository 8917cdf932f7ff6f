/* A zip archive that is written member after member into a writer, each as its bytes come, on one thread. For files that are made
 * for others; packages are written by portal/package. */
#ifndef MAPFERRY_CODEC_ZIP_STREAM_H
#define MAPFERRY_CODEC_ZIP_STREAM_H

#include "base/stream.h"

struct zip_stream; /* about 1 MiB */
/* `to` stays the caller's and outlives it. wide: members may have 4 GiB and more, which some readers of office files refuse;
 * without it such a member is ERR_LIMIT. */
struct zip_stream *zip_stream_open(struct writer *to, bool wide);
void zip_stream_close(struct zip_stream *z); /* NULL is allowed */
/* Begins a member; the name is copied. Its bytes go to zip_stream_writer, whose close does nothing. */
int zip_stream_begin(struct ctx *ctx, struct zip_stream *z, str name);
struct writer *zip_stream_writer(struct zip_stream *z);
int zip_stream_end(struct ctx *ctx, struct zip_stream *z);
/* The directory: the archive is whole. */
int zip_stream_finish(struct ctx *ctx, struct zip_stream *z);
/* A file as a member. */
int zip_stream_add_file(struct ctx *ctx, struct zip_stream *z, str name, const char *path);

#endif
