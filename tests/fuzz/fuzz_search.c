/* The q= parser: any bytes give a tree of the promised shape or a recorded error, in memory that grows with the text. */
#include "model/search.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good)
{
    if (!good)
        abort();
}

static void walk(const struct search_query *q, unsigned depth)
{
    bool inner = q->kind == SEARCH_AND || q->kind == SEARCH_OR;
    expect(depth < 64);
    expect(inner ? q->child_count >= 2 : q->child_count == (q->kind == SEARCH_NOT));
    if (q->kind >= SEARCH_TERM && q->kind != SEARCH_RANGE)
        expect(!str_none(q->text));
    for (size_t i = 0; i < q->child_count; i++)
        walk(q->children[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct search_query *q;
    struct ctx ctx;
    ctx_open(&ctx);
    if (search_parse(&ctx, str_of(data, size), &q) == RC_OK)
        walk(q, 0);
    else
        expect(err_is(&ctx, &ERR_INVALID));
    expect(arena_size(ctx.arena) < (1 << 20) + size);
    ctx_close(&ctx);
    return 0;
}
