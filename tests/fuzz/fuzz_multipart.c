/* codec/multipart: any bytes, whole and in pieces of sizes taken from the input, must end with the same verdict and the same
 * files and fields. The first byte says how the body is cut; the boundary is "XX", so that the fuzzer finds it. */
#include "codec/multipart.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_begin(struct ctx *ctx, void *arg, const struct multipart_file *file)
{
    (void)ctx;
    buf_printf(arg, "<%.*s|%.*s|%.*s|", STR_FMT(file->name), STR_FMT(file->filename), STR_FMT(file->content_type));
    return RC_OK;
}

static int on_data(struct ctx *ctx, void *arg, str piece)
{
    (void)ctx;
    if (piece.n == 0)
        abort();
    buf_add(arg, piece);
    return RC_OK;
}

static int on_end(struct ctx *ctx, void *arg)
{
    (void)ctx;
    buf_add_char(arg, '>');
    return RC_OK;
}

static int tell(struct ctx *ctx, str body, size_t step, struct buf *story)
{
    static const struct multipart_events events = {.begin = on_begin, .data = on_data, .end = on_end};
    struct form fields = FORM_INIT(20, 500, 2000);
    struct multipart_options options = {.fields = &fields, .events = &events, .arg = story, .header_bytes = 300, .parts = 20};
    struct multipart *m;
    TRY(multipart_open(ctx, STR("multipart/form-data; boundary=XX"), &options, &m));
    int rc = RC_OK;
    for (size_t at = 0; at < body.n && rc == RC_OK; at += step)
        rc = multipart_push(ctx, m, str_sub(body, at, step < body.n - at ? at + step : body.n));
    if (rc == RC_OK)
        rc = multipart_finish(ctx, m);
    multipart_close(m);
    for (size_t i = 0; i < fields.count; i++)
        buf_printf(story, "[%.*s=%.*s]", STR_FMT(fields.fields[i].name), STR_FMT(fields.fields[i].value));
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct ctx ctx;
    ctx_open(&ctx);
    str body = str_of(data + 1, size - 1);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(1 << 20);
    CLEANUP(buf_free) struct buf cut = BUF_INIT(1 << 20);
    int rc = tell(&ctx, body, body.n + 1, &whole);
    const struct err_kind *kind = ctx.err.kind;
    err_clear(&ctx);
    if (tell(&ctx, body, (size_t)data[0] % 64 + 1, &cut) != rc || ctx.err.kind != kind)
        abort();
    if (rc == RC_OK && !str_eq(buf_str(&whole), buf_str(&cut)))
        abort();
    ctx_close(&ctx);
    return 0;
}
