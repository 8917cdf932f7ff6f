/* codec/form: any bytes, whole and in pieces, must give the same fields, and what is printed must read back equal. The first byte
 * says how the text is cut. */
#include "codec/form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_equal(const struct form *a, const struct form *b)
{
    if (a->count != b->count || a->bytes != b->bytes)
        abort();
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->fields[i].name, b->fields[i].name) || !str_eq(a->fields[i].value, b->fields[i].value))
            abort();
}

static int push_all(struct ctx *ctx, str text, size_t step, struct form *f)
{
    struct form_reader r;
    form_reader_open(&r, f);
    int rc = RC_OK;
    for (size_t at = 0; at < text.n && rc == RC_OK; at += step)
        rc = form_push(ctx, &r, str_sub(text, at, step < text.n - at ? at + step : text.n));
    if (rc == RC_OK)
        rc = form_finish(ctx, &r);
    form_reader_close(&r);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct ctx ctx;
    ctx_open(&ctx);
    str text = str_of(data + 1, size - 1);
    struct form whole = FORM_INIT(50, 300, 2000), cut = whole, again = whole;
    int rc = form_parse(&ctx, &whole, text);
    err_clear(&ctx);
    if (push_all(&ctx, text, (size_t)data[0] % 64 + 1, &cut) != rc)
        abort();
    if (rc == RC_OK) {
        must_be_equal(&whole, &cut);
        CLEANUP(buf_free) struct buf printed = BUF_INIT(1 << 16);
        form_print(&printed, &whole);
        if (printed.overflow || form_parse(&ctx, &again, buf_str(&printed)) != RC_OK)
            abort();
    }
    ctx_close(&ctx);
    return 0;
}
