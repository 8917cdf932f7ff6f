/* Users as data: their types, their JSON. */
#include "model/user.h"

/* User types of the API, each with its level. The first two are those that go with a role when nobody chose. */
enum { LICENSE_VIEWER, LICENSE_CREATOR };
static const struct license_row {
    const char *name, *level;
} licenses[] = {
    [LICENSE_VIEWER] = {"viewerUT", "1"},
    [LICENSE_CREATOR] = {"creatorUT", "2"},
    {"editorUT", "1"},
    {"contributorUT", "1"},
    {"fieldWorkerUT", "1"},
    {"storytellerUT", "2"},
    {"GISProfessionalBasicUT", "2"},
    {"GISProfessionalStdUT", "2"},
    {"GISProfessionalAdvUT", "2"},
};

role_privileges user_privileges(const struct user *u)
{
    return str_empty(u->role_id) ? role_privileges_of(u->role) : u->custom_privileges;
}

bool user_is_admin(const struct user *u) { return str_empty(u->role_id) && u->role == ROLE_ADMIN; }

static const struct license_row *license_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(licenses); i++)
        if (str_ieq(name, str_c(licenses[i].name)))
            return &licenses[i];
    return NULL;
}

bool user_license_parse(str s, str *out, bool *viewer_out)
{
    const struct license_row *row = license_find(s);
    if (!row)
        return false;
    *out = str_c(row->name);
    *viewer_out = row == &licenses[LICENSE_VIEWER];
    return true;
}

bool user_provider_parse(str s, str *out)
{
    static const char *const names[] = {"arcgis", "enterprise", "webadaptor"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_ieq(s, str_c(names[i]))) {
            *out = str_c(names[i]);
            return true;
        }
    return false;
}

static const struct license_row *license_of(const struct user *u)
{
    const struct license_row *row = license_find(u->license);
    bool viewer = u->role == ROLE_VIEWER && str_empty(u->role_id);
    return row ? row : &licenses[viewer ? LICENSE_VIEWER : LICENSE_CREATOR];
}

static str text_or_null(str s) { return str_empty(s) ? STR_NONE : s; }

static void private_members(struct json_out *o, const struct user *u, str org_id)
{
    const struct license_row *license = license_of(u);
    json_member_str(o, "id", id_str(&u->id));
    json_member_str(o, "preferredView", text_or_null(u->preferred_view));
    json_member_str(o, "email", text_or_null(u->email));
    json_member_c(o, "userType", "arcgisonly");
    json_member_str(o, "idpUsername", text_or_null(u->idp_username));
    json_member_str(o, "favGroupId", text_or_null(id_str(&u->favourites)));
    json_member_int(o, "lastLogin", u->last_login ? u->last_login : USER_NEVER);
    json_member_bool(o, "mfaEnabled", false);
    json_member_c(o, "access", item_access_name(u->access));
    json_member_int(o, "storageQuota", -1);
    json_member_str(o, "orgId", org_id);
    json_member_c(o, "role", role_id(u->role));
    /* clients take an administrator with a roleId for one of a custom role (rest-js isOrgAdmin) */
    if (!str_empty(u->role_id))
        json_member_str(o, "roleId", u->role_id);
    else if (u->role == ROLE_VIEWER)
        json_member_c(o, "roleId", role_id(u->role));
    json_member_c(o, "level", license->level);
    json_member_c(o, "userLicenseTypeId", license->name);
    json_name(o, "privileges");
    role_privileges_print(o, user_privileges(u));
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
    json_member_raw(o, "tags", str_empty(u->tags) ? STR("[]") : u->tags);
    json_member_str(o, "culture", text_or_null(u->culture));
    json_member_str(o, "region", text_or_null(u->region));
    json_member_str(o, "units", text_or_null(u->units));
    json_member_str(o, "thumbnail", text_or_null(u->thumbnail));
    json_member_int(o, "created", u->created);
    json_member_int(o, "modified", u->modified);
    json_member_str(o, "provider", str_empty(u->provider) ? STR("arcgis") : u->provider);
    if (full)
        private_members(o, u, org_id);
}

void user_print(struct json_out *o, const struct user *u, bool full, str org_id)
{
    json_begin_object(o);
    user_print_members(o, u, full, org_id);
    json_end_object(o);
}
