/* codec/csv and codec/decode: any bytes in any encoding, whole and in pieces, must give the same records. The first byte says
 * which encoding and how the text is cut. */
#include "base/buf.h"
#include "base/mem.h"
#include "codec/csv.h"
#include "codec/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
    struct reader base;
    str left;
    size_t step;
};

static int read_piece(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    (void)ctx;
    struct pieces *r = (struct pieces *)base;
    *got = r->step < n ? r->step : n;
    *got = *got < r->left.n ? *got : r->left.n;
    memcpy(p, r->left.p, *got);
    r->left = str_sub(r->left, *got, r->left.n);
    return RC_OK;
}

static void close_pieces(struct reader *base) { mem_free(base); }

static struct reader *open_pieces(str text, size_t step)
{
    struct pieces *r = mem_new(struct pieces);
    *r = (struct pieces){.base = {.read = read_piece, .close = close_pieces}, .left = text, .step = step};
    return &r->base;
}

static void add_record(struct buf *b, const struct csv *c)
{
    for (size_t i = 0; i < c->count; i++) {
        buf_add(b, c->cells[i].text);
        buf_add(b, c->cells[i].quoted ? STR("\1") : STR("\2"));
    }
    buf_add(b, STR("\3"));
}

static void read_records(struct ctx *ctx, str text, enum encoding from, size_t step, struct buf *out)
{
    struct csv c;
    struct reader *in = decode_open(open_pieces(text, step), from);
    int rc;
    csv_open(&c, in, csv_guess_delimiter(ctx, text, '"'), '"');
    while ((rc = csv_next(ctx, &c)) == RC_OK)
        add_record(out, &c);
    buf_add(out, rc == RC_END ? STR("end") : str_c(err_text(ctx)));
    err_clear(ctx);
    csv_close(&c);
    reader_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct ctx ctx;
    ctx_open(&ctx);
    str text = str_of(data + 1, size - 1);
    enum encoding from = data[0] % ENCODING_COUNT;
    CLEANUP(buf_free) struct buf whole = BUF_INIT(1 << 28), cut = BUF_INIT(1 << 28);
    read_records(&ctx, text, from, SIZE_MAX, &whole);
    read_records(&ctx, text, from, data[0] % 61 + 1U, &cut);
    if (!str_eq(buf_str(&whole), buf_str(&cut)))
        abort();
    ctx_close(&ctx);
    return 0;
}
