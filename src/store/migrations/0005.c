/* Uploads in parts, comments and ratings, counters of items, and credentials of services, sealed.
 *
 * An upload in parts is no item yet (or changes nothing of the one that is there): its parts are content that only the upload
 * refers to, until a commit joins them. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0005[] =
/* item: the id that the item will have, or has when is_update. touched: the last part, for the expiry of what nobody commits. */
"CREATE TABLE upload (\n"
"    item TEXT NOT NULL PRIMARY KEY,\n"
"    owner TEXT NOT NULL,\n"
"    folder TEXT NOT NULL,\n"
"    file_name TEXT NOT NULL,\n"
"    is_update BIGINT NOT NULL,\n"
"    created BIGINT NOT NULL,\n"
"    touched BIGINT NOT NULL);\n"
"CREATE INDEX upload_touched ON upload (touched);\n"
"CREATE TABLE upload_part (\n"
"    item TEXT NOT NULL REFERENCES upload (item) ON DELETE CASCADE,\n"
"    number BIGINT NOT NULL,\n"
"    hash BYTEA NOT NULL REFERENCES blob (hash),\n"
"    size BIGINT NOT NULL,\n"
"    PRIMARY KEY (item, number)) /* clustered */;\n"
"CREATE INDEX upload_part_hash ON upload_part (hash);\n"

/* Counters change without the rest of the row: reading and rating an item is no update of it. */
"ALTER TABLE item ADD COLUMN last_viewed BIGINT NOT NULL DEFAULT -1;\n"
"ALTER TABLE item ADD COLUMN num_comments BIGINT NOT NULL DEFAULT 0;\n"
"ALTER TABLE item ADD COLUMN num_ratings BIGINT NOT NULL DEFAULT 0;\n"
"ALTER TABLE item ADD COLUMN avg_rating DOUBLE PRECISION NOT NULL DEFAULT 0;\n"
"ALTER TABLE item ADD COLUMN comments_disabled BIGINT NOT NULL DEFAULT 0;\n"

/* parent: the comment that it replies to, NULL for one of the first level. */
"CREATE TABLE item_comment (\n"
"    id TEXT NOT NULL PRIMARY KEY,\n"
"    item TEXT NOT NULL REFERENCES item (id) ON DELETE CASCADE,\n"
"    parent TEXT REFERENCES item_comment (id) ON DELETE CASCADE,\n"
"    author TEXT NOT NULL,\n"
"    content TEXT NOT NULL,\n"
"    created BIGINT NOT NULL);\n"
"CREATE INDEX item_comment_item ON item_comment (item, created, id);\n"
"CREATE INDEX item_comment_parent ON item_comment (parent);\n"
"CREATE TABLE item_rating (\n"
"    item TEXT NOT NULL REFERENCES item (id) ON DELETE CASCADE,\n"
"    username TEXT NOT NULL,\n"
"    value DOUBLE PRECISION NOT NULL,\n"
"    created BIGINT NOT NULL,\n"
"    PRIMARY KEY (item, username)) /* clustered */;\n"

/* What a portal signs in with to a service on behalf of its users, sealed with the key of the data folder. */
"CREATE TABLE item_credential (\n"
"    item TEXT NOT NULL PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,\n"
"    sealed BYTEA NOT NULL);\n";
