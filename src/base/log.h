/* Log lines on stderr: "2024-01-31T23:59:59.123Z level tag message". Never a token, key or password: callers log ids and
 * names. Control characters in a line become '?', so values that a user sent cannot forge lines. At most 4 KiB, then cut. */
#ifndef MAPFERRY_BASE_LOG_H
#define MAPFERRY_BASE_LOG_H

#include "base/ctx.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
/* Lines above that level are left out; LOG_INFO at the start. */
void log_set_level(enum log_level level);
bool log_level_parse(str s, enum log_level *out);
void log_line(const struct ctx *ctx, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The context's error record as one line, prefixed by what was being done. */
void log_error(const struct ctx *ctx, const char *doing);

#endif
