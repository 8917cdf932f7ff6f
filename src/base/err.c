/* The error record: kind once, where the cause is known, and a few lines of detail. Details go to logs, terminals and JSON,
 * so they are kept to one line of well-formed UTF-8 whatever the values in them are. */
#include "base/err.h"
#include "base/ctx.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const struct err_kind ERR_IO = {"io", 500, 500, NULL, "Reading or writing failed."};
const struct err_kind ERR_NO_SPACE = {"no_space", 507, 507, NULL, "There is not enough space left."};
const struct err_kind ERR_LIMIT = {"limit", 413, 413, NULL, "The size limit is exceeded."};
const struct err_kind ERR_INVALID = {"invalid", 400, 400, NULL, "The input is not valid."};
const struct err_kind ERR_MISSING = {"missing", 404, 404, NULL, "Not found."};
const struct err_kind ERR_CORRUPT = {"corrupt", 500, 500, NULL, "The data is damaged."};
const struct err_kind ERR_BUSY = {"busy", 503, 503, NULL, "Busy, try again later."};
const struct err_kind ERR_CANCELED = {"canceled", 503, 503, NULL, "The operation was canceled."};
const struct err_kind ERR_UNSUPPORTED = {"unsupported", 400, 400, NULL, "This is not supported."};

/* Control characters become spaces, malformed bytes question marks; the length stays. */
static void err_clean(char *text, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t from = at;
        int32_t cp = utf8_next(str_of(text, n), &at);
        if (cp < 0)
            text[from] = '?';
        else if (cp < 0x20 || cp == 0x7f)
            text[from] = ' ';
    }
}

static void err_add_detail(struct err *err, const char *fmt, va_list args)
{
    if (err->detail_count == ERR_DETAILS_MAX)
        return;
    char *text = err->details[err->detail_count++];
    int n = vsnprintf(text, ERR_DETAIL_SIZE, fmt, args);
    size_t length = n < 0 ? 0 : (size_t)n;
    if (length >= ERR_DETAIL_SIZE) { /* cut, and not within a character */
        length = ERR_DETAIL_SIZE - 1;
        while (length > 0 && (text[length - 1] & 0xC0) == 0x80)
            length--;
        if (length > 0 && (text[length - 1] & 0x80))
            length--;
    }
    text[length] = 0;
    err_clean(text, length);
}

static int err_record(struct ctx *ctx, int rc, const struct err_kind *kind, const char *fmt, va_list args)
{
    if (!ctx->err.kind) {
        ctx->err.kind = kind;
        ctx->err.detail_count = 0;
        err_add_detail(&ctx->err, fmt, args);
    }
    return rc;
}

int err_set(struct ctx *ctx, const struct err_kind *kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int rc = err_record(ctx, RC_FAIL, kind, fmt, args);
    va_end(args);
    return rc;
}

int err_set_rc(struct ctx *ctx, int rc, const struct err_kind *kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err_record(ctx, rc, kind, fmt, args);
    va_end(args);
    return rc;
}

int err_kind(struct ctx *ctx, const struct err_kind *kind)
{
    if (!ctx->err.kind) {
        ctx->err.kind = kind;
        ctx->err.detail_count = 0;
    }
    return RC_FAIL;
}

int err_errno(struct ctx *ctx, int error_number, const char *fmt, ...)
{
    bool space = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
    char what[ERR_DETAIL_SIZE], reason[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return err_set(ctx, space ? &ERR_NO_SPACE : &ERR_IO, "%s: %s", what, strerror_r(error_number, reason, sizeof reason));
}

void err_add(struct ctx *ctx, const char *fmt, ...)
{
    if (!ctx->err.kind)
        return;
    va_list args;
    va_start(args, fmt);
    err_add_detail(&ctx->err, fmt, args);
    va_end(args);
}

void err_clear(struct ctx *ctx)
{
    ctx->err.kind = NULL;
    ctx->err.detail_count = 0;
}

bool err_is(const struct ctx *ctx, const struct err_kind *kind) { return ctx->err.kind == kind; }

const char *err_text(const struct ctx *ctx)
{
    if (!ctx->err.kind)
        return "";
    return ctx->err.detail_count ? ctx->err.details[0] : ctx->err.kind->message;
}
