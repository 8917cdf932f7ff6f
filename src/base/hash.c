/* Everything that needs a crypto library: SHA-256 (nettle), password hashes (libcrypt), random bytes of the kernel. */
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include <crypt.h>
#include <errno.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct hash_state), "hash_state has to hold nettle's state");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct hash_state), "hash_state is aligned for nettle's state");
_Static_assert((int)HASH_SIZE == SHA256_DIGEST_SIZE, "a hash is a SHA-256 digest");

static struct sha256_ctx *hash_inner(struct hash_state *s) { return (struct sha256_ctx *)(void *)s; }

void hash_start(struct hash_state *s) { sha256_init(hash_inner(s)); }
void hash_update(struct hash_state *s, const void *p, size_t n) { sha256_update(hash_inner(s), n, p); }

struct hash hash_finish(struct hash_state *s)
{
    struct hash h;
    sha256_digest(hash_inner(s), sizeof h.bytes, h.bytes);
    return h;
}

struct hash hash_of(str s)
{
    struct hash_state state;
    hash_start(&state);
    hash_update(&state, s.p, s.n);
    return hash_finish(&state);
}

bool hash_eq(struct hash a, struct hash b) { return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0; }

void hash_hex(struct hash h, char out[HASH_HEX + 1])
{
    num_hex_print(h.bytes, sizeof h.bytes, out);
    out[HASH_HEX] = 0;
}

str hash_hex_str(struct arena *a, struct hash h)
{
    char *text = arena_alloc(a, HASH_HEX + 1);
    hash_hex(h, text);
    return str_of(text, HASH_HEX);
}

bool hash_parse(str hex, struct hash *out) { return num_hex_parse(hex, out->bytes, sizeof out->bytes); }

bool secret_eq(str a, str b) { return a.n == b.n && (a.n == 0 || memeql_sec(a.p, b.p, a.n)); }

void random_bytes(void *p, size_t n)
{
    char *to = p;
    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        if (got < 0 && errno != EINTR) {
            perror("mapferry: no random bytes");
            abort();
        }
        to += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
}

/* crypt_r takes C strings of limited length. */
static bool password_fits(str password)
{
    return password.n < CRYPT_MAX_PASSPHRASE_SIZE && str_find_char(password, 0, 0) == SIZE_MAX;
}

/* The hash of the password by the method, cost and salt in `setting`; false when libcrypt refuses. */
static bool password_crypt(str password, const char *setting, char out[CRYPT_OUTPUT_SIZE])
{
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE] = "";
    struct crypt_data *data = mem_alloc(sizeof *data); /* 32 KiB */
    if (password.n)
        memcpy(phrase, password.p, password.n);
    const char *hash = crypt_r(phrase, setting, data);
    bool ok = hash && hash[0] != '*'; /* "*0" and "*1" are libcrypt's failures */
    snprintf(out, CRYPT_OUTPUT_SIZE, "%s", ok ? hash : "");
    explicit_bzero(phrase, sizeof phrase);
    explicit_bzero(data, sizeof *data);
    mem_free(data);
    return ok;
}

int password_hash(struct ctx *ctx, str password, str *hash_out)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], hash[CRYPT_OUTPUT_SIZE];
    if (!password_fits(password))
        return err_set(ctx, &ERR_INVALID, "a password has at most %d bytes and no NUL", CRYPT_MAX_PASSPHRASE_SIZE - 1);
    if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting) || !password_crypt(password, setting, hash))
        return err_errno(ctx, errno, "cannot hash a password");
    *hash_out = arena_str(ctx->arena, str_c(hash));
    return RC_OK;
}

bool password_matches(str password, str hash)
{
    char setting[CRYPT_OUTPUT_SIZE] = "", again[CRYPT_OUTPUT_SIZE];
    if (!password_fits(password) || hash.n == 0 || hash.n >= sizeof setting)
        return false;
    memcpy(setting, hash.p, hash.n);
    return password_crypt(password, setting, again) && secret_eq(str_c(again), hash);
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

str base64_encode(struct arena *a, str bytes)
{
    size_t n = (bytes.n + 2) / 3 * 4;
    char *text = arena_alloc(a, n + 1), *to = text;
    const uint8_t *from = (const uint8_t *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t three = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) | (left > 2 ? from[i + 2] : 0);
        *to++ = base64_digits[three >> 18];
        *to++ = base64_digits[three >> 12 & 63];
        *to++ = left > 1 ? base64_digits[three >> 6 & 63] : '=';
        *to++ = left > 2 ? base64_digits[three & 63] : '=';
    }
    return str_of(text, n);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct arena *a, str text, str *bytes_out)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=')
        padding++;
    if (text.n % 4 != 0)
        return false;
    size_t n = text.n / 4 * 3 - padding, filled = 0;
    char *bytes = arena_alloc(a, n + 1);
    uint32_t bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = i < text.n - padding ? base64_digit(text.p[i]) : 0;
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        for (int shift = 16; i % 4 == 3 && shift >= 0; shift -= 8) {
            char byte = (char)(bits >> shift & 0xFF);
            if (filled < n)
                bytes[filled++] = byte;
            else if (byte) /* bits that no encoder writes: one value, one text */
                return false;
        }
    }
    *bytes_out = str_of(bytes, n);
    return true;
}
