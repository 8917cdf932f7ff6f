/* Users: pure data, and the JSON of the Sharing API. */
#ifndef MAPFERRY_MODEL_USER_H
#define MAPFERRY_MODEL_USER_H

#include "base/id.h"
#include "model/item.h"
#include "model/role.h"

/* Never: the times of a user that have not come, as the API prints them. */
enum { USER_NEVER = -1 };

struct user {
    str username; /* as written at creation; unique without regard to case */
    id id;        /* the hidden user id; user paths accept it as well */
    str full_name, first_name, last_name, email, description, culture, region, units, thumbnail;
    str tags; /* JSON array text */
    enum item_access access;
    enum role role;                    /* of a custom role: the default role that it is at least (role_floor) */
    str role_id;                       /* of a custom role, else "" */
    role_privileges custom_privileges; /* of that role */
    str license;                       /* user type: "creatorUT"; "" the one that goes with the role */
    str provider, idp_username;        /* "arcgis", "enterprise", "webadaptor"; the name where the others sign in */
    str preferred_view;                /* "Web", "GIS", "" none */
    id favourites;                     /* the group of favourites, ID_NONE without */
    bool disabled;
    str properties;           /* JSON text or "" */
    str password_hash;        /* never printed */
    int64_t password_expires; /* 0: never */
    int64_t created, modified, last_login;
};
role_privileges user_privileges(const struct user *u);
/* Of the administrators' role, which no custom role is. */
bool user_is_admin(const struct user *u);

/* User types: the spelling of the table, false when it is none. *viewer_out: it goes with roles that only view. */
bool user_license_parse(str s, str *out, bool *viewer_out);
bool user_provider_parse(str s, str *out);

/* full: what the user itself and administrators see. */
void user_print(struct json_out *o, const struct user *u, bool full, str org_id);
/* The members of that object without its braces, for answers that add some ("groups"). */
void user_print_members(struct json_out *o, const struct user *u, bool full, str org_id);

#endif
