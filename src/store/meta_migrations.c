/* The migrations of the metadata database, in order. */
#include "store/meta.h"
#include "store/migrations/migrations.h"

const struct sql_migration meta_migrations[] = {
    {1, "first tables", migration_0001},
    {2, "people", migration_0002},
    {3, "views", migration_0003},
    {4, "attachments by GlobalID", migration_0004},
    {5, "uploads in parts, comments, ratings, credentials", migration_0005},
    {6, "search in packed sets", migration_0006},
    {7, "search by neighbours, letters and values", migration_0007},
    {8, "fields of uploads in parts", migration_0008},
    {9, "counters in columns", migration_0009},
    {10, "changes of attachments with edits", migration_0010},
    {11, "uploads to services", migration_0011},
};
const size_t meta_migration_count = COUNT_OF(meta_migrations);
