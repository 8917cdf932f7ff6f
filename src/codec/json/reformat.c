/* JSON text with other white space. Strings and numbers keep their spelling: the text is copied, not read and written. */
#include "codec/json/tape.h"

enum { INDENT = 2 };

static void new_line(struct buf *b, size_t depth)
{
    size_t n = 1 + depth * INDENT;
    char *p = buf_reserve(b, n);
    if (!p)
        return;
    memset(p, ' ', n);
    p[0] = '\n';
    buf_commit(b, n);
}

static const char *next_token(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* Length of the token at p. *node is the next value or name of the tape, which has the lengths of strings and numbers. */
static size_t token_length(const struct json_tape *tape, uint32_t *node, const char *p)
{
    if (*p == ',' || *p == ':' || *p == '}' || *p == ']')
        return 1;
    bool opens = json_node_holds(tape, *node);
    size_t length = opens ? 1 : json_node_length(tape, *node);
    *node += opens ? 2 : 1;
    return length;
}

static void print(const struct json_tape *tape, bool pretty, struct buf *out)
{
    const char *end = tape->text.p + tape->text.n;
    uint32_t node = 0;
    size_t depth = 0, length;
    char before = '\0';
    for (const char *p = next_token(tape->text.p, end); p < end; p = next_token(p + length, end)) {
        bool closes = *p == '}' || *p == ']', opened = before == '{' || before == '[';
        depth -= closes;
        if (pretty && (closes ? !opened : opened || before == ','))
            new_line(out, depth);
        length = token_length(tape, &node, p);
        buf_add_bytes(out, p, length);
        if (pretty && *p == ':')
            buf_add_char(out, ' ');
        depth += *p == '{' || *p == '[';
        before = *p;
    }
}

int json_reformat(struct ctx *ctx, str text, bool pretty, struct buf *out)
{
    struct arena_mark mark = arena_mark(ctx->arena);
    struct json root;
    TRY(json_parse(ctx, text, &root));
    print(root.tape, pretty, out);
    arena_release(ctx->arena, mark);
    return buf_check(out, ctx, "reformatted JSON");
}
