/* Who may. See access.h; every function is a pure decision over the facts it is given. */
#include "model/access.h"

static bool may(const struct caller *c, enum privilege p)
{
    return !c->anonymous && role_holds(c->custom ? c->privileges : role_privileges_of(c->role), p);
}

struct caller access_caller(const struct user *u)
{
    return (struct caller){
        .username = u->username, .role = u->role, .custom = !str_empty(u->role_id), .privileges = user_privileges(u)};
}

void access_caller_print(struct json_out *o, const struct caller *c)
{
    json_member_str(o, "caller", c->username);
    json_member_c(o, "role", role_id(c->role));
    if (c->custom) {
        json_name(o, "privileges");
        role_privileges_print(o, c->privileges);
    }
}

bool access_caller_parse(struct arena *a, struct json v, struct caller *out)
{
    struct json privileges = json_get_c(v, "privileges");
    str unknown;
    *out = (struct caller){.username = json_string(json_get_c(v, "caller"), a), .custom = !json_absent(privileges)};
    return role_parse(json_string(json_get_c(v, "role"), a), &out->role) &&
           (!out->custom || role_privileges_parse(a, privileges, &out->privileges, &unknown));
}

bool access_is_self(const struct caller *c, str username)
{
    return !c->anonymous && !str_empty(username) && str_ieq(c->username, username);
}

bool access_administer(const struct caller *c) { return !c->anonymous && !c->custom && c->role == ROLE_ADMIN; }

struct access_sight access_items_sight(const struct caller *c)
{
    return (struct access_sight){.all = may(c, PRIVILEGE_VIEW_ITEMS), .org = may(c, PRIVILEGE_VIEW_ORG_ITEMS)};
}

struct access_sight access_groups_sight(const struct caller *c)
{
    return (struct access_sight){.all = may(c, PRIVILEGE_VIEW_GROUPS), .org = may(c, PRIVILEGE_VIEW_ORG_GROUPS)};
}

struct access_sight access_users_sight(const struct caller *c)
{
    return (struct access_sight){.all = may(c, PRIVILEGE_VIEW_USERS), .org = may(c, PRIVILEGE_VIEW_ORG_USERS)};
}

static bool sees(struct access_sight sight, enum item_access access)
{
    return access == ITEM_PUBLIC || (access == ITEM_ORG && sight.org) || sight.all;
}

/* What an owner may, and who has the privilege to do it to things of others. */
static bool owner_or(const struct caller *c, str owner, enum privilege others)
{
    return access_is_self(c, owner) || may(c, others);
}

/* ---- items ---- */

static bool is_member(const struct caller *c, const struct access_group *g)
{
    return !c->anonymous && g->member >= MEMBER_MEMBER;
}

/* The item's group lets its members at it. */
static bool through(const struct caller *c, const struct access_group *g) { return is_member(c, g) && !g->favourites; }

/* Owner or manager of the group, as far as the role goes, or somebody with the privilege. */
static bool manages(const struct caller *c, const struct access_group *g, enum privilege others)
{
    return (is_member(c, g) && g->member >= MEMBER_ADMIN && may(c, PRIVILEGE_CREATE_GROUP)) || may(c, others);
}

bool access_item_read(const struct caller *c, const struct access_item *it)
{
    if (sees(access_items_sight(c), it->access) || access_is_self(c, it->owner))
        return true;
    for (size_t i = 0; i < it->group_count; i++)
        if (through(c, &it->groups[i]))
            return true;
    return false;
}

bool access_item_update(const struct caller *c, const struct access_item *it)
{
    if (owner_or(c, it->owner, PRIVILEGE_UPDATE_ITEMS))
        return true;
    for (size_t i = 0; i < it->group_count && may(c, PRIVILEGE_CREATE_ITEM); i++)
        if (it->groups[i].shared_update && through(c, &it->groups[i]))
            return true;
    return false;
}

bool access_item_delete(const struct caller *c, const struct access_item *it)
{
    return owner_or(c, it->owner, PRIVILEGE_DELETE_ITEMS);
}

bool access_item_see_sharing(const struct caller *c, const struct access_item *it)
{
    return owner_or(c, it->owner, PRIVILEGE_VIEW_ITEMS);
}

/* Own things by one privilege, those of others by another one. */
static bool shares(const struct caller *c, const struct access_item *it, enum privilege own, enum privilege others)
{
    return access_is_self(c, it->owner) ? may(c, own) : may(c, others);
}

