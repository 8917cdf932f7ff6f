/* mapferry-convert: reads one file of unknown origin with GDAL and tells the portal about it through the socket on its standard
 * input, or writes one (target.c). Started by convert/convert.c, speaks convert/protocol.h, and locks itself in before it looks
 * at the file. */
#include "convert/convert.h"
#include "convert/helper/frames.h"
#include "convert/helper/sandbox.h"
#include "convert/helper/source.h"
#include "convert/helper/target.h"
#include <unistd.h>

enum { REQUEST_MAX = 16 << 20 };

static bool receive_frame(struct ctx *ctx, uint8_t *kind_out, str *payload_out)
{
    char head[PROTOCOL_HEAD];
    uint32_t n;
    if (!frame_read(head, sizeof head))
        return false;
    protocol_head(head, &n, kind_out);
    if (n > REQUEST_MAX)
        return false;
    char *p = arena_alloc(ctx->arena, n);
    *payload_out = str_of(p, n);
    return frame_read(p, n);
}

/* ---- requests ---- */
static int open_file(struct ctx *ctx, struct source *s, str payload, struct buf *b)
{
    if (!protocol_get_open(payload, &s->options))
        return err_set(ctx, &ERR_INVALID, "a question that cannot be read");
    s->options.path = arena_str(ctx->arena, s->options.path);
    s->options.name = arena_str(ctx->arena, s->options.name);
    source_prepare();
    TRY(sandbox_enter(ctx, s->options.path.p, s->options.memory_max, s->options.cpu_seconds_max));
    s->options.parameters = arena_str(ctx->arena, s->options.parameters);
    TRY(source_open(ctx, s));
    s->opened = true;
    protocol_begin(b, PROTOCOL_OPENED);
    return RC_OK;
}

static int tell_definition(struct ctx *ctx, struct source *s, str payload, struct buf *b)
{
    (void)payload;
    TRY(source_describe(ctx, s));
    protocol_begin(b, PROTOCOL_TEXT);
    return source_print(ctx, s, b);
}

/* The columns that were asked for, in that order. */
static int find_columns(struct ctx *ctx, const struct source_layer *l, const struct protocol_rows *want,
                        const struct source_field ***out)
{
    *out = arena_array(ctx->arena, const struct source_field *, want->field_count);
    for (size_t i = 0; i < want->field_count; i++) {
        const struct field *f = &want->fields[i];
        for (size_t j = 0; j < l->field_count && !(*out)[i]; j++)
            if (str_eq(l->fields[j].field.name, f->name) && l->fields[j].field.type == f->type)
                (*out)[i] = &l->fields[j];
        if (!(*out)[i])
            return err_set(ctx, &ERR_INVALID, "layer %.*s has no field %.*s of that type", STR_FMT(l->name), STR_FMT(f->name));
    }
    return RC_OK;
}

static int find_layer(struct ctx *ctx, struct source *s, const struct protocol_rows *want, struct source_layer *out)
{
    if (s->options.format == CONVERT_PACKAGE_LAYERS)
        return source_table(ctx, s, want, out);
    TRY(source_describe(ctx, s));
    if (want->layer_id < 0 || (size_t)want->layer_id >= s->layer_count)
        return err_set(ctx, &ERR_INVALID, "there is no layer %d", want->layer_id);
    *out = s->layers[want->layer_id];
    return RC_OK;
}

static int tell_rows(struct ctx *ctx, struct source *s, str payload, struct buf *b)
{
    CLEANUP(source_rows_close) struct source_rows rows = {.layer = NULL};
    struct protocol_rows want;
    struct source_layer layer;
    struct row row;
    const struct source_field **columns;
    int rc;
    if (!protocol_get_rows(ctx, payload, &want))
        return err_set(ctx, &ERR_INVALID, "a question that cannot be read");
    TRY(find_layer(ctx, s, &want, &layer));
    TRY(find_columns(ctx, &layer, &want, &columns));
    TRY(source_rows_open(ctx, &layer, columns, want.field_count, &rows));
    protocol_begin(b, PROTOCOL_BATCH);
    while ((rc = source_rows_next(ctx, &rows, &row)) == RC_OK) {
        protocol_put_row(b, &row, want.field_count);
        TRY(buf_check(b, ctx, "a row"));
        if (b->n < PROTOCOL_BATCH_SIZE)
            continue;
        if (!frame_send(b))
            _exit(0);
        protocol_begin(b, PROTOCOL_BATCH);
    }
    if (rc != RC_END)
        return rc;
    if (b->n > PROTOCOL_HEAD && !frame_send(b))
        _exit(0);
    protocol_begin(b, PROTOCOL_END);
    return RC_OK;
}

static const struct {
    enum protocol_kind kind;
    int (*answer)(struct ctx *ctx, struct source *s, str payload, struct buf *b); /* leaves the last frame of the answer in b */
} REQUESTS[] = {
    {PROTOCOL_OPEN, open_file},
    {PROTOCOL_DEFINITION, tell_definition},
    {PROTOCOL_ROWS, tell_rows},
};

static int answer(struct ctx *ctx, struct source *s, uint8_t kind, str payload, struct buf *b)
{
    if ((kind == PROTOCOL_OPEN) != !s->opened)
        return err_set(ctx, &ERR_INVALID, "a question at the wrong time");
    for (size_t i = 0; i < COUNT_OF(REQUESTS); i++)
        if (REQUESTS[i].kind == kind)
            return REQUESTS[i].answer(ctx, s, payload, b);
    return err_set(ctx, &ERR_INVALID, "a question of unknown kind");
}

int main(void)
{
    struct ctx ctx;
    struct source source = {.messages = BUF_INIT(1 << 20), .found = BUF_INIT(1 << 20)};
    struct buf b = BUF_INIT(PROTOCOL_MAX);
    uint8_t kind;
    str payload;
    ctx_open(&ctx);
    while (receive_frame(&ctx, &kind, &payload)) {
        if (kind == PROTOCOL_CREATE && !source.sets) {
            target_serve(&ctx, payload, &b);
            break;
        }
        bool failed = answer(&ctx, &source, kind, payload, &b) != RC_OK;
        if (failed)
            frame_send_error(&ctx, &b, source.options.path);
        if (failed || !frame_send(&b))
            break;
    }
    _exit(0); /* the kernel cleans up faster than the libraries, and more surely */
}
