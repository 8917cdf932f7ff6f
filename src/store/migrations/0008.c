/* Schema 8: what a client says of an item when it begins an upload in parts is kept until the commit. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0008[] =
"ALTER TABLE upload ADD COLUMN fields TEXT NOT NULL DEFAULT '{}';\n";
