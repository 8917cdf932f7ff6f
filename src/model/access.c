/* Who may. See access.h; every function is a pure decision over the facts it is given. */
#include "model/access.h"

static bool at_least(const struct caller *c, enum role role) { return !c->anonymous && c->role >= role; }

bool access_is_self(const struct caller *c, str username)
{
    return !c->anonymous && !str_empty(username) && str_ieq(c->username, username);
}

bool access_administer(const struct caller *c) { return at_least(c, ROLE_ADMIN); }

/* Everything that only an owner and an administrator may. */
static bool owns(const struct caller *c, str owner) { return access_administer(c) || access_is_self(c, owner); }

/* ---- items ---- */

static bool is_member(const struct caller *c, const struct access_group *g)
{
    return !c->anonymous && g->member >= MEMBER_MEMBER;
}

static bool manages(const struct caller *c, const struct access_group *g)
{
    return at_least(c, ROLE_USER) && (access_administer(c) || g->member >= MEMBER_ADMIN);
}

bool access_item_read(const struct caller *c, const struct access_item *it)
{
    if (it->access == ITEM_PUBLIC || (it->access == ITEM_ORG && !c->anonymous) || owns(c, it->owner))
        return true;
    for (size_t i = 0; i < it->group_count; i++)
        if (is_member(c, &it->groups[i]))
            return true;
    return false;
}

bool access_item_update(const struct caller *c, const struct access_item *it)
{
    if (owns(c, it->owner))
        return true;
    for (size_t i = 0; i < it->group_count && at_least(c, ROLE_USER); i++)
        if (it->groups[i].shared_update && is_member(c, &it->groups[i]))
            return true;
    return false;
}

bool access_item_delete(const struct caller *c, const struct access_item *it) { return owns(c, it->owner); }

bool access_item_see_sharing(const struct caller *c, const struct access_item *it) { return owns(c, it->owner); }

bool access_item_set_access(const struct caller *c, const struct access_item *it)
{
    return owns(c, it->owner) && at_least(c, ROLE_USER);
}

bool access_item_share(const struct caller *c, const struct access_item *it, const struct access_group *to)
{
    if (!access_item_set_access(c, it))
        return false;
    return to->view_only ? manages(c, to) : access_administer(c) || is_member(c, to);
}

bool access_item_unshare(const struct caller *c, const struct access_item *it, const struct access_group *from)
{
    return owns(c, it->owner) || manages(c, from);
}

const char *access_item_control(const struct caller *c, const struct access_item *it)
{
    if (owns(c, it->owner))
        return "admin";
    if (access_item_update(c, it))
        return "update";
    return access_item_read(c, it) ? "view" : NULL;
}

bool access_content_add(const struct caller *c, str content_owner) { return owns(c, content_owner) && at_least(c, ROLE_USER); }

bool access_content_list(const struct caller *c, str content_owner) { return owns(c, content_owner); }

bool access_publish(const struct caller *c) { return at_least(c, ROLE_PUBLISHER); }

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
    static const char *const names[] = {[FEATURE_CREATE] = "Create", [FEATURE_UPDATE] = "Update", [FEATURE_DELETE] = "Delete"};
    if (has_capability(capabilities, names[right]))
        return true;
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
    return allows_edit(capabilities, right) && (it->access == ITEM_PUBLIC || at_least(c, ROLE_USER));
}

bool access_feature_of(const struct caller *c, const struct access_item *it, str creator, bool others_may, bool anonymous_may)
{
    return access_item_update(c, it) || access_is_self(c, creator) || (c->anonymous ? anonymous_may : others_may);
}

/* ---- groups ---- */

bool access_group_create(const struct caller *c) { return at_least(c, ROLE_USER); }

bool access_group_see(const struct caller *c, const struct access_group *g)
{
    return g->access == ITEM_PUBLIC || (g->access == ITEM_ORG && !c->anonymous) || is_member(c, g) || access_administer(c);
}

bool access_group_update(const struct caller *c, const struct access_group *g) { return manages(c, g); }

bool access_group_delete(const struct caller *c, const struct access_group *g)
{
    return access_administer(c) || (!c->anonymous && g->member == MEMBER_OWNER);
}

bool access_group_manage_members(const struct caller *c, const struct access_group *g) { return manages(c, g); }

bool access_group_see_members(const struct caller *c, const struct access_group *g)
{
    return g->hidden_members ? manages(c, g) : !c->anonymous && access_group_see(c, g);
}

bool access_group_move(const struct caller *c, const struct access_group *g) { return access_group_delete(c, g); }

/* ---- users and jobs ---- */

bool access_user_see(const struct caller *c, str username, enum item_access access)
{
    return access == ITEM_PUBLIC || (access == ITEM_ORG && !c->anonymous) || owns(c, username);
}

bool access_user_details(const struct caller *c, str username) { return owns(c, username); }

bool access_job_see(const struct caller *c, str job_owner, bool key_matches)
{
    return access_administer(c) || (access_is_self(c, job_owner) && key_matches);
}
