/* Protocol buffers: see pbf.h. A length is known when its message is; one byte is kept free for it, and what follows is moved for
 * a longer one, which costs little since most messages are short and the long ones few. */
#include "codec/pbf.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, VARINT_MAX = 10 };

static size_t varint_print(uint64_t v, char out[VARINT_MAX])
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (char)(v | 0x80);
    out[n++] = (char)v;
    return n;
}

void pbf_put_varint(struct buf *b, uint64_t v)
{
    char *to = buf_reserve(b, VARINT_MAX);
    if (to)
        buf_commit(b, varint_print(v, to));
}

static void put_tag(struct buf *b, unsigned field, unsigned wire) { pbf_put_varint(b, field << 3 | wire); }

void pbf_uint(struct buf *b, unsigned field, uint64_t v)
{
    put_tag(b, field, WIRE_VARINT);
    pbf_put_varint(b, v);
}

void pbf_sint(struct buf *b, unsigned field, int64_t v) { pbf_uint(b, field, pbf_zigzag(v)); }

/* Little-endian on the wire, and so are the machines that this runs on (WKB is read the same way). */
void pbf_double(struct buf *b, unsigned field, double v)
{
    put_tag(b, field, WIRE_64);
    buf_add_bytes(b, &v, sizeof v);
}

void pbf_float(struct buf *b, unsigned field, float v)
{
    put_tag(b, field, WIRE_32);
    buf_add_bytes(b, &v, sizeof v);
}

void pbf_str(struct buf *b, unsigned field, str s)
{
    put_tag(b, field, WIRE_BYTES);
    pbf_put_varint(b, s.n);
    buf_add(b, s);
}

size_t pbf_begin(struct buf *b, unsigned field)
{
    put_tag(b, field, WIRE_BYTES);
    size_t place = b->n;
    buf_add_char(b, 0);
    return place;
}

void pbf_end(struct buf *b, size_t place)
{
    char length[VARINT_MAX];
    if (b->overflow)
        return;
    size_t n = b->n - place - 1, size = varint_print(n, length);
    if (size > 1) {
        if (!buf_reserve(b, size - 1))
            return;
        memmove(b->p + place + size, b->p + place + 1, n);
        buf_commit(b, size - 1);
    }
    memcpy(b->p + place, length, size);
}
