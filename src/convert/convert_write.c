/* Rows on their way to the helper. They are not answered one by one; an error comes with the next question. */
#include "convert/convert_write.h"
#include "base/mem.h"
#include "convert/child.h"

enum { CPU_SECONDS = 3600 };
static const int64_t MEMORY_MAX = 1LL << 30;

struct convert_write {
    struct child child;
    struct buf frame;   /* of the batch that is being filled */
    size_t field_count; /* of the open layer */
};

int convert_write_open(struct ctx *ctx, const struct convert_write_options *options, struct convert_write **out)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    struct convert_write *w = mem_new(struct convert_write);
    *w = (struct convert_write){.child = {.program = mem_cstr(options->program),
                                          .doing = "written",
                                          .memory_max = MEMORY_MAX,
                                          .cpu_seconds_max = CPU_SECONDS,
                                          .ask_fd = -1,
                                          .answer_fd = -1,
                                          .frame = BUF_INIT(PROTOCOL_MAX)},
                                .frame = BUF_INIT(PROTOCOL_MAX)};
    const struct protocol_create in = {.format = (uint8_t)options->format,
                                       .memory_max = MEMORY_MAX,
                                       .cpu_seconds_max = CPU_SECONDS,
                                       .path = str_c(options->dir),
                                       .name = str_c(options->name)};
    *out = NULL;
    protocol_put_create(&request, &in);
    int rc = child_start(ctx, &w->child);
    rc = rc != RC_OK ? rc : child_ask(ctx, &w->child, &request, PROTOCOL_OPENED);
    if (rc != RC_OK)
        convert_write_close(w);
    else
        *out = w;
    return rc;
}

void convert_write_close(struct convert_write *w)
{
    if (!w)
        return;
    child_stop(&w->child);
    buf_free(&w->child.frame);
    buf_free(&w->frame);
    mem_free(w->child.program);
    mem_free(w);
}

int convert_write_layer(struct ctx *ctx, struct convert_write *w, str definition, size_t field_count, str *names_out)
{
    protocol_begin(&w->frame, PROTOCOL_LAYER);
    buf_add(&w->frame, definition);
    protocol_end(&w->frame);
    TRY(child_ask(ctx, &w->child, &w->frame, PROTOCOL_TEXT));
    *names_out = arena_str(ctx->arena, buf_str(&w->child.frame));
    w->field_count = field_count;
    protocol_begin(&w->frame, PROTOCOL_BATCH);
    return RC_OK;
}

static int send_batch(struct ctx *ctx, struct convert_write *w)
{
    protocol_end(&w->frame);
    TRY(buf_check(&w->frame, ctx, "a row"));
    TRY(child_send(ctx, &w->child, buf_str(&w->frame)));
    protocol_begin(&w->frame, PROTOCOL_BATCH);
    return RC_OK;
}

int convert_write_row(struct ctx *ctx, struct convert_write *w, const struct row *row)
{
    protocol_put_row(&w->frame, row, w->field_count);
    return w->frame.n < PROTOCOL_BATCH_SIZE ? RC_OK : send_batch(ctx, w);
}

static int ask_plain(struct ctx *ctx, struct convert_write *w, enum protocol_kind kind)
{
    protocol_begin(&w->frame, kind);
    protocol_end(&w->frame);
    return child_ask(ctx, &w->child, &w->frame, PROTOCOL_OPENED);
}

int convert_write_layer_end(struct ctx *ctx, struct convert_write *w)
{
    if (w->frame.n > PROTOCOL_HEAD)
        TRY(send_batch(ctx, w));
    return ask_plain(ctx, w, PROTOCOL_END);
}

int convert_write_finish(struct ctx *ctx, struct convert_write *w) { return ask_plain(ctx, w, PROTOCOL_FINISH); }
