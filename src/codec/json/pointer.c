/* JSON pointers (RFC 6901). The tape keeps no parents: a pointer is found by descending to the value, which costs the
 * siblings before it, and only reports ask for pointers. */
#include "codec/json/tape.h"

/* Bytes of a token: the decoded name of a member, with ~ and / written as ~0 and ~1. */
static void print_name(struct buf *b, str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '~' || name.p[i] == '/')
            buf_add(b, name.p[i] == '~' ? STR("~0") : STR("~1"));
        else
            buf_add_char(b, name.p[i]);
    }
}

/* The child of v that is or holds the node; its token goes to b. */
static struct json step_towards(struct json v, uint32_t node, struct arena *a, struct buf *b)
{
    struct json name, value = v;
    struct json_iter it = json_each(v);
    int64_t index = 0;
    while (json_next(&it, &name, &value) && it.node <= node)
        index++;
    buf_add_char(b, '/');
    if (it.object)
        print_name(b, json_string(name, a));
    else
        buf_add_int(b, index);
    return value;
}

str json_pointer(struct json v, struct arena *a)
{
    if (!v.tape)
        return STR_NONE;
    /* Every token stands for longer text before the value; only ~ and / in names take two bytes for one. */
    CLEANUP(buf_free) struct buf b = BUF_INIT(2 * v.tape->text.n + 16);
    for (struct json at = {.tape = v.tape, .node = 0}; at.node < v.node;)
        at = step_towards(at, v.node, a, &b);
    return arena_str(a, buf_str(&b));
}

/* The byte of a pointer token at *pos, decoded; -1 at its end and for a broken ~ escape, which no name equals. */
static int token_next(str token, size_t *pos)
{
    if (*pos == token.n)
        return -1;
    char c = token.p[(*pos)++];
    if (c != '~')
        return (unsigned char)c;
    char escaped = *pos < token.n ? token.p[(*pos)++] : '\0';
    return escaped == '0' ? '~' : escaped == '1' ? '/' : -1;
}

static bool name_matches(struct json name, str token)
{
    str inside = json_inside(name);
    size_t token_pos = 0;
    for (size_t pos = 0; pos < inside.n;) {
        char decoded[4];
        size_t made = json_unescape(inside, &pos, decoded);
        for (size_t i = 0; i < made; i++)
            if (token_next(token, &token_pos) != (unsigned char)decoded[i])
                return false;
    }
    return token_pos == token.n;
}

static struct json member_at(struct json object, str token)
{
    if (str_find_char(token, '~', 0) == SIZE_MAX)
        return json_get(object, token);
    struct json name, value, found = JSON_ABSENT;
    struct json_iter it = json_each(object);
    while (json_next(&it, &name, &value))
        if (name_matches(name, token))
            found = value;
    return found;
}

/* Digits without leading zero; "-" (the element after the last) never exists in a text that is read. */
static struct json element_at(struct json array, str token)
{
    size_t index = 0;
    if (token.n == 0 || (token.n > 1 && token.p[0] == '0'))
        return JSON_ABSENT;
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] < '0' || token.p[i] > '9' || index > JSON_SIZE_MAX)
            return JSON_ABSENT;
        index = index * 10 + (size_t)(token.p[i] - '0');
    }
    return json_at(array, index);
}

struct json json_at_pointer(struct json root, str pointer)
{
    struct json v = root;
    size_t pos = 0;
    while (pos < pointer.n) {
        if (pointer.p[pos] != '/')
            return JSON_ABSENT;
        size_t slash = str_find_char(pointer, '/', pos + 1);
        size_t end = slash == SIZE_MAX ? pointer.n : slash;
        str token = str_sub(pointer, pos + 1, end);
        v = json_is(v, JSON_ARRAY) ? element_at(v, token) : member_at(v, token);
        pos = end;
    }
    return v;
}
