/* What can be searched: the fields of items, groups and users by their names in a query, where their values are, and which are
 * searched when no field is named. A word in the title says more about an item than one in its tags, and that more than one in
 * its description. */
#include "store/meta_search_private.h"

enum { W_TITLE = 8, W_TAGS = 4, W_SUMMARY = 2, W_TEXT = 1 };

static const struct meta_field fields_of_items[] = {
    {.name = "title", .kind = FIELD_WORDS, .bit = TERM_ITEM_TITLE, .weight = W_TITLE},
    {.name = "snippet", .kind = FIELD_WORDS, .bit = TERM_ITEM_SNIPPET, .weight = W_SUMMARY},
    {.name = "description", .kind = FIELD_WORDS, .bit = TERM_ITEM_DESCRIPTION, .weight = W_TEXT},
    {.name = "accessinformation", .kind = FIELD_WORDS, .bit = TERM_ITEM_CREDITS, .weight = W_TEXT},
    {.name = "licenseinfo", .kind = FIELD_WORDS, .bit = TERM_ITEM_LICENSE},
    {.name = "categoryfilters", .kind = FIELD_WORDS, .bit = TERM_ITEM_CATEGORIES},
    /* named, these are compared as a whole; not named, by their words */
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_ITEM_TAGS, .weight = W_TAGS},
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_ITEM_TYPE, .weight = W_SUMMARY},
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_ITEM_KEYWORDS, .weight = W_TEXT},
    {.name = "tags", .kind = FIELD_WHOLE, .bit = TERM_ITEM_WHOLE_TAGS},
    {.name = "type", .kind = FIELD_WHOLE, .bit = TERM_ITEM_WHOLE_TYPE},
    {.name = "typekeywords", .kind = FIELD_WHOLE, .bit = TERM_ITEM_WHOLE_KEYWORDS},
    {.name = "categories", .kind = FIELD_WHOLE, .bit = TERM_ITEM_WHOLE_CATEGORIES},
    {.name = "owner", .kind = FIELD_WHOLE, .bit = TERM_ITEM_OWNER},
    {.name = "ownerfolder", .kind = FIELD_WHOLE, .bit = TERM_ITEM_FOLDER, .own = true},
    {.name = "protected", .kind = FIELD_FLAG, .bit = TERM_ITEM_PROTECTED},
    {.name = "name", .kind = FIELD_WHOLE, .bit = TERM_ITEM_NAME},
    {.name = "culture", .kind = FIELD_WHOLE, .bit = TERM_ITEM_CULTURE},
    {.name = "spatialreference", .kind = FIELD_WHOLE, .bit = TERM_ITEM_SPATIAL_REFERENCE},
    {.name = "contentstatus", .kind = FIELD_WHOLE, .bit = TERM_ITEM_STATUS},
    {.name = "access", .kind = FIELD_ACCESS, .bit = TERM_ITEM_ACCESS},
    {.name = "group", .kind = FIELD_GROUP, .bit = TERM_ITEM_GROUP},
    {.name = "id", .kind = FIELD_TEXT, .column = "item.id"},
    {.name = "url", .kind = FIELD_TEXT, .column = "item.url_fold"},
    {.name = "created", .kind = FIELD_PACKED, .packed = COLUMN_CREATED},
    {.name = "modified", .kind = FIELD_PACKED, .packed = COLUMN_MODIFIED},
    {.name = "size", .kind = FIELD_PACKED, .packed = COLUMN_SIZE},
    {.name = "numviews", .kind = FIELD_PACKED, .packed = COLUMN_VIEWS},
    {.name = "numratings", .kind = FIELD_PACKED, .packed = COLUMN_RATINGS},
    {.name = "numcomments", .kind = FIELD_PACKED, .packed = COLUMN_COMMENTS},
    {.name = "avgrating", .kind = FIELD_PACKED, .packed = COLUMN_RATING},
    {.name = "orgid", .kind = FIELD_ORG},
    {.name = NULL},
};
static const struct meta_field fields_of_groups[] = {
    {.name = "title", .kind = FIELD_WORDS, .bit = TERM_GROUP_TITLE, .weight = W_TITLE},
    {.name = "snippet", .kind = FIELD_WORDS, .bit = TERM_GROUP_SNIPPET, .weight = W_SUMMARY},
    {.name = "description", .kind = FIELD_WORDS, .bit = TERM_GROUP_DESCRIPTION, .weight = W_TEXT},
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_GROUP_TAGS, .weight = W_TAGS},
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_GROUP_OWNER, .weight = W_TEXT},
    {.name = "tags", .kind = FIELD_WHOLE, .bit = TERM_GROUP_WHOLE_TAGS},
    {.name = "owner", .kind = FIELD_WHOLE, .bit = TERM_GROUP_WHOLE_OWNER},
    {.name = "access", .kind = FIELD_ACCESS, .bit = TERM_GROUP_ACCESS},
    {.name = "id", .kind = FIELD_TEXT, .column = "portal_group.id"},
    {.name = "phone", .kind = FIELD_TEXT, .column = "LOWER(portal_group.phone)"},
    {.name = "created", .kind = FIELD_NUMBER, .column = "portal_group.created"},
    {.name = "modified", .kind = FIELD_NUMBER, .column = "portal_group.modified"},
    {.name = "isinvitationonly", .kind = FIELD_FLAG, .column = "portal_group.is_invitation_only"},
    {.name = "isviewonly", .kind = FIELD_FLAG, .column = "portal_group.is_view_only"},
    {.name = "orgid", .kind = FIELD_ORG},
    {.name = NULL},
};
#define ROLE_NAME                                                                                                                \
    "CASE WHEN portal_user.role_id <> '' THEN LOWER(portal_user.role_id) WHEN portal_user.role = 3 THEN 'org_admin' "            \
    "WHEN portal_user.role = 2 THEN 'org_publisher' WHEN portal_user.role = 1 THEN 'org_user' ELSE 'iaaaaaaaaaaaaaaa' END"
