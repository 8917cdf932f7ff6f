/* Hashing, secrets and random bytes. The only room that knows the crypto libraries (nettle, libcrypt). */
#ifndef MAPFERRY_BASE_HASH_H
#define MAPFERRY_BASE_HASH_H

#include "base/ctx.h"

enum { HASH_SIZE = 32, HASH_HEX = 64 };
/* A SHA-256 digest; the name of a blob is its lower-case hex. */
struct hash {
    uint8_t bytes[HASH_SIZE];
};
struct hash_state {
    _Alignas(16) uint8_t opaque[128];
};
void hash_start(struct hash_state *s);
void hash_update(struct hash_state *s, const void *p, size_t n);
struct hash hash_finish(struct hash_state *s);
struct hash hash_of(str s);
bool hash_eq(struct hash a, struct hash b);
/* 64 hex characters and a NUL. */
void hash_hex(struct hash h, char out[HASH_HEX + 1]);
str hash_hex_str(struct arena *a, struct hash h);
bool hash_parse(str hex, struct hash *out);

/* Equality in time that depends on the lengths only. For tokens, keys, passwords. */
bool secret_eq(str a, str b);
/* Random bytes of the kernel; ends the process if the kernel has none. */
void random_bytes(void *p, size_t n);
/* Password at rest: yescrypt by crypt_r. hash_out lives in the arena. */
int password_hash(struct ctx *ctx, str password, str *hash_out);
bool password_matches(str password, str hash);
/* Standard base64 with padding. */
str base64_encode(struct arena *a, str bytes);
bool base64_decode(struct arena *a, str text, str *bytes_out);

#endif
