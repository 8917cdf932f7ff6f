/* Groups and users as data: JSON of the Sharing API, role tables. */
#include "model/group.h"

#include "base/cleanup.h"

const char *member_type_name(enum member_type t)
{
    static const char *const names[] = {
        [MEMBER_NONE] = "none", [MEMBER_MEMBER] = "member", [MEMBER_ADMIN] = "admin", [MEMBER_OWNER] = "owner"};
    return names[t];
}

static str text_or_null(str s) { return str_empty(s) ? STR_NONE : s; }

static void member_json(struct json_out *o, const char *name, str json_text, str otherwise)
{
    json_member_raw(o, name, str_empty(json_text) ? otherwise : json_text);
}

void group_print_members(struct json_out *o, const struct group *g, const char *member_type, str username)
{
    json_member_str(o, "id", id_str(&g->id));
    json_member_str(o, "title", g->title);
    json_member_bool(o, "isInvitationOnly", g->is_invitation_only);
    json_member_str(o, "owner", g->owner);
    json_member_str(o, "description", text_or_null(g->description));
    json_member_str(o, "snippet", text_or_null(g->snippet));
    member_json(o, "tags", g->tags, STR("[]"));
    json_member_raw(o, "typeKeywords", STR("[]"));
    json_member_str(o, "phone", text_or_null(g->phone));
    json_member_str(o, "sortField", text_or_null(g->sort_field));
    json_member_str(o, "sortOrder", text_or_null(g->sort_order));
    json_member_bool(o, "isViewOnly", g->is_view_only);
    json_member_bool(o, "isFav", false);
    json_member_str(o, "thumbnail", text_or_null(g->thumbnail));
    json_member_int(o, "created", g->created);
    json_member_int(o, "modified", g->modified);
    json_member_null(o, "provider");
    json_member_null(o, "providerGroupName");
    json_member_bool(o, "isReadOnly", g->is_read_only);
    json_member_c(o, "access", item_access_name(g->access));
    json_member_raw(o, "capabilities", g->update_item_control ? STR("[\"updateitemcontrol\"]") : STR("[]"));
    json_name(o, "userMembership");
    json_begin_object(o);
    if (!str_empty(username))
        json_member_str(o, "username", username);
    json_member_c(o, "memberType", member_type ? member_type : member_type_name(MEMBER_NONE));
    json_member_int(o, "applications", 0);
    json_end_object(o);
    json_member_null(o, "collaborationInfo");
    json_member_bool(o, "protected", g->protected);
    json_member_bool(o, "autoJoin", g->auto_join);
    json_member_bool(o, "notificationsEnabled", false);
    json_member_bool(o, "hasCategorySchema", false);
    json_member_str(o, "membershipAccess", text_or_null(g->membership_access));
    json_member_bool(o, "hiddenMembers", g->hidden_members);
    json_member_bool(o, "leavingDisallowed", g->leaving_disallowed);
    member_json(o, "displaySettings", g->display_settings, STR("{\"itemTypes\":\"\"}"));
}

void group_print(struct json_out *o, const struct group *g, const char *member_type, str username)
{
    json_begin_object(o);
    group_print_members(o, g, member_type, username);
    json_end_object(o);
}

/* ---- roles ---- */

#define PRIVILEGES_VIEW                                                                                                          \
    "portal:user:joinGroup", "portal:user:viewOrgGroups", "portal:user:viewOrgItems", "portal:user:viewOrgUsers"
#define PRIVILEGES_USER                                                                                                          \
    PRIVILEGES_VIEW, "features:user:edit", "portal:user:createGroup", "portal:user:createItem", "portal:user:shareGroupToOrg",   \
        "portal:user:shareGroupToPublic", "portal:user:shareToGroup", "portal:user:shareToOrg", "portal:user:shareToPublic"
#define PRIVILEGES_PUBLISHER PRIVILEGES_USER, "portal:publisher:publishFeatures"
#define PRIVILEGES_ADMIN                                                                                                         \
    PRIVILEGES_PUBLISHER, "features:user:fullEdit", "portal:admin:assignToGroups", "portal:admin:changeUserRoles",               \
        "portal:admin:deleteGroups", "portal:admin:deleteItems", "portal:admin:deleteUsers", "portal:admin:disableUsers",        \
        "portal:admin:inviteUsers", "portal:admin:reassignGroups", "portal:admin:reassignItems", "portal:admin:reassignUsers",   \
        "portal:admin:shareToGroup", "portal:admin:shareToOrg", "portal:admin:shareToPublic", "portal:admin:updateGroups",       \
        "portal:admin:updateItems", "portal:admin:updateUsers", "portal:admin:viewGroups", "portal:admin:viewItems",             \
        "portal:admin:viewUsers"

