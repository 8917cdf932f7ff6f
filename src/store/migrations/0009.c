/* Schema 9: the columns of numbers anew, with those of the counters and with zones (store/meta_columns.c); the next opening fills
 * them. */
#include "store/migrations/migrations.h"

/* 67108864: the numbers from there on are those of the lists of schema 7. */
const char migration_0009[] = "DELETE FROM search_column WHERE number < 67108864;\n"
                              "UPDATE search_packed SET place = 0 WHERE kind = 3;\n";
