/* Who may: one function per question, pure, over facts that the caller looked up. Every place that has to decide asks here, so
 * that search, reading, the layers of a service and the group operations can never disagree.
 *
 * The rules are those of the Sharing API: private items belong to their owner and the administrators; "org" is every signed-in
 * user, "public" everyone; an item that is shared with a group is read by its members and, in a shared-update group, updated by
 * them. What beyond that somebody may with things of his own and of others is what his role holds (model/privileges.def). */
#ifndef MAPFERRY_MODEL_ACCESS_H
#define MAPFERRY_MODEL_ACCESS_H

#include "model/group.h"
#include "model/user.h"

/* Who asks. anonymous: nobody is signed in, and the other members have no meaning. custom: the role is one that administrators
 * made, and `privileges` is what it holds; role then is role_floor of them. */
struct caller {
    str username;
    bool anonymous, custom;
    enum role role;
    role_privileges privileges;
};
#define CALLER_ANONYMOUS ((struct caller){.anonymous = true})
struct caller access_caller(const struct user *u); /* that user, signed in */
/* A caller as members of an object and back, for requests that are stored until they run. False when something is missing. */
void access_caller_print(struct json_out *o, const struct caller *c);
bool access_caller_parse(struct arena *a, struct json v, struct caller *out);

/* A group as the questions need it, seen from the caller. */
struct access_group {
    enum member_type member; /* what the caller is in it */
    enum item_access access; /* who sees the group: private (members), org, public */
    bool shared_update;      /* capability updateitemcontrol */
    bool view_only;          /* only owner and managers contribute items */
    bool hidden_members;
    bool read_only;  /* nobody changes what is in it */
    bool favourites; /* being in it gives no rights */
};

/* An item as the questions need it. */
struct access_item {
    str owner;
    enum item_access access;
    const struct access_group *groups; /* those it is shared with */
    size_t group_count;
};

/* Is the caller this user? Names are compared without regard to case. False for anonymous callers. */
bool access_is_self(const struct caller *c, str username);
bool access_administer(const struct caller *c);
/* Things of the organization that everybody sees who belongs to it: the answers of searches, decided in SQL. */
struct access_sight {
    bool all; /* private ones of others as well */
    bool org; /* those that are shared with the organization */
};
struct access_sight access_items_sight(const struct caller *c);
struct access_sight access_groups_sight(const struct caller *c);
struct access_sight access_users_sight(const struct caller *c);

/* ---- items ---- */
bool access_item_read(const struct caller *c, const struct access_item *it);
bool access_item_update(const struct caller *c, const struct access_item *it);
bool access_item_delete(const struct caller *c, const struct access_item *it);
/* The groups an item is shared with, all of them, and its user-item resource. */
bool access_item_see_sharing(const struct caller *c, const struct access_item *it);
/* Changing its sharing at all; and making it private, org or public. */
bool access_item_change_sharing(const struct caller *c, const struct access_item *it);
bool access_item_set_access(const struct caller *c, const struct access_item *it, enum item_access to);
bool access_item_share(const struct caller *c, const struct access_item *it, const struct access_group *to);
/* Taking it out of a group: its owner, the group's owner and managers. */
bool access_item_unshare(const struct caller *c, const struct access_item *it, const struct access_group *from);
/* itemControl of the item resource: "admin", "update", "view", or NULL when the caller may not read it. */
const char *access_item_control(const struct caller *c, const struct access_item *it);
/* Comments and ratings are of signed-in users who read the item; nobody rates what is his. A comment is changed by its author,
 * and taken away also by those who own the item. */
bool access_item_comment(const struct caller *c, const struct access_item *it);
bool access_item_rate(const struct caller *c, const struct access_item *it);
bool access_comment_update(const struct caller *c, const struct access_item *it, str author);
bool access_comment_delete(const struct caller *c, const struct access_item *it, str author);
/* Adding an item or folder to the content of a user, or moving one there. */
bool access_content_add(const struct caller *c, str content_owner);
/* Giving an item of one user to another one: not for owners, since the other one was not asked. */
bool access_item_reassign(const struct caller *c);
/* Listing everything a user owns, private items included. */
bool access_content_list(const struct caller *c, str content_owner);
/* Publishing a file or creating a hosted service. */
bool access_publish(const struct caller *c);

/* ---- features of a hosted service ---- */
enum feature_right {
    FEATURE_QUERY,
    FEATURE_CREATE,
    FEATURE_UPDATE,
    FEATURE_DELETE,
    FEATURE_APPEND,
    FEATURE_EXTRACT,
    FEATURE_CHANGES,
    FEATURE_UPLOAD
};
/* capabilities: of the service ("Query,Editing,Create"). Who may update the item may do everything with its features; others need
 * to read the item and the capability. "Editing" without any of Create, Update, Delete stands for all three. Anonymous users and
 * viewers edit public layers only. */
bool access_features(const struct caller *c, const struct access_item *it, str capabilities, enum feature_right right);

/* Ownership-based access to features: may the caller read, change or delete one that this user made, where others may or may not?
 * Who may update the item may. */
bool access_feature_of(const struct caller *c, const struct access_item *it, str creator, bool others_may, bool anonymous_may);

/* ---- groups ---- */
bool access_group_create(const struct caller *c);
bool access_group_see(const struct caller *c, const struct access_group *g);
bool access_group_set_access(const struct caller *c, enum item_access to); /* of a group that the caller may create or update */
bool access_group_update(const struct caller *c, const struct access_group *g); /* owner, managers */
bool access_group_delete(const struct caller *c, const struct access_group *g); /* owner: delete, protect */
bool access_group_reassign(const struct caller *c, const struct access_group *g);
/* Asking to be let in, or being let in where that needs no asking. */
bool access_group_join(const struct caller *c, const struct access_group *g);
bool access_group_manage_members(const struct caller *c, const struct access_group *g);
/* Adding members without asking them. */
bool access_group_assign(const struct caller *c, const struct access_group *g);
bool access_group_see_members(const struct caller *c, const struct access_group *g);
/* Export of a group's content and import into it: owner or administrator (group export document). */
bool access_group_move(const struct caller *c, const struct access_group *g);

/* ---- users and jobs ---- */
/* The short form of a user's resource, by the user's own access setting. */
bool access_user_see(const struct caller *c, str username, enum item_access access);
/* The full form (email, role, storage), and what hangs below it. */
bool access_user_details(const struct caller *c, str username);
bool access_user_create(const struct caller *c);
/* Doing to another user what the privilege is about. Nobody but an administrator does so to an administrator or to somebody whose
 * role holds more than the caller's. */
bool access_user_manage(const struct caller *c, const struct user *u, enum privilege p);
/* Profile and settings of a user: their own and who may update users. */
bool access_user_update(const struct caller *c, const struct user *u);
/* Giving somebody a role: never one that holds more than the caller's. */
bool access_role_give(const struct caller *c, const struct user *as);

/* ---- the organization ---- */
bool access_org_see(const struct caller *c, bool org_public); /* portals/self and the resources */
bool access_org_update(const struct caller *c);               /* its properties and resources */
bool access_org_members(const struct caller *c);              /* listing its members and roles */
bool access_roles_manage(const struct caller *c);
/* Administrators see every job; the owner of one needs its key as well (key_matches: compared in constant time by the caller). */
bool access_job_see(const struct caller *c, str job_owner, bool key_matches);

#endif
