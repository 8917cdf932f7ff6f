/* JSON (RFC 8259): parsed to a flat tape over the original text, written as a stream, edited by splices.
 *
 * The text must outlive the tape. A value is a cheap handle (pointer and index), passed by value. */
#ifndef MAPFERRY_CODEC_JSON_H
#define MAPFERRY_CODEC_JSON_H

#include "base/buf.h"
#include "base/ctx.h"
#include "base/stream.h"

enum json_type { JSON_NONE, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_tape;
/* A value in a parsed text. tape NULL: no value (json_get of a missing member); all readers accept it. */
struct json {
    const struct json_tape *tape;
    uint32_t node;
};
#define JSON_ABSENT ((struct json){.tape = NULL, .node = 0})

enum { JSON_DEPTH_MAX = 512 }; /* nesting that is accepted */

/* Parses one JSON text (white space around it allowed, valid UTF-8, no byte order mark, less than 2 GiB). Error: ERR_INVALID
 * with line, column (in characters, from 1) and what was expected, ERR_LIMIT for a longer text; nesting beyond JSON_DEPTH_MAX
 * is an error, never a crash. */
int json_parse(struct ctx *ctx, str text, struct json *out);
/* As json_parse, without recording an error: is this text JSON? */
bool json_try_parse(struct arena *a, str text, struct json *out);
/* Does the text begin as an object or array and nest deeper than JSON_DEPTH_MAX? Says why a text that is not accepted is not. */
bool json_too_deep(str text);

enum json_type json_type(struct json v); /* JSON_NONE for an absent value */
static inline bool json_absent(struct json v) { return v.tape == NULL; }
static inline bool json_is(struct json v, enum json_type t) { return json_type(v) == t; }

/* Members and elements. json_get: the last member of that name wins, absent when v is no object. */
struct json json_get(struct json v, str name);
struct json json_get_c(struct json v, const char *name);
size_t json_count(struct json v);                 /* elements or members, 0 for others */
struct json json_at(struct json v, size_t index); /* linear; use the iterator in loops */
struct json_iter {
    const struct json_tape *tape;
    uint32_t node, end;
    bool object;
};
struct json_iter json_each(struct json v); /* over an array or object; empty for others */
/* name_out (raw slice of the member's string node, see json_string for its decoded text) may be NULL. */
bool json_next(struct json_iter *it, struct json *name_out, struct json *value_out);

/* Scalars. The defaults come back for an absent value or another type. Strings are decoded into the arena only when they
 * contain escapes, otherwise they point into the text. A lone surrogate escape decodes to U+FFFD. */
str json_string(struct json v, struct arena *a); /* STR_NONE for other types */
str json_string_or(struct json v, struct arena *a, str otherwise);
bool json_string_eq(struct json v, str s);  /* decoded comparison, no allocation */
bool json_int(struct json v, int64_t *out); /* integral numbers in range, also "12.0" and "1e3"; not strings */
bool json_double(struct json v, double *out);
bool json_bool(struct json v, bool otherwise);
/* The exact bytes of the value (quotes included), and its offset in the text. */
str json_raw(struct json v);
size_t json_offset(struct json v);
/* The whole text the value belongs to. */
str json_text(struct json v);

/* JSON pointer (RFC 6901) of v inside its text, into the arena: "/operationalLayers/0/url". A name node has the pointer of
 * its member; STR_NONE for an absent value. Costs the siblings before v on every level. */
str json_pointer(struct json v, struct arena *a);
/* The value at a pointer, the last one of duplicate names; absent when there is none or the pointer is malformed. */
struct json json_at_pointer(struct json root, str pointer);

/* ---- writing: commas, escapes and structure are kept right by the writer (misuse is an assertion) ---- */
struct json_out {
    struct buf *buf;     /* where text goes */
    struct writer *sink; /* NULL: only the buffer; else the buffer is flushed to it when it passes JSON_FLUSH */
    struct ctx *ctx;
    int rc; /* first failure of the sink; later calls do nothing */
    uint32_t depth;
    bool pretty, started;
    uint64_t has_entry[JSON_DEPTH_MAX / 64 + 1]; /* a bit per level: a comma is due */
    uint64_t in_object[JSON_DEPTH_MAX / 64 + 1]; /* a bit per level: names belong here, for the assertions */
    bool after_name;
};
enum { JSON_FLUSH = 32 * 1024 };
/* Prepares *o to append one JSON text to buf. With a sink the buffer never holds more than 64 KiB, whatever is written. Set
 * o->pretty afterwards for line breaks and an indentation of 2. */
void json_out_buf(struct json_out *o, struct ctx *ctx, struct buf *buf);
void json_out_stream(struct json_out *o, struct ctx *ctx, struct buf *buf, struct writer *sink);
void json_begin_object(struct json_out *o);
void json_end_object(struct json_out *o);
void json_begin_array(struct json_out *o);
void json_end_array(struct json_out *o);
void json_name(struct json_out *o, const char *name); /* a literal member name that needs no escapes */
void json_name_str(struct json_out *o, str name);
void json_name_raw(struct json_out *o, str quoted); /* as JSON text with its quotes, for names that come again and again */
void json_put_str(struct json_out *o, str s);       /* STR_NONE writes null; invalid UTF-8 bytes become U+FFFD */
void json_put_int(struct json_out *o, int64_t v);
void json_put_double(struct json_out *o, double v); /* not finite: null */
void json_put_bool(struct json_out *o, bool v);
void json_put_null(struct json_out *o);
void json_put_raw(struct json_out *o, str json_text); /* text that is JSON already; "pretty" reformats nothing inside */
/* Member shorthands. */
void json_member_str(struct json_out *o, const char *name, str s);
void json_member_c(struct json_out *o, const char *name, const char *s);
void json_member_int(struct json_out *o, const char *name, int64_t v);
void json_member_double(struct json_out *o, const char *name, double v);
void json_member_bool(struct json_out *o, const char *name, bool v);
void json_member_null(struct json_out *o, const char *name);
void json_member_raw(struct json_out *o, const char *name, str json_text);
/* Flushes to the sink and reports the first failure (sink, or a buffer overflow naming `what`). */
int json_out_end(struct json_out *o, const char *what);
/* Appends s as a JSON string with quotes. */
void json_escape(struct buf *b, str s);
/* Appends any JSON text to out, with line breaks and indentation of 2 (pjson) or none; strings and numbers keep their
 * spelling. ERR_INVALID as json_parse, ERR_LIMIT when out is full. */
int json_reformat(struct ctx *ctx, str text, bool pretty, struct buf *out);

/* ---- editing: everything that is not replaced stays byte for byte ---- */
struct json_edit {
    struct ctx *ctx;
    str text;
    struct json_splice *list;
    size_t count, capacity;
};
void json_edit_begin(struct json_edit *e, struct ctx *ctx, str text);
/* Replaces the bytes of v (a value, or a name node) by raw JSON text, which is copied. Later edits of the same value win;
 * overlapping ones are an assertion. v may come from any tape over the text of json_edit_begin. */
void json_edit_replace(struct json_edit *e, struct json v, str raw);
void json_edit_string(struct json_edit *e, struct json v, str decoded); /* the same with a string value, minimal escapes */
/* Removes a member of an object together with its comma, and with it what was edited inside. name is the member's name node
 * (json_next). */
void json_edit_remove_member(struct json_edit *e, struct json object, struct json name);
bool json_edit_empty(const struct json_edit *e);
/* The edited text, in the arena of ctx; the original slice itself when there were no edits. ERR_LIMIT when it is too long. */
int json_edit_apply(struct json_edit *e, str *out);

#endif