bool access_item_change_sharing(const struct caller *c, const struct access_item *it)
{
    return shares(c, it, PRIVILEGE_CREATE_ITEM, PRIVILEGE_UPDATE_ITEMS) ||
           shares(c, it, PRIVILEGE_SHARE_TO_GROUP, PRIVILEGE_SHARE_OTHERS_TO_GROUP) ||
           shares(c, it, PRIVILEGE_SHARE_TO_ORG, PRIVILEGE_SHARE_OTHERS_TO_ORG) ||
           shares(c, it, PRIVILEGE_SHARE_TO_PUBLIC, PRIVILEGE_SHARE_OTHERS_TO_PUBLIC);
}

bool access_item_set_access(const struct caller *c, const struct access_item *it, enum item_access to)
{
    if (to == ITEM_ORG)
        return shares(c, it, PRIVILEGE_SHARE_TO_ORG, PRIVILEGE_SHARE_OTHERS_TO_ORG);
    if (to == ITEM_PUBLIC)
        return shares(c, it, PRIVILEGE_SHARE_TO_PUBLIC, PRIVILEGE_SHARE_OTHERS_TO_PUBLIC);
    return access_item_change_sharing(c, it);
}

bool access_item_share(const struct caller *c, const struct access_item *it, const struct access_group *to)
{
    if (to->favourites)
        return is_member(c, to) && access_item_read(c, it);
    if (to->read_only || !shares(c, it, PRIVILEGE_SHARE_TO_GROUP, PRIVILEGE_SHARE_OTHERS_TO_GROUP))
        return false;
    if (to->view_only)
        return manages(c, to, PRIVILEGE_SHARE_OTHERS_TO_GROUP);
    return is_member(c, to) || may(c, PRIVILEGE_SHARE_OTHERS_TO_GROUP);
}

bool access_item_unshare(const struct caller *c, const struct access_item *it, const struct access_group *from)
{
    if (from->favourites)
        return is_member(c, from);
    return !from->read_only &&
           (owner_or(c, it->owner, PRIVILEGE_SHARE_OTHERS_TO_GROUP) || manages(c, from, PRIVILEGE_UPDATE_GROUPS));
}

const char *access_item_control(const struct caller *c, const struct access_item *it)
{
    if (access_is_self(c, it->owner) || (may(c, PRIVILEGE_UPDATE_ITEMS) && may(c, PRIVILEGE_DELETE_ITEMS)))
        return "admin";
    if (access_item_update(c, it))
        return "update";
    return access_item_read(c, it) ? "view" : NULL;
}

bool access_item_comment(const struct caller *c, const struct access_item *it)
{
    return !c->anonymous && access_item_read(c, it);
}

bool access_item_rate(const struct caller *c, const struct access_item *it)
{
    return access_item_comment(c, it) && !access_is_self(c, it->owner);
}

bool access_comment_update(const struct caller *c, const struct access_item *it, str author)
{
    return access_item_comment(c, it) && access_is_self(c, author);
}

bool access_comment_delete(const struct caller *c, const struct access_item *it, str author)
{
    return access_comment_update(c, it, author) || access_item_delete(c, it);
}

bool access_content_add(const struct caller *c, str content_owner)
{
    return owner_or(c, content_owner, PRIVILEGE_UPDATE_ITEMS) && may(c, PRIVILEGE_CREATE_ITEM);
}

bool access_item_reassign(const struct caller *c) { return may(c, PRIVILEGE_REASSIGN_ITEMS); }

bool access_content_list(const struct caller *c, str content_owner) { return owner_or(c, content_owner, PRIVILEGE_VIEW_ITEMS); }

bool access_publish(const struct caller *c) { return may(c, PRIVILEGE_PUBLISH_FEATURES); }

/* ---- features ---- */

static bool has_capability(str capabilities, const char *name)
{
    str piece;
    while (str_split(&capabilities, ',', &piece))
        if (str_ieq(str_trim(piece), str_c(name)))
            return true;
    return false;
}

static bool allows_edit(str capabilities, enum feature_right right)
{
    static const char *const names[] = {
        [FEATURE_CREATE] = "Create", [FEATURE_UPDATE] = "Update", [FEATURE_DELETE] = "Delete", [FEATURE_APPEND] = "Append"};
    if (has_capability(capabilities, names[right]))
        return true;
    if (right == FEATURE_APPEND)
        return false;
    for (int r = FEATURE_CREATE; r <= FEATURE_DELETE; r++)
        if (has_capability(capabilities, names[r]))
            return false;
    return has_capability(capabilities, "Editing");
}

