/* Frames on the helper's two ends of the pipe. */
#ifndef MAPFERRY_CONVERT_HELPER_FRAMES_H
#define MAPFERRY_CONVERT_HELPER_FRAMES_H

#include "convert/protocol.h"

/* False at the end: there is nobody to talk to any more. */
bool frame_read(char *p, size_t n);
/* The next frame's payload, whatever is allowed by the buffer. */
bool frame_receive(struct buf *payload, uint8_t *kind_out);
/* Ends the frame that was begun, and sends it. */
bool frame_send(struct buf *b);
/* The sentence of the error, without the folder of that path: it tells nobody anything. */
bool frame_send_error(struct ctx *ctx, struct buf *b, str path);

#endif
