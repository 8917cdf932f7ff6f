/* Groups, folders and users: pure data. */
#ifndef MAPFERRY_MODEL_GROUP_H
#define MAPFERRY_MODEL_GROUP_H

#include "base/id.h"
#include "model/item.h"

enum member_type { MEMBER_NONE, MEMBER_MEMBER, MEMBER_ADMIN, MEMBER_OWNER };
const char *member_type_name(enum member_type t); /* "none", "member", "admin", "owner" */

struct group {
    id id;
    str title, owner, description, snippet, phone, thumbnail;
    str tags;                   /* JSON array text */
    str sort_field, sort_order; /* "modified", "desc" */
    enum item_access access;    /* private, org, public */
    bool is_view_only, is_invitation_only, auto_join, is_read_only, hidden_members, leaving_disallowed, protected;
    bool update_item_control; /* capabilities ["updateitemcontrol"]: a shared-update group */
    str membership_access;    /* "org", "collaboration", "none" */
    str display_settings;     /* JSON text or "" */
    int64_t created, modified;
};
void group_print(struct json_out *o, const struct group *g, const char *member_type, str username); /* one group object */
/* The members of that object without its braces, for answers that add some ("orgId"). username "": not signed in. */
void group_print_members(struct json_out *o, const struct group *g, const char *member_type, str username);

struct folder {
    id id;
    str owner, title;
    int64_t created;
};

enum role { ROLE_VIEWER, ROLE_USER, ROLE_PUBLISHER, ROLE_ADMIN };
const char *role_id(enum role r);       /* "iAAAAAAAAAAAAAAA", "org_user", "org_publisher", "org_admin" */
bool role_parse(str s, enum role *out); /* also "viewer", "user", "publisher", "admin", "administrator", "account_*" */
struct user {
    str username; /* as written at creation; unique without regard to case */
    id id;        /* the hidden user id; user paths accept it as well */
    str full_name, first_name, last_name, email, description, culture, region, units, thumbnail;
    str tags; /* JSON array text */
    enum item_access access;
    enum role role;
    bool disabled;
    str properties;    /* JSON text or "" */
    str password_hash; /* never printed */
    int64_t created, modified, last_login;
};
/* full: what the user itself and administrators see. */
void user_print(struct json_out *o, const struct user *u, bool full, str org_id);
/* The members of that object without its braces, for answers that add some ("groups"). */
void user_print_members(struct json_out *o, const struct user *u, bool full, str org_id);
/* The privileges of a role, NULL-terminated. */
const char *const *role_privileges(enum role r);

#endif
