/* codec/url: what is decoded and coded again is the same text, and the parts of a URL lie within it. */
#include "codec/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_lie_within(str whole, str part)
{
    must(str_none(part) || part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx;
    struct url_parts u;
    ctx_open(&ctx);
    str text = arena_str(ctx.arena, str_of(data, size)), decoded = url_decode(ctx.arena, text, false);
    must(str_eq(url_decode(ctx.arena, url_encoded(ctx.arena, decoded), false), decoded));
    must(str_eq(url_decode(ctx.arena, url_encoded(ctx.arena, text), true), text));
    must(url_decode(ctx.arena, text, true).n == decoded.n);
    bool cut = url_split(text, &u);
    if (cut) {
        const str parts[] = {u.scheme, u.userinfo, u.host, u.path, u.query, u.fragment};
        for (size_t i = 0; i < COUNT_OF(parts); i++)
            must_lie_within(text, parts[i]);
        must(u.host.n > 0 && u.port <= UINT16_MAX && (u.path.n == 0 || u.path.p[0] == '/'));
    }
    str safe = url_safe(ctx.arena, text);
    must(!cut || str_none(u.userinfo) || str_find_char(str_sub(safe, 0, u.scheme.n + 3 + u.host.n), '@', 0) == SIZE_MAX);
    ctx_close(&ctx);
    return 0;
}
