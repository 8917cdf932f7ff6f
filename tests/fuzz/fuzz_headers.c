/* Values of request headers that anybody may send: Range, Accept-Encoding, Forwarded and X-Forwarded-For, lists of networks. The
 * first byte gives the size of the content that a range is of. */
#include "codec/forwarded.h"
#include "codec/gzip.h"
#include "codec/range.h"
#include "net/address.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void range_must_fit(str header, uint64_t size)
{
    struct range r = range_parse(header, size);
    must(r.offset <= size && r.length <= size - r.offset);
    must(r.kind != RANGE_PART || r.length > 0);
    must(r.kind != RANGE_WHOLE || (r.offset == 0 && r.length == size));
}

static void address_must_read_back(struct arena *a, str text)
{
    struct address one, again;
    if (!address_parse(text, &one))
        return;
    str printed = address_print(a, &one);
    must(address_parse(printed, &again) && memcmp(&one, &again, sizeof one) == 0);
    must(address_listed(printed, &one) && address_listed(STR("0.0.0.0/0,::/0"), &one));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct ctx ctx;
    struct forwarded hop;
    ctx_open(&ctx);
    str text = str_of(data + 1, size - 1), rest = text, piece;
    range_must_fit(text, data[0]);
    range_must_fit(text, UINT64_MAX >> data[0] % 64);
    (void)gzip_accepted(text);
    for (size_t before = rest.n + 1; forwarded_next(ctx.arena, &rest, &hop); before = rest.n) {
        must(rest.n < before);
        address_must_read_back(ctx.arena, hop.client);
    }
    must(rest.n == 0);
    for (rest = text; str_split(&rest, ',', &piece);)
        address_must_read_back(ctx.arena, piece);
    (void)address_list_check(&ctx, text);
    ctx_close(&ctx);
    return 0;
}
