/* The context of a unit of work: arena, error record, clock, cancellation. */
#include "base/ctx.h"
#include "base/clock.h"

void ctx_open(struct ctx *ctx) { *ctx = (struct ctx){.arena = arena_open(), .clock = &clock_system}; }

void ctx_close(struct ctx *ctx)
{
    arena_close(ctx->arena);
    ctx->arena = NULL;
}

void ctx_child(struct ctx *child, const struct ctx *parent)
{
    *child =
        (struct ctx){.arena = arena_open(), .clock = parent->clock, .cancel = parent->cancel, .deadline_ms = parent->deadline_ms};
    memcpy(child->tag, parent->tag, sizeof child->tag);
}

int ctx_adopt_error(struct ctx *parent, const struct ctx *child, int rc)
{
    /* After a success a record in the child is one that was dealt with; it must not hide a later error of the parent. */
    if (rc != RC_OK && rc != RC_END && !parent->err.kind)
        parent->err = child->err;
    return rc;
}

int ctx_check(struct ctx *ctx)
{
    if (ctx->cancel && atomic_load_explicit(ctx->cancel, memory_order_relaxed))
        return err_set_rc(ctx, RC_CANCELED, &ERR_CANCELED, "canceled");
    if (ctx->deadline_ms && ctx->clock->monotonic_ms(ctx->clock) >= ctx->deadline_ms)
        return err_set_rc(ctx, RC_CANCELED, &ERR_CANCELED, "the time allowed for this has passed");
    return RC_OK;
}

int64_t ctx_now(const struct ctx *ctx) { return ctx->clock->now_ms(ctx->clock); }
