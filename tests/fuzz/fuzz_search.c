/* The parsers of a search: any bytes give a tree of the promised shape or a recorded error, in memory that grows with the text.
 */
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
    if (q->kind >= SEARCH_TERM && q->kind < SEARCH_RANGE)
        expect(!str_none(q->text));
    expect(q->edits == 0 || q->kind == SEARCH_TERM || q->kind == SEARCH_PHRASE);
    for (size_t i = 0; i < q->child_count; i++)
        walk(q->children[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct search_query *q;
    struct ctx ctx;
    ctx_open(&ctx);
    static int (*const parsers[])(struct ctx * ctx, str text, struct search_query * *out) = {
        search_parse, search_parse_filter, search_parse_box, search_parse_categories, search_parse_category_filters};
    for (size_t i = 0; i < COUNT_OF(parsers); i++) {
        err_clear(&ctx);
        if (parsers[i](&ctx, str_of(data, size), &q) != RC_OK)
            expect(err_is(&ctx, &ERR_INVALID));
        else if (q)
            walk(q, 0);
    }
    expect(arena_size(ctx.arena) < (4 << 20) + 8 * size);
    ctx_close(&ctx);
    return 0;
}
