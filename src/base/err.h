/* Errors: a small return code for the flow, and one detailed record in the context, set once where the cause is known.
 *
 * An error kind is a row of a table: what HTTP status and API code it has, what text. base/ has the kinds that need no
 * domain words (below); model/errors.def has those of the Sharing and Feature APIs. */
#ifndef MAPFERRY_BASE_ERR_H
#define MAPFERRY_BASE_ERR_H

#include "base/cleanup.h"
#include "base/str.h"

/* What functions that can fail return. Everything but RC_OK has filled ctx->err, except RC_END, which is no error:
 * a cursor or stream has nothing more. */
enum rc {
    RC_OK = 0,
    RC_FAIL = -1,      /* see ctx->err */
    RC_NOT_FOUND = -2, /* the thing asked for does not exist; ctx->err says which */
    RC_BUSY = -3,      /* busy or serialization failure: the caller may run the whole function again */
    RC_CANCELED = -4,  /* the context was cancelled or its deadline passed */
    RC_END = -5,       /* end of a sequence, not an error */
};

struct err_kind {
    const char *name;         /* stable name, as in docs and logs: "io", "CONT_0001" */
    int http;                 /* HTTP status the answer has when f is not wrapped in 200 */
    int code;                 /* "code" in the JSON error */
    const char *message_code; /* "messageCode", NULL when the API gives none */
    const char *message;      /* "message" */
};

/* Kinds without domain words. */
extern const struct err_kind ERR_IO;          /* the operating system refused: 500 */
extern const struct err_kind ERR_NO_SPACE;    /* disk full: 507 */
extern const struct err_kind ERR_LIMIT;       /* a size limit at a door: 413 */
extern const struct err_kind ERR_INVALID;     /* input that is not what it should be: 400 */
extern const struct err_kind ERR_MISSING;     /* not found, no domain meaning: 404 */
extern const struct err_kind ERR_CORRUPT;     /* stored or packed bytes are not what they were: 500 */
extern const struct err_kind ERR_BUSY;        /* try again later: 503 */
extern const struct err_kind ERR_CANCELED;    /* 503 */
extern const struct err_kind ERR_UNSUPPORTED; /* valid, but not something we do: 400 */

enum { ERR_DETAILS_MAX = 4, ERR_DETAIL_SIZE = 512 };

struct err {
    const struct err_kind *kind; /* NULL: no error */
    unsigned detail_count;
    char details[ERR_DETAILS_MAX][ERR_DETAIL_SIZE]; /* one line each, UTF-8, NUL-terminated */
};

struct ctx;

/* Records kind and one printf-formatted detail and returns RC_FAIL, so that `return err_set(...)` reads well.
 * A record that is already there stays (the cause is deeper); the new one is dropped. */
int err_set(struct ctx *ctx, const struct err_kind *kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, returning another code (RC_NOT_FOUND, RC_BUSY, RC_CANCELED). */
int err_set_rc(struct ctx *ctx, int rc, const struct err_kind *kind, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Records a kind without details. */
int err_kind(struct ctx *ctx, const struct err_kind *kind);
/* From errno: ERR_NO_SPACE for ENOSPC, EDQUOT and EFBIG, else ERR_IO; `what` names the operation and object. */
int err_errno(struct ctx *ctx, int error_number, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Adds a further detail line to the record that is there (where it happened). */
void err_add(struct ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Forgets the record: the caller has dealt with it. */
void err_clear(struct ctx *ctx);
bool err_is(const struct ctx *ctx, const struct err_kind *kind);
/* First detail or, without one, the kind's message; "" when there is no error. */
const char *err_text(const struct ctx *ctx);

#endif
