/* Escaping for the pages that the portal writes itself. Depends on base only. */
#include "codec/html.h"

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_escape(struct buf *b, str text)
{
    size_t run = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *replacement = entity(text.p[i]);
        if (replacement) {
            buf_add(b, str_sub(text, run, i));
            buf_add(b, str_c(replacement));
            run = i + 1;
        }
    }
    buf_add(b, str_sub(text, run, text.n));
}
