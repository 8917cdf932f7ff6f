/* One byte range out of a Range header. A header that is not understood is ignored, as RFC 9110 wants it; several ranges are
 * answered with the whole, which it allows. Depends on base only. */
#include "codec/range.h"

enum { RANGE_NO_NUMBER, RANGE_NUMBER, RANGE_MALFORMED };

/* Digits only. What does not fit 63 bits becomes the largest number that does, which is beyond every size. */
static int parse_digits(str s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return RANGE_MALFORMED;
        v = v > (INT64_MAX - 9) / 10 ? INT64_MAX : v * 10 + (uint64_t)(s.p[i] - '0');
    }
    *out = v;
    return s.n > 0 ? RANGE_NUMBER : RANGE_NO_NUMBER;
}

static struct range part(uint64_t offset, uint64_t length)
{
    return length > 0 ? (struct range){RANGE_PART, offset, length} : (struct range){RANGE_NEVER, 0, 0};
}

struct range range_parse(str header, uint64_t size)
{
    const struct range whole = {RANGE_WHOLE, 0, size};
    str spec = str_trim(header);
    if (!str_istarts(spec, STR("bytes=")))
        return whole;
    spec = str_trim(str_sub(spec, strlen("bytes="), spec.n));
    size_t dash = str_find_char(spec, '-', 0);
    if (dash == SIZE_MAX)
        return whole;
    uint64_t first = 0, last = 0;
    int has_first = parse_digits(str_sub(spec, 0, dash), &first);
    int has_last = parse_digits(str_sub(spec, dash + 1, spec.n), &last);
    if (has_first == RANGE_MALFORMED || has_last == RANGE_MALFORMED ||
        (has_first == RANGE_NO_NUMBER && has_last == RANGE_NO_NUMBER))
        return whole;

    if (has_first == RANGE_NO_NUMBER) { /* the last n bytes */
        uint64_t length = last < size ? last : size;
        return part(size - length, length);
    }
    if (has_last == RANGE_NUMBER && last < first)
        return whole;
    if (first >= size)
        return part(0, 0);
    uint64_t end = has_last == RANGE_NUMBER && last < size ? last + 1 : size;
    return part(first, end - first);
}
