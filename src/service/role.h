/* Custom roles: the use cases. Those who see the members of the organization read them; administrators make and change them. */
#ifndef MAPFERRY_SERVICE_ROLE_H
#define MAPFERRY_SERVICE_ROLE_H

#include "model/access.h"
#include "service/site.h"

struct role_input {
    str name, description; /* STR_NONE: not given */
    str privileges;        /* JSON array of texts, {"privileges":[…]}, or texts separated by commas; STR_NONE: not given */
};
/* Errors: ERR_ROLE_MISSING, ERR_FORBIDDEN, ERR_PARAMETER, ERR_ROLE with the reason (name taken, still in use). */
int role_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct role_input *in, struct custom_role *out);
int role_update(struct ctx *ctx, struct site *s, const struct caller *c, str role, const struct role_input *in,
                struct custom_role *out);
int role_delete(struct ctx *ctx, struct site *s, const struct caller *c, str role);
/* Also the default roles by their ids: name and privileges. */
int role_get(struct ctx *ctx, struct site *s, const struct caller *c, str role, struct custom_role *out);
int role_list(struct ctx *ctx, struct site *s, const struct caller *c, struct custom_role **out, size_t *count_out);

#endif
