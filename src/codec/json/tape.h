/* Inside of the JSON reader: how a parsed text lies in memory. For the files of codec/json only.
 *
 * Every value and every member name is one node of eight bytes, in the order of the text. An array or object has a second
 * node behind its first, with the place where it ends in the tape; its elements follow. The type of a value is told by its
 * first byte in the text, so it is not stored. */
#ifndef MAPFERRY_CODEC_JSON_TAPE_H
#define MAPFERRY_CODEC_JSON_TAPE_H

#include "codec/json/json.h"
#include <endian.h>

#define JSON_SIZE_MAX ((size_t)INT32_MAX) /* offsets and lengths have 31 bits, the top bit is a flag */

enum { JSON_FLAG_SHIFT = 31 };
#define JSON_FLAG (1U << JSON_FLAG_SHIFT)

union json_node {
    struct {
        uint32_t offset; /* of the first byte; flag: array or object */
        uint32_t length; /* in bytes, quotes and brackets included; flag: a string with escapes */
    } value;
    struct {
        uint32_t next;  /* node after the last one inside; while parsing: the container around this one */
        uint32_t count; /* elements or members */
    } inside;           /* the second node of an array or object */
};

struct json_tape {
    str text;
    const union json_node *nodes;
    uint32_t count;
};

static inline bool json_node_holds(const struct json_tape *t, uint32_t node) { return t->nodes[node].value.offset & JSON_FLAG; }
static inline uint32_t json_node_offset(const struct json_tape *t, uint32_t node)
{
    return t->nodes[node].value.offset & ~JSON_FLAG;
}
static inline uint32_t json_node_length(const struct json_tape *t, uint32_t node)
{
    return t->nodes[node].value.length & ~JSON_FLAG;
}
static inline bool json_node_escaped(const struct json_tape *t, uint32_t node) { return t->nodes[node].value.length & JSON_FLAG; }
/* The node after this value and everything inside it. */
static inline uint32_t json_node_next(const struct json_tape *t, uint32_t node)
{
    return json_node_holds(t, node) ? t->nodes[node + 1].inside.next : node + 1;
}

/* Decodes one escape or one plain byte of the inside of a valid JSON string at *pos, and advances. Returns how many bytes of
 * UTF-8 it made, 1 to 4. */
size_t json_unescape(str inside, size_t *pos, char out[4]);
/* The text between the quotes. v is a string. */
static inline str json_inside(struct json v)
{
    return str_of(v.tape->text.p + json_node_offset(v.tape, v.node) + 1, json_node_length(v.tape, v.node) - 2);
}

/* Eight bytes of text as a number, the first byte lowest. */
static inline uint64_t json_load8(const char *p)
{
    uint64_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return le64toh(bytes);
}
#define JSON_EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* First byte at or after p that a JSON string cannot hold as it is or that needs a closer look: quote, backslash, control
 * character, not ASCII. `end` when there is none. Eight bytes at a time: in each of the three subtractions the lowest byte
 * that sets its top bit is exact, and borrows reach upwards only. */
static inline const char *json_plain_end(const char *p, const char *end)
{
    const uint64_t top = JSON_EACH_BYTE(0x80);
    for (; end - p >= 8; p += 8) {
        uint64_t bytes = json_load8(p);
        uint64_t quote = bytes ^ JSON_EACH_BYTE('"'), backslash = bytes ^ JSON_EACH_BYTE('\\');
        uint64_t found = ((quote - JSON_EACH_BYTE(1)) & ~quote) | ((backslash - JSON_EACH_BYTE(1)) & ~backslash) |
                         ((bytes - JSON_EACH_BYTE(0x20)) & ~bytes) | bytes;
        if (found & top)
            return p + (__builtin_ctzll(found & top) >> 3);
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

#endif
