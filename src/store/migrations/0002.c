/* Schema 2: what belongs to people. Roles that administrators made, files of users, groups and the organization, requests between
 * users and groups, notifications, and the columns of users and groups for them. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0002[] =
/* role_id: a row of portal_role, '' one of the default roles. favourites: id of a group. password_expires: 0 never. */
"ALTER TABLE portal_user ADD COLUMN role_id TEXT NOT NULL DEFAULT '';\n"
"ALTER TABLE portal_user ADD COLUMN license TEXT NOT NULL DEFAULT '';\n"
"ALTER TABLE portal_user ADD COLUMN provider TEXT NOT NULL DEFAULT 'arcgis';\n"
"ALTER TABLE portal_user ADD COLUMN idp_username TEXT NOT NULL DEFAULT '';\n"
"ALTER TABLE portal_user ADD COLUMN preferred_view TEXT NOT NULL DEFAULT '';\n"
"ALTER TABLE portal_user ADD COLUMN favourites TEXT NOT NULL DEFAULT '';\n"
"ALTER TABLE portal_user ADD COLUMN password_expires BIGINT NOT NULL DEFAULT 0;\n"
"CREATE INDEX portal_user_role ON portal_user (role_id);\n"
/* favourites: the group of one user's favourites. Its owner has no row in group_member, so that being in it opens nothing. */
"ALTER TABLE portal_group ADD COLUMN favourites BIGINT NOT NULL DEFAULT 0;\n"
/* The space that a user's items take is a sum. */
"CREATE INDEX item_owner_size ON item (owner, size);\n"

/* privileges: JSON array of texts. */
"CREATE TABLE portal_role (\n"
"    id TEXT NOT NULL PRIMARY KEY,\n"
"    name TEXT NOT NULL,\n"
"    name_fold TEXT NOT NULL UNIQUE,\n"
"    description TEXT NOT NULL,\n"
"    privileges TEXT NOT NULL,\n"
"    created BIGINT NOT NULL,\n"
"    modified BIGINT NOT NULL);\n"

/* kind and owner: whose file it is (meta_people.h). */
"CREATE TABLE portal_file (\n"
"    kind BIGINT NOT NULL,\n"
"    owner TEXT NOT NULL,\n"
"    name TEXT NOT NULL,\n"
"    hash BYTEA NOT NULL REFERENCES blob (hash),\n"
"    size BIGINT NOT NULL,\n"
"    content_type TEXT NOT NULL,\n"
"    modified BIGINT NOT NULL,\n"
"    PRIMARY KEY (kind, owner, name));\n"
"CREATE INDEX portal_file_hash ON portal_file (hash);\n"

/* An invitation of a user to a group (asked_by: who invited), or an application of a user (asked_by ''). expires 0: never. */
"CREATE TABLE group_request (\n"
"    id TEXT NOT NULL PRIMARY KEY,\n"
"    group_id TEXT NOT NULL REFERENCES portal_group (id) ON DELETE CASCADE,\n"
"    username TEXT NOT NULL,\n"
"    asked_by TEXT NOT NULL,\n"
"    member_type BIGINT NOT NULL,\n"
"    created BIGINT NOT NULL,\n"
"    expires BIGINT NOT NULL);\n"
"CREATE INDEX group_request_group ON group_request (group_id, created);\n"
"CREATE INDEX group_request_username ON group_request (username, created);\n"

/* data: JSON object. */
"CREATE TABLE notification (\n"
"    id TEXT NOT NULL PRIMARY KEY,\n"
"    username TEXT NOT NULL,\n"
"    type TEXT NOT NULL,\n"
"    target_type TEXT NOT NULL,\n"
"    target TEXT NOT NULL,\n"
"    data TEXT NOT NULL,\n"
"    received BIGINT NOT NULL);\n"
"CREATE INDEX notification_username ON notification (username, received);\n"

/* owner: the id of a group. */
"CREATE TABLE category_schema (\n"
"    owner TEXT NOT NULL PRIMARY KEY,\n"
"    content TEXT NOT NULL);\n";
