/* Identifiers: random 128-bit numbers in the two spellings of the API. */
#include "base/id.h"
#include "base/hash.h"
#include "base/num.h"

enum { ID_BYTES = 16 };

id id_new(void)
{
    uint8_t bytes[ID_BYTES];
    id out = ID_NONE;
    random_bytes(bytes, sizeof bytes);
    num_hex_print(bytes, sizeof bytes, out.text);
    return out;
}

bool id_parse(str s, id *out)
{
    uint8_t bytes[ID_BYTES];
    *out = ID_NONE;
    if (!num_hex_parse(s, bytes, sizeof bytes))
        return false;
    num_hex_print(bytes, sizeof bytes, out->text);
    return true;
}

/* "{8-4-4-4-12}" in upper case. */
static void guid_print(const uint8_t bytes[ID_BYTES], char out[GUID_SIZE + 1])
{
    static const char digits[] = "0123456789ABCDEF";
    *out++ = '{';
    for (size_t i = 0; i < ID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out++ = '}';
    *out = 0;
}

void guid_new(char out[GUID_SIZE + 1])
{
    uint8_t bytes[ID_BYTES];
    random_bytes(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40); /* RFC 4122: version 4, random */
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    guid_print(bytes, out);
}

void guid_new_at(int64_t now_ms, char out[GUID_SIZE + 1])
{
    enum { TIME_BYTES = 6 };
    uint8_t bytes[ID_BYTES];
    random_bytes(bytes + TIME_BYTES, sizeof bytes - TIME_BYTES);
    for (int i = 0; i < TIME_BYTES; i++)
        bytes[i] = (uint8_t)((uint64_t)now_ms >> (8 * (TIME_BYTES - 1 - i)));
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x70);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    guid_print(bytes, out);
}

bool guid_parse(str s, char out[GUID_SIZE + 1])
{
    static const size_t group_digits[] = {8, 4, 4, 4, 12};
    uint8_t bytes[ID_BYTES];
    size_t at = 0, filled = 0;
    out[0] = 0;
    if (s.n == GUID_SIZE && s.p[0] == '{' && s.p[GUID_SIZE - 1] == '}')
        s = str_sub(s, 1, GUID_SIZE - 1);
    if (s.n != GUID_SIZE - 2)
        return false;
    for (size_t g = 0; g < COUNT_OF(group_digits); g++) {
        size_t n = group_digits[g];
        if ((g > 0 && s.p[at++] != '-') || !num_hex_parse(str_sub(s, at, at + n), bytes + filled, n / 2))
            return false;
        at += n;
        filled += n / 2;
    }
    guid_print(bytes, out);
    return true;
}
