/* Groups as data: JSON of the Sharing API. */
#include "model/group.h"

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
    json_member_bool(o, "isFav", g->favourites);
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
    json_member_int(o, "applications", g->applications);
    json_end_object(o);
    json_member_null(o, "collaborationInfo");
    json_member_bool(o, "protected", g->protected);
    json_member_bool(o, "autoJoin", g->auto_join);
    json_member_bool(o, "notificationsEnabled", true);
    json_member_bool(o, "hasCategorySchema", g->has_category_schema);
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
