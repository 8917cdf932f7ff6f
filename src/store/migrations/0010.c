/* Schema 10: changes of attachments that wait for the edit of features which they belong to. A change is written down before the
 * edit is committed in its data set, and comes into force after it; which numbers were committed is known by the data set alone
 * (store/meta_intent.h). hash: NULL for what is deleted. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0010[] =
"CREATE TABLE file_intent (\n"
"    store TEXT NOT NULL,\n"
"    number BIGINT NOT NULL,\n"
"    sequence BIGINT NOT NULL,\n"
"    kind BIGINT NOT NULL,\n"
"    layer BIGINT NOT NULL,\n"
"    id BIGINT NOT NULL,\n"
"    parent_oid BIGINT NOT NULL,\n"
"    global_id TEXT NOT NULL,\n"
"    parent_global_id TEXT NOT NULL,\n"
"    name TEXT NOT NULL,\n"
"    content_type TEXT NOT NULL,\n"
"    keywords TEXT NOT NULL,\n"
"    size BIGINT NOT NULL,\n"
"    hash BYTEA REFERENCES blob (hash),\n"
"    PRIMARY KEY (store, number, sequence));\n"
"CREATE INDEX file_intent_hash ON file_intent (hash);\n";
