/* Secrets at rest: authenticated encryption with a key in a file of its own, so that a copy of the database alone tells nothing.
 */
#ifndef MAPFERRY_BASE_SEAL_H
#define MAPFERRY_BASE_SEAL_H

#include "base/ctx.h"

enum { SEAL_KEY_SIZE = 32 };
struct seal_key {
    uint8_t bytes[SEAL_KEY_SIZE];
};
/* Reads the key of a file; a missing file is made with a fresh key, mode 0600, durable. ERR_CORRUPT when it is no key. */
int seal_key_open(struct ctx *ctx, const char *path, struct seal_key *out);

/* ChaCha20-Poly1305 with a random nonce. about: what the secret belongs to; it is not stored, and opening needs the same. The
 * result is in the arena: nonce, encrypted bytes, tag. */
str seal_close(struct arena *a, const struct seal_key *key, str about, str plain);
/* False when it was not sealed with that key for that, or was changed. */
bool seal_open(struct arena *a, const struct seal_key *key, str about, str sealed, str *plain_out);

#endif
