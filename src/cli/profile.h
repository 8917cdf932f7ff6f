/* Profiles: the portals that a user works with, one file each in ~/.config/mapferry (0600). Passwords and tokens stay in the
 * files that were named. */
#ifndef MAPFERRY_CLI_PROFILE_H
#define MAPFERRY_CLI_PROFILE_H

#include "base/ctx.h"

struct profile {
    str name, url, user, password_file, token_file, cert, key, ca, proxy;
    bool insecure;
};
/* Written whole or not at all; one of that name is replaced. The strings of what is loaded are in the arena. */
int profile_store(struct ctx *ctx, const struct profile *p);
int profile_load(struct ctx *ctx, str name, struct profile *out); /* RC_NOT_FOUND */
int profile_remove(struct ctx *ctx, str name);                    /* RC_NOT_FOUND */
int profile_list(struct ctx *ctx, struct profile **out, size_t *count_out);

#endif
