/* The pieces of a zip archive as bytes. One place says what they are; writing and checking both use it. */
#include "base/utf8.h"
#include "codec/zip.h"

enum { LOCAL_SIGNATURE = 0x04034b50, DESCRIPTOR_SIGNATURE = 0x08074b50, CENTRAL_SIGNATURE = 0x02014b50 };
enum { END_SIGNATURE = 0x06054b50, END64_SIGNATURE = 0x06064b50, LOCATOR_SIGNATURE = 0x07064b50 };
enum {
    VERSION_DEFLATE = 20,
    VERSION_ZIP64 = 45,
    MADE_BY_UNIX = 3 << 8,
    FLAGS = 1 << 3 | 1 << 11,
    DATE_1980_01_01 = 0x21,
    ZIP64_EXTRA = 1,
    PACKED_CRC_EXTRA = 'm' | 'f' << 8,
    PACKED_CRC_EXTRA_SIZE = 8,
};
static const uint32_t zip_file_mode = 0100644; /* a regular file that all may read */
static const uint64_t zip_narrow = UINT32_MAX; /* values from here on are written as zip64 */

/* Little-endian numbers, one after the other. */
static uint8_t *zip_put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
    return at + bytes;
}

static uint32_t zip_clamp(uint64_t value) { return value >= zip_narrow ? UINT32_MAX : (uint32_t)value; }

/* The own field is there without content: unzip compares the names of both headers, and treats names with and without extra
 * fields differently. */
static size_t zip_local_extra_size(const struct zip_member *m) { return m->wide ? 20 + 4 : 4; }

size_t zip_local_size(const struct zip_member *m) { return 30 + m->name.n + zip_local_extra_size(m); }

size_t zip_local_print(const struct zip_member *m, uint8_t out[ZIP_LOCAL_MAX])
{
    uint8_t *at = zip_put(out, LOCAL_SIGNATURE, 4);
    at = zip_put(at, m->wide ? VERSION_ZIP64 : VERSION_DEFLATE, 2);
    at = zip_put(at, FLAGS, 2);
    at = zip_put(at, m->method, 2);
    at = zip_put(at, 0, 2); /* time */
    at = zip_put(at, DATE_1980_01_01, 2);
    at = zip_put(at, 0, 4); /* checksum and sizes are in the descriptor */
    at = zip_put(at, m->wide ? UINT32_MAX : 0, 4);
    at = zip_put(at, m->wide ? UINT32_MAX : 0, 4);
    at = zip_put(at, m->name.n, 2);
    at = zip_put(at, zip_local_extra_size(m), 2);
    memcpy(at, m->name.p, m->name.n);
    at += m->name.n;
    if (m->wide) {
        at = zip_put(at, ZIP64_EXTRA, 2);
        at = zip_put(at, 16, 2);
        at = zip_put(at, 0, 8);
        at = zip_put(at, 0, 8);
    }
    at = zip_put(at, PACKED_CRC_EXTRA, 2);
    at = zip_put(at, 0, 2);
    return (size_t)(at - out);
}

size_t zip_descriptor_size(const struct zip_member *m) { return m->wide ? 24 : 16; }

size_t zip_descriptor_print(const struct zip_member *m, uint8_t out[ZIP_DESCRIPTOR_MAX])
{
    unsigned width = m->wide ? 8 : 4;
    uint8_t *at = zip_put(out, DESCRIPTOR_SIGNATURE, 4);
    at = zip_put(at, m->crc, 4);
    at = zip_put(at, m->packed, width);
    at = zip_put(at, m->size, width);
    return (size_t)(at - out);
}

