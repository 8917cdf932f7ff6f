/* mapferry-convert as a process: our end of the pipe, for the files of this room. */
#ifndef MAPFERRY_CONVERT_CHILD_H
#define MAPFERRY_CONVERT_CHILD_H

#include "convert/protocol.h"
#include <sys/types.h>

struct child {
    char *program;
    const char *doing; /* with the file, for errors: "read", "written" */
    int64_t memory_max, cpu_seconds_max;
    pid_t pid;             /* 0: not running */
    int ask_fd, answer_fd; /* -1: closed */
    struct buf frame;      /* payload of the last answer */
};
int child_start(struct ctx *ctx, struct child *c);
/* Ends the child when it has not ended, which changes nothing about how one ended that has; its status. */
int child_stop(struct child *c);
/* Bytes without an answer; when the child takes them no more, the error is the one that it told. */
int child_send(struct ctx *ctx, struct child *c, str bytes);
/* The next answer into c->frame. An error that the child found becomes ours, and so does its end. */
int child_receive(struct ctx *ctx, struct child *c, uint8_t *kind_out);
int child_ask(struct ctx *ctx, struct child *c, struct buf *request, enum protocol_kind expected);

#endif
