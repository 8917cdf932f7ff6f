/* The numbers of the fields in the search index: stored in the database, so they never change their meaning. */
#ifndef MAPFERRY_STORE_META_SEARCH_FIELDS_H
#define MAPFERRY_STORE_META_SEARCH_FIELDS_H

enum meta_term_number {
    TERM_NONE = 0,
    /* words of items */
    TERM_ITEM_TITLE = 1,
    TERM_ITEM_TAGS = 2,
    TERM_ITEM_SNIPPET = 3,
    TERM_ITEM_DESCRIPTION = 4,
    TERM_ITEM_TYPE = 5,
    TERM_ITEM_KEYWORDS = 6,
    TERM_ITEM_CREDITS = 7,
    TERM_ITEM_LICENSE = 8,
    /* whole values of items */
    TERM_ITEM_WHOLE_TAGS = 20,
    TERM_ITEM_WHOLE_TYPE = 21,
    TERM_ITEM_WHOLE_KEYWORDS = 22,
    TERM_ITEM_WHOLE_CATEGORIES = 23,
    /* groups */
    TERM_GROUP_TITLE = 40,
    TERM_GROUP_TAGS = 41,
    TERM_GROUP_SNIPPET = 42,
    TERM_GROUP_DESCRIPTION = 43,
    TERM_GROUP_OWNER = 44,
    TERM_GROUP_WHOLE_TAGS = 45,
    /* users */
    TERM_USER_USERNAME = 60,
    TERM_USER_FULL_NAME = 61,
    TERM_USER_EMAIL = 62,
    TERM_USER_DESCRIPTION = 63,
    TERM_USER_WHOLE_TAGS = 64,
    TERM_USER_FIRST_NAME = 65,
    TERM_USER_LAST_NAME = 66,
};

#endif
