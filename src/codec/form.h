/* Form fields: names and values as they come in query strings, urlencoded bodies and multipart bodies (codec/multipart.h),
 * gathered in one list with limits at the door. */
#ifndef MAPFERRY_CODEC_FORM_H
#define MAPFERRY_CODEC_FORM_H

#include "base/buf.h"

struct form_field {
    str name, value; /* decoded, valid UTF-8 without NUL; NUL-terminated behind the slice */
};
struct form_limits {
    size_t count;       /* fields */
    size_t field_bytes; /* name and value of one field, decoded */
    size_t total_bytes; /* names and values of all fields, decoded */
};
/* Lives on the stack or in the arena; nothing to release. Start with FORM_INIT and ask freely. */
struct form {
    struct form_limits limits;
    struct form_field *fields; /* in order of arrival; a name may come several times */
    size_t count, capacity, bytes;
};
#define FORM_INIT(count_max, field_max, total_max)                                                                               \
    ((struct form){.limits = {.count = (count_max), .field_bytes = (field_max), .total_bytes = (total_max)}})

/* Adds one decoded field, copied into ctx->arena. ERR_LIMIT beyond a limit, ERR_INVALID for text that is not UTF-8. */
int form_add(struct ctx *ctx, struct form *f, str name, str value);
/* The first value of that name (exact case), STR_NONE when there is none. */
str form_get(const struct form *f, str name);
/* Adds the fields of a whole query string or urlencoded body: '&' between pairs, '=' optional, empty pairs skipped. */
int form_parse(struct ctx *ctx, struct form *f, str text);
/* Appends the fields as application/x-www-form-urlencoded (spaces as %20). */
void form_print(struct buf *b, const struct form *f);

/* The push side: the body in pieces, cut anywhere. A pair that is not complete yet is all that is held. */
struct form_reader {
    struct form *form;
    struct buf pending;
};
/* Fields go to *f, which outlives the reader. Release with form_reader_close (also for CLEANUP). */
void form_reader_open(struct form_reader *r, struct form *f);
void form_reader_close(struct form_reader *r);
int form_push(struct ctx *ctx, struct form_reader *r, str piece);
int form_finish(struct ctx *ctx, struct form_reader *r);

#endif