size_t zip_central_print(const struct zip_member *m, uint8_t out[ZIP_CENTRAL_MAX])
{
    const uint64_t fields[] = {m->size, m->packed, m->offset}; /* the order of the zip64 extra */
    unsigned wide_count = 0;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        wide_count += fields[i] >= zip_narrow;
    uint8_t *at = zip_put(out, CENTRAL_SIGNATURE, 4);
    at = zip_put(at, MADE_BY_UNIX | VERSION_ZIP64, 2);
    at = zip_put(at, m->wide || wide_count ? VERSION_ZIP64 : VERSION_DEFLATE, 2);
    at = zip_put(at, FLAGS, 2);
    at = zip_put(at, m->method, 2);
    at = zip_put(at, 0, 2);
    at = zip_put(at, DATE_1980_01_01, 2);
    at = zip_put(at, m->crc, 4);
    at = zip_put(at, zip_clamp(m->packed), 4);
    at = zip_put(at, zip_clamp(m->size), 4);
    at = zip_put(at, m->name.n, 2);
    at = zip_put(at, (wide_count ? 4 + 8 * wide_count : 0) + PACKED_CRC_EXTRA_SIZE, 2);
    at = zip_put(at, 0, 2); /* comment */
    at = zip_put(at, 0, 2); /* disk */
    at = zip_put(at, 0, 2); /* internal attributes */
    at = zip_put(at, (uint64_t)zip_file_mode << 16, 4);
    at = zip_put(at, zip_clamp(m->offset), 4);
    memcpy(at, m->name.p, m->name.n);
    at += m->name.n;
    if (wide_count) {
        at = zip_put(at, ZIP64_EXTRA, 2);
        at = zip_put(at, 8 * wide_count, 2);
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            if (fields[i] >= zip_narrow)
                at = zip_put(at, fields[i], 8);
    }
    at = zip_put(at, PACKED_CRC_EXTRA, 2);
    at = zip_put(at, 4, 2);
    at = zip_put(at, m->packed_crc, 4);
    return (size_t)(at - out);
}

static uint8_t *zip_end64_print(const struct zip_directory *d, uint8_t *at)
{
    at = zip_put(at, END64_SIGNATURE, 4);
    at = zip_put(at, 44, 8); /* bytes that follow of this record */
    at = zip_put(at, MADE_BY_UNIX | VERSION_ZIP64, 2);
    at = zip_put(at, VERSION_ZIP64, 2);
    at = zip_put(at, 0, 4);
    at = zip_put(at, 0, 4);
    at = zip_put(at, d->count, 8);
    at = zip_put(at, d->count, 8);
    at = zip_put(at, d->size, 8);
    at = zip_put(at, d->offset, 8);
    at = zip_put(at, LOCATOR_SIGNATURE, 4);
    at = zip_put(at, 0, 4);
    at = zip_put(at, d->offset + d->size, 8);
    return zip_put(at, 1, 4); /* disks */
}

size_t zip_end_print(const struct zip_directory *d, uint8_t out[ZIP_END_MAX])
{
    uint8_t *at = out;
    if (d->count >= UINT16_MAX || d->size >= zip_narrow || d->offset >= zip_narrow)
        at = zip_end64_print(d, at);
    uint64_t count = d->count >= UINT16_MAX ? UINT16_MAX : d->count;
    at = zip_put(at, END_SIGNATURE, 4);
    at = zip_put(at, 0, 2);
    at = zip_put(at, 0, 2);
    at = zip_put(at, count, 2);
    at = zip_put(at, count, 2);
    at = zip_put(at, zip_clamp(d->size), 4);
    at = zip_put(at, zip_clamp(d->offset), 4);
    at = zip_put(at, 0, 2); /* comment */
    return (size_t)(at - out);
}

bool zip_name_valid(str name)
{
    if (name.n == 0 || name.n > ZIP_NAME_MAX || !utf8_valid(name) || name.p[name.n - 1] == '/')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == '\\')
            return false;
    if (name.n >= 2 && name.p[1] == ':')
        return false;
    str rest = name, piece;
    while (str_split(&rest, '/', &piece))
        if (str_empty(piece) || str_eq(piece, STR(".")) || str_eq(piece, STR("..")))
            return false;
    return true;
}
