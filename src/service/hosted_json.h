/* Objects written anew with some members replaced and others added, all else as it was: how definitions are completed, changed
 * and shown without losing what we do not know. */
#ifndef MAPFERRY_SERVICE_HOSTED_JSON_H
#define MAPFERRY_SERVICE_HOSTED_JSON_H

#include "codec/json/json.h"

struct hosted_member {
    const char *name;
    str raw;      /* JSON text; STR_NONE: the member is left out */
    bool replace; /* false: only when the object has no such member, or null there */
};
/* The members of `object` (which may be absent) and the list, without braces. */
void hosted_json_members(struct json_out *o, struct json object, const struct hosted_member *list, size_t count);
/* The same as an object, as text in the arena. */
str hosted_json_object(struct ctx *ctx, struct json object, const struct hosted_member *list, size_t count);
/* A text as JSON string, in the arena. */
str hosted_json_string(struct ctx *ctx, str s);

#endif
