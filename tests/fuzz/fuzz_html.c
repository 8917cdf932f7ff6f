/* codec/html: no byte that could begin or end markup is left, and nothing else is changed. */
#include "codec/html.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *entity;
    char c;
} ENTITIES[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};

/* The text that a browser sees. */
static void undo(struct buf *out, str html)
{
    for (size_t at = 0; at < html.n;) {
        size_t e = 0;
        while (e < COUNT_OF(ENTITIES) && !str_starts(str_sub(html, at, html.n), str_c(ENTITIES[e].entity)))
            e++;
        if (e < COUNT_OF(ENTITIES)) {
            buf_add_char(out, ENTITIES[e].c);
            at += strlen(ENTITIES[e].entity);
        } else {
            if (memchr("&<>\"'", html.p[at], 5))
                abort();
            buf_add_char(out, html.p[at++]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf html = BUF_INIT(size * 6 + 1), back = BUF_INIT(size + 1);
    html_escape(&html, str_of(data, size));
    undo(&back, buf_str(&html));
    if (html.overflow || !str_eq(buf_str(&back), str_of(data, size)))
        abort();
    buf_free(&back);
    return 0;
}
