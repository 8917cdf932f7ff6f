/* Schema 11: files uploaded to a service, for edits to name them: whole (hash), or in parts until a commit. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0011[] =
"CREATE TABLE service_upload (\n"
"    id TEXT NOT NULL PRIMARY KEY,\n"
"    service TEXT NOT NULL REFERENCES hosted (item) ON DELETE CASCADE,\n"
"    owner TEXT NOT NULL,\n"
"    name TEXT NOT NULL,\n"
"    description TEXT NOT NULL,\n"
"    content_type TEXT NOT NULL,\n"
"    touched BIGINT NOT NULL,\n"
"    size BIGINT NOT NULL,\n"
"    hash BYTEA REFERENCES blob (hash));\n"
"CREATE INDEX service_upload_owner ON service_upload (service, owner);\n"
"CREATE INDEX service_upload_touched ON service_upload (touched);\n"
"CREATE INDEX service_upload_hash ON service_upload (hash);\n"
"CREATE TABLE service_upload_part (\n"
"    upload TEXT NOT NULL REFERENCES service_upload (id) ON DELETE CASCADE,\n"
"    number BIGINT NOT NULL,\n"
"    hash BYTEA NOT NULL REFERENCES blob (hash),\n"
"    size BIGINT NOT NULL,\n"
"    PRIMARY KEY (upload, number)) /* clustered */;\n"
"CREATE INDEX service_upload_part_hash ON service_upload_part (hash);\n";
