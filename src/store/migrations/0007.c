/* Schema 7: what stands next to what, the words by their letters, and the values that are counted, of whole blocks of items
 * (store/meta_runs.c). Their rows are in search_column; the row of search_packed with the kind 4 says how far they are made, and
 * the next opening makes the others. */
#include "store/migrations/migrations.h"

const char migration_0007[] = "INSERT INTO search_packed (kind, place) VALUES (4, 0);\n";
