/* The context: first argument everywhere. Carries what a unit of work needs and nothing that outlives it.
 * A context belongs to one thread at a time. */
#ifndef MAPFERRY_BASE_CTX_H
#define MAPFERRY_BASE_CTX_H

#include "base/arena.h"
#include "base/err.h"
#include <stdatomic.h>

struct clock; /* base/clock.h */

struct ctx {
    struct arena *arena; /* lives as long as the unit of work */
    struct err err;
    const struct clock *clock; /* never NULL */
    const atomic_bool *cancel; /* NULL: cannot be cancelled */
    int64_t deadline_ms;       /* monotonic milliseconds, 0: none */
    char tag[33];              /* request or job id for log lines, "" when none */
};

/* Prepares *ctx with a new arena, the system clock, no deadline. Release with ctx_close. */
void ctx_open(struct ctx *ctx);
void ctx_close(struct ctx *ctx);
/* A context for a part of the work: same clock, cancel flag, deadline and tag, an arena and error record of its own. */
void ctx_child(struct ctx *child, const struct ctx *parent);
/* Moves the error record of the child to the parent (when the parent has none). Returns rc unchanged. */
int ctx_adopt_error(struct ctx *parent, const struct ctx *child, int rc);
/* RC_OK, or RC_CANCELED with ERR_CANCELED recorded when cancelled or past the deadline. Cheap; call in loops. */
int ctx_check(struct ctx *ctx);
/* Milliseconds since 1970, UTC, by the context's clock. */
int64_t ctx_now(const struct ctx *ctx);

#endif
