/* multipart/form-data (RFC 7578), read by pushing: the body comes in pieces cut anywhere. Parts without a file name are fields
 * and are gathered in a struct form; parts with one are files and are handed on as they arrive, never held.
 * Strict: no preamble but line ends, no bytes but white space after the last boundary, no part without a name, no transfer
 * encoding but 7bit, 8bit and binary. Every violation is ERR_INVALID (ERR_LIMIT for sizes) with one clear sentence. */
#ifndef MAPFERRY_CODEC_MULTIPART_H
#define MAPFERRY_CODEC_MULTIPART_H

#include "codec/form.h"

/* A file that begins. The slices live in ctx->arena and are NUL-terminated. */
struct multipart_file {
    str name;         /* of the field: "file" */
    str filename;     /* as sent, from filename*= (RFC 8187, UTF-8) before filename=; "" for a file input left empty. Valid UTF-8
                       * without control characters, but otherwise the sender's: may contain '/', '\\', ".." */
    str content_type; /* "" when absent */
};
/* A call that returns anything but RC_OK ends the parsing with that rc. For each file: begin, data any number of times (never
 * empty), end. A body that breaks off never calls `end` for its last file. */
struct multipart_events {
    int (*begin)(struct ctx *ctx, void *arg, const struct multipart_file *file);
    int (*data)(struct ctx *ctx, void *arg, str piece);
    int (*end)(struct ctx *ctx, void *arg);
};
struct multipart_options {
    struct form *fields; /* where fields go; its limits apply to them; outlives the reader */
    const struct multipart_events *events;
    void *arg;           /* for the events */
    size_t header_bytes; /* of one part: 8192 is plenty */
    size_t parts;        /* fields and files together */
};
struct multipart;

/* The file name in a Content-Disposition header of an answer ("attachment; filename=…", "filename*=UTF-8''…"); STR_NONE when
 * there is none that can be read. */
str multipart_attachment_name(struct arena *a, str disposition);
/* True when a Content-Type header value says multipart/form-data. */
bool multipart_is(str content_type);
/* content_type: the header's value, whose boundary parameter (1 to 70 characters, RFC 2046) is needed. The reader lives in
 * ctx->arena; release what it holds besides with multipart_close (NULL is allowed). */
int multipart_open(struct ctx *ctx, str content_type, const struct multipart_options *options, struct multipart **out);
void multipart_close(struct multipart *m);
/* The next bytes. After an error the reader must only be closed. */
int multipart_push(struct ctx *ctx, struct multipart *m, str piece);
/* The body is over: ERR_INVALID when the last boundary has not come. */
int multipart_finish(struct ctx *ctx, struct multipart *m);

#endif