static const struct meta_field fields_of_users[] = {
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_USER_USERNAME, .weight = W_TITLE},
    {.name = "fullname", .kind = FIELD_WORDS, .bit = TERM_USER_FULL_NAME, .weight = W_TITLE},
    {.name = "firstname", .kind = FIELD_WORDS, .bit = TERM_USER_FIRST_NAME},
    {.name = "lastname", .kind = FIELD_WORDS, .bit = TERM_USER_LAST_NAME},
    {.name = "description", .kind = FIELD_WORDS, .bit = TERM_USER_DESCRIPTION},
    {.name = "", .kind = FIELD_WORDS, .bit = TERM_USER_EMAIL, .weight = W_TEXT, .confidential = true},
    {.name = "tags", .kind = FIELD_WHOLE, .bit = TERM_USER_WHOLE_TAGS},
    {.name = "access", .kind = FIELD_ACCESS, .bit = TERM_USER_ACCESS},
    {.name = "username", .kind = FIELD_TEXT, .column = "portal_user.username_fold"},
    {.name = "id", .kind = FIELD_TEXT, .column = "portal_user.id"},
    {.name = "email", .kind = FIELD_TEXT, .column = "LOWER(portal_user.email)", .confidential = true},
    {.name = "created", .kind = FIELD_NUMBER, .column = "portal_user.created"},
    {.name = "modified", .kind = FIELD_NUMBER, .column = "portal_user.modified"},
    {.name = "lastlogin", .kind = FIELD_NUMBER, .column = "portal_user.last_login", .confidential = true},
    {.name = "role", .kind = FIELD_TEXT, .confidential = true, .column = ROLE_NAME},
    {.name = "roleid", .kind = FIELD_TEXT, .confidential = true, .column = ROLE_NAME},
    {.name = "userlicensetype", .kind = FIELD_TEXT, .confidential = true, .column = "LOWER(portal_user.license)"},
    {.name = "provider", .kind = FIELD_TEXT, .column = "LOWER(portal_user.provider)"},
    {.name = "disabled", .kind = FIELD_FLAG, .column = "portal_user.disabled", .confidential = true},
    {.name = "orgid", .kind = FIELD_ORG},
    {.name = NULL},
};
_Static_assert(ROLE_ADMIN == 3 && ROLE_PUBLISHER == 2 && ROLE_USER == 1, "the roles in the table above");

const struct meta_entity meta_item_entity = {
    .kind = META_ITEM, .table = "item", .fields = fields_of_items, .access = TERM_ITEM_ACCESS, .in_groups = true};
const struct meta_entity meta_group_entity = {
    .kind = META_GROUP,
    .table = "portal_group",
    .fields = fields_of_groups,
    .access = TERM_GROUP_ACCESS,
    .own = "SELECT portal_group.number FROM group_member JOIN portal_group ON portal_group.id = group_member.group_id WHERE "
           "group_member.username = ? AND portal_group.favourites = 0 UNION SELECT portal_group.number FROM portal_group WHERE "
           "portal_group.owner = ? AND portal_group.favourites = 0",
    .own_values = 2};
const struct meta_entity meta_user_entity = {.kind = META_USER,
                                             .table = "portal_user",
                                             .fields = fields_of_users,
                                             .access = TERM_USER_ACCESS,
                                             .own = "SELECT portal_user.number FROM portal_user WHERE portal_user.username = ?",
                                             .own_values = 1};

static bool may_search(const struct meta_field *f, const struct viewer *who) { return who->admin || !f->confidential; }

const struct meta_field *meta_field_find(const struct meta_entity *e, const struct viewer *who, str name)
{
    for (const struct meta_field *f = e->fields; f->name; f++)
        if (str_eq(name, str_c(f->name)))
            return may_search(f, who) ? f : NULL;
    return NULL;
}

int64_t meta_fields_standard(const struct meta_entity *e, const struct viewer *who, unsigned weight)
{
    int64_t fields = 0;
    for (const struct meta_field *f = e->fields; f->name; f++)
        if (f->weight > 0 && (weight == 0 || f->weight == weight) && may_search(f, who))
            fields |= f->bit;
    return fields;
}
