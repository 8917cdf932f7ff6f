/* Groups and folders: pure data. */
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
    bool favourites;          /* what one user marked; nobody else sees it, and being in it gives no rights */
    bool has_category_schema; /* read only: see meta_people.h */
    int64_t applications;     /* of users who ask to be let in; read only, for those who decide about them */
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

#endif