static const char *const viewer_privileges[] = {PRIVILEGES_VIEW, NULL};
static const char *const user_privileges[] = {PRIVILEGES_USER, NULL};
static const char *const publisher_privileges[] = {PRIVILEGES_PUBLISHER, NULL};
static const char *const admin_privileges[] = {PRIVILEGES_ADMIN, NULL};

/* One row a role; the spellings that clients and command lines use for it. */
static const struct role_row {
    const char *id, *spellings[4];
    const char *const *privileges;
    const char *license, *level; /* user type and its level, as clients ask for them */
} roles[] = {
    [ROLE_VIEWER] = {"iAAAAAAAAAAAAAAA", {"viewer", "account_viewer"}, viewer_privileges, "viewerUT", "1"},
    [ROLE_USER] = {"org_user", {"user", "account_user"}, user_privileges, "creatorUT", "2"},
    [ROLE_PUBLISHER] = {"org_publisher", {"publisher", "account_publisher"}, publisher_privileges, "creatorUT", "2"},
    [ROLE_ADMIN] = {"org_admin", {"admin", "administrator", "account_admin"}, admin_privileges, "creatorUT", "2"},
};

const char *role_id(enum role r) { return roles[r].id; }

bool role_parse(str s, enum role *out)
{
    for (unsigned r = 0; r < COUNT_OF(roles); r++) {
        bool match = str_ieq(s, str_c(roles[r].id));
        for (size_t i = 0; i < COUNT_OF(roles[r].spellings) && roles[r].spellings[i]; i++)
            match = match || str_ieq(s, str_c(roles[r].spellings[i]));
        if (match) {
            *out = (enum role)r;
            return true;
        }
    }
    return false;
}

const char *const *role_privileges(enum role r) { return roles[r].privileges; }

/* ---- users ---- */

static void user_private_members(struct json_out *o, const struct user *u, str org_id)
{
    const struct role_row *role = &roles[u->role];
    json_member_str(o, "id", id_str(&u->id));
    json_member_null(o, "preferredView");
    json_member_str(o, "email", text_or_null(u->email));
    json_member_c(o, "userType", "arcgisonly");
    json_member_null(o, "idpUsername");
    json_member_null(o, "favGroupId");
    json_member_int(o, "lastLogin", u->last_login ? u->last_login : -1);
    json_member_bool(o, "mfaEnabled", false);
    json_member_c(o, "access", item_access_name(u->access));
    json_member_int(o, "storageUsage", 0);
    json_member_int(o, "storageQuota", -1);
    json_member_str(o, "orgId", org_id);
    json_member_c(o, "role", role->id);
    if (u->role == ROLE_VIEWER) /* clients take an administrator with a roleId for one of a custom role (rest-js isOrgAdmin) */
        json_member_c(o, "roleId", role->id);
    json_member_c(o, "level", role->level);
    json_member_c(o, "userLicenseTypeId", role->license);
    json_name(o, "privileges");
    json_begin_array(o);
    for (const char *const *p = role->privileges; *p; p++)
        json_put_str(o, str_c(*p));
    json_end_array(o);
    json_member_bool(o, "disabled", u->disabled);
    json_member_null(o, "availableCredits");
    json_member_null(o, "assignedCredits");
}

void user_print_members(struct json_out *o, const struct user *u, bool full, str org_id)
{
    json_member_str(o, "username", u->username);
    json_member_str(o, "fullName", u->full_name);
    json_member_str(o, "firstName", u->first_name);
    json_member_str(o, "lastName", u->last_name);
    json_member_str(o, "description", text_or_null(u->description));
    member_json(o, "tags", u->tags, STR("[]"));
    json_member_str(o, "culture", text_or_null(u->culture));
    json_member_str(o, "region", text_or_null(u->region));
    json_member_str(o, "units", text_or_null(u->units));
    json_member_str(o, "thumbnail", text_or_null(u->thumbnail));
    json_member_int(o, "created", u->created);
    json_member_int(o, "modified", u->modified);
    json_member_c(o, "provider", "arcgis");
    if (full)
        user_private_members(o, u, org_id);
}

void user_print(struct json_out *o, const struct user *u, bool full, str org_id)
{
    json_begin_object(o);
    user_print_members(o, u, full, org_id);
    json_end_object(o);
}
