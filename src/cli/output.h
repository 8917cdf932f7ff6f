/* What commands tell: a bar on a terminal, plain lines into a pipe, JSON lines with --json. Results go to stdout, progress to
 * stderr. */
#ifndef MAPFERRY_CLI_OUTPUT_H
#define MAPFERRY_CLI_OUTPUT_H

#include "codec/json/json.h"

struct output {
    bool json, terminal;
    bool bar;         /* a bar is on the line */
    const char *what; /* that moves now; NULL nothing yet */
    int64_t started_ms, shown_ms, shown_done;
};
void output_open(struct output *o, bool json);
/* A step has begun or something is worth a line. */
void output_event(struct ctx *ctx, struct output *o, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* done of total in some unit ("bytes", "items"); total 0: unknown. Shown at most ten times a second, in a pipe every ten seconds;
 * rate and time left count from the first call about `what`, a literal. */
void output_progress(struct ctx *ctx, struct output *o, const char *what, int64_t done, int64_t total, const char *unit);
/* Ends the bar's line. */
void output_end(struct output *o);
/* The result: with --json one line {"event":"result",…text's members…}, else nothing (commands print their own). */
void output_result(struct ctx *ctx, struct output *o, str json_text);
/* The error that ctx holds as {"event":"error","exit":code,"text":…,"details":[…]}. */
void output_error(struct ctx *ctx, int code);
/* Text of others on a line of ours: control characters become spaces, so that it cannot move the cursor. */
str output_plain(struct ctx *ctx, str text);
/* "12.3 MB". */
str output_bytes(struct ctx *ctx, int64_t bytes);

/* A table with columns as wide as their widest cell (code points), the header underlined. cells row by row. */
void output_table(struct ctx *ctx, const char *const *header, size_t columns, const str *cells, size_t rows);

#endif
