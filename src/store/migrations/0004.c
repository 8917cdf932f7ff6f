/* Schema 4: attachments found by the GlobalID that edits name them by. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0004[] =
"CREATE INDEX attachment_global_id ON attachment (store, layer, global_id);\n";
