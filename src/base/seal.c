/* Sealing over nettle's ChaCha20-Poly1305 (RFC 8439). The nonce has 96 random bits: enough for as many secrets as a portal will
 * ever seal with one key. */
#include "base/seal.h"
#include "base/file.h"
#include "base/hash.h"

#include <nettle/chacha-poly1305.h>

enum { NONCE = CHACHA_POLY1305_NONCE_SIZE, TAG = CHACHA_POLY1305_DIGEST_SIZE };

int seal_key_open(struct ctx *ctx, const char *path, struct seal_key *out)
{
    str text;
    if (!file_exists(path)) {
        random_bytes(out->bytes, sizeof out->bytes);
        return file_write_all(ctx, path, str_of(out->bytes, sizeof out->bytes), 0600);
    }
    TRY(file_read_all(ctx, path, SEAL_KEY_SIZE + 1, &text));
    if (text.n != SEAL_KEY_SIZE)
        return err_set(ctx, &ERR_CORRUPT, "%s is no key: it has to have %d bytes", path, SEAL_KEY_SIZE);
    memcpy(out->bytes, text.p, sizeof out->bytes);
    return RC_OK;
}

static void start(struct chacha_poly1305_ctx *c, const struct seal_key *key, const uint8_t *nonce, str about)
{
    chacha_poly1305_set_key(c, key->bytes);
    chacha_poly1305_set_nonce(c, nonce);
    chacha_poly1305_update(c, about.n, (const uint8_t *)about.p);
}

str seal_close(struct arena *a, const struct seal_key *key, str about, str plain)
{
    struct chacha_poly1305_ctx c;
    size_t n = NONCE + plain.n + TAG;
    uint8_t *out = arena_alloc(a, n);
    random_bytes(out, NONCE);
    start(&c, key, out, about);
    chacha_poly1305_encrypt(&c, plain.n, out + NONCE, (const uint8_t *)plain.p);
    chacha_poly1305_digest(&c, TAG, out + NONCE + plain.n);
    return str_of(out, n);
}

bool seal_open(struct arena *a, const struct seal_key *key, str about, str sealed, str *plain_out)
{
    struct chacha_poly1305_ctx c;
    uint8_t tag[TAG];
    if (sealed.n < NONCE + TAG)
        return false;
    const uint8_t *in = (const uint8_t *)sealed.p;
    size_t n = sealed.n - NONCE - TAG;
    uint8_t *out = arena_alloc(a, n + 1);
    start(&c, key, in, about);
    chacha_poly1305_decrypt(&c, n, out, in + NONCE);
    chacha_poly1305_digest(&c, TAG, tag);
    *plain_out = str_of(out, n);
    return secret_eq(str_of(tag, TAG), str_of(in + NONCE + n, TAG));
}
