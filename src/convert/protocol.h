/* What goes between the portal and mapferry-convert: frames of a length, a kind and a payload, little endian. Both
 * ends build and read them with these functions, so that the form is written down once.
 *
 * Requests, each answered before the next: PROTOCOL_OPEN (once, the first), PROTOCOL_DEFINITION, PROTOCOL_ROWS. Any of them may
 * be answered by PROTOCOL_ERROR, a sentence. */
#ifndef MAPFERRY_CONVERT_PROTOCOL_H
#define MAPFERRY_CONVERT_PROTOCOL_H

#include "base/buf.h"
#include "model/layer.h"

enum protocol_kind {
    PROTOCOL_OPEN = 'O',       /* struct protocol_open */
    PROTOCOL_DEFINITION = 'D', /* nothing; answered with the JSON text */
    PROTOCOL_ROWS = 'R',       /* struct protocol_rows; answered with batches and an end */
    PROTOCOL_CREATE = 'C',     /* struct protocol_create: a file is written; the first, and alone with those below */
    PROTOCOL_LAYER = 'L',  /* a layer's definition; answered with the names of its fields as JSON. Batches and an end follow */
    PROTOCOL_FINISH = 'F', /* nothing */
    PROTOCOL_OPENED = 'o', /* nothing */
    PROTOCOL_TEXT = 't',   /* bytes */
    PROTOCOL_BATCH = 'b',  /* rows, one behind the other */
    PROTOCOL_END = 'e',    /* nothing */
    PROTOCOL_ERROR = 'x',  /* bytes */
};
enum {
    PROTOCOL_HEAD = 5,
    PROTOCOL_MAX = 512 << 20,       /* payload: one row with a very large geometry */
    PROTOCOL_BATCH_SIZE = 192 << 10 /* a batch is sent when it has grown beyond */
};

struct protocol_open {
    uint8_t format; /* enum convert_format */
    int32_t target_wkid;
    int64_t memory_max, cpu_seconds_max;
    str path, name; /* path: a link with the extension that belongs to the format */
    str parameters; /* publishParameters as JSON text, "" without */
};
struct protocol_create {
    uint8_t format; /* enum convert_target */
    int64_t memory_max, cpu_seconds_max;
    str path, name; /* of the folder, and of the file in it */
};
struct protocol_rows {
    int32_t layer_id;
    size_t field_count;
    struct field *fields; /* name and type */
};

/* Begins a frame in an empty buffer; protocol_end fills in its length. Between them payload is appended. */
void protocol_begin(struct buf *b, enum protocol_kind kind);
void protocol_end(struct buf *b);
void protocol_head(const char head[PROTOCOL_HEAD], uint32_t *length_out, uint8_t *kind_out);

/* Payloads: put appends to a frame that was begun; get returns false for one that is damaged, and points into it. */
void protocol_put_open(struct buf *b, const struct protocol_open *in);
bool protocol_get_open(str payload, struct protocol_open *out);
void protocol_put_create(struct buf *b, const struct protocol_create *in);
bool protocol_get_create(str payload, struct protocol_create *out);
void protocol_put_rows(struct buf *b, const struct protocol_rows *in);
bool protocol_get_rows(struct ctx *ctx, str payload, struct protocol_rows *out);
void protocol_put_row(struct buf *b, const struct row *row, size_t field_count);
/* Cuts the next row off *payload; values (field_count of them) and the geometry point into it. False: it is damaged. */
bool protocol_get_row(str *payload, size_t field_count, struct value *values, struct row *out);

#endif
