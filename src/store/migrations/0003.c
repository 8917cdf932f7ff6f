/* Schema 3: views, services without features of their own. */
#include "store/migrations/migrations.h"

/* clang-format off */
const char migration_0003[] =
/* source: the item of the service whose features a view shows, '' for a service that has its own. */
"ALTER TABLE hosted ADD COLUMN source TEXT NOT NULL DEFAULT '';\n"
"CREATE INDEX hosted_source ON hosted (source);\n";
