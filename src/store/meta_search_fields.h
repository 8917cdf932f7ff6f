/* The fields of the search index: bits of search_posting.fields, of which search_block.field is the number. They are stored in
 * the database, so they never change their meaning. Each kind of subject counts for itself. The empty word has the fields in
 * which a subject has anything. */
#ifndef MAPFERRY_STORE_META_SEARCH_FIELDS_H
#define MAPFERRY_STORE_META_SEARCH_FIELDS_H

enum meta_term_field_bit {
    TERM_NONE = 0,
    TERM_FIRST_WHOLE = 1 << 16, /* from here on whole values, before it words */

    TERM_ITEM_TITLE = 1 << 0,
    TERM_ITEM_TAGS = 1 << 1,
    TERM_ITEM_SNIPPET = 1 << 2,
    TERM_ITEM_DESCRIPTION = 1 << 3,
    TERM_ITEM_TYPE = 1 << 4,
    TERM_ITEM_KEYWORDS = 1 << 5,
    TERM_ITEM_CREDITS = 1 << 6,
    TERM_ITEM_LICENSE = 1 << 7,
    TERM_ITEM_CATEGORIES = 1 << 8,
    TERM_ITEM_WHOLE_TAGS = 1 << 16,
    TERM_ITEM_WHOLE_TYPE = 1 << 17,
    TERM_ITEM_WHOLE_KEYWORDS = 1 << 18,
    TERM_ITEM_WHOLE_CATEGORIES = 1 << 19,
    TERM_ITEM_OWNER = 1 << 20, /* as written */
    TERM_ITEM_ACCESS = 1 << 21,
    TERM_ITEM_GROUP = 1 << 22, /* follows the shares, not the item */
    TERM_ITEM_FOLDER = 1 << 23,
    TERM_ITEM_STATUS = 1 << 24,
    TERM_ITEM_CULTURE = 1 << 25,
    TERM_ITEM_SPATIAL_REFERENCE = 1 << 26,
    TERM_ITEM_NAME = 1 << 27,
    TERM_ITEM_PROTECTED = 1 << 28,
    TERM_ITEM_THUMBNAIL = 1 << 29, /* "true" when there is one */

    TERM_GROUP_TITLE = 1 << 0,
    TERM_GROUP_TAGS = 1 << 1,
    TERM_GROUP_SNIPPET = 1 << 2,
    TERM_GROUP_DESCRIPTION = 1 << 3,
    TERM_GROUP_OWNER = 1 << 4,
    TERM_GROUP_WHOLE_TAGS = 1 << 16,
    TERM_GROUP_WHOLE_OWNER = 1 << 20, /* as written */
    TERM_GROUP_ACCESS = 1 << 21,

    TERM_USER_USERNAME = 1 << 0,
    TERM_USER_FULL_NAME = 1 << 1,
    TERM_USER_EMAIL = 1 << 2,
    TERM_USER_DESCRIPTION = 1 << 3,
    TERM_USER_FIRST_NAME = 1 << 4,
    TERM_USER_LAST_NAME = 1 << 5,
    TERM_USER_WHOLE_TAGS = 1 << 16,
    TERM_USER_ACCESS = 1 << 21,

    TERM_EXACT = 1 << 20, /* of each kind: case counts */
};

#endif
