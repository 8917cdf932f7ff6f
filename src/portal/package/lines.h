/* Text line by line from a stream, in constant memory: manifest, journal, attachment lists. */
#ifndef MAPFERRY_PORTAL_PACKAGE_LINES_H
#define MAPFERRY_PORTAL_PACKAGE_LINES_H

#include "base/stream.h"

enum { LINES_MAX = 64 * 1024 }; /* longest line */
struct lines {
    struct reader *reader; /* closed by lines_close */
    size_t at, n;
    bool end;
    char bytes[LINES_MAX + 1];
};
struct lines *lines_open(struct reader *reader);
void lines_close(struct lines *l); /* NULL is allowed */
/* The next line without its '\n', valid until the next call; *whole_out (NULL allowed) says whether the '\n' was there. RC_END at
 * the end, ERR_LIMIT for a line that is too long. */
int lines_next(struct ctx *ctx, struct lines *l, str *line_out, bool *whole_out);

#endif
