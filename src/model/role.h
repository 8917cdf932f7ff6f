/* Roles and their privileges: pure data. The four default roles are fixed; custom roles are rows that name privileges. */
#ifndef MAPFERRY_MODEL_ROLE_H
#define MAPFERRY_MODEL_ROLE_H

#include "codec/json/json.h"

enum role { ROLE_VIEWER, ROLE_USER, ROLE_PUBLISHER, ROLE_ADMIN, ROLE_COUNT };
const char *role_id(enum role r);       /* "iAAAAAAAAAAAAAAA", "org_user", "org_publisher", "org_admin" */
bool role_parse(str s, enum role *out); /* also "viewer", "user", "publisher", "admin", "administrator", "account_*" */

enum privilege {
#define PRIVILEGE(name, text, role) PRIVILEGE_##name,
#include "model/privileges.def"
#undef PRIVILEGE
    PRIVILEGE_COUNT
};
typedef uint64_t role_privileges; /* one bit each */
static inline bool role_holds(role_privileges set, enum privilege p) { return (set >> p) & 1; }
/* Those of a default role; each has what the one below it has. */
role_privileges role_privileges_of(enum role r);
/* The highest default role below the administrator that has nothing beyond the set: what code that knows the default roles only
 * may take a custom role for. */
enum role role_floor(role_privileges set);
/* A JSON array of texts. False when it is none or holds a text that is unknown; *unknown_out then is that text. */
bool role_privileges_parse(struct arena *a, struct json list, role_privileges *out, str *unknown_out);
void role_privileges_print(struct json_out *o, role_privileges set); /* the array */

/* A role that the administrators made. */
enum { ROLE_ID_SIZE = 16 };
struct custom_role {
    str id; /* 16 letters and digits */
    str name, description;
    role_privileges privileges;
    int64_t created, modified;
};
void role_print(struct json_out *o, const struct custom_role *r); /* id, name, description, times */

#endif
