/* gzip over codec/deflate. Its working memory is large and its use short, so a few are kept for whoever comes next. */
#include "codec/gzip.h"
#include "codec/deflate.h"

#include <pthread.h>

enum { CHUNK = 128 << 10, KEPT = 2 };

static struct {
    pthread_mutex_t lock;
    struct deflate *kept[KEPT];
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct deflate *take(void)
{
    struct deflate *found = NULL;
    pthread_mutex_lock(&spare.lock);
    for (size_t i = 0; i < KEPT && !found; i++) {
        found = spare.kept[i];
        spare.kept[i] = NULL;
    }
    pthread_mutex_unlock(&spare.lock);
    return found ? found : deflate_open();
}

static void give_back(struct deflate *d)
{
    pthread_mutex_lock(&spare.lock);
    for (size_t i = 0; i < KEPT && d; i++)
        if (!spare.kept[i]) {
            spare.kept[i] = d;
            d = NULL;
        }
    pthread_mutex_unlock(&spare.lock);
    deflate_close(d);
}

static void put_u32(struct buf *out, uint32_t v)
{
    const uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    buf_add_bytes(out, bytes, sizeof bytes);
}

bool gzip_add(struct buf *out, str bytes)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    struct deflate *d = take();
    buf_add_bytes(out, head, sizeof head);
    for (size_t at = 0;; at += CHUNK) {
        str piece = str_sub(bytes, at, at + CHUNK < bytes.n ? at + CHUNK : bytes.n);
        char *room = buf_reserve(out, deflate_bound(piece.n) + 16);
        if (!room)
            break;
        bool last = at + piece.n == bytes.n;
        buf_commit(out, deflate_chunk(d, piece.p, piece.n, last, room));
        if (last)
            break;
    }
    give_back(d);
    put_u32(out, deflate_crc32(0, bytes.p, bytes.n));
    put_u32(out, (uint32_t)bytes.n);
    return !out->overflow;
}

/* "q=0", "q=0.000": not wanted. */
static bool weight_zero(str parameters)
{
    size_t q = str_ifind(parameters, STR("q="), 0);
    str value = q == SIZE_MAX ? STR("1") : str_sub(parameters, q + 2, parameters.n);
    bool digit = false;
    for (size_t i = 0; i < value.n && value.p[i] != ' ' && value.p[i] != ';'; i++) {
        if (value.p[i] >= '1' && value.p[i] <= '9')
            return false;
        digit = digit || value.p[i] == '0';
    }
    return digit;
}

bool gzip_accepted(str accept_encoding)
{
    bool any = false;
    str piece;
    while (str_split(&accept_encoding, ',', &piece)) {
        size_t semicolon = str_find_char(piece, ';', 0);
        str coding = str_trim(str_sub(piece, 0, semicolon == SIZE_MAX ? piece.n : semicolon));
        bool wanted = semicolon == SIZE_MAX || !weight_zero(str_sub(piece, semicolon, piece.n));
        if (str_ieq(coding, STR("gzip")) || str_ieq(coding, STR("x-gzip")))
            return wanted;
        if (str_eq(coding, STR("*")))
            any = wanted;
    }
    return any;
}
