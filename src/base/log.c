/* Log lines on stderr. A line is put together on the stack and written by one write(2), so that lines of several threads
 * never mix and no lock is needed. */
#include "base/log.h"
#include "base/clock.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LOG_LINE_SIZE = 4096 };

static const char *const log_names[] = {[LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
static atomic_int log_level = LOG_INFO;

void log_set_level(enum log_level level) { atomic_store_explicit(&log_level, (int)level, memory_order_relaxed); }

bool log_level_parse(str s, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(log_names); i++) {
        if (str_ieq(s, str_c(log_names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* One line stays one line, and a terminal is not told what to do by a value in it. */
static void log_clean(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

void log_line(const struct ctx *ctx, enum log_level level, const char *fmt, ...)
{
    if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed))
        return;
    char time[CLOCK_ISO_SIZE], line[LOG_LINE_SIZE];
    clock_iso_print(ctx_now(ctx), time);
    int head = snprintf(line, sizeof line, "%s %s %s ", time, log_names[level], ctx->tag[0] ? ctx->tag : "-");
    size_t n = head < 0 ? 0 : (size_t)head;
    va_list args;
    va_start(args, fmt);
    int tail = vsnprintf(line + n, sizeof line - n, fmt, args);
    va_end(args);
    n += tail < 0 ? 0 : (size_t)tail;
    if (n > sizeof line - 1)
        n = sizeof line - 1;
    log_clean(line, n);
    line[n] = '\n';
    ssize_t written = write(STDERR_FILENO, line, n + 1);
    (void)written; /* there is nowhere to complain to */
}

void log_error(const struct ctx *ctx, const char *doing)
{
    const struct err *e = &ctx->err;
    char details[ERR_DETAILS_MAX * (ERR_DETAIL_SIZE + 2)] = "";
    size_t n = 0;
    for (unsigned i = 1; i < e->detail_count; i++)
        n += (size_t)snprintf(details + n, sizeof details - n, "; %s", e->details[i]);
    log_line(ctx, LOG_ERROR, "%s: %s: %s%s", doing, e->kind ? e->kind->name : "no error", err_text(ctx), details);
}
