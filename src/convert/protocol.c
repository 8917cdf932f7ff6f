/* Frames between the portal and mapferry-convert: see protocol.h. Numbers travel as the machine has them; both ends are one
 * machine. */
#include "convert/protocol.h"

enum { NO_BYTES = UINT32_MAX, FIELDS_MAX = 10000 };

static void put(struct buf *b, const void *p, size_t n) { buf_add_bytes(b, p, n); }

static void put_str(struct buf *b, str s)
{
    uint32_t n = str_none(s) ? (uint32_t)NO_BYTES : (uint32_t)s.n;
    put(b, &n, sizeof n);
    if (!str_none(s))
        buf_add(b, s);
}

static bool get(str *from, void *p, size_t n)
{
    if (from->n < n)
        return false;
    memcpy(p, from->p, n);
    *from = str_of(from->p + n, from->n - n);
    return true;
}

static bool get_str(str *from, str *out)
{
    uint32_t n;
    *out = STR_NONE;
    if (!get(from, &n, sizeof n))
        return false;
    if (n == (uint32_t)NO_BYTES)
        return true;
    if (n > from->n)
        return false;
    *out = str_of(from->p, n);
    *from = str_of(from->p + n, from->n - n);
    return true;
}

void protocol_begin(struct buf *b, enum protocol_kind kind)
{
    buf_clear(b);
    buf_add_bytes(b, "\0\0\0\0", 4);
    buf_add_char(b, (char)kind);
}

void protocol_end(struct buf *b)
{
    if (b->overflow)
        return;
    uint32_t n = (uint32_t)(b->n - PROTOCOL_HEAD);
    memcpy(b->p, &n, sizeof n);
}

void protocol_head(const char head[PROTOCOL_HEAD], uint32_t *length_out, uint8_t *kind_out)
{
    memcpy(length_out, head, sizeof *length_out);
    *kind_out = (uint8_t)head[4];
}

void protocol_put_open(struct buf *b, const struct protocol_open *in)
{
    protocol_begin(b, PROTOCOL_OPEN);
    put(b, &in->format, sizeof in->format);
    put(b, &in->target_wkid, sizeof in->target_wkid);
    put(b, &in->memory_max, sizeof in->memory_max);
    put(b, &in->cpu_seconds_max, sizeof in->cpu_seconds_max);
    put_str(b, in->path);
    put_str(b, in->name);
    put_str(b, in->parameters);
    protocol_end(b);
}

bool protocol_get_open(str payload, struct protocol_open *out)
{
    return get(&payload, &out->format, sizeof out->format) && get(&payload, &out->target_wkid, sizeof out->target_wkid) &&
           get(&payload, &out->memory_max, sizeof out->memory_max) &&
           get(&payload, &out->cpu_seconds_max, sizeof out->cpu_seconds_max) && get_str(&payload, &out->path) &&
           get_str(&payload, &out->name) && get_str(&payload, &out->parameters);
}

void protocol_put_create(struct buf *b, const struct protocol_create *in)
{
    protocol_begin(b, PROTOCOL_CREATE);
    put(b, &in->format, sizeof in->format);
    put(b, &in->memory_max, sizeof in->memory_max);
    put(b, &in->cpu_seconds_max, sizeof in->cpu_seconds_max);
    put_str(b, in->path);
    put_str(b, in->name);
    protocol_end(b);
}

bool protocol_get_create(str payload, struct protocol_create *out)
{
    return get(&payload, &out->format, sizeof out->format) && get(&payload, &out->memory_max, sizeof out->memory_max) &&
           get(&payload, &out->cpu_seconds_max, sizeof out->cpu_seconds_max) && get_str(&payload, &out->path) &&
           get_str(&payload, &out->name);
}

void protocol_put_rows(struct buf *b, const struct protocol_rows *in)
{
    uint32_t count = (uint32_t)in->field_count;
    protocol_begin(b, PROTOCOL_ROWS);
    put(b, &in->layer_id, sizeof in->layer_id);
    put(b, &count, sizeof count);
    for (size_t i = 0; i < in->field_count; i++) {
        buf_add_char(b, (char)in->fields[i].type);
        put_str(b, in->fields[i].name);
    }
    protocol_end(b);
}

bool protocol_get_rows(struct ctx *ctx, str payload, struct protocol_rows *out)
{
    uint32_t count;
    if (!get(&payload, &out->layer_id, sizeof out->layer_id) || !get(&payload, &count, sizeof count) || count > FIELDS_MAX)
        return false;
    out->field_count = count;
    out->fields = arena_array(ctx->arena, struct field, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t type;
        str name;
        if (!get(&payload, &type, sizeof type) || type >= FIELD_TYPE_COUNT || !get_str(&payload, &name))
            return false;
        out->fields[i] = (struct field){.type = type, .name = arena_str(ctx->arena, name)};
    }
    return true;
}

static void put_value(struct buf *b, const struct value *v)
{
    buf_add_char(b, (char)v->kind);
    if (v->kind == VALUE_INT)
        put(b, &v->i, sizeof v->i);
    else if (v->kind == VALUE_DOUBLE)
        put(b, &v->d, sizeof v->d);
    else if (v->kind != VALUE_NULL)
        put_str(b, v->s);
}

void protocol_put_row(struct buf *b, const struct row *row, size_t field_count)
{
    put(b, &row->oid, sizeof row->oid);
    put_str(b, row->wkb);
    for (size_t i = 0; i < field_count; i++)
        put_value(b, &row->values[i]);
}

static bool get_value(str *from, struct value *out)
{
    uint8_t kind = 0;
    if (!get(from, &kind, sizeof kind))
        return false;
    out->kind = kind;
    switch (kind) {
    case VALUE_NULL:
        return true;
    case VALUE_INT:
        return get(from, &out->i, sizeof out->i);
    case VALUE_DOUBLE:
        return get(from, &out->d, sizeof out->d);
    case VALUE_TEXT:
    case VALUE_BLOB:
        return get_str(from, &out->s) && !str_none(out->s);
    default:
        return false;
    }
}

bool protocol_get_row(str *payload, size_t field_count, struct value *values, struct row *out)
{
    *out = (struct row){.values = values};
    if (!get(payload, &out->oid, sizeof out->oid) || !get_str(payload, &out->wkb))
        return false;
    for (size_t i = 0; i < field_count; i++)
        if (!get_value(payload, &values[i]))
            return false;
    return true;
}
