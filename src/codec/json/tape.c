/* JSON text to tape in one pass and without recursion: the open containers are chained through their own nodes, so the
 * depth of a hostile text costs nothing but a counter. Grammar of RFC 8259, nothing more. */
#include "codec/json/tape.h"

enum { NODES_MIN = 16, TEXT_PER_NODE = 6 }; /* features have about 8 bytes of text a node, items 12 */

struct scan {
    struct arena *arena;
    const char *start, *end;
    union json_node *nodes;
    size_t count, capacity;
    uint32_t open;  /* node of the innermost open container, when depth > 0 */
    uint32_t depth; /* open containers */
    char closer;    /* '}' or ']': what ends the innermost one */
    bool fresh;     /* nothing inside it yet */
    const char *wrong_at, *expected;
};

/* A position in the text runs through all of these functions; NULL means that the text is not JSON and why is recorded. */
static const char *scan_fail(struct scan *s, const char *p, const char *expected)
{
    s->wrong_at = p;
    s->expected = expected;
    return NULL;
}

/* The byte at p, 0 at the end of the text: no JSON token begins with a NUL. */
static inline char peek(const struct scan *s, const char *p) { return p < s->end ? *p : '\0'; }

static inline const char *skip_space(const struct scan *s, const char *p)
{
    while (p < s->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

static inline union json_node *push(struct scan *s, size_t nodes)
{
    if (s->count + nodes > s->capacity)
        s->nodes = arena_grow(s->arena, s->nodes, &s->capacity, s->count + nodes, sizeof *s->nodes);
    s->count += nodes;
    return &s->nodes[s->count - nodes];
}

static inline void push_scalar(struct scan *s, const char *from, const char *to, uint32_t flag)
{
    union json_node *node = push(s, 1);
    node->value.offset = (uint32_t)(from - s->start);
    node->value.length = (uint32_t)(to - from) | flag;
}

/* Length of the character of two to four bytes at p, 0 when it is not well-formed (RFC 3629, table of section 4). */
static size_t wide_length(const char *text, const char *end)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = *p < 0xC2 || *p > 0xF4 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
    if (n == 0 || (size_t)(end - text) < n)
        return 0;
    unsigned char low = *p == 0xE0 ? 0xA0 : *p == 0xF0 ? 0x90 : 0x80, high = *p == 0xED ? 0x9F : *p == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

static const char *scan_wide(struct scan *s, const char *p)
{
    while (p < s->end && (unsigned char)*p >= 0x80) {
        size_t n = wide_length(p, s->end);
        if (n == 0)
            return scan_fail(s, p, "valid UTF-8");
        p += n;
    }
    return p;
}

static bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static const char *scan_escape(struct scan *s, const char *p)
{
    char c = peek(s, p + 1);
    if (c == '\0' || !strchr("\"\\/bfnrtu", c))
        return scan_fail(s, p + 1, "an escape: one of \"\\/bfnrtu");
    p += 2;
    for (int i = 0; c == 'u' && i < 4; i++, p++)
        if (!is_hex(peek(s, p)))
            return scan_fail(s, p, "four hexadecimal digits");
    return p;
}

static const char *scan_string(struct scan *s, const char *first)
{
    uint32_t flag = 0;
    const char *p = json_plain_end(first + 1, s->end);
    while (peek(s, p) != '"') {
        if (p == s->end)
            return scan_fail(s, p, "the end of a string");
        if (*p == '\\') {
            flag = JSON_FLAG;
            p = scan_escape(s, p);
        } else if ((unsigned char)*p >= 0x80) {
            p = scan_wide(s, p);
        } else {
            return scan_fail(s, p, "an escape instead of a control character");
        }
        if (!p)
            return NULL;
        p = json_plain_end(p, s->end);
    }
    push_scalar(s, first, p + 1, flag);
    return p + 1;
}

/* Behind the decimal digits at p. Eight at a time as in json_plain_end: a digit has the high half 3 and adding 6 to the low
 * half does not carry. */
static inline const char *digits_end(const struct scan *s, const char *p)
{
    for (; s->end - p >= 8; p += 8) {
        uint64_t bytes = json_load8(p) ^ JSON_EACH_BYTE('0');
        uint64_t found = (((bytes & JSON_EACH_BYTE(0x7F)) + JSON_EACH_BYTE(0x76)) | bytes) & JSON_EACH_BYTE(0x80);
        if (found)
            return p + (__builtin_ctzll(found) >> 3);
    }
    while (p < s->end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const char *scan_number(struct scan *s, const char *first)
{
    const char *p = first + (*first == '-');
    const char *end = peek(s, p) == '0' ? p + 1 : digits_end(s, p);
    if (end == p)
        return scan_fail(s, p, "a digit");
    if (peek(s, end) == '.') {
        p = end + 1;
        end = digits_end(s, p);
        if (end == p)
            return scan_fail(s, p, "a digit");
    }
    if ((peek(s, end) | 0x20) == 'e') {
        p = end + 1;
        p += peek(s, p) == '+' || peek(s, p) == '-';
        end = digits_end(s, p);
        if (end == p)
            return scan_fail(s, p, "a digit");
    }
    push_scalar(s, first, end, 0);
    return end;
}

static const char *scan_word(struct scan *s, const char *p, str word)
{
    if ((size_t)(s->end - p) < word.n || memcmp(p, word.p, word.n) != 0)
        return scan_fail(s, p, "a value");
    push_scalar(s, p, p + word.n, 0);
    return p + word.n;
}

static const char *open_container(struct scan *s, const char *p)
{
    _Static_assert(JSON_DEPTH_MAX == 512, "the message below");
    if (s->depth == JSON_DEPTH_MAX)
        return scan_fail(s, p, "no deeper nesting than 512");
    union json_node *node = push(s, 2);
    node[0].value.offset = (uint32_t)(p - s->start) | JSON_FLAG;
    node[1].inside.next = s->open;
    node[1].inside.count = 0;
    s->open = (uint32_t)(node - s->nodes);
    s->depth++;
    s->closer = *p == '{' ? '}' : ']';
    s->fresh = true;
    return p + 1;
}

/* p is at the closing bracket. */
static const char *close_container(struct scan *s, const char *p)
{
    union json_node *node = &s->nodes[s->open];
    uint32_t around = node[1].inside.next;
    node[0].value.length = (uint32_t)(p + 1 - s->start) - (node[0].value.offset & ~JSON_FLAG);
    node[1].inside.next = (uint32_t)s->count;
    s->open = around;
    s->fresh = false;
    if (--s->depth > 0)
        s->closer = s->start[s->nodes[around].value.offset & ~JSON_FLAG] == '{' ? '}' : ']';
    return p + 1;
}

/* A whole scalar, or the opening bracket of a container. */
static inline const char *scan_value(struct scan *s, const char *p)
{
    switch (peek(s, p)) {
    case '"':
        return scan_string(s, p);
    case '{':
    case '[':
        return open_container(s, p);
    case 't':
        return scan_word(s, p, STR("true"));
    case 'f':
        return scan_word(s, p, STR("false"));
    case 'n':
        return scan_word(s, p, STR("null"));
    case '-':
    case '0' ... '9':
        return scan_number(s, p);
    default:
        return scan_fail(s, p, "a value");
    }
}

static inline const char *scan_name(struct scan *s, const char *p)
{
    if (peek(s, p) != '"')
        return scan_fail(s, p, s->fresh ? "a member name or '}'" : "a member name");
    p = scan_string(s, p);
    if (!p)
        return NULL;
    p = skip_space(s, p);
    return peek(s, p) == ':' ? skip_space(s, p + 1) : scan_fail(s, p, "':'");
}

/* From behind a value (or an opening bracket) to where the next one begins, closing containers on the way. With depth 0 the
 * text is complete. */
static inline const char *scan_between(struct scan *s, const char *p)
{
    while (s->depth > 0) {
        p = skip_space(s, p);
        char c = peek(s, p);
        if (c == s->closer) {
            p = close_container(s, p);
            continue;
        }
        if (!s->fresh) {
            if (c != ',')
                return scan_fail(s, p, s->closer == '}' ? "',' or '}'" : "',' or ']'");
            p = skip_space(s, p + 1);
        }
        s->nodes[s->open + 1].inside.count++;
        if (s->closer == '}')
            p = scan_name(s, p);
        s->fresh = false;
        return p;
    }
    return p;
}

static bool scan_text(struct scan *s)
{
    const char *p = skip_space(s, s->start);
    do {
        p = scan_value(s, p);
        if (p)
            p = scan_between(s, p);
        if (!p)
            return false;
    } while (s->depth > 0);
    p = skip_space(s, p);
    if (p < s->end)
        scan_fail(s, p, "the end of the text");
    return p == s->end;
}

/* The tape lives in s->arena; without success nothing stays there. */
static bool tape_open(struct scan *s, str text, struct json *out)
{
    *out = JSON_ABSENT;
    struct arena_mark mark = arena_mark(s->arena);
    struct json_tape *tape = arena_new(s->arena, struct json_tape);
    s->start = text.p ? text.p : "";
    s->end = s->start + text.n;
    s->capacity = text.n / TEXT_PER_NODE + NODES_MIN;
    s->nodes = arena_array(s->arena, union json_node, s->capacity);
    if (!scan_text(s)) {
        arena_release(s->arena, mark);
        return false;
    }
    *tape = (struct json_tape){.text = text, .nodes = s->nodes, .count = (uint32_t)s->count};
    *out = (struct json){.tape = tape, .node = 0};
    return true;
}

int json_parse(struct ctx *ctx, str text, struct json *out)
{
    *out = JSON_ABSENT;
    if (text.n > JSON_SIZE_MAX)
        return err_set(ctx, &ERR_LIMIT, "JSON text of %zu bytes, at most %zu can be read", text.n, JSON_SIZE_MAX);
    struct scan s = {.arena = ctx->arena};
    if (tape_open(&s, text, out))
        return RC_OK;
    size_t line = 1, column = 1;
    for (const char *p = s.start; p < s.wrong_at; p++) {
        line += *p == '\n';
        column = *p == '\n' ? 1 : column + (((unsigned char)*p & 0xC0) != 0x80); /* characters, not bytes */
    }
    return err_set(ctx, &ERR_INVALID, "not valid JSON at line %zu, column %zu: expected %s%s", line, column, s.expected,
                   s.wrong_at == s.end ? ", found the end of the text" : "");
}

bool json_try_parse(struct arena *a, str text, struct json *out)
{
    struct scan s = {.arena = a};
    *out = JSON_ABSENT;
    return text.n <= JSON_SIZE_MAX && tape_open(&s, text, out);
}

bool json_too_deep(str text)
{
    size_t depth = 0;
    bool quoted = false;
    text = str_trim(text);
    if (!str_starts(text, STR("{")) && !str_starts(text, STR("[")))
        return false;
    for (size_t i = 0; i < text.n && depth <= JSON_DEPTH_MAX; i++) {
        char c = text.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return depth > JSON_DEPTH_MAX;
}