bool access_features(const struct caller *c, const struct access_item *it, str capabilities, enum feature_right right)
{
    if (access_item_update(c, it))
        return true;
    if (!access_item_read(c, it))
        return false;
    if (right == FEATURE_QUERY)
        return has_capability(capabilities, "Query");
    if (right == FEATURE_EXTRACT)
        return has_capability(capabilities, "Extract");
    if (right == FEATURE_CHANGES)
        return has_capability(capabilities, "Query") && has_capability(capabilities, "ChangeTracking");
    if (right == FEATURE_UPLOAD)
        return has_capability(capabilities, "Uploads") &&
               (it->access == ITEM_PUBLIC || may(c, PRIVILEGE_EDIT_FEATURES) || may(c, PRIVILEGE_FULL_EDIT_FEATURES));
    if (may(c, PRIVILEGE_FULL_EDIT_FEATURES))
        return true;
    return allows_edit(capabilities, right) && (it->access == ITEM_PUBLIC || may(c, PRIVILEGE_EDIT_FEATURES));
}

bool access_feature_of(const struct caller *c, const struct access_item *it, str creator, bool others_may, bool anonymous_may)
{
    return access_item_update(c, it) || access_is_self(c, creator) || (c->anonymous ? anonymous_may : others_may);
}

/* ---- groups ---- */

bool access_group_create(const struct caller *c) { return may(c, PRIVILEGE_CREATE_GROUP); }

bool access_group_see(const struct caller *c, const struct access_group *g)
{
    return g->favourites ? is_member(c, g) : sees(access_groups_sight(c), g->access) || is_member(c, g);
}

bool access_group_set_access(const struct caller *c, enum item_access to)
{
    return to == ITEM_PRIVATE || may(c, to == ITEM_ORG ? PRIVILEGE_SHARE_GROUP_TO_ORG : PRIVILEGE_SHARE_GROUP_TO_PUBLIC);
}

bool access_group_update(const struct caller *c, const struct access_group *g) { return manages(c, g, PRIVILEGE_UPDATE_GROUPS); }

static bool owns_group(const struct caller *c, const struct access_group *g)
{
    return !c->anonymous && g->member == MEMBER_OWNER;
}

bool access_group_delete(const struct caller *c, const struct access_group *g)
{
    return owns_group(c, g) || may(c, PRIVILEGE_DELETE_GROUPS);
}

bool access_group_reassign(const struct caller *c, const struct access_group *g)
{
    return !g->favourites && (owns_group(c, g) || may(c, PRIVILEGE_REASSIGN_GROUPS));
}

bool access_group_join(const struct caller *c, const struct access_group *g)
{
    return may(c, PRIVILEGE_JOIN_GROUP) && access_group_see(c, g) && !g->favourites && !g->read_only;
}

bool access_group_manage_members(const struct caller *c, const struct access_group *g)
{
    return !g->favourites && !g->read_only && manages(c, g, PRIVILEGE_UPDATE_GROUPS);
}

bool access_group_assign(const struct caller *c, const struct access_group *g)
{
    return !g->favourites && !g->read_only && manages(c, g, PRIVILEGE_ASSIGN_TO_GROUPS);
}

bool access_group_see_members(const struct caller *c, const struct access_group *g)
{
    return g->hidden_members ? manages(c, g, PRIVILEGE_VIEW_GROUPS) : !c->anonymous && access_group_see(c, g);
}

bool access_group_move(const struct caller *c, const struct access_group *g)
{
    return !g->favourites && (owns_group(c, g) || access_administer(c)); /* marks are no right to read */
}

/* ---- users and jobs ---- */

bool access_user_see(const struct caller *c, str username, enum item_access access)
{
    return sees(access_users_sight(c), access) || access_is_self(c, username);
}

bool access_user_details(const struct caller *c, str username) { return owner_or(c, username, PRIVILEGE_VIEW_USERS); }

bool access_user_create(const struct caller *c) { return may(c, PRIVILEGE_INVITE_USERS); }

/* Does the caller's role hold all that the user's does? */
static bool outranks(const struct caller *c, const struct user *u)
{
    role_privileges own = c->custom ? c->privileges : role_privileges_of(c->role);
    return access_administer(c) || (!user_is_admin(u) && (user_privileges(u) & ~own) == 0);
}

bool access_user_manage(const struct caller *c, const struct user *u, enum privilege p) { return may(c, p) && outranks(c, u); }

bool access_user_update(const struct caller *c, const struct user *u)
{
    return access_is_self(c, u->username) || access_user_manage(c, u, PRIVILEGE_UPDATE_USERS);
}

bool access_role_give(const struct caller *c, const struct user *as) { return !c->anonymous && outranks(c, as); }

bool access_org_members(const struct caller *c) { return access_users_sight(c).org || access_users_sight(c).all; }

bool access_org_see(const struct caller *c, bool org_public) { return org_public || !c->anonymous; }

bool access_org_update(const struct caller *c) { return may(c, PRIVILEGE_MANAGE_WEBSITE); }

bool access_roles_manage(const struct caller *c) { return access_administer(c); }

bool access_job_see(const struct caller *c, str job_owner, bool key_matches)
{
    return access_administer(c) || (access_is_self(c, job_owner) && key_matches);
}
